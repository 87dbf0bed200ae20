//! Many rules in one file: what bundles of all targets share.
//!
//! In: the artifacts of the rules that went to a target. Out: these as values,
//! each under the name by which the service knows it, and how many go into one
//! file. What the bundles look like is the targets' business.

use std::collections::BTreeMap;
use std::ops::Range;

use rulec_facts::Pack;
use rulec_facts::deployment::Deployment;
use rulec_source::{Code, Diagnostic, Severity};
use serde_json::Value;

use crate::Member;
use crate::findings::facts_error;

macro_rules! codes {
    ($($constant:ident = $id:literal $name:literal $summary:literal;)*) => {
        $(#[doc = $summary] pub(crate) const $constant: Code = Code {
            id: $id,
            name: $name,
            severity: Severity::Error,
            summary: $summary,
        };)*

        /// All findings about bundles, sorted by id.
        pub const BUNDLE_CODES: &[Code] = &[$($constant,)*];
    };
}

codes! {
    BUNDLE_TWICE = "RM001" "bundle-twice"
        "Two rules are one to the service, so only the first is in the bundle.";
    BUNDLE_SIZE = "RM002" "bundle-size"
        "A rule is larger than one deployment may be, so it is in no bundle.";
    BUNDLE_SHAPE = "RM003" "bundle-shape"
        "An artifact has another shape than its bundle is made of, so it is in no bundle.";
}

/// A rule in a bundle.
pub(crate) struct Item<'a> {
    /// The rule's id.
    pub(crate) rule: &'a str,
    /// What the service knows it by.
    pub(crate) name: String,
    /// What the bundle has of it.
    pub(crate) value: Value,
}

/// The limits of one deployment.
pub(crate) fn limits(pack: &Pack) -> Result<Deployment, Box<Diagnostic>> {
    Deployment::load(pack).map_err(|error| facts_error(&error))
}

/// The artifacts of a kind, read.
pub(crate) fn read<'a>(
    members: &[Member<'a>],
    kind: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(&'a str, &'a str, Value)> {
    let mut found = Vec::new();
    for member in members {
        for (_, path, bytes) in member.artifacts.iter().filter(|(of, ..)| *of == kind) {
            match serde_json::from_slice(bytes) {
                Ok(value) => found.push((member.rule, *path, value)),
                Err(error) => {
                    let message = format!("`{path}` of `{}` is not JSON: {error}", member.rule);
                    diagnostics.push(Diagnostic::new(BUNDLE_SHAPE, message));
                }
            }
        }
    }
    found
}

/// Leaves out what the service would take for a rule that is there already.
/// `what` is how the service calls a name.
pub(crate) fn once<'a>(items: Vec<Item<'a>>, what: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Item<'a>> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    items
        .into_iter()
        .filter(|item| {
            let Some(other) = seen.get(&item.name.to_lowercase()) else {
                seen.insert(item.name.to_lowercase(), item.rule);
                return true;
            };
            let message = format!(
                "`{other}` and `{}` both have the {what} {}; one would replace the other",
                item.rule, item.name
            );
            diagnostics.push(
                Diagnostic::new(BUNDLE_TWICE, message)
                    .help("give one of them another id, or remove `ids` from one front matter"),
            );
            false
        })
        .collect()
}

/// A value as it stands in a bundle, in bytes: indented, in a list.
fn size(value: &Value) -> usize {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    // Each line stands deeper than it does alone, and a comma follows.
    text.len() + 6 * (text.bytes().filter(|byte| *byte == b'\n').count() + 1) + 2
}

