//! Reading YAML data files: strict, with path and line in every error.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};

use crate::{FactsError, Pack};

/// Reads one YAML file of the pack.
pub(crate) fn file<T: DeserializeOwned>(pack: &Pack, path: &str) -> Result<T, FactsError> {
    text(path, pack.require(path)?)
}

/// Reads YAML text that stands in the file `path`.
pub(crate) fn text<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, FactsError> {
    serde_yaml::from_str(text).map_err(|error| {
        let message = error.to_string();
        match error.location() {
            // The message repeats the place at its end; the line stands in front already.
            Some(place) => {
                let suffix = format!(" at line {} column {}", place.line(), place.column());
                FactsError::at(path, place.line(), message.replace(&suffix, ""))
            }
            None => FactsError::new(path, message),
        }
    })
}

/// A mapping whose order counts: columns of a table. A key given twice is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ordered<V>(pub(crate) Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs: Vec<(String, V)> = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if pairs.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format!("'{key}' is given twice")));
                    }
                    pairs.push((key, map.next_value()?));
                }
                Ok(Ordered(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}
