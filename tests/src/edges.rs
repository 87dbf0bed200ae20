//! The crate edges that compiler/README.md allows, and no others.

use std::{collections::BTreeMap, process::Command};

/// For each crate the crates of this repository it may depend on, as in the
/// table of compiler/README.md.
fn allowed() -> BTreeMap<String, Vec<String>> {
    let readme = include_str!("../../compiler/README.md");
    readme
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(" | `"))
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let name = cells.get(1)?.trim_matches('`').to_owned();
            let may = cells.last()?.trim_matches(|c| c == '|' || c == ' ');
            Some((name, may.split(", ").map(str::to_owned).collect()))
        })
        .collect()
}

#[test]
fn dependencies_point_up_the_table_only() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &str| match name {
        "rulec" => Some("cli".to_owned()),
        _ => name.strip_prefix("rulec-").map(str::to_owned),
    };
    let allowed = allowed();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let Some(name) = short(package["name"].as_str().unwrap()) else {
            continue;
        };
        if name == "tests" {
            continue;
        }
        let may = allowed
            .get(&name)
            .unwrap_or_else(|| panic!("compiler/README.md has no row for `{name}`"));
        seen += 1;
        for dependency in package["dependencies"].as_array().unwrap() {
            // Tests of a stage may look at what comes after it.
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            let Some(on) = short(dependency["name"].as_str().unwrap()) else {
                continue;
            };
            let fine = may.iter().any(|m| *m == on || m == "all" || m == "all above");
            assert!(
                fine,
                "`{name}` must not depend on `{on}`: compiler/README.md allows {may:?}"
            );
        }
    }
    assert_eq!(
        seen,
        allowed.len(),
        "compiler/README.md has rows for crates that do not exist"
    );
}

/// The modules that may do what the compiler cannot check, each with its reason at its top.
const UNCHECKED: [&str; 3] = [
    "compiler/runtime/src/files/mapped.rs",
    "compiler/runtime/src/scan/lanes.rs",
    "compiler/runtime/src/scan/tails.rs",
];

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "it looks at the sources of this repository"
)]
fn what_the_compiler_cannot_check_is_in_three_modules() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut todo = vec![root.join("compiler")];
    let mut found = Vec::new();
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && std::fs::read_to_string(&path).unwrap().contains("unsafe_code")
            {
                let path = path.strip_prefix(&root).unwrap().to_string_lossy();
                found.push(path.replace('\\', "/"));
            }
        }
    }
    found.sort();
    assert_eq!(found, UNCHECKED);
}
