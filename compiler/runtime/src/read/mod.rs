//! Readers of exported logs.
//!
//! In: bytes, and the schema of the table they hold. Out: batches. NDJSON, a
//! JSON array, Defender's `{"Results":[…]}`, Log Analytics' `{"tables":[…]}`,
//! CSV and TSV with a header; which of them it is shows in the first bytes.
//! A byte order mark, CRLF and blank lines do not matter.
//!
//! Columns are matched by exact name (in a header also by display name) and
//! converted to the schema's types, what does not convert being null; a column
//! of which nothing converts is reported. Columns the schema does not have are
//! ignored unless it is open. A malformed line is an error with its place, or
//! counted and skipped when the source is lenient; so is a file that is cut off
//! or breaks, of which a lenient reader keeps what came before.
//!
//! The ingestion time of a row is its `_IngestionTime` or `IngestionTime`,
//! else its `Timestamp`, else its `TimeGenerated`.

mod csv;
mod document;
mod feed;
mod json;
mod raw;
mod sink;
mod text;
mod txt;
pub(crate) mod unpack;

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};
use std::sync::Arc;

use crate::batch::Batch;
use crate::error::{Code, RuntimeError};
use crate::late::Late;
use crate::memory::Memory;
use crate::schema::Schema;

pub use feed::{Feed, Piece, in_pieces};
pub(crate) use raw::{Fates, Memory as Remembered, Rows, is_rows, validate, wanted};
use sink::Sink;
pub use sink::Slot;
use text::Text;

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One JSON document: an array of objects, or an export that wraps one.
    Json,
    /// Fields separated by this byte: a comma, a tab, a semicolon.
    Separated(u8),
    /// Each line is the first column of a row.
    Lines,
    /// The whole file is the first column of one row.
    Whole,
}

/// What the first line of separated values is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// The names of the columns.
    #[default]
    Names,
    /// Something that is passed over; fields come in the order of the schema.
    Ignored,
    /// A row, unless it holds nothing but names of columns; fields come in the
    /// order of the schema.
    Absent,
}

/// What is read, and how.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What messages call it: the file's name.
    pub label: &'a str,
    /// The table, which data of several tables says with each row.
    pub table: Option<&'a str>,
    /// The format; none to tell from the first bytes.
    pub format: Option<Format>,
    /// What separated values begin with.
    pub header: Header,
    /// The columns to fill.
    pub schema: &'a Schema,
    /// Places in the schema that are read; the others stay null. None: all.
    pub needed: Option<&'a [usize]>,
    /// Who reads columns later that are not read at once. None: all are.
    pub late: Option<AtOnce<'a>>,
    /// Whether malformed lines are skipped.
    pub lenient: bool,
    /// Whether every byte is checked, also of values that nobody reads.
    pub strict: bool,
    /// The budget that rows count against.
    pub memory: &'a Memory,
}

impl<'a> Source<'a> {
    /// All columns, strictly, in whatever format it is.
    pub fn new(label: &'a str, schema: &'a Schema, memory: &'a Memory) -> Self {
        Self {
            label,
            table: None,
            format: None,
            header: Header::Names,
            schema,
            needed: None,
            late: None,
            lenient: false,
            strict: false,
            memory,
        }
    }

    /// Whether somebody reads the column in a place of the schema, or behind it.
    fn is_needed(&self, column: usize) -> bool {
        let behind = column >= self.schema.len();
        self.needed
            .is_none_or(|needed| behind || needed.contains(&column))
    }

    /// Whether it is read at once.
    fn is_early(&self, column: usize) -> bool {
        self.is_needed(column) && self.late.is_none_or(|late| late.columns.contains(&column))
    }
}

/// What is read at once of a table of which some columns are read later.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce<'a> {
    /// Who reads the others.
    pub table: &'a Arc<Late>,
    /// Places in the schema.
    pub columns: &'a [usize],
}

/// What happened while reading a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Lines skipped because they are malformed.
    pub malformed: u64,
    /// Where and why, for the first of them.
    pub first: Option<String>,
    /// Why the file could not be read to its end.
    pub stopped: Option<String>,
    /// Columns of which no value has the column's type: where one is, and what.
    pub unconverted: BTreeMap<String, String>,
}

impl Report {
    /// Adds what another reading of the same file found, which may have asked
    /// for other columns.
    pub fn merge(&mut self, other: Report) {
        self.rows = self.rows.max(other.rows);
        if other.malformed > self.malformed {
            self.malformed = other.malformed;
            self.first = other.first;
        }
        self.stopped = self.stopped.take().or(other.stopped);
        self.unconverted.extend(other.unconverted);
    }

