//! Text as it comes from a file: lines, and the values of a JSON document.
//!
//! In: bytes in whatever pieces they come. Out: one line, or the text of one
//! value, at a time, with the number of its line. Only that much is held, and
//! counted where it is much. Deliberately absent: what the text means.

use std::io::{BufRead, ErrorKind};

use memchr::{memchr, memchr_iter, memchr2};

use super::Source;
use crate::error::{Code, RuntimeError};
use crate::memory::Reservation;

/// From how many bytes on a line or value counts against the budget, and its
/// buffer is not kept.
const LARGE: usize = 16 << 20;

/// A file's text, read once from its start to its end.
pub(super) struct Text<'a> {
    input: &'a mut dyn BufRead,
    source: &'a Source<'a>,
    /// Line breaks passed so far.
    breaks: u64,
    /// Why there is no more although the file goes on.
    stopped: Option<String>,
    /// Whether the last line had no line break.
    unfinished: bool,
    held: Option<Reservation>,
}

impl<'a> Text<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead, source: &'a Source<'a>) -> Self {
        Self {
            input,
            source,
            breaks: 0,
            stopped: None,
            unfinished: false,
            held: None,
        }
    }

    /// A part of a file that starts on a line.
    pub(super) fn at_line(input: &'a mut dyn BufRead, source: &'a Source<'a>, line: u64) -> Self {
        Self {
            breaks: line.saturating_sub(1),
            ..Self::new(input, source)
        }
    }

    /// The number of the line that is read next, counted from 1.
    pub(super) fn line_number(&self) -> u64 {
        self.breaks + 1
    }

    /// Whether the file ended in the line that was read last.
    pub(super) fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Why reading stopped before the end of the file, which a lenient reader
    /// survives.
    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Makes sure that bytes are at hand; none at the end.
    fn fill(&mut self) -> Result<&[u8], RuntimeError> {
        while self.stopped.is_none() {
            match self.input.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = match self.breaks {
                        0 => format!("`{}` cannot be read: {error}", self.source.label),
                        lines => format!(
                            "`{}` cannot be read beyond line {lines}: {error}",
                            self.source.label
                        ),
                    };
                    if !self.source.lenient {
                        return Err(RuntimeError::new(Code::INPUT_UNREADABLE, message));
                    }
                    self.stopped = Some(message);
                }
            }
        }
        if self.stopped.is_some() {
            return Ok(&[]);
        }
        // What is at hand already is given again without reading.
        Ok(self.input.fill_buf().unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
    }

    /// Counts what is held while a line or value is large.
    fn hold(&mut self, bytes: usize) -> Result<(), RuntimeError> {
        if bytes > LARGE && self.held.as_ref().is_none_or(|held| held.bytes() < bytes) {
            self.held = None;
            self.held = Some(self.source.memory.reserve("read", bytes.next_power_of_two())?);
        }
        Ok(())
    }

    /// Empties a buffer for the next line or value; a huge one is not kept.
    fn reset(&mut self, buffer: &mut Vec<u8>) {
        buffer.clear();
        self.held = None;
        if buffer.capacity() > LARGE {
            *buffer = Vec::new();
        }
    }

    /// The next line with its line break; false when there is none.
    pub(super) fn line(&mut self, into: &mut Vec<u8>) -> Result<bool, RuntimeError> {
        self.reset(into);
        self.more_of_line(into)
    }

    /// As [`Text::line`], after what the buffer holds already.
    pub(super) fn more_of_line(&mut self, into: &mut Vec<u8>) -> Result<bool, RuntimeError> {
        let before = into.len();
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                self.unfinished = into.len() > before;
                if self.stopped.is_some() {
                    // Half a line from a broken file is not a line.
                    into.truncate(before);
                }
                self.breaks += u64::from(into.len() > before);
                return Ok(into.len() > before);
            }
            if let Some(at) = memchr(b'\n', chunk) {
                into.extend_from_slice(&chunk[..=at]);
                self.consume(at + 1);
                self.breaks += 1;
                return Ok(true);
            }
            let bytes = chunk.len();
            into.extend_from_slice(chunk);
            self.consume(bytes);
            self.hold(into.len())?;
        }
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self, into: &mut Vec<u8>) -> Result<(), RuntimeError> {
        while self.more_of_line(into)? {}
        Ok(())
    }

    /// The next byte that is no blank, which stays where it is.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, RuntimeError> {
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blanks = chunk
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(chunk.len());
            let found = chunk.get(blanks).copied();
            let breaks = memchr_iter(b'\n', &chunk[..blanks]).count();
            self.breaks += breaks as u64;
            self.consume(blanks);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Passes the byte that [`Text::peek`] gave.
    pub(super) fn pass(&mut self) {
        self.consume(1);
    }

    /// The text of the next JSON value; false when the file ends inside it.
    pub(super) fn value(&mut self, into: &mut Vec<u8>) -> Result<bool, RuntimeError> {
        self.reset(into);
        self.more_of_value(into, 0)
    }

    /// As [`Text::value`], after what the buffer holds already: the rest of a
    /// value of which so many brackets are open. Brackets are only counted;
    /// whether they match is for the parser to say.
    pub(super) fn more_of_value(
        &mut self,
        into: &mut Vec<u8>,
        mut open: usize,
    ) -> Result<bool, RuntimeError> {
        if open == 0 {
            match self.peek()? {
                Some(b'{' | b'[' | b'"') => {}
                Some(_) => return self.word(into),
                None => return Ok(false),
            }
        }
        let mut within_text = false;
        let mut escaped = false;
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let mut at = 0;
            let mut done = false;
            while at < chunk.len() && !done {
                if escaped {
                    escaped = false;
                } else if within_text {
                    match memchr2(b'"', b'\\', &chunk[at..]) {
                        None => {
                            at = chunk.len();
                            break;
                        }
                        Some(skipped) => {
                            at += skipped;
                            escaped = chunk[at] == b'\\';
                            within_text = escaped;
                            done = !within_text && open == 0;
                        }
                    }
                } else {
                    match chunk[at] {
                        b'"' => within_text = true,
                        b'{' | b'[' => open += 1,
                        b'}' | b']' => {
                            open -= 1;
                            done = open == 0;
                        }
                        _ => {}
                    }
                }
                at += 1;
            }
            let breaks = memchr_iter(b'\n', &chunk[..at]).count();
            into.extend_from_slice(&chunk[..at]);
            self.breaks += breaks as u64;
            self.consume(at);
            if done {
                return Ok(true);
            }
            self.hold(into.len())?;
        }
    }

    /// A number, a name, or a byte that starts no value at all.
    fn word(&mut self, into: &mut Vec<u8>) -> Result<bool, RuntimeError> {
        let before = into.len();
        loop {
            let chunk = self.fill()?;
            let end = chunk
                .iter()
                .position(|byte| {
                    byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b'[' | b'{' | b'"')
                })
                .unwrap_or(chunk.len());
            let more = end == chunk.len() && !chunk.is_empty();
            // A bracket or comma in place of a value is passed, so that reading gets on.
            let end = end.max(usize::from(into.len() == before && !chunk.is_empty()));
            into.extend_from_slice(&chunk[..end]);
            self.consume(end);
            if !more {
                return Ok(true);
            }
            self.hold(into.len())?;
        }
    }
}
