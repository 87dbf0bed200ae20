//! The table of a data source that names none, taken from the query.
//!
//! In: data sources and queries. Out: the missing tables, marked as such.
//! Deliberately absent: any knowledge of which tables exist; the binder has it.

use std::collections::{BTreeMap, BTreeSet};

use rulec_source::{Diagnostic, Span};

use crate::codes;
use crate::reader::Reader;

impl Reader<'_> {
    pub(crate) fn fill_tables(&mut self) {
        self.stated_tables();
        if self.rule.data_sources.iter().all(|s| s.table.is_some()) {
            return;
        }
        let scans: Vec<Scan<'_>> = self.queries.iter().map(|q| Scan::of(&q.text)).collect();
        let all: BTreeSet<&str> = scans
            .iter()
            .flat_map(|s| s.tables.iter().map(|(_, t)| *t))
            .collect();
        let mut missing = Vec::new();
        let mut filled: Vec<(usize, String, bool)> = Vec::new();
        for (i, source) in self.rule.data_sources.iter().enumerate() {
            if source.table.is_some() {
                continue;
            }
            let event = source.event.as_deref();
            let as_name = source.event_name.as_deref().filter(|name| all.contains(name));
            let near = || {
                let event = event?;
                scans.iter().find_map(|scan| scan.table_before(event))
            };
            let single = || all.iter().next().copied().filter(|_| all.len() == 1);
            match as_name {
                Some(name) => filled.push((i, name.to_owned(), true)),
                None => match near().or_else(single) {
                    Some(table) => filled.push((i, table.to_owned(), false)),
                    // A function the query calls, such as FileProfile, has no table.
                    None if scans.iter().any(|scan| scan.names(source)) => {}
                    None => missing.push(i),
                },
            }
        }
        let names = all.iter().copied().collect::<Vec<_>>().join(", ");
        for (i, table, named) in filled {
            let source = &mut self.rule.data_sources[i];
            source.table = Some(table);
            source.table_from_query = true;
            if named {
                // Older documents have the table in the column of the event's name.
                source.event_name = None;
                if let Some(span) = self.places.remove(&format!("/data_sources/{i}/event_name")) {
                    self.place(format!("/data_sources/{i}/table"), span);
                }
            }
        }
        for i in missing {
            let span = self
                .places
                .get(&format!("/data_sources/{i}"))
                .copied()
                .unwrap_or_default();
            let mut diagnostic = Diagnostic::new(
                codes::NO_SOURCE_TABLE,
                "the data source names no table, and the query does not show which it is",
            )
            .at(span)
            .help("add a column `Table Name`");
            if !names.is_empty() {
                diagnostic = diagnostic.note(format!("the query reads {names}"));
            }
            self.report(diagnostic);
        }
    }

    /// `Tables: SigninLogs, AuditLogs` where there is no table of data sources.
    fn stated_tables(&mut self) {
        if !self.rule.data_sources.is_empty() {
            return;
        }
        let stated: Vec<(String, Span)> = self
            .entries
            .iter()
            .filter(|e| e.key == "tables")
            .flat_map(|e| {
                e.value
                    .split([',', ';'])
                    .map(|t| (t.trim().to_owned(), e.value_span))
            })
            .filter(|(table, _)| !crate::metadata::is_nothing(table))
            .collect();
        for (table, span) in stated {
            let index = self.rule.data_sources.len();
            self.place(format!("/data_sources/{index}"), span);
            self.rule.data_sources.push(rulec_model::DataSource {
                table: Some(table),
                ..rulec_model::DataSource::default()
            });
        }
    }
}

