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
}

impl Info {
    /// What is known of a rule and its settings.
    pub fn of(rule: &Rule, resolved: &Resolved) -> Self {
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
