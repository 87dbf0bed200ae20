//! Large and deeply nested texts: bound in reasonable time or refused with
//! one finding, never a crash.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::{Catalog, Lowered, codes, lower};

fn bound(query: &str) -> Lowered {
    let tables = Tables::new(&Pack::embedded(), Environment::M365).unwrap();
    lower(&rulec_kql::parse(query), &Catalog::new(Arc::new(tables)))
}

fn joined(count: usize, separator: &str, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(separator)
}

/// Bound without any finding.
fn accepted(query: &str) {
    let lowered = bound(query);
    assert_eq!(lowered.diagnostics, []);
    rulec_ir::dump(&lowered.query);
}

/// Refused once for its size.
fn refused(query: &str) {
    let lowered = bound(query);
    let found = lowered
        .diagnostics
        .iter()
        .filter(|d| d.code == codes::TOO_LARGE)
        .count();
    assert_eq!(found, 1, "{:?}", lowered.diagnostics);
    rulec_ir::dump(&lowered.query);
}

#[test]
fn long_lists() {
    accepted(&format!(
        "DeviceEvents | where {}",
        joined(5000, " or ", |i| format!("FileName == 'x{i}'"))
    ));
    accepted(&format!(
        "DeviceEvents | where FileName in ({})",
        joined(50_000, ", ", |i| format!("'x{i}'"))
    ));
    accepted(&format!(
        "DeviceEvents | extend {}",
        joined(3000, ", ", |i| format!("a{i} = {i}"))
    ));
    accepted(&format!("print {}", joined(100, " + ", |i| i.to_string())));
}

#[test]
fn many_lets() {
    let mut query = "let a0 = 1;\n".to_owned();
    for i in 1..=2000 {
        writeln!(query, "let a{i} = a{} + 1;", i - 1).unwrap();
    }
    query.push_str("print a2000");
    accepted(&query);
    let mut query = "let t0 = DeviceEvents;\n".to_owned();
    for i in 1..=2000 {
        writeln!(query, "let t{i} = t{} | where FileName != '{i}';", i - 1).unwrap();
    }
    query.push_str("t2000");
    accepted(&query);
}

#[test]
fn long_pipelines_and_sums() {
    let query = |n| {
        format!(
            "DeviceEvents {}",
            joined(n, "\n", |i| format!("| where FileName != 'x{i}'"))
        )
    };
    accepted(&query(400));
    refused(&query(5000));
    refused(&format!("print {}", joined(5000, " + ", |i| i.to_string())));
}

#[test]
fn functions_that_double() {
    let mut calls = "let f0 = (x: long) { x + 1 };\n".to_owned();
    let mut nested = "let f0 = (x: long) { x + x };\n".to_owned();
    let mut tables = "let f0 = (T: (*)) { union T, T };\n".to_owned();
    for i in 1..=40 {
        let before = i - 1;
        writeln!(calls, "let f{i} = (x: long) {{ f{before}(x) + f{before}(x) }};").unwrap();
        writeln!(nested, "let f{i} = (x: long) {{ f{before}(f{before}(x)) }};").unwrap();
        writeln!(tables, "let f{i} = (T: (*)) {{ f{before}((union T, T)) }};").unwrap();
    }
    refused(&format!("{calls} print f40(1)"));
    refused(&format!("{nested} print f40(1)"));
    refused(&format!("{tables} f40(DeviceEvents)"));
}

#[test]
fn nested_subqueries_of_every_kind() {
    let nest =
        |open: &str, core: &str, close: &str| format!("{}{core}{}", open.repeat(190), close.repeat(190));
    for (open, core, close) in [
        ("toscalar(", "DeviceEvents", " | count)"),
        ("DeviceEvents | join (", "DeviceEvents", ") on DeviceId"),
        ("union (", "DeviceEvents", "), DeviceInfo"),
        ("DeviceEvents | mv-apply x = AdditionalFields on (", "take 1", ")"),
        ("DeviceEvents | where DeviceId in (", "DeviceEvents", ")"),
        ("strcat('a', ", "'b'", ")"),
        ("(", "1", ")"),
        ("DeviceEvents | partition by DeviceId (", "take 1", ")"),
        ("materialize(", "DeviceEvents", ")"),
    ] {
        let query = nest(open, core, close);
        let query = if open.starts_with(['t', 's', '(']) {
            format!("print x = {query}")
        } else {
            query
        };
        let lowered = bound(&query);
        rulec_ir::dump(&lowered.query);
    }
}
