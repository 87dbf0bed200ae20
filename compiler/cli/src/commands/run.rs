//! `rulec run`: hunt over exported events.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::{hunt, inputs};

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Hunt: run rules over exported events
///
/// Events come from files: `--data DeviceProcessEvents=export.ndjson`, or a file or folder whose name
/// begins with the table's. NDJSON, JSON arrays, the exports of Defender and Log Analytics, and CSV are
/// understood. FileProfile, watchlists and externaldata are given the same way. Exit code 1 says that
/// something fired.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Rule documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: Input,
    /// How alerts are printed.
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Run only rules whose id contains this.
    #[arg(long, value_name = "TEXT")]
    rule: Option<String>,
}

/// Where events come from.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// A table's events: TABLE=PATH, or PATH named after its table. Repeatable; `-` is standard input.
    #[arg(long, short, value_name = "TABLE=PATH")]
    pub(crate) data: Vec<String>,
    /// The time now() gives, ISO 8601. Default: the newest event.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Skip and count lines that cannot be read instead of failing.
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Memory that operators may hold, in megabytes.
    #[arg(long, value_name = "MB", default_value_t = 2048)]
    pub(crate) memory: u64,
}

impl Input {
    pub(crate) fn options(&self) -> inputs::Input {
        inputs::Input {
            data: self.data.clone(),
            now: self.now.clone(),
            lenient: self.lenient,
            memory: self.memory,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Ndjson,
    /// A table for people.
    Table,
    /// Comma-separated values.
    Csv,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let compilation = pipeline.compile(&arguments.paths);
    let broken = compilation.errors();
    print::findings(global, &broken);
    let format = match arguments.format {
        Format::Ndjson => hunt::Format::Ndjson,
        Format::Table => hunt::Format::Table,
        Format::Csv => hunt::Format::Csv,
    };
    let report = hunt::run(
        &pipeline,
        &compilation,
        &arguments.input.options(),
        arguments.rule.as_deref(),
        format,
    )
    .map_err(Failure::say)?;
    print::data(&report.output);
    for (file, rule, diagnostic) in &report.problems {
        print::finding(file, Some(rule), diagnostic);
    }
    if !global.quiet {
        for note in &report.notes {
            anstream::eprintln!("{note}");
        }
    }
    Ok(if !broken.is_empty() || !report.problems.is_empty() {
        ExitCode::from(BROKEN)
    } else if report.alerts > 0 {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
