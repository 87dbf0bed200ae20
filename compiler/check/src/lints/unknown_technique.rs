//! Technique ids exist in the pinned version of ATT&CK and are not revoked.

use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL003",
        "unknown-technique",
        Severity::Warning,
        "A technique or tactic is not part of the ATT&CK version in use, or was revoked.",
    ),
    page: include_str!("../../pages/unknown-technique.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for (index, tag) in input.rule.attack.iter().enumerate() {
        let pointer = format!("/attack/{index}");
        if let Some(tactic) = tag.tactic_id.as_deref().or(tag.tactic.as_deref())
            && attack.tactic(tactic).is_none()
        {
            let names = attack.tactics().iter().map(|t| t.name.as_str());
            let diagnostic = Diagnostic::new(
                LINT.code,
                format!("`{tactic}` is not a tactic of ATT&CK {}", attack.version()),
            )
            .at(input.place(&format!("{pointer}/tactic_id")));
            found.push(match rulec_facts::close_matches(tactic, names, 1).first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic,
            });
        }
        let Some(id) = tag.technique_id() else { continue };
        let place = input.place(&format!("{pointer}/technique"));
        match attack.technique(&id) {
            None => {
                let diagnostic = Diagnostic::new(
                    LINT.code,
                    format!("`{id}` is not a technique of ATT&CK {}", attack.version()),
                )
                .at(place);
                found.push(match attack.equivalent(&id) {
                    Some(other) => diagnostic.help(format!(
                        "in this version it is {} {}",
                        other.id,
                        attack.full_name(other)
                    )),
                    None => diagnostic.help("look the id up at attack.mitre.org"),
                });
            }
            Some(technique) if technique.revoked_by.is_some() => {
                let diagnostic = Diagnostic::new(
                    LINT.code,
                    format!("`{id}` was revoked in ATT&CK {}", attack.version()),
                )
                .at(place);
                found.push(match attack.successor(&id) {
                    Some(next) => {
                        diagnostic.help(format!("its successor is {} {}", next.id, attack.full_name(next)))
                    }
                    None => diagnostic,
                });
            }
            Some(_) => {}
        }
    }
}
