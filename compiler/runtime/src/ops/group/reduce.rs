//! What the rows of one piece add to an aggregate, reduced as far as it lets
//! them.
//!
//! In: a piece and its groups. Out: fewer things to do when it is the piece's
//! turn. Nothing here knows of other pieces.

use std::cmp::Ordering;
use std::ops::{Deref, Range};

use rulec_functions::aggregate::sketch;
use rulec_functions::{Accumulator, Reduction, Type, Value};

use super::super::pieces::Source;
use super::super::{Aggregation, Expr};
use super::Local;
use crate::batch::Batch;
use crate::cell::{Bits, Cell, Hashing, Table, with};
use crate::schema::Column;

/// One aggregate of a summarize, and how its rows may be reduced.
pub(super) struct Call<'a> {
    aggregate: Known<'a>,
    literals: Vec<Value>,
    pub(super) reduction: Reduction,
    /// The place of the argument that must be true.
    predicate: Option<usize>,
    /// The place of the first argument that is not that.
    first: usize,
}

/// An aggregate all of whose arguments are known.
enum Known<'a> {
    Given(&'a Aggregation<'a>),
    Made(Box<Aggregation<'a>>),
}

impl<'a> Deref for Known<'a> {
    type Target = Aggregation<'a>;

    fn deref(&self) -> &Aggregation<'a> {
        match self {
            Known::Given(aggregate) => aggregate,
            Known::Made(aggregate) => aggregate,
        }
    }
}

/// What a piece adds to the groups. Groups are the piece's own, rows those of
/// the piece.
pub(super) enum Reduced {
    /// Nothing: there are only nulls, which do not count.
    Nothing,
    /// How many rows each group has.
    Counts(Vec<i64>),
    /// One number or time for each group that has one, which stands for all.
    Bits(Bits, Vec<Option<i64>>),
    /// Rows that stand for all, by group, and the column of the first argument.
    Rows(Vec<(u32, u32)>, Source),
    /// Hashes of values by group, each once.
    Hashes(Vec<(u32, u64)>),
    /// Rows of the first argument's column by group and with the value's hash:
    /// those that are first to have the value, and those whose value is nested.
    Values(Vec<(u32, u32, Option<u64>)>, Source),
    /// All rows, or some; the columns of all arguments.
    All(Option<Vec<u32>>, Vec<Source>),
}

const NONE: u32 = u32::MAX;

