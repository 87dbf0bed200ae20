//! Operators that take a table in pieces: those after which its rows are fewer.
//!
//! In: the compiled parts of an operator. Out: the same operator of the runtime,
//! for a flow of rows or for rows that are there already.

use rulec_runtime::flow::{Flow, Input};
use rulec_runtime::ops::{self, Aggregation, Key, Output, Pieces};
use rulec_runtime::{Batch, Memory, Named, Schema};
use rulec_source::Span;

use crate::error::place;
use crate::plan::{Result, at};

/// An operator that takes its input in pieces, and its place.
pub(crate) struct Gather {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
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
    fn pieces(&self, memory: &Memory) -> Box<dyn Pieces + '_> {
        match &self.kind {
            Kind::Summarize(keys, aggregates) => ops::summarize_pieces(keys, aggregates, memory),
            Kind::Distinct(outputs) => ops::distinct_pieces(outputs, memory),
            Kind::Count(_) => ops::count_pieces(memory),
            Kind::Take(count) => ops::take_pieces(*count),
            Kind::Top(count, keys) => ops::top_pieces(*count, keys),
        }
    }

    /// What the operator gives of rows, however they come.
    pub(crate) fn of(&self, flow: &Flow<'_>) -> Result<Batch> {
        if let Some(rows) = flow.at_hand() {
            return self.whole(rows);
        }
        let own = Named {
            operator: self.name,
            place: Some(place(self.span)),
        };
        let given = flow.pour(own, self.pieces(flow.memory()));
        self.named(given.map_err(at(self.span))?)
    }

    /// What the operator gives of rows that are there already.
    pub(crate) fn whole(&self, input: &Batch) -> Result<Batch> {
        let given = match &self.kind {
            Kind::Take(count) => ops::take(input, *count),
            Kind::Top(count, keys) => ops::top(input, *count, keys),
            _ => ops::whole(self.pieces(input.memory()), input),
        };
        self.named(given.map_err(at(self.span))?)
    }

    fn named(&self, rows: Batch) -> Result<Batch> {
        match &self.kind {
            Kind::Count(schema) => rows.renamed(schema.clone()).map_err(at(self.span)),
            _ => Ok(rows),
        }
    }
}
