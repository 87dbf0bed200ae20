//! `--format sarif`: SARIF 2.1.0, which code hosts show beside the changed lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Finding, place};
use crate::{Code, Severity};

/// All findings as one SARIF log, ending in a newline.
pub fn sarif(findings: &[Finding<'_>], version: &str) -> String {
    let codes: BTreeMap<&str, Code> = findings
        .iter()
        .map(|f| (f.diagnostic.code.id, f.diagnostic.code))
        .collect();
    let rules: Vec<Value> = codes
        .values()
        .map(|code| {
            json!({
                "id": code.id,
                "name": code.name,
                "shortDescription": { "text": code.summary },
                "defaultConfiguration": { "level": code.severity.as_str() },
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(|f| result(f, &codes)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "rulec", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn result(finding: &Finding<'_>, codes: &BTreeMap<&str, Code>) -> Value {
    let diagnostic = finding.diagnostic;
    let (start, end) = place(finding);
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        message.push_str("\n\n");
        message.push_str(help);
    }
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({
        "ruleId": diagnostic.code.id,
        "ruleIndex": codes.keys().position(|id| *id == diagnostic.code.id),
        "level": level,
        "message": { "text": message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&finding.file.path) },
                "region": {
                    "startLine": start.line,
                    "startColumn": start.column,
                    "endLine": end.line,
                    "endColumn": end.column,
                },
            },
        }],
    })
}

/// A relative path as a URI reference: blanks and the like are escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
