//! Finding and reading files.

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use rulec_source::{Diagnostic, SourceFile};

use crate::{codes, output::slashes};

/// Documents above this size are refused: the largest rule document known is a
/// thousand times smaller.
pub const LIMIT: u64 = 16 * 1024 * 1024;

/// A file as read, with what is to be said when it could not be.
#[derive(Debug)]
pub struct Loaded {
    /// The file; its text is empty when it could not be read.
    pub file: SourceFile,
    /// Why it could not be read.
    pub problem: Option<Diagnostic>,
}

/// Which files below a folder are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Markdown, and files without extension that begin like markdown.
    Documents,
    /// KQL files and documents.
    Queries,
}

/// Extensions of files that hold one query and nothing else.
const QUERY_EXTENSIONS: &[&str] = &["kql", "kusto", "csl"];

/// Whether a file holds one query and nothing else, by its name.
pub fn is_query_file(path: &str) -> bool {
    let extension = Path::new(path)
        .extension()
        .map(std::ffi::OsStr::to_ascii_lowercase);
    extension.is_some_and(|e| QUERY_EXTENSIONS.iter().any(|known| e == *known))
}

/// Whether a text is a rule document, as opposed to a bare query.
pub fn is_document(file: &SourceFile) -> bool {
    if is_query_file(&file.path) {
        return false;
    }
    let extension = Path::new(&file.path)
        .extension()
        .map(std::ffi::OsStr::to_ascii_lowercase);
    let text = file.text.trim_start_matches('\u{feff}').trim_ascii_start();
    extension.is_some_and(|e| e == "md" || e == "markdown")
        // Front matter, a comment or a heading; no query begins like this, but
        // with `#connect` one may.
        || text.starts_with("---")
        || text.starts_with("<!--")
        || text.starts_with('#') && text.trim_start_matches('#').starts_with([' ', '\t'])
}

/// All files meant by `paths` (files, folders, `-`), each once, folders in
/// order of name. A path given by name is read whatever its extension.
pub fn load(root: &Path, paths: &[PathBuf], want: Want) -> Vec<Loaded> {
    let mut found: Vec<Found> = Vec::new();
    let mut loaded = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            loaded.push(stdin());
        } else if path.is_dir() {
            walk(path, &real(path), want, &mut found, &mut loaded, root, 0);
        } else {
            found.push(Found {
                path: path.clone(),
                real: real(path),
                named: true,
            });
        }
    }
    let mut seen = std::collections::HashSet::new();
    // The same file by another way (`./rules`, a link) is still one document.
    found.retain(|one| seen.insert(one.real.clone()));
    let read: Vec<Option<Loaded>> = found.par_iter().map(|found| read(root, found)).collect();
    loaded.extend(read.into_iter().flatten());
    loaded
}

/// A file to read.
struct Found {
    path: PathBuf,
    /// The same without links.
    real: PathBuf,
    /// Somebody named it, rather than its folder.
    named: bool,
}

/// A path without links; as it is when there is nothing there.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn walk(
    folder: &Path,
    // To ask for the real path of each file takes as long as to read it.
    without_links: &Path,
    want: Want,
    found: &mut Vec<Found>,
    loaded: &mut Vec<Loaded>,
    root: &Path,
    depth: usize,
) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, io::Error>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            loaded.push(unreadable(root, folder, &error));
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            // Deeper than any repository; a guard against mounts that contain themselves.
            if depth < 64 {
                let without_links = without_links.join(entry.file_name());
                walk(&path, &without_links, want, found, loaded, root, depth + 1);
            }
        } else if wanted(&path, want) && (kind.is_file() || fs::metadata(&path).is_ok_and(|m| m.is_file())) {
            found.push(Found {
                real: if kind.is_symlink() {
                    real(&path)
                } else {
                    without_links.join(entry.file_name())
                },
                path,
                named: false,
            });
        }
    }
}

fn wanted(path: &Path, want: Want) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("md" | "markdown") | None => true,
        Some(query) if QUERY_EXTENSIONS.contains(&query) => want == Want::Queries,
        Some(other) => {
            // A dot in an id is no extension: `0xFF-0508-…-AWS v1.2`.
            other.len() > 8 || other.contains(' ')
        }
    }
}

/// Reads one file. None when a file that was not named turns out to be no document.
fn read(root: &Path, found: &Found) -> Option<Loaded> {
    let Found { path, real, named } = found;
    let name = shown(root, path, real);
    let size = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) => return Some(unreadable(root, path, &error)),
    };
    if size > LIMIT {
        return Some(too_large(name));
    }
    // A device or a pipe says nothing of its length, and may have no end.
    let bytes = match fs::File::open(path).and_then(|file| limited(file, size)) {
        Ok(bytes) => bytes,
        Err(error) => return Some(unreadable(root, path, &error)),
    };
    let extensionless = path.extension().is_none();
    if extensionless && !*named && !bytes.trim_ascii_start().starts_with(b"#") {
        return None;
    }
    Some(decode(name, bytes))
}

/// At most one byte more than the limit; `size` says about how many there are.
fn limited(input: impl io::Read, size: u64) -> io::Result<Vec<u8>> {
    // One more, so that the end shows without more room.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(LIMIT)).unwrap_or_default() + 1);
    input.take(LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn too_large(name: String) -> Loaded {
    let problem = Diagnostic::new(
        codes::TOO_LARGE,
        format!("{name} has more than {LIMIT} bytes, and no rule document is that long"),
    );
    Loaded {
        problem: Some(problem.help("is this another kind of file?")),
        file: SourceFile::new(name, ""),
    }
}

fn stdin() -> Loaded {
    match limited(io::stdin(), 0) {
        Ok(bytes) => decode("<stdin>".to_owned(), bytes),
        Err(error) => Loaded {
            problem: Some(Diagnostic::new(
                codes::UNREADABLE,
                format!("standard input cannot be read: {error}"),
            )),
            file: SourceFile::new("<stdin>", ""),
        },
    }
}

fn decode(name: String, bytes: Vec<u8>) -> Loaded {
    if bytes.len() as u64 > LIMIT {
        return too_large(name);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Loaded {
            file: SourceFile::new(name, text),
            problem: None,
        },
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let problem = Diagnostic::new(
                codes::NOT_UTF8,
                format!(
                    "{name} is not UTF-8: byte {at} ({:#04x}) begins no character",
                    bytes[at]
                ),
            )
            .at(rulec_source::Span::new(at, at + '\u{fffd}'.len_utf8()))
            .help("save the document as UTF-8");
            Loaded {
                file: SourceFile::new(name, text),
                problem: Some(problem),
            }
        }
    }
}

fn unreadable(root: &Path, path: &Path, error: &io::Error) -> Loaded {
    let name = display(root, path);
    let mut problem = Diagnostic::new(codes::UNREADABLE, format!("{name} cannot be read: {error}"));
    if error.kind() == io::ErrorKind::NotFound {
        problem = problem.help(
            "name documents or folders, or say where the rules are: `rules` under [repository] in rulec.toml",
        );
    }
    Loaded {
        problem: Some(problem),
        file: SourceFile::new(name, ""),
    }
}

/// A path as findings and artifacts show it: relative to the repository, with `/`.
pub fn display(root: &Path, path: &Path) -> String {
    shown(root, path, &real(path))
}

fn shown(root: &Path, path: &Path, real: &Path) -> String {
    match real.strip_prefix(root) {
        Ok(relative) => slashes(relative),
        Err(_) => path.to_string_lossy().replace('\\', "/"),
    }
}
