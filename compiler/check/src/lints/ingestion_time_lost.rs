//! `ingestion_time()` of rows that have been combined.

use rulec_explain::reads::lost_ingestion_times;
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL084",
        "ingestion-time-lost",
        Severity::Warning,
        "`ingestion_time()` stands behind an operator that combines rows, where it is null.",
    ),
    page: include_str!("../../pages/ingestion-time-lost.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.says("ingestion_time")) {
        for (place, combined, operator) in lost_ingestion_times(query.ir) {
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!("`ingestion_time()` is null behind `{operator}`, which makes rows of its own"),
                )
                .at(query.fragment.map(place))
                .label(query.fragment.map(combined), "rows are combined here")
                .help("ask for it right behind the table, or keep it in a column of its own"),
            );
        }
    }
}
