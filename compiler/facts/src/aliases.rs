//! How rule documents say things: headings, metadata keys, table columns.
//!
//! In: every `schema/read/*.yaml`; a later file adds to what earlier ones say,
//! and wins where both give one spelling a meaning. Out: the canonical name
//! of what a document wrote. Canonical names are those of the files, for
//! example the section `false_positives` and the column `attack_component`.
//!
//! Deliberately absent: reading documents. What a heading means is a fact;
//! what to do about it is `read`'s business.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::tables::Environment;
use crate::yaml::Ordered;
use crate::{FactsError, Pack, yaml};

/// Comments in a query between which an environment may put text of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// `environment_filter`, `deduplication`.
    pub name: String,
    /// What the opening comment says, folded (see [`fold`]).
    pub begin: Vec<String>,
    /// What the closing comment says, folded.
    pub end: Vec<String>,
}

/// What a table in a document holds.
#[derive(Clone, Debug, Default)]
struct TableKind {
    /// One of these sets of columns has to be there.
    needs: Vec<Vec<String>>,
    /// Folded header -> canonical column.
    columns: BTreeMap<String, String>,
}

/// All aliases, ready for look-up.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    /// Folded heading -> section.
    sections: BTreeMap<String, String>,
    /// Section -> the heading to write.
    headings: BTreeMap<String, String>,
    hunts: Vec<String>,
    queries: BTreeMap<String, Option<Environment>>,
    platforms: BTreeMap<String, Environment>,
    metadata: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
    tables: Vec<(String, TableKind)>,
    fences: Vec<String>,
    replaced_by: Vec<String>,
    slots: Vec<Slot>,
}

