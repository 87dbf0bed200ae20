//! What a rule did with one event: plain data, and the JSON that tools read
//! (`schema/explain-miss.schema.json`).

use schemars::JsonSchema;
use serde::Serialize;

/// What a rule did with one event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Id of the rule.
    pub rule: String,
    /// Its document, relative to the repository.
    pub file: String,
    /// The table that the event is of.
    pub table: String,
    /// What became of the event.
    pub verdict: Outcome,
    /// Rows that the rule gave in all.
    pub alerts: usize,
    /// Those of them that descend from the event.
    pub alerts_of_event: usize,
    /// The operators that ran, in the order in which they stand along the
    /// pipeline.
    pub stages: Vec<Stage>,
    /// Tables that the rule reads and no data was given for; they were empty.
    pub empty_tables: Vec<String>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An alert descends from it.
    Fires,
    /// Some stage dropped it.
    Dropped,
    /// It went into an operator that makes its rows from many at once, and
    /// cannot be followed further.
    Combined,
    /// The rule does not read its table.
    NotRead,
}

/// One operator.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// From 1.
    pub number: usize,
    /// Its name in the language; `table` and `let` give rows.
    pub operator: String,
    /// Its text, on one line, shortened.
    pub text: String,
    /// Where it stands in the document.
    #[serde(flatten)]
    pub place: Place,
    /// Rows that came in, by input.
    pub rows_in: Vec<usize>,
    /// Rows that went out.
    pub rows_out: usize,
    /// Rows that came in and descend from the event.
    pub event_in: usize,
    /// Rows that went out and descend from it.
    pub event_out: usize,
    /// What became of the event here.
    pub fate: Fate,
    /// `where`: its condition, taken apart, and what it said of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// `join`, `lookup`: the event's keys and who has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partners: Option<Partners>,
    /// `summarize`, `distinct`, `count`: the group that the event went into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Others: what their expressions gave for the event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Named>,
}

/// What became of an event at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It did not come here.
    Absent,
    /// Something of it went on.
    Passed,
    /// Nothing of it went on.
    Dropped,
    /// It was combined with other rows, and cannot be followed further.
    Combined,
}

/// A place in the document; lines and columns from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// First line.
    pub line: usize,
    /// Column there.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column behind it.
    pub end_column: usize,
    /// The same in bytes of the document.
    #[serde(skip)]
    pub span: rulec_source::Span,
}

/// A condition and what it said of the event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Condition {
    /// `and`, `or`, `not`, or `leaf`.
    pub shape: String,
    /// Its text, on one line, shortened.
    pub text: String,
    /// Where it stands in the document.
    #[serde(flatten)]
    pub place: Place,
    /// What it said; null lets no row through.
    pub value: Option<bool>,
    /// Whether the event was dropped because of it.
    pub decisive: bool,
    /// What it is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operands: Vec<Condition>,
    /// The values that a leaf looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Named>,
}

/// A value under the name of a column or a let binding, or the text of an
/// expression.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Named {
    /// The name or the text.
    pub name: String,
    /// The value, as results show it.
    pub value: serde_json::Value,
}

/// The event's keys in a join.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Partners {
    /// `inner`, `leftanti`, …
    pub kind: String,
    /// The side the event is on: `left` or `right`.
    pub side: String,
    /// Rows on the other side.
    pub others: usize,
    /// Those of them that have all keys of the event.
    pub partners: usize,
    /// A row of the event's own side has the same keys and comes first, and
    /// `innerunique` takes only that one.
    pub twin: bool,
    /// Key by key.
    pub keys: Vec<Key>,
}

/// One key of a join.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Key {
    /// The column on the event's side, or the text of the expression.
    pub name: String,
    /// The same on the other side.
    pub other: String,
    /// What the event has there.
    pub value: serde_json::Value,
    /// Rows on the other side that have the same.
    pub partners: usize,
}

/// The group that the event went into.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Group {
    /// What makes the group.
    pub keys: Vec<Named>,
    /// Rows in it.
    pub rows: usize,
    /// What it became.
    pub row: Vec<Named>,
}

impl Condition {
    /// The leaves, in order.
    pub fn leaves(&self) -> Vec<&Self> {
        if self.operands.is_empty() {
            return vec![self];
        }
        self.operands.iter().flat_map(Self::leaves).collect()
    }
}

impl Report {
    /// The stages at which the event ended, in order.
    pub fn ended(&self) -> impl Iterator<Item = &Stage> {
        self.stages
            .iter()
            .filter(|stage| matches!(stage.fate, Fate::Dropped | Fate::Combined))
    }

    /// As JSON for tools.
    pub fn json(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.shift_insert(0, "rulec".to_owned(), crate::VERSION.into());
        }
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        text.push('\n');
        text
    }
}
