//! Entity types exist.

use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{noted, said},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL002",
        "unknown-entity",
        Severity::Error,
        "An entity mapping has a type that does not exist.",
    ),
    page: include_str!("../../pages/unknown-entity.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let facts = &input.facts.entities;
    for entity in said(input) {
        if facts.sentinel(entity.kind).is_some() {
            continue;
        }
        let names: Vec<&str> = facts.sentinel_types().map(|(name, _)| name).collect();
        let message = format!("`{}` is not a type of entity", entity.kind);
        let diagnostic = noted(input, Diagnostic::new(LINT.code, message).at(entity.place));
        let close = rulec_facts::close_matches(entity.kind, names.iter().copied(), 1);
        found.push(match close.first() {
            Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
            None => diagnostic.help(format!("the types are {}", names.join(", "))),
        });
    }
}
