//! A rule over events as they arrive.
//!
//! In: events of several tables, in the order of their arrival, which need not
//! be that of their times. Out: alerts, each once.
//!
//! A rule that looks at one event at a time is asked as soon as events come. Any
//! other is evaluated at its schedule's ticks, the multiples of its frequency:
//! at the tick `t` over the events from `t - period` on and before `t`, with
//! `now()` being `t`. How far time has come is the watermark, the time of the
//! newest event less the lateness that is allowed; a tick is evaluated when the
//! watermark reaches it. So the stream gives what evaluating all events again
//! at every tick would give, less what an earlier tick gave already: a row that
//! overlapping windows both give is one alert.
//!
//! The time of an event is when it was ingested, as `ingestion_time()` has it:
//! its ingestion column, else its `Timestamp`, else its `TimeGenerated`. Events
//! that no later tick looks back to are let go. A tick before which the rule's
//! look-back has no events at all is passed over.
//!
//! ```
//! use rulec_runtime::alert::RuleInfo;
//! use rulec_runtime::functions::text::parse_datetime;
//! use rulec_runtime::rule::{Rule, Schedule, Table};
//! use rulec_runtime::stream::Stream;
//! use rulec_runtime::{RuntimeError, Schema, Type, ops};
//!
//! # fn main() -> Result<(), RuntimeError> {
//! // More than one failed logon in an hour; emitted packages have such rules.
//! fn logons() -> Schema {
//!     Schema::of(&[("Timestamp", Type::DateTime), ("Account", Type::String)])
//! }
//! let rule = Rule {
//!     info: RuleInfo::new("R-1", "Several failed logons", "low"),
//!     schedule: Schedule::seconds(3600, 3600),
//!     tables: || vec![Table::new("Logons", logons())],
//!     evaluate: |context| {
//!         let t = context.table("Logons", &logons())?;
//!         let account = ops::out("Account", Type::String, ops::column(1));
//!         let t = ops::summarize(&t, &[account], &[ops::agg(
//!             rulec_runtime::functions::aggregate::statistics::count,
//!             [],
//!             &[("Count", Type::Long)],
//!         )])?;
//!         ops::filter(&t, |row| row.long(1) > Some(1))
//!     },
//! };
//! let mut stream = Stream::new(&rule).lateness_seconds(600);
//! let mut alerts = Vec::new();
//! for line in [
//!     r#"{"Timestamp":"2026-01-15T10:50:00Z","Account":"kim"}"#,
//!     r#"{"Timestamp":"2026-01-15T11:05:00Z","Account":"ann"}"#,
//!     r#"{"Timestamp":"2026-01-15T10:40:00Z","Account":"kim"}"#,
//!     r#"{"Timestamp":"2026-01-15T12:15:00Z","Account":"ann"}"#,
//! ] {
//!     alerts.extend(stream.feed_ndjson("Logons", line.as_bytes())?);
//! }
//! assert_eq!(alerts.len(), 1);
//! assert_eq!(Some(alerts[0].at), parse_datetime("2026-01-15T11:00:00Z"));
//! # Ok(())
//! # }
//! ```

use std::collections::{BTreeMap, VecDeque};

use rulec_functions::{Type, Value};

use crate::alert::{self, Alert};
use crate::batch::Batch;
use crate::context::{Context, TableRequest, Tables};
use crate::error::RuntimeError;
use crate::key::KeyBuffer;
use crate::memory::{Memory, Reservation};
use crate::read;
use crate::rule::Rule;
use crate::schema::Schema;
use crate::vector::Vector;

/// Ticks of 100 ns in a second.
const SECOND: i64 = 10_000_000;

/// From so many pieces on the events of a table are put together.
const PIECES: usize = 64;

/// An alert, and when it fired.
#[derive(Clone, Debug)]
pub struct Fired {
    /// What `now()` was, in ticks.
    pub at: i64,
    /// The alert.
    pub alert: Alert,
}

