//! `union`.

use rulec_functions::{Type, Value};

use super::Result;
use crate::batch::{Batch, Row};
use crate::memory::Memory;
use crate::schema::Schema;
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

/// `union`: the rows of all parts, one part after the other, under a schema.
/// With `with_source` the schema's first column takes the parts' labels.
pub fn union(schema: &Schema, with_source: bool, parts: &[Part<'_>]) -> Result<Batch> {
    let memory = parts
        .first()
        .map_or_else(Memory::default, |part| part.rows.memory().clone());
    let rows = parts.iter().map(|part| part.rows.rows()).sum();
    let mut held = memory.growing("union");
    let mut columns = Vec::with_capacity(schema.len());
    for (index, column) in schema.columns().iter().enumerate() {
        let mut builder = Builder::new(column.ty, rows);
        for part in parts {
            if with_source && index == 0 {
                let label = Value::string(part.label);
                (0..part.rows.rows()).for_each(|_| builder.push(label.clone()));
                continue;
            }
            let source = part
                .columns
                .get(index - usize::from(with_source))
                .copied()
                .flatten();
            let source = source.and_then(|source| part.rows.column(source));
            held.add(source.map_or(0, Vector::bytes))?;
            for row in 0..part.rows.rows() {
                builder.push(source.map_or(Value::Null, |source| source.get(row)));
            }
        }
        columns.push(builder.finish());
    }
    drop(held);
    let batch = Batch::with_rows(schema.clone(), columns, rows, &memory, "union")?;
    if !parts.is_empty() && parts.iter().all(|part| part.rows.has_ingestion_time()) {
        let times = parts
            .iter()
            .flat_map(|part| part.rows.iter().map(Row::ingestion_time));
        return batch.with_ingestion_time(Vector::from_values(Type::DateTime, times));
    }
    Ok(batch)
}
