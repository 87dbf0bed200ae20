//! Arithmetic, and rounding to multiples.
//!
//! Integers wrap, an integer divided by zero is null, the modulo of numbers is
//! never negative, decimals and times that overflow are null, and any null
//! operand gives null. Dynamic operands count by what they hold.

use rust_decimal::Decimal;

use crate::args::get;
use crate::{Value, calendar, convert};

rows! { ROWS: Operator in arithmetic {
    add "+",
        [(Number, Number) -> Widest, (TimeSpan, TimeSpan) -> TimeSpan, (Time, Time) -> DateTime, (Dynamic, Dynamic) -> Dynamic, (Dynamic, Int) -> Long, (Int, Dynamic) -> Long,
         (Dynamic, AnySummable) -> Second, (AnySummable, Dynamic) -> First],
        "The sum.",
        "1 + 2" => "3", "datetime(2020-01-01) + 1d" => "2020-01-02T00:00:00.0000000Z";
    subtract "-",
        [(Number, Number) -> Widest, (TimeSpan, TimeSpan) -> TimeSpan, (DateTime, DateTime) -> TimeSpan, (DateTime, Dynamic) -> TimeSpan,
         (Dynamic, DateTime) -> TimeSpan, (DateTime, TimeSpan) -> DateTime, (TimeSpan, DateTime) -> DateTime, (Dynamic, Dynamic) -> Dynamic, (Dynamic, Int) -> Long, (Int, Dynamic) -> Long,
         (Dynamic, AnySummable) -> Second, (AnySummable, Dynamic) -> First],
        "The difference; of two datetimes, a timespan.",
        "1 - 2" => "-1", "datetime(2020-01-02) - datetime(2020-01-01)" => "1.00:00:00";
    multiply "*",
        [(Number, Number) -> Widest, (TimeSpan, TimeSpan) -> TimeSpan, (TimeSpan, Number) -> TimeSpan, (Number, TimeSpan) -> TimeSpan,
         (DateTime, Number) -> DateTime, (Number, DateTime) -> DateTime, (Dynamic, Dynamic) -> Dynamic, (Dynamic, Int) -> Long, (Int, Dynamic) -> Long,
         (Dynamic, Number) -> Second, (Number, Dynamic) -> First],
        "The product.",
        "2 * 3" => "6", "2 * 1d" => "2.00:00:00";
    divide "/",
        [(Number, Number) -> Widest, (TimeSpan, TimeSpan) -> Real, (TimeSpan, Number) -> TimeSpan, (DateTime, DateTime) -> Real,
         (DateTime, TimeSpan) -> Real, (DateTime, Number) -> DateTime, (Dynamic, Dynamic) -> Dynamic, (Dynamic, Int) -> Long, (Int, Dynamic) -> Long,
         (Dynamic, Number) -> Second, (Number, Dynamic) -> First],
        "The quotient; whole for integers, real for two timespans.",
        "7 / 2" => "3", "7 / 2.0" => "3.5", "1d / 1h" => "24", "1 / 0" => "";
    modulo "%",
        [(Number, Number) -> Widest, (TimeSpan, TimeSpan) -> TimeSpan, (TimeSpan, Number) -> TimeSpan, (DateTime, DateTime) -> TimeSpan,
         (DateTime, TimeSpan) -> TimeSpan, (DateTime, Number) -> DateTime, (Dynamic, Dynamic) -> Dynamic, (Dynamic, Int) -> Long, (Int, Dynamic) -> Long,
         (Dynamic, Number) -> Second, (Number, Dynamic) -> First],
        "The rest of a division, never negative.",
        "14 % 12" => "2", "-14 % 12" => "10", "14 % -12" => "2";
    negate "negate", [(Summable) -> Promoted, (Dynamic) -> Dynamic], "The value with the opposite sign.",
        "-(1)" => "-1";
}}

rows! { FUNCTIONS: Function in arithmetic {
    bin "bin" = "floor" as FirstArgument,
        [(Number, Number) -> Widest, (TimeSpan, TimeSpan) -> TimeSpan, (DateTime, DateTime) -> DateTime, (DateTime, TimeSpan) -> DateTime],
        "Rounds down to a multiple.",
        "bin(4.5, 1)" => "4", "bin(-7, 5)" => "-10", "bin(datetime(1970-05-11 13:45:07), 1d)" => "1970-05-11T00:00:00.0000000Z";
    bin_at "bin_at" as FirstArgument,
        [(Number, Number, Number) -> Widest, (TimeSpan, Number, TimeSpan) -> TimeSpan, (TimeSpan, TimeSpan, TimeSpan) -> TimeSpan, (DateTime, Summable, DateTime) -> DateTime],
        "Rounds down to a multiple, counted from a fixed point.",
        "bin_at(6.5, 2.5, 7)" => "4.5", "bin_at(datetime(2017-05-15 10:20:00), 1d, datetime(1970-01-01 12:00:00))" => "2017-05-14T12:00:00.0000000Z";
    context "bin_auto" as FirstArgument, [(Summable) -> Promoted],
        "Rounds down to the multiple that the query's own options fix.";
}}

