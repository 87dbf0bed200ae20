//! `summarize` and `distinct`: rows that share a key become one.
//!
//! A piece of the input is grouped by itself first, on whatever thread has it,
//! and what its rows add to each group is reduced as far as the aggregate lets
//! it. When it is the piece's turn its groups meet those of the pieces before:
//! groups, and what depends on the order of rows, come out as if all rows had
//! been looked at one after the other.

mod best;
mod reduce;
mod state;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::pieces::{Pieces, Source, locked};
use super::{Aggregation, Output, Result};
use crate::batch::Batch;
use crate::cell::{Hashing, Table};
use crate::context::InTurn;
use crate::error::{Named, RuntimeError};
use crate::flow::Input;
use crate::memory::{Memory, Reservation};
use crate::schema::{Column, Schema};
use crate::vector::{Builder, heap_bytes};
use reduce::{Call, Reduced};
use state::State;

/// Content that a group is counted with besides its key.
const GROUP_BYTES: usize = 96;

/// The row at which the states of groups are first asked how much they hold.
const FIRST_LOOK: usize = 1 << 14;

/// `summarize`: one row per distinct combination of the keys, in the order in
/// which combinations first appear. Without keys there is exactly one row,
/// even over no input.
pub fn summarize(input: &dyn Input, keys: &[Output<'_>], aggregates: &[Aggregation<'_>]) -> Result<Batch> {
    let pieces = summarize_pieces(keys, aggregates, input.memory());
    input.pour(Named::operator("summarize"), pieces)
}

/// [`summarize`] of a table that comes in pieces.
pub fn summarize_pieces<'a>(
    keys: &'a [Output<'a>],
    aggregates: &'a [Aggregation<'a>],
    memory: &Memory,
) -> Box<dyn Pieces + 'a> {
    let late = Late {
        keys,
        aggregates,
        memory: memory.clone(),
        made: OnceLock::new(),
    };
    if aggregates.iter().any(Aggregation::is_late) {
        return Box::new(late);
    }
    Box::new(late.made(&[]))
}

/// `distinct`: every combination of these columns once, in the order in which
/// combinations first appear.
pub fn distinct(input: &dyn Input, outputs: &[Output<'_>]) -> Result<Batch> {
    let pieces = distinct_pieces(outputs, input.memory());
    input.pour(Named::operator("distinct"), pieces)
}

/// [`distinct`] of a table that comes in pieces.
pub fn distinct_pieces<'a>(outputs: &'a [Output<'a>], memory: &Memory) -> Box<dyn Pieces + 'a> {
    Box::new(Grouping::new("distinct", outputs, Vec::new(), memory, false))
}

/// A summarize whose aggregates are not known before the columns of its input.
struct Late<'a> {
    keys: &'a [Output<'a>],
    aggregates: &'a [Aggregation<'a>],
    memory: Memory,
    made: OnceLock<Grouping<'a>>,
}

impl<'a> Late<'a> {
    fn made(&self, columns: &[Column]) -> Grouping<'a> {
        let calls = self.aggregates.iter().map(|call| Call::new(call, columns));
        let always_one = self.keys.is_empty();
        Grouping::new("summarize", self.keys, calls.collect(), &self.memory, always_one)
    }
}

impl Pieces for Late<'_> {
    fn rows(&self, piece: &Batch, rows: Range<usize>) -> Result<InTurn<'_>> {
        let made = self.made.get_or_init(|| self.made(piece.schema().columns()));
        made.rows(piece, rows)
    }

    fn finish(self: Box<Self>) -> Result<Batch> {
        match self.made.into_inner() {
            Some(made) => Box::new(made).finish(),
            None => Err(RuntimeError::internal("an operator was given no piece at all")),
        }
    }
}

struct Grouping<'a> {
    operator: &'static str,
    keys: &'a [Output<'a>],
    calls: Vec<Call<'a>>,
    hashing: Hashing,
    memory: Memory,
    groups: Mutex<Groups>,
}

/// All groups so far.
struct Groups {
    /// By key, in the order of their first rows.
    table: Table,
    keys: Vec<Builder>,
    count: usize,
    states: Vec<State>,
    marked: HashSet<usize>,
    has_marks: bool,
    rows: usize,
    next_look: usize,
    /// What keys hold, and what states held when they were last asked.
    held: Vec<Reservation>,
    kept: Option<Reservation>,
}

/// The groups of one piece.
pub(super) struct Local {
    /// For each row its group; empty where all are one.
    pub(super) of: Vec<u32>,
    /// For each group its first row in the piece, and its hash.
    firsts: Vec<u32>,
    hashes: Vec<u64>,
    rows: Range<usize>,
}

impl Local {
    /// Number of groups.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The group of a row of the piece.
    pub(super) fn group(&self, row: usize) -> usize {
        self.of
            .get(row - self.rows.start)
            .map_or(0, |group| *group as usize)
    }
}

