//! Plugins that turn values into columns and columns into values:
//! `bag_unpack`, `pivot`, `narrow`, `schema_merge`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rulec_functions::{Type, Value, convert, text};

use super::{Aggregation, Expr, Result, summarize};
use crate::batch::{Batch, BatchBuilder};
use crate::error::{Code, RuntimeError};
use crate::key::KeyBuffer;
use crate::schema::{Column, Schema};
use crate::vector::{Builder, heap_bytes};

/// What `bag_unpack` does with a key that is also a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// It is an error.
    Error,
    /// The key wins.
    ReplaceSource,
    /// The column wins.
    KeepSource,
}

/// The most columns that values may become.
const MOST_COLUMNS: usize = 10_000;

/// `bag_unpack`: the input without the column of bags, then a column for each
/// key in the order of their names, of the type that its values have.
pub fn bag_unpack(
    input: &Batch,
    column: usize,
    prefix: &str,
    conflict: Conflict,
    ignored: &[String],
) -> Result<Batch> {
    let mut keys: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    for row in input {
        let Value::Bag(bag) = row.get(column) else {
            continue;
        };
        for (key, value) in bag.iter() {
            if ignored.iter().any(|name| name == key) {
                continue;
            }
            let ty = type_of(value);
            keys.entry(key.into())
                .and_modify(|known| *known = shared(*known, ty))
                .or_insert(ty);
        }
        too_many("bag_unpack", keys.len())?;
    }
    let mut added = Vec::new();
    let mut replaced = vec![column];
    for (key, ty) in keys {
        let name: Arc<str> = format!("{prefix}{key}").into();
        let own = input.schema().index_of(&name).filter(|own| *own != column);
        match (own, conflict) {
            (Some(_), Conflict::Error) => {
                return Err(RuntimeError::new(
                    Code::BAD_ARGUMENT,
                    format!("`bag_unpack` finds the key `{key}`, but there is a column `{name}` already"),
                ));
            }
            (Some(_), Conflict::KeepSource) => continue,
            (Some(own), Conflict::ReplaceSource) => replaced.push(own),
            (None, _) => {}
        }
        let ty = if ty == Type::Unknown { Type::Dynamic } else { ty };
        let mut builder = Builder::new(ty, input.rows());
        for row in input {
            let value = match row.get(column) {
                Value::Bag(bag) => bag.get(&key).cloned().unwrap_or_default(),
                _ => Value::Null,
            };
            builder.push(match ty {
                Type::Dynamic => value,
                _ => convert(&value, ty),
            });
        }
        added.push((Column::new(name, ty), builder.finish()));
    }
    let wide = input.append(added, "bag_unpack")?;
    let columns = wide.schema().columns().iter().cloned().enumerate();
    let kept = columns
        .filter(|(place, _)| !replaced.contains(place))
        .map(|(place, column)| (column, place))
        .collect::<Vec<_>>();
    wide.pick(&kept)
}

fn too_many(plugin: &str, count: usize) -> Result<()> {
    if count <= MOST_COLUMNS {
        return Ok(());
    }
    Err(RuntimeError::new(
        Code::BAD_ARGUMENT,
        format!("`{plugin}` would make more than {MOST_COLUMNS} columns"),
    ))
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Unknown,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) | Value::Long(_) => Type::Long,
        Value::Real(_) => Type::Real,
        Value::Decimal(_) => Type::Decimal,
        Value::DateTime(_) => Type::DateTime,
        Value::TimeSpan(_) => Type::TimeSpan,
        Value::Guid(_) => Type::Guid,
        Value::String(_) => Type::String,
        Value::Array(_) | Value::Bag(_) => Type::Dynamic,
    }
}

/// A type that holds values of both.
fn shared(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Unknown, other) | (other, Type::Unknown) => other,
        (Type::Long, Type::Real) | (Type::Real, Type::Long) => Type::Real,
        _ => Type::Dynamic,
    }
}

