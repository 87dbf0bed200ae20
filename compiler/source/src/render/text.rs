//! Findings for people: the line underlined, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Finding, Placed};
use crate::{Severity, SourceFile};

/// Whether the text carries terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    Plain,
    /// ANSI colours.
    Coloured,
}

/// One finding as text, ending without a newline.
pub fn text(finding: &Finding<'_>, style: Style) -> String {
    let placed = Placed::new(finding);
    let Finding { file, diagnostic, .. } = placed.finding();
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.id);
    let mut group = Group::with_title(title);
    if diagnostic.labels.is_empty() {
        group = group.element(annotate_snippets::Origin::path(file.path.as_str()));
    } else {
        let mut snippet = Snippet::source(file.text.as_str()).path(file.path.as_str());
        for (i, label) in diagnostic.labels.iter().enumerate() {
            let kind = if i == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let annotation = kind.span(clamp(file, label.span.range()));
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        group = group.element(snippet);
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    } else if let Some(fix) = &diagnostic.fix {
        group = group.element(Level::HELP.message(fix.message.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.render(&[group])
}

/// The renderer panics on spans outside the text or inside a character, so
/// spans are pulled to the nearest place that exists.
fn clamp(file: &SourceFile, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let place = |mut offset: usize| {
        offset = offset.min(file.text.len());
        while !file.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let (start, end) = (place(range.start), place(range.end));
    start..end.max(start)
}
