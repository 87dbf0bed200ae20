//! The columns by which a target finds an event are those of one event.

use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{closed, listed},
    target_columns::{contracts, event_columns, last_operator, softened},
};
use crate::{Input, Lint, apart::apart};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL078",
        "event-columns-apart",
        Severity::Warning,
        "The columns by which a target finds the event of a result come from different events.",
    ),
    page: include_str!("../../pages/event-columns-apart.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (query, which) in closed(input) {
        let Some(root) = &query.ir.root else { continue };
        let has = |name: &str| root.columns.iter().any(|c| &*c.name == name);
        for contract in contracts(input, query) {
            let Some(time) = contract.times.iter().find(|time| has(time)) else {
                continue;
            };
            let others: Vec<&str> = event_columns(contract, query)
                .into_iter()
                .filter(|name| has(name) && apart(query.ir, time, name))
                .collect();
            if others.is_empty() {
                continue;
            }
            let message = format!(
                "{which} gives the `{time}` of one event and the {} of another, and {} looks for one event",
                listed(&others),
                contract.title
            );
            let diagnostic = Diagnostic::new(LINT.code, message)
                .at(last_operator(query))
                .help(format!(
                    "take them from one row: `arg_max({time}, {})` in the summarize, the same side of a join",
                    others.join(", ")
                ));
            found.push(softened(input, contract, diagnostic));
        }
    }
}
