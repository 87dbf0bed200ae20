//! Versions without notes.

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL066",
        "version-notes",
        Severity::Note,
        "A version does not say what changed.",
    ),
    page: include_str!("../../pages/version-notes.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (index, version) in input.rule.versions.iter().enumerate() {
        if version.notes.trim().is_empty() {
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!("version {} does not say what changed", version.version),
                )
                .at(input.place(&format!("/versions/{index}")))
                .help("say it in a sentence"),
            );
        }
    }
}
