//! `join` and `lookup`, by hash.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Expr, Result};
use crate::batch::Batch;
use crate::error::RuntimeError;
use crate::key::KeyBuffer;
use crate::memory::Growing;
use crate::schema::{Column, Schema};

/// The kinds of join. Anti and semi joins put out rows of one side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// The default of the language: one left row for each key, the first.
    InnerUnique,
    /// Every pair.
    Inner,
    /// Every pair, and left rows without one.
    LeftOuter,
    /// Every pair, and right rows without one.
    RightOuter,
    /// Every pair, and rows of both sides without one.
    FullOuter,
    /// Left rows that have a pair.
    LeftSemi,
    /// Right rows that have a pair.
    RightSemi,
    /// Left rows that have none.
    LeftAnti,
    /// Right rows that have none.
    RightAnti,
}

/// A column that a join puts out, and the side it comes from.
#[derive(Clone, Debug)]
pub struct Pick {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it comes from the right side.
    pub from_right: bool,
    /// Its place there.
    pub index: usize,
}

/// A column of the left side.
pub fn left(name: impl Into<Arc<str>>, index: usize) -> Pick {
    Pick {
        name: name.into(),
        from_right: false,
        index,
    }
}

/// A column of the right side.
pub fn right(name: impl Into<Arc<str>>, index: usize) -> Pick {
    Pick {
        name: name.into(),
        from_right: true,
        index,
    }
}

