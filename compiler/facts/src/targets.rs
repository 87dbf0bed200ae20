//! What each target takes: limits, enumerations, connectors.
//!
//! In: `schema/targets/{sentinel,defender,sigma}.yaml`, and the JSON schemas
//! (draft 2020-12) of what is emitted, `schema/targets/*.schema.json`. Out:
//! one plain structure a target, named as in the files. Durations are written
//! `5m`, `1h`, `14d`.
//!
//! Deliberately absent: ATT&CK spellings ([`crate::attack`]), entities
//! ([`crate::entities`]) and log sources ([`crate::sigma`]).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use crate::{FactsError, Pack, yaml};

/// An inclusive range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

/// An inclusive range of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationRange {
    /// The shortest.
    #[serde(deserialize_with = "duration")]
    pub min: Duration,
    /// The longest.
    #[serde(deserialize_with = "duration")]
    pub max: Duration,
}

impl DurationRange {
    /// Whether a duration lies in the range.
    pub fn contains(&self, duration: Duration) -> bool {
        (self.min..=self.max).contains(&duration)
    }
}

/// Sentinel: a period of at least `from` runs at most once every `frequency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPeriod {
    /// The period from which on this counts.
    #[serde(deserialize_with = "duration")]
    pub from: Duration,
    /// The shortest frequency then.
    #[serde(deserialize_with = "duration")]
    pub frequency: Duration,
}

/// Sentinel: limits of custom details.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomDetails {
    /// Pairs in a rule.
    pub max: usize,
    /// Characters of a key.
    pub key_max: usize,
    /// The form of a key, a regular expression.
    pub key_pattern: String,
    /// Characters of a column name.
    pub value_max: usize,
    /// Bytes of all details of an alert.
    pub bytes_max: usize,
    /// Values of one detail of an alert.
    pub values_max: usize,
}

/// Sentinel: limits of a text with `{{Column}}` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Characters.
    pub max: usize,
    /// Columns.
    pub placeholders: usize,
}

/// Sentinel: limits of the service, which a single rule cannot break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentinelService {
    /// Enabled rules of a workspace.
    pub rules_enabled: u32,
    /// Scheduled rules of a workspace.
    pub rules_scheduled: u32,
    /// Near-real-time rules of a workspace by default.
    pub rules_nrt: u32,
    /// Near-real-time rules of a workspace at most.
    pub rules_nrt_max: u32,
    /// Entities of an alert.
    pub entities_per_alert: u32,
    /// Bytes of all entities of an alert.
    pub entity_bytes_per_alert: u32,
    /// Alerts of one run of a scheduled rule that alerts per result.
    pub alerts_per_run: u32,
    /// The same of a near-real-time rule.
    pub alerts_per_run_nrt: u32,
    /// How late a near-real-time rule runs.
    #[serde(deserialize_with = "duration")]
    pub delay_nrt: Duration,
    /// How often a near-real-time rule runs.
    #[serde(deserialize_with = "duration")]
    pub frequency_nrt: Duration,
}

/// Sentinel: what a rule has when it does not say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentinelDefaults {
    /// suppressionDuration
    #[serde(deserialize_with = "duration")]
    pub suppression: Duration,
    /// lookbackDuration of incident grouping
    #[serde(deserialize_with = "duration")]
    pub grouping_lookback: Duration,
    /// templateVersion
    pub template_version: String,
}

/// Sentinel: names of the ARM form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The latest stable version.
    pub api_version: String,
    /// The version that takes near-real-time rules and sub-techniques.
    pub api_version_preview: String,
    /// The type of a rule that extends a workspace.
    pub resource_type: String,
    /// The type of a rule nested in a workspace.
    pub nested_resource_type: String,
}

