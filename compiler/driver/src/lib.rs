//! The pipeline: configuration, files, parallelism, golden comparison.
//!
//! The only stage that touches files, the clock and the environment. Its
//! modules are the commands' work; the command line only parses arguments and
//! prints.
#![allow(clippy::disallowed_methods)] // The one crate, with `cli`, that may touch files.

pub mod analyze;
pub mod build;
mod cache;
pub mod catalog;
pub mod changelog;
mod check;
pub mod codes;
pub mod config;
mod data;
pub mod diff;
pub mod drift;
pub mod dump;
mod emission;
pub mod environment;
pub mod explain;
pub mod fixtures;
pub mod format;
pub mod golden;
pub mod hunt;
pub mod import;
pub mod inputs;
mod kept;
mod lifecycle;
pub mod list;
pub mod load;
pub mod lock;
pub mod manifest;
pub mod miss;
pub mod output;
mod pages;
mod pipeline;
pub mod queries;
pub mod query;
pub mod repair;
mod report;
pub mod repository;
mod revision;
pub mod scaffold;
pub mod schemas;
pub mod since;
mod suppress;
pub mod tree;
mod upgrade;

pub use cache::Cache;
pub use check::Checked;
pub use pipeline::{Bound, Compilation, Document, Pipeline, is_broken};

/// The version of rulec, as artifacts and reports name it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Sets the number of worker threads; the output is the same for any number.
/// Only the first call, before any work, has an effect.
pub fn set_threads(threads: usize) {
    // It fails only when threads run already.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global();
}
