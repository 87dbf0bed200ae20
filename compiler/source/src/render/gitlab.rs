//! `--format gitlab`: a Code Quality report, which GitLab shows in a merge request.
//!
//! The shape is the part of Code Climate's that GitLab reads: a list of
//! `description`, `check_name`, `fingerprint` (unique in the report), `severity`
//! (info, minor, major, critical, blocker) and `location`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Finding, Fingerprints, place, shown};
use crate::Severity;

/// All findings as one report, ending in a newline. `folder` is where the
/// repository of rules lies in the checkout: empty, or ending in `/`.
pub fn gitlab(findings: &[Finding<'_>], folder: &str) -> String {
    let fingerprints = Fingerprints::of(findings.iter().copied());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let entries: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let diagnostic = finding.diagnostic;
            let (start, end) = place(finding);
            let path = shown(folder, &finding.file.path);
            let (line, column) = fingerprints.get(finding);
            let mut fingerprint = format!("{} {line} {column} {path}", diagnostic.code.id);
            let count = seen.entry(fingerprint.clone()).or_default();
            *count += 1;
            if *count > 1 {
                fingerprint.push_str(&format!(" {count}"));
            }
            let mut description = format!("{}: {}", diagnostic.code.id, diagnostic.message);
            if let Some(help) = &diagnostic.help {
                description.push_str(&format!(" ({help})"));
            }
            json!({
                "description": description,
                "check_name": diagnostic.code.name,
                "fingerprint": fingerprint,
                "severity": match diagnostic.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "minor",
                    Severity::Note => "info",
                },
                "location": { "path": path, "lines": { "begin": start.line, "end": end.line } },
            })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&entries).unwrap_or_default();
    text.push('\n');
    text
}
