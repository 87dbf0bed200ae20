//! The fast way through large files of NDJSON: what no rule needs is not read.
//!
//! In: the text of a file, the columns a rule wants, and a condition that its
//! rows must meet. Out: the rows that may be of interest, after the rule's
//! first stage. Lines are looked through on all processors, 64 bytes at a time
//! ([`lanes`]); the wanted fields are found by the shape of the line
//! ([`shape`]) and asked on their raw bytes ([`screen`]); only what passes is
//! decoded. With many rules, one pass asks the conditions of all of them
//! ([`candidates`]).
//!
//! Whatever is unusual (objects in objects, keys written with escapes, lines
//! that are no objects) goes to the reader of JSON in [`crate::read`], so that
//! both ways give the same rows. What is not looked at is not checked: a line
//! that is broken where no rule looks may go unnoticed, unless the source is
//! strict.

pub mod condition;
mod formula;
mod inside;
mod lanes;
mod needle;
mod pattern;
mod places;
mod reading;
mod run;
mod screen;
mod shape;
mod strict;
mod tails;
mod texts;
mod times;

use std::ops::Range;
use std::sync::Arc;

use rulec_functions::Necessary;

use crate::batch::Batch;
use crate::context::{InTurn, Take, Work};
use crate::error::{Code, RuntimeError};
use crate::read::{self, Report, Source};
use crate::turns::in_order;

use lanes::Marker;
pub(crate) use places::Places;
pub(crate) use reading::Shared;
use reading::{Reading, line_at, number_of};
use screen::Screen;
use shape::{Fields, Line};
use strict::Strict;

/// Bytes of a file that one thread works on before it takes more: of a large
/// file many, as each piece costs something by itself, of a small one few, so
/// that all processors have some.
const PIECE: Range<usize> = 1 << 18..1 << 23;
const PIECES: usize = 64;

/// Lines at known places that are read before they are worked on: an operator
/// may make a hundred rows of each.
const TOGETHER: usize = 1 << 10;

/// Lines that may meet a condition before it is asked whether they are too
/// many: a log may begin with what is seldom in the rest of it.
const FIRST: usize = 1 << 13;

/// Parts of a file that are looked at before a pass for many rules, and their
/// size in bytes.
const SAMPLES: usize = 16;
const SAMPLE: usize = 1 << 16;

/// One in so many bytes of a short file, at most, is in a sample.
const OF_SHORT: usize = 8;

/// Who is told while a pass over a file goes on which part of it has been looked
/// through. An error stops it.
pub(crate) type Watch<'a> = dyn Fn(&[u8]) -> Result<(), RuntimeError> + Sync + 'a;

/// A line that is no JSON object.
struct Malformed {
    /// Where it starts in the file.
    at: usize,
    what: String,
}

/// What came of one piece.
#[derive(Default)]
struct Piece<'a> {
    turns: Vec<InTurn<'a>>,
    rows: u64,
    malformed: u64,
    first: Option<Malformed>,
    fates: read::Fates,
    failure: Option<RuntimeError>,
}

