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
