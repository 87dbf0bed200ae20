//! A rule against the JSON Schema of rules.
//!
//! In: the rule and the places of its values. Out: what violates the schema,
//! underlined in the document. Most of the schema is held by the types of the
//! rule; it is only asked when something it says beyond them is not so, since
//! preparing it costs as much as reading a dozen documents.

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

/// Whether all holds that the schema says beyond the types of a rule.
fn holds(rule: &Rule) -> bool {
    // Counted as the schema counts, in characters.
    let id = rule.id.len() <= 200 || rule.id.chars().count() <= 200;
    let named = |c: char| !matches!(c, '/' | '\\' | '\0'..='\x1f');
    id && !rule.id.is_empty()
        && rule.id.chars().all(named)
        && !rule.title.is_empty()
        && !rule.queries.is_empty()
        && rule.queries.iter().all(|query| !query.text.is_empty())
}

/// What of `rule` violates the schema of rules.
pub(crate) fn violations(rule: &Rule, places: &BTreeMap<String, Span>) -> Vec<Diagnostic> {
    if holds(rule) {
        return Vec::new();
    }
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
    use serde_json::Value;

    use super::*;

    fn rule() -> Rule {
        serde_json::from_value(serde_json::json!({
            "id": "a", "title": "T", "kind": "detection", "queries": [{ "text": "print 1" }],
        }))
        .unwrap()
    }

    /// What a schema says beyond the kinds of values: places and keywords.
    fn assertions(schema: &Value, place: &str, found: &mut Vec<String>) {
        let held_by_types = |key: &str| {
            let of_shape = [
                "$schema",
                "$id",
                "$ref",
                "$defs",
                "title",
                "description",
                "default",
            ];
            let of_kind = ["type", "properties", "required", "items", "additionalProperties"];
            of_shape.contains(&key) || of_kind.contains(&key)
        };
        for (key, value) in schema.as_object().into_iter().flatten() {
            let place = format!("{place}/{key}");
            match (key.as_str(), value) {
                ("properties" | "$defs", Value::Object(named)) => {
                    for (name, schema) in named {
                        assertions(schema, &format!("{place}/{name}"), found);
                    }
                }
                // Alternatives are enums and Options; a byte is a byte.
                ("oneOf" | "anyOf", Value::Array(all)) => {
                    for schema in all {
                        assertions(schema, &place, found);
                    }
                }
                ("enum" | "const", _) => {}
                ("format" | "minimum" | "maximum", _) if schema["format"].is_string() => {}
                (key, schema) => {
                    if !held_by_types(key) {
                        found.push(place.clone());
                    }
                    assertions(schema, &place, found);
                }
            }
        }
    }

    #[test]
    fn the_schema_says_no_more_than_what_is_looked_at() {
        let mut found = Vec::new();
        assertions(&rulec_model::rule_schema(), "", &mut found);
        found.sort();
        assert_eq!(
            found,
            [
                // A duration is only ever printed in this form.
                "/$defs/Duration/pattern",
                "/$defs/RuleQuery/properties/text/minLength",
                "/properties/id/maxLength",
                "/properties/id/minLength",
                "/properties/id/pattern",
                "/properties/queries/minItems",
                "/properties/title/minLength",
            ],
            "`holds` has to look at what the schema says beyond types"
        );
    }

    #[test]
    fn what_is_looked_at_is_what_the_schema_says() {
        let long = "ä".repeat(200);
        for id in [
            "a",
            "",
            "a/b",
            "a\\b",
            "a\nb",
            "a\u{7f}",
            &long,
            &format!("{long}a"),
        ] {
            for title in ["T", ""] {
                for queries in [&[] as &[&str], &["print 1"], &["print 1", ""]] {
                    let mut rule = rule();
                    let query = rule.queries.remove(0);
                    rule.id = id.to_owned();
                    rule.title = title.to_owned();
                    rule.queries.extend(queries.iter().map(|text| {
                        let text = (*text).to_owned();
                        rulec_model::RuleQuery {
                            text,
                            ..query.clone()
                        }
                    }));
                    let value = serde_json::to_value(&rule).unwrap();
                    assert_eq!(holds(&rule), validator().unwrap().is_valid(&value), "{value}");
                }
            }
        }
    }

    #[test]
    fn a_violation_is_underlined_where_it_stands() {
        let mut rule = rule();
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
