//! The targets, one file or folder each.

use crate::Target;

/// All targets in the order they are listed and built.
pub fn all() -> &'static [&'static dyn Target] {
    &[]
}

/// The target of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Target> {
    all().iter().copied().find(|t| t.name() == name)
}
