//! `parse` and `parse-where`: columns cut out of a text.

use regex::Regex;
use rulec_functions::convert::convert;
use rulec_functions::{Type, Value, regexes, text};

use super::{Expr, Result};
use crate::batch::Batch;
use crate::error::{Code, RuntimeError};
use crate::schema::{Column, Schema};
use crate::vector::Builder;

/// How `parse` matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseKind {
    /// Texts are literal and every column must fit its type.
    Simple,
    /// Texts are literal; a column that does not fit its type is null.
    Relaxed,
    /// Texts are regular expressions and every column must fit its type.
    Regex,
}

/// One step of a pattern.
#[derive(Clone, Debug)]
pub enum Step {
    /// `*`.
    Skip,
    /// A text, or a regular expression.
    Text(String),
    /// Takes what stands there into a column of a type: its place in the output.
    Column(usize, Type),
}

/// A pattern that is ready to match.
#[derive(Debug)]
pub struct Pattern {
    steps: Vec<Step>,
    kind: ParseKind,
    regex: Option<PatternRegex>,
}

#[derive(Debug)]
struct PatternRegex {
    regex: Regex,
    /// The group of each column: texts may have groups of their own.
    groups: Vec<usize>,
}

impl Pattern {
    /// Prepares a pattern; `flags` are those of `kind=regex`, from `imsU`.
    pub fn new(kind: ParseKind, flags: &str, steps: Vec<Step>) -> Result<Self> {
        let regex = if kind == ParseKind::Regex {
            Some(regex_of(&steps, flags)?)
        } else {
            None
        };
        Ok(Self { steps, kind, regex })
    }

    /// The values of the pattern's columns, in order; none when the text does
    /// not match.
    fn cut(&self, input: &str) -> Option<Vec<Value>> {
        match &self.regex {
            Some(regex) => self.cut_regex(regex, input),
            None => self.cut_text(input),
        }
    }

    fn cut_regex(&self, regex: &PatternRegex, input: &str) -> Option<Vec<Value>> {
        let captures = regex.regex.captures(input)?;
        let types = self.steps.iter().filter_map(|step| match step {
            Step::Column(_, ty) => Some(*ty),
            Step::Skip | Step::Text(_) => None,
        });
        types
            .zip(&regex.groups)
            .map(|(ty, group)| typed(captures.get(*group).map_or("", |found| found.as_str()), ty))
            .collect()
    }

    fn cut_text(&self, input: &str) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        let mut rest = input;
        let mut steps = self.steps.iter().peekable();
        let mut skipping = false;
        while let Some(step) = steps.next() {
            match step {
                Step::Skip => skipping = true,
                Step::Text(wanted) => {
                    rest = if skipping {
                        rest.split_once(wanted.as_str())?.1
                    } else {
                        rest.strip_prefix(wanted.as_str())?
                    };
                    skipping = false;
                }
                Step::Column(_, ty) => {
                    skipping = false;
                    let found = match steps.peek() {
                        Some(Step::Text(until)) => rest.split_once(until.as_str())?.0,
                        _ if *ty == Type::String => rest,
                        _ => longest(rest, *ty),
                    };
                    rest = &rest[found.len()..];
                    values.push(match typed(found, *ty) {
                        Some(value) => value,
                        None if self.kind == ParseKind::Relaxed => Value::Null,
                        None => return None,
                    });
                }
            }
        }
        Some(values)
    }
}

/// The regular expression that a pattern means. Source: the KQL reference,
/// "parse operator", regex mode.
fn regex_of(steps: &[Step], flags: &str) -> Result<PatternRegex> {
    let compile = |pattern: &str| {
        regexes::compile(pattern).map_err(|error| {
            let message = format!("the pattern of `parse` is not a regular expression: {error}");
            RuntimeError::new(Code::BAD_ARGUMENT, message)
        })
    };
    let flags = flags
        .chars()
        .filter(|flag| "imsU".contains(*flag))
        .collect::<String>();
    let mut source = if flags.is_empty() {
        String::new()
    } else {
        format!("(?{flags})")
    };
    source.push_str(r"\A");
    let mut groups = Vec::new();
    let mut group = 1;
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Skip => source.push_str(".*?"),
            Step::Text(text) => {
                group += compile(text)?.captures_len() - 1;
                source.push_str("(?:");
                source.push_str(text);
                source.push(')');
            }
            Step::Column(_, ty) => {
                let last = index + 1 == steps.len();
                source.push_str(match ty {
                    Type::Int | Type::Long => r"(-?\d+)",
                    // The last column takes the rest.
                    _ if last => r"((?s:.*)\z)",
                    _ => "(.*?)",
                });
                groups.push(group);
                group += 1;
            }
        }
    }
    Ok(PatternRegex {
        regex: compile(&source)?,
        groups,
    })
}

fn typed(found: &str, ty: Type) -> Option<Value> {
    if ty == Type::String {
        return Some(Value::string(found));
    }
    let value = convert(&Value::string(found.trim()), ty);
    (!value.is_null()).then_some(value)
}

/// The longest start of a text that is a value of a type; empty if none is.
fn longest(text: &str, ty: Type) -> &str {
    // No number, time or identifier is longer than this.
    const MOST: usize = 64;
    let ends = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take(MOST)
        .collect::<Vec<_>>();
    ends.into_iter()
        .rev()
        .map(|end| &text[..end])
        .find(|start| !start.ends_with(char::is_whitespace) && typed(start, ty).is_some())
        .unwrap_or("")
}

/// `parse`: the input's columns, in the places the schema gives them, and those
/// of the pattern; null (the empty string) where the text does not match.
/// A column of the pattern takes the place of one of the input.
pub fn parse(input: &Batch, text: &Expr<'_>, pattern: &Pattern, schema: &Schema) -> Result<Batch> {
    run(input, text, pattern, schema, false)
}

/// `parse-where`: as [`parse`], without the rows that do not match.
pub fn parse_where(input: &Batch, text: &Expr<'_>, pattern: &Pattern, schema: &Schema) -> Result<Batch> {
    run(input, text, pattern, schema, true)
}

fn run(input: &Batch, expr: &Expr<'_>, pattern: &Pattern, schema: &Schema, filter: bool) -> Result<Batch> {
    let targets = pattern
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Column(output, ty) => Some((*output, *ty)),
            Step::Skip | Step::Text(_) => None,
        })
        .collect::<Vec<_>>();
    let mut builders = targets
        .iter()
        .map(|(_, ty)| Builder::new(*ty, input.rows()))
        .collect::<Vec<_>>();
    let mut kept = Vec::new();
    for row in input {
        let value = expr.of(row);
        let found = pattern.cut(&text::borrow(&value));
        if filter && found.is_none() {
            continue;
        }
        kept.push(row.index() as u32);
        let mut values = found.unwrap_or_default().into_iter();
        for builder in &mut builders {
            builder.push(values.next().unwrap_or_default());
        }
    }
    let input = if kept.len() == input.rows() {
        input.clone()
    } else {
        input.select(&kept, "parse-where")?
    };
    let width = input.schema().len();
    let added = targets
        .iter()
        .zip(builders)
        .map(|((_, ty), builder)| (Column::new("", *ty), builder.finish()));
    let wide = input.append(added.collect(), "parse")?;
    let columns = schema.columns().iter().enumerate().map(|(place, column)| {
        let source = targets
            .iter()
            .rposition(|(output, _)| *output == place)
            .map_or(place, |target| width + target);
        (column.clone(), source)
    });
    wide.pick(&columns.collect::<Vec<_>>())
}
