//! `rulec check`: read, bind, lint.

use std::path::PathBuf;

use clap::ValueEnum;
use rulec_driver::{config::Level, repair};
use rulec_source::render;

use crate::{Failure, Global, Outcome, print};

/// Read, bind and lint rule documents
///
/// Every document is read, its query parsed and bound against the tables it names, and the lints run.
/// One broken rule never stops the others. Findings go to standard error as text, or to standard output
/// in a machine format.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents and folders; `-` is standard input. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Lowest severity that makes the exit code 1: off, note, warning or error.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Level>,
    /// Make the safe repairs in the documents first; what is left is reported.
    #[arg(long)]
    fix: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The line underlined, and what to do.
    Text,
    /// One JSON document (schema/check.schema.json).
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands, which become annotations.
    Github,
    /// JUnit XML.
    Junit,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    if arguments.fix {
        let report = repair::run(&pipeline, &arguments.paths).map_err(Failure::say)?;
        for (path, count) in report.changed.iter().filter(|_| !global.quiet) {
            let what = if *count == 1 { "repair" } else { "repairs" };
            anstream::eprintln!("{path}: {count} {what} made");
        }
    }
    let compilation = pipeline.compile(&arguments.paths);
    let findings = compilation.findings();
    let summary = compilation.summary();
    let version = rulec_driver::VERSION;
    match arguments.format {
        Format::Text => {
            print::findings(global, &findings);
            if !global.quiet {
                anstream::eprintln!("{}", print::summary(&summary));
            }
        }
        Format::Json => print::data(&render::json(&findings, summary, version)),
        Format::Sarif => print::data(&render::sarif(&findings, version)),
        Format::Github => print::data(&render::github(&findings)),
        Format::Junit => print::data(&render::junit(&findings, &compilation.files())),
    }
    let gate = arguments
        .fail_on
        .unwrap_or(pipeline.repository.config.check.fail_on);
    Ok(print::code(&findings, gate))
}
