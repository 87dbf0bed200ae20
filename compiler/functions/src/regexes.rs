//! Regular expressions: RE2's syntax on the regex crate's engine.
//!
//! In: a pattern as a query writes it. Out: a compiled regex, or why the
//! pattern is wrong. What RE2 reads otherwise is rewritten (`\d`, `\w`, `\s`
//! and `\b` know ASCII only, a brace that repeats nothing is a brace, a
//! bracket or `&&` inside a class stands for itself, `\Q…\E`), and what RE2
//! refuses is refused. Compiled patterns are kept per thread, a bounded number
//! of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

/// How many compiled patterns a thread keeps.
const KEPT: usize = 512;

/// The largest number of repetitions RE2 allows.
const MAX_REPEAT: u32 = 1000;

/// Compiles a pattern; the error is a sentence.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    build(&translate(pattern)?)
}

/// Compiles a pattern that matches regardless of case.
pub fn compile_fold(pattern: &str) -> Result<Regex, String> {
    build(&format!("(?i){}", translate(pattern)?))
}

fn build(translated: &str) -> Result<Regex, String> {
    RegexBuilder::new(translated)
        .size_limit(64 << 20)
        .build()
        .map_err(|error| {
            error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
}

thread_local! {
    static CACHE: RefCell<HashMap<String, Option<Rc<Regex>>>> = RefCell::new(HashMap::new());
}

/// The compiled pattern, from the thread's cache; none if it is wrong.
pub fn cached(pattern: &str) -> Option<Rc<Regex>> {
    CACHE.with(|cache| {
        let mut cache = cache.borrow_mut();
        if let Some(found) = cache.get(pattern) {
            return found.clone();
        }
        let compiled = compile(pattern).ok().map(Rc::new);
        // Patterns come from the text of queries, so there are few; where they
        // come from data, starting over is as good as any other policy.
        if cache.len() >= KEPT {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), compiled.clone());
        compiled
    })
}

/// What can come before a repetition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The start of the pattern, a group or an alternative: nothing to repeat.
    Nothing,
    /// Something that can be repeated.
    Item,
    /// A repetition, which cannot be repeated again.
    Repetition,
}

/// The pattern in the regex crate's syntax.
pub fn translate(pattern: &str) -> Result<String, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut before = Before::Nothing;
    let mut depth = 0usize;
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        i += 1;
        match c {
            '\\' => {
                i = escape(&chars, i, &mut out, false)?;
                before = Before::Item;
            }
            '[' => {
                i = class(&chars, i, &mut out)?;
                before = Before::Item;
            }
            '(' => {
                if chars.get(i) == Some(&'?') {
                    let (next, opens) = flags(&chars, i + 1, &mut out)?;
                    i = next;
                    depth += usize::from(opens);
                    // `(?i)` opens nothing, but nothing can repeat it either.
                    before = Before::Nothing;
                } else {
                    out.push('(');
                    depth += 1;
                    before = Before::Nothing;
                }
                if depth > 200 {
                    return Err("groups are nested too deeply".to_owned());
                }
            }
            ')' => {
                if depth == 0 {
                    return Err("unexpected )".to_owned());
                }
                depth -= 1;
                out.push(')');
                before = Before::Item;
            }
            '|' => {
                out.push('|');
                before = Before::Nothing;
            }
            '*' | '+' | '?' => {
                repetition(before, &c.to_string())?;
                out.push(c);
                i = lazy(&chars, i, &mut out);
                before = Before::Repetition;
            }
            '{' => {
                if let Some((min, max, next)) = bounds(&chars, i) {
                    let text: String = chars[i - 1..next].iter().collect();
                    repetition(before, &text)?;
                    if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
                        return Err(format!("invalid repetition size {text}"));
                    }
                    out.push_str(&text);
                    i = lazy(&chars, next, &mut out);
                    before = Before::Repetition;
                } else {
                    out.push_str("\\{");
                    before = Before::Item;
                }
            }
            '}' | ']' => {
                out.push('\\');
                out.push(c);
                before = Before::Item;
            }
            _ => {
                out.push(c);
                before = Before::Item;
            }
        }
    }
    if depth > 0 {
        return Err("missing )".to_owned());
    }
    Ok(out)
}

fn repetition(before: Before, operator: &str) -> Result<(), String> {
    match before {
        Before::Item => Ok(()),
        Before::Nothing => Err(format!("nothing to repeat before {operator}")),
        Before::Repetition => Err(format!("a repetition cannot be repeated: {operator}")),
    }
}

fn lazy(chars: &[char], i: usize, out: &mut String) -> usize {
    if chars.get(i) == Some(&'?') {
        out.push('?');
        i + 1
    } else {
        i
    }
}

