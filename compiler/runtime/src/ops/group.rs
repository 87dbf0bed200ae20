//! `summarize` and `distinct`: rows that share a key become one.

use std::collections::{HashMap, HashSet};

use rulec_functions::{Accumulator, Value};

use super::{Aggregation, Expr, Output, Result};
use crate::batch::{Batch, BatchBuilder};
use crate::key::KeyBuffer;
use crate::schema::Schema;
use crate::vector::{Builder, heap_bytes};

/// Content that a group is counted with besides its key.
const GROUP_BYTES: usize = 96;

/// The row at which the states of groups are first asked how much they hold.
const FIRST_LOOK: usize = 1 << 14;

/// `summarize`: one row per distinct combination of the keys, in the order in
/// which combinations first appear. Without keys there is exactly one row,
/// even over no input.
pub fn summarize(input: &Batch, keys: &[Output<'_>], aggregates: &[Aggregation<'_>]) -> Result<Batch> {
    let mut held = input.memory().growing("summarize");
    let literals = aggregates
        .iter()
        .map(|aggregate| {
            aggregate
                .args
                .iter()
                .map(|arg| match arg {
                    Expr::Constant(value) => value.clone(),
                    _ => Value::Null,
                })
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let fresh = || {
        aggregates
            .iter()
            .zip(&literals)
            .map(|(aggregate, literals)| (aggregate.new)(literals))
    };

    // The states of group g are states[g * aggregates.len()..].
    let mut states: Vec<Box<dyn Accumulator>> = Vec::new();
    let mut groups: HashMap<Box<[u8]>, usize> = HashMap::new();
    let mut count = 0;
    let mut columns = keys
        .iter()
        .map(|key| Builder::new(key.column.ty, 0))
        .collect::<Vec<_>>();
    if keys.is_empty() {
        states.extend(fresh());
        count = 1;
    }

    let mut key = KeyBuffer::new();
    let mut values = Vec::with_capacity(keys.len());
    let mut args = Vec::new();
    let mut kept = None;
    let mut next_look = FIRST_LOOK;
    let mut marked = HashSet::new();
    for row in input {
        if row.index() == next_look {
            // Ever more seldom, so that looking costs no more than the rows do.
            next_look += next_look / 4;
            let bytes = states.iter().map(|state| state.size()).sum();
            drop(kept.take());
            kept = Some(input.memory().reserve("summarize", bytes)?);
        }
        let group = if keys.is_empty() {
            0
        } else {
            key.clear();
            values.clear();
            for output in keys {
                let value = output.expr.of(row);
                key.push(&value);
                values.push(value);
            }
            if let Some(group) = groups.get(key.bytes()) {
                *group
            } else {
                held.add(key.bytes().len() + GROUP_BYTES * (1 + aggregates.len()))?;
                groups.insert(key.bytes().into(), count);
                states.extend(fresh());
                for (column, value) in columns.iter_mut().zip(values.drain(..)) {
                    column.push(value);
                }
                count += 1;
                count - 1
            }
        };
        if input.is_marked(row.index()) {
            marked.insert(group);
        }
        let first = group * aggregates.len();
        for (aggregate, state) in aggregates.iter().zip(&mut states[first..]) {
            args.clear();
            args.extend(aggregate.args.iter().map(|arg| arg.of(row)));
            state.add(&args);
        }
    }
    drop(groups);

    let outputs = aggregates.iter().flat_map(|aggregate| &aggregate.outputs);
    let schema = keys
        .iter()
        .map(|key| key.column.clone())
        .chain(outputs.clone().cloned())
        .collect::<Vec<_>>();
    let mut results = outputs
        .map(|column| Builder::new(column.ty, count))
        .collect::<Vec<_>>();
    let mut states = states.into_iter();
    for _ in 0..count {
        let mut columns = results.iter_mut();
        for aggregate in aggregates {
            let Some(state) = states.next() else { break };
            let mut values = state.finish_row().into_iter();
            for column in columns.by_ref().take(aggregate.outputs.len()) {
                let value = values.next().unwrap_or_default();
                held.add(heap_bytes(&value))?;
                column.push(value);
            }
        }
    }
    let columns = columns.into_iter().chain(results).map(Builder::finish).collect();
    let batch = Batch::with_rows(Schema::new(schema), columns, count, input.memory(), "summarize")?;
    Ok(marked_as(batch, input, &marked))
}

/// Marks the groups that a marked row went into.
fn marked_as(groups: Batch, input: &Batch, marked: &HashSet<usize>) -> Batch {
    if input.marks().is_none() {
        return groups;
    }
    let marks = (0..groups.rows())
        .map(|group| marked.contains(&group))
        .collect::<Vec<_>>();
    groups.with_marks(marks)
}

/// `distinct`: every combination of these columns once, in the order in which
/// combinations first appear.
pub fn distinct(input: &Batch, outputs: &[Output<'_>]) -> Result<Batch> {
    let mut held = input.memory().growing("distinct");
    let mut seen: HashMap<Box<[u8]>, usize> = HashMap::new();
    let mut marked = HashSet::new();
    let schema = Schema::new(
        outputs
            .iter()
            .map(|output| output.column.clone())
            .collect::<Vec<_>>(),
    );
    let mut builder = BatchBuilder::new(schema, input.memory());
    let mut key = KeyBuffer::new();
    let mut values = Vec::with_capacity(outputs.len());
    for row in input {
        key.clear();
        values.clear();
        for output in outputs {
            let value = output.expr.of(row);
            key.push(&value);
            values.push(value);
        }
        let group = if let Some(group) = seen.get(key.bytes()) {
            *group
        } else {
            held.add(key.bytes().len() + GROUP_BYTES)?;
            seen.insert(key.bytes().into(), builder.rows());
            builder.push(values.drain(..));
            builder.rows() - 1
        };
        if input.is_marked(row.index()) {
            marked.insert(group);
        }
    }
    Ok(marked_as(builder.finish("distinct")?, input, &marked))
}
