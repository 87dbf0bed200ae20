//! `rulec import`: rules of other formats as documents.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::import::{self, Done, Options};
use rulec_source::render::Finding;

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// Write documents from rules of another format
///
/// Takes Sentinel analytics rules (YAML templates, ARM templates, exports), Defender custom detections
/// (the body of the API, lists and pages of it) and Sigma rules, and writes one document a rule. What a
/// document cannot say as the rule did is reported, never dropped in silence. Documents that are there
/// already are left alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What the files hold.
    #[arg(value_enum)]
    format: Format,
    /// Files, folders of them, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder to write to. Default: the first rules folder of the repository.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace documents that are there.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Sentinel,
    Defender,
    Sigma,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let options = Options {
        format: match arguments.format {
            Format::Sentinel => import::Format::Sentinel,
            Format::Defender => import::Format::Defender,
            Format::Sigma => import::Format::Sigma,
        },
        out: arguments.out.clone(),
        dry_run: arguments.dry_run,
        force: arguments.force,
    };
    let report = import::run(&pipeline, &arguments.files, &options).map_err(Failure::say)?;
    let mut findings: Vec<Finding<'_>> = Vec::new();
    for (file, diagnostics) in &report.files {
        findings.extend(diagnostics.iter().map(|diagnostic| Finding {
            file,
            rule: None,
            diagnostic,
        }));
    }
    print::findings(global, &findings);
    let mut in_the_way = 0;
    let mut lines = String::new();
    for (path, done) in &report.documents {
        match done {
            Done::Written => lines += &format!("{path}\n"),
            Done::Same => {}
            Done::Exists => {
                in_the_way += 1;
                anstream::eprintln!("error: {path} exists and differs; `--force` replaces it");
            }
        }
    }
    print::data(&lines);
    if !global.quiet {
        let count = |done: Done| report.documents.iter().filter(|(_, d)| *d == done).count();
        anstream::eprintln!(
            "{} {}, {} there already, {} in the way; {} of {} without any loss",
            count(Done::Written),
            if options.dry_run {
                "to be written"
            } else {
                "written"
            },
            count(Done::Same),
            in_the_way,
            report.exact,
            report.documents.len(),
        );
    }
    Ok(if findings.iter().any(|f| f.diagnostic.is_error()) {
        ExitCode::from(BROKEN)
    } else if in_the_way > 0 {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
