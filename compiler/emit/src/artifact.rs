//! What a target gives.

use rulec_source::{Diagnostic, Span};
use serde::Serialize;

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Path below the output folder with `/` separators:
    /// `sentinel/RL-0001.yaml`. Never absolute, never with `..`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How a target says a construct of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// As it is.
    Exact,
    /// The artifact matches more than the rule.
    Widened,
    /// The artifact matches less than the rule.
    Narrowed,
    /// The target has no place for it; what matches is the same.
    Dropped,
    /// The rule cannot go to this target.
    Rejected,
}

/// One entry of the loss ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The construct as its author knows it: "`has`", "tactic Execution".
    pub construct: String,
    /// What becomes of it.
    pub effect: Effect,
    /// Why, in one sentence.
    pub why: String,
    /// Where it stands in the query text, if it does.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// Everything a target has to say about a rule, or about all rules.
#[derive(Clone, Debug, Default)]
pub struct Emitted {
    /// Files to write.
    pub artifacts: Vec<Artifact>,
    /// What was not said exactly.
    pub losses: Vec<Loss>,
    /// Findings: an artifact that breaks the target's own rules, a template
    /// that fails. Labels are bytes of the query text.
    pub diagnostics: Vec<Diagnostic>,
}
