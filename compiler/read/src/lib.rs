//! Stage 1: markdown documents to rules.
//!
//! In: a document ([`SourceFile`]) and what it leaves unsaid ([`Options`]).
//! Out: a [`RuleDoc`]: the [`Rule`], where each of its values stands, its
//! queries with the way back to the document, and findings. Reading never
//! stops at the first problem and never panics; what cannot be understood is
//! named and kept as prose.
//!
//! Headings, table columns and metadata keys are matched through
//! `schema/read/`, so another house style is a data change.
//!
//! Deliberately absent: files, KQL (only where a query begins and ends), and
//! whether what a rule says is true.

use std::collections::BTreeMap;

use rulec_facts::aliases::Aliases;
use rulec_model::{FrontMatter, Replacement, Rule};
use rulec_source::{Diagnostic, Fragment, SourceFile, Span};

mod attack;
mod codes;
mod embedded;
mod fences;
mod format;
mod front;
mod ids;
mod lines;
mod metadata;
mod order;
mod outline;
mod queries;
mod reader;
mod references;
mod sections;
mod sources;
mod table;
mod tables;
mod validate;
mod words;
mod write;

pub use codes::CODES;
pub use embedded::format_queries;
pub use format::format_document;
pub use ids::is_safe_id;
pub use order::order_sections;
pub use write::{scaffold, to_markdown};

/// What reading needs besides the document.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// What headings, keys and columns mean.
    pub aliases: &'a Aliases,
    /// What `rulec.toml` says for rules that do not say it themselves.
    pub defaults: FrontMatter,
}

/// What a document turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A rule or a hunt.
    Rule(Box<Rule>),
    /// Only says which rule stands in its place.
    Replaced(Replacement),
    /// Something else, or a rule without a query (then there is an error too).
    NotARule {
        /// Why, as a sentence without a full stop.
        reason: String,
    },
}

/// A document that has been read.
#[derive(Clone, Debug)]
pub struct RuleDoc {
    /// What it is.
    pub document: Document,
    /// Where the values of the rule stand, by JSON pointer into the rule:
    /// `/attack/0/technique`. A value that was not written has no place.
    pub places: BTreeMap<String, Span>,
    /// The queries with their way back to the document, parallel to
    /// [`Rule::queries`].
    pub queries: Vec<Fragment>,
    /// Findings in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
}

impl RuleDoc {
    /// The rule, if the document is one.
    pub fn rule(&self) -> Option<&Rule> {
        match &self.document {
            Document::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    /// The place of a value by JSON pointer, or of what is around it; the
    /// beginning of the document when nothing of it was written.
    pub fn place(&self, pointer: &str) -> Span {
        validate::place(&self.places, pointer).unwrap_or_default()
    }
}

/// Reads one document.
pub fn read(file: &SourceFile, options: &Options<'_>) -> RuleDoc {
    reader::read(file, options)
}
