//! Another state of a repository: a revision in git, or a folder.
//!
//! git is the binary, called with arguments of their own and never through a
//! shell; nothing is written to the repository, and no hook or filter runs.

use std::{
    fs,
    io::{Seek as _, Write as _},
    path::{Component, Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    cache::Cache,
    load::{Loaded, Want, display, load},
    pipeline::Pipeline,
};

/// Files larger than this are no rule, no data and no template.
const LIMIT: u64 = 16 << 20;

/// Rules as they were.
pub(crate) struct Former {
    /// With the configuration and data of then; none when they are today's.
    pub(crate) pipeline: Option<Pipeline>,
    pub(crate) loaded: Vec<Loaded>,
    /// Documents are told apart from today's by this much of their path.
    pub(crate) prefix: String,
    /// Holds the files for as long as somebody may read them.
    pub(crate) files: Option<TempDir>,
}

/// Finds the state that `name` means: a folder if there is one, else a revision.
pub(crate) fn former(pipeline: &Pipeline, name: &str) -> Result<Former, String> {
    let folder = Path::new(name);
    if folder.is_dir() {
        return of_folder(pipeline, folder);
    }
    of_revision(pipeline, name)
}

fn of_folder(pipeline: &Pipeline, folder: &Path) -> Result<Former, String> {
    if folder.join("rulec.toml").is_file() {
        let then = open(folder)?;
        return Ok(Former {
            loaded: load(&then.repository.root, &then.paths(&[]), Want::Documents),
            pipeline: Some(then),
            prefix: String::new(),
            files: None,
        });
    }
    let root = &pipeline.repository.root;
    Ok(Former {
        loaded: load(root, &[folder.to_path_buf()], Want::Documents),
        pipeline: None,
        prefix: format!("{}/", display(root, folder).trim_end_matches('/')),
        files: None,
    })
}

fn open(root: &Path) -> Result<Pipeline, String> {
    let config = root.join("rulec.toml");
    let mut then = Pipeline::open(root, Some(&config))
        .map_err(|refused| format!("{}, as it was: {}", refused.file.path, refused.diagnostic.message))?;
    then.cache = Cache::off();
    Ok(then)
}

/// A file of a revision.
struct Blob {
    id: String,
    path: String,
}

fn of_revision(pipeline: &Pipeline, name: &str) -> Result<Former, String> {
    let root = &pipeline.repository.root;
    if name.is_empty() || name.starts_with('-') || name.contains(['\0', '\n']) {
        return Err(format!("`{name}` is no revision"));
    }
    let inside = git(root, &["rev-parse", "--is-inside-work-tree"]).map_err(|error| match error {
        Failed::NoGit(error) => format!("git cannot be run: {error}; name a folder instead of a revision"),
        Failed::Said(_) => {
            format!(
                "`{name}` is no folder, and {} is in no git repository",
                root.display()
            )
        }
    })?;
    if inside.trim_ascii() != b"true" {
        return Err(format!("{} is in no work tree of git", root.display()));
    }
    let commit = format!("{name}^{{commit}}");
    let commit = git(
        root,
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit],
    )
    .map_err(|_| format!("`{name}` is neither a folder nor a revision that git knows"))?;
    // `--end-of-options` is told back by some versions of git.
    let commit = String::from_utf8_lossy(&commit);
    let commit = commit.split_whitespace().last().unwrap_or_default().to_owned();
    let blobs = tree(root, &commit)?;
    let files = tempfile::tempdir().map_err(|e| format!("a folder for the revision cannot be made: {e}"))?;
    let settings = |blob: &&Blob| {
        blob.path == "rulec.toml" || blob.path.starts_with("schema/") || blob.path.starts_with("templates/")
    };
    if !blobs.iter().any(|blob| blob.path == "rulec.toml") {
        write(files.path(), "rulec.toml", b"")?;
    }
    extract(root, files.path(), blobs.iter().filter(settings))?;
    let then = open(files.path())?;
    let wanted: Vec<String> = then
        .repository
        .config
        .repository
        .rules
        .iter()
        .map(|path| path.trim_start_matches("./").trim_end_matches('/').to_owned())
        .collect();
    let rules = |blob: &&Blob| wanted.iter().any(|folder| under(&blob.path, folder)) && !settings(blob);
    extract(root, files.path(), blobs.iter().filter(rules))?;
    let paths: Vec<PathBuf> = then.paths(&[]).into_iter().filter(|path| path.exists()).collect();
    Ok(Former {
        loaded: load(&then.repository.root, &paths, Want::Documents),
        pipeline: Some(then),
        prefix: String::new(),
        files: Some(files),
    })
}

