//! Which events of which providers a rule looks at.
//!
//! In: `schema/events/map.yaml` (edges between Defender action types and
//! events of Sysmon, Windows security auditing, the Threat-Intelligence
//! provider and others) and every other `schema/events/*.yaml` (titles, and
//! which columns of a table name the event). Out: for a table and an action
//! type or event id, the event itself and the events that correspond to it
//! directly, each with a title and the source of the claim.
//!
//! Deliberately absent: chains. That two action types correspond to the same
//! Sysmon event does not make them the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{FactsError, Pack, yaml};

/// What is said of every table that nothing else is said of.
const ANY: &str = "*";
/// The tables that are shown as Defender's.
const DEFENDER: &str = "schema/tables/m365.txt";

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
    tables: BTreeMap<String, EventTable>,
    /// The tables of Defender XDR.
    defender: BTreeSet<String>,
    channels: BTreeMap<String, Vec<String>>,
    /// What numbers of a provider are called: `ResultType`; else event ids.
    labels: BTreeMap<String, String>,
    titles: BTreeMap<String, BTreeMap<String, String>>,
    /// A provider -> the one whose titles its events have.
    alike: BTreeMap<String, String>,
    edges: Vec<Edge>,
    related: Vec<Edge>,
}

/// How the rows of a table say which event they are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventTable {
    /// The provider that its events are shown under; of several, the first
    /// that has a title for the event.
    providers: Vec<String>,
    /// Columns whose values name the event, the most telling first.
    pub event: Vec<String>,
    /// Columns whose values name the provider or its channel.
    pub named_by: Vec<String>,
    /// Another provider whose titles these events have.
    titles: Option<String>,
    /// Rows say what something is, not that something happened.
    pub context: bool,
}

