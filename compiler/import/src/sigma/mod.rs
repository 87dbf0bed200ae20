//! Sigma rules as KQL over the tables of Defender and Sentinel.
//!
//! In: the documents of a file. Out: a draft for each rule that is not a part of
//! a correlation. Log sources and
//! fields come from `schema/sigma/`, the data by which the Sigma target goes
//! the other way. What a table cannot say is left out of the query and said:
//! a part less in a conjunction matches more, in a disjunction less.

mod condition;
mod correlation;
mod kql;
mod matching;
mod source;
mod value;

use std::collections::BTreeMap;

use rulec_emit::{Effect, Loss};
use rulec_facts::sigma::{Form, LogSource};
use rulec_model::{Severity, Status};
use rulec_source::SourceFile;
use serde_json::Value;

use crate::input::{Fields, text, texts};
use crate::{Context, Refused, attack, draft::Draft};
use condition::Condition;
use kql::Predicate;
use source::{Chosen, Wanted};

/// Lists of values within lists of maps, no deeper.
const MOST_PARTS: usize = 20_000;

/// The rules of a file.
pub(crate) fn rules(context: &Context, file: &SourceFile, values: Vec<Value>) -> Vec<Result<Draft, Refused>> {
    let header = crate::sentinel::made_by(&file.text);
    let mut documents: Vec<Value> = Vec::new();
    for value in values {
        match value {
            Value::Array(items) => documents.extend(items),
            other => documents.push(other),
        }
    }
    let of = |key: &str, value: &Value| value.get(key).is_some();
    let named = correlation::Named::of(&documents);
    // What a correlation is made of is no rule of its own.
    let referred = named.referred(&documents);
    let stands_alone = |value: &&Value| !referred.contains(&std::ptr::from_ref(*value));
    let rules = documents
        .iter()
        .filter(|v| of("detection", v) || of("correlation", v))
        .filter(stands_alone);
    let single = rules.count() == 1;
    let mut found = Vec::new();
    for value in &documents {
        if of("filter", value) && !of("detection", value) {
            found.push(Err(Refused {
                name: value.get("title").and_then(text).unwrap_or_default(),
                why:
                    "a filter is added to rules that lie elsewhere, and whether its condition keeps or drops \
                      events is left open; write it as an exclusion in environments/"
                        .to_owned(),
            }));
            continue;
        }
        let known = of("correlation", value) || of("detection", value);
        if !known || !stands_alone(&value) {
            continue;
        }
        found.push(rule(context, value, &named, header.as_deref().filter(|_| single)));
    }
    found
}

fn rule(
    context: &Context,
    document: &Value,
    named: &correlation::Named<'_>,
    header: Option<&str>,
) -> Result<Draft, Refused> {
    let mut body = Fields::of(Some(document.clone()));
    let title = body.text("title").unwrap_or_default();
    let mut draft = Draft::new(&title);
    if let Some(path) = header {
        draft.made_from(path);
    }
    if let Some(id) = body.text("id") {
        draft.mark.clone_from(&id);
        draft.front.ids = Some(BTreeMap::from([("sigma".to_owned(), id)]));
    }
    let product = if body.take("correlation").is_some() {
        correlation::write(context, named, document, &mut draft)?;
        body.take("name");
        None
    } else {
        let found = detection(context, &mut body, &[], &mut draft.losses);
        let found = found.map_err(|why| Refused { name: title, why })?;
        let query = format!(
            "let timeframe = 2*1h;\n{}// Begin environment-specific filter.\n// End environment-specific filter.\n",
            found.lines()
        );
        draft.query(&query, None);
        found.product
    };
    about(context, &mut body, &mut draft, product.as_deref());
    let keys: Vec<String> = body.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left("", &keys.iter().map(String::as_str).collect::<Vec<_>>());
    Ok(draft)
}

/// The events that a rule finds.
struct Detected<'c> {
    chosen: Chosen<'c>,
    predicate: Predicate,
    product: Option<String>,
}

