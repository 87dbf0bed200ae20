//! Results as text: JSON, a table for people, CSV.

use std::io::{self, Write};

use rulec_functions::{Type, Value, json, text};

use crate::batch::Batch;

/// A value as JSON in results: numbers, booleans and dynamic values as they
/// are, everything else as it prints, NaN and the infinities as strings.
pub fn json(value: &Value) -> String {
    json::to_json(value)
}

/// A batch as `{"columns":[{"name","type"}],"rows":[[…]]}`.
pub fn batch_to_json(batch: &Batch) -> String {
    let mut out = String::from("{\"columns\":[");
    for (index, column) in batch.schema().columns().iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        json::write_json(&mut out, &Value::string(&*column.name));
        out.push_str(",\"type\":\"");
        // A column of a table nobody knows holds whatever the data holds.
        out.push_str(if column.ty == Type::Unknown {
            "dynamic"
        } else {
            column.ty.name()
        });
        out.push_str("\"}");
    }
    out.push_str("],\"rows\":[");
    for row in batch {
        if row.index() > 0 {
            out.push(',');
        }
        out.push('[');
        for column in 0..batch.schema().len() {
            if column > 0 {
                out.push(',');
            }
            json::write_json(&mut out, &row.get(column));
        }
        out.push(']');
    }
    out.push_str("]}");
    out
}

/// A batch as a table for people.
pub fn batch_to_table(out: &mut dyn Write, batch: &Batch) -> io::Result<()> {
    let header = batch
        .schema()
        .columns()
        .iter()
        .map(|column| &*column.name)
        .collect::<Vec<_>>();
    let rows = batch
        .iter()
        .map(|row| row.values().iter().map(text::print).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    text_table(out, &header, &rows)
}

/// A batch as CSV with a header.
pub fn batch_to_csv(out: &mut dyn Write, batch: &Batch) -> io::Result<()> {
    let header = batch
        .schema()
        .columns()
        .iter()
        .map(|column| csv_field(&column.name))
        .collect::<Vec<_>>();
    writeln!(out, "{}", header.join(","))?;
    for row in batch {
        let fields = row
            .values()
            .iter()
            .map(|value| csv_field(&text::print(value)))
            .collect::<Vec<_>>();
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

/// Left-aligned columns, two spaces apart, a line under the header; control
/// characters are shown escaped, so that a row stays a line.
pub fn text_table(out: &mut dyn Write, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let rows = rows
        .iter()
        .map(|row| row.iter().map(|cell| visible(cell)).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let mut widths = header.iter().map(|name| name.chars().count()).collect::<Vec<_>>();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            let missing = width.saturating_sub(cell.chars().count()) + 2;
            text.extend(std::iter::repeat_n(' ', missing));
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut header.iter().copied())?;
    let dashes = header
        .iter()
        .map(|name| "-".repeat(name.chars().count()))
        .collect::<Vec<_>>();
    line(&mut dashes.iter().map(String::as_str))?;
    rows.iter()
        .try_for_each(|row| line(&mut row.iter().map(String::as_str)))
}

fn visible(cell: &str) -> String {
    if cell.chars().any(char::is_control) {
        cell.escape_debug().to_string()
    } else {
        cell.to_owned()
    }
}

/// A field of CSV, in quotes where it must be.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
