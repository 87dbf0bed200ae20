//! `take`, `top` and `sample` at the end of detections.

use rulec_kql::ast::OperatorKind;
use rulec_model::RuleKind;

use super::{code, syntax::main_operators};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL040",
        "rows-left-out",
        Severity::Warning,
        "A detection takes only some of the rows it finds.",
    ),
    page: include_str!("../../pages/rows-left-out.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    if input.rule.kind != RuleKind::Detection {
        return;
    }
    for query in input.queries {
        for operator in main_operators(query) {
            if let OperatorKind::Take { .. } | OperatorKind::Top { .. } | OperatorKind::Sample { .. } =
                &operator.kind
            {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!(
                            "`{}` leaves rows out, and with them alerts",
                            operator.keyword.text
                        ),
                    )
                    .at(query.fragment.map(operator.span))
                    .help("remove it, or narrow the conditions"),
                );
            }
        }
    }
}
