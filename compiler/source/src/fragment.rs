//! A text taken out of a document, with the way back.

use crate::{Diagnostic, Span};

/// Embedded text (a query, a YAML block) and where each part of it stands in
/// the document. A fence that is indented or quoted is not contiguous in the
/// document, so the mapping is a list of pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The text, byte for byte as the language behind it shall see it.
    pub text: String,
    /// Runs of bytes that are the same in both texts, in order.
    pub pieces: Vec<Piece>,
}

/// `len` bytes that stand at `inner` in the fragment and at `outer` in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Offset in the fragment.
    pub inner: u32,
    /// Offset in the document.
    pub outer: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Fragment {
    /// A fragment that is one run of the document beginning at `outer`.
    pub fn contiguous(text: impl Into<String>, outer: usize) -> Self {
        let mut fragment = Self::default();
        fragment.push(&text.into(), outer);
        fragment
    }

    /// Appends `text`, which stands at `outer` in the document.
    pub fn push(&mut self, text: &str, outer: usize) {
        let at = Span::new(self.text.len(), outer.max(self.text.len()));
        let (inner, len) = (at.start, Span::new(0, text.len()).end);
        let outer = Span::at(outer).start;
        self.text.push_str(text);
        if let Some(last) = self.pieces.last_mut()
            && last.inner + last.len == inner
            && last.outer + last.len == outer
        {
            last.len += len;
            return;
        }
        self.pieces.push(Piece { inner, outer, len });
    }

    fn map_offset(&self, offset: u32, end: bool) -> u32 {
        // The end of a span belongs to the piece it closes, its start to the
        // piece it opens: otherwise a span over a whole line would swallow the
        // indentation of the next.
        let probe = if end { offset.saturating_sub(1) } else { offset };
        let index = self.pieces.partition_point(|p| p.inner <= probe);
        match index.checked_sub(1).and_then(|i| self.pieces.get(i)) {
            Some(piece) => piece.outer + (offset - piece.inner).min(piece.len),
            None => self.pieces.first().map_or(offset, |p| p.outer),
        }
    }

    /// The place in the document of a span of the fragment.
    pub fn map(&self, span: Span) -> Span {
        let start = self.map_offset(span.start, false);
        let end = if span.is_empty() {
            start
        } else {
            self.map_offset(span.end, true)
        };
        Span {
            start,
            end: end.max(start),
        }
    }

    /// The same finding, placed in the document.
    #[must_use]
    pub fn map_diagnostic(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        for label in &mut diagnostic.labels {
            label.span = self.map(label.span);
        }
        for edit in diagnostic.fix.iter_mut().flat_map(|f| &mut f.edits) {
            edit.span = self.map(edit.span);
        }
        diagnostic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_an_indented_fence_lead_back_to_its_lines() {
        let document = "  ```\n  T\n  | take 1\n  ```\n";
        let mut fragment = Fragment::default();
        fragment.push("T\n", document.find('T').unwrap_or(0));
        fragment.push("| take 1\n", document.find('|').unwrap_or(0));
        let take = Span::new(4, 8);
        assert_eq!(take.of(&fragment.text), "take");
        assert_eq!(fragment.map(take).of(document), "take");
        let whole = Span::new(0, fragment.text.len());
        assert_eq!(fragment.map(whole).of(document), "T\n  | take 1\n");
    }
}
