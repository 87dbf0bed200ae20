//! The canonical rule: plain data that every stage after reading works on.
//!
//! In: nothing. Out: types with serde and JSON Schema. Deliberately absent:
//! how a rule is written down (`read`) and what its query means (`ir`).

mod duration;
mod rule;
mod settings;

pub use duration::Duration;
pub use rule::{
    AttackTag, DataSource, Environment, Replacement, Rule, RuleKind, RuleQuery, Section, VersionEntry,
};
pub use settings::{
    AlertText, Deprecation, Entity, FrontMatter, Grouping, GroupingMatch, Origin, Resolved, Schedule,
    ScheduleKind, Settings, Severity, Sourced, Status, Suppression, Trigger, TriggerOperator,
};

/// The JSON Schema (draft 2020-12) of [`Rule`], as checked in at `schema/rule.schema.json`.
pub fn rule_schema() -> serde_json::Value {
    schema_of::<Rule>("https://rulec.dev/schema/rule.schema.json")
}

/// The JSON Schema of a document's front matter, as checked in at
/// `schema/front-matter.schema.json`, for editors.
pub fn front_matter_schema() -> serde_json::Value {
    schema_of::<FrontMatter>("https://rulec.dev/schema/front-matter.schema.json")
}

fn schema_of<T: schemars::JsonSchema>(id: &str) -> serde_json::Value {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), id.into());
    schema.to_value()
}
