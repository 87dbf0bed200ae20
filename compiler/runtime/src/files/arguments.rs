//! `--data` as people write it: `TABLE=PATH`, patterns, folders, names.
//!
//! In: what the command line says. Out: tables and their files, in an order
//! that depends on the names alone. Patterns are expanded here, because not
//! every shell does it, and none does behind `TABLE=`.

use std::path::{Path, PathBuf};

use super::Files;
use crate::error::{Code, RuntimeError};

/// The table that a name means, in the spelling of the catalog.
pub type Known<'k> = dyn Fn(&str) -> Option<String> + 'k;

/// How long a name must be to be recognised in the middle of another: `Event`
/// and `Usage` are tables, and words besides.
const LONG: usize = 9;

impl Files {
    /// Adds what one `--data` says: `TABLE=PATH`, or a path that is named after
    /// its table. A path may be a file, `-` for standard input, a pattern with
    /// `*`, `**`, `?` and `[…]`, or a folder, of which all files are taken, also
    /// those in folders below, but none whose name begins with `.` or `_`.
    pub fn add(&mut self, given: &str, known: &Known<'_>) -> Result<(), RuntimeError> {
        let (table, path) = split(given);
        let named = table.is_some();
        for file in expand(path)? {
            let table = match table {
                Some(table) => table.to_owned(),
                None => guess(&file, Path::new(path), known).ok_or_else(|| {
                    let shown = file.display();
                    usage(format!(
                        "{shown} is not named after a table; say --data TABLE={}",
                        if named {
                            path.into()
                        } else {
                            file.to_string_lossy()
                        }
                    ))
                })?,
            };
            self.add_path(table, file.to_string_lossy());
        }
        Ok(())
    }
}

fn usage(message: String) -> RuntimeError {
    RuntimeError::new(Code::USAGE, message)
}

/// The table and the path. What stands in front of `=` is a table unless it
/// looks like a path. The address of external data may hold `=` itself; then
/// the first `=` counts behind which there is a path that exists.
fn split(given: &str) -> (Option<&str>, &str) {
    if given.starts_with("externaldata:") {
        let places = given.match_indices('=').map(|(at, _)| at);
        let halves = |at: usize| (Some(&given[..at]), &given[at + 1..]);
        let mut fallback = None;
        for at in places {
            let (table, path) = halves(at);
            if path == "-" || Path::new(path).exists() || matches(path).is_ok_and(|found| !found.is_empty()) {
                return (table, path);
            }
            fallback = Some(at);
        }
        return fallback.map_or((None, given), halves);
    }
    match given.split_once('=') {
        Some((table, path)) if !table.contains(['/', '\\', '.']) || table.contains(':') => {
            (Some(table), path)
        }
        _ => (None, given),
    }
}