/// `pivot`: one row per combination of the kept columns, then a column for
/// each value of the pivoted one, in the order in which values first appear;
/// where there are no rows, what the aggregate gives over none.
pub fn pivot(input: &Batch, column: usize, aggregate: Aggregation<'_>, kept: &[usize]) -> Result<Batch> {
    let own = input.schema().columns();
    let as_key = |place: usize| {
        let column = own
            .get(place)
            .cloned()
            .unwrap_or_else(|| Column::new("", Type::Dynamic));
        super::out(column.name, column.ty, Expr::Column(place))
    };
    let mut keys = kept.iter().map(|place| as_key(*place)).collect::<Vec<_>>();
    keys.push(as_key(column));
    let literals = aggregate
        .args
        .iter()
        .map(|arg| match arg {
            Expr::Constant(value) => value.clone(),
            _ => Value::Null,
        })
        .collect::<Vec<_>>();
    let empty = (aggregate.new)(&literals).finish();
    let ty = aggregate
        .outputs
        .first()
        .map_or(Type::Dynamic, |column| column.ty);
    let grouped = summarize(input, &keys, &[aggregate])?;
    let mut names: Vec<Column> = kept.iter().filter_map(|place| own.get(*place).cloned()).collect();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut rows: Vec<(Vec<Value>, HashMap<usize, Value>)> = Vec::new();
    let mut key = KeyBuffer::new();
    for row in &grouped {
        let name = text::print(&row.get(kept.len()));
        let next = names.len();
        let place = *places.entry(name.clone()).or_insert(next);
        if place == next {
            names.push(Column::new(name, ty));
            too_many("pivot", names.len())?;
        }
        key.clear();
        let values = (0..kept.len()).map(|index| row.get(index)).collect::<Vec<_>>();
        key.extend(&values);
        let group = *groups.entry(key.bytes().to_vec()).or_insert(rows.len());
        if group == rows.len() {
            rows.push((values, HashMap::new()));
        }
        rows[group].1.insert(place, row.get(kept.len() + 1));
    }
    let width = names.len();
    let mut held = input.memory().growing("pivot");
    held.add(
        rows.len()
            .saturating_mul(width)
            .saturating_mul(size_of::<Value>()),
    )?;
    let mut builder = BatchBuilder::new(Schema::new(names), input.memory());
    for (mut values, cells) in rows {
        values.extend((kept.len()..width).map(|place| cells.get(&place).unwrap_or(&empty).clone()));
        builder.push(values);
    }
    builder.finish("pivot")
}

/// `narrow`: one row per cell of the input: the number of its row, the name of
/// its column, its value as text.
pub fn narrow(input: &Batch) -> Result<Batch> {
    let schema = Schema::of(&[
        ("Row", Type::Long),
        ("Column", Type::String),
        ("Value", Type::String),
    ]);
    let mut held = input.memory().growing("narrow");
    let mut builder = BatchBuilder::new(schema, input.memory());
    for row in input {
        for (place, column) in input.schema().columns().iter().enumerate() {
            let value = Value::string(text::print(&row.get(place)));
            held.add(3 * size_of::<Value>() + heap_bytes(&value))?;
            builder.push([
                Value::Long(row.index() as i64),
                Value::String(column.name.clone()),
                value,
            ]);
        }
    }
    builder.finish("narrow")
}

/// `schema_merge`: rows of `getschema` of several tables become those of one.
/// A column stands where the table that has most before it puts it; with
/// `preserve_order` the row of one that tables have in different places says so
/// instead of its type.
pub fn schema_merge(input: &Batch, preserve_order: bool) -> Result<Batch> {
    let place = |name: &str| input.schema().index_of(name).unwrap_or(usize::MAX);
    let (name, ordinal) = (place("ColumnName"), place("ColumnOrdinal"));
    let mut merged: Vec<MergedColumn> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for row in input {
        let at = convert::to_long(&row.get(ordinal)).unwrap_or(0);
        let known = *seen.entry(text::print(&row.get(name))).or_insert(merged.len());
        if let Some(column) = merged.get_mut(known) {
            column.moved |= at != column.first;
            column.last = column.last.max(at);
        } else {
            merged.push(MergedColumn {
                first: at,
                last: at,
                moved: false,
                row: row.index() as u32,
            });
        }
    }
    merged.sort_by_key(|column| column.last);
    let rows = merged.iter().map(|column| column.row).collect::<Vec<_>>();
    let chosen = input.select(&rows, "schema_merge")?;
    let columns = chosen.schema().clone();
    let (data_type, column_type) = (place("DataType"), place("ColumnType"));
    let rows = chosen.iter().zip(&merged).map(|(row, column)| {
        let mut values = row.values();
        let mut put = |place: usize, value: Value| {
            if let Some(slot) = values.get_mut(place) {
                *slot = value;
            }
        };
        if preserve_order && column.moved {
            put(ordinal, Value::Long(-1));
            put(
                data_type,
                Value::string(format!("ERROR(unknown CSL type:{OUT_OF_ORDER})")),
            );
            put(column_type, Value::string(OUT_OF_ORDER));
        } else {
            put(ordinal, Value::Long(row.index() as i64));
        }
        values
    });
    Batch::from_rows(columns, rows.collect::<Vec<_>>(), input.memory())
}

/// What the reference prints in place of the type of a column that tables have
/// in different places.
const OUT_OF_ORDER: &str = "ERROR(columns are out of order)";

/// A column of several tables.
struct MergedColumn {
    /// Its place in the first table that has it.
    first: i64,
    /// The last of its places.
    last: i64,
    /// Whether tables have it in different places.
    moved: bool,
    /// The row that stands for it.
    row: u32,
}
