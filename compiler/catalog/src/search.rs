//! The search index: a script that says which words are in which rules, and
//! what the facets are.
//!
//! In: the rules. Out: `assets/search.js`, which a page loads as a script,
//! since pages opened from a disk may not fetch anything. Words stand sorted,
//! each with what it shares with the one before left out; beside each word the
//! rules it is in, as distances in base 36. The script (`catalog.js`) looks
//! words up by any part of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;

use crate::{html, indicators::Indicators, overview::Overview};

/// Longest word; what is longer is found by its beginning.
const LONGEST: usize = 32;

/// A facet: a property by which rules are narrowed.
#[derive(Debug, Serialize)]
pub(crate) struct Facet {
    /// `tactic`, as the address of a search says it.
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    /// Values with the number of rules.
    pub(crate) values: Vec<(String, usize)>,
    /// For each rule the places of its values.
    #[serde(skip)]
    pub(crate) of: Vec<Vec<usize>>,
}

/// The facets of a catalog; those with nothing in them are left out.
pub(crate) fn facets(overviews: &[Overview<'_>]) -> Vec<Facet> {
    let one = |value: &str| -> Vec<String> {
        let value = if value.is_empty() { "not stated" } else { value };
        vec![value.to_owned()]
    };
    let many = |values: &[String]| -> Vec<String> {
        if values.is_empty() {
            vec!["not stated".to_owned()]
        } else {
            values.to_vec()
        }
    };
    let all = [
        facet("tactic", "Tactic", overviews, |o| many(&o.tactics)),
        facet("technique", "Technique", overviews, |o| {
            let shown: Vec<String> = o
                .techniques
                .iter()
                .map(|(id, name)| format!("{id} {name}"))
                .collect();
            many(&shown)
        }),
        facet("severity", "Severity", overviews, |o| one(o.severity)),
        facet("table", "Table", overviews, |o| many(&o.tables)),
        facet("platform", "Platform", overviews, |o| many(&o.platforms)),
        facet("status", "Status", overviews, |o| one(o.status)),
        facet("author", "Author", overviews, |o| {
            one(o.author.unwrap_or_default())
        }),
    ];
    all.into_iter()
        // What is the same of all rules narrows nothing.
        .filter(|facet| facet.values.len() > 1)
        .collect()
}

fn facet(
    key: &'static str,
    label: &'static str,
    overviews: &[Overview<'_>],
    values: impl Fn(&Overview<'_>) -> Vec<String>,
) -> Facet {
    let of: Vec<Vec<String>> = overviews.iter().map(values).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in of.iter().flatten() {
        *counts.entry(value).or_default() += 1;
    }
    let urgency = ["high", "medium", "low", "informational"];
    let mut values: Vec<(String, usize)> = counts.into_iter().map(|(v, n)| (v.to_owned(), n)).collect();
    if key == "severity" {
        values.sort_by_key(|(value, _)| urgency.iter().position(|u| u == value).unwrap_or(urgency.len()));
    }
    let places: BTreeMap<&str, usize> = values
        .iter()
        .enumerate()
        .map(|(at, (v, _))| (v.as_str(), at))
        .collect();
    let of = of
        .iter()
        .map(|values| {
            values
                .iter()
                .filter_map(|v| places.get(v.as_str()).copied())
                .collect()
        })
        .collect();
    Facet {
        key,
        label,
        values,
        of,
    }
}

/// The script.
pub(crate) fn script(overviews: &[Overview<'_>], indicators: &Indicators<'_>, facets: &[Facet]) -> String {
    let mut words: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, overview) in overviews.iter().enumerate() {
        let rule = overview.document.rule;
        let mut add = |text: &str| {
            for word in split(text) {
                words.entry(word).or_default().insert(at);
            }
        };
        add(&rule.title);
        add(&rule.id);
        add(overview.author.unwrap_or_default());
        for section in &rule.sections {
            add(&html::plain(&section.text));
        }
        overview
            .tactics
            .iter()
            .chain(&overview.tables)
            .for_each(|text| add(text));
        for (id, name) in &overview.techniques {
            add(id);
            add(name);
        }
        for event in overview
            .document
            .queries
            .iter()
            .flat_map(|q| &q.explanation.event_coverage)
        {
            add(&event.event);
        }
        for text in indicators.texts(at) {
            add(text);
        }
    }
    let mut terms = String::new();
    let mut places = String::new();
    let mut before = "";
    for (word, rules) in &words {
        let shared = word
            .char_indices()
            .zip(before.chars())
            .take_while(|((_, a), b)| a == b)
            .last()
            .map_or(0, |((at, c), _)| at + c.len_utf8());
        // As many characters as one digit in base 36 can say.
        let shared_characters = word[..shared].chars().count().min(35);
        let kept: String = word.chars().skip(shared_characters).collect();
        terms.push_str(&base36(shared_characters));
        terms.push_str(&kept);
        terms.push('\n');
        let mut last = 0;
        for (index, rule) in rules.iter().enumerate() {
            if index > 0 {
                places.push(' ');
            }
            places.push_str(&base36(rule - last));
            last = *rule;
        }
        places.push('\n');
        before = word;
    }
    let data = json!({
        "terms": terms.trim_end_matches('\n'),
        "rules": places.trim_end_matches('\n'),
        "facets": facets.iter().map(|f| json!({
            "key": f.key,
            "values": f.values.iter().map(|(value, _)| value).collect::<Vec<_>>(),
            "of": f.of,
        })).collect::<Vec<_>>(),
    });
    // The script may be put into a page one day, which must not end where a rule says so.
    let data = data.to_string().replace('<', "\\u003c");
    format!("window.catalogIndex = {data};\n")
}

/// The words of a text as they are searched: lower case; dots, hyphens and
/// underscores inside a word belong to it.
fn split(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')))
        .map(|word| word.trim_matches(['.', '-', '_']))
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().chars().take(LONGEST).collect())
}

fn base36(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]);
        number /= 36;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let words: Vec<String> = split("C:\\Temp\\a.exe -enc T1055.002, \"it's\" ...").collect();
        assert_eq!(words, ["c", "temp", "a.exe", "enc", "t1055.002", "it", "s"]);
        assert_eq!(
            (base36(0), base36(35), base36(36)),
            ("0".into(), "z".into(), "10".into())
        );
    }
}
