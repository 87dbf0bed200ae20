//! What an emitted package carries with it: the sources of the runtime and the
//! functions, their manifests, and the lock file.
//!
//! In: nothing; everything was put into the binary when it was built. Out:
//! files below `vendor/`, and `Cargo.lock`. Manifests are written anew,
//! because the workspace they inherit from stays behind, and the lock file
//! lists only what the package reaches, or cargo would want to change it.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/vendor.rs"));
}

/// The packages of ours that emitted Rust links.
const OURS: [(&str, &str); 2] = [
    ("rulec-functions", embedded::FUNCTIONS),
    ("rulec-runtime", embedded::RUNTIME),
];

/// The files below `vendor/`, sorted by path.
pub(super) fn files() -> Result<Vec<(String, String)>, String> {
    let mut files = embedded::FILES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.replace("\r\n", "\n")))
        .collect::<Vec<_>>();
    for (name, manifest) in OURS {
        files.push((format!("{name}/Cargo.toml"), self::manifest(manifest)?));
    }
    files.sort();
    Ok(files)
}

fn parse(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| error.to_string())
}

fn table<'t>(table: &'t Table, key: &str) -> Result<&'t Table, String> {
    table
        .get(key)
        .and_then(Value::as_table)
        .ok_or_else(|| format!("the manifest has no `[{key}]`"))
}

/// What the workspace says of all packages: `edition`, `rust-version`, ….
pub(super) fn workspace(key: &str) -> Result<String, String> {
    let root = parse(embedded::WORKSPACE)?;
    let package = table(table(&root, "workspace")?, "package")?;
    package
        .get(key)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| format!("the workspace says nothing of `{key}`"))
}

/// A manifest without what it inherits, lints and development.
fn manifest(text: &str) -> Result<String, String> {
    let root = parse(embedded::WORKSPACE)?;
    let shared = table(table(&root, "workspace")?, "dependencies")?;
    let manifest = parse(text)?;
    let mut out = String::from("[package]\n");
    for (key, value) in table(&manifest, "package")? {
        match value {
            Value::Table(_) if key == "publish" => out.push_str("publish = false\n"),
            Value::Table(_) => out.push_str(&format!("{key} = {}\n", inline(&workspace(key)?.into()))),
            value => out.push_str(&format!("{key} = {}\n", inline(value))),
        }
    }
    out.push_str("\n[dependencies]\n");
    for (name, value) in table(&manifest, "dependencies")? {
        if OURS.iter().any(|(ours, _)| ours == name) {
            out.push_str(&format!("{name} = {{ path = \"../{name}\" }}\n"));
            continue;
        }
        let inherits = value.get("workspace").is_some();
        let value = if inherits {
            shared.get(name).unwrap_or(value)
        } else {
            value
        };
        out.push_str(&format!("{name} = {}\n", inline(value)));
    }
    Ok(out)
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.escape_default()),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Boolean(b) => b.to_string(),
        Value::Integer(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Datetime(_) => String::new(),
    }
}

/// Dependencies that only other packages of the workspace switch on. Which
/// features a package has does not stand in a lock file; a test asks cargo
/// whether this list is right.
const SWITCHED_OFF: [(&str, &str); 6] = [
    ("getrandom", "js-sys"),
    ("getrandom", "wasm-bindgen"),
    ("hashbrown", "allocator-api2"),
    ("hashbrown", "equivalent"),
    ("hashbrown", "foldhash"),
    ("num-traits", "libm"),
];

/// One entry of a lock file.
#[derive(Debug, Default)]
struct Locked<'l> {
    name: &'l str,
    version: &'l str,
    /// The lines that are neither name nor version nor dependencies.
    rest: Vec<&'l str>,
    /// Names, with the version where there are several.
    dependencies: Vec<&'l str>,
}

fn locked(text: &str) -> Vec<Locked<'_>> {
    let unquoted = |value: &'_ str| value.trim_end_matches(',').trim_matches('"').len();
    let mut entries = Vec::new();
    for section in text.split("[[package]]").skip(1) {
        let mut entry = Locked::default();
        let mut within = false;
        for line in section.lines() {
            let quoted = |line: &'_ str| {
                let start = line.find('"').map_or(0, |at| at + 1);
                start..start + unquoted(&line[start..])
            };
            if within {
                within = line != "]";
                if within {
                    entry.dependencies.push(&line[quoted(line)]);
                }
            } else if line.starts_with("name = ") {
                entry.name = &line[quoted(line)];
            } else if line.starts_with("version = ") {
                entry.version = &line[quoted(line)];
            } else if line.starts_with("dependencies = [") {
                within = true;
            } else if !line.is_empty() {
                entry.rest.push(line);
            }
        }
        entries.push(entry);
    }
    entries
}

