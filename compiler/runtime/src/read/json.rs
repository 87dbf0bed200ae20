//! JSON: one object a line, and documents that hold an array of objects.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use rulec_functions::{Bag, Type, Value, convert, json};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::sink::{Sink, Slot};
use super::unreadable;
use crate::error::RuntimeError;

/// Keys under which exports keep their rows.
const WRAPPERS: [&str; 3] = ["Results", "results", "value"];

/// Whether a line that starts an object is an event, and not the start of a
/// document: one over several lines, or one that wraps events.
pub(super) fn is_event(line: &[u8]) -> bool {
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line) {
        Ok(object) => wrapped(&object).is_none() && tables(&object).is_none(),
        // A document goes on after an opening bracket or a comma; an event does not.
        Err(_) => !line.ends_with(b"{") && !line.ends_with(b"[") && !line.ends_with(b","),
    }
}

fn wrapped(object: &serde_json::Map<String, serde_json::Value>) -> Option<&Vec<serde_json::Value>> {
    WRAPPERS
        .iter()
        .find_map(|key| object.get(*key)?.as_array())
        .filter(|rows| rows.iter().all(serde_json::Value::is_object))
}

fn tables(object: &serde_json::Map<String, serde_json::Value>) -> Option<&serde_json::Value> {
    let tables = object
        .get("tables")
        .or_else(|| object.get("Tables"))?
        .as_array()?;
    tables
        .first()
        .filter(|table| table.get("columns").or_else(|| table.get("Columns")).is_some())
}

/// One JSON object a line; blank lines are skipped.
pub(super) fn lines(input: &mut dyn Read, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut input = std::io::BufReader::with_capacity(1 << 16, input);
    let mut line = Vec::new();
    let mut order = Order::default();
    for number in 1.. {
        line.clear();
        let read = std::io::BufRead::read_until(&mut input, b'\n', &mut line)
            .map_err(|error| unreadable(sink.source.label, &error))?;
        if read == 0 {
            break;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let row = RowSeed {
            sink,
            order: &mut order,
        };
        match row
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
        {
            Ok(()) => sink.end_row()?,
            Err(error) => sink.malformed(number, &sentence(&error))?,
        }
        // A single huge line should not keep its buffer for good.
        if line.capacity() > 1 << 24 {
            line = Vec::new();
        }
    }
    Ok(())
}

/// A whole document.
pub(super) fn document(input: &mut dyn Read, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(sink.source.label, &error))?;
    let _held = sink.source.memory.reserve("read", bytes.len())?;
    let text = bytes.trim_ascii();
    if text.starts_with(b"[") {
        return array(&bytes, sink);
    }
    let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(text) else {
        // Objects one after the other, each over several lines.
        return concatenated(&bytes, sink);
    };
    drop(bytes);
    if let Some(table) = tables(&object) {
        return log_analytics(table, sink);
    }
    if let Some(rows) = wrapped(&object) {
        return rows.iter().try_for_each(|row| match row.as_object() {
            Some(row) => from_object(row, sink),
            None => sink.malformed(1, "a row is not an object"),
        });
    }
    from_object(&object, sink)
}

fn array(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut failure = None;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let rows = RowsVisitor {
        sink,
        failure: &mut failure,
    };
    let parsed = deserializer
        .deserialize_seq(rows)
        .and_then(|()| deserializer.end());
    match (failure, parsed) {
        (Some(failure), _) => Err(failure),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => sink.malformed(error.line() as u64, &sentence(&error)),
    }
}

fn concatenated(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut order = Order::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    loop {
        // `end` is content only where nothing but blanks is left.
        if deserializer.end().is_ok() {
            return Ok(());
        }
        match (RowSeed {
            sink,
            order: &mut order,
        })
        .deserialize(&mut deserializer)
        {
            Ok(()) => sink.end_row()?,
            Err(error) => return sink.malformed(error.line() as u64, &sentence(&error)),
        }
    }
}

fn from_object(
    row: &serde_json::Map<String, serde_json::Value>,
    sink: &mut Sink<'_>,
) -> Result<(), RuntimeError> {
    for (name, value) in row {
        let slot = sink.slot(name);
        if !slot.is_idle() {
            sink.set(slot, fit(json::from_serde(value, 0), slot));
        }
    }
    sink.end_row()
}

