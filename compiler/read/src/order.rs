//! `rulec fmt`: sections in the order of the canonical layout.
//!
//! In: a document. Out: the same document, its sections of metadata, tables,
//! references, query and history where a new document has them. Sections of
//! prose keep their order among themselves, and one without a known heading
//! stays behind the one it follows.
//!
//! An order of one's own is a matter of style, so only documents in the style
//! that rulec writes are touched: they have its headings for what becomes
//! fields of the rule, and no other spelling of one. Where something stands can
//! decide what it means (metadata holds for the queries near it), so the new
//! order is taken only if the document then reads as the same rule. Hunts have
//! an order of their own and keep it.

use rulec_model::RuleKind;
use rulec_source::SourceFile;

use crate::outline::Outline;
use crate::table::is_rule;
use crate::{Options, fences, front, words};

/// The document with its sections in canonical order; unchanged where it is
/// in order, or where another order would be no improvement or no rule.
pub fn order_sections(file: &SourceFile, options: &Options<'_>) -> String {
    ordered(file, options).unwrap_or_else(|| file.text.clone())
}

/// A section with what is below it.
struct Chunk<'t> {
    rank: usize,
    text: &'t str,
    /// The line of dashes that ends it.
    separator: &'t str,
}

fn ordered(file: &SourceFile, options: &Options<'_>) -> Option<String> {
    let text = file.text.as_str();
    let start = front::read(text, &mut Vec::new()).end;
    let (outline, unclosed) = fences::outline(text, start, options.aliases);
    if !unclosed.is_empty() || outline.blocks.iter().any(|b| !b.closed) {
        return None;
    }
    let (head, mut chunks) = chunks(text, &outline, options)?;
    if chunks.is_sorted_by_key(|chunk| chunk.rank) {
        return None;
    }
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    // The lines between sections stay where they are.
    let separators: Vec<&str> = chunks.iter().map(|chunk| chunk.separator).collect();
    chunks.sort_by_key(|chunk| chunk.rank);
    let mut out = head.to_owned();
    for (chunk, separator) in chunks.iter().zip(separators) {
        out.push_str(chunk.text.trim_end());
        out.push_str(line_end);
        out.push_str(line_end);
        if !separator.is_empty() {
            out.push_str(separator.trim_end());
            out.push_str(line_end);
            out.push_str(line_end);
        }
    }
    out.truncate(out.trim_end().len());
    out.push_str(line_end);
    let before = crate::read(file, options);
    let after = crate::read(&SourceFile::new(file.path.as_str(), out.as_str()), options);
    let rule = before.rule().filter(|rule| rule.kind == RuleKind::Detection)?;
    (after.rule() == Some(rule)).then_some(out)
}

/// What is before the first section, and the sections. None when the document
/// is not in the canonical style.
fn chunks<'t>(text: &'t str, outline: &Outline, options: &Options<'_>) -> Option<(&'t str, Vec<Chunk<'t>>)> {
    let mut starts = Vec::new();
    let mut seen = Vec::new();
    let mut titles = 0;
    for heading in &outline.headings {
        titles += usize::from(heading.level == 1);
        if heading.level != 2 {
            continue;
        }
        if titles != 1 {
            return None;
        }
        let rank = match options.aliases.section(&heading.text) {
            None => None,
            Some(name) => {
                let written = heading.text.trim();
                let canonical = options.aliases.heading(name).unwrap_or_default();
                if words::STRUCTURAL.contains(&name) && written != canonical {
                    return None;
                }
                let rank = rank(name);
                seen.push(name);
                rank
            }
        };
        starts.push((heading.span.start as usize, rank));
    }
    // Headings that this style has and others do not.
    let own = ["metadata", "attack_tags", "data_sources", "version_history"];
    if titles != 1 || !seen.contains(&"detection") || !own.iter().any(|name| seen.contains(name)) {
        return None;
    }
    // What comes before the first known section belongs to what is above it.
    let first = starts.iter().position(|(_, rank)| rank.is_some())?;
    let starts = &starts[first..];
    let mut chunks: Vec<Chunk<'t>> = Vec::new();
    let mut last = 0;
    for (i, (start, rank)) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(text.len(), |(next, _)| *next);
        let whole = text.get(*start..end)?;
        let (body, separator) = split_separator(whole);
        // A comment above a heading is about what follows, which may go elsewhere.
        if i + 1 < starts.len() && body.trim_end().ends_with("-->") {
            return None;
        }
        last = rank.unwrap_or(last);
        chunks.push(Chunk {
            rank: last,
            text: body,
            separator,
        });
    }
    Some((text.get(..starts.first()?.0)?, chunks))
}

