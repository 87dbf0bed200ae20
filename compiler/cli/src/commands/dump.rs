//! `rulec dump`: any stage as text.

use std::path::PathBuf;

use clap::ValueEnum;
use rulec_driver::{config::Level, dump};

use crate::{Failure, Global, Outcome, print};

/// Any stage of the compiler as text
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents or KQL files; `-` is standard input. Default: the repository's rules.
    paths: Vec<PathBuf>,
    /// Which stage.
    #[arg(long, value_enum)]
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// The canonical rule, as JSON.
    Model,
    /// The tokens of the query.
    Tokens,
    /// Its syntax tree.
    Ast,
    /// Its relational algebra.
    Ir,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let stage = match arguments.stage {
        Stage::Model => dump::Stage::Model,
        Stage::Tokens => dump::Stage::Tokens,
        Stage::Ast => dump::Stage::Ast,
        Stage::Ir => dump::Stage::Ir,
    };
    let read = dump::read(&pipeline, &arguments.paths).map_err(Failure::say)?;
    print::data(&read.stage(stage));
    let findings = read.errors();
    print::findings(global, &findings);
    Ok(print::code(&findings, Level::Error))
}
