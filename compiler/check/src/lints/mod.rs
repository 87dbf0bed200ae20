//! The lints, one file each.

use rulec_source::{Code, Severity};

use crate::Lint;

mod attack_name;
mod data_source_unused;
mod deprecated_function;
mod mapped_column;
mod missing_section;
mod table_undeclared;
mod tactic_mismatch;
mod unknown_entity;
mod unknown_technique;

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