impl<'a> Grouping<'a> {
    fn new(
        operator: &'static str,
        keys: &'a [Output<'a>],
        calls: Vec<Call<'a>>,
        memory: &Memory,
        always_one: bool,
    ) -> Self {
        let mut groups = Groups {
            table: Table::default(),
            keys: keys.iter().map(|key| Builder::new(key.column.ty, 0)).collect(),
            count: 0,
            states: calls.iter().map(State::new).collect(),
            marked: HashSet::new(),
            has_marks: false,
            rows: 0,
            next_look: FIRST_LOOK,
            held: Vec::new(),
            kept: None,
        };
        if always_one {
            groups.add(&calls);
        }
        Self {
            operator,
            keys,
            calls,
            hashing: Hashing::default(),
            memory: memory.clone(),
            groups: Mutex::new(groups),
        }
    }

    /// Groups the rows of a piece.
    fn local(&self, piece: &Batch, keys: &[Source], rows: Range<usize>) -> Local {
        let mut local = Local {
            of: Vec::new(),
            firsts: Vec::new(),
            hashes: Vec::new(),
            rows: rows.clone(),
        };
        if keys.is_empty() {
            if !rows.is_empty() {
                local.firsts.push(rows.start as u32);
                local.hashes.push(0);
            }
            return local;
        }
        let columns = keys
            .iter()
            .filter_map(|key| key.vector(piece))
            .collect::<Vec<_>>();
        let mut table = Table::default();
        local.of.reserve(rows.len());
        for row in rows {
            let hash = self
                .hashing
                .of(columns.iter().map(|(vector, from)| vector.cell(row - from)));
            let same = |group: usize| {
                let first = local.firsts[group] as usize;
                columns
                    .iter()
                    .all(|(vector, from)| vector.cell(row - from).same(vector.cell(first - from)))
            };
            let (group, new) = table.entry(hash, same);
            if new {
                local.firsts.push(row as u32);
                local.hashes.push(hash);
            }
            local.of.push(group as u32);
        }
        local
    }

    /// Puts the groups of a piece with those of the pieces before it.
    fn take(&self, piece: &Batch, keys: &[Source], local: &Local, reduced: Vec<Reduced>) -> Result<()> {
        let groups = &mut *locked(&self.groups);
        let columns = keys
            .iter()
            .filter_map(|key| key.vector(piece))
            .collect::<Vec<_>>();
        let mut places = Vec::with_capacity(local.len());
        let mut bytes = 0;
        for (first, hash) in local.firsts.iter().zip(&local.hashes) {
            let first = *first as usize;
            if columns.is_empty() {
                if groups.count == 0 {
                    groups.add(&self.calls);
                }
                places.push(0);
                continue;
            }
            let known = &groups.keys;
            let same = |group: usize| {
                known
                    .iter()
                    .zip(&columns)
                    .all(|(known, (vector, from))| known.cell(group).same(vector.cell(first - from)))
            };
            let (group, new) = groups.table.entry(*hash, same);
            if new {
                bytes += Table::ENTRY + GROUP_BYTES * (1 + self.calls.len());
                for (known, (vector, from)) in groups.keys.iter_mut().zip(&columns) {
                    let value = vector.get(first - from);
                    bytes += heap_bytes(&value) + size_of_val(&value);
                    known.push(value);
                }
                groups.add(&self.calls);
            }
            places.push(group as u32);
        }
        if bytes > 0 {
            groups.held.push(self.memory.reserve(self.operator, bytes)?);
            groups.merge_held(&self.memory, self.operator)?;
        }
        if piece.marks().is_some() {
            groups.has_marks = true;
            for row in local.rows.clone().filter(|row| piece.is_marked(*row)) {
                groups.marked.insert(places[local.group(row)] as usize);
            }
        }
        for ((call, state), reduced) in self.calls.iter().zip(&mut groups.states).zip(reduced) {
            state.take(call, piece, local, &places, reduced)?;
        }
        groups.rows += local.rows.len();
        if groups.rows >= groups.next_look {
            // Ever more seldom, so that looking costs no more than the rows do.
            groups.next_look = groups.rows + groups.rows / 4;
            let bytes = groups.states.iter().map(State::bytes).sum();
            drop(groups.kept.take());
            groups.kept = Some(self.memory.reserve(self.operator, bytes)?);
        }
        Ok(())
    }
}

impl Groups {
    /// A new group.
    fn add(&mut self, calls: &[Call<'_>]) {
        self.count += 1;
        for (call, state) in calls.iter().zip(&mut self.states) {
            state.add(call);
        }
    }

    /// Many small reservations become one.
    fn merge_held(&mut self, memory: &Memory, operator: &str) -> Result<()> {
        if self.held.len() > 64 {
            let bytes = self.held.iter().map(Reservation::bytes).sum();
            self.held.clear();
            self.held.push(memory.reserve(operator, bytes)?);
        }
        Ok(())
    }
}

impl Pieces for Grouping<'_> {
    fn rows(&self, piece: &Batch, rows: Range<usize>) -> Result<InTurn<'_>> {
        let keys = self
            .keys
            .iter()
            .map(|key| Source::typed(&key.expr, piece, &rows, key.column.ty))
            .collect::<Vec<_>>();
        let local = self.local(piece, &keys, rows.clone());
        let reduced = self
            .calls
            .iter()
            .map(|call| call.reduce(piece, &local, rows.clone()))
            .collect::<Vec<_>>();
        let piece = piece.clone();
        Ok(Box::new(move || {
            self.take(&piece, &keys, &local, reduced)?;
            Ok(true)
        }))
    }

    fn finish(self: Box<Self>) -> Result<Batch> {
        let groups = self.groups.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(groups.table);
        let schema = self.keys.iter().map(|key| key.column.clone()).collect::<Vec<_>>();
        let keys = groups.keys.into_iter().map(Builder::finish).collect();
        let schema = Schema::new(schema);
        let mut batch = Batch::with_rows(schema, keys, groups.count, &self.memory, self.operator)?;
        for (call, state) in self.calls.iter().zip(groups.states) {
            batch = batch.beside(&state.finish(call, groups.count, &self.memory)?)?;
        }
        if !groups.has_marks {
            return Ok(batch);
        }
        let marks = (0..groups.count).map(|group| groups.marked.contains(&group));
        let marks = marks.collect::<Vec<_>>();
        Ok(batch.with_marks(marks))
    }
}
