//! Parquet files: pieces of them on all processors, of each only the columns
//! that somebody reads, of those only the rows that may matter.
//!
//! Row groups are cut into ranges of rows. Of a range the columns that the
//! query's necessary condition is about are decoded first, cheapest test
//! first, each for the rows that passed those before it; everything else is
//! decoded for what is left.

use std::fmt::Display;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema as ArrowSchema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter, RowSelection, RowSelector,
};
use rulec_runtime::files::ColumnFormat;
use rulec_runtime::read::{Feed, Piece, Report, Slot, Source, in_pieces};
use rulec_runtime::{Condition, RuntimeError, Take, Wanted, Work};

use crate::data::Shared;
use crate::{ROWS, columns, give, screen, unreadable};

/// Rows of a piece, at most. Rows before a range are skipped by pages, unread.
const RANGE: usize = 1 << 16;

/// Rows of one row group.
struct Range {
    group: usize,
    /// Within the group.
    start: usize,
    rows: usize,
    /// Rows of the file in front of it.
    before: u64,
    /// Its share of the file.
    bytes: u64,
}

pub(crate) fn read(
    data: &Shared,
    source: &Source<'_>,
    wanted: Option<Wanted<'_>>,
    work: &Work<'_>,
    take: &mut Take<'_>,
) -> Result<Report, RuntimeError> {
    let wrong = |error: &dyn Display| unreadable(source, ColumnFormat::Parquet, error);
    let metadata = metadata(data).map_err(|error| {
        wrong(&format_args!(
            "{error} (what it holds stands at its end, which is missing where it is cut off)"
        ))
    })?;
    if source.schema.is_open() {
        // Its columns are known at its end only, so it comes in one piece.
        let mut each = |batch| take(work(batch)?).map(|_| ());
        let mut feed = Feed::new(source, &mut each);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(data.clone(), metadata);
        let (reader, slots) = opened(reader, &mut feed).map_err(|error| wrong(&error))?;
        let piece = give(reader, &slots, ColumnFormat::Parquet, source, 0, &mut feed)?;
        return feed.finish(piece.stopped.as_deref());
    }
    let steps = wanted
        .map(|wanted| screen::steps(Condition::new(wanted.necessary, wanted.now)))
        .unwrap_or_default();
    let ranges = ranges(&metadata);
    let all = steps.is_empty();
    in_pieces(ranges.len(), source, work, take, all, &|number, feed| {
        let range = &ranges[number];
        let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(data.clone(), metadata.clone())
            .with_row_groups(vec![range.group]);
        let rows = metadata.metadata().row_group(range.group).num_rows() as usize;
        if range.rows < rows {
            reader = reader.with_row_selection(RowSelection::from(vec![
                RowSelector::skip(range.start),
                RowSelector::select(range.rows),
                RowSelector::skip(rows - range.start - range.rows),
            ]));
        }
        if !all {
            let predicates = steps
                .iter()
                .map(|(condition, columns)| predicate(&metadata, condition.clone(), columns, source));
            reader = reader.with_row_filter(RowFilter::new(predicates.collect()));
        }
        let (reader, slots) = opened(reader, feed).map_err(|error| wrong(&error))?;
        let format = ColumnFormat::Parquet;
        let piece = give(reader, &slots, format, source, range.before, feed)?;
        if let Some(wanted) = wanted {
            wanted.progress.add_bytes(range.bytes);
            wanted.progress.check()?;
        }
        Ok(Piece {
            // Those that were left out are read as well.
            rows: if piece.stopped.is_some() {
                piece.rows
            } else {
                range.rows as u64
            },
            ..piece
        })
    })
}

/// What a file says of itself. Texts are decoded as views of the pages that
/// they lie in.
fn metadata(data: &Shared) -> parquet::errors::Result<ArrowReaderMetadata> {
    let found = ArrowReaderMetadata::load(data, ArrowReaderOptions::new())?;
    let viewed = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        _ => field.clone(),
    };
    let schema = found.schema();
    let fields: Vec<Arc<Field>> = schema.fields().iter().map(viewed).collect();
    let schema = ArrowSchema::new_with_metadata(fields, schema.metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    // Where a file does not go with that, as it is.
    Ok(ArrowReaderMetadata::try_new(found.metadata().clone(), options).unwrap_or(found))
}

fn ranges(metadata: &ArrowReaderMetadata) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut before = 0;
    for (group, rows) in metadata.metadata().row_groups().iter().enumerate() {
        let (count, bytes) = (rows.num_rows() as usize, rows.compressed_size() as u64);
        let pieces = count.div_ceil(RANGE);
        for piece in 0..pieces {
            let (start, end) = (count * piece / pieces, count * (piece + 1) / pieces);
            ranges.push(Range {
                group,
                start,
                rows: end - start,
                before: before + start as u64,
                bytes: bytes / pieces as u64,
            });
        }
        before += count as u64;
    }
    ranges
}

/// A reader of the columns that somebody reads, and where their values go.
fn opened(
    reader: ParquetRecordBatchReaderBuilder<Shared>,
    feed: &mut Feed<'_>,
) -> parquet::errors::Result<(ParquetRecordBatchReader, Vec<Slot>)> {
    let columns = columns(reader.schema(), feed);
    let mask = ProjectionMask::roots(reader.parquet_schema(), columns.iter().map(|(place, _)| *place));
    let reader = reader.with_projection(mask).with_batch_size(ROWS).build()?;
    Ok((reader, columns.into_iter().map(|(_, slot)| slot).collect()))
}

fn predicate(
    metadata: &ArrowReaderMetadata,
    condition: Arc<Condition>,
    columns: &[String],
    source: &Source<'_>,
) -> Box<dyn ArrowPredicate> {
    let fields = metadata.schema().fields().iter().enumerate();
    let places = fields.filter(|(_, field)| columns.contains(field.name()));
    let mask = ProjectionMask::roots(metadata.parquet_schema(), places.map(|(place, _)| place));
    let schema = source.schema.clone();
    Box::new(ArrowPredicateFn::new(mask, move |batch| {
        Ok(screen::passing(&condition, &batch, &schema))
    }))
}
