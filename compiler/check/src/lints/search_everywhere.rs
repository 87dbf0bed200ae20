//! `search` and `find` without tables.

use rulec_kql::ast::OperatorKind;

use super::{code, syntax::pipelines};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL045",
        "search-everywhere",
        Severity::Warning,
        "A query searches tables that it does not name.",
    ),
    page: include_str!("../../pages/search-everywhere.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            let Some(operator) = pipeline.operators.first().filter(|_| pipeline.source.is_none()) else {
                return;
            };
            let everywhere = match &operator.kind {
                OperatorKind::Search { tables, .. } => tables.is_empty(),
                OperatorKind::Find(find) => find.tables.is_empty(),
                _ => false,
            };
            if everywhere {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!(
                            "`{}` without tables reads every table there is",
                            operator.keyword.text
                        ),
                    )
                    .at(query.fragment.map(operator.keyword.span))
                    .help("name the tables: `search in (A, B) …`, or better a `where` on one of them"),
                );
            }
        });
    }
}
