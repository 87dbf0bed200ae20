//! Choosing between values, and asking what kind of value there is.

use crate::args::{array, bag, flag, get};
use crate::{Type, Value, convert, order, text};

rows! { ROWS: Function in conditional {
    iff "iff" = "iif", [(Bool, Loose, Loose) -> Loose], "The second argument if the first is true, else the third.",
        "iff(1 < 2, 'yes', 'no')" => "yes", "iff(bool(null), 1, 2)" => "2";
    case "case", [(Bool, Loose .. Bool, Loose => Loose) -> Loose], "The value after the first condition that is true, else the last argument.",
        "case(false, 'a', true, 'b', 'c')" => "b", "case(false, 'a', 'c')" => "c";
    coalesce "coalesce", [(Common, Common .. Common to 64) -> Common], "The first argument that is not null (for strings, not empty).",
        "coalesce(int(null), 2, 3)" => "2", "coalesce('', 'x')" => "x";
    max_of "max_of", [(CommonOrderable, CommonOrderable .. CommonOrderable to 64) -> Common], "The largest of the arguments that are not null.",
        "max_of(10, 1, -3, 17)" => "17", "max_of(int(null), 2)" => "2";
    min_of "min_of", [(CommonOrderable, CommonOrderable .. CommonOrderable to 64) -> Common], "The smallest of the arguments that are not null.",
        "min_of(10, 1, -3, 17)" => "-3";
    isnull "isnull" never constant, [(Scalar) -> Bool], "Whether a value is null; a string never is.",
        "isnull(int(null))" => "true", "isnull('')" => "false";
    isnotnull "isnotnull" never constant, [(Scalar) -> Bool], "Whether a value is not null.",
        "isnotnull(1)" => "true";
    isnotnull "notnull" instead "isnotnull" never constant, [(Scalar) -> Bool], "Whether a value is not null.",
        "notnull(1)" => "true";
    isempty "isempty" never constant, [(Scalar) -> Bool], "Whether a value is null or the empty string.",
        "isempty('')" => "true", "isempty(' ')" => "false";
    isnotempty "isnotempty" never constant, [(Scalar) -> Bool], "Whether a value is neither null nor the empty string.",
        "isnotempty('x')" => "true";
    isnotempty "notempty" instead "isnotempty" never constant, [(Scalar) -> Bool], "Whether a value is neither null nor the empty string.",
        "notempty('x')" => "true";
    isnan "isnan", [(Real) -> Bool], "Whether a real is not a number.",
        "isnan(real(nan))" => "true", "isnan(1.5)" => "false";
    isinf "isinf", [(Real) -> Bool], "Whether a real is an infinity.",
        "isinf(1.0 / 0)" => "true";
    isfinite "isfinite", [(Real) -> Bool], "Whether a real is neither an infinity nor NaN.",
        "isfinite(1.5)" => "true";
    isascii "isascii" never constant, [(Scalar) -> Bool], "Whether a string holds ASCII characters only.",
        "isascii('abc')" => "true", "isascii('ü')" => "false";
    isutf8 "isutf8" never constant, [(Scalar) -> Bool], "Whether a string is valid UTF-8.",
        "isutf8('abc')" => "true";
    gettype "gettype" as Prefix("type"), [(Scalar) -> String], "The name of a value's type at run time.",
        "gettype('a')" => "string", "gettype(dynamic({}))" => "dictionary", "gettype(1s)" => "timespan";
    assert_ "assert" never constant, [(Bool, Text) -> Bool], "The condition; a query whose condition is false fails with the message.",
        "assert(true, 'never')" => "true";
    around "around" never constant, [(Scalar, Scalar, Scalar) -> Bool], "Whether a value is no further from another than a distance.",
        "around(5, 6, 2)" => "true", "around(datetime(2020-01-01), datetime(2020-01-03), 1d)" => "false";
}}

/// A value in the widest numeric type among the alternatives, so that a column
/// does not depend on which one was taken.
fn widened<'a>(value: &Value, others: impl Iterator<Item = &'a Value>) -> Value {
    let rank = |value: &Value| match value {
        Value::Int(_) => 1,
        Value::Long(_) => 2,
        Value::Real(_) => 3,
        Value::Decimal(_) => 4,
        _ => 0,
    };
    let own = rank(value);
    if own == 0 {
        return value.clone();
    }
    match others.map(rank).max().unwrap_or(0).max(own) {
        widest if widest == own => value.clone(),
        2 => convert::convert(value, Type::Long),
        3 => convert::convert(value, Type::Real),
        _ => convert::convert(value, Type::Decimal),
    }
}

