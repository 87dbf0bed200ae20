//! Tests: where queries come from that are emitted and run beside the
//! interpreter. Those beside the repository are left out, and it is said so,
//! where they are not there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An id and a query.
pub(super) type Sample = (String, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[allow(clippy::disallowed_methods, reason = "a test reads its cases")]
fn files(folder: &Path, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|found| found == ending)
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.insert(path, text);
            }
        }
    }
    found.into_iter().collect()
}

/// The queries in the fences of rule documents; one that is not the first of
/// its document has its number behind the id.
fn documents(folder: &Path) -> Vec<Sample> {
    let mut found = Vec::new();
    for (path, text) in files(folder, "md") {
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut fences = text.replace("\r\n", "\n");
        fences.insert(0, '\n');
        let mut number = 0;
        let mut lines = fences.lines();
        while let Some(line) = lines.next() {
            if !matches!(line.trim(), "```C#" | "```kql" | "```KQL" | "```kusto") {
                continue;
            }
            let query = lines
                .by_ref()
                .take_while(|line| line.trim() != "```")
                .collect::<Vec<_>>();
            number += 1;
            let id = if number == 1 {
                id.clone()
            } else {
                format!("{id}-{number}")
            };
            found.push((id, query.join("\n")));
        }
    }
    found
}

/// The rules that are shipped.
pub(super) fn shipped() -> Vec<Sample> {
    documents(&root().join("rules"))
}

/// The query of each case in tests/cases/query.
pub(super) fn cases() -> Vec<Sample> {
    let cases = files(&root().join("tests/cases/query"), "kql");
    let named = |(path, text): (PathBuf, String)| {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (format!("case-{name}"), text)
    };
    cases.into_iter().map(named).collect()
}

/// Public rules.
pub(super) fn public() -> Vec<Sample> {
    let folder = root().join("../shared/corpus/FalconFriday");
    if !folder.is_dir() {
        println!("skipped: public rules, which are not at ../shared/corpus/FalconFriday");
    }
    documents(&folder)
}

/// The examples of the documentation that stand alone.
#[allow(clippy::disallowed_methods, reason = "a test reads its cases")]
pub(super) fn documentation() -> Vec<Sample> {
    let path = root().join("../shared/conformance/results.ndjson");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: the examples of the documentation, which are not at ../shared/conformance");
        return Vec::new();
    };
    let examples = text.lines().enumerate().filter_map(|(number, line)| {
        let example: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((
            format!("example-{number:03}"),
            example["query"].as_str()?.to_owned(),
        ))
    });
    examples.collect()
}
