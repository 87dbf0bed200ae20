//! Two states of a rule: every difference, its class, and the step of the
//! version it asks for.

use std::collections::BTreeMap;

use rulec_model::{Resolved, Rule};
use rulec_source::{Fragment, SourceFile, Span};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    effect::{Effect, Item},
    fields,
};

/// What a difference touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Layout, comments, names within the query, prose: nobody who runs the rule notices.
    Cosmetic,
    /// What is said about an alert: title, tags, severity, entities, references.
    Metadata,
    /// The same rows with other columns or values.
    Output,
    /// When the rule runs and how far it looks back.
    Schedule,
    /// More rows.
    Widens,
    /// Fewer rows.
    Narrows,
    /// Rows come and others go.
    Both,
    /// Other rows, and it is not known which.
    Changed,
}

impl Class {
    /// Its name in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Metadata => "metadata",
            Self::Output => "output",
            Self::Schedule => "schedule",
            Self::Widens => "widens",
            Self::Narrows => "narrows",
            Self::Both => "both",
            Self::Changed => "changed",
        }
    }

    /// The class of two differences together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.max(other), self.min(other)) {
            (Self::Narrows, Self::Widens) => Self::Both,
            (most, _) => most,
        }
    }

    /// The class of what a difference does to the rows of a query.
    pub fn of(effect: Effect) -> Self {
        match effect {
            Effect::Same => Self::Cosmetic,
            Effect::Output => Self::Output,
            Effect::Widens => Self::Widens,
            Effect::Narrows => Self::Narrows,
            Effect::Both => Self::Both,
            Effect::Changed => Self::Changed,
        }
    }

    /// The least step of the version.
    pub fn bump(self) -> Bump {
        match self {
            Self::Cosmetic => Bump::None,
            Self::Metadata | Self::Output => Bump::Patch,
            Self::Schedule | Self::Widens | Self::Narrows | Self::Both | Self::Changed => Bump::Minor,
        }
    }
}

/// A step of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// The version may stay.
    None,
    /// The third number; the second one where versions have two.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
}

impl Bump {
    /// Its name in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// Lines of a document, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// The first.
    pub line: usize,
    /// The last.
    pub end_line: usize,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// What it touches.
    pub class: Class,
    /// The step of the version it asks for.
    pub bump: Bump,
    /// The part of the rule: `query`, `severity`, `schedule.period`, …
    pub field: String,
    /// What is different, as a sentence without a full stop.
    pub text: String,
    /// Where, in the old document.
    pub old: Option<Place>,
    /// Where, in the new document.
    pub new: Option<Place>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Only the new side has it.
    Added,
    /// Only the old side has it.
    Removed,
    /// Its document now says which rule stands in its place.
    Replaced,
    /// Both have it, and they differ.
    Changed,
    /// It could not be compared: one side does not compile.
    Broken,
}

impl Status {
    /// Its name in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Changed => "changed",
            Self::Broken => "broken",
        }
    }
}

/// What became of what a target is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetStatus {
    /// Only the new side goes there.
    Added,
    /// Only the old side goes there.
    Removed,
    /// Other bytes.
    Changed,
    /// The same bytes.
    Same,
}

impl TargetStatus {
    /// Its name in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Same => "same",
        }
    }
}

/// What became of what a target is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TargetChange {
    /// The target.
    pub target: String,
    /// What became of it.
    pub status: TargetStatus,
    /// The files that differ, below the output folder.
    pub files: Vec<String>,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleChange {
    /// Its id.
    pub rule: String,
    /// Its title, on the new side where there is one.
    pub title: String,
    /// What became of it.
    pub status: Status,
    /// All its differences together.
    pub class: Class,
    /// The step of the version that they ask for.
    pub bump: Bump,
    /// The old document.
    pub old_file: Option<String>,
    /// The new document.
    pub new_file: Option<String>,
    /// The version of the old document.
    pub old_version: Option<String>,
    /// The version of the new document.
    pub new_version: Option<String>,
    /// The rule that stands in its place.
    pub replaced_by: Option<String>,
    /// The differences.
    pub changes: Vec<Change>,
    /// What the targets are given, by name.
    pub targets: Vec<TargetChange>,
}

/// A query of a rule, bound.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Its text and the way back to the document.
    pub fragment: &'a Fragment,
    /// Its algebra.
    pub ir: &'a rulec_ir::Query,
    /// How the rule is run, as this query tells it.
    pub resolved: &'a Resolved,
    /// Whether it parsed and bound without errors.
    pub sound: bool,
}

/// One state of a rule.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// Its document.
    pub file: &'a SourceFile,
    /// The name of the document, which may have moved.
    pub path: &'a str,
    /// What it says.
    pub rule: &'a Rule,
    /// Where, by JSON pointer into the rule.
    pub places: &'a BTreeMap<String, Span>,
    /// Its queries, parallel to the rule's.
    pub queries: Vec<Query<'a>>,
    /// By target the bytes of each file.
    pub artifacts: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

impl Side<'_> {
    /// The lines of a place in the document.
    pub(crate) fn lines(&self, span: Span) -> Place {
        let (start, end) = self.file.positions(span);
        Place {
            line: start.line,
            end_line: end.line,
        }
    }

    /// The lines of a value of the rule, or of what is around it.
    pub(crate) fn at(&self, pointer: &str) -> Option<Place> {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.places.get(pointer) {
                return Some(self.lines(*span));
            }
            pointer = &pointer[..pointer.rfind('/')?];
            if pointer.is_empty() {
                return None;
            }
        }
    }
}

