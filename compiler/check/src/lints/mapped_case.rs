//! Every mapped column is written in the case the result has.

use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{closed, columns, in_other_case, mapped},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL071",
        "mapped-column-case",
        Severity::Error,
        "An entity mapping, custom detail or alert text names a column in another case than the query.",
    ),
    page: include_str!("../../pages/mapped-column-case.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (query, which) in closed(input) {
        let columns = columns(query.ir);
        for mapped in mapped(input, query.resolved) {
            let column = &mapped.column;
            let Some(same) = in_other_case(column, &columns).filter(|same| same != column) else {
                continue;
            };
            // Both may be there.
            if columns.contains(&column.as_str()) {
                continue;
            }
            let message = format!(
                "{} names the column `{column}`, which {which} gives as `{same}`",
                mapped.what
            );
            let diagnostic = mapped
                .finding(LINT.code, message, "another case than in the result")
                .help(format!("column names are case-sensitive: write `{same}`"));
            found.push(if mapped.from_config {
                diagnostic
            } else {
                diagnostic.fix(format!("write `{same}`"), mapped.span, same)
            });
        }
    }
}
