//! Microsoft Defender XDR custom detections: the body of the security API.
//!
//! In: one body, a list of them, or a page of the API (`{"value": […]}`). Out:
//! a draft for each. The older body of the API (`isEnabled`, `category`,
//! `mitreTechniques`, `schedule.period`) is read too, since estates were
//! exported with it.

use std::collections::BTreeMap;

use rulec_emit::{Effect, Loss};
use rulec_model::{AlertText, Duration, Entity, Environment, Schedule, ScheduleKind, Severity};
use serde_json::Value;

use crate::input::{Fields, text};
use crate::{Context, Refused, attack, draft::Draft};

/// What queries of this format run on.
const PLATFORM: (&str, Environment) = ("M365 Security", Environment::M365);
/// What the service writes beside a detection: no part of it.
const STATE: [&str; 8] = [
    "createdBy",
    "createdDateTime",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "lastRunDetails",
    "detectorId",
    "@odata.type",
    "@odata.context",
];
/// The identifier of a hash, whose property depends on its algorithm.
const HASH: &str = "Value";
/// How a description of rulec's own ends.
const MADE_BY: &str = "Made by rulec ";

/// The detections of a file.
pub(crate) fn rules(context: &Context, values: Vec<Value>) -> Vec<Result<Draft, Refused>> {
    let mut found = Vec::new();
    for value in values {
        find(value, 0, &mut found);
    }
    found.into_iter().map(|body| rule(context, body)).collect()
}

fn find(value: Value, depth: usize, found: &mut Vec<Fields>) {
    match value {
        Value::Array(items) if depth < 8 => {
            for item in items {
                find(item, depth + 1, found);
            }
        }
        Value::Object(mut map) => {
            let list = ["value", "detections", "rules"]
                .into_iter()
                .find(|key| map.get(*key).is_some_and(Value::is_array));
            if map.contains_key("queryCondition") || map.contains_key("detectionAction") {
                found.push(Fields(map));
            } else if let Some(items) = list.and_then(|key| map.remove(key)) {
                find(items, depth + 1, found);
            }
        }
        _ => {}
    }
}

fn keys(fields: &Fields) -> Vec<String> {
    fields.rest().iter().map(|key| (*key).to_owned()).collect()
}

fn left(draft: &mut Draft, prefix: &str, fields: &Fields) {
    let keys = keys(fields);
    draft.left(prefix, &keys.iter().map(String::as_str).collect::<Vec<_>>());
}

