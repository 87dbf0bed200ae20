//! Conditions that decide nothing.

use rulec_kql::ast::ExprKind;

use super::{
    code,
    syntax::{exprs, words},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL060",
        "same-branches",
        Severity::Warning,
        "Both branches of a condition are the same.",
    ),
    page: include_str!("../../pages/same-branches.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let ExprKind::Call(call) = &expr.kind else { return };
            let ("iff" | "iif", [_, yes, no]) = (call.name.text.as_str(), call.args.as_slice()) else {
                return;
            };
            if words(query, yes.span) == words(query, no.span) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "both branches are the same, so the condition decides nothing",
                    )
                    .at(query.fragment.map(no.span))
                    .help("write what was meant, or leave the condition out"),
                );
            }
        });
    }
}
