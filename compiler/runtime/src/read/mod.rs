//! Readers of exported logs.
//!
//! In: bytes, and the schema of the table they hold. Out: batches. NDJSON, a
//! JSON array, Defender's `{"Results":[…]}`, Log Analytics' `{"tables":[…]}`,
//! CSV and TSV with a header; which of them it is shows in the first bytes.
//!
//! Columns are matched by exact name and converted to the schema's types, what
//! does not convert being null. Columns the schema does not have are ignored
//! unless it is open. A malformed line is an error with its place, or counted
//! and skipped when the source is lenient.
//!
//! The ingestion time of a row is its `_IngestionTime` or `IngestionTime`,
//! else its `Timestamp`, else its `TimeGenerated`.

mod csv;
mod json;
mod sink;

use std::io::BufRead;

use crate::batch::Batch;
use crate::error::{Code, RuntimeError};
use crate::memory::Memory;
use crate::schema::Schema;

use sink::Sink;

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One JSON document: an array of objects, or an export that wraps one.
    Json,
    /// Comma-separated, with a header.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
}

/// What is read, and how.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What messages call it: the file's name.
    pub label: &'a str,
    /// The format; none to tell from the first bytes.
    pub format: Option<Format>,
    /// The columns to fill.
    pub schema: &'a Schema,
    /// Places in the schema that are read; the others stay null. None: all.
    pub needed: Option<&'a [usize]>,
    /// Whether malformed lines are skipped.
    pub lenient: bool,
    /// The budget that rows count against.
    pub memory: &'a Memory,
}

impl<'a> Source<'a> {
    /// All columns, strictly, in whatever format it is.
    pub fn new(label: &'a str, schema: &'a Schema, memory: &'a Memory) -> Self {
        Self {
            label,
            format: None,
            schema,
            needed: None,
            lenient: false,
            memory,
        }
    }
}

/// What happened while reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Lines skipped because they are malformed.
    pub malformed: u64,
    /// Where and why, for the first of them.
    pub first: Option<String>,
}

impl Report {
    /// Adds what happened in another file.
    pub fn add(&mut self, other: Report) {
        self.rows += other.rows;
        self.malformed += other.malformed;
        self.first = self.first.take().or(other.first);
    }
}

/// Rows in a batch that [`batches`] gives.
const CHUNK: usize = 1 << 14;

/// Reads everything into one batch.
pub fn read(input: impl BufRead, source: &Source<'_>) -> Result<(Batch, Report), RuntimeError> {
    let mut parts = Vec::new();
    let report = batches(input, source, &mut |batch| {
        parts.push(batch);
        Ok(())
    })?;
    let batch = Batch::concat(&parts, "read")?;
    Ok((
        batch.unwrap_or_else(|| Batch::empty(source.schema.clone(), source.memory)),
        report,
    ))
}

/// Reads in pieces, so that only one piece is held at a time. A table that is
/// not wholly known comes in one piece, as only its end says what columns it has.
pub fn batches(
    mut input: impl BufRead,
    source: &Source<'_>,
    each: &mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
) -> Result<Report, RuntimeError> {
    let input: &mut dyn BufRead = &mut input;
    let head = head(input, source)?;
    let format = source.format.unwrap_or_else(|| detect(&head));
    let mut input = std::io::Read::chain(&head[..], input);
    let mut sink = Sink::new(source, each);
    match format {
        Format::Ndjson => json::lines(&mut input, &mut sink)?,
        Format::Json => json::document(&mut input, &mut sink)?,
        Format::Csv => csv::read(&mut input, b',', &mut sink)?,
        Format::Tsv => csv::read(&mut input, b'\t', &mut sink)?,
    }
    sink.finish()
}

/// The first line that is not blank, and everything before it but a byte order
/// mark: enough to tell the format.
fn head(input: &mut dyn BufRead, source: &Source<'_>) -> Result<Vec<u8>, RuntimeError> {
    let mut head = Vec::new();
    loop {
        let read = input
            .read_until(b'\n', &mut head)
            .map_err(|error| unreadable(source.label, &error))?;
        if head.starts_with(b"\xEF\xBB\xBF") {
            head.drain(..3);
        }
        if read == 0 || head.iter().any(|byte| !byte.is_ascii_whitespace()) {
            return Ok(head);
        }
    }
}

/// The format of a text that starts with these bytes.
fn detect(head: &[u8]) -> Format {
    let line = head.trim_ascii();
    match line.first() {
        None => Format::Ndjson,
        Some(b'[') => Format::Json,
        Some(b'{') => {
            if json::is_event(line) {
                Format::Ndjson
            } else {
                Format::Json
            }
        }
        Some(_) if line.contains(&b'\t') && !line.contains(&b',') => Format::Tsv,
        Some(_) => Format::Csv,
    }
}

fn unreadable(label: &str, error: &std::io::Error) -> RuntimeError {
    RuntimeError::new(
        Code::INPUT_UNREADABLE,
        format!("reading `{label}` failed: {error}"),
    )
}
