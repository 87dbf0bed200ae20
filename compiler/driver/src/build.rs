//! `rulec build`: artifacts of all rules for all targets, what each is made of,
//! and the loss ledger. `tree` writes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
    sync::Arc,
};

use rayon::prelude::*;
use rulec_emit::{Context, Effect, Emitted, LedgerEntry, Loss, Member, Target, targets};
use rulec_facts::Pack;
use rulec_source::{Diagnostic, SourceFile, render};

use crate::{
    VERSION,
    check::{Checked, Outcome},
    codes, data,
    emission::{self, Emission, Known, Made},
    load::Loaded,
    manifest::{self, Manifest},
    output::is_safe,
    pipeline::{Compilation, Pipeline, is_broken},
    tree::Written,
};

pub use crate::tree::write;

/// What to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of targets; all when empty.
    pub targets: Vec<String>,
    /// Effects in the ledger that make the build fail.
    pub deny: Vec<String>,
    /// Names of bundles; all that the targets have when nobody says.
    pub bundles: Option<Vec<String>>,
}

/// One entry of the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Id of the rule.
    pub rule: String,
    /// The target.
    pub target: &'static str,
    /// What was lost.
    pub loss: Loss,
    /// File, line and column in the document, where it has a place.
    pub place: Option<(String, usize, usize)>,
}

/// Everything a build gives.
pub struct Built {
    /// Bytes by path below the output folder.
    pub artifacts: BTreeMap<String, Vec<u8>>,
    /// Artifacts copied unchanged from rulec's own sources: goldens leave them out.
    pub verbatim: BTreeMap<String, Vec<u8>>,
    /// The loss ledger, in order of rule and target.
    pub ledger: Vec<Entry>,
    /// Rules that went to each target.
    pub counts: BTreeMap<&'static str, usize>,
    /// What stands in the manifest of each target.
    pub(crate) manifests: Vec<(&'static dyn Target, Manifest)>,
    /// Rule and path by path in lower case: some file systems hold such paths to be one.
    owners: BTreeMap<String, (String, String)>,
    /// What each artifact is made of, by path.
    origins: BTreeMap<String, Origin>,
    /// Findings with the document they are about.
    problems: Vec<(SourceFile, String, Diagnostic)>,
}

/// What an artifact is made of.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// What it is, as target.toml calls it.
    pub(crate) kind: String,
    /// Of an artifact of one rule.
    pub(crate) source: Option<Arc<Source>>,
    /// Ids of the rules in a bundle.
    pub(crate) rules: Vec<String>,
}

/// A rule as an artifact is made of it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) rule: String,
    pub(crate) version: String,
    /// Path of the document.
    pub(crate) document: String,
    /// SHA-256 of the document.
    pub(crate) sha256: String,
}

impl Pipeline {
    /// Checks names and fills in what rulec.toml says.
    pub fn build_options(&self, mut options: Options) -> Result<Options, String> {
        let config = &self.repository.config.build;
        if options.targets.is_empty() {
            options.targets.clone_from(&config.targets);
        }
        if options.deny.is_empty() {
            options.deny.clone_from(&config.deny);
        }
        if options.bundles.is_none() {
            options.bundles.clone_from(&config.bundles);
        }
        for name in &options.targets {
            if targets::by_name(name).is_none() {
                let known: Vec<&str> = targets::all().iter().map(|t| t.name()).collect();
                return Err(format!(
                    "`{name}` is not a target; there are {}",
                    known.join(", ")
                ));
            }
        }
        let bundles = targets::all().iter().flat_map(|target| target.bundles());
        for name in options.bundles.iter().flatten() {
            if !bundles.clone().any(|known| known == name) {
                let known: Vec<&str> = bundles.copied().collect();
                return Err(format!(
                    "`{name}` is not a bundle; there are {}",
                    known.join(", ")
                ));
            }
        }
        for effect in &options.deny {
            if !EFFECTS.iter().any(|(_, name)| name == effect) {
                return Err(format!(
                    "`{effect}` is not an effect; there are widened, narrowed, dropped and rejected"
                ));
            }
        }
        Ok(options)
    }

    /// Emits every sound rule for the targets asked for.
    pub fn build(&self, compilation: &Compilation, options: &Options) -> Built {
        let targets = wanted(options);
        self.assembled(&targets, options, |context| {
            compilation
                .sound()
                .par_iter()
                .map(|(document, rule)| {
                    let emissions = emission::emissions(context, &targets, document, rule);
                    (&document.file, rule.id.as_str(), emissions)
                })
                .collect()
        })
    }

