//! Sigma rules as KQL over the tables of Defender and Sentinel.
//!
//! In: the documents of a file. Out: a draft for each rule. Log sources and
//! fields come from `schema/sigma/`, the data by which the Sigma target goes
//! the other way. What a table cannot say is left out of the query and said:
//! a part less in a conjunction matches more, in a disjunction less.

mod condition;
mod kql;
mod matching;
mod source;
mod value;

use std::collections::BTreeMap;

use rulec_emit::Effect;
use rulec_facts::sigma::LogSource;
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
    let rules = documents
        .iter()
        .filter(|v| of("detection", v) || of("correlation", v));
    let single = rules.count() == 1;
    let mut found = Vec::new();
    for value in documents {
        let correlation = of("correlation", &value);
        if !correlation && !of("detection", &value) {
            continue;
        }
        let body = Fields::of(Some(value));
        if correlation {
            found.push(Err(Refused {
                name: body.0.get("title").and_then(text).unwrap_or_default(),
                why: "a correlation counts or orders the results of other rules; write it as a `summarize` over the query of its base rule".to_owned(),
            }));
        } else {
            found.push(rule(context, body, header.as_deref().filter(|_| single)));
        }
    }
    found
}

fn rule(context: &Context, mut body: Fields, header: Option<&str>) -> Result<Draft, Refused> {
    let title = body.text("title").unwrap_or_default();
    let refused = |why: String| Refused {
        name: title.clone(),
        why,
    };
    let mut draft = Draft::new(&title);
    if let Some(path) = header {
        draft.made_from(path);
    }
    if let Some(id) = body.text("id") {
        draft.mark.clone_from(&id);
        draft.front.ids = Some(BTreeMap::from([("sigma".to_owned(), id)]));
    }
    let mut logsource = body.fields("logsource");
    let wanted = Wanted {
        category: logsource.text("category"),
        product: logsource.text("product"),
        service: logsource.text("service"),
    };
    logsource.take("definition");
    let keys: Vec<String> = logsource.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left("logsource.", &keys.iter().map(String::as_str).collect::<Vec<_>>());

    let mut detection = body.fields("detection");
    let conditions = detection.texts("condition");
    if detection.take("timeframe").is_some() {
        draft.lose(
            "`timeframe`",
            Effect::Dropped,
            "it says nothing without a condition that counts",
        );
    }
    let searches = detection.0;
    let names: Vec<&str> = searches.keys().map(String::as_str).collect();
    let parsed: Vec<Condition> = conditions
        .iter()
        .map(|text| condition::parse(text, &names))
        .collect::<Result<_, _>>()
        .map_err(refused)?;
    let condition = match parsed.len() {
        0 => return Err(refused("its detection has no condition".to_owned())),
        1 => parsed.into_iter().next().unwrap_or(Condition::Or(Vec::new())),
        _ => Condition::Or(parsed),
    };
    if count(&searches) > MOST_PARTS {
        return Err(refused(format!("its detection has more than {MOST_PARTS} parts")));
    }
    let chosen = source::choose(context, &wanted, &searches).map_err(refused)?;
    let mut predicate = of_condition(&chosen, &condition, &searches, &mut draft)?;
    predicate = match kql::without_unknown(predicate, false, &mut draft.losses) {
        Some(Predicate::Unknown { construct, why }) => {
            return Err(refused(format!("{construct}: {why}")));
        }
        Some(predicate) => predicate,
        None => return Err(refused("its detection says nothing".to_owned())),
    };
    if !chosen.source.exact {
        draft.lose(
            "`logsource`",
            Effect::Narrowed,
            format!(
                "{} has some of the events only, or others too",
                chosen.source.table
            ),
        );
    }
    write_query(&chosen, &predicate, &mut draft);
    about(context, &mut body, &mut draft, &wanted);
    let keys: Vec<String> = body.rest().iter().map(|k| (*k).to_owned()).collect();
    draft.left("", &keys.iter().map(String::as_str).collect::<Vec<_>>());
    Ok(draft)
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
    draft: &mut Draft,
) -> Result<Predicate, Refused> {
    Ok(match condition {
        Condition::Search(name) => {
            let search = searches.get(name).unwrap_or(&Value::Null);
            matching::search(chosen, name, search, &mut draft.losses)
        }
        Condition::Not(inner) => Predicate::Not(Box::new(of_condition(chosen, inner, searches, draft)?)),
        Condition::And(all) => Predicate::and(
            all.iter()
                .map(|c| of_condition(chosen, c, searches, draft))
                .collect::<Result<_, _>>()?,
        ),
        Condition::Or(all) => Predicate::or(
            all.iter()
                .map(|c| of_condition(chosen, c, searches, draft))
                .collect::<Result<_, _>>()?,
        ),
    })
}

/// The query: the table, the time it looks back, the events, the detection.
fn write_query(chosen: &Chosen<'_>, predicate: &Predicate, draft: &mut Draft) {
    let source: &LogSource = chosen.source;
    let table = &source.table;
    let mut query = format!("let timeframe = 2*1h;\n{table}\n| where ingestion_time() >= ago(timeframe)\n");
    let column = &source.event_column;
    let number = chosen.is_number(column);
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
    let body = kql::wheres(predicate);
    if body.contains(source::REGISTRY_PATH) {
        // The field is the key with the value's name behind it.
        query += &format!(
            "| extend {} = strcat(RegistryKey, iff(isempty(RegistryValueName), \"\", strcat(\"\\\\\", RegistryValueName)))\n",
            source::REGISTRY_PATH
        );
    }
    query += &body;
    query += "// Begin environment-specific filter.\n// End environment-specific filter.\n";
    draft.query(&query, None);
}

/// Everything but the detection.
fn about(context: &Context, body: &mut Fields, draft: &mut Draft, wanted: &Wanted) {
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
    draft.rule.os = match wanted.product.as_deref() {
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
