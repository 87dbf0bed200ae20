//! Sorting for nothing.

use rulec_kql::ast::OperatorKind;

use super::{code, syntax::pipelines};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL041",
        "sort-without-effect",
        Severity::Warning,
        "Rows are sorted and then lose their order.",
    ),
    page: include_str!("../../pages/sort-without-effect.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        pipelines(query, &mut |pipeline| {
            for pair in pipeline.operators.windows(2) {
                let loses = match &pair[1].kind {
                    OperatorKind::Summarize { .. } => {
                        let text = pair[1].span.of(&query.parsed.text);
                        !ORDERED.iter().any(|name| text.contains(name))
                    }
                    OperatorKind::Sort { .. }
                    | OperatorKind::Count { .. }
                    | OperatorKind::Distinct { .. } => true,
                    _ => false,
                };
                if loses && matches!(pair[0].kind, OperatorKind::Sort { .. }) {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!(
                                "the order made here is lost in the `{}` that follows",
                                pair[1].keyword.text
                            ),
                        )
                        .at(query.fragment.map(pair[0].span))
                        .help("remove it, or sort at the end"),
                    );
                }
            }
        });
    }
}

/// Aggregates whose result follows the order of their rows, or may.
const ORDERED: [&str; 6] = ["make_", "makelist", "makeset", "any", "arg_", "strcat_array"];
