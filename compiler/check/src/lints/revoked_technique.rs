//! Techniques are not revoked in the pinned version of ATT&CK.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{
    Input, Lint,
    tags::{named, offered, tags},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL013",
        "revoked-technique",
        Severity::Warning,
        "A technique was revoked in the ATT&CK version in use, or before it.",
    ),
    page: include_str!("../../pages/revoked-technique.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for tag in tags(input) {
        let Some(id) = tag.said.technique_id() else {
            continue;
        };
        if attack
            .technique(&id)
            .is_none_or(|technique| technique.revoked_by.is_none())
        {
            continue;
        }
        let message = format!("`{id}` is revoked in ATT&CK {}", attack.version());
        let diagnostic = Diagnostic::new(LINT.code, message).at(tag.id_place());
        let Some(next) = attack.successor(&id) else {
            found.push(diagnostic.help("look up at attack.mitre.org what became of it"));
            continue;
        };
        let successor = format!("its successor is {} {}", next.id, attack.full_name(next));
        found.push(match tag.placement() {
            Some(placement) => {
                let stays = tag.stated_tactic().is_some_and(|t| placement.tactics == [t]);
                let under = if stays {
                    String::new()
                } else {
                    format!(", under {}", named(&placement.tactics))
                };
                tag.carried(diagnostic.help(format!("{successor}{under}")), true)
            }
            None => offered(
                diagnostic.help(successor),
                format!("write {}", next.id),
                tag.rewritten(None, Some(next)),
                true,
            ),
        });
    }
}
