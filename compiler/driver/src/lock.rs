//! `rulec.lock`: what was released under which version.
//!
//! In: documents. Out: the text of the file, sorted and the same on every
//! machine, and findings about rules whose content is another one under the
//! version that the file names. It is written by `rulec lock` only.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use rayon::prelude::*;
use rulec_source::{Diagnostic, SourceFile};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{
    cache::part,
    check::Checked,
    codes, diff,
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
        for rule in &self.rule {
            let _ = write!(
                out,
                "\n[[rule]]\nid = {}\nversion = {}\ncontent = {}\n",
                quoted(&rule.id),
                quoted(&rule.version),
                quoted(&rule.content)
            );
            if !rule.artifacts.is_empty() {
                out.push_str("[rule.artifacts]\n");
            }
            for (path, hash) in &rule.artifacts {
                let _ = writeln!(out, "{} = {}", quoted(path), quoted(hash));
            }
        }
        out
    }

    /// What is wrong with a rule under its version.
    fn problem(&self, now: &Locked) -> Option<Diagnostic> {
        let then = self.rule.iter().find(|rule| rule.id == now.id)?;
        (then.version == now.version && then.content != now.content).then(|| {
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
    let pack = &pipeline.repository.pack;
    let mut paths: Vec<&str> = pack.paths_under("schema/").collect();
    paths.sort_unstable();
    paths.dedup();
    let mut all = Sha256::new();
    for path in paths {
        part(&mut all, path.as_bytes());
        part(&mut all, pack.text(path).unwrap_or_default().as_bytes());
    }
    hex(&all.finalize())
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
        rule: Vec::new(),
    };
    for (document, now) in rules {
        match former.problem(&now).filter(|_| !force) {
            Some(problem) => {
                broken.push((document.file.clone(), now.id.clone(), placed(problem, document)));
                lock.rule
                    .extend(former.rule.iter().find(|rule| rule.id == now.id).cloned());
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
    /// Adds released versions whose content changed, where there is a lock file.
    pub fn against_lock(&mut self, pipeline: &Pipeline) -> Result<(), String> {
        let Some(lock) = Lock::read(pipeline)? else {
            return Ok(());
        };
        let levels = &pipeline.repository.config.lints;
        let severity = match levels.get(codes::LOCK_BROKEN.name) {
            None => Some(codes::LOCK_BROKEN.severity),
            Some(level) => level.severity(),
        };
        let Some(severity) = severity else { return Ok(()) };
        self.documents.par_iter_mut().for_each(|outcome| {
            let known = outcome
                .rule
                .as_ref()
                .is_some_and(|mark| lock.rule.iter().any(|rule| rule.id == mark.id));
            if !known {
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
                artifacts: BTreeMap::new(),
            };
            if let Some(mut problem) = lock.problem(&now) {
                problem.severity = severity;
                outcome.diagnostics.push(placed(problem, &document));
            }
        });
        Ok(())
    }
}
