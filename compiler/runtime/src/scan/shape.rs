//! Where in a line the wanted fields are.
//!
//! Exports repeat the same keys in the same order. The first line of a shape is
//! walked through; for every further one, each colon is checked to follow the
//! same key as then, eight bytes at a time, and the fields are where they were.
//! A line of another shape is walked through and remembered, one that is no
//! flat object is walked through every time, and one that cannot be walked
//! through is left to the reader of JSON.
//!
//! In: text, a line's [`Marks`](super::lanes::Marks), names. Out: the raw bytes
//! of the named fields. Deliberately absent: what the bytes mean.

use std::ops::Range;
use std::sync::Arc;

use super::lanes::{MOST, Marker, Marks};
use super::tails::{TAIL, Tails, before, word};

/// Shapes that are remembered. Exports that leave out empty fields have many.
const SHAPES: usize = 64;

/// One line found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing but blanks.
    Blank,
    /// An object whose fields were found.
    Object,
    /// Something else, or an object written in a way that only a reader of
    /// JSON understands.
    Other,
}

/// Finds fields line by line.
#[derive(Debug)]
pub(super) struct Fields {
    marker: Marker,
    names: Arc<[Box<str>]>,
    shapes: Vec<Shape>,
    /// The shape of the line before.
    last: usize,
    marks: Marks,
    /// How many of the names are looked for in every line; the others when asked.
    first: usize,
    /// The raw value of each name in the line; empty where it has none.
    found: Vec<Range<usize>>,
    /// Where the line starts, if only its first names have been looked for.
    partial: Option<usize>,
    /// The keys of a line being walked through.
    keys: Vec<Field>,
    /// How often shapes have been thrown away.
    forgotten: usize,
}

/// A field as a walk finds it.
#[derive(Clone, Debug)]
struct Field {
    /// The key without its quotes.
    key: Range<usize>,
    colon: usize,
    value: Range<usize>,
}

/// The keys of a flat object, in order.
#[derive(Debug)]
struct Shape {
    tails: Tails,
    /// Keys that must be looked at whole: those that end like one of the first
    /// names, themselves included, and those that end like another.
    whole: [Vec<Whole>; 2],
    /// For each name its key, and the length of the key after it with quotes; 0 for the last.
    wanted: Vec<Option<(u32, u32)>>,
}

/// A key of which each byte counts.
#[derive(Debug)]
struct Whole {
    /// Which of the line's colons it is before.
    place: u32,
    /// How many bytes it has with its quotes.
    length: u32,
    /// What stands before its tail, from its end on, word by word, and which bits of them count.
    words: Box<[(u64, u64)]>,
}

impl Fields {
    /// Will find the fields of these names: the first ones of each line at
    /// once, the others of lines that [`Fields::complete`] is called for.
    pub(super) fn new(names: Arc<[Box<str>]>, first: usize, marker: Marker) -> Self {
        Self {
            marker,
            first,
            partial: None,
            found: vec![0..0; names.len()],
            names,
            shapes: Vec::new(),
            last: 0,
            marks: Marks::default(),
            keys: Vec::new(),
            forgotten: 0,
        }
    }

    /// Reads the line that starts at `from`; what it is, and where it ends
    /// without its line feed.
    #[inline]
    pub(super) fn line(&mut self, text: &[u8], from: usize) -> (Line, usize) {
        self.marker.line(text, from, &mut self.marks);
        let end = self.marks.end;
        if self.recall(text, from) {
            return (Line::Object, end);
        }
        let line = text[from..end].trim_ascii();
        if line.is_empty() {
            return (Line::Blank, end);
        }
        if self.walk(text, from, end) {
            (Line::Object, end)
        } else {
            (Line::Other, end)
        }
    }

    /// Finds the names of the line last read that have not been looked for.
    /// False where only a reader of JSON can tell.
    pub(super) fn complete(&mut self, text: &[u8]) -> bool {
        let Some(from) = self.partial.take() else {
            return true;
        };
        let shape = &self.shapes[self.last];
        shape.are_whole(text, from, &self.marks, 1)
            && shape.find(text, &self.marks, self.first..self.names.len(), &mut self.found)
            || self.walk(text, from, self.marks.end)
    }

