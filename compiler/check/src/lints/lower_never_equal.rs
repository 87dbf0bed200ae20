//! `tolower(x)` against a text with capitals.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL022",
        "lower-never-equal",
        Severity::Warning,
        "A text made lower (or upper) case is compared with one that is not.",
    ),
    page: include_str!("../../pages/lower-never-equal.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            if !matches!(
                c.op,
                "==" | "in" | "!=" | "!in" | "has_cs" | "contains_cs" | "startswith_cs" | "endswith_cs"
            ) {
                return;
            }
            let Some(call) = c.call() else { return };
            let lower = match call {
                "tolower" => true,
                "toupper" => false,
                _ => return,
            };
            for (value, span) in c.texts() {
                let made = if lower {
                    value.to_lowercase()
                } else {
                    value.to_uppercase()
                };
                if made != value {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("`{call}` gives another case than this text, so they are never equal"),
                        )
                        .at(query.fragment.map(span))
                        .help(format!("write `{made}`, or leave `{call}` out and ignore case")),
                    );
                }
            }
        });
    }
}
