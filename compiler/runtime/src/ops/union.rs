//! `union`.

use rulec_functions::{Type, Value};

use super::Result;
use crate::batch::{Batch, marks_of, null_of};
use crate::context::Context;
use crate::error::RuntimeError;
use crate::memory::Memory;
use crate::schema::{Column, Schema};
use crate::vector::{Builder, Vector};

/// One table of a union.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What `withsource` says.
    pub label: &'a str,
    /// The rows.
    pub rows: &'a Batch,
    /// For each output column (after the source column) the column of this
    /// table that fills it, or none for null.
    pub columns: Vec<Option<usize>>,
}

/// One table of a union, by what fills each output column.
pub fn part<'a>(label: &'a str, rows: &'a Batch, columns: impl Into<Vec<Option<usize>>>) -> Part<'a> {
    Part {
        label,
        rows,
        columns: columns.into(),
    }
}

/// One table of a union of so many that most columns of most are null.
#[derive(Clone, Debug)]
pub struct WidePart<'a> {
    /// What `withsource` says.
    pub label: &'a str,
    /// The rows.
    pub rows: &'a Batch,
    /// Pairs of an output column (after the source column) and the column of
    /// this table that fills it.
    pub columns: &'a [(usize, usize)],
}

/// One table of a wide union, by the columns that it fills.
pub fn wide_part<'a>(label: &'a str, rows: &'a Batch, columns: &'a [(usize, usize)]) -> WidePart<'a> {
    WidePart { label, rows, columns }
}

/// [`union`] of so many tables that most columns of most are null. Only tables
/// with rows take part, so what each fills can be written out.
pub fn wide_union(
    ctx: &Context<'_>,
    schema: &Schema,
    with_source: bool,
    parts: &[WidePart<'_>],
) -> Result<Batch> {
    let width = schema.len().saturating_sub(usize::from(with_source));
    let filled = parts
        .iter()
        .filter(|part| !part.rows.is_empty())
        .map(|wide| {
            let mut columns = vec![None; width];
            for (output, own) in wide.columns {
                if let Some(slot) = columns.get_mut(*output) {
                    *slot = Some(*own);
                }
            }
            part(wide.label, wide.rows, columns)
        })
        .collect::<Vec<_>>();
    if filled.is_empty() {
        return Ok(Batch::empty(schema.clone(), ctx.memory()));
    }
    union(schema, with_source, &filled)
}

/// `union`: the rows of all parts, one part after the other, under a schema.
/// With `with_source` the schema's first column takes the parts' labels. Under
/// an open schema, columns that it does not name follow those that it does.
pub fn union(schema: &Schema, with_source: bool, parts: &[Part<'_>]) -> Result<Batch> {
    let memory = parts
        .first()
        .map_or_else(Memory::default, |part| part.rows.memory().clone());
    let rows = parts.iter().map(|part| part.rows.rows()).sum();
    let mut held = memory.growing("union");
    let mut columns = Vec::with_capacity(schema.len());
    let mut fill = |ty: Type, sources: &mut dyn Iterator<Item = (&Batch, Option<usize>)>| {
        let found =
            sources.map(|(rows, source)| (rows.rows(), source.and_then(|source| rows.column(source))));
        let found = found.collect::<Vec<_>>();
        // A union of many tables is wide, and most of its columns have nothing in any row.
        if found
            .iter()
            .all(|(_, source)| source.is_none_or(Vector::is_nothing))
        {
            return Ok::<_, RuntimeError>(Vector::constant(null_of(ty), rows));
        }
        let mut builder = Builder::new(ty, rows);
        for (rows, source) in found {
            held.add(source.map_or(0, Vector::bytes))?;
            match source {
                Some(source) => builder.extend(source),
                None => builder.extend(&Vector::constant(Value::Null, rows)),
            }
        }
        Ok(builder.finish())
    };
    for (index, column) in schema.columns().iter().enumerate() {
        if with_source && index == 0 {
            let mut builder = Builder::new(column.ty, rows);
            for part in parts {
                builder.extend(&Vector::constant(Value::string(part.label), part.rows.rows()));
            }
            columns.push(builder.finish());
            continue;
        }
        let place = index - usize::from(with_source);
        let source = |part: &Part<'_>| part.columns.get(place).copied().flatten();
        columns.push(fill(
            column.ty,
            &mut parts.iter().map(|part| (part.rows, source(part))),
        )?);
    }
    let mut names = schema.columns().to_vec();
    for part in parts.iter().filter(|_| schema.is_open()) {
        for (index, column) in part.rows.schema().columns().iter().enumerate() {
            let known = names.iter().any(|name| name.name == column.name);
            if known || part.columns.contains(&Some(index)) {
                continue;
            }
            let place = |part: &Part<'_>| part.rows.schema().index_of(&column.name);
            // Tables that nobody knows need not agree on types.
            let ty = if parts.len() == 1 {
                column.ty
            } else {
                Type::Unknown
            };
            columns.push(fill(ty, &mut parts.iter().map(|part| (part.rows, place(part))))?);
            names.push(Column {
                name: column.name.clone(),
                ty,
            });
        }
    }
    drop(held);
    let schema = if schema.is_open() {
        Schema::new(names).open()
    } else {
        schema.clone()
    };
    let mut batch = Batch::with_rows(schema, columns, rows, &memory, "union")?;
    if let Some(marks) = marks_of(parts.iter().map(|part| part.rows)) {
        batch = batch.with_marks(marks);
    }
    if parts.is_empty() || !parts.iter().all(|part| part.rows.has_ingestion_time()) {
        return Ok(batch);
    }
    let mut times = Builder::new(Type::DateTime, rows);
    parts
        .iter()
        .filter_map(|part| part.rows.ingestion_times())
        .for_each(|part| times.extend(part));
    batch.with_ingestion_time(times.finish())
}
