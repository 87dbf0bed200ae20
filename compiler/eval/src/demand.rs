//! Which columns of a relation's inputs its own output needs, so that a table
//! is asked only for columns that somebody reads.

use rulec_ir::walk::{self, Node};
use rulec_ir::{BindingKind, Expr, ExprKind, Origin, Query, Rel, RelKind};

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

/// What all who read a tabular binding need of it together, by its number.
pub(crate) fn of_bindings(query: &Query) -> Vec<Demand> {
    let mut asked = vec![Some(Vec::new()); query.bindings.len()];
    let mut todo = Vec::new();
    // Of subqueries all is needed.
    walk::query(query, &mut |node| match node {
        Node::Expr(expr) => {
            if let ExprKind::ToScalar(rel) | ExprKind::List(rel) = &expr.kind {
                todo.push((&**rel, None));
            }
        }
        Node::Rel(rel) => {
            if let RelKind::MvApply { subquery, .. } = &rel.kind {
                todo.push((subquery, None));
            }
        }
    });
    todo.extend(query.root.as_ref().map(|root| (root, None)));
    ask(todo, &mut asked);
    // Bindings read earlier ones only.
    for (id, binding) in query.bindings.iter().enumerate().rev() {
        if let BindingKind::Table { rel, .. } = &binding.kind {
            let wanted = asked[id].clone();
            ask(vec![(rel, wanted)], &mut asked);
        }
    }
    asked
}

/// Follows what is needed of relations to the bindings that they read.
fn ask(mut todo: Vec<(&Rel, Demand)>, asked: &mut [Demand]) {
    while let Some((mut rel, mut wanted)) = todo.pop() {
        while let Some(input) = walk::input(rel) {
            if let RelKind::Special { inputs, .. } = &rel.kind {
                todo.extend(inputs.iter().skip(1).map(|input| (input, None)));
            }
            wanted = of_input(rel, 0, &wanted);
            rel = input;
        }
        match &rel.kind {
            RelKind::Ref(id) => {
                let known = asked.get_mut(id.0);
                if let Some(known) = known {
                    *known = match (known.take(), wanted) {
                        (Some(mut known), Some(wanted)) => {
                            known.extend(wanted);
                            known.sort_unstable();
                            known.dedup();
                            Some(known)
                        }
                        _ => None,
                    };
                }
            }
            RelKind::Join { left, right, .. } => {
                todo.push((left, of_input(rel, 0, &wanted)));
                todo.push((right, of_input(rel, 1, &wanted)));
            }
            RelKind::Union { inputs, .. } => {
                for (side, input) in inputs.iter().enumerate() {
                    todo.push((&input.rel, of_input(rel, side, &wanted)));
                }
            }
            _ => walk::inputs(rel, &mut |input| todo.push((input, None))),
        }
    }
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
