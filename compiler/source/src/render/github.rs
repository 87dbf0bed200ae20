//! `--format github`: workflow commands, which become annotations on a pull request.

use super::{Finding, place};
use crate::Severity;

/// One line per finding.
pub fn github(findings: &[Finding<'_>]) -> String {
    let mut text = String::new();
    for finding in findings {
        let diagnostic = finding.diagnostic;
        let (start, end) = place(finding);
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut message = diagnostic.message.clone();
        if let Some(help) = &diagnostic.help {
            message.push('\n');
            message.push_str(help);
        }
        // A column range is only understood within one line.
        let columns = if start.line == end.line {
            format!(",col={},endColumn={}", start.column, end.column)
        } else {
            String::new()
        };
        text.push_str(&format!(
            "::{command} file={},line={},endLine={}{columns},title={}::{}\n",
            property(&finding.file.path),
            start.line,
            end.line,
            property(&format!("{} {}", diagnostic.code.id, diagnostic.code.name)),
            data(&message),
        ));
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
