//! The findings of this stage, by code.
//!
//! Below 20 they are about templates, names and the pack; from 80 native Rust.
//! The others are save-time rules of the services, one code each: from 20 and
//! from 100 Sentinel, from 40 and from 140 Defender, from 60 and from 180 Sigma.
//! What each is about, and the data it rests on, says its page in `pages/`.

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

    SENTINEL_QUERY = "RE022" "sentinel-query" Error
        "Sentinel refuses a construct of the query wherever it stands.";
    SENTINEL_COLUMN = "RE024" "sentinel-column" Error
        "A mapping, custom detail or placeholder names a column the query does not return.";
    SENTINEL_ATTACK = "RE026" "sentinel-attack" Warning
        "A tactic or technique has no place in the ATT&CK version that Sentinel takes.";
    SENTINEL_NRT = "RE027" "sentinel-nrt" Warning
        "A near-real-time rule in Sentinel has no place for this setting.";
    SENTINEL_VERSION = "RE028" "sentinel-version" Warning
        "A version cannot be written as three numbers.";
    SENTINEL_TABLE = "RE029" "sentinel-table" Error
        "The query reads a table, function or column that Sentinel does not have.";

    DEFENDER_COLUMNS = "RE041" "defender-columns" Error
        "The query does not return the columns by which Defender finds the event of a result.";
    DEFENDER_ENTITY = "RE042" "defender-entity" Error
        "Defender needs an impacted asset that the rule's mappings do not give.";
    DEFENDER_QUERY = "RE043" "defender-query" Error
        "The query calls a function that Defender refuses when a detection is saved.";
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

    SENTINEL_ID = "RE100" "sentinel-id" Error
        "The id that the document gives the rule in Sentinel is no GUID.";
    SENTINEL_KIND = "RE101" "sentinel-kind" Error
        "Sentinel has no rules of this kind.";
    SENTINEL_NAME = "RE102" "sentinel-name" Error
        "The name of the rule is empty or longer than Sentinel takes.";
    SENTINEL_DESCRIPTION = "RE103" "sentinel-description" Error
        "The description of the rule is empty or longer than Sentinel takes.";
    SENTINEL_SEVERITY = "RE104" "sentinel-severity" Error
        "Sentinel has no such severity.";
    SENTINEL_QUERY_LENGTH = "RE105" "sentinel-query-length" Error
        "The query is empty or longer than Sentinel takes.";
    SENTINEL_FREQUENCY = "RE106" "sentinel-frequency" Error
        "The rule runs more or less often than Sentinel takes.";
    SENTINEL_PERIOD = "RE107" "sentinel-period" Error
        "The rule looks back a shorter or longer time than Sentinel takes.";
    SENTINEL_PERIOD_SHORT = "RE108" "sentinel-period-below-frequency" Error
        "The rule looks back a shorter time than lies between its runs.";
    SENTINEL_PERIOD_LONG = "RE109" "sentinel-long-period" Error
        "A rule that looks back this far may not run this often.";
    SENTINEL_OPERATOR = "RE110" "sentinel-trigger-operator" Error
        "Sentinel has no such comparison of the number of results.";
    SENTINEL_THRESHOLD = "RE111" "sentinel-trigger-threshold" Error
        "The threshold of the trigger is larger than Sentinel takes.";
    SENTINEL_SUPPRESSION = "RE112" "sentinel-suppression" Error
        "Suppression lasts longer than Sentinel takes.";
    SENTINEL_ENTITIES = "RE113" "sentinel-entity-count" Error
        "The rule has more entity mappings than Sentinel takes.";
    SENTINEL_ENTITY_TYPE = "RE114" "sentinel-entity-type" Error
        "Sentinel has no such type of entity.";
    SENTINEL_IDENTIFIERS = "RE115" "sentinel-identifier-count" Error
        "An entity mapping has none or more identifiers than Sentinel takes.";
    SENTINEL_IDENTIFIER = "RE116" "sentinel-identifier" Error
        "An entity of this type has no such identifier.";
    SENTINEL_IDENTIFIER_MISSING = "RE117" "sentinel-identifier-missing" Error
        "An entity mapping lacks the identifier without which Sentinel refuses it.";
    SENTINEL_ENTITY_COLUMN = "RE118" "sentinel-entity-column" Error
        "A column is named as an entity and no entity mapping uses it.";
    SENTINEL_COLUMN_NAME = "RE119" "sentinel-column-name" Error
        "A mapping, custom detail or placeholder names a column in a way that Sentinel does not take.";
    SENTINEL_DETAILS = "RE120" "sentinel-detail-count" Error
        "The rule has more custom details than Sentinel takes.";
    SENTINEL_DETAIL_KEY = "RE121" "sentinel-detail-key" Error
        "The key of a custom detail is longer than Sentinel takes, or has other characters.";
    SENTINEL_ALERT_TITLE = "RE122" "sentinel-alert-title" Error
        "The title of the alert is empty or longer than Sentinel takes.";
    SENTINEL_ALERT_DESCRIPTION = "RE123" "sentinel-alert-description" Error
        "The description of the alert is empty or longer than Sentinel takes.";
    SENTINEL_PLACEHOLDERS = "RE124" "sentinel-placeholders" Error
        "The title or description of the alert has more placeholders than Sentinel takes.";
    SENTINEL_GROUPING = "RE125" "sentinel-grouping" Error
        "Alerts are grouped in a way that Sentinel does not know, or by a selection that names nothing.";
    SENTINEL_GROUPING_ENTITY = "RE126" "sentinel-grouping-entity" Error
        "Alerts are grouped by an entity that no mapping gives.";
    SENTINEL_GROUPING_DETAIL = "RE127" "sentinel-grouping-detail" Error
        "Alerts are grouped by a custom detail that the rule does not have.";

    DEFENDER_ID = "RE140" "defender-id" Error
        "The id that the document gives the rule in Defender has a form that Defender refuses.";
    DEFENDER_NAME = "RE141" "defender-name" Error
        "The name of the rule is empty.";
    DEFENDER_STATUS = "RE142" "defender-status" Error
        "Defender has no such status.";
    DEFENDER_SEVERITY = "RE143" "defender-severity" Error
        "Defender has no such severity.";
    DEFENDER_EMPTY_QUERY = "RE144" "defender-empty-query" Error
        "The query is empty.";
    DEFENDER_TRIGGER = "RE145" "defender-trigger" Error
        "Defender alerts on results and cannot alert on few or none.";
    DEFENDER_TIME = "RE146" "defender-time-column" Error
        "The query does not return the time of the event under a name that Defender knows.";
    DEFENDER_FREQUENCY = "RE147" "defender-frequency" Warning
        "Defender runs no detection as often as the rule asks for, and events in between are missed.";
    DEFENDER_NRT_TABLES = "RE148" "defender-nrt-several-tables" Warning
        "A continuous detection reads one table; this rule reads more and runs on a schedule instead.";
    DEFENDER_NRT_TABLE = "RE149" "defender-nrt-table" Warning
        "A continuous detection cannot read this table, so the rule runs on a schedule instead.";
    DEFENDER_NRT_OPERATOR = "RE150" "defender-nrt-operator" Warning
        "A continuous detection does not take this operator, so the rule runs on a schedule instead.";
    DEFENDER_IDENTIFIERS = "RE151" "defender-identifiers" Warning
        "An entity mapping lacks what Defender needs to know the entity by, and is left out.";
    DEFENDER_DETAILS = "RE152" "defender-detail-count" Error
        "The rule has more custom details than Defender takes.";
    DEFENDER_ALERT_TEXT = "RE153" "defender-alert-text" Error
        "The title or description of the alert is empty.";
    DEFENDER_PLACEHOLDERS = "RE154" "defender-placeholders" Error
        "The title or description of the alert has more placeholders than Defender takes.";

    SIGMA_ID = "RE180" "sigma-id" Error
        "The id that the document gives the rule in Sigma is no UUID.";
    SIGMA_TITLE = "RE181" "sigma-title" Warning
        "The title is longer than Sigma takes, or empty, and is changed.";
    SIGMA_DESCRIPTION = "RE182" "sigma-description" Warning
        "The description is longer than Sigma takes and is cut.";
    SIGMA_STATUS = "RE183" "sigma-status" Error
        "Sigma has no such status.";
    SIGMA_LEVEL = "RE184" "sigma-level" Error
        "Sigma has no such level.";
    SIGMA_DATE = "RE185" "sigma-date" Warning
        "A date is no day as Sigma writes days, and is left out.";
    SIGMA_TAG = "RE186" "sigma-tag" Error
        "A tag has a form that Sigma does not take.";
    SIGMA_MODIFIER = "RE187" "sigma-modifier" Error
        "A field has a modifier that Sigma does not know.";
    SIGMA_CORRELATION = "RE188" "sigma-correlation" Error
        "A correlation has a type, condition or time span that Sigma does not know.";
    SIGMA_FILE_NAME = "RE189" "sigma-file-name" Error
        "The name of a file is longer than the conventions take, or has other characters.";
}

