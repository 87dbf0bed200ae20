//! Plugins that count over time: `sliding_window_counts`,
//! `activity_counts_metrics`, `activity_engagement`, `rolling_percentile`; and
//! `rows_near`.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use rulec_functions::order::compare;
use rulec_functions::{Value, convert};

use super::{Expr, Result, holds};
use crate::batch::{Batch, BatchBuilder};
use crate::error::{Code, RuntimeError};
use crate::key::KeyBuffer;
use crate::schema::Schema;

/// The most periods that are counted, as a bound on what a query can ask for.
const MOST_PERIODS: usize = 1 << 20;

/// Whom, when, and apart by what a plugin counts.
#[derive(Debug)]
pub struct Activity<'a> {
    /// Who.
    pub id: Expr<'a>,
    /// When: times or numbers.
    pub time: Expr<'a>,
    /// Counted apart for each combination of these.
    pub dimensions: Vec<Expr<'a>>,
}

/// What one combination of dimensions saw: per moment who, in the order of time.
pub(super) struct Seen {
    pub(super) dimensions: Vec<Value>,
    pub(super) events: Vec<(i64, Vec<u8>)>,
}

impl Activity<'_> {
    /// The events of each combination of the dimensions, in the order of time.
    pub(super) fn seen(&self, input: &Batch) -> Result<Vec<Seen>> {
        let mut held = input.memory().growing("an activity plugin");
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut found: Vec<Seen> = Vec::new();
        let mut key = KeyBuffer::new();
        for row in input {
            let Some(at) = moment(&self.time.of(row)) else {
                continue;
            };
            let dimensions = self
                .dimensions
                .iter()
                .map(|expr| expr.of(row))
                .collect::<Vec<_>>();
            key.clear();
            key.extend(&dimensions);
            let place = *places.entry(key.bytes().to_vec()).or_insert(found.len());
            if place == found.len() {
                found.push(Seen {
                    dimensions,
                    events: Vec::new(),
                });
            }
            key.clear();
            key.push(&self.id.of(row));
            held.add(key.bytes().len() + 48)?;
            found[place].events.push((at, key.bytes().to_vec()));
        }
        for seen in &mut found {
            seen.events.sort_by_key(|(at, _)| *at);
        }
        Ok(found)
    }
}

/// A place on the axis of time: ticks or a whole number.
fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::DateTime(t) | Value::TimeSpan(t) => Some(*t),
        other => convert::to_long(other),
    }
}

/// A value of the kind of another, at a moment.
pub(super) fn like(kind: &Value, at: i64) -> Value {
    match kind {
        Value::DateTime(_) => Value::DateTime(at),
        Value::TimeSpan(_) => Value::TimeSpan(at),
        _ => Value::Long(at),
    }
}

/// The starts of the periods from one moment to another.
pub(super) fn periods(plugin: &str, from: i64, to: i64, step: i64, closed: bool) -> Result<Vec<i64>> {
    let bad = |why: &str| RuntimeError::new(Code::BAD_ARGUMENT, format!("`{plugin}` {why}"));
    if step <= 0 {
        return Err(bad("needs a period above zero"));
    }
    let mut starts = Vec::new();
    let mut next = Some(from);
    while let Some(at) = next.filter(|at| *at < to || closed && *at == to) {
        if starts.len() >= MOST_PERIODS {
            return Err(bad("is asked for too many periods"));
        }
        starts.push(at);
        next = at.checked_add(step);
    }
    Ok(starts)
}

/// The bounds and steps that a plugin is told; none is null.
pub(super) fn moments<const N: usize>(plugin: &str, given: [&Value; N]) -> Result<[i64; N]> {
    let mut found = [0; N];
    for (slot, value) in found.iter_mut().zip(given) {
        *slot = moment(value).ok_or_else(|| {
            RuntimeError::new(
                Code::BAD_ARGUMENT,
                format!("`{plugin}` needs constants for its bounds and periods"),
            )
        })?;
    }
    Ok(found)
}

pub(super) fn between(events: &[(i64, Vec<u8>)], from: i64, to: i64) -> &[(i64, Vec<u8>)] {
    let first = events.partition_point(|(at, _)| *at < from);
    let end = events.partition_point(|(at, _)| *at < to);
    &events[first..end.max(first)]
}

