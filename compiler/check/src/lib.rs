//! Lints: what is wrong with a rule that compiles.
//!
//! In: a rule, its bound queries and its resolved settings. Out: findings
//! placed in the document. Deliberately absent: anything that keeps a rule
//! from compiling (`read`, `kql`, `ir`), and the save-time rules of one target
//! (`emit`).
//!
//! A lint is a file in `lints/`, its page in `pages/`, its row in
//! [`lints::ALL`], and a case in tests/cases/check.

mod apart;
mod keep;
mod lints;
mod tags;

use std::collections::BTreeMap;

use rulec_explain::Facts;
use rulec_ir::Query as Ir;
use rulec_model::{Resolved, Rule};
use rulec_source::{Code, Diagnostic, Fragment, Setting, SourceFile, Span};

/// A query of the rule.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Its text and the way back to the document.
    pub fragment: &'a Fragment,
    /// Its syntax tree.
    pub parsed: &'a rulec_kql::Parsed,
    /// Its algebra.
    pub ir: &'a Ir,
    /// What its names stand for; none when the data cannot be read.
    pub catalog: Option<&'a rulec_ir::Catalog>,
    /// Settings as this query tells them.
    pub resolved: &'a Resolved,
    /// Whether it parsed and bound without errors: otherwise what it gives is a guess.
    pub sound: bool,
}

/// A rule and everything known about it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The document.
    pub file: &'a SourceFile,
    /// The rule.
    pub rule: &'a Rule,
    /// Where its values stand, by JSON pointer.
    pub places: &'a BTreeMap<String, Span>,
    /// Its queries.
    pub queries: &'a [Query<'a>],
    /// Data.
    pub facts: &'a Facts,
}

/// One lint.
struct Lint {
    code: Code,
    /// Why it exists and what to do, in markdown.
    page: &'static str,
    run: fn(&Input<'_>, &mut Vec<Diagnostic>),
}

/// The findings this stage can report.
pub const CODES: &[Code] = &lints::CODES;

/// Runs all lints. Findings come in the order of the lints; labels are bytes
/// of the document.
pub fn check(input: &Input<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for lint in lints::ALL {
        (lint.run)(input, &mut found);
    }
    found
}

/// The names of all lints, in the order of their codes.
pub fn names() -> impl Iterator<Item = &'static str> {
    lints::ALL.iter().map(|l| l.code.name)
}

/// The page of a lint, by name.
pub fn page(name: &str) -> Option<&'static str> {
    lints::ALL.iter().find(|l| l.code.name == name).map(|l| l.page)
}

impl Query<'_> {
    /// Whether a word stands in the text at all: asked before the whole query
    /// is gone through for it.
    fn says(&self, word: &str) -> bool {
        self.parsed.text.contains(word)
    }
}

impl Input<'_> {
    /// The place of a value, or of what is around it.
    fn place(&self, pointer: &str) -> Span {
        let mut at = pointer;
        loop {
            if let Some(span) = self.places.get(at) {
                return *span;
            }
            match at.rfind('/') {
                Some(end) if end > 0 => at = &at[..end],
                _ => return self.places.get("/title").copied().unwrap_or_default(),
            }
        }
    }

    /// Places within a setting of the front matter.
    fn setting(&self, pointer: &str) -> Setting<'_> {
        Setting::new(
            &self.file.text,
            self.places.get(pointer).copied(),
            self.place("/title"),
        )
    }
}
