//! Tactics and techniques exist in the pinned version of ATT&CK.

use rulec_facts::attack::Technique;
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{
    Input, Lint,
    tags::{Tag, offered, tags},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL003",
        "unknown-technique",
        Severity::Warning,
        "A technique or tactic is not part of the ATT&CK version in use.",
    ),
    page: include_str!("../../pages/unknown-technique.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for tag in tags(input) {
        found.extend(tactic(input, &tag));
        found.extend(technique(input, &tag));
    }
}

fn tactic(input: &Input<'_>, tag: &Tag<'_>) -> Option<Diagnostic> {
    let attack = &input.facts.attack;
    let stated = tag.stated().filter(|stated| attack.tactic(stated).is_none())?;
    let message = format!("`{stated}` is not a tactic of ATT&CK {}", attack.version());
    let diagnostic = Diagnostic::new(LINT.code, message).at(tag.place("tactic"));
    if let Some(domain) = input.facts.versions.domain(stated) {
        return Some(diagnostic.help(elsewhere(stated, domain)));
    }
    let names = attack.tactics().iter().map(|t| t.name.as_str());
    // An id that is wrong may stand beside a name that is right.
    let meant = tag.said.tactic.as_deref().and_then(|name| attack.tactic(name));
    let close = rulec_facts::close_matches(stated, names, 1).first().copied();
    Some(match meant.or_else(|| attack.tactic(close?)) {
        Some(meant) => offered(
            diagnostic.help(format!("did you mean `{}` ({})?", meant.name, meant.id)),
            format!("write {}", meant.name),
            tag.rewritten(Some(meant), None),
            false,
        ),
        None => diagnostic.help(format!(
            "the tactics are {}",
            attack
                .tactics()
                .iter()
                .map(|t| t.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        )),
    })
}

fn technique(input: &Input<'_>, tag: &Tag<'_>) -> Option<Diagnostic> {
    let (attack, versions) = (&input.facts.attack, &input.facts.versions);
    let id = tag
        .said
        .technique_id()
        .filter(|id| attack.technique(id).is_none())?;
    let mut diagnostic = Diagnostic::new(
        LINT.code,
        format!("`{id}` is not a technique of ATT&CK {}", attack.version()),
    )
    .at(tag.id_place());
    if let Some((version, technique)) = versions.with_technique(&id) {
        diagnostic = diagnostic.note(format!(
            "{id} is {} in ATT&CK {}",
            version.full_name(technique),
            version.version()
        ));
        return Some(match attack.equivalent(&id) {
            // It may stand for others as well: what it replaces is not all it is.
            Some(other) => tag.carried(
                diagnostic.help(format!(
                    "in this version it is {} {}",
                    other.id,
                    attack.full_name(other)
                )),
                false,
            ),
            None => diagnostic.help(format!(
                "write against that version: `attack = \"{}\"` under [check] in rulec.toml",
                version.version()
            )),
        });
    }
    if let Some(domain) = versions.domain(&id) {
        return Some(diagnostic.help(elsewhere(&id, domain)));
    }
    let named: Vec<&Technique> = tag
        .said
        .name
        .as_deref()
        .map_or_else(Vec::new, |name| attack.techniques_named(name));
    let parent = id
        .split_once('.')
        .and_then(|(parent, _)| attack.technique(parent));
    Some(match (named.as_slice(), parent) {
        ([meant], _) => offered(
            diagnostic.help(format!(
                "did you mean {} {}?",
                meant.id,
                attack.full_name(meant)
            )),
            format!("write {}", meant.id),
            tag.rewritten(None, Some(meant)),
            false,
        ),
        (_, Some(parent)) => {
            let known: Vec<String> = attack
                .techniques()
                .filter(|t| t.parent.as_ref() == Some(&parent.id) && t.revoked_by.is_none())
                .map(|t| format!("{} {}", t.id, t.name))
                .collect();
            let is = format!("{} is {}", parent.id, attack.full_name(parent));
            diagnostic.help(match known.as_slice() {
                [] => format!("{is}, which has no sub-techniques"),
                _ => format!("{is}; its sub-techniques are {}", known.join(", ")),
            })
        }
        _ => diagnostic.help(
            "look the id up at attack.mitre.org; rulec knows the enterprise matrix, not those for mobile devices \
             and industrial control systems",
        ),
    })
}

fn elsewhere(id: &str, domain: &str) -> String {
    format!("{id} is of ATT&CK for {domain}; the targets take the enterprise matrix only")
}
