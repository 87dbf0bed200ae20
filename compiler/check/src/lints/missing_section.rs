//! The sections without which an analyst cannot work with an alert.

use rulec_model::RuleKind;
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL008",
        "missing-section",
        Severity::Note,
        "A detection lacks a section that analysts need.",
    ),
    page: include_str!("../../pages/missing-section.md"),
    run,
};

/// Canonical name, and what to call it.
const NEEDED: [(&str, &str); 4] = [
    ("detection_description", "Detection description"),
    ("false_positives", "False Positives"),
    ("response_actions", "Suggested Response Actions"),
    ("blind_spots", "Detection Blind Spots"),
];

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    if input.rule.kind != RuleKind::Detection {
        return;
    }
    // Documents of another style have headings of their own; one that has none
    // of these is not asked for the rest.
    let has = |key: &str| input.rule.section(key).is_some();
    if !NEEDED
        .iter()
        .any(|(key, _)| *key != "detection_description" && has(key))
    {
        return;
    }
    // One that is there and empty is what `empty-section` finds.
    let there = |key: &str| input.rule.sections.iter().any(|s| s.key.as_deref() == Some(key));
    for (key, heading) in NEEDED {
        if !there(key) {
            found.push(
                Diagnostic::new(LINT.code, format!("the document has no text under \"{heading}\""))
                    .at(input.place("/title"))
                    .help(format!("write a section \"## {heading}\"")),
            );
        }
    }
}