/// Where a section stands. Prose stands between the tables and the references.
fn rank(name: &str) -> Option<usize> {
    let before = ["metadata", "attack_tags", "data_sources"];
    let after = ["references", "detection", "version_history"];
    let prose = before.len();
    before
        .iter()
        .position(|s| *s == name)
        .or_else(|| after.iter().position(|s| *s == name).map(|at| prose + 1 + at))
        .or_else(|| words::PROSE.contains(&name).then_some(prose))
}

/// A section and the line of dashes at its end. Right below text such a line
/// would be the mark of a heading, so there has to be an empty line before it,
/// or a table's row.
fn split_separator(section: &str) -> (&str, &str) {
    let trimmed = section.trim_end();
    let at = trimmed.rfind('\n').map_or(0, |at| at + 1);
    let above = trimmed[..at].lines().next_back().unwrap_or_default().trim();
    if is_rule(&trimmed[at..]) && (above.is_empty() || above.ends_with(['|', '`'])) {
        section.split_at(at)
    } else {
        (section, "")
    }
}

#[cfg(test)]
mod tests {
    use rulec_facts::Pack;
    use rulec_facts::aliases::Aliases;
    use rulec_model::FrontMatter;

    use super::*;

    const METADATA: &str = "## Metadata\n**ID:** X-1\n\n**OS:** Windows\n";
    const TAGS: &str =
        "## ATT&CK Tags\n\n| Tactic | Technique |\n|---|---|\n| TA0002 - Execution | T1059 |\n";
    const PROSE: &str = "## False Positives\nFew.\n\n## My notes\nMine.\n\n## Considerations\nNone.\n";
    const QUERY: &str = "## Detection\n**Query:**\n```kql\nDeviceEvents\n| take 1\n```\n";
    const HISTORY: &str = "## Version History\n| Version | Date | Impact | Notes |\n|---|---|---|---|\n| 1.0 | 2024-01-01 | major | First. |\n";

    fn order(text: &str) -> String {
        let aliases = Aliases::load(&Pack::embedded()).unwrap_or_default();
        let options = Options {
            aliases: &aliases,
            defaults: FrontMatter::default(),
        };
        let once = order_sections(&SourceFile::new("x.md", text), &options);
        let twice = order_sections(&SourceFile::new("x.md", once.as_str()), &options);
        assert_eq!(once, twice, "not stable");
        once
    }

    fn document(parts: &[&str]) -> String {
        format!("# Title\n\n{}", parts.join("\n"))
    }

    #[test]
    fn sections_come_where_a_new_document_has_them() {
        let canonical = document(&[METADATA, TAGS, PROSE, QUERY, HISTORY]);
        assert_eq!(order(&canonical), canonical);
        for parts in [
            [TAGS, METADATA, PROSE, QUERY, HISTORY],
            [METADATA, TAGS, PROSE, HISTORY, QUERY],
            [METADATA, QUERY, HISTORY, TAGS, PROSE],
        ] {
            assert_eq!(order(&document(&parts)), canonical);
        }
    }

    #[test]
    fn line_ends_and_separators_stay() {
        let parts = [METADATA, "---\n", TAGS, HISTORY, "---\n", QUERY];
        let ordered = [METADATA, "---\n", TAGS, QUERY, "---\n", HISTORY];
        assert_eq!(order(&document(&parts)), document(&ordered));
        assert_eq!(
            order(&document(&parts).replace('\n', "\r\n")),
            document(&ordered).replace('\n', "\r\n")
        );
    }

    #[test]
    fn other_styles_keep_their_order() {
        for (parts, from, to) in [
            ([METADATA, HISTORY, QUERY], "## Version History", "## Changelog"),
            ([METADATA, HISTORY, QUERY], "## Metadata", "## Query Information"),
            (
                [METADATA, HISTORY, QUERY],
                "## Version History",
                "<!-- about\nhistory -->\n## Version History",
            ),
            // A section within another title.
            (
                [METADATA, HISTORY, QUERY],
                "## Detection",
                "# Part two\n\n## Detection",
            ),
        ] {
            let text = document(&parts).replace(from, to);
            assert!(text.contains(to));
            assert_eq!(order(&text), text);
        }
    }
}
