//! Scalar expressions, and what a pipeline can begin with.
//!
//! The ranks, loosest first: `or`; `and`; `== != in between has_any`; `< > <= >=`;
//! `+ -`; `* / %`; string operators (`has`, `=~`, `:` …); signs; paths. The
//! comparisons of one rank do not chain.

use rulec_source::{Diagnostic, Span};

use super::{Parser, T};
use crate::ast::{
    Arg, Arithmetic, ArithmeticLink, ArithmeticOp, Between, Binary, BinaryOp, Call, Expr, ExprKind, InList,
    InOp, Literal, Path, ScalarType, Step, StepKind, StringLiteral, TypeOf, Unary, UnaryOp,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};
use crate::literal;

const OR: u8 = 1;
const AND: u8 = 2;
const EQUALITY: u8 = 3;
const RELATION: u8 = 4;
const ADDITION: u8 = 5;
const MULTIPLICATION: u8 = 6;
const STRINGS: u8 = 7;

/// An infix operator.
#[derive(Clone, Copy)]
enum Infix {
    Or,
    And,
    Binary(BinaryOp),
    InList(InOp),
    Between(bool),
    Arithmetic(ArithmeticOp),
}

/// The infix operator of a token and its rank.
fn infix(kind: T) -> Option<(Infix, u8)> {
    use BinaryOp as B;
    let string = |op| Some((Infix::Binary(op), STRINGS));
    match kind {
        T::Keyword(keyword) => match keyword {
            K::Or => Some((Infix::Or, OR)),
            K::And => Some((Infix::And, AND)),
            K::In => Some((Infix::InList(InOp::In), EQUALITY)),
            K::NotIn => Some((Infix::InList(InOp::NotIn), EQUALITY)),
            K::InTilde => Some((Infix::InList(InOp::InTilde), EQUALITY)),
            K::NotInTilde => Some((Infix::InList(InOp::NotInTilde), EQUALITY)),
            K::HasAny => Some((Infix::InList(InOp::HasAny), EQUALITY)),
            K::HasAll => Some((Infix::InList(InOp::HasAll), EQUALITY)),
            K::Between => Some((Infix::Between(false), EQUALITY)),
            K::NotBetween => Some((Infix::Between(true), EQUALITY)),
            K::Has => string(B::Has),
            K::NotHas => string(B::NotHas),
            K::HasCs => string(B::HasCs),
            K::NotHasCs => string(B::NotHasCs),
            K::Hasprefix => string(B::HasPrefix),
            K::NotHasprefix => string(B::NotHasPrefix),
            K::HasprefixCs => string(B::HasPrefixCs),
            K::NotHasprefixCs => string(B::NotHasPrefixCs),
            K::Hassuffix => string(B::HasSuffix),
            K::NotHassuffix => string(B::NotHasSuffix),
            K::HassuffixCs => string(B::HasSuffixCs),
            K::NotHassuffixCs => string(B::NotHasSuffixCs),
            K::Contains => string(B::Contains),
            K::NotContains | K::Notcontains => string(B::NotContains),
            K::ContainsCs | K::Containscs => string(B::ContainsCs),
            K::NotContainsCs | K::Notcontainscs => string(B::NotContainsCs),
            K::Startswith => string(B::StartsWith),
            K::NotStartswith => string(B::NotStartsWith),
            K::StartswithCs => string(B::StartsWithCs),
            K::NotStartswithCs => string(B::NotStartsWithCs),
            K::Endswith => string(B::EndsWith),
            K::NotEndswith => string(B::NotEndsWith),
            K::EndswithCs => string(B::EndsWithCs),
            K::NotEndswithCs => string(B::NotEndsWithCs),
            K::Like => string(B::Like),
            K::Notlike => string(B::NotLike),
            K::Likecs => string(B::LikeCs),
            K::Notlikecs => string(B::NotLikeCs),
            K::MatchesRegex => string(B::MatchesRegex),
            _ => None,
        },
        T::EqualEqual => Some((Infix::Binary(B::Equal), EQUALITY)),
        T::BangEqual | T::LessGreater => Some((Infix::Binary(B::NotEqual), EQUALITY)),
        T::Less => Some((Infix::Binary(B::Less), RELATION)),
        T::LessEqual => Some((Infix::Binary(B::LessOrEqual), RELATION)),
        T::Greater => Some((Infix::Binary(B::Greater), RELATION)),
        T::GreaterEqual => Some((Infix::Binary(B::GreaterOrEqual), RELATION)),
        T::EqualTilde => string(B::EqualTilde),
        T::BangTilde => string(B::NotEqualTilde),
        T::Colon => string(B::Search),
        T::Plus => Some((Infix::Arithmetic(ArithmeticOp::Add), ADDITION)),
        T::Minus => Some((Infix::Arithmetic(ArithmeticOp::Subtract), ADDITION)),
        T::Star => Some((Infix::Arithmetic(ArithmeticOp::Multiply), MULTIPLICATION)),
        T::Slash => Some((Infix::Arithmetic(ArithmeticOp::Divide), MULTIPLICATION)),
        T::Percent => Some((Infix::Arithmetic(ArithmeticOp::Modulo), MULTIPLICATION)),
        _ => None,
    }
}

