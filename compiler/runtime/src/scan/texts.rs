//! Whether the raw value of a field may pass a test with one of some texts.
//!
//! In: the raw value as it stands in a line. Out: a quick no, or the texts to be
//! looked for one by one. Most values are of another length than all of the
//! texts or begin with another letter, and need not be looked at any further.

use std::ops::Deref;

use rulec_functions::TextTest;

use super::needle::Needle;

/// Some texts; never none.
#[derive(Debug)]
pub(super) struct Texts {
    needles: Vec<Needle>,
    /// Bytes of the shortest one with its quotes. However a character is
    /// written, it takes no less than it takes usually.
    shortest: usize,
    /// Where all texts are whole values or beginnings: the bytes that a string
    /// may begin with, behind its quote.
    firsts: Option<Box<[bool; 256]>>,
}

impl Texts {
    pub(super) fn new(needles: Vec<Needle>) -> Self {
        let shortest = needles.iter().map(|needle| needle.bytes.len() + 2).min();
        let begin = |needle: &Needle| matches!(needle.test, TextTest::Is | TextTest::StartsWith);
        let firsts = needles.iter().all(begin).then(|| {
            let mut firsts = Box::new([false; 256]);
            // Any character may be written with a backslash.
            firsts[usize::from(b'\\')] = true;
            for needle in &needles {
                let first = needle.bytes[0];
                firsts[usize::from(first)] = true;
                if needle.folded {
                    firsts[usize::from(first.to_ascii_uppercase())] = true;
                    // Some characters beyond ASCII fold into it.
                    firsts[0x80..].fill(true);
                }
            }
            firsts
        });
        Self {
            needles,
            shortest: shortest.unwrap_or(0),
            firsts,
        }
    }

    /// Whether all of them are whole values or beginnings.
    pub(super) fn begin(&self) -> bool {
        self.firsts.is_some()
    }

    /// Whether a value passes with none of them, as far as that is seen at once.
    #[inline]
    pub(super) fn are_out(&self, raw: Option<&[u8]>) -> bool {
        let Some(raw @ [b'"', first, ..]) = raw else {
            return false;
        };
        raw.len() < self.shortest
            || self
                .firsts
                .as_ref()
                .is_some_and(|firsts| !firsts[usize::from(*first)])
    }
}

impl Deref for Texts {
    type Target = [Needle];

    fn deref(&self) -> &[Needle] {
        &self.needles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str], test: TextTest, folded: bool) -> Texts {
        Texts::new(
            texts
                .iter()
                .filter_map(|text| Needle::new(text, test, folded))
                .collect(),
        )
    }

    #[test]
    fn quick_answers() {
        let is = texts(&["Kmd.exe", "a\\b"], TextTest::Is, true);
        for out in ["\"\"", "\"ab\"", "\"xmd.exe\"", "\"lmd.exe, and more\""] {
            assert!(is.are_out(Some(out.as_bytes())), "{out}");
        }
        for perhaps in [
            "\"KMD.EXE\"",
            "\"\\u006bmd.exe\"",
            "\"\u{212a}md.exe\"",
            "\"A\\\\c\"",
            "null",
            "12345",
            "",
        ] {
            assert!(!is.are_out(Some(perhaps.as_bytes())), "{perhaps}");
        }
        assert!(!is.are_out(None));
        let exact = texts(&["K"], TextTest::StartsWith, false);
        assert!(!exact.are_out(Some(b"\"Kim\"")) && exact.are_out(Some("\"\u{212a}im\"".as_bytes())));
        assert!(exact.are_out(Some(b"\"kim\"")));
        for test in [TextTest::Contains, TextTest::EndsWith] {
            let some = texts(&["cmd"], test, true);
            assert!(!some.are_out(Some(b"\"xcmd\"")) && some.are_out(Some(b"\"cm\"")));
        }
    }
}
