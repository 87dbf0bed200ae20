//! Queries as text, one or a few for each operator and what is particular to it.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod common;

use common::of;
use rulec_facts::tables::Environment;
use rulec_runtime::read::{Source, read};
use rulec_runtime::{InMemory, Memory, Schema, Type};

const PEOPLE: &str = "let P = datatable(name:string, age:long, team:string)
    ['Ann', 31, 'red', 'bob', long(null), 'blue', 'Cid', 25, 'red', 'Dee', 40, 'blue']; ";

fn people(pipe: &str) -> Vec<String> {
    of(&format!("{PEOPLE} P | {pipe}"))
}

#[test]
fn rows_and_columns() {
    assert_eq!(
        people("where age > 30 | project name, next = age + 1"),
        ["name|next", "Ann|32", "Dee|41"]
    );
    assert_eq!(
        people("where age != 31 | project name"),
        ["name", "bob", "Cid", "Dee"]
    );
    assert_eq!(
        people("extend age = age * 2 | project-away team | take 1"),
        ["name|age", "Ann|62"]
    );
    assert_eq!(
        people("project-rename who = name | project-keep who, team | take 1"),
        ["who|team", "Ann|red"]
    );
    assert_eq!(people("project-reorder team | count"), ["Count", "4"]);
    assert_eq!(people("distinct team"), ["team", "red", "blue"]);
}

#[test]
fn order() {
    assert_eq!(
        people("sort by age asc | project name"),
        ["name", "bob", "Cid", "Ann", "Dee"]
    );
    assert_eq!(
        people("sort by age | project name"),
        ["name", "Dee", "Ann", "Cid", "bob"]
    );
    assert_eq!(
        people("top 2 by age asc nulls last | project name"),
        ["name", "Cid", "Ann"]
    );
    assert_eq!(
        people("sort by team asc, age desc | project name"),
        ["name", "Dee", "bob", "Ann", "Cid"]
    );
}

#[test]
fn windows() {
    let ranked =
        "sort by age asc nulls last | extend n = row_number(), before = prev(name), sum = row_cumsum(age)
        | project name, n, before, sum";
    assert_eq!(
        people(ranked),
        [
            "name|n|before|sum",
            "Cid|1||25",
            "Ann|2|Cid|56",
            "Dee|3|Ann|96",
            "bob|4|Dee|96"
        ]
    );
    let changed = "serialize | where team != prev(team) | project name";
    assert_eq!(people(changed), ["name", "Ann", "bob", "Cid", "Dee"]);
}

#[test]
fn groups() {
    assert_eq!(
        people("summarize count(), max(age) by team"),
        ["team|count_|max_age", "red|2|31", "blue|2|40"]
    );
    assert_eq!(
        people("where age > 99 | summarize count(), sum(age)"),
        ["count_|sum_age", "0|0"]
    );
    assert_eq!(
        people("where age > 99 | summarize count() by team"),
        ["team|count_"]
    );
    assert_eq!(
        people("summarize arg_max(age, *) by team | project team, name"),
        ["team|name", "red|Ann", "blue|Dee"]
    );
    assert_eq!(
        people("summarize names = make_set(name), dcount(team)"),
        ["names|dcount_team", "[\"Ann\",\"bob\",\"Cid\",\"Dee\"]|2"]
    );
}

#[test]
fn joins() {
    let teams = "let T = datatable(team:string, lead:string)['red', 'x', 'red', 'y', 'green', 'z'];";
    let join = |kind: &str| {
        of(&format!(
            "{PEOPLE} {teams} P | project name, team | join kind={kind} T on team"
        ))
    };
    assert_eq!(
        join("inner"),
        [
            "name|team|team1|lead",
            "Ann|red|red|x",
            "Ann|red|red|y",
            "Cid|red|red|x",
            "Cid|red|red|y"
        ]
    );
    assert_eq!(
        join("innerunique"),
        ["name|team|team1|lead", "Ann|red|red|x", "Ann|red|red|y"]
    );
    assert_eq!(join("leftanti"), ["name|team", "bob|blue", "Dee|blue"]);
    assert_eq!(join("rightanti"), ["team|lead", "green|z"]);
    assert_eq!(join("fullouter").last().unwrap(), "||green|z");
    let lookup = of(&format!(
        "{PEOPLE} {teams} P | project name, team | lookup (T | where lead != 'y') on team"
    ));
    assert_eq!(
        lookup,
        [
            "name|team|lead",
            "Ann|red|x",
            "bob|blue|",
            "Cid|red|x",
            "Dee|blue|"
        ]
    );
}

