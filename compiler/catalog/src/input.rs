//! What a catalog is made of: plain data, put together by the driver.

use rulec_emit::{Effect, TemplateError};
use rulec_explain::Explanation;
use rulec_facts::{Pack, attack::Attack, events::Events};
use rulec_model::{Replacement, Rule};
use rulec_source::Severity;

/// Everything a catalog shows.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Version of rulec.
    pub rulec: &'a str,
    /// What the catalog is called.
    pub title: &'a str,
    /// Templates, style and script, under `templates/catalog/`.
    pub pack: &'a Pack,
    /// Versions of ATT&CK, the one the repository pins first.
    pub attack: &'a [Attack],
    /// The events there are.
    pub events: &'a Events,
    /// The rules.
    pub documents: &'a [Document<'a>],
    /// Documents that only say what replaced them.
    pub replaced: &'a [Replacement],
}

/// One rule with all that is known about it.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Path of its document relative to the repository, with `/` separators.
    pub path: &'a str,
    /// Its queries; parallel to `Rule::queries` as far as they could be bound.
    pub queries: Vec<Query<'a>>,
    /// Findings about the document.
    pub problems: Vec<Problem>,
    /// What was built from it, by target and path.
    pub artifacts: Vec<Artifact<'a>>,
    /// What could not be said exactly.
    pub losses: Vec<Loss>,
}

/// One query of a rule.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// Its text.
    pub text: &'a str,
    /// The tables it names, in order of first mention.
    pub tables: Vec<String>,
    /// How many more it reads by a pattern, such as `union *`.
    pub by_pattern: usize,
    /// What it does.
    pub explanation: Explanation,
}

/// A finding.
#[derive(Clone, Debug)]
pub struct Problem {
    /// `RK201`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub message: String,
    /// Line of the document, from 1.
    pub line: Option<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// An artifact that is text.
#[derive(Clone, Copy, Debug)]
pub struct Artifact<'a> {
    /// `sentinel`.
    pub target: &'a str,
    /// Path below the output folder of `rulec build`.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// An entry of the loss ledger.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The target.
    pub target: &'static str,
    /// The construct as its author knows it.
    pub construct: String,
    /// What becomes of it.
    pub effect: Effect,
    /// Why, in one sentence.
    pub why: String,
    /// Line of the document, from 1.
    pub line: Option<usize>,
}

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the output folder, with `/` separators.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why there is no catalog: a template, or a file beside the templates.
#[derive(Clone, Debug)]
pub enum Failure {
    /// A template does not compile, or fails.
    Template(TemplateError),
    /// A file is missing.
    Facts(rulec_facts::FactsError),
}
