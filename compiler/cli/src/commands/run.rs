//! `rulec run`: hunt over exported events.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::ValueEnum;
use rulec_driver::{Compilation, Pipeline, hunt, inputs, miss};

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, STOPPED, print, progress};

/// Hunt: run rules over exported events
///
/// Events come from files: `--data DeviceProcessEvents=export.ndjson`, or a file or folder named after
/// its table. NDJSON, JSON arrays, the exports of Defender and Log Analytics, CSV and TSV are understood,
/// packed with gzip or zstd or not. Patterns are expanded here: --data 'DeviceProcessEvents=logs/**/*.gz'.
/// FileProfile, watchlists (`watchlist:ALIAS`) and externaldata (`externaldata:ADDRESS`) are given the
/// same way. Alerts are written as rules finish, in the order of the rules; Ctrl-C leaves a valid output
/// and says which rules are missing. Exit code: 1 something fired, 130 stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Rule documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: Input,
    /// How alerts are printed. Default: ndjson; text with --explain-miss.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Run the rules as they are in this environment: environments/NAME.yaml. Its exclusions have ended, or
    /// not, as of --now; without it, of the clock.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Run only rules whose id contains this.
    #[arg(long, value_name = "TEXT")]
    rule: Option<String>,
    /// Say why a rule does not fire on this event: which stage drops it, and which condition is false.
    ///
    /// EVENT is a JSON object, @FILE, or TABLE:N for the N-th event of a table of the data; TABLE=EVENT
    /// where the table is not clear. Other events, for joins and windows, come from --data.
    #[arg(long, value_name = "EVENT")]
    explain_miss: Option<String>,
}

/// Where events come from.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// A table's events: TABLE=PATH, or PATH named after its table. Repeatable.
    ///
    /// PATH is a file, a pattern, a folder with all files below it but those that begin with `.` or `_`,
    /// or `-` for standard input, which is held in memory.
    #[arg(long, short, value_name = "TABLE=PATH")]
    pub(crate) data: Vec<String>,
    /// The time now() gives, ISO 8601. Default: the newest event.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Skip and count lines that cannot be read, and use what comes before the break of a broken file.
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Check every byte of the input as JSON, also where no rule looks.
    #[arg(long)]
    pub(crate) strict: bool,
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
            strict: self.strict,
            memory: self.memory,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line (schema/alert.schema.json).
    Ndjson,
    /// A table for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// One page that stands alone, with a timeline.
    Html,
    /// With --explain-miss: for tools (schema/explain-miss.schema.json).
    Json,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let now = inputs::now_or_clock(arguments.input.now.as_deref()).map_err(Failure::say)?;
    let pipeline = print::pipeline_in(global, arguments.env.as_deref(), now)?;
    let compilation = Arc::new(pipeline.compile_to_run(&arguments.paths));
    // The command ends with the hunt: taking thousands of rules apart is for nothing.
    std::mem::forget(compilation.clone());
    let broken = compilation.errors();
    print::findings(global, &broken);
    if let Some(event) = &arguments.explain_miss {
        let code = explain_miss(&pipeline, &compilation, arguments, event)?;
        return Ok(if broken.is_empty() {
            code
        } else {
            ExitCode::from(BROKEN)
        });
    }
    let format = match arguments.format.unwrap_or(Format::Ndjson) {
        Format::Ndjson => hunt::Format::Ndjson,
        Format::Table => hunt::Format::Table,
        Format::Csv => hunt::Format::Csv,
        Format::Html => hunt::Format::Html,
        Format::Json => {
            return Err(Failure::say(
                "--format json is for --explain-miss; alerts are ndjson",
            ));
        }
    };
    let options = hunt::Options {
        only: arguments.rule.clone(),
        format,
        progress: Arc::default(),
    };
    progress::stop_on_interrupt(&options.progress);
    let mut terminal = progress::Terminal::new(global.quiet);
    let hunted = hunt::run(
        &pipeline,
        &compilation,
        &arguments.input.options(),
        &options,
        &mut terminal,
    );
    terminal.done();
    let report = hunted.map_err(Failure::say)?;
    for (file, rule, diagnostic) in &report.problems {
        print::finding(file, Some(rule), diagnostic);
    }
    if !global.quiet {
        for note in &report.notes {
            anstream::eprintln!("{note}");
        }
    }
    Ok(if report.interrupted {
        ExitCode::from(STOPPED)
    } else if !broken.is_empty() || !report.problems.is_empty() {
        ExitCode::from(BROKEN)
    } else if report.alerts > 0 {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

/// Why a rule does not fire on an event.
fn explain_miss(
    pipeline: &Pipeline,
    compilation: &Compilation,
    arguments: &Arguments,
    event: &str,
) -> Outcome {
    let format = match arguments.format {
        None => miss::Format::Text,
        Some(Format::Json) => miss::Format::Json,
        Some(_) => return Err(Failure::say("--explain-miss prints text, or --format json")),
    };
    let answer = miss::run(
        pipeline,
        compilation,
        &arguments.input.options(),
        arguments.rule.as_deref(),
        event,
        format,
    )
    .map_err(Failure::say)?;
    anstream::print!("{}", answer.output);
    for (file, rule, diagnostic) in &answer.problems {
        print::finding(file, Some(rule), diagnostic);
    }
    Ok(if !answer.problems.is_empty() {
        ExitCode::from(BROKEN)
    } else if answer.fires {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
