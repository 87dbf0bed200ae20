//! A technique belongs to the tactic it is listed under.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

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
    for (index, tag) in input.rule.attack.iter().enumerate() {
        let stated = tag
            .tactic_id
            .as_deref()
            .or(tag.tactic.as_deref())
            .and_then(|t| attack.tactic(t));
        let technique = tag.technique_id().and_then(|id| attack.technique(&id));
        let (Some(tactic), Some(technique)) = (stated, technique) else {
            continue;
        };
        if technique.tactics.is_empty() || technique.tactics.contains(&tactic.shortname) {
            continue;
        }
        let right: Vec<&str> = technique
            .tactics
            .iter()
            .filter_map(|t| attack.tactic(t))
            .map(|t| t.name.as_str())
            .collect();
        found.push(
            Diagnostic::new(
                LINT.code,
                format!("{} does not belong to {}", technique.id, tactic.name),
            )
            .at(input.place(&format!("/attack/{index}/technique")))
            .help(format!("list it under {}", right.join(" or "))),
        );
    }
}
