//! The name beside an ATT&CK id is the name of what the id says.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL005",
        "attack-name-mismatch",
        Severity::Warning,
        "The name beside the id of a tactic or technique is another's.",
    ),
    page: include_str!("../../pages/attack-name-mismatch.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for (index, tag) in input.rule.attack.iter().enumerate() {
        if let (Some(name), Some(id)) = (&tag.tactic, &tag.tactic_id)
            && let Some(tactic) = attack.tactic(id)
            // A tactic that was renamed may be called by either name.
            && attack.tactic(name).is_none_or(|other| other.id != tactic.id)
            && letters(name) != letters(&tactic.name)
        {
            found.push(
                Diagnostic::new(LINT.code, format!("{id} is {}, not {name}", tactic.name))
                    .at(input.place(&format!("/attack/{index}/tactic")))
                    .help("correct the name, or the id if the name is right"),
            );
        }
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
