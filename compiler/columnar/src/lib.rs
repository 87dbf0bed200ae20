//! Parquet and Arrow IPC files as tables.
//!
//! In: a file of columns, and what a query asks of it. Out: rows, through the
//! same conversions as those of text. Only the columns that somebody reads are
//! decoded, some thousand rows at a time, and of Parquet only the rows that may
//! matter. Parquet may be packed with snappy, gzip, lz4 or zstd; Arrow with lz4
//! or zstd.
//!
//! A crate of its own, because it takes as long to build as the rest of the
//! compiler together; emitted packages do without it. Deliberately absent:
//! predicates that skip row groups by their statistics.

mod parquet;
mod screen;
mod value;

use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::panic::{self, AssertUnwindSafe};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};
use bytes::Bytes;
use rulec_runtime::files::{ColumnFormat, Columnar, Data, Map};
use rulec_runtime::read::{Feed, Report, Slot, Source};
use rulec_runtime::{Batch, Code, RuntimeError, Take, Value, Wanted, Work};

/// Rows decoded at a time.
const ROWS: usize = 1 << 13;

/// Reads Parquet and Arrow files.
#[derive(Clone, Copy, Debug)]
pub struct Reader;

impl Columnar for Reader {
    fn batches(
        &self,
        format: ColumnFormat,
        data: Data<'_>,
        source: &Source<'_>,
        wanted: Option<Wanted<'_>>,
        work: &Work<'_>,
        take: &mut Take<'_>,
    ) -> Result<Report, RuntimeError> {
        match (format, data) {
            (ColumnFormat::Parquet, Data::File(file)) => {
                let map = Map::of(&file).map_err(|error| unreadable(source, format, &error))?;
                parquet::read(Bytes::from_owner(map), source, wanted, work, take)
            }
            (ColumnFormat::Parquet, Data::Bytes(bytes)) => {
                parquet::read(Bytes::copy_from_slice(bytes), source, wanted, work, take)
            }
            (ColumnFormat::ArrowFile, Data::File(file)) => {
                arrow_file(BufReader::new(file), source, work, take)
            }
            (ColumnFormat::ArrowFile, Data::Bytes(bytes)) => {
                arrow_file(Cursor::new(bytes), source, work, take)
            }
            (ColumnFormat::ArrowStream, Data::File(file)) => {
                arrow_stream(BufReader::<File>::new(file), source, work, take)
            }
            (ColumnFormat::ArrowStream, Data::Bytes(bytes)) => {
                arrow_stream(Cursor::new(bytes), source, work, take)
            }
        }
    }
}

fn arrow_file(
    mut data: impl Read + Seek,
    source: &Source<'_>,
    work: &Work<'_>,
    take: &mut Take<'_>,
) -> Result<Report, RuntimeError> {
    let format = ColumnFormat::ArrowFile;
    let wrong = |error: ArrowError| unreadable(source, format, &error);
    let schema = FileReader::try_new(&mut data, None).map_err(wrong)?.schema();
    let mut each = in_turn(work, take);
    let mut feed = Feed::new(source, &mut each);
    let columns = columns(&schema, &mut feed);
    let places = columns.iter().map(|(place, _)| *place).collect();
    let reader = FileReader::try_new(data, Some(places)).map_err(wrong)?;
    let slots: Vec<Slot> = columns.into_iter().map(|(_, slot)| slot).collect();
    let stopped = give(reader, &slots, format, source, &mut feed)?;
    feed.finish(stopped.as_deref())
}

fn arrow_stream(
    data: impl Read,
    source: &Source<'_>,
    work: &Work<'_>,
    take: &mut Take<'_>,
) -> Result<Report, RuntimeError> {
    let format = ColumnFormat::ArrowStream;
    let wrong = |error: ArrowError| unreadable(source, format, &error);
    // A stream cannot be begun anew, so columns nobody reads are decoded, too.
    let reader = StreamReader::try_new(data, None).map_err(wrong)?;
    let mut each = in_turn(work, take);
    let mut feed = Feed::new(source, &mut each);
    let columns = columns(&reader.schema(), &mut feed);
    let places: Vec<usize> = columns.iter().map(|(place, _)| *place).collect();
    let slots: Vec<Slot> = columns.into_iter().map(|(_, slot)| slot).collect();
    let batches = reader.map(|batch| batch.and_then(|batch| batch.project(&places)));
    let stopped = give(batches, &slots, format, source, &mut feed)?;
    feed.finish(stopped.as_deref())
}