/// `{2}`, `{2,}` or `{2,3}` after the brace: the bounds and what follows.
fn bounds(chars: &[char], mut i: usize) -> Option<(u32, Option<u32>, usize)> {
    let number = |i: &mut usize| -> Option<u32> {
        let start = *i;
        let mut value = 0u32;
        while let Some(digit) = chars.get(*i).and_then(|c| c.to_digit(10)) {
            value = value.saturating_mul(10).saturating_add(digit);
            *i += 1;
        }
        (*i > start).then_some(value)
    };
    let min = number(&mut i)?;
    let max = if chars.get(i) == Some(&',') {
        i += 1;
        number(&mut i)
    } else {
        Some(min)
    };
    (chars.get(i) == Some(&'}')).then_some((min, max, i + 1))
}

/// After `(?`: flags, a non-capturing group, or a named one. What follows, and
/// whether a group is open.
fn flags(chars: &[char], start: usize, out: &mut String) -> Result<(usize, bool), String> {
    let named = match chars.get(start) {
        Some('P') if chars.get(start + 1) == Some(&'<') => Some(start + 2),
        Some('<') if !matches!(chars.get(start + 1), Some('=' | '!')) => Some(start + 1),
        _ => None,
    };
    if let Some(from) = named {
        let Some(length) = chars[from..].iter().position(|c| *c == '>') else {
            return Err("a group's name does not end".to_owned());
        };
        let name: String = chars[from..from + length].iter().collect();
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(format!("invalid group name {name}"));
        }
        // The name may not start with a digit in the regex crate; nothing in
        // the language asks for groups by name, so a plain group does.
        out.push('(');
        return Ok((from + length + 1, true));
    }
    let mut i = start;
    out.push_str("(?");
    loop {
        match chars.get(i) {
            Some(&c @ ('i' | 'm' | 's' | 'U' | '-')) => {
                out.push(c);
                i += 1;
            }
            Some(':') => {
                out.push(':');
                return Ok((i + 1, true));
            }
            Some(')') if i > start => {
                out.push(')');
                return Ok((i + 1, false));
            }
            _ => return Err("only flags and named groups can follow (?".to_owned()),
        }
    }
}

