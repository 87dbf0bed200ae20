//! Where events come from: the arguments of `--data` and `--now`.
//!
//! In: what the command line says. Out: tables by name, as the runtime reads
//! them, and the time that `now()` gives.

use std::{
    io,
    path::{Path, PathBuf},
};

use rulec_runtime::files::Files;

/// Where events come from, as the command line says it.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// `TABLE=PATH`, or a path named after its table.
    pub data: Vec<String>,
    /// What `now()` gives.
    pub now: Option<String>,
    /// Skip lines that cannot be read.
    pub lenient: bool,
    /// Memory for operators, in megabytes.
    pub memory: u64,
}

/// The tables that the command line gives. A path without a table is named
/// after its table, which must be `known`.
pub fn files(input: &Input, known: impl Fn(&str) -> bool) -> Result<Files, String> {
    let mut files = Files::new().lenient(input.lenient);
    for given in &input.data {
        let (table, path) = match given.split_once('=') {
            Some((table, path)) if !table.contains(['/', '\\', '.']) || table.contains(':') => {
                (Some(table), Path::new(path))
            }
            _ => (None, Path::new(given.as_str())),
        };
        for file in expand(path)? {
            let name = match table {
                Some(table) => table.to_owned(),
                None => guess(&file, &known).ok_or_else(|| {
                    format!(
                        "{} is not named after a table; say --data TABLE={}",
                        file.display(),
                        file.display()
                    )
                })?,
            };
            files.add_path(name, file.to_string_lossy());
        }
    }
    Ok(files)
}

/// A file, or the files of a folder in order of name.
fn expand(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let unreadable = |e: io::Error| format!("{} cannot be read: {e}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    if files.is_empty() {
        return Err(format!("{} holds no files", path.display()));
    }
    files.sort();
    Ok(files)
}

/// The table a file is named after: `DeviceEvents.ndjson`, `DeviceEvents-2026-01.json`.
fn guess(path: &Path, known: &impl Fn(&str) -> bool) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let ends = name
        .char_indices()
        .filter(|(_, c)| !c.is_alphanumeric())
        .map(|(i, _)| i);
    let mut candidates: Vec<&str> = ends.map(|end| &name[..end]).chain([name.as_str()]).collect();
    candidates.reverse();
    candidates.into_iter().find(|c| known(c)).map(str::to_owned)
}

/// `--now`, else the clock.
pub fn now(input: &Input) -> Result<i64, String> {
    match &input.now {
        Some(text) => rulec_functions::text::parse_datetime(text)
            .ok_or_else(|| format!("`{text}` is not a time such as 2026-01-31T12:00:00Z")),
        None => Ok(rulec_runtime::cli::clock()),
    }
}
