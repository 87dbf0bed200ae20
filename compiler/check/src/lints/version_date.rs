//! Versions without dates.

use super::code;
use super::is_date;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL065",
        "version-date",
        Severity::Warning,
        "A version has no date, or one that is none.",
    ),
    page: include_str!("../../pages/version-date.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (index, version) in input.rule.versions.iter().enumerate() {
        let date = version.date.as_deref().unwrap_or_default();
        if !is_date(date) {
            let message = if date.is_empty() {
                format!("version {} has no date", version.version)
            } else {
                format!("`{date}` is no date")
            };
            found.push(
                Diagnostic::new(LINT.code, message)
                    .at(input.place(&format!("/versions/{index}")))
                    .help("write year, month and day: `2026-01-31`"),
            );
        }
    }
}
