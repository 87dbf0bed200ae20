//! `--format sarif`: SARIF 2.1.0, which code hosts show beside the changed lines.
//!
//! In: findings, those that documents live with, and the pages of their kinds.
//! Out: one log of one run. Deliberately absent: times, absolute places and the
//! command line, which would make the same run give other bytes elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Finding, Fingerprints, Suppressed, is_absolute, shown};
use crate::{Code, Severity, SourceFile, Span};

/// What a log is made of.
pub struct Log<'a> {
    /// Of rulec.
    pub version: &'a str,
    /// The findings that stand.
    pub findings: &'a [Finding<'a>],
    /// Those that documents live with; they become results with a suppression.
    pub suppressed: &'a [Suppressed<'a>],
    /// Why a kind of finding exists and what to do about it, in markdown.
    pub page: &'a dyn Fn(&Code) -> Option<String>,
    /// What kinds of findings are about, in words for a filter.
    pub tags: &'a dyn Fn(&Code) -> Vec<&'static str>,
    /// Where the page of a kind can be read.
    pub address: &'a dyn Fn(&Code) -> Option<String>,
    /// Where the repository of rules lies in the checkout: empty, or ending in `/`.
    pub folder: &'a str,
    /// What the process ends with.
    pub exit_code: u8,
    /// Whether everything that was asked for could be looked at.
    pub complete: bool,
}

/// What paths are relative to, under the name code hosts know.
const ROOT: &str = "%SRCROOT%";
/// Code scanning takes no longer description.
const DESCRIPTION: usize = 1024;

