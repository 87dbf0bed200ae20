//! Where things stand, as people count.

use rulec_source::Span;

/// Offsets as people count them. Works in logarithmic time, however long the lines are.
pub(super) struct Places {
    /// Where each line begins.
    lines: Vec<u32>,
    /// Bytes that begin no character.
    inner: Vec<u32>,
}

impl Places {
    pub(super) fn new(text: &str) -> Self {
        let offsets = || (0_u32..).zip(text.bytes());
        let breaks = offsets().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i + 1);
        Self {
            lines: std::iter::once(0).chain(breaks).collect(),
            inner: offsets()
                .filter(|(_, byte)| byte & 0xc0 == 0x80)
                .map(|(i, _)| i)
                .collect(),
        }
    }

    fn place(&self, offset: u32) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        let inner = |end: u32| self.inner.partition_point(|i| *i < end);
        let column = (offset - start) as usize - (inner(offset) - inner(start)) + 1;
        (line, column)
    }

    pub(super) fn span(&self, span: Span) -> String {
        let ((line, column), (end_line, end)) = (self.place(span.start), self.place(span.end));
        if line == end_line {
            format!("{line}:{column}..{end}")
        } else {
            format!("{line}:{column}..{end_line}:{end}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let places = Places::new("aé\n🙂b");
        assert_eq!(places.span(Span::new(1, 3)), "1:2..3");
        assert_eq!(places.span(Span::new(8, 9)), "2:2..3");
        assert_eq!(places.span(Span::new(0, 9)), "1:1..2:3");
    }
}
