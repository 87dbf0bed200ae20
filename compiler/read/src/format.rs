//! `rulec fmt`: the canonical layout of a document.
//!
//! In: a document. Out: the same document with its tables aligned, blank
//! lines and trailing blanks in order. A conservative edit of the text: code,
//! HTML and front matter are copied byte for byte, line ends stay what they
//! are, and nothing that a reader could see is taken away. Formatting twice
//! changes nothing.

use std::borrow::Cow;

use rulec_source::{SourceFile, Span};

use crate::outline::{self, Outline};
use crate::table::{delimiter_row, split};
use crate::{codes, front};

/// Cells wider than this are not waited for by the others of their column.
const WIDEST: usize = 60;

/// A line of the document, on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Out<'t> {
    text: Cow<'t, str>,
    /// How the line ended; empty for a last line that did not.
    end: &'t str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Copied as it is, blank lines included.
    Fixed,
    /// As `Fixed`, in a block without an end of its own, which a further line may join.
    Open,
    Heading,
    /// A row of a table that markdown sees as one, with the number of the table.
    Row(usize),
    Other,
}

/// Lays out a document. The text of the result is all that differs; a
/// document in canonical layout comes back unchanged.
pub fn format_document(file: &SourceFile) -> String {
    let text = file.text.as_str();
    let mut findings = Vec::new();
    let start = front::read(text, &mut findings).end;
    // Nobody knows where the front matter was meant to end.
    if findings.iter().any(|d| d.code == codes::FRONT_MATTER_OPEN) {
        return text.to_owned();
    }
    let outline = outline::outline(text, start);
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (before, body) = text.split_at(start);
    let mut lines = classify(body, start, &outline, text);
    align(&mut lines);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    out.push_str(before);
    write(&mut out, &lines, end_of_line);
    out
}

/// Lines, and what each of them is.
fn classify<'t>(body: &'t str, start: usize, outline: &Outline, text: &str) -> Vec<Out<'t>> {
    let layout = outline::layout(text, start);
    let mut fixed: Vec<Span> = outline
        .blocks
        .iter()
        .map(|b| b.span)
        .chain(outline.html.iter().copied())
        .collect();
    fixed.sort_unstable();
    let unclosed = outline.blocks.iter().filter(|b| !b.closed).map(|b| b.span);
    let mut open: Vec<Span> = unclosed.chain(outline.html.iter().copied()).collect();
    open.sort_unstable();
    let headings: Vec<Span> = outline.headings.iter().map(|h| h.span).collect();
    let mut open_at = 0;
    let (mut fixed_at, mut heading_at, mut table_at, mut break_at) = (0, 0, 0, 0);
    let mut lines = Vec::new();
    let mut at = start;
    for line in body.split_inclusive('\n') {
        let here = Span::new(at, at + line.len());
        at += line.len();
        let passed = |spans: &[Span], i: &mut usize| {
            while spans.get(*i).is_some_and(|s| s.end <= here.start) {
                *i += 1;
            }
            spans.get(*i).is_some_and(|s| s.start < here.end)
        };
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        let end = &line[bare.len()..];
        let breaks = passed(&layout.hard_breaks, &mut break_at);
        let (kind, text) = if passed(&open, &mut open_at) {
            (Kind::Open, bare)
        } else if passed(&fixed, &mut fixed_at) {
            (Kind::Fixed, bare)
        } else if passed(&headings, &mut heading_at) {
            (Kind::Heading, trimmed(bare))
        } else if passed(&layout.tables, &mut table_at) {
            (Kind::Row(table_at), trimmed(bare))
        } else {
            (Kind::Other, trimmed(bare))
        };
        // Two blanks at the end of a line within a paragraph break the line.
        let text = if breaks && kind == Kind::Other && text.len() < bare.len() && bare.ends_with("  ") {
            format!("{text}  ").into()
        } else {
            Cow::Borrowed(text)
        };
        lines.push(Out { text, end, kind });
    }
    lines
}

