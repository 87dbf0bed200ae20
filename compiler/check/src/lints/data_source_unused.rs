//! Tables the document declares are read by the query.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL006",
        "data-source-unused",
        Severity::Warning,
        "The document lists a table that no query reads.",
    ),
    page: include_str!("../../pages/data-source-unused.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let used: Vec<&str> = input
        .queries
        .iter()
        .flat_map(|q| &q.ir.tables)
        .map(|t| t.name.as_str())
        .collect();
    // What an unfinished query reads is not known.
    if used.is_empty() || input.queries.iter().any(|q| !q.sound) {
        return;
    }
    let mut seen = Vec::new();
    for (index, source) in input.rule.data_sources.iter().enumerate() {
        let Some(table) = source.table.as_deref().filter(|_| !source.table_from_query) else {
            continue;
        };
        if used.contains(&table) || seen.contains(&table) {
            continue;
        }
        seen.push(table);
        let diagnostic = Diagnostic::new(
            LINT.code,
            format!("the document lists the table `{table}`, which the query does not read"),
        )
        .at(input.place(&format!("/data_sources/{index}/table")));
        let place = input.place(&format!("/data_sources/{index}/table"));
        let alone = place.of(&input.file.text) == table;
        let diagnostic = match rulec_facts::close_matches(table, used.iter().copied(), 1).first() {
            Some(close) => {
                let diagnostic = diagnostic.help(format!("did you mean `{close}`?"));
                let message = format!("write `{close}`");
                // Nothing but the case differs: that is no guess.
                match (alone, close.eq_ignore_ascii_case(table)) {
                    (true, true) => diagnostic.fix(message, place, *close),
                    (true, false) => diagnostic.suggest(message, place, *close),
                    (false, _) => diagnostic,
                }
            }
            None => diagnostic.help("remove the row, or read the table"),
        };
        found.push(diagnostic);
    }
}