/// `iff`.
pub fn iff(args: &[Value]) -> Value {
    let index = if convert::to_bool(get(args, 0)) == Some(true) {
        1
    } else {
        2
    };
    widened(get(args, index), args.iter().skip(1))
}

/// `case`.
pub fn case(args: &[Value]) -> Value {
    let values = || {
        args.iter()
            .enumerate()
            .filter(|(i, _)| i % 2 == 1)
            .map(|(_, v)| v)
            .chain(args.last())
    };
    for pair in args.chunks_exact(2) {
        if convert::to_bool(&pair[0]) == Some(true) {
            return widened(&pair[1], values());
        }
    }
    match args.last() {
        Some(last) if args.len() % 2 == 1 => widened(last, values()),
        _ => Value::Null,
    }
}

/// `coalesce`.
pub fn coalesce(args: &[Value]) -> Value {
    let last = args.last().cloned().unwrap_or_default();
    args.iter()
        .find(|value| !is_empty(value))
        .map_or(last, |value| widened(value, args.iter()))
}

/// `max_of`.
pub fn max_of(args: &[Value]) -> Value {
    let largest = args
        .iter()
        .filter(|v| !v.is_null())
        .max_by(|a, b| order::compare(a, b));
    largest.map_or(Value::Null, |value| widened(value, args.iter()))
}

/// `min_of`.
pub fn min_of(args: &[Value]) -> Value {
    let smallest = args
        .iter()
        .filter(|v| !v.is_null())
        .min_by(|a, b| order::compare(a, b));
    smallest.map_or(Value::Null, |value| widened(value, args.iter()))
}

/// Whether a value is null or the empty string.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        _ => false,
    }
}

/// `isnull`.
pub fn isnull(args: &[Value]) -> Value {
    Value::Bool(get(args, 0).is_null())
}

/// `isnotnull`.
pub fn isnotnull(args: &[Value]) -> Value {
    Value::Bool(!get(args, 0).is_null())
}

/// `isempty`.
pub fn isempty(args: &[Value]) -> Value {
    Value::Bool(is_empty(get(args, 0)))
}

/// `isnotempty`.
pub fn isnotempty(args: &[Value]) -> Value {
    Value::Bool(!is_empty(get(args, 0)))
}

fn real_test(args: &[Value], test: fn(f64) -> bool) -> Value {
    crate::args::real(args, 0).map_or(Value::Bool(false), |r| Value::Bool(test(r)))
}

/// `isnan`.
pub fn isnan(args: &[Value]) -> Value {
    real_test(args, f64::is_nan)
}

/// `isinf`.
pub fn isinf(args: &[Value]) -> Value {
    real_test(args, f64::is_infinite)
}

/// `isfinite`.
pub fn isfinite(args: &[Value]) -> Value {
    real_test(args, f64::is_finite)
}

/// `isascii`.
pub fn isascii(args: &[Value]) -> Value {
    Value::Bool(text::of(args, 0).is_ascii())
}

/// `isutf8`: strings cannot be anything else here.
pub fn isutf8(_: &[Value]) -> Value {
    Value::Bool(true)
}

/// `gettype`.
pub fn gettype(args: &[Value]) -> Value {
    let name = if array(args, 0).is_some() {
        "array"
    } else if bag(args, 0).is_some() {
        "dictionary"
    } else {
        match get(args, 0) {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Long(_) => "long",
            Value::Real(_) => "double",
            Value::Decimal(_) => "decimal",
            Value::DateTime(_) => "datetime",
            Value::TimeSpan(_) => "timespan",
            Value::Guid(_) => "guid",
            _ => "string",
        }
    };
    Value::string(name)
}

/// `assert`: the condition. Whoever runs the query stops it where this is false.
pub fn assert_(args: &[Value]) -> Value {
    Value::Bool(flag(args, 0))
}

/// `around`.
pub fn around(args: &[Value]) -> Value {
    let (value, center, distance) = (get(args, 0), get(args, 1), get(args, 2));
    let low = super::arithmetic::subtract(&[center.clone(), distance.clone()]);
    let high = super::arithmetic::add(&[center.clone(), distance.clone()]);
    super::compare::between(&[value.clone(), low, high])
}
