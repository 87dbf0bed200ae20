//! Which events a query looks at.
//!
//! In: a bound query, and what is known of the tables' events. Out: for each
//! table, the values of the columns that name the event which survive the
//! predicates on the way to the result ([`looked_at`]); from those the rows
//! of providers and events, with the events of other providers that
//! correspond ([`coverage`]). Where the query leaves open which events, what
//! the document declares for the table is taken, as far as it can pass.
//!
//! Values are found by trying: those the query compares with, those the facts
//! know, and one that nobody has heard of. If that one passes, the query looks
//! at whatever there is.

use std::collections::BTreeSet;

use rulec_facts::events::{EventRow, Events};
use rulec_functions::Value;
use rulec_ir::Query;
use rulec_model::{DataSource, Rule};

use crate::{
    explanation::Event,
    paths::{self, Comparison, Path, Row},
};

/// The events of one table that a query looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LookedAt {
    /// The table.
    pub table: String,
    /// What the rows are asked to say of their provider, such as
    /// `Microsoft-Windows-Sysmon`.
    pub named: Option<String>,
    /// Which events.
    pub which: Which,
}

/// Which events of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// These and no others.
    These(BTreeSet<String>),
    /// Those whose names are like one of these. No event is known that is.
    Like(BTreeSet<Likeness>),
    /// All, but for these.
    AllBut(BTreeSet<String>),
}

/// What names of events have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness {
    /// The column.
    pub column: String,
    /// What is asked of it, all at once: the operator and what it is compared with.
    pub asked: Vec<(&'static str, Vec<String>)>,
}

/// A value that no table holds.
const UNHEARD_OF: &str = "\u{2}rulec\u{3}";
/// The same among numbers.
const NO_NUMBER: &str = "-2147483601";
/// A table with no more known events than these is shown by them.
const FEW: usize = 6;

/// The events of each table that a query looks at, by table. Tables whose rows
/// say what something is are not among them, unless there are no others.
pub fn looked_at(query: &Query, events: &Events) -> Vec<LookedAt> {
    let mut found: BTreeSet<LookedAt> = BTreeSet::new();
    let paths = paths::paths(query);
    let happens = |path: &&Path<'_>| !events.table(path.table).context;
    let any = paths.iter().any(|path| happens(&path));
    for path in paths.iter().filter(|path| !any || happens(path)) {
        found.extend(of_path(path, events));
    }
    // Who looks at all looks at each.
    let whole: Vec<LookedAt> = found
        .iter()
        .filter(|l| matches!(&l.which, Which::AllBut(but) if but.is_empty()))
        .cloned()
        .collect();
    let covered = |l: &LookedAt| {
        whole
            .iter()
            .any(|w| w != l && w.table == l.table && (w.named.is_none() || w.named == l.named))
    };
    found.into_iter().filter(|l| !covered(l)).collect()
}

