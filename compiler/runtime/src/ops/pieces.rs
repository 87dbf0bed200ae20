//! Operators that take their input in pieces.
//!
//! In: pieces of a table, worked on in any order and perhaps on several threads
//! at once; what is left to do with each is done in the order of the table. Out:
//! what the operator gives of the whole table, the same however it is cut.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rulec_functions::{Type, Value};

use super::{Expr, Result};
use crate::batch::Batch;
use crate::cell::Cell;
use crate::context::InTurn;
use crate::turns::in_order;
use crate::vector::{Builder, Vector};

/// Rows of a batch that one thread works on before it takes more.
const ROWS: usize = 1 << 16;

/// An operator that takes its input in pieces.
pub trait Pieces: Sync {
    /// Works on some rows of a piece.
    fn rows(&self, piece: &Batch, rows: Range<usize>) -> Result<InTurn<'_>>;

    /// What the operator gives, once all pieces had their turn.
    fn finish(self: Box<Self>) -> Result<Batch>;

    /// Works on a piece.
    fn piece(&self, piece: &Batch) -> Result<InTurn<'_>> {
        self.rows(piece, 0..piece.rows())
    }
}

/// What an operator gives of a whole input.
pub fn whole<'a>(operator: Box<dyn Pieces + 'a>, input: &Batch) -> Result<Batch> {
    let count = input.rows().div_ceil(ROWS).max(1);
    let work = |(): &mut (), number: usize| {
        let end = input.rows().min((number + 1) * ROWS);
        operator.rows(input, number * ROWS..end)
    };
    let mut failure = None;
    in_order(count, || (), work, &mut |turn: Result<InTurn<'_>>| {
        let more = turn.and_then(|turn| turn());
        more.unwrap_or_else(|error| {
            failure = Some(error);
            false
        })
    });
    match failure {
        Some(error) => Err(error),
        None => operator.finish(),
    }
}

/// Some rows of a piece as one of its own.
pub(super) fn cut(piece: &Batch, rows: &Range<usize>, operator: &str) -> Result<Batch> {
    if rows.len() == piece.rows() {
        return Ok(piece.clone());
    }
    let rows = rows.clone().map(|row| row as u32).collect::<Vec<_>>();
    piece.select(&rows, operator)
}

/// The state of an operator, whose turn it is.
pub(super) fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A column of a piece: one that it has, or one computed for some of its rows.
#[derive(Debug)]
pub(super) enum Source {
    Of(usize),
    Made { vector: Vector, from: usize },
}

impl Source {
    /// The values of an expression in the form that a column of a type has. For
    /// an unknown type they are as they come.
    pub(super) fn typed(expr: &Expr<'_>, piece: &Batch, rows: &Range<usize>, ty: Type) -> Self {
        if let Expr::Column(index) = expr
            && let Some(vector) = piece.column(*index)
            && (vector.is_of(ty) || (ty == Type::Unknown && !vector.is_constant()))
        {
            return Source::Of(*index);
        }
        let mut builder = Builder::new(ty, rows.len());
        let constant = match expr {
            Expr::Constant(value) => Some(value.clone()),
            Expr::Column(index) => match piece.column(*index) {
                Some(vector) => vector.is_constant().then(|| vector.get(0)),
                None => Some(Value::Null),
            },
            Expr::Each(_) => None,
        };
        if let Some(value) = constant {
            builder.push(value);
            let value = builder.finish().get(0);
            return Source::Made {
                vector: Vector::constant(value, piece.rows()),
                from: 0,
            };
        }
        rows.clone().for_each(|row| builder.push(expr.of(piece.row(row))));
        Source::Made {
            vector: builder.finish(),
            from: rows.start,
        }
    }

    /// The column, and the row of it that is the first of the piece.
    pub(super) fn vector<'v>(&'v self, piece: &'v Batch) -> Option<(&'v Vector, usize)> {
        match self {
            Source::Of(index) => piece.column(*index).map(|vector| (vector, 0)),
            Source::Made { vector, from } => Some((vector, *from)),
        }
    }

    /// The value in a row of the piece, where it lies.
    pub(super) fn cell<'v>(&'v self, piece: &'v Batch, row: usize) -> Cell<'v> {
        self.vector(piece)
            .map_or(Cell::Null, |(vector, from)| vector.cell(row - from))
    }

    /// The value in a row of the piece.
    pub(super) fn get(&self, piece: &Batch, row: usize) -> Value {
        self.vector(piece)
            .map(|(vector, from)| vector.get(row - from))
            .unwrap_or_default()
    }
}
