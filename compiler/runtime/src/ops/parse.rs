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
    kind: ParseKind,
    regex: Regex,
    /// The columns, in order: place, type, and group in the expression (texts
    /// may have groups of their own).
    columns: Vec<(usize, Type, usize)>,
}

impl Pattern {
    /// Prepares a pattern; `flags` are those of `kind=regex`, from `imsUx`.
    ///
    /// Every kind is one regular expression. Simple and relaxed patterns have to
    /// reach from the start of the text to its end, and their columns take as
    /// little as they can; in regular expressions texts are part of the
    /// expression, columns take as much as they can, and the match may start and
    /// end anywhere. Sources: the KQL reference, "parse operator", for the kinds;
    /// what the service answers, where the reference is silent or differs.
    pub fn new(kind: ParseKind, flags: &str, steps: Vec<Step>) -> Result<Self> {
        let is_regex = kind == ParseKind::Regex;
        let mut source = if is_regex {
            let flags = flags
                .chars()
                .filter(|flag| "imsUx".contains(*flag))
                .collect::<String>();
            if flags.is_empty() {
                String::new()
            } else {
                format!("(?{flags})")
            }
        } else {
            r"(?s)\A".to_owned()
        };
        let mut columns = Vec::new();
        let mut group = 1;
        let mut steps = steps.into_iter();
        while let Some(step) = steps.next() {
            match step {
                Step::Skip => source.push_str(".*?"),
                Step::Text(text) if is_regex => {
                    let text = balanced(&text);
                    group += compile(&text)?.captures_len() - 1;
                    source.push_str(&format!("(?:{text})"));
                }
                Step::Text(text) => source.push_str(&regex::escape(&text)),
                Step::Column(place, ty) => {
                    let taken = if is_regex {
                        shape(ty, true).unwrap_or(".*").to_owned()
                    } else {
                        before_skip(steps.as_slice(), ty).unwrap_or_else(|| ".*?".to_owned())
                    };
                    source.push_str(&format!("({taken})"));
                    columns.push((place, ty, group));
                    group += 1;
                }
            }
        }
        if !is_regex {
            source.push_str(r"\z");
        }
        Ok(Self {
            kind,
            regex: compile(&source)?,
            columns,
        })
    }

    /// The values of the pattern's columns, in order; none when the text does
    /// not match, or a column does not fit its type and the kind is strict.
    fn cut(&self, input: &str) -> Option<Vec<Value>> {
        let captures = self.regex.captures(input)?;
        self.columns
            .iter()
            .map(|(_, ty, group)| {
                let found = captures.get(*group).map_or("", |found| found.as_str());
                match typed(found, *ty) {
                    None if self.kind == ParseKind::Relaxed => Some(Value::Null),
                    value => value,
                }
            })
            .collect()
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    regexes::compile(pattern).map_err(|error| {
        let message = format!("the pattern of `parse` is not a regular expression: {error}");
        RuntimeError::new(Code::BAD_ARGUMENT, message)
    })
}

/// What a column takes that a `*` follows: nothing else says where it ends, so
/// the shape of its type does. None where something else follows.
fn before_skip(behind: &[Step], ty: Type) -> Option<String> {
    let shape = shape(ty, false).filter(|_| matches!(behind.first(), Some(Step::Skip)))?;
    // A last `*` asks for nothing, and so the value may be missing before it.
    Some(if behind.len() == 1 {
        format!("(?:{shape})?")
    } else {
        shape.to_owned()
    })
}

/// The texts that a column of a type takes, as an expression; none for texts
/// and dynamic values, which are anything. `strict`: in `kind=regex`, where a
/// number does not start or end with its point, and is no truth value.
fn shape(ty: Type, strict: bool) -> Option<&'static str> {
    Some(match ty {
        Type::Int | Type::Long => r"\s*[-+]?\d+",
        Type::Real | Type::Decimal if strict => r"\s*[-+]?\d+(?:\.\d+)?",
        Type::Real | Type::Decimal => r"\s*[-+]?(?:\d+\.?\d*|\.\d+)",
        Type::Bool if strict => r"\s*(?i:true|false)",
        Type::Bool => r"\s*(?:(?i:true|false)|[-+]?\d+)",
        Type::DateTime => concat!(
            r"\s*(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/\d{1,4})",
            r"(?:[Tt ]\s*\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d*)?)?)?",
            r"(?:[Zz]|[-+]\d{1,2}(?::\d{1,2})?)?"
        ),
        Type::TimeSpan => concat!(
            r"\s*-?(?:\d+\.\d{1,2}:\d{1,2}:\d{1,2}|\d{1,2}:\d{1,2}(?::\d{1,2})?)",
            r"(?:\.\d*)?"
        ),
        Type::Guid => concat!(
            r"\s*(?:\{[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}",
            r"|[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12})"
        ),
        Type::String | Type::Dynamic | Type::Unknown => return None,
    })
}

/// A regular expression in which parentheses without a partner stand for
/// themselves, as they do in the service.
fn balanced(text: &str) -> String {
    let mut open = Vec::new();
    let mut alone = Vec::new();
    let mut in_class = false;
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '[' if !in_class => {
                in_class = true;
                // A bracket right behind the opening one is part of the class.
                let rest = characters.as_str();
                let rest = rest.strip_prefix('^').map_or(rest, |rest| {
                    characters.next();
                    rest
                });
                if rest.starts_with(']') {
                    characters.next();
                }
            }
            ']' => in_class = false,
            '(' if !in_class => open.push(at),
            ')' if !in_class && open.pop().is_none() => alone.push(at),
            _ => {}
        }
    }
    alone.extend(open);
    text.char_indices().fold(String::new(), |mut whole, (at, c)| {
        if alone.contains(&at) {
            whole.push('\\');
        }
        whole.push(c);
        whole
    })
}

/// A value from its text; none where the text is no value of the type. Whole
/// numbers have to be written as such, and a truth value may be a number.
fn typed(found: &str, ty: Type) -> Option<Value> {
    let text = found.trim();
    let whole = || {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    let value = match ty {
        Type::String => return Some(Value::string(found)),
        Type::Int | Type::Long if !whole() => Value::Null,
        Type::Bool if whole() => Value::Bool(text.bytes().any(|digit| (b'1'..=b'9').contains(&digit))),
        Type::Bool => match text.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Null,
        },
        _ => convert(&Value::string(text), ty),
    };
    (!value.is_null()).then_some(value)
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
    let targets = &pattern.columns;
    let mut builders = targets
        .iter()
        .map(|(_, ty, _)| Builder::new(*ty, input.rows()))
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
        .map(|((_, ty, _), builder)| (Column::new("", *ty), builder.finish()));
    let wide = input.append(added.collect(), "parse")?;
    let columns = schema.columns().iter().enumerate().map(|(place, column)| {
        let source = targets
            .iter()
            .rposition(|(output, ..)| *output == place)
            .map_or(place, |target| width + target);
        (column.clone(), source)
    });
    wide.pick(&columns.collect::<Vec<_>>())
}