pub(super) fn distinct(events: &[(i64, Vec<u8>)]) -> HashSet<&[u8]> {
    events.iter().map(|(_, id)| id.as_slice()).collect()
}

/// `sliding_window_counts`: for each bin from `from` to `to`, included, how
/// many events there are in the window that ends with the bin, and of how many.
pub fn sliding_window_counts(
    input: &Batch,
    of: &Activity<'_>,
    from: &Value,
    to: &Value,
    window: &Value,
    bin: &Value,
    schema: &Schema,
) -> Result<Batch> {
    let plugin = "sliding_window_counts";
    let [start, end, window, step] = moments(plugin, [from, to, window, bin])?;
    let starts = periods(plugin, start, end, step, true)?;
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in of.seen(input)? {
        for at in &starts {
            let until = at.saturating_add(step);
            let events = between(&seen.events, until.saturating_sub(window), until);
            if events.is_empty() {
                continue;
            }
            let mut values = vec![like(from, *at)];
            values.extend(seen.dimensions.iter().cloned());
            values.push(Value::Long(events.len() as i64));
            values.push(Value::Long(distinct(events).len() as i64));
            builder.push(values);
        }
    }
    builder.finish(plugin)
}

/// `activity_counts_metrics`: for each window from `from` to `to`, included,
/// events, who, who for the first time, and who so far.
pub fn activity_counts_metrics(
    input: &Batch,
    of: &Activity<'_>,
    from: &Value,
    to: &Value,
    window: &Value,
    schema: &Schema,
) -> Result<Batch> {
    let plugin = "activity_counts_metrics";
    let [start, end, step] = moments(plugin, [from, to, window])?;
    let starts = periods(plugin, start, end, step, true)?;
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in of.seen(input)? {
        let mut known: HashSet<&[u8]> = HashSet::new();
        for at in &starts {
            let events = between(&seen.events, *at, at.saturating_add(step));
            if events.is_empty() {
                continue;
            }
            let who = distinct(events);
            let before = known.len();
            let count = who.len();
            known.extend(who);
            let mut values = vec![like(from, *at)];
            values.extend(seen.dimensions.iter().cloned());
            values.extend(
                [events.len(), count, known.len() - before, known.len()].map(|n| Value::Long(n as i64)),
            );
            builder.push(values);
        }
    }
    builder.finish(plugin)
}

/// `activity_engagement`: for each inner window, who was active in it, who in
/// the outer window that ends with it, and the ratio.
pub fn activity_engagement(
    input: &Batch,
    of: &Activity<'_>,
    from: &Value,
    to: &Value,
    inner: &Value,
    outer: &Value,
    schema: &Schema,
) -> Result<Batch> {
    let plugin = "activity_engagement";
    let [start, end, step, outer] = moments(plugin, [from, to, inner, outer])?;
    let starts = periods(plugin, start, end, step, false)?;
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in of.seen(input)? {
        for at in &starts {
            let until = at.saturating_add(step);
            let within = distinct(between(&seen.events, *at, until)).len();
            if within == 0 {
                continue;
            }
            let around = distinct(between(&seen.events, until.saturating_sub(outer), until)).len();
            let mut values = vec![like(from, *at)];
            values.extend(seen.dimensions.iter().cloned());
            values.push(Value::Long(within as i64));
            values.push(Value::Long(around as i64));
            values.push(Value::Real(within as f64 / around as f64));
            builder.push(values);
        }
    }
    builder.finish(plugin)
}

/// A combination of dimensions, and the values in each of its bins.
type Binned = (Vec<Value>, BTreeMap<i64, Vec<Value>>);

