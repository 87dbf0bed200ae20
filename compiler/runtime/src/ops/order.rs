//! Operators that care about the order of rows.

use std::cmp::Ordering;

use rulec_functions::Value;
use rulec_functions::order::compare_sorted;

use super::{Key, Result};
use crate::batch::Batch;

/// `sort by`: stable; rows that compare equal stay in their order.
pub fn sort(input: &Batch, keys: &[Key<'_>]) -> Result<Batch> {
    let rows = sorted(input, keys, input.rows(), "sort")?;
    input.select(&rows, "sort")
}

/// `top n by …`: the first rows of the sorted input.
pub fn top(input: &Batch, count: i64, keys: &[Key<'_>]) -> Result<Batch> {
    let rows = sorted(input, keys, usize::try_from(count).unwrap_or(0), "top")?;
    input.select(&rows, "top")
}

/// `take`: the first rows as they come. None when the count is negative.
pub fn take(input: &Batch, count: i64) -> Result<Batch> {
    input.head(usize::try_from(count).unwrap_or(0), "take")
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
