//! Where a column gets its values.

use rulec_ir::{AggregateCall, BindingKind, Expr, ExprKind, Origin, Query, Rel, RelKind};

/// What gives a column its values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made<'q> {
    /// The table, or the text or list it was taken from.
    Given,
    /// An expression over the rows of a relation.
    Expr(&'q Expr, &'q Rel),
    /// An aggregate.
    Aggregate(&'q AggregateCall),
    /// An operator that computes: `count`, `invoke`, `make-series`, a plugin.
    Operator(&'q Rel),
}

/// Longer than any pipeline a person writes.
const LONG: usize = 4_096;

/// What gives column `index` of `rel` its values; renamed columns are followed.
pub(crate) fn made<'q>(query: &'q Query, rel: &'q Rel, index: usize) -> Made<'q> {
    let (mut rel, mut index) = (rel, index);
    for _ in 0..LONG {
        (rel, index) = match &rel.kind {
            RelKind::Table { .. }
            | RelKind::External { .. }
            | RelKind::Input
            | RelKind::Rows(_)
            | RelKind::Range { .. }
            | RelKind::GetSchema { .. }
            | RelKind::Unsupported { .. } => return Made::Given,
            RelKind::Ref(id) => match query.binding(*id).map(|b| &b.kind) {
                Some(BindingKind::Table { rel, .. }) => (rel, index),
                _ => return Made::Given,
            },
            RelKind::Filter { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Top { input, .. } => (&**input, index),
            RelKind::Project { input, exprs, .. } | RelKind::Distinct { input, exprs } => {
                match exprs.get(index) {
                    Some(expr) => match expr.kind {
                        ExprKind::Column(at) => (&**input, at),
                        _ => return Made::Expr(expr, input),
                    },
                    None => return Made::Given,
                }
            }
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => match keys.get(index) {
                Some(key) => match key.kind {
                    ExprKind::Column(at) => (&**input, at),
                    _ => return Made::Expr(key, input),
                },
                None => match aggregate(aggregates, index - keys.len()) {
                    Some((call, place)) => match (call.function, call.args.get(place).map(|a| &a.kind)) {
                        // They pass on a value of some row.
                        ("arg_min" | "arg_max" | "take_any" | "any", Some(ExprKind::Column(at))) => {
                            (&**input, *at)
                        }
                        _ => return Made::Aggregate(call),
                    },
                    None => return Made::Given,
                },
            },
            RelKind::Count { .. } => return Made::Operator(rel),
            RelKind::Join {
                left, right, output, ..
            } => match output.get(index) {
                Some(Origin::Left(at)) => (&**left, *at),
                Some(Origin::Right(at)) => (&**right, *at),
                None => return Made::Given,
            },
            RelKind::Union { inputs, with_source } => {
                let Some(place) = index.checked_sub(usize::from(*with_source)) else {
                    return Made::Given;
                };
                match inputs
                    .iter()
                    .find_map(|i| Some((&i.rel, (*i.columns.get(place)?)?)))
                {
                    Some(next) => next,
                    None => return Made::Given,
                }
            }
            RelKind::MvExpand {
                input, passed, items, ..
            } => match passed.get(index).copied().flatten() {
                Some(at) => (&**input, at),
                // An element of a column is made by what makes the column.
                None => match items
                    .iter()
                    .find(|item| item.output == index)
                    .map(|i| &i.expr.kind)
                {
                    Some(ExprKind::Column(at)) => (&**input, *at),
                    _ => return Made::Given,
                },
            },
            RelKind::MvApply {
                input,
                subquery,
                output,
                ..
            } => match output.get(index) {
                Some(Origin::Left(at)) => (&**input, *at),
                Some(Origin::Right(at)) => (&**subquery, *at),
                None => return Made::Given,
            },
            RelKind::Parse { input, .. } | RelKind::Invoke { input, .. } => {
                let passed = match (rel.columns.get(index), input.columns.get(index)) {
                    (Some(after), Some(before)) => after.name == before.name,
                    _ => false,
                };
                if !passed {
                    return match rel.kind {
                        RelKind::Parse { .. } => Made::Given,
                        _ => Made::Operator(rel),
                    };
                }
                (&**input, index)
            }
            RelKind::Special { inputs, .. } => {
                let name = rel.columns.get(index).map(|c| &c.name);
                let found = inputs.iter().find_map(|input| {
                    let at = input.columns.iter().position(|c| Some(&c.name) == name)?;
                    Some((input, at))
                });
                match found {
                    Some(next) => next,
                    None => return Made::Operator(rel),
                }
            }
        };
    }
    Made::Given
}

/// The aggregate that fills an output column, and which of its columns that is.
fn aggregate(calls: &[AggregateCall], index: usize) -> Option<(&AggregateCall, usize)> {
    let mut at = index;
    for call in calls {
        if at < call.outputs {
            return Some((call, at));
        }
        at -= call.outputs;
    }
    None
}