impl Detected<'_> {
    fn table(&self) -> &str {
        &self.chosen.source.table
    }

    /// KQL for a field, and whether it is what the field is.
    fn column(&self, field: &str) -> Option<(String, bool)> {
        let place = self.chosen.places(field).into_iter().next()?;
        let exact = matches!(place.field.form, Form::Plain | Form::Json);
        Some((place.column, exact))
    }

    fn is_number(&self, field: &str) -> bool {
        let place = self.chosen.places(field).into_iter().next();
        place.is_some_and(|place| source::is_number(place.kind))
    }

    /// The column that says when an event was.
    fn time(&self) -> &'static str {
        if self.chosen.is_time("Timestamp") {
            "Timestamp"
        } else {
            "TimeGenerated"
        }
    }

    /// The query: the table, the time it looks back, the events, the detection.
    fn lines(&self) -> String {
        let source: &LogSource = self.chosen.source;
        let mut query = format!("{}\n| where ingestion_time() >= ago(timeframe)\n", source.table);
        let column = &source.event_column;
        let number = self.chosen.is_number(column);
        let events: Vec<String> = source
            .events
            .iter()
            .map(|event| if number { event.clone() } else { kql::quoted(event) })
            .collect();
        match events.as_slice() {
            [] => {}
            [one] => query += &format!("| where {column} == {one}\n"),
            several => query += &format!("| where {column} in ({})\n", several.join(", ")),
        }
        let body = kql::wheres(&self.predicate);
        if body.contains(source::REGISTRY_PATH) {
            // The field is the key with the value's name behind it.
            query += &format!(
                "| extend {} = strcat(RegistryKey, iff(isempty(RegistryValueName), \"\", strcat(\"\\\\\", RegistryValueName)))\n",
                source::REGISTRY_PATH
            );
        }
        query + &body
    }
}

/// What a rule finds, with `fields` that somebody will look at.
fn detection<'c>(
    context: &'c Context,
    body: &mut Fields,
    fields: &[String],
    losses: &mut Vec<Loss>,
) -> Result<Detected<'c>, String> {
    let mut logsource = body.fields("logsource");
    let wanted = Wanted {
        category: logsource.text("category"),
        product: logsource.text("product"),
        service: logsource.text("service"),
    };
    logsource.take("definition");
    let dropped = |construct: String, why: &str| Loss::new(construct, Effect::Dropped, why);
    for key in logsource.rest() {
        losses.push(dropped(
            format!("`logsource.{key}`"),
            "a document has no place for it",
        ));
    }
    let mut detection = body.fields("detection");
    let conditions = detection.texts("condition");
    if detection.take("timeframe").is_some() {
        let why = "it says nothing without a condition that counts";
        losses.push(dropped("`timeframe`".to_owned(), why));
    }
    let searches = detection.0;
    let names: Vec<&str> = searches.keys().map(String::as_str).collect();
    let parsed: Vec<Condition> = conditions
        .iter()
        .map(|text| condition::parse(text, &names))
        .collect::<Result<_, _>>()?;
    let condition = match parsed.len() {
        0 => return Err("its detection has no condition".to_owned()),
        1 => parsed.into_iter().next().unwrap_or(Condition::Or(Vec::new())),
        _ => Condition::Or(parsed),
    };
    if count(&searches) > MOST_PARTS {
        return Err(format!("its detection has more than {MOST_PARTS} parts"));
    }
    let mut asked = searches.clone();
    if !fields.is_empty() {
        let fields = fields.iter().map(|field| (field.clone(), Value::Null));
        asked.insert(
            "the fields of a correlation".to_owned(),
            Value::Object(fields.collect()),
        );
    }
    let chosen = source::choose(context, &wanted, &asked)?;
    let predicate = of_condition(&chosen, &condition, &searches, losses);
    let predicate = match kql::without_unknown(predicate, false, losses) {
        Some(Predicate::Unknown { construct, why }) => return Err(format!("{construct}: {why}")),
        Some(predicate) => predicate,
        None => return Err("its detection says nothing".to_owned()),
    };
    if !chosen.source.exact {
        losses.push(Loss::new(
            "`logsource`",
            Effect::Narrowed,
            format!(
                "{} has some of the events only, or others too",
                chosen.source.table
            ),
        ));
    }
    Ok(Detected {
        chosen,
        predicate,
        product: wanted.product,
    })
}

fn count(map: &serde_json::Map<String, Value>) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(of).sum::<usize>() + 1,
            Value::Object(map) => map.values().map(of).sum::<usize>() + 1,
            _ => 1,
        }
    }
    map.values().map(of).sum()
}