/// A provider alone, or all of it.
#[derive(Deserialize)]
#[serde(untagged)]
enum TableEntry {
    Provider(String),
    Table(EventTable),
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
    tables: BTreeMap<String, TableEntry>,
    #[serde(default)]
    channels: BTreeMap<String, Vec<String>>,
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
            events
                .tables
                .extend(file.tables.into_iter().map(|(name, entry)| match entry {
                    TableEntry::Table(table) => (name, table),
                    TableEntry::Provider(provider) => (
                        name,
                        EventTable {
                            providers: vec![provider],
                            ..EventTable::default()
                        },
                    ),
                }));
            events.channels.extend(file.channels);
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
        // One line a table, the name first.
        events.defender = pack
            .require(DEFENDER)?
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        let other = EventTable::default();
        let any = events.tables.get(ANY).unwrap_or(&other).event.clone();
        for table in events.tables.values_mut() {
            if table.event.is_empty() && !table.context {
                table.event.clone_from(&any);
            }
        }
        let labels = events.tables.iter().filter_map(|(name, table)| {
            let column = table.event.first().filter(|column| *column != "EventID")?;
            Some((events.provider(name), column.clone()))
        });
        events.labels = labels.collect();
        let alike = events
            .tables
            .iter()
            .filter_map(|(name, table)| Some((events.provider(name), table.titles.clone()?)));
        events.alike = alike.collect();
        Ok(events)
    }

    /// How the rows of a table say which event they are.
    pub fn table(&self, name: &str) -> EventTable {
        let begins = |known: &&String| {
            known
                .strip_suffix('*')
                .is_some_and(|begin| name.starts_with(begin))
        };
        let several = || self.tables.keys().filter(begins).max_by_key(|known| known.len());
        let known = self.tables.get(name).or_else(|| self.tables.get(several()?));
        known.cloned().unwrap_or_default()
    }

    /// The provider of an event of a table. `named` is what the row itself
    /// says: `Microsoft-Windows-Sysmon`, `Microsoft-Windows-Sysmon/Operational`,
    /// `Security`.
    pub fn provider_of_event(&self, table: &str, named: Option<&str>, event: &str) -> String {
        let mut candidates: Vec<String> = Vec::new();
        match named {
            Some(named) => match self.channels.get(named) {
                Some(providers) => candidates.extend(providers.iter().cloned()),
                None => {
                    let name = named.split('/').next().unwrap_or(named);
                    candidates.push(name.trim_start_matches("Microsoft-Windows-").to_owned());
                }
            },
            None => candidates.extend(
                self.tables
                    .get(table)
                    .into_iter()
                    .flat_map(|t| t.providers.clone()),
            ),
        }
        let titled = |provider: &&String| {
            self.titles_of(provider)
                .is_some_and(|titles| titles.contains_key(event))
        };
        match candidates.iter().find(titled).or_else(|| candidates.first()) {
            Some(provider) => provider.clone(),
            None => self.provider(table),
        }
    }

    /// A row for events that are not told apart: `*` for all of a provider, or
    /// what their names have in common.
    pub fn several(&self, provider: &str, events: &str, title: String) -> EventRow {
        EventRow {
            provider: provider.to_owned(),
            event: events.to_owned(),
            title,
            source: String::new(),
        }
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
        self.coverage_with(asked, Vec::new())
    }

    /// As [`Events::coverage_of`], with further rows put in their places.
    pub fn coverage_with<'a>(
        &self,
        asked: impl IntoIterator<Item = (&'a str, &'a str)>,
        further: Vec<EventRow>,
    ) -> Vec<EventRow> {
        let mut rows: BTreeMap<(usize, String, Sorted), EventRow> = further
            .into_iter()
            .map(|row| {
                let id = row.event.rsplit(' ').next().unwrap_or_default();
                let event = if self.shown(&row.provider, id) == row.event {
                    id
                } else {
                    &row.event
                };
                (self.key(&row.provider, event), row)
            })
            .collect();
        for (table, event) in asked {
            let provider = self.provider_of_event(table, None, event);
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
        let titles = self.titles_of(&self.provider(table)).into_iter();
        titles.flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// The events of a provider that there are titles for, sorted by name.
    pub fn events_of(&self, provider: &str) -> impl Iterator<Item = &str> {
        let titles = self.titles_of(provider).into_iter();
        titles.flat_map(BTreeMap::keys).map(String::as_str)
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
        match self.titles_of(provider).and_then(|titles| titles.get(event)) {
            Some(title) => title.clone(),
            None => words(event),
        }
    }

    fn titles_of(&self, provider: &str) -> Option<&BTreeMap<String, String>> {
        let own = self.titles.get(provider);
        own.or_else(|| self.titles.get(self.alike.get(provider)?))
    }

    /// An event as it is shown: `Event ID 8`, `ResultType 50126`, an action type.
    pub fn shown(&self, provider: &str, event: &str) -> String {
        if event.bytes().all(|byte| byte.is_ascii_digit()) {
            let label = self.labels.get(provider).map_or("Event ID", String::as_str);
            format!("{label} {event}")
        } else {
            event.to_owned()
        }
    }

    fn provider(&self, table: &str) -> String {
        match self.tables.get(table).and_then(|t| t.providers.first()) {
            Some(provider) => provider.clone(),
            None if self.defender.contains(table) => format!("Defender-{table}"),
            // Asked by provider, or a table of somewhere else.
            None => table.to_owned(),
        }
    }

    fn row(&self, provider: &str, event: &str, source: &str) -> EventRow {
        EventRow {
            provider: provider.to_owned(),
            event: self.shown(provider, event),
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

/// `AuthorizeSecurityGroupIngress` in words. Sentences stay what they are; a
/// number has none.
fn words(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return String::new();
    }
    if name.contains(' ') {
        return name.to_owned();
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

    /// `cargo dev`'s own tests compare all of them with the vendors' lists.
    #[test]
    fn titles_are_the_names_that_vendors_give() {
        let events = events();
        for (provider, event, title) in [
            ("Sysmon", "8", "CreateRemoteThread"),
            ("Sysmon", "23", "FileDelete (File Delete archived)"),
            ("Security-Auditing", "4688", "A new process has been created"),
            (
                "Security-Auditing",
                "4697",
                "A service was installed in the system",
            ),
            ("Eventlog", "1102", "The audit log was cleared"),
        ] {
            assert_eq!(events.title(provider, event), title);
        }
    }

    #[test]
    fn rows_name_their_provider() {
        let events = events();
        let provider = |table: &str, named: Option<&str>, event: &str| {
            let provider = events.provider_of_event(table, named, event);
            events.shown(&provider, event) + " of " + &provider
        };
        assert_eq!(
            provider("SecurityEvent", None, "4688"),
            "Event ID 4688 of Security-Auditing"
        );
        assert_eq!(
            provider("SecurityEvent", None, "1102"),
            "Event ID 1102 of Eventlog"
        );
        for named in ["Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"] {
            assert_eq!(provider("Event", Some(named), "8"), "Event ID 8 of Sysmon");
        }
        assert_eq!(
            provider("WindowsEvent", Some("Security"), "1102"),
            "Event ID 1102 of Eventlog"
        );
        assert_eq!(provider("Event", None, "8"), "Event ID 8 of Event");
        assert_eq!(
            provider("SigninLogs", None, "50126"),
            "ResultType 50126 of Azure-SigninLogs"
        );
        let title = events.title("Azure-NonInteractiveSigninLogs", "50126");
        assert_eq!(title, "Wrong user name or password");
        assert_eq!(
            provider("StorageBlobLogs", None, "GetBlob"),
            "GetBlob of StorageBlobLogs"
        );
    }

    #[test]
    fn columns_that_name_events_exist() {
        use crate::tables::{Environment, Tables};
        let events = events();
        let pack = Pack::embedded();
        let mut seen = 0;
        for environment in Environment::ALL {
            let tables = Tables::new(&pack, environment).unwrap();
            for (name, said) in &events.tables {
                let Some(table) = tables.get(name) else { continue };
                seen += 1;
                // A table may be missing columns in one environment that it has in another.
                if environment != Environment::MergedColumns || said.context {
                    continue;
                }
                for column in said.event.iter().chain(&said.named_by) {
                    assert!(table.column(column).is_some(), "{name} has no {column}");
                }
            }
        }
        assert!(seen > 50);
    }

    #[test]
    fn unknown_events_are_shown_by_their_words() {
        assert_eq!(
            shown(&events().coverage("AWSCloudTrail", "AuthorizeSecurityGroupIngress")),
            ["AWS-CloudTrail | AuthorizeSecurityGroupIngress | Authorize security group ingress"]
        );
        assert_eq!(words("AADSignIn"), "AAD sign in");
        assert_eq!(words("Add member to role"), "Add member to role");
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
