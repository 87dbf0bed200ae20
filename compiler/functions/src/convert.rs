//! Conversion between types: what `tolong`, `tostring` and the rest do, and
//! how a value is coerced into a column.
//!
//! In: a value and a type. Out: the value in that type, or null (the empty
//! string) where there is no such value.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::{Type, Value, json, text};

/// The value in another type. Dynamic values convert by what they hold.
pub fn convert(value: &Value, ty: Type) -> Value {
    match ty {
        Type::Bool => to_bool(value).map_or(Value::Null, Value::Bool),
        Type::Int => to_int(value).map_or(Value::Null, Value::Int),
        Type::Long => to_long(value).map_or(Value::Null, Value::Long),
        Type::Real => to_real(value).map_or(Value::Null, Value::Real),
        Type::Decimal => to_decimal(value).map_or(Value::Null, Value::Decimal),
        Type::String => match value {
            Value::String(_) => value.clone(),
            other => Value::string(text::print(other)),
        },
        Type::DateTime => to_datetime(value).map_or(Value::Null, Value::DateTime),
        Type::TimeSpan => to_timespan(value).map_or(Value::Null, Value::TimeSpan),
        Type::Guid => to_guid(value).map_or(Value::Null, Value::Guid),
        Type::Dynamic | Type::Unknown => value.clone(),
    }
}

/// Text as it stands in a file, read as a column's type: `dynamic` is JSON.
pub fn parse(input: &str, ty: Type) -> Value {
    match ty {
        Type::Dynamic => json::parse_json(input),
        Type::Unknown => Value::string(input),
        _ => convert(&Value::string(input), ty),
    }
}

/// `tobool`: numbers are true unless zero.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(n) => Some(*n != 0),
        Value::Long(n) => Some(*n != 0),
        Value::Real(r) => Some(*r != 0.0),
        Value::Decimal(d) => Some(!d.is_zero()),
        Value::String(s) => text::parse_bool(s),
        _ => None,
    }
}

/// `toint`: fractions are cut off; what does not fit is null.
pub fn to_int(value: &Value) -> Option<i32> {
    to_long(value).and_then(|n| i32::try_from(n).ok())
}

/// `tolong`: fractions of numbers are cut off, and a real that does not fit is
/// the nearest number that does. Text has to be that of a whole number.
pub fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        Value::Real(r) => (!r.is_nan()).then_some(*r as i64),
        Value::Decimal(d) => d.trunc().to_i64(),
        Value::DateTime(t) | Value::TimeSpan(t) => Some(*t),
        Value::String(s) => text::parse_long(s),
        _ => None,
    }
}

/// `toreal`.
pub fn to_real(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Real(r) => Some(*r),
        Value::Decimal(d) => d.to_f64(),
        Value::DateTime(t) | Value::TimeSpan(t) => Some(*t as f64),
        Value::String(s) => text::parse_real(s),
        _ => None,
    }
}

/// `todecimal`.
pub fn to_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Bool(b) => Some(Decimal::from(u8::from(*b))),
        Value::Int(n) => Some(Decimal::from(*n)),
        Value::Long(n) => Some(Decimal::from(*n)),
        Value::Real(r) => text::parse_decimal(&text::print_real(*r)),
        Value::Decimal(d) => Some(*d),
        Value::DateTime(t) | Value::TimeSpan(t) => Some(Decimal::from(*t)),
        Value::String(s) => text::parse_decimal(s),
        _ => None,
    }
}

/// `todatetime`: numbers are ticks.
pub fn to_datetime(value: &Value) -> Option<i64> {
    match value {
        Value::DateTime(t) => Some(*t),
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_) => {
            to_long(value).filter(|t| crate::calendar::valid(*t))
        }
        Value::String(s) => text::parse_datetime(s),
        _ => None,
    }
}

/// `totimespan`: numbers are ticks, and so is what else counts in whole numbers.
pub fn to_timespan(value: &Value) -> Option<i64> {
    match value {
        Value::Real(r) if r.is_infinite() => None,
        Value::String(s) => text::parse_timespan(s),
        value => to_long(value),
    }
}

/// `toguid`.
pub fn to_guid(value: &Value) -> Option<u128> {
    match value {
        Value::Guid(g) => Some(*g),
        Value::String(s) => text::parse_guid(s),
        _ => None,
    }
}