type Lists = Ordered<Vec<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "source")]
    _source: String,
    #[serde(default)]
    sections: Lists,
    #[serde(default)]
    hunts: Vec<String>,
    #[serde(default)]
    queries: ByEnvironment,
    #[serde(default)]
    platforms: ByEnvironment,
    #[serde(default)]
    metadata: Lists,
    #[serde(default)]
    tables: Ordered<TableEntry>,
    #[serde(default)]
    query_fences: Vec<String>,
    #[serde(default)]
    replaced_by: Vec<String>,
    #[serde(default)]
    slots: Ordered<SlotEntry>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByEnvironment {
    #[serde(default)]
    m365: Vec<String>,
    #[serde(default)]
    sentinel: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEntry {
    #[serde(default)]
    needs: Vec<Vec<String>>,
    columns: Lists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotEntry {
    begin: Vec<String>,
    end: Vec<String>,
}

/// The form in which spellings are compared: lower case, without emphasis
/// marks, with single blanks, and without punctuation at the ends.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let is_mark = |c: char| matches!(c, '*' | '_' | '`');
    if text.is_ascii() {
        // As below; most texts are, and so it is quicker.
        let mut before = true;
        for c in text.bytes().map(char::from) {
            let blank = c.is_whitespace();
            if before && !blank && !folded.is_empty() {
                folded.push(' ');
            }
            before = blank;
            if !blank && !is_mark(c) {
                folded.push(c.to_ascii_lowercase());
            }
        }
    } else {
        for word in text.split_whitespace() {
            if !folded.is_empty() {
                folded.push(' ');
            }
            let letters = word.chars().filter(|c| !is_mark(*c));
            folded.extend(letters.flat_map(char::to_lowercase));
        }
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, ':' | '.' | ',' | ';' | '#' | '-' | '–');
    // A language called C# keeps its sign.
    folded
        .trim_start_matches(ends)
        .trim_end_matches(|c| c != '#' && ends(c))
        .to_owned()
}

impl Aliases {
    /// Reads all files.
    pub fn load(pack: &Pack) -> Result<Aliases, FactsError> {
        let mut aliases = Aliases::default();
        for path in pack.yaml_in("schema/read/") {
            aliases.add(yaml::file(pack, path)?);
        }
        Ok(aliases)
    }

    fn add(&mut self, file: File) {
        add_lists(&mut self.sections, &mut self.headings, file.sections);
        add_lists(&mut self.metadata, &mut self.keys, file.metadata);
        self.hunts.extend(file.hunts.iter().map(|heading| fold(heading)));
        let ByEnvironment { m365, sentinel, any } = file.queries;
        for (headings, environment) in [
            (m365, Some(Environment::M365)),
            (sentinel, Some(Environment::Sentinel)),
            (any, None),
        ] {
            self.queries
                .extend(headings.iter().map(|heading| (fold(heading), environment)));
        }
        let ByEnvironment {
            m365,
            sentinel,
            any: _,
        } = file.platforms;
        for (names, environment) in [(m365, Environment::M365), (sentinel, Environment::Sentinel)] {
            self.platforms
                .extend(names.iter().map(|name| (fold(name), environment)));
        }
        for (name, entry) in file.tables.0 {
            let place = self
                .tables
                .iter()
                .position(|(known, _)| *known == name)
                .unwrap_or_else(|| {
                    self.tables.push((name, TableKind::default()));
                    self.tables.len() - 1
                });
            let kind = &mut self.tables[place].1;
            kind.needs.extend(entry.needs);
            add_lists(&mut kind.columns, &mut BTreeMap::new(), entry.columns);
        }
        self.fences
            .extend(file.query_fences.iter().map(|fence| fold(fence)));
        self.replaced_by
            .extend(file.replaced_by.iter().map(|phrase| fold(phrase)));
        for (name, entry) in file.slots.0 {
            let place = self
                .slots
                .iter()
                .position(|slot| slot.name == name)
                .unwrap_or_else(|| {
                    self.slots.push(Slot {
                        name,
                        ..Slot::default()
                    });
                    self.slots.len() - 1
                });
            let slot = &mut self.slots[place];
            slot.begin.extend(entry.begin.iter().map(|text| fold(text)));
            slot.end.extend(entry.end.iter().map(|text| fold(text)));
        }
    }

    /// The section a heading opens: `false_positives`.
    pub fn section(&self, heading: &str) -> Option<&str> {
        self.sections.get(&fold(heading)).map(String::as_str)
    }

    /// The heading to write for a section: `False Positives`.
    pub fn heading(&self, section: &str) -> Option<&str> {
        self.headings.get(section).map(String::as_str)
    }

    /// Whether a heading makes the document a hunt.
    pub fn is_hunt(&self, heading: &str) -> bool {
        self.hunts.contains(&fold(heading))
    }

    /// Whether a query stands under a heading; and if so, the environment the
    /// heading means, [`Environment::M365`] or [`Environment::Sentinel`], or
    /// None where it means none in particular (`KQL`).
    pub fn query_heading(&self, heading: &str) -> Option<Option<Environment>> {
        self.queries.get(&fold(heading)).copied()
    }

    /// The environment a platform means (`M365 Security`); for a list such as
    /// `MDE/M365D` when all that are known in it mean the same one.
    pub fn platform(&self, platform: &str) -> Option<Environment> {
        if let Some(environment) = self.platforms.get(&fold(platform)) {
            return Some(*environment);
        }
        let mut found = platform
            .split(['/', ',', ';'])
            .filter_map(|part| self.platforms.get(&fold(part)));
        let first = found.next()?;
        found.all(|other| other == first).then_some(*first)
    }

    /// The metadata key a document means: `fp_rate` for `FP Rate`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(&fold(key)).map(String::as_str)
    }

    /// The spelling to write for a metadata key: `FP Rate`.
    pub fn key(&self, metadata: &str) -> Option<&str> {
        self.keys.get(metadata).map(String::as_str)
    }

    /// What a table with these headers holds: `attack_tags`, `data_sources`
    /// or `version_history`, with the canonical name of each column; None for
    /// a column that means nothing. None for a table of no known kind.
    pub fn table<'a>(&'a self, headers: &[&str]) -> Option<(&'a str, Vec<Option<&'a str>>)> {
        self.tables.iter().find_map(|(name, kind)| {
            let columns: Vec<Option<&str>> = headers
                .iter()
                .map(|header| kind.columns.get(&fold(header)).map(String::as_str))
                .collect();
            let there = |column: &String| columns.contains(&Some(column.as_str()));
            let known = kind.needs.iter().any(|needs| needs.iter().all(there));
            known.then_some((name.as_str(), columns))
        })
    }

    /// Whether a code block with this info string may hold a query.
    pub fn is_query_fence(&self, info: &str) -> bool {
        let word = info.split_whitespace().next().unwrap_or_default();
        self.fences.contains(&fold(word))
    }

    /// Whether a text says that another document stands in this one's place.
    pub fn says_replaced(&self, text: &str) -> bool {
        let text = fold(text);
        self.replaced_by
            .iter()
            .any(|phrase| text.contains(phrase.as_str()))
    }

    /// The slots a query may have, in the order of the files.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slot that a comment (without its slashes) opens.
    pub fn slot_begin(&self, comment: &str) -> Option<&Slot> {
        let comment = fold(comment);
        self.slots.iter().find(|slot| slot.begin.contains(&comment))
    }

    /// The slot that a comment (without its slashes) closes.
    pub fn slot_end(&self, comment: &str) -> Option<&Slot> {
        let comment = fold(comment);
        self.slots.iter().find(|slot| slot.end.contains(&comment))
    }
}

