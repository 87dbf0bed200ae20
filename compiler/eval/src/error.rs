//! Why a query did not run.

use std::fmt;

use rulec_runtime::{Code, Place, RuntimeError};
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
    /// A runtime error, at a place unless it has one of its own.
    pub fn at(span: Span, error: RuntimeError) -> Self {
        Self {
            span: error.place.map_or(span, |place| Span {
                start: place.start,
                end: place.end,
            }),
            code: error.code,
            message: error.message,
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

impl From<RuntimeError> for EvalError {
    fn from(error: RuntimeError) -> Self {
        Self::at(Span::default(), error)
    }
}

/// Through the runtime, which knows no spans.
impl From<EvalError> for RuntimeError {
    fn from(error: EvalError) -> Self {
        Self::new(error.code, error.message).at(Some(place(error.span)))
    }
}

/// A span as the runtime keeps it.
pub(crate) fn place(span: Span) -> Place {
    Place {
        start: span.start,
        end: span.end,
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.id, self.message)
    }
}

impl std::error::Error for EvalError {}
