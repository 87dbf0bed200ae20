//! A technique is listed under a tactic.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{
    Input, Lint,
    tags::{named, offered, tags},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL015",
        "missing-tactic",
        Severity::Warning,
        "A technique is listed without the tactic it serves.",
    ),
    page: include_str!("../../pages/missing-tactic.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for tag in tags(input).filter(|tag| tag.stated().is_none()) {
        let Some(technique) = tag.said.technique_id().and_then(|id| attack.equivalent(&id)) else {
            continue;
        };
        let tactics = attack.tactics_of(technique);
        let message = format!("{} is listed without a tactic", technique.id);
        let mut diagnostic = Diagnostic::new(LINT.code, message)
            .at(tag.place("technique"))
            .help(format!(
                "list it under {}; until then it counts for each of its tactics",
                named(&tactics)
            ));
        // Where the layout has no place for a tactic, nobody forgot it.
        if !tag.has_cell("tactic") {
            diagnostic.severity = Severity::Note;
        }
        found.push(match tactics.as_slice() {
            [tactic] => offered(
                diagnostic,
                format!("list it under {}", tactic.name),
                tag.rewritten(Some(tactic), None),
                true,
            ),
            _ => diagnostic,
        });
    }
}
