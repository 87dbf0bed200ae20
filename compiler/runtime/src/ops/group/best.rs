//! Rows that aggregates such as `arg_max` pick, kept as they are.
//!
//! In: rows of pieces that may be picked, by group. Out: those that are, as
//! columns. Nothing of a row is looked at but the value that decides, so that
//! columns which are read late stay unread for all rows that are not picked.

use rulec_functions::{Reduction, Value, order};

use super::super::Result;
use super::super::pieces::Source;
use super::reduce::Call;
use crate::batch::{Batch, Row};
use crate::memory::Memory;
use crate::schema::{Column, Schema};
use crate::vector::heap_bytes;

/// Rows that are kept besides one a group, before those are dropped that are not
/// the best of their group any more, and batches that they are kept in.
const SPARE: usize = 1 << 13;
const BATCHES: usize = 1 << 9;

/// The row of each group that is the best so far.
#[derive(Default)]
pub(super) struct Best {
    groups: Vec<Option<Picked>>,
    /// Rows that are the best of a group, or were.
    kept: Vec<Batch>,
    rows: usize,
    heap: usize,
}

/// A row that is kept.
struct Picked {
    /// What decides.
    value: Value,
    /// The number of the batch in `kept`, and of the row there.
    batch: u32,
    row: u32,
}

impl Best {
    /// A new group.
    pub(super) fn add(&mut self) {
        self.groups.push(None);
    }

    /// Takes rows of a piece, by group; `source` is what decides.
    pub(super) fn take(
        &mut self,
        call: &Call<'_>,
        piece: &Batch,
        rows: impl Iterator<Item = (u32, u32)>,
        source: &Source,
    ) -> Result<()> {
        let batch = self.kept.len() as u32;
        let mut chosen: Vec<u32> = Vec::new();
        for (group, row) in rows {
            let value = source.get(piece, row as usize);
            let known = &mut self.groups[group as usize];
            if known
                .as_ref()
                .is_some_and(|known| !beats(call, &value, &known.value))
            {
                continue;
            }
            self.heap += heap_bytes(&value);
            match known {
                // The row before it was of the same piece: its place is free.
                Some(known) if known.batch == batch => {
                    chosen[known.row as usize] = row;
                    known.value = value;
                }
                _ => {
                    chosen.push(row);
                    *known = Some(Picked {
                        value,
                        batch,
                        row: chosen.len() as u32 - 1,
                    });
                }
            }
        }
        if chosen.is_empty() {
            return Ok(());
        }
        self.rows += chosen.len();
        self.kept
            .push(columns(call, piece)?.select(&chosen, "summarize")?);
        if self.rows > 2 * self.groups.len() + SPARE || self.kept.len() > BATCHES {
            self.drop_others()?;
        }
        Ok(())
    }

    /// Keeps only the rows that are the best of a group.
    fn drop_others(&mut self) -> Result<()> {
        let mut starts = Vec::with_capacity(self.kept.len());
        let mut start = 0_u32;
        for batch in &self.kept {
            starts.push(start);
            start += batch.rows() as u32;
        }
        let Some(whole) = Batch::concat(&self.kept, "summarize")? else {
            return Ok(());
        };
        let mut chosen = Vec::with_capacity(self.groups.len());
        self.heap = 0;
        for picked in self.groups.iter_mut().flatten() {
            chosen.push(starts[picked.batch as usize] + picked.row);
            self.heap += heap_bytes(&picked.value);
            (picked.batch, picked.row) = (0, chosen.len() as u32 - 1);
        }
        self.kept = vec![whole.select(&chosen, "summarize")?];
        self.rows = chosen.len();
        Ok(())
    }

    /// About how many bytes it holds besides the rows, which count themselves.
    pub(super) fn bytes(&self) -> usize {
        self.heap + self.groups.len() * size_of::<Option<Picked>>()
    }

    /// The picked row of each group, in order.
    pub(super) fn finish(mut self, call: &Call<'_>, memory: &Memory) -> Result<Batch> {
        let schema = Schema::new(call.outputs().to_vec());
        let nothing = call.fresh().finish_row();
        if self.rows == 0 {
            let rows = self.groups.iter().map(|_| nothing.clone());
            return Batch::from_rows(schema, rows, memory);
        }
        let all = self.groups.iter().all(Option::is_some);
        self.drop_others()?;
        let picked = self
            .kept
            .pop()
            .unwrap_or_else(|| Batch::empty(schema.clone(), memory));
        let typed = picked.conform(&schema)?;
        if all {
            return Ok(typed);
        }
        let mut picked = typed.iter();
        let rows = self.groups.iter().map(|group| match group {
            Some(_) => picked.next().map_or_else(Vec::new, Row::values),
            None => nothing.clone(),
        });
        Batch::from_rows(schema, rows, memory)
    }
}

/// Whether a row replaces the one that is kept: as the accumulators say it.
fn beats(call: &Call<'_>, value: &Value, known: &Value) -> bool {
    match call.reduction {
        Reduction::Extreme(wanted) => {
            !value.is_null() && (known.is_null() || order::compare(value, known) == wanted)
        }
        // The first row of all.
        _ => false,
    }
}

/// The columns of a piece that the call gives, under their names there, and
/// nothing else of it.
fn columns(call: &Call<'_>, piece: &Batch) -> Result<Batch> {
    let own = piece.schema().columns();
    let picked = call.places().zip(call.outputs()).map(|(place, output)| {
        let ty = own.get(place).map_or(output.ty, |own| own.ty);
        (Column::new(output.name.clone(), ty), place)
    });
    Ok(piece.pick(&picked.collect::<Vec<_>>())?.alone())
}
