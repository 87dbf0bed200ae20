//! The files of a rule: which documents there are and what is in them.
//!
//! In: a rule with its bound query. Out: for rows, one file for each log
//! source and system; for groups with a threshold, one file with the
//! correlation first and the rules it counts behind it. Deliberately absent:
//! rendering.

use std::rc::Rc;

use rulec_facts::sigma::{Form, LogSource};
use serde_json::{Map, Value, json};

use super::Prepared;
use super::build::{Meta, file_name, rule_name, words};
use super::cond::{Cond, Item, Op};
use super::correlation::{Correlation, Counted, count};
use super::detection::detection;
use super::flow::{Branch, Flow, Reader, Refusal, Said};
use super::predicate::{Translator, describe};
use super::source::{Piece, Splitter};
use super::term::{Term, TermKind};
use super::value::Scalar;
use crate::{Effect, Input, Loss};

/// A file to render.
pub(super) struct File {
    /// Where `SigmaHQ` keeps rules of the log source, below `rules/`.
    pub(super) folder: String,
    /// Without extension.
    pub(super) name: String,
    pub(super) documents: Vec<Value>,
}

/// The events of one log source on one system.
struct Part<'a> {
    source: &'a LogSource,
    product: Option<String>,
    prefix: String,
    /// What tells it from the rule's other parts.
    system: Option<&'static str>,
    cond: Cond,
    /// The correlation's keys and what it measures, as fields.
    keys: Vec<String>,
    field: Option<String>,
}

/// Systems as log sources name them, how documents begin their names, and how
/// titles have them.
const SYSTEMS: &[(&str, &str, &str)] = &[
    ("windows", "windows", "Windows"),
    ("linux", "linux", "Linux"),
    ("macos", "macos", "MacOS"),
    ("macos", "osx", "MacOS"),
];

pub(super) fn files(
    prepared: &Prepared,
    input: &Input<'_>,
    meta: &Meta,
    losses: &mut Vec<Loss>,
) -> Said<Vec<File>> {
    let mut reader = Reader::new(input.ir);
    let flow = reader.read();
    losses.append(&mut reader.losses);
    let (branches, correlation) = match flow? {
        Flow::Rows(branches) => (branches, None),
        Flow::Groups(mut groups) => {
            let own = &prepared.config.own.choices;
            let period = input.resolved.period.value;
            match count(&mut groups, period, &own.time_columns, losses)? {
                Counted::Each => (groups.into_branches(), None),
                Counted::Correlation(correlation) => (groups.into_branches(), Some(correlation)),
            }
        }
    };
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (index, branch) in branches.iter().enumerate() {
        let pieces = Splitter {
            sigma: &prepared.sources,
            time_columns: &prepared.config.own.choices.time_columns,
            losses,
        }
        .split(branch)?;
        for piece in pieces {
            for part in each_system(
                prepared,
                input,
                branch,
                &piece,
                correlation.as_ref(),
                index,
                losses,
            )? {
                add(&mut parts, part);
            }
        }
    }
    if parts.is_empty() {
        let why = "The conditions of the query can never hold together for an event of a Sigma log source.";
        let span = input
            .ir
            .root
            .as_ref()
            .map_or_else(Default::default, |root| root.span);
        return Err(Refusal::new("the query", why, span));
    }
    match correlation {
        None => Ok(rules(prepared, input, meta, &parts)),
        Some(correlation) => Ok(vec![correlated(prepared, input, meta, &parts, &correlation)?]),
    }
}

/// Two branches over one log source are alternatives of one rule.
fn add<'a>(parts: &mut Vec<Part<'a>>, part: Part<'a>) {
    let same = parts.iter_mut().find(|known| {
        let source = |part: &Part<'a>| {
            (
                part.source.category.clone(),
                part.source.service.clone(),
                part.product.clone(),
            )
        };
        source(known) == source(&part) && known.keys == part.keys && known.field == part.field
    });
    match same {
        Some(known) => {
            let before = std::mem::replace(&mut known.cond, Cond::Bool(false));
            known.cond = Cond::any(vec![before, part.cond]);
        }
        None => parts.push(part),
    }
}