    /// Reads, compiles and emits documents, or takes from the cache what they
    /// gave before. What is wrong is in the findings of both.
    pub fn build_paths(&self, paths: &[PathBuf], options: &Options) -> (Checked, Built) {
        let targets = wanted(options);
        let known = Known::open(self, &targets);
        let context = self.emit_context().ok();
        let loaded = self.load(paths);
        let made: Vec<Made> = loaded
            .into_par_iter()
            .map(|loaded| self.made(loaded, &known, &targets, context))
            .collect();
        known.keep(self, &made);
        let (outcomes, emissions): (Vec<_>, Vec<_>) = made
            .into_iter()
            .map(|made| (made.outcome, made.emissions))
            .unzip();
        let checked = Checked::new(self, paths, outcomes);
        let built = self.assembled(&targets, options, |_| {
            let mut sound: Vec<_> = checked
                .documents
                .iter()
                .zip(emissions)
                .filter(|(outcome, _)| !outcome.diagnostics.iter().any(is_broken))
                .filter_map(|(outcome, emissions)| {
                    Some((&outcome.file, outcome.rule.as_ref()?.id.as_str(), emissions))
                })
                .collect();
            sound.sort_by_key(|(_, id, _)| *id);
            sound
        });
        (checked, built)
    }

    /// What is wrong with one document, and what it gives.
    fn made(
        &self,
        loaded: Loaded,
        known: &Known,
        targets: &[&'static dyn Target],
        context: Option<&Context>,
    ) -> Made {
        if let Some(problem) = loaded.problem {
            return Made {
                outcome: Outcome::new(loaded.file, None, vec![problem]),
                emissions: Vec::new(),
                kept: None,
                is_new: false,
            };
        }
        let name = self.kept_name(&loaded.file);
        if let Some(name) = &name
            && let Some(bytes) = known.find(name)
            && let Some((rule, diagnostics, emissions)) = emission::kept(bytes, &known.codes)
        {
            return Made {
                outcome: Outcome::new(loaded.file, rule, diagnostics),
                emissions,
                kept: Some((name.clone(), bytes.to_vec())),
                is_new: false,
            };
        }
        let document = self.compiled(loaded.file, false);
        let emissions = match (document.rule(), context) {
            (Some(rule), Some(context)) if document.is_sound() => {
                emission::emissions(context, targets, &document, rule)
            }
            _ => Vec::new(),
        };
        let mark = document.mark();
        let outcome = Outcome::new(document.file, mark, document.diagnostics);
        // Without its data a target gives nothing that is worth keeping.
        let kept = name
            .filter(|_| context.is_some())
            .and_then(|name| Some((name, emission::keep(&outcome, &emissions)?)));
        Made {
            outcome,
            emissions,
            kept,
            is_new: true,
        }
    }

    /// A build of what sound documents, in order of id, gave for the targets.
    fn assembled<'d>(
        &self,
        targets: &[&'static dyn Target],
        options: &Options,
        sound: impl FnOnce(&Context) -> Vec<(&'d SourceFile, &'d str, Vec<Emission>)>,
    ) -> Built {
        let mut built = Built {
            artifacts: BTreeMap::new(),
            verbatim: BTreeMap::new(),
            ledger: Vec::new(),
            counts: BTreeMap::new(),
            manifests: Vec::new(),
            owners: BTreeMap::new(),
            origins: BTreeMap::new(),
            problems: Vec::new(),
        };
        let context = match self.emit_context() {
            Ok(context) => context,
            Err(error) => {
                let (file, diagnostic) = data::finding(&self.repository.pack, &error);
                built.problems.push((file, String::new(), diagnostic));
                return built;
            }
        };
        for diagnostic in context.templates.diagnostics() {
            built
                .problems
                .push((SourceFile::new("templates/", ""), String::new(), diagnostic));
        }
        let mut by_target: BTreeMap<&str, Vec<(&SourceFile, &str, Emission)>> = BTreeMap::new();
        for (file, rule, emissions) in sound(context) {
            for emission in emissions {
                by_target
                    .entry(emission.target)
                    .or_default()
                    .push((file, rule, emission));
            }
        }
        for target in targets {
            let mut accepted: Vec<(&str, Option<String>, Vec<String>)> = Vec::new();
            for (file, rule, emission) in by_target.remove(target.name()).unwrap_or_default() {
                let slug = emission.is_accepted().then(|| emission.slug.clone());
                let paths = built.add(*target, Some((file, rule)), emission);
                if let Some(slug) = slug {
                    accepted.push((rule, slug, paths));
                }
            }
            built.counts.insert(target.name(), accepted.len());
            if !accepted.is_empty() {
                let bundle = built.bundle(*target, context, &accepted, options);
                built.add(*target, None, Emission::of_all(*target, bundle));
            }
            let manifest = Manifest::of(&built, *target, self);
            built.manifests.push((*target, manifest));
        }
        built.place_templates(&self.repository.pack);
        built
            .ledger
            .sort_by(|a, b| (&a.rule, a.target).cmp(&(&b.rule, b.target)));
        let ledger = built.ledger_json();
        built
            .artifacts
            .insert("losses.json".to_owned(), ledger.into_bytes());
        built
    }
}

/// The targets that are asked for, in their order.
fn wanted(options: &Options) -> Vec<&'static dyn Target> {
    targets::all()
        .iter()
        .copied()
        .filter(|target| options.targets.is_empty() || options.targets.iter().any(|t| t == target.name()))
        .collect()
}