/// Microsoft Sentinel analytics rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // The names are the format's own; the file says what each means.
pub struct Sentinel {
    #[serde(rename = "source")]
    _source: String,
    pub kinds: Vec<String>,
    pub severities: Vec<String>,
    pub statuses: Vec<String>,
    /// The name in YAML templates -> the name in ARM.
    pub trigger_operators: BTreeMap<String, String>,
    pub trigger_threshold: Range,
    pub aggregation_kinds: Vec<String>,
    pub matching_methods: Vec<String>,
    pub group_by_alert_details: Vec<String>,
    pub alert_properties: Vec<String>,
    pub tactics: Vec<String>,
    pub name_max: usize,
    pub description_max: usize,
    pub query_max: usize,
    /// Regular expressions that a query may not match.
    pub query_refused: Vec<String>,
    pub version_pattern: String,
    pub version_max: usize,
    pub column_pattern: String,
    pub column_max: usize,
    pub frequency: DurationRange,
    pub period: DurationRange,
    pub long_period: LongPeriod,
    #[serde(deserialize_with = "duration")]
    pub suppression_max: Duration,
    pub entity_mappings_max: usize,
    pub identifiers_max: usize,
    pub custom_details: CustomDetails,
    pub alert_name_format: Format,
    pub alert_description_format: Format,
    pub service: SentinelService,
    pub defaults: SentinelDefaults,
    pub arm: Arm,
    connectors: BTreeMap<String, Vec<String>>,
    no_connector: Vec<String>,
}

/// Which data connector fills a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector<'a> {
    /// The connector's id.
    Id(&'a str),
    /// The workspace fills the table by itself.
    NotNeeded,
    /// Nothing is known about the table.
    Unknown,
}

impl Sentinel {
    /// Reads `schema/targets/sentinel.yaml`.
    pub fn load(pack: &Pack) -> Result<Sentinel, FactsError> {
        yaml::file(pack, "schema/targets/sentinel.yaml")
    }

    /// The data connector of a table.
    pub fn connector(&self, table: &str) -> Connector<'_> {
        let lists = |tables: &Vec<String>| tables.iter().any(|known| known == table);
        match self.connectors.iter().find(|(_, tables)| lists(tables)) {
            Some((id, _)) => Connector::Id(id),
            None if lists(&self.no_connector) => Connector::NotNeeded,
            None => Connector::Unknown,
        }
    }

    /// The connectors of several tables, as a rule lists them: sorted by id,
    /// each with its tables sorted. Tables that need none or are unknown are
    /// left out.
    pub fn connectors_of<'a>(&'a self, tables: &[&'a str]) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for table in tables {
            if let Connector::Id(id) = self.connector(table) {
                found.entry(id).or_default().push(table);
            }
        }
        for tables in found.values_mut() {
            tables.sort_unstable();
            tables.dedup();
        }
        found
    }
}

/// Defender: a frequency the service offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// How often.
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    /// As it is written: `PT1H`.
    pub iso: String,
}

/// Defender: how far back a query may look from a frequency on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookback {
    /// The frequency from which on this counts.
    #[serde(deserialize_with = "duration")]
    pub from: Duration,
    /// The longest lookback then.
    #[serde(deserialize_with = "duration")]
    pub lookback: Duration,
}

/// Defender: what a near-real-time detection may not do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearRealTime {
    /// How many tables it may read.
    pub tables_max: usize,
    /// Operators that are refused.
    pub operators_refused: Vec<String>,
    /// Whether comments are refused.
    pub comments_refused: bool,
    /// Defender tables it may be about.
    pub tables: Vec<String>,
    /// Sentinel tables it may be about.
    pub sentinel_tables: Vec<String>,
}

/// Microsoft Defender XDR custom detections.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // The names are the format's own; the file says what each means.
pub struct Defender {
    #[serde(rename = "source")]
    _source: String,
    pub url: String,
    pub odata_type: String,
    pub id_pattern: String,
    pub statuses: Vec<String>,
    pub severities: Vec<String>,
    pub tactics: Vec<String>,
    pub tactics_max: usize,
    pub placeholders_max: usize,
    pub custom_details_max: usize,
    pub alerts_per_run: u32,
    /// Shortest first.
    pub frequencies: Vec<Frequency>,
    pub continuous: String,
    /// Shortest frequency first.
    pub lookbacks: Vec<Lookback>,
    /// The output needs one of these.
    pub time_columns: Vec<String>,
    /// The output needs these for tables that are no device tables.
    pub event_columns: Vec<String>,
    device_tables: Vec<String>,
    device_columns: Vec<String>,
    pub functions_refused: Vec<String>,
    pub nrt: NearRealTime,
    /// Automated action -> the columns it takes, without the suffix `Column`.
    pub actions: BTreeMap<String, Vec<String>>,
}

