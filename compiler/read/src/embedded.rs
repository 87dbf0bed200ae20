//! `rulec fmt --kql`: queries within a document, laid out where they stand.
//!
//! In: a document and what lays out a query. Out: the document with other
//! text in the code blocks of its queries; fences, their indentation and the
//! line ends stay. Deliberately absent: KQL itself, and code blocks that are
//! indented, or not closed.

use std::collections::BTreeSet;

use rulec_source::{Fragment, SourceFile, Span};

use crate::outline::CodeBlock;
use crate::queries::is_kusto;
use crate::{Options, fences, front};

/// Lays out the queries of a document: those of its rule or, where it is
/// none, every code block that says it is KQL. `lay` is given each query and
/// returns its new text, or nothing to leave it as it is.
pub fn format_queries(
    file: &SourceFile,
    options: &Options<'_>,
    mut lay: impl FnMut(&Fragment) -> Option<String>,
) -> String {
    let text = file.text.as_str();
    let start = front::read(text, &mut Vec::new()).end;
    let (outline, _) = fences::outline(text, start, options.aliases);
    let doc = crate::read(file, options);
    let queries: BTreeSet<Span> = (0..doc.queries.len())
        .filter_map(|i| doc.places.get(&format!("/queries/{i}")).copied())
        .collect();
    let is_rule = doc.rule().is_some();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for block in &outline.blocks {
        let wanted = if is_rule {
            queries.contains(&block.span)
        } else {
            is_kusto(&block.info)
        };
        if !wanted || !block.fenced || !block.closed {
            continue;
        }
        let Some(region) = region(text, block) else {
            continue;
        };
        if let Some(query) = lay(&block.body)
            && query != block.body.text
            && let Some(lines) = set(text, block, &query)
        {
            out.push_str(text.get(at..region.start as usize).unwrap_or_default());
            out.push_str(&lines);
            at = region.end as usize;
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The lines between the two fences of a block.
fn region(text: &str, block: &CodeBlock) -> Option<Span> {
    let opening = block.opening.end as usize;
    let start = opening + text.get(opening..)?.find('\n')? + 1;
    let source = block.span.of(text).trim_end();
    let end = block.span.start as usize + source.rfind('\n')? + 1;
    (start <= end).then(|| Span::new(start, end))
}

/// A query as lines of the document. None when one of them would close the block.
fn set(text: &str, block: &CodeBlock, query: &str) -> Option<String> {
    let start = block.span.start as usize;
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    // Behind the marker of a list item, lines go on in the same column.
    let prefix: String = text[line..start]
        .chars()
        .map(|c| if matches!(c, ' ' | '\t' | '>') { c } else { ' ' })
        .collect();
    let opening = block.opening.of(text);
    let mark = opening.chars().next()?;
    let marks = opening.chars().take_while(|c| *c == mark).count();
    let mut out = String::with_capacity(query.len() + query.len() / 8);
    for line in query.split_inclusive('\n') {
        let bare = line.trim();
        if bare.chars().count() >= marks && bare.chars().all(|c| c == mark) {
            return None;
        }
        if line.trim_end_matches(['\r', '\n']).is_empty() {
            out.push_str(prefix.trim_end());
        } else {
            out.push_str(&prefix);
        }
        out.push_str(line);
    }
    Some(out)
}
