//! The prose of a document: whatever has not become a field.
//!
//! In: the lines that are left. Out: sections, in order, known or not. Runs
//! last among the readers.

use std::collections::BTreeMap;

use rulec_facts::aliases::fold;
use rulec_model::Section;
use rulec_source::{Diagnostic, Span};

use crate::codes;
use crate::reader::Reader;
use crate::words;

const DESCRIPTION: &str = "detection_description";

/// A text without the comments that speak to rulec: they are no part of what
/// analysts read, and would go with it into every artifact.
fn without_suppressions(mut text: String) -> String {
    while let Some(start) = text.find("<!-- rulec: allow(") {
        let Some(length) = text[start..].find("-->") else {
            break;
        };
        let before = text[..start].trim_end();
        let after = text[start + length + "-->".len()..].trim_start_matches([' ', '\t']);
        // On lines of its own it leaves no gap.
        let after = if before.is_empty() || text[before.len()..start].contains('\n') {
            after.trim_start()
        } else {
            after
        };
        let between = match &text[before.len()..start] {
            _ if after.is_empty() || after.starts_with('\n') => "",
            between => between,
        };
        text = format!("{before}{between}{after}");
    }
    text
}

impl Reader<'_> {
    pub(crate) fn read_sections(&mut self) {
        let title = self.places.get("/title").copied();
        // The parts whose headings queries are called by.
        let mut named = vec![false; self.parts.len()];
        if self.rule.queries.len() > 1 {
            for i in 0..self.rule.queries.len() {
                if let Some(span) = self.places.get(&format!("/queries/{i}")) {
                    named[self.part_of(self.lines.at(span.start))] = true;
                }
            }
        }
        let mut below_title = None;
        let mut first: BTreeMap<(String, String), Span> = BTreeMap::new();
        for (part, named) in named.into_iter().enumerate() {
            let (text, span) = self.lines.left(self.text, self.parts[part].lines.clone());
            let text = without_suppressions(text);
            let heading_span = self.heading_span(part);
            let is_title = heading_span.is_some() && heading_span == title;
            let key = self.parts[part].key.clone().filter(|_| !is_title);
            let structural = key.as_deref().is_some_and(|k| words::STRUCTURAL.contains(&k));
            let bare = self.parts[part].heading.is_none() || is_title || structural || named;
            if text.is_empty() && bare {
                continue;
            }
            let index = self.rule.sections.len();
            if is_title || self.parts[part].heading.is_none() {
                below_title.get_or_insert(index);
            }
            let place = heading_span.or(span).unwrap_or_default();
            self.place(format!("/sections/{index}"), place);
            if let Some(span) = span {
                self.place(format!("/sections/{index}/text"), span);
            }
            if let Some(key) = key.as_deref().filter(|key| words::PROSE.contains(key)) {
                let same = (key.to_owned(), fold(self.heading(part)));
                match first.get(&same).copied() {
                    Some(first) => self.report_repeated(part, place, first),
                    None => drop(first.insert(same, place)),
                }
            }
            let heading = self.heading(part).to_owned();
            let level = self.parts[part].level;
            self.rule.sections.push(Section {
                key,
                heading,
                level,
                text,
            });
        }
        self.find_description(below_title);
    }

    /// The same heading of prose twice.
    fn report_repeated(&mut self, part: usize, place: Span, first: Span) {
        self.report(
            Diagnostic::new(
                codes::DUPLICATE,
                format!("there are two sections `{}`", self.heading(part)),
            )
            .label(place, "again here")
            .label(first, "first here")
            .note("both are kept; where one is asked for, the first that says something is used"),
        );
    }

    /// A document without a section that describes it describes itself below
    /// its title, or in the words that introduce its query.
    fn find_description(&mut self, below_title: Option<usize>) {
        let sections = &mut self.rule.sections;
        let says = |s: &Section| !s.text.is_empty();
        if sections
            .iter()
            .any(|s| s.key.as_deref() == Some(DESCRIPTION) && says(s))
        {
            return;
        }
        let introduces = sections
            .iter()
            .position(|s| s.key.as_deref() == Some("detection") && says(s));
        let found = below_title.or(introduces);
        if let Some(section) = found.and_then(|i| sections.get_mut(i)) {
            section.key = Some(DESCRIPTION.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_to_rulec_are_no_prose() {
        let said = "<!-- rulec: allow(a-lint) until 2027-01-31, why -->";
        let left = |text: &str| without_suppressions(text.replace('#', said));
        assert_eq!(left("#"), "");
        assert_eq!(left("One.\n\n#\n\nTwo."), "One.\n\nTwo.");
        assert_eq!(left("One. # Two.\nThree."), "One. Two.\nThree.");
        assert_eq!(left("One. #\nThree. #"), "One.\nThree.");
        assert_eq!(left("One. <!-- kept -->"), "One. <!-- kept -->");
        assert_eq!(left("<!-- rulec: allow( open"), "<!-- rulec: allow( open");
    }
}
