//! Whether two columns of a result come from one event or from different ones.
//!
//! In: a bound query and two names. Out: true only when both are known to come
//! unchanged from rows of tables, and no row can have given both. Deliberately
//! absent: columns that are worked out; nothing is known of those.

use rulec_ir::{AggregateCall, BindingKind, Expr, ExprKind, Origin, Query, Rel, RelKind};

/// What chose the row that a value comes from, from the table up: an operator
/// (by its place in memory), and which of its choices; none when any will do,
/// as all rows of a group have the same key.
type Path = Vec<Choice>;
type Choice = (usize, Option<usize>);

const DEPTH: usize = 300;
/// A value can come from so many places; a query with more is not followed.
const PATHS: usize = 32;

/// Whether the two columns cannot be of one event.
pub(crate) fn apart(query: &Query, one: &str, other: &str) -> bool {
    let Some(root) = &query.root else { return false };
    let of = |name: &str| {
        let at = root.columns.iter().position(|c| &*c.name == name);
        at.map_or_else(Vec::new, |at| paths(query, root, at, DEPTH))
    };
    let (one, other) = (of(one), of(other));
    let known = !one.is_empty() && !other.is_empty();
    known && !one.iter().any(|a| other.iter().any(|b| meet(a, b)))
}

fn meet(a: &Path, b: &Path) -> bool {
    let same = |((x, i), (y, j)): (&Choice, &Choice)| x == y && (i.is_none() || j.is_none() || i == j);
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// The paths of a column; none when it is worked out.
fn paths(query: &Query, rel: &Rel, index: usize, depth: usize) -> Vec<Path> {
    let Some(depth) = depth.checked_sub(1) else {
        return Vec::new();
    };
    let here = std::ptr::from_ref(rel) as usize;
    let column = |input: &Rel, expr: Option<&Expr>| match expr.map(|e| &e.kind) {
        Some(ExprKind::Column(at)) => paths(query, input, *at, depth),
        _ => Vec::new(),
    };
    let by = |mut found: Vec<Path>, choice: Option<usize>| {
        for path in &mut found {
            path.push((here, choice));
        }
        found.truncate(PATHS);
        found
    };
    match &rel.kind {
        RelKind::Table { .. } => vec![vec![(here, Some(0))]],
        RelKind::Ref(id) => match query.binding(*id).map(|b| &b.kind) {
            Some(BindingKind::Table { rel, .. }) => by(paths(query, rel, index, depth), Some(0)),
            _ => Vec::new(),
        },
        RelKind::Filter { input, .. }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Top { input, .. } => paths(query, input, index, depth),
        RelKind::Project { input, exprs, .. } => column(input, exprs.get(index)),
        RelKind::Distinct { input, exprs } => by(column(input, exprs.get(index)), None),
        RelKind::Summarize {
            input,
            keys,
            aggregates,
        } => match keys.get(index) {
            Some(key) => by(column(input, Some(key)), None),
            None => match chosen(aggregates, index - keys.len()) {
                Some((arg, choice)) => by(column(input, Some(arg)), Some(choice)),
                None => Vec::new(),
            },
        },
        RelKind::Join {
            left,
            right,
            left_keys,
            right_keys,
            output,
            ..
        } => {
            let (side, at) = match output.get(index) {
                Some(Origin::Left(at)) => (0, *at),
                Some(Origin::Right(at)) => (1, *at),
                None => return Vec::new(),
            };
            let of = |side: usize, at: usize| {
                let rel = if side == 0 { left } else { right };
                by(paths(query, rel, at, depth), Some(side))
            };
            let mut found = of(side, at);
            // What both sides are joined by is the same on both.
            let (own, others) = if side == 0 {
                (left_keys, right_keys)
            } else {
                (right_keys, left_keys)
            };
            for (key, other) in own.iter().zip(others) {
                if let (ExprKind::Column(key), ExprKind::Column(other)) = (&key.kind, &other.kind)
                    && *key == at
                {
                    found.extend(of(1 - side, *other));
                }
            }
            found
        }
        RelKind::Union { inputs, with_source } => {
            let Some(column) = index.checked_sub(usize::from(*with_source)) else {
                return Vec::new();
            };
            let mut found = Vec::new();
            for (number, input) in inputs.iter().enumerate() {
                if let Some(Some(at)) = input.columns.get(column) {
                    found.extend(by(paths(query, &input.rel, *at, depth), Some(number)));
                }
            }
            found.truncate(PATHS);
            found
        }
        RelKind::MvExpand { input, passed, .. } => match passed.get(index) {
            Some(Some(at)) => paths(query, input, *at, depth),
            _ => Vec::new(),
        },
        RelKind::MvApply { input, output, .. } => match output.get(index) {
            Some(Origin::Left(at)) => paths(query, input, *at, depth),
            _ => Vec::new(),
        },
        RelKind::Parse { input, .. } | RelKind::Invoke { input, .. } if index < input.columns.len() => {
            paths(query, input, index, depth)
        }
        _ => Vec::new(),
    }
}

/// The expression that an aggregate passes on in its output number `index`,
/// and which row of the group it is of.
fn chosen(aggregates: &[AggregateCall], mut index: usize) -> Option<(&Expr, usize)> {
    for (number, call) in aggregates.iter().enumerate() {
        if index >= call.outputs {
            index -= call.outputs;
            continue;
        }
        let arg = call.args.get(index)?;
        return match call.function {
            "arg_max" | "arg_min" | "take_any" | "any" => Some((arg, number)),
            // The row that `arg_max` finds has the value that `max` finds.
            "max" | "min" => {
                let picks = format!("arg_{}", call.function);
                let same = aggregates.iter().position(|other| {
                    let decides = other.args.first().map(|a| &a.kind);
                    other.function == picks
                        && matches!((decides, &arg.kind), (Some(ExprKind::Column(a)), ExprKind::Column(b)) if a == b)
                });
                Some((arg, same.unwrap_or(number)))
            }
            _ => None,
        };
    }
    None
}
