//! Joins of the kind nobody asked for.

use rulec_kql::ast::OperatorKind;

use super::{code, syntax::pipelines};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL039",
        "join-without-kind",
        Severity::Note,
        "A join does not say its kind and drops rows of its left side.",
    ),
    page: include_str!("../../pages/join-without-kind.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for operator in &pipeline.operators {
                if matches!(operator.kind, OperatorKind::Join { .. }) && operator.param("kind").is_none() {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "a join without a kind keeps one row of the left side for each key",
                        )
                        .at(query.fragment.map(operator.keyword.span))
                        .help("write `kind=inner`, or `kind=innerunique` if that is meant"),
                    );
                }
            }
        });
    }
}
