//! The findings of this stage, by code.

use rulec_source::{Code, Severity};

macro_rules! codes {
    ($($constant:ident = $id:literal $name:literal $severity:ident $summary:literal;)*) => {
        $(#[doc = $summary] pub(crate) const $constant: Code = Code {
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
    SYNTAX = "RI001" "import-syntax" Error
        "A file to import is neither YAML nor JSON that can be read.";
    LIMIT = "RI002" "import-limit" Error
        "A file to import is too large, or nested too deep.";
    NOTHING = "RI003" "import-nothing" Error
        "A file to import holds no rule of the format.";
    REFUSED = "RI004" "import-refused" Error
        "A rule cannot be written as a document.";
    LOSS = "RI005" "import-loss" Warning
        "A document cannot say something of the rule as it was.";
    ADDED = "RI006" "import-added" Note
        "A document says something that the rule did not say.";
}
