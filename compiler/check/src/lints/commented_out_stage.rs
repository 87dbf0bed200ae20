//! Stages that are commented out.

use super::{code, syntax::comments};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL070",
        "commented-out-stage",
        Severity::Note,
        "A stage of the query is commented out.",
    ),
    page: include_str!("../../pages/commented-out-stage.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        for (comment, span) in comments(query) {
            let comment = comment.trim_start_matches('/').trim();
            let stage = comment.strip_prefix('|').map(str::trim_start);
            let word = stage.and_then(|stage| stage.split_whitespace().next());
            if word.is_some_and(|word| STAGES.contains(&word)) {
                found.push(
                    Diagnostic::new(LINT.code, "this stage is commented out")
                        .at(query.fragment.map(span))
                        .help("remove it; the history of the file keeps it"),
                );
            }
        }
    }
}

/// Operators that stages begin with.
const STAGES: [&str; 9] = [
    "where",
    "extend",
    "project",
    "summarize",
    "join",
    "take",
    "limit",
    "sort",
    "distinct",
];
