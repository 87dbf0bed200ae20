//! Findings in the shapes people and tools read: text, json, sarif, github, junit.

mod text;

pub use text::{Style, text};