/// What became of events that were not looked at as they should have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Events that came after a tick which should have seen them. Later ticks
    /// see those of them that they look back to.
    pub late: u64,
    /// Those among them that no later tick looks back to.
    pub dropped: u64,
    /// Events that say no time, so that no tick sees them.
    pub timeless: u64,
}

/// A rule over events as they arrive; see the [module](self).
pub struct Stream<'r> {
    rule: &'r Rule,
    lateness: i64,
    facts: Option<&'r dyn Tables>,
    memory: Memory,
    tables: BTreeMap<&'static str, Held>,
    /// The time of the newest event.
    newest: Option<i64>,
    /// The tick that was evaluated last, and the one that comes next.
    last: Option<i64>,
    next: Option<i64>,
    seen: BTreeMap<Vec<u8>, Seen>,
    missed: Missed,
}

/// The events of a table that are still looked back to, in order of arrival.
struct Held {
    schema: Schema,
    pieces: Vec<Piece>,
}

/// Some events and the time of each.
struct Piece {
    rows: Batch,
    times: Vec<i64>,
}

/// A row that has been an alert.
struct Seen {
    /// How often it came at that tick.
    count: usize,
    /// The last tick at which it came.
    at: i64,
    _reservation: Reservation,
}

impl<'r> Stream<'r> {
    /// A stream of a rule's alerts, no event being allowed to come late.
    pub fn new(rule: &'r Rule) -> Self {
        let held = |schema| Held {
            schema,
            pieces: Vec::new(),
        };
        let tables = rule.tables().into_iter();
        Self {
            rule,
            lateness: 0,
            facts: None,
            memory: Memory::default(),
            tables: tables.map(|table| (table.name, held(table.schema))).collect(),
            newest: None,
            last: None,
            next: None,
            seen: BTreeMap::new(),
            missed: Missed::default(),
        }
    }

    /// How much later than the newest event an event may come and still be
    /// seen by every tick that it belongs to.
    #[must_use]
    pub fn lateness_seconds(mut self, seconds: u32) -> Self {
        self.lateness = i64::from(seconds) * SECOND;
        self
    }

    /// What the rule reads besides events: watchlists, external data, `FileProfile`.
    #[must_use]
    pub fn facts(mut self, tables: &'r dyn Tables) -> Self {
        self.facts = Some(tables);
        self
    }

    /// Another budget of bytes.
    #[must_use]
    pub fn memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// What became of events that were not looked at as they should have been.
    pub fn missed(&self) -> Missed {
        self.missed
    }

    /// How far time has come: no earlier event is waited for. None before the
    /// first event.
    pub fn watermark(&self) -> Option<i64> {
        self.newest.map(|newest| newest.saturating_sub(self.lateness))
    }

    /// Events that are held to be looked back to.
    pub fn held(&self) -> usize {
        let pieces = self.tables.values().flat_map(|held| &held.pieces);
        pieces.map(|piece| piece.times.len()).sum()
    }

    /// Takes events of a table as NDJSON (or any other format of
    /// [`read`](crate::read)) and gives the alerts that they lead to.
    pub fn feed_ndjson(&mut self, table: &str, events: &[u8]) -> Result<Vec<Fired>, RuntimeError> {
        let Some(held) = self.tables.get(table) else {
            return Ok(Vec::new());
        };
        let source = read::Source::new(table, &held.schema, &self.memory);
        let (rows, _) = read::read(events, &source)?;
        self.feed(table, &rows)
    }