/// What a look at the tokens of a query shows: the tables it reads, by where
/// they are named, and its literals.
#[derive(Debug, Default)]
struct Scan<'q> {
    tables: Vec<(usize, &'q str)>,
    /// A literal in lower case, and the table named last before it first stands.
    literals: BTreeMap<String, Option<&'q str>>,
    names: BTreeSet<&'q str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'q> {
    Name(&'q str),
    Literal(&'q str),
    Mark(u8),
}

impl<'q> Scan<'q> {
    fn of(query: &'q str) -> Self {
        let tokens = tokens(query);
        let at = |i: usize| tokens.get(i).map(|(_, t)| *t);
        let mark = |i: usize| match at(i) {
            Some(Token::Mark(m)) => Some(m),
            _ => None,
        };
        let word = |i: Option<usize>| match i.and_then(at) {
            Some(Token::Name(name)) => name,
            _ => "",
        };
        let bound: BTreeSet<&str> = (0..tokens.len())
            .filter(|i| word(Some(*i)) == "let")
            .map(|i| word(Some(i + 1)))
            .collect();
        let mut scan = Self::default();
        let mut in_union = false;
        for (i, (offset, token)) in tokens.iter().enumerate() {
            let before = i.checked_sub(1);
            match token {
                Token::Literal(text) => {
                    let table = scan.tables.last().map(|(_, table)| *table);
                    scan.literals.entry(text.to_lowercase()).or_insert(table);
                }
                Token::Mark(b'|' | b';') => in_union = false,
                Token::Mark(_) => {}
                Token::Name("union") => in_union = true,
                Token::Name(name) => {
                    scan.names.insert(name);
                    let next = mark(i + 1);
                    let ends = matches!(next, None | Some(b'|' | b')' | b';'))
                        && at(i + 1) != Some(Token::Mark(b'('));
                    let piped = next == Some(b'|');
                    let starts = match before.and_then(mark) {
                        None => before.is_none() || (in_union && is_table_name(name)),
                        Some(b';') => true,
                        // `= T | …` of a let, not of a comparison within a stage.
                        Some(b'=') => piped && i >= 3 && word(Some(i - 3)) == "let",
                        Some(b'(') => {
                            piped
                                || (ends
                                    && matches!(
                                        word(i.checked_sub(2)),
                                        "join"
                                            | "lookup"
                                            | "union"
                                            | "materialize"
                                            | "inner"
                                            | "leftouter"
                                            | "leftanti"
                                            | "leftsemi"
                                            | "innerunique"
                                            | "rightouter"
                                            | "fullouter"
                                    ))
                        }
                        Some(b',') => in_union,
                        Some(_) => in_union && piped,
                    };
                    let joined = matches!(
                        word(before),
                        "join"
                            | "lookup"
                            | "inner"
                            | "leftouter"
                            | "leftanti"
                            | "leftsemi"
                            | "innerunique"
                            | "rightouter"
                            | "fullouter"
                            | "rightanti"
                            | "rightsemi"
                    ) && is_table_name(name)
                        && next != Some(b'=')
                        && next != Some(b'(');
                    if (starts || joined) && is_table_name(name) && !bound.contains(name) {
                        scan.tables.push((*offset, name));
                    }
                }
            }
        }
        scan
    }

    /// Whether the query names what the row has in the column of the event's name.
    fn names(&self, source: &rulec_model::DataSource) -> bool {
        source.event.is_none()
            && source
                .event_name
                .as_deref()
                .is_some_and(|name| self.names.contains(name))
    }

    /// The table named last before the event.
    fn table_before(&self, event: &str) -> Option<&'q str> {
        self.literals.get(&event.to_lowercase()).copied().flatten()
    }
}

/// Tables begin with a capital letter or an underscore, or are custom ones.
fn is_table_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') || name.ends_with("_CL")
}

/// Names, string literals, numbers (as literals) and marks; comments are skipped.
fn tokens(query: &str) -> Vec<(usize, Token<'_>)> {
    let bytes = query.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += query[at..].find('\n').unwrap_or(bytes.len() - at);
            }
            b'"' | b'\'' => {
                let quote = bytes[at];
                let verbatim = at > 0 && bytes[at - 1] == b'@';
                at += 1;
                while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' && !verbatim { 2 } else { 1 };
                }
                let end = at.min(bytes.len());
                tokens.push((
                    start,
                    Token::Literal(query.get(start + 1..end).unwrap_or_default()),
                ));
                at += 1;
            }
            b if b.is_ascii_alphabetic() || b == b'_' => {
                while bytes
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
                {
                    at += 1;
                }
                tokens.push((start, Token::Name(&query[start..at])));
            }
            b if b.is_ascii_digit() => {
                while bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
                    at += 1;
                }
                tokens.push((start, Token::Literal(&query[start..at])));
            }
            b if b.is_ascii_whitespace() || b >= 0x80 => at += 1,
            b => {
                tokens.push((start, Token::Mark(b)));
                at += 1;
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(query: &str) -> Vec<&str> {
        Scan::of(query).tables.into_iter().map(|(_, t)| t).collect()
    }

    #[test]
    fn tables_by_their_place() {
        assert_eq!(
            tables("let a = DeviceEvents\n| where x == Y;\na | join kind=inner (DeviceInfo | take 1) on Z"),
            ["DeviceEvents", "DeviceInfo"]
        );
        assert_eq!(
            tables("// T1\nlet s = 'A | B';\nunion SigninLogs, AADLogs | summarize dcount(DeviceId) by C"),
            ["SigninLogs", "AADLogs"]
        );
        assert_eq!(
            tables("let X = T | take 1; X | lookup kind=leftouter Q on A"),
            ["T", "Q"]
        );
        assert_eq!(tables("SecurityEvent"), ["SecurityEvent"]);
        assert_eq!(tables("print A"), Vec::<&str>::new());
        assert_eq!(tables("'"), Vec::<&str>::new());
    }

    #[test]
    fn events_find_their_table() {
        let scan = Scan::of("A | where T == 'one';\nB | where T in ('two', 3)");
        assert_eq!(scan.table_before("one"), Some("A"));
        assert_eq!(scan.table_before("TWO"), Some("B"));
        assert_eq!(scan.table_before("3"), Some("B"));
        assert_eq!(scan.table_before("x"), None);
    }
}
