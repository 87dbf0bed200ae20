//! From a rule and its settings to a Sentinel rule.
//!
//! In: the rule, what was resolved, the bound query. Out: a [`SentinelRule`]
//! and the tactics the document names. What Sentinel has no place for goes to
//! the ledger; whether the result keeps within limits is [`super::limits`]'s
//! question.

use rulec_model::{GroupingMatch, ScheduleKind, Severity, Status, TriggerOperator};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Prepared;
use super::rule::{
    AlertDetailsOverride, DataConnector, EntityMapping, EventGroupingSettings, FieldMapping,
    GroupingConfiguration, IncidentConfiguration, Kind, SentinelRule, seconds,
};
use crate::attack::{HELP, tactics_of, tags};
use crate::codes::{SENTINEL_ATTACK, SENTINEL_NRT, SENTINEL_VERSION};
use crate::findings::{Findings, Problem, Spot, alert, description, is_assumed, length, placeholders, title};
use crate::{Effect, Input};

/// The GUID of a rule: UUID version 5 of its id in a namespace of its own, so
/// that a rule keeps its GUID on every machine and in every year.
pub(super) fn guid(namespace: &Uuid, id: &str, slug: Option<&str>) -> String {
    let name = match slug {
        Some(slug) => format!("{id}#{slug}"),
        None => id.to_owned(),
    };
    Uuid::new_v5(namespace, name.as_bytes()).to_string()
}

/// The GUID under which the document says the rule is deployed. It is the
/// first query's; a second one would take its place.
fn deployed_guid(input: &Input<'_>, slug: Option<&str>) -> Option<String> {
    let said = input
        .rule
        .settings
        .id_at(super::NAME)
        .filter(|_| slug.is_none())?;
    Uuid::parse_str(said).ok().map(|id| id.to_string())
}

/// The rule, and the tactics its document names.
pub(super) fn rule(
    prepared: &Prepared,
    input: &Input<'_>,
    slug: Option<&str>,
    findings: &mut Findings,
) -> (SentinelRule, Vec<String>) {
    let resolved = input.resolved;
    let own = &prepared.config.own;
    let kind = match resolved.kind.value {
        ScheduleKind::Scheduled => Kind::Scheduled,
        ScheduleKind::Nrt => Kind::Nrt,
    };
    let scheduled = kind == Kind::Scheduled;
    let trigger = resolved.trigger.value;
    if !scheduled && (trigger.operator, trigger.threshold) != (TriggerOperator::Gt, 0) {
        let problem = Problem::new(
            SENTINEL_NRT,
            format!("trigger {} {}", operator(trigger.operator), trigger.threshold),
            "A near-real-time rule alerts on any result and has no threshold.",
        );
        let problem = problem.on(input, Spot::Value("/settings/trigger"), &resolved.trigger.origin);
        findings.differ(
            problem.help("count inside the query, so that a result means an alert"),
            Effect::Widened,
        );
    }
    if !scheduled {
        timed(input, findings);
    }
    let (tactics, all_tactics, techniques) = attack(prepared, input, findings);
    let custom_details: Map<String, Value> = resolved
        .custom_details
        .value
        .iter()
        .map(|(key, column)| (key.clone(), json!(column)))
        .collect();
    let details = alert(input).map(|text| AlertDetailsOverride {
        alert_display_name_format: text.title.clone(),
        alert_description_format: text.description.clone(),
        ..AlertDetailsOverride::default()
    });
    let details = details.filter(|details| *details != AlertDetailsOverride::default());
    let per_result = details.as_ref().is_some_and(|details| {
        let texts = [
            &details.alert_display_name_format,
            &details.alert_description_format,
        ];
        texts
            .into_iter()
            .flatten()
            .any(|text| !placeholders(text).is_empty())
    });
    let aggregation = if per_result {
        &own.choices.aggregation_with_placeholders
    } else {
        &own.choices.aggregation
    };
    let rule = SentinelRule {
        id: deployed_guid(input, slug).unwrap_or_else(|| guid(&own.choices.namespace, &input.rule.id, slug)),
        name: title(input, slug),
        description: description(input.rule).to_owned(),
        severity: severity(resolved.severity.value).to_owned(),
        status: own.status.get(status(resolved.status.value)).cloned(),
        required_data_connectors: Some(connectors(prepared, input)),
        query_frequency: scheduled.then_some(resolved.frequency.value),
        query_period: scheduled.then_some(resolved.period.value),
        trigger_operator: scheduled.then(|| operator(trigger.operator).to_owned()),
        trigger_threshold: scheduled.then_some(trigger.threshold),
        tactics: all_tactics,
        relevant_techniques: techniques,
        tags: Vec::new(),
        query: input.text().to_owned(),
        entity_mappings: entities(prepared, input, findings),
        custom_details: (!custom_details.is_empty()).then_some(custom_details),
        alert_details_override: details,
        event_grouping_settings: Some(EventGroupingSettings {
            aggregation_kind: aggregation.clone(),
        }),
        incident_configuration: Some(incidents(prepared, input)),
        suppression_duration: Some(resolved.suppression.value.duration),
        suppression_enabled: Some(resolved.suppression.value.enabled),
        metadata: input
            .rule
            .author
            .as_ref()
            .map(|name| json!({ "author": { "name": name } })),
        version: Some(version(prepared, input, findings)),
        kind,
    };
    (rule, tactics)
}

