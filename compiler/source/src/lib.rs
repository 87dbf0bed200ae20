//! Files, spans, fragments and diagnostics: the ground every stage stands on.
//!
//! In: text somebody else has read. Out: positions in it, and findings about
//! it in the shapes people and tools read. Deliberately absent: reading files,
//! and printing (the driver and the command line do that).

mod diagnostic;
mod file;
mod fragment;
pub mod render;
mod setting;
mod span;

pub use diagnostic::{Code, Diagnostic, Edit, Fix, Label, Severity, Suppression, repaired};
pub use file::{Position, SourceFile};
pub use fragment::{Fragment, Piece};
pub use setting::Setting;
pub use span::Span;
