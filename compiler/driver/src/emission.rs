//! What one document gives for the targets of a build.
//!
//! In: a document as it is compiled, or what the cache has of it. Out: its
//! artifacts, losses and findings, with places in the document, and nothing
//! that needs the rule to be bound any more.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    str::FromStr as _,
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use rulec_emit::{Artifact, Context, Effect, Emitted, Input, Loss, Places, Provenance, Target, targets};
use rulec_model::{Origin, Rule};
use rulec_source::{Code, Diagnostic, Span};
use serde::{Deserialize, Serialize};

use crate::{
    VERSION, cache,
    check::{Mark, Outcome},
    kept::Kept,
    list,
    pipeline::{Bound, Document, Pipeline},
};

/// What one query of a rule gives for one target.
#[derive(Debug)]
pub(crate) struct Emission {
    pub(crate) target: &'static str,
    /// What tells the query from the rule's others.
    pub(crate) slug: Option<String>,
    /// The rule's version.
    pub(crate) version: String,
    pub(crate) artifacts: Vec<Artifact>,
    /// With line and column in the document.
    pub(crate) losses: Vec<(Loss, Option<(usize, usize)>)>,
    /// Placed in the document.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Emission {
    fn new(
        target: &dyn Target,
        document: &Document,
        bound: &Bound,
        input: &Input<'_>,
        emitted: Emitted,
    ) -> Self {
        let place = |loss: &Loss| {
            let outer = |span: Span| {
                if loss.around {
                    span
                } else {
                    bound.fragment.map(span)
                }
            };
            let at = document.file.position(outer(loss.span?).start as usize);
            Some((at.line, at.column))
        };
        let map = |diagnostic| bound.fragment.map_diagnostic(diagnostic);
        Self {
            target: target.name(),
            slug: input.slug(None),
            version: input.rule.version().to_owned(),
            artifacts: emitted.artifacts,
            losses: emitted
                .losses
                .into_iter()
                .map(|loss| {
                    let place = place(&loss);
                    (loss, place)
                })
                .collect(),
            diagnostics: emitted
                .diagnostics
                .into_iter()
                .map(map)
                .chain(emitted.around)
                .collect(),
        }
    }

    /// What all rules together give for a target.
    pub(crate) fn of_all(target: &dyn Target, emitted: Emitted) -> Self {
        Self {
            target: target.name(),
            slug: None,
            version: String::new(),
            artifacts: emitted.artifacts,
            losses: emitted.losses.into_iter().map(|loss| (loss, None)).collect(),
            diagnostics: [emitted.diagnostics, emitted.around].concat(),
        }
    }

    /// Whether the query went to the target.
    pub(crate) fn is_accepted(&self) -> bool {
        !self
            .losses
            .iter()
            .any(|(loss, _)| loss.effect == Effect::Rejected)
            && !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// What a sound document gives for targets, in their order, query by query.
pub(crate) fn emissions(
    context: &Context,
    targets: &[&'static dyn Target],
    document: &Document,
    rule: &Rule,
) -> Vec<Emission> {
    let provenance = Provenance {
        rulec: VERSION.to_owned(),
        document: document.file.path.clone(),
        sha256: document.sha256.clone(),
    };
    emissions_as(context, targets, document, rule, &provenance)
}

/// As [`emissions`], saying that it comes from elsewhere.
pub(crate) fn emissions_as(
    context: &Context,
    targets: &[&'static dyn Target],
    document: &Document,
    rule: &Rule,
    provenance: &Provenance,
) -> Vec<Emission> {
    let mut found = Vec::new();
    for target in targets {
        for (bound, input) in inputs(document, rule, provenance, *target) {
            let emitted = rulec_emit::emit(*target, context, &input);
            found.push(Emission::new(*target, document, bound, &input, emitted));
        }
    }
    found
}

impl Pipeline {
    /// Adds to a document what its targets would refuse or take differently, as
    /// far as somebody chose them: that a rule fits no target it was never meant
    /// for is no mistake. What lints say of columns and mappings is said already.
    pub(crate) fn add_refusals(&self, document: &mut Document) {
        let (Some(rule), true) = (document.rule(), document.is_sound()) else {
            return;
        };
        let chosen = |bound: &Bound| {
            !matches!(
                bound.resolved.targets.origin,
                Origin::Derived(_) | Origin::Default(_)
            )
        };
        if !document.queries.iter().any(chosen) {
            return;
        }
        // What keeps all rules from being emitted is told where they are.
        let Ok(context) = self.emit_context() else { return };
        let asked: Vec<&'static dyn Target> = targets::all()
            .iter()
            .copied()
            .filter(|target| target.has_save_rules())
            .collect();
        let found: Vec<Diagnostic> = emissions(context, &asked, document, rule)
            .into_iter()
            .flat_map(|emission| emission.diagnostics)
            .filter(|found| !rulec_emit::CONTRACT.contains(&found.code))
            .collect();
        document.diagnostics.extend(found);
        document.order();
    }
}

impl Document {
    /// Where the values of its rule stand.
    fn places(&self) -> Places<'_> {
        static NONE: BTreeMap<String, Span> = BTreeMap::new();
        Places {
            text: &self.file.text,
            spans: self.read.as_ref().map_or(&NONE, |read| &read.places),
        }
    }
}

/// The queries of a rule that go to a target. Of queries for several products
/// a target takes those it can use.
fn inputs<'a>(
    document: &'a Document,
    rule: &'a Rule,
    provenance: &'a Provenance,
    target: &dyn Target,
) -> Vec<(&'a Bound, Input<'a>)> {
    let several = document.queries.len() > 1;
    let places = document.places();
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
                places,
                line: bound.deciding_line(&document.file),
            };
            (bound, input)
        })
        .collect()
}