    /// Takes events of a table and gives the alerts that they lead to. Events
    /// of tables that the rule does not read are passed over.
    pub fn feed(&mut self, table: &str, events: &Batch) -> Result<Vec<Fired>, RuntimeError> {
        let Some((name, held)) = self.tables.get_key_value(table) else {
            return Ok(Vec::new());
        };
        let name = *name;
        let (rows, times) = timed(events)?;
        self.missed.timeless += (events.rows() - times.len()) as u64;
        let rows = rows.conform(&held.schema)?;
        let Some(newest) = times.iter().copied().max() else {
            return Ok(Vec::new());
        };
        let newest = self.newest.map_or(newest, |known| known.max(newest));
        self.newest = Some(newest);
        if self.rule.schedule.stateless {
            let expired = newest.saturating_sub(self.rule.schedule.period);
            let late = times.iter().filter(|time| **time < expired).count() as u64;
            self.missed.late += late;
            let result = self.evaluate(newest, BTreeMap::from([(name, rows)]))?;
            return Ok(self.fired(newest, &result, |_| true));
        }
        self.hold(name, rows, times)?;
        let mut fired = Vec::new();
        while let Some(tick) = self.next
            && self.watermark().is_some_and(|watermark| watermark >= tick)
        {
            fired.extend(self.tick(tick)?);
        }
        Ok(fired)
    }

    /// No more events come: the alerts of the ticks up to the first that sees the
    /// newest event.
    pub fn finish(&mut self) -> Result<Vec<Fired>, RuntimeError> {
        let mut fired = Vec::new();
        let Some(newest) = self.newest else {
            return Ok(fired);
        };
        let end = self.tick_after(newest);
        while let Some(tick) = self.next.filter(|tick| *tick <= end) {
            fired.extend(self.tick(tick)?);
        }
        Ok(fired)
    }

    /// The alerts of all events of an iterator, one after the other.
    pub fn over<I>(self, events: I) -> Alerts<'r, I::IntoIter>
    where
        I: IntoIterator<Item = (String, Batch)>,
    {
        Alerts {
            stream: self,
            events: Some(events.into_iter()),
            ready: VecDeque::new(),
        }
    }

    /// The first tick that sees an event of a time.
    fn tick_after(&self, time: i64) -> i64 {
        let frequency = self.rule.schedule.frequency.max(SECOND);
        (time.div_euclid(frequency) + 1).saturating_mul(frequency)
    }

    fn period(&self) -> i64 {
        self.rule.schedule.period.max(self.rule.schedule.frequency)
    }

    /// Keeps events until no tick looks back to them.
    fn hold(&mut self, table: &'static str, rows: Batch, times: Vec<i64>) -> Result<(), RuntimeError> {
        let Some(earliest) = times.iter().copied().min() else {
            return Ok(());
        };
        if let Some(last) = self.last {
            self.missed.late += times.iter().filter(|time| **time < last).count() as u64;
        }
        let first = self.tick_after(earliest);
        let next = match (self.last, self.next) {
            // Before anything was evaluated the first tick may still move back.
            (None, Some(next)) => next.min(first),
            (None, None) => first,
            (Some(_), Some(next)) => next,
            (Some(last), None) => first.max(last.saturating_add(self.rule.schedule.frequency.max(SECOND))),
        };
        self.next = Some(next);
        let oldest = next.saturating_sub(self.period());
        let dropped = times.iter().filter(|time| **time < oldest).count() as u64;
        let piece = Piece { rows, times }.since(oldest)?;
        self.missed.dropped += dropped;
        if let (Some(piece), Some(held)) = (piece, self.tables.get_mut(table)) {
            held.pieces.push(piece);
            held.gather()?;
        }
        Ok(())
    }

    /// Evaluates the rule at a tick, and lets events go.
    fn tick(&mut self, tick: i64) -> Result<Vec<Fired>, RuntimeError> {
        let mut tables = BTreeMap::new();
        for (name, held) in &self.tables {
            let rows = held.before(tick, &self.memory)?;
            tables.insert(*name, rows);
        }
        let any = tables.values().any(|rows| !rows.is_empty());
        let mut fired = Vec::new();
        if any {
            let result = self.evaluate(tick, tables)?;
            let new = self.new_rows(tick, &result)?;
            fired = self.fired(tick, &result, |row| new.get(row) == Some(&true));
        }
        self.last = Some(tick);
        let next = tick.saturating_add(self.rule.schedule.frequency.max(SECOND));
        let oldest = next.saturating_sub(self.period());
        let mut earliest: Option<i64> = None;
        for held in self.tables.values_mut() {
            held.let_go(oldest)?;
            let times = held.pieces.iter().flat_map(|piece| &piece.times);
            earliest = earliest.into_iter().chain(times.copied()).min();
        }
        // Ticks that look back to nothing are passed over.
        self.next = earliest.map(|earliest| self.tick_after(earliest).max(next));
        // What a later window cannot give again need not be remembered.
        self.seen.retain(|_, seen| seen.at > oldest);
        Ok(fired)
    }

