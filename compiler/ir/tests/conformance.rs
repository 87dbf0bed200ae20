//! The binder against answers of Microsoft's analyser, where the shared
//! corpus is present: verdicts, result columns, operators.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read the corpus beside the repository and say how it went"
)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::Catalog;
use rulec_ir::analyze::{Analysis, analyze};
use serde_json::Value;

struct Case {
    id: String,
    query: String,
    expected: Value,
}

fn corpus() -> Option<Vec<Case>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let (Ok(queries), Ok(answers)) = (
        std::fs::read_to_string(folder.join("kql.ndjson")),
        std::fs::read_to_string(folder.join("kql.expected.ndjson")),
    ) else {
        println!("skipped: no conformance corpus beside the repository");
        return None;
    };
    let mut answers: HashMap<String, Value> = answers
        .lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line).unwrap();
            (answer["id"].as_str().unwrap().to_owned(), answer)
        })
        .collect();
    Some(
        queries
            .lines()
            .map(|line| {
                let request: Value = serde_json::from_str(line).unwrap();
                let id = request["id"].as_str().unwrap().to_owned();
                Case {
                    query: request["query"].as_str().unwrap().to_owned(),
                    expected: answers.remove(&id).unwrap(),
                    id,
                }
            })
            .collect(),
    )
}

fn catalog() -> Catalog {
    let tables = Tables::new(&Pack::embedded(), Environment::MergedColumns).unwrap();
    Catalog::new(Arc::new(tables)).open(true)
}

fn columns_of(answer: &Value) -> Option<Vec<String>> {
    let columns = answer["result_columns"].as_array()?;
    Some(
        columns
            .iter()
            .map(|c| format!("{}:{}", c["name"].as_str().unwrap(), c["type"].as_str().unwrap()))
            .collect(),
    )
}

fn columns(analysis: &Analysis) -> Option<Vec<String>> {
    let columns = analysis.result_columns.as_ref()?;
    Some(columns.iter().map(|c| format!("{}:{}", c.name, c.kind)).collect())
}

fn errors(answer: &Value) -> bool {
    answer["semantic_errors"]
        .as_array()
        .is_some_and(|e| !e.is_empty())
}

/// What differs, one a line: what, which query, why.
struct Known {
    what: &'static str,
    id: &'static str,
}

/// The checked-in list; every entry has to give a reason.
fn known() -> Vec<Known> {
    let text = include_str!("differs.txt");
    let mut known = Vec::new();
    let mut reason = "";
    for line in text.lines().filter(|l| !l.is_empty()) {
        if let Some(because) = line.strip_prefix("# because ") {
            reason = because;
        } else if !line.starts_with('#') {
            let (what, id) = line.split_once(' ').unwrap();
            assert!(!reason.is_empty(), "`{line}` stands without a reason");
            assert!(
                ["verdict", "columns", "operators", "functions"].contains(&what),
                "{line}"
            );
            known.push(Known { what, id });
        }
    }
    known
}

fn names(answer: &Value, key: &str) -> Vec<String> {
    let list = answer[key].as_array().into_iter().flatten();
    list.map(|o| o.as_str().unwrap().to_owned()).collect()
}

/// What an analysis says differently: what, and both answers.
fn differences(case: &Case, analysis: &Analysis) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if errors(&case.expected) == analysis.semantic_errors.is_empty() {
        let theirs = case.expected["semantic_errors"].as_array().unwrap();
        let theirs: Vec<_> = theirs.iter().take(2).map(|e| &e["message"]).collect();
        let ours: Vec<_> = analysis
            .semantic_errors
            .iter()
            .take(3)
            .map(|e| &e.message)
            .collect();
        found.push(("verdict", format!("{theirs:?}\n    {ours:?}")));
    }
    if let Some(expected) = columns_of(&case.expected) {
        let ours = columns(analysis).unwrap_or_default();
        if ours != expected {
            let at = expected.iter().zip(&ours).take_while(|(a, b)| a == b).count();
            let some = |list: &[String]| list.iter().skip(at).take(6).cloned().collect::<Vec<_>>();
            found.push(("columns", format!("{:?}\n    {:?}", some(&expected), some(&ours))));
        }
    }
    let theirs = names(&case.expected, "operators");
    if theirs != analysis.operators {
        found.push(("operators", format!("{theirs:?}\n    {:?}", analysis.operators)));
    }
    let (mut theirs, mut ours) = (names(&case.expected, "functions"), analysis.functions.clone());
    theirs.retain(|f| f != "dynamic");
    theirs.sort();
    ours.sort();
    if theirs != ours {
        found.push(("functions", format!("{theirs:?}\n    {ours:?}")));
    }
    found
}

#[test]
fn verdicts_columns_and_operators() {
    let Some(cases) = corpus() else { return };
    let catalog = catalog();
    let known = known();
    let mut unexplained = Vec::new();
    let mut gone: Vec<(&str, &str)> = known.iter().map(|k| (k.what, k.id)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for case in &cases {
        for (what, answers) in differences(case, &analyze(&case.query, &catalog)) {
            *counts.entry(what).or_default() += 1;
            if known.iter().any(|k| k.what == what && k.id == case.id) {
                gone.retain(|entry| *entry != (what, case.id.as_str()));
            } else {
                unexplained.push(format!("{what} {}\n    {answers}", case.id));
            }
        }
    }
    let tables = cases.iter().filter(|c| columns_of(&c.expected).is_some()).count();
    for (what, all, least) in [
        ("verdict", cases.len(), 97.0),
        ("columns", tables, 97.0),
        ("operators", cases.len(), 98.0),
        ("functions", cases.len(), 98.0),
    ] {
        let same = all - counts.get(what).copied().unwrap_or_default();
        let percent = same as f64 * 100.0 / all as f64;
        println!("{what:<10}{same} of {all}, {percent:.1} %");
        assert!(percent >= least, "{what} fell to {percent:.2} %");
    }
    assert!(
        unexplained.is_empty(),
        "differences without a reason in tests/differs.txt:\n{}",
        unexplained.join("\n")
    );
    assert!(
        gone.is_empty(),
        "these no longer differ; take them out of tests/differs.txt: {gone:?}"
    );
}

/// The twin that runs anywhere: the list is well formed and names nothing twice.
#[test]
fn known_differences_are_explained() {
    let known = known();
    let mut seen = std::collections::HashSet::new();
    for entry in &known {
        assert!(
            seen.insert((entry.what, entry.id)),
            "{} {} stands twice",
            entry.what,
            entry.id
        );
    }
}
