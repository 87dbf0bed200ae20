//! How many rules look for the same thing.

use std::collections::{BTreeMap, BTreeSet};

use rulec_functions::fold::fold;

use crate::{
    explanation::{Explanation, Indicator},
    kind::Kind,
};

/// What the rules of a repository look for.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    exact: Index,
    folded: Index,
}

/// Field, kind and value, and the ids of the rules that look for them.
type Index = BTreeMap<(String, Kind, String), BTreeSet<String>>;

impl Corpus {
    /// Adds what the rule of this id looks for.
    pub fn add(&mut self, rule: &str, indicators: &[Indicator]) {
        // A name that two queries give to lists of their own says nothing.
        for indicator in indicators.iter().filter(|i| !i.computed) {
            for value in &indicator.values {
                for (index, value) in [
                    (&mut self.exact, value.value.clone()),
                    (&mut self.folded, fold(&value.value).into_owned()),
                ] {
                    index
                        .entry((indicator.field.clone(), indicator.kind, value))
                        .or_default()
                        .insert(rule.to_owned());
                }
            }
        }
    }

    /// Fills in how many other rules look for each value of an explanation.
    pub fn count(&self, explanation: &mut Explanation) {
        let rule = explanation.rule.clone();
        for indicator in explanation.indicators.iter_mut().filter(|i| !i.computed) {
            let counts: Vec<usize> = indicator
                .values
                .iter()
                .map(|value| self.others(&rule, indicator, &value.value))
                .collect();
            for (value, count) in indicator.values.iter_mut().zip(counts) {
                value.corpus = Some(count);
            }
        }
    }

    /// Rules but `rule` that look for a value as the indicator does: without
    /// case where its operator folds case, whatever theirs do.
    fn others(&self, rule: &str, indicator: &Indicator, value: &str) -> usize {
        let (index, value) = if indicator.ignore_case {
            (&self.folded, fold(value).into_owned())
        } else {
            (&self.exact, value.to_owned())
        };
        index
            .get(&(indicator.field.clone(), indicator.kind, value))
            .map_or(0, |rules| rules.iter().filter(|r| *r != rule).count())
    }
}
