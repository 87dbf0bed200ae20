//! Environments: what a place of deployment changes of the rules.
//!
//! In: `environments/<name>.yaml`, and what rulec.toml says for all places. Out:
//! documents as they are there: settings, constants, exclusions and
//! de-duplication changed, everything else as it is written. Findings about what
//! is put into a query are placed in the file that says it: that file lies
//! beside the document ([`SourceFile::with`]).
//!
//! Deliberately absent: what an environment file may say and how text is put
//! into a query (`rulec_environment`).

mod compare;
mod hides;
mod lay;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use rulec_environment::{Deduplication, EnvironmentFile, Exclusion, codes};
use rulec_facts::yaml::places::{
    self,
    Step::{self, Item, Key},
};
use rulec_functions::matching::wildcard;
use rulec_model::{Origin, Rule, Schedule, Sourced};
use rulec_read::RuleDoc;
use rulec_source::{Diagnostic, SourceFile, Span};
use sha2::{Digest as _, Sha256};

use crate::{
    cache, codes as own, config,
    load::{Loaded, Want, display, load},
    pipeline::Pipeline,
    repository::{Refused, Repository},
    scaffold::day,
};

pub use compare::{Compared, compare};

/// Bytes of an environment file, at most, that are read.
const LARGEST: u64 = 8 << 20;

/// The word that means no environment.
pub const NONE: &str = "none";

/// What rules are changed by: an environment, or rulec.toml alone.
#[derive(Debug)]
pub struct Overlay {
    /// Name of the environment.
    name: Option<String>,
    /// Its file.
    file: Arc<SourceFile>,
    said: EnvironmentFile,
    /// The block that rulec.toml chooses.
    everywhere: Option<Deduplication>,
    /// The day on which exclusions have ended or not.
    today: String,
    /// The files whose parts may be put into queries, in order.
    beside: Vec<Arc<SourceFile>>,
    /// What answers depend on.
    key: Vec<u8>,
}

