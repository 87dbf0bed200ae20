//! `cargo dev`: chores that contributors repeat.
fn main() {}
