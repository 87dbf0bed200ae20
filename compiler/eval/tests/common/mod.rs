//! Query text to rows.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rulec_eval::EvalError;
use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_functions::text;
use rulec_ir::{Catalog, Lowered, lower};
use rulec_runtime::{Batch, Context, InMemory};

/// The time queries run at.
pub(crate) const NOW: &str = "2026-06-15T12:00:00Z";

fn catalog(environment: Environment) -> Catalog {
    static TABLES: Mutex<BTreeMap<&str, Arc<Tables>>> = Mutex::new(BTreeMap::new());
    let mut known = TABLES.lock().unwrap();
    let tables = known
        .entry(environment.name())
        .or_insert_with(|| Arc::new(Tables::new(&Pack::embedded(), environment).unwrap()));
    Catalog::new(Arc::clone(tables)).open(true)
}

/// A query that has no errors.
pub(crate) fn bind(query: &str, environment: Environment) -> Result<Lowered, String> {
    let parsed = rulec_kql::parse(query);
    let lowered = lower(&parsed, &catalog(environment));
    match parsed
        .diagnostics
        .iter()
        .chain(&lowered.diagnostics)
        .find(|found| found.is_error())
    {
        Some(error) => Err(format!("{}: {}", error.code.id, error.message)),
        None => Ok(lowered),
    }
}

pub(crate) fn run_over(query: &str, environment: Environment, tables: &InMemory) -> Result<Batch, String> {
    let lowered = bind(query, environment)?;
    let context = Context::new(text::parse_datetime(NOW).unwrap(), tables);
    let located = |error: EvalError| format!("{error} [{}]", error.span.of(query));
    rulec_eval::run(&lowered.query, &context).map_err(located)
}

pub(crate) fn run(query: &str, environment: Environment) -> Result<Batch, String> {
    run_over(query, environment, &InMemory::new())
}

/// The rows as printed values, bars between columns.
pub(crate) fn rows(batch: &Batch) -> Vec<String> {
    batch
        .iter()
        .map(|row| row.values().iter().map(text::print).collect::<Vec<_>>().join("|"))
        .collect()
}

/// What a query gives, which must run: the names of the columns with bars
/// between them, then the rows.
pub(crate) fn of(query: &str) -> Vec<String> {
    let batch = run(query, Environment::M365).unwrap_or_else(|error| panic!("{query}: {error}"));
    let names = batch
        .schema()
        .columns()
        .iter()
        .map(|column| column.name.to_string())
        .collect::<Vec<_>>();
    [names.join("|")].into_iter().chain(rows(&batch)).collect()
}