fn of_condition(
    chosen: &Chosen<'_>,
    condition: &Condition,
    searches: &serde_json::Map<String, Value>,
    losses: &mut Vec<Loss>,
) -> Predicate {
    let mut all = |parts: &[Condition]| -> Vec<Predicate> {
        parts
            .iter()
            .map(|part| of_condition(chosen, part, searches, losses))
            .collect()
    };
    match condition {
        Condition::Search(name) => {
            let search = searches.get(name).unwrap_or(&Value::Null);
            matching::search(chosen, name, search, losses)
        }
        Condition::Not(inner) => Predicate::Not(Box::new(of_condition(chosen, inner, searches, losses))),
        Condition::And(parts) => Predicate::and(all(parts)),
        Condition::Or(parts) => Predicate::or(all(parts)),
    }
}

/// Everything but the detection.
fn about(context: &Context, body: &mut Fields, draft: &mut Draft, product: Option<&str>) {
    if let Some(description) = body.text("description") {
        draft.section("detection_description", "Detection description", &description);
    }
    let falsepositives = body.texts("falsepositives");
    if !falsepositives.is_empty() {
        let lines: Vec<String> = falsepositives
            .iter()
            .map(|line| format!("* {}", line.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect();
        draft.section("false_positives", "False Positives", &lines.join("\n"));
    }
    draft.rule.references = body.texts("references");
    draft.rule.author = body.text("author");
    draft.front.status = match body.text("status").as_deref() {
        Some("experimental") => Some(Status::Experimental),
        Some("test") => Some(Status::Test),
        Some("stable") => Some(Status::Stable),
        Some("deprecated") => Some(Status::Deprecated),
        Some(other) => {
            draft.lose(
                "`status`",
                Effect::Dropped,
                format!("a document does not know {other}, and says `deprecated`"),
            );
            Some(Status::Deprecated)
        }
        None => None,
    };
    draft.front.severity = match body.text("level").as_deref() {
        Some("informational") => Some(Severity::Informational),
        Some("low") => Some(Severity::Low),
        Some("medium") => Some(Severity::Medium),
        Some("high") => Some(Severity::High),
        Some("critical") => {
            draft.lose(
                "`level`",
                Effect::Dropped,
                "a document has no severity above high, and says `high`",
            );
            Some(Severity::High)
        }
        _ => None,
    };
    let date = body.text("date").map(|date| date.replace('/', "-"));
    let modified = body.text("modified").map(|date| date.replace('/', "-"));
    match modified {
        Some(modified) => {
            draft.version(Some("1.1".to_owned()), Some(modified), "Modified.");
            draft.version(Some("1.0".to_owned()), date, "Initial version.");
        }
        None => draft.version(Some("1.0".to_owned()), date, "Initial version."),
    }
    let (mut tactics, mut techniques) = (Vec::new(), Vec::new());
    for tag in body.texts("tags") {
        let Some(rest) = tag.strip_prefix("attack.") else {
            draft.lose(
                format!("`tags` {tag}"),
                Effect::Dropped,
                "a document has ATT&CK tags only",
            );
            continue;
        };
        let digits = rest
            .strip_prefix('t')
            .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        let software = rest
            .strip_prefix(['g', 's'])
            .is_some_and(|r| !r.is_empty() && r.chars().all(|c| c.is_ascii_digit()));
        if digits {
            techniques.push(rest.to_owned());
        } else if software {
            draft.lose(
                format!("`tags` {tag}"),
                Effect::Dropped,
                "a document names no groups and software",
            );
        } else {
            tactics.push(rest.to_owned());
        }
    }
    draft.rule.attack = attack::tags(&context.attack, &tactics, &techniques, &mut draft.losses);
    draft.rule.os = match product {
        Some("windows") => vec!["WindowsEndpoint".to_owned(), "WindowsServer".to_owned()],
        Some("linux") => vec!["Linux".to_owned()],
        Some("macos") => vec!["macOS".to_owned()],
        _ => Vec::new(),
    };
}

/// The items of a list, or the one value.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// The values of an item, nulls included.
fn values(value: &Value) -> Vec<Option<String>> {
    items(value)
        .into_iter()
        .map(|value| {
            if value.is_null() {
                None
            } else {
                texts(value).into_iter().next()
            }
        })
        .collect()
}
