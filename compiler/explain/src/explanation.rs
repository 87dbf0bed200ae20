//! The explanation: plain data, and the JSON that tools read
//! (`schema/explain.schema.json`).

use rulec_model::Resolved;
use schemars::JsonSchema;
use serde::Serialize;

/// What a rule does.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// Id of the rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Constants a reader may tune: scalar let bindings whose value is known.
    pub parameters: Vec<Parameter>,
    /// Let bindings the main pipeline does not run through.
    pub bindings: Vec<Binding>,
    /// The main pipeline, operator by operator.
    pub stages: Vec<Stage>,
    /// What the main pipeline actively suppresses.
    pub exclusions: Vec<Predicate>,
    /// What it looks for.
    pub indicators: Vec<Indicator>,
    /// The columns of the result.
    pub output_fields: Vec<OutputField>,
    /// Events that the rule looks at, and their native equivalents.
    pub event_coverage: Vec<Event>,
    /// Tactics and techniques under their current names.
    pub attack: Vec<Tactic>,
    /// When it runs.
    pub schedule: Schedule,
    /// Every setting with its origin.
    pub settings: Resolved,
}

/// A constant of the query.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The value as written.
    pub value: String,
    /// The value's type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A let binding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// Other bindings that it mentions.
    pub derived_from: Vec<String>,
    /// The statement, without comments.
    pub text: String,
}

/// One operator of the main pipeline.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// From 1.
    pub number: usize,
    /// `source`, `where`, `summarize`, …; operators that only Kusto has carry
    /// the prefix `kusto:`.
    pub kind: String,
    /// The let binding this stage is part of; none for the outer pipeline.
    pub binding: Option<String>,
    /// The operator as written, without comments.
    pub text: String,
    /// The columns after it.
    pub columns: Vec<Column>,
    /// Line of the document, from 1.
    pub line: usize,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A predicate over one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Predicate {
    /// The column.
    pub field: String,
    /// `eq`, `ne`, `in`, `starts_with`, …
    pub kind: String,
    /// What it is compared with; columns by name.
    pub values: Vec<String>,
}

/// A predicate with how common its values are.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Indicator {
    /// The column.
    pub field: String,
    /// The kind of comparison.
    pub kind: String,
    /// The values.
    pub values: Vec<Value>,
}

/// A value of an indicator.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Value {
    /// The value.
    pub value: String,
    /// Rules of the repository that look for it; none when that was not counted.
    pub corpus: Option<usize>,
}

/// A column of the result.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OutputField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Kind of the stage that gave it its value; `source` when none did.
    pub source: String,
    /// Whether a stage names it, and no `*` has passed it on since.
    pub explicit: bool,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Event {
    /// `Defender-DeviceEvents`, `Sysmon`, …
    pub provider: String,
    /// The action type, or `Event ID 8`.
    pub event: String,
    /// Its title.
    pub title: String,
}

/// A tactic and its techniques.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tactic {
    /// The current name.
    pub tactic: String,
    /// Techniques under it.
    pub techniques: Vec<Technique>,
}

/// A technique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Technique {
    /// `T1055.002`.
    pub id: String,
    /// `Process Injection: Portable Executable Injection`.
    pub name: String,
}

/// When a rule runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Schedule {
    /// `scheduled` or `nrt`.
    pub kind: String,
    /// Time between runs.
    pub frequency: String,
    /// How far a run looks back.
    pub period: String,
    /// Where frequency and period come from.
    pub why: String,
}
