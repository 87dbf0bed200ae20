//! Divisions of whole numbers.

use rulec_functions::{Type, Value};
use rulec_ir::ExprKind;
use rulec_ir::walk::{Node, query as walk};
use rulec_source::Span;

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL044",
        "whole-number-division",
        Severity::Note,
        "A division of whole numbers drops what is behind the point.",
    ),
    page: include_str!("../../pages/whole-number-division.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound && q.says("/")) {
        let mut seen: Vec<Span> = Vec::new();
        walk(query.ir, &mut |node| {
            let Node::Expr(expr) = node else { return };
            let ExprKind::Call { function, args } = &expr.kind else {
                return;
            };
            let whole = |ty: Type| matches!(ty, Type::Int | Type::Long);
            let [above, below] = args.as_slice() else { return };
            // By a constant, as seconds to minutes: meant so.
            let constant = matches!(query.ir.literal(below), Some(Value::Int(_) | Value::Long(_)));
            if function.name == "/"
                && whole(above.ty)
                && whole(below.ty)
                && !constant
                && !expr.span.is_empty()
                && !seen.contains(&expr.span)
            {
                seen.push(expr.span);
                found.push(
                    Diagnostic::new(LINT.code, "both sides are whole numbers, so the result is one")
                        .at(query.fragment.map(expr.span))
                        .help("write `1.0 *` in front, or `todouble()` around one of them"),
                );
            }
        });
    }
}
