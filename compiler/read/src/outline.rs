//! The markdown structure of a document: headings, code blocks, HTML, links.
//!
//! In: the document. Out: an [`Outline`], every part with its place in bytes.
//! Deliberately absent: what any of it means, and tables, which are read line
//! by line ([`crate::table`]) because those of real documents are often not
//! well-formed enough for a markdown parser to see them.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use rulec_source::{Fragment, Span};

/// The parts of a document, each list in document order.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) headings: Vec<Heading>,
    pub(crate) blocks: Vec<CodeBlock>,
    /// HTML blocks, comments included.
    pub(crate) html: Vec<Span>,
    pub(crate) links: Vec<Link>,
}

/// A heading outside of lists and quotes.
#[derive(Debug)]
pub(crate) struct Heading {
    /// 1 to 6.
    pub(crate) level: u8,
    /// Its lines.
    pub(crate) span: Span,
    /// Its text in the document.
    pub(crate) inner: Span,
    /// Its text without markup.
    pub(crate) text: String,
}

/// A fenced or indented code block.
#[derive(Debug)]
pub(crate) struct CodeBlock {
    /// From the opening fence to the closing one.
    pub(crate) span: Span,
    /// The opening line, for fenced blocks.
    pub(crate) opening: Span,
    /// What stands behind the opening fence.
    pub(crate) info: String,
    /// The content, byte for byte.
    pub(crate) body: Fragment,
    /// Fenced, not indented.
    pub(crate) fenced: bool,
    /// Whether the closing fence is there.
    pub(crate) closed: bool,
}

/// A link with a target.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) span: Span,
    pub(crate) url: String,
}

/// The outline of `text` from `start` on; offsets count from the beginning of `text`.
pub(crate) fn outline(text: &str, start: usize) -> Outline {
    let mut outline = Outline::default();
    let body = text.get(start..).unwrap_or_default();
    let mut depth = 0_usize;
    let mut heading: Option<(Heading, bool)> = None;
    let mut code: Option<CodeBlock> = None;
    for (event, range) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
        let span = Span::new(start + range.start, start + range.end);
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth = depth.saturating_sub(1),
            Event::Start(Tag::Heading { level, .. }) => {
                let new = Heading {
                    level: level_number(level),
                    span,
                    inner: Span::at(span.start as usize),
                    text: String::new(),
                };
                heading = Some((new, depth == 0));
            }
            Event::End(TagEnd::Heading(_)) => {
                let ended = heading
                    .take()
                    .filter(|(heading, outermost)| *outermost && is_heading(text, heading));
                outline.headings.extend(ended.map(|(heading, _)| heading));
            }
            Event::Start(Tag::CodeBlock(kind)) => code = Some(open_block(text, span, &kind)),
            Event::End(TagEnd::CodeBlock) => {
                if let Some(mut block) = code.take() {
                    finish_block(text, &mut block);
                    outline.blocks.push(block);
                }
            }
            Event::Start(Tag::HtmlBlock) => outline.html.push(span),
            Event::Start(Tag::Link { dest_url, .. }) => outline.links.push(Link {
                span,
                url: dest_url.into_string(),
            }),
            Event::Text(part) => {
                if let Some(block) = &mut code {
                    push_code(text, block, &part, span);
                } else if let Some((heading, _)) = &mut heading {
                    heading.add(&part, span);
                }
            }
            Event::Code(part) => {
                if let Some((heading, _)) = &mut heading {
                    heading.add(&part, span);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((heading, _)) = &mut heading {
                    heading.add(" ", span);
                }
            }
            _ => {}
        }
    }
    outline
}