impl Defender {
    /// Reads `schema/targets/defender.yaml`.
    pub fn load(pack: &Pack) -> Result<Defender, FactsError> {
        yaml::file(pack, "schema/targets/defender.yaml")
    }

    /// The columns the output of a rule about `table` needs, beside one of
    /// [`Defender::time_columns`].
    pub fn columns_needed(&self, table: &str) -> &[String] {
        let device = self
            .device_tables
            .iter()
            .any(|known| match known.strip_suffix('*') {
                Some(prefix) => table.starts_with(prefix),
                None => known == table,
            });
        if device {
            &self.device_columns
        } else {
            &self.event_columns
        }
    }

    /// The offered frequency nearest to what a rule wants: the longest that
    /// is not above it, so that no event is missed; the shortest when all are.
    pub fn frequency(&self, wanted: Duration) -> Option<&Frequency> {
        let below = self.frequencies.iter().filter(|offered| offered.every <= wanted);
        below
            .max_by_key(|offered| offered.every)
            .or_else(|| self.frequencies.iter().min_by_key(|f| f.every))
    }

    /// How far back a query of this frequency may look.
    pub fn lookback(&self, frequency: Duration) -> Option<Duration> {
        self.lookbacks
            .iter()
            .filter(|row| row.from <= frequency)
            .map(|row| row.lookback)
            .max()
    }
}

/// Sigma: `SigmaHQ`'s conventions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // As above.
pub struct SigmaHq {
    pub title_max: usize,
    pub title_refused: Vec<String>,
    pub description_start: String,
    pub status_of_new: String,
    pub indentation: usize,
    pub filter_prefix: String,
    pub optional_filter_prefix: String,
    pub selection_prefix: String,
    pub file_max: usize,
    pub file_pattern: String,
}

/// Sigma rules and correlations.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // As above.
pub struct SigmaRules {
    #[serde(rename = "source")]
    _source: String,
    pub specification: String,
    pub statuses: Vec<String>,
    pub levels: Vec<String>,
    pub title_max: usize,
    pub name_max: usize,
    pub description_max: usize,
    pub tag_pattern: String,
    pub date_format: String,
    pub correlation_types: Vec<String>,
    pub correlation_types_with_field: Vec<String>,
    pub correlation_conditions: Vec<String>,
    pub timespan_units: Vec<String>,
    pub timespan_max: usize,
    pub modifiers: Vec<String>,
    pub sigmahq: SigmaHq,
}

impl SigmaRules {
    /// Reads `schema/targets/sigma.yaml`.
    pub fn load(pack: &Pack) -> Result<SigmaRules, FactsError> {
        yaml::file(pack, "schema/targets/sigma.yaml")
    }
}

/// The JSON schema (draft 2020-12) of what is emitted, by name:
/// `sentinel-rule`, `sentinel-arm`, `defender-detection`, `sigma-rule`, `sigma-correlation`.
pub fn schema(pack: &Pack, name: &str) -> Result<serde_json::Value, FactsError> {
    let path = format!("schema/targets/{name}.schema.json");
    serde_json::from_str(pack.require(&path)?)
        .map_err(|error| FactsError::at(&path, error.line(), error.to_string()))
}

