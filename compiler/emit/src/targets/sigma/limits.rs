//! What Sigma's specification and `SigmaHQ`'s conventions refuse in a finished
//! document.
//!
//! In: the files of a rule before they are rendered. Out: findings; each keeps
//! the rule from going to Sigma. Every number, name and pattern comes from
//! `schema/targets/sigma.yaml`. What is brought into form while it is read, as
//! titles and dates are, is [`super::build`]'s to tell.

use rulec_source::Code;
use serde_json::{Map, Value};

use super::Prepared;
use super::documents::File;
use crate::Input;
use crate::codes::{
    SIGMA_CORRELATION, SIGMA_FILE_NAME, SIGMA_LEVEL, SIGMA_MODIFIER, SIGMA_STATUS, SIGMA_TAG,
};
use crate::findings::{Findings, Problem, Spot, result_span};

/// Checks all files.
pub(super) fn check(prepared: &Prepared, input: &Input<'_>, files: &[File], findings: &mut Findings) {
    let mut check = Check {
        prepared,
        input,
        findings,
    };
    for file in files {
        check.file_name(&file.name);
        for document in file.documents.iter().filter_map(Value::as_object) {
            check.words(document);
            check.tags(document);
            if let Some(correlation) = document.get("correlation").and_then(Value::as_object) {
                check.correlation(correlation);
            }
            if let Some(detection) = document.get("detection").and_then(Value::as_object) {
                for (name, search) in detection {
                    if name != "condition" {
                        check.fields(search);
                    }
                }
            }
        }
    }
}

struct Check<'a, 'f> {
    prepared: &'a Prepared,
    input: &'a Input<'a>,
    findings: &'f mut Findings,
}

impl Check<'_, '_> {
    fn file_name(&mut self, name: &str) {
        let facts = &self.prepared.facts.sigmahq;
        let name = format!("{name}.yml");
        if !self.prepared.file_name.is_match(&name) || name.chars().count() > facts.file_max {
            let why = format!(
                "The file would be called {name}; SigmaHQ takes lower-case letters, digits and `_`, at most {} \
                 characters in all.",
                facts.file_max
            );
            let problem = Problem::new(SIGMA_FILE_NAME, format!("file {name}"), why);
            self.findings
                .refuse(problem.on_document(self.input, "/title").help(
                "give the rule a title in Latin letters; `file_max` in target.toml says how long names get",
            ));
        }
    }

    /// Values out of a list.
    fn words(&mut self, document: &Map<String, Value>) {
        let facts = &self.prepared.facts;
        let resolved = self.input.resolved;
        for (code, key, known, pointer, origin) in [
            (
                SIGMA_STATUS,
                "status",
                &facts.statuses,
                "/settings/status",
                &resolved.status.origin,
            ),
            (
                SIGMA_LEVEL,
                "level",
                &facts.levels,
                "/settings/severity",
                &resolved.severity.origin,
            ),
        ] {
            // What a correlation counts has neither.
            let Some(said) = document.get(key).and_then(Value::as_str) else {
                continue;
            };
            if !known.iter().any(|known| known == said) {
                let why = format!("Sigma has no {key} {said}.");
                let problem = Problem::new(code, format!("{key} {said}"), why);
                let problem = problem.on(self.input, Spot::Value(pointer), origin);
                self.findings
                    .refuse(problem.help(format!("it has {}", known.join(", "))));
            }
        }
    }

    fn tags(&mut self, document: &Map<String, Value>) {
        let tags = document.get("tags").and_then(Value::as_array);
        for tag in tags.into_iter().flatten().filter_map(Value::as_str) {
            if !self.prepared.tag.is_match(tag) {
                let why = format!("The tag `{tag}` is none that Sigma takes: a namespace, a dot and a name.");
                let problem = Problem::new(SIGMA_TAG, format!("tag {tag}"), why);
                self.findings.refuse(
                    problem
                        .on_document(self.input, "/attack")
                        .help("name a tactic or technique of ATT&CK"),
                );
            }
        }
    }

    /// The modifiers of the fields of a search: a map, or a list of them.
    fn fields(&mut self, search: &Value) {
        match search {
            Value::Array(all) => all.iter().for_each(|one| self.fields(one)),
            Value::Object(map) => {
                for key in map.keys() {
                    let known = &self.prepared.facts.modifiers;
                    let unknown = key
                        .split('|')
                        .skip(1)
                        .find(|modifier| !known.iter().any(|known| known == modifier));
                    if let Some(modifier) = unknown {
                        let why = format!("Sigma has no modifier `{modifier}`.");
                        self.query(SIGMA_MODIFIER, format!("`{key}`"), why);
                    }
                }
            }
            _ => {}
        }
    }

    fn correlation(&mut self, correlation: &Map<String, Value>) {
        let facts = &self.prepared.facts;
        let text = |key: &str| correlation.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = text("type");
        let has = |list: &[String], name: &str| list.iter().any(|known| known == name);
        let empty = Map::new();
        let condition = correlation.get("condition").and_then(Value::as_object);
        let condition = condition.unwrap_or(&empty);
        if !has(&facts.correlation_types, kind) {
            let why = format!("Sigma has no correlation of the type {kind}.");
            self.query(SIGMA_CORRELATION, "correlation".to_owned(), why);
        }
        if has(&facts.correlation_types_with_field, kind) && !condition.contains_key("field") {
            let why = format!("A correlation of the type {kind} needs the field that it looks at.");
            self.query(SIGMA_CORRELATION, "correlation".to_owned(), why);
        }
        // Beside the comparison a condition names what it looks at.
        let unknown = condition
            .keys()
            .filter(|key| !matches!(key.as_str(), "field" | "percentile"))
            .find(|key| !has(&facts.correlation_conditions, key));
        if let Some(unknown) = unknown {
            let why = format!("A correlation of Sigma has no condition {unknown}.");
            self.query(SIGMA_CORRELATION, "correlation".to_owned(), why);
        }
        let span = text("timespan");
        let digits = span.trim_end_matches(|c: char| !c.is_ascii_digit());
        let fits = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && has(&facts.timespan_units, &span[digits.len()..])
            && span.len() <= facts.timespan_max;
        if !fits {
            let why = format!(
                "A correlation over {span} is none that Sigma takes: a number and one of {}, at most {} characters.",
                facts.timespan_units.join(", "),
                facts.timespan_max
            );
            self.query(SIGMA_CORRELATION, format!("time span {span}"), why);
        }
    }

    /// Refuses what the query leads to.
    fn query(&mut self, code: Code, construct: String, why: String) {
        let problem = Problem::new(code, construct, why).at(result_span(self.input));
        self.findings
            .refuse(problem.help("write the query another way, or leave Sigma out of `targets`"));
    }
}