/// Two numbers in the wider of their types.
pub(crate) enum Pair {
    Long(i64, i64),
    Real(f64, f64),
    Decimal(Decimal, Decimal),
}

/// The operands as numbers of one type; none if one is no number.
pub(crate) fn pair(a: &Value, b: &Value) -> Option<Pair> {
    match (a, b) {
        (Value::Int(_) | Value::Long(_), Value::Int(_) | Value::Long(_)) => {
            Some(Pair::Long(convert::to_long(a)?, convert::to_long(b)?))
        }
        (Value::Decimal(_), Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_))
        | (Value::Int(_) | Value::Long(_) | Value::Real(_), Value::Decimal(_)) => {
            Some(Pair::Decimal(convert::to_decimal(a)?, convert::to_decimal(b)?))
        }
        (Value::Real(_), Value::Int(_) | Value::Long(_) | Value::Real(_))
        | (Value::Int(_) | Value::Long(_), Value::Real(_)) => {
            Some(Pair::Real(convert::to_real(a)?, convert::to_real(b)?))
        }
        _ => None,
    }
}

fn decimal(value: Option<Decimal>) -> Value {
    value.map_or(Value::Null, Value::Decimal)
}

fn datetime(ticks: Option<i64>) -> Value {
    ticks
        .filter(|t| calendar::valid(*t))
        .map_or(Value::Null, Value::DateTime)
}

fn timespan(ticks: Option<i64>) -> Value {
    ticks.map_or(Value::Null, Value::TimeSpan)
}

/// Ticks from a real, where they fit.
fn ticks(real: f64) -> Option<i64> {
    convert::to_long(&Value::Real(real))
}

/// `+`.
pub fn add(args: &[Value]) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    match (a, b) {
        (Value::DateTime(a), Value::TimeSpan(b)) | (Value::TimeSpan(a), Value::DateTime(b)) => {
            datetime(a.checked_add(*b))
        }
        (Value::DateTime(a), Value::DateTime(b)) => datetime(a.checked_add(*b)),
        (Value::TimeSpan(a), Value::TimeSpan(b)) => timespan(a.checked_add(*b)),
        _ => match pair(a, b) {
            Some(Pair::Long(a, b)) => Value::Long(a.wrapping_add(b)),
            Some(Pair::Real(a, b)) => Value::Real(a + b),
            Some(Pair::Decimal(a, b)) => decimal(a.checked_add(b)),
            None => Value::Null,
        },
    }
}

/// `-` between two operands.
pub fn subtract(args: &[Value]) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    match (a, b) {
        (Value::DateTime(a), Value::DateTime(b)) => timespan(a.checked_sub(*b)),
        (Value::DateTime(a), Value::TimeSpan(b)) | (Value::TimeSpan(a), Value::DateTime(b)) => {
            datetime(a.checked_sub(*b))
        }
        (Value::TimeSpan(a), Value::TimeSpan(b)) => timespan(a.checked_sub(*b)),
        // A datetime in a dynamic may be text.
        (Value::DateTime(a), Value::String(_)) => {
            timespan(convert::to_datetime(b).and_then(|b| a.checked_sub(b)))
        }
        (Value::String(_), Value::DateTime(b)) => {
            timespan(convert::to_datetime(a).and_then(|a| a.checked_sub(*b)))
        }
        _ => match pair(a, b) {
            Some(Pair::Long(a, b)) => Value::Long(a.wrapping_sub(b)),
            Some(Pair::Real(a, b)) => Value::Real(a - b),
            Some(Pair::Decimal(a, b)) => decimal(a.checked_sub(b)),
            None => Value::Null,
        },
    }
}

/// `*`.
pub fn multiply(args: &[Value]) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    match (a, b) {
        (Value::TimeSpan(a), Value::TimeSpan(b)) => timespan(a.checked_mul(*b)),
        (Value::TimeSpan(t), n) | (n, Value::TimeSpan(t)) => timespan(scale(*t, n)),
        (Value::DateTime(t), n) | (n, Value::DateTime(t)) => datetime(scale(*t, n)),
        _ => match pair(a, b) {
            Some(Pair::Long(a, b)) => Value::Long(a.wrapping_mul(b)),
            Some(Pair::Real(a, b)) => Value::Real(a * b),
            Some(Pair::Decimal(a, b)) => decimal(a.checked_mul(b)),
            None => Value::Null,
        },
    }
}

/// Ticks times a number.
fn scale(time: i64, number: &Value) -> Option<i64> {
    match number {
        Value::Int(_) | Value::Long(_) => time.checked_mul(convert::to_long(number)?),
        Value::Real(r) => ticks((time as f64 * r).round()),
        Value::Decimal(d) => convert::to_long(&Value::Decimal(Decimal::from(time).checked_mul(*d)?.round())),
        _ => None,
    }
}

