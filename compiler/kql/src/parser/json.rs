//! What stands inside `dynamic(…)`: JSON with the literals of the language.

use super::expression::simple_value;
use super::{Parser, T};
use crate::ast::{Expr, ExprKind, Json, JsonKind, JsonPair, Literal, ScalarType, StringLiteral};
use crate::codes;
use crate::keyword::Keyword as K;
use crate::literal;

impl Parser<'_> {
    /// `dynamic(…)`.
    pub(super) fn dynamic(&mut self) -> Expr {
        let start = self.span();
        if self.peek(1) != T::OpenParen {
            let missing = self.expected_expression();
            self.bump();
            return missing;
        }
        let value = self.dynamic_value();
        self.expr_from(start, ExprKind::Literal(value))
    }

    fn dynamic_value(&mut self) -> Literal {
        self.bump();
        let open = self.span();
        self.bump();
        let json = self.json();
        self.close(open, T::CloseParen);
        match json.kind {
            JsonKind::Null => Literal::Null(ScalarType::Dynamic),
            _ => Literal::Dynamic(json),
        }
    }

    fn json(&mut self) -> Json {
        let start = self.span();
        let kind = if self.enter() {
            let kind = self.json_kind();
            self.leave();
            kind
        } else {
            JsonKind::Null
        };
        Json {
            kind,
            span: self.since(start),
        }
    }

    fn json_kind(&mut self) -> JsonKind {
        match self.kind() {
            T::OpenBracket => self.json_array(),
            T::OpenBrace => self.json_object(),
            T::String => {
                let (value, obfuscated) = self.string_value();
                if obfuscated {
                    JsonKind::Literal(Box::new(Literal::String(StringLiteral { value, obfuscated })))
                } else {
                    JsonKind::String(value)
                }
            }
            T::Keyword(K::Null) => {
                self.bump();
                JsonKind::Null
            }
            T::Keyword(K::Dynamic) if self.peek(1) == T::OpenParen => match self.dynamic_value() {
                Literal::Dynamic(json) => json.kind,
                _ => JsonKind::Null,
            },
            T::Minus if matches!(self.peek(1), T::Long | T::Real) => {
                self.bump();
                let text = format!("-{}", self.token_text());
                let kind = self.kind();
                self.bump();
                json_number(kind, &text)
            }
            T::Long | T::Real if !self.token_text().ends_with(')') => {
                let (kind, text) = (self.kind(), self.token_text());
                self.bump();
                json_number(kind, text)
            }
            T::Bool => {
                let value = self.token_text().eq_ignore_ascii_case("true");
                self.bump();
                JsonKind::Bool(value)
            }
            // `int(…)` alone is not accepted here.
            T::TimeSpan | T::Typed(_) if self.kind() != T::Typed(ScalarType::Int) => {
                let value = simple_value(self.kind(), self.token_text());
                self.bump();
                JsonKind::Literal(Box::new(value))
            }
            _ => {
                let message = format!("expected a JSON value, found {}", self.found());
                let place = self.place_of_missing();
                self.error(codes::EXPECTED_EXPRESSION, place, message);
                if !matches!(
                    self.kind(),
                    T::Comma
                        | T::CloseParen
                        | T::CloseBracket
                        | T::CloseBrace
                        | T::Semicolon
                        | T::Bar
                        | T::Eof
                ) {
                    self.skip(|k| matches!(k, T::Comma | T::Bar | T::Semicolon));
                }
                JsonKind::Null
            }
        }
    }

    fn json_array(&mut self) -> JsonKind {
        let open = self.span();
        self.bump();
        let items = if self.at(T::CloseBracket) {
            Vec::new()
        } else {
            self.list(Parser::json)
        };
        self.close(open, T::CloseBracket);
        JsonKind::Array(items)
    }

    fn json_object(&mut self) -> JsonKind {
        let open = self.span();
        self.bump();
        let pairs = if self.at(T::CloseBrace) {
            Vec::new()
        } else {
            self.list(Parser::json_pair)
        };
        self.close(open, T::CloseBrace);
        JsonKind::Object(pairs)
    }

    fn json_pair(&mut self) -> JsonPair {
        let start = self.span();
        let key = if self.at(T::String) {
            let key = literal::string(self.token_text()).0;
            self.bump();
            key
        } else {
            let message = format!("expected a key in quotes, found {}", self.found());
            let place = self.place_of_missing();
            self.error(codes::EXPECTED_NAME, place, message);
            let key = match self.kind() {
                T::Ident | T::Keyword(_) | T::Long => self.token_text().to_owned(),
                _ => String::new(),
            };
            if !key.is_empty() {
                self.bump();
            }
            key
        };
        let key_span = self.since(start);
        self.expect(T::Colon, "`:`");
        let value = self.json();
        JsonPair { key, key_span, value }
    }
}

fn json_number(kind: T, text: &str) -> JsonKind {
    if kind == T::Long
        && let Some(value) = literal::whole(text)
    {
        return JsonKind::Long(value);
    }
    match literal::real(text) {
        Some(value) => JsonKind::Real(value),
        None => JsonKind::Literal(Box::new(Literal::Invalid(ScalarType::Real, text.to_owned()))),
    }
}
