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
use rulec_source::{Diagnostic, SourceFile, Span};

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

/// What a document says of its end.
struct Said {
    id: String,
    stage: Stage,
    /// Of the rule that stands in its place.
    place: Span,
    found: Vec<Diagnostic>,
}

/// None for a document that is no rule and says nothing of one.
fn said(read: &RuleDoc) -> Option<Said> {
    match &read.document {
        Read::Rule(rule) => {
            let status = status(rule);
            let deprecation = rule.settings.deprecated.as_ref().map(|said| &said.value);
            let place = read.place("/settings/deprecated");
            let mut found = Vec::new();
            match (status, deprecation) {
                (
                    Status::Deprecated,
                    None
                    | Some(Deprecation {
                        replaced_by: None,
                        reason: None,
                    }),
                ) => {
                    found.push(
                        Diagnostic::new(
                            codes::NO_REASON,
                            "the rule is deprecated, and neither a reason nor a rule in its place is given",
                        )
                        .at(read.place("/settings/status"))
                        .help("add `deprecated: {replaced_by: ID}` or `deprecated: {reason: …}` to the front matter"),
                    );
                }
                (Status::Deprecated, Some(_)) | (_, None) => {}
                (status, Some(_)) => found.push(
                    Diagnostic::new(
                        codes::NOT_DEPRECATED,
                        format!(
                            "the front matter says why the rule is deprecated, and its status is {}",
                            word(status)
                        ),
                    )
                    .at(place)
                    .help("write `status: deprecated` as well, or take `deprecated` out"),
                ),
            }
            let stage = match status {
                Status::Deprecated => Stage::Ended(deprecation.and_then(|said| said.replaced_by.clone())),
                _ => Stage::Alive,
            };
            Some(Said {
                id: rule.id.clone(),
                stage,
                place,
                found,
            })
        }
        Read::Replaced(stub) => Some(Said {
            id: stub.id.clone(),
            stage: Stage::Ended(Some(stub.replaced_by.clone())),
            place: read.place("/replaced_by"),
            found: Vec::new(),
        }),
        Read::NotARule { .. } => None,
    }
}

/// Whether a document may say that a rule is at its end; all others need not be read again.
fn may_say(file: &SourceFile, is_rule: bool) -> bool {
    !is_rule || file.text.contains("deprecated")
}

impl Checked {
    /// Adds what is wrong with rules that are deprecated or replaced.
    pub(crate) fn life_cycle(&mut self, pipeline: &Pipeline) {
        let options = rulec_read::Options {
            aliases: &pipeline.aliases,
            defaults: pipeline.repository.config.defaults.clone(),
        };
        let read = |file: &SourceFile| said(&rulec_read::read(file, &options));
        let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
        let mut ended: Vec<(usize, Said)> = Vec::new();
        for (at, outcome) in self.documents.iter_mut().enumerate() {
            if let Some(mark) = &outcome.rule {
                stages.insert(mark.id.clone(), Stage::Alive);
            }
            if !may_say(&outcome.file, outcome.rule.is_some()) {
                continue;
            }
            let Some(mut said) = read(&outcome.file) else {
                continue;
            };
            outcome.diagnostics.append(&mut said.found);
            stages.insert(said.id.clone(), said.stage.clone());
            ended.push((at, said));
        }
        ended.retain(|(_, said)| matches!(&said.stage, Stage::Ended(Some(_))));
        let missing = |stages: &BTreeMap<String, Stage>, said: &Said| match &said.stage {
            Stage::Ended(Some(by)) => !stages.contains_key(by),
            _ => false,
        };
        if ended.iter().any(|(_, said)| missing(&stages, said)) {
            // Only some documents were asked for: the others may have it.
            let seen: BTreeSet<&str> = self.documents.iter().map(|d| d.file.path.as_str()).collect();
            for loaded in pipeline.load(&[]) {
                if !seen.contains(loaded.file.path.as_str())
                    && let Some(said) = read(&loaded.file)
                {
                    stages.entry(said.id).or_insert(said.stage);
                }
            }
        }
        for (at, said) in ended {
            if let Some(problem) = problem(&stages, &said) {
                self.documents[at].diagnostics.push(problem.at(said.place));
            }
        }
        let config = &pipeline.repository.config;
        for outcome in &mut self.documents {
            let found = std::mem::take(&mut outcome.diagnostics).into_iter();
            outcome.diagnostics = found
                .filter_map(|found| {
                    if codes::LIFE.contains(&found.code) {
                        config.level(found)
                    } else {
                        Some(found)
                    }
                })
                .collect();
        }
    }
}

/// What is wrong with the rule that stands in another's place.
fn problem(stages: &BTreeMap<String, Stage>, said: &Said) -> Option<Diagnostic> {
    let Stage::Ended(Some(by)) = &said.stage else {
        return None;
    };
    let mut at = by;
    let mut way = vec![said.id.as_str()];
    while way.len() < LONGEST {
        if *at == said.id {
            way.push(at);
            let message = format!("the rule is replaced by itself: {}", way.join(" -> "));
            return Some(
                Diagnostic::new(codes::REPLACED_IN_CIRCLE, message).help("name the rule that is alive"),
            );
        }
        way.push(at);
        match stages.get(at) {
            Some(Stage::Ended(Some(next))) if !way.contains(&next.as_str()) || *next == said.id => at = next,
            _ => break,
        }
    }
    match stages.get(by) {
        Some(Stage::Alive) => None,
        None => {
            let message = format!("{by}, which stands in the place of {}, is not there", said.id);
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
                said.id
            );
            Some(Diagnostic::new(codes::REPLACEMENT_ENDED, message).help(help))
        }
    }
}
