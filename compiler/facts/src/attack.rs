//! MITRE ATT&CK: tactics and techniques by version, what replaced what, and
//! how each target spells a tactic.
//!
//! In: `schema/attack/<version>.json` (live techniques), `revoked.json`
//! (what replaced an id) and `targets.yaml` (version and spelling by target).
//! Out: look-ups within one version, and [`Attack::place`], which carries a
//! pair of technique and tactic from whatever version a document was written
//! against into this one.
//!
//! [`Versions`] has them all side by side.
//!
//! Deliberately absent: any default version; documents and targets name one.

mod versions;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use versions::Versions;

use crate::yaml::Ordered;
use crate::{FactsError, Pack, yaml};

/// A tactic of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tactic {
    /// `TA0005`; it stays the same when a tactic is renamed.
    pub id: String,
    /// `Defense Evasion`, since v19 `Stealth`.
    pub name: String,
    /// `defense-evasion`, since v19 `stealth`.
    pub shortname: String,
}

/// A technique or sub-technique of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// `T1055` or `T1055.002`.
    pub id: String,
    /// Its own name, without the parent's: `Portable Executable Injection`.
    pub name: String,
    /// The shortnames of its tactics, in the order of the matrix; empty once revoked.
    pub tactics: Vec<String>,
    /// The technique a sub-technique belongs to.
    pub parent: Option<String>,
    /// The id that replaced this one; None while it is live.
    pub revoked_by: Option<String>,
}

/// Where [`Attack::place`] put a pair of technique and tactic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement<'a> {
    /// The technique in this version, never a revoked one.
    pub technique: &'a Technique,
    /// The tactics it stands under here; one, unless the stated one is gone
    /// and several took its place.
    pub tactics: Vec<&'a Tactic>,
    /// Whether the id or the tactic differs from what was asked.
    pub moved: bool,
}

/// How a target writes tactics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Style {
    /// `defense-evasion`
    #[default]
    Hyphenated,
    /// `DefenseEvasion`
    Joined,
}