    fn evaluate(&self, now: i64, tables: BTreeMap<&'static str, Batch>) -> Result<Batch, RuntimeError> {
        let window = Window { stream: self, tables };
        let context = Context::new(now, &window).with_memory(self.memory.clone());
        self.rule.rows(&context)
    }

    /// For each row of a result, whether no overlapping window gave it before.
    fn new_rows(&mut self, tick: i64, result: &Batch) -> Result<Vec<bool>, RuntimeError> {
        let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut new = Vec::with_capacity(result.rows());
        let mut key = KeyBuffer::new();
        for row in result {
            key.clear();
            key.extend(&row.values());
            let known = self.seen.get(key.bytes()).map_or(0, |seen| seen.count);
            let count = counts.entry(key.bytes().to_vec()).or_default();
            *count += 1;
            new.push(*count > known);
        }
        for (key, count) in counts {
            let reservation = self.memory.reserve("stream", key.len())?;
            let seen = Seen {
                count,
                at: tick,
                _reservation: reservation,
            };
            self.seen.insert(key, seen);
        }
        Ok(new)
    }

    fn fired(&self, at: i64, result: &Batch, wanted: impl Fn(usize) -> bool) -> Vec<Fired> {
        let alerts = alert::alerts(&self.rule.info, result).into_iter().enumerate();
        alerts
            .filter(|(row, _)| wanted(*row))
            .map(|(_, alert)| Fired { at, alert })
            .collect()
    }
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("rule", &self.rule)
            .field("held", &self.held())
            .field("watermark", &self.watermark())
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

impl Piece {
    /// The events from a time on; none if all are older.
    fn since(self, oldest: i64) -> Result<Option<Self>, RuntimeError> {
        let kept = kept(&self.times, |time| time >= oldest);
        if kept.is_empty() {
            return Ok(None);
        }
        if kept.len() == self.times.len() {
            return Ok(Some(self));
        }
        Ok(Some(Self {
            rows: self.rows.select(&kept, "stream")?,
            times: kept.iter().map(|row| self.times[*row as usize]).collect(),
        }))
    }
}

impl Held {
    /// The events before a tick, in order of arrival.
    fn before(&self, tick: i64, memory: &Memory) -> Result<Batch, RuntimeError> {
        let mut parts = Vec::new();
        for piece in &self.pieces {
            let kept = kept(&piece.times, |time| time < tick);
            if kept.len() == piece.times.len() {
                parts.push(piece.rows.clone());
            } else if !kept.is_empty() {
                parts.push(piece.rows.select(&kept, "stream")?);
            }
        }
        let whole = Batch::concat(&parts, "stream")?;
        Ok(whole.unwrap_or_else(|| Batch::empty(self.schema.clone(), memory)))
    }

    /// Forgets events older than a time.
    fn let_go(&mut self, oldest: i64) -> Result<(), RuntimeError> {
        let pieces = std::mem::take(&mut self.pieces);
        for piece in pieces {
            self.pieces.extend(piece.since(oldest)?);
        }
        Ok(())
    }

