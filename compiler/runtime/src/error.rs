//! What can go wrong while a rule runs.

use std::fmt;

/// A kind of runtime error; its code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `RR003`.
    pub id: &'static str,
    /// `memory-limit`.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($constant:ident $id:literal $name:literal $summary:literal;)*) => {
        impl Code {
            $(
                #[doc = $summary]
                pub const $constant: Code = Code { id: $id, name: $name, summary: $summary };
            )*
        }

        /// Every code of this crate, in order.
        pub const CODES: &[Code] = &[$(Code::$constant),*];
    };
}

codes! {
    MALFORMED_INPUT "RR001" "malformed-input" "A line of the input is not what its format asks for.";
    MISSING_TABLE "RR002" "missing-table" "The query reads a table that no data was given for.";
    MEMORY_LIMIT "RR003" "memory-limit" "An operator would hold more bytes than the limit allows.";
    UNSUPPORTED "RR004" "unsupported-construct" "The query uses a construct that cannot be run here.";
    BAD_ARGUMENT "RR005" "bad-argument" "An operator was given an argument outside its domain.";
    INPUT_UNREADABLE "RR006" "input-unreadable" "Reading the input failed.";
    OUTPUT_UNWRITABLE "RR007" "output-unwritable" "Writing the result failed.";
    USAGE "RR008" "usage" "The command line of a rule package was not understood.";
    INTERNAL "RR009" "internal" "The program contradicts itself; this is a bug.";
    CANCELLED "RR010" "cancelled" "Somebody stopped the run before its end.";
}

/// Why a rule could not run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeError {
    /// What kind.
    pub code: Code,
    /// One sentence that stands alone.
    pub message: String,
}

impl RuntimeError {
    /// An error of a kind with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A contradiction in the program: an operator was given columns that its
    /// input does not have, for example.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::INTERNAL, message)
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.id, self.message)
    }
}

impl std::error::Error for RuntimeError {}
