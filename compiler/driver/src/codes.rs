//! Findings of the driver: configuration and files.

use rulec_source::{Code, Severity};

macro_rules! codes {
    ($($name:ident = $id:literal, $slug:literal, $severity:ident, $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code {
            id: $id, name: $slug, severity: Severity::$severity, summary: $summary,
        };)*
        /// All findings of this crate.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    UNREADABLE = "RC001", "unreadable-file", Error, "A file or folder cannot be read.";
    NOT_UTF8 = "RC002", "not-utf-8", Error, "A document is not UTF-8 text.";
    TOO_LARGE = "RC003", "file-too-large", Error, "A document is larger than any rule can be.";
    BAD_CONFIG = "RC004", "bad-configuration", Error, "rulec.toml does not say what it should.";
    BAD_DATA = "RC005", "bad-data-file", Error, "A file under schema/ or templates/ cannot be used.";
    DUPLICATE_ID = "RC006", "duplicate-id", Error, "Two documents have the same id.";
    UNSAFE_PATH = "RC007", "unsafe-path", Error, "An artifact would be written outside the output folder.";
    NO_RULES = "RC008", "no-rules", Warning, "The given paths hold no rule documents.";
    BAD_FIXTURE = "RC009", "bad-fixture", Error, "A fixture file does not say what it should.";
    MISSING_FIXTURE = "RC010", "rule-without-fixture", Warning, "A rule has no fixture.";
    BAD_INPUT = "RC011", "bad-input-data", Error, "Events cannot be read.";
    NOT_WRITTEN = "RC012", "not-written", Error, "A file cannot be written.";
}
