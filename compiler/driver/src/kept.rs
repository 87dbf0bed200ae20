//! Findings as the cache has them.

use rulec_source::{Code, Diagnostic, Edit, Fix, Label, Severity, Span};
use serde::{Deserialize, Serialize};

/// Texts and where they belong.
type Places = Vec<(Span, String)>;

/// A finding, its code by its id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Kept(
    String,
    Severity,
    String,
    Places,
    Vec<String>,
    Option<String>,
    Option<(String, Places, bool)>,
);

impl Kept {
    pub(crate) fn of(diagnostic: &Diagnostic) -> Self {
        let labels = diagnostic.labels.iter().map(|l| (l.span, l.text.clone()));
        let fix = diagnostic.fix.as_ref().map(|fix| {
            let edits = fix.edits.iter().map(|e| (e.span, e.text.clone()));
            (fix.message.clone(), edits.collect(), fix.safe)
        });
        Self(
            diagnostic.code.id.to_owned(),
            diagnostic.severity,
            diagnostic.message.clone(),
            labels.collect(),
            diagnostic.notes.clone(),
            diagnostic.help.clone(),
            fix,
        )
    }

    /// The finding; none when its code is not one of `codes`, which are in order.
    pub(crate) fn diagnostic(&self, codes: &[Code]) -> Option<Diagnostic> {
        let Self(code, severity, message, labels, notes, help, fix) = self;
        let place = codes.binary_search_by_key(&code.as_str(), |code| code.id).ok()?;
        let labels = labels.iter().map(|(span, text)| Label {
            span: *span,
            text: text.clone(),
        });
        let fix = fix.as_ref().map(|(message, edits, safe)| Fix {
            message: message.clone(),
            edits: edits
                .iter()
                .map(|(span, text)| Edit {
                    span: *span,
                    text: text.clone(),
                })
                .collect(),
            safe: *safe,
        });
        Some(Diagnostic {
            code: codes[place],
            severity: *severity,
            message: message.clone(),
            labels: labels.collect(),
            notes: notes.clone(),
            help: help.clone(),
            fix,
        })
    }
}
