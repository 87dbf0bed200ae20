//! Headings with nothing below them.

use super::code;
use super::heading;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL061",
        "empty-section",
        Severity::Warning,
        "A section has a heading and no text.",
    ),
    page: include_str!("../../pages/empty-section.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let sections = &input.rule.sections;
    for (index, section) in sections.iter().enumerate() {
        let prose = section.key.as_deref().is_some_and(|key| PROSE.contains(&key));
        let parent = sections
            .get(index + 1)
            .is_some_and(|next| next.level > section.level);
        if prose && section.text.trim().is_empty() && !parent {
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!("there is no text under \"{}\"", section.heading),
                )
                .at(heading(&input.file.text, &section.heading).unwrap_or_else(|| input.place("/title")))
                .help("write it, or remove the heading"),
            );
        }
    }
}

/// Sections that are prose and nothing else.
const PROSE: [&str; 4] = [
    "detection_description",
    "false_positives",
    "response_actions",
    "blind_spots",
];
