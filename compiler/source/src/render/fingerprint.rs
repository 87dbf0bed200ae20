//! What a finding is known by when the lines around it move.
//!
//! In: a text. Out: a hash of each line and the hundred characters that follow,
//! blanks left out, and how often it was seen before. It is the one that
//! GitHub's code scanning computes for a log without one
//! (github/codeql-action, src/fingerprints.ts), so that both always agree: a
//! second one would open every alert again.

use std::collections::BTreeMap;

/// Characters that a hash looks at.
const BLOCK: usize = 100;
const FACTOR: u64 = 37;
/// Ends the text.
const END: u16 = u16::MAX;

/// `hash:count` for each line of a text, in order.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut rolling = Rolling::default();
    for unit in text.encode_utf16() {
        rolling.read(unit);
    }
    rolling.read(END);
    for _ in 0..BLOCK {
        rolling.finish_line();
        rolling.push(0);
    }
    rolling.found
}

/// A hash of the last [`BLOCK`] characters that is kept up as they come.
struct Rolling {
    window: [u16; BLOCK],
    /// Whether the character at the same place of the window begins a line.
    begins: [bool; BLOCK],
    hash: u64,
    /// What the oldest character counts.
    oldest: u64,
    at: usize,
    line_start: bool,
    after_return: bool,
    seen: BTreeMap<u64, usize>,
    found: Vec<String>,
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            window: [0; BLOCK],
            begins: [false; BLOCK],
            hash: 0,
            oldest: (0..BLOCK).fold(1, |product: u64, _| product.wrapping_mul(FACTOR)),
            at: 0,
            line_start: true,
            after_return: false,
            seen: BTreeMap::new(),
            found: Vec::new(),
        }
    }
}

impl Rolling {
    fn read(&mut self, mut unit: u16) {
        const TAB: u16 = b'\t' as u16;
        const FEED: u16 = b'\n' as u16;
        const RETURN: u16 = b'\r' as u16;
        const BLANK: u16 = b' ' as u16;
        if unit == BLANK || unit == TAB || (self.after_return && unit == FEED) {
            self.after_return = false;
            return;
        }
        self.after_return = unit == RETURN;
        if unit == RETURN {
            unit = FEED;
        }
        self.finish_line();
        if self.line_start {
            self.line_start = false;
            self.begins[self.at] = true;
        }
        if unit == FEED {
            self.line_start = true;
        }
        self.push(unit);
    }

    fn push(&mut self, unit: u16) {
        let oldest = std::mem::replace(&mut self.window[self.at], unit);
        self.hash = FACTOR
            .wrapping_mul(self.hash)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(self.oldest.wrapping_mul(u64::from(oldest)));
        self.at = (self.at + 1) % BLOCK;
    }

    /// When the character that leaves the window begins a line, the window is what its hash is of.
    fn finish_line(&mut self) {
        if std::mem::take(&mut self.begins[self.at]) {
            let count = self.seen.entry(self.hash).or_default();
            *count += 1;
            self.found.push(format!("{:x}:{count}", self.hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those that the tests of github/codeql-action expect.
    #[test]
    fn it_is_the_one_of_code_scanning() {
        assert_eq!(lines(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            lines(" a\nb\n  \t\tc\n d"),
            [
                "271789c17abda88f:1",
                "54703d4cd895b18:1",
                "180aee12dab6264:1",
                "a23a3dc5e078b07b:1"
            ]
        );
        let ends = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        let text = " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n";
        for end in ["\n", "\r", "\r\n"] {
            assert_eq!(lines(&text.replace('\n', end)), ends, "{end:?}");
        }
    }

    #[test]
    fn lines_that_move_keep_theirs() {
        let text = format!("{}\nthe line\n{}\n", "a".repeat(200), "b".repeat(200));
        let moved = format!("x\ny\nz\n{text}");
        assert_eq!(lines(&text)[1], lines(&moved)[4]);
    }
}
