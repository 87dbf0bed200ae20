//! `top-nested`: the greatest values, within each of them the greatest of the
//! next level, and so on.

use std::cmp::Ordering;
use std::collections::HashMap;

use rulec_functions::Value;
use rulec_functions::order::compare_sorted;

use super::{Aggregation, Expr, Result, summarize};
use crate::batch::{Batch, BatchBuilder};
use crate::key::KeyBuffer;
use crate::schema::Schema;

/// One level.
#[derive(Debug)]
pub struct Level<'a> {
    /// The value.
    pub of: Expr<'a>,
    /// How many; all when absent.
    pub count: Option<i64>,
    /// What stands for the rest.
    pub others: Option<Value>,
    /// Aggregates over the rows of a value.
    pub aggregates: Vec<Aggregation<'a>>,
    /// What ranks a value, over the aggregates' columns.
    pub by: Expr<'a>,
    /// Smallest first.
    pub ascending: bool,
}

/// `top-nested`: per level a column for the value and one for its rank.
pub fn top_nested(input: &Batch, levels: &[Level<'_>], schema: &Schema) -> Result<Batch> {
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    descend(input, levels, &mut Vec::new(), &mut builder)?;
    builder.finish("top-nested")
}

fn descend(
    rows: &Batch,
    levels: &[Level<'_>],
    above: &mut Vec<Value>,
    builder: &mut BatchBuilder,
) -> Result<()> {
    let Some((level, below)) = levels.split_first() else {
        builder.push(above.iter().cloned());
        return Ok(());
    };
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut groups: Vec<(Value, Vec<u32>)> = Vec::new();
    let mut key = KeyBuffer::new();
    for row in rows {
        let value = level.of.of(row);
        key.clear();
        key.push(&value);
        let place = *places.entry(key.bytes().to_vec()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((value, Vec::new()));
        }
        groups[place].1.push(row.index() as u32);
    }
    let mut ranked = Vec::with_capacity(groups.len());
    for (value, own) in groups {
        let rows = rows.select(&own, "top-nested")?;
        let rank = level.rank(&rows)?;
        ranked.push((value, rank, own, rows));
    }
    ranked.sort_by(
        |(_, a, ..), (_, b, ..)| match compare_sorted(a, b, !level.ascending, false) {
            Ordering::Equal => Ordering::Equal,
            order => order,
        },
    );
    let count = level
        .count
        .map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(0));
    let rest = ranked.split_off(count.min(ranked.len()));
    for (value, rank, _, rows) in ranked {
        above.extend([value, rank]);
        descend(&rows, below, above, builder)?;
        above.truncate(above.len() - 2);
    }
    if let Some(others) = &level.others
        && !rest.is_empty()
    {
        let mut left = rest
            .into_iter()
            .flat_map(|(_, _, own, _)| own)
            .collect::<Vec<_>>();
        left.sort_unstable();
        let rows = rows.select(&left, "top-nested")?;
        let depth = above.len();
        above.extend([others.clone(), level.rank(&rows)?]);
        // Within the rest no level has a greatest value, only its own rest.
        for level in below {
            match &level.others {
                Some(others) => above.extend([others.clone(), level.rank(&rows)?]),
                None => above.extend([Value::Null, Value::Null]),
            }
        }
        builder.push(above.iter().cloned());
        above.truncate(depth);
    }
    Ok(())
}

impl Level<'_> {
    /// What these rows are ranked by.
    fn rank(&self, rows: &Batch) -> Result<Value> {
        Ok(self.by.of(summarize(rows, &[], &self.aggregates)?.row(0)))
    }
}
