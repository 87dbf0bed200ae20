//! Which columns of a relation's inputs its own output needs, so that a table
//! is asked only for columns that somebody reads.

use rulec_ir::{Expr, ExprKind, Origin, Rel, RelKind};

/// Columns that are needed, by place; none means all.
pub(crate) type Demand = Option<Vec<usize>>;

/// What a relation needs of its input (`side` 0, or the n-th of several) when
/// `wanted` of its own columns are needed.
pub(crate) fn of_input(rel: &Rel, side: usize, wanted: &Demand) -> Demand {
    let all = || (0..rel.columns.len()).collect::<Vec<_>>();
    let out = wanted.clone().unwrap_or_else(all);
    let mut needed = Vec::new();
    match &rel.kind {
        // What an open relation passes on besides its columns is not known by place.
        _ if rel.open && wanted.is_none() => return None,
        RelKind::Filter { predicate, .. } => {
            wanted.as_ref()?;
            needed.extend(out);
            columns([predicate], &mut needed);
        }
        RelKind::Project { exprs, .. } => {
            // All expressions are computed, but only those asked for are looked at.
            columns(out.iter().filter_map(|place| exprs.get(*place)), &mut needed);
        }
        RelKind::Distinct { exprs, .. } => columns(exprs, &mut needed),
        RelKind::Summarize { keys, aggregates, .. } => {
            let args = aggregates.iter().flat_map(|call| &call.args);
            columns(keys.iter().chain(args), &mut needed);
        }
        RelKind::Count { .. } | RelKind::GetSchema { .. } => {}
        RelKind::Sort { keys, .. } | RelKind::Top { keys, .. } => {
            wanted.as_ref()?;
            needed.extend(out);
            columns(keys.iter().map(|key| &key.expr), &mut needed);
        }
        RelKind::Take { .. } => return wanted.clone(),
        RelKind::Join {
            left_keys,
            right_keys,
            output,
            ..
        } => {
            let keys = if side == 0 { left_keys } else { right_keys };
            columns(keys, &mut needed);
            needed.extend(out.iter().filter_map(|place| match output.get(*place)? {
                Origin::Left(index) if side == 0 => Some(*index),
                Origin::Right(index) if side == 1 => Some(*index),
                _ => None,
            }));
        }
        RelKind::Union { inputs, with_source } => {
            let input = inputs.get(side)?;
            needed.extend(out.iter().filter_map(|place| {
                input
                    .columns
                    .get(place.checked_sub(usize::from(*with_source))?)
                    .copied()
                    .flatten()
            }));
        }
        RelKind::MvExpand { items, passed, .. } => {
            columns(items.iter().map(|item| &item.expr), &mut needed);
            needed.extend(
                out.iter()
                    .filter_map(|place| passed.get(*place).copied().flatten()),
            );
        }
        RelKind::MvApply {
            items,
            passed,
            output,
            ..
        } => {
            columns(items.iter().map(|item| &item.expr), &mut needed);
            needed.extend(passed.iter().flatten());
            needed.extend(out.iter().filter_map(|place| match output.get(*place)? {
                Origin::Left(index) => Some(*index),
                Origin::Right(_) => None,
            }));
        }
        RelKind::Parse { expr, .. } => {
            wanted.as_ref()?;
            needed.extend(out);
            columns([expr], &mut needed);
        }
        RelKind::Invoke { args, .. } => {
            wanted.as_ref()?;
            needed.extend(out);
            columns(args, &mut needed);
        }
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::Rows(_)
        | RelKind::Range { .. }
        | RelKind::External { .. }
        | RelKind::Special { .. }
        | RelKind::Unsupported { .. } => return None,
    }
    needed.sort_unstable();
    needed.dedup();
    Some(needed)
}

/// Adds the columns that expressions read.
fn columns<'e>(exprs: impl IntoIterator<Item = &'e Expr>, found: &mut Vec<usize>) {
    for expr in exprs {
        match &expr.kind {
            ExprKind::Column(index) => found.push(*index),
            ExprKind::Call { args, .. } | ExprKind::Window { args, .. } => columns_of(args, found),
            ExprKind::And(operands) | ExprKind::Or(operands) => columns_of(operands, found),
            // Subqueries read other relations, never the row at hand.
            ExprKind::ToScalar(_)
            | ExprKind::List(_)
            | ExprKind::Literal(_)
            | ExprKind::Binding(_)
            | ExprKind::Now
            | ExprKind::IngestionTime => {}
        }
    }
}

/// [`columns`] for a slice, so that the recursion has one type.
fn columns_of(exprs: &[Expr], found: &mut Vec<usize>) {
    columns(exprs, found);
}
