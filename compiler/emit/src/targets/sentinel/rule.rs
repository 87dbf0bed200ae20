//! A Sentinel analytics rule as data, and its two notations.
//!
//! [`SentinelRule`] is the YAML template form field by field; serde reads and
//! writes it. [`SentinelRule::arm`] says the same as a resource of Azure
//! Resource Manager. Both notations come from this one value, so they cannot
//! disagree.
//!
//! Differences that the formats ask for: durations (`1h`, `PT1H`), trigger
//! operators (`gt`, `GreaterThan`), techniques (ARM lists parents and
//! sub-techniques apart), and fields only one of them has (`requiredDataConnectors`
//! and `metadata` in YAML; `enabled` and `alertRuleTemplateName` in ARM).

use rulec_facts::attack::Attack;
use rulec_facts::targets::Sentinel;
use rulec_model::Duration;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// `Scheduled` or `NRT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Scheduled,
    #[serde(rename = "NRT")]
    Nrt,
}

impl Kind {
    /// As both notations write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Nrt => "NRT",
        }
    }
}

/// The YAML template form. Optional parts that are empty are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SentinelRule {
    /// A GUID.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) severity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) required_data_connectors: Option<Vec<DataConnector>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) query_frequency: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) query_period: Option<Duration>,
    /// `gt`, `lt`, `eq`, `ne`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trigger_operator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trigger_threshold: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tactics: Vec<String>,
    /// Parents and sub-techniques alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) relevant_techniques: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    pub(crate) query: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entity_mappings: Vec<EntityMapping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) custom_details: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert_details_override: Option<AlertDetailsOverride>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_grouping_settings: Option<EventGroupingSettings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) incident_configuration: Option<IncidentConfiguration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suppression_duration: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suppression_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
    /// Three numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    pub(crate) kind: Kind,
}

/// What fills the tables of the query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataConnector {
    pub(crate) connector_id: String,
    pub(crate) data_types: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntityMapping {
    pub(crate) entity_type: String,
    pub(crate) field_mappings: Vec<FieldMapping>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FieldMapping {
    pub(crate) identifier: String,
    pub(crate) column_name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_field_names)] // They are the format's.
pub(crate) struct AlertDetailsOverride {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert_display_name_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert_description_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert_tactics_column_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert_severity_column_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) alert_dynamic_properties: Vec<DynamicProperty>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DynamicProperty {
    pub(crate) alert_property: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventGroupingSettings {
    pub(crate) aggregation_kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncidentConfiguration {
    pub(crate) create_incident: bool,
    pub(crate) grouping_configuration: GroupingConfiguration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupingConfiguration {
    pub(crate) enabled: bool,
    pub(crate) reopen_closed_incident: bool,
    pub(crate) lookback_duration: Duration,
    pub(crate) matching_method: String,
    #[serde(default, deserialize_with = "list")]
    pub(crate) group_by_entities: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) group_by_alert_details: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) group_by_custom_details: Vec<String>,
}

/// A list that templates write as a key without a value when it is empty.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::<Vec<String>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What the ARM form says beyond the YAML form.
pub(crate) struct Deployment<'a> {
    pub(crate) facts: &'a Sentinel,
    /// The API version, stable and preview.
    pub(crate) api_version: &'a str,
    pub(crate) api_version_preview: &'a str,
    /// The version of ATT&CK that Sentinel takes.
    pub(crate) attack: &'a Attack,
    /// Tactics, when they are not the template's.
    pub(crate) tactics: &'a [String],
    pub(crate) enabled: bool,
}