/// The lock file of a package called `name` that depends on what is ours.
pub(super) fn lock(name: &str, version: &str) -> Result<String, String> {
    let text = embedded::LOCK.replace("\r\n", "\n");
    let entries = locked(&text);
    let find = |dependency: &str| {
        let (name, version) = dependency.split_once(' ').unwrap_or((dependency, ""));
        entries
            .iter()
            .find(|entry| entry.name == name && (version.is_empty() || entry.version == version))
    };
    // Dependencies for development stand in the lock file, too.
    let mut direct = BTreeMap::new();
    for (ours, manifest) in OURS {
        let manifest = parse(manifest)?;
        let names = table(&manifest, "dependencies")?
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>();
        direct.insert(ours, names);
    }
    let wanted = |entry: &Locked<'_>, dependency: &str| {
        let name = dependency.split(' ').next().unwrap_or_default();
        direct.get(entry.name).is_none_or(|names| names.contains(name))
            && !SWITCHED_OFF.contains(&(entry.name, name))
    };
    let mut reached = BTreeMap::new();
    let mut todo: Vec<&str> = OURS.iter().map(|(name, _)| *name).collect();
    while let Some(next) = todo.pop() {
        let entry = find(next).ok_or_else(|| format!("the lock file has no `{next}`"))?;
        if reached.insert((entry.name, entry.version), entry).is_none() {
            todo.extend(
                entry
                    .dependencies
                    .iter()
                    .filter(|dependency| wanted(entry, dependency)),
            );
        }
    }
    let several = |name: &str| reached.keys().filter(|(other, _)| *other == name).count() > 1;
    let mut written = BTreeMap::new();
    for ((name, version), entry) in &reached {
        let mut dependencies = Vec::new();
        for dependency in entry
            .dependencies
            .iter()
            .filter(|dependency| wanted(entry, dependency))
        {
            let found = find(dependency).ok_or_else(|| format!("the lock file has no `{dependency}`"))?;
            dependencies.push(if several(found.name) {
                format!("{} {}", found.name, found.version)
            } else {
                found.name.to_owned()
            });
        }
        written.insert(
            (*name, *version),
            section(name, version, &entry.rest, &dependencies),
        );
    }
    let dependencies = OURS.map(|(name, _)| name.to_owned());
    written.insert((name, version), section(name, version, &[], &dependencies));
    let head = text.split("[[package]]").next().unwrap_or_default();
    let sections = written.into_values().collect::<Vec<_>>();
    Ok(format!("{head}{}", sections.join("\n")))
}

fn section(name: &str, version: &str, rest: &[&str], dependencies: &[String]) -> String {
    let mut text = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    for line in rest {
        text.push_str(line);
        text.push('\n');
    }
    if !dependencies.is_empty() {
        text.push_str("dependencies = [\n");
        for dependency in dependencies {
            text.push_str(&format!(" \"{dependency}\",\n"));
        }
        text.push_str("]\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_stand_alone() {
        let files = files().unwrap();
        assert!(files.is_sorted_by(|a, b| a.0 < b.0));
        for name in ["rulec-functions", "rulec-runtime"] {
            let path = format!("{name}/Cargo.toml");
            let (_, text) = files.iter().find(|(other, _)| *other == path).unwrap();
            assert!(!text.contains("workspace"), "{text}");
            assert!(text.parse::<Table>().is_ok());
            assert!(
                files
                    .iter()
                    .any(|(path, _)| *path == format!("{name}/src/lib.rs"))
            );
        }
    }

    #[test]
    fn the_lock_file_has_what_is_reached_and_no_more() {
        let lock = lock("rules", "0.1.0").unwrap();
        let entries = locked(&lock);
        let names = entries.iter().map(|entry| entry.name).collect::<Vec<_>>();
        assert!(names.is_sorted(), "{names:?}");
        assert!(names.contains(&"regex-syntax") && names.contains(&"rules"));
        assert!(!names.contains(&"proptest") && !names.contains(&"clap"));
        for entry in &entries {
            for dependency in &entry.dependencies {
                let name = dependency.split(' ').next().unwrap();
                assert!(names.contains(&name), "{dependency}");
            }
        }
    }
}
