//! What of a query cannot be emitted: the same that cannot be interpreted,
//! unions of more tables than fit into a file, and `partition by key { … }`.
//!
//! In: a bound query. Out: places, and how the author knows each construct.
//! Bindings that the result does not need are not looked at.

use std::collections::BTreeSet;

use rulec_functions::{ScalarFunction, aggregate};
use rulec_ir::walk::{self, Node};
use rulec_ir::{AggregateCall, BindingId, BindingKind, ExprKind, Operator, Query, Rel, RelKind};
use rulec_source::Span;

use super::plugins::is_plugin;

/// Tables of a union that emitted Rust takes. It names every column of each
/// table, so that `search` and `union *` over a whole catalog would be a hundred
/// thousand lines, more than a compiler takes in; the interpreter runs them.
const MANY: usize = 64;

/// Window functions that the runtime has.
const WINDOWS: [&str; 8] = [
    "prev",
    "next",
    "row_number",
    "row_cumsum",
    "row_rank",
    "row_rank_dense",
    "row_rank_min",
    "row_window_session",
];

/// The path of a function's kernel: `compare::eq`, or a function of the
/// runtime for those that depend on who runs a query.
pub(super) fn path(function: &ScalarFunction) -> Option<&'static str> {
    if function.kernel.is_some() && !function.path.is_empty() {
        return Some(function.path);
    }
    Some(match function.name {
        "current_principal" | "current_cluster_endpoint" | "current_database" => "session::nobody",
        "current_principal_details" => "session::no_details",
        "current_principal_is_member_of" => "session::no_member",
        "new_guid" => "session::new_guid",
        "rand" => "session::rand",
        _ => return None,
    })
}

/// Whether a function gives the same value each time.
pub(super) fn is_pure(function: &ScalarFunction) -> bool {
    !matches!(function.name, "rand" | "new_guid")
}

/// Whether a relation reads the rows that an enclosing operator hands in, which
/// are not there yet when values are computed.
fn reads_input(rel: &Rel) -> bool {
    let mut todo = vec![rel];
    while let Some(rel) = todo.pop() {
        match &rel.kind {
            RelKind::Input => return true,
            // Their subqueries have rows of their own.
            RelKind::MvApply { input, .. } => todo.push(input),
            RelKind::Special { inputs, operator }
                if matches!(**operator, Operator::Fork | Operator::Partition { .. }) =>
            {
                todo.extend(inputs.first());
            }
            _ => walk::inputs(rel, &mut |input| todo.push(input)),
        }
    }
    false
}

/// Aggregates that nothing computes.
fn aggregates(calls: &[&AggregateCall], found: &mut Vec<(Span, String)>) {
    for call in calls {
        if aggregate(call.function).is_none_or(|row| row.new.is_none() || row.path.is_empty()) {
            found.push((call.span, format!("the aggregate `{}`", call.function)));
        }
    }
}

/// The constructs that cannot be emitted: "the function `x`".
pub(super) fn unsupported(query: &Query) -> Vec<(Span, String)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut todo: Vec<Node<'_>> = query.root.iter().map(Node::Rel).collect();
    while let Some(start) = todo.pop() {
        let mut bindings: Vec<BindingId> = Vec::new();
        let mut visit = |node: Node<'_>| match node {
            Node::Rel(rel) => match &rel.kind {
                RelKind::Unsupported { construct, .. } => found.push((rel.span, construct.clone())),
                RelKind::Union { inputs, .. } if inputs.len() > MANY => {
                    found.push((rel.span, format!("a union of {} tables", inputs.len())));
                }
                // Every binding that its query reads may depend on the key.
                RelKind::Special { operator, .. } if matches!(**operator, Operator::PartitionEach { .. }) => {
                    found.push((rel.span, "`partition` with a query of its own".to_owned()));
                }
                RelKind::Special { inputs, operator } => {
                    if matches!(**operator, Operator::WideUnion { .. }) && inputs.len() > MANY {
                        found.push((rel.span, operator.construct()));
                    }
                    if let Operator::Plugin { name, .. } = &**operator
                        && !is_plugin(name)
                    {
                        found.push((rel.span, operator.construct()));
                    }
                    aggregates(&operator.aggregates(), &mut found);
                }
                RelKind::Invoke { function, .. } if function != "FileProfile" => {
                    found.push((rel.span, format!("the function `{function}`")));
                }
                RelKind::Ref(id) => bindings.push(*id),
                RelKind::Summarize {
                    aggregates: calls, ..
                } => {
                    aggregates(&calls.iter().collect::<Vec<_>>(), &mut found);
                }
                _ => {}
            },
            Node::Expr(expr) => match &expr.kind {
                ExprKind::Call { function, .. } if path(function).is_none() => {
                    found.push((expr.span, format!("the function `{}`", function.name)));
                }
                ExprKind::Window { function, .. } if !WINDOWS.contains(&function.name) => {
                    found.push((expr.span, format!("the function `{}`", function.name)));
                }
                ExprKind::Binding(id) => bindings.push(*id),
                ExprKind::ToScalar(rel) | ExprKind::List(rel) if reads_input(rel) => {
                    let construct = "a value computed from all rows of a subquery".to_owned();
                    found.push((expr.span, construct));
                }
                _ => {}
            },
        };
        match start {
            Node::Rel(rel) => walk::rel(rel, &mut visit),
            Node::Expr(expr) => walk::expr(expr, &mut visit),
        }
        for id in bindings {
            if seen.insert(id) {
                match query.binding(id).map(|binding| &binding.kind) {
                    Some(BindingKind::Scalar(expr)) => todo.push(Node::Expr(expr)),
                    Some(BindingKind::Table { rel, .. }) => todo.push(Node::Rel(rel)),
                    Some(BindingKind::Function) | None => {}
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
