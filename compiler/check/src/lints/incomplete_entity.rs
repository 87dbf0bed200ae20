//! Every mapping has an identifier that tells one entity from another.

use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{noted, said},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL074",
        "incomplete-entity",
        Severity::Error,
        "An entity mapping has no identifier that tells one entity from another.",
    ),
    page: include_str!("../../pages/incomplete-entity.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let facts = &input.facts.entities;
    for entity in said(input) {
        let Some(known) = facts.sentinel(entity.kind) else {
            continue;
        };
        let names: Vec<&str> = entity.fields.iter().map(|f| f.identifier).collect();
        // Corrected, a wrong identifier may be the one that is missing.
        let wrong = names
            .iter()
            .any(|name| !known.identifiers.iter().any(|i| i == name));
        if wrong || facts.is_accepted(entity.kind, &names) {
            continue;
        }
        let sets: Vec<String> = known.required.iter().map(|set| set.join(" and ")).collect();
        let message = match names.as_slice() {
            [] => format!("the entity {} has no identifier", entity.kind),
            _ => format!(
                "{} {} not enough to tell one {} from another",
                names.join(" and "),
                if names.len() == 1 { "is" } else { "are" },
                entity.kind
            ),
        };
        let diagnostic = Diagnostic::new(LINT.code, message)
            .at(entity.place)
            .help(format!("map {} as well", sets.join(", or ")));
        found.push(noted(input, diagnostic));
    }
}
