//! `materialize` for nothing.

use rulec_kql::ast::{ExprKind, Statement};

use super::{
    code,
    syntax::{bare, mentions},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL052",
        "materialize-once",
        Severity::Note,
        "`materialize` is used for a table that is read once.",
    ),
    page: include_str!("../../pages/materialize-once.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound) {
        for statement in &query.parsed.query.statements {
            let Statement::Let(bound) = statement else {
                continue;
            };
            if let ExprKind::Call(call) = &bare(&bound.value).kind
                && call.name.text == "materialize"
                && mentions(query, &bound.name.text) == 2
            {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!(
                            "`{}` is read once, so nothing is gained by keeping it",
                            bound.name.text
                        ),
                    )
                    .at(query.fragment.map(call.name.span))
                    .help("leave `materialize` out"),
                );
            }
        }
    }
}
