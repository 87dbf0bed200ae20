//! The minijinja environment that all targets render through.
