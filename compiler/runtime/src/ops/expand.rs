//! `mv-expand` and `mv-apply`: the items of arrays and bags become rows.

use std::sync::Arc;

use rulec_functions::convert::convert;
use rulec_functions::{Bag, Type, Value};

use super::{Expr, Picks, Result};
use crate::batch::{Batch, BatchBuilder, Row};
use crate::schema::{Column, Schema};
use crate::vector::{Builder, heap_bytes};

/// One expression that is expanded.
#[derive(Debug)]
pub struct Item<'a> {
    /// An array, a bag, or any other value, which counts as one item.
    pub expr: Expr<'a>,
    /// The place of the column that takes the items.
    pub output: usize,
    /// What `to typeof(…)` says, else dynamic. Items of other types become null.
    pub ty: Type,
}

/// An expression to expand into a column.
pub fn item(expr: Expr<'_>, output: usize, ty: Type) -> Item<'_> {
    Item { expr, output, ty }
}

/// What is expanded, and into which columns.
#[derive(Debug)]
pub struct Expand<'a> {
    /// The columns that come out.
    pub schema: Schema,
    /// Expressions expanded in parallel; shorter ones are filled up with nulls.
    pub items: Vec<Item<'a>>,
    /// For each output column the input column that it repeats; none for items
    /// and the index.
    pub passed: Vec<Option<usize>>,
    /// Whether the last column takes the index of the item.
    pub with_index: bool,
    /// `kind=array`: an entry of a bag is `[key, value]`, not a bag of one key.
    pub bags_as_arrays: bool,
    /// `limit n`: the most rows for one row of the input.
    pub limit: Option<i64>,
}

impl Expand<'_> {
    /// The items of a row, and how many rows they make. A null is one item; an
    /// empty array or bag has none.
    fn items_of(&self, row: Row<'_>) -> (Vec<Vec<Value>>, usize) {
        let lists = self
            .items
            .iter()
            .map(|item| items(&item.expr.of(row), self.bags_as_arrays))
            .collect::<Vec<_>>();
        let most = lists.iter().map(Vec::len).max().unwrap_or(0);
        let limit = self
            .limit
            .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
        (lists, most.min(limit))
    }

    /// The rows that one row becomes.
    fn table_of(&self, row: Row<'_>, input: &Batch) -> Result<Batch> {
        let (mut lists, count) = self.items_of(row);
        let rows = (0..count).map(|index| {
            (0..self.schema.len())
                .map(|place| {
                    if let Some(column) = self.passed.get(place).copied().flatten() {
                        return row.get(column);
                    }
                    match self.items.iter().position(|item| item.output == place) {
                        Some(item) => {
                            let value = lists[item].get_mut(index).map(std::mem::take).unwrap_or_default();
                            cast(value, self.items[item].ty)
                        }
                        None => Value::Long(index as i64),
                    }
                })
                .collect()
        });
        let table = Batch::from_rows(self.schema.clone(), rows, input.memory())?;
        Ok(if input.is_marked(row.index()) {
            table.with_marks(vec![true; count])
        } else {
            table
        })
    }
}

/// `mv-expand`: for each row, one row per item, everything else repeated.
pub fn mv_expand(input: &Batch, expand: &Expand<'_>) -> Result<Batch> {
    let mut held = input.memory().growing("mv-expand");
    let mut sources = Vec::with_capacity(input.rows());
    let mut taken = expand
        .items
        .iter()
        .map(|item| Builder::new(item.ty, input.rows()))
        .collect::<Vec<_>>();
    let mut indexes = Builder::new(Type::Long, 0);
    for row in input {
        let (mut lists, count) = expand.items_of(row);
        for index in 0..count {
            held.add(4 + expand.items.len() * size_of::<Value>())?;
            sources.push(row.index() as u32);
            for (builder, (list, item)) in taken.iter_mut().zip(lists.iter_mut().zip(&expand.items)) {
                let value = list
                    .get_mut(index)
                    .map_or(Value::Null, |value| cast(std::mem::take(value), item.ty));
                held.add(heap_bytes(&value))?;
                builder.push(value);
            }
            if expand.with_index {
                indexes.push(Value::Long(index as i64));
            }
        }
    }
    let repeated = input.select(&sources, "mv-expand")?;
    let width = input.schema().len();
    let mut added = Vec::with_capacity(taken.len() + 1);
    for builder in taken {
        added.push((Column::new("", Type::Dynamic), builder.finish()));
    }
    if expand.with_index {
        added.push((Column::new("", Type::Long), indexes.finish()));
    }
    let wide = repeated.append(added, "mv-expand")?;
    let columns = expand.schema.columns().iter().enumerate().map(|(place, column)| {
        let source = expand
            .passed
            .get(place)
            .copied()
            .flatten()
            .or_else(|| {
                expand
                    .items
                    .iter()
                    .position(|item| item.output == place)
                    .map(|item| width + item)
            })
            .unwrap_or(width + expand.items.len());
        (column.clone(), source)
    });
    wide.pick(&columns.collect::<Vec<_>>())
}