impl Heading {
    fn add(&mut self, text: &str, span: Span) {
        self.inner = if self.text.is_empty() {
            span
        } else {
            self.inner.to(span)
        };
        self.text.push_str(text);
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// A line of dashes right below a paragraph makes the paragraph a heading,
/// which is never meant when the paragraph is long, or is a table whose
/// header went wrong.
fn is_heading(text: &str, heading: &Heading) -> bool {
    let source = heading.span.of(text);
    if source.starts_with('#') {
        return true;
    }
    let lines = source.trim_end().lines().count();
    lines == 2 && source.chars().take(120).any(|c| c == '\n') && !source.starts_with('|')
}

fn open_block(text: &str, span: Span, kind: &CodeBlockKind<'_>) -> CodeBlock {
    let source = span.of(text);
    let line = source.find(['\r', '\n']).unwrap_or(source.len());
    let start = span.start as usize;
    let (info, opening, fenced) = match kind {
        CodeBlockKind::Fenced(info) => (info.trim().to_owned(), Span::new(start, start + line), true),
        CodeBlockKind::Indented => (String::new(), Span::at(start), false),
    };
    CodeBlock {
        span,
        opening,
        info,
        body: Fragment::default(),
        fenced,
        closed: true,
    }
}

/// Appends a run of code. The parser leaves out the carriage returns of line
/// ends, which belong to the exact bytes, and expands tabs that stand astride
/// an indentation, which have no bytes of their own.
fn push_code(text: &str, block: &mut CodeBlock, part: &str, span: Span) {
    let start = span.start as usize;
    let before = start.checked_sub(1).and_then(|i| text.as_bytes().get(i));
    let last = block.body.pieces.last().map_or(0, |p| p.outer + p.len);
    if part.starts_with('\n') && before == Some(&b'\r') && last < span.start {
        block.body.push("\r", start - 1);
    }
    if span.of(text) == part {
        block.body.push(part, start);
    } else {
        block.body.text.push_str(part);
    }
}

/// Finds out whether a fenced block was closed, and what of its last line end is content.
fn finish_block(text: &str, block: &mut CodeBlock) {
    if !block.fenced {
        return;
    }
    let source = block.span.of(text).trim_end();
    let fence: String = source.chars().take_while(|c| matches!(c, '`' | '~')).collect();
    let last = source.rfind('\n').map(|at| &source[at + 1..]);
    block.closed = last.is_some_and(|line| {
        let line = line.trim_start_matches([' ', '\t', '>']);
        line.len() >= fence.len() && line.chars().all(|c| fence.starts_with(c))
    });
}

/// What the formatter has to know beyond the outline.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Tables outside of lists and quotes.
    pub(crate) tables: Vec<Span>,
    /// Line ends that break the line within a paragraph.
    pub(crate) hard_breaks: Vec<Span>,
}

/// The layout of `text` from `start` on.
pub(crate) fn layout(text: &str, start: usize) -> Layout {
    let mut layout = Layout::default();
    let mut depth = 0_usize;
    let body = text.get(start..).unwrap_or_default();
    for (event, range) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
        let span = Span::new(start + range.start, start + range.end);
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth = depth.saturating_sub(1),
            Event::Start(Tag::Table(_)) if depth == 0 => layout.tables.push(span),
            Event::HardBreak => layout.hard_breaks.push(span),
            _ => {}
        }
    }
    layout
}

/// The text of one line of markdown without its markup.
pub(crate) fn plain(text: &str) -> String {
    let text = trim(text);
    if !text.contains(['*', '_', '`', '[', '<', '\\', '&', '~', '!']) {
        return text.to_owned();
    }
    // The leading letter keeps a cell such as `1. x` or `- x` from being read as a list.
    let source = format!("x {text}");
    let mut out = String::new();
    for event in Parser::new(&source) {
        match event {
            Event::Text(part) | Event::Code(part) | Event::InlineHtml(part) => out.push_str(&part),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            _ => {}
        }
    }
    trim(out.strip_prefix('x').unwrap_or(&out)).to_owned()
}

/// Without blanks at the ends, and without the invisible characters that word
/// processors leave there.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// White space, zero-width characters and byte order marks.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// The span of [`trim`] within `span`.
pub(crate) fn trim_span(text: &str, span: Span) -> Span {
    let inner = span.of(text);
    let start = span.start as usize + (inner.len() - inner.trim_start_matches(is_blank).len());
    Span::new(start, start + trim(inner).len())
}
