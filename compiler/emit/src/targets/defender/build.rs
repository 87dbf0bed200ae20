//! From a rule and its settings to the body of a custom detection.

use rulec_facts::attack::Tactic;
use rulec_model::{Severity, Status};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Prepared;
use super::assets::assets;
use super::limits::Schedule;
use crate::attack::{HELP, tags};
use crate::codes::{DEFENDER_ATTACK, DEFENDER_COLUMN};
use crate::findings::{Findings, Problem, Spot, alert, description, missing_column, title};
use crate::{Effect, Input, Provenance, columns};

/// The body, in the order of the API's own samples.
pub(super) fn body(
    prepared: &Prepared,
    input: &Input<'_>,
    slug: Option<&str>,
    schedule: &Schedule,
    findings: &mut Findings,
) -> Value {
    let resolved = input.resolved;
    let name = title(input, slug);
    let about = description(input.rule);
    let texts = alert(input);
    let alert_title = texts
        .and_then(|text| text.title.clone())
        .unwrap_or_else(|| name.clone());
    let alert_about = texts
        .and_then(|text| text.description.clone())
        .unwrap_or_else(|| about.to_owned());
    let assets = assets(prepared, input, findings);
    let details = details(prepared, input, assets.details, findings);

    let mut template = Map::new();
    template.insert("title".to_owned(), json!(alert_title));
    template.insert("description".to_owned(), json!(alert_about));
    template.insert("severity".to_owned(), json!(severity(resolved.severity.value)));
    let actions = input
        .rule
        .section(&prepared.config.own.choices.recommended_actions);
    if let Some(actions) = actions {
        template.insert("recommendedActions".to_owned(), json!(actions));
    }
    let tactics = tactics(prepared, input, findings);
    if !tactics.is_empty() {
        template.insert("tactics".to_owned(), json!(tactics));
    }
    template.insert("entityMappings".to_owned(), assets.mappings);
    if !details.is_empty() {
        template.insert("customDetails".to_owned(), Value::Object(details));
    }
    json!({
        "id": deployed_id(input, slug).unwrap_or_else(|| id(prepared, &input.rule.id, slug)),
        "displayName": name,
        "description": format!("{about}\n\n{}", provenance(input.provenance)),
        "status": if resolved.status.value == Status::Deprecated { "disabled" } else { "enabled" },
        "queryCondition": { "queryText": schedule.query },
        "schedule": { "frequency": schedule.frequency },
        "detectionAction": { "alertTemplate": template },
    })
}

/// Where the detection comes from, on one line.
fn provenance(provenance: &Provenance) -> String {
    let Provenance {
        rulec,
        document,
        sha256,
    } = provenance;
    format!("Made by rulec {rulec} from {document} (sha256 {sha256})")
}

/// The id under which the document says the detection is deployed; whether
/// Defender takes it is [`super::limits`]'s question.
fn deployed_id(input: &Input<'_>, slug: Option<&str>) -> Option<String> {
    let said = input.rule.settings.id_at(super::NAME);
    said.filter(|_| slug.is_none()).map(str::to_owned)
}

/// The rule's id where the service takes it; else with a prefix, and with the
/// characters it does not take replaced and told apart by a hash.
pub(super) fn id(prepared: &Prepared, id: &str, slug: Option<&str>) -> String {
    let said = match slug {
        Some(slug) => format!("{id}-{slug}"),
        None => id.to_owned(),
    };
    let prefixed = format!("{}{said}", prepared.config.own.choices.id_prefix);
    if let Some(fit) = [&said, &prefixed].into_iter().find(|id| prepared.id.is_match(id)) {
        return fit.clone();
    }
    let fit: String = prefixed
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(90)
        .collect();
    let digits = Sha256::digest(said.as_bytes())
        .iter()
        .take(4)
        .fold(0u32, |digits, byte| digits << 8 | u32::from(*byte));
    format!("{fit}-{digits:08x}")
}

