//! What headings, keys and columns mean, and what a misspelled one may have meant.
//!
//! In: [`Aliases`]. Out: canonical names, or the nearest known spelling. The
//! nearest is looked for among the spellings the compiler writes itself only,
//! so that a rare alias never draws an honest heading to itself.

use rulec_facts::aliases::Aliases;

/// Sections whose content becomes fields of the rule. Their headings are not
/// kept once all of their content has been read.
pub(crate) const STRUCTURAL: &[&str] = &[
    "metadata",
    "attack_tags",
    "data_sources",
    "references",
    "detection",
    "version_history",
];

/// Sections of prose.
pub(crate) const PROSE: &[&str] = &[
    "detection_description",
    "permission_required",
    "attack_description",
    "considerations",
    "false_positives",
    "response_actions",
    "blind_spots",
];

/// Metadata keys that have a field.
const KEYS: &[&str] = &[
    "id",
    "os",
    "fp_rate",
    "author",
    "tactic",
    "technique",
    "language",
    "platform",
    "query",
    "severity",
];

/// The columns of each kind of table, as the compiler writes them.
pub(crate) const COLUMNS: &[(&str, &[&str])] = &[
    (
        "attack_tags",
        &["Tactic", "Technique", "Subtechnique", "Technique Name"],
    ),
    (
        "data_sources",
        &[
            "Log Provider",
            "Table Name",
            "Event ID",
            "Event Name",
            "ATT&CK Data Source",
            "ATT&CK Data Component",
        ],
    ),
    ("version_history", &["Version", "Date", "Impact", "Notes"]),
];

/// A meaning, and the spelling that was meant when it was not the one written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) name: String,
    pub(crate) meant: Option<String>,
}

impl Meaning {
    fn exact(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            meant: None,
        }
    }
}

/// The section a heading opens.
pub(crate) fn section(aliases: &Aliases, heading: &str) -> Option<Meaning> {
    if let Some(name) = aliases.section(heading) {
        return Some(Meaning::exact(name));
    }
    let known = STRUCTURAL.iter().chain(PROSE);
    nearest(
        heading,
        known.filter_map(|name| Some((*name, aliases.heading(name)?))),
    )
}

/// The metadata key that is meant.
pub(crate) fn key(aliases: &Aliases, key: &str) -> Option<Meaning> {
    if let Some(name) = aliases.metadata(key) {
        return Some(Meaning::exact(name));
    }
    nearest(
        key,
        KEYS.iter().filter_map(|name| Some((*name, aliases.key(name)?))),
    )
}

/// The column header of one kind of table nearest to what was written.
pub(crate) fn column(kind: &str, header: &str) -> Option<&'static str> {
    let (_, columns) = COLUMNS.iter().find(|(name, _)| *name == kind)?;
    let found = nearest(header, columns.iter().map(|c| (*c, *c)))?;
    columns.iter().copied().find(|c| *c == found.name)
}

/// Spellings of fewer letters are too easily confused.
const SHORTEST: usize = 5;

/// The one of `known` (name and spelling) that `written` is a misspelling of:
/// at most two letters differ, and no other is as near.
fn nearest<'a>(written: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Meaning> {
    let length = written.chars().count();
    if !(SHORTEST..=60).contains(&length) {
        return None;
    }
    let known: Vec<(&str, &str)> = known
        .filter(|(_, spelling)| spelling.chars().count() >= SHORTEST && bag(written, spelling) <= 2)
        .collect();
    let spelling = rulec_facts::close_matches(written, known.iter().map(|(_, s)| *s), 1)
        .first()
        .copied()?;
    let (name, _) = known.iter().find(|(_, s)| *s == spelling)?;
    Some(Meaning {
        name: (*name).to_owned(),
        meant: Some(spelling.to_owned()),
    })
}

/// How many letters one text has that the other lacks, at the least: a lower
/// bound of the edits between them that costs one pass.
fn bag(a: &str, b: &str) -> usize {
    let mut counts = [0_i32; 128];
    let mut other = 0;
    for (text, step) in [(a, 1), (b, -1)] {
        for c in text.chars().flat_map(char::to_lowercase) {
            match counts.get_mut(c as usize) {
                Some(count) => *count += step,
                None => other += step,
            }
        }
    }
    let more: i32 = counts.iter().filter(|c| **c > 0).sum::<i32>() + other.max(0);
    let fewer: i32 = -counts.iter().filter(|c| **c < 0).sum::<i32>() - other.min(0);
    more.max(fewer).unsigned_abs() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulec_facts::Pack;

    #[test]
    fn misspellings_are_found_and_strangers_are_not() {
        let aliases = Aliases::load(&Pack::embedded()).unwrap();
        let meant = |heading: &str| section(&aliases, heading).map(|m| (m.name, m.meant.is_some()));
        let near = |name: &str| Some((name.to_owned(), true));
        assert_eq!(meant("Fasle Positives"), near("false_positives"));
        assert_eq!(meant("Detection Blind Sports"), near("blind_spots"));
        assert_eq!(
            meant("Considerations"),
            Some(("considerations".to_owned(), false))
        );
        assert_eq!(meant("Tool detections"), None);
        assert_eq!(meant("Disclaimer"), None);
        assert_eq!(column("attack_tags", "Techniqe"), Some("Technique"));
        assert_eq!(column("attack_tags", "Coverage"), None);
        assert_eq!(
            key(&aliases, "Plattform").map(|m| m.name).as_deref(),
            Some("platform")
        );
        assert_eq!(key(&aliases, "NOTE"), None);
    }
}