/// The part for each system that the rule and the log source have.
fn each_system<'a>(
    prepared: &'a Prepared,
    input: &Input<'_>,
    branch: &Branch,
    piece: &Piece<'a>,
    correlation: Option<&Correlation>,
    index: usize,
    losses: &mut Vec<Loss>,
) -> Said<Vec<Part<'a>>> {
    let source = piece.source;
    let mut wanted: Vec<(&str, &'static str)> = Vec::new();
    for (system, start, label) in SYSTEMS {
        let named = input.rule.os.iter().any(|os| words(os).starts_with(start));
        if named && !wanted.iter().any(|(known, _)| known == system) {
            wanted.push((system, label));
        }
    }
    if source.products.is_empty() || wanted.is_empty() {
        wanted = vec![("windows", "Windows")];
    }
    let (has, lacks): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .partition(|(system, _)| source.product_for(system).is_some() || source.products.is_empty());
    for (_, label) in &lacks {
        let why = format!("The log source {} does not exist for {label}.", describe(source));
        if has.is_empty() {
            return Err(Refusal::new(format!("`{}`", branch.table), why, branch.span));
        }
        let loss = Loss::new(format!("`{}`", branch.table), Effect::Narrowed, why).at(branch.span);
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
    let several = has.len() > 1;
    let mut parts = Vec::with_capacity(has.len());
    for (system, label) in has {
        let mut translator = Translator {
            source,
            columns: &branch.columns,
            separator: if system == "windows" { '\\' } else { '/' },
            registry: piece.registry,
            absent: Effect::Narrowed,
            flipped: false,
            losses,
        };
        let cond = translator.cond(&piece.cond, false)?;
        let mut all: Vec<Cond> = source
            .adds
            .iter()
            .map(|(field, value)| {
                Cond::Item(Item::new(
                    field,
                    Op::Equals,
                    false,
                    vec![Scalar::text(value.as_str())],
                ))
            })
            .collect();
        all.push(cond);
        let cond = Cond::all(all);
        match cond {
            Cond::Bool(false) => continue,
            Cond::Bool(true) => {
                let why = format!(
                    "The query takes every event of the log source {}, and a Sigma rule needs something to look for.",
                    describe(source)
                );
                return Err(Refusal::new(format!("`{}`", branch.table), why, branch.span));
            }
            _ => {}
        }
        let (keys, field) = match correlation {
            None => (Vec::new(), None),
            Some(correlation) => {
                let keys = group_by(prepared, &mut translator, correlation.keys.get(index), branch)?;
                let field = correlation.field.as_ref().and_then(|all| all.get(index));
                let field = match field {
                    Some(term) => Some(measured(&mut translator, term, correlation)?),
                    None => None,
                };
                (keys, field)
            }
        };
        parts.push(Part {
            source,
            product: source.product_for(system).map(str::to_owned),
            prefix: source.prefix_for(system).unwrap_or("other").to_owned(),
            system: several.then_some(label),
            cond,
            keys,
            field,
        });
    }
    Ok(parts)
}

/// The fields of the keys.
fn group_by(
    prepared: &Prepared,
    translator: &mut Translator<'_, '_>,
    keys: Option<&Vec<Rc<Term>>>,
    branch: &Branch,
) -> Said<Vec<String>> {
    let keys = keys.map(Vec::as_slice).unwrap_or_default();
    let own = &prepared.config.own.keys;
    let name = |term: &Term| match term.kind {
        TermKind::Column(i) => branch.columns.get(i).map(|column| column.name.to_string()),
        _ => None,
    };
    let named: Vec<Option<String>> = keys.iter().map(|key| name(key)).collect();
    let has = |column: &str| named.iter().flatten().any(|known| known == column);
    let form = |column: &str| translator.source.field(column).map(|field| field.form);
    let account_name = |column: &str| form(column) == Some(Form::AccountName);
    // Which keys another key's field holds already.
    let within: Vec<bool> = named
        .iter()
        .map(|name| {
            let other = name.as_ref().and_then(|name| own.within.get(name));
            other.is_some_and(|other| has(other) && account_name(other))
        })
        .collect();
    let holds_domain = |column: &str| {
        own.within
            .iter()
            .any(|(domain, account)| account == column && has(domain))
    };
    let domains: Vec<bool> = named
        .iter()
        .map(|name| name.as_deref().is_some_and(holds_domain))
        .collect();
    // Without the field all events are one group.
    translator.absent = Effect::Widened;
    let mut fields: Vec<String> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if within.get(index) == Some(&true) {
            continue;
        }
        let name = named.get(index).cloned().flatten();
        // A column without a field, for which another says the same.
        let stand_in = name
            .as_ref()
            .filter(|name| translator.source.field(name).is_none())
            .and_then(|name| {
                let other = own.same.get(name)?;
                let at = branch.columns.iter().position(|column| *column.name == **other)?;
                translator.source.field(other)?;
                Some((Term::column(at, key.ty, key.span), other.clone()))
            });
        let (term, shown) = match stand_in {
            Some((term, other)) => {
                let column = name.unwrap_or_default();
                let why = format!(
                    "No field stands for {column}, so events are grouped by {other}, which two of them may share."
                );
                translator.lose(format!("`{column}`"), Effect::Widened, why, key.span);
                (term, other)
            }
            None => (Rc::clone(key), name.unwrap_or_default()),
        };
        let (field, form) = translator.whole_field(&term)?;
        let whole = match form {
            Form::Plain | Form::Values => true,
            Form::AccountName => domains.get(index) == Some(&true),
            _ => false,
        };
        if !whole {
            let why = format!("The field {field} holds more than `{shown}`, so groups are smaller.");
            translator.lose(format!("`{shown}`"), Effect::Narrowed, why, key.span);
        }
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Ok(fields)
}

/// The field of what is counted or measured.
fn measured(translator: &mut Translator<'_, '_>, term: &Rc<Term>, correlation: &Correlation) -> Said<String> {
    translator.absent = Effect::Narrowed;
    let (field, form) = translator.whole_field(term)?;
    let counts = correlation.kind == "value_count";
    match form {
        Form::Plain | Form::Values => {}
        Form::FileName | Form::AccountName | Form::RegistryValue | Form::RegistryKey if counts => {
            let why =
                format!("The field {field} holds more than the column, so it has more different values.");
            translator.lose("the values that are counted", Effect::Widened, why, term.span);
        }
        _ => {
            let why = format!("The field {field} holds more than the value that is measured.");
            return Err(Refusal::new("a measure of a group", why, term.span));
        }
    }
    Ok(field)
}

fn log_source(part: &Part<'_>) -> Value {
    let mut all = Map::new();
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            all.insert(key.to_owned(), json!(value));
        }
    };
    add("category", part.source.category.as_deref());
    add("product", part.product.as_deref());
    add("service", part.source.service.as_deref());
    Value::Object(all)
}

