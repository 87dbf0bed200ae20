//! One event followed through queries: how many rows descend from it, which
//! operator dropped it, and why.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use rulec_eval::{Shape, Stage, Why, trace};
use rulec_facts::tables::Environment;
use rulec_functions::text;
use rulec_runtime::{Batch, Context, InMemory, Memory, Schema, Type, Value};

/// Devices a, b, b, c with 1, 2, 3, 4 as their number; the second is the event.
fn tables() -> InMemory {
    let schema = Schema::of(&[
        ("DeviceName", Type::String),
        ("ReportId", Type::Long),
        ("AdditionalFields", Type::String),
    ]);
    let rows = [("a", 1), ("b", 2), ("b", 3), ("c", 4)].map(|(name, number)| {
        vec![
            Value::string(name),
            Value::Long(number),
            Value::string(format!("[{number}, {number}]")),
        ]
    });
    let events = Batch::from_rows(schema, rows, &Memory::default()).unwrap();
    let mut tables = InMemory::new();
    tables.insert("DeviceEvents", events.with_marks([false, true, false, false]));
    let schema = Schema::of(&[("DeviceName", Type::String), ("OSPlatform", Type::String)]);
    let rows = [("a", "x"), ("b", "y")].map(|(name, os)| vec![Value::string(name), Value::string(os)]);
    let info = Batch::from_rows(schema, rows, &Memory::default()).unwrap();
    tables.insert("DeviceInfo", info);
    tables
}

fn follow(query: &str) -> (Batch, Vec<Stage>) {
    let lowered = common::bind(query, Environment::MergedColumns).unwrap();
    let tables = tables();
    let context = Context::new(text::parse_datetime(common::NOW).unwrap(), &tables);
    trace(&lowered.query, &context).unwrap()
}

#[test]
fn rows_that_descend_from_the_event_are_marked() {
    let cases = [
        ("DeviceEvents", 1),
        ("DeviceEvents | where ReportId > 1 | extend x = 1 | project x", 1),
        ("DeviceEvents | where ReportId == 1", 0),
        ("DeviceEvents | summarize count() by DeviceName", 1),
        ("DeviceEvents | summarize count()", 1),
        ("DeviceEvents | distinct DeviceName", 1),
        ("DeviceEvents | count", 1),
        ("DeviceEvents | sort by ReportId desc | take 2", 0),
        ("DeviceEvents | top 3 by ReportId desc", 1),
        ("DeviceEvents | mv-expand x = parse_json(AdditionalFields)", 2),
        (
            "DeviceEvents | mv-apply x = parse_json(AdditionalFields) to typeof(long) on (where x > 1 | take 1)",
            1,
        ),
        ("DeviceEvents | join kind=inner DeviceInfo on DeviceName", 1),
        ("DeviceInfo | join kind=inner DeviceEvents on DeviceName", 1),
        ("DeviceEvents | join kind=leftanti DeviceInfo on DeviceName", 0),
        ("DeviceEvents | join kind=leftsemi DeviceInfo on DeviceName", 1),
        ("DeviceEvents | lookup DeviceInfo on DeviceName", 1),
        ("union DeviceEvents, DeviceInfo", 1),
        (
            "union (DeviceEvents | where ReportId == 1), (DeviceEvents | where ReportId > 1)",
            1,
        ),
        ("DeviceEvents | parse AdditionalFields with '[' x:long ',' *", 1),
        ("DeviceEvents | parse-where AdditionalFields with '[3' *", 0),
        (
            "DeviceEvents | sort by ReportId asc | extend n = row_number(), p = prev(ReportId)",
            1,
        ),
        (
            "DeviceEvents | partition hint.strategy=native by DeviceName (top 2 by ReportId)",
            1,
        ),
        (
            "let T = materialize(DeviceEvents | where ReportId > 1); T | join T on DeviceName",
            2,
        ),
    ];
    for (query, expected) in cases {
        let (rows, _) = follow(query);
        assert_eq!(rows.marked(), expected, "{query}");
        let lowered = common::bind(query, Environment::MergedColumns).unwrap();
        let tables = tables();
        let context = Context::new(text::parse_datetime(common::NOW).unwrap(), &tables);
        let plain = rulec_eval::run(&lowered.query, &context).unwrap();
        assert_eq!(
            common::rows(&rows),
            common::rows(&plain),
            "looking changes nothing: {query}"
        );
    }
}

