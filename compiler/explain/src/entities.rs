//! Why a rule has the entities it has: which row of the data and which column
//! chose each, how much it tells, and what was passed over.
//!
//! In: the bound query and the settings. Out: [`EntityChoices`]. Deliberately
//! absent: whether a target takes them (`emit`), and what is wrong with what a
//! document says itself (`check`).

use std::collections::BTreeMap;

use rulec_facts::entities::{Entities, OutputColumn, Why};
use rulec_ir::Query;
use rulec_model::{Entity, Origin, Resolved};

use crate::{
    explain::origin as said_by,
    explanation::{EntityChoice, EntityChoices, EntityField, EntityPassedOver},
    origin::outputs,
};

/// The choices behind the settings' entities.
pub(crate) fn choices(query: &Query, resolved: &Resolved, known: &Entities) -> EntityChoices {
    let columns = outputs(query);
    let named: BTreeMap<&str, &OutputColumn<'_>> = columns.iter().map(|c| (c.name, c)).collect();
    let field = |identifier: &str, column: &str| {
        let found = named.get(column);
        EntityField {
            identifier: identifier.to_owned(),
            column: column.to_owned(),
            ty: found.map(|c| c.ty.to_string()),
            holds: found.and_then(|c| holds(c)),
        }
    };
    let origin = &resolved.entities.origin;
    if !matches!(origin, Origin::Derived(_) | Origin::Default(_)) {
        let choice = |entity: &Entity| {
            let names: Vec<&str> = entity.fields.keys().map(String::as_str).collect();
            EntityChoice {
                kind: entity.kind.clone(),
                role: None,
                fields: entity
                    .fields
                    .iter()
                    .map(|(id, column)| field(id, column))
                    .collect(),
                strong: known.is_strong(&entity.kind, &names),
                why: format!("said by {}", said_by(origin)),
            }
        };
        return EntityChoices {
            mappings: resolved.entities.value.iter().map(choice).collect(),
            passed_over: Vec::new(),
        };
    }
    let proposal = known.infer_sentinel(&columns);
    let fields = |fields: &[(String, String)]| -> Vec<EntityField> {
        fields.iter().map(|(id, column)| field(id, column)).collect()
    };
    EntityChoices {
        mappings: proposal
            .mappings
            .iter()
            .map(|mapping| {
                let fields = fields(&mapping.fields);
                EntityChoice {
                    why: why_chosen(&mapping.entity, &mapping.role, &fields),
                    kind: mapping.entity.clone(),
                    role: Some(mapping.role.clone()),
                    strong: mapping.strong,
                    fields,
                }
            })
            .collect(),
        passed_over: proposal
            .passed_over
            .iter()
            .map(|over| EntityPassedOver {
                kind: over.entity.clone(),
                role: over.role.clone(),
                fields: fields(&over.fields),
                why: why_not(&over.why, &over.entity, &over.fields),
            })
            .collect(),
    }
}

/// What the column holds, when that is not clear from its name.
fn holds(column: &OutputColumn<'_>) -> Option<String> {
    match (column.table, column.source, column.text) {
        (Some(table), source, _) => Some(format!("{table}.{}", source.unwrap_or(column.name))),
        (None, _, Some(text)) => Some(format!("\"{text}\"")),
        _ => None,
    }
}

fn why_chosen(entity: &str, role: &str, fields: &[EntityField]) -> String {
    let mut tables: Vec<&str> = Vec::new();
    let mut others = Vec::new();
    let mut by_name = false;
    for field in fields {
        match &field.holds {
            // Under its own name.
            Some(holds) if holds.ends_with(&format!(".{}", field.column)) => {
                let table = &holds[..holds.len() - field.column.len() - 1];
                if !tables.contains(&table) {
                    tables.push(table);
                }
            }
            Some(holds) => others.push(format!("`{}` holds {holds}", field.column)),
            None => by_name = true,
        }
    }
    let mut why = Vec::new();
    if !tables.is_empty() {
        why.push(format!("{} of {}", columns(fields.len()), tables.join(", ")));
    }
    why.extend(others);
    if by_name {
        why.push("by the name it has".to_owned());
    }
    format!(
        "{role}, of the rows for {entity} in schema/entities: {}",
        why.join(", ")
    )
}

fn columns(count: usize) -> &'static str {
    if count == 1 { "column" } else { "columns" }
}

fn why_not(why: &Why, entity: &str, fields: &[(String, String)]) -> String {
    let columns: Vec<String> = fields.iter().map(|(_, column)| format!("`{column}`")).collect();
    match why {
        Why::Mappings(most) => {
            format!("a rule takes {most} entity mappings, and those before it tell more")
        }
        Why::Identifiers(most) => {
            format!("a mapping takes {most} identifiers, and the others tell more")
        }
        Why::Type { ty, takes } => {
            let help = if takes.iter().any(|name| name == "string") {
                "; `tostring(…)` makes it one"
            } else {
                ""
            };
            format!(
                "{} is {ty}, and the identifier takes {}{help}",
                joined(&columns),
                takes.join(" or ")
            )
        }
        Why::NoText { identifier, text } => format!(
            "{identifier} has to be a column too, and none holds \"{text}\" in every row; \
             `extend Hash{identifier} = \"{text}\"` would give one"
        ),
        Why::NotEnough(sets) => {
            let sets: Vec<String> = sets.iter().map(|set| set.join(" and ")).collect();
            format!(
                "not enough to name one {entity}, which needs {}",
                sets.join(", or ")
            )
        }
    }
}

fn joined(parts: &[String]) -> String {
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Rows of a table about the mappings: entity, identifiers, how much they tell, why.
pub fn entity_rows(choices: &EntityChoices) -> Vec<Vec<String>> {
    choices
        .mappings
        .iter()
        .map(|choice| {
            vec![
                choice.kind.clone(),
                shown(&choice.fields),
                if choice.strong { "strong" } else { "weak" }.to_owned(),
                choice.why.clone(),
            ]
        })
        .collect()
}

/// Rows of a table about what was passed over: entity, identifiers, why.
pub fn passed_over_rows(choices: &EntityChoices) -> Vec<Vec<String>> {
    choices
        .passed_over
        .iter()
        .map(|over| {
            let entity = format!("{} ({})", over.kind, over.role);
            vec![entity, shown(&over.fields), over.why.clone()]
        })
        .collect()
}

fn shown(fields: &[EntityField]) -> String {
    let shown = |field: &EntityField| match &field.ty {
        Some(ty) => format!("{} = {}: {ty}", field.identifier, field.column),
        None => format!("{} = {}", field.identifier, field.column),
    };
    fields.iter().map(shown).collect::<Vec<_>>().join(", ")
}
