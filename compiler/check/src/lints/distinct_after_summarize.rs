//! `distinct` for nothing.

use rulec_kql::ast::{Column, ColumnNames, ExprKind, OperatorKind};

use super::{
    code,
    syntax::{name as name_of, pipelines},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL042",
        "distinct-after-summarize",
        Severity::Note,
        "`distinct` follows a `summarize` whose rows are distinct already.",
    ),
    page: include_str!("../../pages/distinct-after-summarize.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for pair in pipeline.operators.windows(2) {
                let (OperatorKind::Summarize { by, .. }, OperatorKind::Distinct { columns }) =
                    (&pair[0].kind, &pair[1].kind)
                else {
                    continue;
                };
                let all = columns.iter().any(|c| matches!(c.kind, ExprKind::Star));
                let kept = |key: &Column| {
                    let name = match &key.names {
                        ColumnNames::One(name) => Some(name.text.as_str()),
                        ColumnNames::Derived => name_of(&key.value),
                        ColumnNames::Many(_) => None,
                    };
                    name.is_some_and(|key| columns.iter().any(|c| name_of(c) == Some(key)))
                };
                if all || by.iter().all(kept) {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "the rows of `summarize` are distinct by these columns already",
                        )
                        .at(query.fragment.map(pair[1].span))
                        .help("use `project`, or nothing"),
                    );
                }
            }
        });
    }
}
