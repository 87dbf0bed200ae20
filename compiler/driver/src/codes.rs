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
    EVENT_DROPPED = "RC013", "event-dropped", Note, "A stage of a rule drops the event that is followed.";
    FIXTURE_COLUMN = "RC014", "fixture-column", Warning, "An event of a fixture has a column that its table has not.";
    FIXTURE_UNUSED = "RC015", "unused-event", Warning, "No case uses an event of a fixture, or its rule does not read its table.";
    FIXTURE_REPEATED = "RC016", "repeated-case", Warning, "Two cases of a fixture have the same name.";
    FAILED_CASE = "RC017", "failed-case", Error, "A rule does not do what a case of its fixture expects.";
    UNCOVERED = "RC018", "uncovered-condition", Warning, "No case shows a condition both true and false.";
    NOT_BUMPED = "RV001", "version-not-bumped", Error, "A rule changed in meaning and its version did not.";
    SMALL_BUMP = "RV002", "version-bump-too-small", Error, "The version of a rule went up by less than its change asks for.";
    VERSION_BACK = "RV003", "version-goes-back", Error, "The version of a rule went down.";
    VERSION_DATE = "RV004", "version-without-date", Warning, "A new row of a version history has no date.";
    VERSION_NOTES = "RV005", "version-without-notes", Warning, "A new row of a version history does not say what changed.";
    HISTORY_EDITED = "RV006", "history-edited", Warning, "A row of a version history says something else than it did.";
    LOCK_BROKEN = "RV007", "released-version-changed", Error, "A released version of a rule has other content than rulec.lock says.";
    NO_REASON = "RV008", "deprecated-without-reason", Warning, "A deprecated rule says neither why nor which rule stands in its place.";
    NOT_DEPRECATED = "RV009", "reason-without-deprecation", Warning, "A rule says why it is deprecated and has another status.";
    NO_REPLACEMENT = "RV010", "replacement-missing", Error, "The rule that stands in the place of another is not in the repository.";
    REPLACEMENT_ENDED = "RV011", "replacement-deprecated", Error, "The rule that stands in the place of another is deprecated or replaced itself.";
    REPLACED_IN_CIRCLE = "RV012", "replaced-in-a-circle", Error, "Rules replace each other in a circle.";
    STATUS_BACK = "RV013", "status-goes-back", Error, "A released rule has the status of one that was not released.";
    REMOVED = "RV014", "removed-without-deprecation", Warning, "A released rule is gone and was not deprecated before.";
    EXPIRED_SUPPRESSION = "RC019", "expired-suppression", Error, "A suppression has ended.";
    UNUSED_SUPPRESSION = "RC020", "unused-suppression", Warning, "A suppression names a finding that is not there.";
    BAD_SUPPRESSION = "RC021", "bad-suppression", Error, "A suppression does not say what it should, or names what cannot be suppressed.";
    RELEASED_UNTESTED = "RC022", "released-without-fixture", Warning, "A rule that is released has no fixture.";
    NOT_WRITTEN = "RC012", "not-written", Error, "A file cannot be written.";
    NO_MANIFEST = "RM010", "no-manifest", Error, "A folder that is to be verified has no manifest.";
    MANIFEST_BROKEN = "RM011", "broken-manifest", Error, "A manifest cannot be read, so its target is not written and nothing is removed.";
    MANIFEST_NEWER = "RM012", "newer-manifest", Error, "A manifest was written by a newer rulec.";
    MANIFEST_UNSAFE = "RM013", "unsafe-manifest", Error, "A manifest names a path that is not below its folder.";
    ARTIFACT_REPLACED = "RM014", "artifact-replaced", Warning, "A build replaced files that were edited, or that no build wrote.";
    ARTIFACT_LEFT = "RM015", "artifact-left", Warning, "Files of a former build were edited, so they are left although no rule gives them any more.";
    STRANGE_FILE = "RM016", "strange-file", Warning, "Files in the folder of a target were not written by a build.";
    ARTIFACT_MISSING = "RM017", "artifact-missing", Error, "A file that the manifest names is not there.";
    ARTIFACT_DIFFERS = "RM018", "artifact-differs", Error, "A file is not what the manifest says.";
    ARTIFACT_UNKNOWN = "RM019", "artifact-unknown", Error, "A file in the folder of a target is not in its manifest.";
    PATH_TAKEN = "RM020", "path-taken", Error, "An artifact would be written where the manifest is.";
}