    /// What a person should know of the file, a sentence each.
    pub fn sentences(&self, label: &str) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.malformed > 0 {
            let lines = if self.malformed == 1 { "line" } else { "lines" };
            let first = self.first.as_deref().unwrap_or_default();
            sentences.push(format!(
                "{label}: skipped {} malformed {lines}, the first: {first}",
                self.malformed
            ));
        }
        if let Some(stopped) = &self.stopped {
            let rows = if self.rows == 1 { "row" } else { "rows" };
            sentences.push(format!(
                "{stopped}; the {} {rows} in front of that are used",
                self.rows
            ));
        }
        for (column, refused) in &self.unconverted {
            sentences.push(format!(
                "no value of the column `{column}` could be read, so it is null everywhere; the first: {refused}"
            ));
        }
        sentences
    }
}

/// Rows in a batch that [`batches`] gives.
const CHUNK: usize = 1 << 14;

/// Reads everything into one batch.
pub fn read(input: impl BufRead, source: &Source<'_>) -> Result<(Batch, Report), RuntimeError> {
    whole(source, |each| batches(input, source, each))
}

/// The pieces that a reader hands on as one batch, and what the reader gives.
pub fn whole<T>(
    source: &Source<'_>,
    read: impl FnOnce(&mut dyn FnMut(Batch) -> Result<(), RuntimeError>) -> Result<T, RuntimeError>,
) -> Result<(Batch, T), RuntimeError> {
    let mut parts = Vec::new();
    let given = read(&mut |part| {
        parts.push(part);
        Ok(())
    })?;
    let whole = Batch::concat(&parts, "read")?;
    let nothing = || Batch::empty(source.schema.clone(), source.memory);
    Ok((whole.unwrap_or_else(nothing), given))
}

/// Reads in pieces, so that only one piece is held at a time. A table that is
/// not wholly known comes in one piece, as only its end says what columns it has.
pub fn batches(
    mut input: impl BufRead,
    source: &Source<'_>,
    each: &mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
) -> Result<Report, RuntimeError> {
    let input: &mut dyn BufRead = &mut input;
    let head = head(input);
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err(RuntimeError::new(
            Code::INPUT_UNREADABLE,
            format!("`{}` is UTF-16 text; save it as UTF-8", source.label),
        ));
    }
    let format = source.format.unwrap_or_else(|| detect(&head, source.label));
    let mut input = head.chain(input);
    let mut text = Text::new(&mut input, source);
    let mut sink = Sink::new(source, each);
    match format {
        Format::Ndjson => json::lines(&mut text, &mut sink)?,
        Format::Json => document::read(&mut text, &mut sink)?,
        Format::Separated(by) => csv::read(&mut text, by, source.header, &mut sink)?,
        Format::Lines => txt::lines(&mut text, source.header, &mut sink)?,
        Format::Whole => txt::whole(&mut text, &mut sink)?,
    }
    sink.finish(text.stopped())
}

/// How much of a line is looked at to tell the format.
const HEAD: u64 = 1 << 20;

/// The first line that is not blank, or the beginning of it, and everything
/// before it but a byte order mark: enough to tell the format.
fn head(input: &mut dyn BufRead) -> Vec<u8> {
    let mut head = Vec::new();
    loop {
        // What goes wrong here goes wrong again where the rows are read.
        let read = (&mut *input).take(HEAD).read_until(b'\n', &mut head).unwrap_or(0);
        if head.starts_with(b"\xEF\xBB\xBF") {
            head.drain(..3);
        }
        if read == 0 || head.iter().any(|byte| !byte.is_ascii_whitespace()) {
            return head;
        }
    }
}

/// The format of a text that starts with these bytes.
fn detect(head: &[u8], label: &str) -> Format {
    let line = head.trim_ascii_start();
    match line.first() {
        None => Format::Ndjson,
        Some(b'[') => Format::Json,
        Some(b'{') if document::is_document(line) => Format::Json,
        Some(b'{') => Format::Ndjson,
        // No JSON that is sound begins like this, but the name says it should be.
        Some(_) if is_named_json(label) => Format::Ndjson,
        Some(_) => {
            let separators = [b',', b'\t', b';', b'|'];
            let found = separators.into_iter().find(|by| line.contains(by));
            Format::Separated(found.unwrap_or(b','))
        }
    }
}

/// Whether a file is called JSON, however it is packed.
pub(crate) fn is_named_json(label: &str) -> bool {
    let name = label.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let name = name.strip_suffix(".zst").unwrap_or(name);
    [".json", ".ndjson", ".jsonl"]
        .iter()
        .any(|ending| name.ends_with(ending))
}
