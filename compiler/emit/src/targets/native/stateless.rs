//! Whether a rule looks at one event at a time.
//!
//! In: a bound query. Out: whether each row of its result comes from one event
//! alone, so that the result over some events and the result over others are,
//! together, the result over all. Tables that are given once (watchlists,
//! external data, `FileProfile`, constants) may be joined and looked up.

use rulec_ir::walk::{self, Node};
use rulec_ir::{BindingKind, Expr, ExprKind, JoinKind, Operator, ProjectKind, Query, Rel, RelKind};

/// Whether each row of a relation comes from one event alone.
pub(super) fn is_stateless(query: &Query, root: &Rel) -> bool {
    let mut todo = vec![root];
    while let Some(rel) = todo.pop() {
        let mut own = Vec::new();
        walk::expressions(rel, &mut |expr| own.push(expr));
        if own.iter().any(|expr| !reads_one_row(query, expr)) {
            return false;
        }
        match &rel.kind {
            // Rows that come with every run would come again with every event.
            RelKind::Table { .. } => {}
            RelKind::Ref(id) => match query.binding(*id).map(|binding| &binding.kind) {
                Some(BindingKind::Table { rel, .. }) => todo.push(rel),
                _ => return false,
            },
            RelKind::Filter { input, .. }
            | RelKind::MvExpand { input, .. }
            | RelKind::Parse { input, .. }
            | RelKind::Invoke { input, .. } => todo.push(input),
            RelKind::Project { input, kind, .. } if *kind != ProjectKind::Serialize => todo.push(input),
            RelKind::MvApply { input, subquery, .. } if !reads_events(query, subquery) => todo.push(input),
            RelKind::Join {
                left, right, kind, ..
            } if matches!(
                kind,
                JoinKind::Inner | JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti
            ) && !reads_events(query, right) =>
            {
                todo.push(left);
            }
            RelKind::Union { inputs, .. } => todo.extend(inputs.iter().map(|input| &input.rel)),
            RelKind::Special { inputs, operator } => match (&**operator, &inputs[..]) {
                (Operator::ParseKv { .. }, [input]) => todo.push(input),
                (Operator::AddressLookup { .. }, [input, table]) if !reads_events(query, table) => {
                    todo.push(input);
                }
                (Operator::WideUnion { .. }, inputs) => todo.extend(inputs),
                _ => return false,
            },
            _ => return false,
        }
    }
    true
}

/// Whether an expression reads its row and what is given once.
fn reads_one_row(query: &Query, expr: &Expr) -> bool {
    let mut one = true;
    walk::expr(expr, &mut |node| {
        one &= match node {
            Node::Rel(rel) => !is_of_events(query, rel),
            Node::Expr(expr) => match &expr.kind {
                ExprKind::Window { .. } => false,
                ExprKind::Binding(id) => match query.binding(*id).map(|binding| &binding.kind) {
                    Some(BindingKind::Scalar(value)) => reads_one_row(query, value),
                    _ => false,
                },
                _ => true,
            },
        };
    });
    one
}

/// Whether events are read anywhere in a relation.
fn reads_events(query: &Query, rel: &Rel) -> bool {
    let mut found = false;
    walk::rel(rel, &mut |node| {
        found |= match node {
            Node::Rel(rel) => is_of_events(query, rel),
            Node::Expr(expr) => matches!(expr.kind, ExprKind::Binding(_)) && !reads_one_row(query, expr),
        };
    });
    found
}

/// Whether a relation itself gives events.
fn is_of_events(query: &Query, rel: &Rel) -> bool {
    match &rel.kind {
        RelKind::Table { .. } => true,
        RelKind::Ref(id) => match query.binding(*id).map(|binding| &binding.kind) {
            Some(BindingKind::Table { rel, .. }) => reads_events(query, rel),
            _ => true,
        },
        _ => false,
    }
}
