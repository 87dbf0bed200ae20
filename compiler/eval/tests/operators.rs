//! Every operator and plugin runs, or is refused by name at its place before
//! any data is asked for: the queries of tests/cases/kql/operators, one or more
//! for each.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its cases")]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rulec_facts::tables::Environment;
use rulec_functions::text;
use rulec_runtime::{Batch, Code, Context, RuntimeError, TableRequest, Tables};

/// Tables without rows, and how often one was asked for.
#[derive(Default)]
struct Empty(AtomicUsize);

impl Tables for Empty {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Batch::empty(request.schema.clone(), request.memory))
    }
}

#[test]
fn each_runs_or_is_refused_before_data_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/kql/operators");
    let mut paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kql"))
        .collect::<Vec<_>>();
    paths.sort();
    let (mut ran, mut refused) = (0, Vec::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let query = std::fs::read_to_string(&path).unwrap();
        // Some show what the language refuses.
        let Ok(lowered) = common::bind(&query, Environment::MergedColumns) else {
            continue;
        };
        let tables = Empty::default();
        let context = Context::new(text::parse_datetime(common::NOW).unwrap(), &tables);
        let result = rulec_eval::run(&lowered.query, &context);
        let found = rulec_eval::unsupported(&lowered.query);
        match (result, found.first()) {
            (Ok(_), None) => ran += 1,
            (Err(error), Some((span, construct))) => {
                assert_eq!(error.code, Code::UNSUPPORTED, "{name}: {error}");
                assert_eq!(error.span, *span, "{name}");
                assert!(span.of(&query).len() > 1, "{name}: {construct} has no place");
                assert_eq!(tables.0.load(Ordering::Relaxed), 0, "{name} read data first");
                refused.push(format!("{name}: {construct}"));
            }
            (Ok(_), Some((_, construct))) => panic!("{name} runs, though it has {construct}"),
            (Err(error), None) => panic!("{name}: {error} [{}]", error.span.of(&query)),
        }
    }
    println!("{ran} run, refused are\n{}", refused.join("\n"));
    assert!(ran >= 80, "only {ran} run");
}
