//! Dots that were meant as dots.

use super::{
    code,
    syntax::{patterns, regex},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL027",
        "regex-unescaped-dot",
        Severity::Warning,
        "A dot in a file or host name of a pattern stands for any character.",
    ),
    page: include_str!("../../pages/regex-unescaped-dot.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        patterns(query, &mut |pattern, span| {
            if let Some(name) = regex::open_dot(pattern) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!("the dot in `{name}` stands for any character in a regular expression"),
                    )
                    .at(query.fragment.map(span))
                    .help("write `\\.` for a dot"),
                );
            }
        });
    }
}
