//! Rules to artifacts: Sentinel, Defender, Sigma and native Rust, each from
//! templates, with a ledger of what each of them could not say.
//!
//! In: a rule, its bound query and its resolved settings. Out: artifacts as
//! bytes under relative paths. Deliberately absent: writing files, and any
//! question "is this target X" outside `targets/`.

mod artifact;
mod attack;
mod bundle;
pub mod check;
mod codes;
mod columns;
mod config;
mod findings;
mod ledger;
mod name;
mod provenance;
mod scan;
mod schema;
pub mod targets;
mod template;

pub use artifact::{Artifact, Effect, Emitted, Loss};
pub use bundle::BUNDLE_CODES;
pub use codes::{CODES, CONTRACT, PAGES};
pub use config::{Config, FileSpec, Place};
pub use ledger::{LedgerEntry, losses_json};
pub use name::{collisions, file_name};
pub use provenance::Provenance;
pub use template::{TemplateError, Templates, identifier};

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rulec_facts::{FactsError, Pack};
use rulec_model::{Environment, Resolved, Rule, RuleQuery};
use rulec_source::{Diagnostic, Span};

use schema::Schemas;

/// One rule, ready to be emitted.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The rule as its document says it.
    pub rule: &'a Rule,
    /// Settings with everything derived.
    pub resolved: &'a Resolved,
    /// Which of the rule's queries this is.
    pub query: usize,
    /// Whether the rule has several queries.
    pub several: bool,
    /// The query's syntax tree; spans are bytes of the query text.
    pub parsed: &'a rulec_kql::Parsed,
    /// The query, bound.
    pub ir: &'a rulec_ir::Query,
    /// Where the artifact comes from.
    pub provenance: &'a Provenance,
    /// Where the values of the rule stand.
    pub places: Places<'a>,
    /// The line of the document, from 1, of the predicate that decides whether
    /// the rule fires: what alerts point to.
    pub line: usize,
}

/// Where the values of a rule stand in its document.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The text of the document.
    pub text: &'a str,
    /// By JSON pointer into the rule, `/attack/0/technique`; bytes of the
    /// document. What nobody wrote has none, and a finding about it goes to the
    /// title; without a title, findings have no place.
    pub spans: &'a BTreeMap<String, Span>,
}

impl<'a> Input<'a> {
    /// The query as the document has it.
    pub fn rule_query(&self) -> Option<&'a RuleQuery> {
        self.rule.queries.get(self.query)
    }

    /// The query's text.
    pub fn text(&self) -> &'a str {
        self.rule_query().map_or("", |query| query.text.as_str())
    }

    /// What tells this query's artifacts from those of the rule's other
    /// queries. The first has nothing, so that a rule keeps its artifacts'
    /// names when it gets a second query; the others have their number.
    ///
    /// `environment` is what the target runs queries of, if it is particular:
    /// queries made for another do not count.
    pub fn slug(&self, environment: Option<Environment>) -> Option<String> {
        let first = self
            .rule
            .queries
            .iter()
            .position(|query| environment.is_none_or(|wanted| self.is_taken(query, wanted)));
        (self.several && first != Some(self.query)).then(|| (self.query + 1).to_string())
    }

    /// Whether a target that runs queries of `environment` takes this one: it
    /// passes over queries made for another when the rule has one made for it.
    /// That is no loss.
    pub fn is_for(&self, environment: Environment) -> bool {
        self.rule_query()
            .is_none_or(|query| self.is_taken(query, environment))
    }

    fn is_taken(&self, query: &RuleQuery, environment: Environment) -> bool {
        let own = |query: &RuleQuery| query.environment == Some(environment);
        query.environment.is_none() || own(query) || !self.rule.queries.iter().any(own)
    }
}

