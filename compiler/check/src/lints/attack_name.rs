//! The name beside a technique id is that technique's name.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL005",
        "technique-name-mismatch",
        Severity::Warning,
        "The name beside a technique id is another technique's.",
    ),
    page: include_str!("../../pages/technique-name-mismatch.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for (index, tag) in input.rule.attack.iter().enumerate() {
        let (Some(name), Some(id)) = (&tag.name, tag.technique_id()) else {
            continue;
        };
        let Some(technique) = attack.technique(&id) else {
            continue;
        };
        // Documents write `Parent - Sub`, ATT&CK `Parent: Sub`; either the full
        // name or the technique's own will do.
        let full = attack.full_name(technique);
        let said = letters(name);
        if said == letters(&full) || said == letters(&technique.name) || technique.revoked_by.is_some() {
            continue;
        }
        found.push(
            Diagnostic::new(LINT.code, format!("{id} is {full}, not {name}"))
                .at(input.place(&format!("/attack/{index}/name")))
                .help("correct the name, or the id if the name is right"),
        );
    }
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
