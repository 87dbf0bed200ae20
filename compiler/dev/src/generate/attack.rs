//! `schema/attack/*.json`: ATT&CK by version, and what changed between them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Generated, read_json};

/// The order of the matrix, which no source states as data.
const ORDER: [&str; 15] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// Names of ids that were revoked before v18.1, so that no source here has them.
const OLDER: [(&str, &str); 2] = [
    ("T1547.011", "Plist Modification"),
    ("T1574.002", "DLL Side-Loading"),
];

#[derive(Deserialize)]
struct Nineteen {
    tactics: BTreeMap<String, Tactic>,
    techniques: BTreeMap<String, Technique>,
}

#[derive(Deserialize)]
struct Tactic {
    id: String,
    name: String,
    shortname: String,
}

#[derive(Deserialize)]
struct Technique {
    name: String,
    tactics: Vec<String>,
}

/// Makes the files from the two versions and the list of revocations.
pub(super) fn generate(facts: &Path) -> Result<Vec<Generated>, String> {
    let old: BTreeMap<String, Technique> = read_json(&facts.join("attack/attack-v18.1.json"))?;
    let new: Nineteen = read_json(&facts.join("attack/attack-v19.json"))?;
    let revoked: BTreeMap<String, String> = read_json(&facts.join("attack/v19_revoked_by.json"))?;

    let mut tactics = Vec::new();
    for shortname in ORDER {
        let tactic = new
            .tactics
            .get(shortname)
            .ok_or_else(|| format!("v19 has no tactic {shortname}"))?;
        tactics.push((
            tactic.id.as_str(),
            tactic.shortname.as_str(),
            tactic.name.as_str(),
        ));
    }
    // v19 renamed one tactic in place and added one; v18.1's list is stated through that.
    let before = tactics
        .iter()
        .filter(|tactic| tactic.0 != "TA0112")
        .map(|tactic| match tactic.0 {
            "TA0005" => ("TA0005", "defense-evasion", "Defense Evasion"),
            _ => *tactic,
        })
        .collect::<Vec<_>>();

    let text_18 = version(
        "18.1",
        "MITRE ATT&CK v18.1, enterprise: ids, names and tactics of live techniques. \
         (c) The MITRE Corporation, reproduced under the ATT&CK terms of use.",
        &before,
        &old,
    )?;
    let text_19 = version(
        "19",
        "MITRE ATT&CK v19 (April 2026), enterprise: ids, names and tactics of live techniques. \
         (c) The MITRE Corporation, reproduced under the ATT&CK terms of use.",
        &tactics,
        &new.techniques,
    )?;
    Ok(vec![
        Generated {
            path: "schema/attack/18.1.json",
            text: text_18,
        },
        Generated {
            path: "schema/attack/19.json",
            text: text_19,
        },
        Generated {
            path: "schema/attack/revoked.json",
            text: revocations(&revoked, &old, &new.techniques)?,
        },
    ])
}

/// One technique a line: `"T1055.002": ["Portable Executable Injection", "stealth", …]`.
fn version(
    version: &str,
    source: &str,
    tactics: &[(&str, &str, &str)],
    techniques: &BTreeMap<String, Technique>,
) -> Result<String, String> {
    let mut text = head(source);
    let _ = writeln!(text, "  \"version\": {},\n  \"tactics\": {{", json!(version));
    lines(
        &mut text,
        tactics
            .iter()
            .map(|(id, shortname, name)| (*id, json!([name, shortname]))),
    );
    text.push_str("  },\n  \"techniques\": {\n");
    let mut rows = Vec::new();
    for (id, technique) in techniques {
        if let Some(unknown) = technique
            .tactics
            .iter()
            .find(|name| !tactics.iter().any(|known| known.1 == *name))
        {
            return Err(format!(
                "{id} of v{version} is under the unknown tactic {unknown}"
            ));
        }
        let mut row = vec![technique.name.as_str()];
        // The sources order tactics differently; the matrix' order is the one that says something.
        row.extend(
            tactics
                .iter()
                .map(|known| known.1)
                .filter(|name| technique.tactics.iter().any(|own| own == name)),
        );
        rows.push((id.as_str(), json!(row)));
    }
    lines(&mut text, rows.into_iter());
    text.push_str("  }\n}\n");
    Ok(text)
}

