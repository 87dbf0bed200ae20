//! `rulec lock`: what was released under which version.

use std::process::ExitCode;

use rulec_driver::lock;

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Write rulec.lock: what each rule was released with, under which version
///
/// For each rule its version, a hash of what it means and says about its alerts, and one of each artifact;
/// for all of them the version of ATT&CK and a hash of the tables and schemas. `rulec check` then reports a
/// rule whose content changed while its version did not. Layout, comments and prose are no content.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; exit with 1 when the file is not what it should be.
    #[arg(long)]
    check: bool,
    /// Take over content that changed under a released version.
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let report = lock::run(&pipeline, arguments.force).map_err(Failure::say)?;
    for (file, rule, diagnostic) in &report.broken {
        print::finding(file, Some(rule), diagnostic);
    }
    for path in &report.skipped {
        anstream::eprintln!("{path} does not compile and is not locked");
    }
    if arguments.check {
        if !report.is_current && !global.quiet {
            anstream::eprintln!("{} is not what the rules say; run `rulec lock`", lock::FILE);
        }
    } else {
        report.write(&pipeline).map_err(Failure::say)?;
        if !global.quiet {
            anstream::eprintln!("{} rules in {}", report.rules, lock::FILE);
        }
    }
    Ok(if !report.skipped.is_empty() {
        ExitCode::from(BROKEN)
    } else if !report.broken.is_empty() || arguments.check && !report.is_current {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
