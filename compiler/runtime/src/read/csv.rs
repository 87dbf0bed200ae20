//! CSV and TSV with a header. Source of the quoting rules: RFC 4180.

use std::io::{BufRead, BufReader, Read};

use rulec_functions::{Type, Value, convert};

use super::sink::{Sink, Slot};
use super::unreadable;
use crate::error::RuntimeError;

/// Reads a header and rows; quoted fields may hold separators and line breaks.
pub(super) fn read(input: &mut dyn Read, separator: u8, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut records = Records {
        input: BufReader::with_capacity(1 << 16, input),
        separator,
        line: 0,
        fields: Vec::new(),
    };
    if !records.next(sink)? {
        return Ok(());
    }
    let slots = records
        .fields
        .iter()
        .map(|name| sink.slot(column_name(name)))
        .collect::<Vec<Slot>>();
    loop {
        let line = records.line + 1;
        if !records.next(sink)? {
            return Ok(());
        }
        if records.fields.len() != slots.len() {
            let what = format!(
                "this line has {} fields, the header {}",
                records.fields.len(),
                slots.len()
            );
            sink.malformed(line, &what)?;
            continue;
        }
        for (slot, field) in slots.iter().zip(&records.fields) {
            if !slot.is_idle() {
                sink.set(*slot, value(field, slot.ty.unwrap_or(Type::Unknown)));
            }
        }
        sink.end_row()?;
    }
}

/// The portal writes the zone after the names of time columns.
fn column_name(header: &str) -> &str {
    header.trim().trim_end_matches("[UTC]").trim_end()
}

/// An empty field is null, and the empty string in a string column.
fn value(field: &str, ty: Type) -> Value {
    match ty {
        Type::String | Type::Unknown => Value::string(field),
        _ if field.is_empty() => Value::Null,
        _ => convert::parse(field, ty),
    }
}

struct Records<'a> {
    input: BufReader<&'a mut dyn Read>,
    separator: u8,
    /// Lines read so far.
    line: u64,
    fields: Vec<String>,
}

impl Records<'_> {
    /// Reads the next record that is one; false at the end.
    fn next(&mut self, sink: &mut Sink<'_>) -> Result<bool, RuntimeError> {
        let mut record = Vec::new();
        loop {
            record.clear();
            let first = self.line + 1;
            let mut quotes = 0;
            loop {
                let before = record.len();
                let read = self
                    .input
                    .read_until(b'\n', &mut record)
                    .map_err(|error| unreadable(sink.source.label, &error))?;
                self.line += u64::from(read > 0);
                // An odd number of quotes: the record goes on in the next line.
                quotes += record[before..].split(|byte| *byte == b'"').count() - 1;
                if read == 0 || quotes % 2 == 0 {
                    break;
                }
            }
            if record.is_empty() {
                return Ok(false);
            }
            let mut text = &record[..];
            text = text.strip_suffix(b"\n").unwrap_or(text);
            text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() {
                continue;
            }
            let Ok(text) = std::str::from_utf8(text) else {
                sink.malformed(first, "this line is not UTF-8")?;
                continue;
            };
            match split(text, char::from(self.separator)) {
                Some(fields) => {
                    self.fields = fields;
                    return Ok(true);
                }
                None => sink.malformed(first, "a quoted field has no end, or text after its end")?,
            }
        }
    }
}

fn split(record: &str, separator: char) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let after = if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            loop {
                let (part, tail) = quoted.split_once('"')?;
                field.push_str(part);
                let Some(more) = tail.strip_prefix('"') else {
                    fields.push(field);
                    break tail;
                };
                field.push('"');
                quoted = more;
            }
        } else {
            let end = rest.find(separator).unwrap_or(rest.len());
            fields.push(rest[..end].to_owned());
            &rest[end..]
        };
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(separator)?;
    }
}
