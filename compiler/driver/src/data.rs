//! Findings about files under schema/ and templates/.

use rulec_facts::{FactsError, Pack};
use rulec_source::{Diagnostic, SourceFile, Span};

use crate::{codes, repository::Refused};

/// A data file that cannot be used, with the line underlined.
pub(crate) fn refused(pack: &Pack, error: &FactsError) -> Box<Refused> {
    let (file, diagnostic) = finding(pack, error);
    Box::new(Refused { file, diagnostic })
}

/// As [`refused`], as a finding among others.
pub(crate) fn finding(pack: &Pack, error: &FactsError) -> (SourceFile, Diagnostic) {
    let file = SourceFile::new(error.path.as_str(), pack.text(&error.path).unwrap_or_default());
    let diagnostic = Diagnostic::new(
        codes::BAD_DATA,
        format!("{} cannot be used: {}", error.path, error.message),
    );
    let diagnostic = match error.line.and_then(|line| line_span(&file.text, line)) {
        Some(span) => diagnostic.at(span),
        None => diagnostic,
    };
    (file, diagnostic)
}

/// The finding of a template or a target's configuration, placed in that file.
/// They are no part of a document, so they carry no span: their message begins
/// with the path and the line. None for findings about the document.
pub(crate) fn placed(pack: &Pack, diagnostic: &Diagnostic) -> Option<(SourceFile, Diagnostic)> {
    let (place, message) = diagnostic.message.split_once(": ")?;
    let (path, line) = match place.rsplit_once(':') {
        Some((path, line)) => (path, line.parse().ok()),
        None => (place, None),
    };
    if !diagnostic.labels.is_empty() || !path.starts_with("templates/") {
        return None;
    }
    let file = SourceFile::new(path, pack.text(path).unwrap_or_default());
    let mut moved = diagnostic.clone();
    message.clone_into(&mut moved.message);
    if let Some(span) = line.and_then(|line| line_span(&file.text, line)) {
        moved = moved.at(span);
    }
    Some((file, moved))
}

/// A line, counted from 1, without the blanks around it.
fn line_span(text: &str, line: usize) -> Option<Span> {
    let whole = text.split_inclusive('\n').nth(line.checked_sub(1)?)?;
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let start = before + (whole.len() - whole.trim_start().len());
    Some(Span::new(start, start + whole.trim().len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found() {
        let text = "a\n  b c \n";
        assert_eq!(line_span(text, 2).map(|s| s.of(text)), Some("b c"));
        assert_eq!(line_span(text, 0), None);
        assert_eq!(line_span(text, 3), None);
    }

    #[test]
    fn findings_about_documents_stay() {
        let pack = Pack::embedded();
        let about = |message: &str| placed(&pack, &Diagnostic::new(codes::BAD_DATA, message));
        assert!(about("the query is long: very").is_none());
        let (file, moved) = about("templates/sentinel/rule.yaml.j2:1: undefined value").unwrap();
        assert_eq!(file.path, "templates/sentinel/rule.yaml.j2");
        assert_eq!(moved.message, "undefined value");
        assert!(moved.span().is_some());
    }
}
