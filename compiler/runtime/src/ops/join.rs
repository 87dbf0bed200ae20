//! `join` and `lookup`, by hash: the right side is held, by key, and the rows of
//! the left side are looked up in it, all at once or piece by piece.

use std::sync::{Arc, Mutex};

use rulec_functions::Type;

use super::pieces::{Source, locked};
use super::{Expr, Result};
use crate::batch::Batch;
use crate::cell::{Hashing, Table};
use crate::error::RuntimeError;
use crate::memory::Reservation;
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

/// The columns that a join puts out.
#[derive(Clone, Debug)]
pub struct Picks {
    /// Whether all columns of the left side come first, under their own names.
    pub(super) left_all: bool,
    pub(super) listed: Vec<Pick>,
}

impl<T: AsRef<[Pick]>> From<T> for Picks {
    fn from(listed: T) -> Self {
        Self {
            left_all: false,
            listed: listed.as_ref().to_vec(),
        }
    }
}

impl Picks {
    /// All of them, for left rows with these columns.
    pub(super) fn of(&self, lhs: &Schema) -> Vec<Pick> {
        let columns = lhs.columns().iter().enumerate().filter(|_| self.left_all);
        columns
            .map(|(place, own)| left(own.name.clone(), place))
            .chain(self.listed.iter().cloned())
            .collect()
    }
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

impl JoinKind {
    /// Whether what a left row gives depends on the right side alone, or at most
    /// on the left rows before it, and a right row without a pair gives nothing:
    /// then the left side may come in [pieces](Probe).
    pub fn takes_pieces(self) -> bool {
        matches!(
            self,
            JoinKind::InnerUnique
                | JoinKind::Inner
                | JoinKind::LeftOuter
                | JoinKind::LeftSemi
                | JoinKind::LeftAnti
        )
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
    output: impl Into<Picks>,
) -> Result<Batch> {
    as_many(left_keys, right_keys)?;
    let output = output.into();
    if let JoinKind::RightSemi | JoinKind::RightAnti = kind {
        let index = Index::new(lhs, left_keys)?;
        let wanted = kind == JoinKind::RightSemi;
        let rows = index.matches(rhs, right_keys, wanted)?;
        return gather(lhs, rhs, &[], &rows, &output.of(lhs.schema()));
    }
    let probe = Probe::new(rhs, kind, left_keys, right_keys, &output)?;
    let found = probe.find(lhs)?;
    probe.join(lhs, &found)
}

/// The rows of a piece that have a key that a row of the other side has: a join
/// that drops rows without a pair may drop them early.
#[derive(Debug)]
pub struct Matching<'a> {
    /// None lets all rows through.
    index: Option<Index>,
    keys: &'a [Expr<'a>],
}

impl<'a> Matching<'a> {
    /// For pieces with these keys; `other` is the other side.
    pub fn new(other: &Batch, other_keys: &[Expr<'_>], keys: &'a [Expr<'a>]) -> Result<Self> {
        Ok(Self {
            index: Some(Index::new(other, other_keys)?),
            keys,
        })
    }

    /// For a side all of whose rows are wanted.
    pub fn all() -> Self {
        Self {
            index: None,
            keys: &[],
        }
    }

    /// The rows of a piece.
    pub fn rows(&self, piece: &Batch) -> Result<Batch> {
        match &self.index {
            Some(index) => piece.select(&index.matches(piece, self.keys, true)?, "join"),
            None => Ok(piece.clone()),
        }
    }
}

/// The right side of a join, by key, in which the left side is looked up piece
/// by piece.
#[derive(Debug)]
pub struct Probe<'a> {
    rhs: Batch,
    kind: JoinKind,
    left_keys: &'a [Expr<'a>],
    output: &'a Picks,
    index: Index,
    /// Right rows that a pair has; by the first row of the key, for innerunique.
    used: Mutex<Vec<bool>>,
}

