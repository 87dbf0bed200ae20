//! A technique belongs to the tactic it is listed under.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{
    Input, Lint,
    tags::{named, tags},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL004",
        "tactic-mismatch",
        Severity::Warning,
        "A technique is listed under a tactic that it does not belong to.",
    ),
    page: include_str!("../../pages/tactic-mismatch.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for tag in tags(input) {
        let technique = tag.said.technique_id().and_then(|id| attack.technique(&id));
        let (Some(tactic), Some(technique)) = (tag.stated_tactic(), technique) else {
            continue;
        };
        if technique.revoked_by.is_some() || technique.tactics.contains(&tactic.shortname) {
            continue;
        }
        let message = format!("{} does not belong to {}", technique.id, tactic.name);
        let mut diagnostic = Diagnostic::new(LINT.code, message).at(tag.place("technique"));
        let right = match tag.placement() {
            Some(placement) => named(&placement.tactics),
            None => named(&attack.tactics_of(technique)),
        };
        diagnostic = diagnostic.help(format!("list it under {right}"));
        // What was right in another version moved with ATT&CK; the rest is a slip.
        let elsewhere = tag.stated().and_then(|stated| {
            let version = input.facts.versions.where_belongs(&technique.id, stated)?;
            Some((version, version.tactic(stated)?))
        });
        if let Some((version, tactic)) = elsewhere {
            diagnostic = diagnostic.note(format!(
                "in ATT&CK {} it belongs to {}",
                version.version(),
                tactic.name
            ));
        }
        found.push(tag.carried(diagnostic, elsewhere.is_some()));
    }
}
