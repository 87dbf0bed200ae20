//! `cargo dev generate`: the data files under schema/ that are made from facts.
//!
//! In: a folder of collected facts (`--facts ../shared/facts`), which is not
//! part of the repository. Out: the files under schema/, byte-identical for
//! the same facts. With `--check` nothing is written; a file that differs is
//! an error. What is written by hand under schema/ is never touched.

mod attack;
mod events;
#[cfg(test)]
mod sigma;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;

/// What to generate, and from where.
#[derive(Args)]
pub(crate) struct Arguments {
    /// What to generate; everything when left out.
    topics: Vec<Topic>,
    /// The folder of collected facts.
    #[arg(long, value_name = "DIR")]
    facts: PathBuf,
    /// The documentation's sample tables, as JSON; schema/tables/docs.txt is left alone without it.
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,
    /// Write nothing; fail when a file is not what would be written.
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Topic {
    /// schema/tables/*.txt
    Tables,
    /// schema/attack/*.json
    Attack,
    /// schema/events/map.yaml
    Events,
}

/// A file to be: its path relative to the repository, and its text.
struct Generated {
    path: &'static str,
    text: String,
}

/// Generates, and writes or compares.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let root = root();
    let mut stale = String::new();
    for file in generate(arguments)? {
        let path = root.join(file.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        if arguments.check {
            let _ = write!(stale, "\n  {}", file.path);
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::write(&path, file.text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("wrote {}", file.path);
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "these files are not what the facts give; run `cargo dev generate`:{stale}"
        ))
    }
}

fn generate(arguments: &Arguments) -> Result<Vec<Generated>, String> {
    let wanted = |topic| arguments.topics.is_empty() || arguments.topics.contains(&topic);
    let mut files = Vec::new();
    if wanted(Topic::Tables) {
        files.extend(tables::generate(&arguments.facts, arguments.docs.as_deref())?);
    }
    if wanted(Topic::Attack) {
        files.extend(attack::generate(&arguments.facts)?);
    }
    if wanted(Topic::Events) {
        files.extend(events::generate(&arguments.facts)?);
    }
    Ok(files)
}

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| at(&error))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| at(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_not_stale() {
        let facts = root().join("../shared/facts");
        if !facts.is_dir() {
            println!("skipped: there are no facts at ../shared/facts");
            return;
        }
        let arguments = Arguments {
            topics: Vec::new(),
            facts,
            docs: None,
            check: true,
        };
        run(&arguments).unwrap();
    }
}
