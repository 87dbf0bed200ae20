//! Says which compiler this is, so that what another one found out is not
//! taken from the cache.
//!
//! In: the sources that answers depend on. Out: `RULEC_SOURCES`, a number that
//! differs when any of them does.

// A build script has to look at files; the compiler itself only does so in the driver.
#![allow(clippy::disallowed_methods)]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("no manifest"))?;
    let root = PathBuf::from(manifest).join("../..").canonicalize()?;
    let mut inputs = vec![
        root.join("Cargo.lock"),
        root.join("schema"),
        root.join("templates"),
    ];
    for stage in fs::read_dir(root.join("compiler"))? {
        let stage = stage?.path();
        let name = stage.file_name().unwrap_or_default();
        // What prints answers, and what contributors use, decides none.
        if name != "cli" && name != "dev" {
            inputs.extend([stage.join("src"), stage.join("build.rs"), stage.join("pages")]);
        }
    }
    inputs.retain(|path| path.exists());
    inputs.sort();
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        println!("cargo::rerun-if-changed={}", input.display());
        add(&root, &input, &mut hasher)?;
    }
    println!("cargo::rustc-env=RULEC_SOURCES={:016x}", hasher.finish());
    Ok(())
}

fn add(root: &Path, path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<_>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add(root, entry, hasher));
    }
    let name = path.strip_prefix(root).unwrap_or(path);
    name.to_string_lossy().replace('\\', "/").hash(hasher);
    fs::read(path)?.hash(hasher);
    Ok(())
}
