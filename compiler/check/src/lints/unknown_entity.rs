//! Entity types and identifiers exist, and identify something.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL002",
        "unknown-entity",
        Severity::Error,
        "An entity mapping has a type or identifier that does not exist, or none that identifies anything.",
    ),
    page: include_str!("../../pages/unknown-entity.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let Some(entities) = &input.rule.settings.entities else {
        return;
    };
    let facts = &input.facts.entities;
    let pointer = "/settings/entities";
    for entity in &entities.value {
        let Some(known) = facts.sentinel(&entity.kind) else {
            let names = facts.sentinel_types().map(|(name, _)| name);
            let diagnostic = Diagnostic::new(LINT.code, format!("`{}` is not a type of entity", entity.kind))
                .at(input.word(pointer, &entity.kind));
            found.push(match rulec_facts::close_matches(&entity.kind, names, 1).first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => {
                    diagnostic.help("types are Account, Host, IP, File, FileHash, Process, URL and others")
                }
            });
            continue;
        };
        for identifier in entity.fields.keys() {
            if !known.identifiers.contains(identifier) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!("{} has no identifier `{identifier}`", entity.kind),
                    )
                    .at(input.word(pointer, identifier))
                    .help(format!("it has {}", known.identifiers.join(", "))),
                );
            }
        }
        let identifiers: Vec<&str> = entity.fields.keys().map(String::as_str).collect();
        if !facts.is_accepted(&entity.kind, &identifiers) {
            let sets: Vec<String> = known.required.iter().map(|set| set.join(" and ")).collect();
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!("the identifiers mapped for {} identify none", entity.kind),
                )
                .at(input.word(pointer, &entity.kind))
                .help(format!("map {}", sets.join(", or "))),
            );
        }
    }
}
