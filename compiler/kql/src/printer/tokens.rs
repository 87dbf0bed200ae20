//! What stands between the tokens of a query: blanks, line ends, comments.

use rulec_source::Span;

use crate::Parsed;
use crate::lexer::{Token, TokenKind as T};

/// The tokens that mean something, and the gaps before them.
pub(super) struct Source<'p> {
    pub(super) text: &'p str,
    /// Without blanks, comments and the end.
    pub(super) tokens: Vec<Token>,
    /// The gap before each token, and the one at the end.
    pub(super) gaps: Vec<Gap>,
    /// The bytes of all tokens before each, and of all.
    sizes: Vec<usize>,
}

/// What stands between two tokens.
#[derive(Clone, Default)]
pub(super) struct Gap {
    pub(super) comments: Vec<Comment>,
    /// Line ends behind the last comment, or all without comments.
    pub(super) newlines: usize,
    /// Anything at all.
    pub(super) blank: bool,
}

#[derive(Clone)]
pub(super) struct Comment {
    pub(super) span: Span,
    /// Line ends before it; none when it stands behind code.
    pub(super) newlines: usize,
}

impl Gap {
    /// Whether the next token begins a line.
    pub(super) fn breaks(&self) -> bool {
        self.newlines > 0 || !self.comments.is_empty()
    }
}

impl<'p> Source<'p> {
    pub(super) fn new(parsed: &'p Parsed) -> Self {
        let text = parsed.text.as_str();
        let (mut tokens, mut gaps) = (Vec::new(), Vec::new());
        let mut gap = Gap::default();
        for token in &parsed.tokens {
            match token.kind {
                T::Whitespace => {
                    gap.blank = true;
                    gap.newlines += line_ends(token.span.of(text));
                }
                T::Comment => {
                    gap.blank = true;
                    let newlines = std::mem::take(&mut gap.newlines);
                    gap.comments.push(Comment {
                        span: token.span,
                        newlines,
                    });
                }
                T::Eof => gaps.push(std::mem::take(&mut gap)),
                _ => {
                    tokens.push(*token);
                    gaps.push(std::mem::take(&mut gap));
                }
            }
        }
        let mut sizes = Vec::with_capacity(tokens.len() + 1);
        let mut size = 0;
        sizes.push(size);
        for token in &tokens {
            size += token.span.len();
            sizes.push(size);
        }
        Self {
            text,
            tokens,
            gaps,
            sizes,
        }
    }

    /// The kind of a token; the end of the text behind the last one.
    pub(super) fn kind(&self, index: usize) -> T {
        self.tokens.get(index).map_or(T::Eof, |t| t.kind)
    }

    pub(super) fn token_text(&self, index: usize) -> &'p str {
        self.tokens.get(index).map_or("", |t| t.span.of(self.text))
    }

    /// The first token that begins at or behind a place.
    pub(super) fn index(&self, offset: u32) -> usize {
        self.tokens.partition_point(|t| t.span.start < offset)
    }

    /// The bytes of the tokens at a place, whatever stands between them: the
    /// length of a text would depend on its layout.
    pub(super) fn size(&self, span: Span) -> usize {
        self.sizes[self.index(span.end)] - self.sizes[self.index(span.start)]
    }

    /// Whether what begins there begins a line.
    pub(super) fn first_of_line(&self, offset: u32) -> bool {
        self.gaps[self.index(offset)].breaks()
    }

    /// The line end of the text, as its first line has it.
    pub(super) fn line_end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// Line ends in blanks: `\n`, `\r\n`, or a lone `\r`.
fn line_ends(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |(i, b): (usize, &u8)| *b == b'\n' || *b == b'\r' && bytes.get(i + 1) != Some(&b'\n');
    bytes.iter().enumerate().filter(|pair| ends(*pair)).count()
}
