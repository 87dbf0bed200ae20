//! The output that README.md shows is real: each `$ rulec …` of its console
//! blocks is run, in tests/cases/readme, and compared. `UPDATE=1` rewrites it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test reads the page it is about.

use std::{fs, path::Path, process::Command};

#[test]
fn the_readme_shows_what_the_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let mut rewritten = String::new();
    let mut commands = 0;
    let mut lines = readme.lines().peekable();
    while let Some(line) = lines.next() {
        rewritten.push_str(line);
        rewritten.push('\n');
        if line != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            // What was printed is replaced by what is.
            let Some(command) = line.strip_prefix("$ rulec ") else {
                continue;
            };
            commands += 1;
            rewritten.push_str(line);
            rewritten.push('\n');
            rewritten.push_str(&output(&root, command));
        }
    }
    assert!(commands > 3, "the README shows no commands");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &rewritten).unwrap();
    } else if readme != rewritten {
        let diff = similar::TextDiff::from_lines(&readme, &rewritten);
        panic!("{}", diff.unified_diff().header("README.md", "what is printed"));
    }
}

/// What a command prints: data, then findings.
fn output(root: &Path, command: &str) -> String {
    let words = words(command);
    let out = tempfile::tempdir().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_rulec"));
    run.args(&words)
        .current_dir(root.join("tests/cases/readme"))
        .env("NO_COLOR", "1")
        .env_remove("CI");
    // The page shows the default folder.
    let folder = match words.first().map(String::as_str) {
        Some("build") => "dist",
        Some("catalog") => "site",
        _ => "",
    };
    if !folder.is_empty() {
        run.arg("--out").arg(out.path());
    }
    let output = run.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(printed)
        .unwrap()
        .replace(&*out.path().to_string_lossy(), folder);
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// Words of a command line, where single quotes keep blanks.
fn words(command: &str) -> Vec<String> {
    command
        .split('\'')
        .enumerate()
        .flat_map(|(i, part)| {
            if i % 2 == 1 {
                vec![part.to_owned()]
            } else {
                part.split_whitespace().map(str::to_owned).collect()
            }
        })
        .collect()
}
