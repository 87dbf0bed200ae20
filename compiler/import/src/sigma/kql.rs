//! Predicates on their way to KQL: what a part is, what becomes of parts that
//! cannot be said, and how the whole is written.

use rulec_emit::{Effect, Loss};

/// A predicate. `Unknown` is one that KQL over these tables cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    /// KQL that stands alone in a conjunction.
    Atom(String),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    Unknown { construct: String, why: String },
}

impl Predicate {
    pub(super) fn unknown(construct: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unknown {
            construct: construct.into(),
            why: why.into(),
        }
    }

    /// One of several, flat.
    pub(super) fn or(parts: Vec<Self>) -> Self {
        Self::join(parts, true)
    }

    /// All of several, flat.
    pub(super) fn and(parts: Vec<Self>) -> Self {
        Self::join(parts, false)
    }

    fn join(parts: Vec<Self>, any: bool) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Or(inner) if any => flat.extend(inner),
                Self::And(inner) if !any => flat.extend(inner),
                other => flat.push(other),
            }
        }
        let mut unique: Vec<Self> = Vec::new();
        for part in flat {
            if !unique.contains(&part) {
                unique.push(part);
            }
        }
        match unique.len() {
            1 => unique.remove(0),
            _ if any => Self::Or(unique),
            _ => Self::And(unique),
        }
    }
}

/// The predicate without what cannot be said; none when nothing is left. A
/// part less in a conjunction matches more, in a disjunction less, and the
/// other way round below a `not`.
pub(super) fn without_unknown(predicate: Predicate, negated: bool, losses: &mut Vec<Loss>) -> Option<Predicate> {
    match predicate {
        Predicate::Unknown { .. } | Predicate::Atom(_) => Some(predicate),
        Predicate::Not(inner) => match without_unknown(*inner, !negated, losses)? {
            unknown @ Predicate::Unknown { .. } => Some(unknown),
            inner => Some(Predicate::Not(Box::new(inner))),
        },
        Predicate::And(parts) => reduced(parts, negated, false, losses),
        Predicate::Or(parts) => reduced(parts, negated, true, losses),
    }
}

fn reduced(parts: Vec<Predicate>, negated: bool, any: bool, losses: &mut Vec<Loss>) -> Option<Predicate> {
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for part in parts {
        match without_unknown(part, negated, losses) {
            Some(Predicate::Unknown { construct, why }) => unknown.push((construct, why)),
            Some(other) => known.push(other),
            None => {}
        }
    }
    if known.is_empty() {
        // The whole part cannot be said; whoever holds it decides what that does.
        let (construct, why) = unknown.into_iter().next()?;
        return Some(Predicate::Unknown { construct, why });
    }
    let effect = if any == negated { Effect::Widened } else { Effect::Narrowed };
    losses.extend(unknown.into_iter().map(|(construct, why)| Loss::new(construct, effect, why)));
    Some(Predicate::join(known, any))
}

/// The lines of `where` for a predicate.
pub(super) fn wheres(predicate: &Predicate) -> String {
    match predicate {
        Predicate::And(parts) => parts.iter().map(wheres).collect(),
        other => format!("| where {}\n", written(other, 0, false)),
    }
}

/// A predicate as KQL; `within` says that it stands in a larger one.
fn written(predicate: &Predicate, depth: usize, within: bool) -> String {
    let indent = "    ".repeat(depth + 1);
    let closing = "    ".repeat(depth);
    match predicate {
        Predicate::Atom(text) => text.clone(),
        Predicate::Unknown { .. } => "true".to_owned(),
        Predicate::Not(inner) => match &**inner {
            Predicate::Atom(text) => format!("not({text})"),
            other => format!("not(\n{indent}{}\n{closing})", written(other, depth + 1, false)),
        },
        Predicate::And(parts) | Predicate::Or(parts) => {
            let word = if matches!(predicate, Predicate::Or(_)) { "or" } else { "and" };
            let depth = if within { depth + 1 } else { depth };
            let indent = "    ".repeat(depth + usize::from(!within && depth == 0));
            let parts: Vec<String> = parts.iter().map(|part| written(part, depth, true)).collect();
            let joined = parts.join(&format!("\n{indent}{word} "));
            if within {
                let closing = "    ".repeat(depth.saturating_sub(1));
                format!("(\n{indent}{joined}\n{closing})")
            } else {
                joined
            }
        }
    }
}

/// A string literal: verbatim where it has backslashes.
pub(super) fn quoted(text: &str) -> String {
    let printable = text.chars().all(|c| !c.is_control());
    if text.contains('\\') && !text.contains('"') && printable {
        return format!("@\"{text}\"");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