/// After a backslash: one escape. What follows it.
fn escape(chars: &[char], i: usize, out: &mut String, in_class: bool) -> Result<usize, String> {
    let Some(&c) = chars.get(i) else {
        return Err("the pattern ends in a backslash".to_owned());
    };
    let next = i + 1;
    let set = match c {
        'd' => Some(("0-9", false)),
        'D' => Some(("0-9", true)),
        'w' => Some(("0-9A-Za-z_", false)),
        'W' => Some(("0-9A-Za-z_", true)),
        's' => Some(("\\t\\n\\x0C\\r ", false)),
        'S' => Some(("\\t\\n\\x0C\\r ", true)),
        _ => None,
    };
    if let Some((set, negated)) = set {
        match (in_class, negated) {
            (true, false) => out.push_str(set),
            (_, true) => {
                let _ = write!(out, "[^{set}]");
            }
            (false, false) => {
                let _ = write!(out, "[{set}]");
            }
        }
        return Ok(next);
    }
    match c {
        'b' if !in_class => out.push_str("(?-u:\\b)"),
        // The regex crate has no ASCII form of this for text.
        'B' if !in_class => out.push_str("\\B"),
        'A' | 'z' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        'a' | 'f' | 'n' | 'r' | 't' | 'v' => {
            out.push('\\');
            out.push(c);
        }
        'C' if !in_class => out.push_str("(?s:.)"),
        'Q' if !in_class => {
            let rest = &chars[next..];
            let length = rest.windows(2).position(|w| w == ['\\', 'E']);
            let quoted: String = rest[..length.unwrap_or(rest.len())].iter().collect();
            // A group, so that what follows repeats the last character only
            // when there is just one; RE2 repeats the last one.
            for c in quoted.chars() {
                literal(out, c);
            }
            return Ok(next + length.map_or(rest.len(), |length| length + 2));
        }
        'E' if !in_class => {}
        'p' | 'P' => return property(chars, next, c == 'P', out),
        'x' => return hexadecimal(chars, next, out),
        '0'..='7' => {
            let octal = |i: usize| chars.get(i).and_then(|c| c.to_digit(8));
            if c != '0' && octal(next).is_none() {
                return Err(format!("invalid escape \\{c}"));
            }
            let mut value = c.to_digit(8).unwrap_or(0);
            let mut i = next;
            while i < next + 2
                && let Some(digit) = octal(i)
            {
                value = value * 8 + digit;
                i += 1;
            }
            let _ = write!(out, "\\x{{{value:X}}}");
            return Ok(i);
        }
        c if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' => literal(out, c),
        _ => return Err(format!("invalid escape \\{c}")),
    }
    Ok(next)
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        // By number, because what a backslash means differs.
        let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

/// `\pN`, `\p{Greek}`, `\p{^Greek}` after the `p`.
fn property(chars: &[char], i: usize, negated: bool, out: &mut String) -> Result<usize, String> {
    let wrong = || "invalid Unicode class".to_owned();
    let (name, next): (String, usize) = match chars.get(i) {
        Some('{') => {
            let length = chars[i..].iter().position(|c| *c == '}').ok_or_else(wrong)?;
            (chars[i + 1..i + length].iter().collect(), i + length + 1)
        }
        Some(c) => (c.to_string(), i + 1),
        None => return Err(wrong()),
    };
    let (name, negated) = match name.strip_prefix('^') {
        Some(rest) => (rest, !negated),
        None => (name.as_str(), negated),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(wrong());
    }
    let _ = write!(out, "\\{}{{{name}}}", if negated { 'P' } else { 'p' });
    Ok(next)
}

/// `\x41` or `\x{10FFFF}` after the `x`.
fn hexadecimal(chars: &[char], i: usize, out: &mut String) -> Result<usize, String> {
    let wrong = || "invalid hexadecimal escape".to_owned();
    let (digits, next): (String, usize) = match chars.get(i) {
        Some('{') => {
            let length = chars[i..].iter().position(|c| *c == '}').ok_or_else(wrong)?;
            (chars[i + 1..i + length].iter().collect(), i + length + 1)
        }
        _ => (chars.get(i..i + 2).ok_or_else(wrong)?.iter().collect(), i + 2),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let _ = write!(out, "\\x{{{digits}}}");
    Ok(next)
}

/// After `[`: a class up to its `]`. What follows it.
fn class(chars: &[char], mut i: usize, out: &mut String) -> Result<usize, String> {
    out.push('[');
    if chars.get(i) == Some(&'^') {
        out.push('^');
        i += 1;
    }
    let mut first = true;
    loop {
        let Some(&c) = chars.get(i) else {
            return Err("missing ]".to_owned());
        };
        match c {
            ']' if !first => {
                out.push(']');
                return Ok(i + 1);
            }
            '[' if chars.get(i + 1) == Some(&':') => {
                let rest = &chars[i + 2..];
                if let Some(length) = rest.windows(2).position(|w| w == [':', ']']) {
                    let name: String = rest[..length].iter().collect();
                    let _ = write!(out, "[:{name}:]");
                    i += length + 4;
                } else {
                    literal(out, '[');
                    i += 1;
                }
            }
            '\\' => i = escape(chars, i + 1, out, true)?,
            '-' => {
                // A hyphen makes a range only between two characters.
                let last = chars.get(i + 1) == Some(&']');
                if first || last {
                    literal(out, '-');
                } else {
                    out.push('-');
                }
                i += 1;
            }
            '[' | ']' | '&' | '~' | '^' => {
                literal(out, c);
                i += 1;
            }
            c => {
                out.push(c);
                i += 1;
            }
        }
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern)
            .unwrap_or_else(|e| panic!("{pattern}: {e}"))
            .is_match(text)
    }

    #[test]
    fn what_only_re2_takes() {
        assert!(matches("^[0-9]{1-3}+$", "5{1-3}}"));
        assert!(matches("a{,2}", "a{,2}"));
        assert!(matches("{x}", "{x}"));
        assert!(matches(r"\Qa.b\E+", "a.bb"));
        assert!(matches(r"[[a]+$", "[a"));
        assert!(matches(r"[a&&b]", "&"));
        assert!(matches(r"[]a]", "]"));
        assert!(matches(r"[\w.-]+$", "a.b-c"));
        assert!(matches(r"[a-z-]", "-"));
        assert!(matches(r"\<b\>", "<b>"));
        assert!(matches(r"\101", "A"));
        assert!(matches(r"(?P<1st>x)", "x"));
        assert!(!matches(r"^\d$", "\u{663}"));
        assert!(!matches(r"^\w$", "é"));
        assert!(matches(r"é\b", "éa"));
        assert!(matches(r"(?i)straße", "STRAßE"));
        assert!(matches(r"\p{^Greek}", "a"));
        assert!(matches(r"[\D]", "a"));
        assert!(matches(r#"\"\'\/\-\ "#, "\"'/- "));
    }

    #[test]
    fn what_re2_refuses() {
        for pattern in [
            "a**", "a{2}{3}", "*a", "(*a)", "a|*", "a{1001}", "(?=a)", "(?<=a)", "(?x)a", r"\1", r"\Z",
            r"\_", "(a", "a)", "[a", r"\", "[z-a]", "(?<a", "a++",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
