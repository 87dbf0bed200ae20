//! What the compiler believes: the data under schema/ and templates/.
//!
//! In: the files embedded at build time, with a repository's own files laid
//! over them ([`Pack`]). Out: typed access to each kind of fact, one module a
//! kind. Every file says in its head where its facts come from; the modules
//! say what shape it has.
//!
//! Deliberately absent: file access (the driver reads a repository's files
//! and passes them in as path -> bytes), the network, and any judgement. A
//! fact that is missing is an empty answer; a file that cannot be understood
//! is a [`FactsError`] with path and line, never a panic.

pub mod aliases;
pub mod attack;
pub mod contract;
pub mod deployment;
pub mod entities;
mod error;
pub mod events;
mod lazy;
mod near;
mod pack;
pub mod runs;
pub mod sigma;
pub mod tables;
pub mod targets;
pub mod yaml;

pub use error::FactsError;
pub use lazy::Lazy;
pub use near::close_matches;
pub use pack::Pack;
