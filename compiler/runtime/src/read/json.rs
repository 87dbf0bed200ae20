//! Rows as JSON: one object a line, and what documents hold.
//!
//! In: the text of one row. Out: its values in a sink. Of a key that is there
//! twice the last value counts. A row may be wrapped as Defender's streaming
//! API sends it: `{"time","tenantId","category":"AdvancedHunting-TABLE",
//! "properties":{…}}`; then `properties` is the row, and rows of other tables
//! are passed over.

use std::fmt;
use std::sync::Arc;

use rulec_functions::{Bag, Type, Value};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::raw::validate;
use super::sink::{Sink, Slot};
use super::text::Text;
use crate::error::RuntimeError;

/// How the streaming API names the table of a row. Source: Defender's "raw
/// data streaming" reference, the schema of the events.
const CATEGORY: &str = "AdvancedHunting-";

/// One JSON object a line; blank lines are skipped.
pub(super) fn lines(text: &mut Text<'_>, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut rows = Rows::default();
    let mut line = Vec::new();
    loop {
        let number = text.line_number();
        if !text.line(&mut line)? {
            return Ok(());
        }
        let row = line.trim_ascii_end();
        if row.trim_ascii_start().is_empty() {
            continue;
        }
        rows.unfinished = text.is_unfinished();
        rows.object(row, number, sink)?;
    }
}

/// Reads rows that are objects.
#[derive(Default)]
pub(super) struct Rows {
    order: Order,
    /// Whether rows are wrapped; none before the first sound one.
    wrapped: Option<bool>,
    /// Whether the file ends right behind the row.
    unfinished: bool,
}

impl Rows {
    /// Reads the row in a text that starts at a line.
    pub(super) fn object(&mut self, text: &[u8], line: u64, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
        sink.begin_row(line);
        if sink.source.strict
            && let Err(what) = validate(text)
        {
            return sink.malformed(line, &what);
        }
        let wrapped = self.wrapped.unwrap_or_else(|| is_wrapped(text));
        let read = if wrapped {
            wrapped_row(text, sink, &mut self.order)
        } else {
            row(text, sink, &mut self.order).map(|()| true)
        };
        match read {
            Ok(ours) => {
                self.wrapped = Some(wrapped);
                if ours {
                    sink.end_row()
                } else {
                    sink.discard();
                    Ok(())
                }
            }
            Err(error) => {
                let what = refusal(&error, text, self.unfinished);
                sink.malformed(line_of(&error, line), &what)
            }
        }
    }
}

/// What is wrong with a row; `unfinished` says that the file ends right behind it.
pub(super) fn refusal(error: &serde_json::Error, text: &[u8], unfinished: bool) -> String {
    if unfinished && error.is_eof() {
        "the file ends in the middle of this line, so it is cut off".to_owned()
    } else {
        sentence(error, text, "object")
    }
}

