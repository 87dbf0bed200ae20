//! Separated values, nearly always with a header. Source of the quoting rules:
//! RFC 4180.
//!
//! In: text. Out: rows. Quoted fields may hold separators, quotes and line
//! breaks; a quote elsewhere than at the start of a field means itself. Of two
//! columns with one name the last counts.

use std::sync::Arc;

use rulec_functions::Type;

use super::sink::{Sink, Slot};
use super::text::Text;
use super::{Header, json};
use crate::error::{Code, RuntimeError};

/// Reads a header, if there is one, and rows.
pub(super) fn read(
    text: &mut Text<'_>,
    separator: u8,
    header: Header,
    sink: &mut Sink<'_>,
) -> Result<(), RuntimeError> {
    let mut records = Records {
        text,
        separator: char::from(separator),
        start: 1,
        line: Vec::new(),
        again: None,
        single_lines: false,
        fields: Fields::default(),
        kept: false,
    };
    records.directive()?;
    if !records.next(sink)? {
        return Ok(());
    }
    let names = |field: &str| sink.source.schema.index_of(field.trim()).is_some();
    let by_name = header == Header::Names || (header == Header::Absent && records.fields.iter().all(names));
    let slots = if by_name {
        columns(&records, sink)?
    } else {
        let columns = sink.source.schema.columns().iter();
        let names: Vec<_> = columns.map(|column| Arc::clone(&column.name)).collect();
        names.iter().map(|name| sink.slot(name)).collect()
    };
    if !by_name && header == Header::Absent {
        // It is the first row.
        records.kept = true;
    }
    while records.next(sink)? {
        let fields = &records.fields;
        if by_name && fields.len() != slots.len() {
            let what = format!(
                "this line has {} fields, the header {}",
                fields.len(),
                slots.len()
            );
            sink.malformed(records.start, &what)?;
            continue;
        }
        sink.begin_row(records.start);
        for (slot, field) in slots.iter().zip(fields.iter()) {
            if !slot.is_idle() {
                sink.set_text(*slot, field);
            }
        }
        sink.end_row()?;
    }
    Ok(())
}