/// What became of a rule; none when both sides are the same.
pub fn compare(old: &Side<'_>, new: &Side<'_>) -> Option<RuleChange> {
    let mut changes = fields::fields(old, new);
    changes.extend(queries(old, new));
    let targets = targets(old, new);
    let artifacts = targets.iter().any(|target| target.status != TargetStatus::Same);
    if changes.is_empty() {
        if old.file.text != new.file.text {
            let text = "the layout of the document".to_owned();
            changes.push(Change::new(Class::Cosmetic, "document", text, (None, None)));
        } else if artifacts {
            // Templates, configuration or rulec itself: not the document.
            let text = "what targets are given, though the document is the same".to_owned();
            changes.push(Change::new(Class::Metadata, "artifacts", text, (None, None)));
        }
    }
    if old.path != new.path {
        let text = format!("the document was {} before", old.path);
        changes.push(Change::new(Class::Cosmetic, "document", text, (None, None)));
    }
    if changes.is_empty() {
        return None;
    }
    let broken = !old.queries.iter().chain(&new.queries).all(|query| query.sound);
    Some(RuleChange {
        rule: new.rule.id.clone(),
        title: new.rule.title.clone(),
        status: if broken { Status::Broken } else { Status::Changed },
        class: changes
            .iter()
            .map(|change| change.class)
            .reduce(Class::and)
            .unwrap_or(Class::Cosmetic),
        bump: changes
            .iter()
            .map(|change| change.bump)
            .max()
            .unwrap_or(Bump::None),
        old_file: Some(old.path.to_owned()),
        new_file: Some(new.path.to_owned()),
        old_version: Some(old.rule.version().to_owned()),
        new_version: Some(new.rule.version().to_owned()),
        replaced_by: None,
        changes,
        targets,
    })
}

impl Change {
    pub(crate) fn new(
        class: Class,
        field: &str,
        text: String,
        places: (Option<Place>, Option<Place>),
    ) -> Self {
        Self {
            class,
            bump: class.bump(),
            field: field.to_owned(),
            text,
            old: places.0,
            new: places.1,
        }
    }

    pub(crate) fn at_least(mut self, bump: Bump) -> Self {
        self.bump = self.bump.max(bump);
        self
    }
}

fn queries(old: &Side<'_>, new: &Side<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    let several = old.queries.len().max(new.queries.len()) > 1;
    for index in 0..old.queries.len().max(new.queries.len()) {
        let field = if several {
            format!("query {}", index + 1)
        } else {
            "query".to_owned()
        };
        match (old.queries.get(index), new.queries.get(index)) {
            (Some(was), Some(is)) => found.extend(query(old, new, was, is, &field)),
            (None, Some(is)) => {
                let places = (None, Some(new.lines(is.fragment.map(all(is)))));
                found.push(Change::new(
                    Class::Widens,
                    &field,
                    "a query is new".to_owned(),
                    places,
                ));
            }
            (Some(was), None) => {
                let places = (Some(old.lines(was.fragment.map(all(was)))), None);
                found.push(Change::new(
                    Class::Narrows,
                    &field,
                    "a query is gone".to_owned(),
                    places,
                ));
            }
            (None, None) => {}
        }
    }
    found
}

/// The whole of a query's text.
fn all(query: &Query<'_>) -> Span {
    Span::new(0, query.fragment.text.len())
}

fn query(old: &Side<'_>, new: &Side<'_>, was: &Query<'_>, is: &Query<'_>, field: &str) -> Vec<Change> {
    let (before, now) = (was.fragment.text.as_str(), is.fragment.text.as_str());
    let whole = (
        Some(old.lines(was.fragment.map(all(was)))),
        Some(new.lines(is.fragment.map(all(is)))),
    );
    if !was.sound || !is.sound {
        if before == now {
            return Vec::new();
        }
        let text = "the query is another one, and does not compile on both sides".to_owned();
        return vec![Change::new(Class::Changed, field, text, whole)];
    }
    let items: Vec<Item> = crate::queries((was.ir, before), (is.ir, now));
    if items.is_empty() && before != now {
        let text = "layout, comments or names within the query".to_owned();
        return vec![Change::new(Class::Cosmetic, field, text, whole)];
    }
    let mut found: Vec<Change> = Vec::new();
    for item in items {
        let places = (
            item.old.map(|span| old.lines(was.fragment.map(span))),
            item.new.map(|span| new.lines(is.fragment.map(span))),
        );
        let class = Class::of(item.effect);
        let bump = if item.table {
            Bump::Major
        } else if item.effect == Effect::Output && item.new.is_some() && item.old.is_some() {
            // Somebody may read the column that is gone or another one.
            Bump::Minor
        } else {
            Bump::None
        };
        let change = Change::new(class, field, item.text, places).at_least(bump);
        // A let binding that is used twice changes twice.
        if !found.contains(&change) {
            found.push(change);
        }
    }
    found
}

fn targets(old: &Side<'_>, new: &Side<'_>) -> Vec<TargetChange> {
    let names: std::collections::BTreeSet<&String> =
        old.artifacts.keys().chain(new.artifacts.keys()).collect();
    names
        .into_iter()
        .map(|target| {
            let none = BTreeMap::new();
            let was = old.artifacts.get(target).unwrap_or(&none);
            let is = new.artifacts.get(target).unwrap_or(&none);
            let mut files: Vec<String> = was
                .keys()
                .chain(is.keys())
                .filter(|path| was.get(*path) != is.get(*path))
                .cloned()
                .collect();
            files.sort();
            files.dedup();
            let status = match (was.is_empty(), is.is_empty(), files.is_empty()) {
                (_, _, true) => TargetStatus::Same,
                (true, ..) => TargetStatus::Added,
                (_, true, _) => TargetStatus::Removed,
                _ => TargetStatus::Changed,
            };
            TargetChange {
                target: target.clone(),
                status,
                files,
            }
        })
        .collect()
}