/// `mv-apply`: for each row, a subquery over its expanded items. `expand`
/// gives the subquery's input; `output` says which columns come out, `left`
/// ones from the row, `right` ones from the subquery's result.
pub fn mv_apply(
    input: &Batch,
    expand: &Expand<'_>,
    output: impl Into<Picks>,
    subquery: impl Fn(&Batch) -> Result<Batch>,
) -> Result<Batch> {
    let output = output.into().of(input.schema());
    // Nothing at all, to learn which columns the subquery gives.
    let shape = subquery(&Batch::empty(expand.schema.clone(), input.memory()))?;
    let columns = output.iter().map(|pick| {
        let side = if pick.from_right {
            shape.schema()
        } else {
            input.schema()
        };
        let ty = side
            .columns()
            .get(pick.index)
            .map_or(Type::Dynamic, |column| column.ty);
        Column {
            name: pick.name.clone(),
            ty,
        }
    });
    let mut builder = BatchBuilder::new(Schema::new(columns.collect::<Vec<_>>()), input.memory());
    let mut held = input.memory().growing("mv-apply");
    let mut marks = Vec::new();
    for row in input {
        let result = subquery(&expand.table_of(row, input)?)?;
        for found in &result {
            let values = output
                .iter()
                .map(|pick| {
                    if pick.from_right {
                        found.get(pick.index)
                    } else {
                        row.get(pick.index)
                    }
                })
                .collect::<Vec<_>>();
            held.add(
                values
                    .iter()
                    .map(|value| size_of::<Value>() + heap_bytes(value))
                    .sum(),
            )?;
            builder.push(values);
            if input.marks().is_some() {
                marks.push(input.is_marked(row.index()));
            }
        }
    }
    drop(held);
    let applied = builder.finish("mv-apply")?;
    Ok(if input.marks().is_some() {
        applied.with_marks(marks)
    } else {
        applied
    })
}

fn items(value: &Value, bags_as_arrays: bool) -> Vec<Value> {
    match value {
        Value::Array(items) => items.to_vec(),
        Value::Bag(bag) => bag
            .iter()
            .map(|(key, item)| {
                if bags_as_arrays {
                    return Value::array(vec![Value::string(key), item.clone()]);
                }
                let mut entry = Bag::new();
                entry.insert(key, item.clone());
                Value::Bag(Arc::new(entry))
            })
            .collect(),
        other => vec![other.clone()],
    }
}

/// `to typeof(…)` casts but does not parse: a number becomes another kind of
/// number, a truth value may be a whole number, times and identifiers are read
/// from text, anything is text, and what does not fit is null. Source: the KQL
/// reference, "mv-expand operator", and what the service answers for each type.
fn cast(value: Value, ty: Type) -> Value {
    let is_number = matches!(
        value,
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_)
    );
    let fits = match ty {
        Type::Dynamic | Type::Unknown => return value,
        Type::String => true,
        Type::Int | Type::Long | Type::Real | Type::Decimal => is_number,
        Type::Bool => matches!(value, Value::Bool(_) | Value::Int(_) | Value::Long(_)),
        Type::DateTime => matches!(value, Value::String(_) | Value::DateTime(_)),
        Type::TimeSpan => matches!(value, Value::TimeSpan(_)),
        Type::Guid => matches!(value, Value::String(_) | Value::Guid(_)),
    };
    if fits { convert(&value, ty) } else { Value::Null }
}
