//! `kql-smith`: compares our analyser with the reference on many queries.
//!
//! Opt-in: it needs a reference (`--oracle`), which is not part of the
//! repository.

// It is about files and a process, and talks to a person at a terminal.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

mod queries;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use queries::Queries;
use rulec_smith::campaign::Campaign;
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
    /// A file of answers of earlier runs; new ones are added to it.
    #[arg(long)]
    answers: Option<PathBuf>,
    /// The folder for the report.
    #[arg(long, default_value = "target/smith")]
    report: PathBuf,
}

impl Reference {
    fn start(&self) -> Result<Oracle, String> {
        let mut oracle = Oracle::new(&self.oracle, Duration::from_secs(self.timeout));
        if let Some(path) = &self.answers {
            oracle.keep(path)?;
        }
        Ok(oracle)
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
    /// Compare the answers to generated queries, or to those of files.
    Compare {
        #[command(flatten)]
        reference: Reference,
        #[command(flatten)]
        queries: Queries,
        /// How many examples of each difference to shrink; 0 for none.
        #[arg(long, default_value_t = 3)]
        examples: usize,
        /// How often the reference may be asked to shrink one example.
        #[arg(long, default_value_t = 200)]
        effort: usize,
    },
    /// Print the queries that `compare` would ask about, as requests.
    Generate {
        #[command(flatten)]
        queries: Queries,
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
            let mut oracle = reference.start()?;
            let mut before = 0;
            let sweep = functions::sweep(&subjects, full, &mut oracle, |subject, so_far| {
                let new = so_far.differences.len() - before;
                before = so_far.differences.len();
                println!("{} {new} (calls so far: {})", subject.name(), so_far.calls);
            })?;
            reference.write("functions.txt", &functions::report(&sweep, examples))
        }
        Mode::Generate { queries } => {
            let world = queries.world()?;
            for case in queries.cases(&world)? {
                let mut request = world.request(&case.query);
                request["id"] = case.id.into();
                println!("{request}");
            }
            Ok(())
        }
        Mode::Compare {
            reference,
            queries,
            examples,
            effort,
        } => {
            let world = queries.world()?;
            let cases = queries.cases(&world)?;
            let mut oracle = reference.start()?;
            let mut campaign = Campaign::default();
            for (n, some) in cases.chunks(512).enumerate() {
                campaign.run(&world, some, &mut oracle)?;
                eprintln!("{} of {}", n * 512 + some.len(), cases.len());
            }
            print!("{}", campaign.summary());
            let write = |campaign: &Campaign| {
                reference.write("instances.ndjson", &campaign.instances())?;
                reference.write("report.txt", &campaign.report())
            };
            // Shrinking takes long and may be broken off.
            write(&campaign)?;
            if examples > 0 {
                campaign.minimise(&world, examples, effort, &mut oracle)?;
                write(&campaign)?;
            }
            Ok(())
        }
    }
}
