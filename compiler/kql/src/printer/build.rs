//! From the syntax tree to what may be broken where: statements, lists and
//! what stands between two tokens.
//!
//! The builder walks the tree with a cursor on the tokens. Whatever a function
//! does not know is passed over token by token with the blanks the author put
//! there, so that nothing can be lost or change places.

use rulec_source::Span;

use super::layout::{Edge, Line, LineKind, Op};
use super::tokens::Source;
use crate::ast::{Body, Expr, ExprKind, Parameter, Pipeline, Query, Statement};
use crate::keyword::Keyword as K;
use crate::lexer::{TokenKind as T, typed_literal};

/// The steps of the layout of a query.
pub(super) fn build(source: &Source<'_>, query: &Query) -> Vec<Op> {
    let mut builder = Builder {
        source,
        next: 0,
        ops: Vec::with_capacity(source.tokens.len() * 2),
        open: Vec::new(),
        last: 0,
        joined: true,
    };
    for statement in &query.statements {
        builder.until(statement.span().start);
        if builder.next > 0 {
            builder.line(LineKind::Hard, true, Edge::Inner);
        }
        builder.statement(statement);
    }
    builder.until(u32::MAX);
    builder.ops
}

pub(super) struct Builder<'p> {
    pub(super) source: &'p Source<'p>,
    /// The token that comes next.
    pub(super) next: usize,
    ops: Vec<Op>,
    /// Where the groups that are open were opened.
    open: Vec<usize>,
    /// Where the last token or break is.
    last: usize,
    /// Whether what joins the next token has been said.
    joined: bool,
}

/// What may break the line within a pipeline.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bars {
    /// Always.
    Hard,
    /// When the group does.
    Soft,
}

