//! Microsoft Sentinel analytics rules, in two forms: the YAML template that
//! public content repositories use, and an Azure Resource Manager template
//! that deploys the rule as it is.
//!
//! In: a rule, its settings and its bound query. Out: a YAML template in the
//! tree of the public repository (`Detections/<table>/`), an ARM template, and
//! over all rules the bundles of [`bundle`]. Limits and names come from `schema/targets/sentinel.yaml`
//! and `schema/entities.yaml`, what is a choice of ours from
//! `templates/sentinel/target.toml`.
//!
//! The YAML template lists, if `every_tactic` says so, every tactic of each
//! technique, because the checks of the public repository ask for it; the ARM
//! form lists the tactics the document names, because analysts read them.
//!
//! Deliberately absent: whether the columns of mappings have sensible types.

mod build;
mod bundle;
mod limits;
mod rule;
#[cfg(test)]
mod saving;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use regex::Regex;
use rulec_facts::attack::Attack;
use rulec_facts::entities::Entities;
use rulec_facts::tables::{Environment, Tables};
use rulec_facts::targets;
use rulec_facts::{FactsError, Pack};
use rulec_model::Status;
use rulec_source::Diagnostic;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use uuid::Uuid;

use crate::codes::TARGET_CONFIG;
use crate::findings::{Findings, facts_error};
use crate::{Config, Context, Emitted, Input, Member, Target};

/// The target.
#[derive(Clone, Copy, Debug)]
pub struct Sentinel;

const NAME: &str = "sentinel";

/// The queries it runs.
const ENVIRONMENT: rulec_model::Environment = rulec_model::Environment::Sentinel;

/// The own part of `templates/sentinel/target.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    arm: Arm,
    choices: Choices,
    status: BTreeMap<String, String>,
}

impl Own {
    /// Holds the choices to the names that the service has.
    fn verify(&self, facts: &targets::Sentinel) -> Result<(), Box<Diagnostic>> {
        let kinds = &facts.aggregation_kinds;
        let choices = &self.choices;
        let mut named: Vec<(String, &String, &[String])> = vec![
            ("choices.aggregation".to_owned(), &choices.aggregation, kinds),
            (
                "choices.aggregation_with_placeholders".to_owned(),
                &choices.aggregation_with_placeholders,
                kinds,
            ),
        ];
        for (ours, theirs) in &self.status {
            named.push((format!("status.{ours}"), theirs, &facts.statuses));
        }
        let Some((key, said, known)) = named.into_iter().find(|(_, said, known)| !known.contains(said))
        else {
            return Ok(());
        };
        let message =
            format!("templates/{NAME}/target.toml: `{key}` is {said}, which Sentinel does not know");
        Err(Box::new(
            Diagnostic::new(TARGET_CONFIG, message).help(format!("write one of {}", known.join(", "))),
        ))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    api_version: String,
    api_version_preview: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    #[serde(deserialize_with = "uuid")]
    namespace: Uuid,
    every_tactic: bool,
    create_incident: bool,
    aggregation: String,
    aggregation_with_placeholders: String,
}

fn uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    Uuid::parse_str(&text).map_err(D::Error::custom)
}

/// Everything that is the same for all rules.
struct Prepared {
    config: Config<Own>,
    facts: targets::Sentinel,
    attack: Attack,
    entities: Entities,
    /// What Sentinel has, and what Defender has: the difference is refused.
    tables: Tables,
    defender_tables: Tables,
    query_refused: Vec<Regex>,
    column: Regex,
    detail_key: Regex,
    version: Regex,
}

impl Prepared {
    fn load(pack: &Pack) -> Result<Self, Box<Diagnostic>> {
        let config: Config<Own> = Config::load(pack, NAME)?;
        let facts = |error: FactsError| facts_error(&error);
        let sentinel = targets::Sentinel::load(pack).map_err(facts)?;
        config.own.verify(&sentinel)?;
        let pattern = |text: &str| {
            Regex::new(text)
                .map_err(|error| Box::new(Diagnostic::new(TARGET_CONFIG, format!("sentinel.yaml: {error}"))))
        };
        Ok(Self {
            config,
            attack: Attack::for_target(pack, NAME).map_err(facts)?,
            entities: Entities::load(pack).map_err(facts)?,
            tables: Tables::new(pack, Environment::Sentinel).map_err(facts)?,
            defender_tables: Tables::new(pack, Environment::M365).map_err(facts)?,
            query_refused: sentinel
                .query_refused
                .iter()
                .map(|text| pattern(text))
                .collect::<Result<_, _>>()?,
            column: pattern(&sentinel.column_pattern)?,
            detail_key: pattern(&sentinel.custom_details.key_pattern)?,
            version: pattern(&sentinel.version_pattern)?,
            facts: sentinel,
        })
    }
}

impl Target for Sentinel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Microsoft Sentinel analytics rules: YAML templates and ARM templates"
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
        if !input.is_for(ENVIRONMENT) {
            return findings.emitted;
        }
        let slug = input.slug(Some(ENVIRONMENT));
        let slug = slug.as_deref();
        let (rule, tactics) = build::rule(&prepared, input, slug, &mut findings);
        limits::check(&prepared, input, &rule, &mut findings);
        let mut emitted = findings.emitted;
        if emitted.is_rejected() {
            return emitted;
        }
        let config = &prepared.config;
        let folder = folder(input);
        emitted.add(config.render(context, input, slug, &folder, "template", &json!(rule)));
        let resource = rule.arm(&rule::Deployment {
            facts: &prepared.facts,
            api_version: &prepared.config.own.arm.api_version,
            api_version_preview: &prepared.config.own.arm.api_version_preview,
            attack: &prepared.attack,
            tactics: &tactics,
            enabled: input.resolved.status.value != Status::Deprecated,
        });
        let meant = json!({ "resources": [resource] });
        emitted.add(config.render(context, input, slug, &folder, "arm", &meant));
        emitted
    }

    fn bundle(&self, context: &Context, members: &[Member<'_>], wanted: &[&str]) -> Emitted {
        match context.prepared(Prepared::load) {
            Ok(prepared) => bundle::bundles(&prepared, context, members, wanted),
            Err(diagnostic) => Emitted::failed(*diagnostic),
        }
    }

    fn bundles(&self) -> &'static [&'static str] {
        &[bundle::ARM, bundle::BICEP]
    }
}

/// The folder of the public repository that a rule goes to: the table that the
/// query reads, or one for those that read several.
fn folder(input: &Input<'_>) -> String {
    let mut tables = input.ir.tables.iter().map(|table| table.name.as_str());
    match tables.next() {
        Some(one) if tables.all(|other| other == one) => crate::file_name(one),
        _ => "MultipleDataSources".to_owned(),
    }
}
