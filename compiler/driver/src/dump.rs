//! `rulec dump`: any stage as text.

use std::{fmt::Write as _, path::PathBuf};

use rulec_source::render;

use crate::{
    load::{Want, is_document, load},
    pipeline::{Compilation, Pipeline},
    queries::Query,
};

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Stage {
    Model,
    Tokens,
    Ast,
    Ir,
}

/// What was found under the given paths.
pub struct Dump {
    /// The rule documents.
    pub compilation: Compilation,
    /// The queries in files of their own.
    pub queries: Vec<Query>,
}

/// Reads documents and queries. Never fails: what is wrong is in the findings.
pub fn read(pipeline: &Pipeline, paths: &[PathBuf]) -> Result<Dump, String> {
    let loaded = load(&pipeline.repository.root, &pipeline.paths(paths), Want::Queries);
    let (documents, queries): (Vec<_>, Vec<_>) = loaded
        .into_iter()
        .partition(|loaded| loaded.problem.is_some() || is_document(&loaded.file));
    let queries: Vec<Query> = queries
        .into_iter()
        .map(|loaded| pipeline.query(loaded.file))
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let compilation = if documents.is_empty() && !queries.is_empty() {
        Compilation {
            documents: Vec::new(),
        }
    } else {
        pipeline.compile_loaded(documents, paths, true)
    };
    Ok(Dump { compilation, queries })
}

impl Query {
    /// A stage of the query. It has no [`Stage::Model`].
    pub fn stage(&self, stage: Stage) -> String {
        text(&self.parsed, &self.ir, stage)
    }
}

fn text(parsed: &rulec_kql::Parsed, ir: &rulec_ir::Query, stage: Stage) -> String {
    match stage {
        Stage::Model => String::new(),
        Stage::Tokens => rulec_kql::dump_tokens(parsed),
        Stage::Ast => rulec_kql::dump_ast(parsed),
        Stage::Ir => rulec_ir::dump(ir),
    }
}

impl Dump {
    /// The stage of every document and query, each under its name when there
    /// are several.
    pub fn stage(&self, stage: Stage) -> String {
        let mut out = String::new();
        let documents = &self.compilation.documents;
        let several =
            documents.iter().map(|d| d.queries.len().max(1)).sum::<usize>() + self.queries.len() > 1;
        for document in documents {
            if stage == Stage::Model {
                if let Some(rule) = document.rule() {
                    let _ = writeln!(out, "{}", serde_json::to_string_pretty(rule).unwrap_or_default());
                }
                continue;
            }
            for (index, bound) in document.queries.iter().enumerate() {
                if several {
                    let _ = writeln!(out, "// {} query {}", document.file.path, index + 1);
                }
                out.push_str(&text(&bound.parsed, &bound.ir, stage));
            }
        }
        for query in &self.queries {
            if several && stage != Stage::Model {
                let _ = writeln!(out, "// {}", query.file.path);
            }
            out.push_str(&query.stage(stage));
        }
        out
    }

    /// What kept documents and queries from compiling.
    pub fn errors(&self) -> Vec<render::Finding<'_>> {
        let mut found = self.compilation.errors();
        let queries = self.queries.iter().flat_map(Query::findings);
        found.extend(queries.filter(|f| f.diagnostic.is_error()));
        found
    }
}
