//! Tokens to syntax tree, never giving up.
//!
//! In: the tokens of one text. Out: a [`Query`] and diagnostics. Recursive
//! descent with one token of look-ahead (a table of matching parentheses helps
//! in two places); every function returns a node whatever it finds. After an
//! error the parser skips to the next `|`, `;` or closing bracket that is not
//! nested in what it skips, so that one mistake is one finding. Deliberately
//! absent: what names mean, and which parameters an operator really knows.

mod expression;
mod graph;
mod json;
mod lists;
mod operators;
mod relations;
mod series;
mod shapes;
mod statements;
mod words;

use rulec_source::{Code, Diagnostic, Span};

use crate::ast::{Expr, ExprKind, Name, Query};
use crate::codes;
use crate::keyword::{Class, Keyword};
use crate::lexer::{MAX_FINDINGS, Token, TokenKind as T};

/// How deeply brackets, functions and sub-queries may nest. Real queries stay
/// below 50; a limit keeps the parser and everything behind it, which recurse
/// with the nesting, from exhausting the stack.
pub const MAX_DEPTH: u32 = 200;

/// Parses the tokens of `text`.
pub(crate) fn parse(text: &str, tokens: &[Token], diagnostics: Vec<Diagnostic>) -> (Query, Vec<Diagnostic>) {
    let tokens: Vec<Token> = tokens.iter().copied().filter(|t| !t.kind.is_trivia()).collect();
    let partners = partners(&tokens);
    let mut parser = Parser {
        text,
        tokens,
        partners,
        at: 0,
        depth: 0,
        silent_at: usize::MAX,
        lexer_errors: diagnostics.iter().filter_map(Diagnostic::span).collect(),
        diagnostics,
    };
    let query = parser.query();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| d.span().map(|s| s.start));
    (query, diagnostics)
}

/// For each opening parenthesis, the index of the token that closes it; 0 for
/// everything else.
fn partners(tokens: &[Token]) -> Vec<u32> {
    let mut partners = vec![0; tokens.len()];
    let mut open: Vec<(usize, T)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            T::OpenParen | T::OpenBracket | T::OpenBrace => open.push((index, token.kind)),
            T::CloseParen | T::CloseBracket | T::CloseBrace => {
                if let Some(&(start, kind)) = open.last()
                    && closer(kind) == token.kind
                {
                    open.pop();
                    partners[start] = u32::try_from(index).unwrap_or(0);
                }
            }
            T::Semicolon => {
                // A parenthesis does not reach over a semicolon, but a brace does.
                while open.last().is_some_and(|(_, kind)| *kind == T::OpenBracket) {
                    open.pop();
                }
            }
            _ => {}
        }
    }
    partners
}