/// A near-real-time rule runs when the service says; what the document says of
/// it is lost.
fn timed(input: &Input<'_>, findings: &mut Findings) {
    let Some(said) = &input.rule.settings.schedule else {
        return;
    };
    for (key, duration) in [("frequency", said.value.frequency), ("period", said.value.period)] {
        let Some(duration) = duration else { continue };
        let why = format!("A near-real-time rule has no {key}: the service runs it as events arrive.");
        let problem = Problem::new(SENTINEL_NRT, format!("{key} {duration}"), why).on(
            input,
            Spot::Key("/settings/schedule", key),
            &said.origin,
        );
        let help = format!("take `{key}` out, or make the rule a scheduled one");
        findings.differ(problem.help(help), Effect::Dropped);
    }
}

/// Tactics as the document has them, tactics with all of each technique's,
/// and techniques.
fn attack(
    prepared: &Prepared,
    input: &Input<'_>,
    findings: &mut Findings,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let attack = &prepared.attack;
    let tags = tags(attack, input.rule);
    tags.tell_unknown(SENTINEL_ATTACK, "Sentinel", attack, input, findings);
    let mut tactics = Vec::new();
    let mut all_tactics = Vec::new();
    let mut techniques: Vec<String> = Vec::new();
    let mut strange: Vec<String> = Vec::new();
    let mut add = |list: &mut Vec<String>, tactic| {
        let name = attack.spelling(tactic);
        // What the service has no name for, it would refuse the whole rule for.
        let list = if prepared.facts.tactics.contains(&name) {
            list
        } else {
            &mut strange
        };
        if !list.contains(&name) {
            list.push(name);
        }
    };
    for placed in tags.placed {
        for tactic in placed.tactics {
            add(&mut tactics, tactic);
            add(&mut all_tactics, tactic);
        }
        if let Some(id) = placed.technique
            && !techniques.iter().any(|known| known == id)
        {
            techniques.push(id.to_owned());
        }
    }
    if prepared.config.own.choices.every_tactic {
        for id in &techniques {
            let parent = id.split('.').next().unwrap_or(id);
            for tactic in tactics_of(attack, parent) {
                add(&mut all_tactics, tactic);
            }
        }
    }
    for name in strange {
        let why = format!("Sentinel has no tactic {name}.");
        let problem = Problem::new(SENTINEL_ATTACK, format!("tactic {name}"), why);
        findings.differ(problem.on_document(input, "/attack").help(HELP), Effect::Dropped);
    }
    (tactics, all_tactics, techniques)
}

/// The connectors that fill the tables of the query.
fn connectors(prepared: &Prepared, input: &Input<'_>) -> Vec<DataConnector> {
    let tables: Vec<&str> = input.ir.tables.iter().map(|table| table.name.as_str()).collect();
    prepared
        .facts
        .connectors_of(&tables)
        .into_iter()
        .map(|(id, tables)| DataConnector {
            connector_id: id.to_owned(),
            data_types: tables.into_iter().map(str::to_owned).collect(),
        })
        .collect()
}

