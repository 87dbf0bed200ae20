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
    Unknown {
        construct: String,
        why: String,
    },
}

impl Predicate {
    pub(super) fn unknown(construct: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unknown {
            construct: construct.into(),
            why: why.into(),
        }
    }

    /// What every event of the table fulfils.
    pub(super) fn always() -> Self {
        Self::Atom("true".to_owned())
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
            let says_nothing = !any && part == Self::always();
            if !says_nothing && !unique.contains(&part) {
                unique.push(part);
            }
        }
        match unique.len() {
            0 if !any => Self::always(),
            1 => unique.remove(0),
            _ if any => Self::Or(unique),
            _ => Self::And(unique),
        }
    }
}

/// The predicate without what cannot be said; none when nothing is left. A
/// part less in a conjunction matches more, in a disjunction less, and the
/// other way round below a `not`.
pub(super) fn without_unknown(
    predicate: Predicate,
    negated: bool,
    losses: &mut Vec<Loss>,
) -> Option<Predicate> {
    match predicate {
        Predicate::Unknown { .. } => Some(predicate),
        // Without a value these are null, and so is their negation, which drops the event.
        Predicate::Atom(text) if negated && may_be_null(&text) => {
            Some(Predicate::Atom(format!("coalesce({text}, false)")))
        }
        Predicate::Atom(_) => Some(predicate),
        Predicate::Not(inner) => match without_unknown(*inner, !negated, losses)? {
            unknown @ Predicate::Unknown { .. } => Some(unknown),
            inner => Some(Predicate::Not(Box::new(inner))),
        },
        Predicate::And(parts) => reduced(parts, negated, false, losses),
        Predicate::Or(parts) => reduced(parts, negated, true, losses),
    }
}

/// Whether an atom is null for an event that lacks the value.
fn may_be_null(atom: &str) -> bool {
    let compares = |op: &str| {
        atom.rsplit_once(op)
            .is_some_and(|(_, number)| number.parse::<f64>().is_ok())
    };
    atom.starts_with("ipv") || [" > ", " >= ", " < ", " <= "].into_iter().any(compares)
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
    let effect = if any == negated {
        Effect::Widened
    } else {
        Effect::Narrowed
    };
    losses.extend(
        unknown
            .into_iter()
            .map(|(construct, why)| Loss::new(construct, effect, why)),
    );
    Some(Predicate::join(known, any))
}

/// The lines of `where` for a predicate.
pub(super) fn wheres(predicate: &Predicate) -> String {
    match predicate {
        Predicate::And(parts) => parts.iter().map(wheres).collect(),
        other if *other == Predicate::always() => String::new(),
        Predicate::Or(_) => format!("| where {}\n", list(predicate, STEP)),
        other => format!("| where {}\n", written(other, 0)),
    }
}

/// Blanks a level.
const STEP: usize = 4;

/// A predicate as a part of another, or alone; a parenthesis closes after
/// `base` blanks.
fn written(predicate: &Predicate, base: usize) -> String {
    let (inner, outer) = (" ".repeat(base + STEP), " ".repeat(base));
    match predicate {
        Predicate::Atom(text) => text.clone(),
        // Taken out before anything is written.
        Predicate::Unknown { .. } => "true".to_owned(),
        Predicate::Not(negated) => match &**negated {
            Predicate::Atom(text) => format!("not({text})"),
            other => format!("not(\n{inner}{}\n{outer})", list(other, base + STEP)),
        },
        Predicate::And(_) | Predicate::Or(_) => {
            format!("(\n{inner}{}\n{outer})", list(predicate, base + STEP))
        }
    }
}

/// The parts of a predicate, one a line.
fn list(predicate: &Predicate, base: usize) -> String {
    let (parts, word) = match predicate {
        Predicate::And(parts) => (parts, "and"),
        Predicate::Or(parts) => (parts, "or"),
        other => return written(other, base),
    };
    let parts: Vec<String> = parts.iter().map(|part| written(part, base)).collect();
    parts.join(&format!("\n{}{word} ", " ".repeat(base)))
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