impl<'a> Call<'a> {
    /// For rows with these columns.
    pub(super) fn new(aggregate: &'a Aggregation<'a>, columns: &[Column]) -> Self {
        let aggregate = match aggregate.of(columns) {
            Some(made) => Known::Made(Box::new(made)),
            None => Known::Given(aggregate),
        };
        let literal = |arg: &Expr<'_>| match arg {
            Expr::Constant(value) => value.clone(),
            _ => Value::Null,
        };
        let literals = aggregate.args.iter().map(literal).collect::<Vec<_>>();
        let (mut reduction, mut predicate) = ((aggregate.new)(&literals).reduction(), None);
        if let Reduction::Where(place, inner) = reduction {
            (reduction, predicate) = (*inner, Some(place));
        }
        let args = aggregate.args.len() - usize::from(predicate.is_some());
        match reduction {
            // What it counts is its predicate.
            Reduction::Count if args == 1 && predicate.is_none() => predicate = Some(0),
            Reduction::Count if args == 0 => {}
            Reduction::Count | Reduction::Where(..) => (reduction, predicate) = (Reduction::Each, None),
            Reduction::Each => predicate = None,
            _ if args == 0 => (reduction, predicate) = (Reduction::Each, None),
            _ => {}
        }
        Self {
            aggregate,
            literals,
            reduction,
            predicate,
            first: usize::from(predicate == Some(0)),
        }
    }

    /// The columns it fills.
    pub(super) fn outputs(&self) -> &[Column] {
        &self.aggregate.outputs
    }

    /// Whether one argument says all, be it of the rows for which a predicate
    /// is true.
    pub(super) fn has_one_argument(&self) -> bool {
        self.literals.len() == 1 + usize::from(self.predicate.is_some())
    }

    /// Whether it gives columns of the row it picks, and nothing that is computed.
    pub(super) fn picks_rows(&self) -> bool {
        let columns = |arg: &Expr<'_>| matches!(arg, Expr::Column(_));
        self.literals.len() > 1 && self.predicate.is_none() && self.aggregate.args.iter().all(columns)
    }

    /// The columns of the row it picks, by place.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.aggregate.args.iter().filter_map(|arg| match arg {
            Expr::Column(place) => Some(*place),
            _ => None,
        })
    }

    /// The state of a new group.
    pub(super) fn fresh(&self) -> Box<dyn Accumulator> {
        (self.aggregate.new)(&self.literals)
    }

    /// The arguments of a row that stands for others, of which the first is
    /// known.
    pub(super) fn args_with(&self, first: Value, piece: &Batch, row: usize, args: &mut Vec<Value>) {
        args.clear();
        let mut first = Some(first);
        for (place, arg) in self.aggregate.args.iter().enumerate() {
            args.push(match first.take_if(|_| place == self.first) {
                Some(first) => first,
                None if self.predicate == Some(place) => Value::Bool(true),
                None => arg.of(piece.row(row)),
            });
        }
    }

    /// The arguments of a row that stands for others, of which the first is all.
    pub(super) fn args_of(&self, first: Value, args: &mut Vec<Value>) {
        args.clear();
        let mut first = Some(first);
        for place in 0..self.literals.len() {
            let first = first.take_if(|_| place == self.first);
            args.push(first.unwrap_or(Value::Bool(true)));
        }
    }

    /// What the rows of a piece add.
    pub(super) fn reduce(&self, piece: &Batch, local: &Local, rows: Range<usize>) -> Reduced {
        let chosen = self.predicate.map(|place| {
            let source = self.source(place, piece, &rows);
            let holds = |row: &u32| source.cell(piece, *row as usize).holds();
            numbers(&rows).filter(holds).collect::<Vec<_>>()
        });
        if self.reduction == Reduction::Count {
            return Reduced::Counts(counts(local, chosen.as_deref(), &rows));
        }
        if self.reduction == Reduction::Each {
            return self.all(None, piece, &rows);
        }
        let source = self.source(self.first, piece, &rows);
        let chosen = chosen.as_deref();
        let reduced = match &self.reduction {
            Reduction::Sum => bits(&source, piece, local, chosen, &rows, i64::wrapping_add),
            Reduction::Extreme(wanted) => {
                let better = |best: i64, other: i64| if other.cmp(&best) == *wanted { other } else { best };
                let found = if self.has_one_argument() {
                    bits(&source, piece, local, chosen, &rows, better)
                } else {
                    None
                };
                found.or_else(|| {
                    let found = extremes(&source, piece, local, chosen, &rows, *wanted)?;
                    Some(Reduced::Rows(found, source))
                })
            }
            Reduction::First => {
                let alone = self.has_one_argument();
                let found = firsts(&source, piece, local, chosen, &rows, alone);
                Some(Reduced::Rows(found, source))
            }
            Reduction::Distinct { .. } => Some(Reduced::Hashes(hashes(&source, piece, local, chosen, &rows))),
            Reduction::Set(_) => {
                let found = values(&source, piece, local, chosen, &rows);
                Some(Reduced::Values(found, source))
            }
            Reduction::List { nulls, .. } => {
                let mut found = Vec::new();
                each(chosen, &rows, |row| {
                    if *nulls || !source.cell(piece, row as usize).is_null() {
                        found.push((local.group(row as usize) as u32, row));
                    }
                });
                Some(Reduced::Rows(found, source))
            }
            Reduction::Count | Reduction::Each | Reduction::Where(..) => None,
        };
        // The accumulators look at predicates themselves.
        reduced.unwrap_or_else(|| self.all(chosen.map(<[u32]>::to_vec), piece, &rows))
    }

    fn source(&self, place: usize, piece: &Batch, rows: &Range<usize>) -> Source {
        let nothing = Expr::Constant(Value::Null);
        let arg = self.aggregate.args.get(place).unwrap_or(&nothing);
        Source::typed(arg, piece, rows, Type::Unknown)
    }

    fn all(&self, chosen: Option<Vec<u32>>, piece: &Batch, rows: &Range<usize>) -> Reduced {
        let columns = (0..self.aggregate.args.len()).map(|place| self.source(place, piece, rows));
        Reduced::All(chosen, columns.collect())
    }
}

fn numbers(rows: &Range<usize>) -> impl Iterator<Item = u32> + use<> {
    rows.start as u32..rows.end as u32
}

/// Calls for each row, or each that was chosen.
pub(super) fn each(chosen: Option<&[u32]>, rows: &Range<usize>, mut work: impl FnMut(u32)) {
    match chosen {
        Some(chosen) => chosen.iter().for_each(|row| work(*row)),
        None => numbers(rows).for_each(work),
    }
}

fn counts(local: &Local, chosen: Option<&[u32]>, rows: &Range<usize>) -> Vec<i64> {
    let mut counts = vec![0; local.len()];
    if chosen.is_none() && !local.of.is_empty() {
        local.of.iter().for_each(|group| counts[*group as usize] += 1);
    } else {
        each(chosen, rows, |row| counts[local.group(row as usize)] += 1);
    }
    counts
}