/// The rows of an explanation.
pub(crate) fn coverage(query: &Query, rule: &Rule, events: &Events) -> Vec<Event> {
    let mut asked: BTreeSet<(String, String)> = BTreeSet::new();
    let mut further: Vec<EventRow> = Vec::new();
    if paths::reads_everything(query) {
        further.push(events.several("*", "*", "All events of all tables".to_owned()));
    }
    for looked in looked_at(query, events) {
        let of = |event: &str| {
            let provider = events.provider_of_event(&looked.table, looked.named.as_deref(), event);
            // What corresponds to an action type is known by its table, else by provider.
            let table = if provider == events.provider_of(&looked.table) && looked.named.is_none() {
                looked.table.clone()
            } else {
                provider
            };
            (table, event.to_owned())
        };
        let provider = || events.provider_of_event(&looked.table, looked.named.as_deref(), "");
        match &looked.which {
            Which::These(names) => asked.extend(names.iter().map(|name| of(name))),
            Which::Like(patterns) => {
                further.extend(patterns.iter().map(|likeness| {
                    let shown: Vec<String> = likeness.asked.iter().map(|(o, v)| shape(o, v)).collect();
                    let said: Vec<String> = likeness.asked.iter().map(|(o, v)| words(o, v)).collect();
                    let title = format!("Every {} that {}", likeness.column, said.join(" and "));
                    events.several(&provider(), &shown.join(" and "), title)
                }));
            }
            Which::AllBut(but) => {
                let passes = |event: &&str| !but.contains(*event);
                let declared: Vec<&str> = declared(rule, &looked.table).filter(passes).collect();
                let known: Vec<String> = events.events_of(&provider()).map(str::to_owned).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).filter(passes).collect();
                if !declared.is_empty() {
                    asked.extend(declared.into_iter().map(of));
                } else if !known.is_empty() && known.len() <= FEW {
                    asked.extend(known.into_iter().map(of));
                } else {
                    let mut title = "All events".to_owned();
                    if !but.is_empty() {
                        let but: Vec<String> = but.iter().map(|e| events.shown(&provider(), e)).collect();
                        title = format!("{title} but {}", but.join(", "));
                    }
                    further.push(events.several(&provider(), "*", title));
                    further.extend(elsewhere(events, &provider(), known.into_iter().map(of)));
                }
            }
        }
    }
    let asked = asked
        .iter()
        .map(|(table, event)| (table.as_str(), event.as_str()));
    let rows = events.coverage_with(asked, further);
    rows.into_iter()
        .map(|row| Event {
            provider: row.provider,
            event: row.event,
            title: row.title,
            source: (!row.source.is_empty()).then_some(row.source),
        })
        .collect()
}

/// What corresponds to the events of a provider at other providers, if that is
/// little enough to be read.
fn elsewhere(events: &Events, own: &str, known: impl Iterator<Item = (String, String)>) -> Vec<EventRow> {
    let known: Vec<(String, String)> = known.collect();
    let rows = events.coverage_of(
        known
            .iter()
            .map(|(table, event)| (table.as_str(), event.as_str())),
    );
    let others: Vec<EventRow> = rows.into_iter().filter(|row| row.provider != own).collect();
    if others.len() > FEW { Vec::new() } else { others }
}

/// The events that a document declares for a table.
pub fn declared<'r>(rule: &'r Rule, table: &'r str) -> impl Iterator<Item = &'r str> {
    rule.data_sources
        .iter()
        .filter(move |source| source.table.as_deref() == Some(table))
        .flat_map(events_of)
}

/// The events in one row of a document's data sources: names and ids, one or
/// several; nothing where the cell says something else.
pub fn events_of(source: &DataSource) -> impl Iterator<Item = &str> {
    let cell = source.event.as_deref().unwrap_or_default();
    let parts = cell.split([',', ';', '/', '|']).map(str::trim);
    let name = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    // A cell with words between is a sentence.
    let all = parts.clone().all(|part| name(&part));
    parts.filter(move |_| all)
}

/// What one way looks at, for each provider that it tells apart.
fn of_path(path: &Path<'_>, events: &Events) -> Vec<LookedAt> {
    let table = events.table(path.table);
    let mut found = Vec::new();
    for (named, row) in providers(path, &table.named_by) {
        let all = || Which::AllBut(BTreeSet::new());
        let which = which(path, &table.event, &row, events, named.as_deref()).unwrap_or_else(all);
        if which != Which::These(BTreeSet::new()) {
            found.push(LookedAt {
                table: path.table.to_owned(),
                named,
                which,
            });
        }
    }
    found
}

