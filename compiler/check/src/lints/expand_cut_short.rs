//! The old spelling of `mv-expand`, which ends early.

use rulec_kql::ast::OperatorKind;

use super::{code, syntax::pipelines};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL090",
        "expand-cut-short",
        Severity::Warning,
        "`mvexpand` gives at most 128 rows for each row, without saying so.",
    ),
    page: include_str!("../../pages/expand-cut-short.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.says("mvexpand")) {
        pipelines(query, &mut |pipeline| {
            for operator in &pipeline.operators {
                let OperatorKind::MvExpand { limit: None, .. } = &operator.kind else {
                    continue;
                };
                if operator.keyword.text != "mvexpand" {
                    continue;
                }
                let place = query.fragment.map(operator.keyword.span);
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "`mvexpand` leaves out what comes behind the 128th value",
                    )
                    .at(place)
                    .help("write `mv-expand`, which gives a row for each, or say a `limit`")
                    .fix("write `mv-expand`", place, "mv-expand"),
                );
            }
        });
    }
}
