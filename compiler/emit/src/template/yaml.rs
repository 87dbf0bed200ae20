//! YAML that always loads back to the same value.
//!
//! In: strings and values. Out: scalars and blocks that YAML 1.1 and 1.2
//! loaders read alike: whatever an older loader could take for a boolean, a
//! number, a date or a sexagesimal is quoted. Deliberately absent: folding of
//! long lines, which loaders disagree about.

use std::fmt::Write as _;

use serde_json::Value;

/// Words that some loader turns into something else than a string.
const RESERVED: &[&str] = &[
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
];

/// A string as a flow scalar: plain where nobody can misread it, else in
/// double quotes. Fits after `key: `, after `- `, and as a key.
pub(crate) fn string(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A string in single quotes, in which only a quote is special; in double
/// quotes where it has line breaks or characters that nobody can see.
pub(crate) fn single_quoted(text: &str) -> String {
    if text.chars().all(is_printable) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        quoted(text)
    }
}

/// A key: plain also with a bar between letters, which no loader takes for
/// anything else there.
pub(crate) fn key(text: &str) -> String {
    let plain = text.split('|').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    });
    if plain && !RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        string(text)
    }
}

/// A string as a literal block whose lines stand `indent` blanks deep, two
/// deeper than what holds it; on one line, in quotes if need be, when it is
/// short or a block could not hold it.
pub(crate) fn block(text: &str, indent: usize) -> String {
    // At the margin a block could not be told from what follows.
    if indent == 0 || !is_block(text) {
        return string(text);
    }
    let mut out = String::from("|");
    if text.starts_with(' ') {
        // A loader would take these blanks for indentation. The digit counts
        // from what holds the block.
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    }
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out
}

/// Any value in block style, nested lines standing `indent` blanks deep.
/// Begins on the current line for scalars and empty collections, on the next
/// for others.
pub(crate) fn value(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    write_value(&mut out, value, indent, false);
    out
}

fn write_value(out: &mut String, value: &Value, indent: usize, in_list: bool) {
    let pad = " ".repeat(indent);
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => {
            let _ = write!(out, "{n}");
        }
        Value::String(text) => out.push_str(&block(text, indent)),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                // The first item of a list in a list stands beside the outer dash.
                if i > 0 || !in_list {
                    out.push('\n');
                    out.push_str(&pad);
                }
                out.push_str("- ");
                write_value(out, item, indent + 2, true);
            }
        }
        Value::Object(map) => {
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 || !in_list {
                    out.push('\n');
                    out.push_str(&pad);
                }
                out.push_str(&string(key));
                out.push_str(": ");
                let start = out.len();
                write_value(out, item, indent + 2, false);
                // A collection begins on the next line: no blank before the break.
                if out[start..].starts_with('\n') {
                    out.replace_range(start - 1..start, "");
                }
            }
        }
    }
}

/// Whether a literal block holds the text unchanged in every loader.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    // One line stays on its line unless quotes make it hard to read.
    (body.contains('\n') || !is_plain(body) && (body.len() > 80 || body.contains(['"', '\\'])))
        // An empty first line has no indentation to go by, a tab in the first
        // place spoils it, and several line breaks at the end are easily lost.
        && !body.starts_with(['\n', '\t'])
        && !body.ends_with(['\n', ' ', '\t'])
        && !body.trim_start_matches(' ').starts_with('\n')
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
}

fn is_plain(text: &str) -> bool {
    let digit_first = text.starts_with(|c: char| c.is_ascii_digit());
    if digit_first {
        return is_duration(text) || is_version(text) || is_guid(text);
    }
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " _./:()+-'".contains(c))
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

