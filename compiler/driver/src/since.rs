//! `rulec check --since REV`: whether what changed since a revision is told in
//! the version histories.
//!
//! In: the name of a revision or folder. Out: findings at the rows of the
//! histories, and which documents were touched. Those that were not are left
//! out of the report: they are not what a pull request is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use rulec_change::{Bump, ProblemKind, Status, history};
use rulec_model::Rule;
use rulec_source::{Code, Diagnostic, SourceFile, Span};

use crate::{
    check::{Checked, Outcome},
    codes,
    diff::{Compared, compared},
    lifecycle,
    pipeline::{Document, Pipeline},
};

/// What a revision says about the documents of today.
pub struct Since {
    /// Documents that are others than then, or whose rule is.
    touched: BTreeSet<String>,
    findings: BTreeMap<String, Vec<Diagnostic>>,
    /// Documents that are gone, with what is wrong about that.
    gone: Vec<(SourceFile, Diagnostic)>,
}

fn code(kind: ProblemKind) -> Code {
    match kind {
        ProblemKind::NotBumped => codes::NOT_BUMPED,
        ProblemKind::TooSmall => codes::SMALL_BUMP,
        ProblemKind::Backwards => codes::VERSION_BACK,
        ProblemKind::NoDate => codes::VERSION_DATE,
        ProblemKind::NoNotes => codes::VERSION_NOTES,
        ProblemKind::Edited => codes::HISTORY_EDITED,
    }
}

/// Compares the repository with what it was.
pub fn run(pipeline: &Pipeline, from: &str, paths: &[PathBuf]) -> Result<Since, String> {
    let compared = compared(pipeline, from, paths, false)?;
    let mut findings: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for (file, diagnostic) in problems(&compared) {
        findings.entry(file.path).or_default().push(diagnostic);
    }
    let mut gone = Vec::new();
    for rule in &compared.diff.rules {
        let former = compared
            .old
            .documents
            .iter()
            .filter(|document| {
                rule.status == Status::Removed && Some(&document.file.path) == rule.old_file.as_ref()
            })
            .find_map(Document::rule);
        if let Some(problem) = former.and_then(|rule| lifecycle::removed(&rule.id, lifecycle::status(rule))) {
            let path = rule.old_file.clone().unwrap_or_default();
            gone.push((SourceFile::new(path, ""), problem));
        }
    }
    let mut touched = compared.touched;
    touched.extend(compared.diff.rules.into_iter().filter_map(|rule| rule.new_file));
    Ok(Since {
        touched,
        findings,
        gone,
    })
}

/// What is wrong with the version histories, with the document of today.
pub fn problems(compared: &Compared) -> Vec<(SourceFile, Diagnostic)> {
    let Compared { diff, old, new, .. } = compared;
    let find = |documents: &'_ [Document], path: Option<&String>| -> Option<usize> {
        documents
            .iter()
            .position(|document| Some(&document.file.path) == path)
    };
    let mut found = Vec::new();
    for rule in &diff.rules {
        let Some(place) = find(&new.documents, rule.new_file.as_ref()) else {
            continue;
        };
        let document = &new.documents[place];
        let former: Option<&Rule> =
            find(&old.documents, rule.old_file.as_ref()).and_then(|place| old.documents[place].rule());
        let (Some(is), Some(was)) = (document.rule(), former) else {
            continue;
        };
        // What does not compile is told elsewhere, and says nothing of what it means.
        if rule.status == Status::Broken && !document.is_sound() {
            continue;
        }
        let about: Vec<String> = rule
            .changes
            .iter()
            .filter(|change| change.bump == rule.bump && rule.bump != Bump::None)
            .take(3)
            .map(|change| format!("{} ({}): {}", change.field, change.class.as_str(), change.text))
            .collect();
        if let Some(problem) = lifecycle::step(lifecycle::status(was), lifecycle::status(is)) {
            found.push((
                document.file.clone(),
                problem.at(span(document, "/settings/status")),
            ));
        }
        for problem in history(was, is, rule.bump) {
            let mut diagnostic = Diagnostic::new(code(problem.kind), problem.message)
                .at(span(document, &problem.pointer))
                .help(problem.help);
            if matches!(problem.kind, ProblemKind::NotBumped | ProblemKind::TooSmall) {
                for line in &about {
                    diagnostic = diagnostic.note(line.clone());
                }
            }
            found.push((document.file.clone(), diagnostic));
        }
    }
    found
}

/// Where a value of the rule stands; the title where there is no such place.
fn span(document: &Document, pointer: &str) -> Span {
    let Some(read) = &document.read else {
        return Span::default();
    };
    let found = read.place(pointer);
    if found == Span::default() {
        read.place("/title")
    } else {
        found
    }
}

impl Checked {
    /// Only what a revision makes worth telling, with what it adds.
    pub fn since(&mut self, pipeline: &Pipeline, since: &Since) {
        let config = &pipeline.repository.config;
        self.documents
            .retain(|outcome| since.touched.contains(&outcome.file.path));
        self.suppressed
            .retain(|lived| since.touched.contains(&lived.file.path));
        for outcome in &mut self.documents {
            let found = since.findings.get(&outcome.file.path).into_iter().flatten();
            // rulec.lock may have said so already.
            let known: Vec<Code> = outcome.diagnostics.iter().map(|known| known.code).collect();
            let new = found.filter(|found| found.code != codes::STATUS_BACK || !known.contains(&found.code));
            outcome
                .diagnostics
                .extend(new.cloned().filter_map(|diagnostic| config.level(diagnostic)));
            outcome
                .diagnostics
                .sort_by_key(|d| d.span().map_or((0, 0), |s| (s.start, s.end)));
        }
        for (file, problem) in &since.gone {
            let diagnostics: Vec<Diagnostic> = config.level(problem.clone()).into_iter().collect();
            if !diagnostics.is_empty() {
                self.documents.push(Outcome::new(file.clone(), None, diagnostics));
            }
        }
    }
}
