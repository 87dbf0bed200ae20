//! A quick look at query text: names that are called, and comments.
//!
//! In: KQL text, well formed or not. Out: places. This is for what targets
//! forbid in the text as such; what a name means is the binder's to say, so
//! nothing here decides what a query does.

use rulec_source::Span;

/// What the text is made of, as far as targets care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A name, keyword or number.
    Word,
    /// `// …`, without the line break.
    Comment,
    /// A string literal of any kind.
    Text,
    /// Any other single character that is not blank.
    Mark,
}

/// The pieces of a query in order, blanks left out.
pub(crate) fn pieces(text: &str) -> Vec<(Piece, Span)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let piece = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = line_end(bytes, at);
                Piece::Comment
            }
            b'`' | b'~' if bytes[at..].starts_with(b"```") || bytes[at..].starts_with(b"~~~") => {
                let fence = &text[at..at + 3];
                at = text[at + 3..]
                    .find(fence)
                    .map_or(bytes.len(), |end| at + 3 + end + 3);
                Piece::Text
            }
            b'@' if matches!(bytes.get(at + 1), Some(b'"' | b'\'')) => {
                at = verbatim_end(bytes, at + 1);
                Piece::Text
            }
            b'"' | b'\'' => {
                at = string_end(bytes, at);
                Piece::Text
            }
            byte if is_word(byte) => {
                while bytes.get(at).copied().is_some_and(is_word) {
                    at += 1;
                }
                Piece::Word
            }
            _ => {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
                Piece::Mark
            }
        };
        found.push((piece, Span::new(start, at)));
    }
    found
}

/// The first call of the function `name` (`workspace`), as the place of its
/// name; case-sensitive.
pub(crate) fn call(text: &str, name: &str) -> Option<Span> {
    let pieces: Vec<_> = pieces(text)
        .into_iter()
        .filter(|(piece, _)| *piece != Piece::Comment)
        .collect();
    pieces.windows(2).find_map(|pair| {
        let ((kind, span), (_, next)) = (pair[0], pair[1]);
        (kind == Piece::Word && span.of(text) == name && next.of(text) == "(").then_some(span)
    })
}

/// The first comment.
pub(crate) fn comment(text: &str) -> Option<Span> {
    pieces(text)
        .into_iter()
        .find(|(piece, _)| *piece == Piece::Comment)
        .map(|(_, span)| span)
}

/// The text without comments, and without the lines that held nothing else.
pub(crate) fn without_comments(text: &str) -> String {
    let mut comments = pieces(text)
        .into_iter()
        .filter(|(piece, _)| *piece == Piece::Comment)
        .peekable();
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        match comments.next_if(|(_, span)| (span.start as usize) < end) {
            Some((_, span)) => {
                let kept = line[..span.start as usize - start].trim_end();
                if !kept.is_empty() {
                    out.push_str(kept);
                    out.push_str(&line[span.end as usize - start..]);
                }
            }
            None => out.push_str(line),
        }
        start = end;
    }
    out
}

/// `-` is a word character only in keywords such as `mv-expand`; it is a mark here.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..];
    let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
    from + end.unwrap_or(rest.len())
}

/// The end of a string with backslash escapes; it cannot cross a line break.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let quote = bytes[from];
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' | b'\r' => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a verbatim string, whose quote is doubled inside.
fn verbatim_end(bytes: &[u8], from: usize) -> usize {
    let quote = bytes[from];
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn calls_outside_strings_and_comments() {
        let text = "// workspace('a')\nlet a = \"workspace('b')\"; @'x\\' ; union workspace (\"c\").T";
        let span = call(text, "workspace").unwrap();
        assert_eq!(span.start as usize, text.rfind("workspace").unwrap());
        assert_eq!(call("T | where workspace == 1", "workspace"), None);
    }

    #[test]
    fn comments_go_with_their_lines() {
        let text = "T // a\n// b\r\n| where x == \"http://y\" // c";
        assert_eq!(without_comments(text), "T\n| where x == \"http://y\"");
        assert_eq!(comment(text).unwrap().of(text), "// a");
        assert_eq!(comment("T | where a == '//'"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_scanned(text in "[a-z/`~@\"'\\\\\n é*=(]{0,40}") {
            for (_, span) in pieces(&text) {
                prop_assert!(!span.is_empty() && text.is_char_boundary(span.end as usize));
            }
            let _ = (without_comments(&text), call(&text, "a"));
        }
    }
}
