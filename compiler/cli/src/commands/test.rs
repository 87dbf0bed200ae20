//! `rulec test`: run the rules' fixtures.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::{fixtures, inputs};
use rulec_source::{Diagnostic, SourceFile, render};

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Run the rules' fixtures
///
/// A fixture (`tests/rules/<id>.yaml`, schema/fixture.schema.json) holds named events and cases: which
/// events a case sees, at what time, and what the rule does: whether it fires, how often, and with which
/// columns. For a case that fails, the events are followed to the stage and the condition that decided.
/// The rule runs in the interpreter; with `--native` also as emitted Rust, and both must print the same.
#[allow(clippy::struct_excessive_bools)] // Each is an option.
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
    /// Stop after the first case that fails.
    #[arg(long)]
    fail_fast: bool,
    /// Bind queries against these tables in cases that do not choose; with several, against each.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "TABLES")]
    tables: Vec<Tables>,
    /// Test the rules as they are in this environment: environments/NAME.yaml. What a case says of constants
    /// goes before what the environment says.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Look at exclusions as of this time, ISO 8601. Default: the clock. What now() gives is the fixture's.
    #[arg(long, value_name = "TIME", requires = "env")]
    now: Option<String>,
    /// Say which conditions of each rule the cases have shown both true and false, and which not.
    #[arg(long)]
    coverage: bool,
    /// Fail when fewer of all conditions, in percent, are shown both true and false.
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_min: Option<u8>,
    /// Also run what fires again and again as the rule's schedule has it: shifted against the runs, and with events
    /// that come in late. Every alert must be seen by some run, and as often as it is to.
    #[arg(long)]
    schedule: bool,
    /// How the report is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Which tables a query is bound against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tables {
    /// Defender XDR.
    M365,
    /// Sentinel.
    Sentinel,
    /// Both; a table of both has the columns of both.
    MergedColumns,
    /// Both; a table of both is Defender's.
    Merged,
    /// The sample tables of the KQL documentation.
    Docs,
}

impl From<Tables> for fixtures::Tables {
    fn from(tables: Tables) -> Self {
        match tables {
            Tables::M365 => Self::M365,
            Tables::Sentinel => Self::Sentinel,
            Tables::MergedColumns => Self::MergedColumns,
            Tables::Merged => Self::Merged,
            Tables::Docs => Self::Docs,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a rule; what failed, and why, on standard error.
    Text,
    /// One JSON document (schema/test.schema.json).
    Json,
    /// JUnit XML: a suite a rule, a test case a case.
    Junit,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let now = inputs::now_or_clock(arguments.now.as_deref()).map_err(Failure::say)?;
    let pipeline = print::pipeline_in(global, arguments.env.as_deref(), now)?;
    let compilation = pipeline.compile_to_run(&arguments.paths);
    let broken = compilation.errors();
    print::findings(global, &broken);
    let options = fixtures::Options {
        native: arguments.native,
        only: arguments.only.clone(),
        fail_fast: arguments.fail_fast,
        tables: arguments.tables.iter().map(|tables| (*tables).into()).collect(),
        all_rules: arguments.paths.is_empty(),
        coverage: arguments.coverage,
        schedule: arguments.schedule,
    };
    let report = fixtures::run(&pipeline, &compilation, &options).map_err(Failure::say)?;
    let format = match arguments.format {
        Format::Text => fixtures::Format::Text,
        Format::Json => fixtures::Format::Json,
        Format::Junit => fixtures::Format::Junit,
    };
    let shown = |(_, _, d): &&(SourceFile, String, Diagnostic)| !global.quiet || d.is_error();
    for (file, rule, diagnostic) in report.findings().iter().filter(shown) {
        print::finding(file, Some(rule), diagnostic);
    }
    if arguments.format == Format::Text {
        for failure in report.failures(render::Style::Coloured) {
            anstream::eprintln!("{failure}");
        }
    }
    print::data(&report.print(format, global.quiet));
    let uncovered = match (report.percent(), arguments.coverage_min) {
        (Some(percent), Some(least)) if percent < usize::from(least) => {
            anstream::eprintln!("error: {percent}% is less than the {least}% of --coverage-min");
            true
        }
        _ => false,
    };
    Ok(if !broken.is_empty() {
        ExitCode::from(BROKEN)
    } else if report.passed() && !uncovered {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FINDINGS)
    })
}
