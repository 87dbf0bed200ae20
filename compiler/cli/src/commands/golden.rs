//! `rulec golden`: build and compare with the blessed output.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::golden;

use crate::{FINDINGS, Failure, Global, Outcome, print};

/// Build and compare with the blessed output in golden/
///
/// `check` prints a unified diff of every artifact, model and IR dump that differs from golden/ and
/// exits with 1. `update` rewrites golden/ and removes what no rule produces any more; it refuses where
/// the variable CI is set, because goldens are read by a person before they are accepted.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to do.
    #[arg(value_enum, default_value_t = Action::Check)]
    action: Action,
    /// Documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Compare; exit code 1 when something differs.
    Check,
    /// Rewrite.
    Update,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    if arguments.action == Action::Update && golden::in_ci() {
        return Err(Failure::say(
            "golden/ is not updated where the variable CI is set: run `rulec golden update` at your desk, read the diff, and commit it",
        ));
    }
    let compilation = pipeline.compile(&arguments.paths);
    let findings = compilation.errors();
    print::findings(global, &findings);
    let produced = golden::produce(&pipeline, &compilation);
    let folder = pipeline
        .repository
        .path(&pipeline.repository.config.repository.golden);
    let whole = arguments.paths.is_empty();
    match arguments.action {
        Action::Check => {
            let differences = golden::compare(&produced, &folder, whole).map_err(Failure::say)?;
            for difference in &differences {
                print::data(&difference.diff);
            }
            if differences.is_empty() {
                if !global.quiet {
                    anstream::eprintln!("{} golden files agree", produced.len());
                }
                return Ok(print::code(&findings, rulec_driver::config::Level::Error));
            }
            anstream::eprintln!(
                "{} of {} golden files differ; read the diff, then `rulec golden update` accepts it",
                differences.len(),
                produced.len().max(differences.len()),
            );
            Ok(ExitCode::from(FINDINGS))
        }
        Action::Update => {
            let changed = golden::update(&produced, &folder, whole).map_err(Failure::say)?;
            if !global.quiet {
                anstream::eprintln!(
                    "{} written, {} removed, {} unchanged",
                    changed.written,
                    changed.removed,
                    changed.unchanged
                );
            }
            Ok(print::code(&findings, rulec_driver::config::Level::Error))
        }
    }
}