/// Reads `5m`, `1h`, `14d`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = (|| {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(seconds)
    })();
    let wrong = || {
        de::Error::custom(format!(
            "'{text}' is no duration, expected a number and s, m, h or d"
        ))
    };
    parsed.map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_secs(86400);

    #[test]
    fn sentinel() {
        let sentinel = Sentinel::load(&Pack::embedded()).unwrap();
        assert_eq!(sentinel.query_max, 10000);
        assert!(sentinel.frequency.contains(HOUR) && !sentinel.frequency.contains(15 * DAY));
        assert_eq!(
            sentinel.connector("SigninLogs"),
            Connector::Id("AzureActiveDirectory")
        );
        assert_eq!(sentinel.connector("SecurityAlert"), Connector::NotNeeded);
        assert_eq!(sentinel.connector("MyApp_CL"), Connector::Unknown);
        let connectors = sentinel.connectors_of(&["SigninLogs", "DeviceEvents", "AuditLogs", "SigninLogs"]);
        let expected = BTreeMap::from([
            ("AzureActiveDirectory", vec!["AuditLogs", "SigninLogs"]),
            ("MicrosoftThreatProtection", vec!["DeviceEvents"]),
        ]);
        assert_eq!(connectors, expected);
    }

    #[test]
    fn every_table_a_target_names_exists() {
        let pack = Pack::embedded();
        let tables = crate::tables::Tables::new(&pack, crate::tables::Environment::Merged).unwrap();
        let sentinel = Sentinel::load(&pack).unwrap();
        let defender = Defender::load(&pack).unwrap();
        let named = sentinel
            .connectors
            .values()
            .flatten()
            .chain(&sentinel.no_connector);
        for table in named
            .chain(&defender.nrt.tables)
            .chain(&defender.nrt.sentinel_tables)
        {
            assert!(tables.get(table).is_some(), "{table}");
        }
    }

    #[test]
    fn defender() {
        let defender = Defender::load(&Pack::embedded()).unwrap();
        let iso = |wanted| defender.frequency(wanted).unwrap().iso.as_str();
        assert_eq!(
            [
                iso(Duration::from_secs(300)),
                iso(HOUR),
                iso(2 * HOUR),
                iso(5 * DAY)
            ],
            ["PT1H", "PT1H", "PT1H", "P1D"]
        );
        assert_eq!(defender.lookback(HOUR), Some(4 * HOUR));
        assert_eq!(defender.lookback(3 * HOUR), Some(12 * HOUR));
        assert_eq!(defender.lookback(DAY), Some(30 * DAY));
        assert_eq!(defender.lookback(Duration::from_secs(1)), None);
        assert_eq!(
            defender.columns_needed("DeviceProcessEvents"),
            ["DeviceId", "ReportId"]
        );
        assert_eq!(defender.columns_needed("EmailEvents"), ["ReportId"]);
    }

    #[test]
    fn sigma() {
        let sigma = SigmaRules::load(&Pack::embedded()).unwrap();
        assert!(sigma.levels.contains(&"critical".to_owned()));
        assert!(
            sigma
                .correlation_types_with_field
                .iter()
                .all(|kind| sigma.correlation_types.contains(kind))
        );
    }

    #[test]
    fn entity_lists_and_tactics_agree_with_the_other_files() {
        let pack = Pack::embedded();
        for (target, tactics) in [
            ("sentinel", Sentinel::load(&pack).unwrap().tactics),
            ("defender", Defender::load(&pack).unwrap().tactics),
        ] {
            let attack = crate::attack::Attack::for_target(&pack, target).unwrap();
            for tactic in attack.tactics() {
                assert!(
                    tactics.contains(&attack.spelling(tactic)),
                    "{target} {}",
                    tactic.id
                );
            }
        }
    }

    #[test]
    fn a_wrong_duration_is_named() {
        let text = Pack::embedded()
            .text("schema/targets/defender.yaml")
            .unwrap()
            .replace("3h,", "3x,");
        let path = "schema/targets/defender.yaml".to_owned();
        let files = BTreeMap::from([(path, text.into_bytes())]);
        let message = Defender::load(&Pack::embedded().overlay(files))
            .unwrap_err()
            .to_string();
        assert!(message.contains("'3x' is no duration"), "{message}");
    }
}
