//! Queries in files of their own.

use rulec_facts::{FactsError, tables::Environment};
use rulec_source::{Diagnostic, SourceFile, render};

use crate::pipeline::{Pipeline, meaningful};

/// A query in a file of its own, bound over every table of both platforms.
pub struct Query {
    /// The file; the query is all of it.
    pub file: SourceFile,
    /// Its syntax tree.
    pub parsed: rulec_kql::Parsed,
    /// Its algebra.
    pub ir: rulec_ir::Query,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

impl Pipeline {
    /// Parses and binds a query. Fails when the tables cannot be read.
    pub fn query(&self, file: SourceFile) -> Result<Query, FactsError> {
        let catalog = self.catalog(Environment::MergedColumns)?;
        let parsed = rulec_kql::parse(&file.text);
        let lowered = rulec_ir::lower(&parsed, catalog);
        let mut diagnostics = parsed.diagnostics.clone();
        diagnostics.extend(meaningful(&parsed, lowered.diagnostics));
        diagnostics.sort_by_key(|d| d.span().map_or((0, 0), |s| (s.start, s.end)));
        Ok(Query {
            file,
            parsed,
            ir: lowered.query,
            diagnostics,
        })
    }
}

impl Query {
    /// What is wrong with it.
    pub fn findings(&self) -> impl Iterator<Item = render::Finding<'_>> {
        self.diagnostics.iter().map(|diagnostic| render::Finding {
            file: &self.file,
            rule: None,
            diagnostic,
        })
    }
}
