//! Arrow's types and values in those of the query language.
//!
//! Times of every unit become ticks of 100 ns, dates midnight, times of day
//! and durations timespans. Lists become arrays, structures and maps bags.
//! Bytes are text where they are UTF-8, which is how some programs write text,
//! and otherwise their hexadecimal digits, as hashes are written.

use std::sync::Arc;

use foldhash::HashMap;

use arrow_array::array::AnyDictionaryArray;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, StringViewArray};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use rulec_functions::{Bag, Type, Value, text};

/// 1970-01-01 in ticks.
const EPOCH: i64 = 621_355_968_000_000_000;
const SECOND: i64 = 10_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The type that values of an Arrow type have in a table that nobody knows.
pub(crate) fn type_of(ty: &DataType) -> Type {
    match ty {
        DataType::Boolean => Type::Bool,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => Type::Int,
        DataType::Int64 | DataType::UInt32 => Type::Long,
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => Type::Decimal,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Type::Real,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Type::DateTime,
        DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => Type::TimeSpan,
        DataType::Dictionary(_, values) => type_of(values),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..)
        | DataType::Null => Type::Dynamic,
        _ => Type::String,
    }
}

/// Texts of a column by where they lie in what was decoded: a file writes each
/// of the few that most columns have once, and they are shared by all rows.
#[derive(Default)]
pub(crate) struct Texts {
    /// The texts are of its buffers; held, so that nothing else comes to lie there.
    held: Option<StringViewArray>,
    known: HashMap<u128, Arc<str>>,
}

/// Texts that are remembered, at most.
const REMEMBERED: usize = 1 << 12;

/// As [`values`], for the next rows of a column.
pub(crate) fn values_with(column: &ArrayRef, texts: &mut Texts) -> Result<Vec<Value>, ArrowError> {
    let DataType::Utf8View = column.data_type() else {
        return values(column);
    };
    let column = column.as_string_view();
    let places = |column: &StringViewArray| -> Vec<_> {
        let buffers = column.data_buffers().iter();
        buffers.map(|buffer| (buffer.as_ptr(), buffer.len())).collect()
    };
    if texts.held.as_ref().map(places) != Some(places(column)) {
        texts.known.clear();
        texts.held = Some(column.clone());
    }
    let rows = 0..column.len();
    Ok(rows
        .map(|row| {
            if column.is_null(row) {
                return Value::Null;
            }
            let view = column.views()[row];
            if let Some(text) = texts.known.get(&view) {
                return Value::String(text.clone());
            }
            let text: Arc<str> = column.value(row).into();
            if texts.known.len() < REMEMBERED {
                texts.known.insert(view, text.clone());
            }
            Value::String(text)
        })
        .collect())
}

/// The values of a column, in order.
pub(crate) fn values(column: &ArrayRef) -> Result<Vec<Value>, ArrowError> {
    let column: &dyn Array = column;
    Ok(match column.data_type() {
        DataType::Null => vec![Value::Null; column.len()],
        DataType::Boolean => {
            let column = column.as_boolean().iter();
            column.map(|b| b.map_or(Value::Null, Value::Bool)).collect()
        }
        DataType::Int8 => ints::<Int8Type>(column),
        DataType::Int16 => ints::<Int16Type>(column),
        DataType::Int32 => ints::<Int32Type>(column),
        DataType::UInt8 => ints::<UInt8Type>(column),
        DataType::UInt16 => ints::<UInt16Type>(column),
        DataType::Int64 => each::<Int64Type>(column, |n| Some(Value::Long(n))),
        DataType::UInt32 => each::<UInt32Type>(column, |n| Some(Value::Long(i64::from(n)))),
        DataType::UInt64 => each::<UInt64Type>(column, |n| {
            let long = i64::try_from(n).map(Value::Long).ok();
            long.or_else(|| decimal(&n.to_string()))
        }),
        DataType::Float16 => each::<Float16Type>(column, |x| Some(Value::Real(x.to_f64()))),
        DataType::Float32 => each::<Float32Type>(column, |x| Some(Value::Real(f64::from(x)))),
        DataType::Float64 => each::<Float64Type>(column, |x| Some(Value::Real(x))),
        DataType::Decimal32(..) => decimals::<Decimal32Type>(column),
        DataType::Decimal64(..) => decimals::<Decimal64Type>(column),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(column),
        DataType::Decimal256(..) => decimals::<Decimal256Type>(column),
        DataType::Date32 => each::<Date32Type>(column, |days| date(i64::from(days).checked_mul(DAY)?)),
        DataType::Date64 => each::<Date64Type>(column, |ms| date(ms.checked_mul(SECOND / 1_000)?)),
        DataType::Timestamp(unit, _) => {
            let unit = *unit;
            let time = |n: i64| ticks(unit, n).map(Value::DateTime);
            match unit {
                TimeUnit::Second => each::<TimestampSecondType>(column, time),
                TimeUnit::Millisecond => each::<TimestampMillisecondType>(column, time),
                TimeUnit::Microsecond => each::<TimestampMicrosecondType>(column, time),
                TimeUnit::Nanosecond => each::<TimestampNanosecondType>(column, time),
            }
        }
        DataType::Time32(TimeUnit::Second) => {
            each::<Time32SecondType>(column, |s| span(i64::from(s).checked_mul(SECOND)))
        }
        DataType::Time32(_) => {
            each::<Time32MillisecondType>(column, |ms| span(i64::from(ms).checked_mul(SECOND / 1_000)))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            each::<Time64MicrosecondType>(column, |us| span(us.checked_mul(10)))
        }
        DataType::Time64(_) => each::<Time64NanosecondType>(column, |ns| span(Some(ns / 100))),
        DataType::Duration(TimeUnit::Second) => {
            each::<DurationSecondType>(column, |s| span(s.checked_mul(SECOND)))
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            each::<DurationMillisecondType>(column, |ms| span(ms.checked_mul(SECOND / 1_000)))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            each::<DurationMicrosecondType>(column, |us| span(us.checked_mul(10)))
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            each::<DurationNanosecondType>(column, |ns| span(Some(ns / 100)))
        }
        DataType::Utf8 => column.as_string::<i32>().iter().map(string).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(string).collect(),
        DataType::Utf8View => column.as_string_view().iter().map(string).collect(),
        DataType::Binary => column.as_binary::<i32>().iter().map(bytes).collect(),
        DataType::LargeBinary => column.as_binary::<i64>().iter().map(bytes).collect(),
        DataType::BinaryView => column.as_binary_view().iter().map(bytes).collect(),
        DataType::FixedSizeBinary(_) => column.as_fixed_size_binary().iter().map(bytes).collect(),
        DataType::Dictionary(..) => dictionary(column.as_any_dictionary())?,
        DataType::List(_) => lists(column.as_list::<i32>().iter())?,
        DataType::LargeList(_) => lists(column.as_list::<i64>().iter())?,
        DataType::FixedSizeList(..) => lists(column.as_fixed_size_list().iter())?,
        DataType::Struct(fields) => {
            let names: Vec<Arc<str>> = fields
                .iter()
                .map(|field| Arc::from(field.name().as_str()))
                .collect();
            let columns = column.as_struct().columns().iter();
            let columns = columns.map(values).collect::<Result<Vec<_>, _>>()?;
            let bag = |row: usize| {
                let entries = names.iter().zip(&columns);
                let entries = entries.map(|(name, column)| (name.clone(), column[row].clone()));
                Value::Bag(Arc::new(entries.collect::<Bag>()))
            };
            whole(column, bag)
        }
        DataType::Map(..) => {
            let map = column.as_map();
            let (keys, held) = (values(map.keys())?, values(map.values())?);
            let offsets = map.value_offsets();
            let bag = |row: usize| {
                let entries = offsets[row] as usize..offsets[row + 1] as usize;
                let entries = entries.map(|at| (Arc::from(text::print(&keys[at])), held[at].clone()));
                Value::Bag(Arc::new(entries.collect::<Bag>()))
            };
            whole(column, bag)
        }
        other => return Err(unknown(other)),
    })
}

