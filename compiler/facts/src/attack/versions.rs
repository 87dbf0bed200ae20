//! All versions of ATT&CK side by side: what a name or an id is elsewhere.
//!
//! In: every `schema/attack/<version>.json`, and `domains.yaml` (how ids of
//! the other matrices begin). Out: the versions that know a name, an id, or a
//! technique under a tactic. Deliberately absent: which of them a repository
//! is written against.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Attack, Technique, fold};
use crate::{FactsError, Pack, yaml};

/// All versions there is data of, and what is known of other matrices.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    all: Vec<Attack>,
    /// A matrix -> how its ids begin.
    domains: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainsFile {
    #[serde(rename = "source")]
    _source: String,
    domains: BTreeMap<String, Vec<String>>,
}

impl Versions {
    /// Loads them all.
    pub fn load(pack: &Pack) -> Result<Versions, FactsError> {
        let file: DomainsFile = yaml::file(pack, "schema/attack/domains.yaml")?;
        let all = Attack::versions(pack)
            .iter()
            .map(|version| Attack::load(pack, version))
            .collect::<Result<_, _>>()?;
        Ok(Versions {
            all,
            domains: file.domains,
        })
    }

    /// The versions, in the order of their names.
    pub fn all(&self) -> &[Attack] {
        &self.all
    }

    /// The newest version that has this technique, and has not revoked it.
    pub fn with_technique(&self, id: &str) -> Option<(&Attack, &Technique)> {
        self.all.iter().rev().find_map(|attack| {
            let technique = attack.technique(id).filter(|t| t.revoked_by.is_none())?;
            Some((attack, technique))
        })
    }

    /// The newest version in which a tactic has this id.
    pub fn with_tactic(&self, id: &str) -> Option<&Attack> {
        let mut newest_first = self.all.iter().rev();
        newest_first.find(|attack| attack.tactics().iter().any(|tactic| tactic.id == id))
    }

    /// The newest version in which the technique has this name, its own or the
    /// full one. Case and what stands between the words do not count.
    pub fn where_technique_is(&self, id: &str, name: &str) -> Option<&Attack> {
        let name = fold(name);
        self.all.iter().rev().find(|attack| {
            attack.technique(id).is_some_and(|technique| {
                fold(&technique.name) == name || fold(&attack.full_name(technique)) == name
            })
        })
    }

    /// The newest version in which a tactic has this name, whatever its id.
    pub fn where_tactic_is(&self, name: &str) -> Option<&Attack> {
        let name = fold(name);
        let named = |attack: &&Attack| attack.tactics().iter().any(|tactic| fold(&tactic.name) == name);
        self.all.iter().rev().find(named)
    }

    /// The newest version in which the technique belongs to the tactic that
    /// `tactic`, an id or a name of that version, stands for.
    pub fn where_belongs(&self, technique: &str, tactic: &str) -> Option<&Attack> {
        self.all.iter().rev().find(|attack| {
            attack.technique(technique).is_some_and(|technique| {
                attack
                    .tactic(tactic)
                    .is_some_and(|tactic| technique.tactics.contains(&tactic.shortname))
            })
        })
    }

    /// The matrix beside the enterprise one that an id is of: `ICS` for `T0806`.
    pub fn domain(&self, id: &str) -> Option<&str> {
        let mut domains = self.domains.iter();
        let of = domains.find(|(_, begins)| begins.iter().any(|begin| id.starts_with(begin.as_str())));
        of.map(|(domain, _)| domain.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_lead_to_versions() {
        let versions = Versions::load(&Pack::embedded()).unwrap();
        let version = |attack: Option<&Attack>| attack.map(|a| a.version().to_owned());
        let some = |version: &str| Some(version.to_owned());
        assert_eq!(version(versions.where_tactic_is("Defense Evasion")), some("18.1"));
        assert_eq!(version(versions.where_tactic_is("stealth")), some("19"));
        assert_eq!(version(versions.where_tactic_is("Execution")), some("19"));
        assert_eq!(version(versions.where_tactic_is("Lunch")), None);
        assert_eq!(version(versions.with_tactic("TA0112")), some("19"));
        assert_eq!(
            version(versions.where_technique_is(
                "T1557.001",
                "Adversary-in-the-Middle - LLMNR/NBT-NS Poisoning and SMB Relay"
            )),
            some("18.1")
        );
        assert_eq!(
            version(versions.where_technique_is("T1055.002", "Portable Executable Injection")),
            some("19")
        );
        assert_eq!(
            version(versions.with_technique("T1562.001").map(|(a, _)| a)),
            some("18.1")
        );
        assert_eq!(
            version(versions.where_belongs("T1548.002", "TA0005")),
            some("18.1")
        );
        assert_eq!(version(versions.where_belongs("T1548.002", "Impact")), None);
    }

    #[test]
    fn other_matrices_are_told_by_their_ids() {
        let versions = Versions::load(&Pack::embedded()).unwrap();
        assert_eq!(versions.domain("T0806"), Some("ICS"));
        assert_eq!(versions.domain("TA0111"), Some("ICS"));
        assert_eq!(versions.domain("TA0030"), Some("Mobile"));
        for attack in versions.all() {
            for id in attack
                .techniques()
                .map(|t| &t.id)
                .chain(attack.tactics().iter().map(|t| &t.id))
            {
                assert_eq!(versions.domain(id), None, "{id}");
            }
        }
    }
}