/// What tells the parts of a rule apart: for ids, and for titles.
fn labels(part: &Part<'_>, parts: &[Part<'_>]) -> (String, String) {
    let name = describe(part.source);
    let one_source = parts.iter().all(|other| describe(other.source) == name);
    let mut id = name.to_owned();
    let mut title: Vec<String> = Vec::new();
    if !one_source {
        let words = name.split('_').map(|word| {
            let mut chars = word.chars();
            match chars.next() {
                Some(first) => first.to_uppercase().chain(chars).collect(),
                None => String::new(),
            }
        });
        title.push(words.collect::<Vec<String>>().join(" "));
    }
    // Two parts of one log source on one system would differ by number alone.
    let twin = |other: &&Part<'_>| describe(other.source) == name && other.product == part.product;
    let twins: Vec<&Part<'_>> = parts.iter().filter(twin).collect();
    if let Some(product) = &part.product {
        id = format!("{id}/{product}");
    }
    if let Some(system) = part.system {
        title.push(system.to_owned());
    }
    if let Some(number) = twins
        .iter()
        .position(|other| std::ptr::eq(*other, part))
        .filter(|n| *n > 0)
    {
        id = format!("{id}/{}", number + 1);
        title.push((number + 1).to_string());
    }
    (id, title.join(" "))
}

fn folder(prepared: &Prepared, part: &Part<'_>) -> String {
    prepared.sources.folder(part.source, part.product.as_deref())
}

