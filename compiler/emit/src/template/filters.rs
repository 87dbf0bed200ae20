//! The filters through which strings enter an artifact.
//!
//! Each gives a string that is marked as fit for output; the formatter of
//! [`super::Templates`] refuses any other. Deliberately absent: a filter that
//! guesses the notation. A template says which it writes.

use minijinja::{Environment, Error, ErrorKind, Value};

use super::value::from_template;
use super::yaml;

/// Adds all of them.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("yaml_string", yaml_string);
    environment.add_filter("yaml_block", yaml_block);
    environment.add_filter("yaml_quoted", yaml_quoted);
    environment.add_filter("yaml_key", yaml_key);
    environment.add_filter("yaml", yaml_value);
    environment.add_filter("json", json_value);
    environment.add_filter("tojson", to_json);
    environment.add_filter("rust_string", rust_string);
    environment.add_filter("kql_string", kql_string);
    environment.add_filter("kql_name", kql_name);
    environment.add_filter("ident", ident);
    environment.add_filter("comment", comment);
    environment.add_filter("prefix_lines", prefix_lines);
}

fn fit(text: String) -> Value {
    Value::from_safe_string(text)
}

fn wrong(filter: &str, wants: &str, value: &Value) -> Error {
    if value.is_undefined() {
        return Error::from(ErrorKind::UndefinedError);
    }
    Error::new(
        ErrorKind::InvalidOperation,
        format!("`{filter}` takes {wants}, not {}", value.kind()),
    )
}

fn text<'a>(filter: &str, value: &'a Value) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| wrong(filter, "a string", value))
}

/// `{{ x | yaml_string }}`: a scalar after `key: ` or `- `, or a key.
fn yaml_string(value: &Value) -> Result<Value, Error> {
    text("yaml_string", value).map(|text| fit(yaml::string(text)))
}

/// `{{ x | yaml_quoted }}`: a string in single quotes, which leave backslashes
/// alone, where they can hold it; a number, truth value or null as it is.
fn yaml_quoted(value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(fit(yaml::single_quoted(text))),
        None => match from_template(value) {
            Some(json) if !json.is_array() && !json.is_object() => Ok(fit(json.to_string())),
            _ => Err(wrong("yaml_quoted", "a scalar", value)),
        },
    }
}

/// `{{ x | yaml_key }}:`: a key, plain also with `|` in it as Sigma has them.
fn yaml_key(value: &Value) -> Result<Value, Error> {
    text("yaml_key", value).map(|text| fit(yaml::key(text)))
}

/// `{{ x | yaml_block(2) }}`: a literal block whose lines stand 2 blanks deep,
/// or a scalar when there is only one line.
fn yaml_block(value: &Value, indent: Option<usize>) -> Result<Value, Error> {
    text("yaml_block", value).map(|text| fit(yaml::block(text, indent.unwrap_or(2).clamp(1, 40))))
}

/// `key:{{ x | yaml(2) }}`: any value in block style, with the blank or the
/// line break that has to stand in front.
fn yaml_value(value: &Value, indent: Option<usize>) -> Result<Value, Error> {
    let json = from_template(value).ok_or_else(|| wrong("yaml", "plain data", value))?;
    let text = yaml::value(&json, indent.unwrap_or(0).min(40));
    Ok(fit(if text.starts_with('\n') {
        text
    } else {
        format!(" {text}")
    }))
}

/// `{{ x | json(4) }}`: any value, indented by two, its further lines standing
/// 4 blanks deeper.
fn json_value(value: &Value, indent: Option<usize>) -> Result<Value, Error> {
    let json = from_template(value).ok_or_else(|| wrong("json", "plain data", value))?;
    let text = serde_json::to_string_pretty(&json).map_err(|e| wrong("json", &e.to_string(), value))?;
    let pad = format!("\n{}", " ".repeat(indent.unwrap_or(0).min(80)));
    Ok(fit(text.replace('\n', &pad)))
}

/// `{{ x | tojson }}`: any value on one line. Unlike the engine's own, it does
/// not escape for HTML, so that a query keeps its `<` and `'`.
fn to_json(value: &Value) -> Result<Value, Error> {
    let json = from_template(value).ok_or_else(|| wrong("tojson", "plain data", value))?;
    serde_json::to_string(&json)
        .map(fit)
        .map_err(|e| wrong("tojson", &e.to_string(), value))
}

/// `{{ x | rust_string }}`: a string literal of Rust.
fn rust_string(value: &Value) -> Result<Value, Error> {
    text("rust_string", value).map(|text| fit(format!("\"{}\"", text.escape_debug())))
}

/// `{{ x | kql_string }}`: a string literal of KQL.
fn kql_string(value: &Value) -> Result<Value, Error> {
    text("kql_string", value).map(|text| fit(serde_json::Value::from(text).to_string()))
}

/// `{{ x | kql_name }}`: the name of a column as a query writes it.
fn kql_name(value: &Value) -> Result<Value, Error> {
    text("kql_name", value).map(|text| fit(rulec_kql::name(text)))
}

/// `{{ x | ident }}`: a name that Rust, and most languages, take: snake case,
/// ASCII, never empty, never beginning with a digit, never a keyword.
fn ident(value: &Value) -> Result<Value, Error> {
    text("ident", value).map(|text| fit(identifier(text)))
}

/// `# {{ x | comment }}`: text that stays on its line.
fn comment(value: &Value) -> Result<Value, Error> {
    text("comment", value).map(|text| fit(one_line(text)))
}

/// `{{ x | prefix_lines("/// ") }}`: text as comment lines of its own.
fn prefix_lines(value: &Value, prefix: &str) -> Result<Value, Error> {
    let text = text("prefix_lines", value)?;
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{prefix}{}", one_line(line)).trim_end().to_owned())
        .collect();
    Ok(fit(lines.join("\n")))
}

/// Everything that some reader takes for a line break or cannot show, as a blank.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_control() => ' ',
            '\u{2028}' | '\u{2029}' | '\u{feff}' => ' ',
            // These turn the direction of the text behind them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
            c => c,
        })
        .collect()
}

/// Words that Rust keeps for itself, now or later.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// A snake-case identifier for `text`.
pub fn identifier(text: &str) -> String {
    let mut out = String::new();
    let mut previous_lower = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            // `DeviceName` becomes `device_name`; `ABC` stays one word.
            if c.is_ascii_uppercase() && previous_lower {
                out.push('_');
            }
            previous_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            out.push(c.to_ascii_lowercase());
        } else {
            previous_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    let out = out.trim_end_matches('_');
    if out.is_empty() {
        "_unnamed".to_owned()
    } else if out.starts_with(|c: char| c.is_ascii_digit()) || KEYWORDS.contains(&out) {
        format!("r_{out}")
    } else {
        out.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        for (text, name) in [
            ("DeviceName", "device_name"),
            ("0xFF-0001 WIn", "r_0x_ff_0001_win"),
            ("RL-0001", "rl_0001"),
            ("type", "r_type"),
            ("SHA256", "sha256"),
            ("--", "_unnamed"),
            ("é", "_unnamed"),
        ] {
            assert_eq!(identifier(text), name);
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(one_line("a\nb\u{2028}c\u{202e}d"), "a b c d");
    }
}