/// All findings as one SARIF log, ending in a newline.
pub fn sarif(log: &Log<'_>) -> String {
    let all = || {
        let suppressed = log.suppressed.iter().map(|s| s.finding);
        log.findings.iter().copied().chain(suppressed)
    };
    let codes: BTreeMap<&str, Code> = all().map(|f| (f.diagnostic.code.id, f.diagnostic.code)).collect();
    let places: BTreeMap<&str, usize> = codes.keys().enumerate().map(|(i, id)| (*id, i)).collect();
    let fingerprints = Fingerprints::of(all());
    let standing = log.findings.iter().map(|finding| (finding, None));
    let suppressed = log.suppressed.iter().map(|s| (&s.finding, Some(s)));
    let results: Vec<Value> = standing
        .chain(suppressed)
        .map(|(finding, suppressed)| {
            let index = places
                .get(finding.diagnostic.code.id)
                .copied()
                .unwrap_or_default();
            result(log, finding, suppressed, index, &fingerprints)
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "rulec",
                    "version": log.version,
                    "semanticVersion": log.version,
                    "rules": codes.values().map(|code| rule(log, code)).collect::<Vec<_>>(),
                },
            },
            "invocations": [{ "executionSuccessful": log.complete, "exitCode": log.exit_code }],
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The folder that is checked out." } },
            },
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn rule(log: &Log<'_>, code: &Code) -> Value {
    let page = (log.page)(code);
    let text = page.as_deref().unwrap_or(code.summary).trim();
    let markdown = format!("# {} {}\n\n{}\n\n{text}\n", code.id, code.name, code.summary);
    let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let full: String = if first.chars().count() > DESCRIPTION {
        code.summary.to_owned()
    } else {
        first
    };
    let mut rule = json!({
        "id": code.id,
        "name": code.name,
        "shortDescription": { "text": code.summary },
        "fullDescription": { "text": full },
        "help": { "text": text, "markdown": markdown },
        "defaultConfiguration": { "level": level(code.severity) },
        "properties": {
            "tags": (log.tags)(code),
            "problem.severity": match code.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    });
    if let Some(address) = (log.address)(code) {
        rule["helpUri"] = json!(address);
    }
    rule
}

fn result(
    log: &Log<'_>,
    finding: &Finding<'_>,
    suppressed: Option<&Suppressed<'_>>,
    rule_index: usize,
    fingerprints: &Fingerprints<'_>,
) -> Value {
    let diagnostic = finding.diagnostic;
    let file = finding.file;
    let mut message = diagnostic.message.clone();
    for more in diagnostic.notes.iter().chain(&diagnostic.help) {
        message.push_str("\n\n");
        message.push_str(more);
    }
    let mut location = json!({
        "physicalLocation": physical(log, file, diagnostic.span().unwrap_or_default()),
    });
    if let Some(id) = finding.rule {
        location["logicalLocations"] = json!([{ "name": id, "kind": "rule" }]);
    }
    let (line, column) = fingerprints.get(finding);
    let mut result = json!({
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule_index,
        "level": level(diagnostic.severity),
        "message": { "text": plain(&message) },
        "locations": [location],
        "partialFingerprints": {
            "primaryLocationLineHash": line,
            "primaryLocationStartColumnFingerprint": column.to_string(),
        },
    });
    let related: Vec<Value> = diagnostic
        .labels
        .iter()
        .skip(1)
        .enumerate()
        .map(|(index, label)| {
            let mut related = json!({
                "id": index + 1,
                "physicalLocation": physical(log, file, label.span),
            });
            if !label.text.is_empty() {
                related["message"] = json!({ "text": plain(&label.text) });
            }
            related
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if let Some(fix) = diagnostic.fix.as_ref().filter(|fix| !fix.edits.is_empty()) {
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| {
                json!({
                    "deletedRegion": region(file, edit.span),
                    "insertedContent": { "text": edit.text },
                })
            })
            .collect();
        result["fixes"] = json!([{
            "description": { "text": plain(&fix.message) },
            "artifactChanges": [{
                "artifactLocation": artifact(log, file),
                "replacements": replacements,
            }],
            // Whether it may be made without looking.
            "properties": { "safe": fix.safe },
        }]);
    }
    if let Some(Suppressed { suppression, .. }) = suppressed {
        result["suppressions"] = json!([{
            "kind": "inSource",
            "status": "accepted",
            "justification": format!("until {}: {}", suppression.until, suppression.reason),
            "location": { "physicalLocation": physical(log, file, suppression.span) },
        }]);
    }
    result
}

fn physical(log: &Log<'_>, file: &SourceFile, span: Span) -> Value {
    json!({
        "artifactLocation": artifact(log, file),
        "region": region(file, span),
    })
}

fn artifact(log: &Log<'_>, file: &SourceFile) -> Value {
    let path = shown(log.folder, &file.path);
    let mut location = Map::new();
    if is_absolute(&path) {
        let slash = if path.starts_with('/') { "" } else { "/" };
        location.insert("uri".to_owned(), json!(format!("file://{slash}{}", uri(&path))));
    } else {
        location.insert("uri".to_owned(), json!(uri(&path)));
        // What lies outside is relative to no root.
        if !path.starts_with("../") {
            location.insert("uriBaseId".to_owned(), json!(ROOT));
        }
    }
    Value::Object(location)
}

fn region(file: &SourceFile, span: Span) -> Value {
    let start = file.position_utf16(span.start as usize);
    let end = file.position_utf16(span.end as usize);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// Text that is not taken for a link: `[words](address)` is one in a message.
fn plain(text: &str) -> String {
    if text.contains("](") {
        text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
    } else {
        text.to_owned()
    }
}

/// A path as a URI reference: blanks and the like are escaped.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Diagnostic, Suppression};

    const CODE: Code = Code {
        id: "RX001",
        name: "test",
        severity: Severity::Warning,
        summary: "A test.",
    };

    fn log(file: &SourceFile, diagnostic: &Diagnostic, folder: &str) -> Value {
        let finding = Finding {
            file,
            rule: Some("R-1"),
            diagnostic,
        };
        let suppression = Suppression {
            span: Span::new(0, 1),
            until: "2027-01-31".to_owned(),
            reason: "known".to_owned(),
        };
        let suppressed = Suppressed {
            finding,
            suppression: &suppression,
        };
        let text = sarif(&Log {
            version: "1.0.0",
            findings: &[finding],
            suppressed: &[suppressed],
            page: &|_| Some("Why it\nmatters.\n\nWhat to do.".to_owned()),
            tags: &|_| vec!["kql"],
            address: &|code| Some(format!("https://example.test/lints.md#{}", code.name)),
            folder,
            exit_code: 1,
            complete: true,
        });
        serde_json::from_str(&text).unwrap_or_default()
    }

    #[test]
    fn places_are_counted_as_editors_do() {
        // Two UTF-16 code units, one character, four bytes.
        let text = "\u{feff}a\n  \u{1f600}é FileName\r\n";
        let file = SourceFile::new("rules/ü.md", text);
        let at = text.find("FileName").unwrap_or_default();
        let diagnostic = Diagnostic::new(CODE, "[x](http://e.test) {0}")
            .at(Span::new(at, at + 8))
            .label(Span::new(3, 4), "here")
            .fix("shorten it", Span::new(at, at + 4), "");
        let log = log(&file, &diagnostic, "kql/");
        let result = &log["runs"][0]["results"][0];
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "kql/rules/%C3%BC.md");
        assert_eq!(physical["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        let region = json!({ "startLine": 2, "startColumn": 7, "endLine": 2, "endColumn": 15 });
        assert_eq!(physical["region"], region);
        assert_eq!(result["message"]["text"], "\\[x\\](http://e.test) {0}");
        let prints = &result["partialFingerprints"];
        assert_eq!(prints["primaryLocationStartColumnFingerprint"], "4");
        let first = &result["relatedLocations"][0]["physicalLocation"]["region"];
        assert_eq!(first["startColumn"], 1, "the byte order mark has no column");
        let replacement = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
        assert_eq!(replacement["deletedRegion"]["endColumn"], 11);
        assert_eq!(replacement["insertedContent"]["text"], "");
    }

    #[test]
    fn what_documents_live_with_is_suppressed() {
        let file = SourceFile::new("/tmp/a b.md", "text");
        let log = log(&file, &Diagnostic::new(CODE, "m"), "kql/");
        let run = &log["runs"][0];
        assert!(run["results"][0].get("suppressions").is_none());
        let suppression = &run["results"][1]["suppressions"][0];
        assert_eq!(suppression["kind"], "inSource");
        assert_eq!(suppression["justification"], "until 2027-01-31: known");
        // An absolute place needs no base.
        let place = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place, &json!({ "uri": "file:///tmp/a%20b.md" }));
        let rule = &run["tool"]["driver"]["rules"][0];
        assert_eq!(rule["fullDescription"]["text"], "Why it matters.");
        assert_eq!(rule["helpUri"], "https://example.test/lints.md#test");
        assert_eq!(run["invocations"][0]["exitCode"], 1);
    }
}
