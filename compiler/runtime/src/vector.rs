//! One column of values of one type, with its nulls beside it.
//!
//! Strings are shared: selecting rows copies pointers, not text.

use std::sync::Arc;

use rulec_functions::{Type, Value, convert, text};
use rust_decimal::Decimal;

use crate::cell::{Bits, Cell};

/// A column of values.
#[derive(Debug)]
pub struct Vector {
    data: Data,
    nulls: Mask,
    /// Bytes of content outside the cells themselves: text, arrays, bags.
    heap: usize,
}

#[derive(Debug)]
enum Data {
    /// The same value in every row; also how a column that nobody reads is kept.
    Constant(Value, usize),
    Bool(Vec<bool>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Real(Vec<f64>),
    Decimal(Vec<Decimal>),
    DateTime(Vec<i64>),
    TimeSpan(Vec<i64>),
    Guid(Vec<u128>),
    String(Vec<Arc<str>>),
    /// Dynamic columns, and columns of tables that the catalog does not know.
    Any(Vec<Value>),
}

impl Vector {
    /// A column with the same value in every row.
    pub fn constant(value: Value, rows: usize) -> Self {
        let heap = heap_bytes(&value);
        Self {
            data: Data::Constant(value, rows),
            nulls: Mask::default(),
            heap,
        }
    }

    /// A column of a type from its values; see [`Builder::push`].
    pub fn from_values(ty: Type, values: impl IntoIterator<Item = Value>) -> Self {
        let values = values.into_iter();
        let mut builder = Builder::new(ty, values.size_hint().0);
        for value in values {
            builder.push(value);
        }
        builder.finish()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Constant(_, rows) => *rows,
            Data::Bool(v) => v.len(),
            Data::Int(v) => v.len(),
            Data::Long(v) | Data::DateTime(v) | Data::TimeSpan(v) => v.len(),
            Data::Real(v) => v.len(),
            Data::Decimal(v) => v.len(),
            Data::Guid(v) => v.len(),
            Data::String(v) => v.len(),
            Data::Any(v) => v.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in a row; null beyond the last.
    pub fn get(&self, row: usize) -> Value {
        if self.nulls.get(row) {
            return Value::Null;
        }
        match &self.data {
            Data::Constant(value, rows) => (row < *rows).then(|| value.clone()),
            Data::Bool(v) => v.get(row).copied().map(Value::Bool),
            Data::Int(v) => v.get(row).copied().map(Value::Int),
            Data::Long(v) => v.get(row).copied().map(Value::Long),
            Data::Real(v) => v.get(row).copied().map(Value::Real),
            Data::Decimal(v) => v.get(row).copied().map(Value::Decimal),
            Data::DateTime(v) => v.get(row).copied().map(Value::DateTime),
            Data::TimeSpan(v) => v.get(row).copied().map(Value::TimeSpan),
            Data::Guid(v) => v.get(row).copied().map(Value::Guid),
            Data::String(v) => v.get(row).cloned().map(Value::String),
            Data::Any(v) => v.get(row).cloned(),
        }
        .unwrap_or_default()
    }

    /// The value in a row, where it lies.
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        cell(&self.data, &self.nulls, row)
    }

    /// The numbers or ticks of all rows, and what they are; nulls are not told.
    pub(crate) fn bits(&self) -> Option<(&[i64], Bits)> {
        match &self.data {
            Data::Long(v) => Some((v, Bits::Long)),
            Data::DateTime(v) => Some((v, Bits::DateTime)),
            Data::TimeSpan(v) => Some((v, Bits::TimeSpan)),
            _ => None,
        }
    }

    /// Whether the column is kept as one of a type is: value by value, so that
    /// none has to be converted.
    pub(crate) fn is_of(&self, ty: Type) -> bool {
        matches!(
            (&self.data, ty),
            (Data::Bool(_), Type::Bool)
                | (Data::Int(_), Type::Int)
                | (Data::Long(_), Type::Long)
                | (Data::Real(_), Type::Real)
                | (Data::Decimal(_), Type::Decimal)
                | (Data::DateTime(_), Type::DateTime)
                | (Data::TimeSpan(_), Type::TimeSpan)
                | (Data::Guid(_), Type::Guid)
                | (Data::String(_), Type::String)
                | (Data::Any(_), Type::Dynamic | Type::Unknown)
        )
    }