/// `{"columns":[{"name","type"}],"rows":[[…]]}`.
fn log_analytics(table: &serde_json::Value, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let member = |name: &str, other: &str| table.get(name).or_else(|| table.get(other))?.as_array();
    let (Some(columns), Some(rows)) = (member("columns", "Columns"), member("rows", "Rows")) else {
        return sink.malformed(1, "the table has no columns or no rows");
    };
    let slots = columns
        .iter()
        .map(|column| {
            let name = column
                .get("name")
                .or_else(|| column.get("ColumnName"))
                .and_then(serde_json::Value::as_str);
            sink.slot(name.unwrap_or_default())
        })
        .collect::<Vec<_>>();
    for row in rows {
        let Some(cells) = row.as_array() else {
            sink.malformed(1, "a row is not an array")?;
            continue;
        };
        for (slot, cell) in slots.iter().zip(cells) {
            if !slot.is_idle() {
                sink.set(*slot, fit(json::from_serde(cell, 0), *slot));
            }
        }
        sink.end_row()?;
    }
    Ok(())
}

/// A JSON value in a column of a type. Exports write a dynamic value as JSON,
/// or as text that holds JSON.
fn fit(value: Value, slot: Slot) -> Value {
    match (slot.ty.unwrap_or(Type::Unknown), &value) {
        (Type::Unknown, _) => value,
        (Type::Dynamic, Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
            json::parse_json(text)
        }
        (Type::String, Value::Null) => Value::string(""),
        (ty, _) => convert(&value, ty),
    }
}

/// `serde_json` says where in the line; the line itself is known better here.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("this is not a JSON object: {what} (column {})", error.column())
}

/// The keys of the row before: exports repeat them in the same order, so that
/// the n-th key nearly always is what it was.
#[derive(Default)]
struct Order(Vec<(Box<str>, Slot)>);

impl Order {
    fn slot(&mut self, place: usize, name: &str, sink: &mut Sink<'_>) -> Slot {
        if let Some((known, slot)) = self.0.get(place)
            && **known == *name
        {
            return *slot;
        }
        let slot = sink.slot(name);
        if place == self.0.len() {
            self.0.push((Box::from(name), slot));
        } else if let Some(known) = self.0.get_mut(place) {
            *known = (Box::from(name), slot);
        }
        slot
    }
}

/// Reads one object into the row under construction.
struct RowSeed<'s, 'a> {
    sink: &'s mut Sink<'a>,
    order: &'s mut Order,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(slot) = map.next_key_seed(KeySeed {
            sink: self.sink,
            order: self.order,
            place,
        })? {
            place += 1;
            if slot.is_idle() {
                map.next_value::<IgnoredAny>()?;
            } else {
                let value = map.next_value_seed(ValueSeed)?;
                self.sink.set(slot, fit(value, slot));
            }
        }
        Ok(())
    }
}

/// Looks a key up without owning it.
struct KeySeed<'s, 'a> {
    sink: &'s mut Sink<'a>,
    order: &'s mut Order,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = Slot;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Slot, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = Slot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Slot, E> {
        Ok(self.order.slot(self.place, name, self.sink))
    }
}

/// Reads any JSON value.
struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Long(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(i64::try_from(n).map_or(Value::Real(n as f64), Value::Long))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Real(x))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(ValueSeed)? {
            items.push(item);
        }
        Ok(Value::array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key.into(), map.next_value_seed(ValueSeed)?));
        }
        Ok(Value::Bag(Arc::new(entries.into_iter().collect::<Bag>())))
    }
}

/// Reads an array of objects, row by row.
struct RowsVisitor<'s, 'a> {
    sink: &'s mut Sink<'a>,
    /// An error of ours, which would lose its shape as an error of the parser.
    failure: &'s mut Option<RuntimeError>,
}

impl<'de> Visitor<'de> for RowsVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut order = Order::default();
        while seq
            .next_element_seed(RowSeed {
                sink: &mut *self.sink,
                order: &mut order,
            })?
            .is_some()
        {
            if let Err(error) = self.sink.end_row() {
                *self.failure = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
