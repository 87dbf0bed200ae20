//! `rulec.lock`: what was released under which version.
//!
//! In: documents. Out: the text of the file, sorted and the same on every
//! machine, and findings about rules whose content is another one under the
//! version that the file names. It is written by `rulec lock` only.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use rayon::prelude::*;
use rulec_model::Status;
use rulec_read::Document as Read;
use rulec_source::{Diagnostic, SourceFile};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{
    cache::part,
    check::Checked,
    codes, diff, lifecycle, manifest,
    pipeline::{Document, Pipeline, hex},
};

/// The name of the file, in the root of the repository.
pub const FILE: &str = "rulec.lock";

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    /// Of the format.
    format: u32,
    attack: String,
    schema: String,
    /// SHA-256 of what rulec.toml says for all rules.
    #[serde(default)]
    defaults: String,
    #[serde(default)]
    rule: Vec<Locked>,
}

/// A rule as it was released.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    id: String,
    version: String,
    /// SHA-256 of what the rule means and says about its alerts.
    content: String,
    /// SHA-256 of the document: where it is the same, nothing else is looked at.
    #[serde(default)]
    document: String,
    /// Where it is not stable.
    #[serde(default)]
    status: Status,
    /// SHA-256 of each artifact, without where it came from.
    #[serde(default)]
    artifacts: BTreeMap<String, String>,
}

/// What `rulec lock` found.
pub struct Report {
    /// What the file should be.
    pub text: String,
    /// Whether it is.
    pub is_current: bool,
    /// Released versions with other content, with their documents.
    pub broken: Vec<(SourceFile, String, Diagnostic)>,
    /// Documents that do not compile and are left out.
    pub skipped: Vec<String>,
    /// How many rules the file names.
    pub rules: usize,
}

/// SHA-256 of what a rule means and says about its alerts: queries in canonical
/// form, settings, names and tags; no prose, no version history.
fn content(document: &Document) -> Option<String> {
    let rule = document.rule()?;
    let mut all = Sha256::new();
    let mut add = |value: &dyn erased::Json| part(&mut all, &value.bytes());
    add(&(&rule.id, &rule.title, rule.kind, &rule.attack, &rule.data_sources));
    add(&(&rule.os, &rule.fp_rate, rule.section("false_positives")));
    for bound in &document.queries {
        let resolved = &bound.resolved;
        add(&rulec_change::meaning(&bound.ir, &bound.fragment.text));
        add(&(
            resolved.status.value,
            resolved.severity.value,
            &resolved.targets.value,
            resolved.kind.value,
            resolved.frequency.value,
            resolved.period.value,
            resolved.trigger.value,
            &resolved.entities.value,
            &resolved.custom_details.value,
            resolved.suppression.value,
        ));
        add(&(
            resolved.alert.as_ref().map(|said| &said.value),
            resolved.grouping.as_ref().map(|said| &said.value),
        ));
    }
    Some(hex(&all.finalize()))
}

mod erased {
    //! Values of several types as JSON.

    pub(super) trait Json {
        fn bytes(&self) -> Vec<u8>;
    }

    impl<T: serde::Serialize> Json for T {
        fn bytes(&self) -> Vec<u8> {
            serde_json::to_vec(self).unwrap_or_default()
        }
    }
}

fn locked(pipeline: &Pipeline, document: &Document) -> Option<Locked> {
    let rule = document.rule()?;
    let artifacts = diff::emitted(pipeline, document).into_values().flatten();
    Some(Locked {
        id: rule.id.clone(),
        version: rule.version().to_owned(),
        content: content(document)?,
        document: hex(&Sha256::digest(document.file.text.as_bytes())),
        status: lifecycle::status(rule),
        artifacts: artifacts
            .map(|(path, bytes)| (path, hex(&Sha256::digest(bytes))))
            .collect(),
    })
}

