//! Findings of this stage. A code never changes its meaning.

use rulec_source::{Code, Severity};

macro_rules! codes {
    ($($name:ident = $id:literal, $slug:literal, $severity:ident, $summary:literal;)*) => {
        $(#[doc = $summary] pub(crate) const $name: Code = Code {
            id: $id, name: $slug, severity: Severity::$severity, summary: $summary,
        };)*
        /// All findings of this crate.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    MISSING_TITLE = "RD001", "missing-title", Error, "A rule document has no title.";
    TITLE_PLACE = "RD002", "title-place", Warning, "The title of a document is not its first-level heading.";
    MISSING_QUERY = "RD003", "missing-query", Error, "A rule document has no query.";
    EMPTY_QUERY = "RD004", "empty-query", Error, "A query has no text.";
    UNCLOSED_FENCE = "RD005", "unclosed-fence", Error, "A code fence is not closed.";
    UNKNOWN_LANGUAGE = "RD006", "unknown-language", Error, "A query is written in a language rulec does not read.";
    UNKNOWN_PLATFORM = "RD007", "unknown-platform", Warning, "A platform is not known, so the environment of the query is not either.";
    QUERY_IN_PROSE = "RD008", "query-in-prose", Note, "A KQL block stands outside the query sections and is not a query of the rule.";
    UNSAFE_ID = "RD010", "unsafe-id", Error, "An id cannot be the name of a file.";
    ID_SPELLING = "RD011", "id-spelling", Warning, "An id is spelled in an unusual way.";
    CLOSE_HEADING = "RD012", "misspelled-heading", Warning, "A heading is nearly a known one.";
    CLOSE_KEY = "RD013", "misspelled-key", Warning, "A metadata key is nearly a known one.";
    CLOSE_COLUMN = "RD014", "misspelled-column", Warning, "A table column is nearly a known one.";
    DUPLICATE = "RD015", "said-twice", Warning, "A document says the same thing twice.";
    TABLE_SHAPE = "RD020", "table-shape", Warning, "A table has cells its header does not announce, or too few.";
    UNKNOWN_COLUMN = "RD021", "unknown-column-kept", Warning, "A table column is not known; the table is kept as prose.";
    ATTACK_TAG = "RD022", "attack-tag", Warning, "An ATT&CK tag is not written as an id.";
    NO_SOURCE_TABLE = "RD023", "source-without-table", Warning, "A data source names no table and the query does not show which.";
    VERSION_ROW = "RD024", "version-row", Warning, "A row of the version history has no version.";
    METADATA_VALUE = "RD025", "metadata-value", Warning, "A metadata value is not one of those allowed.";
    INVISIBLE = "RD026", "control-character", Warning, "A document holds control characters.";
    FRONT_MATTER_OPEN = "RD030", "front-matter-unclosed", Error, "The front matter has no closing line.";
    FRONT_MATTER_SYNTAX = "RD031", "front-matter-syntax", Error, "The front matter is not YAML.";
    FRONT_MATTER_KEY = "RD032", "front-matter-key", Error, "The front matter has a key rulec does not know.";
    FRONT_MATTER_VALUE = "RD033", "front-matter-value", Error, "A value in the front matter is not of the right kind.";
    FRONT_MATTER_LIMIT = "RD034", "front-matter-limit", Error, "The front matter is larger or deeper than any settings can be.";
    REPLACED_BY_NOTHING = "RD040", "replaced-by-nothing", Error, "A document says it was replaced but not by which rule.";
    SCHEMA = "RD050", "rule-schema", Error, "A rule does not satisfy the schema of rules.";
}
