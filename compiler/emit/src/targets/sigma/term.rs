//! Expressions over the columns of one table.
//!
//! In: bound expressions over whatever an operator has as its input. Out: the
//! same expressions over the table that the rows came from: columns that a
//! projection computed are replaced by what computed them, let bindings by
//! their values, and constants are worked out. What cannot be traced to the
//! table says what it is instead ([`TermKind::Opaque`]), and only matters where
//! a predicate uses it.

use std::rc::Rc;

use rulec_functions::{Kind, ScalarFunction, Type, Value};
use rulec_ir::{Expr, ExprKind, Query, Rel, RelKind};
use rulec_source::Span;

/// An expression over the columns of a table.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) kind: TermKind,
    pub(super) ty: Type,
    /// Where it is used, not where it was computed.
    pub(super) span: Span,
    depth: u32,
    size: u32,
}

#[derive(Clone, Debug)]
pub(super) enum TermKind {
    Literal(Value),
    Column(usize),
    Call(&'static ScalarFunction, Vec<Rc<Term>>),
    And(Vec<Rc<Term>>),
    Or(Vec<Rc<Term>>),
    Now,
    Ingestion,
    /// The first column of a watchlist.
    Watchlist(String),
    /// What no row of the table says: "a column that `lookup` adds".
    Opaque(String),
}

/// Nested deeper, or larger, a term is not followed: no rule that a person
/// wrote comes near.
const DEPTH: u32 = 200;
const SIZE: u32 = 20_000;

impl Term {
    pub(super) fn new(kind: TermKind, ty: Type, span: Span) -> Rc<Self> {
        let (mut depth, mut size) = (0, 1u32);
        if let TermKind::Call(_, parts) | TermKind::And(parts) | TermKind::Or(parts) = &kind {
            for part in parts {
                depth = depth.max(part.depth);
                size = size.saturating_add(part.size);
            }
        }
        if depth >= DEPTH || size > SIZE {
            let kind = TermKind::Opaque("an expression of this size".to_owned());
            return Rc::new(Self {
                kind,
                ty,
                span,
                depth: 0,
                size: 1,
            });
        }
        Rc::new(Self {
            kind,
            ty,
            span,
            depth: depth + 1,
            size,
        })
    }

    pub(super) fn literal(value: Value, ty: Type, span: Span) -> Rc<Self> {
        Self::new(TermKind::Literal(value), ty, span)
    }

    pub(super) fn bool(value: bool, span: Span) -> Rc<Self> {
        Self::literal(Value::Bool(value), Type::Bool, span)
    }

    pub(super) fn column(index: usize, ty: Type, span: Span) -> Rc<Self> {
        Self::new(TermKind::Column(index), ty, span)
    }

    pub(super) fn opaque(what: impl Into<String>, ty: Type, span: Span) -> Rc<Self> {
        Self::new(TermKind::Opaque(what.into()), ty, span)
    }

    /// Whether it is the constant `true` or `false`.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self.kind {
            TermKind::Literal(Value::Bool(value)) => Some(value),
            // A predicate that is null holds for no row.
            TermKind::Literal(Value::Null) => Some(false),
            _ => None,
        }
    }

    fn placed(self: &Rc<Self>, span: Span) -> Rc<Self> {
        if span.is_empty() || self.span == span {
            return Rc::clone(self);
        }
        Rc::new(Self {
            span,
            ..(**self).clone()
        })
    }

    fn is_null(&self) -> bool {
        matches!(self.kind, TermKind::Literal(Value::Null))
    }

    /// Calls `visit` on every part, itself included.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(&Term)) {
        visit(self);
        if let TermKind::Call(_, parts) | TermKind::And(parts) | TermKind::Or(parts) = &self.kind {
            for part in parts {
                part.walk(visit);
            }
        }
    }

    /// Whether some part is like this.
    pub(super) fn any(&self, is: impl Fn(&Term) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |term| found |= is(term));
        found
    }

    /// The conditions that all have to hold.
    pub(super) fn conjuncts(self: &Rc<Self>) -> Vec<Rc<Self>> {
        match &self.kind {
            TermKind::And(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            _ => vec![Rc::clone(self)],
        }
    }

    /// The term with another one for each part that `replace` knows one for.
    pub(super) fn rewrite(self: &Rc<Self>, replace: &dyn Fn(&Rc<Self>) -> Option<Rc<Self>>) -> Rc<Self> {
        if let Some(found) = replace(self) {
            return found;
        }
        let all = |parts: &[Rc<Self>]| parts.iter().map(|part| part.rewrite(replace)).collect();
        match &self.kind {
            TermKind::Call(function, parts) => call(function, all(parts), self.ty, self.span),
            TermKind::And(parts) => junction(true, all(parts), self.span),
            TermKind::Or(parts) => junction(false, all(parts), self.span),
            _ => Rc::clone(self),
        }
    }
}

