//! Lists of tactics and techniques as rows of the ATT&CK table.

use rulec_emit::{Effect, Loss};
use rulec_facts::attack::Attack;
use rulec_model::AttackTag;

/// The rows for tactics and techniques in any spelling and of any version.
/// Formats list the two apart: a technique goes to the first of the tactics it
/// stands under, and a tactic without a technique gets a row of its own.
pub(crate) fn tags(
    attack: &Attack,
    tactics: &[String],
    techniques: &[String],
    losses: &mut Vec<Loss>,
) -> Vec<AttackTag> {
    let mut rows: Vec<(usize, AttackTag)> = Vec::new();
    let mut used = vec![false; tactics.len()];
    for written in techniques {
        let id = written.trim().to_ascii_uppercase();
        let Some(technique) = attack.equivalent(&id) else {
            losses.push(Loss::new(
                format!("technique {written}"),
                Effect::Dropped,
                format!("ATT&CK {} has no such technique.", attack.version()),
            ));
            continue;
        };
        if technique.id != id {
            losses.push(Loss::new(
                format!("technique {written}"),
                Effect::Exact,
                format!("ATT&CK {} has it as {}.", attack.version(), technique.id),
            ));
        }
        let own = attack.tactics_of(technique);
        let listed = tactics.iter().position(|name| {
            attack
                .tactic(name)
                .is_some_and(|tactic| own.iter().any(|known| known.id == tactic.id))
        });
        let tactic = match listed {
            Some(at) => {
                used[at] = true;
                attack.tactic(&tactics[at])
            }
            None => {
                let first = own.first().copied();
                if let Some(first) = first {
                    losses.push(Loss::new(
                        format!("technique {written}"),
                        Effect::Exact,
                        format!(
                            "it stands under none of the rule's tactics, and is put under {}.",
                            first.name
                        ),
                    ));
                }
                first
            }
        };
        let (parent, sub) = match technique.id.split_once('.') {
            Some((parent, sub)) => (parent, Some(sub.to_owned())),
            None => (technique.id.as_str(), None),
        };
        let row = AttackTag {
            tactic_id: tactic.map(|t| t.id.clone()),
            tactic: tactic.map(|t| t.name.clone()),
            technique: Some(parent.to_owned()),
            subtechnique: sub,
            name: Some(attack.full_name(technique).replace(": ", " - ")),
        };
        let row = (listed.unwrap_or(usize::MAX), row);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    for (at, written) in tactics.iter().enumerate().filter(|(at, _)| !used[*at]) {
        let Some(tactic) = attack.tactic(written) else {
            losses.push(Loss::new(
                format!("tactic {written}"),
                Effect::Dropped,
                format!("ATT&CK {} has no such tactic.", attack.version()),
            ));
            continue;
        };
        let row = AttackTag {
            tactic_id: Some(tactic.id.clone()),
            tactic: Some(tactic.name.clone()),
            ..AttackTag::default()
        };
        rows.push((at, row));
    }
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}
