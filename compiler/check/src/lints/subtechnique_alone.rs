//! The number of a sub-technique stands beside its technique.

use rulec_facts::attack::Technique;
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint, tags::tags};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL016",
        "subtechnique-alone",
        Severity::Warning,
        "A sub-technique is given without the technique it is one of.",
    ),
    page: include_str!("../../pages/subtechnique-alone.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let attack = &input.facts.attack;
    for tag in tags(input).filter(|tag| tag.said.technique.is_none()) {
        let Some(number) = tag.said.subtechnique.as_deref() else {
            continue;
        };
        let message = format!("the sub-technique {number} stands without a technique, and says nothing");
        let diagnostic = Diagnostic::new(LINT.code, message).at(tag.place("subtechnique"));
        let suffix = format!(".{number}");
        let named: Vec<&Technique> = tag
            .said
            .name
            .as_deref()
            .map_or_else(Vec::new, |name| attack.techniques_named(name));
        let meant = named.iter().find(|technique| technique.id.ends_with(&suffix));
        found.push(
            match meant.and_then(|technique| Some((technique, technique.parent.as_ref()?))) {
                Some((technique, parent)) => diagnostic.help(format!(
                    "{} is {}: write {parent} beside it",
                    attack.full_name(technique),
                    technique.id
                )),
                None => diagnostic.help("write the technique beside it, such as T1055"),
            },
        );
    }
}
