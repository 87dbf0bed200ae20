//! Parquet files: pieces of them on all processors, of each only the columns
//! that somebody reads, of those only the rows that may matter.
//!
//! Row groups are cut into ranges of rows. Of a range the columns that the
//! query's necessary condition is about are decoded first, cheapest test
//! first, each for the rows that passed those before it; everything else is
//! decoded for what is left. No column is unpacked twice.

use std::collections::BTreeMap;
use std::fmt;
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
use rulec_functions::INGESTED;
use rulec_runtime::condition::Condition;
use rulec_runtime::files::ColumnFormat;
use rulec_runtime::read::{Feed, Piece, Report, Slot, Source, in_pieces, whole};
use rulec_runtime::{Batch, Late, Later, Memory, RuntimeError, Schema, Take, Wanted, Work};

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

impl Range {
    /// The numbers of rows of this range and of those before it, and the others;
    /// they ascend.
    fn split<'r>(&self, rows: &'r [u64]) -> (&'r [u64], &'r [u64]) {
        let end = self.before + self.rows as u64;
        rows.split_at(rows.partition_point(|row| *row <= end))
    }
}

/// A file, and what it says of itself.
struct File<'s> {
    content: Content,
    source: &'s Source<'s>,
}

#[derive(Clone)]
struct Content {
    data: Bytes,
    metadata: ArrowReaderMetadata,
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
    let content = Content { data, metadata };
    let file = File {
        content: content.clone(),
        source,
    };
    let ranges = content.ranges();
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
    let late = later(content, source, &steps);
    in_pieces(
        ranges.len(),
        source,
        late.as_ref(),
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

impl Content {
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

    /// A reader of columns by their places.
    fn reader(
        &self,
        group: usize,
        selection: Option<&RowSelection>,
        places: &[usize],
        rows: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), places.iter().copied());
        let mut reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.data.clone(), self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(rows);
        if let Some(selection) = selection {
            reader = reader.with_row_selection(selection.clone());
        }
        reader.build()
    }

    /// Gives the rows that are left of a range to a feed; `given` counts them.
    fn fill(
        &self,
        range: &Range,
        left: &Left,
        wanted: &[(usize, Slot)],
        feed: &mut Feed<'_>,
        given: &mut u64,
    ) -> Result<(), Stop> {
        let others: Vec<usize> = wanted
            .iter()
            .map(|(place, _)| *place)
            .filter(|place| !left.columns.contains_key(place))
            .collect();
        let mut reader = guarded(|| Ok(self.reader(range.group, left.selection.as_ref(), &others, ROWS)?))?;
        let slots: Vec<Slot> = wanted.iter().map(|(_, slot)| *slot).collect();
        let mut texts: Vec<value::Texts> = Vec::new();
        texts.resize_with(wanted.len(), value::Texts::default);
        let mut numbers = left.numbers(range);
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
            set(feed, numbers.by_ref().take(count), &slots, columns)?;
            *given += count as u64;
            start += count;
        }
        Ok(())
    }
}

impl Left {
    /// The numbers of the rows in the file, from one.
    fn numbers(&self, range: &Range) -> impl Iterator<Item = u64> {
        let group = range.before - range.start as u64;
        let whole = || vec![RowSelector::skip(range.start), RowSelector::select(range.rows)];
        let selectors = self.selection.clone().map_or_else(whole, Vec::from);
        let mut next = group + 1;
        selectors.into_iter().flat_map(move |selector| {
            let start = next;
            next += selector.row_count as u64;
            if selector.skip { next..next } else { start..next }
        })
    }
}

impl File<'_> {
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
        let wanted = columns(self.content.metadata.schema(), feed);
        let left = guarded(|| self.left(range, steps, &wanted))?;
        self.content.fill(range, &left, &wanted, feed, given)
    }

    /// The rows that may meet every step, and their columns that were decoded to
    /// find out.
    fn left(
        &self,
        range: &Range,
        steps: &[screen::Step],
        wanted: &[(usize, Slot)],
    ) -> Result<Left, ArrowError> {
        let group = self.content.metadata.metadata().row_group(range.group);
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
        let fields = self.content.metadata.schema().fields();
        for (number, step) in steps.iter().enumerate() {
            let asked = |step: &screen::Step, place: usize| step.columns.contains(fields[place].name());
            let new: Vec<usize> = (0..fields.len())
                .filter(|place| asked(step, *place) && !left.columns.contains_key(place))
                .collect();
            if !new.is_empty() {
                let mut reader =
                    self.content
                        .reader(range.group, left.selection.as_ref(), &new, left.rows)?;
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
}

/// Who reads columns of a file's rows later; none where all are read at once: if
/// a file that is damaged is to be read as far as it goes, and if all rows are
/// read, so that something can be said of whole columns.
fn later(content: Content, source: &Source<'_>, steps: &[screen::Step]) -> Option<Arc<Late>> {
    if source.lenient || steps.is_empty() {
        return None;
    }
    let columns = source.schema.columns();
    let groups = Groups {
        content,
        label: source.label.to_owned(),
        schema: source.schema.clone(),
        memory: source.memory.clone(),
    };
    // What is decoded for the condition will be asked again.
    Some(Late::new(groups, columns.len(), |place| {
        let name = &columns[place].name;
        steps
            .iter()
            .any(|step| step.columns.iter().any(|asked| **asked == **name))
            || INGESTED.contains(&&**name)
            || source.schema.is_looked_at(place)
    }))
}

/// A file of which columns are read later.
struct Groups {
    content: Content,
    label: String,
    schema: Schema,
    memory: Memory,
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl Groups {
    /// Gives rows by their numbers to a feed.
    fn give(&self, rows: &[u64], source: &Source<'_>, mut feed: Feed<'_>) -> Result<Report, RuntimeError> {
        let wanted = columns(self.content.metadata.schema(), &mut feed);
        let mut rows = rows;
        for range in self.content.ranges() {
            let (own, later) = range.split(rows);
            rows = later;
            if own.is_empty() {
                continue;
            }
            let group = range.before - range.start as u64;
            let within = own.iter().map(|row| {
                let row = (row - 1 - group) as usize;
                row..row + 1
            });
            let total = self.content.metadata.metadata().row_group(range.group).num_rows();
            let total = usize::try_from(total).unwrap_or_default();
            let left = Left {
                selection: Some(RowSelection::from_consecutive_ranges(within, total)),
                rows: own.len(),
                columns: BTreeMap::new(),
            };
            let filled = self.content.fill(&range, &left, &wanted, &mut feed, &mut 0);
            stopped(filled, ColumnFormat::Parquet, source)?;
        }
        feed.finish(None)
    }
}

impl Later for Groups {
    fn columns(&self, rows: &[u64], places: &[usize]) -> Result<Batch, RuntimeError> {
        let source = Source {
            needed: Some(places),
            ..Source::new(&self.label, &self.schema, &self.memory)
        };
        let (whole, _) = whole(&source, |each| self.give(rows, &source, Feed::new(&source, each)))?;
        whole.columns_at(places)
    }

    /// No page is unpacked by two.
    fn pieces<'r>(&self, rows: &'r [u64]) -> Vec<&'r [u64]> {
        let mut rows = rows;
        let mut pieces = Vec::new();
        for range in self.content.ranges() {
            let (own, later) = range.split(rows);
            rows = later;
            if !own.is_empty() {
                pieces.push(own);
            }
        }
        pieces
    }
}

fn missing() -> ArrowError {
    ArrowError::ParseError("rows are missing".to_owned())
}