/// `/`.
pub fn divide(args: &[Value]) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    match (a, b) {
        (Value::TimeSpan(a), Value::TimeSpan(b))
        | (Value::DateTime(a), Value::TimeSpan(b) | Value::DateTime(b)) => Value::Real(*a as f64 / *b as f64),
        (Value::TimeSpan(t), n) => timespan(unscale(*t, n)),
        (Value::DateTime(t), n) => datetime(unscale(*t, n)),
        _ => match pair(a, b) {
            Some(Pair::Long(_, 0)) | None => Value::Null,
            Some(Pair::Long(a, b)) => Value::Long(a.wrapping_div(b)),
            Some(Pair::Real(a, b)) => Value::Real(a / b),
            Some(Pair::Decimal(a, b)) => decimal(a.checked_div(b)),
        },
    }
}

/// Ticks divided by a number.
fn unscale(time: i64, number: &Value) -> Option<i64> {
    match number {
        Value::Int(_) | Value::Long(_) => time.checked_div(convert::to_long(number)?),
        Value::Real(r) => ticks((time as f64 / r).round()),
        Value::Decimal(d) => convert::to_long(&Value::Decimal(Decimal::from(time).checked_div(*d)?.round())),
        _ => None,
    }
}

/// `%`.
pub fn modulo(args: &[Value]) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    match (a, b) {
        (Value::TimeSpan(a) | Value::DateTime(a), Value::TimeSpan(b) | Value::DateTime(b)) => {
            timespan(a.checked_rem_euclid(*b))
        }
        (Value::TimeSpan(t), n) => timespan(convert::to_long(n).and_then(|n| t.checked_rem_euclid(n))),
        (Value::DateTime(t), n) => datetime(convert::to_long(n).and_then(|n| t.checked_rem_euclid(n))),
        _ => match pair(a, b) {
            Some(Pair::Long(_, 0)) | None => Value::Null,
            Some(Pair::Long(a, b)) => Value::Long(a.wrapping_rem_euclid(b)),
            Some(Pair::Real(a, b)) => Value::Real(a.rem_euclid(b)),
            Some(Pair::Decimal(a, b)) => {
                let rest = a.checked_rem(b);
                decimal(rest.and_then(|rest| {
                    if rest.is_sign_negative() && !rest.is_zero() {
                        rest.checked_add(b.abs())
                    } else {
                        Some(rest)
                    }
                }))
            }
        },
    }
}

/// `-` before one operand.
pub fn negate(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::Int(n) => Value::Long(-i64::from(*n)),
        Value::Long(n) => Value::Long(n.wrapping_neg()),
        Value::Real(r) => Value::Real(-r),
        Value::Decimal(d) => Value::Decimal(-*d),
        Value::TimeSpan(t) => timespan(t.checked_neg()),
        _ => Value::Null,
    }
}

/// `bin`: down to a multiple, also below zero; null for a bin of no size or a
/// negative one.
pub fn bin(args: &[Value]) -> Value {
    let (value, size) = (get(args, 0), get(args, 1));
    match (value, size) {
        (Value::DateTime(t), Value::TimeSpan(s) | Value::DateTime(s)) => datetime(floor_to(*t, *s)),
        (Value::TimeSpan(t), Value::TimeSpan(s)) => timespan(floor_to(*t, *s)),
        _ => match pair(value, size) {
            Some(Pair::Long(a, b)) => floor_to(a, b).map_or(Value::Null, Value::Long),
            Some(Pair::Real(a, b)) if b > 0.0 => Value::Real((a / b).floor() * b),
            Some(Pair::Decimal(a, b)) if b > Decimal::ZERO => {
                decimal(a.checked_div(b).and_then(|n| n.floor().checked_mul(b)))
            }
            _ => Value::Null,
        },
    }
}

fn floor_to(value: i64, size: i64) -> Option<i64> {
    if size <= 0 {
        return None;
    }
    value.checked_sub(value.checked_rem_euclid(size)?)
}

/// `bin_at`: down to a multiple, counted from the third argument.
pub fn bin_at(args: &[Value]) -> Value {
    let (value, size, origin) = (get(args, 0), get(args, 1), get(args, 2));
    match (value, origin) {
        (Value::DateTime(t), Value::DateTime(o)) => datetime(step(size).and_then(|s| floor_from(*t, s, *o))),
        (Value::TimeSpan(t), Value::TimeSpan(o)) => timespan(step(size).and_then(|s| floor_from(*t, s, *o))),
        _ => {
            let offset = subtract(&[value.clone(), origin.clone()]);
            add(&[bin(&[offset, size.clone()]), origin.clone()])
        }
    }
}

/// The size of a bin in ticks; a bare number counts days.
fn step(size: &Value) -> Option<i64> {
    match size {
        Value::TimeSpan(s) | Value::DateTime(s) => Some(*s),
        number => scale(calendar::DAY, number),
    }
}

fn floor_from(value: i64, size: i64, origin: i64) -> Option<i64> {
    floor_to(value.checked_sub(origin)?, size)?.checked_add(origin)
}
