//! `rulec new`: scaffold a rule document.

use std::{path::PathBuf, process::ExitCode};

use rulec_driver::scaffold;

use crate::{Failure, Global, Outcome, print};

/// Scaffold a rule document
///
/// Writes a document that already compiles, with every section to fill in. Never overwrites.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The id, which is also the file's name.
    id: String,
    /// The title.
    title: String,
    /// Folder to write to. Default: the first rules folder of the repository.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let path = scaffold::run(
        &pipeline,
        &arguments.id,
        &arguments.title,
        arguments.folder.as_deref(),
    )
    .map_err(Failure::say)?;
    print::data(&format!("{path}\n"));
    Ok(ExitCode::SUCCESS)
}
