//! Columns for nothing.

use rulec_kql::ast::{ColumnNames, Operator, OperatorKind};

use super::{
    code,
    syntax::{mentions, pipelines, words},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL051",
        "unused-column",
        Severity::Warning,
        "A column is computed and dropped again without being looked at.",
    ),
    page: include_str!("../../pages/unused-column.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound) {
        pipelines(query, &mut |pipeline| {
            for (index, operator) in pipeline.operators.iter().enumerate() {
                let OperatorKind::Extend { columns } = &operator.kind else {
                    continue;
                };
                let behind = &pipeline.operators[index + 1..];
                let drops = |o: &Operator| {
                    matches!(
                        o.kind,
                        OperatorKind::Project { .. }
                            | OperatorKind::Summarize { .. }
                            | OperatorKind::Distinct { .. }
                    )
                };
                let Some(end) = behind.iter().position(drops) else {
                    continue;
                };
                // Something takes all columns, or columns by pattern.
                let all = behind[..=end].iter().any(|o| {
                    let words = words(query, o.span);
                    words.contains(&"*") || words.contains(&"pack_all")
                });
                for column in columns.iter().filter(|_| !all) {
                    if let ColumnNames::One(name) = &column.names
                        && mentions(query, &name.text) == 1
                    {
                        found.push(
                            Diagnostic::new(
                                LINT.code,
                                format!("`{}` is computed here and dropped again unseen", name.text),
                            )
                            .at(query.fragment.map(name.span))
                            .label(query.fragment.map(behind[end].keyword.span), "dropped here")
                            .help("remove it, or keep it"),
                        );
                    }
                }
            }
        });
    }
}
