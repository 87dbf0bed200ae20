//! Public detection queries: each runs over tables without rows and over
//! tables with one row of made-up values, or says what of it cannot run.
//! Skipped, and said so, where the queries are not beside the repository.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its cases")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use rulec_facts::tables::Environment;
use rulec_functions::{Type, Value, json, text};
use rulec_runtime::{Batch, Context, RuntimeError, TableRequest, Tables, Vector};
use serde_json::Value as Json;

/// How many queries must run; raised as the language fills up.
const REACHED: usize = 489;

/// Every table has so many rows, all alike.
struct Made(usize);

impl Tables for Made {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        let values = request.schema.columns().iter().map(|column| {
            let value = match column.ty {
                Type::Bool => Value::Bool(true),
                Type::Int => Value::Int(7),
                Type::Long => Value::Long(7),
                Type::Real => Value::Real(0.5),
                Type::Decimal => Value::Null,
                Type::DateTime => Value::DateTime(text::parse_datetime(common::NOW).unwrap() - 1),
                Type::TimeSpan => Value::TimeSpan(1),
                Type::Guid => Value::Guid(7),
                Type::Dynamic => json::parse_json(r#"{"a":[1,"x"],"IPAddress":"10.0.0.1"}"#),
                Type::String | Type::Unknown => Value::string(format!("{} C:\\a.exe", column.name)),
            };
            Vector::constant(value, self.0)
        });
        let columns = values.collect();
        Batch::with_rows(request.schema.clone(), columns, self.0, request.memory, "test")
    }
}

#[test]
fn public_queries() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/kql.ndjson");
    let Ok(cases) = std::fs::read_to_string(&path) else {
        println!("skipped: the queries are not at {}", path.display());
        return;
    };
    let (mut ran, mut total) = (0, 0);
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (id, query) = (case["id"].as_str().unwrap(), case["query"].as_str().unwrap());
        total += 1;
        let outcome = common::bind(query, Environment::MergedColumns).and_then(|lowered| {
            for rows in [0, 1] {
                let made = Made(rows);
                let context = Context::new(text::parse_datetime(common::NOW).unwrap(), &made);
                let result = rulec_eval::run(&lowered.query, &context).map_err(|error| error.to_string())?;
                if let Some(root) = &lowered.query.root {
                    let names = result.schema().columns().iter().map(|column| column.name.clone());
                    let declared = root.columns.iter().map(|column| column.name.clone());
                    assert!(
                        names.take(root.columns.len()).eq(declared),
                        "{id}: other columns than declared"
                    );
                }
            }
            Ok(())
        });
        match outcome {
            Ok(()) => ran += 1,
            Err(reason) => reasons.entry(reason).or_insert((0, id.to_owned())).0 += 1,
        }
    }
    for (reason, (count, id)) in &reasons {
        println!("{count:4} {reason} ({id})");
    }
    println!("{ran} of {total} public queries run");
    assert!(
        ran >= REACHED,
        "{ran} of {total}, but {REACHED} were reached before"
    );
}
