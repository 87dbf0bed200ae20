//! Whether every byte of a line is JSON.
//!
//! In: a line. Out: whether it is, when that is certain at a glance. Where it
//! is not, whoever reads thoroughly decides, and says what is wrong: nesting
//! deeper than [`DEEPEST`], characters of two code units and lines of gigabytes are
//! left to them.

use super::lanes::{Quoter, Quotes};

/// Objects and arrays within each other, one bit for each.
const DEEPEST: u32 = 64;

/// Checks lines; what one thread keeps from line to line.
#[derive(Debug)]
pub(super) struct Strict {
    quoter: Quoter,
    quotes: Quotes,
}

impl Strict {
    pub(super) fn new() -> Self {
        Self {
            quoter: Quoter::new(),
            quotes: Quotes::default(),
        }
    }

    /// True if the line is JSON for certain.
    pub(super) fn is_json(&mut self, line: &[u8]) -> bool {
        if u32::try_from(line.len()).is_err() {
            return false;
        }
        self.quoter.find(line, &mut self.quotes);
        let quotes = &self.quotes;
        if !quotes.sound
            || (quotes.coded && !are_characters(line))
            || (!quotes.ascii && std::str::from_utf8(line).is_err())
        {
            return false;
        }
        let mut cursor = Cursor {
            text: line,
            quotes: &quotes.places[..quotes.count],
            at: 0,
        };
        cursor.document().is_some()
    }
}

/// Whether characters by code point are such, each of one code unit.
fn are_characters(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let Some((kind, behind)) = rest[at + 1..].split_first() else {
            return false;
        };
        rest = behind;
        if *kind == b'u' {
            let Some(digits) = rest.first_chunk::<4>() else {
                return false;
            };
            let surrogate = matches!(
                digits[..2],
                [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F']
            );
            if surrogate || !digits.iter().all(u8::is_ascii_hexdigit) {
                return false;
            }
        }
    }
    true
}

/// A place in a line. Each step is none where the line is not JSON.
struct Cursor<'t> {
    text: &'t [u8],
    /// Quotes that are still to come.
    quotes: &'t [u32],
    at: usize,
}

impl Cursor<'_> {
    fn document(&mut self) -> Option<()> {
        // The lowest bit: whether the innermost is an object.
        let (mut objects, mut depth) = (0_u64, 0);
        loop {
            // A value begins.
            match self.next_token()? {
                open @ (b'{' | b'[') => {
                    depth += 1;
                    if depth > DEEPEST {
                        return None;
                    }
                    let is_object = open == b'{';
                    objects = objects << 1 | u64::from(is_object);
                    let close = if is_object { b'}' } else { b']' };
                    if self.peek() == Some(close) {
                        self.at += 1;
                        objects >>= 1;
                        depth -= 1;
                    } else {
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b'"' => self.string()?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                b't' => self.word(b"rue")?,
                b'f' => self.word(b"alse")?,
                b'n' => self.word(b"ull")?,
                _ => return None,
            }
            // A value has ended.
            loop {
                if depth == 0 {
                    return self.peek().is_none().then_some(());
                }
                let in_object = objects & 1 == 1;
                match (self.next_token()?, in_object) {
                    (b',', true) => {
                        self.key()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => {
                        objects >>= 1;
                        depth -= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        if self.next_token()? != b'"' {
            return None;
        }
        self.string()?;
        (self.next_token()? == b':').then_some(())
    }

    /// The byte behind blanks.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn next_token(&mut self) -> Option<u8> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// What is behind an opening quote, and the closing one.
    #[inline]
    fn string(&mut self) -> Option<()> {
        let [_, close, rest @ ..] = self.quotes else {
            return None;
        };
        self.quotes = rest;
        self.at = *close as usize + 1;
        Some(())
    }

    #[inline]
    fn number(&mut self, first: u8) -> Option<()> {
        let mut first = first;
        if first == b'-' {
            first = *self.text.get(self.at)?;
            self.at += 1;
        }
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Some(())
    }

    fn some_digits(&mut self) -> Option<()> {
        let from = self.at;
        self.digits();
        (self.at > from).then_some(())
    }

    #[inline]
    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    #[inline]
    fn word(&mut self, rest: &[u8]) -> Option<()> {
        let end = self.at + rest.len();
        (self.text.get(self.at..end)? == rest).then(|| self.at = end)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    fn thoroughly(line: &[u8]) -> bool {
        std::str::from_utf8(line).is_ok() && serde_json::from_slice::<IgnoredAny>(line).is_ok()
    }

    #[test]
    fn lines_in_short() {
        let mut strict = Strict::new();
        let long = format!(r#"{{"{}": "{}\""}}"#, "k".repeat(200), "ä日 ".repeat(50));
        for line in [
            "{}",
            " [] ",
            r#"{"a":1,"b":[true,false,null,{"c":"\u00e4\n\"x\\"}],"d":-0.5e+10,"e":{}}"#,
            "\t\"text\"\r",
            "0",
            &long,
        ] {
            assert!(strict.is_json(line.as_bytes()), "{line}");
        }
        for line in [
            "",
            " ",
            "{",
            "}",
            "{]",
            "[}",
            "[1,]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":1}{"#,
            r#"{"a":1 "b":2}"#,
            "{a:1}",
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":1e}"#,
            r#"{"a":tru}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            "\"tab\there\"",
            "\"open",
            "nullx",
        ] {
            assert!(!strict.is_json(line.as_bytes()), "{line}");
        }
        assert!(!strict.is_json(b"\"\xff\""));
        assert!(!strict.is_json(b"\"\xc3\""));
    }

    #[test]
    fn what_passes_is_json() {
        const PARTS: [&str; 24] = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"a\":",
            "\\",
            "\\\"",
            "\\u0041",
            "\\ud83d",
            " ",
            "1",
            "-",
            "0.5",
            "1e9",
            "true",
            "null",
            "\"a\":1,",
            "ä",
            "\t",
            "{\"long key of a line\":\"and a text\"}",
        ];
        let mut rng = fastrand::Rng::with_seed(20_261_122);
        let mut strict = Strict::new();
        let mut passed = 0;
        for _ in 0..200_000 {
            let mut line = String::new();
            for _ in 0..rng.usize(1..12) {
                line.push_str(PARTS[rng.usize(..PARTS.len())]);
            }
            let certain = strict.is_json(line.as_bytes());
            assert!(!certain || thoroughly(line.as_bytes()), "{line}");
            // What is left to others is little.
            assert!(
                certain || !thoroughly(line.as_bytes()) || line.contains("\\ud"),
                "{line}"
            );
            passed += usize::from(certain);
        }
        assert!(passed > 1_000, "{passed}");
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(!strict.is_json(deep.as_bytes()) && thoroughly(deep.as_bytes()));
    }
}
