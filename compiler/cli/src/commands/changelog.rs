//! `rulec changelog`: the version histories as one page.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::changelog;

use crate::{Failure, Global, Outcome, print};

/// The version histories of all rules, newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// Only versions that this revision (or folder) does not have.
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A heading for each day.
    Markdown,
    /// One JSON document.
    Json,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let log =
        changelog::run(&pipeline, arguments.since.as_deref(), &arguments.paths).map_err(Failure::say)?;
    print::data(&match arguments.format {
        Format::Markdown => log.markdown(),
        Format::Json => log.json(),
    });
    Ok(ExitCode::SUCCESS)
}
