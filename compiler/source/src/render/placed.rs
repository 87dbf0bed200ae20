//! Findings about text that was put into a document's query.

use std::borrow::Cow;

use super::Finding;
use crate::{Diagnostic, SourceFile};

/// A finding in the file that its first label lies in: the document, or what an
/// environment put into its query ([`SourceFile::with`]).
///
/// [`text`](super::text) places findings itself; who makes machine formats
/// places them first.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    file: &'a SourceFile,
    rule: Option<&'a str>,
    diagnostic: Cow<'a, Diagnostic>,
}

impl<'a> Placed<'a> {
    /// Finds the file.
    pub fn new(finding: &Finding<'a>) -> Self {
        let (document, diagnostic) = (finding.file, finding.diagnostic);
        let place = |span| document.resolve(span);
        let file = diagnostic.span().map_or(document, |span| place(span).0);
        let here = diagnostic.labels.iter().all(|label| {
            let (file, span) = place(label.span);
            std::ptr::eq(file, document) && span == label.span
        });
        let mut moved = Cow::Borrowed(diagnostic);
        if !here {
            let moved = moved.to_mut();
            moved.labels.retain_mut(|label| {
                let (other, span) = place(label.span);
                label.span = span;
                std::ptr::eq(other, file)
            });
            // A label of another file cannot be underlined here.
            for label in &diagnostic.labels {
                let (other, span) = place(label.span);
                if !std::ptr::eq(other, file) {
                    let line = other.position(span.start as usize).line;
                    let what = if label.text.is_empty() { "see" } else { &label.text };
                    moved.notes.push(format!("{what}: {}:{line}", other.path));
                }
            }
            for edit in moved.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
                edit.span = place(edit.span).1;
            }
        }
        Self {
            file,
            rule: finding.rule,
            diagnostic: moved,
        }
    }

    /// The finding as any other.
    pub fn finding(&self) -> Finding<'_> {
        Finding {
            file: self.file,
            rule: self.rule,
            diagnostic: &self.diagnostic,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Code, Severity, Span};

    #[test]
    fn a_finding_moves_to_the_file_of_its_first_label() {
        let code = Code {
            id: "RX001",
            name: "test",
            severity: Severity::Warning,
            summary: "",
        };
        let other = Arc::new(SourceFile::new("env.yaml", "a\nwrong\n"));
        let file = SourceFile::new("rule.md", "one\ntwo\n").with(&[other]);
        let start = file.offset_of("env.yaml").unwrap() + 2;
        let there = Span {
            start,
            end: start + 5,
        };
        let diagnostic = Diagnostic::new(code, "is wrong")
            .at(there)
            .label(Span::new(4, 7), "the slot")
            .fix("right it", there, "right");
        let finding = Finding {
            file: &file,
            rule: Some("R"),
            diagnostic: &diagnostic,
        };
        let placed = Placed::new(&finding);
        let moved = placed.finding();
        assert_eq!((&*moved.file.path, moved.rule), ("env.yaml", Some("R")));
        assert_eq!(moved.diagnostic.labels.len(), 1);
        assert_eq!(moved.diagnostic.span().unwrap().of(&moved.file.text), "wrong");
        assert_eq!(moved.diagnostic.notes, ["the slot: rule.md:2"]);
        let edit = &moved.diagnostic.fix.as_ref().unwrap().edits[0];
        assert_eq!(edit.span.of(&moved.file.text), "wrong");
        // A finding about the document stays as it is.
        let diagnostic = Diagnostic::new(code, "is wrong").at(Span::new(0, 3));
        let finding = Finding {
            diagnostic: &diagnostic,
            ..finding
        };
        assert!(matches!(Placed::new(&finding).diagnostic, Cow::Borrowed(_)));
    }
}
