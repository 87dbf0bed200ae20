//! Lists the sources that emitted Rust packages carry with them.
//!
//! In: compiler/functions, compiler/runtime, and the workspace's manifest and
//! lock file. Out: `vendor.rs` in the build directory: a sorted array of
//! `(path below vendor/, text)` and the texts of the manifests. Nothing is
//! parsed here.

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
    for stage in ["functions", "runtime"] {
        let source = root.join("compiler").join(stage).join("src");
        println!("cargo::rerun-if-changed={}", source.display());
        walk(&source, &format!("rulec-{stage}/src"), &mut files)?;
    }
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        files.push((licence.to_owned(), root.join(licence)));
    }
    files.sort();

    let text = |path: &Path| {
        println!("cargo::rerun-if-changed={}", path.display());
        format!("include_str!({:?})", path.display().to_string())
    };
    let mut code = String::from("pub(super) static FILES: &[(&str, &str)] = &[\n");
    for (path, file) in &files {
        writeln!(code, "    ({path:?}, {}),", text(file)).map_err(io::Error::other)?;
    }
    code.push_str("];\n");
    for (name, path) in [
        ("WORKSPACE", "Cargo.toml"),
        ("LOCK", "Cargo.lock"),
        ("FUNCTIONS", "compiler/functions/Cargo.toml"),
        ("RUNTIME", "compiler/runtime/Cargo.toml"),
    ] {
        writeln!(
            code,
            "pub(super) static {name}: &str = {};",
            text(&root.join(path))
        )
        .map_err(io::Error::other)?;
    }
    fs::write(variable("OUT_DIR")?.join("vendor.rs"), code)
}

/// Adds the Rust files below `folder`, and the tables they include, as (path below vendor/, path on disk).
fn walk(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{name}/{file}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &name, files)?;
        } else if Path::new(&file)
            .extension()
            .is_some_and(|extension| extension == "rs" || extension == "tsv")
        {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}
