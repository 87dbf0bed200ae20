//! Fences that are not closed, and what stands below them.
//!
//! In: the document. Out: its outline as its author meant it, and a finding
//! for each such fence. Markdown takes everything up to the end of the
//! document into the block; here the block ends before the next heading that
//! a rule document has, or before the next fence that opens a query.

use rulec_facts::aliases::Aliases;
use rulec_source::{Diagnostic, Fragment, Span};

use crate::codes;
use crate::outline::{CodeBlock, Outline};
use crate::reader::outline_of;
use crate::table::is_rule;

/// How often a document is taken up again: each time costs a pass over what
/// is left of it.
const MOST: usize = 8;

pub(crate) fn outline(text: &str, start: usize, aliases: &Aliases) -> (Outline, Vec<Diagnostic>) {
    let mut whole = Outline::default();
    let mut found = Vec::new();
    let mut at = start;
    for _ in 0..=MOST {
        let mut rest = outline_of(text, at);
        let broken = rest
            .blocks
            .iter()
            .position(|block| block.fenced && (!block.closed || next_fence(text, block).is_some()));
        let Some(index) = broken else {
            append(&mut whole, rest);
            return (whole, found);
        };
        let block = &rest.blocks[index];
        found.push(unclosed(text, block));
        let Some(cut) = cut(text, block, aliases) else {
            append(&mut whole, rest);
            return (whole, found);
        };
        rest.blocks.truncate(index + 1);
        rest.headings.retain(|h| (h.span.start as usize) < cut);
        rest.html.retain(|h| (h.start as usize) < cut);
        rest.links.retain(|l| (l.span.start as usize) < cut);
        if let Some(block) = rest.blocks.last_mut() {
            shorten(text, block, cut);
        }
        append(&mut whole, rest);
        at = cut;
    }
    append(&mut whole, outline_of(text, at));
    (whole, found)
}

fn append(whole: &mut Outline, mut rest: Outline) {
    whole.headings.append(&mut rest.headings);
    whole.blocks.append(&mut rest.blocks);
    whole.html.append(&mut rest.html);
    whole.links.append(&mut rest.links);
}

fn unclosed(text: &str, block: &CodeBlock) -> Diagnostic {
    let fence: String = block
        .opening
        .of(text)
        .chars()
        .take_while(|c| matches!(c, '`' | '~'))
        .collect();
    Diagnostic::new(codes::UNCLOSED_FENCE, "the code block is not closed")
        .label(block.opening, "opened here")
        .help(format!(
            "write {fence} on a line of its own behind the last line of the query"
        ))
}

/// The lines of a block's content with their offsets in the document.
fn content<'t>(text: &'t str, block: &CodeBlock) -> impl Iterator<Item = (usize, &'t str)> {
    let mut at = block.opening.end as usize;
    let source = text.get(at..block.span.end as usize).unwrap_or_default();
    source.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// A line within a fenced block that opens another one: it can only be there
/// because the first was not closed.
fn next_fence(text: &str, block: &CodeBlock) -> Option<usize> {
    let fence = block.opening.of(text).chars().take_while(|c| *c == '`').count();
    if fence < 3 {
        return None;
    }
    content(text, block).find_map(|(at, line)| {
        let line = line.trim();
        let marks = line.chars().take_while(|c| *c == '`').count();
        let label = &line[marks..];
        let word = label.trim_end_matches('#');
        let opens = marks == fence
            && !word.is_empty()
            && word.len() <= 20
            && word.chars().all(|c| c.is_ascii_alphanumeric());
        opens.then_some(at)
    })
}

/// Where an unclosed block ends as its author meant it.
fn cut(text: &str, block: &CodeBlock, aliases: &Aliases) -> Option<usize> {
    content(text, block).skip(1).find_map(|(at, line)| {
        let bare = line.trim();
        let marks = bare.chars().take_while(|c| *c == '#').count();
        let heading = (1..=6).contains(&marks).then(|| bare[marks..].trim());
        let known = heading.is_some_and(|h| {
            !h.is_empty() && (aliases.section(h).is_some() || aliases.query_heading(h).is_some())
        });
        let fence =
            bare.starts_with("```") && bare.trim_start_matches('`').starts_with(char::is_alphanumeric);
        (known || fence).then_some(at)
    })
}

/// Ends a block before `cut`, without the blank lines and breaks before it.
fn shorten(text: &str, block: &mut CodeBlock, cut: usize) {
    let mut end = block.opening.end as usize;
    for (at, line) in content(text, block) {
        if at >= cut {
            break;
        }
        let closes = line.trim().starts_with("```");
        if !line.trim().is_empty() && !is_rule(line) && !closes {
            end = at + line.len();
        }
    }
    let mut body = Fragment::default();
    for piece in &block.body.pieces {
        let (from, outer) = (piece.inner as usize, piece.outer as usize);
        if outer >= end {
            break;
        }
        let len = (piece.len as usize).min(end - outer);
        body.push(block.body.text.get(from..from + len).unwrap_or_default(), outer);
    }
    block.body = body;
    block.closed = false;
    block.span = Span::new(block.span.start as usize, end);
}