/// The providers a way tells apart, each with what a row of it says.
fn providers(path: &Path<'_>, columns: &[String]) -> Vec<(Option<String>, Row)> {
    for column in columns.iter().filter_map(|name| path.column(name)) {
        let mut found = Vec::new();
        for value in compared(&path.comparisons(column)) {
            let Some(cell) = path.value(column, &value) else {
                continue;
            };
            let row = Row::from([(column, cell)]);
            if path.passes(&row) {
                found.push((Some(value), row));
            }
        }
        let other = Row::from([(column, Value::String(UNHEARD_OF.into()))]);
        if path.passes(&other) {
            found.push((None, other));
        }
        if found.iter().any(|(named, _)| named.is_some()) {
            return found;
        }
    }
    vec![(None, Row::new())]
}

/// Which events a way looks at, among rows that say `row`. None when nothing
/// on the way is about the event.
fn which(
    path: &Path<'_>,
    columns: &[String],
    row: &Row,
    events: &Events,
    named: Option<&str>,
) -> Option<Which> {
    let columns: Vec<Tried> = columns
        .iter()
        .filter_map(|name| Tried::new(path, name, events, named))
        .collect();
    if columns.iter().all(|column| column.comparisons.is_empty()) {
        return None;
    }
    let with = |row: &Row, tried: &Tried, value: &Value| {
        let mut row = row.clone();
        row.insert(tried.column, value.clone());
        row
    };
    // The first column by which the query decides, whatever the others are.
    for tried in &columns {
        if !path.passes(&with(row, tried, &tried.unheard_of)) {
            let passes = |value: &Value| path.passes(&with(row, tried, value));
            let passing = tried.passing(passes);
            return Some(if passing.is_empty() {
                tried.alike(path, passes)
            } else {
                Which::These(passing)
            });
        }
    }
    let mut others = row.clone();
    for tried in &columns {
        others.insert(tried.column, tried.unheard_of.clone());
    }
    if path.passes(&others) {
        let first = columns.iter().find(|column| !column.comparisons.is_empty())?;
        let excluded = first
            .candidates
            .iter()
            .filter(|(_, value)| !path.passes(&with(row, first, value)));
        return Some(Which::AllBut(excluded.map(|(name, _)| name.clone()).collect()));
    }
    // Alternatives over several columns: each with nothing known of the others.
    let mut these = BTreeSet::new();
    for tried in &columns {
        these.extend(tried.passing(|value| path.passes(&with(&others, tried, value))));
    }
    (!these.is_empty()).then_some(Which::These(these))
}

/// A column that names the event, and what is tried in it.
struct Tried {
    name: String,
    column: usize,
    comparisons: Vec<Comparison>,
    /// Names of events and the cells that say them: those the query compares
    /// with, and those known.
    candidates: Vec<(String, Value)>,
    known: BTreeSet<String>,
    unheard_of: Value,
}

impl Tried {
    fn new(path: &Path<'_>, name: &str, events: &Events, named: Option<&str>) -> Option<Self> {
        let column = path.column(name)?;
        let comparisons = path.comparisons(column);
        let provider = events.provider_of_event(path.table, named, "");
        let known: BTreeSet<String> = events.events_of(&provider).map(str::to_owned).collect();
        let mut names: BTreeSet<String> = known.clone();
        names.extend(compared(&comparisons));
        let unheard_of = path
            .value(column, UNHEARD_OF)
            .or_else(|| path.value(column, NO_NUMBER))?;
        Some(Self {
            name: name.to_owned(),
            column,
            comparisons,
            candidates: names
                .into_iter()
                .filter_map(|name| {
                    let value = path.value(column, &name)?;
                    Some((name, value))
                })
                .collect(),
            known,
            unheard_of,
        })
    }

    /// The events that pass. One in another case than a known one that passes
    /// too is that one.
    fn passing(&self, passes: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let passing: BTreeSet<String> = self
            .candidates
            .iter()
            .filter(|(_, value)| passes(value))
            .map(|(name, _)| name.clone())
            .collect();
        let twin = |name: &String| {
            !self.known.contains(name)
                && passing
                    .iter()
                    .any(|other| self.known.contains(other) && other.eq_ignore_ascii_case(name))
        };
        passing.iter().filter(|name| !twin(name)).cloned().collect()
    }