/// `rolling_percentile`: for each bin that has data, the percentile of the
/// values in it and in the bins before it that the window spans.
#[allow(
    clippy::too_many_arguments,
    reason = "the plugin's own arguments, in its order"
)]
pub fn rolling_percentile(
    input: &Batch,
    value: &Expr<'_>,
    percentile: &Value,
    index: &Expr<'_>,
    bin: &Value,
    window: &Value,
    dimensions: &[Expr<'_>],
    schema: &Schema,
) -> Result<Batch> {
    let plugin = "rolling_percentile";
    let [step, window] = moments(plugin, [bin, window])?;
    let percentile = convert::to_real(percentile).unwrap_or(f64::NAN);
    if step <= 0 || window <= 0 || !(0.0..=100.0).contains(&percentile) {
        return Err(RuntimeError::new(
            Code::BAD_ARGUMENT,
            "`rolling_percentile` needs a percentile from 0 to 100, and a bin and a window above zero",
        ));
    }
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut groups: Vec<Binned> = Vec::new();
    let mut kind = Value::Null;
    let mut key = KeyBuffer::new();
    let mut held = input.memory().growing("rolling_percentile");
    for row in input {
        let place = index.of(row);
        let Some(at) = moment(&place) else { continue };
        kind = place;
        let by = dimensions.iter().map(|expr| expr.of(row)).collect::<Vec<_>>();
        key.clear();
        key.extend(&by);
        let group = *places.entry(key.bytes().to_vec()).or_insert(groups.len());
        if group == groups.len() {
            groups.push((by, BTreeMap::new()));
        }
        held.add(size_of::<Value>())?;
        groups[group]
            .1
            .entry(at.div_euclid(step))
            .or_default()
            .push(value.of(row));
    }
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for (by, bins) in groups {
        let mut values = bins
            .values()
            .flatten()
            .filter(|value| !value.is_null())
            .collect::<Vec<_>>();
        values.sort_by(|a, b| compare(a, b));
        let place = |value: &Value| values.partition_point(|known| compare(known, value).is_lt());
        let mut window_of = Ranked::new(values.len());
        let mut inside: VecDeque<(i64, &[Value])> = VecDeque::new();
        for (at, own) in &bins {
            let first = at.saturating_sub(window - 1);
            while let Some((_, gone)) = inside.front().filter(|(bin, _)| *bin < first) {
                let gone = gone.iter().filter(|value| !value.is_null());
                gone.for_each(|value| window_of.count(place(value), -1));
                inside.pop_front();
            }
            let new = own.iter().filter(|value| !value.is_null());
            new.for_each(|value| window_of.count(place(value), 1));
            inside.push_back((*at, own));
            let rank = (percentile / 100.0 * window_of.total as f64).ceil().max(1.0) as i64;
            let found = window_of.select(rank).and_then(|place| values.get(place));
            let mut cells = vec![like(&kind, at.saturating_mul(step))];
            cells.extend(by.iter().cloned());
            cells.push(found.map_or(Value::Null, |value| (*value).clone()));
            builder.push(cells);
        }
    }
    builder.finish(plugin)
}

/// How often each of some sorted values is in a window: a Fenwick tree, in
/// which the value of a rank is found in as many steps as it has levels.
struct Ranked {
    sums: Vec<i64>,
    total: i64,
}

impl Ranked {
    fn new(values: usize) -> Self {
        Self {
            sums: vec![0; values + 1],
            total: 0,
        }
    }

    fn count(&mut self, place: usize, by: i64) {
        self.total += by;
        let mut node = place + 1;
        while let Some(sum) = self.sums.get_mut(node) {
            *sum += by;
            node += node & node.wrapping_neg();
        }
    }

    /// The place of the value with a rank, counted from one.
    fn select(&self, rank: i64) -> Option<usize> {
        if rank < 1 || rank > self.total {
            return None;
        }
        let (mut node, mut left) = (0, rank);
        let mut step = self.sums.len().next_power_of_two() / 2;
        while step > 0 {
            if let Some(sum) = self.sums.get(node + step).filter(|sum| **sum < left) {
                left -= sum;
                node += step;
            }
            step /= 2;
        }
        Some(node)
    }
}

/// `rows_near`: the rows for which a condition holds, and those at most so
/// many rows before or after one.
pub fn rows_near(input: &Batch, condition: &Expr<'_>, before: i64, after: i64) -> Result<Batch> {
    let before = usize::try_from(before).unwrap_or(0);
    let after = usize::try_from(after).unwrap_or(0);
    let mut kept: Vec<u32> = Vec::new();
    let mut next = 0;
    for row in input {
        if holds(&condition.of(row)) {
            let from = row.index().saturating_sub(before).max(next);
            let to = row
                .index()
                .saturating_add(after)
                .saturating_add(1)
                .min(input.rows());
            kept.extend((from..to).map(|index| index as u32));
            next = to.max(next);
        }
    }
    input.select(&kept, "rows_near")
}
