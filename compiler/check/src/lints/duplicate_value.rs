//! Values that a list holds twice.

use rulec_kql::ast::ExprKind;
use rulec_source::Span;

use super::{
    code,
    syntax::{bare, comparisons, dynamic_texts, text},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL029",
        "duplicate-value",
        Severity::Warning,
        "A list holds the same value twice.",
    ),
    page: include_str!("../../pages/duplicate-value.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let cased = match c.op {
                "in" | "!in" => true,
                "in~" | "!in~" | "has_any" | "has_all" => false,
                _ => return,
            };
            let mut all: Vec<(String, Span)> = c
                .values
                .iter()
                .filter_map(|v| Some((text(v)?.to_owned(), v.span)))
                .collect();
            if let [only] = c.values
                && let ExprKind::Literal(literal) = &bare(only).kind
            {
                all.extend(dynamic_texts(literal));
            }
            let key = |text: &str| {
                if cased {
                    text.to_owned()
                } else {
                    text.to_lowercase()
                }
            };
            for (index, (value, span)) in all.iter().enumerate() {
                let Some((_, first)) = all[..index].iter().find(|(other, _)| key(other) == key(value)) else {
                    continue;
                };
                found.push(
                    Diagnostic::new(LINT.code, format!("the list holds `{value}` twice"))
                        .at(query.fragment.map(*span))
                        .label(query.fragment.map(*first), "first here")
                        .help("remove one; perhaps another value was meant"),
                );
            }
        });
    }
}