fn unknown(ty: &DataType) -> ArrowError {
    ArrowError::NotYetImplemented(format!("columns of the type {ty}"))
}

/// Null where the column says so, else what a row makes.
fn whole(column: &dyn Array, make: impl Fn(usize) -> Value) -> Vec<Value> {
    let rows = 0..column.len();
    rows.map(|row| {
        if column.is_null(row) {
            Value::Null
        } else {
            make(row)
        }
    })
    .collect()
}

fn each<T: ArrowPrimitiveType>(column: &dyn Array, make: impl Fn(T::Native) -> Option<Value>) -> Vec<Value> {
    let column = column.as_primitive::<T>().iter();
    column
        .map(|value| value.and_then(&make).unwrap_or_default())
        .collect()
}

fn ints<T: ArrowPrimitiveType>(column: &dyn Array) -> Vec<Value>
where
    T::Native: Into<i32>,
{
    each::<T>(column, |n| Some(Value::Int(n.into())))
}

/// A decimal that is too long for ours is a real.
fn decimal(digits: &str) -> Option<Value> {
    let exact = text::parse_decimal(digits).map(Value::Decimal);
    exact.or_else(|| text::parse_real(digits).map(Value::Real))
}

fn decimals<T: DecimalType>(column: &dyn Array) -> Vec<Value> {
    let decimals = column.as_primitive::<T>();
    whole(column, |row| {
        decimal(&decimals.value_as_string(row)).unwrap_or_default()
    })
}

/// The ticks of a time so many units after 1970; none where the language has no
/// such time.
pub(crate) fn ticks(unit: TimeUnit, count: i64) -> Option<i64> {
    let ticks = match unit {
        TimeUnit::Second => count.checked_mul(SECOND)?,
        TimeUnit::Millisecond => count.checked_mul(SECOND / 1_000)?,
        TimeUnit::Microsecond => count.checked_mul(10)?,
        TimeUnit::Nanosecond => count.div_euclid(100),
    };
    rulec_functions::convert::to_datetime(&Value::Long(ticks.checked_add(EPOCH)?))
}

/// A date or time so many ticks after 1970.
fn date(ticks: i64) -> Option<Value> {
    let ticks = ticks.checked_add(EPOCH)?;
    rulec_functions::convert::to_datetime(&Value::Long(ticks)).map(Value::DateTime)
}

fn span(ticks: Option<i64>) -> Option<Value> {
    ticks.map(Value::TimeSpan)
}

fn string(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::string)
}

fn bytes(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => Value::string(text),
        Err(_) => Value::string(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    })
}

/// Each entry is made once and shared by the rows that have it.
fn dictionary(column: &dyn AnyDictionaryArray) -> Result<Vec<Value>, ArrowError> {
    let entries = values(column.values())?;
    if entries.is_empty() {
        return Ok(vec![Value::Null; column.len()]);
    }
    let keys = column.normalized_keys();
    Ok(whole(column, |row| {
        entries.get(keys[row]).cloned().unwrap_or_default()
    }))
}

fn lists(rows: impl Iterator<Item = Option<ArrayRef>>) -> Result<Vec<Value>, ArrowError> {
    rows.map(|row| match row {
        Some(items) => values(&items).map(Value::array),
        None => Ok(Value::Null),
    })
    .collect()
}
