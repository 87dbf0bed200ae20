//! Documents that other people wrote, as many as there are: nothing panics,
//! every finding has a place, and every rule is explained and emitted or
//! refused with a reason.

#![allow(clippy::print_stdout)] // A test that is left out says so.

use std::path::Path;

use rulec_driver::{Compilation, Pipeline, build, explain};
use rulec_source::{Diagnostic, SourceFile};

/// A label that renderers can show as it is.
fn fits(file: &SourceFile, diagnostic: &Diagnostic) -> bool {
    diagnostic.span().is_some_and(|span| {
        let range = span.range();
        range.end <= file.text.len()
            && file.text.is_char_boundary(range.start)
            && file.text.is_char_boundary(range.end)
    })
}

fn compile(pipeline: &Pipeline, folder: &str) -> Option<Compilation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/corpus")
        .join(folder);
    if !path.is_dir() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(pipeline.compile(&[path]))
}

fn try_all(folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pipeline = Pipeline::open(&root, None).unwrap_or_else(|r| panic!("{}", r.diagnostic.message));
    let Some(mut compilation) = compile(&pipeline, folder) else {
        return;
    };
    assert!(compilation.documents.len() > 5);
    for document in &compilation.documents {
        for diagnostic in &document.diagnostics {
            let name = &document.file.path;
            assert!(fits(&document.file, diagnostic), "{name}: {diagnostic:?}");
            for label in diagnostic.fix.iter().flat_map(|f| &f.edits) {
                assert!(
                    label.span.range().end <= document.file.text.len(),
                    "{name}: {diagnostic:?}"
                );
            }
        }
    }
    let corpus = explain::corpus(&pipeline, &compilation);
    let explained = explain::run(&pipeline, &compilation, &corpus, explain::Format::Markdown);
    assert!(explained.is_some_and(|text| !text.is_empty()));
    // No query that parses is left unexplained, and no stage untold.
    for document in &compilation.documents {
        let explained = explain::explanations(&pipeline, document);
        for (query, explanation) in document.queries.iter().zip(&explained) {
            let name = &document.file.path;
            if query.parsed.diagnostics.iter().any(Diagnostic::is_error)
                || query.parsed.query.statements.is_empty()
            {
                continue;
            }
            let shows = query
                .parsed
                .query
                .statements
                .iter()
                .any(|s| s.kind() == "expression");
            assert_eq!(explanation.stages.is_empty(), !shows, "{name}");
            for stage in &explanation.stages {
                assert!(
                    !stage.does.is_empty() && !stage.text.is_empty(),
                    "{name}: {stage:?}"
                );
                assert!(stage.line > 0, "{name}: {stage:?}");
            }
        }
    }
    // Other people's documents share ids; only the first of each is emitted.
    compilation.documents.retain(rulec_driver::Document::is_sound);
    let built = pipeline.build(&compilation, &build::Options::default());
    for finding in built.findings() {
        let diagnostic = finding.diagnostic;
        let placed = diagnostic.span().is_none() || fits(finding.file, diagnostic);
        assert!(placed, "{}: {diagnostic:?}", finding.file.path);
    }
}

#[test]
fn falcon_friday() {
    try_all("FalconFriday");
}

#[test]
fn hunting_queries() {
    try_all("Hunting-Queries-Detection-Rules");
}

#[test]
fn microsoft_hunting_queries() {
    try_all("Microsoft-365-Defender-Hunting-Queries");
}

#[test]
fn threat_hunting() {
    try_all("Threat-Hunting-and-Detection");
}
