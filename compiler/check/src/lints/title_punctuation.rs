//! Titles that do not look like titles.

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL068",
        "title-punctuation",
        Severity::Note,
        "A title ends with a full stop, or is written in capitals.",
    ),
    page: include_str!("../../pages/title-punctuation.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let title = input.rule.title.trim();
    let letters: Vec<char> = title.chars().filter(|c| c.is_alphabetic()).collect();
    let shouting = letters.len() > LONGEST_NAME && letters.iter().all(|c| c.is_uppercase());
    if shouting || (title.ends_with('.') && !title.ends_with("..")) {
        found.push(
            Diagnostic::new(LINT.code, "the title does not read as a title")
                .at(input.place("/title"))
                .help("write it in lower and upper case, without a full stop"),
        );
    }
}

/// Letters in capitals that may still be an abbreviation or two.
const LONGEST_NAME: usize = 14;
