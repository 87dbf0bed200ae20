//! Which rules look for the same thing.
//!
//! In: the indicators of all explanations. Out: an index by field and value,
//! how many rules share each, and for a rule the others that share most with
//! it. Values are compared without case, as most of KQL's operators do.
//! Deliberately absent: what a rule rules out (`ne`, `not_in`) and thresholds.

use std::collections::{BTreeMap, BTreeSet};

use rulec_explain::{Kind, explanation::Indicator};
use serde::Serialize;

use crate::overview::{Link, Overview};

/// Kinds of comparison that look for a value.
const LOOKS_FOR: [Kind; 13] = [
    Kind::Eq,
    Kind::In,
    Kind::Has,
    Kind::HasAny,
    Kind::HasAll,
    Kind::HasPrefix,
    Kind::HasSuffix,
    Kind::Contains,
    Kind::StartsWith,
    Kind::EndsWith,
    Kind::RegexMatch,
    Kind::Like,
    Kind::InRange,
];

/// Related rules that a page shows.
const MOST: usize = 8;
/// Rules that one value is related through at most: what half a repository
/// looks for relates nothing.
const COMMON: usize = 40;
/// Rules that the index names for a value; the search has all.
const NAMED: usize = 12;

/// All indicators of a catalog.
pub(crate) struct Indicators<'a> {
    /// By field and folded value.
    values: BTreeMap<(&'a str, String), Shared<'a>>,
    /// Keys by rule.
    of: Vec<BTreeSet<(&'a str, String)>>,
}

struct Shared<'a> {
    /// As the first rule spells it.
    value: &'a str,
    kinds: BTreeSet<&'a str>,
    rules: BTreeSet<usize>,
}

/// A field of the index.
#[derive(Debug, Serialize)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) anchor: String,
    pub(crate) values: Vec<Value<'a>>,
}

/// A value of the index.
#[derive(Debug, Serialize)]
pub(crate) struct Value<'a> {
    pub(crate) text: &'a str,
    pub(crate) kinds: Vec<&'a str>,
    pub(crate) count: usize,
    pub(crate) rules: Vec<Link<'a>>,
    /// Rules that are not named.
    pub(crate) more: usize,
}

/// A rule that looks for some of the same.
#[derive(Debug, Serialize)]
pub(crate) struct Related<'a> {
    pub(crate) rule: Link<'a>,
    pub(crate) count: usize,
    /// Some of what both look for, the rarest first: field and value.
    pub(crate) shared: Vec<(&'a str, &'a str)>,
}

/// Whether an indicator is something that a rule looks for.
fn looked_for(indicator: &Indicator) -> bool {
    LOOKS_FOR.contains(&indicator.kind) && !indicator.columns
}

impl<'a> Indicators<'a> {
    pub(crate) fn new(overviews: &'a [Overview<'a>]) -> Self {
        let mut values: BTreeMap<(&str, String), Shared<'_>> = BTreeMap::new();
        let mut of = Vec::new();
        for (rule, overview) in overviews.iter().enumerate() {
            let mut own = BTreeSet::new();
            for query in &overview.document.queries {
                for indicator in query.explanation.indicators.iter().filter(|i| looked_for(i)) {
                    for value in &indicator.values {
                        let text = value.value.trim();
                        if text.is_empty() {
                            continue;
                        }
                        let key = (indicator.field.as_str(), text.to_lowercase());
                        let shared = values.entry(key.clone()).or_insert_with(|| Shared {
                            value: text,
                            kinds: BTreeSet::new(),
                            rules: BTreeSet::new(),
                        });
                        shared.kinds.insert(indicator.kind.as_str());
                        shared.rules.insert(rule);
                        own.insert(key);
                    }
                }
            }
            of.push(own);
        }
        Self { values, of }
    }

    /// The values of a rule, for searching.
    pub(crate) fn texts(&self, rule: usize) -> impl Iterator<Item = &str> {
        self.of
            .get(rule)
            .into_iter()
            .flatten()
            .filter_map(|key| self.values.get(key))
            .map(|shared| shared.value)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The whole index, fields by name and values by text.
    pub(crate) fn index(&'a self, overviews: &'a [Overview<'a>]) -> Vec<Field<'a>> {
        let mut fields: Vec<Field<'_>> = Vec::new();
        for ((field, _), shared) in &self.values {
            let value = Value {
                text: shared.value,
                kinds: shared.kinds.iter().copied().collect(),
                count: shared.rules.len(),
                rules: shared
                    .rules
                    .iter()
                    .take(NAMED)
                    .map(|at| overviews[*at].link())
                    .collect(),
                more: shared.rules.len().saturating_sub(NAMED),
            };
            match fields.last_mut() {
                Some(last) if last.name == *field => last.values.push(value),
                _ => {
                    let anchor = format!("field-{}", fields.len() + 1);
                    fields.push(Field {
                        name: field,
                        anchor,
                        values: vec![value],
                    });
                }
            }
        }
        fields
    }

    /// The rules that share most with one, the closest first. A value counts
    /// the more the fewer rules look for it.
    pub(crate) fn related(&'a self, rule: usize, overviews: &'a [Overview<'a>]) -> Vec<Related<'a>> {
        type Keys<'k> = Vec<(usize, &'k str, &'k str)>;
        let mut close: BTreeMap<usize, (u64, Keys<'_>)> = BTreeMap::new();
        for key in self.of.get(rule).into_iter().flatten() {
            let Some(shared) = self.values.get(key) else {
                continue;
            };
            let rules = shared.rules.len();
            if rules > COMMON {
                continue;
            }
            for other in shared.rules.iter().filter(|other| **other != rule) {
                let (weight, keys) = close.entry(*other).or_default();
                *weight += 1_000_000 / rules as u64;
                keys.push((rules, key.0, shared.value));
            }
        }
        let mut close: Vec<_> = close.into_iter().collect();
        close.sort_by(|a, b| (b.1.0, a.0).cmp(&(a.1.0, b.0)));
        close
            .into_iter()
            .take(MOST)
            .map(|(other, (_, mut keys))| {
                keys.sort_unstable();
                Related {
                    rule: overviews[other].link(),
                    count: keys.len(),
                    shared: keys
                        .into_iter()
                        .take(4)
                        .map(|(_, field, value)| (field, value))
                        .collect(),
                }
            })
            .collect()
    }
}
