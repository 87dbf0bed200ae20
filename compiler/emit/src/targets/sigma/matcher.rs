//! A small Sigma engine, for tests only: what an emitted rule matches.
//!
//! In: a document as it loads from an artifact, and an event's fields. Out:
//! whether it matches. Written against the specification, not against the
//! emitter, so that a mistake has to be made twice to go unseen. Deliberately
//! absent: correlations, keywords, placeholders.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

/// The fields of an event; one that is missing is not there.
pub(super) type Event = BTreeMap<String, String>;

pub(super) fn matches(document: &Value, event: &Event) -> bool {
    let detection = document["detection"].as_object().unwrap();
    let condition = detection["condition"].as_str().unwrap();
    let spaced = condition.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let searches: BTreeMap<&str, bool> = detection
        .iter()
        .filter(|(name, _)| *name != "condition")
        .map(|(name, found)| (name.as_str(), search(found, event)))
        .collect();
    let mut parser = Parser {
        words,
        at: 0,
        searches,
    };
    let found = parser.or();
    assert_eq!(parser.at, parser.words.len(), "{condition}");
    found
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    searches: BTreeMap<&'a str, bool>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> &'a str {
        self.at += 1;
        self.words[self.at - 1]
    }

    fn or(&mut self) -> bool {
        let mut found = self.and();
        while self.peek() == Some("or") {
            self.next();
            found |= self.and();
        }
        found
    }

    fn and(&mut self) -> bool {
        let mut found = self.not();
        while self.peek() == Some("and") {
            self.next();
            found &= self.not();
        }
        found
    }

    fn not(&mut self) -> bool {
        if self.peek() == Some("not") {
            self.next();
            return !self.not();
        }
        match self.next() {
            "(" => {
                let found = self.or();
                assert_eq!(self.next(), ")");
                found
            }
            quantity @ ("1" | "all") => {
                assert_eq!(self.next(), "of");
                let prefix = self.next().strip_suffix('*').unwrap();
                let mut named = self
                    .searches
                    .iter()
                    .filter(|(name, _)| name.starts_with(prefix))
                    .map(|(_, found)| *found);
                if quantity == "1" {
                    named.any(|found| found)
                } else {
                    named.all(|found| found)
                }
            }
            name => self.searches[name],
        }
    }
}

fn search(found: &Value, event: &Event) -> bool {
    match found {
        Value::Array(maps) => maps.iter().any(|map| search(map, event)),
        Value::Object(map) => map.iter().all(|(key, values)| item(key, values, event)),
        other => panic!("{other}"),
    }
}

fn item(key: &str, values: &Value, event: &Event) -> bool {
    let mut parts = key.split('|');
    let field = parts.next().unwrap();
    let modifiers: Vec<&str> = parts.collect();
    let value = event.get(field).map(String::as_str);
    let one = |wanted: &Value| compare(&modifiers, wanted, value, event);
    match values {
        Value::Array(all) if modifiers.contains(&"all") => all.iter().all(one),
        Value::Array(all) => all.iter().any(one),
        wanted => one(wanted),
    }
}

fn compare(modifiers: &[&str], wanted: &Value, value: Option<&str>, event: &Event) -> bool {
    let has = |modifier: &str| modifiers.contains(&modifier);
    if wanted.is_null() {
        return value.is_none();
    }
    let Some(value) = value else { return false };
    let text = match wanted {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if has("re") {
        let flags: String = modifiers.iter().filter(|m| m.len() == 1).copied().collect();
        let pattern = if flags.is_empty() {
            text
        } else {
            format!("(?{flags}){text}")
        };
        return is_match(&pattern, value);
    }
    if let Some(order) = ["lt", "lte", "gt", "gte"].into_iter().find(|order| has(order)) {
        let (Ok(value), Ok(limit)) = (value.parse::<f64>(), text.parse::<f64>()) else {
            return false;
        };
        return match order {
            "lt" => value < limit,
            "lte" => value <= limit,
            "gt" => value > limit,
            _ => value >= limit,
        };
    }
    if has("fieldref") {
        return event
            .get(&text)
            .is_some_and(|other| other.eq_ignore_ascii_case(value));
    }
    if has("cidr") {
        let (network, prefix) = text.split_once('/').unwrap();
        let bits = |text: &str| text.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
        let shift = 32 - prefix.parse::<u32>().unwrap();
        return match (bits(network), bits(value)) {
            (Some(network), Some(value)) => network.checked_shr(shift) == value.checked_shr(shift),
            _ => false,
        };
    }
    let mut pattern = String::from(if has("cased") { "(?s)^" } else { "(?si)^" });
    if has("contains") || has("endswith") {
        pattern.push_str(".*");
    }
    pattern.push_str(&wildcards(&text));
    if has("contains") || has("startswith") {
        pattern.push_str(".*");
    }
    pattern.push('$');
    is_match(&pattern, value)
}

/// Compiling takes far longer than matching, and the patterns are few.
fn is_match(pattern: &str, text: &str) -> bool {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<String, regex::Regex>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with(|known| {
        let mut known = known.borrow_mut();
        if !known.contains_key(pattern) {
            known.insert(pattern.to_owned(), regex::Regex::new(pattern).unwrap());
        }
        known[pattern].is_match(text)
    })
}

/// A value with its wildcards and escapes as a regular expression.
fn wildcards(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '\\' => match chars.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                Some(escaped) => out.push_str(&regex::escape(&escaped.to_string())),
                None => out.push_str(r"\\"),
            },
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out
}