/// What a piece of the left side has found on the right side.
#[derive(Debug)]
pub struct Found {
    /// Per row of the piece the first row with its key.
    firsts: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl<'a> Probe<'a> {
    /// The right side of a join.
    pub fn new(
        rhs: &Batch,
        kind: JoinKind,
        left_keys: &'a [Expr<'a>],
        right_keys: &[Expr<'_>],
        output: &'a Picks,
    ) -> Result<Self> {
        as_many(left_keys, right_keys)?;
        Ok(Self {
            rhs: rhs.clone(),
            kind,
            left_keys,
            output,
            index: Index::new(rhs, right_keys)?,
            used: Mutex::new(vec![false; rhs.rows()]),
        })
    }

    /// Whether pieces may be [joined](Probe::join) in any order, not only in
    /// their own.
    pub fn in_any_order(&self) -> bool {
        self.kind.takes_pieces() && self.kind != JoinKind::InnerUnique
    }

    /// Looks up a piece of the left side; in any order.
    pub fn find(&self, piece: &Batch) -> Result<Found> {
        Ok(Found {
            firsts: self.index.firsts(piece, self.left_keys)?,
        })
    }

    /// The rows that a piece of the left side gives.
    pub fn join(&self, piece: &Batch, found: &Found) -> Result<Batch> {
        let (left, right) = match self.kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => {
                let wanted = self.kind == JoinKind::LeftSemi;
                let rows = found.firsts.iter().enumerate();
                let rows = rows.filter(|(_, first)| (**first != NONE) == wanted);
                (rows.map(|(row, _)| row as u32).collect(), Vec::new())
            }
            _ => self.pairs(piece, &found.firsts)?,
        };
        gather(piece, &self.rhs, &left, &right, &self.output.of(piece.schema()))
    }

    fn pairs(&self, piece: &Batch, firsts: &[u32]) -> Result<(Vec<u32>, Vec<u32>)> {
        let mut held = piece.memory().growing("join");
        let keep_left = matches!(self.kind, JoinKind::LeftOuter | JoinKind::FullOuter);
        let keep_right = matches!(self.kind, JoinKind::RightOuter | JoinKind::FullOuter);
        let unique = self.kind == JoinKind::InnerUnique;
        let mut used = (unique || keep_right).then(|| locked(&self.used));
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (row, first) in firsts.iter().enumerate() {
            let mut other = *first;
            if other == NONE {
                if keep_left {
                    held.add(8)?;
                    left.push(row as u32);
                    right.push(NONE);
                }
                continue;
            }
            if unique
                && let Some(used) = &mut used
                && std::mem::replace(&mut used[other as usize], true)
            {
                continue;
            }
            while other != NONE {
                held.add(8)?;
                left.push(row as u32);
                right.push(other);
                if keep_right && let Some(used) = &mut used {
                    used[other as usize] = true;
                }
                other = self.index.next[other as usize];
            }
        }
        if keep_right && let Some(used) = &used {
            for (row, _) in used.iter().enumerate().filter(|(_, used)| !**used) {
                left.push(NONE);
                right.push(row as u32);
            }
        }
        Ok((left, right))
    }
}

/// The rows of a side by key: each key's first row, and for each row the next
/// one of its key.
#[derive(Debug)]
struct Index {
    table: Table,
    hashing: Hashing,
    first: Vec<u32>,
    next: Vec<u32>,
    rows: Batch,
    keys: Vec<Source>,
    _held: Reservation,
}

/// Content that a row of an index is counted with: its hash and its places.
const ROW_BYTES: usize = Table::ENTRY + 8;

