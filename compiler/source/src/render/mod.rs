//! Findings in the shapes people and tools read: text for people, and the
//! machine formats `json`, `sarif`, `github`, `gitlab` and `junit`.
//!
//! Every renderer is a pure function from findings to text; the same findings
//! give the same bytes.

mod fingerprint;
mod github;
mod gitlab;
mod json;
mod junit;
mod placed;
mod sarif;
mod text;

pub use github::github;
pub use gitlab::gitlab;
pub use json::{Summary, json};
pub use junit::{attribute, junit, xml};
pub use placed::Placed;
pub use sarif::{Log, sarif};
pub use text::{Style, text};

use std::collections::BTreeMap;

use crate::{Diagnostic, SourceFile, Suppression};

/// A finding with the file and the rule it is about.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    /// The text that the finding's labels point into.
    pub file: &'a SourceFile,
    /// Id of the rule, when the file holds one.
    pub rule: Option<&'a str>,
    /// The finding.
    pub diagnostic: &'a Diagnostic,
}

/// A finding that its document lives with.
#[derive(Clone, Copy, Debug)]
pub struct Suppressed<'a> {
    /// The finding.
    pub finding: Finding<'a>,
    /// Why, and until when.
    pub suppression: &'a Suppression,
}

/// Lines and columns of the primary label, from 1; the first line of the file
/// for findings about the file as a whole.
fn place(finding: &Finding<'_>) -> (crate::Position, crate::Position) {
    finding
        .file
        .positions(finding.diagnostic.span().unwrap_or_default())
}

/// What every finding is known by when lines move: a hash of its line and those
/// that follow, and the column behind the indentation, which tells two findings
/// of one line apart.
struct Fingerprints<'a>(BTreeMap<&'a str, Vec<String>>);

impl<'a> Fingerprints<'a> {
    /// Those of all lines of the files of some findings.
    fn of(findings: impl Iterator<Item = Finding<'a>>) -> Self {
        let mut files = BTreeMap::new();
        for finding in findings {
            let file = finding.file;
            files
                .entry(file.path.as_str())
                .or_insert_with(|| fingerprint::lines(&file.text));
        }
        Self(files)
    }

    fn get(&self, finding: &Finding<'_>) -> (String, usize) {
        let file = finding.file;
        let at = finding.diagnostic.span().unwrap_or_default().start as usize;
        let place = file.position_utf16(at);
        let lines = self.0.get(file.path.as_str());
        let line = lines.and_then(|lines| lines.get(place.line - 1));
        let text = file.text.split('\n').nth(place.line - 1).unwrap_or_default();
        let indentation = text.len() - text.trim_start_matches([' ', '\t']).len();
        (
            line.cloned().unwrap_or_default(),
            (place.column - 1).saturating_sub(indentation),
        )
    }
}

/// A path relative to what a code host shows: `folder`, where the repository of
/// rules lies in it (empty, or ending in `/`), is put in front. What is
/// absolute, and standard input, stays as it is.
fn shown(folder: &str, path: &str) -> String {
    if is_absolute(path) || path.starts_with('<') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a path begins at the root of a machine: `/tmp/x`, `C:/x`.
fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with('/') || bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":/"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_code_host() {
        assert_eq!(shown("", "rules/a b.md"), "rules/a b.md");
        assert_eq!(shown("content/kql/", "rules/a.md"), "content/kql/rules/a.md");
        assert_eq!(shown("content/", "../other/./a.md"), "other/a.md");
        assert_eq!(shown("", "../a.md"), "../a.md");
        assert_eq!(shown("content/", "/tmp/a.md"), "/tmp/a.md");
        assert_eq!(shown("content/", "C:/a.md"), "C:/a.md");
        assert_eq!(shown("content/", "<stdin>"), "<stdin>");
    }
}
