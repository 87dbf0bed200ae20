//! A rule against the JSON Schema of rules.
//!
//! In: the rule and the places of its values. Out: what violates the schema,
//! underlined in the document.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use rulec_model::Rule;
use rulec_source::{Diagnostic, Span};

use crate::codes;

static VALIDATOR: OnceLock<Result<Validator, String>> = OnceLock::new();

fn validator() -> Result<&'static Validator, &'static str> {
    let compile = || jsonschema::validator_for(&rulec_model::rule_schema()).map_err(|e| e.to_string());
    VALIDATOR.get_or_init(compile).as_ref().map_err(String::as_str)
}

/// What of `rule` violates the schema of rules.
pub(crate) fn violations(rule: &Rule, places: &BTreeMap<String, Span>) -> Vec<Diagnostic> {
    let report = |message: String, pointer: &str| {
        Diagnostic::new(codes::SCHEMA, message).at(place(places, pointer).unwrap_or_default())
    };
    let value = match serde_json::to_value(rule) {
        Ok(value) => value,
        Err(error) => return vec![report(format!("the rule cannot be written as JSON: {error}"), "")],
    };
    match validator() {
        Ok(validator) => validator
            .iter_errors(&value)
            .map(|error| {
                let pointer = error.instance_path().to_string();
                let of = if pointer.is_empty() {
                    "the rule"
                } else {
                    pointer.as_str()
                };
                report(format!("{of}: {}", error.masked_with("the value")), &pointer)
            })
            .collect(),
        Err(error) => vec![report(format!("the schema of rules cannot be used: {error}"), "")],
    }
}

/// The place of a value, or of the nearest thing around it that has one.
pub(crate) fn place(places: &BTreeMap<String, Span>, pointer: &str) -> Option<Span> {
    let mut pointer = pointer;
    loop {
        if let Some(span) = places.get(pointer) {
            return Some(*span);
        }
        pointer = &pointer[..pointer.rfind('/')?];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_underlined_where_it_stands() {
        let mut rule: Rule = serde_json::from_value(serde_json::json!({
            "id": "a", "title": "T", "kind": "detection", "queries": [{ "text": "print 1" }],
        }))
        .unwrap();
        let places = BTreeMap::from([
            ("/title".to_owned(), Span::new(2, 3)),
            ("/queries/0".to_owned(), Span::new(10, 20)),
        ]);
        assert_eq!(violations(&rule, &places), []);
        rule.title.clear();
        rule.queries[0].text.clear();
        let found = violations(&rule, &places);
        let spans: Vec<_> = found.iter().filter_map(Diagnostic::span).collect();
        assert_eq!(spans.len(), 2, "{found:?}");
        assert!(
            spans.contains(&Span::new(2, 3)) && spans.contains(&Span::new(10, 20)),
            "{found:?}"
        );
        assert!(found[0].message.starts_with('/'), "{}", found[0].message);
    }
}
