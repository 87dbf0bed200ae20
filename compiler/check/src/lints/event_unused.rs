//! Events the document declares are looked at by the query.

use rulec_explain::coverage::{LookedAt, Which, declared, events_of, looked_at};
use rulec_facts::events::Events;
use rulec_source::{Diagnostic, Severity, Span};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL017",
        "event-unused",
        Severity::Warning,
        "The document lists an event that the query's predicates exclude.",
    ),
    page: include_str!("../../pages/event-unused.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let Some(looked) = looked(input) else { return };
    for (index, source) in input.rule.data_sources.iter().enumerate() {
        let Some(table) = source.table.as_deref() else {
            continue;
        };
        let events = &input.facts.events;
        let of_table: Vec<&LookedAt> = looked.iter().filter(|l| l.table == table).collect();
        let at = |event: &str| of_table.iter().any(|l| may_be(l, event, events));
        for event in events_of(source).filter(|event| !of_table.is_empty() && !at(event)) {
            let names = of_table.iter().filter_map(|l| match &l.which {
                Which::These(names) => Some(names.iter().map(String::as_str)),
                _ => None,
            });
            let close = rulec_facts::close_matches(event, names.flatten(), 1);
            // A name that is nothing like the others may be what another column says: a kind of events.
            let others = declared(input.rule, table).any(at);
            if !others && close.is_empty() && !is_known(table, event, events) {
                continue;
            }
            let diagnostic = Diagnostic::new(
                LINT.code,
                format!(
                    "the document lists the event `{event}` of `{table}`, which the query does not look at"
                ),
            )
            .at(input.place(&format!("/data_sources/{index}/event")));
            found.push(match close.first() {
                Some(close) => {
                    let cell = input.place(&format!("/data_sources/{index}/event"));
                    let at = cell.of(&input.file.text).find(event);
                    let diagnostic = diagnostic.help(format!("did you mean `{close}`?"));
                    match at.map(|at| cell.start as usize + at) {
                        Some(start) => diagnostic.suggest(
                            format!("write `{close}`"),
                            Span::new(start, start + event.len()),
                            *close,
                        ),
                        None => diagnostic,
                    }
                }
                None => diagnostic.help("remove it, or look at it in the query"),
            });
        }
    }
}

/// Whether the facts know an event of a table by this name.
pub(super) fn is_known(table: &str, event: &str, events: &Events) -> bool {
    events
        .events_of(&events.provider_of(table))
        .any(|known| known == event)
}

/// What all queries look at; none when that is not known, or the document lists
/// no event to compare it with.
pub(super) fn looked(input: &Input<'_>) -> Option<Vec<LookedAt>> {
    let lists = |source| events_of(source).next().is_some();
    let known = input.rule.data_sources.iter().any(lists)
        && !input.queries.is_empty()
        && input.queries.iter().all(|q| q.sound);
    known.then(|| {
        input
            .queries
            .iter()
            .flat_map(|q| looked_at(q.ir, &input.facts.events))
            .collect()
    })
}

/// Whether `declared` may be among the events: by its name in any case, or as
/// an event of another provider that corresponds.
pub(super) fn may_be(looked: &LookedAt, declared: &str, events: &Events) -> bool {
    match &looked.which {
        Which::These(names) => names.iter().any(|name| is(looked, name, declared, events)),
        Which::AllBut(names) => !names.contains(declared),
        // Which events those are is not known.
        Which::Like(_) => true,
    }
}

/// Whether a declared event is the one of this name.
pub(super) fn is(looked: &LookedAt, name: &str, declared: &str, events: &Events) -> bool {
    let number = format!("Event ID {declared}");
    name.eq_ignore_ascii_case(declared)
        || events
            .coverage(&looked.table, name)
            .iter()
            .any(|row| row.event == number || row.event == declared)
}
