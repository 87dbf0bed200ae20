//! The targets, one file or folder each.

mod defender;
mod sentinel;
#[cfg(test)]
pub(crate) mod testing;

use crate::Target;

pub use defender::Defender;
pub use sentinel::Sentinel;

/// All targets in the order they are listed and built.
pub fn all() -> &'static [&'static dyn Target] {
    &[&Sentinel, &Defender]
}

/// The target of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Target> {
    all().iter().copied().find(|t| t.name() == name)
}
