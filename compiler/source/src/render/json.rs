//! `--format json`: the stable shape that tools read; its schema is
//! `schema/check.schema.json`.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Finding, Suppressed, place};

/// Totals of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Documents read.
    pub files: usize,
    /// Rules found in them.
    pub rules: usize,
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
}

/// All findings, those that documents live with, and the totals as one JSON
/// document, ending in a newline.
pub fn json(
    findings: &[Finding<'_>],
    suppressed: &[Suppressed<'_>],
    summary: Summary,
    version: &str,
) -> String {
    let diagnostics: Vec<Value> = findings.iter().map(entry).collect();
    let suppressed: Vec<Value> = suppressed
        .iter()
        .map(|suppressed| {
            let mut entry = entry(&suppressed.finding);
            entry["until"] = json!(suppressed.suppression.until);
            entry["reason"] = json!(suppressed.suppression.reason);
            entry
        })
        .collect();
    let document = json!({
        "rulec": version,
        "diagnostics": diagnostics,
        "summary": summary,
        "suppressed": suppressed,
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn entry(finding: &Finding<'_>) -> Value {
    let (start, end) = place(finding);
    let diagnostic = finding.diagnostic;
    json!({
        "code": diagnostic.code.id,
        "name": diagnostic.code.name,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": finding.file.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "rule": finding.rule,
        "help": diagnostic.help,
        "notes": diagnostic.notes,
        "fix": diagnostic.fix.as_ref().map(|fix| json!({
            "message": fix.message,
            "safe": fix.safe,
            "edits": fix.edits.iter().map(|edit| json!({
                "start": edit.span.start,
                "end": edit.span.end,
                "text": edit.text,
            })).collect::<Vec<_>>(),
        })),
    })
}
