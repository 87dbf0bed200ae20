//! What a stage has to say: one shape for errors, warnings and notes.

use serde::{Deserialize, Serialize};

use crate::Span;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing needs to change.
    Note,
    /// Probably wrong.
    Warning,
    /// The rule does not compile, or would fail where it is deployed.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A kind of finding. Each crate lists its own in a `CODES` table; a code never
/// changes its meaning and is never used again for another.
///
/// The first letters say who found it: `RD` reading documents, `RK1` KQL
/// syntax, `RK2` KQL names and types, `RL` lints, `RE` emitting, `RR` running,
/// `RC` configuration and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `RK201`.
    pub id: &'static str,
    /// `unknown-column`: what configuration and suppressions call it.
    pub name: &'static str,
    /// The severity unless configuration says otherwise.
    pub severity: Severity,
    /// One sentence for `rulec list lints`.
    pub summary: &'static str,
}

/// A finding about one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding.
    pub code: Code,
    /// How much it matters here.
    pub severity: Severity,
    /// One sentence that stands alone, without the place.
    pub message: String,
    /// Places; the first is the primary one. None: about the file as a whole.
    pub labels: Vec<Label>,
    /// Further facts, each a sentence.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// How to do it automatically.
    pub fix: Option<Fix>,
}

/// A place and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// May be empty: then only underlined.
    pub text: String,
}

/// An automatic repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a command: "use `parse_json`".
    pub message: String,
    /// Replacements, in order and not overlapping.
    pub edits: Vec<Edit>,
}

/// Replace the bytes under `span` by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

impl Diagnostic {
    /// A finding of that kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Underlines `span`.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        self.label(span, "")
    }

    /// Underlines `span` and says something about it.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers a repair that replaces `span` by `text`.
    #[must_use]
    pub fn fix(mut self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            message: message.into(),
            edits: vec![Edit {
                span,
                text: text.into(),
            }],
        });
        self
    }

    /// Offers a repair of several places, which stand in order and do not overlap.
    #[must_use]
    pub fn fix_all(mut self, message: impl Into<String>, edits: Vec<(Span, String)>) -> Self {
        let edits = edits.into_iter().map(|(span, text)| Edit { span, text });
        self.fix = Some(Fix {
            message: message.into(),
            edits: edits.collect(),
        });
        self
    }

    /// The primary place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|l| l.span)
    }

    /// Whether the finding is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
