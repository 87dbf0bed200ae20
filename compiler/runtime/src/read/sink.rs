//! Where readers put rows: columns under construction, handed on in pieces.

use std::collections::HashMap;
use std::sync::Arc;

use rulec_functions::{Type, Value, convert};

use super::{CHUNK, Report, Source};
use crate::batch::{Batch, null_of};
use crate::error::{Code, RuntimeError};
use crate::schema::{Column, Schema};
use crate::vector::{Builder, Vector, heap_bytes};

/// Columns that say when a row was ingested, best first.
const TIMES: [&str; 4] = ["_IngestionTime", "IngestionTime", "Timestamp", "TimeGenerated"];

/// What is to be done with a field of the data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// The column that takes it, in the schema or after it.
    pub(super) column: Option<usize>,
    /// Its place in [`TIMES`].
    time: Option<usize>,
    /// The type to read it as.
    pub(super) ty: Option<Type>,
}

impl Slot {
    /// Whether nobody reads the field.
    pub(super) fn is_idle(self) -> bool {
        self.column.is_none() && self.time.is_none()
    }
}

pub(super) struct Sink<'a> {
    pub(super) source: &'a Source<'a>,
    each: &'a mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
    columns: Vec<Column>,
    /// None where nobody reads the column.
    builders: Vec<Option<Builder>>,
    slots: HashMap<Arc<str>, Slot>,
    ingestion: Builder,
    row: Vec<Value>,
    times: [Option<i64>; TIMES.len()],
    rows: usize,
    bytes: usize,
    report: Report,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        source: &'a Source<'a>,
        each: &'a mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
    ) -> Self {
        let columns = source.schema.columns().to_vec();
        let mut sink = Self {
            source,
            each,
            builders: Vec::new(),
            slots: HashMap::new(),
            ingestion: Builder::new(Type::DateTime, 0),
            row: columns.iter().map(|column| null_of(column.ty)).collect(),
            columns,
            times: [None; TIMES.len()],
            rows: 0,
            bytes: 0,
            report: Report::default(),
        };
        for (time, name) in TIMES.iter().enumerate() {
            sink.slots.insert(
                Arc::from(*name),
                Slot {
                    column: None,
                    time: Some(time),
                    ty: Some(Type::DateTime),
                },
            );
        }
        for index in 0..sink.columns.len() {
            if sink.is_needed(index) {
                let column = &sink.columns[index];
                let slot = sink.slots.entry(column.name.clone()).or_default();
                slot.column = Some(index);
                // A table that is not known says nothing of types, but its time is a time.
                if slot.time.is_none() || column.ty != Type::Unknown {
                    slot.ty = Some(column.ty);
                }
            }
        }
        sink.start();
        sink
    }

    fn is_needed(&self, index: usize) -> bool {
        self.source
            .needed
            .is_none_or(|needed| index >= self.source.schema.len() || needed.contains(&index))
    }

    fn start(&mut self) {
        self.builders = (0..self.columns.len())
            .map(|index| {
                self.is_needed(index)
                    .then(|| Builder::new(self.columns[index].ty, 0))
            })
            .collect();
        self.ingestion = Builder::new(Type::DateTime, 0);
        self.rows = 0;
        self.bytes = 0;
    }

    /// What is to be done with the field of a name.
    pub(super) fn slot(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            if slot.column.is_some() || !self.source.schema.is_open() {
                return *slot;
            }
        } else if !self.source.schema.is_open() {
            return Slot::default();
        }
        let name: Arc<str> = Arc::from(name);
        let known = self.slots.entry(name.clone()).or_default();
        known.column = Some(self.columns.len());
        let ty = known.ty.unwrap_or(Type::Unknown);
        known.ty = Some(ty);
        let slot = *known;
        self.columns.push(Column { name, ty });
        let mut builder = Builder::new(ty, self.rows);
        (0..self.rows).for_each(|_| builder.push(Value::Null));
        self.builders.push(Some(builder));
        self.row.push(Value::Null);
        slot
    }

    /// Gives the row under construction a value; the last one counts.
    pub(super) fn set(&mut self, slot: Slot, value: Value) {
        if let Some(time) = slot.time {
            self.times[time] = match convert(&value, Type::DateTime) {
                Value::DateTime(ticks) => Some(ticks),
                _ => None,
            };
        }
        if let Some(column) = slot.column {
            self.bytes += heap_bytes(&value);
            self.row[column] = value;
        }
    }

    /// Forgets the row under construction.
    pub(super) fn discard(&mut self) {
        for (value, column) in self.row.iter_mut().zip(&self.columns) {
            *value = null_of(column.ty);
        }
        self.times = [None; TIMES.len()];
    }

    /// Ends the row under construction.
    pub(super) fn end_row(&mut self) -> Result<(), RuntimeError> {
        for (builder, value) in self.builders.iter_mut().zip(&mut self.row) {
            if let Some(builder) = builder {
                builder.push(std::mem::take(value));
            }
        }
        let time = self.times.iter().copied().flatten().next();
        self.ingestion.push(time.map_or(Value::Null, Value::DateTime));
        self.discard();
        self.rows += 1;
        self.report.rows += 1;
        if self.source.schema.is_open() {
            return Ok(());
        }
        // Many long rows make a piece as well as very many short ones.
        if self.rows >= CHUNK || self.bytes >= 64 << 20 {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Counts a malformed line, or stops at it.
    pub(super) fn malformed(&mut self, line: u64, what: &str) -> Result<(), RuntimeError> {
        self.discard();
        let message = format!("{}:{line}: {what}", self.source.label);
        if !self.source.lenient {
            return Err(RuntimeError::new(Code::MALFORMED_INPUT, message));
        }
        self.report.malformed += 1;
        self.report.first.get_or_insert(message);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), RuntimeError> {
        let rows = self.rows;
        let columns = std::mem::take(&mut self.builders)
            .into_iter()
            .zip(&self.columns)
            .map(|(builder, column)| {
                builder.map_or_else(|| Vector::constant(null_of(column.ty), rows), Builder::finish)
            })
            .collect();
        let mut schema = Schema::new(self.columns.clone());
        if self.source.schema.is_open() {
            schema = schema.open();
        }
        let times = std::mem::replace(&mut self.ingestion, Builder::new(Type::DateTime, 0)).finish();
        let batch = Batch::with_rows(schema, columns, rows, self.source.memory, "read")?
            .with_ingestion_time(times)?;
        self.start();
        (self.each)(batch)
    }

    /// Hands on what is left; there is always at least one piece.
    pub(super) fn finish(mut self) -> Result<Report, RuntimeError> {
        if self.rows > 0 || self.report.rows == 0 {
            self.flush()?;
        }
        Ok(self.report)
    }
}
