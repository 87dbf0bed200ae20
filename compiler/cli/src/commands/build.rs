//! `rulec build`: emit artifacts.

use std::{path::PathBuf, process::ExitCode};

use rulec_driver::{build, config::Level};

use crate::{FINDINGS, Failure, Global, Outcome, print};

/// Emit artifacts: Sentinel, Defender, Sigma and native Rust
///
/// Writes one folder per target below the output folder, and `losses.json`: what each target could not
/// say exactly. A rule that does not compile, or cannot go to a target, is reported; the others are
/// built all the same, byte for byte as if it were not there.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// Targets, separated by commas. Default: those of rulec.toml, else all.
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    target: Vec<String>,
    /// Folder to write to.
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Fail when the loss ledger has an entry with one of these effects: widened, narrowed, dropped, rejected.
    #[arg(long, value_delimiter = ',', value_name = "EFFECT")]
    deny: Vec<String>,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let options = build::Options {
        targets: arguments.target.clone(),
        deny: arguments.deny.clone(),
    };
    let options = pipeline.build_options(options).map_err(Failure::say)?;
    let (checked, built) = pipeline.build_paths(&arguments.paths, &options);
    let (shown, out) = match &arguments.out {
        Some(out) => (out.display().to_string(), out.clone()),
        None => {
            let out = &pipeline.repository.config.repository.out;
            (out.clone(), pipeline.repository.path(out))
        }
    };
    let written = build::write(&built, &out).map_err(Failure::say)?;
    let mut findings = checked.errors();
    findings.extend(built.findings());
    print::findings(global, &findings);
    if !global.quiet {
        anstream::eprintln!("{}", built.report(&shown, written));
    }
    let code = print::code(&findings, Level::Error);
    let denied = built.denied(&options);
    for line in &denied {
        anstream::eprintln!("error: {line}");
    }
    Ok(if code == ExitCode::SUCCESS && !denied.is_empty() {
        ExitCode::from(FINDINGS)
    } else {
        code
    })
}
