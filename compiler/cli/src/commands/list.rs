//! `rulec list` and `rulec lint`: what the compiler knows.

use std::process::ExitCode;

use clap::ValueEnum;
use rulec_driver::list;

use crate::{Failure, Global, Outcome, print};

/// What the compiler knows: targets, lints, functions, tables
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to list.
    #[arg(value_enum)]
    what: What,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// What `build` can emit.
    Targets,
    /// Every finding rulec can report, with its code.
    Lints,
    /// Functions, operators, aggregates and plugins: whether each types and evaluates.
    Functions,
    /// Tables with the number of their columns.
    Tables,
}

/// Explain one lint or error by name or code
#[derive(Debug, clap::Args)]
pub(crate) struct LintArguments {
    /// `unknown-column` or `RK201`.
    name: String,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let what = match arguments.what {
        What::Targets => list::What::Targets,
        What::Lints => list::What::Lints,
        What::Functions => list::What::Functions,
        What::Tables => list::What::Tables,
    };
    print::data(&list::run(&pipeline, what, arguments.json).map_err(Failure::say)?);
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn lint(_: &Global, arguments: &LintArguments) -> Outcome {
    print::data(&list::lint(&arguments.name).map_err(Failure::say)?);
    Ok(ExitCode::SUCCESS)
}
