//! What many operators share: lists, columns, parameters, schemas, tables.

use rulec_source::{Diagnostic, Span};

use super::{Parser, T};
use crate::ast::{
    Column, ColumnDecl, ColumnNames, Expr, ExprKind, Literal, Name, NullsOrder, Ordered, Param, Parameter,
    ParameterType, ScalarType, SortOrder, TableType, TypeName,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};
use crate::lexer::MAX_FINDINGS;

/// The parameters any operator may be given; which of them it knows is for the
/// binder to say.
fn is_param(keyword: K) -> bool {
    matches!(
        keyword,
        K::InternalCrossCluster
            | K::InternalCrossDb
            | K::InternalId
            | K::InternalIsFuzzy
            | K::InternalNoWithSource
            | K::InternalPackedColumn
            | K::InternalSourceColumnIndex
            | K::Bagexpansion
            | K::Cycles
            | K::Decodeblocks
            | K::Expandoutput
            | K::ForceRemote
            | K::Isfuzzy
            | K::Kind
            | K::WithItemindex
            | K::WithMatchId
            | K::WithSource
            | K::WithStepName
            | K::Withsource
            | K::HintConcurrency
            | K::HintDistribution
            | K::HintMaterialized
            | K::HintNumPartitions
            | K::HintProgressiveTop
            | K::HintRemote
            | K::HintShufflekey
            | K::HintSpread
            | K::HintStrategy
    )
}

impl<'a> Parser<'a> {
    // ---- lists