    /// What the names of events have in common, where none is known to pass:
    /// each thing that is asked, by itself or with another, as examples show.
    fn alike(&self, path: &Path<'_>, passes: impl Fn(&Value) -> bool) -> Which {
        let asked: Vec<&Comparison> = self
            .comparisons
            .iter()
            .filter(|c| is_pattern(c.operator) && !c.values.is_empty())
            .collect();
        let passes = |asked: &[&Comparison]| {
            let mut parts: Vec<&Comparison> = asked.to_vec();
            parts.sort_by_key(|c| place(c.operator));
            let example: Vec<&str> = parts.iter().map(|c| c.values[0].as_str()).collect();
            path.value(self.column, &example.join(" "))
                .is_some_and(|value| passes(&value))
        };
        let likeness = |asked: &[&Comparison]| Likeness {
            column: self.name.clone(),
            asked: {
                let mut asked: Vec<_> = asked.iter().map(|c| (c.operator, c.values.clone())).collect();
                asked.sort_by_key(|(operator, _)| place(operator));
                asked
            },
        };
        let (alone, rest): (Vec<&Comparison>, Vec<&Comparison>) =
            asked.iter().partition(|c| passes(std::slice::from_ref(*c)));
        let mut found: BTreeSet<Likeness> = alone.iter().map(|c| likeness(&[c])).collect();
        for (at, first) in rest.iter().enumerate() {
            let pairs = rest[at + 1..].iter().map(|second| [*first, *second]);
            found.extend(pairs.filter(|pair| passes(pair)).map(|pair| likeness(&pair)));
        }
        if found.is_empty() && !asked.is_empty() {
            found.insert(likeness(&asked));
        }
        if found.is_empty() {
            Which::These(BTreeSet::new())
        } else {
            Which::Like(found)
        }
    }
}

/// The values that a column is compared with as a whole.
fn compared(comparisons: &[Comparison]) -> BTreeSet<String> {
    let whole = comparisons.iter().filter(|c| {
        matches!(
            c.operator,
            "==" | "!=" | "=~" | "!~" | "in" | "!in" | "in~" | "!in~"
        )
    });
    whole
        .flat_map(|c| &c.values)
        .filter(|value| !value.is_empty())
        .cloned()
        .collect()
}

/// Whether an operator asks for a part of the text.
fn is_pattern(operator: &str) -> bool {
    let base = operator.trim_end_matches("_cs");
    matches!(
        base,
        "has"
            | "has_any"
            | "has_all"
            | "contains"
            | "startswith"
            | "endswith"
            | "hasprefix"
            | "hassuffix"
            | "matches regex"
            | "between"
            | "<"
            | "<="
            | ">"
            | ">="
    )
}

/// How events are shown by what their names have in common: `*Added*`.
fn shape(operator: &str, values: &[String]) -> String {
    let one = |value: &String| match operator.trim_end_matches("_cs") {
        "startswith" => format!("{value}*"),
        "endswith" => format!("*{value}"),
        "matches regex" => format!("/{value}/"),
        "<" | "<=" | ">" | ">=" => format!("{operator} {value}"),
        "between" => value.clone(),
        _ => format!("*{value}*"),
    };
    let between = match operator {
        "between" => " to ",
        "has_all" => " and ",
        _ => ", ",
    };
    values.iter().map(one).collect::<Vec<_>>().join(between)
}

/// What has to come first or last is put there.
fn place(operator: &str) -> u8 {
    match operator.trim_end_matches("_cs") {
        "startswith" => 0,
        "endswith" => 2,
        _ => 1,
    }
}

/// The same in words.
fn words(operator: &str, values: &[String]) -> String {
    let between = if matches!(operator, "between" | "has_all") {
        " and "
    } else {
        ", "
    };
    format!("{} {}", said(operator), values.join(between))
}

