//! The findings of this stage, by code.
//!
//! Below 20 they are about templates, names and the pack; from 20 Sentinel,
//! from 40 Defender, from 60 Sigma, from 80 native Rust.

use rulec_source::{Code, Severity};

macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $id:literal $name:literal $severity:ident $summary:literal;)*) => {
        $($(#[$doc])* #[doc = $summary] pub(crate) const $constant: Code = Code {
            id: $id,
            name: $name,
            severity: Severity::$severity,
            summary: $summary,
        };)*

        /// All findings of this stage, sorted by id.
        pub const CODES: &[Code] = &[$($constant,)*];
    };
}

codes! {
    TEMPLATE_SYNTAX = "RE001" "template-syntax" Error
        "A template does not compile.";
    TEMPLATE_FAILED = "RE002" "template-failed" Error
        "A template fails while it is rendered: an undefined variable, a bare string, an endless loop.";
    TEMPLATE_WRONG = "RE003" "template-wrong" Error
        "A rendered artifact does not load back to what was meant.";
    TARGET_CONFIG = "RE004" "target-config" Error
        "A target's target.toml is missing or malformed.";
    TARGET_FACTS = "RE005" "target-facts" Error
        "A data file that a target needs is missing or malformed.";
    ARTIFACT_NAME = "RE006" "artifact-name" Warning
        "A rule id cannot be a file name everywhere, so its artifacts are named differently.";
    ARTIFACT_COLLISION = "RE007" "artifact-collision" Error
        "Two artifacts have names that some file systems hold to be one.";
    ARTIFACT_SCHEMA = "RE008" "artifact-schema" Error
        "An artifact is not valid against its target's schema.";

    SENTINEL_LIMIT = "RE020" "sentinel-limit" Error
        "A value is longer, larger or more numerous than Sentinel takes.";
    SENTINEL_SCHEDULE = "RE021" "sentinel-schedule" Error
        "Sentinel refuses this frequency, period or suppression.";
    SENTINEL_QUERY = "RE022" "sentinel-query" Error
        "Sentinel refuses this query.";
    SENTINEL_ENTITY = "RE023" "sentinel-entity" Error
        "Sentinel refuses this entity mapping.";
    SENTINEL_COLUMN = "RE024" "sentinel-column" Error
        "A mapping, custom detail or placeholder names a column the query does not return.";
    SENTINEL_DETAIL = "RE025" "sentinel-detail" Error
        "Sentinel refuses this custom detail.";
    SENTINEL_ATTACK = "RE026" "sentinel-attack" Warning
        "A tactic or technique has no place in the ATT&CK version that Sentinel takes.";
    SENTINEL_NRT = "RE027" "sentinel-nrt" Warning
        "A near-real-time rule in Sentinel has no place for this setting.";
    SENTINEL_VERSION = "RE028" "sentinel-version" Warning
        "A version cannot be written as three numbers.";
    SENTINEL_TABLE = "RE029" "sentinel-table" Error
        "The query reads a table, function or column that Sentinel does not have.";

    DEFENDER_LIMIT = "RE040" "defender-limit" Error
        "A value is longer, larger or more numerous than Defender takes.";
    DEFENDER_COLUMNS = "RE041" "defender-columns" Error
        "The query does not return a column that Defender needs.";
    DEFENDER_ENTITY = "RE042" "defender-entity" Error
        "Defender needs an impacted asset that the rule's mappings do not give.";
    DEFENDER_QUERY = "RE043" "defender-query" Error
        "Defender refuses this construct in a query.";
    DEFENDER_NRT = "RE044" "defender-nrt" Warning
        "A near-real-time rule cannot be a continuous custom detection and runs on a schedule instead.";
    DEFENDER_LOOKBACK = "RE045" "defender-lookback" Warning
        "The query looks back further than Defender reads at this frequency.";
    DEFENDER_ATTACK = "RE046" "defender-attack" Warning
        "A tactic or technique has no place in the ATT&CK version that Defender takes.";
    DEFENDER_COLUMN = "RE047" "defender-column" Error
        "A mapping, custom detail or placeholder names a column the query does not return.";
    DEFENDER_TABLE = "RE048" "defender-table" Error
        "The query reads a column that Defender does not have.";

    SIGMA_CONSTRUCT = "RE060" "sigma-construct" Error
        "Sigma has no way to say this part of the query, so the rule has no Sigma form.";
    SIGMA_FIELD = "RE061" "sigma-field" Error
        "No Sigma field stands for a column that the query compares.";
    SIGMA_LOGSOURCE = "RE062" "sigma-logsource" Error
        "No Sigma log source stands for a table or event that the query reads.";
    SIGMA_ATTACK = "RE063" "sigma-attack" Warning
        "A tactic or technique has no place in the ATT&CK version that Sigma takes.";

    NATIVE_UNSUPPORTED = "RE080" "native-unsupported" Error
        "A construct of the query cannot be run outside the service.";
    NATIVE_PACKAGE = "RE081" "native-package" Error
        "The sources that an emitted package carries do not fit together.";
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn ids_are_sorted_and_names_are_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].id < pair[1].id));
        let mut names: Vec<_> = CODES.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
        assert!(CODES.iter().all(|code| code.summary.ends_with('.')));
    }
}
