//! Parquet files: pieces of them on all processors, of each only the columns
//! that somebody reads, of those only the rows that may matter.
//!
//! Row groups are cut into ranges of rows. Of a range the columns that the
//! query's necessary condition is about are decoded first, cheapest test
//! first, each for the rows that passed those before it; everything else is
//! decoded for what is left. No column is unpacked twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema as ArrowSchema};
use arrow_select::filter::filter;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection, RowSelector,
};
use parquet::errors::ParquetError;
use rulec_runtime::condition::Condition;
use rulec_runtime::files::ColumnFormat;
use rulec_runtime::read::{Feed, Piece, Report, Slot, Source, in_pieces};
use rulec_runtime::{RuntimeError, Take, Wanted, Work};

use crate::{ROWS, Stop, columns, guarded, in_turn, screen, set, stopped, unreadable, value};

/// Rows of a piece, at most: a little more than what writers put into a group,
/// since the pages of a group that is cut are unpacked for each part of it.
const RANGE: usize = 1 << 17;

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

/// A file, and what it says of itself.
struct File<'s> {
    data: Bytes,
    metadata: ArrowReaderMetadata,
    source: &'s Source<'s>,
}

/// What is known of a range so far.
struct Left {
    /// The rows that may matter, within their group; none for all of them.
    selection: Option<RowSelection>,
    rows: usize,
    /// Columns of these rows, by their place in the file.
    columns: BTreeMap<usize, ArrayRef>,
}

pub(crate) fn read(
    data: Bytes,
    source: &Source<'_>,
    wanted: Option<Wanted<'_>>,
    work: &Work<'_>,
    take: &mut Take<'_>,
) -> Result<Report, RuntimeError> {
    let metadata = metadata(&data).map_err(|error| {
        let error =
            format_args!("{error} (what it holds stands at its end, which is missing where it is cut off)");
        unreadable(source, ColumnFormat::Parquet, &error)
    })?;
    let file = File {
        data,
        metadata,
        source,
    };
    let ranges = file.ranges();
    if source.schema.is_open() {
        // Its columns are known at its end only, so it comes in one piece.
        let mut each = in_turn(work, take);
        let mut feed = Feed::new(source, &mut each);
        let mut stopped = None;
        for range in &ranges {
            stopped = file.give(range, &[], &mut feed)?.stopped;
            if stopped.is_some() {
                break;
            }
        }
        return feed.finish(stopped.as_deref());
    }
    let steps = wanted.map(|wanted| screen::steps(Condition::new(wanted.necessary, wanted.now)));
    let steps = steps.unwrap_or_default();
    in_pieces(
        ranges.len(),
        source,
        work,
        take,
        steps.is_empty(),
        &|number, feed| {
            let range = &ranges[number];
            let piece = file.give(range, &steps, feed)?;
            if let Some(wanted) = wanted {
                wanted.progress.add_bytes(range.bytes);
                wanted.progress.check()?;
            }
            Ok(piece)
        },
    )
}

