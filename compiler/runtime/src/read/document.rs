//! JSON documents: arrays of rows, and exports that wrap them.
//!
//! In: text. Out: rows, one at a time, so that a document of any length needs
//! the memory of its longest row. Understood are an array of objects; objects
//! with such an array under one of a few keys, as Defender and Azure answer;
//! `{"tables":[{"columns":[…],"rows":[[…]]}]}` of Log Analytics, of which the
//! first table counts; and objects one after the other over several lines.

use super::json::{self, Rows};
use super::sink::{Sink, Slot};
use super::text::Text;
use crate::error::RuntimeError;

/// Keys under which exports keep an array of rows. Sources: the advanced
/// hunting API (`Results`; `results` in Microsoft Graph), pages of Azure's
/// APIs (`value`), and what diagnostic settings send to event hubs (`records`).
const WRAPPERS: [&[u8]; 4] = [b"\"Results\"", b"\"results\"", b"\"value\"", b"\"records\""];

/// Keys under which Log Analytics and Kusto keep tables.
const TABLES: [&[u8]; 2] = [b"\"tables\"", b"\"Tables\""];

/// Whether a text that begins with an object is the start of a document, and
/// not of one event a line. `line` is its first line, or the beginning of it.
pub(super) fn is_document(line: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut key: &[u8] = &[];
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(line, at);
                if depth == 1 {
                    key = &line[at..end];
                }
                at = end;
                continue;
            }
            b'[' if depth == 1 => {
                let next = line[at + 1..].trim_ascii_start().first();
                let rows = WRAPPERS.contains(&key) && matches!(next, Some(b'{' | b']') | None);
                let tables = TABLES.contains(&key) && matches!(next, Some(b'{') | None);
                if rows || tables {
                    return true;
                }
                depth += 1;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    // The line holds a whole object: an event.
                    return false;
                }
            }
            _ => {}
        }
        at += 1;
    }
    // A document goes on after an opening bracket or a comma; an event does not.
    matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b',')) && line.ends_with(b"\n")
}

/// The place after a string that starts at a quote.
fn end_of_string(text: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Reads a whole document, or several.
pub(super) fn read(text: &mut Text<'_>, sink: &mut Sink<'_>) -> Result<(), RuntimeError> {
    let mut reader = Reader {
        text,
        sink,
        rows: Rows::default(),
        buffer: Vec::new(),
    };
    while let Some(byte) = reader.text.peek()? {
        let line = reader.text.line_number();
        match byte {
            b'[' => {
                reader.text.pass();
                reader.array(&mut |reader, row, line| reader.rows.object(row, line, reader.sink))?;
            }
            b'{' => {
                reader.text.pass();
                reader.object(line)?;
            }
            _ => {
                reader.text.value(&mut reader.buffer)?;
                let what = format!(
                    "{} is in place of an object or an array",
                    json::shown(&reader.buffer)
                );
                reader.sink.malformed(line, &what)?;
            }
        }
    }
    Ok(())
}

type OnRow<'f> = dyn FnMut(&mut Reader<'_, '_, '_>, &[u8], u64) -> Result<(), RuntimeError> + 'f;

struct Reader<'r, 't, 's> {
    text: &'r mut Text<'t>,
    sink: &'r mut Sink<'s>,
    rows: Rows,
    buffer: Vec<u8>,
}

