//! `rulec build`: artifacts of all rules for all targets, and the loss ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use rulec_emit::{Context, Effect, LedgerEntry, Loss, Member, Target, targets};
use rulec_facts::Pack;
use rulec_source::{Diagnostic, SourceFile, render};

use crate::{
    VERSION,
    check::{Checked, Outcome},
    codes, data,
    emission::{self, Emission, Known, Made},
    load::{Loaded, Want, load},
    output::{Folder, is_safe},
    pipeline::{Compilation, Pipeline, is_broken},
};

/// What to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of targets; all when empty.
    pub targets: Vec<String>,
    /// Effects in the ledger that make the build fail.
    pub deny: Vec<String>,
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
    /// Rule and path by path in lower case: some file systems hold such paths to be one.
    owners: BTreeMap<String, (String, String)>,
    /// Findings with the document they are about.
    problems: Vec<(SourceFile, String, Diagnostic)>,
}

/// What a write did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Artifacts of this build, without the copies of rulec's own sources.
    pub files: usize,
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
        for name in &options.targets {
            if targets::by_name(name).is_none() {
                let known: Vec<&str> = targets::all().iter().map(|t| t.name()).collect();
                return Err(format!(
                    "`{name}` is not a target; there are {}",
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
        self.assembled(&targets, |context| {
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
        let loaded = load(&self.repository.root, &self.paths(paths), Want::Documents);
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
        let built = self.assembled(&targets, |_| {
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
                outcome: Outcome {
                    file: loaded.file,
                    rule: None,
                    diagnostics: vec![problem],
                },
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
                outcome: Outcome {
                    file: loaded.file,
                    rule,
                    diagnostics,
                },
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
        let outcome = Outcome {
            rule: document.mark(),
            file: document.file,
            diagnostics: document.diagnostics,
        };
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
        sound: impl FnOnce(&Context) -> Vec<(&'d SourceFile, &'d str, Vec<Emission>)>,
    ) -> Built {
        let mut built = Built {
            artifacts: BTreeMap::new(),
            verbatim: BTreeMap::new(),
            ledger: Vec::new(),
            counts: BTreeMap::new(),
            owners: BTreeMap::new(),
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
            let emitted = by_target.remove(target.name()).unwrap_or_default();
            let accepted: Vec<(&str, Option<String>)> = emitted
                .iter()
                .filter(|(.., emission)| emission.is_accepted())
                .map(|(_, rule, emission)| (*rule, emission.slug.clone()))
                .collect();
            for (file, rule, emission) in emitted {
                built.add(*target, Some((file, rule)), emission);
            }
            built.counts.insert(target.name(), accepted.len());
            if !accepted.is_empty() {
                let members: Vec<Member<'_>> = accepted
                    .iter()
                    .map(|(rule, slug)| Member {
                        rule,
                        slug: slug.as_deref(),
                        rulec: VERSION,
                    })
                    .collect();
                let bundle = target.bundle(context, &members);
                built.add(*target, None, Emission::of_all(*target, bundle));
            }
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
    /// Adds what a document, and the rule in it, gave; or all rules together.
    fn add(&mut self, target: &dyn Target, about: Option<(&SourceFile, &str)>, emission: Emission) {
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
    pub fn report(&self, out: &str, written: Written) -> String {
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
        let _ = write!(
            text,
            "{} artifact{} in {}; what was lost is in losses.json",
            written.files,
            if written.files == 1 { "" } else { "s" },
            out
        );
        text
    }
}

/// Writes a build below `out`, each file whole, and removes what an earlier
/// build of a target left there and this one did not produce.
pub fn write(built: &Built, out: &Path) -> Result<Written, String> {
    let folder = Folder::create(out).map_err(|e| format!("{} cannot be written to: {e}", out.display()))?;
    // One file that cannot be written does not keep the others from being.
    let files: Vec<(&String, &Vec<u8>)> = built.artifacts.iter().chain(&built.verbatim).collect();
    let failed: Vec<String> = files
        .par_iter()
        .filter_map(|(path, bytes)| {
            let error = folder.write(path, bytes).err()?;
            Some(format!("{path} cannot be written: {error}"))
        })
        .collect();
    if !failed.is_empty() {
        return Err(failed.join("\nerror: "));
    }
    let before = folder.files().map_err(|e| e.to_string())?;
    for path in before {
        let target = path.split('/').next().unwrap_or_default();
        // cargo keeps its own files in the native package.
        let of_cargo = path.starts_with("native/target/");
        let known = built.artifacts.contains_key(&path) || built.verbatim.contains_key(&path);
        if built.counts.contains_key(target) && !of_cargo && !known {
            folder
                .remove(&path)
                .map_err(|e| format!("{path} cannot be removed: {e}"))?;
        }
    }
    Ok(Written {
        files: built.artifacts.len(),
    })
}
