//! Text that is no table: every line a row, or the whole file one.

use super::Header;
use super::sink::Sink;
use super::text::Text;
use crate::error::RuntimeError;

/// Each line is the first column of a row.
pub(super) fn lines(text: &mut Text<'_>, header: Header, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut line = Vec::new();
    let mut skip = header == Header::Ignored;
    loop {
        let number = text.line_number();
        if !text.line(&mut line)? {
            return Ok(());
        }
        if std::mem::take(&mut skip) {
            continue;
        }
        let content = line.strip_suffix(b"\n").unwrap_or(&line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        row(content, number, sink)?;
    }
}

/// The whole file is the first column of one row.
pub(super) fn whole(text: &mut Text<'_>, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut content = Vec::new();
    text.rest(&mut content)?;
    row(&content, 1, sink)
}

fn row(content: &[u8], line: u64, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    sink.begin_row(line);
    let Ok(content) = std::str::from_utf8(content) else {
        return sink.malformed(line, "this is not UTF-8");
    };
    let first = sink
        .source
        .schema
        .columns()
        .first()
        .map(|column| column.name.clone());
    if let Some(name) = first {
        let slot = sink.slot(&name);
        sink.set_text(slot, content);
    }
    sink.end_row()
}
