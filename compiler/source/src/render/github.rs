//! `--format github`: workflow commands, which become annotations on a pull request.

use super::{Finding, place, shown};
use crate::Severity;

/// One line per finding. `folder` is where the repository of rules lies in the
/// checkout, which annotations are relative to: empty, or ending in `/`.
pub fn github(findings: &[Finding<'_>], folder: &str) -> String {
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
            property(&shown(folder, &finding.file.path)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Diagnostic, SourceFile, Span};

    #[test]
    fn nothing_in_a_finding_ends_its_line_or_property() {
        let code = Code {
            id: "RX001",
            name: "test",
            severity: Severity::Warning,
            summary: "",
        };
        let file = SourceFile::new("rules/a,line=9::b%0A\n::error::c.md", "one\ntwo\n");
        let diagnostic = Diagnostic::new(code, "50% of\r\n::set-env name=x::y")
            .at(Span::new(4, 7))
            .help("a, b: c");
        let finding = Finding {
            file: &file,
            rule: None,
            diagnostic: &diagnostic,
        };
        assert_eq!(
            github(&[finding], "kql/"),
            "::warning file=kql/rules/a%2Cline=9%3A%3Ab%250A%0A%3A%3Aerror%3A%3Ac.md,line=2,endLine=2,col=1,endColumn=4,title=RX001 test::50%25 of%0D%0A::set-env name=x::y%0Aa, b: c\n"
        );
    }
}
