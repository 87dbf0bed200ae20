//! `rulec fmt`: canonical layout of documents.

use std::{path::PathBuf, process::ExitCode};

use rulec_driver::format;

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Canonical layout of documents
///
/// Tables are aligned, blank lines and trailing blanks put in order; text and queries stay as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents and folders; `-` formats standard input to standard output. Default: the repository's rules.
    paths: Vec<PathBuf>,
    /// Change nothing; exit code 1 when a document would change.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let report = format::run(&pipeline, &arguments.paths, arguments.check).map_err(Failure::say)?;
    print::data(&report.output);
    for (file, diagnostic) in &report.problems {
        print::finding(file, None, diagnostic);
    }
    if !global.quiet {
        for path in &report.changed {
            let what = if arguments.check {
                "would be reformatted"
            } else {
                "reformatted"
            };
            anstream::eprintln!("{path}: {what}");
        }
    }
    Ok(if !report.problems.is_empty() {
        ExitCode::from(BROKEN)
    } else if arguments.check && !report.changed.is_empty() {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
