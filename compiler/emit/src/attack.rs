//! ATT&CK tags in the version and spelling a target takes.
//!
//! In: a rule's tags, in whatever version the document was written against.
//! Out: the target's tactics and techniques, and what has no place there.

use rulec_facts::attack::{Attack, Tactic};
use rulec_model::{AttackTag, Rule};
use rulec_source::Code;

use crate::findings::{Findings, Problem};
use crate::{Effect, Input};

/// One tag, placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed<'a> {
    /// The tactics it stands under, in the order of the matrix.
    pub(crate) tactics: Vec<&'a Tactic>,
    /// `T1055.002`, when the tag has a technique.
    pub(crate) technique: Option<&'a str>,
}

/// A rule's tags in the version `attack`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags<'a> {
    /// In the order of the document.
    pub(crate) placed: Vec<Placed<'a>>,
    /// Tags that the version has nothing for.
    pub(crate) unknown: Vec<Unknown>,
}

/// A tag that the version has nothing for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// As its author knows it: `technique T9999`.
    pub(crate) name: String,
    /// Its number among the rule's tags.
    pub(crate) tag: usize,
}

impl Tags<'_> {
    /// Says of each tag without a place that the target drops it: `taker` is
    /// the target as its users call it.
    pub(crate) fn tell_unknown(
        &self,
        code: Code,
        taker: &str,
        attack: &Attack,
        input: &Input<'_>,
        findings: &mut Findings,
    ) {
        for unknown in &self.unknown {
            let why = format!(
                "ATT&CK {}, which {taker} takes, has nothing for this {}.",
                attack.version(),
                unknown.name
            );
            let problem = Problem::new(code, &unknown.name, why);
            let problem = problem.on_document(input, &format!("/attack/{}", unknown.tag));
            findings.differ(problem.help(HELP), Effect::Dropped);
        }
    }
}

/// What to do about a tag that a target has no place for.
pub(crate) const HELP: &str =
    "name a tactic and technique that the target knows beside it, or live with an alert without this one";

/// Places every tag of a rule.
pub(crate) fn tags<'a>(attack: &'a Attack, rule: &Rule) -> Tags<'a> {
    let mut tags = Tags::default();
    for (index, tag) in rule.attack.iter().enumerate() {
        let placed = match tag.technique_id() {
            Some(id) => technique(attack, tag, &id),
            None => stated(tag)
                .and_then(|name| attack.tactic(name))
                .map(|tactic| Placed {
                    tactics: vec![tactic],
                    technique: None,
                }),
        };
        match placed {
            Some(placed) if !tags.placed.contains(&placed) => tags.placed.push(placed),
            Some(_) => {}
            None => tags.unknown.push(Unknown {
                name: match tag.technique_id() {
                    Some(id) => format!("technique {id}"),
                    None => format!("tactic {}", stated(tag).unwrap_or("without a name")),
                },
                tag: index,
            }),
        }
    }
    tags
}

fn stated(tag: &AttackTag) -> Option<&str> {
    tag.tactic_id.as_deref().or(tag.tactic.as_deref())
}

fn technique<'a>(attack: &'a Attack, tag: &AttackTag, id: &str) -> Option<Placed<'a>> {
    let placement = [tag.tactic_id.as_deref(), tag.tactic.as_deref()]
        .into_iter()
        .flatten()
        .find_map(|tactic| attack.place(id, tactic));
    if let Some(placement) = placement {
        return Some(Placed {
            tactics: placement.tactics,
            technique: Some(&placement.technique.id),
        });
    }
    // No tactic was said, or one that nobody knows: the technique's own.
    let technique = attack.equivalent(id)?;
    Some(Placed {
        tactics: tactics_of(attack, &technique.id),
        technique: Some(&technique.id),
    })
}

/// All tactics of a technique, in the order of the matrix.
pub(crate) fn tactics_of<'a>(attack: &'a Attack, technique: &str) -> Vec<&'a Tactic> {
    let own = attack
        .technique(technique)
        .map(|technique| technique.tactics.as_slice())
        .unwrap_or_default();
    attack
        .tactics()
        .iter()
        .filter(|tactic| own.contains(&tactic.shortname))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulec_facts::Pack;

    #[test]
    fn tags_of_any_version_are_placed() {
        let attack = Attack::for_target(&Pack::embedded(), "sentinel").unwrap();
        let tag = |tactic_id: &str, technique: Option<&str>| AttackTag {
            tactic_id: (!tactic_id.is_empty()).then(|| tactic_id.to_owned()),
            technique: technique.map(str::to_owned),
            ..AttackTag::default()
        };
        let rule = crate::targets::testing::rule(vec![
            tag("TA0112", Some("T1685")),
            tag("TA0005", None),
            tag("", Some("T1003")),
            tag("TA0005", Some("T9999")),
            tag("TA0005", None),
        ]);
        let tags = tags(&attack, &rule);
        let shown: Vec<_> = tags
            .placed
            .iter()
            .map(|placed| {
                let tactics: Vec<_> = placed.tactics.iter().map(|t| attack.spelling(t)).collect();
                (tactics.join(" "), placed.technique.unwrap_or("-"))
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("DefenseEvasion".to_owned(), "T1562.001"),
                ("DefenseEvasion".to_owned(), "-"),
                ("CredentialAccess".to_owned(), "T1003")
            ]
        );
        assert_eq!(
            tags.unknown,
            [Unknown {
                name: "technique T9999".to_owned(),
                tag: 3
            }]
        );
    }
}
