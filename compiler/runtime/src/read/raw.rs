//! Rows whose fields were found without reading the whole line: what the fast
//! scanner hands over.
//!
//! In: raw JSON values of single fields, or whole lines. Out: batches, through
//! the same columns and conversions as every other reader.

use std::collections::HashMap;
use std::sync::Arc;

use rulec_functions::{INGESTED, Type, Value, text};
use serde::de::DeserializeSeed;

use super::json::{self, Order};
use super::sink::{Fate, Sink, Slot};
use super::{Format, Report, Source, detect};
use crate::batch::Batch;
use crate::error::RuntimeError;

/// The names of the fields that a source wants at once, its times included.
pub(crate) fn wanted(source: &Source<'_>) -> Vec<Arc<str>> {
    let columns = source.schema.columns().iter().enumerate();
    columns
        .filter(|(place, _)| source.is_early(*place))
        .map(|(_, column)| column.name.clone())
        .chain(INGESTED.iter().map(|name| Arc::from(*name)))
        .collect()
}

/// Checks every byte of a line as JSON; what is wrong with it.
pub(crate) fn validate(line: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|error| {
        format!(
            "this is not UTF-8: the byte at column {}",
            error.valid_up_to() + 1
        )
    })?;
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| ())
        .map_err(|error| json::sentence(&error, line, "object"))
}

/// Values that a field has had, by how they were written: most fields of logs
/// have few. What one thread keeps from piece to piece.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    fields: Vec<Remembered>,
    /// Room for a text without its escapes.
    text: String,
}

#[derive(Debug, Default)]
struct Remembered {
    values: HashMap<Box<[u8]>, Value, foldhash::fast::FixedState>,
    asked: u32,
    found: u32,
    given_up: bool,
}

/// Values of a field that are remembered, and the longest of them.
const REMEMBERED: usize = 1 << 12;
const LONGEST: usize = 256;

/// Values after which it is asked whether remembering pays.
const TRIAL: u32 = 1 << 10;

impl Remembered {
    fn get(&mut self, raw: &[u8]) -> Option<Value> {
        if self.given_up || raw.len() > LONGEST {
            return None;
        }
        self.asked += 1;
        if self.asked == TRIAL {
            self.given_up = self.found < TRIAL / 2;
            if self.given_up {
                self.values = HashMap::default();
            }
            self.asked = 0;
            self.found = 0;
        }
        let found = self.values.get(raw)?;
        self.found += 1;
        Some(found.clone())
    }

    fn put(&mut self, raw: &[u8], value: &Value) {
        if !self.given_up && raw.len() <= LONGEST && self.values.len() < REMEMBERED {
            self.values.insert(raw.into(), value.clone());
        }
    }
}

/// Rows under construction.
pub(crate) struct Rows<'a> {
    sink: Sink<'a>,
    /// Per field of the scanner.
    slots: Vec<Slot>,
    order: Order,
    memory: &'a mut Memory,
}

impl<'a> Rows<'a> {
    /// Rows of a source, whose fields have these names.
    pub(crate) fn new(
        source: &'a Source<'a>,
        names: &[Box<str>],
        memory: &'a mut Memory,
        each: &'a mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
    ) -> Self {
        let mut sink = Sink::new(source, each);
        memory.fields.resize_with(names.len(), Remembered::default);
        Self {
            slots: names.iter().map(|name| sink.slot(name)).collect(),
            sink,
            order: Order::default(),
            memory,
        }
    }