    /// Items with commas between them; at least one is read.
    pub(super) fn list<X>(&mut self, mut item: impl FnMut(&mut Parser<'a>) -> X) -> Vec<X> {
        let first = item(self);
        self.list_after(first, item)
    }

    /// The same, with the first item read already.
    pub(super) fn list_after<X>(&mut self, first: X, mut item: impl FnMut(&mut Parser<'a>) -> X) -> Vec<X> {
        let mut items = vec![first];
        loop {
            if self.eat(T::Comma) {
                // Nothing more is said of a list of commas, so nothing is kept of it.
                if self.diagnostics.len() >= MAX_FINDINGS && self.at(T::Comma) {
                    continue;
                }
                items.push(item(self));
            } else if self.starts_item() && self.silent_at != self.at {
                if self.first_of_line() && self.peek(1) == T::Bar && self.is_at_margin() {
                    // Most likely another query; but a list is not over, and the
                    // reference reads on in it.
                    self.missing_semicolon();
                } else {
                    let gap = self.gap();
                    let found = self.found();
                    self.report(
                        Diagnostic::new(codes::MISSING_COMMA, format!("expected `,` before {found}"))
                            .at(self.span())
                            .fix("insert a comma", gap, ","),
                    );
                }
                let before = self.at;
                items.push(item(self));
                if self.at == before {
                    return items;
                }
            } else {
                return items;
            }
        }
    }

    /// Whether the current token surely begins another item, so that a comma is missing.
    fn starts_item(&self) -> bool {
        matches!(
            self.kind(),
            T::Ident | T::Long | T::Real | T::Bool | T::TimeSpan | T::Typed(_) | T::String
        )
    }

    /// Whether nothing stands before the current token in its line.
    fn is_at_margin(&self) -> bool {
        let before = &self.text[..self.span().start as usize];
        before.is_empty() || before.ends_with('\n')
    }

    // ---- types and schemas

    pub(super) fn type_name(&mut self) -> TypeName {
        let span = self.span();
        let ty = match self.kind() {
            T::Keyword(keyword) => match keyword {
                K::Bool | K::Boolean => ScalarType::Bool,
                K::Date | K::Datetime => ScalarType::DateTime,
                K::Decimal => ScalarType::Decimal,
                K::Dynamic => ScalarType::Dynamic,
                K::Guid | K::Uniqueid => ScalarType::Guid,
                K::Int | K::Int8 => ScalarType::Int,
                K::Long | K::Int64 => ScalarType::Long,
                K::Real | K::Double => ScalarType::Real,
                K::String => ScalarType::String,
                K::Time | K::Timespan => ScalarType::TimeSpan,
                _ => ScalarType::Unknown,
            },
            _ => ScalarType::Unknown,
        };
        if ty == ScalarType::Unknown {
            let message = format!("expected a type, found {}", self.found());
            let place = self.place_of_missing();
            self.report(Diagnostic::new(codes::EXPECTED_TYPE, message).at(place).help(
                "the types are bool, datetime, decimal, dynamic, guid, int, long, real, string and timespan",
            ));
            if !matches!(self.kind(), T::Ident | T::Keyword(_)) {
                let span = self.gap();
                return TypeName { ty, span };
            }
        }
        self.bump();
        TypeName { ty, span }
    }

    /// The types `typeof` takes: more spellings, and any word.
    pub(super) fn type_name_of_typeof(&mut self) -> TypeName {
        let span = self.span();
        let ty = match self.kind() {
            T::Keyword(K::Float) => ScalarType::Real,
            T::Keyword(K::Int16 | K::Int32 | K::Uint8 | K::Uint16 | K::Uint | K::Uint32) => ScalarType::Int,
            T::Keyword(K::Uint64 | K::Ulong) => ScalarType::Long,
            T::Ident => ScalarType::Unknown,
            _ => return self.type_name(),
        };
        self.bump();
        TypeName { ty, span }
    }

    /// `name: type`.
    pub(super) fn column_decl(&mut self) -> ColumnDecl {
        let start = self.span();
        let name = self.name(Class::Declared, "a column name");
        self.expect(T::Colon, "`:`");
        let ty = self.type_name();
        ColumnDecl {
            name,
            ty,
            span: self.since(start),
        }
    }

    /// `(name: type, …)`, where a comma too many at either end is accepted.
    pub(super) fn schema(&mut self) -> Vec<ColumnDecl> {
        let open = self.span();
        if !self.expect(T::OpenParen, "`(`") {
            return Vec::new();
        }
        self.eat(T::Comma);
        let columns = self.column_decls(true);
        self.close(open, T::CloseParen);
        columns
    }

    /// Declarations up to the closing parenthesis.
    pub(super) fn column_decls(&mut self, comma_at_end: bool) -> Vec<ColumnDecl> {
        let mut columns = Vec::new();
        if self.at(T::CloseParen) {
            return columns;
        }
        loop {
            columns.push(self.column_decl());
            if self.eat(T::Comma) {
                if comma_at_end && self.at(T::CloseParen) {
                    return columns;
                }
            } else if self.at(T::Ident) && self.silent_at != self.at {
                let gap = self.gap();
                self.report(
                    Diagnostic::new(codes::MISSING_COMMA, "expected `,` between two columns")
                        .at(self.span())
                        .fix("insert a comma", gap, ","),
                );
            } else {
                return columns;
            }
        }
    }

    /// `(a: long)` or `(*)` as the type of a table; `(*, a: long)` where more may stand behind the star.
    pub(super) fn table_type(&mut self, more_behind_star: bool) -> TableType {
        let open = self.span();
        self.expect(T::OpenParen, "`(`");
        let star = self.eat(T::Star);
        let columns = if !star || (more_behind_star && self.eat(T::Comma)) {
            self.column_decls(false)
        } else {
            Vec::new()
        };
        self.close(open, T::CloseParen);
        TableType {
            columns,
            open: star,
            span: self.since(open),
        }
    }

    /// `(a: long = 1, t: (x: string))`, of a function, a query or `scan`.
    pub(super) fn parameters(&mut self, may_be_empty: bool) -> Vec<Parameter> {
        let open = self.span();
        if !self.expect(T::OpenParen, "`(`") {
            return Vec::new();
        }
        let parameters = if may_be_empty && self.at(T::CloseParen) {
            Vec::new()
        } else {
            self.list(Parser::parameter)
        };
        self.close(open, T::CloseParen);
        parameters
    }

    fn parameter(&mut self) -> Parameter {
        let start = self.span();
        let name = self.name(Class::Declared, "a parameter name");
        self.expect(T::Colon, "`:`");
        let ty = if self.at(T::OpenParen) {
            ParameterType::Tabular(self.table_type(false))
        } else {
            ParameterType::Scalar(self.type_name())
        };
        let default = self.eat(T::Equal).then(|| self.value());
        Parameter {
            name,
            ty,
            default,
            span: self.since(start),
        }
    }

    // ---- parameters of operators

    /// `kind=inner hint.strategy=shuffle …`, and those of `extra`.
    pub(super) fn params(&mut self, extra: &[K]) -> Vec<Param> {
        let mut params = Vec::new();
        while let T::Keyword(keyword) = self.kind() {
            if self.peek(1) != T::Equal || !(is_param(keyword) || extra.contains(&keyword)) {
                break;
            }
            params.push(self.param());
        }
        params
    }

    /// `name = value`, with any word as the name.
    pub(super) fn param(&mut self) -> Param {
        let start = self.span();
        let name = if matches!(self.kind(), T::Keyword(_)) {
            self.take_name()
        } else {
            self.name(Class::Declared, "a parameter")
        };
        self.expect(T::Equal, "`=`");
        let value = self.param_value();
        Param {
            name,
            value,
            more: Vec::new(),
            span: self.since(start),
        }
    }

    /// `with (a = 1, b = "x")`, if it is there.
    pub(super) fn properties(&mut self) -> Vec<Param> {
        if !self.eat_word(K::With) {
            return Vec::new();
        }
        let open = self.span();
        if !self.expect(T::OpenParen, "`(`") {
            return Vec::new();
        }
        let properties = if self.at(T::CloseParen) {
            Vec::new()
        } else {
            self.list(Parser::param)
        };
        self.close(open, T::CloseParen);
        properties
    }

    /// As [`Self::properties`], of what is no operator: fewer kinds of value.
    pub(super) fn plain_properties(&mut self) -> Vec<Param> {
        let properties = self.properties();
        let unfit = |value: &&Expr| {
            matches!(
                &value.kind,
                ExprKind::Literal(Literal::Int(_) | Literal::Decimal(_) | Literal::TimeSpan(_))
                    | ExprKind::Unary(_)
            )
        };
        if let Some(value) = properties.iter().map(|p| &p.value).find(unfit) {
            self.error(
                codes::EXPECTED_EXPRESSION,
                value.span,
                "a property takes a string, a number or a word",
            );
        }
        properties
    }

    /// The value of a parameter: like [`Self::value`] without `dynamic(…)`, but
    /// with words such as `left-outer`.
    pub(super) fn param_value(&mut self) -> Expr {
        if self.at_word(K::Dynamic) && self.peek(1) == T::OpenParen {
            let message = "a parameter takes no `dynamic` value";
            let span = self.span();
            self.error(codes::EXPECTED_EXPRESSION, span, message);
        }
        if let T::Keyword(keyword) = self.kind() {
            // A few words are keywords only because they are values here.
            let fits = keyword.class() == Class::Name
                || matches!(
                    keyword,
                    K::Simple | K::Relaxed | K::Nooptimization | K::Hotcache | K::Typeof | K::Dynamic
                );
            if !fits {
                let message = format!("expected a value, found the keyword {}", self.found());
                let span = self.span();
                self.error(codes::EXPECTED_EXPRESSION, span, message);
            }
        }
        let start = self.span();
        let mut value = self.value();
        if let ExprKind::Name(name) = &mut value.kind {
            let joined = !name.bracketed
                && self.at(T::Minus)
                && self.gap().end == self.span().start
                && matches!(self.peek(1), T::Ident | T::Keyword(_));
            if joined {
                // Blanks and comments may follow the sign; they are no part of the name.
                for _ in 0..2 {
                    name.text.push_str(self.token_text());
                    self.bump();
                }
                name.span = self.since(start);
                value.span = name.span;
            }
        }
        value
    }

    /// A literal with or without a sign, or nothing but an error.
    pub(super) fn literal(&mut self) -> Expr {
        if matches!(
            self.kind(),
            T::String | T::Bool | T::Long | T::Real | T::TimeSpan | T::Typed(_) | T::Minus
        ) {
            return self.value();
        }
        let message = format!("expected a literal, found {}", self.found());
        let place = self.place_of_missing();
        self.error(codes::EXPECTED_EXPRESSION, place, message);
        self.missing()
    }

    /// A literal with or without a sign, or a word.
    pub(super) fn value(&mut self) -> Expr {
        match self.kind() {
            T::String => self.string(),
            T::Bool | T::Long | T::Real | T::TimeSpan | T::Typed(_) => self.simple_literal(),
            T::Minus | T::Plus if matches!(self.peek(1), T::Long | T::Real | T::TimeSpan) => self.signed(),
            T::Keyword(K::Dynamic) => self.dynamic(),
            T::Keyword(K::Typeof) if self.peek(1) == T::OpenParen => self.type_of(),
            T::Ident | T::Keyword(_) => {
                let start = self.span();
                let name = self.take_name();
                self.expr_from(start, ExprKind::Name(name))
            }
            T::OpenBracket if self.is_name(0, Class::Referenced) => {
                let start = self.span();
                let name = self.take_name();
                self.expr_from(start, ExprKind::Name(name))
            }
            _ => {
                let message = format!("expected a value, found {}", self.found());
                let place = self.place_of_missing();
                self.error(codes::EXPECTED_EXPRESSION, place, message);
                self.missing()
            }
        }
    }

    // ---- columns

    /// The name in `name = …`, taken with its `=`, if there is one.
    pub(super) fn name_before_equal(&mut self) -> Option<Name> {
        let next = self.name_len(0);
        if self.peek(next) != T::Equal {
            return None;
        }
        if !self.is_name(0, Class::Declared) {
            let T::Keyword(keyword) = self.kind() else {
                return None;
            };
            self.reserved(keyword);
        }
        let name = self.take_name();
        self.bump();
        Some(name)
    }

    /// `value`, `name = value` or `(a, b) = value`.
    pub(super) fn column(&mut self) -> Column {
        let start = self.span();
        let names = if let Some(name) = self.name_before_equal() {
            ColumnNames::One(name)
        } else if self.at(T::OpenParen) && self.partner_is_followed_by(T::Equal) {
            let open = self.span();
            self.bump();
            let names = self.list(|p| p.name(Class::Declared, "a column name"));
            self.close(open, T::CloseParen);
            self.expect(T::Equal, "`=`");
            ColumnNames::Many(names)
        } else {
            ColumnNames::Derived
        };
        let value = self.expr();
        Column {
            names,
            value,
            span: self.since(start),
        }
    }

    /// Whether the token behind the partner of the current parenthesis is of that kind.
    pub(super) fn partner_is_followed_by(&self, kind: T) -> bool {
        let partner = self.partners[self.at] as usize;
        partner != 0 && self.tokens.get(partner + 1).is_some_and(|t| t.kind == kind)
    }

    pub(super) fn columns(&mut self) -> Vec<Column> {
        self.list(Parser::column)
    }

    /// Columns, or none where the operator ends right away.
    pub(super) fn columns_or_none(&mut self) -> Vec<Column> {
        if self.at_operator_end() {
            Vec::new()
        } else {
            self.columns()
        }
    }

    /// Whether nothing more can belong to the current operator.
    pub(super) fn at_operator_end(&self) -> bool {
        matches!(
            self.kind(),
            T::Bar | T::Semicolon | T::Eof | T::CloseParen | T::CloseBrace | T::CloseBracket
        )
    }

    /// `column asc nulls first`.
    pub(super) fn ordered(&mut self) -> Ordered {
        let start = self.span();
        let value = self.column();
        self.ordering(start, value)
    }

    pub(super) fn ordering(&mut self, start: Span, value: Column) -> Ordered {
        let order = match self.kind() {
            T::Keyword(K::Asc) => Some(SortOrder::Ascending),
            T::Keyword(K::Desc) => Some(SortOrder::Descending),
            T::Keyword(K::GrannyAsc) => Some(SortOrder::GrannyAscending),
            T::Keyword(K::GrannyDesc) => Some(SortOrder::GrannyDescending),
            _ => None,
        };
        if order.is_some() {
            self.bump();
        }
        let mut nulls = None;
        if self.eat_word(K::Nulls) {
            if self.eat_word(K::First) {
                nulls = Some(NullsOrder::First);
            } else if self.eat_word(K::Last) {
                nulls = Some(NullsOrder::Last);
            } else {
                self.expect(T::Keyword(K::First), "`first` or `last`");
            }
        }
        Ordered {
            value,
            order,
            nulls,
            span: self.since(start),
        }
    }

    // ---- tables and wildcards

    /// A name with `*` in it, written without blanks.
    pub(super) fn wildcard(&mut self) -> Option<Name> {
        let part = |kind: T, first: bool| match kind {
            T::Star | T::Ident => true,
            // A number may go on a name, but not begin one.
            T::Long => !first,
            T::Keyword(keyword) => matches!(keyword.class(), Class::Name | Class::Declared),
            _ => false,
        };
        let (mut end, mut star) = (self.at, false);
        while let Some(token) = self.tokens.get(end) {
            let adjacent = end == self.at || self.tokens[end - 1].span.end == token.span.start;
            if !adjacent || !part(token.kind, end == self.at) {
                break;
            }
            star |= token.kind == T::Star;
            end += 1;
        }
        if !star {
            return None;
        }
        let span = self.span().to(self.tokens[end - 1].span);
        self.at = end;
        Some(Name {
            text: span.of(self.text).to_owned(),
            span,
            bracketed: false,
        })
    }

    /// A wildcard or a lone `*` as an expression, if there is one.
    pub(super) fn wildcard_expr(&mut self) -> Option<Expr> {
        let pattern = self.wildcard()?;
        let span = pattern.span;
        let kind = if pattern.text == "*" {
            ExprKind::Star
        } else {
            ExprKind::Wildcard(pattern)
        };
        Some(Expr { kind, span })
    }

    /// A plain name or a wildcard, as `project-away` takes them.
    pub(super) fn name_or_wildcard(&mut self) -> Expr {
        if let Some(wildcard) = self.wildcard_expr() {
            return wildcard;
        }
        self.plain_name()
    }

    pub(super) fn plain_name(&mut self) -> Expr {
        let name = self.name(Class::Name, "a name");
        let span = name.span;
        if name.text.is_empty() {
            return self.missing();
        }
        Expr {
            kind: ExprKind::Name(name),
            span,
        }
    }

    /// A table as `union` and `join` take it: a name, path, call, wildcard, or
    /// a query in parentheses.
    pub(super) fn table(&mut self) -> Expr {
        if let Some(wildcard) = self.wildcard_expr() {
            return wildcard;
        }
        let start = self.span();
        if self.at(T::OpenParen) {
            return self.parenthesised();
        }
        if !self.is_name(0, Class::Referenced) {
            return self.expected_expression();
        }
        let base = self.name_or_call();
        self.steps(start, base, true)
    }

    /// `(table, table*)` of `find` and `search`.
    pub(super) fn tables_in_parentheses(&mut self) -> Vec<Expr> {
        let open = self.span();
        if !self.expect(T::OpenParen, "`(`") {
            return Vec::new();
        }
        let tables = self.list(Parser::named_table);
        self.close(open, T::CloseParen);
        tables
    }

    /// A table without a query: a name, path, call or wildcard.
    pub(super) fn named_table(&mut self) -> Expr {
        if self.at(T::OpenParen) {
            return self.expected_expression();
        }
        self.table()
    }
}
