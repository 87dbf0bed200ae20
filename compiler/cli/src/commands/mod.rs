//! The commands, one file each: arguments, help text, and what is printed.

pub(crate) mod analyze;
pub(crate) mod build;
pub(crate) mod catalog;
pub(crate) mod changelog;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod drift;
pub(crate) mod dump;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod golden;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod new;
pub(crate) mod query;
pub(crate) mod run;
pub(crate) mod shell;
pub(crate) mod test;
