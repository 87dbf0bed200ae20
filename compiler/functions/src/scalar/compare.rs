//! Comparison and logic: `==`, `<`, `in`, `between`, `and` and their relatives.
//!
//! Null is unknown: two nulls are neither equal nor unequal, but null is never
//! equal to a value. A dynamic operand is compared by what it holds: against
//! a string by its text, against a datetime, timespan or guid by what its
//! text says.

use std::cmp::Ordering;

use crate::args::{flatten, get, maybe_bool};
use crate::fold::eq_fold;
use crate::{Type, Value, convert, order, text};

rows! { ROWS: Operator in compare {
    eq "==", [(Scalar, Scalar) -> Bool], "Whether two values are equal.",
        "1 == 1.0" => "true", "'a' == 'A'" => "false", "int(null) == 1" => "false",
        "int(null) == int(null)" => "";
    ne "!=" = "<>", [(Scalar, Scalar) -> Bool], "Whether two values differ.",
        "1 != 2" => "true", "int(null) != 1" => "true";
    lt "<",
        [(Bool, NumberOrBool) -> Bool, (Number, NumberOrBool) -> Bool, (TimeSpan, TimeSpan) -> Bool, (DateTime, DateTime) -> Bool,
         (Dynamic, Dynamic) -> Bool, (Dynamic, Number) -> Bool, (Number, Dynamic) -> Bool],
        "Whether the left value comes before the right one.",
        "1 < 2" => "true", "1d < 2h" => "false";
    le "<=",
        [(Bool, NumberOrBool) -> Bool, (Number, NumberOrBool) -> Bool, (TimeSpan, TimeSpan) -> Bool, (DateTime, DateTime) -> Bool,
         (Dynamic, Dynamic) -> Bool, (Dynamic, Number) -> Bool, (Number, Dynamic) -> Bool],
        "Whether the left value comes before the right one or is equal.",
        "2 <= 2.0" => "true";
    gt ">",
        [(Bool, NumberOrBool) -> Bool, (Number, NumberOrBool) -> Bool, (TimeSpan, TimeSpan) -> Bool, (DateTime, DateTime) -> Bool,
         (Dynamic, Dynamic) -> Bool, (Dynamic, Number) -> Bool, (Number, Dynamic) -> Bool],
        "Whether the left value comes after the right one.",
        "datetime(2020) > datetime(2019)" => "true";
    ge ">=",
        [(Bool, NumberOrBool) -> Bool, (Number, NumberOrBool) -> Bool, (TimeSpan, TimeSpan) -> Bool, (DateTime, DateTime) -> Bool,
         (Dynamic, Dynamic) -> Bool, (Dynamic, Number) -> Bool, (Number, Dynamic) -> Bool],
        "Whether the left value comes after the right one or is equal.",
        "1 >= 2" => "false";
    and "and", [(Bool, Bool) -> Bool, (Dynamic, Bool) -> Bool, (Bool, Dynamic) -> Bool, (Dynamic, Dynamic) -> Bool],
        "Whether both are true; false decides even when the other is null.",
        "true and false" => "false", "bool(null) and false" => "false", "bool(null) and true" => "";
    or "or", [(Bool, Bool) -> Bool, (Dynamic, Bool) -> Bool, (Bool, Dynamic) -> Bool, (Dynamic, Dynamic) -> Bool],
        "Whether at least one is true; true decides even when the other is null.",
        "true or false" => "true", "bool(null) or true" => "true";
    not "not" never constant, [(Bool) -> Bool], "The opposite of a condition; null stays null.",
        "not(false)" => "true";
    eq_tilde "=~", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether two strings are equal regardless of case.",
        "'Abc' =~ 'aBC'" => "true";
    ne_tilde "!~", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether two strings differ by more than case.",
        "'Abc' !~ 'aBC'" => "false";
    in_ "in", [(Scalar .. Scalar) -> Bool],
        "Whether a value equals one of a list; arrays in the list count as their elements.",
        "2 in (1, 2, 3)" => "true", "'B' in ('a', 'b')" => "false",
        "'b' in (dynamic(['a', 'b']))" => "true";
    not_in "!in", [(Scalar .. Scalar) -> Bool], "Whether a value equals none of a list.",
        "2 !in (1, 3)" => "true";
    in_tilde "in~", [(TextOrDynamic .. Scalar) -> Bool], "Whether a string equals one of a list regardless of case.",
        "'B' in~ ('a', 'b')" => "true";
    not_in_tilde "!in~", [(TextOrDynamic .. Scalar) -> Bool], "Whether a string equals none of a list regardless of case.",
        "'B' !in~ ('a', 'b')" => "false";
    between "between",
        [(Number, Number, Number) -> Bool, (Summable, AsFirst, AsFirst) -> Bool, (DateTime, DateTime, TimeSpan) -> Bool,
         (Number, Dynamic, AsSecond) -> Bool, (Dynamic, Number, AsSecond) -> Bool],

        "Whether a value lies in a range, both ends included.",
        "5 between (1 .. 5)" => "true", "datetime(2020-01-02) between (datetime(2020-01-01) .. 2d)" => "true";
    not_between "!between",
        [(Number, Number, Number) -> Bool, (Summable, AsFirst, AsFirst) -> Bool, (DateTime, DateTime, TimeSpan) -> Bool,
         (Number, Dynamic, AsSecond) -> Bool, (Dynamic, Number, AsSecond) -> Bool],
        "Whether a value lies outside a range.",
        "5 !between (1 .. 5)" => "false";
}}