/// Findings about the columns of a result and what they are mapped to. Lints
/// tell the same before a target is asked, at the place where a column is lost.
pub const CONTRACT: &[Code] = &[
    SENTINEL_COLUMN,
    SENTINEL_ENTITY_TYPE,
    SENTINEL_IDENTIFIER,
    SENTINEL_IDENTIFIER_MISSING,
    DEFENDER_COLUMNS,
    DEFENDER_TIME,
    DEFENDER_ENTITY,
    DEFENDER_COLUMN,
];

/// The pages of these findings, in markdown: a heading `## RE022 sentinel-query`
/// and below it why the rule exists and what to do. A line that begins with
/// `Data:` names the keys of `schema/targets/<target>.yaml` that it rests on;
/// numbers and names are in the finding, not on the page.
pub const PAGES: &[&str] = &[
    include_str!("../pages/templates.md"),
    include_str!("../pages/sentinel.md"),
    include_str!("../pages/defender.md"),
    include_str!("../pages/sigma.md"),
];

/// Codes that were findings once. They stay away: a code never means two things.
#[cfg(test)]
pub(crate) const RETIRED: &[&str] = &["RE020", "RE021", "RE023", "RE025", "RE040", "RE044"];

#[cfg(test)]
mod tests {
    use super::{CODES, PAGES, RETIRED};

    #[test]
    fn ids_are_sorted_and_names_are_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].id < pair[1].id));
        let mut names: Vec<_> = CODES.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
        assert!(CODES.iter().all(|code| code.summary.ends_with('.')));
        assert!(CODES.iter().all(|code| !RETIRED.contains(&code.id)));
    }

    #[test]
    fn every_finding_has_a_page_and_no_page_is_without_one() {
        let headings: Vec<&str> = PAGES
            .iter()
            .flat_map(|file| file.lines())
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        let mut pages = headings.clone();
        pages.sort_unstable();
        let codes: Vec<String> = CODES
            .iter()
            .map(|code| format!("{} {}", code.id, code.name))
            .collect();
        assert_eq!(pages, codes);
    }
}
