//! The examples of the KQL documentation: run each, compare columns and rows.
//!
//! Documentation prints values for people (times without zone, numbers cut
//! short, JSON over several lines, rows in no order), so the comparison
//! forgives spelling but no value. Skipped, and said so, where the examples
//! are not beside the repository.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its cases")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use rulec_facts::tables::Environment;
use rulec_functions::{Value, text};
use rulec_runtime::{Batch, Row};
use serde_json::Value as Json;

/// The examples that cannot pass, each with its reason: a line `id: reason`.
const KNOWN: &str = include_str!("results-known.txt");

#[test]
fn documentation_examples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/results.ndjson");
    let Ok(cases) = std::fs::read_to_string(&path) else {
        println!("skipped: the examples are not at {}", path.display());
        return;
    };
    let known = KNOWN
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|line| {
            line.split_once(": ")
                .expect("a line of the list has an id and a reason")
        })
        .collect::<BTreeMap<_, _>>();
    let (mut passed, mut total) = (0, 0);
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        total += 1;
        match (
            check(case["query"].as_str().unwrap(), &case["output"]),
            known.get(id),
        ) {
            (Ok(()), None) => passed += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{id} passes; it need not be listed")),
            (Err(_), Some(_)) => {}
            (Err(why), None) => wrong.push(format!("{id}: {why}")),
        }
    }
    println!("{passed} of {total} documentation examples");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(query: &str, expected: &Json) -> Result<(), String> {
    // Some examples are a bare expression.
    let printed = || common::run(&format!("print {query}"), Environment::Docs);
    let actual = match common::run(query, Environment::Docs) {
        Ok(batch) if batch.schema().is_empty() => printed()?,
        Ok(batch) => batch,
        Err(error) => printed().map_err(|_| error)?,
    };
    let columns = expected["columns"].as_array().unwrap();
    let rows = expected["rows"].as_array().unwrap();
    let names = actual
        .schema()
        .columns()
        .iter()
        .map(|column| plain(&column.name))
        .collect::<Vec<_>>();
    let wanted = columns
        .iter()
        .map(|name| plain(name.as_str().unwrap()))
        .collect::<Vec<_>>();
    if names.len() != wanted.len() {
        return Err(format!("columns {names:?}, not {wanted:?}"));
    }
    // Documentation calls unnamed results as it likes.
    let unnamed = |name: &str| name.starts_with("print_") || name.starts_with("Column");
    if let Some((name, wanted)) = names
        .iter()
        .zip(&wanted)
        .find(|(name, wanted)| name != wanted && !unnamed(name))
    {
        return Err(format!("column {name}, not {wanted}"));
    }
    compare_rows(&actual, rows)
}

fn compare_rows(actual: &Batch, rows: &[Json]) -> Result<(), String> {
    // Long results are cut in documentation.
    let cut = rows.iter().any(|row| {
        row.as_array()
            .unwrap()
            .iter()
            .any(|cell| cell == "..." || cell == "…")
    });
    if actual.rows() != rows.len() && !cut {
        return Err(format!("{} rows, not {}", actual.rows(), rows.len()));
    }
    let mut left = actual.iter().map(Row::values).collect::<Vec<_>>();
    for row in rows {
        let cells = row
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| cell.as_str().unwrap())
            .collect::<Vec<_>>();
        if cells.contains(&"...") || cells.contains(&"…") {
            continue;
        }
        let found = left
            .iter()
            .position(|values| values.iter().zip(&cells).all(|(value, cell)| same(value, cell)));
        let Some(found) = found else {
            let near = left
                .first()
                .map(|row| row.iter().map(text::print).collect::<Vec<_>>());
            return Err(format!("no row {cells:?}; the first left is {near:?}"));
        };
        left.remove(found);
    }
    Ok(())
}

fn plain(name: &str) -> String {
    name.trim().trim_matches('`').to_owned()
}

/// Whether a value is what documentation prints.
fn same(value: &Value, cell: &str) -> bool {
    let cell = cell
        .trim()
        .trim_matches('`')
        .replace("<br>", "\n")
        .replace("<br />", "\n")
        .replace("\\|", "|");
    let cell = cell
        .strip_prefix('<')
        .and_then(|cell| cell.strip_suffix('>'))
        .unwrap_or(&cell);
    let printed = text::print(value);
    if printed.trim() == cell.trim() || value.is_null() && matches!(cell, "" | "null" | "(null)") {
        return true;
    }
    if let (Some(a), Some(b)) = (number(&printed), number(cell)) {
        return close(a, b, cell);
    }
    match value {
        Value::Bool(b) => {
            cell.eq_ignore_ascii_case(if *b { "true" } else { "false" }) || cell == if *b { "1" } else { "0" }
        }
        Value::DateTime(ticks) => text::parse_datetime(cell) == Some(*ticks),
        Value::TimeSpan(ticks) => text::parse_timespan(cell) == Some(*ticks),
        Value::Array(_) | Value::Bag(_) => squeezed(&printed) == squeezed(cell) || same_json(&printed, cell),
        _ => squeezed(&printed) == squeezed(cell),
    }
}

fn number(text: &str) -> Option<f64> {
    match text.trim() {
        "∞" => Some(f64::INFINITY),
        "-∞" => Some(f64::NEG_INFINITY),
        other => other.parse().ok(),
    }
}

/// Equal as far as the documentation has digits.
fn close(a: f64, b: f64, printed: &str) -> bool {
    if a == b || a.is_nan() && b.is_nan() {
        return true;
    }
    let digits = printed
        .split(['e', 'E'])
        .next()
        .unwrap_or("")
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    (a - b).abs() <= b.abs() * 10_f64.powi(1 - i32::try_from(digits.min(15)).unwrap())
}

/// JSON with numbers compared as numbers and keys in any order.
fn same_json(a: &str, b: &str) -> bool {
    fn equal(a: &Json, b: &Json) -> bool {
        match (a, b) {
            (Json::Number(x), Json::Number(y)) => {
                close(x.as_f64().unwrap(), y.as_f64().unwrap(), &y.to_string())
            }
            (Json::Array(x), Json::Array(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
            }
            (Json::Object(x), Json::Object(y)) => {
                x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| equal(x, y)))
            }
            _ => a == b,
        }
    }
    match (serde_json::from_str::<Json>(a), serde_json::from_str::<Json>(b)) {
        (Ok(a), Ok(b)) => equal(&a, &b),
        _ => false,
    }
}

/// Without blanks and quotes, which documentation sets as it likes.
fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '"' && *c != '\\' && *c != '`')
        .collect()
}
