//! Operators that care about the order of rows.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rulec_functions::Value;
use rulec_functions::order::compare_sorted;

use super::pieces::{Pieces, cut, locked};
use super::{Key, Result};
use crate::batch::Batch;
use crate::context::InTurn;
use crate::error::{Named, RuntimeError};
use crate::flow::Input;

/// `sort by`: stable; rows that compare equal stay in their order.
pub fn sort(input: &Batch, keys: &[Key<'_>]) -> Result<Batch> {
    let rows = sorted(input, keys, input.rows(), "sort")?;
    input.select(&rows, "sort")
}

/// `top n by …`: the first rows of the sorted input.
pub fn top(input: &dyn Input, count: i64, keys: &[Key<'_>]) -> Result<Batch> {
    let Some(input) = input.at_hand() else {
        return input.pour(Named::operator("top"), top_pieces(count, keys));
    };
    let rows = sorted(input, keys, usize::try_from(count).unwrap_or(0), "top")?;
    input.select(&rows, "top")
}

/// `take`: the first rows as they come. None when the count is negative.
pub fn take(input: &dyn Input, count: i64) -> Result<Batch> {
    match input.at_hand() {
        Some(input) => input.head(usize::try_from(count).unwrap_or(0), "take"),
        None => input.pour(Named::operator("take"), take_pieces(count)),
    }
}

/// [`take`] of a table that comes in pieces: of what comes after the last row
/// that it wants, nothing is read.
pub fn take_pieces<'a>(count: i64) -> Box<dyn Pieces + 'a> {
    Box::new(First {
        operator: "take",
        count: usize::try_from(count).unwrap_or(0),
        keys: None,
        kept: Mutex::default(),
    })
}

/// [`top`] of a table that comes in pieces.
pub fn top_pieces<'a>(count: i64, keys: &'a [Key<'a>]) -> Box<dyn Pieces + 'a> {
    Box::new(First {
        operator: "top",
        count: usize::try_from(count).unwrap_or(0),
        keys: Some(keys),
        kept: Mutex::default(),
    })
}

/// The first rows, in the order of keys or as they come.
struct First<'a> {
    operator: &'static str,
    count: usize,
    keys: Option<&'a [Key<'a>]>,
    kept: Mutex<Kept>,
}

/// Rows that may be among the first.
#[derive(Default)]
struct Kept {
    pieces: Vec<Batch>,
    rows: usize,
}

/// Rows that are kept at least before those that are not among the first are
/// let go.
const MANY: usize = 1 << 14;

impl First<'_> {
    fn first(&self, rows: &Batch) -> Result<Batch> {
        match self.keys {
            Some(keys) => {
                let places = sorted(rows, keys, self.count, self.operator)?;
                rows.select(&places, self.operator)
            }
            None => rows.head(self.count, self.operator),
        }
    }

    fn together(&self, kept: &Kept) -> Result<Batch> {
        match Batch::concat(&kept.pieces, self.operator)? {
            Some(rows) => self.first(&rows),
            None => Err(RuntimeError::internal("an operator was given no piece at all")),
        }
    }
}

impl Pieces for First<'_> {
    fn rows(&self, piece: &Batch, rows: Range<usize>) -> Result<InTurn<'_>> {
        let first = self.first(&cut(piece, &rows, self.operator)?)?;
        Ok(Box::new(move || {
            let kept = &mut *locked(&self.kept);
            // One piece at least says what the columns are.
            if !first.is_empty() || kept.pieces.is_empty() {
                kept.rows += first.rows();
                kept.pieces.push(first);
            }
            if self.keys.is_none() {
                return Ok(kept.rows < self.count);
            }
            if kept.rows > MANY.max(self.count.saturating_mul(2)) {
                let first = self.together(&std::mem::take(kept))?;
                kept.rows = first.rows();
                kept.pieces.push(first);
            }
            Ok(true)
        }))
    }

    fn finish(self: Box<Self>) -> Result<Batch> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        self.together(&kept)
    }
}

/// The numbers of the first `count` rows in the order of the keys.
fn sorted(input: &Batch, keys: &[Key<'_>], count: usize, operator: &str) -> Result<Vec<u32>> {
    let mut held = input.memory().growing(operator);
    let mut columns = Vec::with_capacity(keys.len());
    for key in keys {
        held.add(input.rows() * size_of::<Value>())?;
        columns.push((key, input.iter().map(|row| key.expr.of(row)).collect::<Vec<_>>()));
    }
    let compare = |a: &u32, b: &u32| {
        for (key, values) in &columns {
            let (a, b) = (&values[*a as usize], &values[*b as usize]);
            let order = compare_sorted(a, b, key.descending, key.nulls_first);
            if order != Ordering::Equal {
                return order;
            }
        }
        // The number of the row decides, so an unstable sort is stable here.
        a.cmp(b)
    };
    let mut rows = (0..input.rows() as u32).collect::<Vec<_>>();
    if count == 0 {
        rows.clear();
    } else if count < rows.len() {
        rows.select_nth_unstable_by(count - 1, compare);
        rows.truncate(count);
    }
    rows.sort_unstable_by(compare);
    Ok(rows)
}
