//! Formatting a document changes how it looks and nothing that it says: the
//! rule read from it is the same but for blanks in its prose and the layout
//! of its queries, and formatting again changes nothing.
//!
//! Over the documents of this repository (rules/, tests/cases), and over
//! public ones where they lie beside it.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)] // these are tests

use std::fs;
use std::path::{Path, PathBuf};

use rulec_driver::Pipeline;
use rulec_driver::format::lay_out;
use rulec_model::Rule;
use rulec_read::{Document, Options, RuleDoc};
use rulec_source::SourceFile;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pipeline() -> Pipeline {
    Pipeline::open(&root(), None).unwrap_or_else(|refused| panic!("{:?}", refused.diagnostic))
}

fn read(pipeline: &Pipeline, file: &SourceFile) -> RuleDoc {
    let options = Options {
        aliases: &pipeline.aliases,
        defaults: pipeline.repository.config.defaults.clone(),
    };
    rulec_read::read(file, &options)
}

/// A rule without what layout may change.
fn essence(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    for section in &mut rule.sections {
        section
            .text
            .retain(|c| !c.is_whitespace() && !matches!(c, '|' | '-'));
    }
    for query in &mut rule.queries {
        let parsed = rulec_kql::parse(&query.text);
        if !parsed.has_errors() {
            query.text = rulec_kql::print(&parsed);
        }
    }
    rule
}

/// Holds one document to it; whether it is a rule.
fn hold(pipeline: &Pipeline, name: &str, text: &str) -> bool {
    let file = SourceFile::new(name, text);
    let before = read(pipeline, &file);
    for kql in [false, true] {
        let formatted = SourceFile::new(name, lay_out(pipeline, &file, kql).0);
        let again = lay_out(pipeline, &formatted, kql).0;
        assert_eq!(again, formatted.text, "{name}: not stable");
        let after = read(pipeline, &formatted);
        match (before.rule(), after.rule()) {
            (Some(before), Some(after)) => {
                assert_eq!(essence(before), essence(after), "{name}");
                if !kql {
                    assert_eq!(before.queries, after.queries, "{name}");
                }
            }
            _ => assert_eq!(before.document, after.document, "{name}"),
        }
        let codes = |doc: &RuleDoc| {
            let mut codes: Vec<&str> = doc.diagnostics.iter().map(|d| d.code.id).collect();
            codes.sort_unstable();
            codes
        };
        assert_eq!(codes(&before), codes(&after), "{name}");
    }
    matches!(before.document, Document::Rule(_))
}

/// How many documents below a folder are rules.
fn hold_folder(pipeline: &Pipeline, folder: &Path, also_crlf: bool) -> usize {
    let mut held = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|e| e == "md") {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                held += usize::from(hold(pipeline, &name, &text));
                if also_crlf {
                    hold(pipeline, &name, &text.replace("\r\n", "\n").replace('\n', "\r\n"));
                }
            }
        }
    }
    held
}

#[test]
fn our_documents_say_the_same() {
    let pipeline = pipeline();
    assert!(hold_folder(&pipeline, &root().join("rules"), true) >= 30);
    assert!(hold_folder(&pipeline, &root().join("tests/cases"), true) >= 50);
}

#[test]
fn public_documents_say_the_same() {
    let folder = root().join("../shared/corpus");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    assert!(hold_folder(&pipeline(), &folder, false) >= 200);
}

/// A document whose query stands in a list item, a quote, an indented fence.
#[test]
fn fences_keep_their_place() {
    let pipeline = pipeline();
    for (before, after) in [
        ("```kql\nT|take 1\n```\n", "```kql\nT\n| take 1\n```\n"),
        (
            "  ```kql\n  T|take 1\n  ```\n",
            "  ```kql\n  T\n  | take 1\n  ```\n",
        ),
        (
            "1. First\n\n   ```kql\n   T|take 1\n   ```\n",
            "1. First\n\n   ```kql\n   T\n   | take 1\n   ```\n",
        ),
        (
            "- ```kql\n  T|take 1\n  ```\n",
            "- ```kql\n  T\n  | take 1\n  ```\n",
        ),
        (
            "> ```kql\n> T|take 1\n> ```\n",
            "> ```kql\n> T\n> | take 1\n> ```\n",
        ),
        (
            "~~~~kusto\r\nlet a = 1;\r\n\r\n\r\nT|take a\r\n~~~~\r\n",
            "~~~~kusto\r\nlet a = 1;\r\n\r\nT\r\n| take a\r\n~~~~\r\n",
        ),
        // Not as indented as its fence, which markdown allows.
        (
            "   ```kql\nT|take 1\n   ```\n",
            "   ```kql\n   T\n   | take 1\n   ```\n",
        ),
        // A string of several lines keeps its bytes.
        (
            "````kql\nprint a=```x\n  y```\n````\n",
            "````kql\nprint a = ```x\n  y```\n````\n",
        ),
        // No query, and one that is none.
        ("```text\nT|take 1\n```\n", "```text\nT|take 1\n```\n"),
        ("```kql\nT|take\n```\n", "```kql\nT|take\n```\n"),
    ] {
        let line_end = if before.contains("\r\n") { "\r\n" } else { "\n" };
        let head = format!("# Notes{line_end}{line_end}");
        let text = format!("{head}{before}");
        hold(&pipeline, "notes.md", &text);
        let file = SourceFile::new("notes.md", text);
        assert_eq!(lay_out(&pipeline, &file, true).0, format!("{head}{after}"));
        assert_eq!(lay_out(&pipeline, &file, false).0, file.text);
    }
}

#[test]
fn queries_with_errors_are_reported_where_they_stand() {
    let pipeline = pipeline();
    let text = "# Two\n\n## Detection\n```kql\nT|wher a\n```\n\n```kql\nT|take 1\n```\n";
    let file = SourceFile::new("two.md", text);
    let (formatted, problems) = lay_out(&pipeline, &file, true);
    assert!(formatted.contains("T|wher a\n"), "{formatted}");
    assert!(formatted.contains("T\n| take 1\n"), "{formatted}");
    let places: Vec<&str> = problems.iter().filter_map(|p| Some(p.span()?.of(text))).collect();
    assert_eq!(places, ["wher"]);
}
