//! `rulec diff`: what changed between two states of a repository, in meaning.
//!
//! In: the name of a revision or folder, and paths. Out: [`Diff`]. Rules are
//! matched by id, wherever their documents are; what cannot be matched so but
//! lies in the same document is the same rule under another id.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
};

use rayon::prelude::*;
use rulec_change::{Bump, Change, Class, Query, RuleChange, Side, Status, TargetStatus};
use rulec_emit::{Target, targets};
use rulec_model::Replacement;
use rulec_read::Document as Read;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    VERSION, cache, emission,
    load::{Loaded, Want, display, load},
    pipeline::{Compilation, Document, Pipeline},
    revision::{self, Former, under},
};

/// What changed; as JSON its schema is `schema/diff.schema.json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Diff {
    /// The version of rulec.
    pub rulec: String,
    /// The old state, as it was named.
    pub from: String,
    /// Rules that differ, in order of id.
    pub rules: Vec<RuleChange>,
    /// Totals.
    pub summary: Summary,
}

/// How many rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// By what became of them.
    pub status: BTreeMap<String, usize>,
    /// Of those that changed, by class.
    pub class: BTreeMap<String, usize>,
    /// By the step of the version they ask for.
    pub bump: BTreeMap<String, usize>,
}

/// Both states, compiled as far as they differ.
pub struct Compared {
    /// What changed.
    pub diff: Diff,
    /// The old documents, under the names they had.
    pub(crate) old: Compilation,
    pub(crate) new: Compilation,
    /// Documents of today that are others than then, by name.
    pub(crate) touched: BTreeSet<String>,
}

/// Compares the repository with what it was.
pub fn run(pipeline: &Pipeline, from: &str, paths: &[PathBuf]) -> Result<Diff, String> {
    Ok(compared(pipeline, from, paths, true)?.diff)
}

pub(crate) fn compared(
    pipeline: &Pipeline,
    from: &str,
    paths: &[PathBuf],
    artifacts: bool,
) -> Result<Compared, String> {
    let Former {
        pipeline: then,
        loaded: mut was,
        prefix,
        files: _kept,
    } = revision::former(pipeline, from)?;
    let old_pipeline = then.as_ref().unwrap_or(pipeline);
    let root = &pipeline.repository.root;
    // Rules that moved out of the paths are looked for everywhere.
    let mut all = pipeline.paths(&[]);
    all.retain(|path| path.exists());
    all.extend(paths.iter().cloned());
    let mut is = load(root, &all, Want::Documents);
    if !prefix.is_empty() {
        is.retain(|loaded| !under(&loaded.file.path, prefix.trim_end_matches('/')));
        follow(&mut was, &is, &prefix);
    }
    let texts: BTreeMap<&str, &str> = was
        .iter()
        .map(|loaded| (loaded.file.path.as_str(), loaded.file.text.as_str()))
        .collect();
    let same: BTreeSet<String> = is
        .iter()
        .filter(|loaded| texts.get(loaded.file.path.as_str()) == Some(&loaded.file.text.as_str()))
        .map(|loaded| loaded.file.path.clone())
        .collect();
    let touched = is
        .iter()
        .map(|loaded| loaded.file.path.clone())
        .filter(|path| !same.contains(path))
        .collect();
    let name = |pipeline: &Pipeline| cache::name(pipeline.setting());
    if name(old_pipeline) == name(pipeline) {
        // The same document under the same circumstances.
        let differs = |loaded: &Loaded| !same.contains(&loaded.file.path);
        was.retain(differs);
        is.retain(differs);
    }
    let old = old_pipeline.compile_loaded(was, &[], false);
    let new = pipeline.compile_loaded(is, &[], false);
    let given: Vec<String> = paths.iter().map(|path| display(root, path)).collect();
    let asked = |path: Option<&String>| {
        given.is_empty() || path.is_some_and(|path| given.iter().any(|folder| under(path, folder)))
    };
    let mut rules = changes(old_pipeline, pipeline, &old, &new, artifacts);
    rules.retain(|rule| asked(rule.old_file.as_ref()) || asked(rule.new_file.as_ref()));
    Ok(Compared {
        diff: Diff::of(from, rules),
        old,
        new,
        touched,
    })
}