/// Whether a path is a folder or below it.
pub(crate) fn under(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || folder == "."
        || path == folder
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

enum Failed {
    NoGit(std::io::Error),
    Said(String),
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(root)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    command
}

fn git(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, Failed> {
    let output = command(root, arguments).output().map_err(Failed::NoGit)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failed::Said(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ))
    }
}

fn say(failed: Failed) -> String {
    match failed {
        Failed::NoGit(error) => format!("git cannot be run: {error}"),
        Failed::Said(said) => format!("git says: {said}"),
    }
}

/// The plain files of a commit below the repository's root, relative to it.
fn tree(root: &Path, commit: &str) -> Result<Vec<Blob>, String> {
    let listing = git(root, &["ls-tree", "-r", "-z", "--long", commit]).map_err(say)?;
    let mut found = Vec::new();
    for entry in listing.split(|byte| *byte == 0) {
        let Ok(entry) = std::str::from_utf8(entry) else {
            continue;
        };
        let Some((head, path)) = entry.split_once('\t') else {
            continue;
        };
        let words: Vec<&str> = head.split_whitespace().collect();
        let [mode, "blob", id, size] = words.as_slice() else {
            continue;
        };
        // Links may point anywhere.
        let plain = mode.starts_with("100") && size.parse().is_ok_and(|size: u64| size <= LIMIT);
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if plain && inside {
            found.push(Blob {
                id: (*id).to_owned(),
                path: path.to_owned(),
            });
        }
    }
    Ok(found)
}

/// Writes files of a revision below a folder.
fn extract<'b>(root: &Path, out: &Path, blobs: impl Iterator<Item = &'b Blob>) -> Result<(), String> {
    let blobs: Vec<&Blob> = blobs.collect();
    if blobs.is_empty() {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("files of the revision cannot be read: {error}");
    // A file, not a pipe: git may answer before all is asked.
    let mut asked = tempfile::tempfile().map_err(failed)?;
    for blob in &blobs {
        writeln!(asked, "{}", blob.id).map_err(failed)?;
    }
    asked.rewind().map_err(failed)?;
    let output = command(root, &["cat-file", "--batch"])
        .stdin(Stdio::from(asked))
        .output()
        .map_err(failed)?;
    let mut rest = output.stdout.as_slice();
    for blob in blobs {
        let (head, body) = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|end| (&rest[..end], &rest[end + 1..]))
            .ok_or_else(|| format!("git gives no content of {}", blob.path))?;
        let size: usize = String::from_utf8_lossy(head)
            .split_whitespace()
            .nth(2)
            .and_then(|size| size.parse().ok())
            .filter(|size| *size < body.len())
            .ok_or_else(|| format!("git gives no content of {}", blob.path))?;
        write(out, &blob.path, &body[..size])?;
        rest = &body[size + 1..];
    }
    Ok(())
}

fn write(out: &Path, path: &str, bytes: &[u8]) -> Result<(), String> {
    let full = out.join(path);
    let failed = |error: std::io::Error| format!("{path} of the revision cannot be kept: {error}");
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(&full, bytes).map_err(failed)
}
