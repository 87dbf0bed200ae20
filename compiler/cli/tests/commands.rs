//! The binary as people and CI run it: exit codes and streams.
#![allow(clippy::disallowed_methods)] // Tests write the repositories they try.

mod common;

use std::{
    fs,
    process::{Command, Output},
};

use common::{code, err, out, repository, rulec, rulec_with};

#[test]
fn a_new_rule_checks_builds_and_becomes_golden() {
    let folder = repository();
    let check = rulec(folder.path(), &["check"]);
    assert_eq!(code(&check), 0, "{}", err(&check));
    let build = rulec(folder.path(), &["build"]);
    assert_eq!(code(&build), 0, "{}", err(&build));
    assert!(folder.path().join("dist/losses.json").is_file());
    assert_eq!(code(&rulec(folder.path(), &["golden", "check"])), 1);
    assert_eq!(code(&rulec(folder.path(), &["golden", "update"])), 0);
    assert_eq!(code(&rulec(folder.path(), &["golden", "check"])), 0);
    let again = rulec(folder.path(), &["new", "T-0001", "Again"]);
    assert_eq!(code(&again), 3, "an existing rule must not be overwritten");
    let fmt = rulec(folder.path(), &["fmt", "--check"]);
    assert_eq!(code(&fmt), 0, "{}", err(&fmt));
}

#[test]
fn safe_repairs_are_made_and_guesses_are_not() {
    let folder = repository();
    let case = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/cases/check/deprecated-function.md"
    );
    let rule = folder.path().join("rules/old.md");
    fs::create_dir_all(rule.parent().unwrap()).unwrap();
    // A misspelled column is only guessed at.
    let text = fs::read_to_string(case)
        .unwrap()
        .replace("by DeviceId", "by DeviceIdd");
    fs::write(&rule, &text).unwrap();
    let output = rulec(folder.path(), &["check", "--fix", "rules/old.md"]);
    assert!(
        err(&output).contains("rules/old.md: 5 repairs made"),
        "{}",
        err(&output)
    );
    assert_eq!(code(&output), 2, "what cannot be repaired is still reported");
    let fixed = fs::read_to_string(&rule).unwrap();
    let expected = text
        .replace("parsejson(", "parse_json(")
        .replace("= makeset(", "= make_set(")
        .replace("= makelist(", "= make_list(")
        .replace(
            r#"replace(@"\\", "/", tostring(Names[0]))"#,
            r#"replace_regex(tostring(Names[0]), @"\\", "/")"#,
        )
        .replace("= arraylength(", "= array_length(");
    assert_eq!(fixed, expected);
    rulec(folder.path(), &["check", "--fix", "rules/old.md"]);
    assert_eq!(fs::read_to_string(&rule).unwrap(), expected);
    assert_eq!(code(&rulec(folder.path(), &["check", "--fix", "-"])), 3);
}

#[test]
fn a_suppression_that_has_ended_is_an_error_about_a_rule_that_compiles() {
    let folder = repository();
    let rule = folder.path().join("rules/T-0001.md");
    let text = fs::read_to_string(&rule).unwrap();
    let ended = "<!-- rulec: allow(missing-section) until 2020-01-01, it was new then -->";
    fs::write(&rule, format!("{text}\n{ended}\n")).unwrap();
    let check = rulec(folder.path(), &["check"]);
    assert_eq!(code(&check), 1, "{}", err(&check));
    assert!(err(&check).contains("RC019"), "{}", err(&check));
    assert_eq!(code(&rulec(folder.path(), &["build"])), 0);
}

#[test]
fn an_upgrade_of_attack_is_told_shown_and_made() {
    let folder = repository();
    let case = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/cases/upgrade/defense-evasion-split.md"
    );
    let rule = folder.path().join("rules/tags.md");
    fs::create_dir_all(rule.parent().unwrap()).unwrap();
    fs::copy(case, &rule).unwrap();
    let check = |arguments: &[&str]| rulec(folder.path(), &[&["check", "rules/tags.md"], arguments].concat());
    let silent = |output: &Output| !err(output).contains("ATT&CK");
    let now = check(&[]);
    assert!(silent(&now), "{}", err(&now));
    let then = check(&["--attack", "19", "--fail-on", "warning"]);
    assert!(
        err(&then).contains("`T1562.001` is revoked in ATT&CK 19"),
        "{}",
        err(&then)
    );
    assert_eq!(code(&then), 1);
    assert!(
        silent(&check(&[])),
        "what was found for one version is not kept for another"
    );

    let before = fs::read_to_string(&rule).unwrap();
    let shown = check(&["--attack", "19", "--fix", "--diff"]);
    assert_eq!(code(&shown), 1);
    assert!(
        out(&shown).contains("\n+| TA0112 - Defense Impairment | T1685 |  | Disable or Modify Tools |\n")
    );
    assert_eq!(
        fs::read_to_string(&rule).unwrap(),
        before,
        "--diff must not write"
    );
    let made = check(&["--attack", "19", "--fix"]);
    assert!(err(&made).contains("repairs made"), "{}", err(&made));
    assert!(silent(&check(&["--attack", "19"])));
    assert_eq!(code(&check(&["--attack", "19", "--fix", "--diff"])), 0);
    assert_eq!(code(&check(&["--attack", "3"])), 3);
    assert_eq!(code(&check(&["--diff"])), 3, "--diff goes with --fix");
}