/// One version of ATT&CK.
#[derive(Clone, Debug, Default)]
pub struct Attack {
    version: String,
    style: Style,
    tactics: Vec<Tactic>,
    techniques: BTreeMap<String, Technique>,
    /// Folded spelling of a tactic -> its id; names of other versions included.
    spellings: BTreeMap<String, String>,
    /// An id of a later version -> the older id that stands for it.
    before: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionFile {
    #[serde(rename = "source")]
    _source: String,
    version: String,
    tactics: Ordered<(String, String)>,
    techniques: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedFile {
    #[serde(rename = "source")]
    _source: String,
    revoked: BTreeMap<String, (String, String)>,
    before: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetsFile {
    #[serde(rename = "source")]
    _source: String,
    targets: BTreeMap<String, TargetEntry>,
    also: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetEntry {
    attack: String,
    style: Style,
}

const TARGETS: &str = "schema/attack/targets.yaml";

impl Attack {
    /// The versions there is data of, sorted by name: `18.1`, `19`.
    pub fn versions(pack: &Pack) -> Vec<String> {
        pack.paths_under("schema/attack/")
            .filter_map(|path| path.strip_prefix("schema/attack/")?.strip_suffix(".json"))
            .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
            .map(str::to_owned)
            .collect()
    }

    /// One version by name; an unknown one is an error that lists the known.
    pub fn load(pack: &Pack, version: &str) -> Result<Attack, FactsError> {
        let path = format!("schema/attack/{version}.json");
        if pack.text(&path).is_none() {
            let known = Attack::versions(pack).join(", ");
            return Err(FactsError::new(
                &path,
                format!("there is no ATT&CK version '{version}'; known are {known}"),
            ));
        }
        let file: VersionFile = json(pack, &path)?;
        let revoked: RevokedFile = json(pack, "schema/attack/revoked.json")?;
        let names: TargetsFile = yaml::file(pack, TARGETS)?;

        let tactics: Vec<Tactic> = file
            .tactics
            .0
            .into_iter()
            .map(|(id, (name, shortname))| Tactic { id, name, shortname })
            .collect();
        let mut techniques = BTreeMap::new();
        for (id, mut row) in file.techniques {
            if row.is_empty() {
                return Err(FactsError::new(&path, format!("'{id}' has no name")));
            }
            let name = row.remove(0);
            if let Some(unknown) = row
                .iter()
                .find(|name| !tactics.iter().any(|known| known.shortname == **name))
            {
                return Err(FactsError::new(
                    &path,
                    format!("'{id}' is under the unknown tactic '{unknown}'"),
                ));
            }
            let technique = Technique {
                parent: parent(&id),
                id: id.clone(),
                name,
                tactics: row,
                revoked_by: None,
            };
            techniques.insert(id, technique);
        }
        for (id, (name, by)) in revoked.revoked {
            techniques.entry(id.clone()).or_insert_with(|| Technique {
                parent: parent(&id),
                id,
                name,
                tactics: Vec::new(),
                revoked_by: Some(by),
            });
        }
        let mut spellings = BTreeMap::new();
        for (id, others) in names.also {
            spellings.insert(fold(&id), id.clone());
            spellings.extend(others.iter().map(|other| (fold(other), id.clone())));
        }
        for tactic in &tactics {
            for spelling in [&tactic.id, &tactic.name, &tactic.shortname] {
                spellings.insert(fold(spelling), tactic.id.clone());
            }
        }
        Ok(Attack {
            version: file.version,
            style: Style::default(),
            tactics,
            techniques,
            spellings,
            before: revoked.before,
        })
    }

    /// The version that a target takes, with its spelling of tactics.
    /// Targets are those of `schema/attack/targets.yaml`.
    pub fn for_target(pack: &Pack, target: &str) -> Result<Attack, FactsError> {
        let file: TargetsFile = yaml::file(pack, TARGETS)?;
        let Some(entry) = file.targets.get(target) else {
            return Err(FactsError::new(TARGETS, format!("there is no target '{target}'")));
        };
        let attack = Attack::load(pack, &entry.attack)?;
        Ok(Attack {
            style: entry.style,
            ..attack
        })
    }

    /// The version, as its file states it: `18.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A technique by id, revoked ones included.
    pub fn technique(&self, id: &str) -> Option<&Technique> {
        self.techniques.get(id)
    }

    /// All techniques, sorted by id, revoked ones included.
    pub fn techniques(&self) -> impl Iterator<Item = &Technique> {
        self.techniques.values()
    }

    /// The name with the parent's in front, as matrices print it:
    /// `Process Injection: Portable Executable Injection`.
    pub fn full_name(&self, technique: &Technique) -> String {
        match technique.parent.as_deref().and_then(|id| self.technique(id)) {
            Some(parent) => format!("{}: {}", parent.name, technique.name),
            None => technique.name.clone(),
        }
    }

    /// The live techniques that have this name, their own or the full one, by
    /// id. Case and what stands between the words do not count.
    pub fn techniques_named(&self, name: &str) -> Vec<&Technique> {
        let name = fold(name);
        let named = |technique: &&Technique| {
            technique.revoked_by.is_none()
                && (fold(&technique.name) == name || fold(&self.full_name(technique)) == name)
        };
        self.techniques.values().filter(named).collect()
    }

    /// The tactics of a technique, in the order of the matrix.
    pub fn tactics_of<'a>(&'a self, technique: &Technique) -> Vec<&'a Tactic> {
        let own = |tactic: &&Tactic| technique.tactics.contains(&tactic.shortname);
        self.tactics.iter().filter(own).collect()
    }

    /// A tactic by id, name or shortname, in any spelling: `TA0005`,
    /// `Defense Evasion`, `DefenseEvasion`, `defense_evasion`. The name it has
    /// in another version finds it too, and one that this version does not
    /// have finds the one it was part of (`Defense Impairment` in v18.1).
    pub fn tactic(&self, spelling: &str) -> Option<&Tactic> {
        let id = self.spellings.get(&fold(spelling))?;
        self.tactics.iter().find(|tactic| tactic.id == *id).or_else(|| {
            // Before v19 there was no Defense Impairment; it was part of Defense Evasion.
            let whole = if id == IMPAIRMENT { EVASION } else { return None };
            self.tactics.iter().find(|tactic| tactic.id == whole)
        })
    }

    /// All tactics, in the order of the matrix.
    pub fn tactics(&self) -> &[Tactic] {
        &self.tactics
    }

    /// The live technique that replaces a revoked one, through as many steps
    /// as it takes. None for a live or unknown id.
    pub fn successor(&self, id: &str) -> Option<&Technique> {
        let mut technique = self.technique(id)?;
        // A chain cannot be longer than the list; wrong data may still close one into a ring.
        for _ in 0..self.techniques.len() {
            technique = self.technique(technique.revoked_by.as_deref()?)?;
            if technique.revoked_by.is_none() {
                return Some(technique);
            }
        }
        None
    }

    /// The technique under which this version knows an id, whichever version
    /// the id is from: itself, what replaced it, or what it replaced since.
    pub fn equivalent(&self, id: &str) -> Option<&Technique> {
        match self.technique(id) {
            Some(technique) if technique.revoked_by.is_none() => Some(technique),
            Some(_) => self.successor(id),
            None => self
                .technique(self.before.get(id)?)
                .filter(|technique| technique.revoked_by.is_none()),
        }
    }

    /// Carries a pair of technique and tactic into this version, whichever
    /// version it is from. A tactic the technique still has is kept. Defense
    /// Evasion becomes Stealth or Defense Impairment, and back. A tactic the
    /// technique no longer has becomes the technique's own tactics here. None
    /// when this version has nothing for the technique or knows no such tactic.
    pub fn place(&self, technique: &str, tactic: &str) -> Option<Placement<'_>> {
        let found = self.equivalent(technique)?;
        let stated = self.tactic(tactic)?;
        let own = self.tactics_of(found);
        let split = |tactic: &Tactic| tactic.id == EVASION || tactic.id == IMPAIRMENT;
        let tactics = if own.contains(&stated) {
            vec![stated]
        } else {
            let halves: Vec<&Tactic> = own.iter().copied().filter(|tactic| split(tactic)).collect();
            if split(stated) && !halves.is_empty() {
                halves
            } else {
                own
            }
        };
        let moved = found.id != technique || tactics != [stated];
        Some(Placement {
            technique: found,
            tactics,
            moved,
        })
    }

    /// The tactic as this version's target spells it: `DefenseEvasion` for
    /// Sentinel and Defender, `defense-evasion` elsewhere.
    pub fn spelling(&self, tactic: &Tactic) -> String {
        match self.style {
            Style::Hyphenated => tactic.shortname.clone(),
            Style::Joined => tactic
                .shortname
                .split('-')
                .flat_map(|word| {
                    let mut letters = word.chars();
                    letters
                        .next()
                        .map(|first| first.to_ascii_uppercase())
                        .into_iter()
                        .chain(letters)
                })
                .collect(),
        }
    }
}

/// The tactic that v19 renamed to Stealth.
const EVASION: &str = "TA0005";
/// The tactic that v19 split off it.
const IMPAIRMENT: &str = "TA0112";

/// `T1055` of `T1055.002`.
fn parent(id: &str) -> Option<String> {
    id.split_once('.').map(|(parent, _)| parent.to_owned())
}

/// Case and separators do not count.
pub fn fold(spelling: &str) -> String {
    spelling
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn json<T: DeserializeOwned>(pack: &Pack, path: &str) -> Result<T, FactsError> {
    serde_json::from_str(pack.require(path)?)
        .map_err(|error| FactsError::at(path, error.line(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attack(version: &str) -> Attack {
        Attack::load(&Pack::embedded(), version).unwrap()
    }

    fn placed(attack: &Attack, technique: &str, tactic: &str) -> (String, Vec<String>, bool) {
        let placement = attack.place(technique, tactic).unwrap();
        let tactics = placement
            .tactics
            .iter()
            .map(|tactic| tactic.name.clone())
            .collect();
        (placement.technique.id.clone(), tactics, placement.moved)
    }

    #[test]
    fn versions() {
        assert_eq!(Attack::versions(&Pack::embedded()), ["18.1", "19"]);
        assert_eq!(
            (attack("18.1").tactics().len(), attack("19").tactics().len()),
            (14, 15)
        );
        let message = Attack::load(&Pack::embedded(), "3").unwrap_err().to_string();
        assert_eq!(
            message,
            "schema/attack/3.json: there is no ATT&CK version '3'; known are 18.1, 19"
        );
    }

    #[test]
    fn techniques_have_names_and_parents() {
        let attack = attack("19");
        let technique = attack.technique("T1055.002").unwrap();
        assert_eq!(
            attack.full_name(technique),
            "Process Injection: Portable Executable Injection"
        );
        assert_eq!(technique.tactics, ["privilege-escalation", "stealth"]);
        assert_eq!(technique.parent.as_deref(), Some("T1055"));
        assert_eq!(attack.technique("T9999"), None);
    }

    #[test]
    fn every_sub_technique_has_its_parent() {
        for version in ["18.1", "19"] {
            let attack = attack(version);
            for technique in attack
                .techniques()
                .filter(|technique| technique.revoked_by.is_none())
            {
                let parent = technique.parent.as_deref();
                assert!(
                    parent.is_none_or(|parent| attack.technique(parent).is_some()),
                    "{}",
                    technique.id
                );
                assert!(!technique.tactics.is_empty(), "{}", technique.id);
            }
        }
    }

    #[test]
    fn tactics_are_found_in_every_spelling() {
        let (old, new) = (attack("18.1"), attack("19"));
        for spelling in [
            "TA0005",
            "Defense Evasion",
            "DefenseEvasion",
            "defense_evasion",
            "Stealth",
        ] {
            assert_eq!(
                old.tactic(spelling).unwrap().name,
                "Defense Evasion",
                "{spelling}"
            );
            assert_eq!(new.tactic(spelling).unwrap().name, "Stealth", "{spelling}");
        }
        assert_eq!(old.tactic("Defense Impairment").unwrap().id, "TA0005");
        assert_eq!(old.tactic("TA0112").unwrap().id, "TA0005");
        assert_eq!(new.tactic("defense-impairment").unwrap().id, "TA0112");
        assert_eq!(new.tactic("Command & Control").unwrap().id, "TA0011");
        assert_eq!(new.tactic("Lunch"), None);
    }

    #[test]
    fn revoked_ids_lead_to_their_successors() {
        let (old, new) = (attack("18.1"), attack("19"));
        assert_eq!(new.successor("T1562.001").unwrap().id, "T1685");
        assert_eq!(
            new.technique("T1562.001").unwrap().name,
            "Disable or Modify Tools"
        );
        assert_eq!(old.successor("T1562.001"), None);
        assert_eq!(old.successor("T1574.002").unwrap().id, "T1574.001");
        assert_eq!(old.equivalent("T1685").unwrap().id, "T1562.001");
        assert_eq!(old.equivalent("T1682"), None);
    }

    #[test]
    fn pairs_are_carried_between_versions() {
        let (old, new) = (attack("18.1"), attack("19"));
        let stealth = vec!["Stealth".to_owned()];
        assert_eq!(
            placed(&new, "T1055.002", "TA0005"),
            ("T1055.002".into(), stealth, false)
        );
        let impairment = vec!["Defense Impairment".to_owned()];
        assert_eq!(
            placed(&new, "T1562.007", "Defense Evasion"),
            ("T1686.001".into(), impairment, true)
        );
        let escalation = vec!["Privilege Escalation".to_owned()];
        assert_eq!(
            placed(&new, "T1548.002", "TA0005"),
            ("T1548.002".into(), escalation, true)
        );
        let evasion = vec!["Defense Evasion".to_owned()];
        assert_eq!(
            placed(&old, "T1686.001", "Defense Impairment"),
            ("T1562.007".into(), evasion, true)
        );
        let execution = vec!["Execution".to_owned()];
        assert_eq!(
            placed(&new, "T1106", "TA0002"),
            ("T1106".into(), execution, false)
        );
    }

    #[test]
    fn targets_have_a_version_and_a_spelling() {
        let pack = Pack::embedded();
        for (target, version, spelling) in [
            ("sentinel", "18.1", "DefenseEvasion"),
            ("defender", "18.1", "DefenseEvasion"),
            ("sigma", "19", "stealth"),
            ("navigator", "19", "stealth"),
        ] {
            let attack = Attack::for_target(&pack, target).unwrap();
            assert_eq!(attack.version(), version, "{target}");
            assert_eq!(
                attack.spelling(attack.tactic("TA0005").unwrap()),
                spelling,
                "{target}"
            );
        }
        let sentinel = Attack::for_target(&pack, "sentinel").unwrap();
        let control = sentinel.tactic("Command and Control").unwrap();
        assert_eq!(sentinel.spelling(control), "CommandAndControl");
        assert!(Attack::for_target(&pack, "nothing").is_err());
    }

    #[test]
    fn a_ring_of_revocations_ends() {
        let ring = br#"{"source": "", "revoked": {"T1": ["a", "T2"], "T2": ["b", "T1"]}, "before": {}}"#;
        let files = BTreeMap::from([("schema/attack/revoked.json".to_owned(), ring.to_vec())]);
        let attack = Attack::load(&Pack::embedded().overlay(files), "19").unwrap();
        assert_eq!(attack.successor("T1"), None);
    }
}
