//! A literal looked for in the raw bytes of a JSON string.
//!
//! In: the bytes between the quotes. Out: whether they may pass a test. JSON
//! leaves little choice in writing a string: where a writer made use of it
//! (`\u0063`, `\/`), or where a character beyond ASCII folds into it, the answer
//! is that the row may pass.

use memchr::memmem::Finder;
use rulec_functions::TextTest;

use super::lanes::Looks;

/// The raw value of a field, as far as it can be asked without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw<'t> {
    /// A string written in the usual way, without its quotes, and whether its
    /// ASCII letters are the only ones that fold to such.
    Text(&'t [u8], bool),
    /// Missing, null or the empty string: the empty text.
    Empty,
    /// Anything else: it may be whatever one asks for.
    Unsure,
}

impl<'t> Raw<'t> {
    /// Looks at the raw value of a field.
    #[inline]
    pub(super) fn of(raw: Option<&'t [u8]>) -> Self {
        match raw {
            None | Some(b"null") => Raw::Empty,
            Some([b'"', content @ .., b'"']) => {
                if content.is_empty() {
                    return Raw::Empty;
                }
                let looks = Looks::of(content);
                if looks.usual {
                    Raw::Text(content, looks.ascii || folds_plainly(content))
                } else {
                    Raw::Unsure
                }
            }
            Some(_) => Raw::Unsure,
        }
    }
}

/// Whether no character beyond ASCII has a case in it: none of
/// [`MEETS_ASCII`](rulec_functions::fold::MEETS_ASCII).
#[inline]
pub(super) fn folds_plainly(text: &[u8]) -> bool {
    text.is_ascii()
        || !text.windows(2).enumerate().any(|(at, pair)| match pair {
            [0xc4, 0xb0 | 0xb1] | [0xc5, 0xbf] => true,
            [0xe2, 0x84] => text.get(at + 2) == Some(&0xaa),
            _ => false,
        })
}

/// Takes back what [`escaped`] did to a usual text.
pub(super) fn unescape<'t>(content: &'t [u8], room: &'t mut Vec<u8>) -> &'t [u8] {
    let Some(first) = memchr::memchr(b'\\', content) else {
        return content;
    };
    room.clear();
    let (mut rest, mut next) = (content, Some(first));
    while let Some(at) = next {
        room.extend(&rest[..at]);
        room.push(match rest.get(at + 1) {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(other) => *other,
            None => b'\\',
        });
        rest = rest.get(at + 2..).unwrap_or_default();
        next = memchr::memchr(b'\\', rest);
    }
    room.extend(rest);
    room
}

/// A text as JSON usually writes it between quotes. Every character is written
/// by itself, so one text is in another exactly if what is written is.
fn escaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.bytes() {
        match c {
            b'"' => bytes.extend(b"\\\""),
            b'\\' => bytes.extend(b"\\\\"),
            b'\n' => bytes.extend(b"\\n"),
            b'\r' => bytes.extend(b"\\r"),
            b'\t' => bytes.extend(b"\\t"),
            // Others below a blank are written by code point, in either case of letters.
            0..0x20 => return None,
            c => bytes.push(c),
        }
    }
    Some(bytes)
}

/// One text, ready to be looked for.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    /// As written between quotes; in lower case if folded.
    pub(super) bytes: Box<[u8]>,
    pub(super) test: TextTest,
    pub(super) folded: bool,
    finder: Option<Finder<'static>>,
    /// Of a folded needle: the place of its rarest byte.
    rare: usize,
}

impl Needle {
    /// None where a raw text cannot be asked for it.
    pub(super) fn new(text: &str, test: TextTest, folded: bool) -> Option<Self> {
        Self::of(escaped(text)?, test, folded)
    }

    /// For texts that are not written as JSON. None where case beyond ASCII
    /// would count.
    pub(super) fn plain(text: &str, test: TextTest, folded: bool) -> Option<Self> {
        Self::of(text.as_bytes().to_vec(), test, folded)
    }

    fn of(mut bytes: Vec<u8>, test: TextTest, folded: bool) -> Option<Self> {
        if folded {
            if !bytes.is_ascii() {
                return None;
            }
            bytes.make_ascii_lowercase();
        }
        let rare = (0..bytes.len()).min_by_key(|place| commonness(bytes[*place]))?;
        let searches = matches!(test, TextTest::Contains | TextTest::Inside);
        Some(Self {
            finder: (searches && !folded).then(|| Finder::new(&bytes).into_owned()),
            bytes: bytes.into(),
            test,
            folded,
            rare,
        })
    }

    /// Whether a text may pass the test.
    #[inline]
    pub(super) fn may_pass(&self, text: &[u8], plain: bool) -> bool {
        if self.folded && !plain {
            return true;
        }
        let length = self.bytes.len();
        if text.len() < length {
            return false;
        }
        match self.test {
            TextTest::Is => text.len() == length && self.equals(text),
            TextTest::StartsWith => self.equals(&text[..length]),
            TextTest::EndsWith => self.equals(&text[text.len() - length..]),
            TextTest::Contains | TextTest::Inside => self.is_in(text),
        }
    }

    #[inline]
    fn equals(&self, text: &[u8]) -> bool {
        if self.folded {
            text.eq_ignore_ascii_case(&self.bytes)
        } else {
            *text == *self.bytes
        }
    }

