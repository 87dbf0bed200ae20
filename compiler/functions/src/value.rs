//! One value of a running query.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

/// A value. Which type a column has is known to the query, so null carries no
/// type of its own, and a `dynamic` column simply holds values of any variant.
///
/// Invariants: a `string` column never holds `Null` (it holds the empty
/// string); `Array` and `Bag` appear only where the type is `dynamic`.
/// Cloning is cheap: long content is shared.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Null of whatever type the column has.
    #[default]
    Null,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i32),
    /// `long`.
    Long(i64),
    /// `real`, including NaN and the infinities.
    Real(f64),
    /// `decimal`.
    Decimal(Decimal),
    /// `datetime`: 100 ns ticks since 0001-01-01T00:00:00Z.
    DateTime(i64),
    /// `timespan`: 100 ns ticks.
    TimeSpan(i64),
    /// `guid`, most significant byte first.
    Guid(u128),
    /// `string`.
    String(Arc<str>),
    /// `dynamic` array.
    Array(Arc<[Value]>),
    /// `dynamic` property bag.
    Bag(Arc<Bag>),
}

/// Up to how many keys a bag is searched rather than indexed while it is built.
const FEW: usize = 16;

/// A property bag: keys in the order they were written, each once.
#[derive(Clone, Debug, Default)]
pub struct Bag {
    entries: Vec<(Arc<str>, Value)>,
}

impl Bag {
    /// An empty bag.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key, keeping the place of one that exists.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Value) {
        let key = key.into();
        match self.entries.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key, value)),
        }
    }

    /// The value under a key; keys are case-sensitive.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(k, _)| &**k == key).map(|(_, v)| v)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(k, v)| (&**k, v))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(Arc<str>, Value)> for Bag {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut bag = Self::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        for (key, value) in entries {
            if bag.entries.len() < FEW {
                bag.insert(key, value);
                continue;
            }
            // Looking through many keys for each one would be quadratic.
            if places.is_empty() {
                places.extend(
                    bag.entries
                        .iter()
                        .enumerate()
                        .map(|(at, (key, _))| (Arc::clone(key), at)),
                );
            }
            if let Some(&at) = places.get(&key) {
                bag.entries[at].1 = value;
            } else {
                places.insert(Arc::clone(&key), bag.entries.len());
                bag.entries.push((key, value));
            }
        }
        bag
    }
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Value::String(text.into())
    }

    /// A dynamic array.
    pub fn array(items: impl Into<Arc<[Value]>>) -> Self {
        Value::Array(items.into())
    }

    /// Whether the value is null. The empty string is not.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether the value is `true`: what a predicate asks. Null is not.
    pub fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_once_in_large_bags_too() {
        let entry = |n: i64| (Arc::from(n.to_string()), Value::Long(n));
        let bag: Bag = (0..100)
            .map(entry)
            .chain([(Arc::from("3"), Value::Long(-3))])
            .collect();
        assert_eq!(bag.len(), 100);
        assert!(matches!(bag.get("3"), Some(Value::Long(-3))));
        assert_eq!(bag.iter().nth(99).map(|(key, _)| key), Some("99"));
    }
}
