//! `--format junit`: one test case per file, which every CI product shows.

use super::{Finding, place};
use crate::Severity;

/// A report over `files` (all that were checked), failing where a finding is
/// an error or a warning.
pub fn junit(findings: &[Finding<'_>], files: &[&str]) -> String {
    let counts = |f: &&Finding<'_>| f.diagnostic.severity > Severity::Note;
    let failing = files
        .iter()
        .filter(|path| findings.iter().filter(counts).any(|f| f.file.path == **path))
        .count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&format!(
        "<testsuites>\n  <testsuite name=\"rulec check\" tests=\"{}\" failures=\"{failing}\">\n",
        files.len()
    ));
    for path in files {
        text.push_str(&format!(
            "    <testcase classname=\"rulec.check\" name=\"{}\">\n",
            xml(path)
        ));
        for finding in findings.iter().filter(counts).filter(|f| f.file.path == *path) {
            let diagnostic = finding.diagnostic;
            let (start, _) = place(finding);
            text.push_str(&format!(
                "      <failure type=\"{}\" message=\"{}\">{}:{}:{}: {}</failure>\n",
                diagnostic.code.id,
                xml(&diagnostic.message),
                xml(path),
                start.line,
                start.column,
                xml(diagnostic.help.as_deref().unwrap_or(&diagnostic.message)),
            ));
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// XML text: markup escaped, and characters that XML 1.0 cannot hold replaced.
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
