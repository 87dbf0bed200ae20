//! `make-series`: values over an axis of equal bins, as arrays.

use std::collections::HashMap;

use rulec_functions::{Type, Value, convert};

use super::{Aggregation, Expr, Output, Result, summarize};
use crate::batch::{Batch, BatchBuilder, Row};
use crate::error::{Code, RuntimeError};
use crate::key::KeyBuffer;
use crate::schema::{Column, Schema};

/// The axis of a series.
#[derive(Debug)]
pub struct Axis<'a> {
    /// What the bins are of: numbers, times or durations.
    pub of: Expr<'a>,
    /// The first bin; null: the lowest that has data.
    pub from: Value,
    /// The end; null: behind the highest bin that has data.
    pub to: Value,
    /// The width of a bin.
    pub step: Value,
    /// Whether a bin that starts at the end still counts.
    pub closed: bool,
}

/// One series.
#[derive(Debug)]
pub struct SeriesOf<'a> {
    /// The aggregates over the rows of a bin.
    pub aggregates: Vec<Aggregation<'a>>,
    /// The value of a bin, over the aggregates' columns.
    pub value: Expr<'a>,
    /// The value of an empty bin.
    pub default: Value,
}

/// The most bins of a series, as in the service.
const MOST_BINS: i128 = 1 << 20;

/// A position on the axis: whole (ticks, longs) or real.
#[derive(Clone, Copy)]
enum Scale {
    Whole {
        origin: i64,
        step: i64,
        make: fn(i64) -> Value,
    },
    Real {
        origin: f64,
        step: f64,
    },
}

impl Scale {
    fn of(origin: &Value, step: &Value) -> Option<Self> {
        let whole = |make| {
            let step = match step {
                Value::TimeSpan(t) => Some(*t),
                other => convert::to_long(other),
            };
            let origin = match origin {
                Value::DateTime(t) | Value::TimeSpan(t) => Some(*t),
                other => convert::to_long(other),
            };
            Some(Scale::Whole {
                origin: origin?,
                step: step.filter(|step| *step > 0)?,
                make,
            })
        };
        match (origin, step) {
            (Value::DateTime(_), _) => whole(Value::DateTime),
            (Value::TimeSpan(_), _) => whole(Value::TimeSpan),
            (Value::Int(_) | Value::Long(_), Value::Int(_) | Value::Long(_)) => whole(Value::Long),
            _ => {
                let (origin, step) = (convert::to_real(origin)?, convert::to_real(step)?);
                (origin.is_finite() && step > 0.0).then_some(Scale::Real { origin, step })
            }
        }
    }

    /// The bin that a value falls in.
    fn bin(self, value: &Value) -> Option<i64> {
        match self {
            Scale::Whole { origin, step, .. } => {
                let at = match value {
                    Value::DateTime(t) | Value::TimeSpan(t) => *t,
                    other => convert::to_long(other)?,
                };
                let bin = (i128::from(at) - i128::from(origin)).div_euclid(i128::from(step));
                i64::try_from(bin).ok()
            }
            Scale::Real { origin, step } => {
                let bin = ((convert::to_real(value)? - origin) / step).floor();
                (bin.abs() < 1e15).then_some(bin as i64)
            }
        }
    }

    /// Where a bin starts.
    fn start(self, bin: i64) -> Value {
        match self {
            Scale::Whole { origin, step, make } => bin
                .checked_mul(step)
                .and_then(|offset| offset.checked_add(origin))
                .map_or(Value::Null, make),
            Scale::Real { origin, step } => Value::Real(origin + bin as f64 * step),
        }
    }

    /// The first bin that is not before an end.
    fn end(self, to: &Value, closed: bool) -> Option<i64> {
        let bin = self.bin(to)?;
        let exact = match (self, self.start(bin), to) {
            (Scale::Whole { .. }, Value::DateTime(a), Value::DateTime(b))
            | (Scale::Whole { .. }, Value::TimeSpan(a), Value::TimeSpan(b)) => a == *b,
            (_, start, to) => convert::to_real(&start) == convert::to_real(to),
        };
        bin.checked_add(i64::from(closed || !exact))
    }
}

