//! `rulec check`: read, bind, lint.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::{
    config::Level,
    inputs, list,
    repair::{self, Mode},
    since,
};
use rulec_source::render;

use crate::{FINDINGS, Failure, Global, Outcome, print};

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
    /// With --fix: change nothing; print the repairs as a unified diff. Exit code 1 when there are any.
    #[arg(long, requires = "fix")]
    diff: bool,
    /// Report only documents that changed since this revision (or folder), and whether their version
    /// histories say so.
    #[arg(long, value_name = "REV", conflicts_with = "fix")]
    since: Option<String>,
    /// Check against this version of ATT&CK instead of the one in rulec.toml: what an upgrade would change.
    /// With --fix the documents are carried over to it.
    #[arg(long, value_name = "VERSION")]
    attack: Option<String>,
    /// Check the rules as they are in this environment: environments/NAME.yaml.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["fix", "since"])]
    env: Option<String>,
    /// Look at suppressions and exclusions as of this time, ISO 8601. Default: the clock.
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// With --format sarif: report what documents suppress as well, as suppressed results. Code scanning
    /// of GitHub shows these as open alerts; other readers leave them out.
    #[arg(long)]
    suppressed: bool,
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
    /// A Code Quality report of GitLab.
    Gitlab,
    /// JUnit XML.
    Junit,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let now = inputs::now_or_clock(arguments.now.as_deref()).map_err(Failure::say)?;
    let mut pipeline = print::pipeline_in(global, arguments.env.as_deref(), now)?;
    if let Some(version) = &arguments.attack {
        pipeline.write_against(version).map_err(Failure::say)?;
    }
    let now = inputs::now_or_clock(arguments.now.as_deref()).map_err(Failure::say)?;
    if arguments.fix {
        let mode = if arguments.diff { Mode::Diff } else { Mode::Write };
        let report = repair::run(&pipeline, &arguments.paths, mode, now).map_err(Failure::say)?;
        if mode == Mode::Diff {
            print::data(&report.diff);
            return Ok(if report.changed.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(FINDINGS)
            });
        }
        for (path, count) in report.changed.iter().filter(|_| !global.quiet) {
            let what = if *count == 1 { "repair" } else { "repairs" };
            anstream::eprintln!("{path}: {count} {what} made");
        }
    }
    let mut checked = pipeline.check(&arguments.paths, now);
    // A version is released for all places, not as one of them has it.
    if arguments.env.is_none() {
        checked.against_lock(&pipeline).map_err(Failure::say)?;
    }
    checked.against_fixtures(&pipeline).map_err(Failure::say)?;
    if let Some(from) = &arguments.since {
        let since = since::run(&pipeline, from, &arguments.paths).map_err(Failure::say)?;
        checked.since(&pipeline, &since);
    }
    let findings = checked.findings();
    // What an environment puts into a query stands in another file.
    let placed: Vec<render::Placed<'_>> = findings.iter().map(render::Placed::new).collect();
    let findings: Vec<render::Finding<'_>> = placed.iter().map(render::Placed::finding).collect();
    let suppressed = checked.suppressed();
    let summary = checked.summary();
    let version = rulec_driver::VERSION;
    let folder = pipeline.repository.folder();
    let config = &pipeline.repository.config.check;
    let gate = arguments.fail_on.unwrap_or(config.fail_on);
    let code = print::exit(&findings, gate);
    match arguments.format {
        Format::Text => {
            print::findings(global, &findings);
            if !global.quiet {
                anstream::eprintln!("{}", print::summary(&summary));
            }
        }
        Format::Json => print::data(&render::json(&findings, &suppressed, summary, version)),
        Format::Sarif => print::data(&render::sarif(&render::Log {
            version,
            findings: &findings,
            suppressed: if arguments.suppressed { &suppressed } else { &[] },
            page: &list::page,
            tags: &list::tags,
            address: &|code| list::address(config.pages.as_deref()?, code),
            folder: &folder,
            exit_code: code,
            complete: checked.is_complete(),
        })),
        Format::Github => print::data(&render::github(&findings, &folder)),
        Format::Gitlab => print::data(&render::gitlab(&findings, &folder)),
        Format::Junit => print::data(&render::junit(&findings, &checked.files())),
    }
    Ok(ExitCode::from(code))
}
