//! Tables the query reads are declared in the document.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL007",
        "table-undeclared",
        Severity::Note,
        "A query reads a table that the document does not list.",
    ),
    page: include_str!("../../pages/table-undeclared.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let declared: Vec<&str> = input
        .rule
        .data_sources
        .iter()
        .filter_map(|s| s.table.as_deref())
        .collect();
    if declared.is_empty() {
        return;
    }
    for query in input.queries.iter().filter(|q| q.sound) {
        for table in &query.ir.tables {
            // Alerts of earlier runs are looked up to not alert twice: no source of the detection.
            if declared.contains(&table.name.as_str()) || table.name == "SecurityAlert" {
                continue;
            }
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!(
                        "the query reads `{}`, which the document does not list",
                        table.name
                    ),
                )
                .at(query.fragment.map(table.span))
                .help("add a row to the table of data sources"),
            );
        }
    }
}
