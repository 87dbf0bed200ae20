//! `rulec check`: what is wrong with documents.
//!
//! In: paths. Out: the findings of each document, and of all together. What was
//! found out about a document before is taken from the cache, when nothing it
//! rests on has changed: the document, its path, the configuration, the
//! repository's data and the compiler. What rests on several documents, such
//! as two with one id, is worked out each time.

use std::{collections::BTreeMap, path::PathBuf};

use rayon::prelude::*;
use rulec_read::RuleDoc;
use rulec_source::{Code, Diagnostic, SourceFile, Span, Suppression, render};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    cache, codes, environment,
    kept::Kept,
    lifecycle::{self, Ended},
    list,
    load::Loaded,
    lock,
    pipeline::{Document, Pipeline, duplicates, is_broken, no_documents, summary},
    scaffold::day,
    suppress,
};

/// What is wrong with documents, in the order they were given.
pub struct Checked {
    pub(crate) documents: Vec<Outcome>,
    pub(crate) suppressed: Vec<Lived>,
}

/// What is wrong with one document.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) file: SourceFile,
    /// When it holds a rule.
    pub(crate) rule: Option<Mark>,
    /// When it says that a rule is switched off; only [`Pipeline::check`] looks.
    pub(crate) ended: Option<Ended>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    pub(crate) fn new(file: SourceFile, rule: Option<Mark>, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            file,
            rule,
            ended: None,
            diagnostics,
        }
    }
}

/// A finding that a document lives with.
pub(crate) struct Lived {
    pub(crate) file: SourceFile,
    rule: Option<String>,
    diagnostic: Diagnostic,
    suppression: Suppression,
}

/// How a document names its rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) id: String,
    /// Where; none when the name of the file is all there is.
    pub(crate) place: Option<Span>,
}

impl Pipeline {
    /// Reads, binds and lints documents. Never fails: what is wrong is in the findings.
    /// `now`, in ticks, decides which suppressions have ended.
    pub fn check(&self, paths: &[PathBuf], now: i64) -> Checked {
        let loaded = self.load(paths);
        let known = Known::open(self);
        let checked: Vec<(Option<String>, Outcome)> = loaded
            .into_par_iter()
            .map(|loaded| self.outcome(loaded, &known))
            .collect();
        known.keep(self, &checked);
        // What is kept does not depend on the day, so this comes behind it.
        let today = day(now);
        let codes = list::codes();
        let (documents, suppressed): (Vec<Outcome>, Vec<Vec<Lived>>) = checked
            .into_par_iter()
            .map(|(_, mut outcome)| {
                let found = &mut outcome.diagnostics;
                let taken = suppress::apply(&outcome.file, found, &codes, &self.aliases, &today);
                let lived = taken.into_iter().map(|(diagnostic, suppression)| Lived {
                    file: outcome.file.clone(),
                    rule: outcome.rule.as_ref().map(|rule| rule.id.clone()),
                    diagnostic,
                    suppression,
                });
                let lived = lived.collect();
                // Lints have their level already; this is for what other stages said.
                let found = std::mem::take(&mut outcome.diagnostics).into_iter();
                outcome.diagnostics = found.filter_map(|d| self.repository.config.level(d)).collect();
                (outcome, lived)
            })
            .unzip();
        let mut checked = Checked::new(self, paths, documents);
        checked.suppressed = suppressed.into_iter().flatten().collect();
        checked
    }

    /// The name under which something about a document is kept; none without a cache.
    pub(crate) fn kept_name(&self, file: &SourceFile) -> Option<String> {
        self.cache.is_on().then(|| {
            let mut all = Sha256::new();
            cache::part(&mut all, file.path.as_bytes());
            cache::part(&mut all, file.text.as_bytes());
            cache::name(all)
        })
    }

    /// The findings of one document, and the name they are kept under.
    fn outcome(&self, loaded: Loaded, known: &Known) -> (Option<String>, Outcome) {
        if let Some(problem) = loaded.problem {
            return (None, Outcome::new(loaded.file, None, vec![problem]));
        }
        let name = self.kept_name(&loaded.file);
        if let Some(found) = name.as_ref().and_then(|name| known.find(name)) {
            let (rule, ended, diagnostics) = found;
            let mut outcome = Outcome::new(loaded.file, rule, diagnostics);
            outcome.ended = ended;
            return (name, outcome);
        }
        let mut document = self.document(loaded.file);
        self.add_refusals(&mut document);
        let mut outcome = Outcome::new(document.file, None, document.diagnostics);
        if let Some(read) = &document.read {
            outcome.rule = mark(read);
            outcome.ended = lifecycle::ended(read);
            outcome.diagnostics.extend(lifecycle::finding(read));
        }
        (name, outcome)
    }
}

impl Document {
    /// How it names its rule.
    pub(crate) fn mark(&self) -> Option<Mark> {
        mark(self.read.as_ref()?)
    }
}

fn mark(read: &RuleDoc) -> Option<Mark> {
    let places = &read.places;
    read.rule().map(|rule| Mark {
        id: rule.id.clone(),
        place: places.get("/id").or_else(|| places.get("/title")).copied(),
    })
}

impl Checked {
    /// Adds what is wrong with the documents together.
    pub(crate) fn new(pipeline: &Pipeline, paths: &[PathBuf], mut documents: Vec<Outcome>) -> Self {
        duplicates(
            documents
                .iter_mut()
                .map(|d| (d.file.path.as_str(), d.rule.clone(), &mut d.diagnostics)),
        );
        if documents.is_empty() {
            let (file, diagnostic) = no_documents(pipeline, paths);
            documents.push(Outcome::new(file, None, vec![diagnostic]));
        }
        let ids = documents
            .iter()
            .filter_map(|d| Some(d.rule.as_ref()?.id.as_str()));
        // Last: what documents give is paired with them by their order.
        if let Some((file, diagnostics)) = pipeline.environment_findings(&ids.collect()) {
            documents.push(Outcome::new(file, None, diagnostics));
        }
        Self {
            documents,
            suppressed: Vec::new(),
        }
    }