#[test]
fn unions_and_bindings() {
    let union =
        "let A = print x = 1; let B = print x = 2, y = 'b'; union withsource=from A, B | project-away from";
    assert_eq!(of(union), ["x|y", "1|", "2|b"]);
    let limit = "let limit = toscalar(range x from 1 to 5 step 1 | summarize max(x)); range y from 4 to 9 step 1 | where y <= limit";
    assert_eq!(of(limit), ["y", "4", "5"]);
    let list = "let names = datatable(n:string)['Ann', 'Dee']; ";
    assert_eq!(
        of(&format!(
            "{list} {PEOPLE} P | where name in (names) | project name"
        )),
        ["name", "Ann", "Dee"]
    );
    let function = "let f = (t:(age:long), least:long) { t | where age >= least }; ";
    assert_eq!(
        of(&format!("{PEOPLE} {function} f(P, 31) | project name")),
        ["name", "Ann", "Dee"]
    );
}

#[test]
fn expansion() {
    let expand = |pipe: &str| {
        of(&format!(
            "datatable(k:string, d:dynamic)['a', dynamic([1, 2]), 'b', dynamic([])] | {pipe}"
        ))
    };
    assert_eq!(
        expand("mv-expand d to typeof(long) | extend e = d + 1"),
        ["k|d|e", "a|1|2", "a|2|3"]
    );
    assert_eq!(
        expand("mv-apply d to typeof(long) on (summarize s = sum(d))"),
        ["k|s", "a|3", "b|0"]
    );
}

#[test]
fn parse() {
    let query = "print t = 'user=ann id=17 rest' | parse t with 'user=' user ' id=' id:long ' ' rest | project-away t";
    assert_eq!(of(query), ["user|id|rest", "ann|17|rest"]);
}

#[test]
fn long_pipelines_and_lists() {
    let pipe = "| where x > 0 ".repeat(400);
    assert_eq!(of(&format!("print x = 1 {pipe}")), ["x", "1"]);
    let list = (0..2000)
        .map(|n| format!("'v{n}'"))
        .collect::<Vec<_>>()
        .join(", ");
    let query = format!("range x from 1998 to 2001 step 1 | where strcat('V', x) in~ ({list}) | count");
    assert_eq!(of(&query), ["Count", "2"]);
    let deep = format!("print x = {}1{}", "(1 + ".repeat(40), ")".repeat(40));
    assert_eq!(of(&deep), ["x", "41"]);
}

#[test]
fn time() {
    assert_eq!(
        of("print a = ago(1d), n = now()"),
        ["a|n", "2026-06-14T12:00:00.0000000Z|2026-06-15T12:00:00.0000000Z"]
    );
}

const EVENTS: &str = concat!(
    r#"{"Timestamp":"2026-06-15T11:30:00Z","DeviceName":"h1","FileName":"CertUtil.exe","ProcessCommandLine":"certutil -urlcache -f http://x","SHA1":"aa","Extra":1}"#,
    "\n",
    r#"{"Timestamp":"2026-06-01T11:30:00Z","DeviceName":"h2","FileName":"certutil.exe","ProcessCommandLine":"certutil -urlcache","SHA1":"bb"}"#,
    "\n",
);

fn hunt(query: &str) -> Vec<String> {
    let memory = Memory::default();
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceName", Type::String),
        ("FileName", Type::String),
        ("ProcessCommandLine", Type::String),
        ("SHA1", Type::String),
    ]);
    let mut tables = InMemory::new();
    tables.insert(
        "DeviceProcessEvents",
        read(EVENTS.as_bytes(), &Source::new("events", &schema, &memory))
            .unwrap()
            .0,
    );
    tables.insert(
        "Homemade",
        read(
            EVENTS.as_bytes(),
            &Source::new("events", &Schema::of(&[]).open(), &memory),
        )
        .unwrap()
        .0,
    );
    let profiles = Schema::of(&[("SHA1", Type::String), ("GlobalPrevalence", Type::Long)]);
    let text = "SHA1,GlobalPrevalence\naa,5\n";
    tables.insert(
        "FileProfile",
        read(text.as_bytes(), &Source::new("profiles", &profiles, &memory))
            .unwrap()
            .0,
    );
    common::rows(
        &common::run_over(query, Environment::M365, &tables)
            .unwrap_or_else(|error| panic!("{query}: {error}")),
    )
}

#[test]
fn hunting() {
    let rule = "let timeframe = 2*1h;
        DeviceProcessEvents
        | where ingestion_time() >= ago(timeframe)
        | where FileName =~ 'certutil.exe' and ProcessCommandLine has 'urlcache'
        | invoke FileProfile(SHA1, 1000)
        | where GlobalPrevalence < 100 or isempty(GlobalPrevalence)
        | project DeviceName, GlobalPrevalence, ProfileAvailability";
    assert_eq!(hunt(rule), ["h1|5|Available"]);
    // A table that the catalog does not know keeps all its columns.
    assert_eq!(
        hunt("Homemade | where Timestamp > ago(1d) | extend x = strcat(DeviceName, '!')").len(),
        1
    );
    assert_eq!(hunt("Homemade | where Extra == 1 | project DeviceName"), ["h1"]);
}
