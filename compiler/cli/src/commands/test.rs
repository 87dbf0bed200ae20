//! `rulec test`: run the rules' fixtures.

use std::{path::PathBuf, process::ExitCode};

use rulec_driver::fixtures;

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Run the rules' fixtures
///
/// A fixture (`tests/rules/<id>.yaml`) holds named events and cases: which events a case sees and
/// whether the rule fires. The rule runs as written, in the interpreter; with `--native` also as
/// emitted Rust, and both must print the same alerts.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Rule documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// Also build the emitted Rust (needs cargo) and compare.
    #[arg(long)]
    native: bool,
    /// Run only cases whose name, or whose rule's id, contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let compilation = pipeline.compile(&arguments.paths);
    let broken = compilation.errors();
    print::findings(global, &broken);
    let options = fixtures::Options {
        native: arguments.native,
        only: arguments.only.clone(),
    };
    let report = fixtures::run(&pipeline, &compilation, &options).map_err(Failure::say)?;
    for finding in report.findings() {
        print::finding(finding.file, finding.rule, finding.diagnostic);
    }
    for failure in report.failures() {
        anstream::eprintln!("{failure}\n");
    }
    print::data(&report.text(global.quiet));
    Ok(if !broken.is_empty() {
        ExitCode::from(BROKEN)
    } else if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FINDINGS)
    })
}
