//! Relations of a query in the order of its text.

use rulec_ir::{
    BindingKind, Expr, Query, Rel, RelKind,
    walk::{self, Node},
};

/// Every relation of a query, in the order their operators are written.
pub(crate) fn relations(query: &Query) -> Vec<&Rel> {
    let mut found = Vec::new();
    walk::query(query, &mut |node| {
        if let Node::Rel(rel) = node {
            found.push(rel);
        }
    });
    found.sort_by_key(|rel| (rel.span.start, rel.span.end));
    found
}

/// An expression and its subexpressions, without those of subqueries.
pub(crate) fn subexpressions(expr: &Expr) -> Vec<&Expr> {
    let mut found = vec![expr];
    let mut at = 0;
    while let Some(next) = found.get(at).copied() {
        walk::parts(next, &mut |node| {
            if let Node::Expr(part) = node {
                found.push(part);
            }
        });
        at += 1;
    }
    found
}

/// The table that the first input of a relation, followed down, reads.
pub(crate) fn source_table<'a>(query: &'a Query, rel: &'a Rel) -> Option<&'a str> {
    let mut at = rel;
    loop {
        match &at.kind {
            RelKind::Table { name } => return Some(name),
            RelKind::Ref(id) => match &query.bindings.get(id.0)?.kind {
                BindingKind::Table { rel, .. } => at = rel,
                _ => return None,
            },
            _ => {
                let mut first = None;
                walk::inputs(at, &mut |input| {
                    first.get_or_insert(input);
                });
                at = first?;
            }
        }
    }
}
