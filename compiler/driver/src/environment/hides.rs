//! Whether an exclusion keeps a rule from finding what it is said to find.
//!
//! In: a rule with and without its exclusions, and the cases of its fixture
//! that say that it fires. Out: a finding for each case that held before, or
//! fired, and does not any more, with the exclusions to blame.

use std::collections::BTreeMap;

use rulec_environment::codes;
use rulec_facts::yaml::places::{
    self,
    Step::{Item, Key},
};
use rulec_model::Rule;
use rulec_source::{Diagnostic, Span};

use super::Overlay;
use crate::{
    fixtures::{self, Verdict},
    pipeline::{Bound, Document, Pipeline},
};

impl Pipeline {
    /// Findings about exclusions, placed beside the document. `bases` are its
    /// queries without exclusions, those that have some.
    pub(crate) fn hidden(
        &self,
        overlay: &Overlay,
        document: &Document,
        bases: Vec<Option<Bound>>,
    ) -> Vec<Diagnostic> {
        let Some(rule) = document.rule() else {
            return Vec::new();
        };
        let asked: Vec<bool> = bases.iter().map(Option::is_some).collect();
        let now = fixtures::verdicts(self, &document.file, rule, &document.queries, &asked);
        if now.is_empty() {
            return Vec::new();
        }
        // The queries as they are, but without exclusions.
        let mut before: Vec<Bound> = Vec::new();
        for (index, base) in bases.into_iter().enumerate() {
            let fragment = &document.queries[index].fragment;
            let environment = document.queries[index].environment;
            let bound = base.or_else(|| self.bind(rule, index, fragment, environment).0);
            before.extend(bound);
        }
        if before.len() != document.queries.len() {
            return Vec::new();
        }
        let held = fixtures::verdicts(self, &document.file, rule, &before, &asked);
        let hidden: Vec<(&Verdict, &Verdict)> = held
            .iter()
            .zip(&now)
            .filter(|(held, now)| held.passed && !now.passed || held.rows > 0 && now.rows == 0)
            .collect();
        // One finding an exclusion, whatever it hides.
        let mut blamed: BTreeMap<(usize, bool), Vec<(&Verdict, &Verdict)>> = BTreeMap::new();
        for (held, now) in hidden {
            for to_blame in self.to_blame(overlay, document, rule, &before, held, &asked) {
                blamed.entry(to_blame).or_default().push((held, now));
            }
        }
        let start = document.file.offset_of(&overlay.file.path).unwrap_or_default();
        let finding = |((index, alone), cases): ((usize, bool), Vec<(&Verdict, &Verdict)>)| {
            let (held, now) = cases.first()?;
            let exclusion = &overlay.said.exclusions[index];
            let lost = if now.rows == 0 {
                format!("keeps {} from firing", rule.id)
            } else {
                format!("leaves {} of {} rows of {}", now.rows, held.rows, rule.id)
            };
            let message = format!(
                "an exclusion of {}{} {lost} in its case `{}`",
                exclusion.owner.trim(),
                if alone { "" } else { ", with others," },
                held.title()
            );
            let path = [Key("exclusions"), Item(index), Key("condition")];
            let at = places::value(&overlay.file.text, &path).unwrap_or_default();
            let at = Span {
                start: at.start + start,
                end: at.end + start,
            };
            let mut diagnostic = Diagnostic::new(codes::HIDES_POSITIVE, message)
                .at(at)
                .note(format!("the case is in {}:{}", held.file, held.line))
                .note(format!(
                    "the reason of the exclusion is: {}",
                    exclusion.reason.trim()
                ))
                .help("say less with its condition, so that what the rule is for is still found");
            if cases.len() > 1 {
                let lines: Vec<String> = cases[1..].iter().map(|(held, _)| held.line.to_string()).collect();
                let what = if lines.len() == 1 { "line" } else { "lines" };
                diagnostic = diagnostic.note(format!("so do the cases in {what} {}", lines.join(", ")));
            }
            Some(diagnostic)
        };
        blamed.into_iter().filter_map(finding).collect()
    }

    /// The exclusions that hide a case: each that does so alone, else all that
    /// are for its query.
    fn to_blame(
        &self,
        overlay: &Overlay,
        document: &Document,
        rule: &Rule,
        before: &[Bound],
        held: &Verdict,
        asked: &[bool],
    ) -> Vec<(usize, bool)> {
        let start = document.file.offset_of(&overlay.file.path).unwrap_or_default();
        let chosen = overlay.exclusions(&rule.id, held.query);
        let mut alone = Vec::new();
        for one in &chosen {
            let base = &before[held.query];
            let single = [*one];
            let Ok(excluding) = self.excluding(overlay, rule, held.query, base, &single, start) else {
                continue;
            };
            let bound = self
                .bind(rule, held.query, &excluding.fragment, base.environment)
                .0;
            let Some(bound) = bound.filter(|bound| bound.sound) else {
                continue;
            };
            let now = fixtures::verdict(self, &document.file, rule, (held.query, &bound), asked, held);
            if now.is_some_and(|now| held.passed && !now.passed || held.rows > 0 && now.rows == 0) {
                alone.push((one.0, true));
            }
        }
        if alone.is_empty() {
            chosen.iter().map(|(index, _)| (*index, false)).collect()
        } else {
            alone
        }
    }
}