    /// Adds rules that are released, by rulec.lock, and have no fixture.
    pub fn against_fixtures(&mut self, pipeline: &Pipeline) -> Result<(), String> {
        let released = lock::released(pipeline)?;
        let config = &pipeline.repository.config;
        let fixtures = pipeline.repository.path(&config.repository.fixtures);
        for outcome in &mut self.documents {
            let Some(mark) = &outcome.rule else { continue };
            if !released.contains(&mark.id) || fixtures.join(format!("{}.yaml", mark.id)).is_file() {
                continue;
            }
            let message = format!("{} is released and nothing tests it", mark.id);
            let diagnostic = Diagnostic::new(codes::RELEASED_UNTESTED, message)
                .at(mark.place.unwrap_or_default())
                .help(format!(
                    "write {}/{}.yaml with a case that fires and one that does not",
                    config.repository.fixtures, mark.id
                ));
            outcome.diagnostics.extend(config.level(diagnostic));
        }
        Ok(())
    }

    /// What kept rules from compiling.
    pub fn errors(&self) -> Vec<render::Finding<'_>> {
        let mut findings = self.findings();
        findings.retain(|finding| is_broken(finding.diagnostic));
        findings
    }

    /// All findings, document by document.
    pub fn findings<'d>(&'d self) -> Vec<render::Finding<'d>> {
        let findings = |document: &'d Outcome| {
            let rule = document.rule.as_ref().map(|rule| rule.id.as_str());
            let finding = move |diagnostic| render::Finding {
                file: &document.file,
                rule,
                diagnostic,
            };
            let said = move |d: &&Diagnostic| !environment::is_repeated(&document.file, d);
            document.diagnostics.iter().filter(said).map(finding)
        };
        self.documents.iter().flat_map(findings).collect()
    }

    /// The findings that documents live with, document by document.
    pub fn suppressed(&self) -> Vec<render::Suppressed<'_>> {
        let lived = self.suppressed.iter().map(|lived| render::Suppressed {
            finding: render::Finding {
                file: &lived.file,
                rule: lived.rule.as_deref(),
                diagnostic: &lived.diagnostic,
            },
            suppression: &lived.suppression,
        });
        lived.collect()
    }

    /// Whether every file that was asked for could be read.
    pub fn is_complete(&self) -> bool {
        let unread = [
            codes::UNREADABLE,
            codes::NOT_UTF8,
            codes::TOO_LARGE,
            codes::BAD_DATA,
        ];
        let mut all = self.documents.iter().flat_map(|d| &d.diagnostics);
        !all.any(|d| unread.contains(&d.code))
    }

    /// The names of all documents.
    pub fn files(&self) -> Vec<&str> {
        self.documents.iter().map(|d| d.file.path.as_str()).collect()
    }

    /// Totals.
    pub fn summary(&self) -> render::Summary {
        summary(
            self.documents
                .iter()
                .map(|d| (d.rule.is_some(), &d.file, d.diagnostics.as_slice())),
        )
    }
}

/// Findings of documents, by what they rest on. One file holds those of a
/// whole repository: five thousand are read faster than five thousand files.
struct Known {
    /// Of the setting; all documents share it.
    name: String,
    entries: BTreeMap<String, Entry>,
    codes: Vec<Code>,
}

/// What is kept of a document.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    rule: Option<Mark>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<Kept>,
}

/// The folder in the cache.
const KIND: &str = "check";
/// Entries of earlier runs that are kept beside those of this one, at most:
/// a branch that is left may be come back to.
const MOST_OTHERS: usize = 20_000;

impl Known {
    fn open(pipeline: &Pipeline) -> Self {
        let name = cache::name(pipeline.setting());
        let bytes = pipeline.cache.read(KIND, &name);
        Self {
            entries: bytes
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .unwrap_or_default(),
            codes: list::codes(),
            name,
        }
    }

    fn find(&self, name: &str) -> Option<(Option<Mark>, Option<Ended>, Vec<Diagnostic>)> {
        let entry = self.entries.get(name)?;
        let diagnostics = entry.diagnostics.iter().map(|kept| kept.diagnostic(&self.codes));
        Some((
            entry.rule.clone(),
            entry.ended.clone(),
            diagnostics.collect::<Option<_>>()?,
        ))
    }

    /// Keeps what was found out, unless all of it was known.
    fn keep(self, pipeline: &Pipeline, checked: &[(Option<String>, Outcome)]) {
        let new: Vec<(&String, &Outcome)> = checked
            .iter()
            .filter_map(|(name, outcome)| Some((name.as_ref()?, outcome)))
            .filter(|(name, _)| !self.entries.contains_key(*name))
            .collect();
        if new.is_empty() {
            return;
        }
        let mut entries = self.entries;
        if entries.len() > checked.len() + MOST_OTHERS {
            let asked: std::collections::BTreeSet<&String> =
                checked.iter().filter_map(|(name, _)| name.as_ref()).collect();
            entries.retain(|name, _| asked.contains(name));
        }
        for (name, outcome) in new {
            let entry = Entry {
                rule: outcome.rule.clone(),
                ended: outcome.ended.clone(),
                diagnostics: outcome.diagnostics.iter().map(Kept::of).collect(),
            };
            entries.insert(name.clone(), entry);
        }
        if let Ok(bytes) = serde_json::to_vec(&entries) {
            pipeline.cache.write(KIND, &self.name, &bytes);
        }
    }
}
