//! Lists every file under schema/ and templates/ so that they can be embedded.
//!
//! In: the two folders at the top of the repository. Out: `pack.rs` in the
//! build directory, a sorted array of `(path, text, json)`, where `json` is a
//! YAML file's content in the form that is read fastest, so that no command
//! parses YAML before it begins. A YAML file that cannot be understood has no
//! such form and fails no build: it is reported by the code that reads it,
//! with path and line.

// A build script has to look at files; the compiler itself never does.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde_yaml::Value;

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
        let json = json(path, &fs::read(file)?);
        writeln!(
            code,
            "    ({path:?}, include_str!({:?}), {json:?}),",
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

/// A YAML file as JSON; None for other files, and for what JSON cannot say.
fn json(path: &str, bytes: &[u8]) -> Option<String> {
    let extension = path.rsplit('.').next()?;
    if !path.starts_with("schema/") || !matches!(extension, "yaml" | "yml") {
        return None;
    }
    let mut json = String::new();
    write_json(&serde_yaml::from_slice(bytes).ok()?, &mut json)?;
    Some(json)
}

fn write_json(value: &Value, json: &mut String) -> Option<()> {
    match value {
        Value::Null => json.push_str("null"),
        Value::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) if number.is_f64() && !number.is_finite() => return None,
        Value::Number(number) => json.push_str(&number.to_string()),
        Value::String(text) => write_string(text, json),
        Value::Sequence(items) => {
            json.push('[');
            for (place, item) in items.iter().enumerate() {
                json.push_str(if place == 0 { "" } else { "," });
                write_json(item, json)?;
            }
            json.push(']');
        }
        Value::Mapping(pairs) => {
            json.push('{');
            for (place, (key, item)) in pairs.iter().enumerate() {
                json.push_str(if place == 0 { "" } else { "," });
                match key {
                    Value::String(text) => write_string(text, json),
                    Value::Number(number) if !number.is_f64() => write_string(&number.to_string(), json),
                    _ => return None,
                }
                json.push(':');
                write_json(item, json)?;
            }
            json.push('}');
        }
        Value::Tagged(_) => return None,
    }
    Some(())
}

fn write_string(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}