/// Reads an object into the row under construction.
pub(super) fn row(text: &[u8], sink: &mut Sink<'_>, order: &mut Order) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    RowSeed { sink, order }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// As [`row`], for an object in what the streaming API wraps it in; false for
/// a row of another table.
fn wrapped_row(text: &[u8], sink: &mut Sink<'_>, order: &mut Order) -> serde_json::Result<bool> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let ours = WrappedSeed { sink, order }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| ours)
}

pub(super) fn is_wrapped(text: &[u8]) -> bool {
    /// An object, whatever is in it.
    #[derive(Deserialize)]
    struct Object {}
    #[derive(Deserialize)]
    struct Wrap {
        category: String,
        #[serde(rename = "properties")]
        _properties: Object,
    }
    // Looked for first, as reading a row only for this takes as long as reading it.
    memchr::memmem::find(text, CATEGORY.as_bytes()).is_some()
        && serde_json::from_slice::<Wrap>(text).is_ok_and(|wrap| wrap.category.starts_with(CATEGORY))
}

/// The columns of an export, `[{"name","type"}]` or
/// `[{"ColumnName","DataType"}]`; none when they are something else.
pub(super) fn export_columns(text: &[u8], sink: &mut Sink<'_>) -> Option<Vec<Slot>> {
    #[derive(Deserialize)]
    struct Declared {
        #[serde(alias = "ColumnName")]
        name: String,
        #[serde(rename = "type", alias = "ColumnType")]
        ty: Option<String>,
    }
    let columns: Vec<Declared> = serde_json::from_slice(text).ok()?;
    let slot = |column: &Declared| {
        let ty = column.ty.as_deref().and_then(Type::parse);
        sink.slot_as(&column.name, ty)
    };
    Some(columns.iter().map(slot).collect())
}

/// Reads a row that is an array, its values in the order of the columns.
pub(super) fn cells(text: &[u8], line: u64, slots: &[Slot], sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    sink.begin_row(line);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let cells = CellsSeed { sink, slots };
    let read = cells.deserialize(&mut deserializer);
    match read.and_then(|count| deserializer.end().map(|()| count)) {
        Ok(count) if count == slots.len() => sink.end_row(),
        Ok(count) => {
            let what = format!("this row has {count} values, the table {} columns", slots.len());
            sink.malformed(line, &what)
        }
        Err(error) => sink.malformed(line_of(&error, line), &sentence(&error, text, "array")),
    }
}

fn line_of(error: &serde_json::Error, start: u64) -> u64 {
    start + (error.line() as u64).saturating_sub(1)
}

/// What is wrong with a text, in words. `serde_json` says where in the text;
/// the line is known better here.
pub(super) fn sentence(error: &serde_json::Error, text: &[u8], expected: &str) -> String {
    if let Err(error) = std::str::from_utf8(text) {
        let at = error.valid_up_to();
        let byte = text.get(at).copied().unwrap_or_default();
        return format!("this is not UTF-8: byte 0x{byte:02x} at offset {at} of the row");
    }
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or(&said);
    let column = error.column();
    match what {
        "recursion limit exceeded" => format!("this is nested deeper than 128 levels (column {column})"),
        "trailing characters" if error.line() == 1 && text.get(column - 1) == Some(&b',') => {
            format!(
                "a comma follows the {expected} (column {column}); rows are separated by line breaks alone"
            )
        }
        _ => format!("this is not a JSON {expected}: {what} (column {column})"),
    }
}

/// The beginning of a text, for messages.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let start: String = text.chars().take(20).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("`{}{dots}`", start.escape_debug())
}

/// The keys of the row before: exports repeat them in the same order, so that
/// the n-th key nearly always is what it was.
#[derive(Default)]
pub(super) struct Order(Vec<(Box<str>, Slot)>);

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
                self.sink.set_value(slot, value);
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
pub(super) struct ValueSeed;

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

/// Reads the row inside what the streaming API wraps it in; false for a row of
/// another table.
struct WrappedSeed<'s, 'a> {
    sink: &'s mut Sink<'a>,
    order: &'s mut Order,
}

impl<'de> DeserializeSeed<'de> for WrappedSeed<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WrappedSeed<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut ours = true;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "category" => {
                    let category = map.next_value::<Option<String>>()?.unwrap_or_default();
                    let table = category.strip_prefix(CATEGORY).unwrap_or(&category);
                    ours = self.sink.source.table.is_none_or(|asked| asked == table);
                }
                "properties" => map.next_value_seed(RowSeed {
                    sink: self.sink,
                    order: self.order,
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(ours)
    }
}

/// Reads a row by the places of its values; gives how many there are.
struct CellsSeed<'s, 'a> {
    sink: &'s mut Sink<'a>,
    slots: &'s [Slot],
}

impl<'de> DeserializeSeed<'de> for CellsSeed<'_, '_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for CellsSeed<'_, '_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut count = 0;
        loop {
            let slot = self.slots.get(count).copied().unwrap_or_default();
            if slot.is_idle() {
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(count);
                }
            } else {
                let Some(value) = seq.next_element_seed(ValueSeed)? else {
                    return Ok(count);
                };
                self.sink.set_value(slot, value);
            }
            count += 1;
        }
    }
}
