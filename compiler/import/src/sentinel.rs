//! Microsoft Sentinel analytics rules: YAML templates, ARM templates of one
//! or many rules, exports of the portal and of the REST interface.
//!
//! In: the values of a file. Out: a draft for each rule. A rule is found by
//! its shape, wherever it stands: a mapping with `query` that has a name, or a
//! resource with `properties`. Expressions of ARM (`[concat(…)]`,
//! `[variables(…)]`) are followed as far as names need it.

use rulec_emit::Effect;
use rulec_model::{
    AlertText, Duration, Entity, Environment, Grouping, GroupingMatch, Schedule, ScheduleKind, Severity,
    Status, Suppression, Trigger, TriggerOperator,
};
use rulec_source::SourceFile;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, btree_map::Entry};
use uuid::Uuid;

use crate::input::{Fields, is_empty, text};
use crate::{Context, Refused, attack, draft::Draft};

/// Nesting of templates within templates.
const DEEPEST: usize = 16;
/// What queries of this format run on.
const PLATFORM: (&str, Environment) = ("Microsoft Sentinel", Environment::Sentinel);
/// What the service and the portal write beside a rule: no part of it.
const STATE: [&str; 3] = ["lastModifiedUtc", "etag", "systemData"];

/// The rules of a file.
pub(crate) fn rules(context: &Context, file: &SourceFile, values: Vec<Value>) -> Vec<Result<Draft, Refused>> {
    let mut found = Vec::new();
    let header = made_by(&file.text);
    for value in values {
        find(&value, &Map::new(), 0, &mut found);
    }
    let single = found.len() == 1;
    found
        .into_iter()
        .map(|raw| rule(context, raw, header.as_deref().filter(|_| single)))
        .collect()
}

/// A rule as it was found.
struct Raw {
    /// The keys of the rule itself, in either notation.
    body: Fields,
    kind: String,
    /// GUID and name of the resource.
    resource: String,
    /// The document it was made from, when a template of rulec's own says so.
    document: Option<String>,
    arm: bool,
}

fn find(value: &Value, template: &Map<String, Value>, depth: usize, found: &mut Vec<Raw>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                find(item, template, depth + 1, found);
            }
        }
        Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default();
                let of_type = map.get("type").and_then(Value::as_str).unwrap_or_default();
                let is_rule = of_type.to_ascii_lowercase().contains("alertrule")
                    || (of_type.is_empty() && properties.contains_key("displayName"));
                // Templates of a solution hold the rule's own template inside.
                let nested = ["mainTemplate", "template"]
                    .iter()
                    .find_map(|key| properties.get(*key));
                if let Some(nested) = nested {
                    find(nested, template, depth + 1, found);
                } else if is_rule {
                    let part = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
                    let body = resolved(&Value::Object(properties.clone()), template);
                    found.push(Raw {
                        body: Fields::of(Some(body)),
                        kind: kind.to_owned(),
                        resource: format!("{} {}", part("id"), string(part("name"), template)),
                        document: document(template),
                        arm: true,
                    });
                }
                if let Some(resources) = map.get("resources") {
                    find(resources, template, depth + 1, found);
                }
            } else if let Some(resources) = map.get("resources") {
                find(resources, map, depth + 1, found);
            } else if let Some(items) = map.get("value").filter(|v| v.is_array()) {
                find(items, template, depth + 1, found);
            } else if map.contains_key("query") || map.contains_key("queryFrequency") {
                found.push(Raw {
                    body: Fields(map.clone()),
                    kind: map
                        .get("kind")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                    resource: String::new(),
                    document: None,
                    arm: map.contains_key("displayName"),
                });
            }
        }
        _ => {}
    }
}

fn document(template: &Map<String, Value>) -> Option<String> {
    let said = template.get("metadata")?.get("rulec")?.get("document")?;
    said.as_str().map(str::to_owned)
}

/// `# Made by rulec 0.1.0 from rules/a.md` at the head of a template.
pub(crate) fn made_by(text: &str) -> Option<String> {
    let line = text.trim_start_matches('\u{feff}').lines().next()?;
    let rest = line.strip_prefix("# Made by rulec ")?;
    Some(rest.split_once(" from ")?.1.trim().to_owned())
}