    /// Whether the same value is in every row.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(self.data, Data::Constant(..))
    }

    /// Whether the value in a row is null.
    pub fn is_null(&self, row: usize) -> bool {
        match &self.data {
            Data::Constant(value, _) => value.is_null(),
            Data::Any(v) => v.get(row).is_none_or(Value::is_null),
            _ => self.nulls.get(row) || row >= self.len(),
        }
    }

    /// The text in a row; empty where the value is not a string.
    pub fn str(&self, row: usize) -> &str {
        match &self.data {
            Data::String(v) => v.get(row).map_or("", |text| text),
            Data::Constant(value, _) => value.as_str().unwrap_or(""),
            Data::Any(v) => v.get(row).and_then(Value::as_str).unwrap_or(""),
            _ => "",
        }
    }

    /// The `bool` in a row.
    pub fn bool(&self, row: usize) -> Option<bool> {
        match self.data {
            Data::Bool(ref v) if !self.nulls.get(row) => v.get(row).copied(),
            Data::Constant(..) | Data::Any(_) => match self.get(row) {
                Value::Bool(b) => Some(b),
                _ => None,
            },
            _ => None,
        }
    }

    /// The `int` or `long` in a row.
    pub fn long(&self, row: usize) -> Option<i64> {
        match &self.data {
            Data::Long(v) if !self.nulls.get(row) => v.get(row).copied(),
            Data::Int(v) if !self.nulls.get(row) => v.get(row).copied().map(i64::from),
            Data::Constant(..) | Data::Any(_) => match self.get(row) {
                Value::Long(n) => Some(n),
                Value::Int(n) => Some(i64::from(n)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The `real` in a row.
    pub fn real(&self, row: usize) -> Option<f64> {
        match &self.data {
            Data::Real(v) if !self.nulls.get(row) => v.get(row).copied(),
            Data::Constant(..) | Data::Any(_) => match self.get(row) {
                Value::Real(x) => Some(x),
                _ => None,
            },
            _ => None,
        }
    }

    /// The ticks of the `datetime` or `timespan` in a row.
    pub fn ticks(&self, row: usize) -> Option<i64> {
        match &self.data {
            Data::DateTime(v) | Data::TimeSpan(v) if !self.nulls.get(row) => v.get(row).copied(),
            Data::Constant(..) | Data::Any(_) => match self.get(row) {
                Value::DateTime(t) | Value::TimeSpan(t) => Some(t),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether every row is known to be null, or the empty string.
    pub(crate) fn is_nothing(&self) -> bool {
        match &self.data {
            Data::Constant(Value::Null, _) => true,
            Data::Constant(Value::String(text), _) => text.is_empty(),
            _ => false,
        }
    }

    /// The rows with the given numbers, in that order, repeats included.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        let at = |row: &u32| *row as usize;
        let data = match &self.data {
            Data::Constant(value, _) => Data::Constant(value.clone(), rows.len()),
            Data::Bool(v) => Data::Bool(rows.iter().map(|r| v[at(r)]).collect()),
            Data::Int(v) => Data::Int(rows.iter().map(|r| v[at(r)]).collect()),
            Data::Long(v) => Data::Long(rows.iter().map(|r| v[at(r)]).collect()),
            Data::Real(v) => Data::Real(rows.iter().map(|r| v[at(r)]).collect()),
            Data::Decimal(v) => Data::Decimal(rows.iter().map(|r| v[at(r)]).collect()),
            Data::DateTime(v) => Data::DateTime(rows.iter().map(|r| v[at(r)]).collect()),
            Data::TimeSpan(v) => Data::TimeSpan(rows.iter().map(|r| v[at(r)]).collect()),
            Data::Guid(v) => Data::Guid(rows.iter().map(|r| v[at(r)]).collect()),
            Data::String(v) => Data::String(rows.iter().map(|r| Arc::clone(&v[at(r)])).collect()),
            Data::Any(v) => Data::Any(rows.iter().map(|r| v[at(r)].clone()).collect()),
        };
        Self {
            data,
            nulls: self.nulls.select(rows),
            heap: self.heap_of(rows.len()),
        }
    }

    /// As [`Vector::select`]; where there is no row, the null of the type
    /// (the empty string for strings). What outer joins need.
    #[must_use]
    pub fn select_or_null(&self, ty: Type, rows: &[Option<u32>]) -> Self {
        let mut builder = Builder::new(ty, rows.len());
        for row in rows {
            builder.push(row.map_or(Value::Null, |row| self.get(row as usize)));
        }
        let mut vector = builder.finish();
        vector.heap = vector.heap.min(self.heap);
        vector
    }

    /// Bytes that this column holds. Text shared with another column counts in
    /// both, but never more than once in this one.
    pub fn bytes(&self) -> usize {
        self.heap
            + match &self.data {
                Data::Constant(..) => size_of::<Value>(),
                Data::Bool(v) => v.len(),
                Data::Int(v) => v.len() * 4,
                Data::Long(v) | Data::DateTime(v) | Data::TimeSpan(v) => v.len() * 8,
                Data::Real(v) => v.len() * 8,
                Data::Decimal(v) => v.len() * 16,
                Data::Guid(v) => v.len() * 16,
                Data::String(v) => v.len() * 16,
                Data::Any(v) => v.len() * size_of::<Value>(),
            }
    }

    /// An estimate of the bytes that [`Vector::select`] of so many rows would hold.
    pub fn bytes_of(&self, rows: usize) -> usize {
        let cells = self.bytes() - self.heap;
        self.heap_of(rows) + cells * rows / self.len().max(1)
    }

    fn heap_of(&self, rows: usize) -> usize {
        match &self.data {
            Data::Constant(..) => self.heap,
            _ => self.heap * rows.min(self.len()) / self.len().max(1),
        }
    }
}

fn cell<'a>(data: &'a Data, nulls: &Mask, row: usize) -> Cell<'a> {
    if nulls.get(row) {
        return Cell::Null;
    }
    match data {
        Data::Constant(value, _) => Some(Cell::of(value)),
        Data::Bool(v) => v.get(row).copied().map(Cell::Bool),
        Data::Int(v) => v.get(row).map(|n| Cell::Long(i64::from(*n))),
        Data::Long(v) => v.get(row).copied().map(Cell::Long),
        Data::Real(v) => v.get(row).copied().map(Cell::real),
        Data::Decimal(v) => v.get(row).copied().map(Cell::Decimal),
        Data::DateTime(v) => v.get(row).copied().map(Cell::DateTime),
        Data::TimeSpan(v) => v.get(row).copied().map(Cell::TimeSpan),
        Data::Guid(v) => v.get(row).copied().map(Cell::Guid),
        Data::String(v) => v.get(row).map(|text| Cell::Text(text)),
        Data::Any(v) => v.get(row).map(Cell::of),
    }
    .unwrap_or(Cell::Null)
}

/// Bytes that a value keeps outside itself.
pub(crate) fn heap_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items
            .iter()
            .map(|item| size_of::<Value>() + heap_bytes(item))
            .sum(),
        Value::Bag(bag) => bag
            .iter()
            .map(|(key, item)| 16 + key.len() + size_of::<Value>() + heap_bytes(item))
            .sum(),
        _ => 0,
    }
}

/// Makes a column value by value.
#[derive(Debug)]
pub struct Builder {
    data: Data,
    nulls: Mask,
    heap: usize,
    /// What stands for null in a column of strings, once there is one.
    empty: Option<Arc<str>>,
}

impl Builder {
    /// An empty column of a type, with room for so many rows.
    pub fn new(ty: Type, rows: usize) -> Self {
        let data = match ty {
            Type::Bool => Data::Bool(Vec::with_capacity(rows)),
            Type::Int => Data::Int(Vec::with_capacity(rows)),
            Type::Long => Data::Long(Vec::with_capacity(rows)),
            Type::Real => Data::Real(Vec::with_capacity(rows)),
            Type::Decimal => Data::Decimal(Vec::with_capacity(rows)),
            Type::DateTime => Data::DateTime(Vec::with_capacity(rows)),
            Type::TimeSpan => Data::TimeSpan(Vec::with_capacity(rows)),
            Type::Guid => Data::Guid(Vec::with_capacity(rows)),
            Type::String => Data::String(Vec::with_capacity(rows)),
            Type::Dynamic | Type::Unknown => Data::Any(Vec::with_capacity(rows)),
        };
        Self {
            data,
            nulls: Mask::default(),
            heap: 0,
            empty: None,
        }
    }

    /// Number of rows so far.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Constant(_, rows) => *rows,
            Data::Bool(v) => v.len(),
            Data::Int(v) => v.len(),
            Data::Long(v) | Data::DateTime(v) | Data::TimeSpan(v) => v.len(),
            Data::Real(v) => v.len(),
            Data::Decimal(v) => v.len(),
            Data::Guid(v) => v.len(),
            Data::String(v) => v.len(),
            Data::Any(v) => v.len(),
        }
    }

