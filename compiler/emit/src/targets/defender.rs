//! Microsoft Defender XDR custom detections: the body that the security API
//! takes since 2026.
//!
//! In: a rule, its settings and its bound query. Out: `<name>.json`, ready to
//! be posted, and over all rules the batches of [`bundle`]. Limits and names come from `schema/targets/defender.yaml` and
//! `schema/entities.yaml`.
//!
//! Choices:
//! - A detection has one tactic: the first that the document names. Techniques
//!   that ATT&CK has under it stay, whichever tactic the document gave them;
//!   the rest goes to the ledger.
//! - The API refuses properties it does not know, so provenance cannot stand
//!   beside the others. It is the last paragraph of the rule's `description`,
//!   which administrators see; the alert's description, which analysts see,
//!   and the query stay as they are. A file beside it would be lost when the
//!   body is posted; this comes back with every export.
//! - A near-real-time rule that may not be one here runs every hour instead.
//!
//! Deliberately absent: automated actions (no document says them).

mod assets;
mod build;
mod bundle;
mod limits;
#[cfg(test)]
mod saving;
#[cfg(test)]
mod tests;

use regex::Regex;
use rulec_facts::attack::Attack;
use rulec_facts::entities::Entities;
use rulec_facts::tables::{Environment, Tables};
use rulec_facts::targets;
use rulec_facts::{FactsError, Pack};
use rulec_source::Diagnostic;
use serde::Deserialize;

use crate::codes::TARGET_CONFIG;
use crate::findings::{Findings, facts_error};
use crate::{Config, Context, Emitted, Input, Member, Target};

/// The target.
#[derive(Clone, Copy, Debug)]
pub struct Defender;

const NAME: &str = "defender";

/// The queries it runs.
const ENVIRONMENT: rulec_model::Environment = rulec_model::Environment::M365;

/// The own part of `templates/defender/target.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    choices: Choices,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    id_prefix: String,
    recommended_actions: String,
}

/// Everything that is the same for all rules.
struct Prepared {
    config: Config<Own>,
    facts: targets::Defender,
    attack: Attack,
    entities: Entities,
    /// The tables of both, because detections may read both.
    tables: Tables,
    id: Regex,
}

impl Prepared {
    fn load(pack: &Pack) -> Result<Self, Box<Diagnostic>> {
        let facts = |error: FactsError| facts_error(&error);
        let defender = targets::Defender::load(pack).map_err(facts)?;
        let id = Regex::new(&defender.id_pattern)
            .map_err(|error| Box::new(Diagnostic::new(TARGET_CONFIG, format!("defender.yaml: {error}"))))?;
        Ok(Self {
            config: Config::load(pack, NAME)?,
            facts: defender,
            attack: Attack::for_target(pack, NAME).map_err(facts)?,
            entities: Entities::load(pack).map_err(facts)?,
            tables: Tables::new(pack, Environment::Merged).map_err(facts)?,
            id,
        })
    }
}

impl Target for Defender {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Microsoft Defender XDR custom detections: bodies for the security API"
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
        let schedule = limits::schedule(&prepared, input, &mut findings);
        limits::query(&prepared, input, &mut findings);
        limits::columns(&prepared, input, &mut findings);
        let slug = input.slug(Some(ENVIRONMENT));
        let slug = slug.as_deref();
        let body = build::body(&prepared, input, slug, &schedule, &mut findings);
        limits::body(&prepared, input, &body, &mut findings);
        let mut emitted = findings.emitted;
        if !emitted.is_rejected() {
            emitted.add(
                prepared
                    .config
                    .render(context, input, slug, "", "detection", &body),
            );
        }
        emitted
    }

    fn bundle(&self, context: &Context, members: &[Member<'_>], wanted: &[&str]) -> Emitted {
        match context.prepared(Prepared::load) {
            Ok(prepared) => bundle::bundles(&prepared, context, members, wanted),
            Err(diagnostic) => Emitted::failed(*diagnostic),
        }
    }

    fn bundles(&self) -> &'static [&'static str] {
        &[bundle::BATCH]
    }
}
