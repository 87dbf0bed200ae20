//! What people write in YAML, read strictly: a key that is not known or is
//! there twice is an error with its place, and the nearest known key.

use std::fmt;

use rulec_source::{Code, Diagnostic, Span};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::places;

/// A mapping in which no key stands twice.
pub fn unique<'de, D, V, C>(deserializer: D) -> Result<C, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
    C: Default + Extend<(String, V)>,
{
    struct Pairs<V, C>(std::marker::PhantomData<(V, C)>);
    impl<'de, V: Deserialize<'de>, C: Default + Extend<(String, V)>> Visitor<'de> for Pairs<V, C> {
        type Value = C;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`key: value` pairs")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C, A::Error> {
            let mut seen = std::collections::BTreeSet::new();
            let mut all = C::default();
            while let Some(key) = map.next_key_seed(New(&seen))? {
                seen.insert(key.clone());
                all.extend([(key, map.next_value::<V>()?)]);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_map(Pairs(std::marker::PhantomData))
}

/// A key that has not been there yet; refused at its own place.
struct New<'s>(&'s std::collections::BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for New<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for New<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<String, E> {
        if self.0.contains(key) {
            return Err(E::custom(format_args!("`{key}` is there twice")));
        }
        Ok(key.to_owned())
    }
}

/// What the parser says, at its place.
///
/// `what` is the kind of file: "the fixture".
pub fn refused(code: Code, what: &str, text: &str, error: &serde_yaml::Error) -> Diagnostic {
    let message = error.to_string();
    // Its sentence ends with the place, and may begin with a path.
    let message = message.rfind(" at line ").map_or(&*message, |at| &message[..at]);
    let place = error
        .location()
        .map_or(Span::default(), |l| places::at(text, l.line(), l.column()));
    let found = |message: &str| Diagnostic::new(code, format!("{what} cannot be used: {message}")).at(place);
    let Some((before, expected)) = message.split_once(", expected ") else {
        return found(message);
    };
    let named = |kind: &str| {
        before
            .split_once(kind)
            .and_then(|(_, rest)| rest.split('`').next())
    };
    let key = named("unknown field `");
    let written = key.or_else(|| named("unknown variant `"));
    let known = || expected.split('`').skip(1).step_by(2);
    match written.map(|written| crate::close_matches(written, known(), 1)) {
        Some(close) => match close.first() {
            Some(close) => found(before).help(format!("did you mean `{close}`?")),
            None => {
                let what = if key.is_some() { "keys" } else { "words" };
                let known: Vec<&str> = known().collect();
                found(before).help(format!("{what} here are {}", known.join(", ")))
            }
        },
        None => found(before).help(format!("expected {expected}")),
    }
}