impl Parser<'_> {
    /// A scalar expression.
    pub(super) fn expr(&mut self) -> Expr {
        if !self.enter() {
            return self.missing();
        }
        let expr = self.climb(OR);
        self.leave();
        expr
    }

    /// The same for callers that have counted the level already.
    pub(super) fn expr_on_level(&mut self) -> Expr {
        self.climb(OR)
    }

    /// Operators of rank `least` and tighter.
    fn climb(&mut self, least: u8) -> Expr {
        let start = self.span();
        let lhs = self.operand();
        self.climb_from(start, lhs, least)
    }

    fn climb_from(&mut self, start: Span, mut lhs: Expr, least: u8) -> Expr {
        let mut most = u8::MAX;
        while let Some((op, rank)) = infix(self.kind()) {
            // `on x in range(…)` belongs to `make-series`.
            let series = self.at_word(K::In) && self.peek(1) == T::Keyword(K::Range);
            if rank < least || rank > most || series {
                break;
            }
            lhs = self.infix_expr(start, lhs, op, rank);
            // Operators that chain have taken all of their rank; the others do not
            // chain. So what follows can only bind more loosely.
            most = rank - 1;
        }
        lhs
    }

    /// An operator, its right operands, and for the ranks that chain all further ones.
    fn infix_expr(&mut self, start: Span, lhs: Expr, op: Infix, rank: u8) -> Expr {
        // A missing operand stands before the blanks that precede the operator.
        let start = start.to(lhs.span);
        let kind = match op {
            Infix::Or => ExprKind::Or(self.operands(lhs, K::Or, AND)),
            Infix::And => ExprKind::And(self.operands(lhs, K::And, EQUALITY)),
            Infix::Arithmetic(_) => self.arithmetic(lhs, rank),
            Infix::Binary(op) => {
                let op_span = self.span();
                self.bump();
                let rhs = if rank == STRINGS {
                    self.signed()
                } else {
                    self.right(rank + 1)
                };
                ExprKind::Binary(Binary {
                    op,
                    op_span,
                    lhs: Box::new(lhs),
                    rhs: Box::new(rhs),
                })
            }
            Infix::InList(op) => self.in_list(lhs, op),
            Infix::Between(negated) => self.between(lhs, negated),
        };
        self.expr_from(start, kind)
    }

    /// What stands right of an operator: a level of its own, since operators
    /// of every rank can be open at once around each bracket.
    fn right(&mut self, least: u8) -> Expr {
        if !self.enter() {
            return self.missing();
        }
        let operand = self.climb(least);
        self.leave();
        operand
    }

    fn operands(&mut self, first: Expr, word: K, least: u8) -> Vec<Expr> {
        let mut operands = vec![first];
        while self.eat_word(word) {
            operands.push(self.right(least));
        }
        operands
    }

    fn arithmetic(&mut self, first: Expr, rank: u8) -> ExprKind {
        let mut rest = Vec::new();
        while let Some((Infix::Arithmetic(op), r)) = infix(self.kind()) {
            if r != rank {
                break;
            }
            let op_span = self.span();
            self.bump();
            let operand = self.right(rank + 1);
            rest.push(ArithmeticLink { op, op_span, operand });
        }
        ExprKind::Arithmetic(Arithmetic {
            first: Box::new(first),
            rest,
        })
    }

    fn in_list(&mut self, lhs: Expr, op: InOp) -> ExprKind {
        let op_span = self.span();
        self.bump();
        let open = self.span();
        let mut list = Vec::new();
        if self.kind() != T::OpenParen && self.starts_expression() && self.speaks() {
            let item = self.signed();
            let word = op_span.of(self.text);
            self.report(
                Diagnostic::new(
                    codes::EXPECTED_TOKEN,
                    format!("`{word}` takes a list in parentheses"),
                )
                .at(item.span)
                .help(format!("write `{word} (…)`"))
                .fix_all(
                    "put it in parentheses",
                    vec![
                        (Span::at(item.span.start as usize), "(".to_owned()),
                        (Span::at(item.span.end as usize), ")".to_owned()),
                    ],
                ),
            );
            list.push(item);
        } else if self.expect(T::OpenParen, "`(`") {
            let first = self.pipeline();
            if matches!(first.kind, ExprKind::Pipeline(_)) {
                list.push(first);
            } else {
                list = self.list_after(first, Parser::expr);
            }
            self.close(open, T::CloseParen);
        } else if self.starts_expression() {
            list.push(self.signed());
        }
        ExprKind::InList(InList {
            op,
            op_span,
            lhs: Box::new(lhs),
            list,
        })
    }

    fn between(&mut self, operand: Expr, negated: bool) -> ExprKind {
        let op_span = self.span();
        self.bump();
        let open = self.span();
        let opened = self.expect(T::OpenParen, "`(`");
        let from = if opened { self.expr() } else { self.climb(ADDITION) };
        self.expect(T::DotDot, "`..`");
        let to = if opened { self.expr() } else { self.climb(ADDITION) };
        if opened {
            self.close(open, T::CloseParen);
        }
        ExprKind::Between(Between {
            negated,
            op_span,
            operand: Box::new(operand),
            from: Box::new(from),
            to: Box::new(to),
        })
    }

    /// An operand: signs, paths, or a `*` before a comparison.
    fn operand(&mut self) -> Expr {
        if self.at(T::Star) {
            let searches = match infix(self.peek(1)) {
                Some((Infix::Binary(op), rank)) => {
                    rank == STRINGS || matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
                }
                _ => false,
            };
            if searches {
                return self.star();
            }
        }
        self.signed()
    }

    /// A lone `*`.
    pub(super) fn star(&mut self) -> Expr {
        let span = self.span();
        self.bump();
        Expr {
            kind: ExprKind::Star,
            span,
        }
    }

    /// An operand with at most one sign.
    pub(super) fn signed(&mut self) -> Expr {
        let op = match self.kind() {
            T::Minus => UnaryOp::Minus,
            T::Plus => UnaryOp::Plus,
            _ => return self.path(),
        };
        let start = self.span();
        self.bump();
        let operand = if matches!(self.kind(), T::Minus | T::Plus) {
            let message = format!("expected an operand, found {}", self.found());
            let span = self.span();
            self.error(codes::EXPECTED_EXPRESSION, span, message);
            while matches!(self.kind(), T::Minus | T::Plus) {
                self.bump();
            }
            self.path()
        } else {
            self.path()
        };
        self.expr_from(
            start,
            ExprKind::Unary(Unary {
                op,
                operand: Box::new(operand),
            }),
        )
    }

    /// A primary and the steps behind it.
    pub(super) fn path(&mut self) -> Expr {
        let start = self.span();
        let base = self.primary();
        self.steps(start, base, false)
    }

    /// The steps behind `base`; with `wildcards`, `.Name*` may be the last.
    pub(super) fn steps(&mut self, start: Span, base: Expr, wildcards: bool) -> Expr {
        if !matches!(self.kind(), T::Dot | T::OpenBracket) {
            return base;
        }
        let start = start.to(base.span);
        let mut steps = Vec::new();
        loop {
            let from = self.span();
            let kind = match self.kind() {
                T::Dot => {
                    self.bump();
                    self.member(wildcards)
                }
                T::OpenBracket => self.index(),
                _ => break,
            };
            steps.push(Step {
                kind,
                span: self.since(from),
            });
        }
        self.expr_from(
            start,
            ExprKind::Path(Path {
                base: Box::new(base),
                steps,
            }),
        )
    }

    fn member(&mut self, wildcards: bool) -> StepKind {
        if wildcards && let Some(pattern) = self.wildcard() {
            return StepKind::Wildcard(pattern);
        }
        if self.at(T::OpenBracket) && !self.is_name(0, Class::Referenced) {
            return self.index();
        }
        if self.is_name(0, Class::Name) && self.peek(self.name_len(0)) == T::OpenParen {
            return StepKind::Call(self.call());
        }
        StepKind::Member(self.name(Class::Referenced, "a name"))
    }

    fn index(&mut self) -> StepKind {
        let open = self.span();
        self.bump();
        let index = self.expr();
        self.close(open, T::CloseBracket);
        StepKind::Index(index)
    }

    /// Whether the current token can begin an expression.
    pub(super) fn starts_expression(&self) -> bool {
        match self.kind() {
            T::Bool
            | T::Long
            | T::Real
            | T::TimeSpan
            | T::Typed(_)
            | T::String
            | T::OpenParen
            | T::OpenBracket
            | T::Minus
            | T::Plus => true,
            T::Keyword(K::Dynamic | K::Toscalar | K::Totable | K::Typeof) => true,
            _ => self.is_name(0, Class::Referenced),
        }
    }

    fn primary(&mut self) -> Expr {
        match self.kind() {
            T::Ident => self.name_or_call(),
            T::OpenParen => self.parenthesised(),
            T::Bool | T::Long | T::Real | T::TimeSpan | T::Typed(_) => self.simple_literal(),
            T::String => self.string(),
            T::OpenBracket if !self.is_name(0, Class::Referenced) => self.bracketed(),
            T::Keyword(K::Dynamic) => self.dynamic(),
            T::Keyword(K::Typeof) if self.peek(1) == T::OpenParen => self.type_of(),
            T::Keyword(K::Toscalar | K::Totable) => self.query_call(),
            T::Keyword(K::Datatable) => self.datatable(),
            T::Keyword(K::Externaldata | K::ExternalDataOld) => self.external_data(),
            _ if self.is_name(0, Class::Referenced) => self.name_or_call(),
            _ => self.expected_expression(),
        }
    }

    pub(super) fn name_or_call(&mut self) -> Expr {
        let start = self.span();
        let next = self.name_len(0);
        let kind = if self.peek(next) == T::OpenParen {
            if let (false, T::Keyword(keyword)) = (self.is_name(0, Class::Name), self.kind()) {
                self.reserved(keyword);
            }
            ExprKind::Call(self.call())
        } else if self.at(T::Ident) && start.of(self.text) == "not" && self.value_follows() && self.enter() {
            let call = self.negation();
            self.leave();
            ExprKind::Call(call)
        } else {
            ExprKind::Name(self.take_name())
        };
        self.expr_from(start, kind)
    }

    /// Whether the token behind the current one can be nothing but a value.
    fn value_follows(&self) -> bool {
        matches!(
            self.peek(1),
            T::Ident | T::Bool | T::Long | T::Real | T::TimeSpan | T::Typed(_) | T::String
        )
    }

    /// `not x == 1`, as other languages write it.
    fn negation(&mut self) -> Call {
        let start = self.span();
        let name = self.take_name();
        let speaks = self.speaks();
        let value = self.climb(EQUALITY);
        let span = self.since(start);
        if speaks {
            let before = Span::new(name.span.end as usize, value.span.start as usize);
            let after = Span::at(value.span.end as usize);
            self.report(
                Diagnostic::new(codes::EXPECTED_TOKEN, "`not` takes its condition in parentheses")
                    .at(span)
                    .help("write `not(…)`")
                    .fix_all(
                        "put it in parentheses",
                        vec![(before, "(".to_owned()), (after, ")".to_owned())],
                    ),
            );
        }
        Call {
            name,
            params: Vec::new(),
            args: vec![Arg {
                name: None,
                span: value.span,
                value,
            }],
            span,
        }
    }

    /// `name(arguments)`, with the name at the current token.
    pub(super) fn call(&mut self) -> Call {
        let start = self.span();
        let name = self.take_name();
        let args = self.arguments();
        Call {
            name,
            params: Vec::new(),
            args,
            span: self.since(start),
        }
    }

    fn arguments(&mut self) -> Vec<Arg> {
        let open = self.span();
        if !self.expect(T::OpenParen, "`(`") {
            return Vec::new();
        }
        let args = if self.at(T::CloseParen) {
            Vec::new()
        } else {
            self.list(Parser::argument)
        };
        self.close(open, T::CloseParen);
        args
    }

    pub(super) fn argument(&mut self) -> Arg {
        let start = self.span();
        let name = self.name_before_equal();
        let lone = name.is_none() && self.at(T::Star);
        let value = if lone && matches!(self.peek(1), T::Comma | T::CloseParen) {
            self.star()
        } else {
            self.expr()
        };
        Arg {
            name,
            value,
            span: self.since(start),
        }
    }

    /// `toscalar(query)`, `totable(query)`.
    fn query_call(&mut self) -> Expr {
        let start = self.span();
        let mut name = self.take_name();
        name.bracketed = false;
        let params = if self.at_word(K::Kind) && self.peek(1) == T::Equal {
            vec![self.param()]
        } else {
            Vec::new()
        };
        let args = self.query_argument();
        self.expr_from(
            start,
            ExprKind::Call(Call {
                name,
                params,
                args,
                span: self.since(start),
            }),
        )
    }

    /// `(query)` as the one argument of a call.
    pub(super) fn query_argument(&mut self) -> Vec<Arg> {
        let open = self.span();
        let opened = self.expect(T::OpenParen, "`(`");
        if !opened && !self.starts_expression() {
            return Vec::new();
        }
        let start = self.span();
        let value = self.pipeline();
        let span = self.since(start);
        if opened {
            self.close(open, T::CloseParen);
        }
        vec![Arg {
            name: None,
            value,
            span,
        }]
    }

    pub(super) fn parenthesised(&mut self) -> Expr {
        let open = self.span();
        self.bump();
        let inner = self.pipeline();
        self.close(open, T::CloseParen);
        self.expr_from(open, ExprKind::Parenthesised(Box::new(inner)))
    }

    fn bracketed(&mut self) -> Expr {
        let open = self.span();
        self.bump();
        let inner = if self.at(T::Star) && self.peek(1) == T::CloseBracket {
            self.star()
        } else {
            self.expr()
        };
        self.close(open, T::CloseBracket);
        self.expr_from(open, ExprKind::Bracketed(Box::new(inner)))
    }

    /// `typeof(long)`, `typeof(a: long)`, `typeof(*, a: long)`.
    pub(super) fn type_of(&mut self) -> Expr {
        let start = self.span();
        self.bump();
        let ty = if matches!(self.peek(1), T::Star | T::CloseParen) || self.peek(2) == T::Colon {
            TypeOf::Tabular(self.table_type(true))
        } else {
            let open = self.span();
            self.expect(T::OpenParen, "`(`");
            let ty = self.type_name_of_typeof();
            self.close(open, T::CloseParen);
            TypeOf::Scalar(ty)
        };
        self.expr_from(start, ExprKind::TypeOf(ty))
    }

    /// A literal that is one token and no string.
    pub(super) fn simple_literal(&mut self) -> Expr {
        let span = self.span();
        let value = simple_value(self.kind(), self.token_text());
        self.bump();
        Expr {
            kind: ExprKind::Literal(value),
            span,
        }
    }

    /// One or more strings side by side.
    pub(super) fn string(&mut self) -> Expr {
        let start = self.span();
        let (value, obfuscated) = self.string_value();
        self.expr_from(
            start,
            ExprKind::Literal(Literal::String(StringLiteral { value, obfuscated })),
        )
    }

    pub(super) fn string_value(&mut self) -> (String, bool) {
        let (mut value, mut obfuscated) = literal::string(self.token_text());
        self.bump();
        while self.at(T::String) {
            let (more, hidden) = literal::string(self.token_text());
            value.push_str(&more);
            obfuscated |= hidden;
            self.bump();
        }
        (value, obfuscated)
    }
}

/// The value of a literal that is one token and no string.
pub(super) fn simple_value(kind: T, text: &str) -> Literal {
    let invalid = |ty| Literal::Invalid(ty, text.to_owned());
    match kind {
        T::Bool => Literal::Bool(text.eq_ignore_ascii_case("true")),
        T::Long => literal::whole(text).map_or_else(|| invalid(ScalarType::Long), Literal::Long),
        T::Real => literal::real(text).map_or_else(|| invalid(ScalarType::Real), Literal::Real),
        T::TimeSpan => {
            literal::timespan(text).map_or_else(|| invalid(ScalarType::TimeSpan), Literal::TimeSpan)
        }
        T::Typed(ty) => literal::typed(ty, text),
        _ => invalid(ScalarType::Unknown),
    }
}
