//! Regular expressions: RE2's syntax on the regex crate's engine.
//!
//! In: a pattern as a query writes it. Out: a compiled regex, or why the
//! pattern is wrong. What RE2 reads otherwise is rewritten (`\d`, `\w`, `\s`
//! and `\b` know ASCII only, a brace that repeats nothing is a brace, a
//! bracket or `&&` inside a class stands for itself, `\Q…\E`), and what RE2
//! refuses is refused; `tests/regexes.rs` lists both. Classes are in `class`.
//! Compiled patterns are kept per thread, a bounded number of them.
//!
//! Two things the engine cannot do on text: `\C` matches a character, not a
//! byte, and `\B` knows letters beyond ASCII.

mod class;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

/// How many compiled patterns a thread keeps.
const KEPT: usize = 512;

/// The largest number of repetitions RE2 allows, also of repetitions within
/// repetitions.
const MAX_REPEAT: u32 = 1000;

/// How deep groups may nest.
const MAX_DEPTH: usize = 200;

/// Compiles a pattern; the error is a sentence.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    build(&translate(pattern)?)
}

/// Compiles a pattern that matches regardless of case.
pub fn compile_fold(pattern: &str) -> Result<Regex, String> {
    build(&format!("(?i){}", translate(pattern)?))
}

/// Compiles a pattern of which there are very many: it holds less memory.
pub(crate) fn small(pattern: &str, fold: bool) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(&translate(pattern)?);
    finish(builder.case_insensitive(fold).dfa_size_limit(16 << 10))
}

fn build(translated: &str) -> Result<Regex, String> {
    finish(&mut RegexBuilder::new(translated))
}

fn finish(builder: &mut RegexBuilder) -> Result<Regex, String> {
    builder
        .size_limit(64 << 20)
        // A group counts several times: itself, its alternatives, what repeats it.
        .nest_limit(8 * MAX_DEPTH as u32)
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

/// The pattern in the regex crate's syntax.
pub fn translate(pattern: &str) -> Result<String, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut translator = Translator {
        chars: &chars,
        at: 0,
        out: String::with_capacity(pattern.len() + 8),
        item: None,
        repeated: false,
        groups: vec![1],
        names: Vec::new(),
    };
    while let Some(c) = translator.next() {
        translator.step(c)?;
    }
    if translator.groups.len() > 1 {
        return Err("missing )".to_owned());
    }
    Ok(translator.out)
}

/// The last thing that a repetition would repeat.
struct Item {
    /// Where it ends in the output.
    end: usize,
    /// How often what is inside it is repeated.
    times: u64,
}