/// The names of the environments a repository has, in order.
pub fn names(repository: &Repository) -> Vec<String> {
    let folder = repository.path(&repository.config.repository.environments);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| {
        let path = entry.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "yaml").then_some(name)
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

impl Pipeline {
    /// Goes on in an environment, as of a time in ticks; [`NONE`] is none.
    pub fn enter(&mut self, name: &str, now: i64) -> Result<(), Box<Refused>> {
        self.overlay = if name == NONE {
            Overlay::of_repository(&self.repository)?
        } else {
            Some(Overlay::open(&self.repository, name, now)?)
        }
        .map(Arc::new);
        Ok(())
    }

    /// The files at paths, with those that an environment puts parts of into them.
    pub(crate) fn load(&self, paths: &[std::path::PathBuf]) -> Vec<Loaded> {
        let loaded = load(&self.repository.root, &self.paths(paths), Want::Documents);
        let Some(overlay) = &self.overlay else {
            return loaded;
        };
        loaded
            .into_iter()
            .map(|loaded| Loaded {
                file: loaded.file.with(&overlay.beside),
                ..loaded
            })
            .collect()
    }

    /// Everything that the answer about a document depends on besides it.
    pub(crate) fn setting(&self) -> Sha256 {
        let mut all = cache::setting(&self.repository.pack, &self.repository.config);
        if let Some(overlay) = &self.overlay {
            cache::part(&mut all, &overlay.key);
        }
        all
    }

    /// What is wrong with the environment itself: the rules it names are there,
    /// `ids` among them. None without an environment.
    pub(crate) fn environment_findings(&self, ids: &BTreeSet<&str>) -> Option<(SourceFile, Vec<Diagnostic>)> {
        let overlay = self.overlay.as_ref()?;
        overlay.name.as_ref()?;
        let mut found: Vec<Diagnostic> = overlay.expired().into_iter().map(|(_, d)| d).collect();
        let patterns = overlay.patterns();
        let is_known = |ids: &BTreeSet<&str>, pattern: &str| {
            ids.contains(pattern) || pattern.contains('*') && ids.iter().any(|id| wildcard(id, pattern))
        };
        let missing: Vec<_> = patterns.into_iter().filter(|(p, _)| !is_known(ids, p)).collect();
        let parameters: Vec<&String> = overlay.said.parameters.keys().collect();
        if !missing.is_empty() || !parameters.is_empty() {
            // What was asked for may be a part of the repository.
            let all = self.all();
            let texts: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
            let mut known: BTreeSet<&str> = all.iter().filter_map(|(id, _)| id.as_deref()).collect();
            known.extend(ids);
            for (pattern, path) in missing {
                if !is_known(&known, &pattern) {
                    found.push(overlay.unknown_rule(&pattern, &path, &known));
                }
            }
            for name in parameters {
                let declared = format!("let {name}");
                let is_there = |text: &&str| {
                    text.match_indices(&declared).any(|(at, _)| {
                        let rest = text[at + declared.len()..].trim_start();
                        rest.starts_with('=')
                    })
                };
                if !texts.iter().any(is_there) {
                    let at = places::key(&overlay.file.text, &[Key("parameters"), Key(name)]);
                    found.push(
                        Diagnostic::new(codes::BAD_VALUE, format!("no rule has a constant `{name}`"))
                            .at(at.unwrap_or_default())
                            .help(format!("a rule has one where its query says `let {name} = …;`")),
                    );
                }
            }
        }
        found.sort_by_key(|d| d.span().map_or((0, 0), |s| (s.start, s.end)));
        Some(((*overlay.file).clone(), found))
    }

    /// Ids and texts of all documents of the repository.
    fn all(&self) -> Vec<(Option<String>, String)> {
        let options = rulec_read::Options {
            aliases: &self.aliases,
            defaults: rulec_model::FrontMatter::default(),
        };
        load(&self.repository.root, &self.paths(&[]), Want::Documents)
            .into_iter()
            .filter(|loaded| loaded.problem.is_none())
            .map(|loaded| {
                let read = rulec_read::read(&loaded.file, &options);
                (read.rule().map(|rule| rule.id.clone()), loaded.file.text)
            })
            .collect()
    }
}

impl Overlay {
    /// What rulec.toml says for all places; none when it says nothing.
    pub(crate) fn of_repository(repository: &Repository) -> Result<Option<Self>, Box<Refused>> {
        if repository.config.deduplication.is_none() {
            return Ok(None);
        }
        Self::new(
            repository,
            None,
            Arc::new(SourceFile::new("", "")),
            EnvironmentFile::default(),
            "",
        )
        .map(Some)
    }

    /// The environment's name and its file, as manifests say it.
    pub(crate) fn source(&self) -> Option<(&str, &SourceFile)> {
        Some((self.name.as_deref()?, &self.file))
    }

    /// Reads the environment called `name`.
    fn open(repository: &Repository, name: &str, now: i64) -> Result<Self, Box<Refused>> {
        let folder = &repository.config.repository.environments;
        let refuse = |file: SourceFile, diagnostic: Diagnostic| Box::new(Refused { file, diagnostic });
        let say = |message: String, help: String| {
            let diagnostic = Diagnostic::new(codes::BAD_ENVIRONMENT, message).help(help);
            refuse(SourceFile::new(folder.as_str(), ""), diagnostic)
        };
        if !rulec_environment::is_name(name) {
            return Err(say(
                format!("`{name}` cannot be the name of an environment"),
                "a name has letters, digits, `.`, `_` and `-`".to_owned(),
            ));
        }
        if rulec_emit::targets::by_name(&name.to_lowercase()).is_some() {
            return Err(say(
                format!("an environment cannot be called `{name}` as a target is"),
                "a folder of that name holds what is built for the target".to_owned(),
            ));
        }
        let path = repository.path(folder).join(format!("{name}.yaml"));
        let shown = display(&repository.root, &path);
        let text = match text_of(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let known = names(repository);
                let close = rulec_facts::close_matches(name, known.iter().map(String::as_str), 1);
                let help = match (close.first(), known.is_empty()) {
                    (Some(close), _) => format!("did you mean `{close}`?"),
                    (None, true) => format!("write {shown}"),
                    (None, false) => format!("there are {}", known.join(", ")),
                };
                return Err(say(
                    format!("there is no environment `{name}`: {shown} is not there"),
                    help,
                ));
            }
            Err(error) => {
                let diagnostic = Diagnostic::new(own::UNREADABLE, format!("{shown} cannot be read: {error}"));
                return Err(refuse(SourceFile::new(shown, ""), diagnostic));
            }
        };
        let file = Arc::new(SourceFile::new(shown, text));
        let said = rulec_environment::read(&file.text).map_err(|mut found| {
            // One command refuses one thing; the others come as notes.
            let mut first = found.remove(0);
            for other in found {
                let at = file.position(other.span().unwrap_or_default().start as usize);
                first = first.note(format!("line {}: {}", at.line, other.message));
            }
            refuse((*file).clone(), first)
        })?;
        Self::new(repository, Some(name), file, said, &day(now))
    }

    fn new(
        repository: &Repository,
        name: Option<&str>,
        file: Arc<SourceFile>,
        said: EnvironmentFile,
        today: &str,
    ) -> Result<Self, Box<Refused>> {
        let everywhere = repository.config.deduplication.clone();
        let mut overlay = Self {
            name: name.map(str::to_owned),
            file,
            said,
            everywhere,
            today: today.to_owned(),
            beside: Vec::new(),
            key: Vec::new(),
        };
        if name.is_some() {
            overlay.beside.push(Arc::clone(&overlay.file));
        }
        if overlay.everywhere.is_some()
            && let Some(config) = &repository.config_file
        {
            overlay.beside.push(Arc::new(config.clone()));
        }
        for (template, file, at) in overlay.templates(repository) {
            let path = template_path(&template);
            let Some(text) = repository.pack.text(&path) else {
                return Err(Box::new(Refused {
                    file,
                    diagnostic: unknown_template(repository, &template).at(at),
                }));
            };
            if !overlay.beside.iter().any(|known| known.path == path) {
                overlay.beside.push(Arc::new(SourceFile::new(path, text)));
            }
        }
        overlay.key = overlay.key_of(repository);
        Ok(overlay)
    }

    /// The templates that are chosen somewhere, with the place that says so.
    fn templates(&self, repository: &Repository) -> Vec<(String, SourceFile, Span)> {
        let mut found = Vec::new();
        if let (Some(block), Some(config)) = (&self.everywhere, &repository.config_file) {
            let at = config::key(&config.text, "deduplication", &block.template);
            found.push((block.template.clone(), config.clone(), at));
        }
        let mut add = |block: &Deduplication, path: &[Step<'_>]| {
            found.push((block.template.clone(), (*self.file).clone(), self.place(path)));
        };
        if let Some(block) = &self.said.deduplication {
            add(block, &[Key("deduplication")]);
        }
        for (id, change) in &self.said.rules {
            if let Some(block) = &change.deduplication {
                add(block, &[Key("rules"), Key(id), Key("deduplication")]);
            }
        }
        found
    }

    /// The environment's name and text, which of its exclusions have ended, and
    /// what their cases are.
    fn key_of(&self, repository: &Repository) -> Vec<u8> {
        let mut all = Sha256::new();
        cache::part(&mut all, self.name.as_deref().unwrap_or_default().as_bytes());
        cache::part(&mut all, self.file.text.as_bytes());
        for exclusion in &self.said.exclusions {
            cache::part(&mut all, &[u8::from(exclusion.has_ended(&self.today))]);
        }
        if !self.said.exclusions.is_empty() {
            let folder = repository.path(&repository.config.repository.fixtures);
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let files: BTreeMap<_, _> = entries
                .filter(|entry| entry.path().extension().is_some_and(|e| e == "yaml"))
                .map(|entry| (entry.file_name(), entry.path()))
                .collect();
            for (name, path) in files {
                cache::part(&mut all, name.as_encoded_bytes());
                cache::part(&mut all, &fs::read(path).unwrap_or_default());
            }
        }
        all.finalize().to_vec()
    }

    /// A document with the files beside it that parts are put in from.
    pub(crate) fn beside(&self, file: SourceFile) -> SourceFile {
        match self.beside.first() {
            Some(first) if file.offset_of(&first.path).is_none() => file.with(&self.beside),
            _ => file,
        }
    }

    /// A place in the environment file.
    fn place(&self, path: &[Step<'_>]) -> Span {
        places::value(&self.file.text, path).unwrap_or_default()
    }

    /// The exclusions for a rule, and for one of its queries (from 0), with
    /// their numbers.
    fn exclusions<'o>(&'o self, rule: &str, query: usize) -> Vec<(usize, &'o Exclusion)> {
        let all = self.said.exclusions.iter().enumerate();
        all.filter(|(_, one)| one.is_for(rule) && one.query.is_none_or(|number| number == query + 1))
            .collect()
    }

    /// The block a rule's de-duplication slots are given; whether it was chosen
    /// for this rule alone; the file that says so and the way to it there.
    fn deduplication(&self, rule: &str) -> Option<(&Deduplication, bool, Option<Vec<Step<'_>>>)> {
        if let Some((id, change)) = self.said.rules.get_key_value(rule)
            && let Some(block) = &change.deduplication
        {
            return Some((
                block,
                true,
                Some(vec![Key("rules"), Key(id), Key("deduplication")]),
            ));
        }
        if let Some(block) = &self.said.deduplication {
            return Some((block, false, Some(vec![Key("deduplication")])));
        }
        Some((self.everywhere.as_ref()?, false, None))
    }

    /// Exclusions that have ended, by their numbers.
    fn expired(&self) -> Vec<(usize, Diagnostic)> {
        let all = self.said.exclusions.iter().enumerate();
        all.filter(|(_, exclusion)| exclusion.has_ended(&self.today))
            .map(|(index, exclusion)| {
                let diagnostic = Diagnostic::new(
                    codes::EXPIRED_EXCLUSION,
                    format!(
                        "an exclusion of {} ended on {}: {}",
                        exclusion.owner.trim(),
                        exclusion.expires,
                        exclusion.reason.trim()
                    ),
                )
                .at(self.place(&[Key("exclusions"), Item(index), Key("expires")]))
                .help("take it out, or have its owner look at it again and give it another day");
                (index, diagnostic)
            })
            .collect()
    }

    /// Ids and patterns of rules, each with the way to it.
    fn patterns(&self) -> Vec<(String, Vec<Step<'_>>)> {
        let rules = self
            .said
            .rules
            .keys()
            .map(|id| (id.clone(), vec![Key("rules"), Key(id)]));
        let exclusions = self
            .said
            .exclusions
            .iter()
            .enumerate()
            .flat_map(|(index, exclusion)| {
                exclusion.rules.iter().enumerate().map(move |(number, pattern)| {
                    let path = vec![Key("exclusions"), Item(index), Key("rules"), Item(number)];
                    (pattern.clone(), path)
                })
            });
        rules.chain(exclusions).collect()
    }

    fn unknown_rule(&self, pattern: &str, path: &[Step<'_>], known: &BTreeSet<&str>) -> Diagnostic {
        let at = match path {
            [Key(_), Key(_)] => places::key(&self.file.text, path),
            _ => places::value(&self.file.text, path),
        };
        let message = if pattern.contains('*') {
            format!("no rule has an id like `{pattern}`")
        } else {
            format!("no rule has the id `{pattern}`")
        };
        let diagnostic = Diagnostic::new(codes::UNKNOWN_RULE, message).at(at.unwrap_or_default());
        let close = rulec_facts::close_matches(pattern, known.iter().copied(), 1);
        let begins = || {
            known
                .iter()
                .find(|id| !pattern.is_empty() && id.starts_with(pattern))
        };
        match close.first().or_else(begins) {
            Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
            None => diagnostic.help("rules are named by their whole ids; `*` stands for any characters"),
        }
    }

    /// Gives a rule the severity and the schedule it has here. Whether it is
    /// disabled instead.
    pub(crate) fn settle(&self, read: &mut RuleDoc, file: &SourceFile) -> bool {
        let rulec_read::Document::Rule(rule) = &mut read.document else {
            return false;
        };
        let (Some(name), Some((id, change))) = (&self.name, self.said.rules.get_key_value(&rule.id)) else {
            return false;
        };
        if change.disabled.is_some() {
            return true;
        }
        let origin = || Origin::Environment(name.clone());
        let start = file.offset_of(&self.file.path).unwrap_or_default();
        let mut place = |key: &'static str| {
            let at = self.place(&[Key("rules"), Key(id), Key(key)]);
            let at = Span {
                start: at.start + start,
                end: at.end + start,
            };
            read.places.insert(format!("/settings/{key}"), at);
        };
        if let Some(severity) = change.severity {
            rule.settings.severity = Some(Sourced::new(severity, origin()));
            place("severity");
        }
        if let Some(schedule) = &change.schedule {
            let before = rule.settings.schedule.as_ref().map(|said| said.value);
            let before = before.unwrap_or(Schedule {
                kind: rulec_model::ScheduleKind::default(),
                frequency: None,
                period: None,
            });
            let merged = Schedule {
                kind: schedule.kind.unwrap_or(before.kind),
                frequency: schedule.frequency.or(before.frequency),
                period: schedule.period.or(before.period),
            };
            rule.settings.schedule = Some(Sourced::new(merged, origin()));
            place("schedule");
        }
        false
    }
}

