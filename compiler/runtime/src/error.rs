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

/// Bytes `start..end` of the text of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// An operator as errors name it.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// `summarize`.
    pub operator: &'static str,
    /// Where it stands, if whoever runs the query knows its text.
    pub place: Option<Place>,
}

impl Named {
    /// An operator in a place that nobody knows.
    pub fn operator(operator: &'static str) -> Self {
        Self {
            operator,
            place: None,
        }
    }
}

/// Why a rule could not run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeError {
    /// What kind.
    pub code: Code,
    /// One sentence that stands alone.
    pub message: String,
    /// What of the query it is about, if whoever runs the query knows its text.
    pub place: Option<Place>,
}

/// Operators that hold one piece of their input at a time.
const PASSING: [&str; 8] = [
    "read",
    "where",
    "project",
    "extend",
    "conform",
    "mv-expand",
    "mv-apply",
    "parse",
];

impl RuntimeError {
    /// An error of a kind with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
        }
    }

    /// The same about a place, unless it has one already.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = self.place.or(place);
        self
    }

    /// An error of memory, said of the operator that holds rows or groups and
    /// not of the one that had a piece in hand when there was no more room.
    #[must_use]
    pub fn held_by(mut self, holder: Named) -> Self {
        let named = self.message.split('`').nth(1).unwrap_or_default();
        if self.code != Code::MEMORY_LIMIT || !self.message.starts_with('`') {
            return self;
        }
        if holder.operator == "lookup" && named == "join" {
            // `lookup` is a join by another name.
            self.message = self.message.replacen("join", holder.operator, 1);
        } else if PASSING.contains(&named) {
            self.message = format!(
                "`{}` holds what came so far, and {}",
                holder.operator, self.message
            );
            self.place = holder.place.or(self.place);
        }
        self
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
