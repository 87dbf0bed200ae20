//! The Action, the template for GitLab and the hooks: their very steps, run in a
//! scratch repository with two rules. Where there is no git or bash, these tests
//! say so and try nothing.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use common::{code, err, git, out, root, rulec};
use serde_yaml::Value;

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

/// A repository with two rules, a fixture and goldens, committed; none where the tools are missing.
fn repository() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let has = |program: &str| {
        let version = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        version.is_ok_and(|status| status.success())
    };
    if !has("git") || !has("bash") {
        eprintln!("skipped: there is no git or no bash");
        return None;
    }
    let path = folder.path();
    for (id, title) in [("T-0001", "The first rule"), ("T-0002", "The second rule")] {
        assert_eq!(code(&rulec(path, &["new", id, title])), 0);
        let document = path.join(format!("rules/{id}.md"));
        let text = fs::read_to_string(&document).unwrap();
        let text = text
            .replace(
                "in~ (\"powershell.exe\", \"pwsh.exe\")",
                &format!("=~ \"{id}.exe\""),
            )
            .replace("| where ProcessCommandLine has \"-EncodedCommand\"\n", "");
        assert!(text.contains(&format!("{id}.exe")));
        fs::write(&document, text).unwrap();
        let fixture = format!(
            "now: \"2026-01-15T12:00:00Z\"\nevents:\n  bad: {{ table: DeviceProcessEvents, row: {{ Timestamp: \
             \"2026-01-15T11:50:00Z\", ActionType: ProcessCreated, FileName: {id}.exe }} }}\ncases:\n  - {{ name: fires, events: [bad], fires: true }}\n"
        );
        fs::create_dir_all(path.join("tests/rules")).unwrap();
        fs::write(path.join(format!("tests/rules/{id}.yaml")), fixture).unwrap();
    }
    fs::write(path.join("rulec.toml"), "[check]\nfail-on = \"error\"\n").unwrap();
    assert_eq!(code(&rulec(path, &["golden", "update"])), 0);
    assert!(
        git(path, &["init", "-q"]) && git(path, &["add", "."]) && git(path, &["commit", "-q", "-m", "one"])
    );
    Some(folder)
}

/// A folder with this rulec as the only program beside those of the system.
fn path_with_rulec(scratch: &Path) -> String {
    let bin = scratch.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let rulec = bin.join("rulec");
    if !rulec.exists() {
        #[cfg(unix)]
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rulec"), &rulec).unwrap();
    }
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// What the runner of an Action does with its steps.
struct Runner<'a> {
    repository: &'a Path,
    scratch: tempfile::TempDir,
    inputs: BTreeMap<String, String>,
    /// By `step.output`.
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl<'a> Runner<'a> {
    fn new(repository: &'a Path, given: &[(&str, &str)]) -> Self {
        let action = yaml("action.yml");
        let mut inputs = BTreeMap::new();
        for (name, input) in action["inputs"].as_mapping().unwrap() {
            assert!(!input["description"].as_str().unwrap().is_empty());
            inputs.insert(
                name.as_str().unwrap().to_owned(),
                input["default"].as_str().unwrap().to_owned(),
            );
        }
        for (name, value) in given {
            assert!(
                inputs.insert((*name).to_owned(), (*value).to_owned()).is_some(),
                "{name}"
            );
        }
        Self {
            repository,
            scratch: tempfile::tempdir().unwrap(),
            inputs,
            outputs: BTreeMap::new(),
            summary: String::new(),
        }
    }

    /// The value of an expression that a step uses.
    fn value(&self, text: &str) -> String {
        let Some(expression) = text.strip_prefix("${{ ").and_then(|e| e.strip_suffix(" }}")) else {
            return text.to_owned();
        };
        if let Some(input) = expression.strip_prefix("inputs.") {
            return self.inputs[input].clone();
        }
        if let Some(output) = expression.strip_prefix("steps.") {
            let output = output.replace(".outputs.", ".");
            return self.outputs.get(&output).cloned().unwrap_or_default();
        }
        assert_eq!(expression, "github.action_path");
        root().to_string_lossy().into_owned()
    }

    /// Runs a step as `shell: bash` does.
    fn step(&mut self, id: &str) -> Output {
        let action = yaml("action.yml");
        let steps = action["runs"]["steps"].as_sequence().unwrap();
        let step = steps.iter().find(|step| step["id"] == id).unwrap();
        let script = self.scratch.path().join("step.sh");
        fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let files = ["output", "summary"].map(|name| self.scratch.path().join(name));
        for file in &files {
            fs::write(file, "").unwrap();
        }
        let folder = step["working-directory"]
            .as_str()
            .map_or_else(|| ".".to_owned(), |f| self.value(f));
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script)
            .current_dir(self.repository.join(folder))
            .env("PATH", path_with_rulec(self.scratch.path()))
            .env("CI", "true")
            .env("RULEC_NO_CACHE", "1")
            .env("RUNNER_TEMP", self.scratch.path())
            .env("GITHUB_OUTPUT", &files[0])
            .env("GITHUB_STEP_SUMMARY", &files[1]);
        for (name, value) in step["env"].as_mapping().unwrap() {
            command.env(name.as_str().unwrap(), self.value(value.as_str().unwrap()));
        }
        let output = command.output().unwrap();
        for line in fs::read_to_string(&files[0]).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            self.outputs.insert(format!("{id}.{name}"), value.to_owned());
        }
        self.summary.push_str(&fs::read_to_string(&files[1]).unwrap());
        output
    }
}