/// `90m`: no loader has a number that ends so.
fn is_duration(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
    digits.len() + 1 == text.len() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `1.0.3`: two dots make it no number.
fn is_version(text: &str) -> bool {
    text.split('.').count() == 3
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// Printable in YAML and no line break in any version of it.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Double-quoted, every character that is not printable escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) <= 0xff => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn loaded(yaml: &str) -> Value {
        serde_yaml::from_str(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}"))
    }

    #[test]
    fn plain_only_where_nobody_can_misread_it() {
        for plain in [
            "High",
            "T1055.002",
            "1h",
            "1.0.3",
            "a b",
            "https://a.b/c",
            "it's",
            "PT1H",
        ] {
            assert_eq!(string(plain), plain);
        }
        for risky in [
            "",
            "yes",
            "NO",
            "Off",
            "y",
            "null",
            "~",
            "1",
            "1.0",
            "0x1f",
            "1e3",
            "1:30",
            "2024-01-01",
            "- a",
            "#a",
            "@a",
            "a: b",
            "a:",
            "a #b",
            " a",
            "a ",
            "'a'",
            "{{x}}",
            "a\\b",
            "[a]",
            "*a",
            "&a",
            "!a",
            "%a",
            "|",
            ">",
            "?",
            "=",
            "<<",
            "\u{85}",
            "\u{2028}x",
            "\u{feff}",
            "\u{7f}",
            "\0",
            "\u{1f600}",
            "é",
        ] {
            let text = string(risky);
            assert!(text.starts_with('"') && text.ends_with('"'), "{text}");
            assert_eq!(loaded(&text), json!(risky));
        }
    }

    #[test]
    fn blocks_keep_every_line() {
        assert_eq!(block("a\nb", 2), "|-\n  a\n  b");
        assert_eq!(block("a\n\n\tb\n", 2), "|\n  a\n\n  \tb");
        assert_eq!(block("  a\nb\n", 2), "|2\n    a\n  b");
        assert_eq!(block("a", 2), "a");
        assert_eq!(block("a, b", 2), "\"a, b\"");
        assert_eq!(block("T | where a == \"b\"", 2), "|-\n  T | where a == \"b\"");
        assert_eq!(block("a\r\nb", 2), "\"a\\r\\nb\"");
        for text in [
            "a\n",
            "\n",
            "\n\n",
            "a\n\n",
            "\ta\nb",
            "a\n\tb",
            " \na",
            "a\n \nb\n",
            "a\nb ",
            "a\u{2028}\nb",
            "a \nb",
            "---\na\n...\n",
            "# a\nb",
            "a\n  ",
            "\n a",
        ] {
            assert_eq!(
                loaded(&format!("k: {}\n", block(text, 2))),
                json!({"k": text}),
                "{text:?}"
            );
            assert_eq!(
                loaded(&format!("- k: {}\n  l: 1\n", block(text, 4))),
                json!([{"k": text, "l": 1}])
            );
        }
    }

    #[test]
    fn values_nest() {
        let meant =
            json!({"a": [{"b": 1, "c": ["x", ["y", {"z": []}]]}, {}], "d": {"e": "l1\nl2\n", "yes": null}});
        assert_eq!(loaded(&value(&meant, 0)), meant);
        assert_eq!(
            loaded(&format!("k:{}\n", value(&meant, 2))),
            json!({"k": meant}),
            "{}",
            value(&meant, 2)
        );
    }

    fn any_text() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            ' ', '\n', '\t', '\r', ':', '#', '-', '"', '\'', '\\', '{', '\u{85}', '\u{2028}', '\u{feff}',
            '|', '>', '.',
        ]);
        prop::collection::vec(
            prop_oneof![3 => odd, 1 => any::<char>(), 2 => prop::char::range('a', 'e')],
            0..24,
        )
        .prop_map(|chars| chars.into_iter().collect())
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any_text().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any_text(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_string_survives(text in any_text()) {
            prop_assert_eq!(loaded(&format!("k: {}\n", string(&text))), json!({"k": text}));
            prop_assert_eq!(loaded(&format!("k: {}\nl: 1\n", block(&text, 2))), json!({"k": text, "l": 1}));
        }

        #[test]
        fn every_value_survives(meant in any_value()) {
            // As in a file, whose last line is ended: a block ends with its line.
            prop_assert_eq!(loaded(&format!("{}\n", value(&meant, 0))), meant);
        }
    }
}
