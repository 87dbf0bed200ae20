//! Conditions that are read as names.

use rulec_kql::ast::{ExprKind, OperatorKind};

use super::{
    code,
    syntax::{bare, pipelines},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL053",
        "assignment-in-where",
        Severity::Warning,
        "A condition has one `=` where two were meant.",
    ),
    page: include_str!("../../pages/assignment-in-where.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for operator in &pipeline.operators {
                if let OperatorKind::Where { predicate } = &operator.kind
                    && let ExprKind::Named(_) = &bare(predicate).kind
                {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "one `=` gives the condition a name and compares nothing",
                        )
                        .at(query.fragment.map(predicate.span))
                        .help("write `==`"),
                    );
                }
            }
        });
    }
}
