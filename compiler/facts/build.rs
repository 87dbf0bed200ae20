//! Lists every file under schema/ and templates/ so that they can be embedded.
//!
//! In: the two folders at the top of the repository. Out: `pack.rs` in the
//! build directory, a sorted array of `(path, bytes)`. Nothing is parsed here:
//! a wrong file is reported by the code that reads it, with path and line.

// A build script has to look at files; the compiler itself never does.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or_else(|| io::Error::other(format!("{name} is not set")))
    };
    let root = variable("CARGO_MANIFEST_DIR")?.join("../..").canonicalize()?;
    let mut files = Vec::new();
    for folder in ["schema", "templates"] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        walk(&root.join(folder), folder, &mut files)?;
    }
    files.sort();

    let mut code = String::from("&[\n");
    for (path, file) in &files {
        writeln!(
            code,
            "    ({path:?}, include_bytes!({:?})),",
            file.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(variable("OUT_DIR")?.join("pack.rs"), code)
}

/// Adds the files below `folder`, hidden ones left out, as (path in the repository, path on disk).
fn walk(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.starts_with('.') {
            continue;
        }
        let name = format!("{name}/{file}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &name, files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}
