//! Text to tokens, losing nothing.
//!
//! In: any text. Out: tokens that, concatenated, are the text again, and
//! diagnostics for what is no token. One pass, one token at a time, no
//! look-back. Deliberately absent: values of literals (see `literal.rs`) and
//! any knowledge of which keywords may be names where.

use rulec_source::{Diagnostic, Edit, Span};

use crate::ast::ScalarType;
use crate::codes;
use crate::keyword::{Keyword, joined};

/// A run of bytes with one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub span: Span,
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Blanks and line ends.
    Whitespace,
    /// `// …` up to the line end, which does not belong to it.
    Comment,
    /// `#…` up to the line end: an instruction to a client.
    Directive,
    /// A word that is no keyword.
    Ident,
    /// A keyword, possibly used as a name.
    Keyword(Keyword),
    /// `true` or `false`.
    Bool,
    /// `12`, `0x1f`.
    Long,
    /// `1.5`, `1e3`.
    Real,
    /// `2h`, `1.5days`.
    TimeSpan,
    /// `datetime(…)`, `int(…)`, … as one token.
    Typed(ScalarType),
    /// Any kind of string, prefix and quotes included.
    String,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `|`
    Bar,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `:`
    Colon,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// `=`
    Equal,
    /// `==`
    EqualEqual,
    /// `=>`
    Arrow,
    /// `=~`
    EqualTilde,
    /// `!=`
    BangEqual,
    /// `!~`
    BangTilde,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `<>`
    LessGreater,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `@`
    At,
    /// `?`
    Question,
    /// Characters that mean nothing; reported.
    Bad,
    /// The end of the text; empty, always the last token.
    Eof,
}

impl TokenKind {
    /// Whether the token stands between others and means nothing to the parser.
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::Comment)
    }
}

/// How many findings one text can have; more of them tell nobody anything, and
/// a text that is no query at all would have one for every other word.
pub const MAX_FINDINGS: usize = 500;

/// The endings that make a number a timespan, with their length in ticks of 100 ns.
/// Nanoseconds come as a divisor because a tick is the smallest unit.
pub(crate) const TIMESPAN_UNITS: &[(&str, f64)] = &[
    ("d", 864e9),
    ("day", 864e9),
    ("days", 864e9),
    ("h", 36e9),
    ("hr", 36e9),
    ("hrs", 36e9),
    ("hour", 36e9),
    ("hours", 36e9),
    ("m", 6e8),
    ("min", 6e8),
    ("minute", 6e8),
    ("minutes", 6e8),
    ("s", 1e7),
    ("sec", 1e7),
    ("second", 1e7),
    ("seconds", 1e7),
    ("ms", 1e4),
    ("milli", 1e4),
    ("millis", 1e4),
    ("millisec", 1e4),
    ("millisecond", 1e4),
    ("milliseconds", 1e4),
    ("micro", 10.0),
    ("micros", 10.0),
    ("microsec", 10.0),
    ("microsecond", 10.0),
    ("microseconds", 10.0),
    ("nano", 0.01),
    ("nanos", 0.01),
    ("nanosec", 0.01),
    ("nanosecond", 0.01),
    ("nanoseconds", 0.01),
    ("tick", 1.0),
    ("ticks", 1.0),
];

fn is_unit(text: &str) -> bool {
    TIMESPAN_UNITS.iter().any(|(unit, _)| *unit == text)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Blanks of the language beyond ASCII.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}'
    )
}

/// Splits `text`. The tokens cover it without gaps; the last is [`TokenKind::Eof`].
pub fn lex(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 0..0,
        unclosed: [0; 2],
        diagnostics: Vec::new(),
    };
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    while lexer.at < text.len() {
        let start = lexer.at;
        let kind = lexer.next();
        debug_assert!(lexer.at > start, "every token has a length");
        tokens.push(Token {
            kind,
            span: Span::new(start, lexer.at),
        });
    }
    tokens.push(Token {
        kind: TokenKind::Eof,
        span: Span::at(text.len()),
    });
    (tokens, lexer.diagnostics)
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// A part of the text without a line end, up to one: a long line is not
    /// searched for its end again and again.
    line: std::ops::Range<usize>,
    /// Where the last line ends on which no typographic quote closes: single, double.
    unclosed: [usize; 2],
    diagnostics: Vec<Diagnostic>,
}