#[test]
fn a_query_file_is_checked_too() {
    let folder = repository();
    fs::write(
        folder.path().join("hunt.kql"),
        "DeviceEvents\n| where ActionTyp == 'x'\n",
    )
    .unwrap();
    let output = rulec(folder.path(), &["check", "hunt.kql"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("hunt.kql:2:9"), "{}", err(&output));
    assert!(
        err(&output).contains("did you mean `ActionType`?"),
        "{}",
        err(&output)
    );
}

#[test]
fn goldens_are_not_updated_in_ci() {
    let folder = repository();
    let output = Command::new(env!("CARGO_BIN_EXE_rulec"))
        .args(["golden", "update"])
        .current_dir(folder.path())
        .env("CI", "true")
        .output()
        .unwrap();
    assert_eq!(code(&output), 3);
    assert!(!folder.path().join("golden").exists());
}

#[test]
fn orphans_are_found_and_removed() {
    let folder = repository();
    rulec(folder.path(), &["golden", "update"]);
    fs::write(folder.path().join("golden/orphan.txt"), "left over\n").unwrap();
    let check = rulec(folder.path(), &["golden", "check"]);
    assert_eq!(code(&check), 1);
    assert!(out(&check).contains("-left over"));
    assert_eq!(code(&rulec(folder.path(), &["golden", "update"])), 0);
    assert!(!folder.path().join("golden/orphan.txt").exists());
}

#[test]
fn wrong_arguments_and_configuration_are_exit_code_3() {
    let folder = repository();
    for arguments in [
        &["frobnicate"][..],
        &["build", "--target", "nowhere"],
        &["build", "--deny", "everything"],
        &["new", "../escape", "Title"],
        &["new", "a/b", "Title"],
        &["new", "CON", "Title"],
        &["explain", "no-such-rule"],
        &["lint", "no-such-lint"],
        &["run"],
        &["check", "--fail-on", "sometimes"],
        &["query", "print 1", "--now", "yesterday"],
    ] {
        let output = rulec(folder.path(), arguments);
        assert_eq!(
            code(&output),
            3,
            "{arguments:?}: {}{}",
            out(&output),
            err(&output)
        );
        assert!(!err(&output).is_empty(), "{arguments:?} says nothing");
    }
    assert!(!folder.path().join("../escape.md").exists());
    fs::write(
        folder.path().join("rulec.toml"),
        "[check]\nfail-onn = \"error\"\n",
    )
    .unwrap();
    let output = rulec(folder.path(), &["check"]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("rulec.toml:2"), "{}", err(&output));
}

#[test]
fn broken_documents_are_exit_code_2_with_a_place() {
    let folder = repository();
    let rules = folder.path().join("rules");
    let deep = format!(
        "# Deep\n\n## Detection\n**Query:**\n```kql\nprint {}1\n```\n",
        "(".repeat(20_000)
    );
    let cases: &[(&str, &[u8])] = &[
        (
            "half.md",
            b"# Half\n\n## Detection\n**Query:**\n```kql\nDeviceEvents | where (\n```\n",
        ),
        (
            "column.md",
            b"# Column\n\n## Detection\n**Query:**\n```kql\nDeviceEvents | where ActionTyp == 'x'\n```\n",
        ),
        ("bytes.md", b"# Bytes \xff\n"),
        ("yaml.md", b"---\nseverity: [[[[\n---\n# Yaml\n"),
        (
            "key.md",
            b"---\nseverty: high\n---\n# Key\n\n## Detection\n**Query:**\n```kql\nDeviceEvents\n```\n",
        ),
        ("deep.md", deep.as_bytes()),
    ];
    for (name, bytes) in cases {
        fs::write(rules.join(name), bytes).unwrap();
        let output = rulec(folder.path(), &["check", "--format", "json"]);
        assert_eq!(code(&output), 2, "{name}: {}", err(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = report["diagnostics"].as_array().unwrap();
        assert!(
            found
                .iter()
                .any(|d| d["severity"] == "error" && d["file"] == format!("rules/{name}")),
            "{name}: {report}"
        );
        let build = rulec(folder.path(), &["build"]);
        assert_eq!(code(&build), 2, "{name}");
        assert!(
            folder.path().join("dist/sentinel/arm/T-0001.arm.json").is_file(),
            "{name} stopped the others"
        );
        fs::remove_file(rules.join(name)).unwrap();
    }
}

#[test]
fn every_format_is_well_formed() {
    let folder = repository();
    let bad = "# Column\n\n## Detection\n**Query:**\n```kql\nDeviceEvents | where ActionTyp == 'x'\n```\n";
    fs::write(folder.path().join("rules/a b <&>.md"), bad).unwrap();
    let sarif = rulec(folder.path(), &["check", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&sarif.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let uri = |result: &serde_json::Value| {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "rules/a%20b%20%3C%26%3E.md"
    };
    assert!(results.iter().any(uri), "{results:?}");
    let github = out(&rulec(folder.path(), &["check", "--format", "github"]));
    assert!(
        github
            .lines()
            .any(|line| line.starts_with("::error file=rules/a b <&>.md,line=6,")),
        "{github}"
    );
    let junit = out(&rulec(folder.path(), &["check", "--format", "junit"]));
    assert!(junit.contains("name=\"rules/a b &lt;&amp;&gt;.md\""), "{junit}");
}

#[test]
fn queries_run_without_data() {
    let folder = tempfile::tempdir().unwrap();
    let output = rulec(
        folder.path(),
        &["query", "print x = 1 + 1, y = 'a'", "--format", "json"],
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["columns"][0]["type"], "long");
    assert_eq!(answer["rows"][0], serde_json::json!([2, "a"]));
    let lines =
        b"{\"id\":1,\"query\":\"print a = 1\"}\nnot json\n{\"id\":\"two\",\"query\":\"print nope(\"}\n";
    let output = rulec_with(folder.path(), &["query", "--ndjson"], lines);
    let answers: Vec<serde_json::Value> = out(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["rows"][0][0], 1);
    assert!(answers[1]["error"]["message"].is_string());
    assert_eq!(answers[2]["id"], "two");
    assert!(answers[2]["error"]["code"].is_string());
}

#[test]
fn analyze_answers_before_the_input_ends() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let folder = repository();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulec"))
        .args(["analyze", "--ndjson"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in 0..3 {
        writeln!(input, r#"{{"id":{id},"query":"print x = 1"}}"#).unwrap();
        let answer = answers.next().unwrap().unwrap();
        assert!(answer.starts_with(&format!(r#"{{"id":{id},"#)), "{answer}");
    }
    drop(input);
    assert!(answers.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn analyze_answers_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let lines = b"{\"id\":1,\"env\":\"m365\",\"query\":\"DeviceEvents | project ActionType\"}\n\
        {\"id\":2,\"env\":\"mars\",\"query\":\"T\"}\n\
        {\"id\":3,\"query\":\"T | where x\",\"tables\":{\"T\":{\"x\":\"bool\"}}}\n";
    let output = rulec_with(folder.path(), &["analyze", "--ndjson"], lines);
    let answers: Vec<serde_json::Value> = out(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        answers[0]["result_columns"],
        serde_json::json!([{ "name": "ActionType", "type": "string" }])
    );
    assert_eq!(answers[0]["tables"], serde_json::json!(["DeviceEvents"]));
    assert!(answers[1]["error"].is_string());
    assert_eq!(answers[2]["semantic_errors"], serde_json::json!([]));
}

#[test]
fn a_hunt_fires_and_says_so_with_its_exit_code() {
    let folder = repository();
    let data = folder.path().join("DeviceProcessEvents.ndjson");
    fs::write(
        &data,
        "{\"Timestamp\":\"2026-01-15T11:30:00Z\",\"FileName\":\"nothing.exe\"}\n",
    )
    .unwrap();
    let data = data.to_string_lossy();
    let silent = rulec(
        folder.path(),
        &["run", "--data", &data, "--now", "2026-01-15T12:00:00Z"],
    );
    assert_eq!(code(&silent), 0, "{}", err(&silent));
    let missing = rulec(
        folder.path(),
        &["run", "--data", "DeviceEvents=nowhere.ndjson", "--rule", "T-0001"],
    );
    assert!(code(&missing) >= 2, "{}", err(&missing));
}

#[test]
fn man_pages_and_completions_are_generated() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&rulec(folder.path(), &["man", "pages"])), 0);
    assert!(folder.path().join("pages/rulec-check.1").is_file());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = rulec(folder.path(), &["completions", shell]);
        assert!(out(&output).contains("rulec"), "{shell}");
    }
}

#[test]
fn dump_reads_query_files() {
    let folder = repository();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("one.kql", "DeviceInfo | where DeviceNam == 'x' | count");
    write("two.kql", "print a = 1");
    let one = rulec(folder.path(), &["dump", "--stage", "ast", "one.kql"]);
    assert!(out(&one).starts_with("Query @1:1..44\n"), "{}", out(&one));
    assert!(err(&one).contains("RK201"), "{}", err(&one));
    assert_eq!(code(&one), 2);
    let both = rulec(folder.path(), &["dump", "--stage", "ir", "one.kql", "two.kql"]);
    assert!(
        out(&both).contains("// two.kql\nresult\n  rows 1 -> a: long\n"),
        "{}",
        out(&both)
    );
}
