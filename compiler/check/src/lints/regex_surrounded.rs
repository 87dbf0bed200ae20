//! Patterns that say "anything" at their ends.

use super::{code, syntax::patterns};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL025",
        "regex-surrounded",
        Severity::Note,
        "A regular expression begins or ends with `.*`.",
    ),
    page: include_str!("../../pages/regex-surrounded.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        patterns(query, &mut |pattern, span| {
            let inner = pattern.strip_prefix("(?i)").unwrap_or(pattern);
            let begins = inner.starts_with(".*") && !inner.starts_with(".*?");
            // With an alternative the dots belong to one branch only.
            if inner.contains('|') || inner == ".*" {
                return;
            }
            if begins || (inner.ends_with(".*") && !inner.ends_with("\\.*")) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "`matches regex` finds the pattern anywhere, so `.*` at its ends does nothing",
                    )
                    .at(query.fragment.map(span))
                    .help("leave `.*` out"),
                );
            }
        });
    }
}
