//! Which table a log source is, and which columns a field is.
//!
//! In: a log source and the fields that a detection names. Out: the entry of
//! `schema/sigma/` that knows most of them, read backwards. Where several do,
//! the one that sees what the log source sees, and needs no predicate of its
//! own, goes first.

use std::collections::BTreeSet;
use std::sync::Arc;

use rulec_facts::sigma::{Field, Form, LogSource};
use rulec_facts::tables::TableSchema;
use rulec_functions::Type;
use serde_json::{Map, Value};

use super::{items, values};
use crate::Context;

/// The column of a registry key with the value's name behind it, as Sigma has it.
pub(super) const REGISTRY_PATH: &str = "TargetObject";

/// What a rule asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) category: Option<String>,
    pub(super) product: Option<String>,
    pub(super) service: Option<String>,
}

/// The table that was chosen.
pub(super) struct Chosen<'a> {
    pub(super) source: &'a LogSource,
    schema: Option<Arc<TableSchema>>,
}

/// What a field is in the table.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// KQL for the value.
    pub(super) column: String,
    pub(super) field: &'a Field,
    pub(super) kind: Type,
}

/// Fields that are missing, whether events are, predicates of its own, whether
/// it is a table of Sentinel's: the smallest goes first.
type Rank = (usize, bool, usize, bool);

/// The table for a log source and the fields of a detection.
pub(super) fn choose<'a>(
    context: &'a Context,
    wanted: &Wanted,
    searches: &Map<String, Value>,
) -> Result<Chosen<'a>, String> {
    let said = |part: &Option<String>| part.clone().unwrap_or_else(|| "any".to_owned());
    let fits = |source: &&LogSource| {
        let same = |asked: &Option<String>, has: &Option<String>| {
            asked.is_none() && has.is_none() || asked.is_some() && asked == has
        };
        let product = wanted
            .product
            .as_ref()
            .is_none_or(|product| source.product_for(product) == Some(product.as_str()));
        same(&wanted.category, &source.category) && same(&wanted.service, &source.service) && product
    };
    let items = named(searches);
    let mut best: Option<(Rank, &LogSource)> = None;
    for table in context.sigma.tables() {
        for source in context.sigma.logsources(table).iter().filter(fits) {
            let missing = items
                .iter()
                .filter(|(name, value)| {
                    let added = source
                        .adds
                        .get(*name)
                        .is_some_and(|add| value.as_ref() == Some(add));
                    !added && !has(source, name)
                })
                .count();
            // What the log source adds has to be asked for: it leaves out other events.
            let unasked = source
                .adds
                .iter()
                .filter(|(name, add)| !items.contains(&(name.as_str(), Some((*add).clone()))))
                .count();
            let device = !table.starts_with("Device");
            let rank = (missing + unasked, !source.exact, source.adds.len(), device);
            if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                best = Some((rank, source));
            }
        }
    }
    let Some((_, source)) = best else {
        return Err(format!(
            "no table is known for its log source (category {}, product {}, service {})",
            said(&wanted.category),
            said(&wanted.product),
            said(&wanted.service)
        ));
    };
    Ok(Chosen {
        source,
        schema: context.catalog.table(&source.table),
    })
}

/// The fields of a detection, each with its value where it is one plain value.
fn named(searches: &Map<String, Value>) -> BTreeSet<(&str, Option<String>)> {
    let mut found = BTreeSet::new();
    for search in searches.values() {
        for map in items(search).into_iter().filter_map(Value::as_object) {
            for (key, value) in map {
                let (name, modified) = match key.split_once('|') {
                    Some((name, _)) => (name, true),
                    None => (key.as_str(), false),
                };
                if name.is_empty() {
                    continue;
                }
                let all = values(value);
                let single = (all.len() == 1 && !modified)
                    .then(|| all.into_iter().next().flatten())
                    .flatten();
                found.insert((name, single));
            }
        }
    }
    found
}

fn has(source: &LogSource, name: &str) -> bool {
    source.fields.values().any(|field| {
        field.name == name
            || field.form == Form::Json
                && name
                    .strip_prefix(field.name.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
    })
}

impl Chosen<'_> {
    /// The columns that hold a field, the plain one first.
    pub(super) fn places(&self, name: &str) -> Vec<Place<'_>> {
        let mut found: Vec<Place<'_>> = self
            .source
            .fields
            .iter()
            .filter_map(|(column, field)| {
                if field.name == name {
                    return Some(self.place(column, "", field));
                }
                let path = name.strip_prefix(field.name.as_str())?.strip_prefix('.')?;
                (field.form == Form::Json).then(|| self.place(column, path, field))
            })
            .collect();
        found.sort_by_key(|place| (place.field.form != Form::Plain, place.column.clone()));
        found
    }

    fn place<'f>(&self, column: &str, path: &str, field: &'f Field) -> Place<'f> {
        let mut steps = column
            .split('.')
            .chain(path.split('.'))
            .filter(|step| !step.is_empty());
        let base = steps.next().unwrap_or_default();
        let kind = self.kind(base);
        let mut expression = String::new();
        for step in steps {
            expression += &if step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && step.starts_with(|c: char| c.is_ascii_alphabetic())
            {
                format!(".{step}")
            } else {
                format!("[{}]", super::kql::quoted(step))
            };
        }
        let (column, kind) = match (expression.is_empty(), kind) {
            (true, Type::Dynamic) => (format!("tostring({base})"), Type::String),
            (true, kind) => (base.to_owned(), kind),
            (false, Type::Dynamic) => (format!("tostring({base}{expression})"), Type::String),
            (false, _) => (format!("tostring(parse_json({base}){expression})"), Type::String),
        };
        Place { column, field, kind }
    }

    fn kind(&self, column: &str) -> Type {
        self.schema
            .as_ref()
            .and_then(|schema| schema.column(column))
            .unwrap_or(Type::String)
    }

    /// Whether a column holds numbers.
    pub(super) fn is_number(&self, column: &str) -> bool {
        is_number(self.kind(column))
    }

    /// Whether a column holds times.
    pub(super) fn is_time(&self, column: &str) -> bool {
        let kind = self.schema.as_ref().and_then(|schema| schema.column(column));
        kind == Some(Type::DateTime)
    }

    /// Whether the log source implies that the field has this value.
    pub(super) fn implies(&self, name: &str, value: &str) -> bool {
        self.source
            .adds
            .get(name)
            .is_some_and(|add| add.eq_ignore_ascii_case(value))
    }
}

/// Whether values of a type are compared as numbers.
pub(super) fn is_number(kind: Type) -> bool {
    matches!(kind, Type::Int | Type::Long | Type::Real | Type::Decimal)
}