fn rule(context: &Context, mut body: Fields) -> Result<Draft, Refused> {
    let name = body.text("displayName").unwrap_or_default();
    let mut condition = body.fields("queryCondition");
    let Some(query) = condition.text("queryText") else {
        return Err(Refused {
            name,
            why: "it has no query".to_owned(),
        });
    };
    condition.take("lastModifiedDateTime");
    for key in STATE {
        body.take(key);
    }
    let mut draft = Draft::new(&name);
    let mut about = body.text("description").unwrap_or_default();
    if let Some((before, made)) = about.rsplit_once(MADE_BY)
        && let Some((_, path)) = made.split_once(" from ")
    {
        let path = path.split(" (sha256").next().unwrap_or(path).to_owned();
        draft.made_from(&path);
        about = before.trim_end().to_owned();
    }
    if let Some(id) = body.text("id") {
        draft.mark.clone_from(&id);
        draft.front.ids = Some(BTreeMap::from([("defender".to_owned(), id)]));
    }
    draft.query(&query, Some(PLATFORM));
    draft.front.targets = Some(vec!["defender".to_owned()]);
    let on = body.text("status").map(|status| status == "enabled");
    let on = on.or(body.take("isEnabled").and_then(|v| v.as_bool()));
    if on == Some(false) {
        draft.lose(
            "`status`",
            Effect::Widened,
            "the detection is switched off where it comes from; a build switches it on",
        );
    }
    schedule(&mut body, &mut draft);
    let mut action = body.fields("detectionAction");
    let mut template = action.fields("alertTemplate");
    let alert_about = template.text("description").unwrap_or_default();
    if about.is_empty() {
        about.clone_from(&alert_about);
    }
    draft.section("detection_description", "Detection description", &about);
    let title = template.text("title").filter(|title| *title != name);
    let description = Some(alert_about).filter(|text| !text.is_empty() && *text != about);
    if title.is_some() || description.is_some() {
        draft.front.alert = Some(AlertText { title, description });
    }
    if let Some(actions) = template.text("recommendedActions") {
        draft.section("response_actions", "Suggested Response Actions", &actions);
    }
    draft.front.severity = match template.text("severity").as_deref() {
        Some("informational") => Some(Severity::Informational),
        Some("low") => Some(Severity::Low),
        Some("medium") => Some(Severity::Medium),
        Some("high") => Some(Severity::High),
        Some(other) => {
            let why = format!("there is no severity `{other}`");
            draft.lose("`severity`", Effect::Dropped, why);
            None
        }
        None => None,
    };
    let (mut tactics, mut techniques) = (template.texts("category"), template.texts("mitreTechniques"));
    for entry in list(template.take("tactics")) {
        let mut entry = Fields::of(Some(entry));
        tactics.extend(entry.text("tactic"));
        for technique in list(entry.take("techniques")) {
            let mut technique = Fields::of(Some(technique));
            let subs = technique.texts("subTechniques");
            if subs.is_empty() {
                techniques.extend(technique.text("technique"));
            }
            techniques.extend(subs);
        }
    }
    draft.rule.attack = attack::tags(&context.attack, &tactics, &techniques, &mut draft.losses);
    let mut lists = template.fields("entityMappings");
    let mut entities = Vec::new();
    for (list_name, items) in std::mem::take(&mut lists.0) {
        for item in list(Some(items)) {
            entities.extend(of_list(context, &list_name, item, &mut draft.losses));
        }
    }
    draft.front.entities = Some(entities);
    let details: BTreeMap<String, String> = template
        .fields("customDetails")
        .0
        .into_iter()
        .filter_map(|(key, value)| Some((key, text(&value)?)))
        .collect();
    let derived = query.contains("Begin de-duplication");
    if !details.is_empty() || derived {
        draft.front.custom_details = Some(details);
    }
    left(&mut draft, "alertTemplate.", &template);
    left(&mut draft, "detectionAction.", &action);
    left(&mut draft, "queryCondition.", &condition);
    left(&mut draft, "", &body);
    draft.version(None, None, "Imported from a deployed detection.");
    Ok(draft)
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn schedule(body: &mut Fields, draft: &mut Draft) {
    let mut schedule = body.fields("schedule");
    schedule.take("nextRunDateTime");
    let said = schedule.text("frequency").or_else(|| {
        schedule.text("period").map(|period| match period.as_str() {
            "0" => "PT0S".to_owned(),
            other => other.to_ascii_lowercase(),
        })
    });
    if let Some(said) = said {
        match said.parse::<Duration>() {
            Ok(every) => {
                let continuous = every.seconds() == 0;
                draft.front.schedule = Some(Schedule {
                    kind: if continuous {
                        ScheduleKind::Nrt
                    } else {
                        ScheduleKind::Scheduled
                    },
                    frequency: (!continuous).then_some(every),
                    period: None,
                });
            }
            Err(_) => {
                let why = format!("`{said}` is no length of time");
                draft.lose("`schedule.frequency`", Effect::Dropped, why);
            }
        }
    }
    left(draft, "schedule.", &schedule);
}

/// An item of one of Defender's lists as mappings in Sentinel's names.
fn of_list(context: &Context, list: &str, item: Value, losses: &mut Vec<Loss>) -> Vec<Entity> {
    let mut found: Vec<Entity> = Vec::new();
    let mut hashes = Vec::new();
    for (property, column) in Fields::of(Some(item)).0 {
        let Some(column) = text(&column) else { continue };
        let property = property.strip_suffix("Column").unwrap_or(&property);
        let Some((kind, identifier)) = place(context, list, property, &found) else {
            losses.push(Loss::new(
                format!("`{list}.{property}Column`"),
                Effect::Dropped,
                format!("no entity of a document goes there ({column})"),
            ));
            continue;
        };
        // The algorithm of a hash would have to be a column of the query.
        let by_algorithm = context
            .entities
            .to_defender(&kind)
            .is_some_and(|p| !p.algorithms.is_empty());
        if by_algorithm && identifier == HASH {
            hashes.push((property.to_owned(), column));
            continue;
        }
        let same = found
            .iter_mut()
            .find(|entity| entity.kind == kind && !entity.fields.contains_key(&identifier));
        match same {
            Some(entity) => {
                entity.fields.insert(identifier, column);
            }
            None => found.push(Entity {
                kind,
                fields: BTreeMap::from([(identifier, column)]),
            }),
        }
    }
    for (property, column) in hashes {
        let (effect, why) = if found.is_empty() {
            (
                Effect::Dropped,
                "a document maps a hash with a column for its algorithm, which the query has not",
            )
        } else {
            (
                Effect::Exact,
                "it is not written down: a build adds the hashes that the query returns beside the name",
            )
        };
        losses.push(Loss::new(
            format!("`{list}.{property}Column` ({column})"),
            effect,
            why,
        ));
    }
    found
}

/// The entity type and identifier that go to a property: of a type that the
/// item has already, if it can be, and the most telling identifier.
fn place(context: &Context, list: &str, property: &str, found: &[Entity]) -> Option<(String, String)> {
    let mut places: Vec<(bool, usize, &str, String)> = Vec::new();
    for (kind, entity) in context.entities.sentinel_types() {
        let Some(place) = context.entities.to_defender(kind) else {
            continue;
        };
        if place.list.as_deref() != Some(list) {
            continue;
        }
        let strange = !found.iter().any(|known| known.kind == kind);
        for (rank, identifier) in entity.identifiers.iter().enumerate() {
            if place.identifiers.get(identifier).is_some_and(|to| to == property) {
                places.push((strange, rank, kind, identifier.clone()));
            }
        }
        if place.algorithms.values().any(|to| to == property) {
            places.push((strange, entity.identifiers.len(), kind, HASH.to_owned()));
        }
    }
    places.sort();
    places
        .into_iter()
        .next()
        .map(|(_, _, kind, identifier)| (kind.to_owned(), identifier))
}
