//! Why a query did not run.

use std::fmt;

use rulec_runtime::{Code, RuntimeError};
use rulec_source::Span;

/// An error and the place in the query text that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What kind.
    pub code: Code,
    /// One sentence that stands alone.
    pub message: String,
    /// The operator or expression at fault.
    pub span: Span,
}

impl EvalError {
    /// A runtime error at a place.
    pub fn at(span: Span, error: RuntimeError) -> Self {
        Self {
            code: error.code,
            message: error.message,
            span,
        }
    }

    /// A construct that cannot run.
    pub(crate) fn unsupported(span: Span, construct: &str) -> Self {
        Self {
            code: Code::UNSUPPORTED,
            message: format!("{construct} cannot be run here"),
            span,
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.id, self.message)
    }
}

impl std::error::Error for EvalError {}
