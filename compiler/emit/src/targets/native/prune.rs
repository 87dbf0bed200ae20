//! A relation without the columns that nobody reads.
//!
//! In: a relation, and which of its columns are wanted. Out: the same relation
//! over fewer columns, with every expression's places counted anew. A table
//! then lists only what the rule needs. Rows, their order and the wanted
//! columns stay as they are. The rows of a binding keep all their columns,
//! because others read them, too.

use std::collections::BTreeSet;
use std::sync::Arc;

use rulec_ir::{
    AggregateCall, Column, Expr, ExprKind, MvItem, Operator, Origin, ParseStep, ProjectKind, Rel, RelKind,
    SortKey, UnionInput,
};

/// Columns by place; none means all, also those of open tables that have no place.
type Wanted = Option<BTreeSet<usize>>;

/// The columns of a subquery's input that are kept; none outside of one.
type Inputs = Option<BTreeSet<usize>>;

/// For each column of a relation before, its place after.
type Places = Vec<Option<usize>>;

/// A relation with all its columns, its inputs pruned.
pub(super) fn whole(rel: &Rel) -> Rel {
    prune(rel, &None, &None).0
}

/// A relation of which only the first column is read.
pub(super) fn first_column(rel: &Rel) -> Rel {
    prune(rel, &Some(BTreeSet::from([0])), &None).0
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

fn only_read<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    read(exprs, &mut needed);
    needed
}