/// `make-series`: one row per combination of the keys: the keys, an array for
/// each series, and the array of the bins' starts. Over no rows there is no
/// series, but for `nonempty` without keys, where all bins are empty.
pub fn make_series(
    input: &Batch,
    keys: &[Output<'_>],
    series: Vec<SeriesOf<'_>>,
    axis: &Axis<'_>,
    nonempty: bool,
    schema: &Schema,
) -> Result<Batch> {
    // Bins are counted from the start where one is given, else from zero.
    let sample = input
        .iter()
        .map(|row| axis.of.of(row))
        .find(|value| !value.is_null());
    let origin = match (&axis.from, &sample) {
        (Value::Null, Some(Value::DateTime(_))) => Value::DateTime(0),
        (Value::Null, Some(Value::TimeSpan(_))) => Value::TimeSpan(0),
        (Value::Null, Some(Value::Real(_) | Value::Decimal(_))) => Value::Real(0.0),
        (Value::Null, _) => Value::Long(0),
        (from, _) => from.clone(),
    };
    let Some(scale) = Scale::of(&origin, &axis.step) else {
        return Err(RuntimeError::new(
            Code::BAD_ARGUMENT,
            "`make-series` needs a step above zero of the kind of its axis",
        ));
    };
    let low = (!axis.from.is_null()).then_some(0);
    let high = if axis.to.is_null() {
        None
    } else {
        scale.end(&axis.to, axis.closed)
    };
    let bin_of = |row: Row<'_>| {
        scale
            .bin(&axis.of.of(row))
            .filter(|bin| low.is_none_or(|low| *bin >= low) && high.is_none_or(|high| *bin < high))
    };
    let within = super::filter(input, |row| bin_of(row).is_some())?;
    let mut grouping = keys
        .iter()
        .map(|key| {
            super::out(
                key.column.name.clone(),
                key.column.ty,
                super::each(|row| key.expr.of(row)),
            )
        })
        .collect::<Vec<_>>();
    grouping.push(super::out(
        "",
        Type::Long,
        super::each(move |row| bin_of(row).map_or(Value::Null, Value::Long)),
    ));
    let width = keys.len();
    let mut groups: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut rows: Vec<Group> = Vec::new();
    let mut defaults = Vec::with_capacity(series.len());
    let count = series.len();
    for (place, one) in series.into_iter().enumerate() {
        let binned = summarize(&within, &grouping, &one.aggregates)?;
        let aggregated = behind(&binned, width + 1)?;
        for row in &binned {
            let mut key = KeyBuffer::new();
            let values = (0..width).map(|index| row.get(index)).collect::<Vec<_>>();
            key.extend(&values);
            let group = *groups.entry(key.bytes().to_vec()).or_insert(rows.len());
            if group == rows.len() {
                rows.push(Group::new(values, count));
            }
            if let Value::Long(bin) = row.get(width) {
                rows[group].take(place, bin, one.value.of(aggregated.row(row.index())));
            }
        }
        defaults.push(one.default);
    }
    if rows.is_empty() && nonempty && keys.is_empty() {
        rows.push(Group::new(Vec::new(), count));
    }
    let mut held = input.memory().growing("make-series");
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for group in rows {
        let from = low.or(group.bounds.map(|(least, _)| least)).unwrap_or(0);
        let to = high
            .or(group.bounds.map(|(_, most)| most.saturating_add(1)))
            .unwrap_or(from);
        let length = i128::from(to) - i128::from(from);
        if length > MOST_BINS {
            return Err(RuntimeError::new(
                Code::BAD_ARGUMENT,
                format!("`make-series` would make {length} bins; it makes at most {MOST_BINS}"),
            ));
        }
        let length = usize::try_from(length).unwrap_or(0);
        held.add(length * (count + 1) * size_of::<Value>())?;
        let mut values = group.keys;
        for (mut cells, default) in group.series.into_iter().zip(&defaults) {
            let array = (0..length).map(|offset| {
                let bin = from + offset as i64;
                cells.remove(&bin).unwrap_or_else(|| default.clone())
            });
            values.push(Value::array(array.collect::<Vec<_>>()));
        }
        let starts = (0..length).map(|offset| scale.start(from + offset as i64));
        values.push(Value::array(starts.collect::<Vec<_>>()));
        builder.push(values);
    }
    builder.finish("make-series")
}

/// What is known of one combination of keys.
struct Group {
    keys: Vec<Value>,
    series: Vec<HashMap<i64, Value>>,
    bounds: Option<(i64, i64)>,
}

impl Group {
    fn new(keys: Vec<Value>, count: usize) -> Self {
        Self {
            keys,
            series: vec![HashMap::new(); count],
            bounds: None,
        }
    }

    fn take(&mut self, series: usize, bin: i64, value: Value) {
        if let Some(cells) = self.series.get_mut(series) {
            cells.insert(bin, value);
        }
        self.bounds = Some(match self.bounds {
            Some((least, most)) => (least.min(bin), most.max(bin)),
            None => (bin, bin),
        });
    }
}

/// The columns behind the first ones.
pub(super) fn behind(batch: &Batch, width: usize) -> Result<Batch> {
    let columns = batch.schema().columns().iter().cloned().enumerate();
    batch.pick(
        &columns
            .skip(width)
            .map(|(place, column)| (column, place))
            .collect::<Vec<(Column, usize)>>(),
    )
}
