//! The slots of a query: pairs of comments between which an environment may
//! put text of its own.

use rulec_facts::aliases::{self, Aliases};
use rulec_kql::{Token, TokenKind};
use rulec_source::Span;

/// Name of the slots for exclusions, in `schema/read/`.
pub const FILTER: &str = "environment_filter";
/// Name of the slots for de-duplication, in `schema/read/`.
pub const DEDUPLICATION: &str = "deduplication";

/// One slot. Spans are bytes of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// [`FILTER`] or [`DEDUPLICATION`].
    pub name: String,
    /// The opening comment.
    pub begin: Span,
    /// What stands in the slot: lines, or up to the closing comment where that
    /// stands behind something.
    pub inside: Span,
    /// The closing comment.
    pub end: Span,
    /// The blanks in front of the opening comment.
    pub indent: String,
    /// Whether nothing stands in front of the closing comment in its line.
    pub alone: bool,
    /// How the line of the opening comment ends.
    pub newline: &'static str,
}

/// The slots of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Those that are whole, in order.
    pub slots: Vec<Slot>,
    /// Opening comments without a closing one, and closing ones without an opening one.
    pub halves: Vec<Span>,
}

impl Slots {
    /// The slots with a name, in order.
    pub fn named(&self, name: &str) -> Vec<&Slot> {
        self.slots.iter().filter(|slot| slot.name == name).collect()
    }
}

/// Finds the slots of a query. Several of a kind may be numbered
/// (`Begin environment-specific filter 1.`); they count in their order.
pub fn slots(text: &str, tokens: &[Token], aliases: &Aliases) -> Slots {
    let mut found = Slots::default();
    let mut open: Option<(String, Span)> = None;
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Comment) {
        let said = token.span.of(text).trim_start_matches('/');
        // A comment has the line break in no lexer; one it ends with is none of it.
        let said = unnumbered(said);
        if let Some(slot) = aliases.slot_begin(&said) {
            if let Some((_, half)) = open.replace((slot.name.clone(), token.span)) {
                found.halves.push(half);
            }
        } else if let Some(slot) = aliases.slot_end(&said) {
            match open.take() {
                Some((name, begin)) if name == slot.name => {
                    found.slots.push(made(text, name, begin, token.span));
                }
                other => {
                    found.halves.extend(other.map(|(_, half)| half));
                    found.halves.push(token.span);
                }
            }
        }
    }
    found.halves.extend(open.map(|(_, half)| half));
    found
}

/// A comment without the number at its end.
fn unnumbered(comment: &str) -> String {
    let folded = aliases::fold(comment);
    let bare = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    match bare.strip_suffix(' ') {
        Some(bare) if bare.len() < folded.len() => bare.to_owned(),
        _ => folded,
    }
}

fn made(text: &str, name: String, begin: Span, end: Span) -> Slot {
    let (from, to) = (begin.end as usize, end.start as usize);
    let line = text[..begin.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..begin.start as usize];
    let indent = before.len() - before.trim_start_matches([' ', '\t']).len();
    let between = &text[from..to];
    let start = between.find('\n').map_or(between.len(), |at| at + 1);
    let last = between.rfind('\n').map_or(between.len(), |at| at + 1);
    let alone = between[last..].trim().is_empty();
    let stop = if alone { last } else { between.len() };
    Slot {
        name,
        begin,
        inside: Span::new(from + start.min(stop), from + stop),
        end,
        indent: before[..indent].to_owned(),
        alone,
        newline: if between.starts_with("\r\n") { "\r\n" } else { "\n" },
    }
}

#[cfg(test)]
mod tests {
    use rulec_facts::Pack;

    use super::*;

    fn of(text: &str) -> Slots {
        let aliases = Aliases::load(&Pack::embedded()).unwrap();
        slots(text, &rulec_kql::parse(text).tokens, &aliases)
    }

    #[test]
    fn slots_are_pairs_of_comments() {
        let text = "T\n  // Begin environment-specific filter.\n  | where X\n  // End environment-specific filter.\r\n//begin environment-specific filter 2\r\n//  END environment-specific filter 2.\n// Begin de-duplication logic.\n// End de-duplication logic.";
        let found = of(text);
        let said: Vec<(&str, &str, &str)> = found
            .slots
            .iter()
            .map(|slot| (slot.name.as_str(), slot.inside.of(text), slot.indent.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (FILTER, "  | where X\n", "  "),
                (FILTER, "", ""),
                (DEDUPLICATION, "", "")
            ]
        );
        assert_eq!(found.slots[1].newline, "\r\n");
        assert!(found.halves.is_empty());
        assert_eq!(found.named(FILTER).len(), 2);
        // A place in an empty slot is in front of the closing comment's line.
        assert!(text[found.slots[1].inside.start as usize..].starts_with("//  END"));
    }

    #[test]
    fn behind_something_a_comment_still_closes() {
        let text = "T // Begin environment-specific filter.\n| where X // End environment-specific filter.\n| take 1";
        let found = of(text);
        assert_eq!(found.slots[0].inside.of(text), "| where X ");
        assert_eq!(found.slots[0].indent, "");
        assert!(!found.slots[0].alone);
    }

    #[test]
    fn halves_are_no_slots() {
        let begin = "// Begin environment-specific filter.\n";
        let end = "// End environment-specific filter.\n";
        let other = "// End de-duplication logic.\n";
        for (text, slots, halves) in [
            (format!("T\n{begin}"), 0, 1),
            (format!("T\n{end}"), 0, 1),
            (format!("T\n{begin}{begin}{end}"), 1, 1),
            (format!("T\n{begin}{other}{end}"), 0, 3),
            (format!("print \"{}\"", begin.trim()), 0, 0),
            ("T // environment-specific filter".to_owned(), 0, 0),
        ] {
            let found = of(&text);
            assert_eq!((found.slots.len(), found.halves.len()), (slots, halves), "{text}");
        }
    }
}