/// Custom details: what the rule says, then what entities leave over while
/// there is room.
fn details(
    prepared: &Prepared,
    input: &Input<'_>,
    left_over: Vec<(String, String)>,
    findings: &mut Findings,
) -> Map<String, Value> {
    let max = prepared.facts.custom_details_max;
    let mut details = Map::new();
    for (key, column) in &input.resolved.custom_details.value {
        if !columns::has(input.ir, column) {
            let what = format!("custom detail {key}");
            let problem = missing_column(DEFENDER_COLUMN, input, &what, column).on(
                input,
                Spot::Pair("/settings/custom_details", key, column),
                &input.resolved.custom_details.origin,
            );
            findings.refuse(problem);
        }
        details.insert(key.clone(), json!(column));
    }
    for (key, column) in left_over {
        if details.len() >= max {
            let why = format!("There is no room for it among the {max} custom details.");
            findings.lose(format!("custom detail {key}"), Effect::Dropped, why);
        } else if !details.contains_key(&key) {
            details.insert(key, json!(column));
        }
    }
    details
}

/// The one tactic with its techniques; empty when the document names none.
fn tactics(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Vec<Value> {
    let attack = &prepared.attack;
    let tags = tags(attack, input.rule);
    tags.tell_unknown(DEFENDER_ATTACK, "Defender", attack, input, findings);
    let mut named: Vec<&Tactic> = Vec::new();
    for tactic in tags.placed.iter().flat_map(|placed| &placed.tactics) {
        if !named.contains(tactic) {
            named.push(tactic);
        }
    }
    // A tactic that Defender does not know cannot be the one.
    let (known, strange): (Vec<&Tactic>, Vec<&Tactic>) = named
        .into_iter()
        .partition(|tactic| prepared.facts.tactics.contains(&attack.spelling(tactic)));
    for tactic in strange {
        let name = attack.spelling(tactic);
        let why = format!("Defender has no tactic {name}.");
        let problem = Problem::new(DEFENDER_ATTACK, format!("tactic {name}"), why);
        findings.differ(problem.on_document(input, "/attack").help(HELP), Effect::Dropped);
    }
    let Some((chosen, others)) = known.split_first() else {
        return Vec::new();
    };
    for tactic in others {
        let (name, kept) = (attack.spelling(tactic), attack.spelling(chosen));
        let why =
            format!("A custom detection has one tactic; the first that the document names, {kept}, is kept.");
        findings.lose(format!("tactic {name}"), Effect::Dropped, why);
    }
    // Parent -> sub-techniques, in the order of the document.
    let mut techniques: Vec<(&str, Vec<&str>)> = Vec::new();
    for placed in &tags.placed {
        let Some(id) = placed.technique else { continue };
        let belongs = attack
            .technique(id)
            .is_some_and(|technique| technique.tactics.contains(&chosen.shortname));
        if !belongs && !placed.tactics.contains(chosen) {
            let why = format!(
                "It stands under no tactic of the detection, which has {} alone.",
                attack.spelling(chosen)
            );
            findings.lose(format!("technique {id}"), Effect::Dropped, why);
            continue;
        }
        let parent = id.split('.').next().unwrap_or(id);
        if !techniques.iter().any(|(known, _)| *known == parent) {
            techniques.push((parent, Vec::new()));
        }
        let entry = techniques.iter_mut().find(|(known, _)| *known == parent);
        if let Some((_, subs)) = entry
            && id != parent
            && !subs.contains(&id)
        {
            subs.push(id);
        }
    }
    let techniques: Vec<Value> = techniques
        .into_iter()
        .map(|(technique, subs)| {
            if subs.is_empty() {
                json!({ "technique": technique })
            } else {
                json!({ "technique": technique, "subTechniques": subs })
            }
        })
        .collect();
    let mut entry = json!({ "tactic": attack.spelling(chosen) });
    if !techniques.is_empty() {
        entry["techniques"] = json!(techniques);
    }
    vec![entry]
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "informational",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}