struct Translator<'a> {
    chars: &'a [char],
    at: usize,
    out: String,
    /// None at the start of the pattern, of a group or of an alternative.
    item: Option<Item>,
    /// Whether a repetition comes right before, which cannot be repeated again.
    repeated: bool,
    /// For the pattern and each open group, the most that something in it is
    /// repeated.
    groups: Vec<u64>,
    /// The names of groups so far.
    names: Vec<String>,
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        self.at += usize::from(there);
        there
    }

    /// Notes that what was just written can be repeated.
    fn wrote(&mut self, times: u64) {
        self.item = Some(Item {
            end: self.out.len(),
            times,
        });
        self.repeated = false;
        if let Some(most) = self.groups.last_mut() {
            *most = times.max(*most);
        }
    }

    fn step(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => self.escape()?,
            '[' => {
                let (class, next) = class::class(self.chars, self.at)?;
                self.at = next;
                self.out.push_str(&class);
                self.wrote(1);
            }
            '(' => {
                if self.take('?') {
                    self.extension()?;
                } else {
                    self.open("(");
                }
                if self.groups.len() > MAX_DEPTH {
                    return Err("groups are nested too deeply".to_owned());
                }
            }
            ')' => {
                let times = match self.groups.pop() {
                    Some(times) if !self.groups.is_empty() => times,
                    _ => return Err("unexpected )".to_owned()),
                };
                self.out.push(')');
                self.wrote(times);
            }
            '|' => {
                self.out.push('|');
                self.item = None;
                self.repeated = false;
            }
            '*' | '+' | '?' => self.repeat(c.to_string(), 1)?,
            '{' => {
                if let Some((min, max, next)) = bounds(self.chars, self.at) {
                    let text: String = self.chars[self.at - 1..next].iter().collect();
                    if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
                        return Err(format!("invalid repetition size {text}"));
                    }
                    self.at = next;
                    self.repeat(text, u64::from(max.unwrap_or(min)).max(1))?;
                } else {
                    self.literal('{');
                }
            }
            '.' | '^' | '$' => {
                self.out.push(c);
                self.wrote(1);
            }
            _ => self.literal(c),
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        literal(&mut self.out, c);
        self.wrote(1);
    }

    fn open(&mut self, how: &str) {
        self.out.push_str(how);
        self.groups.push(1);
        self.item = None;
        self.repeated = false;
    }

    /// A repetition, lazy if a `?` follows.
    fn repeat(&mut self, mut operator: String, times: u64) -> Result<(), String> {
        if self.repeated {
            return Err(format!("a repetition cannot be repeated: {operator}"));
        }
        let Some(item) = &mut self.item else {
            return Err(format!("nothing to repeat before {operator}"));
        };
        item.times *= times;
        if item.times > u64::from(MAX_REPEAT) {
            return Err(format!("invalid repetition size {operator}"));
        }
        let (end, times) = (item.end, item.times);
        if self.peek() == Some('?') {
            self.at += 1;
            operator.push('?');
        }
        // Flags may stand between; they are not repeated.
        self.out.insert_str(end, &operator);
        let end = end + operator.len();
        self.wrote(times);
        self.item = Some(Item { end, times });
        self.repeated = true;
        Ok(())
    }

    /// After `(?`: flags, a non-capturing group, or a named one.
    fn extension(&mut self) -> Result<(), String> {
        let named = match (self.peek(), self.chars.get(self.at + 1)) {
            (Some('P'), Some('<')) => Some(self.at + 2),
            (Some('<'), next) if !matches!(next, Some('=' | '!')) => Some(self.at + 1),
            _ => None,
        };
        if let Some(from) = named {
            let Some(length) = self.chars[from..].iter().position(|c| *c == '>') else {
                return Err("a group's name does not end".to_owned());
            };
            let name: String = self.chars[from..from + length].iter().collect();
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return Err(format!("invalid group name {name}"));
            }
            if self.names.contains(&name) {
                return Err(format!("two groups have the name {name}"));
            }
            self.at = from + length + 1;
            // In the regex crate a name does not start with a digit.
            if name.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
                self.open(&format!("(?P<{name}>"));
            } else {
                self.open("(");
            }
            self.names.push(name);
            return Ok(());
        }
        // What each flag ends up as: naming one twice is no mistake.
        let mut set: Vec<(char, bool)> = Vec::new();
        let mut negated = false;
        let mut named_one = true;
        let colon = loop {
            match self.next() {
                Some(c @ ('i' | 'm' | 's' | 'U')) => {
                    set.retain(|(flag, _)| *flag != c);
                    set.push((c, !negated));
                    named_one = true;
                }
                Some('-') if !negated => {
                    negated = true;
                    named_one = false;
                }
                Some(c @ (':' | ')')) if named_one => break c == ':',
                _ => return Err("only flags and named groups can follow (?".to_owned()),
            }
        };
        let mut flags: String = set.iter().filter(|(_, on)| *on).map(|(flag, _)| flag).collect();
        if set.iter().any(|(_, on)| !on) {
            flags.push('-');
            flags.extend(set.iter().filter(|(_, on)| !on).map(|(flag, _)| flag));
        }
        if colon {
            self.open(&format!("(?{flags}:"));
        } else {
            if !flags.is_empty() {
                let _ = write!(self.out, "(?{flags})");
            }
            self.repeated = false;
        }
        Ok(())
    }

    /// After a backslash outside of classes.
    fn escape(&mut self) -> Result<(), String> {
        let mark = match self.peek() {
            Some('b') => "(?-u:\\b)",
            // The regex crate has no ASCII form of this for text.
            Some('B') => "\\B",
            Some('A') => "\\A",
            Some('z') => "\\z",
            Some('C') => "(?s:.)",
            Some('Q') => {
                self.at += 1;
                self.quoted();
                return Ok(());
            }
            _ => {
                match class::set(self.chars, self.at)? {
                    Some((set, next)) => {
                        let _ = write!(self.out, "[{set}]");
                        self.at = next;
                    }
                    None => {
                        let (code, next) = class::character(self.chars, self.at)?;
                        class::push_range(&mut self.out, code, code, false);
                        self.at = next;
                    }
                }
                self.wrote(1);
                return Ok(());
            }
        };
        self.out.push_str(mark);
        self.at += 1;
        self.wrote(1);
        Ok(())
    }

    /// After `\Q`: what stands there, up to `\E`.
    fn quoted(&mut self) {
        self.repeated = false;
        while let Some(c) = self.next() {
            if c == '\\' && self.take('E') {
                return;
            }
            self.literal(c);
        }
    }
}

/// `{2}`, `{2,}` or `{2,3}` after the brace: the bounds and what follows. A
/// number with a zero before it or of more than eight digits is none.
fn bounds(chars: &[char], mut i: usize) -> Option<(u32, Option<u32>, usize)> {
    let number = |i: &mut usize| -> Option<u32> {
        let digits: String = chars[*i..].iter().take_while(|c| c.is_ascii_digit()).collect();
        *i += digits.len();
        let plain = digits.len() <= 8 && (digits.len() == 1 || !digits.starts_with('0'));
        digits.parse().ok().filter(|_| plain)
    };
    let min = number(&mut i)?;
    let max = match chars.get(i) {
        Some(',') if chars.get(i + 1) == Some(&'}') => {
            i += 1;
            None
        }
        Some(',') => {
            i += 1;
            Some(number(&mut i)?)
        }
        _ => Some(min),
    };
    (chars.get(i) == Some(&'}')).then_some((min, max, i + 1))
}

/// A character that stands for itself.
fn literal(out: &mut String, c: char) {
    match c {
        // By number, because what a backslash means differs.
        c if c.is_ascii_punctuation() => {
            let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
        }
        c => out.push(c),
    }
}
