//! Window functions over ordered rows. Each gives the input with one column
//! more, which expressions after it read.

use rulec_functions::{Type, Value};

use super::{Expr, Result};
use crate::batch::{Batch, Row};
use crate::key::KeyBuffer;
use crate::schema::Column;
use crate::vector::{Builder, Vector};

/// `prev(value, offset, default)`: the value some rows earlier.
pub fn prev(
    input: &Batch,
    column: Column,
    value: &Expr<'_>,
    offset: i64,
    default: &Expr<'_>,
) -> Result<Batch> {
    neighbour(input, column, value, offset.saturating_neg(), default)
}

/// `next(value, offset, default)`: the value some rows later.
pub fn next(
    input: &Batch,
    column: Column,
    value: &Expr<'_>,
    offset: i64,
    default: &Expr<'_>,
) -> Result<Batch> {
    neighbour(input, column, value, offset, default)
}

fn neighbour(
    input: &Batch,
    column: Column,
    value: &Expr<'_>,
    distance: i64,
    default: &Expr<'_>,
) -> Result<Batch> {
    let values = input.iter().map(|row| {
        (row.index() as i64)
            .checked_add(distance)
            .and_then(|index| usize::try_from(index).ok())
            .filter(|index| *index < input.rows())
            .map_or_else(|| default.of(row), |index| value.of(input.row(index)))
    });
    let vector = Vector::from_values(column.ty, values);
    input.append(vec![(column, vector)], "window function")
}

/// `row_number(start, restart)`: numbers the rows from `start`, again wherever
/// `restart` is true.
pub fn row_number(input: &Batch, name: &str, start: i64, restart: Option<&Expr<'_>>) -> Result<Batch> {
    let mut number = start;
    let values = input.iter().enumerate().map(|(index, row)| {
        number = if index == 0 || restarts(restart, row) {
            start
        } else {
            number.wrapping_add(1)
        };
        Value::Long(number)
    });
    let vector = Vector::from_values(Type::Long, values);
    input.append(vec![(Column::new(name, Type::Long), vector)], "row_number")
}

/// `row_cumsum(term, restart)`: the sum of the terms so far, again from zero
/// wherever `restart` is true. Null terms add nothing.
pub fn row_cumsum(
    input: &Batch,
    column: Column,
    term: &Expr<'_>,
    restart: Option<&Expr<'_>>,
) -> Result<Batch> {
    let mut sum = Value::Null;
    let mut builder = Builder::new(column.ty, input.rows());
    for row in input {
        if restarts(restart, row) {
            sum = Value::Null;
        }
        sum = add(&sum, &term.of(row));
        builder.push(if sum.is_null() {
            zero(column.ty)
        } else {
            sum.clone()
        });
    }
    input.append(vec![(column, builder.finish())], "row_cumsum")
}

/// `row_rank_dense(term, restart)`: how many different terms came so far,
/// equal terms being next to each other.
pub fn row_rank_dense(
    input: &Batch,
    name: &str,
    term: &Expr<'_>,
    restart: Option<&Expr<'_>>,
) -> Result<Batch> {
    rank(input, name, term, restart, true)
}

/// `row_rank_min(term, restart)`: the number of the first row with this term,
/// equal terms being next to each other.
pub fn row_rank_min(input: &Batch, name: &str, term: &Expr<'_>, restart: Option<&Expr<'_>>) -> Result<Batch> {
    rank(input, name, term, restart, false)
}

fn rank(
    input: &Batch,
    name: &str,
    term: &Expr<'_>,
    restart: Option<&Expr<'_>>,
    dense: bool,
) -> Result<Batch> {
    let (mut before, mut key) = (KeyBuffer::new(), KeyBuffer::new());
    let (mut rank, mut number) = (0, 0);
    let mut builder = Builder::new(Type::Long, input.rows());
    for row in input {
        key.clear();
        key.push(&term.of(row));
        if row.index() == 0 || restarts(restart, row) {
            (rank, number) = (1, 1);
        } else {
            number += 1;
            if key.bytes() != before.bytes() {
                rank = if dense { rank + 1 } else { number };
            }
        }
        std::mem::swap(&mut key, &mut before);
        builder.push(Value::Long(rank));
    }
    input.append(
        vec![(Column::new(name, Type::Long), builder.finish())],
        "row_rank",
    )
}

/// `row_window_session(time, from_first, from_previous, restart)`: the start
/// of the session that a time belongs to. A session ends when a time lies
/// further from its first than `from_first`, further from the one before than
/// `from_previous` (both in ticks), or where `restart` is true.
pub fn row_window_session(
    input: &Batch,
    column: Column,
    time: &Expr<'_>,
    from_first: i64,
    from_previous: i64,
    restart: Option<&Expr<'_>>,
) -> Result<Batch> {
    let mut session: Option<(i64, i64)> = None;
    let mut builder = Builder::new(column.ty, input.rows());
    for row in input {
        let value = time.of(row);
        let (Value::DateTime(ticks) | Value::TimeSpan(ticks) | Value::Long(ticks)) = value else {
            builder.push(Value::Null);
            continue;
        };
        let first = match session {
            Some((first, previous))
                if ticks.saturating_sub(first) <= from_first
                    && ticks.saturating_sub(previous) <= from_previous
                    && !restarts(restart, row) =>
            {
                first
            }
            _ => ticks,
        };
        session = Some((first, ticks));
        builder.push(match value {
            Value::TimeSpan(_) => Value::TimeSpan(first),
            Value::Long(_) => Value::Long(first),
            _ => Value::DateTime(first),
        });
    }
    input.append(vec![(column, builder.finish())], "row_window_session")
}

fn restarts(restart: Option<&Expr<'_>>, row: Row<'_>) -> bool {
    restart.is_some_and(|restart| restart.of(row).is_true())
}

fn add(sum: &Value, term: &Value) -> Value {
    match (sum, term) {
        (sum, Value::Null) => sum.clone(),
        (Value::Null, term) => term.clone(),
        (Value::Int(a), Value::Int(b)) => Value::Int(a.wrapping_add(*b)),
        (Value::Long(a), Value::Long(b)) => Value::Long(a.wrapping_add(*b)),
        (Value::Real(a), Value::Real(b)) => Value::Real(a + b),
        (Value::Decimal(a), Value::Decimal(b)) => a.checked_add(*b).map_or(Value::Null, Value::Decimal),
        (Value::TimeSpan(a), Value::TimeSpan(b)) => Value::TimeSpan(a.wrapping_add(*b)),
        (sum, _) => sum.clone(),
    }
}

fn zero(ty: Type) -> Value {
    match ty {
        Type::Int => Value::Int(0),
        Type::Long => Value::Long(0),
        Type::Real => Value::Real(0.0),
        Type::TimeSpan => Value::TimeSpan(0),
        _ => Value::Null,
    }
}