impl Lock {
    /// The file of the repository; none when there is none.
    fn read(pipeline: &Pipeline) -> Result<Option<Self>, String> {
        let Ok(text) = fs::read_to_string(pipeline.repository.path(FILE)) else {
            return Ok(None);
        };
        let lock: Self =
            toml::from_str(&text).map_err(|error| format!("{FILE} cannot be read: {}", error.message()))?;
        if lock.format == 1 {
            Ok(Some(lock))
        } else {
            Err(format!(
                "{FILE} is of format {}, and this rulec knows 1",
                lock.format
            ))
        }
    }

    fn text(&self) -> String {
        // A text of JSON is one of TOML.
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let mut out = "# Written by `rulec lock`: what was released under which version.\n".to_owned();
        let _ = writeln!(out, "format = {}", self.format);
        let _ = writeln!(out, "attack = {}", quoted(&self.attack));
        let _ = writeln!(out, "schema = {}", quoted(&self.schema));
        let _ = writeln!(out, "defaults = {}", quoted(&self.defaults));
        for rule in &self.rule {
            let _ = write!(
                out,
                "\n[[rule]]\nid = {}\nversion = {}\ncontent = {}\n",
                quoted(&rule.id),
                quoted(&rule.version),
                quoted(&rule.content)
            );
            let _ = writeln!(out, "document = {}", quoted(&rule.document));
            if rule.status != Status::Stable {
                let _ = writeln!(out, "status = {}", quoted(lifecycle::word(rule.status)));
            }
            if !rule.artifacts.is_empty() {
                out.push_str("[rule.artifacts]\n");
            }
            for (path, hash) in &rule.artifacts {
                let _ = writeln!(out, "{} = {}", quoted(path), quoted(hash));
            }
        }
        out
    }

    fn find(&self, id: &str) -> Option<&Locked> {
        self.rule.iter().find(|rule| rule.id == id)
    }
}

impl Locked {
    /// What is wrong with the rule as it is now, under its version.
    fn problem(&self, now: &Self) -> Option<Diagnostic> {
        if let Some(problem) = lifecycle::step(self.status, now.status) {
            return Some(problem);
        }
        (self.version == now.version && self.content != now.content).then(|| {
            Diagnostic::new(
                codes::LOCK_BROKEN,
                format!("version {} was released with other content", now.version),
            )
            .help(
                "add a row to the version history, then run `rulec lock`; `rulec diff REV` says what changed",
            )
        })
    }
}

/// Everything under schema/ that rules are read and bound with.
fn schema(pipeline: &Pipeline) -> String {
    manifest::files_sha256(&pipeline.repository.pack, "schema/")
}

/// What rulec.toml says that a rule's content may rest on.
fn defaults(pipeline: &Pipeline) -> String {
    let config = &pipeline.repository.config;
    let said = format!("{:?} {:?}", config.defaults, config.deduplication);
    hex(&Sha256::digest(said.as_bytes()))
}