    /// Whether it is somewhere in a text.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        if let Some(finder) = &self.finder {
            return finder.find(text).is_some();
        }
        let length = self.bytes.len();
        let Some(last) = text.len().checked_sub(length) else {
            return false;
        };
        let rare = self.bytes[self.rare];
        // Where the rare byte may be.
        let places = &text[self.rare..=last + self.rare];
        let mut from = 0;
        while let Some(ahead) = memchr::memchr2(rare, rare.to_ascii_uppercase(), &places[from..]) {
            let start = from + ahead;
            if text[start..start + length].eq_ignore_ascii_case(&self.bytes) {
                return true;
            }
            from = start + 1;
        }
        false
    }
}

/// How common a byte is in paths and command lines, by rough order.
fn commonness(byte: u8) -> usize {
    const BY_RARITY: &[u8] = b"zjq`~^$#@!*%?&;'|[]{}()<>,+=kxvybwhgufmpl97836542dcnratosie10_-/:. \\\"";
    BY_RARITY
        .iter()
        .position(|known| *known == byte)
        .map_or(0, |place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str, test: TextTest, folded: bool, raw: &str) -> bool {
        match Raw::of(Some(raw.as_bytes())) {
            Raw::Text(content, plain) => {
                Needle::new(text, test, folded).is_none_or(|needle| needle.may_pass(content, plain))
            }
            Raw::Empty => false,
            Raw::Unsure => true,
        }
    }

    /// What [`Looks`] sees, byte by byte.
    fn looks(text: &[u8]) -> Looks {
        let (mut usual, mut bytes) = (true, text.iter());
        while let Some(byte) = bytes.next() {
            usual &= *byte != b'\\' || matches!(bytes.next(), Some(b'"' | b'\\' | b'n' | b'r' | b't'));
        }
        Looks {
            usual,
            ascii: text.is_ascii(),
        }
    }

    #[test]
    fn the_usual_way() {
        let mut rng = fastrand::Rng::with_seed(20_261_122);
        let mut usual = 0;
        for _ in 0..20_000 {
            let length = [rng.usize(..200), 64, 128, 63][rng.usize(..4)];
            let odd = rng.u8(..3) == 0;
            let mut text = Vec::new();
            while text.len() < length {
                match rng.u8(..8) {
                    0 => text.extend([b'\\', b"\"\\nrt"[rng.usize(..5)]]),
                    1 if odd => text.push([rng.u8(..), b'\\'][rng.usize(..2)]),
                    _ => text.push(b"abn\"rt"[rng.usize(..6)]),
                }
            }
            if odd {
                text.truncate(length);
            }
            let seen = Looks::of(&text);
            assert_eq!(seen, looks(&text), "{:?}", String::from_utf8_lossy(&text));
            usual += usize::from(seen.usual);
        }
        assert!((10_000..19_000).contains(&usual), "{usual}");
    }

    #[test]
    fn raw_values() {
        assert_eq!(Raw::of(Some(br#""a\\b""#)), Raw::Text(br"a\\b", true));
        assert_eq!(Raw::of(Some(br#""a\u0062""#)), Raw::Unsure);
        assert_eq!(Raw::of(Some(br#""a\/b""#)), Raw::Unsure);
        assert_eq!(Raw::of(Some(b"17")), Raw::Unsure);
        assert_eq!(Raw::of(Some(b"null")), Raw::Empty);
        assert_eq!(Raw::of(Some(b"\"\"")), Raw::Empty);
        assert_eq!(Raw::of(None), Raw::Empty);
        assert_eq!(Raw::of(Some("\"ä\"".as_bytes())), Raw::Text("ä".as_bytes(), true));
        for c in rulec_functions::fold::MEETS_ASCII {
            let text = format!("日{c}");
            assert_eq!(
                Raw::of(Some(format!("\"{text}\"").as_bytes())),
                Raw::Text(text.as_bytes(), false)
            );
        }
    }

    #[test]
    fn usual_texts_are_read_back() {
        for text in ["", "plain", "a\\b", "\\\\", "tab\tquote\"", "end\\", "日\n\r本"] {
            let written = escaped(text).unwrap_or_default();
            assert_eq!(unescape(&written, &mut Vec::new()), text.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn tests_of_text() {
        use TextTest::{Contains, EndsWith, Is, StartsWith};
        let raw = r#""C:\\Windows\\Cmd.exe""#;
        assert!(passes(r"c:\windows\cmd.EXE", Is, true, raw));
        assert!(!passes(r"c:\windows\cmd.EXE", Is, false, raw));
        assert!(passes(r"C:\", StartsWith, false, raw) && !passes("Windows", StartsWith, true, raw));
        assert!(passes(".exe", EndsWith, false, raw) && !passes("cmd", EndsWith, true, raw));
        assert!(passes(r"windows\CMD", Contains, true, raw) && !passes("windows/cmd", Contains, true, raw));
        assert!(!passes(
            "a longer text than the field has at all",
            Contains,
            true,
            raw
        ));
        // Beyond ASCII, folding is for whoever decodes.
        assert!(passes("k", Is, true, "\"\u{212a}\"") && !passes("k", Is, false, "\"\u{212a}\""));
        assert!(passes("x", Contains, false, r#""\u0078""#));
        assert!(
            passes("a\u{1}b", Contains, false, r#""nothing""#),
            "cannot be asked"
        );
    }
}
