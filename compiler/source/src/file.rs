//! One text with a name, and its lines.

use std::sync::OnceLock;

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
        }
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
    /// character, counts as the nearest place before it.
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
        let mut offset = offset.min(self.text.len());
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
