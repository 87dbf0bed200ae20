//! Identifiers of entities exist.

use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{noted, said},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL073",
        "unknown-identifier",
        Severity::Error,
        "An entity mapping has an identifier that its type of entity does not have.",
    ),
    page: include_str!("../../pages/unknown-identifier.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for entity in said(input) {
        let Some(known) = input.facts.entities.sentinel(entity.kind) else {
            continue;
        };
        for field in &entity.fields {
            if known.identifiers.iter().any(|i| i == field.identifier) {
                continue;
            }
            let message = format!("{} has no identifier `{}`", entity.kind, field.identifier);
            let diagnostic = noted(input, Diagnostic::new(LINT.code, message).at(field.place));
            let all = known.identifiers.iter().map(String::as_str);
            let close = rulec_facts::close_matches(field.identifier, all, 1);
            found.push(match close.first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help(format!("it has {}", known.identifiers.join(", "))),
            });
        }
    }
}