#[test]
fn the_action_splices_nothing_into_scripts() {
    let action = yaml("action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        match step["run"].as_str() {
            Some(script) => {
                assert!(!script.contains("${{"), "{script}");
                assert_eq!(step["shell"], "bash");
            }
            None => assert!(step["uses"].as_str().unwrap().contains('@')),
        }
    }
}

#[test]
fn the_action_checks_builds_tests_and_compares() {
    let Some(folder) = repository() else { return };
    let mut runner = Runner::new(folder.path(), &[("since", "HEAD")]);
    for step in ["install", "check", "golden", "test", "diff"] {
        let output = runner.step(step);
        assert_eq!(code(&output), 0, "{step}: {}{}", out(&output), err(&output));
    }
    let sarif = fs::read_to_string(&runner.outputs["check.sarif"]).unwrap();
    assert!(sarif.contains("\"version\": \"2.1.0\""));
    let junit = fs::read_to_string(&runner.outputs["test.junit"]).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"0\""), "{junit}");
    // A rule changes in meaning; its version, its golden and its fixture do not.
    let rule = folder.path().join("rules/T-0001.md");
    let text = fs::read_to_string(&rule).unwrap();
    fs::write(&rule, text.replace("T-0001.exe", "other.exe")).unwrap();
    let mut runner = Runner::new(folder.path(), &[("since", "HEAD"), ("fail-on", "warning")]);
    runner.step("install");
    let check = runner.step("check");
    assert_ne!(code(&check), 0);
    let annotations = out(&check);
    assert!(
        annotations.contains("::error file=rules/T-0001.md,"),
        "{annotations}"
    );
    assert!(
        annotations.contains("title=RV001 version-not-bumped::"),
        "{annotations}"
    );
    assert!(!annotations.contains("T-0002"), "{annotations}");
    let golden = runner.step("golden");
    assert_eq!(code(&golden), 1);
    // Commands to the runner are off while rules are shown, and on again behind.
    let shown = out(&golden);
    let lines: Vec<&str> = shown.lines().collect();
    let guard = lines[0].strip_prefix("::stop-commands::").unwrap();
    assert_eq!(
        (guard.len(), *lines.last().unwrap()),
        (32, format!("::{guard}::").as_str())
    );
    assert!(shown.contains("other.exe"), "{shown}");
    assert_eq!(code(&runner.step("test")), 1);
    let junit = fs::read_to_string(&runner.outputs["test.junit"]).unwrap();
    assert!(junit.contains("failures=\"1\""), "{junit}");
    assert_eq!(code(&runner.step("diff")), 0);
    assert!(runner.summary.contains("T-0001"), "{}", runner.summary);
}

#[test]
fn inputs_of_the_action_are_data() {
    let Some(folder) = repository() else { return };
    let hostile = "$(touch pwned)\n`touch pwned`\n\"; touch pwned; \"\n--config=pwned";
    let given = [
        ("paths", hostile),
        ("fail-on", "error; touch pwned"),
        ("since", "--output=pwned"),
    ];
    let mut runner = Runner::new(folder.path(), &given);
    runner.step("install");
    for step in ["check", "golden", "test", "diff"] {
        let output = runner.step(step);
        assert_ne!(code(&output), 0, "{step}: {}", out(&output));
    }
    for place in [folder.path(), runner.scratch.path()] {
        assert!(!place.join("pwned").exists());
    }
    // A path may hold blanks, and there may be several.
    fs::create_dir(folder.path().join("more rules")).unwrap();
    fs::rename(
        folder.path().join("rules/T-0002.md"),
        folder.path().join("more rules/T-0002.md"),
    )
    .unwrap();
    let mut runner = Runner::new(folder.path(), &[("paths", "rules\nmore rules\n")]);
    runner.step("install");
    assert_eq!(code(&runner.step("check")), 0);
    assert_eq!(code(&runner.step("test")), 0);
    let junit = fs::read_to_string(&runner.outputs["test.junit"]).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"0\""), "{junit}");
}