fn revocations(
    revoked: &BTreeMap<String, String>,
    old: &BTreeMap<String, Technique>,
    new: &BTreeMap<String, Technique>,
) -> Result<String, String> {
    let mut text = head(
        "Revoked ids with their last name and what replaces them: revoked-by relationships of ATT&CK v19.2 \
         as two independent public repositories restate them. 'before' names, for each replacement, the id \
         that stands for it in versions that do not have it yet: the one of the same name, else the first.",
    );
    text.push_str("  \"revoked\": {\n");
    let mut rows = Vec::new();
    for (id, by) in revoked.iter().filter(|(id, _)| id.starts_with('T')) {
        let older = || OLDER.iter().find(|(known, _)| known == id).map(|(_, name)| *name);
        let name = old
            .get(id)
            .map(|technique| technique.name.as_str())
            .or_else(older);
        rows.push((
            id.as_str(),
            json!([name.ok_or_else(|| format!("{id} has no name"))?, by]),
        ));
    }
    lines(&mut text, rows.into_iter());
    text.push_str("  },\n  \"before\": {\n");
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, by) in revoked
        .iter()
        .filter(|(id, by)| old.contains_key(*id) && !old.contains_key(*by))
    {
        let same = |id: &String| {
            old.get(id)
                .zip(new.get(by))
                .is_some_and(|(old, new)| old.name == new.name)
        };
        if same(id) || !before.contains_key(by.as_str()) {
            before.insert(by, id);
        }
    }
    let rows: Vec<String> = before
        .iter()
        .map(|(by, id)| format!("    {}: {}", json!(by), json!(id)))
        .collect();
    let _ = writeln!(text, "{}\n  }}\n}}", rows.join(",\n"));
    Ok(text)
}

fn head(source: &str) -> String {
    let source = format!("{source} Generated by `cargo dev generate attack`; not for editing.");
    format!("{{\n  \"source\": {},\n", json!(source))
}

/// Writes the entries of an object, one a line.
fn lines<'a>(text: &mut String, rows: impl Iterator<Item = (&'a str, Value)>) {
    let rows: Vec<String> = rows
        .map(|(id, row)| {
            let cells: Vec<String> = row
                .as_array()
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect();
            format!("    {}: [{}]", json!(id), cells.join(", "))
        })
        .collect();
    let _ = writeln!(text, "{}", rows.join(",\n"));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rulec_facts::Pack;
    use rulec_facts::attack::Attack;
    use serde::Deserialize;

    use crate::generate::{read_json, root};

    #[derive(Deserialize)]
    struct Split {
        split_of_v18_1_defense_evasion: BTreeMap<String, Vec<String>>,
    }

    #[test]
    fn defense_evasion_splits_as_stated() {
        let path = root().join("../shared/facts/attack/v18.1_to_v19_split.json");
        if !path.is_file() {
            println!("skipped: there are no facts at ../shared/facts");
            return;
        }
        let split: Split = read_json(&path).unwrap();
        let attack = Attack::load(&Pack::embedded(), "19").unwrap();
        for (tactic, techniques) in split.split_of_v18_1_defense_evasion {
            for id in techniques {
                let placed = attack.place(&id, "TA0005").unwrap();
                let tactics: Vec<_> = placed
                    .tactics
                    .iter()
                    .map(|tactic| tactic.shortname.as_str())
                    .collect();
                if tactic == "revoked" {
                    assert_ne!(placed.technique.id, id);
                } else {
                    assert_eq!(tactics, [tactic.trim_start_matches("neither:")], "{id}");
                }
            }
        }
    }
}
