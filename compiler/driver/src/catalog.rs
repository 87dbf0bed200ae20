//! `rulec catalog`: a folder of rules as a static site.

use std::{collections::BTreeMap, path::Path};

use rayon::prelude::*;
use rulec_catalog::{Artifact, Document, Failure, File, Input, Loss, Problem, Query};
use rulec_explain::{Corpus, Explanation};
use rulec_facts::attack::Attack;
use rulec_read::Document as Read;
use rulec_source::{Diagnostic, SourceFile};

use crate::{
    VERSION,
    build::Built,
    data, explain,
    output::Folder,
    pipeline::{self, Compilation, Pipeline},
    repository::Refused,
};

/// How the names of pages end.
const PAGE: &str = ".html";

/// What begins every page of ours, so that only our pages are removed.
const MARK: &str = "<meta name=\"generator\" content=\"rulec ";

impl Pipeline {
    /// The files of the site. Fails on templates and data that cannot be used.
    pub fn site(
        &self,
        compilation: &Compilation,
        built: &Built,
        title: &str,
    ) -> Result<Vec<File>, Box<Refused>> {
        let pack = &self.repository.pack;
        let refuse = |error| data::refused(pack, &error);
        let pinned = &self.repository.config.check.attack;
        let others = Attack::versions(pack).into_iter().filter(|v| v != pinned);
        let attack = std::iter::once(pinned.clone())
            .chain(others)
            .map(|version| Attack::load(pack, &version))
            .collect::<Result<Vec<_>, _>>()
            .map_err(refuse)?;

        let mut rules: Vec<_> = compilation
            .documents
            .iter()
            .filter_map(|document| Some((document, document.rule()?)))
            .collect();
        rules.sort_by(|a, b| (&a.1.id, &a.0.file.path).cmp(&(&b.1.id, &b.0.file.path)));
        let artifacts = built.by_rule();
        let mut losses: BTreeMap<&str, Vec<Loss>> = BTreeMap::new();
        for entry in &built.ledger {
            losses.entry(&entry.rule).or_default().push(Loss {
                target: entry.target,
                construct: entry.loss.construct.clone(),
                effect: entry.loss.effect,
                why: entry.loss.why.clone(),
                line: entry.place.as_ref().map(|(_, line, _)| *line),
            });
        }
        let mut explained: Vec<Vec<Explanation>> = rules
            .par_iter()
            .map(|(document, _)| explain::explanations(self, document))
            .collect();
        let mut corpus = Corpus::default();
        for explanation in explained.iter().flatten() {
            corpus.add(&explanation.rule, &explanation.indicators);
        }
        explained
            .par_iter_mut()
            .flatten()
            .for_each(|explanation| corpus.count(explanation));
        let documents: Vec<Document<'_>> = rules
            .iter()
            .zip(explained)
            .map(|((document, rule), explained)| Document {
                rule,
                path: &document.file.path,
                queries: queries(document, explained),
                problems: document
                    .diagnostics
                    .iter()
                    .map(|d| problem(&document.file, d))
                    .collect(),
                artifacts: artifacts.get(rule.id.as_str()).cloned().unwrap_or_default(),
                losses: losses.get(rule.id.as_str()).cloned().unwrap_or_default(),
            })
            .collect();
        let replaced: Vec<_> = compilation
            .documents
            .iter()
            .filter_map(|document| match &document.read.as_ref()?.document {
                Read::Replaced(replacement) => Some(replacement.clone()),
                _ => None,
            })
            .collect();
        rulec_catalog::catalog(&Input {
            rulec: VERSION,
            title,
            pack,
            attack: &attack,
            events: &self.facts.events,
            documents: &documents,
            replaced: &replaced,
        })
        .map_err(|failure| match failure {
            Failure::Facts(error) => data::refused(pack, &error),
            Failure::Template(error) => {
                let diagnostic = error.to_diagnostic();
                let (file, diagnostic) = data::placed(pack, &diagnostic)
                    .unwrap_or_else(|| (SourceFile::new(error.path.as_str(), ""), diagnostic));
                Box::new(Refused { file, diagnostic })
            }
        })
    }
}

/// A document's queries beside their explanations.
fn queries(document: &pipeline::Document, explanations: Vec<Explanation>) -> Vec<Query<'_>> {
    document
        .queries
        .iter()
        .zip(explanations)
        .map(|(bound, explanation)| Query {
            text: &bound.fragment.text,
            tables: tables(bound, false).map(|table| table.name.clone()).collect(),
            by_pattern: tables(bound, true).count(),
            explanation,
        })
        .collect()
}

/// The tables of a query, those it names or those that it reads by a pattern.
fn tables(bound: &pipeline::Bound, by_pattern: bool) -> impl Iterator<Item = &rulec_ir::TableUse> {
    bound
        .ir
        .tables
        .iter()
        .filter(move |table| table.optional == by_pattern)
}

impl Built {
    /// What is text among the artifacts, by rule.
    fn by_rule(&self) -> BTreeMap<&str, Vec<Artifact<'_>>> {
        let mut found: BTreeMap<&str, Vec<Artifact<'_>>> = BTreeMap::new();
        for (rule, path) in self.owners().filter(|(rule, _)| !rule.is_empty()) {
            let Some(text) = self
                .artifacts
                .get(path)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
            else {
                continue;
            };
            found.entry(rule).or_default().push(Artifact {
                target: path.split('/').next().unwrap_or_default(),
                path,
                text,
            });
        }
        found
    }
}

fn problem(file: &SourceFile, diagnostic: &Diagnostic) -> Problem {
    Problem {
        code: diagnostic.code.id,
        severity: diagnostic.severity,
        message: diagnostic.message.clone(),
        line: diagnostic
            .span()
            .map(|span| file.position(span.start as usize).line),
        help: diagnostic.help.clone(),
    }
}

/// Writes a site below `out`, each file whole, and removes the pages of rules
/// that an earlier one had and this one has not.
pub fn write(files: &[File], out: &Path) -> Result<(), String> {
    let folder = Folder::create(out).map_err(|e| format!("{} cannot be written to: {e}", out.display()))?;
    let failed: Vec<String> = files
        .par_iter()
        .filter_map(|file| {
            let error = folder.write(&file.path, &file.bytes).err()?;
            Some(format!("{} cannot be written: {error}", file.path))
        })
        .collect();
    if !failed.is_empty() {
        return Err(failed.join("\nerror: "));
    }
    for path in folder.files().map_err(|e| e.to_string())? {
        let page = path.starts_with("rules/") && path.ends_with(PAGE);
        if !page || files.iter().any(|file| file.path == path) {
            continue;
        }
        let ours = folder.read(&path).is_some_and(|bytes| {
            let head = bytes.get(..bytes.len().min(2_048)).unwrap_or_default();
            String::from_utf8_lossy(head).contains(MARK)
        });
        if ours {
            folder
                .remove(&path)
                .map_err(|e| format!("{path} cannot be removed: {e}"))?;
        }
    }
    Ok(())
}