impl<'a> Piece<'a> {
    /// Reads rows into batches, each of which is worked on.
    fn fill(
        &mut self,
        reading: &mut Reading<'_>,
        each: &Work<'a>,
        work: impl FnOnce(&mut Self, &mut Fields, &mut read::Rows<'_>) -> Result<(), RuntimeError>,
    ) {
        let mut turns = Vec::new();
        let mut each = |batch: Batch| {
            turns.push(each(batch)?);
            Ok(())
        };
        match reading.rows(&mut each, |fields, rows| work(self, fields, rows)) {
            Ok(((), fates)) => self.fates = fates,
            Err(failure) => self.failure = Some(failure),
        }
        self.turns = turns;
    }

    /// Counts a malformed line, or stops at it.
    fn malformed(&mut self, source: &Source<'_>, at: usize, what: String) -> Result<(), RuntimeError> {
        self.malformed += 1;
        let stop = (!source.lenient).then(|| RuntimeError::new(Code::MALFORMED_INPUT, what.clone()));
        self.first.get_or_insert(Malformed { at, what });
        stop.map_or(Ok(()), Err)
    }
}

/// Rows of a file that may meet a condition at a time, for work on pieces of
/// them. The text is NDJSON without a byte order mark.
pub(crate) fn rows(
    shared: &Shared,
    source: &Source<'_>,
    (necessary, now): (&Necessary, i64),
    work: &Work<'_>,
    take: &mut Take<'_>,
    watch: &Watch<'_>,
) -> Result<Report, RuntimeError> {
    let text = (**shared).as_ref();
    let asked = reading::asked(necessary);
    let screen = Screen::new(&[necessary], &asked, now);
    let marker = Marker::new();
    let late = reading::later(shared, source, necessary);
    let kept = || {
        let reading = Reading::new(source, late.as_ref(), Arc::clone(&asked), marker);
        (reading, screen.scratch(), source.strict.then(Strict::new))
    };
    let mut gathering = Gathering::new(text, source);
    let take = |piece| gathering.add(piece, take);
    pieces(text, kept, take, |(reading, scratch, strict), start, end| {
        let mut piece = Piece::default();
        let text = &text[start..end];
        reading.renew();
        piece.fill(reading, work, |piece, fields, rows| {
            let mut at = 0;
            while at < text.len() {
                let (line, end) = fields.line(text, at);
                let whole = &text[at..end];
                let place = start + at;
                at = end + 1;
                if let Some(strict) = strict
                    && line != Line::Blank
                    && !strict.is_json(whole)
                    && let Err(what) = read::validate(whole)
                {
                    piece.malformed(source, place, what)?;
                    continue;
                }
                let read = match line {
                    Line::Blank => continue,
                    Line::Object => {
                        let mut passes = false;
                        screen.line(text, fields, scratch, |_| passes = true);
                        if !passes {
                            piece.rows += 1;
                            continue;
                        }
                        if fields.complete(text) {
                            rows.fields(place, |field| fields.raw(text, field))?
                        } else {
                            rows.line(place, whole.trim_ascii(), at > text.len())?
                        }
                    }
                    Line::Other => rows.line(place, whole.trim_ascii(), at > text.len())?,
                };
                match read {
                    Ok(()) => piece.rows += 1,
                    Err(what) => piece.malformed(source, place, what)?,
                }
            }
            watch(text)
        });
        piece
    });
    gathering.finish(necessary.is_anything())
}

/// The rows at the places where lines may meet a condition, for work on pieces
/// of them.
pub(crate) fn rows_at(
    shared: &Shared,
    places: &Places,
    source: &Source<'_>,
    necessary: &Necessary,
    work: &Work<'_>,
    take: &mut Take<'_>,
    watch: &Watch<'_>,
) -> Result<Report, RuntimeError> {
    let text = (**shared).as_ref();
    // Of few rows it is as quick to read all.
    let late = (places.len() > TOGETHER).then(|| reading::later(shared, source, necessary));
    let late = late.flatten();
    let mut gathering = Gathering::new(text, source);
    // Most of many rules find nothing.
    if places.len() == 0 {
        return gathering.finish(false);
    }
    let mut reading = Reading::new(source, late.as_ref(), Arc::default(), Marker::new());
    let mut places = places.iter().peekable();
    // What is done with some of them is taken before more are read.
    while places.peek().is_some() {
        let mut piece = Piece::default();
        reading.renew();
        piece.fill(&mut reading, work, |piece, fields, rows| {
            for place in places.by_ref().take(TOGETHER) {
                let place = place as usize;
                match line_at(text, place, fields, rows)? {
                    Ok(row) => piece.rows += u64::from(row),
                    Err(what) => piece.malformed(source, place, what)?,
                }
            }
            watch(&[])
        });
        if !gathering.add(piece, take) {
            break;
        }
    }
    gathering.finish(false)
}

/// Where lines that may meet each of several conditions start; none for a
/// condition that more than one line in `share` may meet: it saves nothing to
/// know them.
pub(crate) fn candidates(
    text: &[u8],
    conditions: &[&Necessary],
    now: i64,
    share: usize,
    watch: &Watch<'_>,
) -> Result<Vec<Option<Places>>, RuntimeError> {
    let mut columns: Vec<Arc<str>> = Vec::new();
    for column in conditions.iter().flat_map(|condition| condition.columns()) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let names: Arc<[Box<str>]> = columns.iter().map(|name| Box::from(&**name)).collect();
    let marker = Marker::new();
    let sample = SAMPLE.min(text.len() / SAMPLES / OF_SHORT);
    let parts = (0..SAMPLES).map(|part| {
        let start = text.len() / SAMPLES * part;
        &text[start..start + sample]
    });
    let mut fields = Fields::new(names.clone(), names.len(), marker);
    let screen = Screen::tuned(conditions, &names, now, parts, &mut fields, text.len());
    let kept = || {
        let fields = Fields::new(names.clone(), names.len(), marker);
        (fields, screen.scratch())
    };
    let mut places = vec![Some(Places::default()); conditions.len()];
    let (mut all, mut failure) = (0, None);
    let is_common =
        |places: &Places, least: usize, lines: usize| places.len() > least && places.len() > lines / share;
    let take = |(found, lines, watched): (Vec<(u32, u64)>, usize, Result<(), RuntimeError>)| {
        failure = watched.err();
        all += lines;
        for (number, place) in found {
            let known = &mut places[number as usize];
            if let Some(list) = known {
                list.push(place);
                if is_common(list, FIRST, all) {
                    *known = None;
                }
            }
        }
        failure.is_none()
    };
    pieces(text, kept, take, |(fields, scratch), start, end| {
        let text = &text[start..end];
        let mut found: Vec<(u32, u64)> = Vec::new();
        let (mut at, mut lines) = (0, 0_usize);
        while at < text.len() {
            let (line, end) = fields.line(text, at);
            let place = (start + at) as u64;
            lines += 1;
            match line {
                Line::Blank => lines -= 1,
                Line::Object => screen.line(text, fields, scratch, |number| {
                    found.push((number as u32, place));
                }),
                // Whoever reads it must say what is wrong with it.
                Line::Other => found.extend((0..conditions.len()).map(|number| (number as u32, place))),
            }
            at = end + 1;
        }
        (found, lines, watch(text))
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    for known in &mut places {
        if known.as_ref().is_some_and(|places| is_common(places, 64, all)) {
            *known = None;
        }
    }
    Ok(places)
}

/// Cuts a text into pieces at line feeds and works on them on all processors.
/// The results are taken in the order of the text, until `take` gives false.
/// `kept` makes what each thread keeps from piece to piece.
fn pieces<K, T: Send>(
    text: &[u8],
    kept: impl Fn() -> K + Sync,
    mut take: impl FnMut(T) -> bool + Send,
    work: impl Fn(&mut K, usize, usize) -> T + Sync,
) {
    let size = (text.len() / PIECES).clamp(PIECE.start, PIECE.end);
    let count = text.len().div_ceil(size).max(1);
    let cut = |number: usize| {
        let place = (number * size).min(text.len());
        if number == 0 || place == text.len() {
            return place;
        }
        memchr::memchr(b'\n', &text[place - 1..]).map_or(text.len(), |ahead| place + ahead)
    };
    let work = |kept: &mut K, number: usize| {
        let (start, end) = (cut(number), cut(number + 1));
        // A line may be longer than a piece.
        (start < end || count == 1).then(|| work(kept, start, end))
    };
    in_order(count, kept, work, &mut |result| result.is_none_or(&mut take));
}

/// Puts the pieces together; the first thing that goes wrong in the order of
/// the file is the one that is told.
struct Gathering<'a> {
    text: &'a [u8],
    source: &'a Source<'a>,
    report: Report,
    fates: read::Fates,
    failure: Option<RuntimeError>,
    stopped: bool,
}

impl<'a> Gathering<'a> {
    fn new(text: &'a [u8], source: &'a Source<'a>) -> Self {
        Self {
            text,
            source,
            report: Report::default(),
            fates: read::Fates::default(),
            failure: None,
            stopped: false,
        }
    }

    /// Adds the next piece; whether more are wanted.
    fn add(&mut self, piece: Piece<'_>, take: &mut Take<'_>) -> bool {
        match self.try_add(piece, take) {
            Ok(more) => self.stopped = !more,
            Err(failure) => {
                self.failure = Some(failure);
                self.stopped = true;
            }
        }
        !self.stopped
    }

    fn try_add(&mut self, piece: Piece<'_>, take: &mut Take<'_>) -> Result<bool, RuntimeError> {
        if let Some(first) = piece.first
            && self.report.first.is_none()
        {
            let message = format!(
                "{}:{}: {}",
                self.source.label,
                number_of(self.text, first.at),
                first.what
            );
            if !self.source.lenient {
                return Err(RuntimeError::new(Code::MALFORMED_INPUT, message));
            }
            self.report.first = Some(message);
        }
        if let Some(failure) = piece.failure {
            return Err(failure);
        }
        self.report.rows += piece.rows;
        self.report.malformed += piece.malformed;
        self.fates.merge(piece.fates);
        for turn in piece.turns {
            if !take(turn)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `all` says that every row was read.
    fn finish(mut self, all: bool) -> Result<Report, RuntimeError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        // Of some rows only, nothing can be said of a whole column.
        if all && !self.stopped {
            let (text, fates) = (self.text, std::mem::take(&mut self.fates));
            let line = |place: u64| number_of(text, place as usize) as u64;
            fates.tell(self.source, line, &mut self.report);
        }
        Ok(self.report)
    }
}