/// The order of two values as a predicate sees it: none where either is null
/// or they do not compare.
pub fn ordering(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Long(a), Value::Long(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) | (Value::TimeSpan(a), Value::TimeSpan(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Real(a), Value::Real(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
        (Value::String(s), other) => read_as(s, other).and_then(|s| ordering(&s, other)),
        (other, Value::String(s)) => read_as(s, other).and_then(|s| ordering(other, &s)),
        _ if is_nan(a) || is_nan(b) => None,
        _ => {
            let (a, b) = (number(a)?, number(b)?);
            Some(order::compare_numbers(&a, &b))
        }
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Real(r) if r.is_nan())
}

/// Numbers and booleans as numbers.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(b) => Some(Value::Long(i64::from(*b))),
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_) => Some(value.clone()),
        _ => None,
    }
}

/// Text read as the type it is compared with.
fn read_as(text: &str, other: &Value) -> Option<Value> {
    let ty = match other {
        Value::Int(_) | Value::Long(_) | Value::Real(_) => Type::Real,
        Value::Decimal(_) => Type::Decimal,
        Value::DateTime(_) => Type::DateTime,
        Value::TimeSpan(_) => Type::TimeSpan,
        Value::Guid(_) => Type::Guid,
        _ => return None,
    };
    Some(convert::convert(&Value::string(text), ty)).filter(|value| !value.is_null())
}

/// Equality of two values; none where both are null.
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    Some(match (a, b) {
        (Value::Null, Value::Null) => return None,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Long(a), Value::Long(b)) => a == b,
        (Value::Array(_) | Value::Bag(_), _) | (_, Value::Array(_) | Value::Bag(_)) => {
            text::borrow(a) == text::borrow(b)
        }
        (Value::String(s), other) | (other, Value::String(s)) => match other {
            Value::DateTime(_) | Value::TimeSpan(_) | Value::Guid(_) => {
                read_as(s, other).is_some_and(|s| ordering(&s, other) == Some(Ordering::Equal))
            }
            _ => text::print(other) == **s,
        },
        _ => ordering(a, b) == Some(Ordering::Equal),
    })
}

/// `==`.
pub fn eq(args: &[Value]) -> Value {
    maybe_bool(equal(get(args, 0), get(args, 1)))
}

