//! `rulec drift`: an export against the repository.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::drift;
use rulec_source::render::Finding;

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Compare what is deployed with what the repository would build
///
/// Takes an export of Sentinel (ARM, REST, YAML) or Defender (JSON), finds each rule of it in the
/// repository by its id, else by its name, and says per field what differs. Layout and order do not count:
/// queries are compared by what they mean. Exits with 1 when there is drift.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Exported file, or folder of them; repeatable.
    #[arg(long, required = true, value_name = "EXPORT")]
    deployed: Vec<PathBuf>,
    /// Documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let report = drift::run(&pipeline, &arguments.deployed, &arguments.paths).map_err(Failure::say)?;
    let mut findings: Vec<Finding<'_>> = report.checked.errors();
    for (file, diagnostics) in &report.files {
        findings.extend(diagnostics.iter().map(|diagnostic| Finding {
            file,
            rule: None,
            diagnostic,
        }));
    }
    print::findings(global, &findings);
    match arguments.format {
        Format::Text => print::data(&report.text()),
        Format::Json => print::data(&report.json()),
    }
    if !global.quiet {
        anstream::eprintln!(
            "{} the same in meaning, {} with drift",
            report.same,
            report.drift.len()
        );
    }
    Ok(if findings.iter().any(|f| f.diagnostic.is_error()) {
        ExitCode::from(BROKEN)
    } else if report.drift.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FINDINGS)
    })
}