/// What every target shares: data and templates, loaded once.
pub struct Context {
    /// The data under schema/ and templates/, a repository's own laid over.
    pub pack: Pack,
    /// The templates of `pack`, compiled.
    pub templates: Templates,
    /// ATT&CK version that rules are written against.
    pub attack: rulec_facts::attack::Attack,
    schemas: Schemas,
    prepared: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Context {
    /// Compiles the templates of a pack. Rules are taken to be written against
    /// the newest version of ATT&CK that the pack has. Templates that do not
    /// compile are listed by [`Templates::diagnostics`]; they fail only the
    /// targets that use them.
    pub fn load(pack: &Pack) -> Result<Self, FactsError> {
        let newest = rulec_facts::attack::Attack::versions(pack).pop();
        Ok(Self {
            templates: Templates::new(pack),
            attack: rulec_facts::attack::Attack::load(pack, newest.as_deref().unwrap_or_default())?,
            schemas: Schemas::default(),
            prepared: Mutex::default(),
            pack: pack.clone(),
        })
    }

    /// What a target makes of the pack, made once: data files read, patterns
    /// compiled. `T` is the target's own type and tells the targets apart.
    pub fn prepared<T: Any + Send + Sync>(
        &self,
        prepare: impl FnOnce(&Pack) -> Result<T, Box<Diagnostic>>,
    ) -> Result<Arc<T>, Box<Diagnostic>> {
        let known = |all: &BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>| all.get(&TypeId::of::<T>()).cloned();
        let found = known(&self.prepared.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(found) = found.and_then(|any| any.downcast().ok()) {
            return Ok(found);
        }
        // Not under the lock: two threads may both prepare, and get the same.
        let made = Arc::new(prepare(&self.pack)?);
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(TypeId::of::<T>(), made.clone());
        Ok(made)
    }

    /// Checks a value against a JSON Schema of the pack
    /// (`schema/targets/defender.schema.json`).
    pub fn validate(&self, schema: &str, value: &serde_json::Value) -> Result<(), Box<Diagnostic>> {
        self.schemas.validate(&self.pack, schema, value)
    }
}

/// A target format: one file in `targets/`, one folder in templates/, one row
/// in [`targets::all`].
pub trait Target: Sync {
    /// `sentinel`: what `--target` takes, and the name of the output folder.
    fn name(&self) -> &'static str;

    /// One sentence for `rulec list targets`.
    fn about(&self) -> &'static str;

    /// Whether the artifacts are saved somewhere that has rules for it, so that
    /// checking a document asks the target what it would refuse.
    fn has_save_rules(&self) -> bool {
        true
    }

    /// The artifacts of one rule. Spans of losses and diagnostics are bytes of
    /// the query text, or none for what concerns the document as a whole.
    fn rule(&self, context: &Context, input: &Input<'_>) -> Emitted;

    /// Artifacts over all rules that went to this target, in order of id.
    /// `wanted` are those of [`Target::bundles`] that are asked for.
    fn bundle(&self, context: &Context, members: &[Member<'_>], wanted: &[&str]) -> Emitted {
        let _ = (context, members, wanted);
        Emitted::default()
    }

    /// The names of what [`Target::bundle`] makes for those who deploy all
    /// rules at once, and what others can do without.
    fn bundles(&self) -> &'static [&'static str] {
        &[]
    }

    /// Folders below the target's own in which whoever uses the artifacts
    /// leaves files.
    fn leaves(&self) -> &'static [&'static str] {
        &[]
    }
}

/// A rule's query that went to a target, as far as artifacts over all of them
/// have to know it: what was emitted before need not be bound again for them.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// What tells the query from the rule's others; see [`Input::slug`].
    pub slug: Option<&'a str>,
    /// The version of rulec that emitted it.
    pub rulec: &'a str,
    /// What it gave: kind, path and bytes of each artifact.
    pub artifacts: &'a [(&'a str, &'a str, &'a [u8])],
}

/// The artifacts of one rule for one target. Never panics; a rule that cannot
/// go to the target yields a [`Effect::Rejected`] loss and no artifact.
pub fn emit(target: &dyn Target, context: &Context, input: &Input<'_>) -> Emitted {
    let mut emitted = target.rule(context, input).finish();
    // Once a rule: with the first target that it goes to.
    let chosen = &input.resolved.targets.value;
    let first = targets::all()
        .iter()
        .find(|target| chosen.iter().any(|name| name == target.name()));
    if !emitted.artifacts.is_empty() && first.is_some_and(|first| first.name() == target.name()) {
        emitted.diagnostics.extend(name::renamed(&input.rule.id));
    }
    emitted
}
