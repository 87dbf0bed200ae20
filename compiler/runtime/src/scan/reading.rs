//! What is read of lines that may matter: some columns at once, the others when
//! somebody looks at them.
//!
//! In: a source, and a condition that its rows are asked for. Out: the fields
//! that a thread looks for in a line, and whoever reads the rest later.

use std::fmt;
use std::sync::Arc;

use rulec_functions::{INGESTED, Necessary};

use super::Line;
use super::lanes::Marker;
use super::shape::Fields;
use crate::batch::Batch;
use crate::error::{Code, RuntimeError};
use crate::late::{Late, Later};
use crate::memory::Memory;
use crate::read::{self, AtOnce, Source};
use crate::schema::Schema;

/// A text that others hold as well.
pub(crate) type Shared = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Who reads columns of a file's lines later; none where all are read at once:
/// if lines that cannot be read are to be passed over, and if all rows are read,
/// so that something can be said of whole columns.
pub(super) fn later(text: &Shared, source: &Source<'_>, necessary: &Necessary) -> Option<Arc<Late>> {
    if source.lenient || source.schema.is_open() || necessary.is_anything() {
        return None;
    }
    let lines = Lines {
        text: Arc::clone(text),
        label: source.label.to_owned(),
        table: source.table.map(str::to_owned),
        schema: source.schema.clone(),
        memory: source.memory.clone(),
    };
    // What is asked of the raw bytes will be asked of the values.
    let asked = necessary.columns();
    let schema = source.schema;
    let columns = schema.columns();
    Some(Late::new(lines, columns.len(), |place| {
        let name = &columns[place].name;
        asked.contains(name) || INGESTED.contains(&&**name) || schema.is_looked_at(place)
    }))
}

/// What a thread keeps from piece to piece to read rows.
pub(super) struct Reading<'s> {
    source: &'s Source<'s>,
    late: Option<&'s Arc<Late>>,
    /// The fields that the condition is about.
    asked: Arc<[Box<str>]>,
    marker: Marker,
    changes: usize,
    /// Places of the columns that are read at once, where others are not.
    early: Vec<usize>,
    names: Arc<[Box<str>]>,
    fields: Fields,
    remembered: read::Remembered,
}

impl<'s> Reading<'s> {
    pub(super) fn new(
        source: &'s Source<'s>,
        late: Option<&'s Arc<Late>>,
        asked: Arc<[Box<str>]>,
        marker: Marker,
    ) -> Self {
        let (early, changes) = state_of(late);
        let names = names(source, late, &asked, &early);
        Self {
            source,
            late,
            fields: Fields::new(Arc::clone(&names), asked.len(), marker),
            names,
            asked,
            marker,
            changes,
            early,
            remembered: read::Remembered::default(),
        }
    }

    /// Before a piece: what others have looked at meanwhile is read at once, too.
    pub(super) fn renew(&mut self) {
        if self.late.is_some_and(|late| late.changes() != self.changes) {
            *self = Self::new(self.source, self.late, Arc::clone(&self.asked), self.marker);
        }
    }

    /// Has rows read into batches: `work` is given what finds their fields and
    /// what takes them.
    pub(super) fn rows<T>(
        &mut self,
        each: &mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
        work: impl FnOnce(&mut Fields, &mut read::Rows<'_>) -> Result<T, RuntimeError>,
    ) -> Result<(T, read::Fates), RuntimeError> {
        let source = at_once(self.source, self.late, &self.early);
        let mut rows = read::Rows::new(&source, &self.names, &mut self.remembered, each);
        let done = work(&mut self.fields, &mut rows)?;
        Ok((done, rows.finish()?))
    }
}

/// The columns that are read at once, and how often that has changed.
fn state_of(late: Option<&Arc<Late>>) -> (Vec<usize>, usize) {
    // In this order, so that what changes in between is seen the next time.
    let changes = late.map_or(0, |late| late.changes());
    (late.map(|late| late.early()).unwrap_or_default(), changes)
}

fn at_once<'e>(source: &'e Source<'_>, late: Option<&'e Arc<Late>>, early: &'e [usize]) -> Source<'e> {
    Source {
        late: late.map(|table| AtOnce {
            table,
            columns: early,
        }),
        ..*source
    }
}

/// The fields that are looked for: those that a condition is about first, then
/// those of the columns that are read at once.
fn names(
    source: &Source<'_>,
    late: Option<&Arc<Late>>,
    asked: &[Box<str>],
    early: &[usize],
) -> Arc<[Box<str>]> {
    let mut names = asked.to_vec();
    for column in read::wanted(&at_once(source, late, early)) {
        if !names.iter().any(|known| **known == *column) {
            names.push((&*column).into());
        }
    }
    names.into()
}

/// The names of the fields that a condition is about.
pub(super) fn asked(necessary: &Necessary) -> Arc<[Box<str>]> {
    let columns = necessary.columns();
    columns.iter().map(|name| Box::from(&**name)).collect()
}

/// Reads the line that starts at a place; what is wrong with it. False where
/// there is nothing but blanks.
pub(super) fn line_at(
    text: &[u8],
    place: usize,
    fields: &mut Fields,
    rows: &mut read::Rows<'_>,
) -> Result<Result<bool, String>, RuntimeError> {
    let (start, end) = window(text, place);
    let text = &text[start..end];
    let read = match fields.line(text, place - start) {
        (Line::Blank, _) => return Ok(Ok(false)),
        (Line::Object, end) if !fields.complete(text) => {
            rows.line(place, text[place - start..end].trim_ascii(), end == text.len())?
        }
        (Line::Object, _) => rows.fields(place, |field| fields.raw(text, field))?,
        (Line::Other, end) => rows.line(place, text[place - start..end].trim_ascii(), end == text.len())?,
    };
    Ok(read.map(|()| true))
}

/// A part of a text with a line in it that starts at a place: some bytes before
/// it, because shapes look back, and not the whole rest, because places in it
/// are 32 bits wide.
fn window(text: &[u8], place: usize) -> (usize, usize) {
    let end = memchr::memchr(b'\n', &text[place..]).map_or(text.len(), |ahead| place + ahead + 1);
    (place.saturating_sub(8), end)
}

/// The number of the line that starts at a place.
pub(super) fn number_of(text: &[u8], place: usize) -> usize {
    memchr::memchr_iter(b'\n', &text[..place]).count() + 1
}

/// The lines of a file, of which columns are read later.
struct Lines {
    text: Shared,
    label: String,
    table: Option<String>,
    schema: Schema,
    memory: Memory,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl Later for Lines {
    fn columns(&self, places: &[u64], columns: &[usize]) -> Result<Batch, RuntimeError> {
        let source = Source {
            table: self.table.as_deref(),
            needed: Some(columns),
            ..Source::new(&self.label, &self.schema, &self.memory)
        };
        let text = (*self.text).as_ref();
        let mut reading = Reading::new(&source, None, Arc::default(), Marker::new());
        let (whole, _) = read::whole(&source, |each| {
            reading.rows(each, |fields, rows| {
                for place in places {
                    let place = *place as usize;
                    line_at(text, place, fields, rows)?.map_err(|what| {
                        let line = number_of(text, place);
                        RuntimeError::new(Code::MALFORMED_INPUT, format!("{}:{line}: {what}", self.label))
                    })?;
                }
                Ok(())
            })
        })?;
        whole.columns_at(columns)
    }
}