/// The files that a path means, sorted.
fn expand(path: &str) -> Result<Vec<PathBuf>, RuntimeError> {
    let literal = Path::new(path);
    if path == "-" || (literal.exists() && !literal.is_dir()) {
        return Ok(vec![literal.to_path_buf()]);
    }
    let mut files = Vec::new();
    if literal.is_dir() {
        walk(literal, &mut files)?;
        if files.is_empty() {
            return Err(usage(format!("{path} holds no files")));
        }
    } else if path.contains(['*', '?', '[']) {
        for found in matches(path)? {
            if found.is_dir() {
                walk(&found, &mut files)?;
            } else {
                files.push(found);
            }
        }
        if files.is_empty() {
            return Err(usage(format!("no file matches {path}")));
        }
    } else {
        let why = literal.metadata().err();
        let why = why.map_or_else(String::new, |error| format!(": {error}"));
        return Err(usage(format!("{path} cannot be opened{why}")));
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// What a pattern matches; never a name that begins with a dot.
fn matches(pattern: &str) -> Result<Vec<PathBuf>, RuntimeError> {
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let paths = glob::glob_with(pattern, options)
        .map_err(|error| usage(format!("{pattern} is not a pattern of paths: {}", error.msg)))?;
    paths
        .map(|path| {
            path.map_err(|error| {
                usage(format!(
                    "{} cannot be read: {}",
                    error.path().display(),
                    error.error()
                ))
            })
        })
        .collect()
}

/// Adds the files below a folder. Links to folders are not followed, as they
/// may lead in a circle.
#[allow(
    clippy::disallowed_methods,
    reason = "this module finds the files that a command line names"
)]
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), RuntimeError> {
    let unreadable = |error: std::io::Error| usage(format!("{} cannot be read: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_dir() {
            walk(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The table that a file is named after, or else a folder it is in, up to the
/// one that the command line names: `DeviceEvents-2026-01.json.gz`,
/// `DeviceEvents/2026/01/a.parquet`, `am-deviceevents/y=2026/PT05M.json`.
fn guess(file: &Path, given: &Path, known: &Known<'_>) -> Option<String> {
    let mut place = Some(file);
    while let Some(path) = place {
        if let Some(name) = path.file_name()
            && let Some(table) = table_in(&name.to_string_lossy(), known)
        {
            return Some(table);
        }
        if path == given {
            return None;
        }
        place = path.parent();
    }
    None
}

/// The table in a name: the longest that it begins with, else one in it.
fn table_in(name: &str, known: &Known<'_>) -> Option<String> {
    let breaks = || name.char_indices().filter(|(_, c)| !c.is_alphanumeric());
    let mut ends: Vec<usize> = breaks().map(|(at, _)| at).chain([name.len()]).collect();
    ends.reverse();
    let starts = std::iter::once(0).chain(breaks().map(|(at, c)| at + c.len_utf8()));
    starts.into_iter().find_map(|start| {
        let parts = ends.iter().filter_map(|end| name.get(start..*end));
        let mut parts = parts.filter(|part| start == 0 || part.len() >= LONG);
        parts.find_map(known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_paths() {
        for (given, table, path) in [
            ("T=a.json", Some("T"), "a.json"),
            ("watchlist:x=a=b.json", Some("watchlist:x"), "a=b.json"),
            ("logs/y=2026/a.json", None, "logs/y=2026/a.json"),
            ("T.json", None, "T.json"),
            (
                "externaldata:https://x.test/?a=b=c.csv",
                Some("externaldata:https://x.test/?a=b"),
                "c.csv",
            ),
            (
                "externaldata:https://x.test/?a=b=src/lib.rs",
                Some("externaldata:https://x.test/?a=b"),
                "src/lib.rs",
            ),
            (
                "externaldata:https://x.test/=-",
                Some("externaldata:https://x.test/"),
                "-",
            ),
        ] {
            assert_eq!(split(given), (table, path));
        }
    }

    #[test]
    fn names_of_tables() {
        let tables = [
            "DeviceEvents",
            "DeviceEventsOld",
            "Event",
            "Mine_CL",
            "SigninLogs",
        ];
        let known = |name: &str| {
            let found = tables.iter().find(|table| table.eq_ignore_ascii_case(name));
            found.map(|table| (*table).to_owned())
        };
        for (name, table) in [
            ("DeviceEvents.ndjson", Some("DeviceEvents")),
            ("DeviceEvents-2026-01-02.json.gz", Some("DeviceEvents")),
            ("DeviceEvents", Some("DeviceEvents")),
            ("DeviceEventsOld.csv", Some("DeviceEventsOld")),
            ("deviceevents_1.parquet", Some("DeviceEvents")),
            ("Mine_CL_1.json", Some("Mine_CL")),
            ("insights-logs-advancedhunting-deviceevents", Some("DeviceEvents")),
            ("20260102-SigninLogs.json", Some("SigninLogs")),
            ("last-event.json", None),
            ("Event.json", Some("Event")),
            ("export.json", None),
            ("DeviceEventsé.json", None),
        ] {
            assert_eq!(table_in(name, &known).as_deref(), table, "{name}");
        }
        let file = Path::new("logs/am-deviceevents/y=2026/PT05M.json");
        assert_eq!(
            guess(file, Path::new("logs"), &known).as_deref(),
            Some("DeviceEvents")
        );
        // Folders above what was given say nothing.
        assert_eq!(
            guess(file, Path::new("logs/am-deviceevents/y=2026"), &known),
            None
        );
    }
}
