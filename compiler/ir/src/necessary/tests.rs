use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_functions::{Moment, Necessary, TextTest};

use super::Conditions;
use crate::{Catalog, lower};

/// The conditions of a query, one line for each place where it reads a table.
fn conditions(query: &str) -> Vec<String> {
    let lowered = lower(&rulec_kql::parse(query), &catalog());
    Conditions::of(&lowered.query)
        .iter()
        .map(|(table, condition)| format!("{table}: {}", show(condition)))
        .collect()
}

fn one(query: &str) -> String {
    let mut all = conditions(&format!("DeviceProcessEvents | {query}"));
    assert_eq!(all.len(), 1, "{query}");
    all.remove(0).replace("DeviceProcessEvents: ", "")
}

fn show(condition: &Necessary) -> String {
    let list = |parts: &[Necessary]| parts.iter().map(show).collect::<Vec<_>>().join(", ");
    match condition {
        Necessary::All(parts) => format!("all({})", list(parts)),
        Necessary::Any(parts) => format!("any({})", list(parts)),
        Necessary::Text {
            column,
            test,
            folded,
            texts,
        } => {
            let test = match test {
                TextTest::Is => "is",
                TextTest::StartsWith => "starts",
                TextTest::EndsWith => "ends",
                TextTest::Contains => "contains",
                TextTest::Inside => "inside",
            };
            format!(
                "{column} {test}{} {}",
                if *folded { "~" } else { "" },
                texts.join("|")
            )
        }
        Necessary::Pattern { column, pattern } => format!("{column} ~ {pattern}"),
        Necessary::Number { column, values } => format!("{column} = {values:?}"),
        Necessary::Time {
            column,
            earliest,
            bound,
        } => {
            let bound = match bound {
                Moment::At(ticks) => ticks.to_string(),
                Moment::BeforeNow(ticks) => format!("now-{ticks}"),
            };
            format!("{column} {} {bound}", if *earliest { ">=" } else { "<=" })
        }
    }
}

fn catalog() -> Catalog {
    Catalog::new(Arc::new(
        Tables::new(&Pack::embedded(), Environment::M365).unwrap(),
    ))
}

#[test]
fn tests_of_text() {
    for (query, expected) in [
        ("where FileName == 'A.exe'", "FileName is A.exe"),
        ("where 'A.exe' =~ FileName", "FileName is~ A.exe"),
        ("where FileName in~ ('a', 'b')", "FileName is~ a|b"),
        (
            "where FolderPath startswith @'C:\\Windows'",
            "FolderPath starts~ C:\\Windows",
        ),
        ("where FileName endswith_cs '.exe'", "FileName ends .exe"),
        (
            "where FileName has 'a' and FolderPath contains_cs 'b'",
            "all(FileName contains~ a, FolderPath contains b)",
        ),
        (
            "where FileName has_all ('a', 'b')",
            "all(FileName contains~ a, FileName contains~ b)",
        ),
        (
            "where FileName has_any ('a', 'b') or FileName == 'c'",
            "any(FileName contains~ a|b, FileName is c)",
        ),
        (
            "where ProcessCommandLine matches regex '(?i)foo|bar+'",
            "all(ProcessCommandLine contains~ foo|ba, ProcessCommandLine ~ (?i)foo|bar+)",
        ),
        ("where tolower(FileName) == 'a'", "FileName is~ a"),
        (
            "where tostring(split(FolderPath, '/')[0]) == 'a'",
            "FolderPath contains a",
        ),
        // What is not understood, or not there, is met by every row.
        ("where FileName != 'a'", "all()"),
        ("where FileName == FolderPath", "all()"),
        ("where FileName == 'a' or isempty(FileName)", "all()"),
        ("where strcat(FileName, 'x') has 'a'", "all()"),
        ("where FileName has ''", "all()"),
        ("where false", "any()"),
    ] {
        assert_eq!(one(query), expected, "{query}");
    }
}

#[test]
fn names_are_followed() {
    for (query, expected) in [
        (
            "extend f = tolower(FileName) | where f has 'a'",
            "FileName contains~ a",
        ),
        ("project x = FileName | where x == 'a'", "FileName is a"),
        (
            "extend bad = FileName has 'a' and FolderPath has 'b' | where bad",
            "all(FileName contains~ a, FolderPath contains~ b)",
        ),
        (
            "extend FileName = strcat(FileName, 'x') | where FileName == 'a'",
            "all()",
        ),
        (
            "parse ProcessCommandLine with * 'x' FileName | where FileName == 'a' and FolderPath == 'b'",
            "FolderPath is b",
        ),
        // Beyond these, a row's fate depends on others.
        ("take 3 | where FileName == 'a'", "all()"),
        ("top 3 by FileName | where FileName == 'a'", "all()"),
        (
            "serialize | extend p = prev(FileName) | where FileName == 'a'",
            "all()",
        ),
        ("summarize c = count() by FolderPath | where c == 1", "all()"),
        (
            "summarize FileName = take_any(FileName) by FolderPath | where FileName == 'a'",
            "all()",
        ),
        // But which group a row is in is its own affair.
        (
            "summarize count() by FileName | where FileName == 'a'",
            "FileName is a",
        ),
        (
            "distinct FileName, FolderPath | sort by FolderPath | where FileName == 'a'",
            "FileName is a",
        ),
        (
            "summarize count() by Name = tolower(FileName), bin(Timestamp, 1d) | where Name has 'a'",
            "FileName contains~ a",
        ),
    ] {
        assert_eq!(one(query), expected, "{query}");
    }
    assert_eq!(
        conditions(
            "let l = dynamic(['a','b']); let t = 2 * 1h; DeviceEvents | where FileName in (l) and Timestamp > ago(t)"
        ),
        ["DeviceEvents: all(FileName is a|b, Timestamp >= now-72000000000)"]
    );
}

