//! Findings about environments.

use rulec_source::{Code, Severity};

macro_rules! codes {
    ($($name:ident = $id:literal, $slug:literal, $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code {
            id: $id, name: $slug, severity: Severity::Error, summary: $summary,
        };)*
        /// All findings of this crate.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    BAD_ENVIRONMENT = "RN001", "bad-environment", "An environment file does not say what it should.";
    UNKNOWN_RULE = "RN002", "environment-names-no-rule", "An environment names a rule that is not there.";
    BAD_VALUE = "RN003", "environment-value", "An environment gives a value to a constant that a query has not, or of another type.";
    BAD_CONDITION = "RN004", "exclusion-condition", "The condition of an exclusion is not one KQL condition.";
    NO_SLOT = "RN005", "no-slot", "A query has no place, or several, for what an environment puts in.";
    EXPIRED_EXCLUSION = "RN006", "expired-exclusion", "An exclusion has ended.";
    HIDES_POSITIVE = "RN007", "exclusion-hides-true-positive", "An exclusion keeps a rule from firing where a case of its fixture says that it fires.";
    BAD_DEDUPLICATION = "RN008", "deduplication-block", "A de-duplication block cannot be put into a query.";
}
