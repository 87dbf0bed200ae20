//! Lists without values.

use rulec_kql::ast::{ExprKind, JsonKind, Literal};

use super::{
    code,
    syntax::{bare, comparisons},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL031",
        "empty-list",
        Severity::Warning,
        "A list without values is searched.",
    ),
    page: include_str!("../../pages/empty-list.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let [only] = c.values else { return };
            if let ExprKind::Literal(Literal::Dynamic(json)) = &bare(only).kind
                && matches!(&json.kind, JsonKind::Array(items) if items.is_empty())
                && c.is_list
            {
                found.push(
                    Diagnostic::new(LINT.code, format!("`{}` is given a list without values", c.op))
                        .at(query.fragment.map(only.span))
                        .help("fill the list, or remove the condition"),
                );
            }
        });
    }
}
