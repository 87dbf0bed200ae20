//! Version histories out of order.

use super::code;
use super::is_date;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL064",
        "version-order",
        Severity::Warning,
        "The version history is not in order, newest first.",
    ),
    page: include_str!("../../pages/version-order.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (index, pair) in input.rule.versions.windows(2).enumerate() {
        let numbers =
            |version: &str| -> Option<Vec<u32>> { version.split('.').map(|n| n.parse().ok()).collect() };
        let (Some(newer), Some(older)) = (numbers(&pair[0].version), numbers(&pair[1].version)) else {
            continue;
        };
        let dates = (
            pair[0].date.as_deref().filter(|d| is_date(d)),
            pair[1].date.as_deref().filter(|d| is_date(d)),
        );
        let reversed = matches!(dates, (Some(newer), Some(older)) if newer < older);
        if newer <= older || reversed {
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!(
                        "version {} stands above version {}, which is not older",
                        pair[0].version, pair[1].version
                    ),
                )
                .at(input.place(&format!("/versions/{}", index + 1)))
                .help("put the newest version first, with its number above the others"),
            );
        }
    }
}
