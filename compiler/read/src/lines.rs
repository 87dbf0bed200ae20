//! The document as lines and sections: who owns which line.
//!
//! In: the text and its outline. Out: [`Lines`] (what each line is, and
//! whether its content has been read into a field) and [`Part`]s (a heading
//! and the lines below it, up to the next heading of any level). What is left
//! over when all readers are done is prose and is kept.

use rulec_facts::aliases::Aliases;
use rulec_model::Environment;
use rulec_source::Span;

use crate::outline::{Heading, Outline, trim};
use crate::table::is_rule;
use crate::words;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Prose, a table, metadata.
    Text,
    /// Part of a heading, or the front matter.
    Apart,
    /// Part of the code block of that number.
    Code(usize),
    /// Part of an HTML block.
    Html,
    /// A row of a table that has been read, but stays in the prose as well.
    Read,
    /// Its content is in a field.
    Consumed,
}

/// All lines.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Without their ends.
    pub(crate) spans: Vec<Span>,
    pub(crate) kinds: Vec<Line>,
}

/// Where a query may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Below a heading for queries, of that environment when it names one.
    Query(Option<Environment>),
    /// Below a heading for prose.
    Prose,
    /// Below the title, metadata, or a heading nobody knows.
    Neutral,
}

/// A heading and the lines below it.
#[derive(Debug)]
pub(crate) struct Part {
    /// Index of the heading; None for what stands before the first.
    pub(crate) heading: Option<usize>,
    /// 0 before the first heading.
    pub(crate) level: u8,
    /// Canonical name of the section.
    pub(crate) key: Option<String>,
    /// The known spelling, when the heading is misspelled.
    pub(crate) meant: Option<String>,
    /// Its lines, without the heading's.
    pub(crate) lines: std::ops::Range<usize>,
    pub(crate) scope: Scope,
    /// Whether the heading itself opens a place for queries.
    pub(crate) opens_query: bool,
    /// The part whose heading this one's stands under.
    pub(crate) parent: Option<usize>,
}

impl Lines {
    /// Lines of `text`; those before `start` are somebody else's.
    pub(crate) fn new(text: &str, start: usize, outline: &Outline) -> Self {
        let mut spans = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            spans.push(Span::new(at, at + bare.len()));
            at += line.len();
        }
        let mut lines = Self {
            kinds: vec![Line::Text; spans.len()],
            spans,
        };
        let before = lines.spans.partition_point(|s| (s.start as usize) < start);
        lines.kinds[..before].fill(Line::Apart);
        for heading in &outline.headings {
            lines.mark(heading.span, Line::Apart);
        }
        for html in &outline.html {
            lines.mark(*html, Line::Html);
        }
        for (i, block) in outline.blocks.iter().enumerate() {
            lines.mark(block.span, Line::Code(i));
        }
        lines
    }

    /// The line an offset stands in.
    pub(crate) fn at(&self, offset: u32) -> usize {
        self.spans
            .partition_point(|s| s.start <= offset)
            .saturating_sub(1)
    }

    /// The lines a span touches.
    pub(crate) fn touched(&self, span: Span) -> std::ops::Range<usize> {
        let first = self.at(span.start);
        let last = self.at(span.end.saturating_sub(1).max(span.start));
        first..(last + 1).min(self.spans.len())
    }

    fn mark(&mut self, span: Span, kind: Line) {
        let range = self.touched(span);
        self.kinds[range].fill(kind);
    }

    /// Marks lines as read into fields.
    pub(crate) fn consume(&mut self, range: std::ops::Range<usize>) {
        self.kinds[range].fill(Line::Consumed);
    }

    /// Marks lines as read, but to be kept.
    pub(crate) fn keep(&mut self, range: std::ops::Range<usize>) {
        self.kinds[range].fill(Line::Read);
    }

    /// What is left of some lines as markdown with `\n` line ends, runs of
    /// blank lines made one, and where it stands. Empty when nothing is left.
    pub(crate) fn left(&self, text: &str, range: std::ops::Range<usize>) -> (String, Option<Span>) {
        let mut kept: Vec<usize> = Vec::new();
        let blank = |i: usize| trim(self.spans[i].of(text)).is_empty();
        for i in range {
            match self.kinds[i] {
                Line::Consumed | Line::Apart => {}
                // Blank lines within code are code.
                Line::Code(_) => kept.push(i),
                Line::Text | Line::Read | Line::Html if blank(i) => {
                    if kept.last().is_some_and(|last| !blank(*last)) {
                        kept.push(i);
                    }
                }
                Line::Text | Line::Read | Line::Html => kept.push(i),
            }
        }
        let divides = |i: usize| blank(i) || (self.kinds[i] == Line::Text && is_rule(self.spans[i].of(text)));
        while kept.last().is_some_and(|i| divides(*i)) {
            kept.pop();
        }
        let skip = kept.iter().take_while(|i| divides(**i)).count();
        let kept = &kept[skip..];
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
            return (String::new(), None);
        };
        let mut out = String::new();
        for (n, i) in kept.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            if !blank(*i) {
                out.push_str(self.spans[*i].of(text).trim_end_matches(['\u{200b}', '\u{feff}']));
            }
        }
        let span = self.spans[*first].to(self.spans[*last]);
        (trim(&out).to_owned(), Some(span))
    }
}

