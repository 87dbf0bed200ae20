//! `rulec diff --env A B`: what differs in meaning between two environments.

use std::path::PathBuf;

use rulec_change::{Bump, Change, Class, Status};
use rulec_source::{Diagnostic, SourceFile};

use super::Overlay;
use crate::{
    diff::{self, Diff},
    pipeline::{Compilation, Pipeline, is_broken},
};

/// What was compared.
pub struct Compared {
    /// What differs.
    pub diff: Diff,
    /// What keeps rules from compiling in one of the two, each once.
    pub broken: Vec<(SourceFile, Option<String>, Diagnostic)>,
}

/// Compares the rules at paths as they are in two environments, in each of
/// which a pipeline is. A rule that does not compile in one of them is named as
/// broken.
pub fn compare(a: &Pipeline, b: &Pipeline, names: (&str, &str), paths: &[PathBuf]) -> Compared {
    let compiled = |pipeline: &Pipeline| pipeline.compile_loaded(pipeline.load(paths), paths, false);
    let (mut was, mut is) = (compiled(a), compiled(b));
    let mut broken = Vec::new();
    for compilation in [&was, &is] {
        for document in &compilation.documents {
            let rule = document.rule().map(|rule| rule.id.clone());
            for diagnostic in document.diagnostics.iter().filter(|d| is_broken(d)) {
                let found = (document.file.clone(), rule.clone(), diagnostic.clone());
                let known = broken
                    .iter()
                    .any(|(file, _, other): &(SourceFile, _, Diagnostic)| {
                        file.path == found.0.path && *other == found.2
                    });
                if !known && !super::is_repeated(&document.file, diagnostic) {
                    broken.push(found);
                }
            }
        }
    }
    let (out_of_a, out_of_b) = (left_out(a, &mut was), left_out(b, &mut is));
    let mut rules = diff::changes(a, b, &was, &is, true);
    for rule in &mut rules {
        // The document is the same one: it asks for no version.
        rule.bump = Bump::None;
        (rule.old_version, rule.new_version) = (None, None);
        for change in &mut rule.changes {
            change.bump = Bump::None;
        }
        let (name, out) = match rule.status {
            Status::Added => (names.0, &out_of_a),
            Status::Removed => (names.1, &out_of_b),
            _ => continue,
        };
        if let Some((_, why)) = out.iter().find(|(id, _)| *id == rule.rule) {
            rule.changes.push(Change {
                class: Class::Schedule,
                bump: Bump::None,
                field: "disabled".to_owned(),
                text: format!("is disabled in {name}: {why}"),
                old: None,
                new: None,
            });
        }
    }
    Compared {
        diff: Diff::of(names.0, rules),
        broken,
    }
}

/// Takes the rules that are disabled out; their ids and why.
fn left_out(pipeline: &Pipeline, compilation: &mut Compilation) -> Vec<(String, String)> {
    let why = |overlay: &Overlay, id: &str| overlay.said.rules.get(id)?.disabled.clone();
    let mut out = Vec::new();
    compilation.documents.retain(|document| {
        let rule = document.rule().filter(|_| document.disabled);
        if let Some(rule) = rule {
            let why = pipeline.overlay.as_deref().and_then(|o| why(o, &rule.id));
            out.push((rule.id.clone(), why.unwrap_or_default()));
        }
        !document.disabled
    });
    out
}
