//! `tolower` before a comparison that ignores case.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL023",
        "needless-lower",
        Severity::Note,
        "The case of a text is changed before a comparison that ignores case.",
    ),
    page: include_str!("../../pages/needless-lower.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let caseless = matches!(
                c.op,
                "=~" | "!~"
                    | "in~"
                    | "!in~"
                    | "has"
                    | "!has"
                    | "contains"
                    | "!contains"
                    | "startswith"
                    | "!startswith"
                    | "endswith"
                    | "!endswith"
                    | "has_any"
                    | "has_all"
            );
            if let Some(call) = c
                .call()
                .filter(|call| caseless && matches!(*call, "tolower" | "toupper"))
            {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!("`{}` ignores case, so `{call}` does nothing", c.op),
                    )
                    .at(query.fragment.map(c.lhs.span))
                    .help(format!("leave `{call}` out")),
                );
            }
        });
    }
}
