//! Unions of whatever there is.

use rulec_kql::ast::{ExprKind, OperatorKind};

use super::{
    code,
    syntax::{bare, pipelines},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL046",
        "union-wildcard",
        Severity::Warning,
        "A union takes tables by a pattern.",
    ),
    page: include_str!("../../pages/union-wildcard.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for operator in &pipeline.operators {
                let OperatorKind::Union { tables } = &operator.kind else {
                    continue;
                };
                for table in tables {
                    if matches!(bare(table).kind, ExprKind::Star | ExprKind::Wildcard(_)) {
                        found.push(
                            Diagnostic::new(LINT.code, "this union takes every table whose name fits")
                                .at(query.fragment.map(table.span))
                                .help("name the tables"),
                        );
                    }
                }
            }
        });
    }
}
