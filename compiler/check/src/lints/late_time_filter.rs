//! Time bounds that come late.

use rulec_kql::ast::{Operator, OperatorKind};

use super::{
    code,
    syntax::{bounds_time, name, pipelines},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL047",
        "late-time-filter",
        Severity::Warning,
        "Time is bounded only behind a join or an expansion.",
    ),
    page: include_str!("../../pages/late-time-filter.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            let timed = |operator: &Operator| {
                matches!(operator.kind, OperatorKind::Where { .. }) && bounds_time(query, operator.span)
            };
            let Some(at) = pipeline.operators.iter().position(timed) else {
                return;
            };
            let before = pipeline.operators[..at].iter().find(|operator| {
                matches!(
                    operator.kind,
                    OperatorKind::Join { .. } | OperatorKind::MvExpand { .. } | OperatorKind::MvApply { .. }
                )
            });
            let table = pipeline.source.as_deref().and_then(name);
            let is_table = table.is_some_and(|name| query.ir.tables.iter().any(|table| table.name == name));
            if let Some(operator) = before.filter(|_| is_table) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!(
                            "time is bounded only behind `{}`, which gets all rows there are",
                            operator.keyword.text
                        ),
                    )
                    .at(query.fragment.map(pipeline.operators[at].span))
                    .label(query.fragment.map(operator.keyword.span), "this reads everything")
                    .help("bound time right behind the table, and on both sides of a join"),
                );
            }
        });
    }
}
