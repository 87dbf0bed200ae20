//! Events the query looks at are declared in the document.

use std::collections::BTreeSet;

use rulec_explain::coverage::{LookedAt, Which, declared, events_of};
use rulec_source::{Diagnostic, Severity, Span};

use super::{code, event_unused};
use crate::{Input, Lint, tags::offered};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL018",
        "event-undeclared",
        Severity::Note,
        "The query looks at an event that the document does not list, though it lists others of the table.",
    ),
    page: include_str!("../../pages/event-undeclared.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let Some(looked) = event_unused::looked(input) else {
        return;
    };
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for table in looked.iter().map(|l| l.table.as_str()) {
        let listed: Vec<&str> = declared(input.rule, table).collect();
        let events = &input.facts.events;
        // What is listed may be kinds of events, which another column says.
        let of_the_kind = |listed: &&str| {
            event_unused::is_known(table, listed, events)
                || looked.iter().any(|l| match &l.which {
                    Which::These(names) if l.table == table => {
                        names.iter().any(|name| event_unused::is(l, name, listed, events))
                    }
                    _ => false,
                })
        };
        if !listed.iter().any(of_the_kind) || !seen.insert(table) {
            continue;
        }
        let missing: BTreeSet<&str> = looked
            .iter()
            .filter(|l| l.table == table)
            .flat_map(|l| missing(input, l, &listed))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let missing: Vec<&str> = missing.into_iter().collect();
        let place = input.queries.iter().find_map(|query| {
            let used = query.ir.tables.iter().find(|used| used.name == table)?;
            Some(query.fragment.map(used.span))
        });
        let rows = if missing.len() == 1 { "a row" } else { "rows" };
        let diagnostic = Diagnostic::new(
            LINT.code,
            format!(
                "the query looks at {} of `{table}`, which the document does not list",
                names(&missing)
            ),
        )
        .at(place.unwrap_or_default())
        .help(format!("add {rows} to the table of data sources"));
        found.push(offered(
            diagnostic,
            format!("add {rows} like the last one of `{table}`"),
            rows_like_the_last(input, table, &missing),
            // The data component may be another one.
            false,
        ));
    }
}

/// The events of a table that are looked at and not listed.
fn missing<'l>(input: &Input<'_>, looked: &'l LookedAt, listed: &[&str]) -> Vec<&'l str> {
    let Which::These(names) = &looked.which else {
        return Vec::new();
    };
    let unlisted = names.iter().filter(|name| {
        !listed
            .iter()
            .any(|listed| event_unused::is(looked, name, listed, &input.facts.events))
    });
    unlisted.map(String::as_str).collect()
}

/// The last row of the table of data sources that is about `table`, once more
/// for each event.
fn rows_like_the_last(input: &Input<'_>, table: &str, events: &[&str]) -> Option<Vec<(Span, String)>> {
    let mut rows = input.rule.data_sources.iter().enumerate();
    let (index, source) =
        rows.rfind(|(_, s)| s.table.as_deref() == Some(table) && events_of(s).count() == 1)?;
    let row = *input.places.get(&format!("/data_sources/{index}"))?;
    let cell = *input.places.get(&format!("/data_sources/{index}/event"))?;
    let text = &input.file.text;
    // The name of the event is its own.
    if source.event_name.is_some() || !text[row.start as usize..].starts_with('|') {
        return None;
    }
    let (before, after) = (
        text.get(row.start as usize..cell.start as usize)?,
        text.get(cell.end as usize..row.end as usize)?,
    );
    let added: String = events
        .iter()
        .map(|event| format!("\n{before}{event}{after}"))
        .collect();
    Some(vec![(Span::at(row.end as usize), added)])
}

/// `A`, `B` and `C`.
fn names(events: &[&str]) -> String {
    let quoted: Vec<String> = events.iter().map(|event| format!("`{event}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
