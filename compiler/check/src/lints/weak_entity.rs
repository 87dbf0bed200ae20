//! A mapping leaves out a column by which it would name one entity and no other.

use rulec_explain::origin::outputs;
use rulec_model::Origin;
use rulec_source::{Diagnostic, Severity, Span};

use super::{
    code,
    mapped::{Said, closed, listed, noted, said},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL075",
        "weak-entity",
        Severity::Warning,
        "An entity mapping names no single entity, and the result has the column that would.",
    ),
    page: include_str!("../../pages/weak-entity.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let facts = &input.facts.entities;
    // With several queries the column may be in one result and not in the other.
    let ([_], Some((query, _))) = (input.queries, closed(input).next()) else {
        return;
    };
    let proposed = facts.infer_sentinel(&outputs(query.ir)).mappings;
    let said = said(input);
    for entity in &said {
        let names: Vec<&str> = entity.fields.iter().map(|f| f.identifier).collect();
        if !facts.is_accepted(entity.kind, &names) || facts.is_strong(entity.kind, &names) {
            continue;
        }
        let has = |identifier: &str, column: &str| {
            entity
                .fields
                .iter()
                .any(|f| f.identifier == identifier && f.column == column)
        };
        let same = proposed.iter().find(|inferred| {
            inferred.entity == entity.kind
                && inferred.strong
                && inferred
                    .fields
                    .iter()
                    .any(|(identifier, column)| has(identifier, column))
        });
        let added: Vec<(&str, &str)> = same
            .into_iter()
            .flat_map(|inferred| &inferred.fields)
            .map(|(identifier, column)| (identifier.as_str(), column.as_str()))
            .filter(|(identifier, column)| {
                // Another mapping may be about the column.
                let taken = said.iter().any(|other| {
                    other.kind == entity.kind && other.fields.iter().any(|f| f.column == *column)
                });
                !names.contains(identifier) && !taken
            })
            .collect();
        let all: Vec<&str> = names
            .iter()
            .copied()
            .chain(added.iter().map(|(i, _)| *i))
            .collect();
        if added.is_empty() || !facts.is_strong(entity.kind, &all) || all.len() > facts.identifiers_max() {
            continue;
        }
        let columns: Vec<&str> = added.iter().map(|(_, column)| *column).collect();
        let pairs: Vec<String> = added.iter().map(|(i, column)| format!("{i}: {column}")).collect();
        let message = format!(
            "{} alone may stand for several entities of type {}, and the result has {}",
            names.join(" and "),
            entity.kind,
            listed(&columns)
        );
        let mut diagnostic = Diagnostic::new(LINT.code, message)
            .at(entity.place)
            .help(format!("map {} as well", pairs.join(", ")));
        let from_document = input
            .rule
            .settings
            .entities
            .as_ref()
            .is_some_and(|e| e.origin == Origin::FrontMatter);
        if from_document && let Some((at, text)) = insertion(&input.file.text, entity, &pairs) {
            diagnostic = diagnostic.fix(format!("map {}", pairs.join(", ")), at, text);
        }
        found.push(noted(input, diagnostic));
    }
}

/// Where further identifiers go, and how they are written there: behind the
/// last one, in the style it has.
fn insertion(text: &str, entity: &Said<'_>, pairs: &[String]) -> Option<(Span, String)> {
    let last = entity.fields.iter().max_by_key(|f| f.value.start)?;
    let written = |span: Span, what: &str| text.get(span.range()) == Some(what);
    if !written(last.value, last.column) || !written(last.place, last.identifier) {
        return None;
    }
    let quote = text[last.value.end as usize..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''));
    let end = last.value.end as usize + quote.map_or(0, char::len_utf8);
    let line = text[..last.place.start as usize]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let before = &text[line..last.place.start as usize];
    let at = Span::new(end, end);
    if before.contains('{') {
        return Some((at, pairs.iter().map(|pair| format!(", {pair}")).collect()));
    }
    // In block style the key stands alone on its line.
    let alone = before.trim().is_empty() && text[end..].lines().next().unwrap_or_default().trim().is_empty();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    alone.then(|| {
        (
            at,
            pairs
                .iter()
                .map(|pair| format!("{newline}{before}{pair}"))
                .collect(),
        )
    })
}
