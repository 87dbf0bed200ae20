//! The name beside an ATT&CK id is the name of what the id says.

use rulec_facts::attack::fold;
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{
    Input, Lint,
    tags::{Tag, offered, tags},
};

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

const HELP: &str = "correct the name, or the id if the name is right";

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for tag in tags(input) {
        found.extend(tactic(input, &tag));
        found.extend(technique(input, &tag));
    }
}

fn tactic(input: &Input<'_>, tag: &Tag<'_>) -> Option<Diagnostic> {
    let attack = &input.facts.attack;
    let (name, id) = (tag.said.tactic.as_deref()?, tag.said.tactic_id.as_deref()?);
    let tactic = attack.tactic(id)?;
    let other = attack.tactic(name);
    // What it is called in another version is right in its way.
    if other.is_some_and(|other| other.id == tactic.id) || fold(name) == fold(&tactic.name) {
        return None;
    }
    let diagnostic = Diagnostic::new(LINT.code, format!("{id} is {}, not {name}", tactic.name))
        .at(tag.place("tactic"))
        .help(HELP);
    // A word that is nobody's name is a slip of the name.
    let edits = match other {
        None => tag.rewritten(Some(tactic), None),
        Some(_) => None,
    };
    let close = !rulec_facts::close_matches(name, [tactic.name.as_str()], 1).is_empty();
    Some(offered(
        diagnostic,
        format!("write {}", tactic.name),
        edits,
        close,
    ))
}

fn technique(input: &Input<'_>, tag: &Tag<'_>) -> Option<Diagnostic> {
    let (attack, versions) = (&input.facts.attack, &input.facts.versions);
    let (name, id) = (tag.said.name.as_deref()?, tag.said.technique_id()?);
    let technique = attack.technique(&id).filter(|t| t.revoked_by.is_none())?;
    // Documents write `Parent - Sub`, ATT&CK `Parent: Sub`; either the full
    // name or the technique's own will do, and so does that of another version.
    if versions.where_technique_is(&id, name).is_some() {
        return None;
    }
    let full = attack.full_name(technique);
    let diagnostic = Diagnostic::new(LINT.code, format!("{id} is {full}, not {name}"))
        .at(tag.place("name"))
        .help(HELP);
    // A name that resembles the right one and is nobody else's is a slip, or an old name.
    let others = || {
        let mut all = versions.all().iter();
        all.any(|version| !version.techniques_named(name).is_empty())
    };
    let close = !rulec_facts::close_matches(
        &fold(name),
        [fold(&full).as_str(), fold(&technique.name).as_str()],
        1,
    )
    .is_empty();
    Some(offered(
        diagnostic,
        format!("write {full}"),
        tag.name_edits(technique).filter(|edits| !edits.is_empty()),
        close && !others(),
    ))
}
