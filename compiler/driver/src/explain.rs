//! `rulec explain`: what rules do, stage by stage.

use crate::pipeline::{Compilation, Pipeline};

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Text,
    Markdown,
    Json,
}

/// The explanation of every query of every rule that was read.
pub fn run(pipeline: &Pipeline, compilation: &Compilation, format: Format) -> String {
    let mut parts = Vec::new();
    for document in &compilation.documents {
        let Some(rule) = document.rule() else { continue };
        for (index, bound) in document.queries.iter().enumerate() {
            let explanation = rulec_explain::explain(&rulec_explain::Input {
                file: &document.file,
                rule,
                query: index,
                fragment: &bound.fragment,
                parsed: &bound.parsed,
                ir: &bound.ir,
                resolved: &bound.resolved,
                facts: &pipeline.facts,
            });
            parts.push(match format {
                Format::Text => rulec_explain::text(&explanation),
                Format::Markdown => rulec_explain::markdown(&explanation),
                Format::Json => {
                    let mut value = serde_json::to_value(&explanation).unwrap_or_default();
                    if let Some(object) = value.as_object_mut() {
                        object.shift_insert(0, "rulec".to_owned(), crate::VERSION.into());
                    }
                    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
                    text.push('\n');
                    text
                }
            });
        }
    }
    parts.join("\n")
}
