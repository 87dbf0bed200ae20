//! Rows whose fields were found without reading the whole line: what the fast
//! scanner hands over.
//!
//! In: raw JSON values of single fields, or whole lines. Out: batches, through
//! the same columns and conversions as every other reader.

use std::sync::Arc;

use rulec_functions::Value;
use serde::de::DeserializeSeed;

use super::json::{self, Order};
use super::sink::{Fate, Sink, Slot, TIMES};
use super::{Format, Report, Source, detect};
use crate::batch::Batch;
use crate::error::RuntimeError;

/// The names of the fields that a source wants, its times included.
pub(crate) fn wanted(source: &Source<'_>) -> Vec<Arc<str>> {
    let columns = source.schema.columns().iter().enumerate();
    columns
        .filter(|(place, _)| source.needed.is_none_or(|needed| needed.contains(place)))
        .map(|(_, column)| column.name.clone())
        .chain(TIMES.iter().map(|name| Arc::from(*name)))
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

/// Rows under construction.
pub(crate) struct Rows<'a> {
    sink: Sink<'a>,
    /// Per field of the scanner.
    slots: Vec<Slot>,
    order: Order,
}

impl<'a> Rows<'a> {
    /// Rows of a source, whose fields have these names.
    pub(crate) fn new(
        source: &'a Source<'a>,
        names: &[Box<str>],
        each: &'a mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
    ) -> Self {
        let mut sink = Sink::new(source, each);
        Self {
            slots: names.iter().map(|name| sink.slot(name)).collect(),
            sink,
            order: Order::default(),
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
            if let Some(raw) = raw(field) {
                match value(raw) {
                    Ok(value) => self.sink.set_value(*slot, value),
                    Err(what) => {
                        self.sink.discard();
                        return Ok(Err(what));
                    }
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
pub(crate) struct Fates(Vec<Fate>);

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

/// A raw JSON value.
fn value(raw: &[u8]) -> Result<Value, String> {
    if let [b'"', content @ .., b'"'] = raw
        && !content
            .iter()
            .any(|byte| *byte == b'\\' || *byte < b' ' || *byte == b'"')
    {
        let text = std::str::from_utf8(content).map_err(|_| "a value is not UTF-8".to_owned())?;
        return Ok(Value::string(text));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    json::ValueSeed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| json::sentence(&error, raw, "value"))
}
