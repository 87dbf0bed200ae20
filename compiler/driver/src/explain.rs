//! `rulec explain`: what rules do, stage by stage.

use rayon::prelude::*;
pub use rulec_explain::Corpus;
use rulec_explain::{Explanation, explanation::Indicator};
use serde::Serialize;
use serde_json::json;

use crate::{
    pipeline::{Compilation, Document, Pipeline},
    report,
};

/// The template of the page, which a repository may replace.
const TEMPLATE: &str = "templates/report/explain.html.j2";

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Text,
    Markdown,
    Json,
    Html,
}

/// The explanations of a document's queries, in order; of one without a rule none.
pub fn explanations(pipeline: &Pipeline, document: &Document) -> Vec<Explanation> {
    inputs(pipeline, document)
        .map(|input| rulec_explain::explain(&input))
        .collect()
}

fn inputs<'a>(
    pipeline: &'a Pipeline,
    document: &'a Document,
) -> impl Iterator<Item = rulec_explain::Input<'a>> {
    let rule = document.rule();
    let queries = document.queries.iter().enumerate();
    queries.filter_map(move |(query, bound)| {
        Some(rulec_explain::Input {
            file: &document.file,
            rule: rule?,
            query,
            fragment: &bound.fragment,
            parsed: &bound.parsed,
            ir: &bound.ir,
            resolved: &bound.resolved,
            facts: &pipeline.facts,
        })
    })
}

/// What the rules of a repository look for, to count by.
pub fn corpus(pipeline: &Pipeline, repository: &Compilation) -> Corpus {
    let all: Vec<(&str, Vec<Indicator>)> = repository
        .documents
        .par_iter()
        .flat_map_iter(|document| inputs(pipeline, document))
        .map(|input| (input.rule.id.as_str(), rulec_explain::indicators(&input)))
        .collect();
    let mut corpus = Corpus::default();
    for (rule, indicators) in &all {
        corpus.add(rule, indicators);
    }
    corpus
}

/// The explanation of every query of every rule that was read; none when there
/// is no rule. `corpus` is what indicators are counted by.
pub fn run(
    pipeline: &Pipeline,
    compilation: &Compilation,
    corpus: &Corpus,
    format: Format,
) -> Option<String> {
    let mut all: Vec<Explanation> = compilation
        .documents
        .iter()
        .flat_map(|document| explanations(pipeline, document))
        .collect();
    for explanation in &mut all {
        corpus.count(explanation);
    }
    if all.is_empty() {
        return None;
    }
    Some(match format {
        Format::Text => joined(&all, rulec_explain::text),
        Format::Markdown => joined(&all, rulec_explain::markdown),
        Format::Json => json(all),
        Format::Html => html(pipeline, &all),
    })
}

fn joined(all: &[Explanation], print: fn(&Explanation) -> String) -> String {
    all.iter().map(print).collect::<Vec<_>>().join("\n")
}

/// One document, whatever was asked for: the first explanation, and the
/// others under `further`.
fn json(mut all: Vec<Explanation>) -> String {
    let mut first = all.remove(0);
    first.further = all;
    let mut value = serde_json::to_value(&first).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.shift_insert(0, "rulec".to_owned(), crate::VERSION.into());
    }
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

/// What the page shows of one explanation.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    explanation: &'a Explanation,
    /// For each stage what it changes among the columns.
    changes: Vec<rulec_explain::Change>,
    /// For each stage the note in front of it.
    notes: Vec<Option<String>>,
    particulars: Vec<Vec<String>>,
    setting_rows: Vec<Vec<String>>,
    entity_rows: Vec<Vec<String>>,
    passed_over_rows: Vec<Vec<String>>,
}

/// One page for all of them.
fn html(pipeline: &Pipeline, all: &[Explanation]) -> String {
    let shown: Vec<Shown<'_>> = all
        .iter()
        .map(|explanation| Shown {
            explanation,
            changes: rulec_explain::changes(explanation),
            notes: rulec_explain::notes(explanation),
            particulars: rulec_explain::particular_rows(explanation),
            setting_rows: rulec_explain::setting_rows(&explanation.settings),
            entity_rows: rulec_explain::entity_rows(&explanation.entities),
            passed_over_rows: rulec_explain::passed_over_rows(&explanation.entities),
        })
        .collect();
    report::render(
        pipeline,
        TEMPLATE,
        json!({ "rulec": crate::VERSION, "explanations": shown }),
    )
}
