//! How a rule is run: what documents lack, and where each value came from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "from", content = "why")]
pub enum Origin {
    /// The prose, tables or metadata of the document.
    Document,
    /// The document's YAML front matter.
    FrontMatter,
    /// The repository's `rulec.toml`.
    Config,
    /// The environment of this name.
    Environment(String),
    /// Worked out; the sentence says how.
    Derived(String),
    /// Nothing was said; the sentence says what the default rests on.
    Default(String),
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value with its origin.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// Maturity of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Status {
    Experimental,
    Test,
    #[default]
    Stable,
    Deprecated,
}

/// Severity of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Severity {
    Informational,
    Low,
    Medium,
    High,
}

/// When a rule runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// Every so often, over a period.
    #[default]
    Scheduled,
    /// Near real time: as events arrive.
    Nrt,
}

/// How often a rule runs and how far it looks back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Scheduled or near real time.
    #[serde(default)]
    pub kind: ScheduleKind,
    /// Time between runs. Without it: derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Duration>,
    /// How far a run looks back. Without it: derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Duration>,
}

/// Comparison of the number of results with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum TriggerOperator {
    Gt,
    Lt,
    Eq,
    Ne,
}

/// When the number of results makes an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// How results are compared.
    pub operator: TriggerOperator,
    /// With what.
    pub threshold: u32,
}

/// One entity mapping, in Sentinel's names; each target has its own spelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// `Host`, `Account`, `IP`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Identifier to column: `HostName: DeviceName`.
    pub fields: BTreeMap<String, String>,
}

/// What the alert says; `{{Column}}` is replaced by the row's value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertText {
    /// Title of the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description of the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Which alerts become one incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum GroupingMatch {
    AllEntities,
    AnyAlert,
    Selected,
}

/// Grouping of alerts into incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grouping {
    /// Which alerts belong together.
    pub matching: GroupingMatch,
    /// How far apart they may be.
    pub lookback: Duration,
    /// Entity types, for `Selected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_entities: Vec<String>,
    /// Custom details, for `Selected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_custom_details: Vec<String>,
}

/// Silence after an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// Whether it is on.
    pub enabled: bool,
    /// For how long.
    pub duration: Duration,
}

/// What is said of a rule whose status is `deprecated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The id of the rule that stands in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// Why it is deprecated, where no rule stands in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The YAML block at the top of a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FrontMatter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Which rule replaces it, or why it is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<Entity>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_details: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Suppression>,
    /// Target -> the id the rule has there, where it was deployed under another
    /// one than rulec would give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<BTreeMap<String, String>>,
}

/// What was said about running a rule, each value with its origin: front
/// matter first, else `rulec.toml`. What nobody said is absent here and filled
/// in [`Resolved`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Sourced<Status>>,
    /// Which rule replaces it, or why it is deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Sourced<Deprecation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Sourced<Severity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Sourced<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Sourced<Schedule>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Sourced<Trigger>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Sourced<Vec<Entity>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_details: Option<Sourced<BTreeMap<String, String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Sourced<AlertText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Sourced<Grouping>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Sourced<Suppression>>,
    /// Target -> the id the rule has there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Sourced<BTreeMap<String, String>>>,
}

impl Settings {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes from `said` what nobody has said before.
    pub fn fill(&mut self, said: FrontMatter, origin: &Origin) {
        fn take<T>(place: &mut Option<Sourced<T>>, value: Option<T>, origin: &Origin) {
            if place.is_none() {
                *place = value.map(|v| Sourced::new(v, origin.clone()));
            }
        }
        take(&mut self.status, said.status, origin);
        take(&mut self.severity, said.severity, origin);
        take(&mut self.targets, said.targets, origin);
        take(&mut self.schedule, said.schedule, origin);
        take(&mut self.trigger, said.trigger, origin);
        take(&mut self.entities, said.entities, origin);
        take(&mut self.custom_details, said.custom_details, origin);
        take(&mut self.alert, said.alert, origin);
        take(&mut self.grouping, said.grouping, origin);
        take(&mut self.suppression, said.suppression, origin);
        // An id is one rule's, as is its end; what is said for all rules has none.
        if *origin == Origin::FrontMatter {
            take(&mut self.deprecated, said.deprecated, origin);
            take(&mut self.ids, said.ids, origin);
        }
    }

    /// The id the rule has at a target, where its document says it.
    pub fn id_at(&self, target: &str) -> Option<&str> {
        self.ids.as_ref()?.value.get(target).map(String::as_str)
    }
}

/// How a rule is run, complete: what was said, what was derived from its
/// query, and stated defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct Resolved {
    pub status: Sourced<Status>,
    pub severity: Sourced<Severity>,
    /// Targets the rule goes to; all when nobody chose.
    pub targets: Sourced<Vec<String>>,
    pub kind: Sourced<ScheduleKind>,
    pub frequency: Sourced<Duration>,
    pub period: Sourced<Duration>,
    pub trigger: Sourced<Trigger>,
    pub entities: Sourced<Vec<Entity>>,
    pub custom_details: Sourced<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Sourced<AlertText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Sourced<Grouping>>,
    pub suppression: Sourced<Suppression>,
}
