//! Sigma rules.

use rulec_source::SourceFile;
use serde_json::Value;

use crate::{Context, Refused, draft::Draft};

/// The rules of a file.
pub(crate) fn rules(
    _context: &Context,
    _file: &SourceFile,
    _values: Vec<Value>,
) -> Vec<Result<Draft, Refused>> {
    Vec::new()
}
