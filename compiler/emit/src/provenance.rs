//! Where an artifact comes from.

use serde::Serialize;

/// Carried by every artifact. No timestamps: the same source gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Version of rulec.
    pub rulec: String,
    /// Path of the document relative to the repository, with `/` separators.
    pub document: String,
    /// SHA-256 of the document's bytes, in lower-case hexadecimal.
    pub sha256: String,
}
