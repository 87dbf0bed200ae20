//! Entities as Defender maps them.
//!
//! In: the rule's mappings in Sentinel's names, and the query's columns. Out:
//! Defender's lists of impacted assets and evidence. Mappings that a document
//! states are translated; mappings that nobody stated are inferred for
//! Defender from the columns, which gives better ones than a translation of
//! what was inferred for Sentinel (a device id is none of Sentinel's
//! identifiers). What has no place goes to the ledger.

use std::collections::BTreeMap;

use rulec_model::Entity;
use serde_json::{Map, Value, json};

use super::Prepared;
use crate::codes::{DEFENDER_COLUMN, DEFENDER_ENTITY, DEFENDER_IDENTIFIERS};
use crate::columns::{self, Source};
use crate::findings::{Findings, Problem, Spot, is_assumed, missing_column, result_span};
use crate::{Effect, Input};

/// Property (without its suffix) -> column.
type Item = BTreeMap<String, String>;

/// The lists, and what goes to custom details instead.
pub(super) struct Assets {
    /// The value of `entityMappings`.
    pub(super) mappings: Value,
    /// Key and column.
    pub(super) details: Vec<(String, String)>,
}

/// All mappings of a rule.
pub(super) fn assets(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Assets {
    let outputs = columns::outputs(input.ir);
    let inferred: Vec<(String, Item)> = prepared
        .entities
        .infer_defender(&outputs)
        .into_iter()
        .map(|inferred| (inferred.entity, inferred.fields.into_iter().collect()))
        .collect();
    let mut details = Vec::new();
    let mut lists: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    if is_assumed(&input.resolved.entities.origin) {
        for (list, item) in inferred {
            lists.entry(list).or_default().push(item);
        }
    } else {
        for entity in &input.resolved.entities.value {
            if let Some((list, item)) = translate(prepared, input, entity, &mut details, findings) {
                lists.entry(list).or_default().push(item);
            }
        }
        for (list, items) in &mut lists {
            join(prepared, list, items);
        }
        complete(&mut lists, &inferred);
        for (list, items) in &mut lists {
            drop_incomplete(prepared, input, list, items, findings);
        }
        lists.retain(|_, items| !items.is_empty());
        let is_asset = |list: &String| prepared.entities.defender(list).is_some_and(|list| list.asset);
        if !lists.keys().any(is_asset) {
            for (list, item) in inferred.into_iter().filter(|(list, _)| is_asset(list)) {
                lists.entry(list).or_default().push(item);
            }
        }
    }
    let assets: Vec<&str> = prepared
        .entities
        .defender_lists()
        .filter(|(_, list)| list.asset)
        .map(|(name, _)| name)
        .collect();
    if !lists.keys().any(|list| assets.contains(&list.as_str())) {
        let why = format!(
            "Defender needs an impacted asset, one of {}; the rule maps none.",
            assets.join(", ")
        );
        let problem = Problem::new(DEFENDER_ENTITY, "entities", why).at(result_span(input));
        findings
            .refuse(problem.help("map a Host by its DeviceId or DeviceName, an Account, a Mailbox or an IP"));
    }
    let mappings: Map<String, Value> = lists
        .into_iter()
        .map(|(list, items)| (list, items.into_iter().map(written).collect()))
        .collect();
    Assets {
        mappings: Value::Object(mappings),
        details,
    }
}

/// An item with its properties as they are written: `nameColumn`.
fn written(item: Item) -> Value {
    let properties: Map<String, Value> = item
        .into_iter()
        .map(|(property, column)| (format!("{property}Column"), json!(column)))
        .collect();
    Value::Object(properties)
}

/// One of Sentinel's mappings in Defender's terms.
fn translate(
    prepared: &Prepared,
    input: &Input<'_>,
    entity: &Entity,
    details: &mut Vec<(String, String)>,
    findings: &mut Findings,
) -> Option<(String, Item)> {
    let kind = &entity.kind;
    let Some(place) = prepared.entities.to_defender(kind) else {
        let why = format!("Defender has no place for the entity {kind}.");
        findings.lose(format!("entity {kind}"), Effect::Dropped, why);
        return None;
    };
    let mut item = Item::new();
    for (identifier, column) in &entity.fields {
        let what = format!("entity {kind} ({identifier})");
        if !columns::has(input.ir, column) {
            let problem = missing_column(DEFENDER_COLUMN, input, &what, column).on(
                input,
                Spot::Pair("/settings/entities", identifier, column),
                &input.resolved.entities.origin,
            );
            findings.refuse(problem);
            continue;
        }
        if place.detail.contains(identifier) {
            let why = format!(
                "Defender does not map {identifier} of {kind}; the value goes to the custom details."
            );
            findings.lose(what, Effect::Dropped, why);
            if !input
                .resolved
                .custom_details
                .value
                .values()
                .any(|known| known == column)
            {
                details.push((identifier.clone(), column.clone()));
            }
            continue;
        }
        if !place.algorithms.is_empty() {
            continue;
        }
        let property = place.identifiers.get(identifier);
        if let Some(property) = property.filter(|property| !item.contains_key(*property)) {
            item.insert(property.clone(), column.clone());
        } else {
            let why = format!("Defender has no property for {identifier} of {kind} beside the others.");
            findings.lose(what, Effect::Dropped, why);
        }
    }
    if !place.algorithms.is_empty() {
        item = hash(input, entity, &place.algorithms, findings);
    }
    let list = place.list.clone().filter(|_| !item.is_empty())?;
    Some((list, item))
}

/// A hash by its algorithm: the constant in the algorithm's column, else what
/// the name of the value's column says.
fn hash(
    input: &Input<'_>,
    entity: &Entity,
    algorithms: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Item {
    let Some(column) = entity
        .fields
        .get("Value")
        .filter(|column| columns::has(input.ir, column))
    else {
        return Item::new();
    };
    let stated = entity
        .fields
        .get("Algorithm")
        .and_then(|name| columns::source(input.ir, name));
    let named = match columns::source(input.ir, column) {
        Some(Source::Table { column, .. }) => column,
        _ => column.as_str(),
    };
    let fold = |text: &str| text.to_uppercase().replace(['-', '_'], "");
    let property = match stated {
        Some(Source::Text(text)) => algorithms
            .iter()
            .find(|(name, _)| fold(name) == fold(text))
            .map(|(_, property)| property),
        // The longest name first, so that nothing is found inside another.
        _ => algorithms
            .iter()
            .rev()
            .find(|(name, _)| fold(named).contains(&fold(name)))
            .map(|(_, property)| property),
    };
    if let Some(property) = property {
        return Item::from([(property.clone(), column.clone())]);
    }
    let names: Vec<&str> = algorithms.keys().map(String::as_str).collect();
    let why = format!(
        "Defender takes hashes by {}, and {column} is not known to hold one of them.",
        names.join(" and ")
    );
    findings.lose(format!("entity {} ({column})", entity.kind), Effect::Dropped, why);
    Item::new()
}

/// Adds what the query returns about the same entity: a host mapped by its
/// name gets its device id, an account its domain. Same entity means that the
/// inferred mapping uses the same column for the same property.
fn complete(lists: &mut BTreeMap<String, Vec<Item>>, inferred: &[(String, Item)]) {
    for (list, items) in lists {
        for item in items {
            let same = inferred.iter().find(|(other, candidate)| {
                other == list
                    && item
                        .iter()
                        .any(|(property, column)| candidate.get(property) == Some(column))
            });
            for (property, column) in same.into_iter().flat_map(|(_, candidate)| candidate) {
                item.entry(property.clone()).or_insert_with(|| column.clone());
            }
        }
    }
}

/// Whether Defender takes the item as it is.
fn is_accepted(prepared: &Prepared, list: &str, item: &Item) -> bool {
    let properties: Vec<&str> = item.keys().map(String::as_str).collect();
    prepared.entities.is_accepted_by_defender(list, &properties)
}

/// Joins mappings that Defender takes only together: a registry key and its
/// value, a file name and its hash.
fn join(prepared: &Prepared, list: &str, items: &mut Vec<Item>) {
    let mut at = 0;
    while at < items.len() {
        if is_accepted(prepared, list, &items[at]) {
            at += 1;
            continue;
        }
        let item = items.remove(at);
        let partner = items.iter_mut().find(|other| {
            let apart = item.keys().all(|property| !other.contains_key(property));
            let mut together = (*other).clone();
            together.extend(item.clone());
            apart && is_accepted(prepared, list, &together)
        });
        if let Some(partner) = partner {
            partner.extend(item);
        } else {
            items.insert(at, item);
            at += 1;
        }
    }
}

/// Drops mappings that Defender does not take, and those that are there twice.
fn drop_incomplete(
    prepared: &Prepared,
    input: &Input<'_>,
    list: &str,
    items: &mut Vec<Item>,
    findings: &mut Findings,
) {
    let said = &input.resolved.entities;
    let fields = || said.value.iter().flat_map(|entity| &entity.fields);
    let mut kept: Vec<Item> = Vec::new();
    for item in items.drain(..) {
        if is_accepted(prepared, list, &item) {
            if !kept.contains(&item) {
                kept.push(item);
            }
            continue;
        }
        let sets: Vec<String> = prepared
            .entities
            .defender(list)
            .map(|list| list.required.iter().map(|set| set.join(" and ")).collect())
            .unwrap_or_default();
        let names: Vec<&str> = item.values().map(String::as_str).collect();
        let sets = sets.join(", or ");
        let why = format!("Defender's {list} need {sets}.");
        let construct = format!("{list} ({})", names.join(", "));
        let mut problem = Problem::new(DEFENDER_IDENTIFIERS, construct, why);
        let named = fields().find(|(_, column)| names.contains(&column.as_str()));
        if let Some((identifier, column)) = named {
            let spot = Spot::Pair("/settings/entities", identifier, column);
            problem = problem.on(input, spot, &said.origin);
        }
        let help = format!("map what Defender calls {sets} as well; the detection goes without this one");
        findings.differ(problem.help(help), Effect::Dropped);
    }
    *items = kept;
}
