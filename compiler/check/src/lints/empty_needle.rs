//! Searches for the empty text.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL054",
        "empty-needle",
        Severity::Warning,
        "A text is searched for nothing.",
    ),
    page: include_str!("../../pages/empty-needle.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let searches = [
                "has",
                "contains",
                "startswith",
                "endswith",
                "hasprefix",
                "hassuffix",
                "matches",
            ]
            .iter()
            .any(|word| c.op.trim_start_matches('!').starts_with(word));
            for (value, span) in c.texts() {
                if searches && value.is_empty() {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("every text has the empty text in it, so `{}` tells nothing", c.op),
                        )
                        .at(query.fragment.map(span))
                        .help("say what is looked for; `isempty()` finds texts that are empty"),
                    );
                }
            }
        });
    }
}
