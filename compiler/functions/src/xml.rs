//! XML as dynamic values.
//!
//! In: the text of a document. Out: a bag with the root element under its
//! name. Deliberately absent: namespaces (prefixes stay in names), document
//! type definitions and the entities they define.

use std::sync::Arc;

use crate::{Bag, Value, json::MAX_DEPTH};

/// One element being read.
struct Element {
    name: String,
    /// Attributes and children in order; children of one name are collected.
    entries: Vec<(String, Vec<Value>)>,
    text: String,
}

impl Element {
    fn add(&mut self, name: String, value: Value) {
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => self.entries.push((name, vec![value])),
        }
    }

    /// Just its text where there is nothing else, null where there is nothing.
    fn finish(mut self) -> Value {
        let text = self.text.trim();
        if self.entries.is_empty() {
            return if text.is_empty() {
                Value::Null
            } else {
                Value::string(text)
            };
        }
        if !text.is_empty() {
            let text = Value::string(text);
            self.add("#text".to_owned(), text);
        }
        let mut bag = Bag::new();
        for (name, mut values) in self.entries {
            let value = match values.len() {
                1 => values.pop().unwrap_or_default(),
                _ => Value::array(values),
            };
            bag.insert(name, value);
        }
        Value::Bag(Arc::new(bag))
    }
}

/// The value of a document; none if it is not well formed.
pub(crate) fn parse(source: &str) -> Option<Value> {
    let mut rest = source.trim().trim_start_matches('\u{feff}');
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<(String, Value)> = None;
    while !rest.is_empty() {
        let Some(after) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let text = &rest[..end];
            match open.last_mut() {
                Some(element) => element.text.push_str(&unescape(text)),
                None if text.trim().is_empty() => {}
                None => return None,
            }
            rest = &rest[end..];
            continue;
        };
        if let Some(comment) = after.strip_prefix("!--") {
            rest = &comment[comment.find("-->")? + 3..];
        } else if let Some(data) = after.strip_prefix("![CDATA[") {
            let end = data.find("]]>")?;
            open.last_mut()?.text.push_str(&data[..end]);
            rest = &data[end + 3..];
        } else if let Some(instruction) = after.strip_prefix('?') {
            rest = &instruction[instruction.find("?>")? + 2..];
        } else if after.starts_with('!') {
            rest = &after[after.find('>')? + 1..];
        } else if let Some(closing) = after.strip_prefix('/') {
            let end = closing.find('>')?;
            let element = open.pop()?;
            if element.name != closing[..end].trim() {
                return None;
            }
            rest = &closing[end + 1..];
            close(element, &mut open, &mut root)?;
        } else {
            let (element, empty, next) = start_tag(after)?;
            rest = next;
            if empty {
                close(element, &mut open, &mut root)?;
            } else {
                open.push(element);
                if open.len() > MAX_DEPTH {
                    return None;
                }
            }
        }
    }
    if !open.is_empty() {
        return None;
    }
    let (name, value) = root?;
    let mut bag = Bag::new();
    bag.insert(name, value);
    Some(Value::Bag(Arc::new(bag)))
}

/// Hands a finished element to the one around it. There is one root.
fn close(mut element: Element, open: &mut [Element], root: &mut Option<(String, Value)>) -> Option<()> {
    let name = std::mem::take(&mut element.name);
    let value = element.finish();
    match open.last_mut() {
        Some(parent) => parent.add(name, value),
        None if root.is_none() => *root = Some((name, value)),
        None => return None,
    }
    Some(())
}

/// After `<`: name and attributes, whether it closes itself, and what follows.
fn start_tag(tag: &str) -> Option<(Element, bool, &str)> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let end = tag.find(|c| !is_name(c))?;
    if end == 0 {
        return None;
    }
    let mut element = Element {
        name: tag[..end].to_owned(),
        entries: Vec::new(),
        text: String::new(),
    };
    let mut rest = tag[end..].trim_start();
    loop {
        if let Some(next) = rest.strip_prefix("/>") {
            return Some((element, true, next));
        }
        if let Some(next) = rest.strip_prefix('>') {
            return Some((element, false, next));
        }
        let end = rest.find(|c| !is_name(c)).filter(|end| *end > 0)?;
        let name = format!("@{}", &rest[..end]);
        let value = rest[end..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let length = value[1..].find(quote)?;
        element.add(name, Value::string(unescape(&value[1..=length])));
        rest = value[length + 2..].trim_start();
    }
}

/// Entities resolved; unknown ones stay.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest entity is `&#x10FFFF;`; looking further would be quadratic.
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';');
        let entity = end.map(|(end, _)| (&rest[1..end], end + 1));
        let resolved = entity.and_then(|(name, length)| {
            let c = match name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let digits = name.strip_prefix('#')?;
                    let code = match digits.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => digits.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((c, length))
        });
        if let Some((c, length)) = resolved {
            out.push(c);
            rest = &rest[length..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::to_json;

    #[test]
    fn documents() {
        let value =
            parse("<?xml version='1.0'?><!-- x --><e a='1 &amp; 2'><b/>t<c>&#65;<![CDATA[<]]></c></e>");
        assert_eq!(
            to_json(&value.unwrap()),
            r##"{"e":{"@a":"1 & 2","b":null,"c":"A<","#text":"t"}}"##
        );
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a b></a>",
            "<",
            "<a b=\"",
            "</a>",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
