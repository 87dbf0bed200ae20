//! Plugins that follow values from one period to others: `activity_metrics`,
//! `new_activity_metrics`, `active_users_count`, `session_count`.

use std::collections::{HashMap, HashSet};

use rulec_functions::Value;

use super::Result;
use super::activity::{Activity, between, distinct, like, moments, periods};
use crate::batch::{Batch, BatchBuilder};
use crate::key::KeyBuffer;
use crate::schema::Schema;

/// `activity_metrics`: for each window with events, how many values it has, how
/// many of them the window before does not have, and which parts of the values
/// of the window before come back and do not. Where that has none, the parts
/// are not numbers.
pub fn activity_metrics(
    input: &Batch,
    of: &Activity<'_>,
    from: &Value,
    to: &Value,
    window: &Value,
    schema: &Schema,
) -> Result<Batch> {
    let plugin = "activity_metrics";
    let [start, end, step] = moments(plugin, [from, to, window])?;
    let starts = periods(plugin, start, end, step, true)?;
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in of.seen(input)? {
        let mut before: HashSet<&[u8]> = HashSet::new();
        for at in &starts {
            let until = at.saturating_add(step).min(end.saturating_add(1));
            let now = distinct(between(&seen.events, *at, until));
            if !now.is_empty() {
                let back = now.intersection(&before).count();
                let rate = back as f64 / before.len() as f64;
                let mut values = vec![like(from, *at)];
                values.extend(seen.dimensions.iter().cloned());
                values.extend([
                    Value::Long(now.len() as i64),
                    Value::Long((now.len() - back) as i64),
                    Value::Real(rate),
                    Value::Real(1.0 - rate),
                ]);
                builder.push(values);
            }
            before = now;
        }
    }
    builder.finish(plugin)
}

/// Who is new when, for `new_activity_metrics`.
#[derive(Debug)]
pub struct Newcomers<'a> {
    /// Whom, when, and apart by what.
    pub of: Activity<'a>,
    /// The first moment.
    pub from: Value,
    /// The last moment.
    pub to: Value,
    /// The length of a period.
    pub window: Value,
    /// Only those who are new in the period of this moment; null: in any.
    pub cohort: Value,
    /// Values that are not new, whenever they come: the first column.
    pub known: Option<Batch>,
}

/// `new_activity_metrics`: for each period in which values are seen that were
/// not seen in any period before, and for it and each period after it, how many
/// values the later one has that none up to the earlier one has, and how many
/// and which part of the new ones it has and does not have.
pub fn new_activity_metrics(input: &Batch, newcomers: &Newcomers<'_>, schema: &Schema) -> Result<Batch> {
    let plugin = "new_activity_metrics";
    let Newcomers { from, to, window, .. } = newcomers;
    let [start, end, step] = moments(plugin, [from, to, window])?;
    let starts = periods(plugin, start, end, step, true)?;
    let only = match &newcomers.cohort {
        Value::Null => None,
        cohort => Some(moments(plugin, [cohort])?[0]),
    };
    let mut key = KeyBuffer::new();
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    let mut held = input.memory().growing(plugin);
    for row in newcomers.known.iter().flatten() {
        key.clear();
        key.push(&row.get(0));
        held.add(key.bytes().len() + 48)?;
        known.insert(key.bytes().to_vec());
    }
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in newcomers.of.seen(input)? {
        let bins = starts
            .iter()
            .map(|at| {
                let until = at.saturating_add(step).min(end.saturating_add(1));
                distinct(between(&seen.events, *at, until))
            })
            .collect::<Vec<_>>();
        let mut before: HashSet<&[u8]> = known.iter().map(Vec::as_slice).collect();
        for (first, at) in starts.iter().enumerate() {
            let new: HashSet<&[u8]> = bins[first].difference(&before).copied().collect();
            let wanted = only.is_none_or(|only| *at <= only && only < at.saturating_add(step));
            if wanted && !new.is_empty() {
                let upto: HashSet<&[u8]> = before.union(&new).copied().collect();
                for (later, bin) in starts.iter().zip(&bins).skip(first) {
                    let earlier = if later == at { &before } else { &upto };
                    let retained = new.intersection(bin).count();
                    let rate = retained as f64 / new.len() as f64;
                    let mut values = vec![like(from, *at), like(from, *later)];
                    values.extend(seen.dimensions.iter().cloned());
                    values.extend([
                        Value::Long(bin.difference(earlier).count() as i64),
                        Value::Long(retained as i64),
                        Value::Long((new.len() - retained) as i64),
                        Value::Real(rate),
                        Value::Real(1.0 - rate),
                    ]);
                    builder.push(values);
                }
            }
            before.extend(new);
        }
    }
    builder.finish(plugin)
}