    /// Puts pieces together where there are many. An open table's pieces differ
    /// in their columns, so each stays by itself.
    fn gather(&mut self) -> Result<(), RuntimeError> {
        if self.pieces.len() < PIECES || self.schema.is_open() {
            return Ok(());
        }
        // Those that are large already are left alone, or every event would be
        // copied again and again.
        let small = self.pieces.iter().rev();
        let small = small
            .take_while(|piece| piece.times.len() < PIECES * PIECES)
            .count();
        if small < PIECES {
            return Ok(());
        }
        let tail = self.pieces.split_off(self.pieces.len() - small);
        let times = tail
            .iter()
            .flat_map(|piece| piece.times.iter().copied())
            .collect();
        let rows = tail.into_iter().map(|piece| piece.rows).collect::<Vec<_>>();
        if let Some(rows) = Batch::concat(&rows, "stream")? {
            self.pieces.push(Piece { rows, times });
        }
        Ok(())
    }
}

fn kept(times: &[i64], wanted: impl Fn(i64) -> bool) -> Vec<u32> {
    let rows = times.iter().enumerate().filter(|(_, time)| wanted(**time));
    rows.filter_map(|(row, _)| u32::try_from(row).ok()).collect()
}

/// The events that say a time, and the time of each.
fn timed(events: &Batch) -> Result<(Batch, Vec<i64>), RuntimeError> {
    let events = if events.has_ingestion_time() {
        events.clone()
    } else {
        let columns = ["Timestamp", "TimeGenerated"].map(|name| events.schema().index_of(name));
        let time = |row: crate::batch::Row<'_>| {
            let times = columns.iter().flatten().map(|column| row.get(*column));
            let mut times = times.filter(|time| matches!(time, Value::DateTime(_)));
            times.next().unwrap_or_default()
        };
        let times = Vector::from_values(Type::DateTime, events.iter().map(time));
        events.clone().with_ingestion_time(times)?
    };
    let times = events.ingestion_times();
    let times = (0..events.rows()).map(|row| times.and_then(|times| times.ticks(row)));
    let times = times.collect::<Vec<_>>();
    if times.iter().all(Option::is_some) {
        return Ok((events, times.into_iter().flatten().collect()));
    }
    let known = times.iter().enumerate().filter(|(_, time)| time.is_some());
    let known = known
        .filter_map(|(row, _)| u32::try_from(row).ok())
        .collect::<Vec<_>>();
    Ok((
        events.select(&known, "stream")?,
        times.into_iter().flatten().collect(),
    ))
}

/// What a rule sees at a tick.
struct Window<'s, 'r> {
    stream: &'s Stream<'r>,
    tables: BTreeMap<&'static str, Batch>,
}

impl Tables for Window<'_, '_> {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        if let Some(rows) = self.tables.get(request.name) {
            return rows.conform(request.schema);
        }
        if self.stream.tables.contains_key(request.name) {
            return Ok(Batch::empty(request.schema.clone(), request.memory));
        }
        match self.stream.facts {
            Some(facts) => facts.table(request),
            None => Err(RuntimeError::missing_table(request.name)),
        }
    }
}

/// The alerts of a stream, from an iterator of events; see [`Stream::over`].
#[derive(Debug)]
pub struct Alerts<'r, I> {
    stream: Stream<'r>,
    events: Option<I>,
    ready: VecDeque<Fired>,
}

impl<'r, I> Alerts<'r, I> {
    /// The stream, for what it missed and how far it has come.
    pub fn stream(&self) -> &Stream<'r> {
        &self.stream
    }
}

impl<I: Iterator<Item = (String, Batch)>> Iterator for Alerts<'_, I> {
    type Item = Result<Fired, RuntimeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(fired) = self.ready.pop_front() {
                return Some(Ok(fired));
            }
            let fired = match self.events.as_mut()?.next() {
                Some((table, rows)) => self.stream.feed(&table, &rows),
                None => {
                    self.events = None;
                    self.stream.finish()
                }
            };
            match fired {
                Ok(fired) => self.ready.extend(fired),
                Err(error) => {
                    self.events = None;
                    return Some(Err(error));
                }
            }
        }
    }
}
