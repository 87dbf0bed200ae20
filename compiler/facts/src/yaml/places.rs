//! Where in a YAML text a key or a value stands.
//!
//! The parser gives places to errors only. So the text is read once more with
//! a reader that goes to what is looked for and fails there.

use std::fmt;

use rulec_source::Span;
use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// One step on the way to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'p> {
    /// The value of a key.
    Key(&'p str),
    /// An item of a list, from 0.
    Item(usize),
}

/// The value at the end of a path, to the end of its first line.
pub fn value(text: &str, path: &[Step<'_>]) -> Option<Span> {
    find(text, Way { path, key: false })
}

/// The key that is the last step of a path.
pub fn key(text: &str, path: &[Step<'_>]) -> Option<Span> {
    let Some(Step::Key(name)) = path.last() else {
        return None;
    };
    let found = find(text, Way { path, key: true })?;
    let start = found.start as usize + usize::from(text[found.range()].starts_with(['"', '\'']));
    Some(Span::new(start, (start + name.len()).min(text.len())))
}

fn find(text: &str, way: Way<'_>) -> Option<Span> {
    let error = way.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    let place = error.location().filter(|_| error.to_string().contains(HERE))?;
    Some(at(text, place.line(), place.column()))
}

/// From a line and a column, both from 1, to the end of what stands there: of
/// the line, or of the item within brackets.
pub fn at(text: &str, line: usize, column: usize) -> Span {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text[before..].lines().next().unwrap_or_default();
    let from: usize = rest
        .chars()
        .take(column.saturating_sub(1))
        .map(char::len_utf8)
        .sum();
    let token = rest[from..].split(" #").next().unwrap_or_default();
    let end = match token.chars().next() {
        Some(quote @ ('"' | '\'')) => token[1..].find(quote).map(|at| at + 2),
        Some('{' | '[') => None,
        // Only within brackets does a comma end what stands there.
        _ if rest[..from].contains(['{', '[']) => token.find([',', '}', ']']),
        _ => None,
    };
    let token = token[..end.unwrap_or(token.len())].trim_end();
    Span::new(before + from, before + from + token.len())
}

/// What the reader says when it is there.
const HERE: &str = "rulec looks for this";

#[derive(Clone, Copy)]
struct Way<'p> {
    path: &'p [Step<'p>],
    /// Whether the last key is looked for, not its value.
    key: bool,
}

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.is_empty() { HERE } else { "a way on" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(name), rest)) = self.path.split_first() else {
            return Err(de::Error::invalid_type(de::Unexpected::Map, &self));
        };
        let stop = self.key && rest.is_empty();
        while let Some(found) = map.next_key_seed(Key { name, stop })? {
            if found {
                map.next_value_seed(Way {
                    path: rest,
                    key: self.key,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Step::Item(index), rest)) = self.path.split_first() else {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        };
        for _ in 0..*index {
            seq.next_element::<IgnoredAny>()?;
        }
        let way = Way {
            path: rest,
            key: self.key,
        };
        seq.next_element_seed(way)?;
        // A list has to be read to its end.
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Whether a key is the one looked for; fails there if it is what is wanted.
struct Key<'p> {
    name: &'p str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        if key == self.name && self.stop {
            return Err(E::custom(HERE));
        }
        Ok(key == self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "now: 2026 # time\nevents:\n  a: { table: T, row: { X: 1, 'Y y': é } }\n  \"b\":\n    table: U\ncases:\n  - name: one, two\n    events: [a, \"b c\", { event: b, times: 2 }]\n";

    #[test]
    fn values_and_keys_are_found_in_both_styles() {
        use Step::{Item, Key};
        let of = |span: Option<Span>| span.map(|span| span.of(TEXT));
        assert_eq!(of(value(TEXT, &[Key("now")])), Some("2026"));
        assert_eq!(of(key(TEXT, &[Key("events"), Key("a")])), Some("a"));
        assert_eq!(
            of(value(TEXT, &[Key("cases"), Item(0), Key("name")])),
            Some("one, two")
        );
        assert_eq!(of(key(TEXT, &[Key("events"), Key("b")])), Some("b"));
        assert_eq!(
            of(value(TEXT, &[Key("events"), Key("a"), Key("row"), Key("Y y")])),
            Some("é")
        );
        assert_eq!(
            of(value(TEXT, &[Key("events"), Key("a"), Key("table")])),
            Some("T")
        );
        assert_eq!(
            of(value(TEXT, &[Key("cases"), Item(0), Key("events"), Item(1)])),
            Some("\"b c\"")
        );
        let event = [Key("cases"), Item(0), Key("events"), Item(2), Key("event")];
        assert_eq!(of(value(TEXT, &event)), Some("b"));
        assert_eq!(of(key(TEXT, &event)), Some("event"));
        assert_eq!(of(value(TEXT, &[Key("cases"), Item(1)])), None);
        assert_eq!(of(value(TEXT, &[Key("events"), Key("c")])), None);
        assert_eq!(of(value(TEXT, &[Key("now"), Key("c")])), None);
    }
}
