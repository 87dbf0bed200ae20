//! JSON parsed too early.

use rulec_kql::ast::{ColumnNames, OperatorKind};

use super::{
    code,
    syntax::{pipelines, words},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL049",
        "json-before-filter",
        Severity::Note,
        "JSON is parsed of rows that the next condition drops without looking at it.",
    ),
    page: include_str!("../../pages/json-before-filter.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for pair in pipeline.operators.windows(2) {
                let (OperatorKind::Extend { columns }, OperatorKind::Where { .. }) =
                    (&pair[0].kind, &pair[1].kind)
                else {
                    continue;
                };
                let extend = words(query, pair[0].span);
                let parses = extend
                    .iter()
                    .any(|word| matches!(*word, "parse_json" | "todynamic" | "parse_xml"));
                let condition = words(query, pair[1].span);
                // A condition on a column made here has to come behind it.
                let uses = columns.iter().any(|column| match &column.names {
                    ColumnNames::One(name) => condition.contains(&name.text.as_str()),
                    _ => true,
                });
                if parses && !uses {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "JSON is parsed here of rows that the next condition drops",
                        )
                        .at(query.fragment.map(pair[0].span))
                        .label(query.fragment.map(pair[1].span), "this does not look at it")
                        .help("put the condition first"),
                    );
                }
            }
        });
    }
}
