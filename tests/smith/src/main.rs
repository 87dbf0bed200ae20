//! `kql-smith`: compares our analyser with the reference on many queries.
//!
//! Opt-in: it needs a reference (`--oracle`), which is not part of the
//! repository.

// It is about files and a process, and talks to a person at a terminal.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use rulec_smith::functions;
use rulec_smith::oracle::Oracle;

/// Random queries, and two opinions about each.
#[derive(Parser)]
#[command(name = "kql-smith")]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(clap::Args)]
struct Reference {
    /// The command that answers requests: NDJSON in, NDJSON out.
    #[arg(long)]
    oracle: String,
    /// Seconds it may take for one request.
    #[arg(long, default_value_t = 60)]
    timeout: u64,
    /// The folder for the report.
    #[arg(long, default_value = "target/smith")]
    report: PathBuf,
}

impl Reference {
    fn start(&self) -> Oracle {
        Oracle::new(&self.oracle, Duration::from_secs(self.timeout))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.report.join(name);
        std::fs::create_dir_all(&self.report)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|e| format!("{}: {e}", path.display()))?;
        println!("written: {}", path.display());
        Ok(())
    }
}

#[derive(Subcommand)]
enum Mode {
    /// Call every function, operator and aggregate with every type in every place.
    Functions {
        #[command(flatten)]
        reference: Reference,
        /// Only these functions.
        #[arg(long)]
        only: Vec<String>,
        /// The number of arguments up to which every combination of types is tried.
        #[arg(long, default_value_t = 3)]
        full: usize,
        /// How many examples of each kind of difference to show.
        #[arg(long, default_value_t = 6)]
        examples: usize,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), String> {
    match arguments.mode {
        Mode::Functions {
            reference,
            only,
            full,
            examples,
        } => {
            let mut subjects = functions::subjects();
            if !only.is_empty() {
                subjects.retain(|s| only.iter().any(|name| name == s.name()));
            }
            let mut oracle = reference.start();
            let mut before = 0;
            let sweep = functions::sweep(&subjects, full, &mut oracle, |subject, so_far| {
                let new = so_far.differences.len() - before;
                before = so_far.differences.len();
                println!("{} {new} (calls so far: {})", subject.name(), so_far.calls);
            })?;
            reference.write("functions.txt", &functions::report(&sweep, examples))
        }
    }
}
