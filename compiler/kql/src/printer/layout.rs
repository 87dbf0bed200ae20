//! Which of the possible line breaks are made.
//!
//! In: tokens with breaks and groups around them. Out: text. A group stays on
//! one line when it fits there, together with what follows it up to the next
//! possible break; else every break of it is made, and the groups within it
//! are asked in turn. A group that has a comment or a certain break in it is
//! broken from the start. One pass for the widths, one for the text.

use super::WIDTH;
use super::tokens::Source;
use crate::lexer::TokenKind as T;

/// One step of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// The next token, by number, with the comments before it.
    Text(u32),
    /// A blank.
    Space,
    /// A place for a line break.
    Line(Line),
    /// Breaks up to the matching `Close` are made together.
    Open {
        /// Whether that is certain.
        broken: bool,
    },
    Close,
    Indent,
    Dedent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: LineKind,
    /// Whether a blank stands here when there is no break.
    pub(super) space: bool,
    pub(super) edge: Edge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Made when the group is broken.
    Soft,
    /// Made when the group is broken and what follows does not fit any more.
    Fill,
    /// As `Fill`, and where the author has made it.
    Keep,
    /// Always made.
    Hard,
}

/// Whether the break is the first or the last within something; there no
/// empty line is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Inner,
    First,
    Last,
}

/// What comes before the next token.
#[derive(Clone, Copy)]
enum Pending {
    Nothing,
    Space,
    Newline { indent: usize, edge: Edge },
}

/// Widths of the steps on one line.
struct Widths {
    /// Up to each step, from the beginning.
    before: Vec<u32>,
    /// From each step to the next possible break.
    ahead: Vec<u32>,
    /// For `Open`: its `Close`.
    close: Vec<u32>,
    /// From each step: the next token that has several lines, if any.
    lines: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Widths {
    fn new(source: &Source<'_>, ops: &[Op]) -> Self {
        let mut widths = Self {
            before: Vec::with_capacity(ops.len() + 1),
            ahead: vec![0; ops.len() + 1],
            close: vec![NONE; ops.len()],
            lines: vec![NONE; ops.len() + 1],
        };
        let mut at = 0_u32;
        let mut open = Vec::new();
        let mut own = vec![0_u32; ops.len()];
        for (i, op) in ops.iter().enumerate() {
            widths.before.push(at);
            own[i] = match op {
                Op::Text(token) => width(source.token_text(*token as usize)).0,
                Op::Space | Op::Line(Line { space: true, .. }) => 1,
                _ => 0,
            };
            at += own[i];
            match op {
                Op::Open { .. } => open.push(i),
                Op::Close => {
                    if let Some(start) = open.pop() {
                        widths.close[start] = u32::try_from(i).unwrap_or(NONE);
                    }
                }
                _ => {}
            }
        }
        widths.before.push(at);
        for (i, op) in ops.iter().enumerate().rev() {
            let (ahead, lines) = (widths.ahead[i + 1], widths.lines[i + 1]);
            widths.lines[i] = lines;
            widths.ahead[i] = match op {
                Op::Line(_) => 0,
                Op::Text(token) if width(source.token_text(*token as usize)).1.is_some() => {
                    widths.lines[i] = u32::try_from(i).unwrap_or(NONE);
                    own[i]
                }
                _ => ahead.saturating_add(own[i]),
            };
        }
        widths
    }

    /// The width of the group at `open` with what follows it.
    fn of(&self, open: usize) -> u32 {
        let close = self.close[open] as usize;
        let lines = self.lines[open] as usize;
        let end = close.min(self.before.len() - 1);
        if lines < end {
            return self.before[lines + 1] - self.before[open];
        }
        (self.before[end] - self.before[open]).saturating_add(self.ahead[end])
    }
}

/// The characters of the first line of a text, and of its last if it has several.
fn width(text: &str) -> (u32, Option<u32>) {
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    match text.find('\n') {
        None => (count(text), None),
        Some(first) => {
            let last = text.rfind('\n').map_or("", |at| &text[at + 1..]);
            (count(&text[..first]), Some(count(last)))
        }
    }
}

/// Writes the tokens of `source` as `ops` say.
pub(super) fn write(source: &Source<'_>, ops: &[Op]) -> String {
    let widths = Widths::new(source, ops);
    let mut writer = Writer {
        source,
        out: String::with_capacity(source.text.len() + source.text.len() / 8),
        line_end: source.line_end(),
        next: 0,
        indent: 0,
        last_indent: 0,
        column: 0,
        pending: Pending::Nothing,
        broken: vec![true],
    };
    for (i, op) in ops.iter().enumerate() {
        match *op {
            Op::Text(token) => writer.text(token as usize),
            Op::Space => writer.wait(Pending::Space),
            Op::Line(line) => {
                writer.line(line, widths.ahead[i + 1]);
            }
            Op::Open { broken } => {
                let outer = writer.broken.last().copied().unwrap_or(true);
                let fits = (writer.column as u64) + u64::from(widths.of(i)) <= WIDTH as u64;
                writer.broken.push(outer && (broken || !fits));
            }
            Op::Close => drop(writer.broken.pop()),
            Op::Indent => writer.indent += 1,
            Op::Dedent => writer.indent -= 1,
        }
    }
    writer.finish()
}

struct Writer<'s> {
    source: &'s Source<'s>,
    out: String,
    line_end: &'static str,
    /// The token that comes next.
    next: usize,
    indent: usize,
    /// What the indentation was at the last token.
    last_indent: usize,
    /// Where the next token begins, what is pending included.
    column: usize,
    pending: Pending,
    /// For each open group, outermost first.
    broken: Vec<bool>,
}