/// Runs the script of a job of the template, as GitLab's shell does.
fn job(name: &str, shell: &str, repository: &Path, given: &[(&str, &str)]) -> Output {
    let template = yaml(".gitlab/rulec.yml");
    let job = &template[name];
    assert_eq!(job["extends"], ".rulec", "{name}");
    let mut script = String::from("set -e\n");
    let lines = [&template[".rulec"]["before_script"], &job["script"]];
    for line in lines.iter().flat_map(|lines| lines.as_sequence().unwrap()) {
        script.push_str(line.as_str().unwrap());
        script.push('\n');
    }
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("script.sh");
    fs::write(&file, script).unwrap();
    let mut command = Command::new(shell);
    command.arg(&file).current_dir(repository);
    for (name, value) in template["variables"].as_mapping().unwrap() {
        command.env(name.as_str().unwrap(), value.as_str().unwrap());
    }
    command
        .envs(given.iter().copied())
        .env("PATH", path_with_rulec(scratch.path()))
        .env("CI", "true")
        .env("CI_PROJECT_DIR", repository)
        .output()
        .unwrap()
}

#[test]
fn the_template_for_gitlab_does_the_same() {
    let Some(folder) = repository() else { return };
    let path = folder.path();
    let base = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD");
    for shell in ["sh", "bash"] {
        for name in ["rulec-check", "rulec-golden", "rulec-test", "rulec-diff"] {
            let output = job(name, shell, path, &[base, ("RULEC_PATHS", "rules\n")]);
            assert_eq!(
                code(&output),
                0,
                "{shell} {name}: {}{}",
                out(&output),
                err(&output)
            );
        }
    }
    // Every file that a job announces is there.
    let template = yaml(".gitlab/rulec.yml");
    for name in ["rulec-check", "rulec-test", "rulec-diff"] {
        let artifacts = &template[name]["artifacts"];
        let paths = artifacts["paths"].as_sequence().into_iter().flatten();
        let reports = artifacts["reports"].as_mapping().into_iter().flatten();
        for file in paths.chain(reports.map(|(_, file)| file)) {
            assert!(path.join(file.as_str().unwrap()).is_file(), "{name}: {file:?}");
        }
    }
    let rule = path.join("rules/T-0001.md");
    let text = fs::read_to_string(&rule).unwrap();
    fs::write(&rule, text.replace("T-0001.exe", "other.exe")).unwrap();
    for name in ["rulec-check", "rulec-golden", "rulec-test"] {
        assert_ne!(code(&job(name, "sh", path, &[base])), 0, "{name}");
    }
    assert_eq!(code(&job("rulec-diff", "sh", path, &[base])), 0);
    assert!(
        fs::read_to_string(path.join("rulec-diff.txt"))
            .unwrap()
            .contains("T-0001")
    );
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path.join("rulec-quality.json")).unwrap()).unwrap();
    assert!(report.is_array());
    let given = [
        ("RULEC_PATHS", "$(touch pwned)\n`touch pwned`"),
        ("RULEC_FAIL_ON", "$(touch pwned)"),
    ];
    for name in ["rulec-check", "rulec-golden", "rulec-test"] {
        assert_ne!(code(&job(name, "sh", path, &given)), 0, "{name}");
    }
    assert!(!path.join("pwned").exists());
}

#[test]
fn hooks_run_on_what_is_committed() {
    let Some(folder) = repository() else { return };
    let path = folder.path();
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hooks = hooks.as_sequence().unwrap();
    let ids: Vec<&str> = hooks.iter().map(|hook| hook["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["rulec-check", "rulec-fmt", "rulec-test", "rulec-golden"]);
    let run = |hook: &Value| {
        let mut arguments: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').skip(1).collect();
        if hook["pass_filenames"].as_bool() != Some(false) {
            arguments.extend(["rules/T-0001.md", "rules/T-0002.md"]);
        }
        code(&rulec(path, &arguments))
    };
    for hook in hooks {
        assert_eq!(hook["language"], "system");
        assert_eq!(run(hook), 0, "{hook:?}");
    }
    // Two documents with one id are seen, as one run has both.
    let text = fs::read_to_string(path.join("rules/T-0001.md")).unwrap();
    fs::write(path.join("rules/T-0002.md"), text).unwrap();
    assert_eq!(run(&hooks[0]), 2);
    // pre-commit itself, where it is installed.
    let has = Command::new("pre-commit")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !has.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no pre-commit");
        return;
    }
    assert!(git(path, &["checkout", "-q", "--", "."]));
    let source = tempfile::tempdir().unwrap();
    fs::copy(
        root().join(".pre-commit-hooks.yaml"),
        source.path().join(".pre-commit-hooks.yaml"),
    )
    .unwrap();
    assert!(git(source.path(), &["init", "-q"]) && git(source.path(), &["add", "."]));
    assert!(git(source.path(), &["commit", "-q", "-m", "hooks"]));
    let tried = Command::new("pre-commit")
        .arg("try-repo")
        .arg(source.path())
        .args(["--all-files", "--verbose"])
        .current_dir(path)
        .env("PATH", path_with_rulec(source.path()))
        .env("PRE_COMMIT_HOME", source.path().join("cache"))
        .env("RULEC_NO_CACHE", "1")
        .output()
        .unwrap();
    assert_eq!(code(&tried), 0, "{}{}", out(&tried), err(&tried));
    assert_eq!(out(&tried).matches("Passed").count(), 4, "{}", out(&tried));
}
