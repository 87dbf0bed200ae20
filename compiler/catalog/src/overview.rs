//! What every page says of a rule, worked out once.

use std::collections::BTreeSet;

use rulec_model::{RuleKind, Severity, Status};
use serde::Serialize;

use crate::{Document, html, names::Page};

/// Characters of a summary.
const SUMMARY: usize = 240;

/// A rule as lists show it.
pub(crate) struct Overview<'a> {
    pub(crate) document: &'a Document<'a>,
    pub(crate) page: &'a Page,
    /// What it finds, in a sentence or two.
    pub(crate) summary: String,
    /// `high`; empty for a rule without a query that could be read.
    pub(crate) severity: &'static str,
    pub(crate) status: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) author: Option<&'a str>,
    pub(crate) platforms: Vec<String>,
    /// Names of tactics, in the order of the document.
    pub(crate) tactics: Vec<String>,
    /// Id and name of techniques, in the order of their ids.
    pub(crate) techniques: Vec<(String, String)>,
    /// Tables that some query reads, sorted.
    pub(crate) tables: Vec<String>,
}

/// A link to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Link<'a> {
    pub(crate) title: &'a str,
    pub(crate) id: &'a str,
    pub(crate) href: &'a str,
}

impl<'a> Overview<'a> {
    pub(crate) fn new(document: &'a Document<'a>, page: &'a Page) -> Self {
        let rule = document.rule;
        let settings = document.queries.first().map(|q| &q.explanation.settings);
        let explanations = || document.queries.iter().map(|q| &q.explanation);
        let mut tactics: Vec<String> = Vec::new();
        let mut techniques = BTreeSet::new();
        for tactic in explanations().flat_map(|e| &e.attack) {
            if !tactic.tactic.is_empty() && !tactics.contains(&tactic.tactic) {
                tactics.push(tactic.tactic.clone());
            }
            techniques.extend(tactic.techniques.iter().map(|t| (t.id.clone(), t.name.clone())));
        }
        let tables: BTreeSet<String> = document
            .queries
            .iter()
            .flat_map(|q| q.tables.iter().cloned())
            .collect();
        let mut platforms: Vec<String> = rule
            .os
            .iter()
            .map(|os| os.trim().to_owned())
            .filter(|os| !os.is_empty())
            .collect();
        platforms.dedup();
        Self {
            summary: summary(document),
            severity: settings.map_or("", |s| severity(s.severity.value)),
            status: settings.map_or("", |s| status(s.status.value)),
            kind: match rule.kind {
                RuleKind::Detection => "detection",
                RuleKind::Hunt => "hunt",
            },
            author: rule.author.as_deref().map(str::trim).filter(|a| !a.is_empty()),
            platforms,
            tactics,
            techniques: techniques.into_iter().collect(),
            tables: tables.into_iter().collect(),
            document,
            page,
        }
    }

    pub(crate) fn link(&self) -> Link<'_> {
        Link {
            title: &self.document.rule.title,
            id: &self.document.rule.id,
            href: &self.page.href,
        }
    }
}

/// The beginning of what the document says the rule finds.
fn summary(document: &Document<'_>) -> String {
    let rule = document.rule;
    let known = ["detection_description", "attack_description"];
    let said = known.iter().filter_map(|key| rule.section(key));
    let first = rule.sections.iter().map(|s| s.text.as_str());
    said.chain(first)
        .map(|text| html::excerpt(text, SUMMARY))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "informational",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Experimental => "experimental",
        Status::Test => "test",
        Status::Stable => "stable",
        Status::Deprecated => "deprecated",
    }
}
