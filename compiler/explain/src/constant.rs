//! Values of expressions that depend on no row.

use rulec_functions::{Value, scalar};
use rulec_ir::{BindingKind, Expr, ExprKind, Query};

/// Deeper than any expression a person writes.
const DEPTH: usize = 64;

/// The value of an expression, if it is the same for every row and at any
/// time. `now()` is not.
pub fn constant(query: &Query, expr: &Expr) -> Option<Value> {
    fold(query, expr, 0)
}

fn fold(query: &Query, expr: &Expr, depth: usize) -> Option<Value> {
    if depth > DEPTH {
        return None;
    }
    match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::Binding(id) => match &query.bindings.get(id.0)?.kind {
            BindingKind::Scalar(value) => fold(query, value, depth + 1),
            _ => None,
        },
        ExprKind::Call { function, args } => {
            let args: Vec<Value> = args
                .iter()
                .map(|a| fold(query, a, depth + 1))
                .collect::<Option<_>>()?;
            function.kernel.map(|kernel| kernel(&args))
        }
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            let name = if matches!(expr.kind, ExprKind::And(_)) {
                "and"
            } else {
                "or"
            };
            let kernel = scalar(name)?.kernel?;
            let mut values = parts.iter().map(|p| fold(query, p, depth + 1));
            let first = values.next()??;
            values.try_fold(first, |all, next| Some(kernel(&[all, next?])))
        }
        _ => None,
    }
}

/// The constant `x` of `now() - x`, in ticks, when the expression is that.
pub(crate) fn ago(query: &Query, expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Call { function, args } if function.name == "-" => match args.as_slice() {
            [now, by] if matches!(now.kind, ExprKind::Now) => match constant(query, by)? {
                Value::TimeSpan(ticks) => Some(ticks),
                _ => None,
            },
            _ => None,
        },
        ExprKind::Binding(id) => match &query.bindings.get(id.0)?.kind {
            BindingKind::Scalar(value) => ago(query, value),
            _ => None,
        },
        _ => None,
    }
}
