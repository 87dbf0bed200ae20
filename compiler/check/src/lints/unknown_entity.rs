//! Entity types and identifiers exist, and identify something.

use rulec_model::Origin;
use rulec_source::{Diagnostic, Severity};

use super::{CONFIG, code};
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
    let setting = input.setting("/settings/entities");
    let first = found.len();
    for entity in &entities.value {
        // Each entity takes its place in the text, also one that is fine.
        let kind = setting.value("type", &entity.kind);
        let Some(known) = facts.sentinel(&entity.kind) else {
            let names: Vec<&str> = facts.sentinel_types().map(|(name, _)| name).collect();
            let diagnostic =
                Diagnostic::new(LINT.code, format!("`{}` is not a type of entity", entity.kind)).at(kind);
            let close = rulec_facts::close_matches(&entity.kind, names.iter().copied(), 1);
            found.push(match close.first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help(format!("the types are {}", names.join(", "))),
            });
            continue;
        };
        let mut wrong = false;
        for identifier in entity.fields.keys() {
            let place = setting.key(identifier);
            if known.identifiers.contains(identifier) {
                continue;
            }
            wrong = true;
            let diagnostic = Diagnostic::new(
                LINT.code,
                format!("{} has no identifier `{identifier}`", entity.kind),
            )
            .at(place);
            let all = known.identifiers.iter().map(String::as_str);
            let close = rulec_facts::close_matches(identifier, all, 1);
            found.push(match close.first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help(format!("it has {}", known.identifiers.join(", "))),
            });
        }
        let identifiers: Vec<&str> = entity.fields.keys().map(String::as_str).collect();
        // Corrected, the wrong identifier may be the one that is missing.
        if !wrong && !facts.is_accepted(&entity.kind, &identifiers) {
            let sets: Vec<String> = known.required.iter().map(|set| set.join(" and ")).collect();
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!(
                        "{} {} not enough to tell one {} from another",
                        identifiers.join(" and "),
                        if identifiers.len() == 1 { "is" } else { "are" },
                        entity.kind
                    ),
                )
                .at(kind)
                .help(format!("map {} as well", sets.join(", or "))),
            );
        }
    }
    if entities.origin == Origin::Config {
        for diagnostic in &mut found[first..] {
            diagnostic.notes.push(CONFIG.to_owned());
        }
    }
}
