//! Comments that say "to do".

use super::{code, placeholder, syntax::comments};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL069",
        "unfinished-query",
        Severity::Warning,
        "A comment in a query says that something is still to be done.",
    ),
    page: include_str!("../../pages/unfinished-query.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        for (comment, span) in comments(query) {
            if let Some(word) = placeholder(comment) {
                found.push(
                    Diagnostic::new(LINT.code, format!("this comment says `{word}`"))
                        .at(query.fragment.map(span))
                        .help("do it, or say under \"Detection Blind Spots\" what is missing"),
                );
            }
        }
    }
}