/// `join`: rows of both sides whose keys are equal, pairwise. A null key is
/// equal to a null key, unlike in a comparison: so the service joins, though
/// the reference does not say it. The order is that of the left rows, then of the right
/// ones; right rows without a pair come last.
pub fn join(
    lhs: &Batch,
    rhs: &Batch,
    kind: JoinKind,
    left_keys: &[Expr<'_>],
    right_keys: &[Expr<'_>],
    output: &[Pick],
) -> Result<Batch> {
    if left_keys.len() != right_keys.len() {
        return Err(RuntimeError::internal(
            "a join has a different number of keys on each side",
        ));
    }
    let mut held = lhs.memory().growing("join");
    match kind {
        JoinKind::LeftSemi | JoinKind::LeftAnti => {
            let rows = semi(
                lhs,
                left_keys,
                rhs,
                right_keys,
                kind == JoinKind::LeftSemi,
                &mut held,
            )?;
            gather(
                lhs,
                rhs,
                &rows.into_iter().map(Some).collect::<Vec<_>>(),
                &[],
                output,
            )
        }
        JoinKind::RightSemi | JoinKind::RightAnti => {
            let rows = semi(
                rhs,
                right_keys,
                lhs,
                left_keys,
                kind == JoinKind::RightSemi,
                &mut held,
            )?;
            gather(
                lhs,
                rhs,
                &[],
                &rows.into_iter().map(Some).collect::<Vec<_>>(),
                output,
            )
        }
        _ => {
            let (left_rows, right_rows) = pairs(lhs, left_keys, rhs, right_keys, kind, &mut held)?;
            gather(lhs, rhs, &left_rows, &right_rows, output)
        }
    }
}

/// The rows of a side by key: each key's first row, and for each row the next
/// one of its key.
struct Index {
    first: HashMap<Box<[u8]>, u32>,
    next: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Index {
    fn new(rows: &Batch, keys: &[Expr<'_>], held: &mut Growing<'_>) -> Result<Self> {
        let mut index = Self {
            first: HashMap::new(),
            next: vec![NONE; rows.rows()],
        };
        held.add(rows.rows() * 4)?;
        let mut key = KeyBuffer::new();
        // Backwards, so that following a key's rows goes forwards.
        for row in (0..rows.rows()).rev() {
            fill(&mut key, keys, rows, row);
            if let Some(first) = index.first.get_mut(key.bytes()) {
                index.next[row] = std::mem::replace(first, row as u32);
            } else {
                held.add(key.bytes().len() + 48)?;
                index.first.insert(key.bytes().into(), row as u32);
            }
        }
        Ok(index)
    }

    fn first(&self, key: &KeyBuffer) -> u32 {
        self.first.get(key.bytes()).copied().unwrap_or(NONE)
    }
}

fn fill(key: &mut KeyBuffer, keys: &[Expr<'_>], rows: &Batch, row: usize) {
    key.clear();
    for expr in keys {
        key.push(&expr.of(rows.row(row)));
    }
}

type Rows = Vec<Option<u32>>;

fn pairs(
    lhs: &Batch,
    left_keys: &[Expr<'_>],
    rhs: &Batch,
    right_keys: &[Expr<'_>],
    kind: JoinKind,
    held: &mut Growing<'_>,
) -> Result<(Rows, Rows)> {
    let index = Index::new(rhs, right_keys, held)?;
    let keep_left = matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter);
    let keep_right = matches!(kind, JoinKind::RightOuter | JoinKind::FullOuter);
    let unique = kind == JoinKind::InnerUnique;
    // Right rows that some pair has; by the first row of the key, for innerunique.
    let mut used = vec![false; rhs.rows()];
    let (mut left_rows, mut right_rows) = (Rows::new(), Rows::new());
    let mut key = KeyBuffer::new();
    for row in 0..lhs.rows() {
        fill(&mut key, left_keys, lhs, row);
        let mut other = index.first(&key);
        if other == NONE {
            if keep_left {
                held.add(16)?;
                left_rows.push(Some(row as u32));
                right_rows.push(None);
            }
            continue;
        }
        if unique && std::mem::replace(&mut used[other as usize], true) {
            continue;
        }
        while other != NONE {
            held.add(16)?;
            left_rows.push(Some(row as u32));
            right_rows.push(Some(other));
            if keep_right {
                used[other as usize] = true;
            }
            other = index.next[other as usize];
        }
    }
    if keep_right {
        for (row, used) in used.iter().enumerate() {
            if !used {
                left_rows.push(None);
                right_rows.push(Some(row as u32));
            }
        }
    }
    Ok((left_rows, right_rows))
}

/// Rows of one side that have (or have not) a pair in the other.
fn semi(
    side: &Batch,
    keys: &[Expr<'_>],
    other: &Batch,
    other_keys: &[Expr<'_>],
    wanted: bool,
    held: &mut Growing<'_>,
) -> Result<Vec<u32>> {
    let index = Index::new(other, other_keys, held)?;
    let mut key = KeyBuffer::new();
    let mut rows = Vec::new();
    for row in 0..side.rows() {
        fill(&mut key, keys, side, row);
        if (index.first(&key) != NONE) == wanted {
            rows.push(row as u32);
        }
    }
    Ok(rows)
}

fn gather(
    lhs: &Batch,
    rhs: &Batch,
    left_rows: &[Option<u32>],
    right_rows: &[Option<u32>],
    output: &[Pick],
) -> Result<Batch> {
    let rows = left_rows.len().max(right_rows.len());
    let mut schema = Vec::with_capacity(output.len());
    let mut columns = Vec::with_capacity(output.len());
    // One decision per side: without gaps rows are selected, which is cheaper.
    let whole = [all(left_rows), all(right_rows)];
    let mut held = lhs.memory().growing("join");
    for pick in output {
        let (side, numbers) = if pick.from_right {
            (rhs, right_rows)
        } else {
            (lhs, left_rows)
        };
        let (Some(vector), Some(column)) = (side.column(pick.index), side.schema().columns().get(pick.index))
        else {
            return Err(RuntimeError::internal(format!(
                "the column `{}` is on neither side of a join",
                pick.name
            )));
        };
        if numbers.len() != rows {
            return Err(RuntimeError::internal(
                "a semi join puts out columns of the other side",
            ));
        }
        held.add(vector.bytes_of(rows))?;
        columns.push(match &whole[usize::from(pick.from_right)] {
            Some(rows) => vector.select(rows),
            None => vector.select_or_null(column.ty, numbers),
        });
        schema.push(Column {
            name: pick.name.clone(),
            ty: column.ty,
        });
    }
    drop(held);
    let joined = Batch::with_rows(Schema::new(schema), columns, rows, lhs.memory(), "join")?;
    if lhs.marks().is_none() && rhs.marks().is_none() {
        return Ok(joined);
    }
    let marked = |side: &Batch, numbers: &[Option<u32>], row: usize| {
        let number = numbers.get(row).copied().flatten();
        number.is_some_and(|number| side.is_marked(number as usize))
    };
    let marks = (0..rows)
        .map(|row| marked(lhs, left_rows, row) || marked(rhs, right_rows, row))
        .collect::<Vec<_>>();
    Ok(joined.with_marks(marks))
}

fn all(rows: &[Option<u32>]) -> Option<Vec<u32>> {
    rows.iter().copied().collect()
}
