//! Random queries against real tables, and two opinions about each.
//!
//! In: a seed, or query files. Out: queries, and where our analyser and the
//! reference differ about them. The reference is any program that answers a
//! line of JSON with a line of JSON (`--oracle`); nothing here knows more of
//! it than the shape of its answers. Deliberately absent: running queries.

pub mod answer;
pub mod campaign;
pub mod compare;
pub mod dice;
pub mod functions;
pub mod generate;
pub mod minimise;
pub mod mutate;
pub mod oracle;
