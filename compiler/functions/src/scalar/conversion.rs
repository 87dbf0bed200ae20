//! Conversion functions: each is [`convert`](crate::convert::convert()) to one
//! type.

use crate::args::{get, long_or};
use crate::{Type, Value, convert, json};

rows! { ROWS: Function in conversion {
    tostring "tostring" as FirstArgument, [(Scalar) -> String], "The text of a value; null is the empty string.",
        "tostring(123)" => "123", "tostring(dynamic({'a': [1]}))" => "{\"a\":[1]}", "tostring(1.5h)" => "01:30:00";
    tolong "tolong" as FirstArgument, [(Scalar) -> Long], "A value as a long; fractions are cut off.",
        "tolong('123')" => "123", "tolong(2.9)" => "2", "tolong('2.9')" => "", "tolong(exp10(30))" => "9223372036854775807", "tolong('x')" => "";
    toint "toint" as FirstArgument, [(Scalar) -> Int], "A value as an int; fractions are cut off.",
        "toint('123')" => "123", "toint('3000000000')" => "", "toint(9999999999)" => "1410065407", "toint(exp10(10))" => "2147483647";
    toreal "toreal" = "todouble" as FirstArgument, [(Scalar) -> Real], "A value as a real.",
        "toreal('123.4')" => "123.4";
    todecimal "todecimal" as FirstArgument, [(Scalar) -> Decimal], "A value as a decimal.",
        "todecimal('123.45')" => "123.45";
    tobool "tobool" = "toboolean" as FirstArgument, [(Scalar) -> Bool], "A value as a boolean; numbers are true unless zero.",
        "tobool('TRUE')" => "true", "tobool(0)" => "false", "tobool('x')" => "";
    todatetime "todatetime" as FirstArgument, [(Scalar) -> DateTime], "A value as a datetime; numbers are ticks.",
        "todatetime('2015-12-24')" => "2015-12-24T00:00:00.0000000Z";
    totimespan "totimespan" as FirstArgument, [(Scalar) -> TimeSpan], "A value as a timespan; numbers are ticks.",
        "totimespan('0.00:01:00')" => "00:01:00";
    totimespan "totime" instead "totimespan" as FirstArgument, [(Scalar) -> TimeSpan], "A value as a timespan; numbers are ticks.",
        "totime('1d')" => "1.00:00:00";
    toguid "toguid" as FirstArgument, [(TextOrDynamic) -> Guid], "A string as a guid.",
        "toguid('70fc66f7-8279-44fc-9092-d364d70fce44')" => "70fc66f7-8279-44fc-9092-d364d70fce44",
        "toguid('0123456789ab-cdef-0123-456789abcdef')" => "01234567-89ab-cdef-0123-456789abcdef";
    todynamic "todynamic" as FirstArgument, [(Text) -> Dynamic], "JSON text as a dynamic value.",
        "todynamic('[1, 2]')" => "[1,2]";
    todynamic "parse_json" as FirstArgument, [(TextOrDynamic) -> Dynamic], "JSON text as a dynamic value; other text as a string.",
        "parse_json('{\"a\": 1}').a" => "1", "parse_json('x')" => "x";
    todynamic "parsejson" instead "parse_json" as FirstArgument, [(TextOrDynamic) -> Dynamic], "JSON text as a dynamic value; other text as a string.",
        "parsejson('[1]')" => "[1]";
    todynamic "toobject" instead "todynamic" as FirstArgument, [(Text) -> Dynamic], "JSON text as a dynamic value.",
        "toobject('[1]')" => "[1]";
    tohex "tohex" as FirstArgument, [(Integer; Integer) -> String], "The hexadecimal digits of an integer, at least so many.",
        "tohex(256)" => "100", "tohex(-256)" => "ffffffffffffff00", "tohex(toint(-256), 8)" => "ffffff00", "tohex(256, 8)" => "00000100";
    dynamic_to_json "dynamic_to_json", [(Scalar) -> String], "A dynamic value as JSON with the keys of its bags in order.",
        "dynamic_to_json(dynamic({'b': 1, 'a': 2}))" => "{\"a\":2,\"b\":1}";
    cast "__cast", [(TypeOf, Scalar) -> Named], "A value as the type named.",
        "__cast(typeof(long), '1')" => "1";
}}

/// One kernel for each type.
macro_rules! conversions {
    ($($kernel:ident $ty:ident;)*) => { $(
        #[doc = concat!("`", stringify!($kernel), "`.")]
        pub fn $kernel(args: &[Value]) -> Value {
            convert::convert(get(args, 0), Type::$ty)
        }
    )* };
}

conversions! {
    tostring String;
    tolong Long;
    toreal Real;
    todecimal Decimal;
    tobool Bool;
    todatetime DateTime;
    totimespan TimeSpan;
    toguid Guid;
}

/// `toint`. Of a whole number that does not fit the lower half is left; of a
/// real there is the nearest that does; text that does not fit is null.
pub fn toint(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::Real(r) if !r.is_nan() => Value::Int(*r as i32),
        Value::Long(n) | Value::DateTime(n) | Value::TimeSpan(n) => Value::Int(*n as i32),
        value => convert::convert(value, Type::Int),
    }
}

/// `todynamic`, `parse_json`.
pub fn todynamic(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::String(s) => json::parse_json(s),
        other => other.clone(),
    }
}

/// `tohex`.
pub fn tohex(args: &[Value]) -> Value {
    let digits = match get(args, 0) {
        Value::Int(n) => format!("{n:x}"),
        value => match convert::to_long(value) {
            Some(n) => format!("{n:x}"),
            None => return Value::string(""),
        },
    };
    let width = usize::try_from(long_or(args, 1, 0).clamp(0, 16)).unwrap_or(0);
    Value::string(format!("{digits:0>width$}"))
}

/// `dynamic_to_json`.
pub fn dynamic_to_json(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::Null => Value::string(""),
        value => Value::string(json::to_json(&json::sorted(value))),
    }
}

/// `__cast`.
pub fn cast(args: &[Value]) -> Value {
    match get(args, 0).as_str().and_then(Type::parse) {
        Some(ty) => convert::convert(get(args, 1), ty),
        None => Value::Null,
    }
}