/// The entity mappings. What was derived is cut to the limits: nobody asked for
/// more; what somebody wrote is left to the check of the limits.
fn entities(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Vec<EntityMapping> {
    let facts = &prepared.facts;
    let assumed = is_assumed(&input.resolved.entities.origin);
    let mut mappings: Vec<EntityMapping> = input
        .resolved
        .entities
        .value
        .iter()
        .map(|entity| EntityMapping {
            entity_type: entity.kind.clone(),
            field_mappings: ordered(prepared, &entity.kind, &entity.fields),
        })
        .collect();
    if assumed {
        for mapping in &mut mappings {
            mapping.field_mappings.truncate(facts.identifiers_max);
        }
        mappings.retain(|mapping| {
            let names: Vec<&str> = mapping
                .field_mappings
                .iter()
                .map(|f| f.identifier.as_str())
                .collect();
            let accepted = prepared.entities.is_accepted(&mapping.entity_type, &names);
            if !accepted {
                let why = "What the query returns is not enough to name this entity.";
                findings.lose(format!("entity {}", mapping.entity_type), Effect::Dropped, why);
            }
            accepted
        });
        for extra in mappings.drain(facts.entity_mappings_max.min(mappings.len())..) {
            findings.lose(
                format!("entity {}", extra.entity_type),
                Effect::Dropped,
                format!("A rule takes {} entity mappings.", facts.entity_mappings_max),
            );
        }
    }
    mappings
}

/// Identifiers in the order in which Sentinel's own list has them, which begins
/// with the telling ones.
fn ordered(
    prepared: &Prepared,
    entity: &str,
    fields: &std::collections::BTreeMap<String, String>,
) -> Vec<FieldMapping> {
    let known = prepared
        .entities
        .sentinel(entity)
        .map(|entity| entity.identifiers.as_slice())
        .unwrap_or_default();
    let mut mappings: Vec<FieldMapping> = fields
        .iter()
        .map(|(identifier, column)| FieldMapping {
            identifier: identifier.clone(),
            column_name: column.clone(),
        })
        .collect();
    mappings.sort_by_key(|field| {
        let place = known
            .iter()
            .position(|identifier| *identifier == field.identifier);
        place.unwrap_or(known.len())
    });
    mappings
}

fn incidents(prepared: &Prepared, input: &Input<'_>) -> IncidentConfiguration {
    let grouping = input.resolved.grouping.as_ref().map(|grouping| &grouping.value);
    IncidentConfiguration {
        create_incident: prepared.config.own.choices.create_incident,
        grouping_configuration: GroupingConfiguration {
            enabled: grouping.is_some(),
            reopen_closed_incident: false,
            lookback_duration: grouping.map_or_else(
                || seconds(prepared.facts.defaults.grouping_lookback),
                |grouping| grouping.lookback,
            ),
            matching_method: match grouping.map(|grouping| grouping.matching) {
                None | Some(GroupingMatch::AllEntities) => "AllEntities",
                Some(GroupingMatch::AnyAlert) => "AnyAlert",
                Some(GroupingMatch::Selected) => "Selected",
            }
            .to_owned(),
            group_by_entities: grouping
                .map(|grouping| grouping.by_entities.clone())
                .unwrap_or_default(),
            group_by_alert_details: Vec::new(),
            group_by_custom_details: grouping
                .map(|grouping| grouping.by_custom_details.clone())
                .unwrap_or_default(),
        },
    }
}

/// The version as three numbers: `1.4` is `1.4.0`.
fn version(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> String {
    let said = input.rule.version();
    let facts = &prepared.facts;
    let normal = normal_version(said)
        .filter(|version| length(version) <= facts.version_max && prepared.version.is_match(version));
    normal.unwrap_or_else(|| {
        let default = &facts.defaults.template_version;
        let why =
            format!("The version `{said}` cannot be written as three numbers; Sentinel gets {default}.");
        let problem = Problem::new(SENTINEL_VERSION, format!("version {said}"), why);
        let problem = problem.on_document(input, "/versions/0/version");
        findings.note(problem.help("write versions as `1.4` or `1.4.0`"));
        default.clone()
    })
}

/// Three numbers without leading zeros; none when `said` has other parts or more.
pub(super) fn normal_version(said: &str) -> Option<String> {
    let digits = said.trim().trim_start_matches(['v', 'V']);
    let mut parts: Vec<u32> = digits
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    // A fourth number that says nothing may go.
    while parts.len() > 3 && parts.last() == Some(&0) {
        parts.pop();
    }
    parts.resize(parts.len().max(3), 0);
    match parts[..] {
        [major, minor, patch] => Some(format!("{major}.{minor}.{patch}")),
        _ => None,
    }
}

fn operator(operator: TriggerOperator) -> &'static str {
    match operator {
        TriggerOperator::Gt => "gt",
        TriggerOperator::Lt => "lt",
        TriggerOperator::Eq => "eq",
        TriggerOperator::Ne => "ne",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Experimental => "experimental",
        Status::Test => "test",
        Status::Stable => "stable",
        Status::Deprecated => "deprecated",
    }
}