/// `!=`.
pub fn ne(args: &[Value]) -> Value {
    maybe_bool(equal(get(args, 0), get(args, 1)).map(|equal| !equal))
}

fn ordered(args: &[Value], holds: fn(Ordering) -> bool) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    match ordering(a, b) {
        Some(ordering) => Value::Bool(holds(ordering)),
        None if a.is_null() || b.is_null() => Value::Null,
        // NaN, or dynamic values that do not compare.
        None => Value::Bool(false),
    }
}

/// `<`.
pub fn lt(args: &[Value]) -> Value {
    ordered(args, Ordering::is_lt)
}

/// `<=`.
pub fn le(args: &[Value]) -> Value {
    ordered(args, Ordering::is_le)
}

/// `>`.
pub fn gt(args: &[Value]) -> Value {
    ordered(args, Ordering::is_gt)
}

/// `>=`.
pub fn ge(args: &[Value]) -> Value {
    ordered(args, Ordering::is_ge)
}

/// `and`. Any number of operands.
pub fn and(args: &[Value]) -> Value {
    let mut result = Some(true);
    for arg in args {
        match convert::to_bool(arg) {
            Some(false) => return Value::Bool(false),
            Some(true) => {}
            None => result = None,
        }
    }
    maybe_bool(result)
}

/// `or`. Any number of operands.
pub fn or(args: &[Value]) -> Value {
    let mut result = Some(false);
    for arg in args {
        match convert::to_bool(arg) {
            Some(true) => return Value::Bool(true),
            Some(false) => {}
            None => result = None,
        }
    }
    maybe_bool(result)
}

/// `not`.
pub fn not(args: &[Value]) -> Value {
    maybe_bool(convert::to_bool(get(args, 0)).map(|b| !b))
}

/// `=~`.
pub fn eq_tilde(args: &[Value]) -> Value {
    Value::Bool(eq_fold(&text::of(args, 0), &text::of(args, 1)))
}

/// `!~`.
pub fn ne_tilde(args: &[Value]) -> Value {
    Value::Bool(!eq_fold(&text::of(args, 0), &text::of(args, 1)))
}

fn among(args: &[Value]) -> bool {
    let needle = get(args, 0);
    flatten(args, 1).any(|value| equal(needle, value) == Some(true))
}

fn among_fold(args: &[Value]) -> bool {
    let needle = text::of(args, 0);
    flatten(args, 1).any(|value| eq_fold(&needle, &text::borrow(value)))
}

/// `in`.
pub fn in_(args: &[Value]) -> Value {
    Value::Bool(among(args))
}

/// `!in`.
pub fn not_in(args: &[Value]) -> Value {
    Value::Bool(!among(args))
}

/// `in~`.
pub fn in_tilde(args: &[Value]) -> Value {
    Value::Bool(among_fold(args))
}

/// `!in~`.
pub fn not_in_tilde(args: &[Value]) -> Value {
    Value::Bool(!among_fold(args))
}

/// `between`: value, low, high; a timespan after a datetime is its length.
pub fn between(args: &[Value]) -> Value {
    let (value, low, high) = (get(args, 0), get(args, 1), get(args, 2));
    let end;
    let high = match (low, high) {
        (Value::DateTime(start), Value::TimeSpan(length)) => {
            end = Value::DateTime(start.saturating_add(*length));
            &end
        }
        _ => high,
    };
    let (Some(low), Some(high)) = (ordering(value, low), ordering(value, high)) else {
        return if value.is_null() || low.is_null() || high.is_null() {
            Value::Null
        } else {
            Value::Bool(false)
        };
    };
    Value::Bool(low.is_ge() && high.is_le())
}

/// `!between`.
pub fn not_between(args: &[Value]) -> Value {
    match between(args) {
        Value::Bool(inside) => Value::Bool(!inside),
        _ => Value::Null,
    }
}
