//! JSON and `dynamic`.
//!
//! In: JSON text or values. Out: values or JSON text, as `parse_json` and
//! `tostring` of a dynamic value do. Keys keep their order, nesting is limited.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::{Bag, Value, text};

/// How deep arrays and bags may nest; deeper text is not JSON to us.
pub const MAX_DEPTH: usize = 128;

/// What `parse_json` gives: the value of JSON text, null for empty text, and
/// text that is not JSON as a string.
pub fn parse_json(input: &str) -> Value {
    match parse(input) {
        Some(value) => value,
        None if input.trim().is_empty() => Value::Null,
        None => Value::string(input),
    }
}

/// The value of JSON text; none if it is anything else.
pub fn parse(input: &str) -> Option<Value> {
    let parsed: serde_json::Value = serde_json::from_str(input).ok()?;
    Some(from_serde(&parsed, 0))
}

/// A value from parsed JSON. Whole numbers are `long`, those that do not fit
/// `real`.
pub fn from_serde(value: &serde_json::Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(n) => Value::Long(n),
            None => n.as_f64().map_or(Value::Null, Value::Real),
        },
        serde_json::Value::String(s) => Value::string(s.as_str()),
        serde_json::Value::Array(items) => {
            Value::Array(items.iter().map(|item| from_serde(item, depth + 1)).collect())
        }
        serde_json::Value::Object(entries) => Value::Bag(Arc::new(
            entries
                .iter()
                .map(|(key, value)| (Arc::from(key.as_str()), from_serde(value, depth + 1)))
                .collect::<Bag>(),
        )),
    }
}

/// The value with the keys of all bags in order.
pub fn sorted(value: &Value) -> Value {
    fn walk(value: &Value, depth: usize) -> Value {
        match value {
            Value::Array(items) if depth <= MAX_DEPTH => {
                Value::Array(items.iter().map(|item| walk(item, depth + 1)).collect())
            }
            Value::Bag(bag) if depth <= MAX_DEPTH => {
                let mut entries: Vec<(&str, &Value)> = bag.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                let entries = entries.into_iter();
                Value::Bag(Arc::new(
                    entries
                        .map(|(k, v)| (Arc::from(k), walk(v, depth + 1)))
                        .collect::<Bag>(),
                ))
            }
            other => other.clone(),
        }
    }
    walk(value, 0)
}

/// JSON text of a value, without spaces. Types JSON does not have are strings
/// as they print; reals keep a fraction, so that they stay reals.
pub fn to_json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

/// Appends [`to_json`] to a string.
pub fn write_json(out: &mut String, value: &Value) {
    write(out, value, 0);
}

fn write(out: &mut String, value: &Value, depth: usize) {
    // Values are built by code that limits depth; this is for values that are not.
    if depth > 4 * MAX_DEPTH {
        out.push_str("null");
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Decimal(_) => {
            out.push_str(&text::print(value));
        }
        Value::Real(r) if r.is_finite() => {
            let printed = text::print_real(*r);
            out.push_str(&printed);
            if printed.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
                out.push_str(".0");
            }
        }
        Value::Real(_) | Value::DateTime(_) | Value::TimeSpan(_) | Value::Guid(_) => {
            write_string(out, &text::print(value));
        }
        Value::String(s) => write_string(out, s),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, item, depth + 1);
            }
            out.push(']');
        }
        Value::Bag(bag) => {
            out.push('{');
            for (i, (key, item)) in bag.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write(out, item, depth + 1);
            }
            out.push('}');
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            r#"{"b":1,"a":[1.5,"x\"\n",null,true],"c":{}}"#,
            "[]",
            "118.0",
            "-3",
        ] {
            assert_eq!(to_json(&parse_json(text)), text);
        }
        assert_eq!(
            to_json(&parse_json("18446744073709551615")),
            "1.8446744073709552E+19"
        );
    }

    #[test]
    fn not_json() {
        assert!(parse_json(" ").is_null());
        assert_eq!(parse_json("{a").as_str(), Some("{a"));
        let deep = "[".repeat(5000);
        assert_eq!(parse_json(&deep).as_str(), Some(deep.as_str()));
    }
}