const EFFECTS: [(Effect, &str); 4] = [
    (Effect::Widened, "widened"),
    (Effect::Narrowed, "narrowed"),
    (Effect::Dropped, "dropped"),
    (Effect::Rejected, "rejected"),
];

fn name_of(effect: Effect) -> &'static str {
    EFFECTS
        .iter()
        .find(|(e, _)| *e == effect)
        .map_or("exact", |(_, name)| name)
}

impl Built {
    /// What all rules of a target give together: id, slug and paths of each.
    fn bundle(
        &self,
        target: &dyn Target,
        context: &Context,
        accepted: &[(&str, Option<String>, Vec<String>)],
        options: &Options,
    ) -> Emitted {
        let wanted: Vec<&str> = target
            .bundles()
            .iter()
            .copied()
            .filter(|name| {
                let chosen = options.bundles.as_ref();
                chosen.is_none_or(|chosen| chosen.iter().any(|chosen| chosen == name))
            })
            .collect();
        let parts: Vec<Vec<(&str, &str, &[u8])>> = accepted
            .iter()
            .map(|(_, _, paths)| {
                let part = |path: &String| {
                    let (path, bytes) = self.artifacts.get_key_value(path)?;
                    Some((self.origin(path)?.kind.as_str(), path.as_str(), bytes.as_slice()))
                };
                paths.iter().filter_map(part).collect()
            })
            .collect();
        let members: Vec<Member<'_>> = accepted
            .iter()
            .zip(&parts)
            .map(|((rule, slug, _), artifacts)| Member {
                rule,
                slug: slug.as_deref(),
                rulec: VERSION,
                artifacts,
            })
            .collect();
        target.bundle(context, &members, &wanted)
    }

    /// Adds what a document, and the rule in it, gave; or all rules together.
    /// Gives the paths of what was added.
    fn add(
        &mut self,
        target: &dyn Target,
        about: Option<(&SourceFile, &str)>,
        emission: Emission,
    ) -> Vec<String> {
        let source = about
            .filter(|_| !emission.artifacts.is_empty())
            .map(|(file, rule)| {
                Arc::new(Source {
                    rule: rule.to_owned(),
                    version: emission.version,
                    document: file.path.clone(),
                    sha256: manifest::sha256(file.text.as_bytes()),
                })
            });
        let reserved = format!("{}/{}", target.name(), manifest::FILE);
        let mut added = Vec::new();
        let rule = about.map_or_else(String::new, |(_, rule)| rule.to_owned());
        let file = || about.map_or_else(|| SourceFile::new(target.name(), ""), |(file, _)| file.clone());
        for artifact in emission.artifacts {
            let problem = match self.owners.get(&artifact.path.to_lowercase()) {
                Some((other, path)) => rulec_emit::collisions([
                    (other.as_str(), path.as_str()),
                    (rule.as_str(), artifact.path.as_str()),
                ])
                .pop()
                .map(|(_, diagnostic)| diagnostic),
                None if artifact.path.eq_ignore_ascii_case(&reserved) => {
                    let message = format!("`{reserved}` is where the manifest of the build goes");
                    Some(Diagnostic::new(codes::PATH_TAKEN, message).help("give the rule another id"))
                }
                None if is_safe(&artifact.path) => None,
                None => {
                    let message = format!("the artifact path `{}` leaves the output folder", artifact.path);
                    Some(Diagnostic::new(codes::UNSAFE_PATH, message))
                }
            };
            if let Some(problem) = problem {
                self.problems.push((file(), rule.clone(), problem));
                continue;
            }
            self.owners.insert(
                artifact.path.to_lowercase(),
                (rule.clone(), artifact.path.clone()),
            );
            let origin = Origin {
                kind: artifact.kind,
                source: source.clone(),
                rules: artifact.rules,
            };
            self.origins.insert(artifact.path.clone(), origin);
            added.push(artifact.path.clone());
            let place = if artifact.verbatim {
                &mut self.verbatim
            } else {
                &mut self.artifacts
            };
            place.insert(artifact.path, artifact.bytes);
        }
        for (loss, place) in emission.losses {
            let place = about
                .zip(place)
                .map(|((file, _), (line, column))| (file.path.clone(), line, column));
            self.ledger.push(Entry {
                rule: rule.clone(),
                target: target.name(),
                loss,
                place,
            });
        }
        for diagnostic in emission.diagnostics {
            self.problems.push((file(), rule.clone(), diagnostic));
        }
        added
    }

