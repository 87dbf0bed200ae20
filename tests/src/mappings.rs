//! Every misspelled mapping of a shipped rule is found, on its line.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test reads the shipped rules.

use std::{collections::BTreeSet, fs, path::Path};

use rulec_driver::{Document, Pipeline};
use rulec_source::SourceFile;

/// The columns that a rule's settings name, as its author wrote them.
fn mapped(document: &Document) -> BTreeSet<String> {
    let settings = &document.rule().unwrap().settings;
    let mut columns = BTreeSet::new();
    for entity in settings.entities.iter().flat_map(|e| &e.value) {
        columns.extend(entity.fields.values().cloned());
    }
    if let Some(details) = &settings.custom_details {
        columns.extend(details.value.values().cloned());
    }
    if let Some(alert) = &settings.alert {
        let texts = [&alert.value.title, &alert.value.description];
        for text in texts.into_iter().flatten() {
            let parts = text.split("{{").skip(1).filter_map(|t| t.split_once("}}"));
            columns.extend(parts.map(|(column, _)| column.trim().to_owned()));
        }
    }
    columns
}

/// Where the front matter names a column: behind `:` or within `{{…}}`.
fn places(text: &str, column: &str) -> Vec<usize> {
    let end = text.get(4..).and_then(|t| t.find("\n---")).map_or(0, |at| at + 4);
    let front = &text[..end];
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    front
        .match_indices(column)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = front[..*at].trim_end_matches(['"', ' ']);
            let after = &front[at + column.len()..];
            // The type of an entity may have the name of a column.
            !before.ends_with("type:")
                && (before.ends_with(": ") || before.ends_with(':') || before.ends_with("{{"))
                && !after.starts_with(letter)
                && !after.trim_start_matches('"').starts_with(':')
        })
        .collect()
}

/// Names a slip makes of a column's.
fn slips(column: &str) -> Vec<String> {
    let mut letters: Vec<char> = column.chars().collect();
    let first = letters[0];
    let flipped = if first.is_uppercase() {
        first.to_lowercase().to_string()
    } else {
        first.to_uppercase().to_string()
    };
    let middle = letters.len() / 2;
    let case = format!("{flipped}{}", &column[first.len_utf8()..]);
    letters.swap(middle, middle.saturating_sub(1));
    vec![
        case,
        letters.iter().collect(),
        format!("{column}s"),
        column[..column.len() - 1].to_owned(),
        "NowhereToBeFound".to_owned(),
    ]
}

#[test]
fn every_slip_is_found_on_its_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pipeline = Pipeline::open(&root, None).unwrap_or_else(|r| panic!("{}", r.diagnostic.message));
    let compilation = pipeline.compile(&[]);
    let mut tried = 0;
    for document in &compilation.documents {
        let path = &document.file.path;
        let text = fs::read_to_string(root.join(path)).unwrap();
        let given: Vec<String> = document
            .queries
            .iter()
            .flat_map(|q| &q.ir.root)
            .flat_map(|r| r.columns.iter())
            .map(|c| c.name.to_string())
            .collect();
        for column in mapped(document) {
            let places = places(&text, &column);
            assert!(!places.is_empty(), "{path}: `{column}` is mapped nowhere");
            for at in places {
                for slip in slips(&column) {
                    if slip == column || given.contains(&slip) {
                        continue;
                    }
                    let mut changed = text.clone();
                    changed.replace_range(at..at + column.len(), &slip);
                    let line = text[..at].matches('\n').count() + 1;
                    let found = pipeline.document(SourceFile::new(path.as_str(), changed));
                    let named = format!("`{slip}`");
                    let caught: Vec<_> = found
                        .diagnostics
                        .iter()
                        .filter(|d| d.code.id == "RL001" && d.message.contains(&named))
                        .collect();
                    assert_eq!(caught.len(), 1, "{path}:{line}: {column} -> {slip}");
                    let span = caught[0].span().unwrap();
                    assert_eq!(span.start as usize, at, "{path}:{line}: {column} -> {slip}");
                    assert_eq!(found.file.position(at).line, line);
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} slips");
    assert!(tried > 500, "only {tried} slips were tried");
}