fn rules(prepared: &Prepared, input: &Input<'_>, meta: &Meta, parts: &[Part<'_>]) -> Vec<File> {
    let ids: Vec<String> = parts
        .iter()
        .enumerate()
        // The first has the rule's own, so that it keeps it when others come.
        .map(|(index, part)| {
            meta.id(
                prepared,
                if index == 0 {
                    String::new()
                } else {
                    labels(part, parts).0
                }
                .as_str(),
            )
        })
        .collect();
    let mut files: Vec<File> = Vec::with_capacity(parts.len());
    for (part, id) in parts.iter().zip(&ids) {
        let label = if parts.len() > 1 {
            labels(part, parts).1
        } else {
            String::new()
        };
        let related: Vec<String> = ids.iter().filter(|other| *other != id).cloned().collect();
        let mut middle = Map::new();
        middle.insert("logsource".to_owned(), log_source(part));
        middle.insert("detection".to_owned(), detection(&part.cond));
        let mut name = file_name(prepared, &part.prefix, meta, input);
        let mut number = 2;
        while files.iter().any(|file| file.name == name) {
            name = format!("{}_{number}", file_name(prepared, &part.prefix, meta, input));
            number += 1;
        }
        files.push(File {
            folder: folder(prepared, part),
            name,
            documents: vec![meta.document(&meta.title_of(prepared, &label), id, &related, middle)],
        });
    }
    files
}

fn correlated(
    prepared: &Prepared,
    input: &Input<'_>,
    meta: &Meta,
    parts: &[Part<'_>],
    correlation: &Correlation,
) -> Said<File> {
    let mut names = Vec::with_capacity(parts.len());
    let mut bases = Vec::with_capacity(parts.len());
    for part in parts {
        let (id, label) = labels(part, parts);
        let suffix = if parts.len() > 1 { id } else { String::new() };
        let name = rule_name(prepared, meta, &format!("{} base", suffix.replace('/', " ")));
        let title = if label.is_empty() || parts.len() == 1 {
            meta.title_of(prepared, "Base")
        } else {
            meta.title_of(prepared, &format!("Base - {label}"))
        };
        bases.push(json!({
            "title": title,
            "id": meta.id(prepared, format!("base/{suffix}").trim_end_matches('/')),
            "name": name,
            "logsource": log_source(part),
            "detection": detection(&part.cond),
        }));
        names.push(name);
    }
    let first = parts.first();
    let keys = first.map(|part| part.keys.clone()).unwrap_or_default();
    let mut group_by = keys.clone();
    let mut aliases = Map::new();
    if parts.iter().any(|part| part.keys != keys) {
        // Fields differ between log sources: each position gets a name of its own.
        if parts.iter().any(|part| part.keys.len() != keys.len()) {
            let why = "The log sources do not have fields for the same keys.";
            return Err(Refusal::new("`summarize`", why, correlation.span));
        }
        for (index, known) in group_by.iter_mut().enumerate() {
            let own = |part: &Part<'_>| part.keys.get(index).cloned().unwrap_or_default();
            if parts.iter().all(|part| own(part) == *known) {
                continue;
            }
            let alias = format!("key_{}", index + 1);
            let map = names
                .iter()
                .zip(parts)
                .map(|(name, part)| (name.clone(), json!(own(part))))
                .collect();
            aliases.insert(alias.clone(), Value::Object(map));
            *known = alias;
        }
    }
    let field = first.and_then(|part| part.field.clone());
    if parts.iter().any(|part| part.field != field) {
        let why = "The log sources do not have the same field for what is counted.";
        return Err(Refusal::new("`summarize`", why, correlation.span));
    }
    let mut condition = Map::new();
    if let Some(field) = field {
        condition.insert("field".to_owned(), json!(field));
    }
    if let Some(percentile) = correlation.percentile {
        condition.insert("percentile".to_owned(), json!(percentile));
    }
    let (operator, value) = &correlation.condition;
    condition.insert((*operator).to_owned(), value.json(false, false));
    let mut body = Map::new();
    body.insert("type".to_owned(), json!(correlation.kind));
    body.insert("rules".to_owned(), json!(names));
    if !aliases.is_empty() {
        body.insert("aliases".to_owned(), Value::Object(aliases));
    }
    body.insert("group-by".to_owned(), json!(group_by));
    body.insert("timespan".to_owned(), json!(correlation.timespan));
    body.insert("condition".to_owned(), Value::Object(condition));
    let mut middle = Map::new();
    middle.insert("correlation".to_owned(), Value::Object(body));
    let mut documents =
        vec![meta.document(&meta.title_of(prepared, ""), &meta.id(prepared, ""), &[], middle)];
    documents.extend(bases);
    let prefix = format!(
        "{}{}",
        prepared.config.own.choices.correlation_prefix,
        first.map_or("", |part| part.prefix.as_str())
    );
    Ok(File {
        folder: first.map_or_else(String::new, |part| folder(prepared, part)),
        name: file_name(prepared, &prefix, meta, input),
        documents,
    })
}
