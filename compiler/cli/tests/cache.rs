//! What was found out before is never told when it no longer holds.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::{err, out, rulec};

/// A repository with a few rules, and a folder for what is kept.
struct Home {
    folder: tempfile::TempDir,
    kept: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            kept: tempfile::tempdir().unwrap(),
        };
        for number in 1..=5 {
            home.write(
                &format!("rules/T-{number}.md"),
                &rule(number, "DeviceEvents | where ActionType == 'a'"),
            );
        }
        home.write(
            "rules/wrong.md",
            &rule(
                6,
                "DeviceEvents | where Nothing == 'a' | project parsejson(ActionType)",
            ),
        );
        home.write("rules/strange.md", &rule(7, "OwnTable | where Name == 'a'"));
        home
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulec"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("CI")
            .env_remove("RULEC_CONFIG")
            .env_remove("RULEC_NO_CACHE")
            .env("XDG_CACHE_HOME", self.kept.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn rulec(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What `check` says, which has to be what it says without a cache, in all formats.
    fn check(&self) -> String {
        for format in ["json", "text"] {
            let arguments = ["check", "--format", format];
            let expected = rulec(self.folder.path(), &arguments);
            for round in ["first", "second"] {
                let got = self.rulec(&arguments);
                assert_eq!(out(&got), out(&expected), "{round} {format}");
                assert_eq!(err(&got), err(&expected), "{round} {format}");
                assert_eq!(got.status, expected.status, "{round} {format}");
            }
        }
        out(&self.rulec(&["check", "--format", "json"]))
    }

    /// What `build` says and writes, which has to be the same without a cache.
    fn build(&self, arguments: &[&str]) -> Vec<u8> {
        let dist = self.folder.path().join("dist");
        let said = |output: &Output| {
            let mut said = format!("{:?}\n{}\n{}", output.status, out(output), err(output)).into_bytes();
            for path in files(&dist) {
                said.extend(path.to_string_lossy().bytes());
                said.extend(fs::read(path).unwrap());
            }
            fs::remove_dir_all(&dist).unwrap();
            said
        };
        let all = [&["build", "--out", "dist"], arguments].concat();
        let expected = said(&rulec(self.folder.path(), &all));
        for round in ["first", "second"] {
            let got = said(&self.rulec(&all));
            assert!(
                got == expected,
                "{round}: {}",
                String::from_utf8_lossy(&got)
                    .chars()
                    .take(2000)
                    .collect::<String>()
            );
        }
        expected
    }

    fn files(&self) -> Vec<PathBuf> {
        files(self.kept.path())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rule(number: usize, query: &str) -> String {
    format!(
        "# Rule {number}\n\n## Metadata\n**ID:** T-{number}\n\n**OS:** Windows\n\n## Detection\n\n\
         **Query:**\n```kql\n{query}\n```\n"
    )
}

#[test]
fn every_input_counts() {
    let home = Home::new();
    let mut before = home.check();
    assert!(before.contains("RK201") && before.contains("RL009"), "{before}");
    let plain = before.clone();
    let mut changed = |what: &str, home: &Home| {
        let now = home.check();
        assert_ne!(now, before, "{what} changed nothing");
        before = now;
    };
    home.write("rules/T-1.md", &rule(1, "DeviceEvents | where ActionTyp == 'a'"));
    changed("a document", &home);
    home.write("rulec.toml", "[lints]\ndeprecated-function = \"error\"\n");
    changed("rulec.toml", &home);
    home.write("rulec.toml", "[check]\nenvironment = \"sentinel\"\n");
    changed("the environment", &home);
    home.write(
        "schema/tables/mine.yaml",
        "tables: [{name: OwnTable, columns: {Name: string}}]\n",
    );
    changed("a table", &home);
    home.write(
        "schema/tables/mine.yaml",
        "tables: [{name: OwnTable, columns: {Title: string}}]\n",
    );
    changed("a column", &home);
    home.write("schema/read/mine.yaml", "metadata: {id: [Kennung]}\n");
    home.write(
        "rules/T-2.md",
        &rule(99, "DeviceEvents").replace("**ID:**", "**Kennung:**"),
    );
    home.write("rules/T-3.md", &rule(99, "DeviceEvents"));
    changed("the way documents are read", &home);
    home.remove("schema/read/mine.yaml");
    changed("the way back", &home);
    for path in ["rulec.toml", "schema/tables/mine.yaml"] {
        home.remove(path);
    }
    for number in 1..=3 {
        home.write(
            &format!("rules/T-{number}.md"),
            &rule(number, "DeviceEvents | where ActionType == 'a'"),
        );
    }
    changed("everything as it was", &home);
    assert_eq!(before, plain);
}

#[test]
fn every_input_of_a_build_counts() {
    let home = Home::new();
    let targets = &["--target", "sentinel,sigma"];
    let mut before = home.build(targets);
    let plain = before.clone();
    let mut changed = |what: &str, home: &Home| {
        let now = home.build(targets);
        assert!(now != before, "{what} changed nothing");
        before = now;
    };
    home.write("rules/T-1.md", &rule(1, "DeviceEvents | where ActionType == 'b'"));
    changed("a document", &home);
    home.write("rulec.toml", "[defaults]\nseverity = \"high\"\n");
    changed("rulec.toml", &home);
    let template = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../templates/sentinel/rule.yaml.j2"
    ))
    .unwrap();
    home.write("templates/sentinel/rule.yaml.j2", &format!("# Ours.\n{template}"));
    changed("a template", &home);
    home.write("templates/sentinel/rule.yaml.j2", "{{ nothing.of.the.kind }}");
    changed("a template that fails", &home);
    home.write(
        "schema/tables/mine.yaml",
        "tables: [{name: OwnTable, columns: {Title: string}}]\n",
    );
    changed("a table", &home);
    // Which of two documents with one id is emitted is worked out anew.
    home.write("rules/T-0.md", &rule(1, "DeviceEvents | where ActionType == 'c'"));
    changed("a second document of the id", &home);
    home.write("rules/T-1.md", &rule(1, "DeviceEvents | where ActionType =="));
    changed("a mistake", &home);
    for path in [
        "rulec.toml",
        "templates/sentinel/rule.yaml.j2",
        "schema/tables/mine.yaml",
        "rules/T-0.md",
    ] {
        home.remove(path);
    }
    home.write("rules/T-1.md", &rule(1, "DeviceEvents | where ActionType == 'a'"));
    changed("everything as it was", &home);
    assert!(before == plain);
    // Other targets are another matter.
    assert!(home.build(&["--target", "defender"]) != plain);
    assert!(home.build(&[]) != plain);
}

#[test]
fn fixtures_are_always_run() {
    let home = Home::new();
    let fixture = |fires: bool| {
        let text = format!(
            "now: 2026-01-15T12:00:00Z\nevents:\n  a: {{ table: DeviceEvents, row: {{ ActionType: a }} }}\n\
             cases:\n  - {{ name: it, events: [a], fires: {fires} }}\n"
        );
        home.write("tests/rules/T-4.yaml", &text);
        let output = home.rulec(&["test", "rules/T-4.md"]);
        (output.status.success(), out(&output) + &err(&output))
    };
    for fires in [true, false, true] {
        let (passed, said) = fixture(fires);
        assert_eq!(passed, fires, "{said}");
    }
}

#[test]
fn what_rests_on_other_documents_is_not_kept() {
    let home = Home::new();
    let alone = home.check();
    home.write("rules/A.md", &rule(3, "DeviceEvents"));
    let both = home.check();
    assert!(both.contains("RC006") && !alone.contains("RC006"), "{both}");
    // The same text at another path: the finding moves to the other document.
    home.remove("rules/A.md");
    home.write("rules/Z.md", &rule(3, "DeviceEvents"));
    let moved = home.check();
    assert!(moved.contains("taken by rules/T-3.md"), "{moved}");
    home.remove("rules/Z.md");
    assert_eq!(home.check(), alone);
}

#[test]
fn broken_files_are_as_good_as_none() {
    let home = Home::new();
    let expected = home.check();
    let kept = home.files();
    assert!(!kept.is_empty());
    for path in &kept {
        let good = fs::read(path).unwrap();
        let middle = good.len() / 2;
        let mut bad = good.clone();
        bad[middle] = bad[middle].wrapping_add(1);
        for bytes in [&bad[..], &good[..middle], b"", b"{}"] {
            fs::write(path, bytes).unwrap();
            assert_eq!(home.check(), expected);
        }
    }
    // A file where the folder should be.
    fs::remove_dir_all(home.kept.path().join("rulec")).unwrap();
    fs::write(home.kept.path().join("rulec"), "").unwrap();
    assert_eq!(home.check(), expected);
}

#[test]
fn several_at_once_do_not_disturb_each_other() {
    let home = Home::new();
    let expected = out(&rulec(home.folder.path(), &["check", "--format", "json"]));
    for _ in 0..4 {
        let running: Vec<_> = (0..6)
            .map(|_| home.command(&["check", "--format", "json"]).spawn().unwrap())
            .collect();
        for child in running {
            assert_eq!(out(&child.wait_with_output().unwrap()), expected);
        }
        assert!(
            home.files()
                .iter()
                .all(|path| !path.to_string_lossy().contains(".new-"))
        );
        fs::remove_dir_all(home.kept.path().join("rulec")).unwrap();
    }
}

#[test]
fn it_can_be_turned_off_and_moved() {
    let home = Home::new();
    home.rulec(&["check", "--no-cache"]);
    assert!(home.files().is_empty());
    home.write("rulec.toml", "[cache]\nenabled = false\n");
    home.rulec(&["check"]);
    assert!(home.files().is_empty());
    home.write("rulec.toml", "[cache]\nfolder = \".kept\"\n");
    home.rulec(&["check"]);
    assert!(home.files().is_empty());
    assert!(!files(&home.folder.path().join(".kept")).is_empty());
}

#[test]
fn the_number_of_threads_shows_nowhere() {
    let home = Home::new();
    for number in 10..200 {
        let query = if number % 7 == 0 {
            "DeviceEvents | where Nope == 1"
        } else {
            "DeviceEvents"
        };
        // Some share an id.
        home.write(&format!("rules/T-{number}.md"), &rule(number - number % 3, query));
    }
    for arguments in [
        &["check", "--format", "json"][..],
        &["check"],
        &["build", "--out", "dist"],
    ] {
        let run = |threads: &str, cache: bool| {
            let mut all = arguments.to_vec();
            all.extend(["--threads", threads]);
            if !cache {
                all.push("--no-cache");
            }
            let output = home.rulec(&all);
            let mut said = format!("{:?}\n{}\n{}", output.status, out(&output), err(&output)).into_bytes();
            let dist = home.folder.path().join("dist");
            if dist.is_dir() {
                for path in files(&dist) {
                    said.extend(path.to_string_lossy().bytes());
                    said.extend(fs::read(path).unwrap());
                }
                fs::remove_dir_all(dist).unwrap();
            }
            said
        };
        let one = run("1", false);
        assert!(run("8", false) == one, "{arguments:?} on eight threads");
        assert!(run("8", true) == one, "{arguments:?} with an empty cache");
        assert!(run("1", true) == one, "{arguments:?} with a full cache");
    }
}
