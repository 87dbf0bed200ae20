//! Joins with whole tables.

use rulec_kql::ast::OperatorKind;

use super::{
    code,
    syntax::{name, pipelines},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL048",
        "unfiltered-join-side",
        Severity::Note,
        "A join reads a whole table on its right side.",
    ),
    page: include_str!("../../pages/unfiltered-join-side.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for operator in &pipeline.operators {
                let OperatorKind::Join { right, .. } = &operator.kind else {
                    continue;
                };
                let table =
                    name(right).filter(|name| query.ir.tables.iter().any(|table| table.name == **name));
                if let Some(table) = table {
                    found.push(
                        Diagnostic::new(LINT.code, format!("this join reads all of `{table}`"))
                            .at(query.fragment.map(right.span))
                            .help("filter it, and keep the columns that are needed: `(T | where … | project …)`"),
                    );
                }
            }
        });
    }
}
