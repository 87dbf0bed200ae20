//! `--format junit`: one test case per file, which every CI product shows.

use super::{Finding, place};
use crate::Severity;

/// A report over `files` (all that were checked), failing where a finding is
/// an error or a warning. A case fails once, whatever is wrong with it: readers
/// that take one failure a case would drop the others.
pub fn junit(findings: &[Finding<'_>], files: &[&str]) -> String {
    let mut cases = String::new();
    let mut failing = 0;
    for path in files {
        let found: Vec<&Finding<'_>> = findings
            .iter()
            .filter(|f| f.diagnostic.severity > Severity::Note && f.file.path == *path)
            .collect();
        cases.push_str(&format!(
            "    <testcase classname=\"rulec.check\" name=\"{path}\" file=\"{path}\"",
            path = attribute(path)
        ));
        // The first of the worst stands for all.
        let worst = found.iter().map(|f| f.diagnostic.severity).max();
        let Some(first) = found.iter().find(|f| Some(f.diagnostic.severity) == worst) else {
            cases.push_str("/>\n");
            continue;
        };
        failing += 1;
        let others = match found.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        let lines: Vec<String> = found.iter().map(|f| line(f)).collect();
        cases.push_str(&format!(
            ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
            first.diagnostic.code.id,
            attribute(&format!("{}{others}", first.diagnostic.message)),
            xml(&lines.join("\n")),
        ));
    }
    let totals = format!("tests=\"{}\" failures=\"{failing}\" errors=\"0\"", files.len());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rulec check\" {totals}>\n  \
         <testsuite name=\"rulec check\" {totals}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

/// `rules/a.md:3:1: error[RK201]: message (help)`.
fn line(finding: &Finding<'_>) -> String {
    let diagnostic = finding.diagnostic;
    let (start, _) = place(finding);
    let mut line = format!(
        "{}:{}:{}: {}[{}]: {}",
        finding.file.path,
        start.line,
        start.column,
        diagnostic.severity.as_str(),
        diagnostic.code.id,
        diagnostic.message,
    );
    if let Some(help) = &diagnostic.help {
        line.push_str(&format!(" ({help})"));
    }
    line
}

/// [`xml`] for the value of an attribute, where a reader would make blanks of
/// line ends and tabs.
pub fn attribute(text: &str) -> String {
    xml(text).replace('\t', "&#9;").replace('\n', "&#10;")
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
            '\t' | '\n' => escaped.push(c),
            // A reader makes line feeds of it.
            '\r' => escaped.push_str("&#13;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Diagnostic, SourceFile};

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(
            xml("a<b>&\"\r\n]]>\u{0}\u{1b}"),
            "a&lt;b&gt;&amp;&quot;&#13;\n]]&gt;\u{fffd}\u{fffd}"
        );
        assert_eq!(attribute("a\tb\nc\"d"), "a&#9;b&#10;c&quot;d");
    }

    #[test]
    fn a_file_fails_once() {
        let code = |id, severity| Code {
            id,
            name: "test",
            severity,
            summary: "",
        };
        let file = SourceFile::new("a<b>.md", "text");
        let diagnostics = [
            Diagnostic::new(code("RX001", Severity::Warning), "a warning"),
            Diagnostic::new(code("RX002", Severity::Error), "an \"error\"").help("repair it"),
            Diagnostic::new(code("RX003", Severity::Note), "a note"),
        ];
        let findings: Vec<Finding<'_>> = diagnostics
            .iter()
            .map(|diagnostic| Finding {
                file: &file,
                rule: None,
                diagnostic,
            })
            .collect();
        let text = junit(&findings, &["a<b>.md", "b.md"]);
        assert_eq!(text.matches("<failure").count(), 1);
        assert!(text.contains("tests=\"2\" failures=\"1\""), "{text}");
        assert!(
            text.contains("type=\"RX002\" message=\"an &quot;error&quot; (and 1 more)\""),
            "{text}"
        );
        assert!(
            text.contains("a&lt;b&gt;.md:1:1: error[RX002]: an &quot;error&quot; (repair it)"),
            "{text}"
        );
        assert!(!text.contains("a note"));
    }
}
