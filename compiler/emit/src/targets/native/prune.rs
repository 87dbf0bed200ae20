//! A relation without the columns that nobody reads.
//!
//! In: a relation, and which of its columns are wanted. Out: the same relation
//! over fewer columns, with every expression's places counted anew. A table
//! then lists only what the rule needs. Rows, their order and the wanted
//! columns stay as they are. What is handed from elsewhere (a binding, the
//! input of a subquery) keeps all its columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use rulec_ir::{AggregateCall, Column, Expr, ExprKind, MvItem, Origin, ParseStep, ProjectKind, Rel, RelKind, SortKey, UnionInput};

/// Columns by place; none means all, also those of open tables that have no place.
type Wanted = Option<BTreeSet<usize>>;

/// For each column of a relation before, its place after.
type Places = Vec<Option<usize>>;

/// A relation with all its columns, its inputs pruned.
pub(super) fn whole(rel: &Rel) -> Rel {
    prune(rel, &None).0
}

/// A relation of which only the first column is read.
pub(super) fn first_column(rel: &Rel) -> Rel {
    prune(rel, &Some(BTreeSet::from([0]))).0
}

/// An expression that stands alone, with its subqueries pruned.
pub(super) fn expression(expr: &Expr) -> Expr {
    moved(expr, &[])
}

fn identity(rel: &Rel) -> Places {
    (0..rel.columns.len()).map(Some).collect()
}

fn wants(wanted: &Wanted, place: usize) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.contains(&place))
}

fn read<'e>(exprs: impl IntoIterator<Item = &'e Expr>, found: &mut BTreeSet<usize>) {
    let mut todo: Vec<&Expr> = exprs.into_iter().collect();
    while let Some(expr) = todo.pop() {
        match &expr.kind {
            ExprKind::Column(place) => {
                found.insert(*place);
            }
            ExprKind::Call { args, .. }
            | ExprKind::Window { args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args) => todo.extend(args),
            ExprKind::ToScalar(_)
            | ExprKind::List(_)
            | ExprKind::Literal(_)
            | ExprKind::Binding(_)
            | ExprKind::Now
            | ExprKind::IngestionTime => {}
        }
    }
}

/// What is wanted of the input when it is passed on: what is wanted of the
/// output, and what expressions read.
fn and_read<'e>(wanted: &Wanted, exprs: impl IntoIterator<Item = &'e Expr>) -> Wanted {
    let mut needed = wanted.clone()?;
    read(exprs, &mut needed);
    Some(needed)
}

fn only_read<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Wanted {
    let mut needed = BTreeSet::new();
    read(exprs, &mut needed);
    Some(needed)
}

fn moved(expr: &Expr, places: &[Option<usize>]) -> Expr {
    let all = |exprs: &[Expr]| exprs.iter().map(|expr| moved(expr, places)).collect();
    let kind = match &expr.kind {
        ExprKind::Column(place) => {
            ExprKind::Column(places.get(*place).copied().flatten().unwrap_or(*place))
        }
        ExprKind::Call { function, args } => ExprKind::Call {
            function,
            args: all(args),
        },
        ExprKind::Window { function, args } => ExprKind::Window {
            function,
            args: all(args),
        },
        ExprKind::And(operands) => ExprKind::And(all(operands)),
        ExprKind::Or(operands) => ExprKind::Or(all(operands)),
        ExprKind::ToScalar(rel) => ExprKind::ToScalar(Box::new(first_column(rel))),
        ExprKind::List(rel) => ExprKind::List(Box::new(first_column(rel))),
        ExprKind::Literal(_) | ExprKind::Binding(_) | ExprKind::Now | ExprKind::IngestionTime => {
            expr.kind.clone()
        }
    };
    Expr { kind, ..expr.clone() }
}

fn all_moved(exprs: &[Expr], places: &[Option<usize>]) -> Vec<Expr> {
    exprs.iter().map(|expr| moved(expr, places)).collect()
}

fn keys_moved(keys: &[SortKey], places: &[Option<usize>]) -> Vec<SortKey> {
    keys.iter()
        .map(|key| SortKey {
            expr: moved(&key.expr, places),
            ..key.clone()
        })
        .collect()
}

fn limit_moved(limit: Option<&Expr>) -> Option<Expr> {
    limit.map(expression)
}

