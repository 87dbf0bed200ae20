//! Links with http.

use rulec_source::Span;

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL063",
        "insecure-reference",
        Severity::Note,
        "A reference is a link without encryption.",
    ),
    page: include_str!("../../pages/insecure-reference.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (index, reference) in input.rule.references.iter().enumerate() {
        if reference.starts_with("http://") {
            let at = input.file.text.find(reference.as_str());
            found.push(
                Diagnostic::new(LINT.code, "this link is not encrypted")
                    .at(at.map_or_else(
                        || input.place(&format!("/references/{index}")),
                        |at| Span::new(at, at + reference.len()),
                    ))
                    .help("write `https://`, if the page is there"),
            );
        }
    }
}
