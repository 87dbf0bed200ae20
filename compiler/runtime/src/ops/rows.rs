//! Operators that look at one row at a time, and those that make rows.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rulec_functions::{Type, Value};

use super::pieces::{Pieces, locked};
use super::{Expr, Output, Result};
use crate::batch::{Batch, BatchBuilder, Row};
use crate::context::{Context, InTurn};
use crate::error::{Code, Named, RuntimeError};
use crate::flow::Input;
use crate::memory::Memory;
use crate::schema::{Column, Schema};

/// `where`: the rows for which the predicate is true.
pub fn filter(input: &Batch, predicate: impl Fn(Row<'_>) -> bool + Sync) -> Result<Batch> {
    let kept = input
        .iter()
        .filter(|row| predicate(*row))
        .map(|row| row.index() as u32)
        .collect::<Vec<_>>();
    if kept.len() == input.rows() {
        return Ok(input.clone());
    }
    input.select(&kept, "where")
}

/// `project` and its relatives: these columns, in this order. A column passed
/// on unchanged is shared, not copied, and keeps the input's type.
pub fn project(input: &Batch, outputs: &[Output<'_>]) -> Result<Batch> {
    let computed = outputs
        .iter()
        .filter(|output| !matches!(output.expr, Expr::Column(_)))
        .map(|output| (output.column.clone(), output.expr.vector(input, output.column.ty)))
        .collect();
    let wide = input.append(computed, "project")?;
    let mut next = input.schema().len();
    let picked = outputs
        .iter()
        .map(|output| {
            if let Expr::Column(index) = output.expr {
                let ty = input
                    .schema()
                    .columns()
                    .get(index)
                    .map_or(output.column.ty, |column| column.ty);
                return (
                    Column {
                        name: output.column.name.clone(),
                        ty,
                    },
                    index,
                );
            }
            next += 1;
            (output.column.clone(), next - 1)
        })
        .collect::<Vec<_>>();
    wide.pick(&picked)
}

/// `extend`: all columns of the input; a new column takes the place of one
/// with its name, else comes after the others.
pub fn extend(input: &Batch, added: &[Output<'_>]) -> Result<Batch> {
    let computed = added
        .iter()
        .map(|output| (output.column.clone(), output.expr.vector(input, output.column.ty)))
        .collect();
    let wide = input.append(computed, "extend")?;
    let width = input.schema().len();
    let mut picked = input
        .schema()
        .columns()
        .iter()
        .enumerate()
        .map(|(index, column)| (column.clone(), index))
        .collect::<Vec<_>>();
    for (index, output) in added.iter().enumerate() {
        let new = (output.column.clone(), width + index);
        match picked
            .iter_mut()
            .find(|(column, _)| column.name == output.column.name)
        {
            Some(old) => *old = new,
            None => picked.push(new),
        }
    }
    wide.pick(&picked)
}

/// `count`: one row with the number of rows.
pub fn count(input: &dyn Input) -> Result<Batch> {
    input.pour(Named::operator("count"), count_pieces(input.memory()))
}

/// [`count`] of a table that comes in pieces.
pub fn count_pieces<'a>(memory: &Memory) -> Box<dyn Pieces + 'a> {
    Box::new(Count {
        memory: memory.clone(),
        counted: Mutex::default(),
    })
}

struct Count {
    memory: Memory,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    rows: i64,
    /// Whether any row is marked, where rows have marks.
    marked: Option<bool>,
}

impl Pieces for Count {
    fn rows(&self, piece: &Batch, rows: Range<usize>) -> Result<InTurn<'_>> {
        let count = rows.len() as i64;
        let marks = piece
            .marks()
            .map(|_| rows.clone().any(|row| piece.is_marked(row)));
        Ok(Box::new(move || {
            let counted = &mut *locked(&self.counted);
            counted.rows += count;
            counted.marked = counted.marked.max(marks);
            Ok(true)
        }))
    }

    fn finish(self: Box<Self>) -> Result<Batch> {
        let counted = self.counted.into_inner().unwrap_or_else(PoisonError::into_inner);
        let schema = Schema::of(&[("Count", Type::Long)]);
        let count = Batch::from_rows(schema, [vec![Value::Long(counted.rows)]], &self.memory)?;
        Ok(match counted.marked {
            Some(marked) => count.with_marks([marked]),
            None => count,
        })
    }
}

/// `print` and `datatable`: the given rows.
pub fn rows(ctx: &Context<'_>, schema: &Schema, rows: impl IntoIterator<Item = Vec<Value>>) -> Result<Batch> {
    Batch::from_rows(schema.clone(), rows, ctx.memory())
}

/// `getschema`: one row per column of the input.
pub fn getschema(input: &Batch) -> Result<Batch> {
    let schema = Schema::of(&[
        ("ColumnName", Type::String),
        ("ColumnOrdinal", Type::Long),
        ("DataType", Type::String),
        ("ColumnType", Type::String),
    ]);
    let rows = input
        .schema()
        .columns()
        .iter()
        .enumerate()
        .map(|(ordinal, column)| {
            vec![
                Value::string(&*column.name),
                Value::Long(ordinal as i64),
                Value::string(net_type(column.ty)),
                Value::string(if column.ty == Type::Unknown {
                    "dynamic"
                } else {
                    column.ty.name()
                }),
            ]
        });
    Batch::from_rows(schema, rows, input.memory())
}

/// What the service calls a type inside. Source: the KQL reference, "getschema".
fn net_type(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "System.SByte",
        Type::Int => "System.Int32",
        Type::Long => "System.Int64",
        Type::Real => "System.Double",
        Type::Decimal => "System.Data.SqlTypes.SqlDecimal",
        Type::String => "System.String",
        Type::DateTime => "System.DateTime",
        Type::TimeSpan => "System.TimeSpan",
        Type::Guid => "System.Guid",
        Type::Dynamic | Type::Unknown => "System.Object",
    }
}

/// `range name from … to … step …`: numbers, times or durations, the limit
/// included. A null bound or a step that leads away from the limit gives no rows.
pub fn range(ctx: &Context<'_>, column: Column, from: &Value, to: &Value, step: &Value) -> Result<Batch> {
    let mut held = ctx.memory().growing("range");
    let mut builder = BatchBuilder::new(Schema::new([column]), ctx.memory());
    let mut push = |value: Value| {
        held.add(8)?;
        builder.push([value]);
        Ok::<(), RuntimeError>(())
    };
    let zero_step = || RuntimeError::new(Code::BAD_ARGUMENT, "the step of `range` must not be zero");
    if let (Some((from, make)), Some((to, _)), Some((step, _))) = (whole(from), whole(to), whole(step)) {
        if step == 0 {
            return Err(zero_step());
        }
        let mut next = Some(from);
        while let Some(value) = next.filter(|value| if step > 0 { *value <= to } else { *value >= to }) {
            push(make(value))?;
            next = value.checked_add(step);
        }
    } else if let (Some(from), Some(to), Some(step)) = (number(from), number(to), number(step)) {
        if step == 0.0 {
            return Err(zero_step());
        }
        let mut count = 0.0;
        loop {
            // Multiplied, not added up, so that the error does not grow.
            let value = from + count * step;
            if !value.is_finite() || (if step > 0.0 { value > to } else { value < to }) {
                break;
            }
            push(Value::Real(value))?;
            count += 1.0;
        }
    }
    builder.finish("range")
}

/// A whole number, time or duration, and how to make a value of its kind again.
fn whole(value: &Value) -> Option<Whole> {
    match value {
        Value::Int(n) => Some((i64::from(*n), Value::Long)),
        Value::Long(n) => Some((*n, Value::Long)),
        Value::DateTime(t) => Some((*t, Value::DateTime)),
        Value::TimeSpan(t) => Some((*t, Value::TimeSpan)),
        _ => None,
    }
}

type Whole = (i64, fn(i64) -> Value);

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Real(x) => Some(*x),
        _ => None,
    }
}
