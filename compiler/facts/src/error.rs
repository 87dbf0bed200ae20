//! The one error of this crate: a data file that cannot be understood.

use std::fmt;

/// A data file that is missing, malformed, or says something impossible.
///
/// Prints as `schema/tables/mine.yaml:12: unknown type 'strin' …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError {
    /// The file, relative to the repository: `schema/tables/mine.yaml`.
    pub path: String,
    /// The line in the file, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

impl FactsError {
    /// An error about a file as a whole.
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        FactsError {
            path: path.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    /// An error about one line of a file, counted from 1.
    pub fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        FactsError {
            path: path.to_owned(),
            line: Some(line),
            message: message.into(),
        }
    }
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

impl std::error::Error for FactsError {}
