//! One text with a name, and its lines.

use std::sync::{Arc, OnceLock};

use crate::Span;

/// A text and the name people know it by.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path relative to the repository with `/` separators, or `<stdin>`.
    pub path: String,
    /// The text as read. Always UTF-8: the driver reports other bytes before
    /// this type exists.
    pub text: String,
    lines: OnceLock<Vec<u32>>,
    beside: Vec<Beside>,
}

/// Another text, parts of which were put into this one: what an environment
/// adds to the query of a document. Its bytes have offsets behind this one's,
/// so that a span says by itself in which of the two it lies.
#[derive(Clone, Debug)]
struct Beside {
    /// Offset of its first byte.
    start: u32,
    file: Arc<SourceFile>,
    /// Bytes of it, by their offsets here, and the place they were put at.
    put: Vec<(Span, u32)>,
}

/// A place as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl SourceFile {
    /// A text under a name.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
            beside: Vec::new(),
        }
    }

    /// The same text, with others that parts may be put in from.
    #[must_use]
    pub fn with(mut self, others: &[Arc<SourceFile>]) -> Self {
        for file in others {
            let start = self.end().saturating_add(1);
            self.beside.push(Beside {
                start,
                file: Arc::clone(file),
                put: Vec::new(),
            });
        }
        self
    }

    /// One past the last offset that lies in this text or in one beside it.
    fn end(&self) -> u32 {
        match self.beside.last() {
            Some(last) => last.start.saturating_add(Span::new(0, last.file.text.len()).end),
            None => Span::new(0, self.text.len()).end,
        }
    }

    /// The offset here of the first byte of the text beside this one that has
    /// this name.
    pub fn offset_of(&self, path: &str) -> Option<u32> {
        self.beside
            .iter()
            .find(|beside| beside.file.path == path)
            .map(|beside| beside.start)
    }

    /// Says that bytes of a text beside this one were put in at `at`.
    pub fn put(&mut self, bytes: Span, at: u32) {
        if let Some(beside) = self.beside.iter_mut().rev().find(|b| b.start <= bytes.start) {
            beside.put.push((bytes, at));
        }
    }

    fn beside(&self, offset: u32) -> Option<&Beside> {
        self.beside.iter().rev().find(|beside| beside.start <= offset)
    }

    /// Whether a span lies in a text beside this one.
    pub fn is_beside(&self, span: Span) -> bool {
        self.beside(span.start).is_some()
    }

    /// The text that a span lies in, and where in it.
    pub fn resolve(&self, span: Span) -> (&SourceFile, Span) {
        match self.beside(span.start) {
            Some(beside) => {
                let most = Span::new(0, beside.file.text.len()).end;
                let within = |offset: u32| offset.saturating_sub(beside.start).min(most);
                let (start, end) = (within(span.start), within(span.end));
                (&beside.file, Span { start, end })
            }
            None => (self, self.own(span)),
        }
    }

    /// A span that begins in this text, ended where it leaves it: what was put
    /// in stands at a place of this text, too.
    #[must_use]
    pub fn own(&self, span: Span) -> Span {
        if self.beside(span.start).is_some() {
            return span;
        }
        let end = self.anchor(span.end.saturating_sub(1)).unwrap_or(span.end);
        Span {
            start: span.start,
            end: end.max(span.start),
        }
    }

    /// Where bytes of a text beside this one were put in.
    fn anchor(&self, offset: u32) -> Option<u32> {
        let beside = self.beside(offset)?;
        let put = beside
            .put
            .iter()
            .find(|(bytes, _)| bytes.start <= offset && offset <= bytes.end)
            .or(beside.put.first());
        Some(put.map_or(Span::new(0, self.text.len()).end, |(_, at)| *at))
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            std::iter::once(0)
                .chain(
                    self.text
                        .bytes()
                        .enumerate()
                        .filter(|&(_, b)| b == b'\n')
                        .map(|(i, _)| u32::try_from(i + 1).unwrap_or(u32::MAX)),
                )
                .collect()
        })
    }

    /// Line and column of a byte offset. An offset past the end, or inside a
    /// character, counts as the nearest place before it; one in a text beside
    /// this one as the place where that was put in.
    pub fn position(&self, offset: usize) -> Position {
        let (line, before) = self.before(offset);
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }

    /// [`Self::position`] with the column in UTF-16 code units, and without the
    /// byte order mark that a text may begin with: as editors and code hosts count.
    pub fn position_utf16(&self, offset: usize) -> Position {
        let (line, before) = self.before(offset);
        let before = if line == 1 {
            before.trim_start_matches('\u{feff}')
        } else {
            before
        };
        Position {
            line,
            column: before.encode_utf16().count() + 1,
        }
    }

    /// The line of an offset, from 1, and what stands in it before the offset.
    fn before(&self, offset: usize) -> (usize, &str) {
        let anchor = self.anchor(Span::at(offset).start);
        let mut offset = anchor.map_or(offset, |at| at as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines().partition_point(|&start| start as usize <= offset) - 1;
        let start = self.lines()[line] as usize;
        (line + 1, &self.text[start..offset])
    }

    /// Where a span begins and ends.
    pub fn positions(&self, span: Span) -> (Position, Position) {
        (
            self.position(span.start as usize),
            self.position(span.end as usize),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_behind_the_end_lie_in_the_texts_beside() {
        let other = Arc::new(SourceFile::new("b", "one\ntwo\n"));
        let third = Arc::new(SourceFile::new("c", "three"));
        let mut file = SourceFile::new("a", "first\nsecond\n").with(&[other, third]);
        let (b, c) = (file.offset_of("b").unwrap(), file.offset_of("c").unwrap());
        assert_eq!(file.offset_of("a"), None);
        let two = Span {
            start: b + 4,
            end: b + 7,
        };
        let three = Span { start: c, end: c + 5 };
        for (span, path, text) in [
            (two, "b", "two"),
            (three, "c", "three"),
            (Span::new(6, 12), "a", "second"),
        ] {
            let (found, at) = file.resolve(span);
            assert_eq!((&*found.path, at.of(&found.text)), (path, text));
            assert_eq!(file.is_beside(span), path != "a");
        }
        // Until something is said of it, what is put in stands at the end.
        assert_eq!(file.position(two.start as usize).line, 3);
        file.put(two, 6);
        assert_eq!(file.position(two.start as usize), Position { line: 2, column: 1 });
        // What begins here and ends there ends where the other was put in.
        assert_eq!(file.own(Span::new(0, two.end as usize)).of(&file.text), "first\n");
        assert_eq!(file.own(Span::new(0, 3)), Span::new(0, 3));
        // Behind everything is still a place.
        assert_eq!(file.resolve(Span::new(9_999, 10_000)).0.path, "c");
    }
}
