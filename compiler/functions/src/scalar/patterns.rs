//! Functions over regular expressions. A pattern that RE2 refuses gives the
//! same as one that does not match; the binder reports it before that.

use std::rc::Rc;

use regex::Regex;

use crate::args::{array, get, long};
use crate::{Type, Value, convert, json, regexes, text};

rows! { ROWS: Function in patterns {
    extract "extract", [(ConstText, Long, Text) -> String, (ConstText, Long, Text, TypeOf) -> Named],
        "The text of a capture group (0 is the whole match) of the first match, as a string or the type asked for.",
        "extract('x=([0-9.]+)', 1, 'hello x=45.6|wo')" => "45.6", "extract('x=([0-9]+)', 1, 'x=45', typeof(long)) + 1" => "46";
    extract_all "extract_all", [(ConstText, Text) -> Array, (ConstText, Array, Text) -> Array],
        "The capture groups of all matches: an array of texts for one group, of arrays for more.",
        "extract_all('([a-z]+)', 'ab 12 cd')" => "[\"ab\",\"cd\"]", "extract_all('([a-z])([0-9])', 'a1 b2')" => "[[\"a\",\"1\"],[\"b\",\"2\"]]",
        "extract_all('(?P<letter>[a-z])(?P<digit>[0-9])', dynamic(['digit', 1]), 'a1')" => "[[\"1\",\"a\"]]";
    extract_all "extractall" instead "extract_all", [(ConstText, Text) -> Array, (ConstText, Array, Text) -> Array],
        "The capture groups of all matches.",
        "extractall('([a-z]+)', 'ab 12 cd')" => "[\"ab\",\"cd\"]";
    extract_json "extract_json" = "extractjson", [(ConstText, Text) -> String, (ConstText, Text, TypeOf) -> Named],
        "What a JSON path finds in JSON text, as a string or the type asked for.",
        "extract_json('$.a[1].b', '{\"a\":[1,{\"b\":\"x\"}]}')" => "x";
    replace_regex "replace_regex", [(Text, ConstText, ConstText) -> String],
        "Every match of a regular expression replaced; \\1 stands for the first capture group, \\0 for the match.",
        "replace_regex('Number is 1', 'is (\\\\d)', 'was: \\\\1')" => "Number was: 1";
    replace "replace" instead "replace_regex", [(ConstText, ConstText, Text) -> String],
        "As replace_regex, with the text last.",
        "replace('a', 'b', 'aa')" => "bb";
    trim "trim", [(ConstText, Text) -> String], "A string without a leading and a trailing match.",
        "trim('--', '--https://bing.com--')" => "https://bing.com";
    trim_start "trim_start", [(ConstText, Text) -> String], "A string without a leading match.",
        "trim_start('https://', 'https://bing.com')" => "bing.com";
    trim_end "trim_end", [(ConstText, Text) -> String], "A string without a trailing match.",
        "trim_end('.com', 'bing.com')" => "bing";
    indexof_regex "indexof_regex", [(Scalar, ConstScalar; Integer, Integer, ConstInteger) -> Long],
        "Where a regular expression first matches, or -1: after a start, within a length, counting matches.",
        "indexof_regex('abcabc', 'a.c')" => "0", "indexof_regex('abcabcdefg', 'a.c', 0, 9, 2)" => "3";
    regex_quote "regex_quote", [(Scalar) -> String], "A string with everything escaped that means something in a regular expression.",
        "regex_quote('(so$me.Te^xt)')" => "\\(so\\$me\\.Te\\^xt\\)";
}}

/// A value as a `typeof` argument asks for; `string` where there is none.
fn typed(found: Option<Value>, args: &[Value], index: usize) -> Value {
    let ty = args
        .get(index)
        .and_then(Value::as_str)
        .and_then(Type::parse)
        .unwrap_or(Type::String);
    convert::convert(&found.unwrap_or_default(), ty)
}

/// `extract`.
pub fn extract(args: &[Value]) -> Value {
    let source = text::of(args, 2);
    let found = regexes::cached(&text::of(args, 0)).and_then(|regex| {
        let group = long(args, 1).and_then(|g| usize::try_from(g).ok())?;
        regex
            .captures(&source)?
            .get(group)
            .map(|m| Value::string(m.as_str()))
    });
    typed(found, args, 3)
}

/// `extract_all`.
pub fn extract_all(args: &[Value]) -> Value {
    let Some(regex) = regexes::cached(&text::of(args, 0)) else {
        return Value::Null;
    };
    let (asked, source) = match args.len() {
        0..=2 => (None, text::of(args, 1)),
        _ => (array(args, 1), text::of(args, 2)),
    };
    let asked = asked.into_iter().flatten();
    let mut groups: Vec<usize> = asked.filter_map(|name| group(&regex, name)).collect();
    // Where none of those asked for is there, all are told.
    if groups.is_empty() {
        groups = match regex.captures_len() {
            1 => vec![0],
            count => (1..count).collect(),
        };
    }
    let matches: Vec<Value> = regex
        .captures_iter(&source)
        .map(|captures| {
            let text = |group: &usize| Value::string(captures.get(*group).map_or("", |m| m.as_str()));
            match &groups[..] {
                [one] => text(one),
                many => Value::Array(many.iter().map(text).collect()),
            }
        })
        .collect();
    if matches.is_empty() {
        Value::Null
    } else {
        Value::array(matches)
    }
}

