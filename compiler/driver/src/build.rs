//! `rulec build`: artifacts of all rules for all targets, and the loss ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use rayon::prelude::*;
use rulec_emit::{Effect, Emitted, Input, LedgerEntry, Loss, Provenance, Target, targets};
use rulec_facts::Pack;
use rulec_model::Rule;
use rulec_source::{Diagnostic, SourceFile, render};

use crate::{
    VERSION, codes, data,
    output::{Folder, is_safe},
    pipeline::{Bound, Compilation, Document, Pipeline},
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
        let sound = compilation.sound();
        let provenance: Vec<Provenance> = sound
            .iter()
            .map(|(document, _)| Provenance {
                rulec: VERSION.to_owned(),
                document: document.file.path.clone(),
                sha256: document.sha256.clone(),
            })
            .collect();
        let wanted = |target: &&&dyn Target| {
            options.targets.is_empty() || options.targets.iter().any(|t| t == target.name())
        };
        for target in targets::all().iter().filter(wanted) {
            let inputs: Vec<(&Document, &Bound, Input<'_>)> = sound
                .iter()
                .zip(&provenance)
                .flat_map(|((document, rule), provenance)| inputs(document, rule, provenance, *target))
                .collect();
            let emitted: Vec<Emitted> = inputs
                .par_iter()
                .map(|(_, _, input)| rulec_emit::emit(*target, context, input))
                .collect();
            let mut accepted = Vec::new();
            for ((document, bound, input), emitted) in inputs.iter().zip(emitted) {
                let rejected = emitted.losses.iter().any(|l| l.effect == Effect::Rejected)
                    || emitted.diagnostics.iter().any(Diagnostic::is_error);
                if !rejected {
                    accepted.push(*input);
                }
                built.add(*target, Some((document, bound, input.rule)), emitted);
            }
            built.counts.insert(target.name(), accepted.len());
            if !accepted.is_empty() {
                let bundle = target.bundle(context, &accepted);
                built.add(*target, None, bundle);
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

/// The queries of a rule that go to a target. Of queries for several products
/// a target takes those it can use.
fn inputs<'a>(
    document: &'a Document,
    rule: &'a Rule,
    provenance: &'a Provenance,
    target: &dyn Target,
) -> Vec<(&'a Document, &'a Bound, Input<'a>)> {
    let several = document.queries.len() > 1;
    document
        .queries
        .iter()
        .enumerate()
        .filter(|(_, bound)| bound.resolved.targets.value.iter().any(|t| t == target.name()))
        .map(|(query, bound)| {
            let input = Input {
                rule,
                resolved: &bound.resolved,
                query,
                several,
                parsed: &bound.parsed,
                ir: &bound.ir,
                provenance,
                line: bound.deciding_line(&document.file),
            };
            (document, bound, input)
        })
        .collect()
}

impl Built {
    fn add(&mut self, target: &dyn Target, about: Option<(&Document, &Bound, &Rule)>, emitted: Emitted) {
        let rule = about.map_or_else(String::new, |(_, _, r)| r.id.clone());
        for artifact in emitted.artifacts {
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
                let file = about.map_or_else(|| SourceFile::new(target.name(), ""), |(d, ..)| d.file.clone());
                self.problems.push((file, rule.clone(), problem));
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
        for loss in emitted.losses {
            let place = about.zip(loss.span).map(|((document, bound, _), span)| {
                let at = document.file.position(bound.fragment.map(span).start as usize);
                (document.file.path.clone(), at.line, at.column)
            });
            self.ledger.push(Entry {
                rule: rule.clone(),
                target: target.name(),
                loss,
                place,
            });
        }
        for diagnostic in emitted.diagnostics {
            let (file, rule, diagnostic) = match about {
                Some((document, bound, rule)) => (
                    document.file.clone(),
                    rule.id.clone(),
                    bound.fragment.map_diagnostic(diagnostic),
                ),
                None => (SourceFile::new(target.name(), ""), String::new(), diagnostic),
            };
            self.problems.push((file, rule, diagnostic));
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
    let mut failed = Vec::new();
    for (path, bytes) in built.artifacts.iter().chain(&built.verbatim) {
        if let Err(error) = folder.write(path, bytes) {
            failed.push(format!("{path} cannot be written: {error}"));
        }
    }
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