/// Adds `canonical: [spellings]`; the first spelling ever given is the one to write.
fn add_lists(
    meanings: &mut BTreeMap<String, String>,
    preferred: &mut BTreeMap<String, String>,
    lists: Lists,
) {
    for (canonical, spellings) in lists.0 {
        if let Some(first) = spellings.first() {
            preferred
                .entry(canonical.clone())
                .or_insert_with(|| first.clone());
        }
        meanings.extend(
            spellings
                .iter()
                .map(|spelling| (fold(spelling), canonical.clone())),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases() -> Aliases {
        Aliases::load(&Pack::embedded()).unwrap()
    }

    #[test]
    fn folding() {
        assert_eq!(fold("**FP  Rate:**"), "fp rate");
        assert_eq!(
            fold(" Begin environment-specific filter. "),
            "begin environment-specific filter"
        );
        assert_eq!(fold("C#"), "c#");
        assert_eq!(fold(""), "");
        // Texts with letters beyond ASCII go another way, and are no other.
        for text in ["A ** B", "\tx_Y\u{b}`z` ", "__", "a  *b*c ", "  "] {
            let beyond = fold(&format!("{text} ä"));
            assert_eq!(beyond.replace('ä', "q"), fold(&format!("{text} q")), "{text:?}");
        }
    }

    #[test]
    fn headings_of_several_styles() {
        let aliases = aliases();
        for (heading, section) in [
            ("Technical description of the attack", "attack_description"),
            ("Description of the attack", "attack_description"),
            ("Utilized Data Source", "data_sources"),
            ("MITRE ATT&CK Technique(s)", "attack_tags"),
            ("detection blind spots", "blind_spots"),
            ("Hunt details", "detection"),
            ("Contributor info", "metadata"),
        ] {
            assert_eq!(aliases.section(heading), Some(section), "{heading}");
        }
        assert_eq!(aliases.section("How Query Works"), None);
        assert_eq!(aliases.heading("false_positives"), Some("False Positives"));
        assert!(aliases.is_hunt("Hunt Tags") && !aliases.is_hunt("Metadata"));
    }

    #[test]
    fn queries_and_their_environments() {
        let aliases = aliases();
        assert_eq!(
            aliases.query_heading("Defender XDR"),
            Some(Some(Environment::M365))
        );
        assert_eq!(
            aliases.query_heading("Sentinel"),
            Some(Some(Environment::Sentinel))
        );
        assert_eq!(aliases.query_heading("KQL"), Some(None));
        assert_eq!(aliases.query_heading("Considerations"), None);
        assert_eq!(aliases.platform("M365 Security"), Some(Environment::M365));
        assert_eq!(aliases.platform("MDE/M365D"), Some(Environment::M365));
        assert_eq!(aliases.platform("MDE, Sentinel"), None);
        assert!(aliases.is_query_fence("C#") && aliases.is_query_fence("") && aliases.is_query_fence("KQL"));
        assert!(!aliases.is_query_fence("PowerShell"));
    }

    #[test]
    fn tables_are_known_by_their_headers() {
        let aliases = aliases();
        let (kind, columns) = aliases
            .table(&[
                "Log Provider",
                "Event ID",
                "Event Name",
                "ATT&CK Data Source",
                "ATT&CK Data Component",
            ])
            .unwrap();
        assert_eq!(kind, "data_sources");
        assert_eq!(columns[4], Some("attack_component"));
        let kind = |headers: &[&str]| aliases.table(headers).map(|(kind, _)| kind);
        assert_eq!(
            kind(&["Tactic", "Technique", "Subtechnique", "Technique Name"]),
            Some("attack_tags")
        );
        assert_eq!(kind(&["Technique ID", "Title    ", "Link"]), Some("attack_tags"));
        assert_eq!(
            kind(&["Technique, tactic, or state", "Covered? (v=yes)", "Notes"]),
            Some("attack_tags")
        );
        assert_eq!(
            kind(&["Version", "Date", "Impact", "Notes"]),
            Some("version_history")
        );
        assert_eq!(
            kind(&["Event ID", "Event Name", "Log Provider"]),
            Some("data_sources")
        );
        assert_eq!(kind(&["Fruit", "Price"]), None);
    }

    #[test]
    fn another_house_style_is_a_file() {
        let text = b"sections: {false_positives: [Fehlalarme]}\nmetadata: {id: [Kennung]}\n";
        let files = BTreeMap::from([("schema/read/mine.yaml".to_owned(), text.to_vec())]);
        let aliases = Aliases::load(&Pack::embedded().overlay(files)).unwrap();
        assert_eq!(aliases.section("Fehlalarme"), Some("false_positives"));
        assert_eq!(aliases.section("False Positives"), Some("false_positives"));
        assert_eq!(aliases.heading("false_positives"), Some("False Positives"));
        assert_eq!(aliases.metadata("Kennung"), Some("id"));
    }

    #[test]
    fn slots_and_stubs() {
        let aliases = aliases();
        let slot = aliases.slot_begin(" Begin environment-specific filter.").unwrap();
        assert_eq!(slot.name, "environment_filter");
        assert_eq!(
            aliases.slot_end("End de-duplication logic.").unwrap().name,
            "deduplication"
        );
        assert!(aliases.says_replaced("This detection has been replaced by [x.md](x.md)"));
        assert!(!aliases.says_replaced("The file was replaced."));
    }

    #[test]
    fn unknown_keys_are_errors() {
        let files = BTreeMap::from([("schema/read/mine.yaml".to_owned(), b"section: {}\n".to_vec())]);
        let message = Aliases::load(&Pack::embedded().overlay(files))
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("schema/read/mine.yaml:1: unknown field `section`"),
            "{message}"
        );
    }
}
