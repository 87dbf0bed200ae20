//! Detections that always fire.

use rulec_kql::ast::OperatorKind;
use rulec_model::RuleKind;

use super::{code, syntax::main_operators};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL043",
        "count-as-result",
        Severity::Warning,
        "A detection ends with `count`, which always gives a row.",
    ),
    page: include_str!("../../pages/count-as-result.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    if input.rule.kind != RuleKind::Detection {
        return;
    }
    for query in input.queries {
        let last = main_operators(query).last();
        if let Some(operator) = last.filter(|o| matches!(o.kind, OperatorKind::Count { .. })) {
            found.push(
                Diagnostic::new(
                    LINT.code,
                    "`count` gives one row even when there is nothing to count",
                )
                .at(query.fragment.map(operator.span))
                .help("remove it, or use `summarize` by what an alert is about and compare with a threshold"),
            );
        }
    }
}
