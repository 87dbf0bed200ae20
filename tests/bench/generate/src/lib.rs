//! Seeded events and rules for the benchmark of running rules.

pub mod events;
mod programs;
mod row;
pub mod rules;
mod words;
pub mod world;
