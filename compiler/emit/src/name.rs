//! File names from rule ids.
//!
//! In: ids as documents have them, with any character. Out: names that stay in
//! their folder on every system, and that tell apart what the ids tell apart.
//! Deliberately absent: Unicode normalisation; two ids that differ only in it
//! are two names here and may be one on a system that normalises.

use std::collections::BTreeMap;

use rulec_source::Diagnostic;
use sha2::{Digest, Sha256};

use crate::codes::{ARTIFACT_COLLISION, ARTIFACT_NAME};

/// Longest name in bytes; leaves room for suffixes under the usual limit of 255.
const LONGEST: usize = 120;

/// Names that Windows keeps for devices, with any extension.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// A name for a rule's artifacts, without extension: its id, where that is fit.
pub fn file_name(id: &str) -> String {
    stem(id, None)
}

/// As [`file_name`], with what tells a query from the rule's others
/// ([`crate::Input::slug`]) behind a dot.
///
/// An id that is a fit name stays as it is. In any other, what is not fit
/// becomes `_`, and eight digits of the id's hash are added, so that `a/b` and
/// `a:b` stay apart.
pub(crate) fn stem(id: &str, slug: Option<&str>) -> String {
    let name = match slug {
        Some(slug) => format!("{id}.{slug}"),
        None => id.to_owned(),
    };
    let fit: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '`' | '$' => '_',
            c if c.is_control() => '_',
            // Invisible characters and those that turn the direction of text.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '_',
            c => c,
        })
        .collect();
    // Windows drops dots and blanks at the end; dots in front hide a file or climb.
    let mut fit = fit.trim_matches([' ', '.']).to_owned();
    if fit.starts_with('-') {
        // A name that a command would take for an option.
        fit.insert(0, '_');
    }
    let base = fit
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_lowercase();
    let numbered = |prefix: &str| {
        base.strip_prefix(prefix).is_some_and(|rest| {
            rest.chars().count() == 1 && rest.chars().all(|c| c.is_ascii_digit() || "¹²³".contains(c))
        })
    };
    if DEVICES.contains(&base.as_str()) || numbered("com") || numbered("lpt") {
        fit.insert(0, '_');
    }
    if fit.len() > LONGEST {
        let mut end = LONGEST;
        while !fit.is_char_boundary(end) {
            end -= 1;
        }
        fit.truncate(end);
    }
    if fit == name && !fit.is_empty() {
        return fit;
    }
    let hash = Sha256::digest(name.as_bytes());
    let digits = hash
        .iter()
        .take(4)
        .fold(0u32, |digits, byte| digits << 8 | u32::from(*byte));
    format!("{fit}~{digits:08x}")
}

/// Says so when an id is not a fit name.
pub(crate) fn renamed(id: &str) -> Option<Diagnostic> {
    let name = stem(id, None);
    (name != id).then(|| {
        Diagnostic::new(
            ARTIFACT_NAME,
            format!(
                "the id `{}` cannot be a file name everywhere; its artifacts are named `{name}`",
                id.escape_debug()
            ),
        )
        .help("use letters, digits, `.`, `_` and `-`")
    })
}

/// Paths that some file systems hold to be one, among all artifacts of a build:
/// for each, the rule whose artifact came later and the finding. `artifacts`
/// are pairs of rule id and path, in order.
pub fn collisions<'a>(artifacts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, Diagnostic)> {
    let mut seen: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    let mut found = Vec::new();
    for (rule, path) in artifacts {
        match seen.get(&path.to_lowercase()) {
            Some((other, taken)) => {
                let message = if rule == *other {
                    format!("rule `{rule}` gives `{path}` twice")
                } else if path == *taken {
                    format!("rules `{other}` and `{rule}` both give `{path}`")
                } else {
                    format!("`{path}` of rule `{rule}` and `{taken}` of rule `{other}` differ only in case")
                };
                found.push((
                    rule,
                    Diagnostic::new(ARTIFACT_COLLISION, message)
                        .help("give one of them another id, or another title where it names the file"),
                ));
            }
            None => {
                seen.insert(path.to_lowercase(), (rule, path));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fit_ids_stay() {
        for id in ["RL-0001", "0xFF-0086", "a b.c_d", "é"] {
            assert_eq!(stem(id, None), id);
            assert!(renamed(id).is_none());
        }
        assert_eq!(stem("RL-0001", Some("2")), "RL-0001.2");
    }

    #[test]
    fn unfit_ids_are_changed_and_told_apart() {
        for id in [
            "", ".", "..", "../x", "a/b", "CON", "con.x", "Lpt1", "com¹", "nul ", "-rf", "a\0", "x.", "C:\\x",
        ] {
            let name = stem(id, None);
            assert_ne!(name, id);
            assert!(name.contains('~'), "{name}");
            assert!(renamed(id).is_some());
        }
        assert_ne!(stem("a/b", None), stem("a:b", None));
        assert_eq!(stem(&"x".repeat(500), None).len(), LONGEST + 9);
    }

    #[test]
    fn collisions_are_found_whatever_the_case() {
        let found = collisions([
            ("A", "s/A.yaml"),
            ("a", "s/a.yaml"),
            ("B", "s/B.yaml"),
            ("C", "s/B.yaml"),
        ]);
        let messages: Vec<_> = found.iter().map(|(_, d)| d.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`s/a.yaml` of rule `a` and `s/A.yaml` of rule `A` differ only in case",
                "rules `B` and `C` both give `s/B.yaml`"
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn names_never_leave_the_folder(id in any::<String>(), slug in proptest::option::of("[a-z/.]{0,4}")) {
            let name = stem(&id, slug.as_deref());
            prop_assert!(!name.is_empty() && name.len() < 200);
            prop_assert!(!name.contains(['/', '\\', ':', '\0']));
            prop_assert!(!name.starts_with('.') && !name.ends_with(['.', ' ']));
        }
    }
}
