//! Which events of which providers a rule looks at.
//!
//! In: `schema/events/map.yaml` (edges between Defender action types and
//! events of Sysmon, Windows security auditing, the Threat-Intelligence
//! provider and others) and every other `schema/events/*.yaml` (titles).
//! Out: for a table and an action type or event id, the event itself and the
//! events that correspond to it directly, each with a title and the source of
//! the claim.
//!
//! Deliberately absent: chains. That two action types correspond to the same
//! Sysmon event does not make them the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{FactsError, Pack, yaml};

/// One event a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventRow {
    /// `Sysmon`, `Security-Auditing`, `Defender-DeviceEvents`, `Threat-Intelligence` …
    pub provider: String,
    /// `Event ID 8` or the action type.
    pub event: String,
    /// The event's name.
    pub title: String,
    /// Who says that the event corresponds; empty for the event asked about.
    pub source: String,
}

/// All events there are facts about.
#[derive(Clone, Debug, Default)]
pub struct Events {
    order: Vec<String>,
    tables: BTreeMap<String, String>,
    titles: BTreeMap<String, BTreeMap<String, String>>,
    edges: Vec<Edge>,
    related: Vec<Edge>,
}

/// Table, action type, provider, event id, source.
type Edge = (String, String, String, u32, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    #[serde(rename = "source")]
    _source: String,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    tables: BTreeMap<String, String>,
    #[serde(default)]
    providers: BTreeMap<String, BTreeMap<Key, String>>,
    #[serde(default)]
    edges: Vec<Edge>,
    #[serde(default)]
    related: Vec<Edge>,
}

/// An event id or a name.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum Key {
    Id(u32),
    Name(String),
}

impl Events {
    /// Reads all files; a later file adds to and replaces what earlier ones say.
    pub fn load(pack: &Pack) -> Result<Events, FactsError> {
        let mut events = Events::default();
        for path in pack.yaml_in("schema/events/") {
            let file: File = yaml::file(pack, path)?;
            if !file.order.is_empty() {
                events.order = file.order;
            }
            events.tables.extend(file.tables);
            for (provider, titles) in file.providers {
                let known = events.titles.entry(provider).or_default();
                known.extend(titles.into_iter().map(|(key, title)| match key {
                    Key::Id(id) => (id.to_string(), title),
                    Key::Name(name) => (name, title),
                }));
            }
            events.edges.extend(file.edges);
            events.related.extend(file.related);
        }
        Ok(events)
    }

    /// The event `event` (an action type or an event id) of `table`, and the
    /// events of other providers that correspond to it, in the order they are
    /// shown. A table that is no Defender table works in the other direction:
    /// `SecurityEvent` and `4698` give the action type as well.
    pub fn coverage(&self, table: &str, event: &str) -> Vec<EventRow> {
        self.coverage_of([(table, event)])
    }

    /// As [`Events::coverage`] for several at once: each event once.
    pub fn coverage_of<'a>(&self, asked: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<EventRow> {
        let mut rows: BTreeMap<(usize, String, Sorted), EventRow> = BTreeMap::new();
        for (table, event) in asked {
            let provider = self.provider(table);
            // What was asked about replaces the same row found through an edge.
            let row = self.row(&provider, event, "");
            rows.insert(self.key(&provider, event), row);
            for (_, _, other, id, source) in self
                .edges
                .iter()
                .filter(|edge| edge.0 == table && edge.1 == event)
            {
                let id = id.to_string();
                rows.entry(self.key(other, &id))
                    .or_insert_with(|| self.row(other, &id, source));
            }
            for (other, action, _, _, source) in self
                .edges
                .iter()
                .filter(|edge| edge.2 == provider && edge.3.to_string() == event)
            {
                let other = self.provider(other);
                rows.entry(self.key(&other, action))
                    .or_insert_with(|| self.row(&other, action, source));
            }
        }
        rows.into_values().collect()
    }

    /// Events of further ETW providers behind an action type: what a sensor of
    /// one's own would subscribe to. Not part of [`Events::coverage`].
    pub fn related(&self, table: &str, event: &str) -> Vec<EventRow> {
        let edges = self
            .related
            .iter()
            .filter(|edge| edge.0 == table && edge.1 == event);
        edges
            .map(|(_, _, provider, id, source)| self.row(provider, &id.to_string(), source))
            .collect()
    }

    /// The action types of a table that there are titles for, sorted.
    pub fn actions(&self, table: &str) -> impl Iterator<Item = &str> {
        self.titles
            .get(&self.provider(table))
            .into_iter()
            .flat_map(BTreeMap::keys)
            .map(String::as_str)
    }

    /// All events that there are titles for, in the order they are shown.
    pub fn known(&self) -> Vec<EventRow> {
        let rows = self.titles.iter().flat_map(|(provider, titles)| {
            titles
                .keys()
                .map(|event| (self.key(provider, event), self.row(provider, event, "")))
        });
        let sorted: BTreeMap<_, _> = rows.collect();
        sorted.into_values().collect()
    }

    /// The provider that the events of a table are shown under.
    pub fn provider_of(&self, table: &str) -> String {
        self.provider(table)
    }

    /// The title of one event: as the files say, else the words of its name.
    pub fn title(&self, provider: &str, event: &str) -> String {
        match self.titles.get(provider).and_then(|titles| titles.get(event)) {
            Some(title) => title.clone(),
            None => words(event),
        }
    }

    fn provider(&self, table: &str) -> String {
        match self.tables.get(table) {
            Some(provider) => provider.clone(),
            // Asked by provider instead of table.
            None if self.titles.contains_key(table) => table.to_owned(),
            None => format!("Defender-{table}"),
        }
    }

    fn row(&self, provider: &str, event: &str, source: &str) -> EventRow {
        let number = event.bytes().all(|byte| byte.is_ascii_digit());
        EventRow {
            provider: provider.to_owned(),
            event: if number {
                format!("Event ID {event}")
            } else {
                event.to_owned()
            },
            title: self.title(provider, event),
            source: source.to_owned(),
        }
    }

    /// Where a row is shown: by the order of providers, then by provider, then by event.
    fn key(&self, provider: &str, event: &str) -> (usize, String, Sorted) {
        let place = self.order.iter().position(|known| match known.strip_suffix('*') {
            Some(prefix) => provider.starts_with(prefix),
            None => known == provider,
        });
        let sorted = event
            .parse()
            .map_or_else(|_| Sorted::Name(event.to_owned()), Sorted::Number);
        (place.unwrap_or(self.order.len()), provider.to_owned(), sorted)
    }
}