impl Lexer<'_> {
    /// Adds a finding, which is not even written when there are too many.
    fn report(&mut self, finding: impl FnOnce(&str) -> Diagnostic) {
        if self.diagnostics.len() < MAX_FINDINGS {
            self.diagnostics.push(finding(self.text));
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn line_end(&mut self, from: usize) -> usize {
        if !self.line.contains(&from) {
            let end = self.bytes[from..]
                .iter()
                .position(|b| matches!(b, b'\n' | b'\r'))
                .map_or(self.bytes.len(), |n| from + n);
            self.line = from..end;
        }
        self.line.end
    }

    fn word_end(&self, from: usize) -> usize {
        self.bytes[from..]
            .iter()
            .position(|b| !is_word(*b))
            .map_or(self.bytes.len(), |n| from + n)
    }

    fn digits_end(&self, from: usize) -> usize {
        self.bytes[from..]
            .iter()
            .position(|b| !b.is_ascii_digit())
            .map_or(self.bytes.len(), |n| from + n)
    }

    fn take(&mut self, len: usize, kind: TokenKind) -> TokenKind {
        self.at += len;
        kind
    }

    fn next(&mut self) -> TokenKind {
        use TokenKind as K;
        let first = self.bytes[self.at];
        match first {
            b' ' | b'\t' | b'\n' | b'\r' | 0xc => self.blanks(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => self.word(),
            b'0'..=b'9' => self.number(),
            b'"' | b'\'' => self.string(self.at, self.at),
            b'`' | b'~' if self.fence(self.at) => self.string(self.at, self.at),
            b'/' if self.peek(1) == b'/' => {
                self.at = self.line_end(self.at);
                K::Comment
            }
            b'#' => {
                self.at = self.line_end(self.at);
                K::Directive
            }
            b'(' => self.take(1, K::OpenParen),
            b')' => self.take(1, K::CloseParen),
            b'[' => self.take(1, K::OpenBracket),
            b']' => self.take(1, K::CloseBracket),
            b'{' => self.take(1, K::OpenBrace),
            b'}' => self.take(1, K::CloseBrace),
            b'|' => self.take(1, K::Bar),
            b',' => self.take(1, K::Comma),
            b';' => self.take(1, K::Semicolon),
            b':' => self.take(1, K::Colon),
            b'.' if self.peek(1) == b'.' => self.take(2, K::DotDot),
            b'.' => self.take(1, K::Dot),
            b'=' => match self.peek(1) {
                b'=' => self.take(2, K::EqualEqual),
                b'>' => self.take(2, K::Arrow),
                b'~' => self.take(2, K::EqualTilde),
                _ => self.take(1, K::Equal),
            },
            b'<' => match self.peek(1) {
                b'=' => self.take(2, K::LessEqual),
                b'>' => self.take(2, K::LessGreater),
                _ => self.take(1, K::Less),
            },
            b'>' if self.peek(1) == b'=' => self.take(2, K::GreaterEqual),
            b'>' => self.take(1, K::Greater),
            b'!' => self.bang(),
            b'+' => self.take(1, K::Plus),
            b'-' => self.take(1, K::Minus),
            b'*' => self.take(1, K::Star),
            b'/' => self.take(1, K::Slash),
            b'%' => self.take(1, K::Percent),
            b'@' if matches!(self.peek(1), b'"' | b'\'') => self.string(self.at, self.at),
            b'@' => self.take(1, K::At),
            b'?' => self.take(1, K::Question),
            _ => self.other(),
        }
    }

    fn blanks(&mut self) -> TokenKind {
        self.at = self.text[self.at..]
            .find(|c| !is_blank(c))
            .map_or(self.text.len(), |n| self.at + n);
        TokenKind::Whitespace
    }

    /// A character outside ASCII, or one that means nothing.
    fn other(&mut self) -> TokenKind {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else {
            return self.take(1, TokenKind::Bad);
        };
        if is_blank(c) {
            return self.blanks();
        }
        if let Some(token) = self.typographic(c) {
            return token;
        }
        // A run of them is one token and one finding: a typographic quote or a
        // word in another script is one mistake.
        let len = rest
            .find(|c: char| {
                c.is_ascii_alphanumeric()
                    || is_blank(c)
                    || (c.is_ascii() && !matches!(c, '`' | '~' | '^' | '&' | '\\'))
            })
            .unwrap_or(rest.len())
            .max(c.len_utf8());
        let span = Span::new(self.at, self.at + len);
        self.report(|text| {
            let shown: String = span.of(text).chars().take(20).collect();
            let finding = Diagnostic::new(
                codes::UNEXPECTED_CHARACTER,
                format!("`{}` has no meaning here", shown.escape_debug()),
            )
            .at(span);
            if matches!(c, '“' | '”' | '‘' | '’') {
                finding.help("write strings with straight quotes: \" or '")
            } else if span.of(text) == "&&" {
                finding.help("write `and`").fix("write `and`", span, "and")
            } else if c.is_ascii() {
                finding
            } else {
                finding.help("names with other letters than a-z are written ['name']")
            }
        });
        self.take(len, TokenKind::Bad)
    }

    /// A string in typographic quotes, as word processors make them: one
    /// finding, and a string for the parser.
    fn typographic(&mut self, quote: char) -> Option<TokenKind> {
        let closing = match quote {
            '“' | '”' | '„' => ['”', '“'],
            '‘' | '’' => ['’', '‘'],
            _ => return None,
        };
        let start = self.at;
        let from = start + quote.len_utf8();
        let end = self.line_end(from);
        // What a quote of the kind looked for in vain, a later one on the line does too.
        let looked = &mut self.unclosed[usize::from(closing[0] == '”')];
        if from < *looked {
            return None;
        }
        let Some(close) = self.text[from..end].find(closing) else {
            *looked = end;
            return None;
        };
        let line = &self.text[from..end];
        let close_len = line[close..].chars().next().map_or(0, char::len_utf8);
        let (open, close) = (
            Span::new(start, from),
            Span::new(from + close, from + close + close_len),
        );
        let straight = if closing[0] == '”' { "\"" } else { "'" };
        self.report(|_| {
            let mut finding = Diagnostic::new(
                codes::UNEXPECTED_CHARACTER,
                format!("`{quote}` does not quote strings"),
            )
            .at(open)
            .help("write strings with straight quotes")
            .fix("use straight quotes", open, straight);
            if let Some(fix) = &mut finding.fix {
                fix.edits.push(Edit {
                    span: close,
                    text: straight.to_owned(),
                });
            }
            finding
        });
        self.at = close.end as usize;
        Some(TokenKind::String)
    }

    fn bang(&mut self) -> TokenKind {
        match self.peek(1) {
            b'=' => return self.take(2, TokenKind::BangEqual),
            b'~' => return self.take(2, TokenKind::BangTilde),
            _ => {}
        }
        let end = self.word_end(self.at + 1);
        let tilde = usize::from(self.bytes.get(end) == Some(&b'~'));
        for end in [end + tilde, end] {
            if let Some(keyword) = Keyword::from_text(&self.text[self.at..end]) {
                self.at = end;
                return TokenKind::Keyword(keyword);
            }
        }
        let span = Span::new(self.at, self.at + 1);
        self.report(|_| {
            Diagnostic::new(codes::UNEXPECTED_CHARACTER, "`!` has no meaning here")
                .at(span)
                .help("negate with `not(…)`, `!=`, or an operator such as `!contains`")
        });
        self.take(1, TokenKind::Bad)
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        let end = self.word_end(start + 1);
        let word = &self.text[start..end];
        let next = self.bytes.get(end).copied().unwrap_or(0);
        match (word, next) {
            ("h" | "H", b'"' | b'\'' | b'@' | b'`' | b'~') => {
                let quoted = match next {
                    b'@' => matches!(self.bytes.get(end + 1), Some(b'"' | b'\'')),
                    b'`' | b'~' => self.fence(end),
                    _ => true,
                };
                if quoted {
                    return self.string(start, end);
                }
            }
            ("in", b'~') => {
                self.at = end + 1;
                return TokenKind::Keyword(Keyword::InTilde);
            }
            (_, b'(') => {
                if let Some(ty) = typed_literal(word) {
                    return self.typed(end + 1, ty);
                }
            }
            (_, b'-' | b'.' | b' ') => {
                for whole in joined(word) {
                    if self.text[start..].starts_with(whole)
                        && !self.bytes.get(start + whole.len()).copied().is_some_and(is_word)
                    {
                        self.at = start + whole.len();
                        return Keyword::from_text(whole).map_or(TokenKind::Ident, TokenKind::Keyword);
                    }
                }
            }
            _ => {}
        }
        self.at = end;
        match word {
            "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => TokenKind::Bool,
            _ => Keyword::from_text(word).map_or(TokenKind::Ident, TokenKind::Keyword),
        }
    }

    /// `datetime(…)`: everything up to the parenthesis, on one line.
    fn typed(&mut self, from: usize, ty: ScalarType) -> TokenKind {
        let start = self.at;
        let end = self.bytes[from..]
            .iter()
            .position(|b| matches!(b, b')' | b'\n' | b'\r'))
            .map_or(self.bytes.len(), |n| from + n);
        if self.bytes.get(end) == Some(&b')') {
            self.at = end + 1;
        } else {
            self.at = self.text[from..end].trim_end().len() + from;
            let span = Span::new(start, self.at);
            self.report(|_| {
                Diagnostic::new(codes::UNTERMINATED_LITERAL, "this literal has no closing `)`").at(span)
            });
        }
        TokenKind::Typed(ty)
    }

    fn number(&mut self) -> TokenKind {
        use TokenKind as K;
        let start = self.at;
        let run = self.word_end(start);
        let digits = self.digits_end(start);
        let tail = &self.text[digits..run];
        if tail.is_empty() {
            return self.number_with_point(digits);
        }
        self.at = run;
        let word = &self.text[start..run];
        if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            if !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return K::Long;
            }
            return K::Ident;
        }
        if word == Keyword::Chart3D.as_str() {
            return K::Keyword(Keyword::Chart3D);
        }
        if is_unit(tail) {
            return K::TimeSpan;
        }
        if let Some(end) = self.exponent(digits) {
            self.at = end;
            return K::Real;
        }
        K::Ident
    }

    /// Where `e5`, `E+5` at `from` ends, when it is one and no word goes on behind it.
    fn exponent(&self, from: usize) -> Option<usize> {
        if !matches!(self.bytes.get(from), Some(b'e' | b'E')) {
            return None;
        }
        let sign = usize::from(matches!(self.bytes.get(from + 1), Some(b'+' | b'-')));
        let digits = from + 1 + sign;
        let end = self.digits_end(digits.min(self.bytes.len()));
        let goes_on = self.bytes.get(end).copied().is_some_and(is_word);
        (end > digits && !goes_on).then_some(end)
    }

    fn number_with_point(&mut self, digits: usize) -> TokenKind {
        use TokenKind as K;
        self.at = digits;
        if self.bytes.get(digits) != Some(&b'.') || self.bytes.get(digits + 1) == Some(&b'.') {
            return K::Long;
        }
        let fraction = self.digits_end(digits + 1);
        let run = self.word_end(fraction);
        let (end, kind) = if run == fraction {
            (fraction, K::Real)
        } else if let Some(end) = self.exponent(fraction) {
            (end, K::Real)
        } else if fraction > digits + 1 && is_unit(&self.text[fraction..run]) {
            (run, K::TimeSpan)
        } else {
            // `1.name`: the point belongs to a path.
            return K::Long;
        };
        self.at = end;
        kind
    }

    /// Whether three backticks or tildes stand at `at`.
    fn fence(&self, at: usize) -> bool {
        matches!(self.bytes.get(at..at + 3), Some(b"```" | b"~~~"))
    }

    /// A string whose quote (or `@`) stands at `from`.
    fn string(&mut self, start: usize, from: usize) -> TokenKind {
        if self.fence(from) {
            let fence = &self.text[from..from + 3];
            if let Some(close) = self.text[from + 3..].find(fence) {
                self.at = from + 3 + close + 3;
            } else {
                self.at = self.bytes.len();
                self.unterminated(start, start + 3, fence);
            }
        } else if self.bytes[from] == b'@' {
            self.verbatim(start, from + 1);
        } else {
            self.plain(start, from);
        }
        TokenKind::String
    }

    fn unterminated(&mut self, start: usize, end: usize, quote: &str) {
        self.report(|_| {
            Diagnostic::new(
                codes::UNTERMINATED_STRING,
                format!("this string has no closing {quote}"),
            )
            .at(Span::new(start, end))
        });
    }

    fn verbatim(&mut self, start: usize, from: usize) {
        let quote = self.bytes[from];
        let mut at = from + 1;
        loop {
            match self.bytes.get(at) {
                Some(&b) if b == quote => {
                    if self.bytes.get(at + 1) != Some(&quote) {
                        self.at = at + 1;
                        return;
                    }
                    at += 2;
                }
                None | Some(b'\n' | b'\r') => {
                    self.at = at;
                    self.unterminated(start, at, &self.text[from..=from]);
                    return;
                }
                Some(_) => at += 1,
            }
        }
    }

    fn plain(&mut self, start: usize, from: usize) {
        let quote = self.bytes[from];
        let mut at = from + 1;
        loop {
            match self.bytes.get(at) {
                Some(&b) if b == quote => {
                    self.at = at + 1;
                    return;
                }
                None | Some(b'\n' | b'\r') => {
                    self.at = at;
                    self.unterminated(start, at, &self.text[from..=from]);
                    return;
                }
                Some(b'\\') => at = self.escape(at),
                Some(_) => at += 1,
            }
        }
    }

    /// Where the escape sequence at `at` ends; reports it when there is none.
    fn escape(&mut self, at: usize) -> usize {
        let hex = |n: usize| {
            self.bytes
                .get(at + 2..at + 2 + n)
                .is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
        };
        let len = match self.bytes.get(at + 1) {
            Some(b'\'' | b'"' | b'\\' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v') => 2,
            Some(b'0'..=b'7') => {
                1 + self.bytes[at + 1..]
                    .iter()
                    .take(3)
                    .take_while(|b| matches!(b, b'0'..=b'7'))
                    .count()
            }
            Some(b'x') if hex(2) => 4,
            Some(b'u') if hex(4) => 6,
            Some(b'U') if hex(8) => 10,
            _ => 0,
        };
        if len > 0 {
            return at + len;
        }
        let shown = self.text[at + 1..]
            .chars()
            .next()
            .filter(|c| !matches!(c, '\n' | '\r'));
        let end = at + 1 + shown.map_or(0, char::len_utf8);
        let span = Span::new(at, end);
        self.report(|text| {
            Diagnostic::new(
                codes::INVALID_ESCAPE,
                format!("`{}` is no escape sequence", span.of(text)),
            )
            .at(span)
            .help("double the backslash, or write the string as @\"…\"")
            .fix("double the backslash", Span::new(at, at + 1), "\\\\")
        });
        end
    }
}

/// The types whose keyword and an opening parenthesis begin a literal that is one token.
pub(crate) fn typed_literal(word: &str) -> Option<ScalarType> {
    Some(match word {
        "bool" => ScalarType::Bool,
        "date" | "datetime" => ScalarType::DateTime,
        "decimal" => ScalarType::Decimal,
        "double" | "real" => ScalarType::Real,
        "guid" => ScalarType::Guid,
        "int" | "int32" => ScalarType::Int,
        "long" | "int64" => ScalarType::Long,
        "time" | "timespan" => ScalarType::TimeSpan,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        lex(text)
            .0
            .iter()
            .map(|t| t.kind)
            .filter(|k| !k.is_trivia() && *k != TokenKind::Eof)
            .collect()
    }

    #[test]
    fn numbers_are_told_from_names_and_paths() {
        use TokenKind as K;
        for (text, expected) in [
            ("12", vec![K::Long]),
            ("0x1F", vec![K::Long]),
            ("0xG", vec![K::Ident]),
            ("1.5", vec![K::Real]),
            ("1.", vec![K::Real]),
            ("1e3", vec![K::Real]),
            ("1.e3", vec![K::Real]),
            ("1e+5", vec![K::Real]),
            ("1e", vec![K::Ident]),
            ("1.5h", vec![K::TimeSpan]),
            ("2min", vec![K::TimeSpan]),
            ("1.a", vec![K::Long, K::Dot, K::Ident]),
            ("1.5e3s", vec![K::Long, K::Dot, K::Ident]),
            ("1..2", vec![K::Long, K::DotDot, K::Long]),
            ("9abc", vec![K::Ident]),
            (".5", vec![K::Dot, K::Long]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_of_every_kind_are_one_token() {
        for text in [
            r#""a\"b""#,
            r"'a'",
            r#"@"a\""#,
            r#"@"a""b""#,
            r#"h"x""#,
            r"H@'y'",
            "```a\nb```",
            "~~~a~~~",
            "h```z```",
            r#""\x41\u0041\U00000041\101""#,
        ] {
            assert_eq!(kinds(text), [TokenKind::String], "{text}");
            assert!(lex(text).1.is_empty(), "{text}");
        }
        for text in ["\"a", "@'a\n'", "```a", r#""\q""#] {
            assert!(!lex(text).1.is_empty(), "{text}");
        }
    }

    #[test]
    fn joined_keywords_are_one_token() {
        use TokenKind as K;
        assert_eq!(kinds("project-away"), [K::Keyword(Keyword::ProjectAway)]);
        assert_eq!(
            kinds("project-awayx"),
            [K::Keyword(Keyword::Project), K::Minus, K::Ident]
        );
        assert_eq!(kinds("matches regex"), [K::Keyword(Keyword::MatchesRegex)]);
        assert_eq!(kinds("hint.strategy"), [K::Keyword(Keyword::HintStrategy)]);
        assert_eq!(kinds("!in~"), [K::Keyword(Keyword::NotInTilde)]);
        assert_eq!(kinds("in~"), [K::Keyword(Keyword::InTilde)]);
        assert_eq!(kinds("datetime(2020-01-01)"), [K::Typed(ScalarType::DateTime)]);
        assert_eq!(kinds("long (5)").len(), 4);
    }
}