/// The number of a capture group, given by number or name.
fn group(regex: &Regex, name: &Value) -> Option<usize> {
    if let Value::String(name) = name {
        return regex.capture_names().position(|known| known == Some(&**name));
    }
    let number = usize::try_from(convert::to_long(name)?).ok()?;
    (number < regex.captures_len()).then_some(number)
}

/// What a JSON path (`$.a[1]['b']`) finds.
pub fn at_path(value: &Value, path: &str) -> Option<Value> {
    let mut current = value.clone();
    for step in path_steps(path)? {
        current = match (&current, step) {
            (Value::Bag(bag), Step::Key(key)) => bag.get(&key)?.clone(),
            (Value::Array(items), Step::Index(index)) => {
                let index = if index < 0 {
                    index + items.len() as i64
                } else {
                    index
                };
                items.get(usize::try_from(index).ok()?)?.clone()
            }
            _ => return None,
        };
    }
    Some(current)
}

/// One step of a JSON path.
pub(crate) enum Step {
    Key(String),
    Index(i64),
}

/// The steps of a JSON path; none if it is none.
pub(crate) fn path_steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(after[..end].to_owned()));
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            let (inside, next) = if let quote @ ('\'' | '"') = after.chars().next()? {
                let end = after[1..].find(quote)? + 1;
                (
                    Step::Key(after[1..end].to_owned()),
                    after[end + 1..].strip_prefix(']')?,
                )
            } else {
                let end = after.find(']')?;
                (Step::Index(after[..end].trim().parse().ok()?), &after[end + 1..])
            };
            steps.push(inside);
            rest = next;
        }
    }
    Some(steps)
}

/// `extract_json`.
pub fn extract_json(args: &[Value]) -> Value {
    let document = match get(args, 1) {
        value @ (Value::Array(_) | Value::Bag(_)) => value.clone(),
        other => json::parse(&text::borrow(other)).unwrap_or_default(),
    };
    typed(at_path(&document, &text::of(args, 0)), args, 2)
}

/// A replacement with `\0` to `\9` filled in.
fn rewrite(regex: &Regex, source: &str, pattern: &str) -> String {
    let replaced = regex.replace_all(source, |captures: &regex::Captures<'_>| {
        let mut out = String::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    let group = digit.to_digit(10).unwrap_or(0) as usize;
                    out.push_str(captures.get(group).map_or("", |m| m.as_str()));
                }
                Some(other) => out.push(other),
                None => out.push('\\'),
            }
        }
        out
    });
    replaced.into_owned()
}

/// `replace_regex`: text, pattern, rewrite.
pub fn replace_regex(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    match regexes::cached(&text::of(args, 1)) {
        Some(regex) => Value::string(rewrite(&regex, &source, &text::of(args, 2))),
        None => Value::string(source),
    }
}

/// `replace`: pattern, rewrite, text.
pub fn replace(args: &[Value]) -> Value {
    let reordered = [get(args, 2).clone(), get(args, 0).clone(), get(args, 1).clone()];
    replace_regex(&reordered)
}

/// A pattern with something around it; what is wrong by itself stays wrong.
fn around(before: &str, pattern: &str, after: &str) -> Option<Rc<Regex>> {
    regexes::cached(pattern)?;
    regexes::cached(&format!("{before}{pattern}{after}"))
}

/// The length of a match at the start of text.
fn leading(pattern: &str, text: &str) -> usize {
    around("^(?:", pattern, ")")
        .and_then(|regex| regex.find(text).map(|found| found.end()))
        .unwrap_or(0)
}

/// Where a match that reaches the end of text starts.
fn trailing(pattern: &str, text: &str) -> usize {
    around("(?:", pattern, ")$")
        .and_then(|regex| regex.find(text).map(|found| found.start()))
        .unwrap_or(text.len())
}

/// `trim`.
pub fn trim(args: &[Value]) -> Value {
    let (pattern, source) = (text::of(args, 0), text::of(args, 1));
    let rest = &source[leading(&pattern, &source)..];
    Value::string(&rest[..trailing(&pattern, rest)])
}

/// `trim_start`.
pub fn trim_start(args: &[Value]) -> Value {
    let (pattern, source) = (text::of(args, 0), text::of(args, 1));
    Value::string(&source[leading(&pattern, &source)..])
}

/// `trim_end`.
pub fn trim_end(args: &[Value]) -> Value {
    let (pattern, source) = (text::of(args, 0), text::of(args, 1));
    Value::string(&source[..trailing(&pattern, &source)])
}

/// `indexof_regex`.
pub fn indexof_regex(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let Some((window, start, occurrence)) = super::strings::window(&source, args, false) else {
        return Value::Null;
    };
    let Some(regex) = regexes::cached(&text::of(args, 1)) else {
        return Value::Null;
    };
    let found = regex.find_iter(window).nth(occurrence - 1);
    Value::Long(found.map_or(-1, |m| start + window[..m.start()].chars().count() as i64))
}

/// `regex_quote`.
pub fn regex_quote(args: &[Value]) -> Value {
    let mut out = String::new();
    for c in text::of(args, 0).chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Value::string(out)
}
