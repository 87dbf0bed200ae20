//! `rulec query`: one query over data.

use std::process::ExitCode;

use clap::ValueEnum;
use rulec_driver::query;

use super::run::Input;
use crate::{BROKEN, Failure, Global, Outcome, print};

/// Run one KQL query over data files
///
/// With no data, `print`, `range` and `datatable` work:  rulec query 'print x = strcat("a", 1)'
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The query; `-` reads it from standard input.
    #[arg(required_unless_present = "ndjson")]
    query: Option<String>,
    #[command(flatten)]
    input: Input,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Read `{"id","query"}` a line from standard input and answer a line each.
    #[arg(long, conflicts_with = "query")]
    ndjson: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people.
    Table,
    /// `{"columns":[{"name","type"}],"rows":[[…]]}`.
    Json,
    /// Comma-separated values.
    Csv,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let from_input = arguments.ndjson || arguments.query.as_deref() == Some("-");
    if from_input
        && arguments
            .input
            .data
            .iter()
            .any(|data| data == "-" || data.ends_with("=-"))
    {
        return Err(Failure::say(
            "standard input cannot hold the query and the data; write one of them to a file",
        ));
    }
    if arguments.ndjson {
        query::ndjson(
            &pipeline,
            &arguments.input.options(),
            std::io::stdin().lock(),
            std::io::stdout().lock(),
        )
        .map_err(Failure::say)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = match arguments.query.as_deref() {
        Some("-") | None => std::io::read_to_string(std::io::stdin()).map_err(Failure::say)?,
        Some(text) => text.to_owned(),
    };
    let format = match arguments.format {
        Format::Table => query::Format::Table,
        Format::Json => query::Format::Json,
        Format::Csv => query::Format::Csv,
    };
    let answer = query::run(&pipeline, &text, &arguments.input.options(), format).map_err(Failure::say)?;
    for diagnostic in &answer.diagnostics {
        if !global.quiet || diagnostic.is_error() {
            print::finding(&answer.file, None, diagnostic);
        }
    }
    print::data(&answer.output);
    if !global.quiet {
        for note in &answer.notes {
            anstream::eprintln!("warning: {note}");
        }
    }
    Ok(if print::any_error(&answer.diagnostics) {
        ExitCode::from(BROKEN)
    } else {
        ExitCode::SUCCESS
    })
}
