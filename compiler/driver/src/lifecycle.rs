//! The life of a rule: what its status may become, and what a rule that is at
//! its end has to say. The stages are those of docs/change.md.
//!
//! In: the documents that were checked, and those of the repository where a
//! rule refers to one of them. Out: findings, worked out each time, as they
//! rest on several documents. A rule that stands in another's place has to be
//! there, and to be alive itself.

use std::collections::{BTreeMap, BTreeSet};

use rulec_model::{Deprecation, Rule, Status};
use rulec_read::{Document as Read, RuleDoc};
use rulec_source::{Diagnostic, Span};
use serde::{Deserialize, Serialize};

use crate::{check::Checked, codes, pipeline::Pipeline};

/// Replacements that are followed at most, to look for a circle.
const LONGEST: usize = 64;

/// How far a rule is in its life, and what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It runs, or is to run.
    Alive,
    /// It is switched off.
    Ended(Option<String>),
}

/// What a rule says of its status; a rule that says nothing is stable.
pub(crate) fn status(rule: &Rule) -> Status {
    rule.settings
        .status
        .as_ref()
        .map_or(Status::Stable, |said| said.value)
}

/// Whether a rule with this status was given to those who run it.
pub(crate) fn is_released(status: Status) -> bool {
    matches!(status, Status::Stable | Status::Deprecated)
}

/// A status as documents write it.
pub(crate) fn word(status: Status) -> &'static str {
    match status {
        Status::Experimental => "experimental",
        Status::Test => "test",
        Status::Stable => "stable",
        Status::Deprecated => "deprecated",
    }
}

/// What is wrong with the step from one status to another.
pub(crate) fn step(was: Status, is: Status) -> Option<Diagnostic> {
    (is_released(was) && !is_released(is)).then(|| {
        let (was, is) = (word(was), word(is));
        Diagnostic::new(
            codes::STATUS_BACK,
            format!("the rule was released as {was}, and its status is {is} now"),
        )
        .help("deprecate it and give the new one an id of its own, or leave it stable")
    })
}

/// A rule that is gone without having been deprecated.
pub(crate) fn removed(id: &str, was: Status) -> Option<Diagnostic> {
    (was == Status::Stable).then(|| {
        Diagnostic::new(
            codes::REMOVED,
            format!("{id} was released, and is gone without having been deprecated"),
        )
        .help("release it once with `status: deprecated`, or leave a document that says what replaced it")
    })
}

/// A rule that is switched off, by the document that says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    id: String,
    /// The rule in its place.
    by: Option<String>,
    /// Where that one is named.
    place: Span,
}

/// What a document says of its rule's end; none for all others.
pub(crate) fn ended(read: &RuleDoc) -> Option<Ended> {
    match &read.document {
        Read::Rule(rule) if status(rule) == Status::Deprecated => Some(Ended {
            id: rule.id.clone(),
            by: deprecation(rule).and_then(|said| said.replaced_by.clone()),
            place: read.place("/settings/deprecated"),
        }),
        Read::Replaced(stub) => Some(Ended {
            id: stub.id.clone(),
            by: Some(stub.replaced_by.clone()),
            place: read.place("/replaced_by"),
        }),
        Read::Rule(_) | Read::NotARule { .. } => None,
    }
}

fn deprecation(rule: &Rule) -> Option<&Deprecation> {
    rule.settings.deprecated.as_ref().map(|said| &said.value)
}

/// What is wrong with a document by itself: its status and what it says of the
/// rule's end go together.
pub(crate) fn finding(read: &RuleDoc) -> Option<Diagnostic> {
    let rule = read.rule()?;
    match (status(rule), deprecation(rule)) {
        (
            Status::Deprecated,
            None
            | Some(Deprecation {
                replaced_by: None,
                reason: None,
            }),
        ) => Some(
            Diagnostic::new(
                codes::NO_REASON,
                "the rule is deprecated, and neither a reason nor a rule in its place is given",
            )
            .at(read.place("/settings/status"))
            .help("add `deprecated: {replaced_by: ID}` or `deprecated: {reason: …}` to the front matter"),
        ),
        (Status::Deprecated, Some(_)) | (_, None) => None,
        (status, Some(_)) => Some(
            Diagnostic::new(
                codes::NOT_DEPRECATED,
                format!(
                    "the front matter says why the rule is deprecated, and its status is {}",
                    word(status)
                ),
            )
            .at(read.place("/settings/deprecated"))
            .help("write `status: deprecated` as well, or take `deprecated` out"),
        ),
    }
}