/// Compares two states of one document.
pub fn of_documents(pipeline: &Pipeline, old: Document, new: Document, from: &str) -> Compared {
    let compilation = |document| Compilation {
        documents: vec![document],
    };
    let (old, new) = (compilation(old), compilation(new));
    let rules = changes(pipeline, pipeline, &old, &new, true);
    Compared {
        diff: Diff::of(from, rules),
        old,
        new,
        touched: BTreeSet::new(),
    }
}

/// A folder of documents is compared as if it lay where today's documents lie.
fn follow(was: &mut [Loaded], is: &[Loaded], prefix: &str) {
    for loaded in was {
        let Some(rest) = loaded.file.path.strip_prefix(prefix) else {
            continue;
        };
        let end = format!("/{rest}");
        let now = is
            .iter()
            .map(|now| &now.file.path)
            .find(|now| *now == rest || now.ends_with(&end));
        if let Some(now) = now {
            loaded.file.path.clone_from(now);
        }
    }
}

impl Summary {
    fn of(rules: &[RuleChange]) -> Self {
        let mut found = Self::default();
        for rule in rules {
            *found.status.entry(rule.status.as_str().to_owned()).or_default() += 1;
            *found.bump.entry(rule.bump.as_str().to_owned()).or_default() += 1;
            if rule.status == Status::Changed {
                *found.class.entry(rule.class.as_str().to_owned()).or_default() += 1;
            }
        }
        found
    }
}

fn replacement(document: &Document) -> Option<&Replacement> {
    match &document.read.as_ref()?.document {
        Read::Replaced(replacement) => Some(replacement),
        _ => None,
    }
}

fn by_id(compilation: &Compilation) -> BTreeMap<&str, &Document> {
    compilation
        .documents
        .iter()
        .filter_map(|document| Some((document.rule()?.id.as_str(), document)))
        .collect()
}

/// What became of each rule.
pub(crate) fn changes(
    old_pipeline: &Pipeline,
    new_pipeline: &Pipeline,
    old: &Compilation,
    new: &Compilation,
    artifacts: bool,
) -> Vec<RuleChange> {
    let (was, is) = (by_id(old), by_id(new));
    let mut pairs: Vec<(Option<&Document>, Option<&Document>)> = Vec::new();
    let mut left: Vec<&Document> = Vec::new();
    for (id, document) in &was {
        match is.get(id) {
            Some(now) => pairs.push((Some(document), Some(now))),
            None => left.push(document),
        }
    }
    for (id, document) in &is {
        if was.contains_key(id) {
            continue;
        }
        let same = left
            .iter()
            .position(|other| other.file.path == document.file.path);
        pairs.push((same.map(|place| left.remove(place)), Some(document)));
    }
    pairs.extend(left.into_iter().map(|document| (Some(document), None)));
    let mut found: Vec<RuleChange> = pairs
        .par_iter()
        .filter_map(|pair| match pair {
            (Some(a), Some(b)) => {
                let (a, b) = (
                    side(old_pipeline, a, artifacts)?,
                    side(new_pipeline, b, artifacts)?,
                );
                rulec_change::compare(&a, &b)
            }
            (None, Some(document)) => alone(document, Status::Added, None),
            (Some(document), None) => {
                let stub = new
                    .documents
                    .iter()
                    .filter_map(replacement)
                    .find(|stub| document.rule().is_some_and(|rule| rule.id == stub.id));
                let status = if stub.is_some() {
                    Status::Replaced
                } else {
                    Status::Removed
                };
                alone(document, status, stub)
            }
            (None, None) => None,
        })
        .collect();
    found.sort_by(|a, b| (&a.rule, &a.new_file).cmp(&(&b.rule, &b.new_file)));
    found
}