/// What `active_users_count` counts as being active.
#[derive(Debug)]
pub struct Active<'a> {
    /// Whom, when, and apart by what.
    pub of: Activity<'a>,
    /// The first moment.
    pub from: Value,
    /// The last moment.
    pub to: Value,
    /// How far back from an event others count.
    pub lookback: Value,
    /// Events of one such period count once.
    pub period: Value,
    /// In how many periods, at least.
    pub least: i64,
    /// The width of what comes out.
    pub bin: Value,
}

/// `active_users_count`: for each bin in which there are any, the values with
/// an event before which, within the lookback and the event included, enough
/// periods have one.
pub fn active_users_count(input: &Batch, active: &Active<'_>, schema: &Schema) -> Result<Batch> {
    let plugin = "active_users_count";
    let Active {
        from,
        to,
        lookback,
        period,
        bin,
        ..
    } = active;
    let [start, end, lookback, period, bin] = moments(plugin, [from, to, lookback, period, bin])?;
    let starts = periods(plugin, start, end, bin, true)?;
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in active.of.seen(input)? {
        let mut counts: Vec<HashSet<&[u8]>> = vec![HashSet::new(); starts.len()];
        for (who, times) in by_value(&seen.events) {
            let mut first = 0;
            for (place, at) in times.iter().enumerate() {
                while times[first] <= at.saturating_sub(lookback) {
                    first += 1;
                }
                if *at < start || *at > end {
                    continue;
                }
                let mut met = times[first..=place]
                    .iter()
                    .map(|time| time.div_euclid(period.max(1)))
                    .collect::<Vec<_>>();
                met.dedup();
                let place = usize::try_from((at - start).div_euclid(bin)).unwrap_or(usize::MAX);
                if met.len() as i64 >= active.least
                    && let Some(count) = counts.get_mut(place)
                {
                    count.insert(who);
                }
            }
        }
        for (at, count) in starts.iter().zip(&counts).filter(|(_, count)| !count.is_empty()) {
            let mut values = vec![like(from, *at)];
            values.extend(seen.dimensions.iter().cloned());
            values.push(Value::Long(count.len() as i64));
            builder.push(values);
        }
    }
    builder.finish(plugin)
}

/// `session_count`: for each bin, how many sessions have events in it. The
/// session of a value goes on with an event that comes no later after the one
/// before than the lookback; any other begins a new one.
#[allow(
    clippy::too_many_arguments,
    reason = "the plugin's own arguments, in its order"
)]
pub fn session_count(
    input: &Batch,
    of: &Activity<'_>,
    from: &Value,
    to: &Value,
    bin: &Value,
    lookback: &Value,
    schema: &Schema,
) -> Result<Batch> {
    let plugin = "session_count";
    let [start, end, bin, lookback] = moments(plugin, [from, to, bin, lookback])?;
    let starts = periods(plugin, start, end, bin, true)?;
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for seen in of.seen(input)? {
        let mut counts = vec![0_i64; starts.len()];
        for (_, times) in by_value(&seen.events) {
            // The bin that the session at hand was last counted in.
            let mut counted = None;
            let mut before: Option<i64> = None;
            for at in times {
                if before.is_none_or(|before| at.saturating_sub(before) > lookback) {
                    counted = None;
                }
                before = Some(at);
                if at < start || at > end {
                    continue;
                }
                let place = usize::try_from((at - start).div_euclid(bin)).unwrap_or(usize::MAX);
                if counted != Some(place)
                    && let Some(count) = counts.get_mut(place)
                {
                    *count += 1;
                    counted = Some(place);
                }
            }
        }
        for (at, count) in starts.iter().zip(counts).filter(|(_, count)| *count > 0) {
            let mut values = vec![like(from, *at)];
            values.extend(seen.dimensions.iter().cloned());
            values.push(Value::Long(count));
            builder.push(values);
        }
    }
    builder.finish(plugin)
}

/// The moments of each value, in order; the values as they first come.
fn by_value(events: &[(i64, Vec<u8>)]) -> Vec<(&[u8], Vec<i64>)> {
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let mut found: Vec<(&[u8], Vec<i64>)> = Vec::new();
    for (at, who) in events {
        let place = *places.entry(who).or_insert(found.len());
        if place == found.len() {
            found.push((who, Vec::new()));
        }
        found[place].1.push(*at);
    }
    found
}
