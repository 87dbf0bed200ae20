//! `cargo dev`: chores that contributors repeat.
//!
//! One sub-command a chore, each in a module of its own. Unlike the compiler,
//! these read and write the working tree.

// Chores are about files, and talk to a person at a terminal.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod generate;
mod lints;
mod new;
mod schemas;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of contributors.
#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// How fast the front end is, beside Microsoft's own and by length of the query.
    Bench(bench::Arguments),
    /// Generate the data files under schema/ from the collected facts.
    Generate(generate::Arguments),
    /// Write docs/lints.md from the pages of the lints.
    Lints(lints::Arguments),
    /// Begin a lint, a function or a target.
    #[command(subcommand)]
    New(new::Arguments),
    /// Write the JSON Schemas that follow from the types.
    Schemas(schemas::Arguments),
    /// Everything that must pass before a change lands.
    Test(test::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().chore {
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Generate(arguments) => generate::run(&arguments),
        Chore::Lints(arguments) => lints::run(&arguments),
        Chore::New(arguments) => new::run(&arguments),
        Chore::Schemas(arguments) => schemas::run(&arguments),
        Chore::Test(arguments) => test::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
