//! Exclusions as operators in a query's slots.
//!
//! An exclusion leaves out the rows that meet its condition, and no others:
//! `| where not(coalesce(CONDITION, false))`. Without `coalesce` a row for which
//! the condition is null, say because a column has no value, would be gone too,
//! since `not(null)` is null and `where` keeps only what is true.

use rulec_functions::Type;
use rulec_ir::{
    ExprKind, Query, RelKind,
    walk::{self, Node},
};
use rulec_kql::Parsed;
use rulec_source::{Diagnostic, Fragment, Span};

use crate::{
    codes::{BAD_CONDITION, NO_SLOT},
    file::{self, Exclusion, SlotChoice},
    slots::{FILTER, Slot, Slots},
    splice::{Edit, Part},
};

/// An exclusion in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Its place among the environment's.
    pub exclusion: usize,
    /// Its operator, in what the slot is given; from the pipe to the end.
    pub operator: Span,
    /// Its condition, likewise.
    pub condition: Span,
}

/// How much of the query's columns a finding names.
const NAMED: usize = 40;

/// What the slots of a query are given by exclusions, slot by slot: the edits,
/// and the exclusions in each. Findings are placed in the environment file,
/// whose text has its first byte at `start`.
///
/// `about` names the rule and, of several, the query.
pub fn exclusions(
    environment: (&str, &str, u32),
    chosen: &[(usize, &Exclusion)],
    about: &str,
    fragment: &Fragment,
    slots: &Slots,
) -> Result<Vec<(Edit, Vec<Excluded>)>, Vec<Diagnostic>> {
    let (name, text, start) = environment;
    let filters = slots.named(FILTER);
    let mut wrong = Vec::new();
    let mut given: Vec<Vec<(usize, &Exclusion)>> = vec![Vec::new(); filters.len()];
    for (index, exclusion) in chosen {
        let lacks = |message: String, key: &'static str| {
            let at = file::value(text, *index, &[rulec_facts::yaml::places::Step::Key(key)]);
            Diagnostic::new(NO_SLOT, message).at(moved(at.unwrap_or_default(), start))
        };
        match (exclusion.slot, filters.len()) {
            (_, 0) => wrong.push(no_slot(&lacks, about, fragment, slots)),
            (None, 1) | (Some(SlotChoice::All), _) => {
                for slot in &mut given {
                    slot.push((*index, *exclusion));
                }
            }
            (Some(SlotChoice::One(number)), there) => match given.get_mut(number - 1) {
                Some(slot) => slot.push((*index, *exclusion)),
                None => {
                    let places = if there == 1 {
                        "one slot"
                    } else {
                        &format!("{there} slots")
                    };
                    let message = format!("{about} has no slot {number}: it has {places} for exclusions");
                    wrong.push(lacks(message, "slot"));
                }
            },
            (None, there) => {
                let message = format!("{about} has {there} slots, and the exclusion does not say which");
                let mut finding = lacks(message, "condition")
                    .help("say `slot: 1` for the first of them, or `slot: all` for each");
                for (number, slot) in filters.iter().enumerate() {
                    finding = finding.label(fragment.map(slot.begin), format!("slot {}", number + 1));
                }
                wrong.push(finding);
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let edits = filters.iter().zip(given).filter(|(_, given)| !given.is_empty());
    Ok(edits
        .map(|(slot, given)| edit(name, text, start, slot, &given))
        .collect())
}

fn moved(span: Span, start: u32) -> Span {
    Span {
        start: span.start.saturating_add(start),
        end: span.end.saturating_add(start),
    }
}

/// What to say when a query has no slot.
fn no_slot(
    lacks: &dyn Fn(String, &'static str) -> Diagnostic,
    about: &str,
    fragment: &Fragment,
    slots: &Slots,
) -> Diagnostic {
    match slots.halves.first() {
        Some(half) => lacks(
            format!("{about} has no slot for exclusions: one of its two comments is missing"),
            "rules",
        )
        .label(fragment.map(*half), "the other half of it is not there")
        .help("a slot is `// Begin environment-specific filter.` and, below, `// End environment-specific filter.`"),
        None => lacks(format!("{about} has no slot for exclusions"), "rules").help(
            "put two comments into its query, each on a line of its own, where the filter belongs: `// Begin environment-specific filter.` and `// End environment-specific filter.`",
        ),
    }
}

/// The exclusions of one slot, behind what stands there already.
fn edit(
    environment: &str,
    text: &str,
    start: u32,
    slot: &Slot,
    given: &[(usize, &Exclusion)],
) -> (Edit, Vec<Excluded>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut placed = Vec::new();
    let (indent, newline) = (slot.indent.as_str(), slot.newline);
    let length = |parts: &[Part]| parts.iter().map(|part| part.text.len()).sum::<usize>();
    for (index, exclusion) in given {
        let condition = exclusion.condition.trim();
        let own = file::parts(text, *index, condition);
        let at = own.first().map_or(0, |part| part.outer) as usize;
        let word = |text: String| Part::new(text, at).beside(start);
        // Where the closing comment stands behind something, that ends its line.
        let lead = if parts.is_empty() && !slot.alone {
            newline
        } else {
            ""
        };
        parts.push(word(format!(
            "{lead}{indent}{}{newline}{indent}",
            exclusion.comment(environment)
        )));
        let operator = length(&parts);
        // A comment at its end must not reach the parenthesis.
        let lines = condition.contains('\n') || condition.contains("//");
        let (open, close) = if lines {
            (format!("{newline}{indent}    "), format!("{newline}{indent}"))
        } else {
            (String::new(), String::new())
        };
        parts.push(word(format!("| where not(coalesce({open}")));
        let begins = length(&parts);
        for part in own {
            let part = part.beside(start);
            parts.push(if part.len == 0 {
                Part {
                    text: part.text.replace('\r', "").replace('\n', newline),
                    ..part
                }
            } else {
                part
            });
        }
        let ends = length(&parts);
        parts.push(word(format!("{close}, false))")));
        placed.push(Excluded {
            exclusion: *index,
            operator: Span::new(operator, length(&parts)),
            condition: Span::new(begins, ends),
        });
        parts.push(word(newline.to_owned()));
    }
    let edit = Edit {
        at: Span::at(slot.inside.end as usize),
        parts,
    };
    (edit, placed)
}

/// Findings of reading and binding a query with exclusions, about exclusions
/// said in their terms: those are `excluded`, with spans of the query as it is
/// now. The other findings stay as they are.
pub fn inspect(
    excluded: &[Excluded],
    about: &str,
    parsed: &Parsed,
    ir: &Query,
    found: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut found = found;
    for one in excluded {
        let within = |diagnostic: &Diagnostic| {
            diagnostic
                .span()
                .is_some_and(|span| one.operator.start <= span.start && span.start <= one.operator.end)
        };
        // A condition is one wherever an operator can stand.
        if parsed.diagnostics.iter().any(|d| d.is_error() && within(d)) {
            found.retain(|diagnostic| !within(diagnostic));
            found.push(
                Diagnostic::new(
                    NO_SLOT,
                    format!("the slot of {about} stands where no operator can follow"),
                )
                .at(one.condition)
                .help("move its two comments to where the pipeline can go on with `| where`"),
            );
            continue;
        }
        let Some((columns, condition)) = filter(ir, one.operator) else {
            continue;
        };
        if let Some(ty) = condition.filter(|ty| *ty != Type::Bool)
            && !found.iter().any(|d| {
                d.is_error() && within(d) && d.span().is_some_and(|span| one.condition.contains(span))
            })
        {
            found.retain(|diagnostic| !(diagnostic.is_error() && within(diagnostic)));
            let finding = Diagnostic::new(
                BAD_CONDITION,
                format!("the condition is of type {ty}, not true or false"),
            );
            found.push(finding.at(one.condition).help(match ty {
                Type::Dynamic => "compare it, or say `tobool(…)`",
                _ => "compare it with something",
            }));
        }
        for diagnostic in &mut found {
            let unknown = diagnostic.code.id == rulec_ir::codes::UNKNOWN_NAME.id;
            if unknown && diagnostic.span().is_some_and(|span| one.condition.contains(span)) {
                diagnostic
                    .notes
                    .push(format!("the columns at the slot of {about} are {columns}"));
            }
        }
    }
    found
}

/// The columns that the exclusion of this operator sees, and the type of its condition.
fn filter(ir: &Query, operator: Span) -> Option<(String, Option<Type>)> {
    let mut found = None;
    walk::query(ir, &mut |node| {
        if let Node::Rel(rel) = node
            && let RelKind::Filter { input, predicate } = &rel.kind
            && operator.contains(rel.span)
            && found.is_none()
        {
            let names: Vec<&str> = input.columns.iter().map(|column| &*column.name).collect();
            let mut columns = names[..names.len().min(NAMED)].join(", ");
            if names.len() > NAMED {
                columns.push_str(&format!(" and {} more", names.len() - NAMED));
            }
            // `not(coalesce(condition, false))`
            let first = |expr: &rulec_ir::Expr, name: &str| match &expr.kind {
                ExprKind::Call { function, args } if function.name == name => args.first().cloned(),
                _ => None,
            };
            let condition = first(predicate, "not").and_then(|inner| first(&inner, "coalesce"));
            found = Some((columns, condition.map(|condition| condition.ty)));
        }
    });
    found
}