const BLANKS: &str = "    ";

impl Writer<'_> {
    fn wait(&mut self, pending: Pending) {
        match (self.pending, pending) {
            (Pending::Space, Pending::Nothing) => self.column -= 1,
            (Pending::Nothing, Pending::Space) => self.column += 1,
            (_, Pending::Newline { indent, .. }) => self.column = indent * BLANKS.len(),
            // A line break needs no blank.
            (Pending::Newline { .. }, _) => return,
            _ => {}
        }
        self.pending = pending;
    }

    /// A possible break, and the width of what follows up to the next.
    fn line(&mut self, line: Line, ahead: u32) {
        let gap = &self.source.gaps[self.next];
        let broken = self.broken.last().copied().unwrap_or(true);
        let full = || (self.column as u64) + u64::from(line.space) + u64::from(ahead) > WIDTH as u64;
        let made = match line.kind {
            LineKind::Hard => true,
            LineKind::Soft => broken,
            LineKind::Fill => broken && (full() || !gap.comments.is_empty()),
            LineKind::Keep => broken && (full() || gap.breaks()),
        };
        if made {
            self.wait(Pending::Newline {
                indent: self.indent,
                edge: line.edge,
            });
        } else if line.space {
            self.wait(Pending::Space);
        } else {
            self.wait(Pending::Nothing);
        }
    }

    fn text(&mut self, token: usize) {
        self.gap(token);
        let text = self.source.token_text(token);
        self.out.push_str(text);
        match width(text) {
            (_, Some(last)) => self.column = last as usize,
            (first, None) => self.column += first as usize,
        }
        self.next = token + 1;
        self.last_indent = self.indent;
    }

    /// Comments, then what joins the next token.
    fn gap(&mut self, token: usize) {
        let gap = &self.source.gaps[token];
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        let start = self.out.is_empty();
        let (indent, edge) = match pending {
            Pending::Newline { indent, edge } => (indent, edge),
            // In the middle of something: it goes on further in. What ends a
            // statement stands by itself.
            _ if self.source.kind(token) == T::Semicolon || start => (self.indent, Edge::Inner),
            _ => (self.last_indent + 1, Edge::Inner),
        };
        self.comments(token, indent, edge);
        if !gap.comments.is_empty() {
            let empty = gap.newlines > 1 && edge != Edge::Last;
            self.new_line(empty, indent);
            return;
        }
        match pending {
            Pending::Nothing => {}
            Pending::Space => self.out.push(' '),
            Pending::Newline { .. } => {
                let empty = gap.newlines > 1 && !start && edge == Edge::Inner;
                self.new_line(empty, indent);
            }
        }
    }

    fn comments(&mut self, token: usize, indent: usize, edge: Edge) {
        let start = self.out.is_empty();
        let indent = indent + usize::from(edge == Edge::Last);
        let mut empty = edge != Edge::First;
        for (number, comment) in self.source.gaps[token].comments.iter().enumerate() {
            if comment.newlines == 0 && number == 0 && !start {
                self.out.push(' ');
            } else if !self.out.is_empty() {
                self.new_line(empty && comment.newlines > 1, indent);
            }
            let text = comment.span.of(self.source.text);
            self.out.push_str(text.trim_end());
            empty = true;
        }
    }

    fn new_line(&mut self, empty: bool, indent: usize) {
        self.out.push_str(self.line_end);
        if empty {
            self.out.push_str(self.line_end);
        }
        for _ in 0..indent {
            self.out.push_str(BLANKS);
        }
        self.column = indent * BLANKS.len();
    }

    /// The comments at the end, and the last line end.
    fn finish(mut self) -> String {
        self.comments(self.source.tokens.len(), 0, Edge::Inner);
        if !self.out.is_empty() {
            self.out.push_str(self.line_end);
        }
        self.out
    }
}