/// A rule that only one side has.
fn alone(document: &Document, status: Status, stub: Option<&Replacement>) -> Option<RuleChange> {
    let rule = document.rule()?;
    let (file, version) = (Some(document.file.path.clone()), Some(rule.version().to_owned()));
    let none = || (None, None);
    let ((old_file, old_version), (new_file, new_version)) = match status {
        Status::Added => (none(), (file, version)),
        _ => ((file, version), none()),
    };
    let class = match status {
        Status::Added => Class::Widens,
        _ => Class::Narrows,
    };
    Some(RuleChange {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        status,
        class,
        bump: Bump::None,
        old_file,
        new_file,
        old_version,
        new_version,
        replaced_by: stub.map(|stub| stub.replaced_by.clone()),
        changes: Vec::new(),
        targets: Vec::new(),
    })
}

/// A document as one side of a comparison.
fn side<'d>(pipeline: &Pipeline, document: &'d Document, artifacts: bool) -> Option<Side<'d>> {
    let rule = document.rule()?;
    let artifacts = if artifacts && document.is_sound() {
        emitted(pipeline, document)
    } else {
        BTreeMap::new()
    };
    Some(Side {
        file: &document.file,
        path: &document.file.path,
        rule,
        places: &document.read.as_ref()?.places,
        queries: document
            .queries
            .iter()
            .map(|bound| Query {
                fragment: &bound.fragment,
                ir: &bound.ir,
                resolved: &bound.resolved,
                sound: bound.sound,
            })
            .collect(),
        artifacts,
    })
}

/// By target the files a rule gives, as if its document had no name and no
/// hash: those differ whenever anything does.
pub(crate) fn emitted(
    pipeline: &Pipeline,
    document: &Document,
) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let mut found: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    let (Ok(context), Some(rule)) = (pipeline.emit_context(), document.rule()) else {
        return found;
    };
    let wanted = &pipeline.repository.config.build.targets;
    let wanted: Vec<&'static dyn Target> = targets::all()
        .iter()
        .copied()
        .filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == target.name()))
        .collect();
    let provenance = rulec_emit::Provenance {
        rulec: VERSION.to_owned(),
        document: String::new(),
        sha256: String::new(),
    };
    for emission in emission::emissions_as(context, &wanted, document, rule, &provenance) {
        let files = found.entry(emission.target.to_owned()).or_default();
        for artifact in emission
            .artifacts
            .into_iter()
            .filter(|artifact| !artifact.verbatim)
        {
            files.insert(artifact.path, artifact.bytes);
        }
    }
    found
}

impl Diff {
    /// Of what became of rules.
    pub(crate) fn of(from: &str, rules: Vec<RuleChange>) -> Self {
        Self {
            rulec: VERSION.to_owned(),
            from: from.to_owned(),
            summary: Summary::of(&rules),
            rules,
        }
    }

    /// Whether any rule differs by more than its looks.
    pub fn is_meaningful(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.status != Status::Changed || rule.class != Class::Cosmetic)
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// As text; `paint` is given the name of a class and words to put in its colour.
    pub fn text(&self, paint: &dyn Fn(&str, &str) -> String) -> String {
        let mut out = String::new();
        for rule in &self.rules {
            let _ = writeln!(out, "{}  {}", rule.rule, rule.title);
            let _ = writeln!(out, "  {}", paint(rule.class.as_str(), &headline(rule)));
            for change in &rule.changes {
                let word = paint(change.class.as_str(), &format!("{:9}", change.class.as_str()));
                let _ = writeln!(
                    out,
                    "  {word} {}: {}{}",
                    change.field,
                    change.text,
                    at(rule, change)
                );
            }
            let moved: Vec<String> = rule
                .targets
                .iter()
                .map(|target| format!("{} {}", target.target, target.status.as_str()))
                .collect();
            if !moved.is_empty() {
                let _ = writeln!(out, "  artifacts: {}", moved.join(", "));
            }
            out.push('\n');
        }
        let _ = writeln!(out, "{}", self.total());
        out
    }