    /// All files with their bytes.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Vec<u8>)> {
        let all = self.artifacts.iter().chain(&self.verbatim);
        all.map(|(path, bytes)| (path.as_str(), bytes))
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, path: &str) -> Option<&Vec<u8>> {
        self.artifacts.get(path).or_else(|| self.verbatim.get(path))
    }

    /// What an artifact is made of; none for what is no artifact of a target.
    pub(crate) fn origin(&self, path: &str) -> Option<&Origin> {
        self.origins.get(path)
    }

    /// The artifacts of a target that target.toml calls `kind`.
    pub(crate) fn of_kind(&self, target: &str, kind: &str) -> impl Iterator<Item = (&str, &Vec<u8>)> {
        self.files().filter(move |(path, _)| {
            let below = path
                .strip_prefix(target)
                .is_some_and(|rest| rest.starts_with('/'));
            below && self.origin(path).is_some_and(|origin| origin.kind == kind)
        })
    }

    /// Findings about a template are moved into it, and said once, not once a rule.
    fn place_templates(&mut self, pack: &Pack) {
        let mut said = BTreeSet::new();
        for (file, rule, diagnostic) in std::mem::take(&mut self.problems) {
            let Some((template, moved)) = data::placed(pack, &diagnostic) else {
                self.problems.push((file, rule, diagnostic));
                continue;
            };
            if said.insert((template.path.clone(), moved.message.clone())) {
                self.problems.push((template, String::new(), moved));
            }
        }
    }

    /// Rule and path of every artifact; no rule for what a target makes of all of them.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        self.owners
            .values()
            .map(|(rule, path)| (rule.as_str(), path.as_str()))
    }

    /// Findings of emitting.
    pub fn findings(&self) -> Vec<render::Finding<'_>> {
        self.problems
            .iter()
            .map(|(file, rule, diagnostic)| render::Finding {
                file,
                rule: (!rule.is_empty()).then_some(rule.as_str()),
                diagnostic,
            })
            .collect()
    }

    /// The ledger as JSON; its schema is `schema/losses.schema.json`.
    fn ledger_json(&self) -> String {
        let entries = self.ledger.iter().map(|entry| LedgerEntry {
            rule: &entry.rule,
            target: entry.target,
            losses: std::slice::from_ref(&entry.loss),
        });
        let place = |index: usize, _| {
            let (file, line, column) = self.ledger.get(index)?.place.as_ref()?;
            Some((file.as_str(), *line, *column))
        };
        let ledger = rulec_emit::losses_json(VERSION, entries, place);
        let mut text = serde_json::to_string_pretty(&ledger).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Ledger entries that the options deny, as sentences.
    pub fn denied(&self, options: &Options) -> Vec<String> {
        self.ledger
            .iter()
            .filter(|entry| options.deny.iter().any(|d| d == name_of(entry.loss.effect)))
            .map(|entry| {
                let place = entry
                    .place
                    .as_ref()
                    .map_or_else(String::new, |(file, line, column)| {
                        format!(" ({file}:{line}:{column})")
                    });
                format!(
                    "{} for {}: {} is {}{place}: {}",
                    entry.rule,
                    entry.target,
                    entry.loss.construct,
                    name_of(entry.loss.effect),
                    entry.loss.why
                )
            })
            .collect()
    }

    /// What a person wants to know after a build; `out` is the folder as they named it.
    pub fn report(&self, out: &str, written: &Written) -> String {
        let mut text = String::new();
        for (target, count) in &self.counts {
            let of = |effect| {
                self.ledger
                    .iter()
                    .filter(|e| e.target == *target && e.loss.effect == effect)
                    .count()
            };
            let losses: Vec<String> = EFFECTS
                .iter()
                .map(|(effect, name)| (of(*effect), name))
                .filter(|(n, _)| *n > 0)
                .map(|(n, name)| format!("{n} {name}"))
                .collect();
            let losses = if losses.is_empty() {
                "all exact".to_owned()
            } else {
                losses.join(", ")
            };
            let rules = if *count == 1 { "rule " } else { "rules" };
            let _ = writeln!(text, "{target:<9} {count:>4} {rules}   {losses}");
        }
        text + &written.report(out)
    }
}
