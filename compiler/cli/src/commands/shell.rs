//! `rulec man` and `rulec completions`: what shells want to know.

use std::{path::PathBuf, process::ExitCode};

use clap::CommandFactory as _;

use crate::{Failure, Outcome, print};

/// Write man pages
#[derive(Debug, clap::Args)]
pub(crate) struct ManArguments {
    /// Folder to write to.
    folder: PathBuf,
}

/// Print a completion script
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArguments {
    /// bash, elvish, fish, powershell or zsh.
    shell: clap_complete::Shell,
}

pub(crate) fn man(arguments: &ManArguments) -> Outcome {
    rulec_driver::output::Folder::create(&arguments.folder).map_err(Failure::say)?;
    clap_mangen::generate_to(crate::Arguments::command(), &arguments.folder).map_err(Failure::say)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn completions(arguments: &CompletionArguments) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut crate::Arguments::command(),
        "rulec",
        &mut text,
    );
    print::data(&String::from_utf8_lossy(&text));
    ExitCode::SUCCESS
}
