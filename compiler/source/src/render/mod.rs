//! Findings in the shapes people and tools read: text for people, and the
//! machine formats `json`, `sarif`, `github` and `junit`.
//!
//! Every renderer is a pure function from findings to text; the same findings
//! give the same bytes.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

pub use github::github;
pub use json::{Summary, json};
pub use junit::{junit, xml};
pub use sarif::sarif;
pub use text::{Style, text};

use crate::{Diagnostic, SourceFile};

/// A finding with the file and the rule it is about.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    /// The text that the finding's labels point into.
    pub file: &'a SourceFile,
    /// Id of the rule, when the file holds one.
    pub rule: Option<&'a str>,
    /// The finding.
    pub diagnostic: &'a Diagnostic,
}

/// Lines and columns of the primary label, from 1; the first line of the file
/// for findings about the file as a whole.
fn place(finding: &Finding<'_>) -> (crate::Position, crate::Position) {
    finding
        .file
        .positions(finding.diagnostic.span().unwrap_or_default())
}
