//! What a target gives.

use std::str::FromStr;

use rulec_source::{Diagnostic, Span};
use serde::Serialize;

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Path below the output folder with `/` separators:
    /// `defender/RL-0001.json`. Never absolute, never with `..`.
    pub path: String,
    /// What it is, as target.toml calls it: `arm` of `[files.arm]`.
    pub kind: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Ids of the rules in it, for an artifact of several.
    pub rules: Vec<String>,
    /// Whether it is a copy of a file of rulec's own, the same in every build;
    /// goldens leave it out.
    pub verbatim: bool,
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

impl Effect {
    /// All of them, from the harmless to the fatal.
    pub const ALL: [Effect; 5] = [
        Effect::Exact,
        Effect::Dropped,
        Effect::Narrowed,
        Effect::Widened,
        Effect::Rejected,
    ];

    /// `widened`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::Dropped => "dropped",
            Self::Rejected => "rejected",
        }
    }
}

impl FromStr for Effect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|e| e.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|e| e.as_str()).collect();
            format!("`{text}` is no effect; they are {}", known.join(", "))
        })
    }
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
    /// Whether `span` is one of the document around the query instead.
    #[serde(skip)]
    pub around: bool,
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
    /// Findings about the document around the query: labels are bytes of the
    /// document.
    pub around: Vec<Diagnostic>,
}

impl Loss {
    /// A loss that concerns the document as a whole.
    pub fn new(construct: impl Into<String>, effect: Effect, why: impl Into<String>) -> Self {
        Self {
            construct: construct.into(),
            effect,
            why: why.into(),
            span: None,
            around: false,
        }
    }

    /// The rule cannot go to the target.
    pub fn rejected(construct: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(construct, Effect::Rejected, why)
    }

    /// Places it in the query text.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
}

impl Emitted {
    /// Nothing but one finding.
    pub(crate) fn failed(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
            ..Self::default()
        }
    }

    /// All findings.
    pub fn findings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().chain(&self.around)
    }

    /// Whether the rule cannot go to the target.
    pub fn is_rejected(&self) -> bool {
        self.losses.iter().any(|loss| loss.effect == Effect::Rejected)
    }

    /// Adds an artifact, or what kept it from being made.
    pub fn add(&mut self, artifact: Result<Artifact, Box<Diagnostic>>) {
        match artifact {
            Ok(artifact) => self.artifacts.push(artifact),
            Err(diagnostic) => self.diagnostics.push(*diagnostic),
        }
    }

    /// Holds to the promise that a rejected rule gives no artifact, says each
    /// loss once, and puts those without a place in the query before the others,
    /// which stand in the order of the text.
    #[must_use]
    pub fn finish(mut self) -> Self {
        if self.is_rejected() {
            self.artifacts.clear();
        }
        let mut seen: Vec<Loss> = Vec::new();
        self.losses.retain(|loss| {
            let new = !seen.contains(loss);
            if new {
                seen.push(loss.clone());
            }
            new
        });
        // What stands around the query comes with what has no place: both are
        // about the rule as a whole.
        self.losses.sort_by_key(|loss| {
            loss.span
                .filter(|_| !loss.around)
                .map(|span| (span.start, span.end))
        });
        self
    }
}