impl Index {
    fn new(rows: &Batch, keys: &[Expr<'_>]) -> Result<Self> {
        let held = rows.memory().reserve("join", rows.rows() * ROW_BYTES)?;
        let mut index = Self {
            table: Table::default(),
            hashing: Hashing::default(),
            first: Vec::new(),
            next: vec![NONE; rows.rows()],
            rows: rows.clone(),
            keys: sources(rows, keys),
            _held: held,
        };
        // Backwards, so that following a key's rows goes forwards.
        for row in (0..rows.rows()).rev() {
            let hash = hash(&index.hashing, rows, &index.keys, row);
            let (keys, first) = (&index.keys, &index.first);
            let same = |entry: usize| {
                let other = first[entry] as usize;
                keys.iter()
                    .all(|key| key.cell(rows, row).same(key.cell(rows, other)))
            };
            match index.table.entry(hash, same) {
                (_, true) => index.first.push(row as u32),
                (entry, false) => {
                    index.next[row] = std::mem::replace(&mut index.first[entry], row as u32);
                }
            }
        }
        Ok(index)
    }

    /// For each row of another side the first row here that has its key.
    fn firsts(&self, rows: &Batch, keys: &[Expr<'_>]) -> Result<Vec<u32>> {
        let _held = rows.memory().reserve("join", rows.rows() * 4)?;
        let keys = sources(rows, keys);
        let first = |row: usize| {
            let same = |entry: usize| {
                let own = self.first[entry] as usize;
                let mut pairs = keys.iter().zip(&self.keys);
                pairs.all(|(key, known)| key.cell(rows, row).same(known.cell(&self.rows, own)))
            };
            let entry = self.table.find(hash(&self.hashing, rows, &keys, row), same);
            entry.map_or(NONE, |entry| self.first[entry])
        };
        Ok((0..rows.rows()).map(first).collect())
    }

    /// The rows of another side whose key is here, or is not.
    fn matches(&self, rows: &Batch, keys: &[Expr<'_>], wanted: bool) -> Result<Vec<u32>> {
        let firsts = self.firsts(rows, keys)?;
        let found = firsts.iter().enumerate();
        let found = found.filter(|(_, first)| (**first != NONE) == wanted);
        Ok(found.map(|(row, _)| row as u32).collect())
    }
}

fn as_many(left_keys: &[Expr<'_>], right_keys: &[Expr<'_>]) -> Result<()> {
    if left_keys.len() == right_keys.len() {
        return Ok(());
    }
    Err(RuntimeError::internal(
        "a join has a different number of keys on each side",
    ))
}

fn sources(rows: &Batch, keys: &[Expr<'_>]) -> Vec<Source> {
    keys.iter()
        .map(|key| Source::typed(key, rows, &(0..rows.rows()), Type::Unknown))
        .collect()
}

fn hash(hashing: &Hashing, rows: &Batch, keys: &[Source], row: usize) -> u64 {
    hashing.of(keys.iter().map(|key| key.cell(rows, row)))
}

fn gather(lhs: &Batch, rhs: &Batch, left_rows: &[u32], right_rows: &[u32], output: &[Pick]) -> Result<Batch> {
    let rows = left_rows.len().max(right_rows.len());
    let sides = [(lhs, left_rows, false), (rhs, right_rows, true)];
    let mut wide: Option<Batch> = None;
    let mut places = vec![0; output.len()];
    for (side, numbers, from_right) in sides {
        let mut picked = Vec::new();
        for (place, pick) in places.iter_mut().zip(output) {
            if pick.from_right == from_right {
                let Some(column) = side.schema().columns().get(pick.index) else {
                    return Err(RuntimeError::internal(format!(
                        "the column `{}` is on neither side of a join",
                        pick.name
                    )));
                };
                *place = wide.as_ref().map_or(0, |wide| wide.schema().len()) + picked.len();
                picked.push((column.clone(), pick.index));
            }
        }
        if picked.is_empty() {
            continue;
        }
        if numbers.len() != rows {
            return Err(RuntimeError::internal(
                "a semi join puts out columns of the other side",
            ));
        }
        let own = taken(&side.pick(&picked)?.alone(), numbers)?;
        wide = Some(match wide {
            Some(wide) => wide.beside(&own)?,
            None => own,
        });
    }
    let nothing = || Batch::with_rows(Schema::of(&[]), Vec::new(), rows, lhs.memory(), "join");
    let wide = wide.map_or_else(nothing, Ok)?;
    let named = output.iter().zip(places).map(|(pick, place)| {
        let own = wide.schema().columns().get(place);
        let ty = own.map_or(Type::Unknown, |column| column.ty);
        (Column::new(pick.name.clone(), ty), place)
    });
    let joined = wide.pick(&named.collect::<Vec<_>>())?;
    if lhs.marks().is_none() && rhs.marks().is_none() {
        return Ok(joined);
    }
    let marked = |side: &Batch, numbers: &[u32], row: usize| {
        let number = numbers.get(row).filter(|number| **number != NONE);
        number.is_some_and(|number| side.is_marked(*number as usize))
    };
    let marks = (0..rows)
        .map(|row| marked(lhs, left_rows, row) || marked(rhs, right_rows, row))
        .collect::<Vec<_>>();
    Ok(joined.with_marks(marks))
}

/// Rows of a side by their numbers; nulls where there is none.
fn taken(side: &Batch, numbers: &[u32]) -> Result<Batch> {
    // Without gaps rows are selected, which is cheaper.
    if !numbers.contains(&NONE) {
        return side.select(numbers, "join");
    }
    let numbers = numbers.iter().map(|row| (*row != NONE).then_some(*row));
    let numbers = numbers.collect::<Vec<_>>();
    let mut held = side.memory().growing("join");
    let mut columns = Vec::with_capacity(side.schema().len());
    for (place, column) in side.schema().columns().iter().enumerate() {
        if let Some(vector) = side.column(place) {
            held.add(vector.bytes_of(numbers.len()))?;
            columns.push(vector.select_or_null(column.ty, &numbers));
        }
    }
    drop(held);
    Batch::with_rows(
        side.schema().clone(),
        columns,
        numbers.len(),
        side.memory(),
        "join",
    )
}