    /// The raw value of a name in the line last read; none where the line does not have it.
    #[inline]
    pub(super) fn raw<'t>(&self, text: &'t [u8], name: usize) -> Option<&'t [u8]> {
        let range = self.found[name].clone();
        if range.is_empty() {
            return None;
        }
        text.get(range)
    }

    /// Whether the line has a shape that is known; then its fields are found.
    fn recall(&mut self, text: &[u8], from: usize) -> bool {
        if self.marks.opens != 1 || !self.marks.closed {
            return false;
        }
        // The shape of the line before first: nearly always it is that one.
        let others = (0..self.shapes.len()).filter(|place| *place != self.last);
        for place in std::iter::once(self.last).chain(others) {
            let Some(shape) = self.shapes.get(place) else {
                return false;
            };
            if shape.fits(text, from, &self.marks)
                && shape.find(text, &self.marks, 0..self.first, &mut self.found)
            {
                self.last = place;
                self.partial = (self.first < self.names.len()).then_some(from);
                return true;
            }
        }
        false
    }

    /// Goes through a line byte by byte.
    fn walk(&mut self, text: &[u8], from: usize, end: usize) -> bool {
        self.keys.clear();
        self.partial = None;
        if !walk(text, from, end, &mut self.keys) {
            return false;
        }
        for (found, name) in self.found.iter_mut().zip(self.names.iter()) {
            // The last of several equal keys counts.
            let named = self
                .keys
                .iter()
                .rev()
                .find(|field| text[field.key.clone()] == *name.as_bytes());
            *found = named.map_or(0..0, |field| field.value.clone());
        }
        if let Some(shape) = Shape::of(text, &self.keys, &self.names, self.first, &self.marks) {
            if self.shapes.len() == SHAPES {
                // Where every line is new, remembering only costs.
                self.forgotten += 1;
                if self.forgotten > SHAPES {
                    return true;
                }
                self.shapes.clear();
            }
            self.last = self.shapes.len();
            self.shapes.push(shape);
        }
        true
    }
}

impl Whole {
    /// Without its quotes.
    fn new(place: usize, key: &[u8]) -> Self {
        let quoted: Vec<u8> = [b"\"", key, b"\""].concat();
        let before_tail = quoted.len().saturating_sub(TAIL + 1);
        let words = quoted[..before_tail].rchunks(TAIL + 1);
        Self {
            place: place as u32,
            length: quoted.len() as u32,
            words: words.map(|bytes| word(bytes.iter().rev())).collect(),
        }
    }

    /// Whether it is before a colon, its tail being there.
    #[inline]
    fn is_before(&self, text: &[u8], from: usize, colon: usize) -> bool {
        let mut end = colon;
        self.words.iter().all(|(bytes, mask)| {
            end = end.wrapping_sub(TAIL + 1);
            before(text, end).is_some_and(|there| (there ^ bytes) & mask == 0)
        }) && colon
            .checked_sub(self.length as usize)
            .is_some_and(|quote| starts_key(text, from, quote))
    }
}

impl Shape {
    /// The shape of a line, if lines like it can be recalled.
    fn of(text: &[u8], keys: &[Field], names: &[Box<str>], first: usize, marks: &Marks) -> Option<Self> {
        let flat = marks.opens == 1 && marks.closed && marks.count == keys.len() && keys.len() <= MOST;
        let plain = |field: &Field| {
            let key = &text[field.key.clone()];
            field.colon == field.key.end + 1 && !key.contains(&b'\\')
        };
        if !flat || keys.is_empty() || !keys.iter().all(plain) {
            return None;
        }
        let key = |field: &Field| &text[field.key.clone()];
        // With the same key twice, which one counts cannot be told from the shape.
        let place = |name: &str| {
            let mut places = keys
                .iter()
                .enumerate()
                .filter(|(_, field)| key(field) == name.as_bytes());
            let first = places.next().map(|(place, _)| place);
            (first, places.next().is_some())
        };
        let mut wanted = Vec::with_capacity(names.len());
        for name in names {
            let (place, again) = place(name);
            if again {
                return None;
            }
            wanted.push(place.map(|place| {
                let next = keys.get(place + 1).map_or(0, |field| field.key.len() as u32 + 2);
                (place as u32, next)
            }));
        }
        // What stands in front of a tail may be written with escapes, whose last
        // four digits may then be taken for letters of the key.
        let ends_alike = |key: &[u8], names: &[Box<str>]| {
            let mut end = &key[key.len().saturating_sub(TAIL)..];
            let digits = end.iter().take_while(|b| b.is_ascii_hexdigit()).count().min(4);
            if key.len() >= TAIL {
                end = &end[digits..];
            }
            names.iter().any(|name| name.as_bytes().ends_with(end))
        };
        let whole = [&names[..first], &names[first..]].map(|names| {
            keys.iter()
                .enumerate()
                .filter(|(_, field)| ends_alike(key(field), names))
                .map(|(place, field)| Whole::new(place, key(field)))
                .collect()
        });
        let tails = Tails::new(keys.iter().map(key));
        Some(Self { tails, whole, wanted })
    }