/// A call, worked out where its arguments are constants.
pub(super) fn call(function: &'static ScalarFunction, args: Vec<Rc<Term>>, ty: Type, span: Span) -> Rc<Term> {
    if function.kind != Kind::Context && function.kind != Kind::Window {
        let values: Option<Vec<Value>> = args
            .iter()
            .map(|arg| match &arg.kind {
                TermKind::Literal(value) => Some(value.clone()),
                _ => None,
            })
            .collect();
        if let (Some(values), Some(kernel)) = (values, function.kernel) {
            return Term::literal(kernel(&values), ty, span);
        }
    }
    // A string is never null, whatever it is.
    if let ("isnull" | "isnotnull", [arg]) = (function.name, args.as_slice())
        && arg.ty == Type::String
        && !matches!(arg.kind, TermKind::Opaque(_))
    {
        return Term::bool(function.name == "isnotnull", span);
    }
    Term::new(TermKind::Call(function, args), ty, span)
}

/// `and` or `or`, without what decides nothing.
pub(super) fn junction(and: bool, parts: Vec<Rc<Term>>, span: Span) -> Rc<Term> {
    let mut kept: Vec<Rc<Term>> = Vec::with_capacity(parts.len());
    for part in parts {
        match part.as_bool() {
            Some(value) if value == and => {}
            Some(value) => return Term::bool(value, span),
            None => match (&part.kind, and) {
                (TermKind::And(inner), true) | (TermKind::Or(inner), false) => {
                    kept.extend(inner.iter().cloned());
                }
                _ => kept.push(part),
            },
        }
    }
    match kept.len() {
        0 => Term::bool(and, span),
        1 => kept.swap_remove(0),
        _ if and => Term::new(TermKind::And(kept), Type::Bool, span),
        _ => Term::new(TermKind::Or(kept), Type::Bool, span),
    }
}

/// Carries an expression from the columns of an operator's input, each of which
/// is a term in `over`, to the table below.
pub(super) fn carry(query: &Query, expr: &Expr, over: &[Rc<Term>]) -> Rc<Term> {
    carry_at(query, expr, over, 0)
}

fn carry_at(query: &Query, expr: &Expr, over: &[Rc<Term>], depth: u32) -> Rc<Term> {
    let (ty, span) = (expr.ty, expr.span);
    if depth > 2 * DEPTH {
        return Term::opaque("an expression of this depth", ty, span);
    }
    let all = |exprs: &[Expr]| -> Vec<Rc<Term>> {
        exprs
            .iter()
            .map(|expr| carry_at(query, expr, over, depth + 1))
            .collect()
    };
    match &expr.kind {
        ExprKind::Literal(value) => Term::literal(value.clone(), ty, span),
        ExprKind::Column(index) => match over.get(*index) {
            Some(term) => term.placed(span),
            None => Term::opaque("a column that the binder does not know", ty, span),
        },
        ExprKind::Binding(_) => {
            let value = query.resolve(expr);
            if let ExprKind::Binding(_) = value.kind {
                return Term::opaque("a name that stands for no value", ty, span);
            }
            // Its own text has columns of its own, if any.
            carry_at(query, value, &[], depth + 1).placed(span)
        }
        ExprKind::Call { function, args } => match (function.name, all(args)) {
            ("and", parts) => junction(true, parts, span),
            ("or", parts) => junction(false, parts, span),
            ("not", parts) if parts.first().is_some_and(|part| part.is_null()) => {
                Term::literal(Value::Null, ty, span)
            }
            (_, parts) => call(function, parts, ty, span),
        },
        ExprKind::And(args) => junction(true, all(args), span),
        ExprKind::Or(args) => junction(false, all(args), span),
        ExprKind::Now => Term::new(TermKind::Now, ty, span),
        ExprKind::IngestionTime => Term::new(TermKind::Ingestion, ty, span),
        ExprKind::Window { function, .. } => {
            Term::opaque(format!("the window function `{}`", function.name), ty, span)
        }
        ExprKind::ToScalar(_) => Term::opaque("`toscalar`", ty, span),
        ExprKind::List(rel) => list(query, rel, ty, span),
    }
}

/// A list that a subquery gives: of constants, or a watchlist's.
fn list(query: &Query, rel: &Rel, ty: Type, span: Span) -> Rc<Term> {
    let mut rel = query.resolve_rel(rel);
    for _ in 0..DEPTH {
        match &rel.kind {
            RelKind::Project { input, exprs, .. } | RelKind::Distinct { input, exprs } => {
                let passed = matches!(exprs.first().map(|expr| &expr.kind), Some(ExprKind::Column(_)));
                if !passed {
                    break;
                }
                if let RelKind::Rows(_) = query.resolve_rel(input).kind {
                    // Which column it is matters, and the first is what is taken.
                    if !matches!(exprs.first().map(|expr| &expr.kind), Some(ExprKind::Column(0))) {
                        break;
                    }
                }
                rel = query.resolve_rel(input);
            }
            RelKind::External { key } => {
                return match key.strip_prefix("watchlist:") {
                    Some(alias) => Term::new(TermKind::Watchlist(alias.to_owned()), ty, span),
                    None => Term::opaque("`externaldata`", ty, span),
                };
            }
            RelKind::Rows(rows) => {
                let values: Option<Vec<Value>> = rows
                    .iter()
                    .map(|row| match &carry(query, row.first()?, &[]).kind {
                        TermKind::Literal(value) => Some(value.clone()),
                        _ => None,
                    })
                    .collect();
                return match values {
                    Some(values) => Term::literal(Value::array(values), Type::Dynamic, span),
                    None => Term::opaque("a list that is computed", ty, span),
                };
            }
            _ => break,
        }
    }
    Term::opaque("a list that another table gives", ty, span)
}
