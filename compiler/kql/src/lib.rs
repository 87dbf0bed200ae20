//! KQL text to tokens, syntax tree and diagnostics; and the printer.
//!
//! In: the text of a query, whatever it is. Out: [`Parsed`]: tokens that
//! concatenated are the text, a syntax tree of the whole query language, and
//! one finding for each mistake. Parsing never fails and never panics, takes
//! time linear in the length of the text, and agrees with Microsoft's own
//! parser about what is KQL. Deliberately absent: control commands (`.show …`),
//! names and types (the stage behind this one), and any table's columns.

pub mod ast;
pub mod codes;
mod dump;
pub mod keyword;
pub mod lexer;
mod literal;
mod parser;
mod printer;
pub mod walk;

pub use codes::CODES;
pub use dump::{dump_ast, dump_shape, dump_tokens};
pub use lexer::{Token, TokenKind};
pub use parser::MAX_DEPTH;
pub use printer::print;
use rulec_source::Diagnostic;

/// A text as read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The text itself.
    pub text: String,
    /// Everything in it, trivia included; the last token is the empty end.
    pub tokens: Vec<Token>,
    /// The tree. Complete when there are no errors, else the best that could
    /// be made of the text.
    pub query: ast::Query,
    /// What is wrong with it, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether the text is not KQL.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// A name as a query writes it: as it is where that reads as a name, else
/// between brackets and quotes.
pub fn name(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && keyword::Keyword::from_text(text).is_none();
    if plain {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("['{escaped}']")
}

/// Reads a query.
pub fn parse(text: &str) -> Parsed {
    let (tokens, diagnostics) = lexer::lex(text);
    let (query, diagnostics) = parser::parse(text, &tokens, diagnostics);
    Parsed {
        text: text.to_owned(),
        tokens,
        query,
        diagnostics,
    }
}