/// Whether a finding is said once for the environment already: that an
/// exclusion has ended breaks every rule it is for, and is one finding.
pub(crate) fn is_repeated(file: &SourceFile, diagnostic: &Diagnostic) -> bool {
    diagnostic.code.id == codes::EXPIRED_EXCLUSION.id
        && diagnostic.span().is_some_and(|span| file.is_beside(span))
}

/// The text of a file. A device or a pipe says nothing of its length, and may
/// have no end: it is read as far as an environment may be long.
fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// The path of a template.
fn template_path(name: &str) -> String {
    format!("templates/deduplication/{name}.kql.j2")
}

fn unknown_template(repository: &Repository, name: &str) -> Diagnostic {
    let known: Vec<&str> = repository
        .pack
        .paths_under("templates/deduplication/")
        .filter_map(|path| {
            path.strip_prefix("templates/deduplication/")?
                .strip_suffix(".kql.j2")
        })
        .collect();
    let message = format!(
        "there is no de-duplication block `{name}`: {} is not there",
        template_path(name)
    );
    let diagnostic = Diagnostic::new(codes::BAD_DEDUPLICATION, message);
    match rulec_facts::close_matches(name, known.iter().copied(), 1).first() {
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None => diagnostic.help(format!("there are {}", known.join(", "))),
    }
}

/// How findings name a rule, and of several its query (from 0).
fn about(rule: &Rule, query: usize) -> String {
    if rule.queries.len() > 1 {
        format!("query {} of {}", query + 1, rule.id)
    } else {
        rule.id.clone()
    }
}
