//! The text of a file as values.
//!
//! In: YAML (one or more documents) or JSON, told apart by its first
//! character, not by the file's name. Out: one value a document. YAML can be
//! made to blow up: size, depth and aliases are bounded before and by the
//! parser.

use rulec_source::{Diagnostic, SourceFile, Span};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::codes;

/// An export of thousands of rules is smaller.
const LARGEST: usize = 64 * 1024 * 1024;
/// Aliases of YAML; rules have none, and many of them blow up.
const MOST_ALIASES: usize = 200;

/// The documents of a file.
pub(crate) fn values(file: &SourceFile) -> Result<Vec<Value>, Box<Diagnostic>> {
    let text = file.text.trim_start_matches('\u{feff}');
    if text.len() > LARGEST {
        let message = format!("the file has {} bytes; {LARGEST} are read", text.len());
        return Err(Box::new(
            Diagnostic::new(codes::LIMIT, message).help("export the rules in several files"),
        ));
    }
    let offset = file.text.len() - text.len();
    if text.trim_start().starts_with(['{', '[']) {
        return match serde_json::from_str(text) {
            Ok(value) => Ok(vec![value]),
            Err(error) => Err(wrong(
                "JSON",
                &error.to_string(),
                at_line(text, offset, error.line()),
            )),
        };
    }
    let aliases = text
        .split_whitespace()
        .filter(|word| word.len() > 1 && word.starts_with('*') && !word.starts_with("**"))
        .take(MOST_ALIASES + 1)
        .count();
    if aliases > MOST_ALIASES && text.contains(": &") {
        return Err(Box::new(
            Diagnostic::new(codes::LIMIT, "the YAML has too many aliases").help("write the values out"),
        ));
    }
    let mut values = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = serde_yaml::Value::deserialize(document).map_err(|error| {
            let line = error.location().map_or(1, |place| place.line());
            wrong("YAML", &error.to_string(), at_line(text, offset, line))
        })?;
        if !value.is_null() {
            values.push(json(value));
        }
    }
    Ok(values)
}

fn wrong(what: &str, message: &str, span: Span) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            codes::SYNTAX,
            format!("this is not {what} that can be read: {message}"),
        )
        .at(span)
        .help("export the rule again, or repair the file"),
    )
}

/// A line, counted from 1.
fn at_line(text: &str, offset: usize, line: usize) -> Span {
    let mut at = offset;
    for (number, content) in text.split_inclusive('\n').enumerate() {
        if number + 1 == line {
            return Span::new(at, at + content.trim_end().len());
        }
        at += content.len();
    }
    Span::new(offset, offset)
}

/// A value of YAML as one of JSON: keys become text, tags go.
fn json(value: serde_yaml::Value) -> Value {
    use serde_yaml::Value as Yaml;
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(truth) => Value::Bool(truth),
        Yaml::Number(number) => {
            if let Some(n) = number.as_i64() {
                n.into()
            } else if let Some(n) = number.as_u64() {
                n.into()
            } else {
                number.as_f64().map_or(Value::Null, Value::from)
            }
        }
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Mapping(map) => map
            .into_iter()
            .map(|(key, value)| (text(&json(key)).unwrap_or_default(), json(value)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(tagged) => json(tagged.value),
    }
}

/// A scalar as text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A scalar or a list of scalars as texts.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// Whether a value says nothing.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}

/// A mapping whose keys are taken out one by one, so that what nobody took is
/// known at the end.
#[derive(Debug, Default)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    pub(crate) fn of(value: Option<Value>) -> Self {
        match value {
            Some(Value::Object(map)) => Self(map),
            _ => Self::default(),
        }
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).as_ref().and_then(text)
    }

    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        self.take(key).as_ref().map(texts).unwrap_or_default()
    }

    pub(crate) fn fields(&mut self, key: &str) -> Self {
        Self::of(self.take(key))
    }

    /// The keys that are left and say something.
    pub(crate) fn rest(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(key, _)| key.as_str())
            .collect()
    }
}