/// Strings of a template: expressions that name a variable or a parameter are
/// replaced, and an escaped bracket is one.
fn resolved(value: &Value, template: &Map<String, Value>) -> Value {
    match value {
        Value::String(said) => {
            let inner = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            match inner.and_then(|inner| lookup(inner, template)) {
                Some(value) => value,
                None => Value::String(string(said, template)),
            }
        }
        Value::Array(items) => items.iter().map(|item| resolved(item, template)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), resolved(value, template)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn string(said: &str, template: &Map<String, Value>) -> String {
    if said.starts_with("[[") {
        return said[1..].to_owned();
    }
    let inner = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner
        .and_then(|inner| lookup(inner, template))
        .and_then(|value| text(&value))
        .unwrap_or_else(|| said.to_owned())
}

/// `variables('name')`, or a parameter's default value.
fn lookup(expression: &str, template: &Map<String, Value>) -> Option<Value> {
    let (function, rest) = expression.split_once('(')?;
    let name = rest
        .strip_suffix(')')?
        .trim()
        .strip_prefix('\'')?
        .strip_suffix('\'')?;
    match function.trim() {
        "variables" => template.get("variables")?.get(name).cloned(),
        "parameters" => template
            .get("parameters")?
            .get(name)?
            .get("defaultValue")
            .cloned(),
        _ => None,
    }
}

/// The last GUID in a text.
fn guid(text: &str) -> Option<String> {
    let fits = |at: &usize| text.is_char_boundary(*at) && text.is_char_boundary(at + 36);
    (0..=text.len().checked_sub(36)?)
        .rev()
        .filter(fits)
        .find_map(|at| Uuid::parse_str(&text[at..at + 36]).ok())
        .map(|id| id.to_string())
}

fn rule(context: &Context, raw: Raw, header: Option<&str>) -> Result<Draft, Refused> {
    let Raw {
        mut body,
        kind,
        resource,
        document,
        arm,
    } = raw;
    let name = body
        .text("displayName")
        .or_else(|| body.text("name"))
        .unwrap_or_default();
    let refused = |why: &str| Refused {
        name: name.clone(),
        why: why.to_owned(),
    };
    let Some(query) = body.text("query") else {
        let why = match kind.as_str() {
            "" => "it has no query".to_owned(),
            kind => format!("a rule of kind {kind} has no query"),
        };
        return Err(refused(&why));
    };
    for key in STATE.iter().chain(&["kind"]) {
        body.take(key);
    }
    let mut draft = Draft::new(&name);
    if draft.rule.title != name {
        draft.lose("`name`", Effect::Exact, "blanks in it are single now");
    }
    let own = [body.text("id"), body.text("name")];
    let template = body.text("alertRuleTemplateName");
    let id = guid(&resource)
        .or_else(|| own.iter().flatten().find_map(|id| guid(id)))
        .or_else(|| template.as_deref().and_then(guid));
    if let Some(path) = document.as_deref().or(header) {
        draft.made_from(path);
    }
    if let Some(id) = &id {
        draft.mark.clone_from(id);
        draft.front.ids = Some(BTreeMap::from([("sentinel".to_owned(), id.clone())]));
    } else {
        draft.lose(
            "`id`",
            Effect::Dropped,
            "it has no GUID; a build gives the rule one of its own",
        );
    }
    if let Some(template) = template.filter(|template| guid(template) != id) {
        draft.lose(
            "`alertRuleTemplateName`",
            Effect::Dropped,
            format!("the link to the template {template} is replaced by the rule's own id"),
        );
    }
    draft.query(&query, Some(PLATFORM));
    if let Some(description) = body.text("description") {
        draft.section("detection_description", "Detection description", &description);
    }
    draft.front.targets = Some(vec!["sentinel".to_owned()]);
    severity(&mut body, &mut draft);
    let mut techniques = body.texts("relevantTechniques");
    let parents = body.texts("techniques");
    techniques.extend(body.texts("subTechniques"));
    // ARM lists the parents of sub-techniques beside them.
    let bare = |id: &String| !techniques.iter().any(|t| t.starts_with(&format!("{id}.")));
    let parents: Vec<String> = parents.into_iter().filter(bare).collect();
    techniques.extend(parents);
    let tactics = body.texts("tactics");
    draft.rule.attack = attack::tags(&context.attack, &tactics, &techniques, &mut draft.losses);
    schedule(&mut body, &kind, &mut draft);
    entities(&mut body, &mut draft);
    alert(&mut body, &mut draft);
    incidents(&mut body, &mut draft);
    let suppression = Suppression {
        enabled: body
            .take("suppressionEnabled")
            .is_some_and(|v| v == Value::Bool(true)),
        duration: duration(&mut body, "suppressionDuration", &mut draft).unwrap_or(Duration::from_seconds(
            context.sentinel.defaults.suppression.as_secs(),
        )),
    };
    let default = context.sentinel.defaults.suppression.as_secs();
    if suppression.enabled || suppression.duration.seconds() != default {
        draft.front.suppression = Some(suppression);
    }
    if body.take("enabled") == Some(Value::Bool(false)) {
        draft.lose(
            "`enabled`",
            Effect::Widened,
            "the rule is switched off where it comes from; a build switches it on",
        );
    }
    if let Some(status) = body.text("status") {
        match status.as_str() {
            "Available" => draft.front.status = Some(Status::Stable),
            other => draft.lose(
                "`status`",
                Effect::Dropped,
                format!("a document does not know {other}"),
            ),
        }
    }
    let mut metadata = body.fields("metadata");
    draft.rule.author = metadata.fields("author").text("name");
    let keys: Vec<String> = metadata.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left("metadata.", &keys.iter().map(String::as_str).collect::<Vec<_>>());
    connectors(&mut body, &mut draft);
    let version = body.text("version").or_else(|| body.text("templateVersion"));
    draft.version(
        version,
        None,
        if arm {
            "Imported from a deployed rule."
        } else {
            "Imported from a template."
        },
    );
    let keys: Vec<String> = body.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left("", &keys.iter().map(String::as_str).collect::<Vec<_>>());
    Ok(draft)
}

fn severity(body: &mut Fields, draft: &mut Draft) {
    let Some(said) = body.text("severity") else { return };
    draft.front.severity = match said.to_ascii_lowercase().as_str() {
        "informational" => Some(Severity::Informational),
        "low" => Some(Severity::Low),
        "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        _ => {
            draft.lose(
                "`severity`",
                Effect::Dropped,
                format!("there is no severity `{said}`"),
            );
            None
        }
    };
}

/// A duration: `1h`, `PT1H`, or `1.02:30:00` as .NET writes it.
fn duration(body: &mut Fields, key: &str, draft: &mut Draft) -> Option<Duration> {
    let said = body.text(key)?;
    let read = said.parse().ok().or_else(|| clock(&said));
    if read.is_none() {
        draft.lose(
            format!("`{key}`"),
            Effect::Dropped,
            format!("`{said}` is no length of time"),
        );
    }
    read
}

/// `[d.]hh:mm:ss`
fn clock(text: &str) -> Option<Duration> {
    let (days, time) = match text.split_once('.') {
        Some((days, time)) => (days.parse::<u64>().ok()?, time),
        None => (0, text),
    };
    let parts: Vec<u64> = time.split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else {
        return None;
    };
    let sum = days
        .checked_mul(24)?
        .checked_add(hours)?
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?
        .checked_add(seconds)?;
    Some(Duration::from_seconds(sum))
}

fn schedule(body: &mut Fields, kind: &str, draft: &mut Draft) {
    let frequency = duration(body, "queryFrequency", draft);
    let period = duration(body, "queryPeriod", draft);
    let nrt = kind.eq_ignore_ascii_case("nrt");
    if !nrt && !kind.is_empty() && !kind.eq_ignore_ascii_case("scheduled") {
        draft.lose(
            "`kind`",
            Effect::Dropped,
            format!("{kind} is written as a scheduled rule"),
        );
    }
    let schedule = Schedule {
        kind: if nrt {
            ScheduleKind::Nrt
        } else {
            ScheduleKind::Scheduled
        },
        frequency,
        period,
    };
    if nrt || frequency.is_some() || period.is_some() {
        draft.front.schedule = Some(schedule);
    }
    let operator = body.text("triggerOperator");
    let threshold = body.text("triggerThreshold");
    let said = operator.as_deref().unwrap_or("gt").to_ascii_lowercase();
    let operator = match said.as_str() {
        "gt" | "greaterthan" => Some(TriggerOperator::Gt),
        "lt" | "lessthan" => Some(TriggerOperator::Lt),
        "eq" | "equal" | "equals" => Some(TriggerOperator::Eq),
        "ne" | "notequal" | "notequals" => Some(TriggerOperator::Ne),
        _ => None,
    };
    let threshold = threshold.as_deref().unwrap_or("0").parse().ok();
    match (operator, threshold) {
        (Some(TriggerOperator::Gt), Some(0)) => {}
        (Some(operator), Some(threshold)) => {
            draft.front.trigger = Some(Trigger { operator, threshold });
        }
        _ => draft.lose(
            "`triggerOperator`",
            Effect::Dropped,
            "operator or threshold cannot be understood",
        ),
    }
}

fn entities(body: &mut Fields, draft: &mut Draft) {
    let mut entities = Vec::new();
    for mapping in list(body.take("entityMappings")) {
        let mut mapping = Fields::of(Some(mapping));
        let kind = mapping.text("entityType").unwrap_or_default();
        let mut fields = BTreeMap::new();
        for field in list(mapping.take("fieldMappings")) {
            let mut field = Fields::of(Some(field));
            let identifier = field.text("identifier").unwrap_or_default();
            let column = field.text("columnName").unwrap_or_default();
            match fields.entry(identifier) {
                Entry::Vacant(place) => {
                    place.insert(column);
                }
                Entry::Occupied(place) => {
                    let identifier = place.key();
                    let why = format!("{identifier} of {kind} is mapped twice; the first column stays");
                    draft.lose("`entityMappings`", Effect::Dropped, why);
                }
            }
        }
        entities.push(Entity { kind, fields });
    }
    // Without a list mappings would be derived from columns, which the rule has not.
    draft.front.entities = Some(entities);
    if let Some(Value::Array(items)) = body.take("sentinelEntitiesMappings")
        && !items.is_empty()
    {
        draft.lose(
            "`sentinelEntitiesMappings`",
            Effect::Dropped,
            "a document maps entities by columns",
        );
    }
    let details: BTreeMap<String, String> = body
        .fields("customDetails")
        .0
        .into_iter()
        .filter_map(|(key, value)| Some((key, text(&value)?)))
        .collect();
    // Custom details are derived from de-duplication alone.
    let derived = draft
        .rule
        .queries
        .iter()
        .any(|q| q.text.contains("Begin de-duplication"));
    if !details.is_empty() || derived {
        draft.front.custom_details = Some(details);
    }
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn alert(body: &mut Fields, draft: &mut Draft) {
    let mut details = body.fields("alertDetailsOverride");
    let texts = AlertText {
        title: details.text("alertDisplayNameFormat"),
        description: details.text("alertDescriptionFormat"),
    };
    let keys: Vec<String> = details.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left(
        "alertDetailsOverride.",
        &keys.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let placeholders = [&texts.title, &texts.description]
        .into_iter()
        .flatten()
        .any(|text| text.contains("{{"));
    if texts != AlertText::default() {
        draft.front.alert = Some(texts);
    }
    let mut events = body.fields("eventGroupingSettings");
    let written = if placeholders {
        "AlertPerResult"
    } else {
        "SingleAlert"
    };
    if let Some(said) = events.text("aggregationKind").filter(|said| said != written) {
        let why = format!(
            "a build writes {written} instead of {said}: rows are grouped by whether the alert's text has placeholders"
        );
        draft.lose("`eventGroupingSettings.aggregationKind`", Effect::Dropped, why);
    }
    let keys: Vec<String> = events.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left(
        "eventGroupingSettings.",
        &keys.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

fn incidents(body: &mut Fields, draft: &mut Draft) {
    let mut incidents = body.fields("incidentConfiguration");
    if incidents.take("createIncident") == Some(Value::Bool(false)) {
        draft.lose(
            "`incidentConfiguration.createIncident`",
            Effect::Dropped,
            "a build lets every alert make an incident",
        );
    }
    let mut grouping = incidents.fields("groupingConfiguration");
    let enabled = grouping.take("enabled") == Some(Value::Bool(true));
    if enabled {
        if grouping.take("reopenClosedIncident") == Some(Value::Bool(true)) {
            draft.lose(
                "`reopenClosedIncident`",
                Effect::Dropped,
                "a build leaves closed incidents closed",
            );
        }
        let matching = match grouping.text("matchingMethod").as_deref() {
            Some("AnyAlert") => GroupingMatch::AnyAlert,
            Some("Selected") => GroupingMatch::Selected,
            _ => GroupingMatch::AllEntities,
        };
        draft.front.grouping = Some(Grouping {
            matching,
            lookback: duration(&mut grouping, "lookbackDuration", draft)
                .unwrap_or(Duration::from_seconds(5 * 3600)),
            by_entities: grouping.texts("groupByEntities"),
            by_custom_details: grouping.texts("groupByCustomDetails"),
        });
    } else {
        // What is switched off has no effect, but somebody may have meant to switch it on.
        let said: Vec<String> = ["groupByEntities", "groupByCustomDetails"]
            .iter()
            .filter(|key| grouping.take(key).is_some_and(|value| !is_empty(&value)))
            .map(|key| (*key).to_owned())
            .collect();
        for key in said {
            draft.lose(
                format!("`{key}`"),
                Effect::Dropped,
                "grouping is switched off, and a document keeps none of its settings then",
            );
        }
        for key in ["reopenClosedIncident", "lookbackDuration", "matchingMethod"] {
            grouping.take(key);
        }
    }
    let keys: Vec<String> = grouping
        .rest()
        .iter()
        .chain(&incidents.rest())
        .map(|k| (*k).to_owned())
        .collect();
    draft.left(
        "incidentConfiguration.",
        &keys.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

fn connectors(body: &mut Fields, draft: &mut Draft) {
    for connector in list(body.take("requiredDataConnectors")) {
        let mut connector = Fields::of(Some(connector));
        let id = connector.text("connectorId").unwrap_or_default();
        draft.connectors.push((id, connector.texts("dataTypes")));
    }
}
