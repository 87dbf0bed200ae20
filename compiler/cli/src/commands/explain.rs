//! `rulec explain`: what a rule does, stage by stage.

use std::path::PathBuf;

use clap::ValueEnum;
use rulec_driver::{config::Level, explain};

use crate::{Failure, Global, Outcome, print};

/// What a rule does, stage by stage
///
/// Parameters, let bindings, the stages of the pipeline, exclusions, indicators, output fields, event
/// coverage, ATT&CK, schedule; and for every setting where it came from.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A document, or the id of a rule of the repository.
    rule: String,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// For a page.
    Markdown,
    /// For tools (schema/explain.schema.json).
    Json,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let path = PathBuf::from(&arguments.rule);
    let compilation = if path.exists() || arguments.rule == "-" {
        pipeline.compile(&[path])
    } else {
        pipeline.compile_rule(&arguments.rule).map_err(Failure::say)?
    };
    let format = match arguments.format {
        Format::Text => explain::Format::Text,
        Format::Markdown => explain::Format::Markdown,
        Format::Json => explain::Format::Json,
    };
    print::data(&explain::run(&pipeline, &compilation, format));
    let findings = compilation.errors();
    print::findings(global, &findings);
    Ok(print::code(&findings, Level::Error))
}