    /// Whether there are no rows yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of text, arrays and bags so far.
    pub fn heap(&self) -> usize {
        self.heap
    }

    /// The value in a row, where it lies.
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        cell(&self.data, &self.nulls, row)
    }

    /// Appends a value, converted to the column's type if it has another; what
    /// does not convert is null, and null in a string column the empty string.
    pub fn push(&mut self, value: Value) {
        let row = self.len();
        let stored = match &mut self.data {
            Data::Constant(..) => true,
            Data::Bool(v) => put(v, convert::to_bool(&value)),
            Data::Int(v) => put(v, convert::to_int(&value)),
            Data::Long(v) => put(v, convert::to_long(&value)),
            Data::Real(v) => put(v, convert::to_real(&value)),
            Data::Decimal(v) => put(v, convert::to_decimal(&value)),
            Data::DateTime(v) => put(v, convert::to_datetime(&value)),
            Data::TimeSpan(v) => put(v, convert::to_timespan(&value)),
            Data::Guid(v) => put(v, convert::to_guid(&value)),
            Data::String(v) => {
                let text = match value {
                    Value::String(text) => text,
                    Value::Null => Arc::clone(self.empty.get_or_insert_with(|| Arc::from(""))),
                    other => text::print(&other).into(),
                };
                self.heap += text.len();
                v.push(text);
                true
            }
            Data::Any(v) => {
                self.heap += heap_bytes(&value);
                v.push(value);
                true
            }
        };
        if !stored {
            self.nulls.set(row);
        }
    }

    /// Appends all values of a column, quickly where the types are the same.
    pub fn extend(&mut self, other: &Vector) {
        let start = self.len();
        match (&mut self.data, &other.data) {
            (Data::Bool(to), Data::Bool(from)) => to.extend_from_slice(from),
            (Data::Int(to), Data::Int(from)) => to.extend_from_slice(from),
            (Data::Long(to), Data::Long(from))
            | (Data::DateTime(to), Data::DateTime(from))
            | (Data::TimeSpan(to), Data::TimeSpan(from)) => to.extend_from_slice(from),
            (Data::Real(to), Data::Real(from)) => to.extend_from_slice(from),
            (Data::Decimal(to), Data::Decimal(from)) => to.extend_from_slice(from),
            (Data::Guid(to), Data::Guid(from)) => to.extend_from_slice(from),
            (Data::String(to), Data::String(from)) => to.extend_from_slice(from),
            (Data::Any(to), Data::Any(from)) => to.extend_from_slice(from),
            _ => {
                (0..other.len()).for_each(|row| self.push(other.get(row)));
                return;
            }
        }
        self.heap += other.heap;
        if !other.nulls.is_empty() {
            (0..other.len())
                .filter(|row| other.nulls.get(*row))
                .for_each(|row| self.nulls.set(start + row));
        }
    }

    /// The column.
    pub fn finish(self) -> Vector {
        Vector {
            data: self.data,
            nulls: self.nulls,
            heap: self.heap,
        }
    }
}

/// Appends a cell; false where there is no value for it.
fn put<T: Default>(cells: &mut Vec<T>, value: Option<T>) -> bool {
    let stored = value.is_some();
    cells.push(value.unwrap_or_default());
    stored
}

/// A set of row numbers; empty costs nothing.
#[derive(Clone, Debug, Default)]
struct Mask(Vec<u64>);

impl Mask {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn get(&self, row: usize) -> bool {
        self.0
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    fn set(&mut self, row: usize) {
        let word = row / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (row % 64);
    }

    fn select(&self, rows: &[u32]) -> Self {
        let mut selected = Self::default();
        if self.is_empty() {
            return selected;
        }
        for (new, old) in rows.iter().enumerate() {
            if self.get(*old as usize) {
                selected.set(new);
            }
        }
        selected
    }
}