/// The columns whose places are kept, and where each goes.
fn kept(columns: &[Column], keep: impl Fn(usize) -> bool) -> (Arc<[Column]>, Places) {
    let mut places = Vec::with_capacity(columns.len());
    let mut left = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        places.push(keep(place).then_some(left.len()));
        if keep(place) {
            left.push(column.clone());
        }
    }
    (left.into(), places)
}

fn at<T: Clone>(items: &[T], places: &Places) -> Vec<T> {
    let chosen = items.iter().zip(places).filter(|(_, place)| place.is_some());
    chosen.map(|(item, _)| item.clone()).collect()
}

fn passed(passed: &[Option<usize>], places: &[Option<usize>]) -> Vec<Option<usize>> {
    passed
        .iter()
        .map(|place| place.and_then(|place| places.get(place).copied().flatten()))
        .collect()
}

fn prune(rel: &Rel, wanted: &Wanted) -> (Rel, Places) {
    let open = rel.open && wanted.is_none();
    let made = |kind: RelKind, columns: Arc<[Column]>, places: Places| {
        let rel = Rel {
            kind,
            columns,
            open,
            span: rel.span,
        };
        (rel, places)
    };
    // An open relation that is wanted whole passes on what has no place.
    let whole_input = rel.open && wanted.is_none();
    let input_wanted = |needed: Wanted| if whole_input { None } else { needed };
    match &rel.kind {
        RelKind::Table { .. } | RelKind::External { .. } => {
            // A table without columns would have no rows.
            let none = wanted.as_ref().is_some_and(BTreeSet::is_empty);
            let (columns, places) =
                kept(&rel.columns, |place| wants(wanted, place) || (none && place == 0));
            made(rel.kind.clone(), columns, places)
        }
        RelKind::Ref(_) | RelKind::Input | RelKind::Unsupported { .. } => {
            (rel.clone(), identity(rel))
        }
        RelKind::Rows(rows) => {
            let rows = rows.iter().map(|row| all_moved(row, &[])).collect();
            made(RelKind::Rows(rows), rel.columns.clone(), identity(rel))
        }
        RelKind::Range { from, to, step } => {
            let kind = RelKind::Range {
                from: expression(from),
                to: expression(to),
                step: expression(step),
            };
            made(kind, rel.columns.clone(), identity(rel))
        }
        RelKind::Filter { input, predicate } => {
            let (input, places) = prune(input, &input_wanted(and_read(wanted, [predicate])));
            let kind = RelKind::Filter {
                predicate: moved(predicate, &places),
                input: Box::new(input),
            };
            passing(rel, kind, &places, open)
        }
        RelKind::Project { input, kind, exprs } => {
            let wanted_exprs = exprs.iter().enumerate().filter(|(place, _)| wants(wanted, *place));
            let needed = only_read(wanted_exprs.map(|(_, expr)| expr));
            let (input, places) = prune(input, &input_wanted(needed));
            // What `extend` leaves in its place stays there if the input has it.
            let stays = |place: usize| {
                *kind == ProjectKind::Extend
                    && places.get(place).copied().flatten().is_some()
                    && exprs.get(place).is_some_and(|expr| matches!(expr.kind, ExprKind::Column(from) if from == place))
            };
            let (columns, own) = kept(&rel.columns, |place| wants(wanted, place) || stays(place));
            let exprs = at(exprs, &own);
            let kind = RelKind::Project {
                input: Box::new(input),
                kind: *kind,
                exprs: all_moved(&exprs, &places),
            };
            made(kind, columns, own)
        }
        RelKind::Summarize {
            input,
            keys,
            aggregates,
        } => {
            let args = aggregates.iter().flat_map(|call| &call.args);
            let (input, places) = prune(input, &input_wanted(only_read(keys.iter().chain(args))));
            let aggregates = aggregates.iter().map(|call| AggregateCall {
                args: all_moved(&call.args, &places),
                ..call.clone()
            });
            let kind = RelKind::Summarize {
                input: Box::new(input),
                keys: all_moved(keys, &places),
                aggregates: aggregates.collect(),
            };
            made(kind, rel.columns.clone(), identity(rel))
        }
        RelKind::Distinct { input, exprs } => {
            let (input, places) = prune(input, &input_wanted(only_read(exprs)));
            let kind = RelKind::Distinct {
                input: Box::new(input),
                exprs: all_moved(exprs, &places),
            };
            made(kind, rel.columns.clone(), identity(rel))
        }
        RelKind::Count { input } => {
            let input = Box::new(prune(input, &Some(BTreeSet::new())).0);
            made(RelKind::Count { input }, rel.columns.clone(), identity(rel))
        }
        RelKind::GetSchema { input } => {
            let input = Box::new(whole(input));
            made(RelKind::GetSchema { input }, rel.columns.clone(), identity(rel))
        }
        RelKind::Sort { input, keys } => {
            let read = keys.iter().map(|key| &key.expr);
            let (input, places) = prune(input, &input_wanted(and_read(wanted, read)));
            let kind = RelKind::Sort {
                input: Box::new(input),
                keys: keys_moved(keys, &places),
            };
            passing(rel, kind, &places, open)
        }
        RelKind::Top { input, count, keys } => {
            let read = keys.iter().map(|key| &key.expr);
            let (input, places) = prune(input, &input_wanted(and_read(wanted, read)));
            let kind = RelKind::Top {
                input: Box::new(input),
                count: expression(count),
                keys: keys_moved(keys, &places),
            };
            passing(rel, kind, &places, open)
        }
        RelKind::Take { input, count } => {
            let (input, places) = prune(input, wanted);
            let kind = RelKind::Take {
                input: Box::new(input),
                count: expression(count),
            };
            passing(rel, kind, &places, open)
        }
        RelKind::Join {
            left,
            right,
            kind,
            lookup,
            left_keys,
            right_keys,
            output,
        } => {
            let (columns, own) = kept(&rel.columns, |place| wants(wanted, place));
            let output = at(output, &own);
            let mut needed = [BTreeSet::new(), BTreeSet::new()];
            read(left_keys, &mut needed[0]);
            read(right_keys, &mut needed[1]);
            for origin in &output {
                match origin {
                    Origin::Left(place) => needed[0].insert(*place),
                    Origin::Right(place) => needed[1].insert(*place),
                };
            }
            let [left_needed, right_needed] = needed;
            let (left, left_places) = prune(left, &input_wanted(Some(left_needed)));
            let (right, right_places) = prune(right, &input_wanted(Some(right_needed)));
            let kind = RelKind::Join {
                left: Box::new(left),
                right: Box::new(right),
                kind: *kind,
                lookup: *lookup,
                left_keys: all_moved(left_keys, &left_places),
                right_keys: all_moved(right_keys, &right_places),
                output: origins(&output, &left_places, &right_places),
            };
            made(kind, columns, own)
        }
        RelKind::Union { inputs, with_source } => {
            let source = usize::from(*with_source);
            let (columns, own) = kept(&rel.columns, |place| place < source || wants(wanted, place));
            let below = own.iter().skip(source).copied().collect::<Places>();
            let inputs = inputs.iter().map(|input| {
                let filled = at(&input.columns, &below);
                let needed = filled.iter().flatten().copied().collect();
                let (rel, places) = prune(&input.rel, &input_wanted(Some(needed)));
                UnionInput {
                    rel,
                    label: input.label.clone(),
                    columns: passed(&filled, &places),
                }
            });
            let kind = RelKind::Union {
                inputs: inputs.collect(),
                with_source: *with_source,
            };
            made(kind, columns, own)
        }
        RelKind::MvExpand {
            input,
            items,
            with_index,
            bags_as_arrays,
            limit,
            passed: repeated,
        } => {
            let is_own = |place: usize| repeated.get(place).copied().flatten().is_none();
            let (columns, own) = kept(&rel.columns, |place| is_own(place) || wants(wanted, place));
            let repeated = at(repeated, &own);
            let mut needed = repeated.iter().flatten().copied().collect();
            read(items.iter().map(|item| &item.expr), &mut needed);
            let (input, places) = prune(input, &input_wanted(Some(needed)));
            let kind = RelKind::MvExpand {
                items: items
                    .iter()
                    .map(|item| MvItem {
                        expr: moved(&item.expr, &places),
                        output: own.get(item.output).copied().flatten().unwrap_or(item.output),
                        ty: item.ty,
                    })
                    .collect(),
                input: Box::new(input),
                with_index: *with_index,
                bags_as_arrays: *bags_as_arrays,
                limit: limit_moved(limit.as_ref()),
                passed: passed(&repeated, &places),
            };
            made(kind, columns, own)
        }
        RelKind::MvApply {
            input,
            items,
            passed: repeated,
            with_index,
            limit,
            subquery,
            output,
        } => {
            let (columns, own) = kept(&rel.columns, |place| wants(wanted, place));
            let output = at(output, &own);
            let mut needed: BTreeSet<usize> = repeated.iter().flatten().copied().collect();
            read(items.iter().map(|item| &item.expr), &mut needed);
            needed.extend(output.iter().filter_map(|origin| match origin {
                Origin::Left(place) => Some(*place),
                Origin::Right(_) => None,
            }));
            let (input, places) = prune(input, &input_wanted(Some(needed)));
            let subquery = whole(subquery);
            let below = identity(&subquery);
            let kind = RelKind::MvApply {
                items: items
                    .iter()
                    .map(|item| MvItem {
                        expr: moved(&item.expr, &places),
                        ..item.clone()
                    })
                    .collect(),
                input: Box::new(input),
                passed: passed(repeated, &places),
                with_index: *with_index,
                limit: limit_moved(limit.as_ref()),
                output: origins(&output, &places, &below),
                subquery: Box::new(subquery),
            };
            made(kind, columns, own)
        }
        RelKind::Parse {
            input,
            kind,
            flags,
            expr,
            steps,
            filter,
        } => {
            let width = input.columns.len();
            let outputs = |step: &ParseStep| match step {
                ParseStep::Column { output, .. } => Some(*output),
                ParseStep::Skip | ParseStep::Text(_) => None,
            };
            // A column that is replaced has to be there to be replaced.
            let mut needed = and_read(wanted, [expr]);
            if let Some(needed) = &mut needed {
                needed.extend(steps.iter().filter_map(outputs));
                needed.retain(|place| *place < width);
            }
            let (input, places) = prune(input, &input_wanted(needed));
            let left = places.iter().flatten().count();
            // The columns of the input in their places, then the pattern's own.
            let own: Places = (0..rel.columns.len())
                .map(|place| match places.get(place) {
                    Some(place) => *place,
                    None => Some(left + place - width),
                })
                .collect();
            let steps = steps.iter().map(|step| match step {
                ParseStep::Column { output, ty } => ParseStep::Column {
                    output: own.get(*output).copied().flatten().unwrap_or(*output),
                    ty: *ty,
                },
                other => other.clone(),
            });
            let kind = RelKind::Parse {
                kind: *kind,
                flags: flags.clone(),
                expr: moved(expr, &places),
                steps: steps.collect(),
                filter: *filter,
                input: Box::new(input),
            };
            let (columns, _) = kept(&rel.columns, |place| own[place].is_some());
            made(kind, columns, own)
        }
        RelKind::Invoke {
            input,
            function,
            args,
        } => {
            let width = input.columns.len();
            let mut needed = and_read(wanted, args);
            if let Some(needed) = &mut needed {
                // A file may be looked up by a column's name.
                needed.extend(named(input, args));
                needed.retain(|place| *place < width);
            }
            let (input, places) = prune(input, &input_wanted(needed));
            let (columns, own) = kept(&rel.columns, |place| match places.get(place) {
                Some(place) => place.is_some(),
                None => wants(wanted, place),
            });
            let kind = RelKind::Invoke {
                input: Box::new(input),
                function: function.clone(),
                args: all_moved(args, &places),
            };
            made(kind, columns, own)
        }
    }
}

/// The column that `invoke` is told of by its name as a string; by default the
/// one called SHA1.
pub(super) fn named(input: &Rel, args: &[Expr]) -> Option<usize> {
    let name = match args.first().map(|arg| &arg.kind) {
        Some(ExprKind::Literal(rulec_functions::Value::String(name))) if !name.is_empty() => name,
        Some(ExprKind::Literal(_)) | None => "SHA1",
        Some(_) => return None,
    };
    input.columns.iter().position(|column| &*column.name == name)
}

/// A relation that puts out the columns of its input.
fn passing(rel: &Rel, kind: RelKind, places: &Places, open: bool) -> (Rel, Places) {
    let (columns, own) = kept(&rel.columns, |place| places.get(place).copied().flatten().is_some());
    let rel = Rel {
        kind,
        columns,
        open,
        span: rel.span,
    };
    (rel, own)
}

fn origins(output: &[Origin], left: &Places, right: &Places) -> Vec<Origin> {
    let find = |places: &Places, place: usize| places.get(place).copied().flatten().unwrap_or(place);
    output
        .iter()
        .map(|origin| match origin {
            Origin::Left(place) => Origin::Left(find(left, *place)),
            Origin::Right(place) => Origin::Right(find(right, *place)),
        })
        .collect()
}