    /// A row from the raw values of its fields; what is wrong with one of them.
    /// `place` is where its line starts.
    pub(crate) fn fields<'t>(
        &mut self,
        place: usize,
        raw: impl Fn(usize) -> Option<&'t [u8]>,
    ) -> Result<Result<(), String>, RuntimeError> {
        self.sink.begin_row(place as u64);
        for (field, slot) in self.slots.iter().enumerate() {
            if slot.is_idle() {
                continue;
            }
            let Some(raw) = raw(field) else { continue };
            if let Some(number) = whole_number(raw) {
                self.sink.set_value(*slot, Value::Long(number));
                continue;
            }
            let remembered = &mut self.memory.fields[field];
            if let Some(value) = remembered.get(raw) {
                self.sink.set_fitted(*slot, value);
                continue;
            }
            match value(raw, *slot, &mut self.memory.text) {
                Ok(value) => {
                    let value = self.sink.fit(*slot, value);
                    remembered.put(raw, &value);
                    self.sink.set_fitted(*slot, value);
                }
                Err(what) => {
                    self.sink.discard();
                    return Ok(Err(what));
                }
            }
        }
        self.sink.end_row().map(Ok)
    }

    /// A row from a whole line; what is wrong with it. `unfinished` says that
    /// the file ends behind it without a line break.
    pub(crate) fn line(
        &mut self,
        place: usize,
        line: &[u8],
        unfinished: bool,
    ) -> Result<Result<(), String>, RuntimeError> {
        self.sink.begin_row(place as u64);
        match json::row(line, &mut self.sink, &mut self.order) {
            Ok(()) => self.sink.end_row().map(Ok),
            Err(error) => {
                self.sink.discard();
                Ok(Err(json::refusal(&error, line, unfinished)))
            }
        }
    }

    /// Hands on what is left.
    pub(crate) fn finish(self) -> Result<Fates, RuntimeError> {
        self.sink.finish_if_any().map(Fates)
    }
}

/// How the values of each column fared in a part of a file.
#[derive(Debug, Default)]
pub(crate) struct Fates(pub(super) Vec<Fate>);

impl Fates {
    /// Adds those of a later part.
    pub(crate) fn merge(&mut self, later: Fates) {
        if self.0.is_empty() {
            *self = later;
            return;
        }
        for (fate, later) in self.0.iter_mut().zip(later.0) {
            fate.merge(later);
        }
    }

    /// Reports columns of which no value could be read. `line` gives the
    /// number of the line that starts at a place.
    pub(crate) fn tell(self, source: &Source<'_>, line: impl Fn(u64) -> u64, report: &mut Report) {
        for (column, fate) in source.schema.columns().iter().zip(self.0) {
            fate.tell(column, source.label, &line, report);
        }
    }
}

/// Whether a text that starts like this is one object a line, each a row.
pub(crate) fn is_rows(head: &[u8], label: &str) -> bool {
    let line = head.trim_ascii_start();
    let line = &line[..memchr::memchr(b'\n', line).map_or(line.len(), |at| at + 1)];
    line.starts_with(b"{") && detect(line, label) == Format::Ndjson && !json::is_wrapped(line)
}

/// A number in the plainest form, which needs no reader of numbers.
fn whole_number(raw: &[u8]) -> Option<i64> {
    let digits = raw.strip_prefix(b"-").unwrap_or(raw);
    let plain = match digits {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    // Minus zero is a real number.
    if !plain || raw == b"-0" {
        return None;
    }
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some(if digits.len() < raw.len() { -number } else { number })
}

/// A raw JSON value; a time where the field is one.
fn value(raw: &[u8], slot: Slot, buffer: &mut String) -> Result<Value, String> {
    if let [b'"', content @ .., b'"'] = raw
        && let Some(text) = unescaped(content, buffer)
    {
        let time = (slot.ty == Some(Type::DateTime))
            .then(|| text::parse_iso(text))
            .flatten();
        return Ok(time.map_or_else(|| Value::string(text), Value::DateTime));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    json::ValueSeed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| json::sentence(&error, raw, "value"))
}

/// The text between quotes, where it is UTF-8 and written in the usual way.
fn unescaped<'t>(content: &'t [u8], buffer: &'t mut String) -> Option<&'t str> {
    let text = std::str::from_utf8(content).ok()?;
    let special = |byte: &u8| *byte == b'\\' || *byte < b' ' || *byte == b'"';
    if !content.iter().any(special) {
        return Some(text);
    }
    buffer.clear();
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        buffer.push_str(rest.get(..at)?);
        buffer.push(match rest.as_bytes().get(at + 1)? {
            b'\\' => '\\',
            b'"' => '"',
            b'/' => '/',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return None,
        });
        rest = rest.get(at + 2..)?;
    }
    buffer.push_str(rest);
    let plain = |byte: &u8| *byte >= b' ';
    content.iter().all(plain).then_some(buffer.as_str())
}