fn said(operator: &str) -> &str {
    match operator.trim_end_matches("_cs") {
        "startswith" | "hasprefix" => "starts with",
        "endswith" | "hassuffix" => "ends with",
        "contains" => "contains",
        "matches regex" => "matches",
        "has_any" => "has any of",
        "has_all" => "has all of",
        "between" => "is between",
        "<" => "is below",
        "<=" => "is at most",
        ">" => "is above",
        ">=" => "is at least",
        _ => "has",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rulec_facts::{Pack, tables};

    use super::*;

    fn shown(text: &str, rule: Option<&Rule>) -> Vec<String> {
        let pack = Pack::embedded();
        let tables = tables::Tables::new(&pack, tables::Environment::MergedColumns).unwrap();
        let parsed = rulec_kql::parse(text);
        let lowered = rulec_ir::lower(&parsed, &rulec_ir::Catalog::new(Arc::new(tables)));
        let events = Events::load(&pack).unwrap();
        let none: Rule =
            serde_json::from_str(r#"{"id": "a", "title": "a", "kind": "hunt", "queries": []}"#).unwrap();
        let rows = coverage(&lowered.query, rule.unwrap_or(&none), &events);
        // What corresponds is the business of the facts.
        let own = rows.into_iter().filter(|row| row.source.is_none());
        own.map(|row| format!("{} {}", row.provider, row.event)).collect()
    }

    fn check(cases: &[(&str, &[&str])]) {
        for (query, expected) in cases {
            assert_eq!(shown(query, None), *expected, "{query}");
        }
    }

    #[test]
    fn values_that_survive() {
        check(&[
            (
                "DeviceEvents | where ActionType in ('LdapSearch', 'DriverLoad') | where ActionType != 'DriverLoad'",
                &["Defender-DeviceEvents LdapSearch"],
            ),
            (
                "DeviceEvents | where ActionType in~ ('ldapsearch', 'driverload') and not(ActionType =~ 'DRIVERLOAD')",
                &["Defender-DeviceEvents LdapSearch"],
            ),
            (
                "DeviceEvents | extend Kind = tolower(ActionType) | where Kind startswith 'scheduledtask' | where Kind !endswith 'd'",
                &["Defender-DeviceEvents scheduledtask*"],
            ),
            (
                "DeviceEvents | where ActionType matches regex '^ScheduledTask(Created|Deleted)$'",
                &[
                    "Defender-DeviceEvents ScheduledTaskCreated",
                    "Defender-DeviceEvents ScheduledTaskDeleted",
                ],
            ),
            (
                "DeviceEvents | extend k = case(ActionType == 'LdapSearch', 1, ActionType == 'DriverLoad', 2, 0) | where k == 2",
                &["Defender-DeviceEvents DriverLoad"],
            ),
            (
                "let All = DeviceEvents | where ActionType in ('LdapSearch', 'DriverLoad'); All | summarize count() by ActionType, DeviceId | where ActionType == 'DriverLoad'",
                &["Defender-DeviceEvents DriverLoad"],
            ),
            (
                "let Names = dynamic(['LdapSearch', 'DriverLoad']); DeviceEvents | where ActionType has_any (Names)",
                &[
                    "Defender-DeviceEvents DriverLoad",
                    "Defender-DeviceEvents LdapSearch",
                ],
            ),
        ]);
    }

    #[test]
    fn every_way_counts() {
        check(&[
            (
                "DeviceFileEvents | where ActionType == 'FileCreated' | join kind=inner (DeviceFileEvents | where ActionType == 'FileDeleted') on SHA1",
                &[
                    "Defender-DeviceFileEvents FileCreated",
                    "Defender-DeviceFileEvents FileDeleted",
                ],
            ),
            (
                "union (DeviceFileEvents | where ActionType == 'FileRenamed'), (DeviceEvents | where ActionType == 'LdapSearch') | where ActionType != 'LdapSearch'",
                &["Defender-DeviceFileEvents FileRenamed"],
            ),
            (
                "DeviceLogonEvents | where ActionType == 'LogonFailed' | where DeviceId in ((DeviceRegistryEvents | where ActionType == 'RegistryValueSet' | project DeviceId))",
                &[
                    "Defender-DeviceLogonEvents LogonFailed",
                    "Defender-DeviceRegistryEvents RegistryValueSet",
                ],
            ),
            (
                "let Unused = DeviceEvents | where ActionType == 'DriverLoad'; DeviceEvents | where ActionType == 'LdapSearch'",
                &["Defender-DeviceEvents LdapSearch"],
            ),
            (
                "DeviceEvents | where ActionType == 'LdapSearch' | join kind=inner DeviceInfo on DeviceId",
                &["Defender-DeviceEvents LdapSearch"],
            ),
            (
                "AuditLogs | where OperationName == 'Add user' or ActivityDisplayName == 'Delete user'",
                &["Azure-AuditLogs Add user", "Azure-AuditLogs Delete user"],
            ),
            (
                "AuditLogs | where OperationName == 'Add user' and Category == 'UserManagement'",
                &["Azure-AuditLogs Add user"],
            ),
        ]);
    }

    #[test]
    fn what_the_query_leaves_open() {
        check(&[
            ("DeviceEvents", &["Defender-DeviceEvents *"]),
            (
                "DeviceEvents | where ActionType != 'DriverLoad'",
                &["Defender-DeviceEvents *"],
            ),
            (
                "DeviceImageLoadEvents",
                &["Defender-DeviceImageLoadEvents ImageLoaded"],
            ),
            (
                "DeviceFileEvents | where ActionType !in ('FileCreated', 'FileDeleted')",
                &[
                    "Defender-DeviceFileEvents FileModified",
                    "Defender-DeviceFileEvents FileRenamed",
                ],
            ),
            ("DeviceInfo", &["Defender-DeviceInfo *"]),
            ("union * | where * has 'x'", &["* *"]),
            (
                "AWSCloudTrail | where EventName startswith 'Delete' and EventName !has 'Tag'",
                &["AWS-CloudTrail Delete*"],
            ),
            (
                "AzureActivity | where OperationNameValue startswith 'Microsoft.Compute' and OperationNameValue endswith '/delete'",
                &["Azure-Activity Microsoft.Compute* and */delete"],
            ),
        ]);
        let rule: Rule = serde_json::from_str(
            r#"{"id": "a", "title": "a", "kind": "hunt", "queries": [], "data_sources": [
                {"table": "DeviceEvents", "event": "LdapSearch, DriverLoad"},
                {"table": "DeviceEvents", "event": "a sentence of several words"},
                {"table": "DeviceFileEvents", "event": "FileCreated"}]}"#,
        )
        .unwrap();
        assert_eq!(
            shown("DeviceEvents | where ActionType != 'DriverLoad'", Some(&rule)),
            ["Defender-DeviceEvents LdapSearch"]
        );
    }

    #[test]
    fn windows_events_have_the_provider_that_the_row_names() {
        check(&[
            (
                "Event | where Source == 'Microsoft-Windows-Sysmon' and EventID in (1, 8)",
                &["Sysmon Event ID 1", "Sysmon Event ID 8"],
            ),
            (
                "Event | where (Source == 'Microsoft-Windows-Sysmon' and EventID == 8) or (Source == 'Service Control Manager' and EventID == 7045)",
                &["Sysmon Event ID 8", "Service Control Manager Event ID 7045"],
            ),
            (
                "SecurityEvent | where EventID between (4720 .. 4723) and EventID != 4722",
                &[
                    "Security-Auditing Event ID 4720",
                    "Security-Auditing Event ID 4723",
                ],
            ),
            (
                "WindowsEvent | where Channel == 'Security' and EventID == 1102",
                &["Eventlog Event ID 1102"],
            ),
        ]);
    }
}
