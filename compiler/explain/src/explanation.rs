//! The explanation: plain data, and the JSON that tools read
//! (`schema/explain.schema.json`).

use rulec_model::Resolved;
use schemars::JsonSchema;
use serde::Serialize;

use crate::kind::Kind;

/// What a rule does. Of a rule with several queries, what its first one does;
/// the others follow under `further`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// Id of the rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Which query of the rule this is.
    pub query: QueryPlace,
    /// Constants a reader may tune: scalar let bindings whose value is known.
    pub parameters: Vec<Parameter>,
    /// Let bindings the main pipeline does not run through.
    pub bindings: Vec<Binding>,
    /// The main pipeline, operator by operator.
    pub stages: Vec<Stage>,
    /// What the main pipeline actively suppresses: negated conditions that
    /// every row has to meet, and anti-joins against lists.
    pub exclusions: Vec<Predicate>,
    /// What it looks for: its other comparisons of columns.
    pub indicators: Vec<Indicator>,
    /// Numbers that the query computed and their limits.
    pub thresholds: Vec<Threshold>,
    /// Bounds in time of the rows it looks at.
    pub time_window: Vec<TimeBound>,
    /// How far back the query looks, by its longest `ago(…)`; none when it
    /// leaves that to the schedule.
    pub lookback: Option<Lookback>,
    /// What rows are grouped by.
    pub group_by: Vec<Grouping>,
    /// What rows are joined with.
    pub joins: Vec<Join>,
    /// What makes a row of the result one of its kind.
    pub deduplication: Vec<Deduplication>,
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
    /// How the entities among the settings were chosen.
    pub entities: EntityChoices,
    /// The rule's other queries in order; when several rules were asked for,
    /// theirs behind them. The field is left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub further: Vec<Explanation>,
}

/// Which query of a rule an explanation is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QueryPlace {
    /// From 1.
    pub number: usize,
    /// How many the rule has.
    pub of: usize,
    /// The heading it stands under when a document has several.
    pub name: Option<String>,
    /// Line of the document where it begins, from 1.
    pub line: usize,
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
    /// What it does, in one plain sentence.
    pub does: String,
    /// The columns after it.
    pub columns: Vec<Column>,
    /// Line of the document, from 1.
    pub line: usize,
    /// Of what was put into the query, where that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
}

/// Where a stage stands that an environment, or a template, put into a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct From {
    /// `environments/prod.yaml`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What the comment in front of it says: of an exclusion why, who answers
    /// for it, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
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
    /// The column, with members of it (`Properties.ip`); `*` for any column;
    /// what is computed as written.
    pub field: String,
    /// What is asked of it.
    pub kind: Kind,
    /// What it is compared with, each of which will do (of `has_all` all, of
    /// `between` the two ends): constants resolved; columns and let bindings
    /// by name; the rest as written.
    pub values: Vec<String>,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
    /// Whether the values are columns of the same row.
    pub columns: bool,
    /// Whether the values are what the query works out: let bindings and lists
    /// by name, other things as written.
    pub computed: bool,
    /// The operator or function as the query has it: `!in~`, `isnotempty`.
    pub operator: String,
    /// The stage it stands in.
    pub stage: usize,
    /// Exclusions with the same number suppress a row only together.
    pub together: Option<usize>,
}

/// A predicate with how common its values are.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Indicator {
    /// The column, as in [`Predicate::field`].
    pub field: String,
    /// What is asked of it.
    pub kind: Kind,
    /// The values, as in [`Predicate::values`].
    pub values: Vec<Value>,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
    /// Whether the values are columns of the same row.
    pub columns: bool,
    /// Whether the values are what the query works out, as in
    /// [`Predicate::computed`]; such values are not counted.
    pub computed: bool,
    /// The operator or function as the query has it.
    pub operator: String,
    /// The stage it stands in.
    pub stage: usize,
    /// Indicators with the same number are alternatives: one of them will do.
    pub alternatives: Option<usize>,
}