/// The columns of a file that somebody reads, by place.
fn columns(schema: &Schema, feed: &mut Feed<'_>) -> Vec<(usize, Slot)> {
    let fields = schema.fields().iter().enumerate();
    fields
        .filter_map(|(place, field)| {
            let slot = feed.slot(field.name(), value::type_of(field.data_type()))?;
            Some((place, slot))
        })
        .collect()
}

/// Works on batches and takes them one after the other, until no more are wanted.
fn in_turn<'a>(
    work: &'a Work<'_>,
    take: &'a mut Take<'_>,
) -> impl FnMut(Batch) -> Result<(), RuntimeError> + 'a {
    let mut more = true;
    move |batch| {
        if more {
            more = take(work(batch)?)?;
        }
        Ok(())
    }
}

/// Why rows end early.
enum Stop {
    /// The file is not what it should be; a lenient reader keeps what came before.
    Damaged(ArrowError),
    Failed(RuntimeError),
}

impl From<ArrowError> for Stop {
    fn from(error: ArrowError) -> Self {
        Self::Damaged(error)
    }
}

impl From<RuntimeError> for Stop {
    fn from(error: RuntimeError) -> Self {
        Self::Failed(error)
    }
}

/// What a lenient reader says of rows that ended early.
fn stopped(
    given: Result<(), Stop>,
    format: ColumnFormat,
    source: &Source<'_>,
) -> Result<Option<String>, RuntimeError> {
    match given {
        Ok(()) => Ok(None),
        Err(Stop::Damaged(error)) => {
            let error = unreadable(source, format, &error);
            if source.lenient {
                Ok(Some(error.message))
            } else {
                Err(error)
            }
        }
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Gives the rows of batches to a feed; why they end early.
fn give(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    slots: &[Slot],
    format: ColumnFormat,
    source: &Source<'_>,
    feed: &mut Feed<'_>,
) -> Result<Option<String>, RuntimeError> {
    stopped(try_give(batches, slots, feed), format, source)
}

fn try_give(
    mut batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    slots: &[Slot],
    feed: &mut Feed<'_>,
) -> Result<(), Stop> {
    let mut before = 0;
    while let Some((count, columns)) = guarded(|| {
        let Some(batch) = batches.next().transpose()? else {
            return Ok(None);
        };
        let columns = batch.columns().iter().map(value::values);
        Ok(Some((batch.num_rows(), columns.collect::<Result<Vec<_>, _>>()?)))
    })? {
        set(feed, before + 1..=before + count as u64, slots, columns)?;
        before += count as u64;
    }
    Ok(())
}

/// Gives rows with their numbers to a feed, column by column.
fn set(
    feed: &mut Feed<'_>,
    numbers: impl Iterator<Item = u64>,
    slots: &[Slot],
    mut columns: Vec<Vec<Value>>,
) -> Result<(), RuntimeError> {
    for (row, number) in numbers.enumerate() {
        feed.begin_row(number);
        for (slot, column) in slots.iter().zip(&mut columns) {
            feed.set(*slot, std::mem::take(&mut column[row]));
        }
        feed.end_row()?;
    }
    Ok(())
}

/// The decoders trust what they decode; a damaged file must stop only itself.
fn guarded<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    panic::catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ArrowError::ParseError("the file is damaged".to_owned())))
}

fn unreadable(source: &Source<'_>, format: ColumnFormat, error: &dyn Display) -> RuntimeError {
    RuntimeError::new(
        Code::INPUT_UNREADABLE,
        format!("`{}` cannot be read as {}: {error}", source.label, format.name()),
    )
}