impl Builder<'_> {
    // ---- tokens

    pub(super) fn kind(&self) -> T {
        self.source.kind(self.next)
    }

    /// The kind of the token before the next one.
    pub(super) fn before(&self) -> Option<T> {
        self.next.checked_sub(1).map(|i| self.source.kind(i))
    }

    /// Passes over the next token.
    pub(super) fn token(&mut self) {
        if self.next >= self.source.tokens.len() {
            return;
        }
        if !self.joined && self.next > 0 {
            self.join();
        }
        if !self.source.gaps[self.next].comments.is_empty() {
            // They stand behind the last token, and break what was open there.
            let last = self.last;
            self.force(last);
        }
        self.last = self.ops.len();
        self.ops
            .push(Op::Text(u32::try_from(self.next).unwrap_or(u32::MAX)));
        self.next += 1;
        self.joined = false;
    }

    /// Passes over the tokens that begin before a place.
    pub(super) fn until(&mut self, offset: u32) {
        while self
            .source
            .tokens
            .get(self.next)
            .is_some_and(|t| t.span.start < offset)
        {
            self.token();
        }
    }

    /// A blank comes next.
    pub(super) fn space(&mut self) {
        if !self.joined {
            self.ops.push(Op::Space);
            self.joined = true;
        }
    }

    /// Nothing comes before the next token.
    pub(super) fn tight(&mut self) {
        self.joined = true;
    }

    /// A possible break comes next.
    pub(super) fn line(&mut self, kind: LineKind, space: bool, edge: Edge) {
        let comments = self
            .source
            .gaps
            .get(self.next)
            .is_some_and(|g| !g.comments.is_empty());
        self.last = self.ops.len();
        if comments || kind == LineKind::Hard {
            self.force(self.last);
        }
        self.ops.push(Op::Line(Line { kind, space, edge }));
        self.joined = true;
    }

    /// A break between two items.
    pub(super) fn soft(&mut self) {
        self.line(LineKind::Soft, true, Edge::Inner);
    }

    pub(super) fn open(&mut self, broken: bool) {
        if broken {
            self.force(self.ops.len());
        }
        self.open.push(self.ops.len());
        self.ops.push(Op::Open { broken });
    }

    pub(super) fn close(&mut self) {
        self.open.pop();
        self.ops.push(Op::Close);
    }

    pub(super) fn indent(&mut self) {
        self.ops.push(Op::Indent);
    }

    pub(super) fn dedent(&mut self) {
        self.ops.push(Op::Dedent);
    }

    /// Breaks the groups that were opened before `place`.
    fn force(&mut self, place: usize) {
        // A group that is broken is in broken ones only, so that this ends early.
        for index in self.open.iter().rev().filter(|i| **i < place) {
            if self.ops[*index] == (Op::Open { broken: true }) {
                break;
            }
            self.ops[*index] = Op::Open { broken: true };
        }
    }

    /// What joins two tokens of which nobody said anything else: mostly a
    /// blank where the author put one.
    fn join(&mut self) {
        let (at, source) = (self.next, self.source);
        let (before, kind) = (source.kind(at - 1), source.kind(at));
        let blank = source.gaps[at].blank;
        let word = |kind: T| {
            matches!(
                kind,
                T::Ident
                    | T::Keyword(_)
                    | T::String
                    | T::Bool
                    | T::Long
                    | T::Real
                    | T::TimeSpan
                    | T::Typed(_)
            )
        };
        let compares = |kind: T| {
            matches!(
                kind,
                T::EqualEqual
                    | T::BangEqual
                    | T::EqualTilde
                    | T::BangTilde
                    | T::LessEqual
                    | T::GreaterEqual
                    | T::LessGreater
                    | T::Arrow
                    | T::Bar
            )
        };
        let closed = matches!(before, T::CloseParen | T::CloseBracket);
        let space = match (before, kind) {
            (T::Directive, _) => {
                self.line(LineKind::Hard, false, Edge::Inner);
                return;
            }
            (_, T::Directive) if source.gaps[at].newlines > 0 => {
                self.line(LineKind::Hard, false, Edge::Inner);
                return;
            }
            (T::OpenParen | T::OpenBracket, _)
            | (_, T::Comma | T::Semicolon | T::CloseParen | T::CloseBracket | T::Colon) => false,
            (T::Comma | T::Semicolon | T::Colon, _) => true,
            (T::Equal, _) => blank || source.gaps[at - 1].blank,
            (_, T::Equal) => blank || source.gaps[at + 1].blank,
            (_, T::Dot) if closed => false,
            (_, kind) if compares(before) || compares(kind) || closed && word(kind) => true,
            (
                T::Keyword(
                    K::By | K::On | K::With | K::Of | K::To | K::Where | K::And | K::Or | K::In | K::Declare,
                ),
                T::OpenParen,
            ) => true,
            _ => blank,
        };
        if space {
            self.space();
        }
    }

    /// Nothing between a name and its parenthesis, unless that would make a
    /// literal of them: `long (x)` is a call, `long(x)` is not.
    pub(super) fn tight_call(&mut self) {
        if self.kind() != T::OpenParen || self.next == 0 {
            return;
        }
        let literal = typed_literal(self.source.token_text(self.next - 1)).is_some();
        if !literal {
            self.tight();
        }
    }

    // ---- lists

    /// Whether the author has set items one a line: each but the first begins
    /// one, or the comma before it does.
    pub(super) fn one_a_line(&self, mut starts: impl Iterator<Item = u32>) -> bool {
        let mut several = false;
        starts.next();
        for start in starts {
            let index = self.source.index(start);
            let comma = index > 0 && self.source.kind(index - 1) == T::Comma;
            if !(self.source.gaps[index].breaks() || comma && self.source.gaps[index - 1].breaks()) {
                return false;
            }
            several = true;
        }
        several
    }

    /// Items with a break before each but the first.
    pub(super) fn items<I>(
        &mut self,
        items: &[I],
        kind: LineKind,
        span: impl Fn(&I) -> Span,
        lay: impl Fn(&mut Self, &I),
    ) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 && self.kind() == T::Comma && !self.source.gaps[self.next].comments.is_empty() {
                // A comment keeps the comma from the item before it.
                self.line(kind, false, Edge::Inner);
                self.until(span(item).start);
                self.space();
            } else {
                self.until(span(item).start);
                if i > 0 {
                    self.line(kind, true, Edge::Inner);
                }
            }
            lay(self, item);
            self.until(span(item).end);
        }
    }

    /// What an operator takes: one item behind it, several below it when they
    /// do not fit.
    pub(super) fn operands<I>(
        &mut self,
        items: &[I],
        span: impl Fn(&I) -> Span,
        lay: impl Fn(&mut Self, &I),
    ) {
        if items.len() < 2 {
            self.space();
            self.items(items, LineKind::Soft, span, lay);
            return;
        }
        let broken = self.one_a_line(items.iter().map(|i| span(i).start));
        self.open(broken);
        self.indent();
        self.line(LineKind::Soft, true, Edge::First);
        self.items(items, LineKind::Soft, span, lay);
        self.dedent();
        self.close();
    }

    /// Items in brackets, from behind the opening one to the closing one.
    pub(super) fn bracketed<I>(
        &mut self,
        items: &[I],
        fills: bool,
        span: impl Fn(&I) -> Span,
        lay: impl Fn(&mut Self, &I),
    ) {
        if items.is_empty() {
            self.through_closing();
            return;
        }
        let broken = self.one_a_line(items.iter().map(|i| span(i).start));
        let kind = if fills && !broken && items.iter().all(|i| self.is_short(span(i))) {
            LineKind::Fill
        } else {
            LineKind::Soft
        };
        self.begin_bracket(broken, false);
        self.items(items, kind, span, lay);
        self.end_bracket(false);
    }

    /// A group behind an opening bracket; `padded` ones have blanks inside.
    pub(super) fn begin_bracket(&mut self, broken: bool, padded: bool) {
        self.open(broken);
        self.indent();
        self.line(LineKind::Soft, padded, Edge::First);
    }

    /// Up to the closing bracket and over it.
    pub(super) fn end_bracket(&mut self, padded: bool) {
        while !matches!(
            self.kind(),
            T::CloseParen | T::CloseBracket | T::CloseBrace | T::Eof
        ) {
            self.token();
        }
        self.dedent();
        self.line(LineKind::Soft, padded, Edge::Last);
        self.close();
        self.token();
    }

    /// Up to the closing bracket and over it, when there is nothing in it.
    fn through_closing(&mut self) {
        while !matches!(
            self.kind(),
            T::CloseParen | T::CloseBracket | T::CloseBrace | T::Eof
        ) {
            self.token();
        }
        self.tight();
        self.token();
    }

    /// Whether an item is a value that can share a line with others.
    fn is_short(&self, span: Span) -> bool {
        const SHORT: usize = 32;
        let first = self.source.index(span.start);
        let sign = usize::from(matches!(self.source.kind(first), T::Minus | T::Plus));
        let next = self.source.tokens.get(first + sign + 1);
        self.source.size(span) <= SHORT && next.is_none_or(|t| t.span.start >= span.end)
    }

    // ---- statements

    pub(super) fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(binding) => {
                self.until(binding.name.span.end);
                self.space();
                self.until(binding.value.span.start);
                self.space();
                self.bound(&binding.value);
            }
            Statement::Expression(expr) => match &expr.kind {
                ExprKind::Pipeline(pipeline) => self.pipeline(pipeline, Bars::Hard),
                _ => self.expr(expr),
            },
            Statement::DeclareQueryParameters(declare) => self.parameters(&declare.parameters),
            Statement::DeclarePattern(pattern) => {
                for case in pattern.definition.iter().flat_map(|d| &d.matches) {
                    self.until(case.span.start);
                    if self.before() == Some(T::OpenBrace) {
                        self.open(true);
                        self.indent();
                    }
                    self.line(LineKind::Hard, true, Edge::Inner);
                    self.until(case.body.span.start);
                    self.body(&case.body);
                    if self.kind() == T::Semicolon {
                        self.token();
                    }
                    if self.kind() == T::CloseBrace {
                        self.dedent();
                        self.line(LineKind::Hard, true, Edge::Last);
                        self.close();
                        self.token();
                    }
                }
            }
            Statement::Restrict(restrict) => {
                if let Some(first) = restrict.entities.first() {
                    self.until(first.span.start);
                    self.bracketed(&restrict.entities, false, |e| e.span, Self::expr);
                }
            }
            Statement::Set(_) | Statement::Alias(_) => {}
        }
        self.until(statement.span().end);
        if self.kind() == T::Semicolon {
            self.token();
        }
    }

    /// What a `let` names.
    fn bound(&mut self, value: &Expr) {
        let ExprKind::Pipeline(pipeline) = &value.kind else {
            self.expr(value);
            return;
        };
        if bars(pipeline) == 0 {
            self.pipeline(pipeline, Bars::Hard);
            return;
        }
        self.indent();
        self.line(LineKind::Hard, true, Edge::First);
        self.pipeline(pipeline, Bars::Hard);
        self.until(value.span.end);
        if self.kind() == T::Semicolon {
            self.token();
        }
        self.dedent();
    }

    /// Parameters in parentheses, parentheses included.
    pub(super) fn parameters(&mut self, parameters: &[Parameter]) {
        let Some(first) = parameters.first() else {
            return;
        };
        self.until(first.span.start);
        self.bracketed(
            parameters,
            false,
            |p| p.span,
            |b, p| {
                if let Some(default) = &p.default {
                    // Before the equals sign, and behind it.
                    while b.kind() != T::Equal && b.kind() != T::Eof {
                        b.token();
                    }
                    b.space();
                    b.until(default.span.start);
                    b.space();
                    b.expr(default);
                }
            },
        );
    }

    /// What stands in the braces of a function, braces included.
    pub(super) fn body(&mut self, body: &Body) {
        self.until(body.span.start);
        let padded = self.kind() == T::OpenBrace;
        self.token();
        let Some(first) = body
            .statements
            .first()
            .map(Statement::span)
            .or(body.result.as_ref().map(|r| r.span))
        else {
            self.until(body.span.end.saturating_sub(1));
            self.tight();
            self.until(body.span.end);
            return;
        };
        let several = body.result.as_ref().is_some_and(|r| match &r.kind {
            ExprKind::Pipeline(pipeline) => bars(pipeline) > 1 || self.bars_break(pipeline),
            _ => false,
        });
        let broken = several || !body.statements.is_empty() || self.source.first_of_line(first.start);
        self.begin_bracket(broken, padded);
        for statement in &body.statements {
            if statement.span() != first {
                self.line(LineKind::Hard, true, Edge::Inner);
            }
            self.statement(statement);
        }
        if let Some(result) = &body.result {
            if result.span != first {
                self.line(LineKind::Hard, true, Edge::Inner);
            }
            match &result.kind {
                ExprKind::Pipeline(pipeline) => self.pipeline(pipeline, Bars::Soft),
                _ => self.expr(result),
            }
        }
        self.end_bracket(padded);
    }

    // ---- pipelines

    pub(super) fn pipeline(&mut self, pipeline: &Pipeline, bars: Bars) {
        if let Some(source) = &pipeline.source {
            self.expr(source);
            self.until(source.span.end);
        }
        for operator in &pipeline.operators {
            if self.kind() == T::Bar {
                let kind = match bars {
                    Bars::Hard => LineKind::Hard,
                    Bars::Soft => LineKind::Soft,
                };
                self.line(kind, true, Edge::Inner);
                self.until(operator.span.start);
                self.space();
            }
            self.operator(operator);
            self.until(operator.span.end);
        }
    }

    /// Whether the author has broken a pipeline before one of its operators.
    pub(super) fn bars_break(&self, pipeline: &Pipeline) -> bool {
        let piped = pipeline
            .operators
            .iter()
            .skip(usize::from(pipeline.source.is_none()));
        piped.into_iter().any(|operator| {
            let index = self.source.index(operator.span.start);
            let bar = index.saturating_sub(1);
            self.source.gaps[index].breaks() || self.source.gaps[bar].breaks()
        })
    }
}

/// How many `|` a pipeline has.
pub(super) fn bars(pipeline: &Pipeline) -> usize {
    pipeline.operators.len() - usize::from(pipeline.source.is_none()).min(pipeline.operators.len())
}
