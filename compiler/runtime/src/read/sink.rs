//! Where readers put rows: columns under construction, handed on in pieces.

use std::collections::HashMap;
use std::sync::Arc;

use rulec_functions::{INGESTED, Type, Value, convert, json, text};

use super::{CHUNK, Report, Source};
use crate::batch::{Batch, null_of};
use crate::error::{Code, RuntimeError};
use crate::schema::{Column, Schema};
use crate::vector::{Builder, Vector, heap_bytes};

/// 1900-01-01 in ticks: numbers below are no times.
const FIRST: i64 = 599_266_080_000_000_000;

/// What is to be done with a field of the data.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slot {
    /// The column that takes it, in the schema or after it.
    pub(super) column: Option<usize>,
    /// Its place in [`INGESTED`].
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
    /// None where nobody reads the column, and as long as it has no value.
    builders: Vec<Option<Builder>>,
    /// Places of the columns that somebody reads.
    read: Vec<usize>,
    slots: HashMap<Arc<str>, Slot>,
    ingestion: Builder,
    row: Vec<Value>,
    times: [Option<i64>; INGESTED.len()],
    rows: usize,
    bytes: usize,
    /// The line on which the row under construction starts, or where it lies.
    line: u64,
    /// Where rows lie of which columns are read later.
    places: Vec<u64>,
    /// How the values of each column fared.
    fates: Vec<Fate>,
    report: Report,
}