    /// Whether a line has these keys in this order, each once, as far as the
    /// first names are concerned.
    #[inline]
    fn fits(&self, text: &[u8], from: usize, marks: &Marks) -> bool {
        if marks.count != self.tails.count() {
            return false;
        }
        let line = &text[from..marks.end];
        let is_object = |line: &[u8]| line.first() == Some(&b'{') && line.last() == Some(&b'}');
        (is_object(line) || is_object(line.trim_ascii()))
            && self.tails.fit(text, &marks.colons)
            && self.are_whole(text, from, marks, 0)
    }

    /// Whether keys that end like one of the first names, or of the others, are
    /// what they were, from their first byte on.
    #[inline]
    fn are_whole(&self, text: &[u8], from: usize, marks: &Marks, which: usize) -> bool {
        self.whole[which]
            .iter()
            .all(|key| key.is_before(text, from, marks.colons[key.place as usize] as usize))
    }

    /// Finds the fields of some names in a line that fits.
    #[inline]
    fn find(&self, text: &[u8], marks: &Marks, names: Range<usize>, found: &mut [Range<usize>]) -> bool {
        let colons = &marks.colons[..self.tails.count()];
        for (wanted, found) in self.wanted[names.clone()].iter().zip(&mut found[names]) {
            let Some((place, next)) = *wanted else {
                *found = 0..0;
                continue;
            };
            let start = colons[place as usize] as usize + 1;
            // The value goes up to the comma before the next key, or to the brace.
            let (end, closing) = match colons.get(place as usize + 1) {
                Some(colon) => {
                    let key = (*colon as usize).wrapping_sub(next as usize);
                    if text.get(key) != Some(&b'"') {
                        return false;
                    }
                    (key, b',')
                }
                None => (marks.end, b'}'),
            };
            let Some(value) = text.get(start..end) else {
                return false;
            };
            // Most exports have no blanks between what counts.
            if let [.., last, closed] = value
                && value[0].min(*last) > b' '
                && *closed == closing
            {
                *found = start..end - 1;
                continue;
            }
            let value = value.trim_ascii_end();
            if value.last() != Some(&closing) {
                return false;
            }
            let value = value[..value.len() - 1].trim_ascii_end();
            let blanks = value.len() - value.trim_ascii_start().len();
            if blanks == value.len() {
                return false;
            }
            *found = start + blanks..start + value.len();
        }
        true
    }
}

/// Whether a quote opens a key: a comma or the object's brace stands before it. Within a string, a
/// quote has a backslash before it.
fn starts_key(text: &[u8], from: usize, quote: usize) -> bool {
    let opens = |line: &[u8]| matches!(line.last(), Some(b',' | b'{'));
    text.get(from..quote)
        .is_some_and(|line| opens(line) || opens(line.trim_ascii_end()))
}