/// A document of a build: what is wrong with it, and what it gives if nothing is.
pub(crate) struct Made {
    pub(crate) outcome: Outcome,
    pub(crate) emissions: Vec<Emission>,
    /// What is to be kept of it under a name: new, or as it was found.
    pub(crate) kept: Option<(String, Vec<u8>)>,
    /// Whether it was not known before.
    pub(crate) is_new: bool,
}

/// What is kept of a document. `S` is a text, borrowed or not.
#[derive(Serialize, Deserialize)]
struct Entry<S> {
    rule: Option<Mark>,
    diagnostics: Vec<Kept>,
    emissions: Vec<KeptEmission<S>>,
}

/// Target, slug, version, artifacts, losses, findings.
#[derive(Serialize, Deserialize)]
struct KeptEmission<S>(S, Option<S>, S, Vec<KeptArtifact<S>>, Vec<KeptLoss<S>>, Vec<Kept>);

/// Path, kind, text, and whether it is verbatim.
type KeptArtifact<S> = (S, S, S, bool);

/// Construct, effect, why, its span, and its place in the document.
type KeptLoss<S> = (S, S, S, Option<Span>, Option<(usize, usize)>);

/// The bytes that are kept of a document; none for artifacts that are no text.
pub(crate) fn keep(outcome: &Outcome, emissions: &[Emission]) -> Option<Vec<u8>> {
    let emissions = emissions.iter().map(|emission| {
        let artifacts = emission.artifacts.iter().map(|artifact| {
            let text = std::str::from_utf8(&artifact.bytes).ok()?;
            Some((
                artifact.path.as_str(),
                artifact.kind.as_str(),
                text,
                artifact.verbatim,
            ))
        });
        let losses = emission.losses.iter().map(|(loss, place)| {
            let effect = loss.effect.as_str();
            (
                loss.construct.as_str(),
                effect,
                loss.why.as_str(),
                loss.span,
                *place,
            )
        });
        Some(KeptEmission(
            emission.target,
            emission.slug.as_deref(),
            emission.version.as_str(),
            artifacts.collect::<Option<_>>()?,
            losses.collect(),
            emission.diagnostics.iter().map(Kept::of).collect(),
        ))
    });
    let entry = Entry {
        rule: outcome.rule.clone(),
        diagnostics: outcome.diagnostics.iter().map(Kept::of).collect(),
        emissions: emissions.collect::<Option<_>>()?,
    };
    // Modules of Rust repeat themselves: a fifth is left of them.
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&serde_json::to_vec(&entry).ok()?).ok()?;
    packed.finish().ok()
}