    fn total(&self) -> String {
        if self.rules.is_empty() {
            return format!("no rule differs from {}", self.from);
        }
        let parts: Vec<String> = self
            .summary
            .status
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        format!("against {}: {}", self.from, parts.join(", "))
    }

    /// As Markdown, for a comment under a pull request.
    pub fn markdown(&self) -> String {
        let mut out = format!("### Detection rules: {}\n", plain(&self.total()));
        for rule in &self.rules {
            let _ = write!(
                out,
                "\n#### `{}` {}\n\n**{}**\n",
                rule.rule.replace('`', "'"),
                plain(&rule.title),
                plain(&headline(rule))
            );
            if !rule.changes.is_empty() {
                out.push_str("\n| class | part | change | lines |\n| --- | --- | --- | --- |\n");
            }
            for change in &rule.changes {
                let _ = writeln!(
                    out,
                    "| {} | {} | {} | {} |",
                    change.class.as_str(),
                    plain(&change.field),
                    cell(&change.text),
                    lines(change)
                );
            }
            let moved: Vec<String> = rule
                .targets
                .iter()
                .filter(|target| target.status != TargetStatus::Same)
                .map(|target| format!("{} {}", target.target, target.status.as_str()))
                .collect();
            if !moved.is_empty() {
                let _ = writeln!(out, "\nArtifacts: {}", moved.join(", "));
            }
        }
        out
    }
}

/// "changed, narrows; minor version: 1.2 -> 1.3".
fn headline(rule: &RuleChange) -> String {
    let mut text = match rule.status {
        Status::Added => "added".to_owned(),
        Status::Removed => "removed".to_owned(),
        Status::Replaced => format!(
            "replaced by {}",
            rule.replaced_by.as_deref().unwrap_or("another rule")
        ),
        Status::Broken => "does not compile on both sides".to_owned(),
        Status::Changed => rule.class.as_str().to_owned(),
    };
    match (&rule.old_version, &rule.new_version) {
        (Some(a), Some(b)) if rule.bump == Bump::None && a == b => {
            let _ = write!(text, "; version {a} may stay");
        }
        (Some(a), Some(b)) => {
            let asked = match rule.bump {
                Bump::None => "asks for no new version".to_owned(),
                bump => format!("asks for a {} version", bump.as_str()),
            };
            let _ = write!(text, "; {asked}, {a} -> {b}");
        }
        _ => {}
    }
    text
}

/// `  rules/a.md:12`, in the new document, else in the old one.
fn at(rule: &RuleChange, change: &Change) -> String {
    match (change.new, change.old) {
        (Some(place), _) => format!(
            "  ({}:{})",
            rule.new_file.as_deref().unwrap_or_default(),
            place.line
        ),
        (None, Some(place)) => {
            format!(
                "  (was {}:{})",
                rule.old_file.as_deref().unwrap_or_default(),
                place.line
            )
        }
        (None, None) => String::new(),
    }
}

fn lines(change: &Change) -> String {
    let side = |place: rulec_change::Place| {
        if place.line == place.end_line {
            place.line.to_string()
        } else {
            format!("{}-{}", place.line, place.end_line)
        }
    };
    match (change.old, change.new) {
        (Some(a), Some(b)) => format!("{} -> {}", side(a), side(b)),
        (Some(a), None) => format!("{} (old)", side(a)),
        (None, Some(b)) => side(b),
        (None, None) => String::new(),
    }
}

/// Text that is no markup, and calls nobody's name.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '@' => out.push_str("&#64;"),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A sentence with code in backticks, in a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(out, "`{}`", part.replace('|', "\\|").replace(['\n', '\r'], " "));
        } else {
            out.push_str(&plain(part));
        }
    }
    out
}
