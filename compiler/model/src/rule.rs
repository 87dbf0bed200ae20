//! What a rule document says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Settings;

/// One detection rule or hunt, in canonical form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique in the repository; also the name of every artifact. Letters,
    /// digits, `.`, `_`, `-` and blanks; no path separators.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[^/\\\x00-\x1f]+$"))]
    pub id: String,
    /// The title, without markup.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Whether the document is a detection, or a hunt with one or more queries.
    pub kind: RuleKind,
    /// Operating systems or platforms the attack concerns, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<String>,
    /// Expected rate of false positives, as written (`Low`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fp_rate: Option<String>,
    /// Who wrote it, when the document says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// ATT&CK tactics and techniques in the order of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attack: Vec<AttackTag>,
    /// Tables and events the document says it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<DataSource>,
    /// All prose in the order of the document, known sections and unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// Links, each once, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The queries: one for a detection; one or more for a hunt, or one per product.
    #[schemars(length(min = 1))]
    pub queries: Vec<RuleQuery>,
    /// Version history, newest first as documents have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionEntry>,
    /// What the document's front matter and the repository say about running it.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
}

impl Rule {
    /// A detection that says nothing but what it is called.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            kind: RuleKind::Detection,
            os: Vec::new(),
            fp_rate: None,
            author: None,
            attack: Vec::new(),
            data_sources: Vec::new(),
            sections: Vec::new(),
            references: Vec::new(),
            queries: Vec::new(),
            versions: Vec::new(),
            settings: Settings::default(),
        }
    }
}

/// Detection or hunt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// Made to alert.
    Detection,
    /// Made to be run and read by a person.
    Hunt,
}

/// One ATT&CK tag: a tactic, and usually a technique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttackTag {
    /// `TA0005`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tactic_id: Option<String>,
    /// `Defense Evasion`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tactic: Option<String>,
    /// `T1055`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technique: Option<String>,
    /// `002`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtechnique: Option<String>,
    /// `Process Injection - Portable Executable Injection`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl AttackTag {
    /// `T1055.002`, or `T1055`.
    pub fn technique_id(&self) -> Option<String> {
        let technique = self.technique.as_deref()?;
        Some(match self.subtechnique.as_deref() {
            Some(sub) => format!("{technique}.{sub}"),
            None => technique.to_owned(),
        })
    }
}

/// One row of the data source table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// `MicrosoftThreatProtection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `DeviceEvents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Whether the table was not written but taken from the query.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub table_from_query: bool,
    /// Event id or action type: `NtAllocateVirtualMemoryRemoteApiCall`, `4624`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The event's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// ATT&CK data source: `Process`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_source: Option<String>,
    /// ATT&CK data component: `Process Access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_component: Option<String>,
}

/// A stretch of prose under a heading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The canonical name (`false_positives`), when the heading is known;
    /// otherwise the section is kept as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The heading as written; empty for text before the first heading.
    pub heading: String,
    /// Depth of the heading, 1 to 6; 0 for text before the first.
    pub level: u8,
    /// The markdown below it, trimmed, without tables and queries that were
    /// read into fields of their own.
    pub text: String,
}

/// Where a query is meant to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Defender XDR advanced hunting: `Timestamp`.
    M365,
    /// Microsoft Sentinel and Log Analytics: `TimeGenerated`.
    Sentinel,
}

/// One query of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleQuery {
    /// The heading it stands under when a document has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `Kusto`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `M365 Security`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// What the platform or heading means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The query, byte for byte.
    #[schemars(length(min = 1))]
    pub text: String,
}

/// One row of the version history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionEntry {
    /// `1.4`.
    pub version: String,
    /// `2024-06-28`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `minor` or `major`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// What changed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// A document that only says which rule replaced it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// The id of the document, from its file name.
    pub id: String,
    /// The id of the rule that stands in its place.
    pub replaced_by: String,
}

impl Rule {
    /// The text of a known section.
    pub fn section(&self, key: &str) -> Option<&str> {
        self.sections
            .iter()
            .find(|s| s.key.as_deref() == Some(key))
            .map(|s| s.text.as_str())
            .filter(|text| !text.is_empty())
    }

    /// The newest version, `1.0` when the document has no history.
    pub fn version(&self) -> &str {
        self.versions.first().map_or("1.0", |v| v.version.as_str())
    }
}
