//! A text with parts of it written anew, which still leads back to where each
//! part stands.

use rulec_source::{Fragment, Piece, Span};

/// A part of a text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Offset, in the document or in a file beside it, of what it stands for.
    pub outer: u32,
    /// How many bytes there are the same as here; 0 where it only stands for a place.
    pub len: u32,
}

impl Part {
    /// A text that stands at `outer` as it is.
    pub fn of(text: &str, outer: usize) -> Self {
        Self {
            text: text.to_owned(),
            outer: Span::at(outer).start,
            len: Span::new(0, text.len()).end,
        }
    }

    /// A text that is written for what stands at `outer`.
    pub fn new(text: impl Into<String>, outer: usize) -> Self {
        Self {
            text: text.into(),
            outer: Span::at(outer).start,
            len: 0,
        }
    }

    /// The same part of a file whose first byte has this offset.
    #[must_use]
    pub fn beside(mut self, start: u32) -> Self {
        self.outer = self.outer.saturating_add(start);
        self
    }
}

/// A place of a text and what comes there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The place; empty where something is put in.
    pub at: Span,
    /// What comes.
    pub parts: Vec<Part>,
}

/// The text with all edits, which stand in order and do not overlap; and where
/// each of them is in it.
pub fn splice(fragment: &Fragment, edits: &[Edit]) -> (Fragment, Vec<Span>) {
    let mut out = Fragment::default();
    let mut places = Vec::new();
    let mut at = 0;
    for edit in edits {
        copy(fragment, Span::new(at, edit.at.start as usize), &mut out);
        let start = out.text.len();
        for part in &edit.parts {
            push(part, &mut out);
        }
        places.push(Span::new(start, out.text.len()));
        at = edit.at.end as usize;
    }
    copy(fragment, Span::new(at, fragment.text.len()), &mut out);
    (out, places)
}

/// The parts as one text.
pub(crate) fn whole(parts: &[Part]) -> Fragment {
    let mut out = Fragment::default();
    for part in parts {
        push(part, &mut out);
    }
    out
}

fn push(part: &Part, to: &mut Fragment) {
    if part.text.is_empty() {
        return;
    }
    to.pieces.push(Piece {
        inner: Span::at(to.text.len()).start,
        outer: part.outer,
        len: part.len,
    });
    to.text.push_str(&part.text);
}

/// Appends a part of a text, piece by piece.
fn copy(from: &Fragment, part: Span, to: &mut Fragment) {
    for (index, piece) in from.pieces.iter().enumerate() {
        // What a piece only stands for reaches to the next.
        let end = match from.pieces.get(index + 1) {
            Some(next) => next.inner,
            None => Span::new(0, from.text.len()).end,
        };
        let (start, end) = (piece.inner.max(part.start), end.min(part.end));
        if start >= end {
            continue;
        }
        let span = Span { start, end };
        let before = start - piece.inner;
        to.pieces.push(Piece {
            inner: Span::at(to.text.len()).start,
            outer: piece.outer + before.min(piece.len),
            len: piece.len.saturating_sub(before).min(end - start),
        });
        to.text.push_str(span.of(&from.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_leads_back() {
        let fragment = Fragment::contiguous("one two three", 100);
        let edits = [
            Edit {
                at: Span::new(4, 7),
                parts: vec![Part::new("<", 500), Part::of("zwei", 500), Part::new(">", 504)],
            },
            Edit {
                at: Span::at(13),
                parts: vec![Part::of("!", 900)],
            },
        ];
        let (out, places) = splice(&fragment, &edits);
        assert_eq!(out.text, "one <zwei> three!");
        assert_eq!(places[0].of(&out.text), "<zwei>");
        assert_eq!(places[1].of(&out.text), "!");
        let back = |from: usize, to: usize| {
            let span = out.map(Span::new(from, to));
            (span.start, span.end)
        };
        assert_eq!(back(0, 3), (100, 103));
        assert_eq!(back(4, 5), (500, 500));
        assert_eq!(back(5, 9), (500, 504));
        assert_eq!(back(6, 8), (501, 503));
        assert_eq!(back(11, 16), (108, 113));
        assert_eq!(back(16, 17), (900, 901));
        // A second time, within and around what was put in.
        let (again, _) = splice(
            &out,
            &[Edit {
                at: Span::new(0, 1),
                parts: vec![Part::of("ONE", 7)],
            }],
        );
        assert_eq!(again.text, "ONEne <zwei> three!");
        let zwei = again.text.find("zwei").unwrap();
        assert_eq!(again.map(Span::new(zwei, zwei + 4)), Span::new(500, 504));
        assert_eq!(again.map(Span::new(3, 5)), Span::new(101, 103));
        let end = again.text.find('>').unwrap();
        assert_eq!(again.map(Span::new(end, end + 1)).start, 504);
    }

    #[test]
    fn no_edit_changes_nothing() {
        let mut fragment = Fragment::default();
        fragment.push("a\n", 10);
        fragment.push("b\n", 20);
        assert_eq!(splice(&fragment, &[]).0, fragment);
    }
}
