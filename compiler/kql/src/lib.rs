//! KQL text to tokens, syntax tree and diagnostics; and the printer.

pub mod ast;
