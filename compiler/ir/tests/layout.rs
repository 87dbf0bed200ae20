//! The layout of a query does not change what it means: the same algebra, the
//! same findings about the same words.
//!
//! Over the queries of this repository (rules/, tests/cases), and over public
//! ones where they lie beside it.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read their cases and say when there are none"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::{Catalog, Query, lower};
use rulec_kql::{Parsed, parse, print};
use rulec_source::Diagnostic;

fn catalog() -> Catalog {
    let tables = Tables::new(&Pack::embedded(), Environment::MergedColumns).unwrap();
    Catalog::new(Arc::new(tables)).open(true)
}

/// All that a query consists of, but for where it stands in the text.
fn without_places(query: &Query) -> String {
    let all = format!("{query:?}");
    let mut parts = all.split("Span { start: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('}').unwrap();
        out.push_str("Span");
        out.push_str(rest);
    }
    out
}

/// What is said about a query, and about which words of it.
fn findings(parsed: &Parsed, diagnostics: &[Diagnostic]) -> Vec<(String, String, Vec<String>)> {
    let words = |d: &Diagnostic| -> Vec<String> {
        let text = |span: rulec_source::Span| span.of(&parsed.text).split_whitespace().collect::<String>();
        d.labels.iter().map(|l| text(l.span)).collect()
    };
    diagnostics
        .iter()
        .map(|d| (d.code.id.to_owned(), d.message.clone(), words(d)))
        .collect()
}

/// Holds one text to it; whether it is KQL.
fn hold(name: &str, text: &str, catalog: &Catalog) -> bool {
    let parsed = parse(text);
    if parsed.has_errors() {
        return false;
    }
    let printed = parse(&print(&parsed));
    let (before, after) = (lower(&parsed, catalog), lower(&printed, catalog));
    assert_eq!(
        rulec_ir::dump(&before.query),
        rulec_ir::dump(&after.query),
        "{name}"
    );
    assert_eq!(
        without_places(&before.query),
        without_places(&after.query),
        "{name}"
    );
    assert_eq!(
        findings(&parsed, &before.diagnostics),
        findings(&printed, &after.diagnostics),
        "{name}"
    );
    true
}

/// The queries of the files below a folder: query files whole, of documents the code blocks.
fn queries(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(next)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if matches!(extension, "md" | "kql") {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                let name = path.display().to_string();
                if extension == "kql" {
                    found.push((name, text));
                } else {
                    let blocks = text.split("```").skip(1).step_by(2);
                    let body = |block: &str| block.split_once('\n').map(|(_, body)| body.to_owned());
                    found.extend(blocks.filter_map(body).map(|body| (name.clone(), body)));
                }
            }
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn our_queries_mean_the_same() {
    let catalog = catalog();
    let mut held = 0;
    for folder in ["rules", "tests/cases"] {
        for (name, query) in queries(&root().join(folder)) {
            held += usize::from(hold(&name, &query, &catalog));
        }
    }
    assert!(held >= 80, "{held}");
}

#[test]
fn public_queries_mean_the_same() {
    let shared = root().join("../shared");
    let (corpus, conformance) = (shared.join("corpus"), shared.join("conformance/kql.ndjson"));
    let (true, Ok(lines)) = (corpus.is_dir(), std::fs::read_to_string(conformance)) else {
        println!("skipped: there are no public queries beside the repository");
        return;
    };
    let catalog = catalog();
    let mut held = 0;
    let found = queries(&corpus);
    for (name, query) in &found {
        held += usize::from(hold(name, query, &catalog));
    }
    assert!(held >= 400, "{held}");
    let seen: BTreeSet<String> = found
        .into_iter()
        .map(|(_, query)| query.trim().to_owned())
        .collect();
    for line in lines.lines() {
        let request: serde_json::Value = serde_json::from_str(line).unwrap();
        let query = request["query"].as_str().unwrap();
        if !seen.contains(query.trim()) {
            held += usize::from(hold(&request["id"].to_string(), query, &catalog));
        }
    }
    println!("held: {held}");
}
