//! Reading YAML: data files with path and line in every error, and what people
//! write for a repository (fixtures, environments) with the place and the
//! nearest known key.

pub mod places;
pub mod strict;

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};

use crate::pack::Text;
use crate::{FactsError, Pack};

/// Reads one YAML file of the pack. An embedded one is read from its JSON; where
/// that does not fit `T`, the YAML decides, and says what is wrong with it.
pub(crate) fn file<T: DeserializeOwned>(pack: &Pack, path: &str) -> Result<T, FactsError> {
    let shared = pack.shared(path)?;
    if let Text::Embedded(_, json) = shared {
        match json.map(serde_json::from_str).transpose() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => slow(path, "it has no JSON"),
            Err(error) => slow(path, &error.to_string()),
        }
    }
    text(path, shared.as_str())
}

/// An embedded file that is read from its YAML costs every command milliseconds.
#[cfg(test)]
fn slow(path: &str, why: &str) {
    panic!("{path} is not read from its JSON: {why}");
}

#[cfg(not(test))]
fn slow(_: &str, _: &str) {}

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use crate::tables::{Environment, Tables};
    use crate::{FactsError, Pack, aliases::Aliases, attack::Attack, entities::Entities, events::Events};
    use crate::{sigma::Sigma, targets};

    /// The embedded files, and the same with a comment: those are read as YAML.
    fn packs() -> (Pack, Pack) {
        let embedded = Pack::embedded();
        let yaml = |path: &&str| path.rsplit('.').next() == Some("yaml");
        let files: BTreeMap<String, Vec<u8>> = embedded
            .paths_under("schema/")
            .filter(yaml)
            .map(|path| {
                (
                    path.to_owned(),
                    [embedded.require(path).unwrap(), "\n# mine\n"]
                        .concat()
                        .into_bytes(),
                )
            })
            .collect();
        assert!(files.len() > 7, "{:?}", files.keys());
        let own = embedded.clone().overlay(files);
        assert!(own.is_own("schema/") && !embedded.is_own("schema/"));
        (embedded, own)
    }

    fn same<T: Debug>(load: impl Fn(&Pack) -> Result<T, FactsError>) {
        let (embedded, own) = packs();
        let said = |pack| format!("{:#?}", load(pack).unwrap());
        assert_eq!(said(&embedded), said(&own));
    }

    #[test]
    fn what_is_embedded_says_what_the_files_say() {
        same(Aliases::load);
        same(Entities::load);
        same(Events::load);
        same(Sigma::load);
        same(targets::Sentinel::load);
        same(targets::Defender::load);
        same(targets::SigmaRules::load);
        same(|pack| Attack::for_target(pack, "sentinel"));
        same(|pack| Attack::load(pack, "19"));
        for environment in Environment::ALL {
            same(|pack| Tables::new(pack, environment));
        }
    }

    #[test]
    fn a_copy_of_an_embedded_file_is_not_own() {
        let embedded = Pack::embedded();
        let copy = embedded
            .require("schema/entities.yaml")
            .unwrap()
            .as_bytes()
            .to_vec();
        let files = BTreeMap::from([("schema/entities.yaml".to_owned(), copy)]);
        assert!(!embedded.overlay(files).is_own("schema/"));
    }
}
