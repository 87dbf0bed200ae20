//! Rules of other formats as documents: Sentinel analytics rules, Defender
//! custom detections, Sigma.
//!
//! In: the text of a file, and data ([`Context`]). Out: one [`Imported`] a
//! rule: the document in the house layout, and what it could not say. One bad
//! rule never stops the others; input is not trusted, and an id taken from it
//! is always fit to be a file's name.
//!
//! Before a document is handed out it is read back: what would not come back
//! as it was is said. Deliberately absent: files, and any judgement of the
//! rule; `rulec check` judges the document like any other.

mod attack;
mod codes;
mod defender;
mod draft;
mod input;
mod sentinel;
mod sigma;

pub use codes::CODES;
pub use draft::tell_apart;

use rulec_emit::{Effect, Loss};
use rulec_facts::aliases::Aliases;
use rulec_facts::attack::Attack;
use rulec_facts::entities::Entities;
use rulec_facts::tables::{Environment, Tables};
use rulec_facts::{FactsError, Pack, targets};
use rulec_ir::Catalog;
use rulec_model::Rule;
use rulec_source::{Diagnostic, SourceFile, Span};
use std::sync::Arc;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Analytics rules: YAML templates, ARM templates, REST exports.
    Sentinel,
    /// Custom detections: one body, a list, or a page of the Graph API.
    Defender,
    /// Sigma rules.
    Sigma,
}

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sentinel => "sentinel",
            Self::Defender => "defender",
            Self::Sigma => "sigma",
        }
    }
}

/// Data for importing, loaded once.
pub struct Context {
    aliases: Aliases,
    /// The version that documents are written against.
    attack: Attack,
    entities: Entities,
    sentinel: targets::Sentinel,
    sigma: rulec_facts::sigma::Sigma,
    catalog: Catalog,
}

impl Context {
    /// Reads what importing needs from a pack; `attack` is the version of
    /// ATT&CK that documents are written against.
    pub fn load(pack: &Pack, attack: &str) -> Result<Self, FactsError> {
        Ok(Self {
            aliases: Aliases::load(pack)?,
            attack: Attack::load(pack, attack)?,
            entities: Entities::load(pack)?,
            sentinel: targets::Sentinel::load(pack)?,
            sigma: rulec_facts::sigma::Sigma::load(pack)?,
            catalog: Catalog::new(Arc::new(Tables::new(pack, Environment::MergedColumns)?)),
        })
    }
}

/// One rule that was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The rule, as the document says it.
    pub rule: Rule,
    /// The document, in canonical layout.
    pub document: String,
    /// What the document does not say as the rule did.
    pub losses: Vec<Loss>,
    /// What tells the rule from another of the same name.
    mark: String,
}

impl Imported {
    /// The id of the rule where it comes from; empty when it has none.
    pub fn deployed_id(&self) -> &str {
        &self.mark
    }
}

/// What a file gave.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The rules, in the order of the file, with ids that differ in more than case.
    pub rules: Vec<Imported>,
    /// Findings, placed in the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// A rule that is no document: its name, and why.
pub(crate) struct Refused {
    pub(crate) name: String,
    pub(crate) why: String,
}

/// Imports every rule of a file.
pub fn import(context: &Context, format: Format, file: &SourceFile) -> Import {
    let mut import = Import::default();
    let values = match input::values(file) {
        Ok(values) => values,
        Err(diagnostic) => {
            import.diagnostics.push(*diagnostic);
            return import;
        }
    };
    let found = match format {
        Format::Sentinel => sentinel::rules(context, file, values),
        Format::Defender => defender::rules(context, values),
        Format::Sigma => sigma::rules(context, file, values),
    };
    if found.is_empty() {
        let diagnostic = Diagnostic::new(
            codes::NOTHING,
            format!("the file holds no {} rule", format.name()),
        );
        import.diagnostics.push(diagnostic.help(match format {
            Format::Sentinel => "give a YAML template, an ARM template or an export with `properties`",
            Format::Defender => {
                "give a detectionRule with `queryCondition`, a list of them, or `{\"value\": […]}`"
            }
            Format::Sigma => "give YAML with `logsource` and `detection`",
        }));
    }
    let single = found.len() == 1;
    for outcome in found {
        match outcome {
            Ok(draft) => {
                let name = draft.rule.title.clone();
                match draft.finish(context) {
                    Ok(imported) => {
                        let place = |construct: &str| single.then(|| locate(&file.text, construct)).flatten();
                        import.diagnostics.extend(imported.losses.iter().map(|loss| {
                            let found = said(&name, loss);
                            match place(&loss.construct) {
                                Some(span) => found.at(span),
                                None => found,
                            }
                        }));
                        import.rules.push(imported);
                    }
                    Err(why) => import.diagnostics.push(refused(&Refused { name, why })),
                }
            }
            Err(problem) => import.diagnostics.push(refused(&problem)),
        }
    }
    draft::tell_apart(&mut import.rules);
    import
}

fn refused(problem: &Refused) -> Diagnostic {
    let Refused { name, why } = problem;
    Diagnostic::new(codes::REFUSED, format!("`{name}` is not imported: {why}"))
        .help("write this rule by hand with `rulec new`; the others are imported")
}

/// A loss as a finding.
fn said(name: &str, loss: &Loss) -> Diagnostic {
    let Loss { construct, why, .. } = loss;
    let why = why.trim_end_matches('.');
    if loss.effect == Effect::Exact {
        return Diagnostic::new(codes::ADDED, format!("`{name}`: {construct}: {why}"));
    }
    let effect = loss.effect.as_str();
    Diagnostic::new(codes::LOSS, format!("`{name}`: {construct} is {effect}: {why}"))
        .help("look at the document before the rule is deployed from it")
}

/// Where the key that a loss begins with stands in the file.
fn locate(text: &str, construct: &str) -> Option<Span> {
    let word = construct
        .trim_start_matches('`')
        .split(['`', ' ', ':', '|'])
        .next()?;
    let (key, from) = ['.', '[']
        .iter()
        .find_map(|at| word.split(*at).next().filter(|w| w.len() < word.len()))
        .map_or((word, 0), |first| (first, 0));
    if key.len() < 2 {
        return None;
    }
    text[from..].match_indices(key).find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = &text[at + key.len()..];
        let begins = before.is_none_or(|c| c.is_whitespace() || c == '"' || c == '\'' || c == '-');
        let ends = behind.starts_with(':') || behind.starts_with("\":") || behind.starts_with('|');
        (begins && ends).then(|| Span::new(at, at + key.len()))
    })
}
