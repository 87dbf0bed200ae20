//! The queries of this repository: what the tests and the fuzz targets begin with.

use std::path::{Path, PathBuf};

use rulec_facts::Pack;
use rulec_facts::aliases::Aliases;
use rulec_model::FrontMatter;
use rulec_read::{Options, read};
use rulec_source::SourceFile;

/// Lists with a query a line, line ends written `\n`; a line that begins with
/// a blank is no query.
const LISTS: [&str; 3] = [
    "compiler/kql/tests/accepted.kql",
    "compiler/kql/tests/rejected.kql",
    "compiler/ir/tests/columns.txt",
];

/// Every query in the rules, the cases and the lists of this repository, each
/// once, in a fixed order.
pub fn own_queries() -> Vec<String> {
    let root = root();
    let mut queries: Vec<String> = Vec::new();
    for list in LISTS {
        let lines = text(&root.join(list));
        let lines = lines.lines().filter(|line| !line.starts_with(' '));
        queries.extend(lines.map(|line| line.replace("\\n", "\n")));
    }
    let aliases = Aliases::load(&Pack::embedded()).unwrap_or_else(|error| panic!("{error}"));
    for file in files(&root.join("rules"))
        .into_iter()
        .chain(files(&root.join("tests/cases")))
    {
        match file.extension().and_then(|e| e.to_str()) {
            Some("kql") => queries.push(text(&file)),
            Some("md") => {
                let options = Options {
                    aliases: &aliases,
                    defaults: FrontMatter::default(),
                };
                let document = read(&SourceFile::new(file.to_string_lossy(), text(&file)), &options);
                queries.extend(document.queries.into_iter().map(|query| query.text));
            }
            _ => {}
        }
    }
    let mut seen = std::collections::HashSet::new();
    queries.retain(|query| seen.insert(query.clone()));
    queries
}

/// Inputs that once broke a property or were slow, with the names of their files.
pub fn fuzz_cases() -> Vec<(String, String)> {
    files(&root().join("tests/cases/fuzz"))
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "kql"))
        .map(|file| {
            (
                file.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                text(&file),
            )
        })
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::disallowed_methods, reason = "tests read their cases")]
fn text(file: &Path) -> String {
    let text = std::fs::read_to_string(file);
    text.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All files below a folder, sorted.
#[expect(clippy::disallowed_methods, reason = "tests read their cases")]
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
