//! The catalog page that explanations began from, and what rulec says of the
//! same rule: the same lists, point by point.
//!
//! Its twin is tests/cases/explain/process-injection-from-untrusted-process.md
//! with its expectation, which need no page.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)] // A test reads its cases and says what it leaves out.

use std::{collections::BTreeSet, fs, path::Path};

use rulec_driver::{Compilation, Pipeline, explain};
use rulec_source::SourceFile;
use serde_json::Value;

const CASE: &str = "cases/explain/process-injection-from-untrusted-process.md";

/// The page: the first seed whose name begins so.
fn page() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/seeds");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    let path = entries.flatten().map(|entry| entry.path()).find(|path| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("000"))
    })?;
    Some(fs::read_to_string(path).unwrap().replace("\r\n", "\n"))
}

/// What stands between two lines of the page, without them.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let page = &page[page.find(from).unwrap_or_else(|| panic!("no {from:?}")) + from.len()..];
    &page[..page.find(to).unwrap_or_else(|| panic!("no {to:?}"))]
}

/// The rows of a table without its header, cells trimmed.
fn rows(section: &str) -> Vec<Vec<String>> {
    section
        .lines()
        .filter(|line| line.contains('|') && !line.contains("---"))
        .skip(1)
        .map(|line| {
            let cells = line.trim().trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

fn explained() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pipeline =
        Pipeline::open(&root.join(".."), None).unwrap_or_else(|r| panic!("{}", r.diagnostic.message));
    let text = fs::read_to_string(root.join(CASE)).unwrap();
    let compilation = Compilation {
        documents: vec![pipeline.document(SourceFile::new("seed.md", text))],
    };
    let corpus = explain::corpus(&pipeline, &compilation);
    let json = explain::run(&pipeline, &compilation, &corpus, explain::Format::Json).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("no {key}"))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn the_case_has_the_query_of_the_page() {
    let Some(page) = page() else { return };
    let query = between(&page, "Rule body kusto\n", "\nStages and Predicates");
    let case = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(CASE)).unwrap();
    assert!(case.contains(&format!("```kql\n{query}\n```")));
}

#[test]
fn the_explanation_says_what_the_page_says() {
    let Some(page) = page() else { return };
    let found = explained();

    let parameters: Vec<String> = list(&found, "parameters")
        .iter()
        .map(|p| format!("let {} = {};", text(p, "name"), text(p, "value")))
        .collect();
    let told: Vec<&str> = between(&page, "\nParameters\n", "\nLet binding: ")
        .lines()
        .collect();
    assert_eq!(parameters, told);

    let bindings = list(&found, "bindings");
    let told: Vec<&str> = page.split("\nLet binding: ").skip(1).collect();
    assert_eq!(bindings.len(), told.len());
    for (binding, told) in bindings.iter().zip(told) {
        let (name, rest) = told.split_once('\n').unwrap();
        let (body, rest) = rest.split_once("\nDerived from ").unwrap();
        let derived: Vec<&str> = rest.split(".\n").next().unwrap().split(", ").collect();
        assert_eq!(text(binding, "name"), name);
        assert_eq!(text(binding, "text"), body);
        let found: Vec<&str> = list(binding, "derived_from")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(found, derived);
    }

    // Stages, and in front of each run of them the binding that it defines.
    let section = between(&page, "\nThe stages below define let ", "\nExclusions\n");
    let (defines, section) = section.split_once('\n').unwrap();
    let defined = defines.split(' ').next().unwrap();
    let mut binding = Some(defined.to_owned());
    let mut told: Vec<(String, String, Option<String>)> = Vec::new();
    for line in section.lines() {
        if line.starts_with("The stages below run on ") {
            assert!(line.contains(defined) && line.contains("outer pipeline"));
            binding = None;
        } else if let Some(heading) = line.strip_prefix("Stage ") {
            let (number, kind) = heading.split_once(": ").unwrap();
            assert_eq!(number.parse(), Ok(told.len() + 1));
            told.push((kind.to_owned(), String::new(), binding.clone()));
        } else {
            let (_, text, _) = told.last_mut().unwrap();
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(line);
        }
    }
    assert_eq!(told.len(), 10);
    let stages: Vec<(String, String, Option<String>)> = list(&found, "stages")
        .iter()
        .map(|s| {
            let binding = s["binding"].as_str().map(str::to_owned);
            (text(s, "kind").to_owned(), text(s, "text").to_owned(), binding)
        })
        .collect();
    assert_eq!(stages, told);

    let exclusions: Vec<Vec<String>> = list(&found, "exclusions")
        .iter()
        .map(|e| {
            let values: Vec<&str> = list(e, "values").iter().filter_map(Value::as_str).collect();
            vec![
                text(e, "field").to_owned(),
                text(e, "kind").to_owned(),
                values.join(", "),
            ]
        })
        .collect();
    assert_eq!(
        exclusions,
        rows(between(&page, "\nExclusions\n", "\nIndicators\n"))
    );

    // The page has lost the values of its indicators.
    let indicators: Vec<Vec<String>> = list(&found, "indicators")
        .iter()
        .map(|i| vec![text(i, "field").to_owned(), text(i, "kind").to_owned()])
        .collect();
    let told: Vec<Vec<String>> = rows(between(&page, "\nIndicators\n", "\nOutput fields\n"))
        .into_iter()
        .filter(|row| row.len() > 1)
        .map(|row| row[..2].to_vec())
        .collect();
    assert_eq!(indicators, told);

    let fields: BTreeSet<Vec<String>> = list(&found, "output_fields")
        .iter()
        .filter(|f| f["explicit"] == true)
        .map(|f| vec![text(f, "name").to_owned(), text(f, "source").to_owned()])
        .collect();
    let told: BTreeSet<Vec<String>> = rows(&page[page.find("\nOutput fields\n").unwrap()..])
        .into_iter()
        .collect();
    assert_eq!(fields, told);

    let events: BTreeSet<Vec<String>> = list(&found, "event_coverage")
        .iter()
        .map(|e| {
            ["provider", "event", "title"]
                .map(|key| text(e, key).to_owned())
                .to_vec()
        })
        .collect();
    let told = rows(between(&page, "\nEvent coverage\n", "\nRule body"));
    assert_eq!(events, told.into_iter().collect());

    let attack: BTreeSet<Vec<String>> = list(&found, "attack")
        .iter()
        .map(|tactic| {
            let techniques = list(tactic, "techniques").iter();
            let techniques: Vec<String> = techniques
                .map(|t| format!("{} {}", text(t, "id"), text(t, "name")))
                .collect();
            vec![text(tactic, "tactic").to_owned(), techniques.join(", ")]
        })
        .collect();
    let told = rows(between(&page, "\nMITRE ATT&CK coverage\n", "\nReferences"));
    assert_eq!(attack, told.into_iter().collect());
}

#[test]
fn the_values_that_the_page_has_lost_are_there() {
    let found = explained();
    let values = |field: &str| -> Vec<String> {
        let indicator = list(&found, "indicators")
            .iter()
            .find(|i| text(i, "field") == field)
            .unwrap();
        list(indicator, "values")
            .iter()
            .map(|v| text(v, "value").to_owned())
            .collect()
    };
    assert_eq!(values("ActionType").len(), 5);
    assert_eq!(values("ProcessId"), ["InitiatingProcessId"]);
}