fn moved(expr: &Expr, places: &[Option<usize>]) -> Expr {
    let all = |exprs: &[Expr]| exprs.iter().map(|expr| moved(expr, places)).collect();
    let kind = match &expr.kind {
        ExprKind::Column(place) => ExprKind::Column(places.get(*place).copied().flatten().unwrap_or(*place)),
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

/// A relation over what is wanted of it. Its pipeline is followed in a loop,
/// because pipelines are long; only what stands beside it recurses.
fn prune(rel: &Rel, wanted: &Wanted, inputs: &Inputs) -> (Rel, Places) {
    let mut chain = vec![(rel, wanted.clone())];
    while let Some((rel, wanted)) = chain.last() {
        match main_input(rel) {
            Some(input) => {
                let needed = needed(rel, input, wanted);
                chain.push((input, needed));
            }
            None => break,
        }
    }
    let mut below = None;
    while let Some((rel, wanted)) = chain.pop() {
        below = Some(match below {
            Some((input, places)) => rebuilt(rel, &wanted, input, &places, inputs),
            None => source(rel, &wanted, inputs),
        });
    }
    below.unwrap_or_else(|| (rel.clone(), identity(rel)))
}

/// The relation that a pipeline goes on from.
pub(super) fn main_input(rel: &Rel) -> Option<&Rel> {
    match &rel.kind {
        RelKind::Filter { input, .. }
        | RelKind::Project { input, .. }
        | RelKind::Summarize { input, .. }
        | RelKind::Distinct { input, .. }
        | RelKind::Count { input }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Top { input, .. }
        | RelKind::MvExpand { input, .. }
        | RelKind::MvApply { input, .. }
        | RelKind::Parse { input, .. }
        | RelKind::Invoke { input, .. }
        | RelKind::GetSchema { input } => Some(input),
        RelKind::Join { left, .. } => Some(left),
        RelKind::Special { inputs, operator } if !matches!(**operator, Operator::WideUnion { .. }) => {
            inputs.first()
        }
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::Rows(_)
        | RelKind::Range { .. }
        | RelKind::External { .. }
        | RelKind::Union { .. }
        | RelKind::Special { .. }
        | RelKind::Unsupported { .. } => None,
    }
}

/// Whether the inputs behind the first are subqueries over its rows.
fn hands_in(operator: &Operator) -> bool {
    matches!(operator, Operator::Fork | Operator::Partition { .. })
}

/// What is needed of the input on which a pipeline goes on.
fn needed(rel: &Rel, input: &Rel, wanted: &Wanted) -> Wanted {
    let out = |place: usize| wants(wanted, place);
    let found = match &rel.kind {
        RelKind::Count { .. } => return Some(BTreeSet::new()),
        RelKind::Take { .. } => return wanted.clone(),
        // An open relation that is wanted whole passes on what has no place.
        _ if rel.open && wanted.is_none() => return None,
        RelKind::GetSchema { .. } => return None,
        RelKind::Filter { predicate, .. } => and_read(wanted, [predicate]),
        RelKind::Project { exprs, .. } => {
            let read = exprs.iter().enumerate().filter(|(place, _)| out(*place));
            Some(only_read(read.map(|(_, expr)| expr)))
        }
        RelKind::Summarize { keys, aggregates, .. } => Some(only_read(
            keys.iter().chain(aggregates.iter().flat_map(|call| &call.args)),
        )),
        RelKind::Distinct { exprs, .. } => Some(only_read(exprs)),
        RelKind::Sort { keys, .. } | RelKind::Top { keys, .. } => {
            and_read(wanted, keys.iter().map(|key| &key.expr))
        }
        RelKind::Join {
            left_keys, output, ..
        } => {
            let mut needed = BTreeSet::new();
            read(left_keys, &mut needed);
            needed.extend(taken(output, wanted).filter_map(|origin| match origin {
                Origin::Left(place) => Some(*place),
                Origin::Right(_) => None,
            }));
            Some(needed)
        }
        RelKind::MvExpand { items, passed, .. } => {
            let repeated = passed.iter().enumerate().filter(|(place, _)| out(*place));
            let mut needed = repeated.filter_map(|(_, from)| *from).collect();
            read(items.iter().map(|item| &item.expr), &mut needed);
            Some(needed)
        }
        RelKind::MvApply {
            items,
            passed,
            with_index,
            subquery,
            output,
            ..
        } => {
            let result = Some(result_needed(output, wanted));
            let keep = kept_inputs(subquery, &result, items, passed, *with_index);
            let repeated = keep
                .iter()
                .filter_map(|place| passed.get(*place).copied().flatten());
            let mut needed: BTreeSet<usize> = repeated.collect();
            read(items.iter().map(|item| &item.expr), &mut needed);
            needed.extend(taken(output, wanted).filter_map(|origin| match origin {
                Origin::Left(place) => Some(*place),
                Origin::Right(_) => None,
            }));
            Some(needed)
        }
        // A column that is replaced has to be there to be replaced.
        RelKind::Parse { expr, steps, .. } => and_read(wanted, [expr]).map(|mut needed| {
            needed.extend(steps.iter().filter_map(|step| match step {
                ParseStep::Column { output, .. } => Some(*output),
                ParseStep::Skip | ParseStep::Text(_) => None,
            }));
            needed
        }),
        // A file may be looked up by a column's name.
        RelKind::Invoke { args, .. } => and_read(wanted, args).map(|mut needed| {
            needed.extend(named(input, args));
            needed
        }),
        _ => None,
    };
    found.map(|mut needed| {
        needed.retain(|place| *place < input.columns.len());
        needed
    })
}

fn taken<'o>(output: &'o [Origin], wanted: &'o Wanted) -> impl Iterator<Item = &'o Origin> {
    output
        .iter()
        .enumerate()
        .filter(|(place, _)| wants(wanted, *place))
        .map(|(_, origin)| origin)
}

/// A relation that a pipeline starts with.
fn source(rel: &Rel, wanted: &Wanted, inputs: &Inputs) -> (Rel, Places) {
    match &rel.kind {
        RelKind::Table { .. } | RelKind::External { .. } => {
            // A table without columns would have no rows.
            let none = wanted.as_ref().is_some_and(BTreeSet::is_empty);
            let (columns, places) = kept(&rel.columns, |place| wants(wanted, place) || (none && place == 0));
            made(rel, wanted, rel.kind.clone(), columns, places)
        }
        RelKind::Rows(rows) => {
            let rows = rows.iter().map(|row| all_moved(row, &[])).collect();
            made(
                rel,
                wanted,
                RelKind::Rows(rows),
                rel.columns.clone(),
                identity(rel),
            )
        }
        RelKind::Range { from, to, step } => {
            let kind = RelKind::Range {
                from: expression(from),
                to: expression(to),
                step: expression(step),
            };
            made(rel, wanted, kind, rel.columns.clone(), identity(rel))
        }
        RelKind::Union {
            inputs: parts,
            with_source,
        } => union(rel, wanted, parts, *with_source, inputs),
        RelKind::Special {
            inputs: parts,
            operator,
        } => {
            let parts = parts.iter().map(|part| prune(part, &None, inputs).0);
            let kind = RelKind::Special {
                inputs: parts.collect(),
                operator: operator.clone(),
            };
            made(rel, wanted, kind, rel.columns.clone(), identity(rel))
        }
        RelKind::Input => match inputs {
            Some(keep) => {
                let (columns, places) = kept(&rel.columns, |place| keep.contains(&place));
                made(rel, wanted, RelKind::Input, columns, places)
            }
            None => (rel.clone(), identity(rel)),
        },
        _ => (rel.clone(), identity(rel)),
    }
}

fn made(rel: &Rel, wanted: &Wanted, kind: RelKind, columns: Arc<[Column]>, places: Places) -> (Rel, Places) {
    let rel = Rel {
        kind,
        columns,
        open: rel.open && wanted.is_none(),
        span: rel.span,
    };
    (rel, places)
}

fn union(
    rel: &Rel,
    wanted: &Wanted,
    parts: &[UnionInput],
    with_source: bool,
    inputs: &Inputs,
) -> (Rel, Places) {
    let source = usize::from(with_source);
    let (columns, own) = kept(&rel.columns, |place| place < source || wants(wanted, place));
    let below = own.iter().skip(source).copied().collect::<Places>();
    let parts = parts.iter().map(|part| {
        let (rel, places) = prune(&part.rel, &part_needed(rel, wanted, part, source), inputs);
        UnionInput {
            rel,
            label: part.label.clone(),
            columns: passed(&at(&part.columns, &below), &places),
        }
    });
    let kind = RelKind::Union {
        inputs: parts.collect(),
        with_source,
    };
    made(rel, wanted, kind, columns, own)
}

/// What is needed of a part of a union.
fn part_needed(rel: &Rel, wanted: &Wanted, part: &UnionInput, source: usize) -> Wanted {
    if rel.open && wanted.is_none() {
        return None;
    }
    let columns = part.columns.iter().enumerate();
    let filled = columns.filter(|(place, _)| wants(wanted, place + source));
    Some(filled.filter_map(|(_, from)| *from).collect())
}

/// What is needed of the other side of a join.
fn right_needed(rel: &Rel, wanted: &Wanted) -> Wanted {
    let RelKind::Join {
        right_keys, output, ..
    } = &rel.kind
    else {
        return None;
    };
    if rel.open && wanted.is_none() {
        return None;
    }
    let mut needed = BTreeSet::new();
    read(right_keys, &mut needed);
    needed.extend(taken(output, wanted).filter_map(|origin| match origin {
        Origin::Right(place) => Some(*place),
        Origin::Left(_) => None,
    }));
    Some(needed)
}

/// What is needed of the result of a subquery.
fn result_needed(output: &[Origin], wanted: &Wanted) -> BTreeSet<usize> {
    let rights = taken(output, wanted).filter_map(|origin| match origin {
        Origin::Right(place) => Some(*place),
        Origin::Left(_) => None,
    });
    rights.collect()
}

/// The columns of its input that a subquery reads, if `wanted` is wanted of
/// it; none means all.
fn handed_in(subquery: &Rel, wanted: &Wanted) -> Wanted {
    let mut found = BTreeSet::new();
    let mut todo = vec![(subquery, wanted.clone())];
    while let Some((rel, wanted)) = todo.pop() {
        if let Some(input) = main_input(rel) {
            todo.push((input, needed(rel, input, &wanted)));
        }
        match &rel.kind {
            RelKind::Input => found.extend(wanted?),
            RelKind::Join { right, .. } => todo.push((right, right_needed(rel, &wanted))),
            RelKind::Special { inputs, operator } if !hands_in(operator) => {
                todo.extend(inputs.iter().map(|part| (part, None)));
            }
            RelKind::Union { inputs, with_source } => {
                let source = usize::from(*with_source);
                todo.extend(
                    inputs
                        .iter()
                        .map(|part| (&part.rel, part_needed(rel, &wanted, part, source))),
                );
            }
            _ => {}
        }
    }
    Some(found)
}

/// The columns of a subquery's input that are kept: what it reads, the items
/// and the index. `passed` has an entry for each column there is.
fn kept_inputs(
    subquery: &Rel,
    wanted: &Wanted,
    items: &[MvItem],
    passed: &[Option<usize>],
    with_index: bool,
) -> BTreeSet<usize> {
    let Some(mut keep) = handed_in(subquery, wanted) else {
        return (0..passed.len()).collect();
    };
    keep.extend(items.iter().map(|item| item.output));
    if with_index {
        keep.extend(passed.len().checked_sub(1));
    }
    keep
}

/// The relation over its pruned input, whose columns have gone to `places`.
fn rebuilt(rel: &Rel, wanted: &Wanted, input: Rel, places: &Places, inputs: &Inputs) -> (Rel, Places) {
    let input = Box::new(input);
    let all = || (rel.columns.clone(), identity(rel));
    let (kind, (columns, own)) = match &rel.kind {
        RelKind::Filter { predicate, .. } => {
            let predicate = moved(predicate, places);
            (RelKind::Filter { input, predicate }, passing(rel, places))
        }
        RelKind::Project { kind, exprs, .. } => {
            // What `extend` leaves in its place stays there if the input has it.
            let stays = |place: usize| {
                *kind == ProjectKind::Extend
                    && places.get(place).copied().flatten().is_some()
                    && exprs
                        .get(place)
                        .is_some_and(|expr| matches!(expr.kind, ExprKind::Column(from) if from == place))
            };
            let (columns, own) = kept(&rel.columns, |place| wants(wanted, place) || stays(place));
            let exprs = all_moved(&at(exprs, &own), places);
            let kind = *kind;
            (RelKind::Project { input, kind, exprs }, (columns, own))
        }
        RelKind::Summarize { keys, aggregates, .. } => {
            let aggregates = aggregates.iter().map(|call| AggregateCall {
                args: all_moved(&call.args, places),
                ..call.clone()
            });
            let kind = RelKind::Summarize {
                input,
                keys: all_moved(keys, places),
                aggregates: aggregates.collect(),
            };
            (kind, all())
        }
        RelKind::Distinct { exprs, .. } => {
            let exprs = all_moved(exprs, places);
            (RelKind::Distinct { input, exprs }, all())
        }
        RelKind::Count { .. } => (RelKind::Count { input }, all()),
        RelKind::GetSchema { .. } => (RelKind::GetSchema { input }, all()),
        RelKind::Sort { keys, .. } => {
            let keys = keys_moved(keys, places);
            (RelKind::Sort { input, keys }, passing(rel, places))
        }
        RelKind::Top { count, keys, .. } => {
            let (count, keys) = (expression(count), keys_moved(keys, places));
            (RelKind::Top { input, count, keys }, passing(rel, places))
        }
        RelKind::Take { count, .. } => {
            let count = expression(count);
            (RelKind::Take { input, count }, passing(rel, places))
        }
        RelKind::Join { .. } => join(rel, wanted, input, places, inputs),
        RelKind::MvExpand {
            items,
            with_index,
            bags_as_arrays,
            limit,
            passed: repeated,
            ..
        } => {
            let is_own = |place: usize| repeated.get(place).copied().flatten().is_none();
            let (columns, own) = kept(&rel.columns, |place| is_own(place) || wants(wanted, place));
            let kind = RelKind::MvExpand {
                items: items_moved(items, places, |output| own.get(output).copied().flatten()),
                input,
                with_index: *with_index,
                bags_as_arrays: *bags_as_arrays,
                limit: limit.as_ref().map(expression),
                passed: passed(&at(repeated, &own), places),
            };
            (kind, (columns, own))
        }
        RelKind::MvApply {
            items,
            passed: repeated,
            with_index,
            limit,
            subquery,
            output,
            ..
        } => {
            let (columns, own) = kept(&rel.columns, |place| wants(wanted, place));
            let result = Some(result_needed(output, wanted));
            let keep = kept_inputs(subquery, &result, items, repeated, *with_index);
            let own_inputs: Places = repeated
                .iter()
                .enumerate()
                .map(|(place, _)| keep.contains(&place).then(|| keep.range(..place).count()))
                .collect();
            let (subquery, below) = prune(subquery, &result, &Some(keep));
            let kind = RelKind::MvApply {
                items: items_moved(items, places, |output| own_inputs.get(output).copied().flatten()),
                input,
                passed: passed(&at(repeated, &own_inputs), places),
                with_index: *with_index,
                limit: limit.as_ref().map(expression),
                output: origins(&at(output, &own), places, &below),
                subquery: Box::new(subquery),
            };
            (kind, (columns, own))
        }
        RelKind::Parse { .. } => parse(rel, input, places),
        RelKind::Special {
            inputs: parts,
            operator,
        } => {
            // A special operator wants its input whole, so no place has moved.
            let within = if hands_in(operator) { &None } else { inputs };
            let others = parts.iter().skip(1).map(|part| prune(part, &None, within).0);
            let kind = RelKind::Special {
                inputs: [*input].into_iter().chain(others).collect(),
                operator: operator.clone(),
            };
            (kind, all())
        }
        RelKind::Invoke { function, args, .. } => {
            let kept = kept(&rel.columns, |place| match places.get(place) {
                Some(place) => place.is_some(),
                None => wants(wanted, place),
            });
            let kind = RelKind::Invoke {
                input,
                function: function.clone(),
                args: all_moved(args, places),
            };
            (kind, kept)
        }
        other => (other.clone(), all()),
    };
    made(rel, wanted, kind, columns, own)
}

type Columns = (Arc<[Column]>, Places);

fn join(
    rel: &Rel,
    wanted: &Wanted,
    left: Box<Rel>,
    left_places: &Places,
    inputs: &Inputs,
) -> (RelKind, Columns) {
    let RelKind::Join {
        right,
        kind,
        lookup,
        left_keys,
        right_keys,
        output,
        ..
    } = &rel.kind
    else {
        return (rel.kind.clone(), (rel.columns.clone(), identity(rel)));
    };
    let (columns, own) = kept(&rel.columns, |place| wants(wanted, place));
    let output = at(output, &own);
    let (right, right_places) = prune(right, &right_needed(rel, wanted), inputs);
    let kind = RelKind::Join {
        left,
        right: Box::new(right),
        kind: *kind,
        lookup: *lookup,
        left_keys: all_moved(left_keys, left_places),
        right_keys: all_moved(right_keys, &right_places),
        output: origins(&output, left_places, &right_places),
    };
    (kind, (columns, own))
}

fn parse(rel: &Rel, input: Box<Rel>, places: &Places) -> (RelKind, Columns) {
    let RelKind::Parse {
        kind,
        flags,
        expr,
        steps,
        filter,
        ..
    } = &rel.kind
    else {
        return (rel.kind.clone(), (rel.columns.clone(), identity(rel)));
    };
    // The columns of the input in their places, then the pattern's own.
    let left = places.iter().flatten().count();
    let own: Places = (0..rel.columns.len())
        .map(|place| match places.get(place) {
            Some(place) => *place,
            None => Some(left + place - places.len()),
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
        expr: moved(expr, places),
        steps: steps.collect(),
        filter: *filter,
        input,
    };
    let (columns, _) = kept(&rel.columns, |place| own.get(place).copied().flatten().is_some());
    (kind, (columns, own))
}

fn items_moved(items: &[MvItem], places: &Places, output: impl Fn(usize) -> Option<usize>) -> Vec<MvItem> {
    let items = items.iter().map(|item| MvItem {
        expr: moved(&item.expr, places),
        output: output(item.output).unwrap_or(item.output),
        ty: item.ty,
    });
    items.collect()
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

/// The columns of a relation that puts out those of its input.
fn passing(rel: &Rel, places: &Places) -> Columns {
    kept(&rel.columns, |place| {
        places.get(place).copied().flatten().is_some()
    })
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
