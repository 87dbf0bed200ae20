//! What alerts of a rule say of it: the same in emitted Rust as where the
//! rule is interpreted.

use rulec_model::{Resolved, Rule, Severity};

/// The rule as its alerts know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The rule's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `informational`, `low`, `medium`, `high`.
    pub severity: String,
    /// Kinds of entities in the order of the rule, each with its identifiers,
    /// sorted, and the columns that hold them.
    pub entities: Vec<(String, Vec<(String, String)>)>,
    /// The rule's document.
    pub document: String,
    /// The line in it of the predicate that decides whether the rule fires.
    pub line: u32,
}

impl Info {
    /// What is known of a rule and its settings, and the place of the
    /// predicate that decides.
    pub fn of(rule: &Rule, resolved: &Resolved, document: &str, line: usize) -> Self {
        Self {
            id: rule.id.clone(),
            title: rule.title.clone(),
            severity: severity(resolved.severity.value).to_owned(),
            entities: resolved
                .entities
                .value
                .iter()
                .map(|entity| {
                    let fields = entity.fields.iter();
                    let fields = fields.map(|(id, column)| (id.clone(), column.clone()));
                    (entity.kind.clone(), fields.collect())
                })
                .collect(),
            document: document.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "informational",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}