/// Without blanks at the end. A backslash there would come to stand before
/// the line end and break the line, so it keeps its blanks.
fn trimmed(line: &str) -> &str {
    let short = line.trim_end_matches([' ', '\t']);
    if short.ends_with('\\') { line } else { short }
}

/// Aligns the columns of each table.
fn align(lines: &mut [Out<'_>]) {
    let mut at = 0;
    while at < lines.len() {
        let Kind::Row(table) = lines[at].kind else {
            at += 1;
            continue;
        };
        let end = lines[at..]
            .iter()
            .position(|line| line.kind != Kind::Row(table))
            .map_or(lines.len(), |n| at + n);
        align_table(&mut lines[at..end]);
        at = end;
    }
}

fn align_table(lines: &mut [Out<'_>]) {
    let blanks = [' ', '\t'];
    // Without its leading pipe a line may be a row to markdown and something
    // else to people, such as metadata right below a table.
    if lines
        .iter()
        .any(|line| !line.text.trim_start_matches(blanks).starts_with('|'))
    {
        return;
    }
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let text = line.text.trim_matches(blanks);
            let cells = split(text, Span::new(0, text.len()), false);
            cells
                .into_iter()
                .map(|cell| cell.of(text).trim_matches(blanks).to_owned())
                .collect()
        })
        .collect();
    let width = |text: &str| text.chars().count();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![3; columns];
    for (i, row) in rows.iter().enumerate() {
        if i == 1 {
            continue;
        }
        for (column, cell) in row.iter().enumerate() {
            if width(cell) <= WIDEST {
                widths[column] = widths[column].max(width(cell));
            }
        }
    }
    for (i, (line, row)) in lines.iter_mut().zip(&rows).enumerate() {
        let mut out = String::from("|");
        let delimiters = i == 1 && delimiter_row(&line.text).is_some();
        for (cell, wide) in row.iter().zip(&widths) {
            out.push(' ');
            if delimiters {
                let (left, right) = (cell.starts_with(':'), cell.ends_with(':') && cell.len() > 1);
                let dashes = wide - usize::from(left) - usize::from(right);
                out.push_str(if left { ":" } else { "" });
                out.extend(std::iter::repeat_n('-', dashes));
                out.push_str(if right { ":" } else { "" });
            } else {
                out.push_str(cell);
                out.extend(std::iter::repeat_n(' ', wide.saturating_sub(width(cell))));
            }
            out.push_str(" |");
        }
        line.text = out.into();
    }
}

/// Writes the lines: no two blank lines together, one around headings, none
/// at the ends.
fn write(out: &mut String, lines: &[Out<'_>], end_of_line: &str) {
    let fixed = |line: &Out<'_>| matches!(line.kind, Kind::Fixed | Kind::Open);
    let blank = |line: &Out<'_>| !fixed(line) && line.text.is_empty();
    // What stands first would become front matter, or a byte order mark.
    let first = lines.iter().find(|line| !blank(line));
    let nothing = out.trim_start_matches('\u{feff}').is_empty();
    let guarded = nothing && first.is_some_and(|line| line.text.starts_with(['-', '\u{feff}']));
    let mut pending = false;
    let mut last: Option<Kind> = None;
    for line in lines {
        if blank(line) {
            pending = last.is_some() || guarded;
            continue;
        }
        let heading_starts =
            line.kind == Kind::Heading && last.is_some_and(|k| !matches!(k, Kind::Heading | Kind::Open));
        // `**Key:** value` lines stand right below their heading by custom.
        if pending || heading_starts {
            out.push_str(end_of_line);
        }
        pending = false;
        out.push_str(&line.text);
        match (line.end, line.kind) {
            // Code that is not closed goes on to its last byte.
            ("", Kind::Fixed | Kind::Open) => {}
            ("", _) => out.push_str(end_of_line),
            (end, _) => out.push_str(end),
        }
        last = Some(line.kind);
    }
}