impl SentinelRule {
    /// The rule as a resource of Azure Resource Manager, nested in a workspace
    /// that is a parameter of the template. Tactics and techniques that the
    /// service does not know are left out: it would refuse the deployment.
    pub(crate) fn arm(&self, deployment: &Deployment<'_>) -> Value {
        let facts = deployment.facts;
        let tactics: Vec<&String> = deployment
            .tactics
            .iter()
            .filter(|tactic| facts.tactics.contains(tactic))
            .collect();
        let known = |id: &&String| deployment.attack.technique(id).is_some();
        let mut techniques: Vec<&str> = Vec::new();
        let mut sub_techniques: Vec<&str> = Vec::new();
        for id in self.relevant_techniques.iter().filter(known) {
            let (parent, sub) = match id.split_once('.') {
                Some((parent, _)) => (parent, Some(id.as_str())),
                None => (id.as_str(), None),
            };
            if !techniques.contains(&parent) {
                techniques.push(parent);
            }
            sub_techniques.extend(sub.filter(|sub| !sub_techniques.contains(sub)));
        }
        let preview = self.kind == Kind::Nrt || !sub_techniques.is_empty();

        let mut properties = Map::new();
        let mut put = |key: &str, value: Value| {
            properties.insert(key.to_owned(), value);
        };
        put("displayName", json!(self.name));
        put("description", json!(self.description));
        put("severity", json!(self.severity));
        put("enabled", json!(deployment.enabled));
        put("query", json!(self.query));
        if self.kind == Kind::Scheduled {
            put(
                "queryFrequency",
                json!(self.query_frequency.map(Duration::iso8601)),
            );
            put("queryPeriod", json!(self.query_period.map(Duration::iso8601)));
            let operator = self.trigger_operator.as_deref().unwrap_or("gt");
            let operator = facts.trigger_operators.get(operator);
            put("triggerOperator", json!(operator));
            put("triggerThreshold", json!(self.trigger_threshold.unwrap_or(0)));
        }
        let suppression = match self.suppression_duration {
            Some(duration) => duration.iso8601(),
            None => seconds(facts.defaults.suppression).iso8601(),
        };
        put("suppressionDuration", json!(suppression));
        put(
            "suppressionEnabled",
            json!(self.suppression_enabled.unwrap_or(false)),
        );
        put("tactics", json!(tactics));
        put("techniques", json!(techniques));
        if !sub_techniques.is_empty() {
            put("subTechniques", json!(sub_techniques));
        }
        put("alertRuleTemplateName", json!(self.id));
        if let Some(incidents) = &self.incident_configuration {
            let mut incidents = json!(incidents);
            let lookback = self.incident_configuration.as_ref().map(|incidents| {
                let grouping = &incidents.grouping_configuration;
                grouping.lookback_duration.iso8601()
            });
            incidents["groupingConfiguration"]["lookbackDuration"] = json!(lookback);
            put("incidentConfiguration", incidents);
        }
        if let Some(grouping) = &self.event_grouping_settings {
            put("eventGroupingSettings", json!(grouping));
        }
        if let Some(details) = &self.alert_details_override {
            put("alertDetailsOverride", json!(details));
        }
        if let Some(details) = &self.custom_details {
            put("customDetails", json!(details));
        }
        if !self.entity_mappings.is_empty() {
            put("entityMappings", json!(self.entity_mappings));
        }
        let version = self
            .version
            .as_deref()
            .unwrap_or(&facts.defaults.template_version);
        put("templateVersion", json!(version));

        let id = &self.id;
        let provider = "'Microsoft.OperationalInsights/workspaces/providers'";
        let workspace = "parameters('workspace')";
        json!({
            "id": format!("[concat(resourceId({provider}, {workspace}, 'Microsoft.SecurityInsights'),'/alertRules/{id}')]"),
            "name": format!("[concat({workspace},'/Microsoft.SecurityInsights/{id}')]"),
            "type": facts.arm.nested_resource_type,
            "kind": self.kind,
            "apiVersion": if preview { deployment.api_version_preview } else { deployment.api_version },
            "properties": literal(Value::Object(properties)),
        })
    }
}

/// A duration of a data file as a rule's.
pub(crate) fn seconds(duration: std::time::Duration) -> Duration {
    Duration::from_seconds(duration.as_secs())
}

/// The value with every string escaped that Azure Resource Manager would take
/// for an expression: one in square brackets, which a doubled first bracket
/// makes literal.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) if text.starts_with('[') && text.ends_with(']') => {
            Value::String(format!("[{text}"))
        }
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, literal(value)))
            .collect(),
        other => other,
    }
}
