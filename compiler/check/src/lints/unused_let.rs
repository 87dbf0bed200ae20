//! Let statements for nothing.

use rulec_kql::ast::Statement;

use super::{code, syntax::mentions};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL050",
        "unused-let",
        Severity::Warning,
        "A let statement is never used.",
    ),
    page: include_str!("../../pages/unused-let.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound) {
        for statement in &query.parsed.query.statements {
            let Statement::Let(bound) = statement else {
                continue;
            };
            if mentions(query, &bound.name.text) == 1 {
                found.push(
                    Diagnostic::new(LINT.code, format!("`{}` is never used", bound.name.text))
                        .at(query.fragment.map(bound.name.span))
                        .help("remove it, or use it; perhaps a condition was forgotten"),
                );
            }
        }
    }
}