/// What the lock file should be. A released version keeps what it was released
/// with: such rules are findings, and keep their entries unless `force`.
pub fn run(pipeline: &Pipeline, force: bool) -> Result<Report, String> {
    let former = Lock::read(pipeline)?.unwrap_or_default();
    let compilation = pipeline.compile_to_run(&[]);
    let rules: Vec<(&Document, Locked)> = compilation
        .documents
        .par_iter()
        .filter(|document| document.is_sound())
        .filter_map(|document| Some((document, locked(pipeline, document)?)))
        .collect();
    let skipped = compilation
        .documents
        .iter()
        .filter(|document| document.rule().is_some() && !document.is_sound())
        .map(|document| document.file.path.clone())
        .collect();
    let mut broken = Vec::new();
    let mut lock = Lock {
        format: 1,
        attack: pipeline.repository.config.check.attack.clone(),
        schema: schema(pipeline),
        defaults: defaults(pipeline),
        rule: Vec::new(),
    };
    // A rule that is gone keeps its entry, too, unless it was deprecated or replaced.
    let there: BTreeSet<&str> = compilation
        .documents
        .iter()
        .filter_map(|document| match &document.read.as_ref()?.document {
            Read::Rule(rule) => Some(rule.id.as_str()),
            Read::Replaced(stub) => Some(stub.id.as_str()),
            Read::NotARule { .. } => None,
        })
        .collect();
    for then in former
        .rule
        .iter()
        .filter(|then| !there.contains(then.id.as_str()))
    {
        if let Some(problem) = lifecycle::removed(&then.id, then.status).filter(|_| !force) {
            let problem = problem.note("`rulec lock --force` takes it out of the file");
            broken.push((SourceFile::new(FILE, ""), then.id.clone(), problem));
            lock.rule.push(then.clone());
        }
    }
    for (document, now) in rules {
        let then = former.find(&now.id);
        match then.and_then(|then| Some((then, then.problem(&now).filter(|_| !force)?))) {
            Some((then, problem)) => {
                broken.push((document.file.clone(), now.id.clone(), placed(problem, document)));
                lock.rule.push(then.clone());
            }
            None => lock.rule.push(now),
        }
    }
    lock.rule.sort_by(|a, b| a.id.cmp(&b.id));
    let text = lock.text();
    let is_current = fs::read_to_string(pipeline.repository.path(FILE)).is_ok_and(|now| now == text);
    Ok(Report {
        is_current,
        text,
        broken,
        skipped,
        rules: lock.rule.len(),
    })
}

fn placed(diagnostic: Diagnostic, document: &Document) -> Diagnostic {
    let Some(read) = &document.read else {
        return diagnostic;
    };
    let places = ["/versions/0/version", "/versions/0", "/title"];
    let place = places.iter().map(|pointer| read.place(pointer));
    let place = place.into_iter().find(|place| !place.is_empty());
    diagnostic.at(place.unwrap_or_default())
}

impl Report {
    /// Writes the file.
    pub fn write(&self, pipeline: &Pipeline) -> Result<PathBuf, String> {
        let path = pipeline.repository.path(FILE);
        fs::write(&path, &self.text).map_err(|e| format!("{FILE} cannot be written: {e}"))?;
        Ok(path)
    }
}

/// The ids of the rules that are released; none without a lock file.
pub(crate) fn released(pipeline: &Pipeline) -> Result<Vec<String>, String> {
    let lock = Lock::read(pipeline)?;
    let rules = lock.into_iter().flat_map(|lock| lock.rule);
    Ok(rules.map(|rule| rule.id).collect())
}

impl Checked {
    /// Adds what is wrong with rules at the end of their life and, where there is
    /// a lock file, released versions whose content changed. A document that is
    /// the one that was released is not compiled again.
    pub fn against_lock(&mut self, pipeline: &Pipeline) -> Result<(), String> {
        self.life_cycle(pipeline);
        let Some(lock) = Lock::read(pipeline)? else {
            return Ok(());
        };
        let config = &pipeline.repository.config;
        let known: BTreeMap<&str, &Locked> = lock.rule.iter().map(|rule| (rule.id.as_str(), rule)).collect();
        // Under the same circumstances the same document means the same.
        let unchanged = lock.schema == schema(pipeline)
            && lock.attack == config.check.attack
            && lock.defaults == defaults(pipeline);
        self.documents.par_iter_mut().for_each(|outcome| {
            let Some(then) = outcome.rule.as_ref().and_then(|mark| known.get(mark.id.as_str())) else {
                return;
            };
            if unchanged && then.document == hex(&Sha256::digest(outcome.file.text.as_bytes())) {
                return;
            }
            let document = pipeline.compiled(outcome.file.clone(), false);
            let (Some(rule), Some(content), true) =
                (document.rule(), content(&document), document.is_sound())
            else {
                return;
            };
            let now = Locked {
                id: rule.id.clone(),
                version: rule.version().to_owned(),
                content,
                document: String::new(),
                status: lifecycle::status(rule),
                artifacts: BTreeMap::new(),
            };
            if let Some(problem) = then.problem(&now).and_then(|problem| config.level(problem)) {
                outcome.diagnostics.push(placed(problem, &document));
            }
        });
        Ok(())
    }
}