/// The limit of a number that the query computed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Threshold {
    /// The column, or the computation where it has no name.
    pub field: String,
    /// What is asked of it.
    pub kind: Kind,
    /// The limits.
    pub values: Vec<String>,
    /// What is counted, as written: `dcount(DeviceId)`.
    pub of: String,
    /// The parameter that holds the limit.
    pub parameter: Option<String>,
    /// The stage it stands in.
    pub stage: usize,
}

/// A bound in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimeBound {
    /// The column, or `ingestion_time()`.
    pub field: String,
    /// What is asked of it.
    pub kind: Kind,
    /// The bounds as written: `ago(timeframe)`.
    pub values: Vec<String>,
    /// How far back from the run the furthest of them is; none for a fixed date.
    pub looks_back: Option<String>,
    /// The stage it stands in.
    pub stage: usize,
}

/// How far back a query looks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Lookback {
    /// The time.
    pub duration: String,
    /// The parameter that holds it.
    pub parameter: Option<String>,
}

/// What rows are grouped by.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Grouping {
    /// The keys.
    pub keys: Vec<String>,
    /// The stage.
    pub stage: usize,
}

/// What rows are joined with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Join {
    /// `join` or `lookup`.
    pub operator: String,
    /// `innerunique`, `leftanti`, …
    pub kind: String,
    /// The let binding, table or list; as written when it has no name.
    pub with: String,
    /// Keys of the rows of the pipeline.
    pub left: Vec<String>,
    /// Keys of the other side, pairwise.
    pub right: Vec<String>,
    /// The stage.
    pub stage: usize,
}

/// What makes a row one of its kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Deduplication {
    /// `arg_min`, `arg_max`, `take_any`: one row is kept of each group.
    /// `distinct`: equal rows become one. `DedupFields`: what earlier alerts
    /// were about is left out.
    pub how: String,
    /// The fields.
    pub fields: Vec<String>,
    /// The stage.
    pub stage: usize,
}

/// A value of an indicator.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Value {
    /// The value.
    pub value: String,
    /// How many other rules of the repository look for the same field, kind and
    /// value, compared without case where the operator does; none when that
    /// was not counted.
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
    /// Number of that stage; none when it is no stage of the main pipeline.
    pub stage: Option<usize>,
    /// Whether a stage names it, and no `*` has passed it on since.
    pub explicit: bool,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Event {
    /// `Defender-DeviceEvents`, `Sysmon`, …
    pub provider: String,
    /// The action type, or `Event ID 8`; `*` for all of the provider's, `*Added*`
    /// for those whose names have that in common.
    pub event: String,
    /// Its title.
    pub title: String,
    /// Who says that it corresponds to an event the query names; none for
    /// events that the query itself looks at.
    pub source: Option<String>,
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

/// The entities of alerts, and how they were chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntityChoices {
    /// One per mapping, in the order of the settings.
    pub mappings: Vec<EntityChoice>,
    /// What columns suggest and no mapping has; empty where the document or
    /// the repository says the mappings.
    pub passed_over: Vec<EntityPassedOver>,
}

/// A mapping and why the rule has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntityChoice {
    /// `Account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the entity is in the event (`initiating account`): the row of
    /// `inference` in schema/entities.yaml that chose it; none when somebody said it.
    pub role: Option<String>,
    /// Identifiers and their columns.
    pub fields: Vec<EntityField>,
    /// Whether they name one entity and no other.
    pub strong: bool,
    /// Why.
    pub why: String,
}

/// An identifier and its column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntityField {
    /// `Name`.
    pub identifier: String,
    /// The column of the result.
    pub column: String,
    /// The column's type; none when the result has no such column.
    #[serde(rename = "type")]
    pub ty: Option<String>,
    /// The column of a table it holds unchanged (`DeviceEvents.DeviceName`), or
    /// the text it holds in every row; none when it is worked out.
    pub holds: Option<String>,
}

/// A mapping, or identifiers of one, that columns suggest and the rule does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntityPassedOver {
    /// `Account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the entity is in the event.
    pub role: String,
    /// Identifiers and their columns.
    pub fields: Vec<EntityField>,
    /// Why not.
    pub why: String,
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