impl Reader<'_, '_, '_> {
    /// The file ends where it should not.
    fn cut(&mut self, line: u64, what: &str) -> Result<(), RuntimeError> {
        if self.text.stopped().is_some() {
            // Why it ends has been said already.
            return Ok(());
        }
        self.sink
            .malformed(line, &format!("the file ends {what}, so it is cut off"))
    }

    /// The elements of an array whose bracket has been passed.
    fn array(&mut self, row: &mut OnRow<'_>) -> Result<(), RuntimeError> {
        let mut comma = None;
        loop {
            let byte = self.text.peek()?;
            let line = self.text.line_number();
            match byte {
                None => return self.cut(line, "before its array does"),
                Some(b']') => {
                    self.text.pass();
                    return match comma {
                        Some(line) => self.sink.malformed(line, "nothing follows this comma but `]`"),
                        None => Ok(()),
                    };
                }
                _ => {}
            }
            let mut element = std::mem::take(&mut self.buffer);
            let whole = self.text.value(&mut element)?;
            if !whole {
                return self.cut(line, "in the middle of the row that starts here");
            }
            let done = row(self, &element, line);
            self.buffer = element;
            done?;
            let next = self.text.peek()?;
            comma = (next == Some(b',')).then(|| self.text.line_number());
            match next {
                Some(b',') => self.text.pass(),
                None | Some(b']') => {}
                Some(_) => {
                    let line = self.text.line_number();
                    self.sink.malformed(line, "a comma is missing between two rows")?;
                }
            }
        }
    }

    /// An object whose bracket has been passed: an event, or rows with a wrap.
    fn object(&mut self, line: u64) -> Result<(), RuntimeError> {
        let mut event = vec![b'{'];
        let mut wrapped = false;
        loop {
            match self.text.peek()? {
                None => return self.cut(line, "in the middle of the object that starts here"),
                Some(b'}') => {
                    self.text.pass();
                    event.push(b'}');
                    return if wrapped {
                        Ok(())
                    } else {
                        self.rows.object(&event, line, self.sink)
                    };
                }
                Some(b'"') => {
                    let key = event.len();
                    if !self.text.more_of_value(&mut event, 0)? {
                        continue;
                    }
                    if self.text.peek()? != Some(b':') {
                        continue;
                    }
                    self.text.pass();
                    let name = event[key..].to_vec();
                    event.push(b':');
                    if self.text.peek()? == Some(b'[') {
                        self.text.pass();
                        let next = self.text.peek()?;
                        if WRAPPERS.contains(&&*name) && matches!(next, Some(b'{' | b']')) {
                            wrapped = true;
                            self.array(&mut |reader, row, line| reader.rows.object(row, line, reader.sink))?;
                        } else if TABLES.contains(&&*name) && next == Some(b'{') {
                            wrapped = true;
                            self.tables()?;
                        } else {
                            event.push(b'[');
                            self.text.more_of_value(&mut event, 1)?;
                        }
                    } else {
                        self.text.more_of_value(&mut event, 0)?;
                    }
                }
                // A comma, or what the parser of the whole will stumble over.
                Some(_) => {
                    self.text.more_of_value(&mut event, 0)?;
                }
            }
            if wrapped {
                event.truncate(1);
            }
        }
    }

    /// The tables of an answer, the bracket around them having been passed.
    fn tables(&mut self) -> Result<(), RuntimeError> {
        let mut first = true;
        loop {
            let byte = self.text.peek()?;
            let line = self.text.line_number();
            match byte {
                None => return self.cut(line, "before its tables do"),
                Some(b']') => {
                    self.text.pass();
                    return Ok(());
                }
                Some(b'{') if first => {
                    first = false;
                    self.text.pass();
                    self.table(line)?;
                }
                Some(_) => {
                    // Further tables hold statistics and pictures of the answer.
                    self.text.value(&mut Vec::new())?;
                }
            }
        }
    }

    /// `{"columns":[{"name","type"}],"rows":[[…]]}`, its bracket passed.
    fn table(&mut self, line: u64) -> Result<(), RuntimeError> {
        let mut slots: Option<Vec<Slot>> = None;
        let mut early: Option<(Vec<u8>, u64)> = None;
        let mut seen = false;
        let mut part = Vec::new();
        loop {
            match self.text.peek()? {
                None => return self.cut(line, "in the middle of its table"),
                Some(b'}') => {
                    self.text.pass();
                    break;
                }
                Some(b',' | b':') => {
                    self.text.pass();
                    continue;
                }
                Some(_) => {}
            }
            if !self.text.value(&mut part)? || self.text.peek()? != Some(b':') {
                continue;
            }
            self.text.pass();
            let next = self.text.peek()?;
            let start = self.text.line_number();
            match (&*part, next) {
                (b"\"columns\"" | b"\"Columns\"", _) => {
                    if self.text.value(&mut part)? {
                        slots = json::export_columns(&part, self.sink);
                    }
                }
                (b"\"rows\"" | b"\"Rows\"", Some(b'[')) => {
                    seen = true;
                    if let Some(slots) = &slots {
                        self.text.pass();
                        self.array(&mut |reader, row, line| json::cells(row, line, slots, reader.sink))?;
                    } else {
                        let mut rows = Vec::new();
                        self.text.value(&mut rows)?;
                        early = Some((rows, start));
                    }
                }
                _ => {
                    self.text.value(&mut part)?;
                }
            }
        }
        let Some(slots) = slots.filter(|_| seen) else {
            return self.sink.malformed(line, "the table has no columns or no rows");
        };
        let Some((rows, start)) = early else {
            return Ok(());
        };
        // The rows came first; now that the columns are known they can be read.
        let mut rest = &rows[..];
        let mut text = Text::at_line(&mut rest, self.sink.source, start);
        let mut inner = Reader {
            text: &mut text,
            sink: self.sink,
            rows: Rows::default(),
            buffer: Vec::new(),
        };
        inner.text.pass();
        inner.array(&mut |reader, row, line| json::cells(row, line, &slots, reader.sink))
    }
}

#[cfg(test)]
mod tests {
    use super::is_document;

    #[test]
    fn documents_and_events() {
        for document in [
            "{\"Stats\":{\"a\":[1]},\"Results\":[{\"a\":1}]}",
            "{\"value\":[]}",
            "{\"tables\":[{\"name\":\"PrimaryResult\",",
            "{\n",
            "{\"a\": 1,\r\n",
            "{ \"Results\": [\n",
        ] {
            assert!(is_document(document.as_bytes()), "{document}");
        }
        for event in [
            "{\"a\":1}\n",
            "{\"value\":[1,2]}",
            "{\"a\":{\"Results\":[{}]}}",
            "{\"a\":\"}\\\"Results\\\":[\",\"b\":[{}]}",
            "{\"FileName\":\n",
            "{\"a\":\"x",
            "{\"tables\":[\"a\"]}\n",
            "{\"a\":1",
        ] {
            assert!(!is_document(event.as_bytes()), "{event}");
        }
    }
}
