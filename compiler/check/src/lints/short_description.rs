//! Descriptions of a word or two.

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL067",
        "short-description",
        Severity::Note,
        "The description says next to nothing.",
    ),
    page: include_str!("../../pages/short-description.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(text) = input.rule.section("detection_description")
        && text.split_whitespace().count() < FEWEST
    {
        found.push(
            Diagnostic::new(
                LINT.code,
                "the description is too short to say what is found, and how",
            )
            .at(input.place("/title"))
            .help("say what the rule looks for and why that is suspicious"),
        );
    }
}

/// Words below which a description says nothing.
const FEWEST: usize = 4;