#[test]
fn a_predicate_is_taken_apart() {
    let query = "let least = 3; DeviceEvents | where DeviceName == 'b' and not(isempty(DeviceName)) \
                 and (ReportId > least or strlen(DeviceName) > 2)";
    let (_, stages) = follow(query);
    let dropped = stages.iter().find(|stage| stage.dropped()).unwrap();
    assert_eq!(
        (dropped.operator, dropped.rows_in[0], dropped.rows_out),
        ("where", 4, 0)
    );
    let Some(Why::Predicate(verdict)) = &dropped.why else {
        panic!("{:?}", dropped.why)
    };
    assert_eq!(verdict.shape, Shape::And);
    let said: Vec<_> = verdict.operands.iter().map(|operand| operand.value).collect();
    assert_eq!(said, [Some(true), Some(true), Some(false)]);
    let decisive: Vec<_> = verdict
        .decisive()
        .iter()
        .map(|leaf| leaf.span.of(query))
        .collect();
    assert_eq!(decisive, ["ReportId > least", "strlen(DeviceName) > 2"]);
    let parts: Vec<_> = verdict
        .decisive()
        .iter()
        .flat_map(|leaf| &leaf.parts)
        .map(|part| {
            let name = part
                .name
                .clone()
                .unwrap_or_else(|| part.span.of(query).to_owned());
            format!("{name}={}", text::print(&part.value))
        })
        .collect();
    assert_eq!(
        parts,
        ["ReportId=2", "least=3", "DeviceName=b", "strlen(DeviceName)=1"]
    );
}

#[test]
fn windows_and_subqueries_in_predicates_are_looked_at() {
    let (_, stages) =
        follow("DeviceEvents | sort by ReportId asc | where row_number() > 2 and prev(ReportId) == 1");
    let dropped = stages.iter().find(|stage| stage.dropped()).unwrap();
    let Some(Why::Predicate(verdict)) = &dropped.why else {
        panic!("{:?}", dropped.why)
    };
    let said: Vec<_> = verdict.operands.iter().map(|operand| operand.value).collect();
    assert_eq!(said, [Some(false), Some(true)]);
    let (_, stages) = follow("DeviceInfo | where DeviceName in ((DeviceEvents | project DeviceName))");
    let operators: Vec<_> = stages.iter().map(|stage| stage.operator).collect();
    // The subquery is looked at once, and its rows become a list.
    assert_eq!(operators, ["table", "table", "project", "list", "where"]);
    assert!(stages[3].lost && stages[3].event_in == 1);
}

#[test]
fn joins_say_who_is_missing() {
    let why = |query: &str| {
        let (_, stages) = follow(query);
        let join = stages.into_iter().find(rulec_eval::Stage::dropped).unwrap();
        match join.why {
            Some(Why::Partners(partners)) => partners,
            why => panic!("{why:?}"),
        }
    };
    let none = why(
        "DeviceEvents | join kind=inner (DeviceInfo | project DeviceName, ReportId = 9) on DeviceName, ReportId",
    );
    assert_eq!((none.others, none.partners, none.right), (2, 0, false));
    let keys: Vec<_> = none.keys.iter().map(|key| key.partners).collect();
    assert_eq!(keys, [1, 0]);
    let excluded = why("DeviceEvents | join kind=leftanti DeviceInfo on DeviceName");
    assert_eq!((excluded.kind, excluded.partners), ("leftanti", 1));
    let twin = why("DeviceEvents | sort by ReportId desc | join DeviceInfo on DeviceName");
    assert!(twin.twin && twin.partners == 1);
}
