//! Comments that say "to do".

use rulec_kql::TokenKind;

use super::{code, placeholder};
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
        for token in query
            .parsed
            .tokens
            .iter()
            .filter(|t| t.kind == TokenKind::Comment)
        {
            if let Some(word) = placeholder(token.span.of(&query.parsed.text)) {
                found.push(
                    Diagnostic::new(LINT.code, format!("this comment says `{word}`"))
                        .at(query.fragment.map(token.span))
                        .help("do it, or say under \"Detection Blind Spots\" what is missing"),
                );
            }
        }
    }
}
