//! `parse-kv`: pairs of keys and values in a text become columns.

use rulec_functions::regexes;
use rulec_functions::{Type, Value, convert};

use super::{Expr, Result};
use crate::batch::{Batch, null_of};
use crate::error::{Code, RuntimeError};
use crate::schema::Column;
use crate::vector::Builder;

/// How the pairs of a text are told apart.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// Between pairs.
    pub pair: String,
    /// Between a key and its value. When both delimiters are empty, anything
    /// but letters and digits delimits.
    pub between: String,
    /// What opens a quoted key or value, and what closes it.
    pub quote: Option<(char, char)>,
    /// What takes a quote's meaning away.
    pub escape: Option<char>,
    /// Whether a value goes on to the next delimiter that a key follows.
    pub greedy: bool,
    /// A pattern with groups for key and value, instead of delimiters.
    pub regex: Option<String>,
}

/// `parse-kv`: the first `width` columns of the input, one column for each
/// key, then further columns of the input. A key that a text does not have
/// gives null; of several pairs of one key the first counts.
pub fn parse_kv(
    input: &Batch,
    width: usize,
    text: &Expr<'_>,
    pairs: &Pairs,
    columns: &[Column],
) -> Result<Batch> {
    let regex = match &pairs.regex {
        Some(pattern) => Some(regexes::compile(pattern).map_err(|error| {
            RuntimeError::new(
                Code::BAD_ARGUMENT,
                format!("the pattern of `parse-kv` is not a regular expression: {error}"),
            )
        })?),
        None => None,
    };
    let mut builders = columns
        .iter()
        .map(|column| Builder::new(column.ty, input.rows()))
        .collect::<Vec<_>>();
    for row in input {
        let text = text.of(row);
        let text = text.as_str().unwrap_or("");
        let found: Vec<(String, String)> = match &regex {
            Some(regex) => regex
                .captures_iter(text)
                .filter_map(|groups| {
                    let group = |index| groups.get(index).map(|m| m.as_str().to_owned());
                    Some((group(1)?, group(2)?))
                })
                .collect(),
            None if pairs.between.is_empty() => Vec::new(),
            None => pairs.delimited(text),
        };
        for (builder, column) in builders.iter_mut().zip(columns) {
            let value = if regex.is_none() && pairs.between.is_empty() {
                pairs.anywhere(text, &column.name)
            } else {
                found
                    .iter()
                    .find(|(key, _)| *key == *column.name)
                    .map(|(_, value)| value.clone())
            };
            builder.push(match value {
                Some(value) if column.ty == Type::String => Value::string(value),
                Some(value) => convert(&Value::string(value), column.ty),
                None => null_of(column.ty),
            });
        }
    }
    let total = input.schema().len();
    let added = columns
        .iter()
        .cloned()
        .zip(builders.into_iter().map(Builder::finish));
    let wide = input.append(added.collect(), "parse-kv")?;
    let names = wide.schema().columns().to_vec();
    let places = (0..width.min(total))
        .chain(total..names.len())
        .chain(width.min(total)..total)
        .map(|place| (names[place].clone(), place))
        .collect::<Vec<_>>();
    wide.pick(&places)
}

impl Pairs {
    /// The pairs of a text, keys and values without their quotes.
    fn delimited(&self, text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if !self.pair.is_empty()
                && let Some(next) = rest.strip_prefix(self.pair.as_str())
            {
                rest = next;
                continue;
            }
            let (key, behind) = match self.quoted(rest) {
                Some((key, behind)) if behind.starts_with(self.between.as_str()) => {
                    (key, &behind[self.between.len()..])
                }
                _ => {
                    let end = rest.find(self.between.as_str());
                    let pair = self.find_pair(rest);
                    match (end, pair) {
                        (Some(end), pair) if pair.is_none_or(|pair| end < pair) => {
                            (rest[..end].trim().to_owned(), &rest[end + self.between.len()..])
                        }
                        // No key before the next pair: this part says nothing.
                        (_, Some(pair)) => {
                            rest = &rest[pair + self.pair.len()..];
                            continue;
                        }
                        _ => break,
                    }
                }
            };
            let (value, behind) = self.value(behind);
            found.push((key, value));
            rest = behind;
        }
        found
    }

    /// The value at the start of a text, and what comes after it.
    fn value<'t>(&self, text: &'t str) -> (String, &'t str) {
        if let Some((value, behind)) = self.quoted(text) {
            return (value, behind);
        }
        let mut end = self.find_pair(text).unwrap_or(text.len());
        if self.greedy {
            // The last delimiter before the next key ends the value.
            let mut from = end;
            end = text.len();
            while let Some(behind) = text.get(from + self.pair.len()..).filter(|_| from < text.len()) {
                let next = self.find_pair(behind);
                let key = behind.find(self.between.as_str());
                if key.is_some_and(|key| next.is_none_or(|next| key < next)) {
                    end = from;
                    break;
                }
                match next {
                    Some(next) => from += self.pair.len() + next,
                    None => break,
                }
            }
        }
        (text[..end].trim_end().to_owned(), &text[end..])
    }

    fn find_pair(&self, text: &str) -> Option<usize> {
        if self.pair.is_empty() {
            return None;
        }
        text.find(self.pair.as_str())
    }

    /// A quoted part at the start of a text, without quotes and escapes.
    fn quoted<'t>(&self, text: &'t str) -> Option<(String, &'t str)> {
        let (open, close) = self.quote?;
        let inner = text.strip_prefix(open)?;
        let mut part = String::new();
        let mut characters = inner.char_indices();
        while let Some((at, c)) = characters.next() {
            if Some(c) == self.escape {
                part.extend(characters.next().map(|(_, escaped)| escaped));
            } else if c == close {
                return Some((part, &inner[at + c.len_utf8()..]));
            } else {
                part.push(c);
            }
        }
        None
    }

    /// The value of a key where anything but letters and digits delimits.
    fn anywhere(&self, text: &str, key: &str) -> Option<String> {
        if key.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(at) = text.get(from..)?.find(key).map(|at| from + at) {
            let end = at + key.len();
            let before = text[..at].chars().next_back();
            let after = text[end..].chars().next();
            if before.is_none_or(|c| !c.is_alphanumeric()) && after.is_some_and(|c| !c.is_alphanumeric()) {
                let opens = |c: char| self.quote.is_some_and(|(open, _)| open == c);
                let value = text[end..].trim_start_matches(|c: char| !c.is_alphanumeric() && !opens(c));
                if let Some((value, _)) = self.quoted(value) {
                    return Some(value);
                }
                let value = value.trim_start_matches(|c: char| !c.is_alphanumeric());
                let end = value.find(|c: char| !c.is_alphanumeric()).unwrap_or(value.len());
                return Some(value[..end].to_owned());
            }
            from = end;
        }
        None
    }
}
