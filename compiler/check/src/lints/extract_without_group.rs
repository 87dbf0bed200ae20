//! Groups that a pattern does not have.

use rulec_kql::ast::{ExprKind, Literal};

use super::{
    code,
    syntax::{bare, exprs, regex, text},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL059",
        "extract-without-group",
        Severity::Warning,
        "`extract` asks for a group that its pattern does not have.",
    ),
    page: include_str!("../../pages/extract-without-group.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.says("extract")) {
        exprs(query, &mut |expr| {
            let ExprKind::Call(call) = &expr.kind else { return };
            if call.name.text != "extract" || call.args.len() < 3 {
                return;
            }
            let (Some(pattern), ExprKind::Literal(literal)) =
                (text(&call.args[0].value), &bare(&call.args[1].value).kind)
            else {
                return;
            };
            let wanted = match literal {
                Literal::Int(n) => i64::from(*n),
                Literal::Long(n) => *n,
                _ => return,
            };
            let groups = regex::groups(pattern);
            if usize::try_from(wanted).is_ok_and(|wanted| wanted > groups) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!("group {wanted} is asked for, and the pattern has {groups}"),
                    )
                    .at(query.fragment.map(call.args[1].span))
                    .help("put brackets around what is wanted; group 0 is all that was found"),
                );
            }
        });
    }
}