impl Checked {
    /// Adds what is wrong with rules that others stand in the place of.
    pub(crate) fn life_cycle(&mut self, pipeline: &Pipeline) {
        let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
        for outcome in &self.documents {
            if let Some(mark) = &outcome.rule {
                stages.insert(mark.id.clone(), Stage::Alive);
            }
            if let Some(ended) = &outcome.ended {
                stages.insert(ended.id.clone(), Stage::Ended(ended.by.clone()));
            }
        }
        let mut by = self
            .documents
            .iter()
            .filter_map(|outcome| outcome.ended.as_ref()?.by.as_ref());
        if by.any(|by| !stages.contains_key(by)) {
            self.add_others(pipeline, &mut stages);
        }
        let config = &pipeline.repository.config;
        for outcome in &mut self.documents {
            let Some(ended) = &outcome.ended else { continue };
            let problem = problem(&stages, ended).map(|problem| problem.at(ended.place));
            outcome
                .diagnostics
                .extend(problem.and_then(|problem| config.level(problem)));
        }
    }

    /// Only some documents were asked for: the others may have it.
    fn add_others(&self, pipeline: &Pipeline, stages: &mut BTreeMap<String, Stage>) {
        let options = rulec_read::Options {
            aliases: &pipeline.aliases,
            defaults: pipeline.repository.config.defaults.clone(),
        };
        let seen: BTreeSet<&str> = self.documents.iter().map(|d| d.file.path.as_str()).collect();
        for loaded in pipeline.load(&[]) {
            if seen.contains(loaded.file.path.as_str()) {
                continue;
            }
            let read = rulec_read::read(&loaded.file, &options);
            if let Some(Ended { id, by, .. }) = ended(&read) {
                stages.entry(id).or_insert(Stage::Ended(by));
            } else if let Some(rule) = read.rule() {
                stages.entry(rule.id.clone()).or_insert(Stage::Alive);
            }
        }
    }
}

/// What is wrong with the rule that stands in another's place.
fn problem(stages: &BTreeMap<String, Stage>, ended: &Ended) -> Option<Diagnostic> {
    let by = ended.by.as_ref()?;
    let mut at = by;
    let mut way = vec![ended.id.as_str()];
    while way.len() < LONGEST {
        if *at == ended.id {
            way.push(at);
            let message = format!("the rule is replaced by itself: {}", way.join(" -> "));
            return Some(
                Diagnostic::new(codes::REPLACED_IN_CIRCLE, message).help("name the rule that is alive"),
            );
        }
        way.push(at);
        match stages.get(at) {
            Some(Stage::Ended(Some(next))) if !way.contains(&next.as_str()) || *next == ended.id => at = next,
            _ => break,
        }
    }
    match stages.get(by) {
        Some(Stage::Alive) => None,
        None => {
            let message = format!("{by}, which stands in the place of {}, is not there", ended.id);
            let help = "name a rule of this repository by its id, or give a reason instead";
            Some(Diagnostic::new(codes::NO_REPLACEMENT, message).help(help))
        }
        Some(Stage::Ended(next)) => {
            let help = match next {
                Some(next) => format!("name {next}, which replaces {by}, if that one is alive"),
                None => "name a rule that is alive, or give a reason instead".to_owned(),
            };
            let message = format!(
                "{by}, which stands in the place of {}, is at its end itself",
                ended.id
            );
            Some(Diagnostic::new(codes::REPLACEMENT_ENDED, message).help(help))
        }
    }
}
