//! Rules to artifacts: Sentinel, Defender, Sigma and native Rust, each from
//! templates, with a ledger of what each of them could not say.
//!
//! In: a rule, its bound query and its resolved settings. Out: artifacts as
//! bytes under relative paths. Deliberately absent: writing files, and any
//! question "is this target X" outside `targets/`.

mod artifact;
mod provenance;
pub mod targets;
mod template;

pub use artifact::{Artifact, Effect, Emitted, Loss};
pub use provenance::Provenance;
pub use template::{TemplateError, Templates};

use rulec_facts::Pack;
use rulec_functions as _;
use rulec_model::{Resolved, Rule};
use rulec_source::Diagnostic;

/// One rule, ready to be emitted.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The rule as its document says it.
    pub rule: &'a Rule,
    /// Settings with everything derived.
    pub resolved: &'a Resolved,
    /// Which of the rule's queries this is.
    pub query: usize,
    /// How many artifacts' names must tell this query from the others of the
    /// rule: the query's slug (`sentinel`, `2`), or none when the rule has one.
    pub query_slug: Option<&'a str>,
    /// The query's syntax tree; spans are bytes of the query text.
    pub parsed: &'a rulec_kql::Parsed,
    /// The query, bound.
    pub ir: &'a rulec_ir::Query,
    /// Where the artifact comes from.
    pub provenance: &'a Provenance,
}

/// What every target shares: data and templates, loaded once.
pub struct Context {
    /// The data under schema/ and templates/, a repository's own laid over.
    pub pack: Pack,
    /// The templates of `pack`, compiled.
    pub templates: Templates,
    /// ATT&CK version that rules are written against.
    pub attack: rulec_facts::attack::Attack,
}

/// A target format: one file in `targets/`, one folder in templates/, one row
/// in [`targets::all`].
pub trait Target: Sync {
    /// `sentinel`: what `--target` takes, and the name of the output folder.
    fn name(&self) -> &'static str;

    /// One sentence for `rulec list targets`.
    fn about(&self) -> &'static str;

    /// The artifacts of one rule. Spans of losses and diagnostics are bytes of
    /// the query text, or none for what concerns the document as a whole.
    fn rule(&self, context: &Context, input: &Input<'_>) -> Emitted;

    /// Artifacts over all rules that went to this target, in order of id.
    fn bundle(&self, context: &Context, inputs: &[Input<'_>]) -> Emitted {
        let _ = (context, inputs);
        Emitted::default()
    }
}

/// The artifacts of one rule for one target. Never panics; a rule that cannot
/// go to the target yields a [`Effect::Rejected`] loss and no artifact.
pub fn emit(target: &dyn Target, context: &Context, input: &Input<'_>) -> Emitted {
    target.rule(context, input)
}

/// All findings of this stage.
pub const CODES: &[rulec_source::Code] = &[];

/// A finding about something as a whole.
#[allow(dead_code)]
fn about(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic
}
