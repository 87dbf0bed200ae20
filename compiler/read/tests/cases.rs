//! Every document in `tests/cases/read/` against the model beside it.
//!
//! `UPDATE=1 cargo test -p rulec-read --test cases` writes what is read now;
//! the difference is then reviewed like code.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)] // these are tests

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rulec_facts::Pack;
use rulec_facts::aliases::Aliases;
use rulec_model::{FrontMatter, Severity};
use rulec_read::{CODES, Document, Options, RuleDoc, format_document, read};
use rulec_source::{Diagnostic, Label, SourceFile, Span};
use serde_json::{Map, Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/read")
}

fn cases() -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    cases.sort();
    cases
}

fn read_case(name: &str, text: &str) -> (SourceFile, RuleDoc) {
    let aliases = Aliases::load(&Pack::embedded()).unwrap();
    let options = Options {
        aliases: &aliases,
        defaults: FrontMatter {
            severity: Some(Severity::Low),
            ..FrontMatter::default()
        },
    };
    let file = SourceFile::new(format!("{name}.md"), text);
    let doc = read(&file, &options);
    (file, doc)
}

/// `12:3 the underlined text`, shortened.
fn place(file: &SourceFile, span: Span) -> String {
    let position = file.position(span.start as usize);
    let text = span.of(&file.text);
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{}:{} {}", position.line, position.column, shown.escape_debug())
}

fn diagnostic(file: &SourceFile, diagnostic: &Diagnostic) -> Value {
    let mut shown = json!({
        "code": diagnostic.code.id,
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
    });
    let label = |label: &Label| match label.text.as_str() {
        "" => place(file, label.span),
        text => format!("{} ({text})", place(file, label.span)),
    };
    let labels: Vec<String> = diagnostic.labels.iter().map(label).collect();
    shown["at"] = json!(labels);
    if !diagnostic.notes.is_empty() {
        shown["notes"] = json!(diagnostic.notes);
    }
    if let Some(help) = &diagnostic.help {
        shown["help"] = json!(help);
    }
    shown
}

fn shown(file: &SourceFile, doc: &RuleDoc) -> String {
    let document = match &doc.document {
        Document::Rule(rule) => json!({ "rule": rule }),
        Document::Replaced(replacement) => json!({ "replaced": replacement }),
        Document::NotARule { reason } => json!({ "not_a_rule": reason }),
    };
    let mut all = Map::new();
    all.extend(document.as_object().unwrap().clone());
    let diagnostics: Vec<Value> = doc.diagnostics.iter().map(|d| diagnostic(file, d)).collect();
    all.insert("diagnostics".to_owned(), json!(diagnostics));
    if !matches!(doc.document, Document::NotARule { .. }) {
        let places: Map<String, Value> = doc
            .places
            .iter()
            .map(|(pointer, span)| (pointer.clone(), json!(place(file, *span))))
            .collect();
        all.insert("places".to_owned(), json!(places));
    }
    let mut text = serde_json::to_string_pretty(&all).unwrap();
    text.push('\n');
    text
}

#[test]
fn documents_read_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = String::new();
    for (name, text) in cases() {
        let (file, doc) = read_case(&name, &text);
        let found = shown(&file, &doc);
        let path = folder().join(format!("{name}.json"));
        if update {
            fs::write(&path, &found).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            let diff = similar::TextDiff::from_lines(&expected, &found);
            let header = (format!("{name}.json"), "what was read".to_owned());
            let _ = writeln!(wrong, "{}", diff.unified_diff().header(&header.0, &header.1));
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nUPDATE=1 writes what was read");
}

#[test]
fn places_and_queries_lead_back() {
    for (name, text) in cases() {
        let (file, doc) = read_case(&name, &text);
        for span in doc.places.values().chain(
            doc.diagnostics
                .iter()
                .flat_map(|d| d.labels.iter().map(|l| &l.span)),
        ) {
            assert!(text.get(span.range()).is_some(), "{name}: {span:?}");
        }
        for (query, fragment) in doc
            .rule()
            .map_or(&[][..], |r| &r.queries)
            .iter()
            .zip(&doc.queries)
        {
            assert_eq!(query.text, fragment.text, "{name}");
            for piece in &fragment.pieces {
                let inner = Span::new(piece.inner as usize, (piece.inner + piece.len) as usize);
                let outer = Span::new(piece.outer as usize, (piece.outer + piece.len) as usize);
                assert_eq!(inner.of(&fragment.text), outer.of(&file.text), "{name}");
            }
        }
    }
}

#[test]
fn formatting_changes_the_layout_only() {
    for (name, text) in cases() {
        let (file, before) = read_case(&name, &text);
        let formatted = format_document(&file);
        let (again, after) = read_case(&name, &formatted);
        assert_eq!(format_document(&again), formatted, "{name}: not stable");
        let (Some(before), Some(after)) = (before.rule(), after.rule()) else {
            assert_eq!(before.document, after.document, "{name}");
            continue;
        };
        assert_eq!(before.queries, after.queries, "{name}");
        assert_eq!(before.attack, after.attack, "{name}");
        assert_eq!(before.data_sources, after.data_sources, "{name}");
        assert_eq!(before.versions, after.versions, "{name}");
        assert_eq!(before.references, after.references, "{name}");
        assert_eq!(before.sections.len(), after.sections.len(), "{name}");
        let visible =
            |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect() };
        assert_eq!(
            visible(&text).replace('|', ""),
            visible(&formatted).replace('|', ""),
            "{name}"
        );
    }
}

#[test]
fn every_code_has_a_case() {
    let mut unseen: Vec<&str> = CODES.iter().map(|c| c.id).collect();
    for (name, text) in cases() {
        let (_, doc) = read_case(&name, &text);
        unseen.retain(|id| doc.diagnostics.iter().all(|d| d.code.id != *id));
    }
    // A rule that was read cannot violate the schema by what a document says,
    // as far as is known; the finding is there for when that changes.
    unseen.retain(|id| *id != "RD050");
    assert!(unseen.is_empty(), "no case in tests/cases/read shows {unseen:?}");
    let mut ids: Vec<&str> = CODES.iter().map(|c| c.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), CODES.len());
}