fn closer(open: T) -> T {
    match open {
        T::OpenBracket => T::CloseBracket,
        T::OpenBrace => T::CloseBrace,
        _ => T::CloseParen,
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Without trivia; the last is the end of the text.
    tokens: Vec<Token>,
    partners: Vec<u32>,
    at: usize,
    depth: u32,
    /// The token at which an error was reported last: a second one there is a
    /// consequence of the first.
    silent_at: usize,
    /// Where the lexer reported something; the parser adds nothing there.
    lexer_errors: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    // ---- looking

    fn kind(&self) -> T {
        self.tokens[self.at].kind
    }

    fn peek(&self, ahead: usize) -> T {
        self.tokens.get(self.at + ahead).map_or(T::Eof, |t| t.kind)
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    fn token_text(&self) -> &'a str {
        self.span().of(self.text)
    }

    fn at(&self, kind: T) -> bool {
        self.kind() == kind
    }

    fn at_word(&self, keyword: Keyword) -> bool {
        self.kind() == T::Keyword(keyword)
    }

    /// Whether the current token is the first of its line.
    fn first_of_line(&self) -> bool {
        let before = self.at.checked_sub(1).map_or(0, |i| self.tokens[i].span.end);
        Span {
            start: before,
            end: self.span().start,
        }
        .of(self.text)
        .contains('\n')
    }

    /// From `start` to the end of the token before the current one; when nothing
    /// was read since, the empty place behind that token.
    fn since(&self, start: Span) -> Span {
        let end = self.gap().end;
        Span {
            start: start.start.min(end),
            end,
        }
    }

    /// Right behind the token before the current one: where something is missing.
    fn gap(&self) -> Span {
        let end = self.at.checked_sub(1).map_or(0, |i| self.tokens[i].span.end);
        Span { start: end, end }
    }

    // ---- moving

    fn bump(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn eat(&mut self, kind: T) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    fn eat_word(&mut self, keyword: Keyword) -> bool {
        self.eat(T::Keyword(keyword))
    }

    /// One level deeper; false, and nothing more is read, when that is too deep.
    fn enter(&mut self) -> bool {
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            return true;
        }
        if self.at + 1 < self.tokens.len() {
            self.diagnostics.push(
                Diagnostic::new(
                    codes::TOO_DEEP,
                    format!("the query is nested more than {MAX_DEPTH} levels deep"),
                )
                .at(self.span())
                .help("name parts of it with `let`"),
            );
            self.at = self.tokens.len() - 1;
            self.silent_at = self.at;
        }
        false
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    // ---- complaining

    /// Reports at the current token, unless something was reported there already.
    fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::new(code, message).at(span));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.speaks() {
            self.silent_at = self.at;
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether a finding at the current token would be reported. Asked before
    /// one is written where a text can have any number of them.
    fn speaks(&mut self) -> bool {
        if self.silent_at == self.at {
            return false;
        }
        if self.diagnostics.len() >= MAX_FINDINGS || self.at_lexer_error() {
            self.silent_at = self.at;
            return false;
        }
        true
    }

    /// Whether the lexer has reported the current token or the one before it.
    fn at_lexer_error(&self) -> bool {
        if self.lexer_errors.is_empty() {
            return false;
        }
        let here = self.span();
        let before = self.at.checked_sub(1).map_or(here, |i| self.tokens[i].span);
        let reported = |span: Span| {
            let index = self.lexer_errors.partition_point(|e| e.end <= span.start);
            self.lexer_errors.get(index).is_some_and(|e| e.start < span.end)
        };
        reported(here) || reported(before)
    }

    /// What the current token is called in a message.
    fn found(&self) -> String {
        match self.kind() {
            T::Eof => "the end of the query".to_owned(),
            T::String => "a string".to_owned(),
            _ => {
                let text = self.token_text();
                let mut shown: String = text.chars().take(30).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                format!("`{shown}`")
            }
        }
    }

    fn expect(&mut self, kind: T, what: &str) -> bool {
        if self.eat(kind) {
            return true;
        }
        if self.speaks() {
            let message = format!("expected {what}, found {}", self.found());
            let span = self.place_of_missing();
            self.error(codes::EXPECTED_TOKEN, span, message);
        }
        false
    }

    fn expect_word(&mut self, keyword: Keyword) -> bool {
        if self.eat_word(keyword) {
            return true;
        }
        self.expect(T::Keyword(keyword), &format!("`{}`", keyword.as_str()))
    }

    /// Where to underline when something is missing before the current token:
    /// the token itself, or the end of what was read when that is on another line.
    fn place_of_missing(&self) -> Span {
        if self.at(T::Eof) || self.first_of_line() {
            self.gap()
        } else {
            self.span()
        }
    }

    /// The closing bracket of the one at `open`; skips what does not belong there.
    fn close(&mut self, open: Span, kind: T) {
        if self.eat(kind) {
            return;
        }
        let symbol = match kind {
            T::CloseBracket => "]",
            T::CloseBrace => "}",
            _ => ")",
        };
        let message = format!("expected `{symbol}`, found {}", self.found());
        let place = self.place_of_missing();
        self.report(
            Diagnostic::new(codes::UNCLOSED, message)
                .at(place)
                .label(open, "opened here"),
        );
        self.skip(|k| matches!(k, T::Bar | T::Semicolon));
        self.eat(kind);
        // What stopped the skipping is no news.
        self.silent_at = self.at;
    }

    /// Skips to the end, to an unmatched closing bracket, or to a token of this
    /// nesting that `stop` asks for.
    fn skip(&mut self, stop: impl Fn(T) -> bool) {
        let mut depth = 0_u32;
        loop {
            let kind = self.kind();
            match kind {
                T::Eof => return,
                _ if depth == 0 && stop(kind) => return,
                T::OpenParen | T::OpenBracket | T::OpenBrace => depth += 1,
                T::CloseParen | T::CloseBracket | T::CloseBrace => {
                    if depth == 0 {
                        return;
                    }
                    depth -= 1;
                }
                _ => {}
            }
            self.bump();
        }
    }

    // ---- names

    /// Whether the token `ahead` can be a name where only words of `class` can.
    fn is_name(&self, ahead: usize, class: Class) -> bool {
        match self.peek(ahead) {
            T::Ident => true,
            T::Keyword(keyword) => match (class, keyword.class()) {
                (_, Class::Name) => true,
                (a, b) => a == b && a != Class::Reserved,
            },
            T::OpenBracket => self.name_len(ahead) > 1,
            _ => false,
        }
    }

    /// Of how many tokens the name `ahead` consists: one, or for `['a name']`
    /// the brackets and the strings in them.
    fn name_len(&self, ahead: usize) -> usize {
        if self.peek(ahead) != T::OpenBracket {
            return 1;
        }
        let mut len = 1;
        while self.peek(ahead + len) == T::String {
            len += 1;
        }
        if len > 1 && self.peek(ahead + len) == T::CloseBracket {
            len + 1
        } else {
            1
        }
    }

    /// The name at the current token, whatever it is.
    fn take_name(&mut self) -> Name {
        let start = self.span();
        if self.at(T::OpenBracket) {
            self.bump();
            let text = self.string_value().0;
            self.bump();
            return Name {
                text,
                span: self.since(start),
                bracketed: true,
            };
        }
        let text = self.token_text().to_owned();
        self.bump();
        Name {
            text,
            span: start,
            bracketed: false,
        }
    }

    fn missing_name(&self) -> Name {
        Name {
            text: String::new(),
            span: self.gap(),
            bracketed: false,
        }
    }

    /// A name, or an error and an empty one.
    fn name(&mut self, class: Class, what: &str) -> Name {
        if self.is_name(0, class) {
            return self.take_name();
        }
        if let T::Keyword(keyword) = self.kind()
            && keyword
                .as_str()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            self.reserved(keyword);
            return self.take_name();
        }
        if self.speaks() {
            let message = format!("expected {what}, found {}", self.found());
            let place = self.place_of_missing();
            self.error(codes::EXPECTED_NAME, place, message);
        }
        self.missing_name()
    }

    /// A keyword stands where a name belongs.
    fn reserved(&mut self, keyword: Keyword) {
        let span = self.span();
        let word = keyword.as_str();
        self.report(
            Diagnostic::new(
                codes::RESERVED_NAME,
                format!("`{word}` is a keyword and no name here"),
            )
            .at(span)
            .help(format!("write ['{word}']"))
            .fix("put it in brackets", span, format!("['{word}']")),
        );
    }

    // ---- nodes

    fn missing(&self) -> Expr {
        Expr {
            kind: ExprKind::Missing,
            span: self.gap(),
        }
    }

    fn expected_expression(&mut self) -> Expr {
        if !self.speaks() {
            return self.missing();
        }
        if let T::Keyword(keyword) = self.kind() {
            let word = keyword.as_str();
            let span = self.span();
            let mut finding = Diagnostic::new(
                codes::EXPECTED_EXPRESSION,
                format!("expected an expression, found the keyword `{word}`"),
            )
            .at(span);
            if word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                finding = finding.help(format!("a column of that name is written ['{word}']"));
            }
            self.report(finding);
        } else {
            let message = format!("expected an expression, found {}", self.found());
            let place = self.place_of_missing();
            self.error(codes::EXPECTED_EXPRESSION, place, message);
        }
        self.missing()
    }

    fn expr_from(&self, start: Span, kind: ExprKind) -> Expr {
        Expr {
            kind,
            span: self.since(start),
        }
    }
}