/// What was kept of a document.
pub(crate) fn kept(bytes: &[u8], codes: &[Code]) -> Option<(Option<Mark>, Vec<Diagnostic>, Vec<Emission>)> {
    let mut text = Vec::new();
    DeflateDecoder::new(bytes).read_to_end(&mut text).ok()?;
    let entry: Entry<String> = serde_json::from_slice(&text).ok()?;
    let diagnostics = |kept: &[Kept]| {
        kept.iter()
            .map(|kept| kept.diagnostic(codes))
            .collect::<Option<_>>()
    };
    let emissions = entry.emissions.into_iter().map(|emission| {
        let KeptEmission(target, slug, version, artifacts, losses, found) = emission;
        let artifacts = artifacts
            .into_iter()
            .map(|(path, kind, text, verbatim)| Artifact {
                path,
                kind,
                bytes: text.into_bytes(),
                rules: Vec::new(),
                verbatim,
            });
        let losses = losses.into_iter().map(|(construct, effect, why, span, place)| {
            let effect = Effect::from_str(&effect).ok()?;
            let mut loss = Loss::new(construct, effect, why);
            loss.span = span;
            Some((loss, place))
        });
        Some(Emission {
            target: targets::by_name(&target)?.name(),
            slug,
            version,
            artifacts: artifacts.collect(),
            losses: losses.collect::<Option<_>>()?,
            diagnostics: diagnostics(&found)?,
        })
    });
    let emissions = emissions.collect::<Option<_>>()?;
    Some((entry.rule, diagnostics(&entry.diagnostics)?, emissions))
}

/// What builds before this one kept, by document.
pub(crate) struct Known {
    /// Of the setting; all documents share it.
    name: String,
    bytes: Vec<u8>,
    /// Where the entries are.
    places: BTreeMap<String, std::ops::Range<usize>>,
    pub(crate) codes: Vec<Code>,
}

/// The folder in the cache.
const KIND: &str = "build";
/// Bytes of documents that are no longer asked for, at most.
const MOST_OTHERS: usize = 64 << 20;
/// Bytes of the name of an entry, and of its length behind it.
const NAME: usize = 32;
const LENGTH: usize = 4;

impl Known {
    pub(crate) fn open(pipeline: &Pipeline, targets: &[&'static dyn Target]) -> Self {
        let mut setting = pipeline.setting();
        for target in targets {
            cache::part(&mut setting, target.name().as_bytes());
        }
        let name = cache::name(setting);
        let bytes = pipeline.cache.read(KIND, &name).unwrap_or_default();
        let mut places = BTreeMap::new();
        let mut at = 0;
        while let Some(head) = bytes.get(at..at + NAME + LENGTH) {
            let (name, length) = head.split_at(NAME);
            let length = length.try_into().map_or(0, u32::from_le_bytes) as usize;
            at += NAME + LENGTH;
            places.insert(String::from_utf8_lossy(name).into_owned(), at..at + length);
            at += length;
        }
        Self {
            name,
            bytes,
            places,
            codes: list::codes(),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&[u8]> {
        self.bytes.get(self.places.get(name)?.clone())
    }

    /// Keeps what documents gave, unless all of it was known.
    pub(crate) fn keep(mut self, pipeline: &Pipeline, made: &[Made]) {
        if !made.iter().any(|made| made.is_new && made.kept.is_some()) {
            return;
        }
        let mut all = Vec::new();
        let mut add = |name: &str, bytes: &[u8]| {
            if let (NAME, Ok(length)) = (name.len(), u32::try_from(bytes.len())) {
                all.extend_from_slice(name.as_bytes());
                all.extend_from_slice(&length.to_le_bytes());
                all.extend_from_slice(bytes);
            }
        };
        for (name, bytes) in made.iter().filter_map(|made| made.kept.as_ref()) {
            add(name, bytes);
            self.places.remove(name);
        }
        // A branch that is left may be come back to.
        let mut left = MOST_OTHERS;
        for (name, place) in &self.places {
            if let Some(bytes) = self.bytes.get(place.clone())
                && bytes.len() <= left
            {
                left -= bytes.len();
                add(name, bytes);
            }
        }
        pipeline.cache.write(KIND, &self.name, &all);
    }
}
