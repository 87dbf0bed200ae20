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
/// syntax, `RK2` KQL names and types, `RL` lints, `RE` emitting, `RN` environments, `RR` running,
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

/// Why a document lives with a finding, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Where the document says so.
    pub span: Span,
    /// The last day it goes for, like `2027-01-31`.
    pub until: String,
    /// Why, in words of the document.
    pub reason: String,
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
    /// Whether it may be applied without looking: what is written afterwards is
    /// what was meant. A name that merely resembles another is a suggestion.
    pub safe: bool,
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

    /// Offers a repair that replaces `span` by `text` and can be applied without looking.
    #[must_use]
    pub fn fix(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.repair(message, vec![(span, text.into())], true)
    }

    /// [`Self::fix`] of several places, which stand in order and do not overlap.
    #[must_use]
    pub fn fix_all(self, message: impl Into<String>, edits: Vec<(Span, String)>) -> Self {
        self.repair(message, edits, true)
    }

    /// Offers to replace `span` by `text`, which is a guess: somebody has to look.
    #[must_use]
    pub fn suggest(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.repair(message, vec![(span, text.into())], false)
    }

    /// [`Self::suggest`] of several places, which stand in order and do not overlap.
    #[must_use]
    pub fn suggest_all(self, message: impl Into<String>, edits: Vec<(Span, String)>) -> Self {
        self.repair(message, edits, false)
    }

    fn repair(mut self, message: impl Into<String>, edits: Vec<(Span, String)>, safe: bool) -> Self {
        let edits = edits.into_iter().map(|(span, text)| Edit { span, text });
        self.fix = Some(Fix {
            message: message.into(),
            edits: edits.collect(),
            safe,
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

/// A text with all safe repairs of its findings made, and how many those were.
/// Of two that touch the same place the first is made; the other may be worth
/// another round.
pub fn repaired<'d>(text: &str, diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> (String, usize) {
    let mut fixes: Vec<&Fix> = diagnostics
        .into_iter()
        .filter_map(|d| d.fix.as_ref())
        .filter(|fix| fix.safe && !fix.edits.is_empty())
        .collect();
    fixes.sort_by_key(|fix| fix.edits.first().map(|e| (e.span.start, e.span.end)));
    fixes.dedup();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut made = 0;
    for fix in fixes {
        // A repair of several places is made whole or not at all; those behind
        // its first place begin after it.
        let fits = fix.edits.first().is_some_and(|e| e.span.start as usize >= at)
            && fix.edits.windows(2).all(|w| w[0].span.end <= w[1].span.start)
            && fix.edits.iter().all(|e| text.get(e.span.range()).is_some());
        if !fits {
            continue;
        }
        for edit in &fix.edits {
            out.push_str(&text[at..edit.span.start as usize]);
            out.push_str(&edit.text);
            at = edit.span.end as usize;
        }
        made += 1;
    }
    out.push_str(&text[at..]);
    (out, made)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: Code = Code {
        id: "RX001",
        name: "test",
        severity: Severity::Warning,
        summary: "",
    };

    #[test]
    fn repairs_are_made_once_and_do_not_overlap() {
        let text = "pack(any(x), y)";
        let at = |start, end| Span::new(start, end);
        let found = [
            Diagnostic::new(CODE, "b").fix("b", at(5, 8), "take_any"),
            Diagnostic::new(CODE, "a").fix("a", at(0, 4), "bag_pack"),
            Diagnostic::new(CODE, "a again").fix("a", at(0, 4), "bag_pack"),
            Diagnostic::new(CODE, "overlapping").fix("c", at(6, 11), ""),
            Diagnostic::new(CODE, "a guess").suggest("d", at(13, 14), "z"),
            Diagnostic::new(CODE, "outside").fix("e", at(14, 99), ""),
        ];
        let (fixed, made) = repaired(text, &found);
        assert_eq!((fixed.as_str(), made), ("bag_pack(take_any(x), y)", 2));
    }
}
