//! `rulec fmt`: canonical layout of documents and of queries.

use std::{path::PathBuf, process::ExitCode};

use rulec_driver::format::{self, Mode};

use crate::{BROKEN, FINDINGS, Global, Outcome, print};

/// Canonical layout of documents and of queries
///
/// Documents: tables aligned, sections in order, blank lines and trailing blanks put in order; text stays as
/// it is. With `--kql` queries as well: one operator a line, long lists and conditions broken, comments kept.
/// A query that does not parse stays as it is and is reported.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents, KQL files and folders; `-` formats standard input to standard output. Default: the
    /// repository's rules.
    paths: Vec<PathBuf>,
    /// Lay out queries too: in documents, in .kql files, and on standard input when it is no document.
    #[arg(long)]
    kql: bool,
    /// Change nothing; exit code 1 when a file would change.
    #[arg(long)]
    check: bool,
    /// Change nothing; print what would change as a unified diff. Exit code as with --check.
    #[arg(long)]
    diff: bool,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let mode = match (arguments.diff, arguments.check) {
        (true, _) => Mode::Diff,
        (false, true) => Mode::Check,
        (false, false) => Mode::Write,
    };
    let report = format::run(&pipeline, &arguments.paths, arguments.kql, mode);
    print::data(&report.output);
    for (file, diagnostic) in &report.problems {
        print::finding(file, None, diagnostic);
    }
    if !global.quiet {
        let what = if mode == Mode::Write {
            "reformatted"
        } else {
            "would be reformatted"
        };
        for path in &report.changed {
            anstream::eprintln!("{path}: {what}");
        }
    }
    Ok(if !report.problems.is_empty() {
        ExitCode::from(BROKEN)
    } else if mode != Mode::Write && !report.changed.is_empty() {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
