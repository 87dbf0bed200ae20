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
            .at(input.place(&format!("{pointer}/tactic")));
            found.push(match rulec_facts::close_matches(tactic, names, 1).first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help(format!(
                    "the tactics are {}",
                    attack
                        .tactics()
                        .iter()
                        .map(|t| t.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                )),
            });
        }
        let Some(id) = tag.technique_id() else { continue };
        // The half of the id that is wrong.
        let parent = id
            .split_once('.')
            .and_then(|(parent, _)| attack.technique(parent));
        let half = if attack.technique(&id).is_none() && parent.is_some() {
            "subtechnique"
        } else {
            "technique"
        };
        let place = input.place(&format!("{pointer}/{half}"));
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
                    None => diagnostic.help(match parent {
                        Some(parent) => format!(
                            "{} {} exists; look its sub-techniques up at attack.mitre.org",
                            parent.id,
                            attack.full_name(parent)
                        ),
                        None => "look the id up at attack.mitre.org".to_owned(),
                    }),
                });
            }
            Some(technique) if technique.revoked_by.is_some() => {
                let diagnostic = Diagnostic::new(
                    LINT.code,
                    format!("`{id}` is revoked in ATT&CK {}", attack.version()),
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
