//! `ago` that looks ahead.

use rulec_kql::ast::{ExprKind, Literal, UnaryOp};

use super::{
    code,
    syntax::{bare, exprs},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL037",
        "ago-in-future",
        Severity::Warning,
        "`ago` is given a negative time.",
    ),
    page: include_str!("../../pages/ago-in-future.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.says("ago")) {
        exprs(query, &mut |expr| {
            let ExprKind::Call(call) = &expr.kind else { return };
            let ("ago", [argument]) = (call.name.text.as_str(), call.args.as_slice()) else {
                return;
            };
            let negative = match &bare(&argument.value).kind {
                ExprKind::Unary(unary) => unary.op == UnaryOp::Minus,
                ExprKind::Literal(Literal::TimeSpan(ticks)) => *ticks < 0,
                _ => false,
            };
            if negative {
                found.push(
                    Diagnostic::new(LINT.code, "`ago` of a negative time lies in the future")
                        .at(query.fragment.map(expr.span))
                        .help("leave the minus out"),
                );
            }
        });
    }
}
