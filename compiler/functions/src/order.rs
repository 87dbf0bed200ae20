//! Order and equality of values: for sorting, and as keys of groups and joins.
//!
//! In: values. Out: an order, or a [`Key`] that can be hashed. Comparison in a
//! predicate (`<`, `==`) is a kernel, with null its own result; here null has
//! a place.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::{Value, convert, json};

/// Where a type stands among values of different types, as only `dynamic`
/// columns have them.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_) => 2,
        Value::DateTime(_) => 3,
        Value::TimeSpan(_) => 4,
        Value::Guid(_) => 5,
        Value::String(_) => 6,
        Value::Array(_) => 7,
        Value::Bag(_) => 8,
    }
}

/// A total order: null first, then by type, then by value. NaN comes before
/// all other numbers, strings go by their code points, and arrays and bags
/// by their text.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) | (Value::TimeSpan(a), Value::TimeSpan(b)) => a.cmp(b),
        (Value::Guid(a), Value::Guid(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(_), Value::Array(_)) | (Value::Bag(_), Value::Bag(_)) => {
            json::to_json(a).cmp(&json::to_json(b))
        }
        _ if rank(a) == 2 && rank(b) == 2 => compare_numbers(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The order of two numbers of any types; NaN is least.
pub fn compare_numbers(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(_) | Value::Long(_), Value::Int(_) | Value::Long(_)) => {
            convert::to_long(a).cmp(&convert::to_long(b))
        }
        (Value::Real(a), Value::Real(b)) => compare_reals(*a, *b),
        (Value::Decimal(_), Value::Int(_) | Value::Long(_) | Value::Decimal(_))
        | (Value::Int(_) | Value::Long(_), Value::Decimal(_)) => {
            convert::to_decimal(a).cmp(&convert::to_decimal(b))
        }
        (Value::Int(_) | Value::Long(_), Value::Real(r)) => {
            compare_long_real(convert::to_long(a).unwrap_or(0), *r)
        }
        (Value::Real(r), Value::Int(_) | Value::Long(_)) => {
            compare_long_real(convert::to_long(b).unwrap_or(0), *r).reverse()
        }
        _ => match (convert::to_real(a), convert::to_real(b)) {
            (Some(a), Some(b)) => compare_reals(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        },
    }
}

fn compare_reals(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Exact, also where the long has more digits than a real holds.
fn compare_long_real(long: i64, real: f64) -> Ordering {
    if real.is_nan() {
        return Ordering::Greater;
    }
    let whole = real.floor();
    if whole >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if whole < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    long.cmp(&(whole as i64)).then_with(|| {
        if real > whole {
            Ordering::Less
        } else {
            Ordering::Equal
        }
    })
}

/// The order `sort by` uses: descending or not, nulls first or last whichever
/// way the sort goes, and what is not a number between them and the numbers.
/// (Unless a query says otherwise, ascending puts nulls first and descending
/// puts them last.)
pub fn compare_sorted(a: &Value, b: &Value, descending: bool, nulls_first: bool) -> Ordering {
    let aside = match (aside(a), aside(b)) {
        (0, 0) if descending => return compare(b, a),
        (0, 0) => return compare(a, b),
        (a, b) => a.cmp(&b),
    };
    if nulls_first { aside.reverse() } else { aside }
}

/// How far from the numbers a value is sorted whichever way the sort goes.
fn aside(value: &Value) -> u8 {
    match value {
        Value::Null => 2,
        Value::Real(real) if real.is_nan() => 1,
        _ => 0,
    }
}

/// What makes two values one group: numbers of any type are the same when
/// their values are, and null is a value like any other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of any numeric type.
    Long(i64),
    /// A real that is not a whole number, or too large for one.
    Real(RealKey),
    /// A decimal that is not a whole number, without trailing zeros.
    Decimal(Decimal),
    /// A datetime.
    DateTime(i64),
    /// A timespan.
    TimeSpan(i64),
    /// A guid.
    Guid(u128),
    /// A string.
    String(Arc<str>),
    /// An array or bag, by its text.
    Json(Arc<str>),
}

/// The bits of a real; all NaNs are one.
#[derive(Clone, Copy, Debug)]
pub struct RealKey(f64);

impl RealKey {
    fn bits(self) -> u64 {
        if self.0.is_nan() {
            f64::NAN.to_bits()
        } else {
            self.0.to_bits()
        }
    }
}

impl PartialEq for RealKey {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for RealKey {}

impl Hash for RealKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl PartialOrd for RealKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RealKey {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_reals(self.0, other.0).then_with(|| self.bits().cmp(&other.bits()))
    }
}

impl Key {
    /// The key of a value.
    pub fn of(value: &Value) -> Key {
        match value {
            Value::Null => Key::Null,
            Value::Bool(b) => Key::Bool(*b),
            Value::Int(n) => Key::Long(i64::from(*n)),
            Value::Long(n) => Key::Long(*n),
            Value::Real(r) => {
                let whole = *r as i64;
                // The second half tells 2^63 from the largest long.
                if whole as f64 == *r && whole != i64::MAX {
                    Key::Long(whole)
                } else {
                    Key::Real(RealKey(*r))
                }
            }
            Value::Decimal(d) => {
                if d.fract().is_zero()
                    && let Some(whole) = convert::to_long(value)
                {
                    Key::Long(whole)
                } else {
                    Key::Decimal(d.normalize())
                }
            }
            Value::DateTime(t) => Key::DateTime(*t),
            Value::TimeSpan(t) => Key::TimeSpan(*t),
            Value::Guid(g) => Key::Guid(*g),
            Value::String(s) => Key::String(Arc::clone(s)),
            Value::Array(_) | Value::Bag(_) => Key::Json(json::to_json(value).into()),
        }
    }

    /// The keys of a row of values.
    pub fn row(values: &[Value]) -> Vec<Key> {
        values.iter().map(Key::of).collect()
    }
}

/// Whether two values are one group: null equals null, unlike in `==`.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Long(a), Value::Long(b)) => a == b,
        _ => Key::of(a) == Key::of(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_meet() {
        let one = Key::of(&Value::Long(1));
        for value in [
            Value::Int(1),
            Value::Real(1.0),
            Value::Decimal(Decimal::new(100, 2)),
        ] {
            assert_eq!(Key::of(&value), one);
            assert_eq!(compare(&value, &Value::Long(1)), Ordering::Equal);
        }
        assert_eq!(
            compare(&Value::Long(i64::MAX), &Value::Real(9_223_372_036_854_775_807.0)),
            Ordering::Less
        );
        assert_eq!(Key::of(&Value::Real(-0.0)), Key::Long(0));
        assert!(same(&Value::Real(f64::NAN), &Value::Real(-f64::NAN)));
        assert!(!same(
            &Value::Long(i64::MAX),
            &Value::Real(9_223_372_036_854_775_807.0)
        ));
    }

    #[test]
    fn nulls_have_a_place() {
        let (null, one) = (Value::Null, Value::Long(1));
        assert_eq!(compare_sorted(&null, &one, false, true), Ordering::Less);
        assert_eq!(compare_sorted(&null, &one, true, false), Ordering::Greater);
        assert_eq!(compare_sorted(&null, &one, true, true), Ordering::Less);
        let nan = Value::Real(f64::NAN);
        for descending in [false, true] {
            assert_eq!(compare_sorted(&nan, &one, descending, true), Ordering::Less);
            assert_eq!(compare_sorted(&null, &nan, descending, true), Ordering::Less);
            assert_eq!(compare_sorted(&nan, &one, descending, false), Ordering::Greater);
            assert_eq!(compare_sorted(&null, &nan, descending, false), Ordering::Greater);
        }
    }
}
