//! Tactics and techniques go by the names of the pinned version of ATT&CK.

use rulec_facts::attack::fold;
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{
    Input, Lint,
    tags::{Tag, offered, tags},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL014",
        "attack-other-version",
        Severity::Note,
        "A tactic or technique goes by the name that it has in another version of ATT&CK.",
    ),
    page: include_str!("../../pages/attack-other-version.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    // What another finding moves is named right on the way.
    for tag in tags(input).filter(Tag::is_settled) {
        found.extend(tactic(input, &tag));
        found.extend(technique(input, &tag));
    }
}

fn tactic(input: &Input<'_>, tag: &Tag<'_>) -> Option<Diagnostic> {
    let (attack, versions) = (&input.facts.attack, &input.facts.versions);
    let tactic = tag.stated_tactic()?;
    // The tactic of a technique that this version has nothing for stays with it.
    let id = tag.said.technique_id();
    if id.is_some_and(|id| attack.equivalent(&id).is_none()) {
        return None;
    }
    let here = |id: &&str| !attack.tactics().iter().any(|t| t.id == **id);
    let id = tag.said.tactic_id.as_deref().filter(here);
    let known = |name: &&str| !attack.tactics().iter().any(|t| fold(&t.name) == fold(name));
    let name = tag.said.tactic.as_deref().filter(known);
    let (said, version) = match (id, name) {
        (Some(id), _) => {
            let version = versions.with_tactic(id)?;
            (version.tactic(id)?.name.as_str(), version)
        }
        (None, Some(name)) => {
            // The name of another tactic is a slip, not an old name.
            attack.tactic(name).filter(|other| other.id == tactic.id)?;
            (name, versions.where_tactic_is(name)?)
        }
        (None, None) => return None,
    };
    let diagnostic = Diagnostic::new(
        LINT.code,
        format!(
            "{said} is a tactic of ATT&CK {}; in {} it is {}",
            version.version(),
            attack.version(),
            tactic.name
        ),
    )
    .at(tag.place("tactic"))
    .help(format!("write {} - {}", tactic.id, tactic.name));
    // A tactic that became two, by its name alone, may mean either.
    let certain = tag.said.technique.is_some() || tag.said.tactic_id.is_some();
    Some(offered(
        diagnostic,
        format!("write {}", tactic.name),
        tag.rewritten(Some(tactic), None),
        certain,
    ))
}

fn technique(input: &Input<'_>, tag: &Tag<'_>) -> Option<Diagnostic> {
    let attack = &input.facts.attack;
    let (name, id) = (tag.said.name.as_deref()?, tag.said.technique_id()?);
    let technique = attack.technique(&id).filter(|t| t.revoked_by.is_none())?;
    let full = attack.full_name(technique);
    if fold(name) == fold(&full) || fold(name) == fold(&technique.name) {
        return None;
    }
    let version = input.facts.versions.where_technique_is(&id, name)?;
    let diagnostic = Diagnostic::new(
        LINT.code,
        format!(
            "{id} is {name} in ATT&CK {}; in {} it is {full}",
            version.version(),
            attack.version()
        ),
    )
    .at(tag.place("name"))
    .help(format!("write {full}"));
    Some(offered(
        diagnostic,
        format!("write {full}"),
        tag.name_edits(technique).filter(|edits| !edits.is_empty()),
        true,
    ))
}
