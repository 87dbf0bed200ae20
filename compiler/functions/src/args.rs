//! Reading a kernel's arguments.
//!
//! In: the arguments, of any number and type. Out: what the kernel needs, or
//! none: a kernel takes whatever it is given.

use crate::{Bag, Value, convert};

static NULL: Value = Value::Null;

/// The argument, or null.
pub(crate) fn get(args: &[Value], index: usize) -> &Value {
    args.get(index).unwrap_or(&NULL)
}

/// The argument as a long.
pub(crate) fn long(args: &[Value], index: usize) -> Option<i64> {
    args.get(index).and_then(convert::to_long)
}

/// The argument as a long, or a default where it is left out or null.
pub(crate) fn long_or(args: &[Value], index: usize, default: i64) -> i64 {
    long(args, index).unwrap_or(default)
}

/// The argument as a real.
pub(crate) fn real(args: &[Value], index: usize) -> Option<f64> {
    args.get(index).and_then(convert::to_real)
}

/// The argument as a boolean; false where it is left out or null.
pub(crate) fn flag(args: &[Value], index: usize) -> bool {
    args.get(index).and_then(convert::to_bool).unwrap_or(false)
}

/// The argument as an array.
pub(crate) fn array(args: &[Value], index: usize) -> Option<&[Value]> {
    match args.get(index) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}

/// The argument as a bag.
pub(crate) fn bag(args: &[Value], index: usize) -> Option<&Bag> {
    match args.get(index) {
        Some(Value::Bag(bag)) => Some(bag),
        _ => None,
    }
}

/// The argument as a datetime.
pub(crate) fn datetime(args: &[Value], index: usize) -> Option<i64> {
    args.get(index).and_then(convert::to_datetime)
}

/// The argument as a timespan.
pub(crate) fn timespan(args: &[Value], index: usize) -> Option<i64> {
    args.get(index).and_then(convert::to_timespan)
}

/// The arguments from one on, arrays among them replaced by their elements.
pub(crate) fn flatten(args: &[Value], from: usize) -> impl Iterator<Item = &Value> {
    args.get(from..)
        .unwrap_or(&[])
        .iter()
        .flat_map(|value| match value {
            Value::Array(items) => &items[..],
            other => std::slice::from_ref(other),
        })
}

/// A long, or null.
pub(crate) fn maybe_long(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Long)
}

/// A real, or null.
pub(crate) fn maybe_real(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Real)
}

/// A boolean, or null.
pub(crate) fn maybe_bool(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

/// A datetime within the calendar, or null.
pub(crate) fn maybe_datetime(value: Option<i64>) -> Value {
    value
        .filter(|t| crate::calendar::valid(*t))
        .map_or(Value::Null, Value::DateTime)
}

/// A timespan, or null.
pub(crate) fn maybe_timespan(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::TimeSpan)
}
