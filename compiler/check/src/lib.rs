//! Lints
