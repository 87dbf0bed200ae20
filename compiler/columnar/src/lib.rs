//! Parquet and Arrow IPC files as tables.
//!
//! In: a file of columns, and what a query asks of it. Out: rows, through the
//! same conversions as those of text. Only the columns that somebody reads are
//! decoded, some thousand rows at a time. Parquet may be packed with snappy,
//! gzip, lz4 or zstd; Arrow with lz4 or zstd.
//!
//! A crate of its own, because it takes as long to build as the rest of the
//! compiler together; emitted packages do without it. Deliberately absent:
//! predicates that skip row groups by their statistics.

mod value;

use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::panic::{self, AssertUnwindSafe};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use rulec_runtime::files::{ColumnFormat, Columnar, Data};
use rulec_runtime::read::{Feed, Report, Slot, Source};
use rulec_runtime::{Batch, Code, RuntimeError};

/// Rows decoded at a time.
const ROWS: usize = 1 << 13;

/// Reads Parquet and Arrow files.
#[derive(Clone, Copy, Debug)]
pub struct Reader;

type Each<'e> = dyn FnMut(Batch) -> Result<(), RuntimeError> + 'e;

impl Columnar for Reader {
    fn batches(
        &self,
        format: ColumnFormat,
        data: Data<'_>,
        source: &Source<'_>,
        each: &mut Each<'_>,
    ) -> Result<Report, RuntimeError> {
        match (format, data) {
            (ColumnFormat::Parquet, Data::File(file)) => parquet(file, source, each),
            (ColumnFormat::Parquet, Data::Bytes(bytes)) => {
                parquet(Bytes::copy_from_slice(bytes), source, each)
            }
            (ColumnFormat::ArrowFile, Data::File(file)) => arrow_file(BufReader::new(file), source, each),
            (ColumnFormat::ArrowFile, Data::Bytes(bytes)) => arrow_file(Cursor::new(bytes), source, each),
            (ColumnFormat::ArrowStream, Data::File(file)) => {
                arrow_stream(BufReader::<File>::new(file), source, each)
            }
            (ColumnFormat::ArrowStream, Data::Bytes(bytes)) => arrow_stream(Cursor::new(bytes), source, each),
        }
    }
}

fn parquet(
    data: impl ChunkReader + 'static,
    source: &Source<'_>,
    each: &mut Each<'_>,
) -> Result<Report, RuntimeError> {
    let wrong = |error: &dyn Display| unreadable(source, ColumnFormat::Parquet, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(data);
    let builder = builder.map_err(|error| {
        wrong(&format_args!(
            "{error} (what it holds stands at its end, which is missing where it is cut off)"
        ))
    })?;
    let mut feed = Feed::new(source, each);
    let columns = columns(builder.schema(), &mut feed);
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().map(|(place, _)| *place));
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build();
    let reader = reader.map_err(|error| wrong(&error))?;
    let slots: Vec<Slot> = columns.into_iter().map(|(_, slot)| slot).collect();
    rows(reader, &slots, ColumnFormat::Parquet, source, feed)
}

fn arrow_file(
    mut data: impl Read + Seek,
    source: &Source<'_>,
    each: &mut Each<'_>,
) -> Result<Report, RuntimeError> {
    let wrong = |error: ArrowError| unreadable(source, ColumnFormat::ArrowFile, &error);
    let schema = FileReader::try_new(&mut data, None).map_err(wrong)?.schema();
    let mut feed = Feed::new(source, each);
    let columns = columns(&schema, &mut feed);
    let places = columns.iter().map(|(place, _)| *place).collect();
    let reader = FileReader::try_new(data, Some(places)).map_err(wrong)?;
    let slots: Vec<Slot> = columns.into_iter().map(|(_, slot)| slot).collect();
    rows(reader, &slots, ColumnFormat::ArrowFile, source, feed)
}

fn arrow_stream(data: impl Read, source: &Source<'_>, each: &mut Each<'_>) -> Result<Report, RuntimeError> {
    let wrong = |error: ArrowError| unreadable(source, ColumnFormat::ArrowStream, &error);
    // A stream cannot be begun anew, so columns nobody reads are decoded, too.
    let reader = StreamReader::try_new(data, None).map_err(wrong)?;
    let mut feed = Feed::new(source, each);
    let columns = columns(&reader.schema(), &mut feed);
    let places: Vec<usize> = columns.iter().map(|(place, _)| *place).collect();
    let slots: Vec<Slot> = columns.into_iter().map(|(_, slot)| slot).collect();
    let batches = reader.map(|batch| batch.and_then(|batch| batch.project(&places)));
    rows(batches, &slots, ColumnFormat::ArrowStream, source, feed)
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

fn rows(
    mut batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    slots: &[Slot],
    format: ColumnFormat,
    source: &Source<'_>,
    mut feed: Feed<'_>,
) -> Result<Report, RuntimeError> {
    let mut number = 0;
    let mut stopped = None;
    loop {
        // The decoders trust what they decode; a damaged file must stop only itself.
        let decoded = panic::catch_unwind(AssertUnwindSafe(|| {
            let batch = batches.next()?;
            Some(batch.and_then(|batch| {
                let columns = batch.columns().iter().map(value::values);
                Ok((batch.num_rows(), columns.collect::<Result<Vec<_>, _>>()?))
            }))
        }));
        let damaged = |_| Some(Err(ArrowError::ParseError("the file is damaged".to_owned())));
        let (count, mut columns) = match decoded.unwrap_or_else(damaged) {
            None => break,
            Some(Ok(decoded)) => decoded,
            Some(Err(error)) => {
                let error = unreadable(source, format, &error);
                if !source.lenient {
                    return Err(error);
                }
                stopped = Some(error.message);
                break;
            }
        };
        for row in 0..count {
            number += 1;
            feed.begin_row(number);
            for (slot, column) in slots.iter().zip(&mut columns) {
                feed.set(*slot, std::mem::take(&mut column[row]));
            }
            feed.end_row()?;
        }
    }
    feed.finish(stopped.as_deref())
}

fn unreadable(source: &Source<'_>, format: ColumnFormat, error: &dyn Display) -> RuntimeError {
    RuntimeError::new(
        Code::INPUT_UNREADABLE,
        format!("`{}` cannot be read as {}: {error}", source.label, format.name()),
    )
}