/// What to do with each field, from the header.
///
/// A name is a column's as the schema writes it; with a type behind a colon;
/// as the portal writes times, `TimeGenerated [UTC]`; or as a display name,
/// `Device name`, when only case and blanks differ.
fn columns(records: &Records<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<Slot>, RuntimeError> {
    let schema = sink.source.schema.clone();
    let fold = |name: &str| {
        let letters = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let names: Vec<&str> = records.fields.iter().map(str::trim).collect();
    let known = |name: &str| schema.index_of(name).is_some();
    let mut found = false;
    let mut slots = Vec::with_capacity(names.len());
    for name in &names {
        let (name, said) = match name.rsplit_once(':') {
            Some((base, ty)) if !known(name) && Type::parse(ty.trim()).is_some() => {
                (base.trim_end(), Type::parse(ty.trim()))
            }
            _ => (*name, None),
        };
        let name = match name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
            Some((base, _)) if !known(name) => base.trim_end(),
            _ => name,
        };
        // Only a column that no other field of the header names exactly.
        let column = schema
            .columns()
            .iter()
            .map(|column| &*column.name)
            .find(|column| {
                *column == name || (!known(name) && !names.contains(column) && fold(column) == fold(name))
            });
        found |= column.is_some();
        slots.push(sink.slot_as(column.unwrap_or(name), said));
    }
    if found || schema.is_open() || schema.is_empty() || slots.iter().any(|slot| !slot.is_idle()) {
        return Ok(slots);
    }
    let shown = names.iter().take(3).map(|name| json::shown(name.as_bytes()));
    Err(RuntimeError::new(
        Code::MALFORMED_INPUT,
        format!(
            "{}:{}: the first line should name the columns, but none of {}{} is a column of {}",
            sink.source.label,
            records.start,
            shown.collect::<Vec<_>>().join(", "),
            if names.len() > 3 { " and the rest" } else { "" },
            sink.source
                .table
                .map_or_else(|| "the table".to_owned(), |table| format!("`{table}`")),
        ),
    ))
}

struct Records<'r, 't> {
    text: &'r mut Text<'t>,
    separator: char,
    /// The line on which the record starts.
    start: u64,
    line: Vec<u8>,
    /// Lines to be read once more: their place in the bytes, the number of the
    /// first, the bytes.
    again: Option<(usize, u64, Vec<u8>)>,
    /// Whether fields may no longer go over several lines.
    single_lines: bool,
    fields: Fields,
    /// Whether the fields are to be given once more.
    kept: bool,
}

impl Records<'_, '_> {
    /// Excel may say in a line of its own what separates the fields.
    fn directive(&mut self) -> Result<(), RuntimeError> {
        if !self.text.line(&mut self.line)? {
            return Ok(());
        }
        match self.line.trim_ascii_end().strip_prefix(b"sep=") {
            Some([separator]) if separator.is_ascii() => self.separator = char::from(*separator),
            _ => self.again = Some((0, 1, std::mem::take(&mut self.line))),
        }
        Ok(())
    }

    /// The next line, from those to be read again or from the file.
    fn next_line(&mut self) -> Result<bool, RuntimeError> {
        if let Some((at, number, bytes)) = &mut self.again {
            if let Some(line) = bytes[*at..].split_inclusive(|byte| *byte == b'\n').next() {
                self.line.clear();
                self.line.extend_from_slice(line);
                *at += line.len();
                self.start = *number;
                *number += 1;
                return Ok(true);
            }
            self.again = None;
        }
        self.start = self.text.line_number();
        self.text.line(&mut self.line)
    }

    /// Reads the next record that is one; false at the end.
    fn next(&mut self, sink: &mut Sink<'_>) -> Result<bool, RuntimeError> {
        if std::mem::take(&mut self.kept) {
            return Ok(true);
        }
        while self.next_line()? {
            let start = self.start;
            if self.line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                continue;
            }
            self.fields.clear();
            let mut given = self.fields.give(&self.line, self.separator);
            // The lines of a field behind the first, in case it never ends.
            let mut behind = Vec::new();
            let mut held = sink.source.memory.growing("read");
            while given == Given::Open && !self.single_lines && self.next_line()? {
                held.add(2 * self.line.len()).map_err(|error| {
                    let place = format!("{}:{start}", sink.source.label);
                    let message = format!("{place}: a quoted field goes on and on: {}", error.message);
                    RuntimeError::new(error.code, message)
                })?;
                behind.extend_from_slice(&self.line);
                given = self.fields.give(&self.line, self.separator);
            }
            self.start = start;
            let what = match given {
                Given::Whole => return Ok(true),
                Given::Open => "a quoted field has no end",
                Given::Torn => "text follows the end of a quoted field",
                Given::NotUtf8 => "this line is not UTF-8",
            };
            sink.malformed(start, what)?;
            if given == Given::Open && !self.single_lines {
                // Everything behind the quote has been swallowed: line by line
                // it makes more sense.
                self.single_lines = true;
                self.again = Some((0, start + 1, behind));
            }
        }
        Ok(false)
    }
}

/// What a record is after another line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Whole,
    /// A quoted field goes on in the next line.
    Open,
    Torn,
    NotUtf8,
}

/// The fields of one record, one behind the other.
#[derive(Debug, Default)]
struct Fields {
    text: String,
    ends: Vec<usize>,
    open: bool,
}

impl Fields {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.open = false;
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let places = starts.zip(&self.ends);
        places.map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// Adds a line with its line break.
    fn give(&mut self, line: &[u8], separator: char) -> Given {
        let Ok(mut rest) = std::str::from_utf8(line) else {
            return Given::NotUtf8;
        };
        loop {
            if self.open {
                let Some((part, tail)) = rest.split_once('"') else {
                    self.text.push_str(rest);
                    return Given::Open;
                };
                self.text.push_str(part);
                rest = tail;
                if let Some(more) = rest.strip_prefix('"') {
                    self.text.push('"');
                    rest = more;
                    continue;
                }
                self.open = false;
            } else if let Some(quoted) = rest.strip_prefix('"') {
                self.open = true;
                rest = quoted;
                continue;
            } else {
                let end = rest.find(separator).unwrap_or_else(|| {
                    let line = rest.strip_suffix('\n').unwrap_or(rest);
                    line.strip_suffix('\r').unwrap_or(line).len()
                });
                self.text.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            self.ends.push(self.text.len());
            match rest {
                "" | "\n" | "\r\n" => return Given::Whole,
                _ => match rest.strip_prefix(separator) {
                    Some(more) => rest = more,
                    None => return Given::Torn,
                },
            }
        }
    }
}