/// Whether the values of a column could be read in its type.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    /// Some were.
    converted: bool,
    /// The first that was not, and its line.
    refused: Option<(String, u64)>,
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
            read: Vec::new(),
            slots: HashMap::new(),
            ingestion: Builder::new(Type::DateTime, 0),
            row: vec![Value::Null; columns.len()],
            columns,
            times: [None; INGESTED.len()],
            rows: 0,
            bytes: 0,
            line: 1,
            places: Vec::new(),
            fates: Vec::new(),
            report: Report::default(),
        };
        sink.fates.resize(sink.columns.len(), Fate::default());
        sink.read = (0..sink.columns.len())
            .filter(|index| source.is_early(*index))
            .collect();
        for (time, name) in INGESTED.iter().enumerate() {
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
            if source.is_early(index) {
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

    fn start(&mut self) {
        self.builders = (0..self.columns.len()).map(|_| None).collect();
        self.ingestion = Builder::new(Type::DateTime, 0);
        self.rows = 0;
        self.bytes = 0;
    }

    /// What is to be done with the field of a name.
    pub(super) fn slot(&mut self, name: &str) -> Slot {
        self.slot_as(name, None)
    }

    /// As [`Sink::slot`], for a field whose type the data says. The schema
    /// knows better where it has the column.
    pub(super) fn slot_as(&mut self, name: &str, said: Option<Type>) -> Slot {
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
        let ty = known.ty.or(said).unwrap_or(Type::Unknown);
        known.ty = Some(ty);
        let slot = *known;
        self.columns.push(Column { name, ty });
        self.fates.push(Fate::default());
        self.read.push(self.builders.len());
        self.builders.push(None);
        self.row.push(Value::Null);
        slot
    }

    /// Begins a row on a line.
    pub(super) fn begin_row(&mut self, line: u64) {
        self.line = line;
    }

    /// Gives the row under construction a value of JSON. Exports write a
    /// dynamic value as JSON, or as text that holds JSON.
    pub(super) fn set_value(&mut self, slot: Slot, value: Value) {
        let fitted = self.fit(slot, value);
        self.set_fitted(slot, fitted);
    }

    /// A value of JSON in the type of a field.
    pub(super) fn fit(&mut self, slot: Slot, value: Value) -> Value {
        match (slot.ty.unwrap_or(Type::Unknown), &value) {
            (Type::Unknown, _) => value,
            (Type::Dynamic, Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
                json::parse_json(text)
            }
            (Type::Dynamic, _) | (Type::String, Value::String(_)) => value,
            (Type::String, Value::Null) => Value::string(""),
            (ty, _) => {
                let fitted = match convert(&value, ty) {
                    // A number is ticks. That of another clock, as seconds since
                    // 1970, would be a time that no log has.
                    Value::DateTime(ticks) if ticks < FIRST && is_number(&value) => Value::Null,
                    fitted => fitted,
                };
                if fitted.is_null() && !is_nothing(&value) {
                    self.refuse(slot, || text::print(&value));
                }
                fitted
            }
        }
    }

    /// Gives the row under construction a value from text. An empty field is
    /// null, and the empty string in a string column.
    pub(super) fn set_text(&mut self, slot: Slot, field: &str) {
        let value = match slot.ty.unwrap_or(Type::Unknown) {
            Type::String | Type::Unknown => Value::string(field),
            _ if field.is_empty() => Value::Null,
            ty => {
                let value = convert::parse(field, ty);
                if value.is_null() && ty != Type::Dynamic {
                    self.refuse(slot, || field.to_owned());
                }
                value
            }
        };
        self.set_fitted(slot, value);
    }

    /// Remembers that a value is null because it could not be read.
    fn refuse(&mut self, slot: Slot, shown: impl FnOnce() -> String) {
        let line = self.line;
        if let Some(fate) = slot.column.and_then(|column| self.fates.get_mut(column))
            && !fate.converted
        {
            fate.refused.get_or_insert_with(|| (shown(), line));
        }
    }

    /// Gives the row under construction a value; the last one counts.
    pub(super) fn set_fitted(&mut self, slot: Slot, value: Value) {
        if let Some(time) = slot.time {
            self.times[time] = match convert(&value, Type::DateTime) {
                Value::DateTime(ticks) => Some(ticks),
                _ => None,
            };
        }
        if let Some(column) = slot.column {
            self.bytes += heap_bytes(&value);
            self.fates[column].converted |= !value.is_null();
            self.row[column] = value;
        }
    }

    /// Forgets the row under construction.
    pub(super) fn discard(&mut self) {
        self.row.fill(Value::Null);
        self.times = [None; INGESTED.len()];
    }

    /// Ends the row under construction.
    pub(super) fn end_row(&mut self) -> Result<(), RuntimeError> {
        // Tables are wide and rules read little of them: the rest is not even looked at. What the
        // row does not have is null, which a column of strings takes as the empty string.
        for index in &self.read {
            let (Some(builder), Some(value)) = (self.builders.get_mut(*index), self.row.get_mut(*index))
            else {
                continue;
            };
            match builder {
                Some(builder) => builder.push(std::mem::take(value)),
                None if value.is_null() => {}
                None => {
                    let ty = self.columns.get(*index).map_or(Type::Unknown, |column| column.ty);
                    let mut new = Builder::new(ty, 0);
                    (0..self.rows).for_each(|_| new.push(Value::Null));
                    new.push(std::mem::take(value));
                    *builder = Some(new);
                }
            }
        }
        let time = self.times.iter().copied().flatten().next();
        self.ingestion.push(time.map_or(Value::Null, Value::DateTime));
        self.times = [None; INGESTED.len()];
        if self.source.late.is_some() {
            self.places.push(self.line);
        }
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
        let mut batch = Batch::with_rows(schema, columns, rows, self.source.memory, "read")?
            .with_ingestion_time(times)?;
        if let Some(late) = self.source.late {
            let source = self.source;
            let columns = (0..source.schema.len())
                .filter(|column| source.is_needed(*column) && !source.is_early(*column));
            let places = std::mem::take(&mut self.places);
            batch = batch.reading_later(late.table, &places, &columns.collect::<Vec<_>>())?;
        }
        self.start();
        (self.each)(batch)
    }

    /// Hands on what is left, if anything is; how the values of each column fared.
    pub(super) fn finish_if_any(mut self) -> Result<Vec<Fate>, RuntimeError> {
        if self.rows > 0 {
            self.flush()?;
        }
        Ok(self.fates)
    }

    /// Hands on what is left; there is always at least one piece.
    pub(super) fn finish(mut self, stopped: Option<&str>) -> Result<Report, RuntimeError> {
        if self.rows > 0 || self.report.rows == 0 {
            self.flush()?;
        }
        self.report.stopped = stopped.map(str::to_owned);
        for (column, fate) in self.columns.iter().zip(self.fates) {
            fate.tell(column, self.source.label, |line| line, &mut self.report);
        }
        Ok(self.report)
    }
}

impl Fate {
    /// Adds how the values fared in a later part of the same data.
    pub(super) fn merge(&mut self, later: Fate) {
        self.converted |= later.converted;
        self.refused = self.refused.take().or(later.refused);
    }

    /// Reports a column of which no value could be read.
    pub(super) fn tell(
        self,
        column: &Column,
        label: &str,
        line: impl FnOnce(u64) -> u64,
        report: &mut Report,
    ) {
        if let (false, Some((value, place))) = (self.converted, self.refused) {
            let shown = super::json::shown(value.as_bytes());
            report.unconverted.insert(
                column.name.to_string(),
                format!("{label}:{}: {shown} is no {}", line(place), column.ty.name()),
            );
        }
    }
}

fn is_number(value: &Value) -> bool {
    matches!(
        value,
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_)
    )
}

/// Whether a value says that there is none.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}
