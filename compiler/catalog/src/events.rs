//! Which events rules look at, by provider and table, and which nobody does.
//!
//! In: the event coverage of all explanations and the events there are facts
//! about. Out: every event of every provider with the rules behind it.

use std::collections::{BTreeMap, BTreeSet};

use rulec_facts::events::Events;
use serde::Serialize;

use crate::overview::{Link, Overview};

/// Everything about events.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage<'a> {
    pub(crate) providers: Vec<Provider<'a>>,
    /// Tables that rules read.
    pub(crate) tables: Vec<Table<'a>>,
    /// Known events that some rule looks at, and all of them.
    pub(crate) covered: usize,
    pub(crate) known: usize,
}

/// A provider.
#[derive(Debug, Serialize)]
pub(crate) struct Provider<'a> {
    pub(crate) name: String,
    pub(crate) anchor: String,
    /// The tables its events are in, of those that rules read.
    pub(crate) tables: Vec<&'a str>,
    /// Known events.
    pub(crate) known: usize,
    /// Known events that some rule looks at.
    pub(crate) covered: usize,
    /// `covered` of `known` in hundredths; none without known events.
    pub(crate) share: Option<usize>,
    /// Rules that look at some of its events.
    pub(crate) rules: usize,
    pub(crate) events: Vec<Event<'a>>,
    pub(crate) gaps: Vec<Event<'a>>,
}

/// An event.
#[derive(Debug, Serialize)]
pub(crate) struct Event<'a> {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) rules: Vec<Link<'a>>,
    /// Whether there are facts about it; otherwise only rules name it.
    pub(crate) known: bool,
}

/// A table.
#[derive(Debug, Serialize)]
pub(crate) struct Table<'a> {
    pub(crate) name: &'a str,
    pub(crate) provider: String,
    /// Rules that read it.
    pub(crate) rules: Vec<Link<'a>>,
    /// Rules that read it and name no event of it.
    pub(crate) whole: usize,
}

/// Coverage of all events.
pub(crate) fn coverage<'a>(events: &Events, overviews: &'a [Overview<'a>]) -> Coverage<'a> {
    // By provider and event, in the order in which the facts show them; then what only rules name.
    let mut order: Vec<(String, String)> = Vec::new();
    let mut titles: BTreeMap<(String, String), (String, bool)> = BTreeMap::new();
    for row in events.known() {
        let key = (row.provider, row.event);
        if titles.insert(key.clone(), (row.title, true)).is_none() {
            order.push(key);
        }
    }
    let mut rules: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
    for (at, overview) in overviews.iter().enumerate() {
        for event in overview
            .document
            .queries
            .iter()
            .flat_map(|q| &q.explanation.event_coverage)
        {
            let key = (event.provider.clone(), event.event.clone());
            if !titles.contains_key(&key) {
                titles.insert(key.clone(), (event.title.clone(), false));
                order.push(key.clone());
            }
            rules.entry(key).or_default().insert(at);
        }
    }
    let mut read: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, overview) in overviews.iter().enumerate() {
        for table in &overview.tables {
            read.entry(table).or_default().insert(at);
        }
    }
    let of_table: BTreeMap<&str, String> = read
        .keys()
        .map(|table| (*table, events.provider_of(table)))
        .collect();
    let mut names: Vec<String> = Vec::new();
    for (provider, _) in &order {
        if !names.contains(provider) {
            names.push(provider.clone());
        }
    }
    let links = |rules: &BTreeSet<usize>| rules.iter().map(|at| overviews[*at].link()).collect::<Vec<_>>();
    let mut providers: Vec<Provider<'_>> = Vec::new();
    for name in names {
        let mut shown = Vec::new();
        let mut gaps = Vec::new();
        let mut behind: BTreeSet<usize> = BTreeSet::new();
        for key in order.iter().filter(|(provider, _)| *provider == name) {
            let (title, known) = titles.get(key).cloned().unwrap_or_default();
            let found = rules.get(key);
            behind.extend(found.into_iter().flatten());
            let event = Event {
                name: key.1.clone(),
                title,
                rules: found.map(links).unwrap_or_default(),
                known,
            };
            if found.is_some() {
                shown.push(event);
            } else {
                gaps.push(event);
            }
        }
        let covered = shown.iter().filter(|e| e.known).count();
        let known = covered + gaps.len();
        providers.push(Provider {
            anchor: format!("provider-{}", providers.len() + 1),
            tables: of_table
                .iter()
                .filter(|(_, provider)| **provider == name)
                .map(|(table, _)| *table)
                .collect(),
            known,
            covered,
            share: (covered * 100).checked_div(known),
            rules: behind.len(),
            events: shown,
            gaps,
            name,
        });
    }
    let tables = read
        .iter()
        .map(|(table, readers)| {
            let provider = of_table.get(table).cloned().unwrap_or_default();
            let naming: BTreeSet<usize> = rules
                .iter()
                .filter(|((of, event), _)| *of == provider && event != "*")
                .flat_map(|(_, rules)| rules.iter().copied())
                .collect();
            Table {
                name: table,
                rules: links(readers),
                whole: readers.difference(&naming).count(),
                provider,
            }
        })
        .collect();
    Coverage {
        covered: providers.iter().map(|p| p.covered).sum(),
        known: providers.iter().map(|p| p.known).sum(),
        providers,
        tables,
    }
}
