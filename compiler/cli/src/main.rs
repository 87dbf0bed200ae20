//! The `rulec` command: arguments in, the driver's work printed out.
//!
//! Data goes to standard output, findings to standard error. Exit codes: 0
//! clean, 1 findings at or above the gate (or alerts fired), 2 some rule did
//! not compile, 3 wrong arguments or configuration, 130 a hunt was stopped.

#![allow(clippy::doc_markdown)] // Doc comments of arguments are help texts, which show no markup.

mod commands;
mod print;
mod progress;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

/// Most of a run with many rules is reading and compiling them, which allocates many small things on
/// all threads.
#[cfg(feature = "shipped")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Compile detection rules: markdown documents with KQL in, Sentinel, Defender, Sigma and native Rust out.
///
/// A rule is one markdown document: prose, ATT&CK tags, data sources, a KQL query and a version history.
/// rulec checks it, emits what runs, and runs it itself over exported events. It needs no network.
#[derive(Debug, Parser)]
#[command(name = "rulec", version, max_term_width = 100)]
#[command(after_help = "Start with `rulec check` in a folder of rules, then `rulec build`.")]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Arguments of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// Use this rulec.toml instead of the one above the working folder.
    #[arg(long, global = true, env = "RULEC_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Colours in findings; `NO_COLOR` is respected.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
    /// Print errors only.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Worker threads; the output is the same for any number.
    #[arg(long, global = true, env = "RULEC_THREADS", value_name = "N")]
    threads: Option<usize>,
    /// Work out everything anew, and keep nothing; `[cache]` in rulec.toml says where it is kept.
    #[arg(long, global = true, env = "RULEC_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new())]
    no_cache: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(commands::new::Arguments),
    Import(commands::import::Arguments),
    Check(commands::check::Arguments),
    Build(commands::build::Arguments),
    Golden(commands::golden::Arguments),
    Test(commands::test::Arguments),
    Run(commands::run::Arguments),
    Query(commands::query::Arguments),
    Analyze(commands::analyze::Arguments),
    Explain(commands::explain::Arguments),
    Catalog(commands::catalog::Arguments),
    Fmt(commands::fmt::Arguments),
    Diff(commands::diff::Arguments),
    Changelog(commands::changelog::Arguments),
    Lock(commands::lock::Arguments),
    Drift(commands::drift::Arguments),
    Dump(commands::dump::Arguments),
    List(commands::list::Arguments),
    Lint(commands::list::LintArguments),
    #[command(hide = true)]
    Man(commands::shell::ManArguments),
    Completions(commands::shell::CompletionArguments),
}

/// What a command ends with.
type Outcome = Result<ExitCode, Failure>;

/// Wrong arguments or configuration: exit code 3, everything already said.
struct Failure;

impl Failure {
    /// Prints a sentence and fails.
    fn say(message: impl std::fmt::Display) -> Self {
        anstream::eprintln!("error: {message}");
        Failure
    }
}

const FINDINGS: u8 = 1;
const BROKEN: u8 = 2;
const USAGE: u8 = 3;
/// Somebody stopped it: 128 and the number of the signal, as shells say it.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match arguments.global.color {
        Colour::Auto => {}
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
    }
    if let Some(threads) = arguments.global.threads {
        rulec_driver::set_threads(threads);
    }
    let global = &arguments.global;
    let outcome = match arguments.command {
        Command::New(a) => commands::new::run(global, &a),
        Command::Import(a) => commands::import::run(global, &a),
        Command::Check(a) => commands::check::run(global, &a),
        Command::Build(a) => commands::build::run(global, &a),
        Command::Golden(a) => commands::golden::run(global, &a),
        Command::Test(a) => commands::test::run(global, &a),
        Command::Run(a) => commands::run::run(global, &a),
        Command::Query(a) => commands::query::run(global, &a),
        Command::Analyze(a) => commands::analyze::run(global, &a),
        Command::Explain(a) => commands::explain::run(global, &a),
        Command::Catalog(a) => commands::catalog::run(global, &a),
        Command::Fmt(a) => commands::fmt::run(global, &a),
        Command::Diff(a) => commands::diff::run(global, &a),
        Command::Changelog(a) => commands::changelog::run(global, &a),
        Command::Lock(a) => commands::lock::run(global, &a),
        Command::Drift(a) => commands::drift::run(global, &a),
        Command::Dump(a) => commands::dump::run(global, &a),
        Command::List(a) => commands::list::run(global, &a),
        Command::Lint(a) => commands::list::lint(global, &a),
        Command::Man(a) => commands::shell::man(&a),
        Command::Completions(a) => Ok(commands::shell::completions(&a)),
    };
    outcome.unwrap_or(ExitCode::from(USAGE))
}
