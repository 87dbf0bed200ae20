//! Rows from a reader that is no part of this crate.

use std::sync::Arc;

use rulec_functions::{Type, Value};

use super::raw::Fates;
use super::sink::{Sink, Slot};
use super::{AtOnce, Report, Source};
use crate::batch::Batch;
use crate::context::{InTurn, Take, Work};
use crate::error::RuntimeError;
use crate::late::Late;
use crate::turns::try_in_order;

/// Takes rows value by value, and hands on batches as every reader does.
pub struct Feed<'a>(Sink<'a>);

impl std::fmt::Debug for Feed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Feed").finish_non_exhaustive()
    }
}

impl<'a> Feed<'a> {
    /// Rows of a source, in batches for `each`.
    pub fn new(source: &'a Source<'a>, each: &'a mut dyn FnMut(Batch) -> Result<(), RuntimeError>) -> Self {
        Self(Sink::new(source, each))
    }

    /// Where the values of a column go, whose type the data says; none when
    /// nobody reads them.
    pub fn slot(&mut self, name: &str, ty: Type) -> Option<Slot> {
        Some(self.0.slot_as(name, Some(ty))).filter(|slot| !slot.is_idle())
    }

    /// Begins a row, which has a number in messages, and by which it is known to
    /// who reads columns of it later.
    pub fn begin_row(&mut self, number: u64) {
        self.0.begin_row(number);
    }

    /// Gives the row a value, converted to the type of its column.
    pub fn set(&mut self, slot: Slot, value: Value) {
        self.0.set_value(slot, value);
    }

    /// Ends the row.
    pub fn end_row(&mut self) -> Result<(), RuntimeError> {
        self.0.end_row()
    }

    /// Hands on what is left. `stopped` says why there is no more although the
    /// data goes on.
    pub fn finish(self, stopped: Option<&str>) -> Result<Report, RuntimeError> {
        self.0.finish(stopped)
    }
}

/// How a piece of a file was read.
#[derive(Debug, Default)]
pub struct Piece {
    /// Its rows, those that were left out among them.
    pub rows: u64,
    /// Why there is no more, although the file goes on: a lenient reader keeps
    /// what came before.
    pub stopped: Option<String>,
}

/// What came of one piece.
struct Read<'w> {
    turns: Vec<InTurn<'w>>,
    piece: Piece,
    fates: Fates,
}

/// Reads the numbered pieces of a file on all processors, each through a feed of
/// its own, which is worked on at once and taken in the order of the file. Not
/// for open tables, as only their end says what columns they have. `all` says
/// that no rows are left out, `late` who reads the columns that nobody has looked
/// at before.
pub fn in_pieces(
    count: usize,
    source: &Source<'_>,
    late: Option<&Arc<Late>>,
    work: &Work<'_>,
    take: &mut Take<'_>,
    all: bool,
    read: &(dyn Fn(usize, &mut Feed<'_>) -> Result<Piece, RuntimeError> + Sync),
) -> Result<Report, RuntimeError> {
    let one = |number: usize| {
        let mut turns = Vec::new();
        let mut each = |batch: Batch| {
            turns.push(work(batch)?);
            Ok(())
        };
        let early = late.map(|late| late.early()).unwrap_or_default();
        let source = Source {
            late: late.map(|table| AtOnce {
                table,
                columns: &early,
            }),
            ..*source
        };
        let mut feed = Feed::new(&source, &mut each);
        let piece = read(number, &mut feed)?;
        let fates = feed.0.finish_if_any()?;
        Ok(Read {
            turns,
            piece,
            fates: Fates(fates),
        })
    };
    let mut report = Report::default();
    let mut fates = Fates::default();
    let mut whole = all;
    let mut add = |read: Read<'_>| {
        report.rows += read.piece.rows;
        fates.merge(read.fates);
        for turn in read.turns {
            if !take(turn)? {
                whole = false;
                return Ok(false);
            }
        }
        report.stopped = read.piece.stopped;
        Ok(report.stopped.is_none())
    };
    try_in_order(count, one, &mut add)?;
    // Of some rows only, nothing can be said of a whole column.
    if whole {
        fates.tell(source, |row| row, &mut report);
    }
    Ok(report)
}