/// The sections of a document. A heading that says the title twice, or is
/// nearly a known one, is no concern here.
pub(crate) fn parts(aliases: &Aliases, outline: &Outline, lines: &Lines) -> Vec<Part> {
    let mut parts = vec![Part {
        heading: None,
        level: 0,
        key: None,
        meant: None,
        lines: 0..lines.spans.len(),
        scope: Scope::Neutral,
        opens_query: false,
        parent: None,
    }];
    // Parts whose headings the next one may stand under.
    let mut open: Vec<usize> = vec![0];
    let mut titled = false;
    for (i, heading) in outline.headings.iter().enumerate() {
        let touched = lines.touched(heading.span);
        if let Some(last) = parts.last_mut() {
            last.lines.end = touched.start.max(last.lines.start);
        }
        while open.len() > 1 && open.last().is_some_and(|p| parts[*p].level >= heading.level) {
            open.pop();
        }
        let parent = open.last().copied();
        let is_title = !titled && heading.level == 1;
        titled |= is_title;
        let part = part(
            aliases,
            i,
            heading,
            is_title,
            parent.map(|p| (p, parts[p].scope)),
            touched.end..lines.spans.len(),
        );
        open.push(parts.len());
        parts.push(part);
    }
    parts
}

fn part(
    aliases: &Aliases,
    index: usize,
    heading: &Heading,
    is_title: bool,
    parent: Option<(usize, Scope)>,
    lines: std::ops::Range<usize>,
) -> Part {
    let text = trim(&heading.text);
    let query = (!is_title).then(|| aliases.query_heading(text)).flatten();
    let meaning = (!is_title && query.is_none())
        .then(|| words::section(aliases, text))
        .flatten();
    let key = match query {
        Some(_) => Some("detection".to_owned()),
        None => meaning.as_ref().map(|m| m.name.clone()),
    };
    let opens_query = key.as_deref() == Some("detection");
    let inherited = parent.map_or(Scope::Neutral, |(_, scope)| scope);
    let scope = match (query, key.as_deref()) {
        (Some(Some(named)), _) => Scope::Query(Some(environment(named))),
        (_, Some("detection")) => match inherited {
            Scope::Query(environment) => Scope::Query(environment),
            _ => Scope::Query(None),
        },
        (_, Some(key)) if words::PROSE.contains(&key) => Scope::Prose,
        (_, Some(_)) => Scope::Neutral,
        (_, None) => inherited,
    };
    Part {
        heading: Some(index),
        level: heading.level,
        key,
        meant: meaning.and_then(|m| m.meant),
        lines,
        scope,
        opens_query,
        parent: parent.map(|(p, _)| p),
    }
}

/// The environment in the terms of the model.
pub(crate) fn environment(facts: rulec_facts::tables::Environment) -> Environment {
    match facts {
        rulec_facts::tables::Environment::M365 => Environment::M365,
        _ => Environment::Sentinel,
    }
}
