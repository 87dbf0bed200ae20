//! Follows.
use super::Generated;
pub(super) fn generate(_: &std::path::Path) -> Result<Vec<Generated>, String> {
    Ok(Vec::new())
}
