//! Trees that are nested too deeply never exhaust the stack, not even the
//! two megabytes a test has.

use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_kql::ast;
use rulec_source::Span;

use super::bind;
use crate::Catalog;

fn catalog() -> Catalog {
    Catalog::new(Arc::new(
        Tables::new(&Pack::embedded(), Environment::None).unwrap(),
    ))
}

fn expr(kind: ast::ExprKind) -> ast::Expr {
    ast::Expr {
        kind,
        span: Span::default(),
    }
}

fn name(text: &str) -> ast::Name {
    ast::Name {
        text: text.to_owned(),
        span: Span::default(),
        bracketed: false,
    }
}

/// `T | where a in (inner)`.
fn filtered(inner: ast::Expr) -> ast::Expr {
    let list = expr(ast::ExprKind::InList(ast::InList {
        op: ast::InOp::In,
        op_span: Span::default(),
        lhs: Box::new(expr(ast::ExprKind::Name(name("a")))),
        list: vec![inner],
    }));
    expr(ast::ExprKind::Pipeline(ast::Pipeline {
        source: Some(Box::new(expr(ast::ExprKind::Name(name("T"))))),
        operators: vec![ast::Operator {
            kind: ast::OperatorKind::Where {
                predicate: Box::new(list),
            },
            keyword: name("where"),
            params: Vec::new(),
            span: Span::default(),
        }],
    }))
}

fn nested(depth: usize, wrap: fn(ast::Expr) -> ast::Expr) -> ast::Query {
    let mut tree = expr(ast::ExprKind::Name(name("a")));
    for _ in 0..depth {
        tree = wrap(tree);
    }
    ast::Query {
        directives: Vec::new(),
        statements: vec![ast::Statement::Expression(tree)],
        span: Span::default(),
    }
}

fn assert_too_large(query: ast::Query) {
    let lowered = bind(&query, &catalog()).finish(Vec::new());
    assert!(
        lowered
            .diagnostics
            .iter()
            .any(|d| d.code == crate::codes::TOO_LARGE)
    );
    crate::dump(&lowered.query);
    drop(lowered);
    // Dropping the tree itself is the parser's concern, which limits its depth.
    std::mem::forget(query);
}

#[test]
fn nested_subqueries() {
    assert_too_large(nested(5000, filtered));
}

#[test]
fn nested_parentheses() {
    assert_too_large(nested(20_000, |inner| {
        expr(ast::ExprKind::Parenthesised(Box::new(inner)))
    }));
}

#[test]
fn nested_calls() {
    assert_too_large(nested(5000, |inner| {
        let call = ast::Call {
            name: name("tostring"),
            params: Vec::new(),
            args: vec![ast::Arg {
                name: None,
                value: inner,
                span: Span::default(),
            }],
            span: Span::default(),
        };
        filtered(expr(ast::ExprKind::Call(call)))
    }));
}

#[test]
fn long_pipelines() {
    let mut query = nested(1, filtered);
    if let Some(ast::Statement::Expression(ast::Expr {
        kind: ast::ExprKind::Pipeline(pipeline),
        ..
    })) = query.statements.first_mut()
        && let Some(first) = pipeline.operators.first().cloned()
    {
        pipeline.operators = vec![first; 20_000];
    }
    assert_too_large(query);
}
