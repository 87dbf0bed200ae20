//! Sigma rules and correlations (specification 2.1).
//!
//! In: a rule, its settings and its bound query. Out: one `.yml` for each log
//! source that the query's events come from, or one with a correlation and the
//! rules it counts. Log sources and fields come from `schema/sigma/`, limits
//! from `schema/targets/sigma.yaml`, what is a choice of ours from
//! `templates/sigma/target.toml`.
//!
//! The way there: [`flow`] reads the algebra into conditions on the events of
//! each table, [`source`] finds the log sources, [`predicate`] turns conditions
//! on columns into conditions on fields, [`detection`] lays them out, and
//! [`correlation`] says how they are counted. Each step either says the same
//! as the query, records what it widens or narrows, or refuses the rule: a
//! part of a rule is never emitted.
//!
//! Decisions:
//! - `has` becomes a regular expression with the ends of the term in it, not
//!   `contains`: it matches the same events.
//! - Time bounds are left out, because every Sigma rule is scheduled by whoever
//!   runs it.
//! - What a result looks like (projections, sorting, entities) has no place in
//!   Sigma, and what matches does not depend on it.
//!
//! Deliberately absent: joins. Sigma's temporal correlations compare groups,
//! not events, so they would say something else.

mod build;
mod cond;
mod correlation;
mod detection;
mod documents;
#[cfg(test)]
mod equivalence;
mod flow;
mod limits;
#[cfg(test)]
mod matcher;
mod parts;
mod predicate;
mod regexes;
#[cfg(test)]
mod saving;
mod source;
mod term;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

use regex::Regex;
use rulec_facts::attack::Attack;
use rulec_facts::sigma::Sigma as LogSources;
use rulec_facts::targets::SigmaRules;
use rulec_facts::{FactsError, Pack};
use rulec_model::TriggerOperator;
use rulec_source::Diagnostic;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::codes::TARGET_CONFIG;
use crate::findings::{Findings, Problem, alert, facts_error};
use crate::{Artifact, Config, Context, Effect, Emitted, Input, Place, Target};
use documents::File;

/// The target.
#[derive(Clone, Copy, Debug)]
pub struct Sigma;

const NAME: &str = "sigma";

/// The own part of `templates/sigma/target.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    choices: Choices,
    keys: Keys,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    #[serde(deserialize_with = "uuid")]
    namespace: Uuid,
    file_max: usize,
    correlation_prefix: String,
    small_words: Vec<String>,
    description_verbs: Vec<String>,
    falsepositives_refused: Vec<String>,
    references_refused: Vec<String>,
    time_columns: Vec<String>,
}

/// What stands for a column that events are grouped by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    same: BTreeMap<String, String>,
    within: BTreeMap<String, String>,
}

fn uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    Uuid::parse_str(&text).map_err(D::Error::custom)
}

/// Everything that is the same for all rules.
struct Prepared {
    config: Config<Own>,
    facts: SigmaRules,
    attack: Attack,
    sources: LogSources,
    file_name: Regex,
    tag: Regex,
}

impl Prepared {
    fn load(pack: &Pack) -> Result<Self, Box<Diagnostic>> {
        let facts = |error: FactsError| facts_error(&error);
        let sigma = SigmaRules::load(pack).map_err(facts)?;
        let pattern = |text: &str| {
            Regex::new(text)
                .map_err(|error| Box::new(Diagnostic::new(TARGET_CONFIG, format!("sigma.yaml: {error}"))))
        };
        Ok(Self {
            config: Config::load(pack, NAME)?,
            file_name: pattern(&sigma.sigmahq.file_pattern)?,
            tag: pattern(&sigma.tag_pattern)?,
            facts: sigma,
            attack: Attack::for_target(pack, NAME).map_err(facts)?,
            sources: LogSources::load(pack).map_err(facts)?,
        })
    }
}

impl Target for Sigma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Sigma rules and correlations, for any system that has a converter"
    }

    fn rule(&self, context: &Context, input: &Input<'_>) -> Emitted {
        let mut findings = Findings::new(input);
        let prepared = match context.prepared(Prepared::load) {
            Ok(prepared) => prepared,
            Err(diagnostic) => {
                findings.report(*diagnostic);
                return findings.emitted;
            }
        };
        let slug = input.slug(None);
        let meta = build::meta(&prepared, input, slug.as_deref(), &mut findings);
        settings(input, &mut findings);
        let mut losses = Vec::new();
        let files = documents::files(&prepared, input, &meta, &mut losses);
        findings.emitted.losses.extend(losses);
        let mut emitted = match files {
            Ok(files) => {
                limits::check(&prepared, input, &files, &mut findings);
                let mut emitted = findings.emitted;
                for file in files {
                    emitted.add(render(&prepared, context, input, &file));
                }
                emitted
            }
            Err(refusal) => {
                let refusal = refusal.into_reason();
                let problem = Problem::new(refusal.code, refusal.construct, refusal.why);
                let help = "write this another way, or leave Sigma out of `targets`";
                findings.refuse(problem.at(Some(refusal.span)).help(help));
                findings.emitted
            }
        };
        // One file of several is half a rule.
        if emitted.findings().any(Diagnostic::is_error) {
            emitted.artifacts.clear();
        }
        emitted
    }
}

/// What Sigma has no place for.
fn settings(input: &Input<'_>, findings: &mut Findings) {
    let resolved = input.resolved;
    let mut dropped = |what: &str, why: &str| findings.lose(what, Effect::Dropped, why);
    if resolved.suppression.value.enabled {
        dropped(
            "suppression",
            "Sigma does not say how long to be silent after an alert.",
        );
    }
    if resolved.grouping.is_some() {
        dropped("grouping", "Sigma does not say which alerts become one incident.");
    }
    if alert(input).is_some() {
        dropped(
            "alert text",
            "A Sigma alert has the rule's title and description, without values of the event.",
        );
    }
    let trigger = resolved.trigger.value;
    if (trigger.operator, trigger.threshold) != (TriggerOperator::Gt, 0) {
        let why = "Sigma alerts on every match; the rule alerts on a number of results only.";
        findings.lose("trigger", Effect::Widened, why);
    }
}

fn render(
    prepared: &Prepared,
    context: &Context,
    input: &Input<'_>,
    file: &File,
) -> Result<Artifact, Box<Diagnostic>> {
    for document in &file.documents {
        let schema = if document.get("correlation").is_some() {
            "schema/targets/sigma-correlation.schema.json"
        } else {
            "schema/targets/sigma-rule.schema.json"
        };
        context.validate(schema, document)?;
    }
    let variables = json!({ "id": input.rule.id, "provenance": input.provenance });
    let (key, meant) = match file.documents.as_slice() {
        [one] => ("rule", one.clone()),
        all => ("correlation", Value::Array(all.to_vec())),
    };
    let place = Place {
        folder: &file.folder,
        name: &file.name,
    };
    prepared.config.render_as(context, key, place, &meant, variables)
}