/// Goes through one object on one line. False where it is not what it should be, or where a key is
/// written with escapes. Values are only skipped: whether they are right is for whoever reads them.
fn walk(text: &[u8], from: usize, end: usize, fields: &mut Vec<Field>) -> bool {
    let mut walker = Walker {
        text: &text[..end],
        at: from,
    };
    walker.blanks();
    if !walker.take(b'{') {
        return false;
    }
    walker.blanks();
    if !walker.take(b'}') {
        loop {
            walker.blanks();
            let Some(key) = walker.string() else { return false };
            if text[key.clone()].contains(&b'\\') {
                return false;
            }
            walker.blanks();
            let colon = walker.at;
            if !walker.take(b':') {
                return false;
            }
            walker.blanks();
            let start = walker.at;
            if !walker.value() {
                return false;
            }
            fields.push(Field {
                key,
                colon,
                value: start..walker.at,
            });
            walker.blanks();
            if walker.take(b'}') {
                break;
            }
            if !walker.take(b',') {
                return false;
            }
        }
    }
    walker.blanks();
    walker.at == end
}

struct Walker<'t> {
    text: &'t [u8],
    at: usize,
}

impl Walker<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// A string; where its content is.
    fn string(&mut self) -> Option<Range<usize>> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        loop {
            let ahead = memchr::memchr2(b'"', b'\\', self.text.get(self.at..)?)?;
            self.at += ahead;
            if self.take(b'"') {
                return Some(start..self.at - 1);
            }
            self.at += 2;
        }
    }

    /// Any value, not looked into: depth is counted, not recursed into.
    fn value(&mut self) -> bool {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => {
                    if self.string().is_none() {
                        return false;
                    }
                }
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':' | b' ' | b'\t' | b'\r') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.') => {
                    while self
                        .peek()
                        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'))
                    {
                        self.at += 1;
                    }
                }
                _ => return false,
            }
            if depth == 0 {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The raw values of `names` in each line, through shapes where it can be.
    fn raw(names: &[&str], text: &str) -> Vec<Option<Vec<Option<String>>>> {
        let names: Arc<[Box<str>]> = names.iter().map(|name| Box::from(*name)).collect();
        let mut fields = Fields::new(names.clone(), 1, Marker::new());
        let (mut at, mut rows) = (0, Vec::new());
        while at < text.len() {
            let (line, end) = fields.line(text.as_bytes(), at);
            let complete = line == Line::Object && fields.complete(text.as_bytes());
            rows.push(complete.then(|| {
                let values = (0..names.len()).map(|name| fields.raw(text.as_bytes(), name));
                values
                    .map(|raw| raw.map(|raw| String::from_utf8_lossy(raw).into_owned()))
                    .collect()
            }));
            at = end + 1;
        }
        rows
    }

    #[allow(clippy::unnecessary_wraps, reason = "it stands beside lines without fields")]
    fn values(values: &[Option<&str>]) -> Option<Vec<Option<String>>> {
        Some(values.iter().map(|value| value.map(str::to_owned)).collect())
    }

    #[test]
    fn fields_by_shape() {
        let text = concat!(
            r#"{"Timestamp":"t","Name":"a","Other":{},"Id":1}"#,
            "\n",
            r#"{"Timestamp":"t:","Name":"a\",\"b:","Other":[],"Id": 2 }"#,
            "\n",
            r#"{"Timestamp":"t","Name":"a","Name":"b","Id":3}"#,
            "\n",
            r#"{"Timestamp":"t","\u004eame":"c","Other":0,"Id":4}"#,
            "\n",
            r#"{"Id":5,"Name":{"Id":6}}"#,
            "\n",
            r#"{"Timestamp":"t","Name":"a","Other":0,"Id":7"#,
            "\n",
        );
        assert_eq!(
            raw(&["Name", "Id"], text),
            [
                values(&[Some("\"a\""), Some("1")]),
                values(&[Some(r#""a\",\"b:""#), Some("2")]),
                values(&[Some("\"b\""), Some("3")]),
                None,
                values(&[Some(r#"{"Id":6}"#), Some("5")]),
                None,
            ]
        );
    }

    #[test]
    fn keys_that_end_alike() {
        // The key of the second line is `eName`, written so that it ends as `DeviceName` does.
        let text = concat!(
            "{\"Timestamp\":1,\"DeviceName\":2,\"Z\":3}\n",
            "{\"Timestamp\":1,\"\\u0065Name\":2,\"Z\":3}\n",
            "{\"Timestamp\":1,\"XeviceName\":2,\"Z\":3}\n",
        );
        assert_eq!(
            raw(&["eName", "Z"], text),
            [values(&[None, Some("3")]), None, values(&[None, Some("3")]),]
        );
    }
}