/// Numbers sort as numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Sorted {
    Number(u32),
    Name(String),
}

/// `AuthorizeSecurityGroupIngress` in words; ids and sentences stay what they are.
fn words(name: &str) -> String {
    if name.contains(' ') || name.bytes().all(|byte| byte.is_ascii_digit()) {
        return String::new();
    }
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(place + 1);
        // A word starts at a capital after a small letter, and at the last of several capitals.
        let starts = letter.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase())
                || before.is_some() && after.is_some_and(|after| after.is_lowercase()));
        if starts {
            text.push(' ');
        }
        let acronym = letter.is_uppercase() && after.is_none_or(|after| after.is_uppercase());
        if place == 0 || acronym {
            text.push(*letter);
        } else {
            text.extend(letter.to_lowercase());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Events {
        Events::load(&Pack::embedded()).unwrap()
    }

    fn shown(rows: &[EventRow]) -> Vec<String> {
        rows.iter()
            .map(|row| format!("{} | {} | {}", row.provider, row.event, row.title))
            .collect()
    }

    #[test]
    fn injection() {
        let actions = [
            "QueueUserApcRemoteApiCall",
            "NtAllocateVirtualMemoryRemoteApiCall",
            "CreateRemoteThreadApiCall",
            "SetThreadContextRemoteApiCall",
            "NtMapViewOfSectionRemoteApiCall",
        ];
        let rows = events().coverage_of(actions.map(|action| ("DeviceEvents", action)));
        assert_eq!(
            shown(&rows),
            [
                "Sysmon | Event ID 8 | CreateRemoteThread",
                "Defender-DeviceEvents | CreateRemoteThreadApiCall | CreateRemoteThread API call",
                "Defender-DeviceEvents | NtAllocateVirtualMemoryRemoteApiCall | \
                 Remote virtual memory allocation (NtAllocateVirtualMemory)",
                "Defender-DeviceEvents | NtMapViewOfSectionRemoteApiCall | Remote section map (NtMapViewOfSection)",
                "Defender-DeviceEvents | QueueUserApcRemoteApiCall | Remote APC queued (QueueUserApc)",
                "Defender-DeviceEvents | SetThreadContextRemoteApiCall | \
                 Remote thread context change (SetThreadContext)",
                "Threat-Intelligence | Event ID 1 | Remote Virtual Memory Allocation",
                "Threat-Intelligence | Event ID 3 | Remote Section Map",
                "Threat-Intelligence | Event ID 4 | Remote APC Queue",
                "Threat-Intelligence | Event ID 5 | Remote Thread Context Change",
            ]
        );
        assert!(
            rows.iter()
                .all(|row| row.source.is_empty() == row.provider.starts_with("Defender-"))
        );
    }

    #[test]
    fn every_edge_has_titles_at_both_ends() {
        let events = events();
        for (table, action, provider, id, source) in &events.edges {
            let provider_of_table = events.provider(table);
            assert!(
                events.titles[&provider_of_table].contains_key(action),
                "{table} {action}"
            );
            assert!(
                events.titles[provider].contains_key(&id.to_string()),
                "{provider} {id}"
            );
            assert!(!source.is_empty());
        }
        for (table, action, ..) in &events.related {
            assert!(
                events.titles[&events.provider(table)].contains_key(action),
                "{table} {action}"
            );
        }
    }

    #[test]
    fn windows_events_lead_back_to_action_types() {
        assert_eq!(
            shown(&events().coverage("SecurityEvent", "4698")),
            [
                "Security-Auditing | Event ID 4698 | A scheduled task was created",
                "Defender-DeviceEvents | ScheduledTaskCreated | Scheduled task created",
            ]
        );
    }

    #[test]
    fn unknown_events_are_shown_by_their_words() {
        assert_eq!(
            shown(&events().coverage("AWSCloudTrail", "AuthorizeSecurityGroupIngress")),
            ["AWS-CloudTrail | AuthorizeSecurityGroupIngress | Authorize security group ingress"]
        );
        assert_eq!(words("AADSignIn"), "AAD sign in");
        assert_eq!(words("Add member to role"), "");
    }

    #[test]
    fn related_events_stand_apart() {
        let rows = events().related("DeviceEvents", "LdapSearch");
        assert_eq!(rows[0].provider, "LDAP-Client");
        assert_eq!(rows[0].event, "Event ID 30");
        assert!(
            events()
                .actions("DeviceEvents")
                .any(|action| action == "LdapSearch")
        );
    }
}