/// What a file says of itself. Texts are decoded as views of the pages that
/// they lie in.
fn metadata(data: &Bytes) -> parquet::errors::Result<ArrowReaderMetadata> {
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

impl File<'_> {
    fn ranges(&self) -> Vec<Range> {
        let mut ranges = Vec::new();
        let mut before = 0;
        for (group, rows) in self.metadata.metadata().row_groups().iter().enumerate() {
            let count = usize::try_from(rows.num_rows()).unwrap_or_default();
            let bytes = u64::try_from(rows.compressed_size()).unwrap_or_default();
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

    /// Gives those rows of a range to a feed that may meet every step.
    fn give(
        &self,
        range: &Range,
        steps: &[screen::Step],
        feed: &mut Feed<'_>,
    ) -> Result<Piece, RuntimeError> {
        let mut given = 0;
        let result = self.try_give(range, steps, feed, &mut given);
        let stopped = stopped(result, ColumnFormat::Parquet, self.source)?;
        Ok(Piece {
            // Rows that were left out are read as well.
            rows: if stopped.is_some() {
                given
            } else {
                range.rows as u64
            },
            stopped,
        })
    }

    /// `given` counts the rows.
    fn try_give(
        &self,
        range: &Range,
        steps: &[screen::Step],
        feed: &mut Feed<'_>,
        given: &mut u64,
    ) -> Result<(), Stop> {
        let wanted = columns(self.metadata.schema(), feed);
        let left = guarded(|| self.left(range, steps, &wanted))?;
        let others: Vec<usize> = wanted
            .iter()
            .map(|(place, _)| *place)
            .filter(|place| !left.columns.contains_key(place))
            .collect();
        let mut reader = guarded(|| Ok(self.reader(range, left.selection.as_ref(), &others, ROWS)?))?;
        let slots: Vec<Slot> = wanted.iter().map(|(_, slot)| *slot).collect();
        let mut texts: Vec<value::Texts> = Vec::new();
        texts.resize_with(wanted.len(), value::Texts::default);
        let mut start = 0;
        while start < left.rows {
            let (count, columns) = guarded(|| {
                // Nothing but what was decoded for the condition may be wanted.
                let (count, mut fresh) = if others.is_empty() {
                    (ROWS.min(left.rows - start), Vec::new().into_iter())
                } else {
                    let batch = reader.next().transpose()?.ok_or_else(missing)?;
                    (batch.num_rows(), batch.columns().to_vec().into_iter())
                };
                let columns = wanted.iter().zip(&mut texts).map(|((place, _), texts)| {
                    let column = match left.columns.get(place) {
                        Some(column) => Some(column.slice(start, count)),
                        None => fresh.next(),
                    };
                    value::values_with(&column.ok_or_else(missing)?, texts)
                });
                Ok((count, columns.collect::<Result<Vec<_>, _>>()?))
            })?;
            set(feed, range.before + *given, count, &slots, columns)?;
            *given += count as u64;
            start += count;
        }
        Ok(())
    }

    /// The rows that may meet every step, and their columns that were decoded to
    /// find out.
    fn left(
        &self,
        range: &Range,
        steps: &[screen::Step],
        wanted: &[(usize, Slot)],
    ) -> Result<Left, ArrowError> {
        let group = self.metadata.metadata().row_group(range.group);
        let whole = usize::try_from(group.num_rows()).unwrap_or_default();
        let mut left = Left {
            selection: (range.rows < whole).then(|| {
                RowSelection::from(vec![
                    RowSelector::skip(range.start),
                    RowSelector::select(range.rows),
                    RowSelector::skip(whole - range.start - range.rows),
                ])
            }),
            rows: range.rows,
            columns: BTreeMap::new(),
        };
        let fields = self.metadata.schema().fields();
        for (number, step) in steps.iter().enumerate() {
            let asked = |step: &screen::Step, place: usize| step.columns.contains(fields[place].name());
            let new: Vec<usize> = (0..fields.len())
                .filter(|place| asked(step, *place) && !left.columns.contains_key(place))
                .collect();
            if !new.is_empty() {
                let mut reader = self.reader(range, left.selection.as_ref(), &new, left.rows)?;
                let batch = reader.next().transpose()?;
                let batch = batch.filter(|batch| batch.num_rows() == left.rows);
                let batch = batch.ok_or_else(missing)?;
                left.columns
                    .extend(new.iter().copied().zip(batch.columns().iter().cloned()));
            }
            let (places, columns): (Vec<usize>, Vec<ArrayRef>) = left
                .columns
                .iter()
                .filter(|(place, _)| asked(step, **place))
                .map(|(place, column)| (*place, column.clone()))
                .unzip();
            let fields: Vec<Arc<Field>> = places.iter().map(|place| fields[*place].clone()).collect();
            let rows = RecordBatchOptions::new().with_row_count(Some(left.rows));
            let schema = Arc::new(ArrowSchema::new(fields));
            let batch = RecordBatch::try_new_with_options(schema, columns, &rows)?;
            let passing = screen::passing(&step.condition, &batch, self.source.schema);
            let count = passing.true_count();
            left.columns.retain(|place, _| {
                let later = |later: &screen::Step| asked(later, *place);
                wanted.iter().any(|(wanted, _)| wanted == place) || steps[number + 1..].iter().any(later)
            });
            if count < left.rows {
                for column in left.columns.values_mut() {
                    *column = filter(column, &passing)?;
                }
                let passing = RowSelection::from_filters(&[passing]);
                left.selection = Some(match left.selection {
                    Some(selection) => selection.and_then(&passing),
                    None => passing,
                });
                left.rows = count;
            }
            if count == 0 {
                break;
            }
        }
        Ok(left)
    }

    /// A reader of columns by their places.
    fn reader(
        &self,
        range: &Range,
        selection: Option<&RowSelection>,
        places: &[usize],
        rows: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), places.iter().copied());
        let mut reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.data.clone(), self.metadata.clone())
                .with_row_groups(vec![range.group])
                .with_projection(mask)
                .with_batch_size(rows);
        if let Some(selection) = selection {
            reader = reader.with_row_selection(selection.clone());
        }
        reader.build()
    }
}

fn missing() -> ArrowError {
    ArrowError::ParseError("rows are missing".to_owned())
}
