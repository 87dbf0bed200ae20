//! Operators that take a table in pieces: those after which its rows are fewer.
//!
//! In: the compiled parts of an operator. Out: the same operator of the runtime,
//! for a table that comes in pieces or for rows that are there already.

use rulec_runtime::ops::{self, Aggregation, Key, Output, Pieces};
use rulec_runtime::{Batch, Memory, RuntimeError, Schema};
use rulec_source::Span;

/// An operator that takes its input in pieces, and its place.
pub(crate) struct Gather {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

pub(crate) enum Kind {
    Summarize(Vec<Output<'static>>, Vec<Aggregation<'static>>),
    Distinct(Vec<Output<'static>>),
    /// Its one column.
    Count(Schema),
    Take(i64),
    Top(i64, Vec<Key<'static>>),
}

impl Gather {
    /// The operator, before any piece.
    pub(crate) fn pieces(&self, memory: &Memory) -> Box<dyn Pieces + '_> {
        match &self.kind {
            Kind::Summarize(keys, aggregates) => ops::summarize_pieces(keys, aggregates, memory),
            Kind::Distinct(outputs) => ops::distinct_pieces(outputs, memory),
            Kind::Count(_) => ops::count_pieces(memory),
            Kind::Take(count) => ops::take_pieces(*count),
            Kind::Top(count, keys) => ops::top_pieces(*count, keys),
        }
    }

    /// What the operator gives, after all pieces.
    pub(crate) fn finish(&self, pieces: Box<dyn Pieces + '_>) -> Result<Batch, RuntimeError> {
        self.named(pieces.finish()?)
    }

    /// What the operator gives of rows that are there already.
    pub(crate) fn whole(&self, input: &Batch) -> Result<Batch, RuntimeError> {
        self.named(match &self.kind {
            Kind::Take(count) => ops::take(input, *count)?,
            Kind::Top(count, keys) => ops::top(input, *count, keys)?,
            _ => ops::whole(self.pieces(input.memory()), input)?,
        })
    }

    fn named(&self, rows: Batch) -> Result<Batch, RuntimeError> {
        match &self.kind {
            Kind::Count(schema) => rows.renamed(schema.clone()),
            _ => Ok(rows),
        }
    }
}
