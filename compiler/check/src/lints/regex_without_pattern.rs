//! A pattern without anything special in it.

use super::{
    code,
    syntax::{patterns, regex},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL024",
        "regex-without-pattern",
        Severity::Warning,
        "A regular expression is a plain text.",
    ),
    page: include_str!("../../pages/regex-without-pattern.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        patterns(query, &mut |pattern, span| {
            let (plain, operator) = match pattern.strip_prefix("(?i)") {
                Some(rest) => (rest, "contains"),
                None => (pattern, "contains_cs"),
            };
            if !plain.is_empty() && regex::is_plain(plain) {
                found.push(
                    Diagnostic::new(LINT.code, "this pattern is a plain text")
                        .at(query.fragment.map(span))
                        .help(format!("write `{operator}`, or `has` if it is a whole term")),
                );
            }
        });
    }
}
