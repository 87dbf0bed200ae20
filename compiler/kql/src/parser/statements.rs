//! Statements, functions and pipelines.

use rulec_source::Diagnostic;

use super::{Parser, T};
use crate::ast::{
    Alias, Arg, Body, Call, DeclarePattern, DeclareQueryParameters, Expr, ExprKind, Function, Let,
    PatternDefinition, PatternMatch, Pipeline, Query, Restrict, SetOption, Statement,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};

/// Where a pipeline stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is the value of a `let`, which a semicolon ends. On a new line a
    /// word that may begin a query does: not the pipe is missing but that.
    Let,
    Elsewhere,
}

/// Whether a query may begin with the operator, without rows handed in.
fn begins_query(keyword: K) -> bool {
    matches!(keyword, K::Union | K::Search | K::Find | K::Print | K::Range)
}

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Query {
        let start = self.span();
        // Instructions to a client are allowed before the first statement only.
        let mut directives = Vec::new();
        while self.at(T::Directive) {
            directives.push(crate::ast::Name {
                text: self.token_text().to_owned(),
                span: self.span(),
                bracketed: false,
            });
            self.bump();
        }
        if self.at(T::Dot) {
            let span = self.span();
            self.error(
                codes::UNEXPECTED_TEXT,
                span,
                "this is a control command; rulec reads queries only",
            );
            self.at = self.tokens.len() - 1;
        }
        let mut statements = Vec::new();
        while !self.at(T::Eof) {
            let before = self.at;
            if matches!(self.kind(), T::CloseParen | T::CloseBracket | T::CloseBrace) {
                self.unexpected();
                self.bump();
                continue;
            }
            if self.at(T::Semicolon) {
                self.unexpected();
                self.bump();
                continue;
            }
            statements.push(self.statement());
            self.end_of_statement();
            if self.at == before {
                // Nothing was understood: never stand still.
                self.unexpected();
                self.bump();
            }
        }
        Query {
            span: match (statements.first(), statements.last()) {
                (Some(first), Some(last)) => first.span().to(last.span()),
                _ => start,
            },
            directives,
            statements,
        }
    }

    fn unexpected(&mut self) {
        if !self.speaks() {
            return;
        }
        let message = format!("{} belongs to nothing before it", self.found());
        let span = self.span();
        self.error(codes::UNEXPECTED_TEXT, span, message);
    }

    /// Reports that another statement begins here without a semicolon before it.
    pub(super) fn missing_semicolon(&mut self) {
        let gap = self.gap();
        let found = self.found();
        self.report(
            Diagnostic::new(codes::MISSING_SEMICOLON, format!("expected `;` before {found}"))
                .at(gap)
                .label(self.span(), "this begins another statement")
                .fix("insert a semicolon", gap, ";"),
        );
    }

    /// A semicolon, the end, or what else stands there.
    fn end_of_statement(&mut self) {
        if self.eat(T::Semicolon) || self.at(T::Eof) {
            return;
        }
        if self.at_statement_word()
            || self.first_of_line() && (self.starts_expression() || self.begins_statement())
        {
            self.missing_semicolon();
            return;
        }
        self.unexpected();
        self.skip(|k| k == T::Semicolon);
        while matches!(self.kind(), T::CloseParen | T::CloseBracket | T::CloseBrace) {
            self.bump();
            self.skip(|k| k == T::Semicolon);
        }
        self.eat(T::Semicolon);
    }

    /// Whether a statement other than an expression begins here.
    pub(super) fn at_statement_word(&self) -> bool {
        match self.kind() {
            T::Keyword(K::Let) => {
                self.is_name(1, Class::Name) && self.peek(2) == T::Equal || self.peek(1) == T::OpenBracket
            }
            T::Keyword(K::Set) => self.is_name(1, Class::Name),
            T::Keyword(K::Alias) => self.peek(1) == T::Keyword(K::Database),
            T::Keyword(K::Declare) => {
                matches!(self.peek(1), T::Keyword(K::Pattern | K::QueryParameters))
            }
            T::Keyword(K::Restrict) => self.peek(1) == T::Keyword(K::Access),
            _ => false,
        }
    }

    /// Whether a statement begins here by its first word.
    fn begins_statement(&self) -> bool {
        self.at_statement_word() || matches!(self.kind(), T::Keyword(keyword) if begins_query(keyword))
    }

    pub(super) fn statement(&mut self) -> Statement {
        match self.kind() {
            T::Keyword(K::Let)
                if self.is_name(1, Class::Name)
                    || matches!(self.peek(1), T::Keyword(_)) && self.peek(2) == T::Equal =>
            {
                Statement::Let(self.let_statement())
            }
            T::Keyword(K::Set) => Statement::Set(self.set_statement()),
            T::Keyword(K::Alias) if self.peek(1) == T::Keyword(K::Database) => Statement::Alias(self.alias()),
            T::Keyword(K::Declare) if self.peek(1) == T::Keyword(K::QueryParameters) => {
                Statement::DeclareQueryParameters(self.query_parameters())
            }
            T::Keyword(K::Declare) if self.peek(1) == T::Keyword(K::Pattern) => {
                Statement::DeclarePattern(self.pattern())
            }
            T::Keyword(K::Restrict) if self.peek(1) == T::Keyword(K::Access) => {
                Statement::Restrict(self.restrict())
            }
            _ => Statement::Expression(self.pipeline()),
        }
    }

    fn let_statement(&mut self) -> Let {
        let start = self.span();
        self.bump();
        let name = self.name(Class::Name, "a name");
        self.expect(T::Equal, "`=`");
        let value = self.let_value();
        Let {
            name,
            value,
            span: self.since(start),
        }
    }

    fn let_value(&mut self) -> Expr {
        let start = self.span();
        let view = self.at_word(K::View) && self.peek(1) == T::OpenParen;
        if view {
            let partner = self.partners[self.at + 1] as usize;
            if partner != 0
                && self
                    .tokens
                    .get(partner + 1)
                    .is_some_and(|t| t.kind == T::OpenBrace)
            {
                self.bump();
                return self.function(true);
            }
        }
        if self.at(T::OpenParen)
            && (self.partner_is_followed_by(T::OpenBrace)
                || self.is_name(1, Class::Declared)
                    && self.peek(2) == T::Colon
                    && matches!(self.peek(3), T::Keyword(_)))
        {
            return self.function(false);
        }
        if self.at_word(K::EntityGroup) && self.peek(1) != T::Dot {
            return self.entity_group();
        }
        if self.at_word(K::Materialize) {
            let name = self.take_name();
            let args = self.query_argument();
            return self.whole_call(start, name, args);
        }
        self.pipeline_in(Place::Let)
    }

    fn whole_call(&mut self, start: rulec_source::Span, name: crate::ast::Name, args: Vec<Arg>) -> Expr {
        let span = self.since(start);
        self.expr_from(
            start,
            ExprKind::Call(Call {
                name,
                params: Vec::new(),
                args,
                span,
            }),
        )
    }

    fn function(&mut self, view: bool) -> Expr {
        let start = if view {
            self.tokens[self.at - 1].span
        } else {
            self.span()
        };
        let parameters = self.parameters(true);
        let body = self.body();
        self.expr_from(
            start,
            ExprKind::Function(Box::new(Function {
                view,
                parameters,
                body,
            })),
        )
    }

    /// `{ statements; result }`.
    pub(super) fn body(&mut self) -> Body {
        let open = self.span();
        if !self.expect(T::OpenBrace, "`{`") {
            return Body {
                span: open,
                ..Body::default()
            };
        }
        let mut body = Body::default();
        if self.enter() {
            while matches!(self.kind(), T::Keyword(K::Let | K::Declare)) && self.at_body_statement() {
                body.statements.push(self.statement());
                if !self.eat(T::Semicolon) {
                    self.expect(T::Semicolon, "`;`");
                    if !self.at_statement_word() && !self.first_of_line() {
                        self.skip(|k| k == T::Semicolon);
                        self.eat(T::Semicolon);
                    }
                }
            }
            if !self.at(T::CloseBrace) {
                body.result = Some(Box::new(self.pipeline()));
                self.eat(T::Semicolon);
            }
            self.leave();
        }
        self.close(open, T::CloseBrace);
        body.span = self.since(open);
        body
    }

    fn at_body_statement(&self) -> bool {
        if self.at_word(K::Let) {
            return self.is_name(1, Class::Name) || matches!(self.peek(1), T::Keyword(_));
        }
        matches!(self.peek(1), T::Keyword(K::Pattern | K::QueryParameters))
    }

    fn set_statement(&mut self) -> SetOption {
        let start = self.span();
        self.bump();
        let name = self.name(Class::Name, "the name of an option");
        let value = self.eat(T::Equal).then(|| self.expr());
        SetOption {
            name,
            value,
            span: self.since(start),
        }
    }

    fn alias(&mut self) -> Alias {
        let start = self.span();
        self.bump();
        self.bump();
        let name = self.name(Class::Name, "a name");
        self.expect(T::Equal, "`=`");
        let value = self.expr();
        Alias {
            name,
            value,
            span: self.since(start),
        }
    }

    fn query_parameters(&mut self) -> DeclareQueryParameters {
        let start = self.span();
        self.bump();
        self.bump();
        let parameters = self.parameters(false);
        DeclareQueryParameters {
            parameters,
            span: self.since(start),
        }
    }

    fn pattern(&mut self) -> DeclarePattern {
        let start = self.span();
        self.bump();
        self.bump();
        let name = self.name(Class::Name, "a name");
        let definition = self.eat(T::Equal).then(|| self.pattern_definition());
        DeclarePattern {
            name,
            definition,
            span: self.since(start),
        }
    }

    fn pattern_definition(&mut self) -> PatternDefinition {
        let parameters = self.schema();
        let bracket = self.span();
        let path = self.eat(T::OpenBracket).then(|| {
            let path = self.column_decl();
            self.close(bracket, T::CloseBracket);
            path
        });
        let open = self.span();
        let mut matches = Vec::new();
        if self.expect(T::OpenBrace, "`{`") {
            if self.at(T::CloseBrace) {
                self.expect(T::OpenParen, "a case of the pattern");
            }
            while self.at(T::OpenParen) {
                matches.push(self.pattern_match());
                if !self.expect(T::Semicolon, "`;`") {
                    break;
                }
            }
            self.close(open, T::CloseBrace);
        }
        PatternDefinition {
            parameters,
            path,
            matches,
        }
    }

    fn pattern_match(&mut self) -> PatternMatch {
        let start = self.span();
        self.bump();
        let values = self.list(Parser::string_expr);
        self.close(start, T::CloseParen);
        let path = self.eat(T::Dot).then(|| {
            let open = self.span();
            self.expect(T::OpenBracket, "`[`");
            let path = self.string_expr();
            self.close(open, T::CloseBracket);
            path
        });
        self.expect(T::Equal, "`=`");
        let body = self.body();
        PatternMatch {
            values,
            path,
            body,
            span: self.since(start),
        }
    }

    fn string_expr(&mut self) -> Expr {
        if self.at(T::String) {
            return self.string();
        }
        let message = format!("expected a string, found {}", self.found());
        let place = self.place_of_missing();
        self.error(codes::EXPECTED_EXPRESSION, place, message);
        self.missing()
    }

    fn restrict(&mut self) -> Restrict {
        let start = self.span();
        self.bump();
        self.bump();
        self.expect_word(K::To);
        let entities = self.tables_in_parentheses();
        let properties = self.plain_properties();
        Restrict {
            entities,
            properties,
            span: self.since(start),
        }
    }

    // ---- pipelines

    /// An expression, or operators with or without a source.
    pub(super) fn pipeline(&mut self) -> Expr {
        self.pipeline_in(Place::Elsewhere)
    }

    fn pipeline_in(&mut self, place: Place) -> Expr {
        if !self.enter() {
            return self.missing();
        }
        let mut start = self.span();
        let source = if self.begins_with_operator() {
            None
        } else {
            let source = self.scalar_or_source();
            if !self.continues(place) {
                self.leave();
                return source;
            }
            start = start.to(source.span);
            Some(Box::new(source))
        };
        let operators = self.operators_in(place, source.is_none());
        self.leave();
        self.expr_from(start, ExprKind::Pipeline(Pipeline { source, operators }))
    }

    fn scalar_or_source(&mut self) -> Expr {
        match self.kind() {
            T::Keyword(K::EntityGroup) if self.peek(1) == T::OpenBracket => self.entity_group(),
            T::Keyword(K::ContextualDatatable) => self.contextual_datatable(),
            T::Keyword(K::MaterializedViewCombine) => self.view_combine(),
            T::Keyword(K::InlineExternalTable) if self.peek(1) == T::OpenParen => {
                self.inline_external_table()
            }
            _ => self.expr_on_level(),
        }
    }

    /// Whether operators follow the expression just read, perhaps with the `|` forgotten.
    fn continues(&self, place: Place) -> bool {
        match self.kind() {
            T::Bar => true,
            T::Keyword(keyword) => {
                self.silent_at != self.at
                    && super::words::is_operator(keyword)
                    && !self.at_statement_word()
                    && !(place == Place::Let && self.first_of_line() && begins_query(keyword))
            }
            _ => false,
        }
    }

    /// Operators up to the end of the pipeline; `first` when the first has no `|` before it.
    pub(super) fn operators(&mut self, first: bool) -> Vec<crate::ast::Operator> {
        self.operators_in(Place::Elsewhere, first)
    }

    fn operators_in(&mut self, place: Place, first: bool) -> Vec<crate::ast::Operator> {
        let mut operators = Vec::new();
        // Without rows before it an operator stands a level deeper: `union (union (…`.
        if first && self.enter() {
            operators.push(self.operator());
            self.leave();
        }
        loop {
            if self.eat(T::Bar) {
                operators.push(self.operator());
            } else if self.continues(place) {
                let found = self.found();
                let gap = self.gap();
                self.report(
                    Diagnostic::new(codes::MISSING_PIPE, format!("expected `|` before {found}"))
                        .at(self.span())
                        .fix("insert a pipe", gap, " |"),
                );
                operators.push(self.operator());
            } else if self.at_operator_end() || self.first_of_line() && self.begins_statement() {
                return operators;
            } else if self.first_of_line() && self.at(T::Ident) {
                // Another query on a new line: the statement lacks its semicolon.
                return operators;
            } else {
                self.unexpected();
                self.skip(|k| matches!(k, T::Bar | T::Semicolon));
                if !self.at(T::Bar) {
                    self.silent_at = self.at;
                    return operators;
                }
            }
        }
    }
}