#[test]
fn json_within_columns() {
    let query = "DeviceEvents | extend f = parse_json(AdditionalFields) | where f.Name has ";
    assert_eq!(
        conditions(&format!("{query} 'evil.exe'")),
        ["DeviceEvents: AdditionalFields inside~ evil.exe"]
    );
    // Of what JSON may write otherwise, a part may be plain.
    assert_eq!(
        conditions(&format!("{query} '\\\\pipe/evil'")),
        ["DeviceEvents: AdditionalFields inside~ evil"]
    );
    for otherwise in ["'a/'", "'1000'", "'/'"] {
        let expected = if otherwise == "'a/'" {
            "AdditionalFields inside~ a"
        } else {
            "all()"
        };
        assert_eq!(
            conditions(&format!("{query} {otherwise}")),
            [format!("DeviceEvents: {expected}")]
        );
    }
}

#[test]
fn parts_of_text() {
    for (query, expected) in [
        (
            "mv-expand p = split(ProcessCommandLine, ' ') | where p has 'a b'",
            "ProcessCommandLine contains~ a b",
        ),
        (
            "extend p = split(ProcessCommandLine, ' ') | mv-expand p to typeof(string) | where p =~ 'a'",
            "ProcessCommandLine contains~ a",
        ),
        (
            "mv-expand p = split(ProcessCommandLine, ' ') to typeof(long) | where tostring(p) == '1'",
            "all()",
        ),
        (
            "mv-expand p = split(ProcessCommandLine, ' ') | where p matches regex '^[A-Z]{9}$'",
            "ProcessCommandLine ~ [A-Z]{9}",
        ),
        (
            "where FileName matches regex '^[A-Z]{9}$'",
            r"FileName ~ ^[\x{41}-\x{5A}]{9}$",
        ),
        (
            "where FileName matches regex '^[A-Z]{9}longer'",
            "FileName contains longer",
        ),
        // The text of an array has more than its elements.
        ("where split(FileName, ' ') has 'a\",\"b'", "FileName contains~ b"),
        ("where tostring(split(FileName, ' ')) contains '\",\"'", "all()"),
        (
            "mv-expand f = parse_json(AdditionalFields).files | where f has 'evil'",
            "AdditionalFields inside~ evil",
        ),
    ] {
        assert_eq!(one(query), expected, "{query}");
    }
}

#[test]
fn numbers_and_times() {
    assert_eq!(
        one("where ProcessId == 4 or ProcessId in (5, 6)"),
        "any(ProcessId = [4], ProcessId = [5, 6])"
    );
    assert_eq!(
        one("where Timestamp between (ago(2d) .. ago(1d))"),
        "all(Timestamp >= now-1728000000000, Timestamp <= now-864000000000)"
    );
    assert_eq!(
        one("where datetime(2026-01-01) < Timestamp"),
        "Timestamp >= 639028224000000000"
    );
}

#[test]
fn when_a_row_came_in() {
    let since = "any(_IngestionTime >= now-36000000000, IngestionTime >= now-36000000000, \
                 Timestamp >= now-36000000000, TimeGenerated >= now-36000000000)";
    assert_eq!(one("where ingestion_time() >= ago(1h)"), since);
    assert_eq!(
        one("extend t = ingestion_time() | sort by FileName asc | where t > ago(1h)"),
        since
    );
    // What comes of several rows came in at no time.
    assert_eq!(
        one("summarize count() by FileName | where ingestion_time() >= ago(1h)"),
        "all()"
    );
}

#[test]
fn several_tables() {
    assert_eq!(
        conditions("union DeviceEvents, DeviceFileEvents | where FileName == 'a'"),
        ["DeviceEvents: FileName is a", "DeviceFileEvents: FileName is a"]
    );
    assert_eq!(
        conditions(
            "DeviceEvents | where FileName == 'a' | join kind=inner (DeviceFileEvents | where FileName == 'b') on DeviceId | where FolderPath == 'c'"
        ),
        [
            "DeviceEvents: all(FileName is a, FolderPath is c)",
            "DeviceFileEvents: FileName is b"
        ]
    );
    // Of the left rows with a key one stays: which depends on all of them.
    assert_eq!(
        conditions("DeviceEvents | join (DeviceFileEvents) on DeviceId | where FolderPath == 'c'"),
        ["DeviceEvents: all()", "DeviceFileEvents: all()"]
    );
    assert_eq!(
        conditions("DeviceEvents | join (DeviceFileEvents) on DeviceId | where FolderPath1 == 'c'"),
        ["DeviceEvents: all()", "DeviceFileEvents: FolderPath is c"]
    );
    assert_eq!(
        conditions(
            "let a = DeviceEvents | where FileName == 'a'; a | where toscalar(DeviceFileEvents | where FileName == 'x' | count) > 3"
        ),
        ["DeviceEvents: FileName is a", "DeviceFileEvents: FileName is x"]
    );
}