/// Which items go into each file: as many as its limits let in, in order. An
/// item that is too large for any is left out.
pub(crate) fn cut<'a>(
    items: Vec<Item<'a>>,
    most: usize,
    bytes: usize,
    each: usize,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Vec<Item<'a>>> {
    let mut sizes = Vec::with_capacity(items.len());
    let items: Vec<Item<'a>> = items
        .into_iter()
        .filter(|item| {
            let size = size(&item.value);
            let limit = each.min(bytes.saturating_sub(HEAD));
            if size > limit {
                let message = format!("`{}` has {size} bytes, and a deployment takes {limit}", item.rule);
                diagnostics.push(Diagnostic::new(BUNDLE_SIZE, message).help("shorten the query"));
                return false;
            }
            sizes.push(size);
            true
        })
        .collect();
    let mut items = items.into_iter();
    ranges(&sizes, most, bytes.saturating_sub(HEAD))
        .into_iter()
        .map(|range| items.by_ref().take(range.len()).collect())
        .collect()
}

/// What a file has around its items.
const HEAD: usize = 4_096;

fn ranges(sizes: &[usize], most: usize, bytes: usize) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut filled = 0;
    for (index, size) in sizes.iter().enumerate() {
        match found.last_mut() {
            Some(range) if range.len() < most && filled + size <= bytes => {
                range.end = index + 1;
                filled += size;
            }
            _ => {
                found.push(index..index + 1);
                filled = *size;
            }
        }
    }
    found
}

/// `rules`, `rules-2`: the name of a part, so that the first keeps its name
/// when there are more.
pub(crate) fn numbered(name: &str, index: usize) -> String {
    match index {
        0 => name.to_owned(),
        _ => format!("{name}-{}", index + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn items(sizes: &[usize]) -> Vec<Item<'static>> {
        sizes
            .iter()
            .enumerate()
            .map(|(i, size)| Item {
                rule: "R",
                name: i.to_string(),
                value: json!("x".repeat(*size)),
            })
            .collect()
    }

    #[test]
    fn parts_keep_their_limits() {
        let cut = |sizes: &[usize], most, bytes| {
            let mut said = Vec::new();
            let parts = cut(items(sizes), most, bytes + HEAD, 1_000, &mut said);
            (parts.iter().map(Vec::len).collect::<Vec<_>>(), said.len())
        };
        assert_eq!(cut(&[], 2, 100), (vec![], 0));
        assert_eq!(cut(&[1, 1, 1, 1, 1], 2, 1_000), (vec![2, 2, 1], 0));
        // Ten bytes around each.
        assert_eq!(cut(&[40, 40, 40], 9, 100), (vec![2, 1], 0));
        assert_eq!(cut(&[40, 900, 40], 9, 100), (vec![2], 1));
        assert_eq!(numbered("rules", 0), "rules");
        assert_eq!(numbered("rules", 2), "rules-3");
    }

    #[test]
    fn one_name_is_one_rule_whatever_its_case() {
        let item = |rule, name: &str| Item {
            rule,
            name: name.to_owned(),
            value: Value::Null,
        };
        let mut said = Vec::new();
        let kept = once(
            vec![item("A", "x"), item("B", "y"), item("C", "X")],
            "id",
            &mut said,
        );
        assert_eq!(kept.iter().map(|i| i.rule).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(said.len(), 1);
        assert!(said[0].message.starts_with("`A` and `C` both have the id X"));
    }

    #[test]
    fn codes_are_sorted() {
        assert!(BUNDLE_CODES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_item_is_in_one_part(sizes in prop::collection::vec(1usize..50, 0..40), most in 1usize..9, bytes in 50usize..200) {
            let found = ranges(&sizes, most, bytes);
            let mut next = 0;
            for range in found {
                prop_assert_eq!(range.start, next);
                prop_assert!(!range.is_empty() && range.len() <= most);
                prop_assert!(sizes[range.clone()].iter().sum::<usize>() <= bytes);
                next = range.end;
            }
            prop_assert_eq!(next, sizes.len());
        }

        /// What is counted is never less than what is written.
        #[test]
        fn sizes_are_not_too_small(texts in prop::collection::vec(any::<String>(), 1..6)) {
            let value = json!({ "a": texts, "b": { "c": [1, { "d": null }] } });
            let written = serde_json::to_string_pretty(&json!([value, value])).unwrap();
            let written = written.replace('\n', "\n    ");
            prop_assert!(written.len() <= 2 * size(&value) + 16);
        }
    }
}
