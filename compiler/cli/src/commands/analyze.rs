//! `rulec analyze`: what queries mean, without running them.

use std::{path::PathBuf, process::ExitCode};

use rulec_driver::analyze;

use crate::{BROKEN, Failure, Global, Outcome, print};

/// Result columns, tables, functions and diagnostics of queries
///
/// Reads KQL files (or documents), and prints one JSON object a query. With `--ndjson`, reads requests
/// `{"id","query","env","tables","open"}` a line from standard input.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// KQL files, rule documents and folders; `-` is standard input.
    #[arg(required_unless_present = "ndjson")]
    paths: Vec<PathBuf>,
    /// Read requests a line from standard input.
    #[arg(long)]
    ndjson: bool,
    /// Tables that queries may use: m365, sentinel, merged, merged-columns, docs or none.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Only parse: neither names nor columns.
    #[arg(long)]
    syntax: bool,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let options = analyze::Options {
        environment: arguments.env.as_deref(),
        syntax: arguments.syntax,
    };
    if arguments.ndjson {
        let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
        analyze::ndjson(&pipeline, options, input, output).map_err(Failure::say)?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer = analyze::files(&pipeline, options, &arguments.paths).map_err(Failure::say)?;
    print::data(&answer.output);
    for (file, diagnostic) in &answer.problems {
        print::finding(file, None, diagnostic);
    }
    Ok(if answer.broken {
        ExitCode::from(BROKEN)
    } else {
        ExitCode::SUCCESS
    })
}
