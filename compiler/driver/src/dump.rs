//! `rulec dump`: any stage as text.

use std::fmt::Write as _;

use crate::pipeline::Compilation;

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Stage {
    Model,
    Tokens,
    Ast,
    Ir,
}

/// The stage of every document, each under its name when there are several.
pub fn run(compilation: &Compilation, stage: Stage) -> String {
    let mut text = String::new();
    let several = compilation
        .documents
        .iter()
        .map(|d| d.queries.len().max(1))
        .sum::<usize>()
        > 1;
    for document in &compilation.documents {
        if stage == Stage::Model {
            if let Some(rule) = document.rule() {
                let _ = writeln!(text, "{}", serde_json::to_string_pretty(rule).unwrap_or_default());
            }
            continue;
        }
        for (index, bound) in document.queries.iter().enumerate() {
            if several {
                let _ = writeln!(text, "// {} query {}", document.file.path, index + 1);
            }
            text.push_str(&match stage {
                Stage::Tokens => rulec_kql::dump_tokens(&bound.parsed),
                Stage::Ast => rulec_kql::dump_ast(&bound.parsed),
                Stage::Ir | Stage::Model => rulec_ir::dump(&bound.ir),
            });
        }
    }
    text
}
