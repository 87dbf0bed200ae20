//! Rows from a reader that is no part of this crate.

use rulec_functions::{Type, Value};

use super::sink::{Sink, Slot};
use super::{Report, Source};
use crate::batch::Batch;
use crate::error::RuntimeError;

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

    /// Begins a row, which has a number in messages.
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
