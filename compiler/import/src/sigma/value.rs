//! Values of Sigma: wildcards, modifiers that change a value into others, and
//! what the rest of a comparison is.

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// `*`
    Any,
    /// `?`
    One,
}

/// A value as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Equals(String),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    /// Something is there.
    Present,
    /// A pattern, as a regular expression over the whole value.
    Pattern(String),
}

/// The pieces of a value. A backslash makes `*`, `?` and a backslash before
/// those plain; before anything else it is itself.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let special = match c {
            '\\' => {
                match chars.peek() {
                    Some(next @ ('*' | '?' | '\\')) => {
                        plain.push(*next);
                        chars.next();
                    }
                    _ => plain.push('\\'),
                }
                continue;
            }
            '*' => Piece::Any,
            '?' => Piece::One,
            c => {
                plain.push(c);
                continue;
            }
        };
        if !plain.is_empty() {
            out.push(Piece::Text(std::mem::take(&mut plain)));
        }
        if !(special == Piece::Any && out.last() == Some(&Piece::Any)) {
            out.push(special);
        }
    }
    if !plain.is_empty() {
        out.push(Piece::Text(plain));
    }
    out
}

/// The comparison that pieces mean.
pub(super) fn shape(pieces: &[Piece]) -> Shape {
    match pieces {
        [] => Shape::Equals(String::new()),
        [Piece::Text(text)] => Shape::Equals(text.clone()),
        [Piece::Any] => Shape::Present,
        [Piece::Any, Piece::Text(text), Piece::Any] => Shape::Contains(text.clone()),
        [Piece::Text(text), Piece::Any] => Shape::StartsWith(text.clone()),
        [Piece::Any, Piece::Text(text)] => Shape::EndsWith(text.clone()),
        pieces => {
            let inner: String = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => regex::escape(text),
                    Piece::Any => ".*".to_owned(),
                    Piece::One => ".".to_owned(),
                })
                .collect();
            Shape::Pattern(format!("^{inner}$"))
        }
    }
}

/// With the marks that begin a command's option replaced by each other.
pub(super) fn windash(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for dash in ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'] {
        let mut changed = String::new();
        let mut before = ' ';
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let begins =
                !before.is_alphanumeric() && chars.peek().is_some_and(|n| n.is_alphanumeric() || *n == '*');
            changed.push(if matches!(c, '-' | '/') && begins { dash } else { c });
            before = c;
        }
        if !out.contains(&changed) {
            out.push(changed);
        }
    }
    out
}

/// UTF-16 bytes, low byte first (`wide`, `utf16le`) or high byte first.
pub(super) fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mut out = if mark { vec![0xff, 0xfe] } else { Vec::new() };
    for unit in text.encode_utf16() {
        out.extend(if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        });
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = (u32::from(chunk[0]) << 16)
            | (u32::from(chunk.get(1).copied().unwrap_or(0)) << 8)
            | u32::from(chunk.get(2).copied().unwrap_or(0));
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(char::from(ALPHABET[(word >> (18 - 6 * i) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// What of the Base64 of a text is the same wherever in a larger text it
/// begins: one for each remainder of the place by three.
pub(super) fn base64_offsets(bytes: &[u8]) -> Vec<String> {
    (0..3_usize)
        .map(|offset| {
            let mut shifted = vec![b' '; offset];
            shifted.extend(bytes);
            let whole = base64(&shifted);
            let from = [0, 2, 3][offset];
            let cut = [0, 3, 2][shifted.len() % 3];
            whole
                .get(from..whole.len().saturating_sub(cut))
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_escapes() {
        let of = |text: &str| shape(&pieces(text));
        // A backslash before a star makes the star plain, as the specification says.
        assert_eq!(of(r"C:\Windows\*"), Shape::Equals(r"C:\Windows*".to_owned()));
        assert_eq!(of(r"*\cmd.exe"), Shape::EndsWith(r"\cmd.exe".to_owned()));
        assert_eq!(of(r"*a*"), Shape::Contains("a".to_owned()));
        assert_eq!(of("*"), Shape::Present);
        assert_eq!(of(r"a\*b"), Shape::Equals("a*b".to_owned()));
        assert_eq!(of(r"a\\*"), Shape::StartsWith(r"a\".to_owned()));
        assert_eq!(of("a?c*"), Shape::Pattern("^a.c.*$".to_owned()));
    }

    #[test]
    fn encodings() {
        assert_eq!(base64(b"foo"), "Zm9v");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64_offsets(b"foobar"), ["Zm9vYmFy", "Zvb2Jhc", "mb29iYX"]);
        assert_eq!(utf16("ab", false, false), [b'a', 0, b'b', 0]);
        assert_eq!(windash("-a /b").len(), 5);
    }
}
