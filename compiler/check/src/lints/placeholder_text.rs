//! Text that was to be replaced.

use rulec_source::Span;

use super::code;
use super::placeholder;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL062",
        "placeholder-text",
        Severity::Warning,
        "A document holds text that was to be replaced.",
    ),
    page: include_str!("../../pages/placeholder-text.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for section in &input.rule.sections {
        let Some(word) = placeholder(&section.text) else {
            continue;
        };
        let text = &input.file.text;
        let below = text.find(section.text.as_str());
        let at = below.and_then(|start| Some(start + section.text.find(word)?));
        found.push(
            Diagnostic::new(
                LINT.code,
                format!(
                    "`{word}` under \"{}\" stands for text that is still missing",
                    section.heading
                ),
            )
            .at(at.map_or_else(|| input.place("/title"), |at| Span::new(at, at + word.len())))
            .help("write the text"),
        );
    }
}
