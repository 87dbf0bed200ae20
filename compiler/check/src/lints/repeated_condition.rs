//! Conditions that are said twice.

use rulec_kql::ast::ExprKind;

use super::{
    code,
    syntax::{exprs, words},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL035",
        "repeated-condition",
        Severity::Warning,
        "The same condition is joined to itself.",
    ),
    page: include_str!("../../pages/repeated-condition.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let (ExprKind::And(parts) | ExprKind::Or(parts)) = &expr.kind else {
                return;
            };
            let said: Vec<Vec<&str>> = parts.iter().map(|part| words(query, part.span)).collect();
            for (index, part) in parts.iter().enumerate() {
                if let Some(first) = said[..index].iter().position(|words| *words == said[index]) {
                    found.push(
                        Diagnostic::new(LINT.code, "this condition stands here twice")
                            .at(query.fragment.map(part.span))
                            .label(query.fragment.map(parts[first].span), "first here")
                            .help("remove one; perhaps another condition was meant"),
                    );
                }
            }
        });
    }
}