/// Numbers or times folded for each group; none where the column has anything
/// else, and the order of rows may matter.
fn bits(
    source: &Source,
    piece: &Batch,
    local: &Local,
    chosen: Option<&[u32]>,
    rows: &Range<usize>,
    fold: impl Fn(i64, i64) -> i64,
) -> Option<Reduced> {
    let (vector, from) = source.vector(piece)?;
    if vector.is_constant() && vector.is_null(0) {
        return Some(Reduced::Nothing);
    }
    let (bits, kind) = vector.bits()?;
    let mut folded: Vec<Option<i64>> = vec![None; local.len()];
    each(chosen, rows, |row| {
        let row = row as usize;
        if !vector.is_null(row - from) {
            let folded = &mut folded[local.group(row)];
            let own = bits[row - from];
            *folded = Some(folded.map_or(own, |before| fold(before, own)));
        }
    });
    Some(Reduced::Bits(kind, folded))
}

/// The first row of each group with the value that orders least or greatest, or
/// the first at all where there are only nulls; none where values are not all of
/// one kind.
fn extremes(
    source: &Source,
    piece: &Batch,
    local: &Local,
    chosen: Option<&[u32]>,
    rows: &Range<usize>,
    wanted: Ordering,
) -> Option<Vec<(u32, u32)>> {
    let mut best = vec![NONE; local.len()];
    let (vector, from) = source.vector(piece)?;
    let mut uniform = true;
    let mut kind: Option<Cell<'_>> = None;
    each(chosen, rows, |row| {
        let cell = vector.cell(row as usize - from);
        let best = &mut best[local.group(row as usize)];
        if *best == NONE {
            *best = row;
        }
        if cell.is_null() {
            return;
        }
        // Each with any: then any two of a group are of one kind too.
        uniform &= cell.compare(*kind.get_or_insert(cell)).is_some();
        let known = vector.cell(*best as usize - from);
        if known.is_null() || cell.compare(known) == Some(wanted) {
            *best = row;
        }
    });
    uniform.then(|| found(&best))
}

fn found(best: &[u32]) -> Vec<(u32, u32)> {
    let rows = best.iter().enumerate().filter(|(_, row)| **row != NONE);
    rows.map(|(group, row)| (group as u32, *row)).collect()
}

/// The first row of each group; of one column, the first whose value is neither
/// null nor an empty text, if any.
fn firsts(
    source: &Source,
    piece: &Batch,
    local: &Local,
    chosen: Option<&[u32]>,
    rows: &Range<usize>,
    alone: bool,
) -> Vec<(u32, u32)> {
    let mut best = vec![NONE; local.len()];
    each(chosen, rows, |row| {
        let best = &mut best[local.group(row as usize)];
        let nothing = |row: u32| matches!(source.cell(piece, row as usize), Cell::Null | Cell::Text(""));
        if *best == NONE || (alone && nothing(*best) && !nothing(row)) {
            *best = row;
        }
    });
    found(&best)
}

fn hashes(
    source: &Source,
    piece: &Batch,
    local: &Local,
    chosen: Option<&[u32]>,
    rows: &Range<usize>,
) -> Vec<(u32, u64)> {
    let mut seen = Table::default();
    let mut found: Vec<(u32, u64)> = Vec::new();
    each(chosen, rows, |row| {
        let hash = match source.cell(piece, row as usize) {
            Cell::Null => return,
            Cell::Text(text) => sketch::hash_of_text(text),
            _ => sketch::hash_of(&source.get(piece, row as usize)),
        };
        let new = (local.group(row as usize) as u32, hash);
        if seen.entry(with(hash, new.0), |entry| found[entry] == new).1 {
            found.push(new);
        }
    });
    found
}

fn values(
    source: &Source,
    piece: &Batch,
    local: &Local,
    chosen: Option<&[u32]>,
    rows: &Range<usize>,
) -> Vec<(u32, u32, Option<u64>)> {
    let hashing = Hashing::default();
    let mut seen = Table::default();
    let mut known: Vec<(u32, u32)> = Vec::new();
    let mut found = Vec::new();
    each(chosen, rows, |row| {
        let cell = source.cell(piece, row as usize);
        let group = local.group(row as usize) as u32;
        if cell.is_null() {
            return;
        }
        let Some(cell) = cell.in_set() else {
            found.push((group, row, None));
            return;
        };
        let hash = hashing.of([cell]);
        let same = |entry: usize| {
            let (other, row) = known[entry];
            let other_cell = source.cell(piece, row as usize).in_set();
            other == group && other_cell.is_some_and(|other| other.same(cell))
        };
        if seen.entry(with(hash, group), same).1 {
            known.push((group, row));
            found.push((group, row, Some(hash)));
        }
    });
    found
}
