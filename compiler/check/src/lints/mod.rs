//! The lints, one file each.

use rulec_kql::TokenKind;
use rulec_source::{Code, Severity, Span};

use crate::Lint;

mod attack_name;
mod attack_other_version;
mod data_source_unused;
mod deprecated_function;
mod event_undeclared;
mod event_unused;
mod hash_comparison;
mod mapped_column;
mod missing_section;
mod missing_tactic;
mod revoked_technique;
mod subtechnique_alone;
mod table_undeclared;
mod tactic_mismatch;
mod toscalar;
mod unknown_entity;
mod unknown_technique;
mod unstable_hash;

/// Where a setting came from that the document does not say.
const CONFIG: &str = "the mapping comes from [defaults] in rulec.toml";

const fn code(id: &'static str, name: &'static str, severity: Severity, summary: &'static str) -> Code {
    Code {
        id,
        name,
        severity,
        summary,
    }
}

/// All lints, in the order of their codes.
pub(crate) const ALL: &[Lint] = &[
    mapped_column::LINT,
    unknown_entity::LINT,
    unknown_technique::LINT,
    tactic_mismatch::LINT,
    attack_name::LINT,
    data_source_unused::LINT,
    table_undeclared::LINT,
    missing_section::LINT,
    deprecated_function::LINT,
    toscalar::LINT,
    unstable_hash::LINT,
    hash_comparison::LINT,
    revoked_technique::LINT,
    attack_other_version::LINT,
    missing_tactic::LINT,
    subtechnique_alone::LINT,
    event_unused::LINT,
    event_undeclared::LINT,
];

/// Their codes.
pub(crate) const CODES: [Code; ALL.len()] = {
    let mut codes = [ALL[0].code; ALL.len()];
    let mut i = 0;
    while i < ALL.len() {
        codes[i] = ALL[i].code;
        i += 1;
    }
    codes
};

/// Names in front of a parenthesis.
fn calls(parsed: &rulec_kql::Parsed) -> impl Iterator<Item = (&str, Span)> {
    let trivia = |kind| matches!(kind, TokenKind::Whitespace | TokenKind::Comment);
    let tokens: Vec<_> = parsed.tokens.iter().filter(|t| !trivia(t.kind)).collect();
    let called = tokens
        .windows(2)
        .filter(|pair| pair[1].kind == TokenKind::OpenParen)
        .map(|pair| pair[0].span);
    called
        .map(|span| (span.of(&parsed.text), span))
        .collect::<Vec<_>>()
        .into_iter()
}
