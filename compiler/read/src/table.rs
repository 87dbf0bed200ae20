//! Pipe tables, line by line, also those that are not quite well-formed.
//!
//! In: the lines of a section. Out: cells with their places. A markdown
//! parser drops the cells that its header does not announce and does not see
//! a table at all when the line below the header has another number of
//! columns; here both are kept, so that they can be named.

use rulec_source::Span;

use crate::outline::trim_span;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    /// The line of the header among the lines it was found in.
    pub(crate) first: usize,
    /// One past its last line.
    pub(crate) end: usize,
    pub(crate) header: Vec<Span>,
    /// Cells of the line below the header; None when there is no such line.
    pub(crate) delimiters: Option<usize>,
    pub(crate) rows: Vec<Row>,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) span: Span,
    pub(crate) cells: Vec<Span>,
}

/// Splits a line into cells, trimmed. A pipe behind a backslash does not
/// separate, and with `code` neither does one within backticks: the markdown
/// of tables knows no such thing, but their authors hope for it.
pub(crate) fn cells(text: &str, line: Span, code: bool) -> Vec<Span> {
    let cells = split(text, trim_span(text, line), code);
    cells.into_iter().map(|cell| trim_span(text, cell)).collect()
}

/// As [`cells`], with the blanks around each.
pub(crate) fn split(text: &str, line: Span, code: bool) -> Vec<Span> {
    let source = line.of(text);
    let bytes = source.as_bytes();
    let start = line.start as usize;
    let mut cells = Vec::new();
    let mut at = usize::from(bytes.first() == Some(&b'|'));
    let mut from = at;
    let mut in_code = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'`' if code => in_code = !in_code && source[at + 1..].contains('`'),
            b'|' if !in_code => {
                cells.push(Span::new(start + from, start + at));
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if from < bytes.len() || cells.is_empty() {
        cells.push(Span::new(start + from.min(bytes.len()), start + bytes.len()));
    }
    cells
}

/// Whether a line is the one between header and rows; then its number of cells.
pub(crate) fn delimiter_row(line: &str) -> Option<usize> {
    let line = line.trim();
    if !line.contains('-') || !line.contains('|') {
        return None;
    }
    if !line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t')) {
        return None;
    }
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let mut count = 0;
    for cell in inner.split('|') {
        if !cell.contains('-') {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Finds the tables among `lines`. `usable` says which lines may belong to one.
pub(crate) fn find(text: &str, lines: &[Span], usable: impl Fn(usize) -> bool) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut at = 0;
    let row = |i: usize| {
        lines
            .get(i)
            .is_some_and(|line| usable(i) && line.of(text).contains('|') && !is_rule(line.of(text)))
    };
    while at < lines.len() {
        let piped = |i: usize| row(i) && lines[i].of(text).trim_start().starts_with('|');
        let delimiters = lines
            .get(at + 1)
            .filter(|_| usable(at + 1))
            .and_then(|line| delimiter_row(line.of(text)));
        let is_header = row(at) && delimiter_row(lines[at].of(text)).is_none();
        // Without a line of dashes two lines that begin with a pipe have to do.
        let starts = is_header && (delimiters.is_some() || (piped(at) && piped(at + 1)));
        if !starts {
            at += 1;
            continue;
        }
        let first = at;
        let header = cells(text, lines[at], false);
        at += if delimiters.is_some() { 2 } else { 1 };
        let mut rows = Vec::new();
        while row(at) {
            if delimiter_row(lines[at].of(text)).is_none() {
                let mut row = cells(text, lines[at], false);
                if row.len() > header.len() {
                    let hoped = cells(text, lines[at], true);
                    if hoped.len() <= header.len() {
                        row = hoped;
                    }
                }
                rows.push(Row {
                    span: trim_span(text, lines[at]),
                    cells: row,
                });
            }
            at += 1;
        }
        tables.push(Table {
            first,
            end: at,
            header,
            delimiters,
            rows,
        });
    }
    tables
}

/// A thematic break.
pub(crate) fn is_rule(line: &str) -> bool {
    let mut marks = line.chars().filter(|c| !c.is_whitespace());
    let Some(first) = marks.next() else { return false };
    matches!(first, '-' | '*' | '_') && {
        let mut count = 1;
        marks.all(|c| {
            count += 1;
            c == first
        }) && count >= 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<&str> {
        let spans = cells(line, Span::new(0, line.len()), true);
        spans.into_iter().map(|s| s.of(line)).collect()
    }

    #[test]
    fn cells_of_a_line() {
        assert_eq!(split("| a | b|"), ["a", "b"]);
        assert_eq!(split("|a||c"), ["a", "", "c"]);
        assert_eq!(split(r"| a \| b | `c | d` |"), [r"a \| b", "`c | d`"]);
        assert_eq!(split("a | b |\t"), ["a", "b"]);
        assert_eq!(split("| a ` b | c |"), ["a ` b", "c"]);
        assert_eq!(split("|"), [""]);
    }

    #[test]
    fn delimiters() {
        assert_eq!(delimiter_row("|---|:--:| --- |"), Some(3));
        assert_eq!(delimiter_row("--|--"), Some(2));
        assert_eq!(delimiter_row("---"), None);
        assert_eq!(delimiter_row("| | |"), None);
    }
}
