//! `has` with a text that is no term.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL019",
        "has-without-term",
        Severity::Warning,
        "`has` looks for a text that holds no term.",
    ),
    page: include_str!("../../pages/has-without-term.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            if !matches!(c.op, "has" | "!has" | "has_cs" | "!has_cs") {
                return;
            }
            for (value, span) in c.texts() {
                if !value.is_empty() && !value.chars().any(char::is_alphanumeric) {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("`{}` looks for whole terms, and this text holds none", c.op),
                        )
                        .at(query.fragment.map(span))
                        .help("use `contains`, or look for the word beside it"),
                    );
                }
            }
        });
    }
}
