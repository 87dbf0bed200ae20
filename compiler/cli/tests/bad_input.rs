//! What people and machines get wrong: each is named with its place, and
//! nothing panics, hangs, or stops the rest.
#![allow(clippy::disallowed_methods)] // Tests write the repositories they try.

mod common;

use std::fs;

use common::{code, err, out, repository, rulec, rulec_with};

/// A command that must fail with a code and name something.
fn fails(folder: &std::path::Path, arguments: &[&str], expected: i32, named: &str) -> String {
    let output = rulec(folder, arguments);
    let said = err(&output);
    assert_eq!(code(&output), expected, "{arguments:?}: {said}");
    assert!(
        said.contains(named),
        "{arguments:?} does not name {named}: {said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn files_that_are_no_documents() {
    let folder = repository();
    let rules = folder.path().join("rules");
    // Sparse: a hundred megabytes that take none.
    fs::File::create(rules.join("big.md"))
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    fails(folder.path(), &["check"], 2, "RC003");
    let build = rulec(folder.path(), &["build"]);
    assert_eq!(code(&build), 2);
    assert!(folder.path().join("dist/sentinel/arm/T-0001.arm.json").is_file());
    fs::remove_file(rules.join("big.md")).unwrap();
    fs::create_dir(rules.join("folder.md")).unwrap();
    assert_eq!(code(&rulec(folder.path(), &["check"])), 0);
    fails(
        folder.path(),
        &["check", "nowhere.md"],
        2,
        "nowhere.md cannot be read",
    );
    let long = vec![b'a'; 17 << 20];
    let output = rulec_with(folder.path(), &["check", "-"], &long);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("RC003"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn input_without_an_end() {
    let folder = repository();
    fails(folder.path(), &["check", "/dev/zero"], 2, "RC003");
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = repository();
    let secret = folder.path().join("rules/secret.md");
    fs::write(&secret, "# Secret\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&secret).is_ok() {
        println!("skipped: this user may read every file");
        return;
    }
    fails(folder.path(), &["check"], 2, "rules/secret.md cannot be read");
}

#[test]
fn the_same_document_twice_is_one() {
    let folder = repository();
    let output = rulec(folder.path(), &["check", "rules", "./rules", "rules/T-0001.md"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(err(&output).contains("1 document "), "{}", err(&output));
    fs::copy(
        folder.path().join("rules/T-0001.md"),
        folder.path().join("rules/copy.md"),
    )
    .unwrap();
    fails(folder.path(), &["check"], 2, "is taken by rules/T-0001.md");
}

#[test]
fn no_rules_at_all() {
    let folder = tempfile::tempdir().unwrap();
    fails(folder.path(), &["check"], 2, "name documents or folders");
    fs::create_dir(folder.path().join("rules")).unwrap();
    let output = rulec(folder.path(), &["check"]);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("RC008"), "{}", err(&output));
}

#[test]
fn depth_and_length() {
    let folder = repository();
    let rules = folder.path().join("rules");
    let query = |text: &str| format!("# Deep\n\n## Detection\n**Query:**\n```kql\n{text}\n```\n");
    let broken = [
        ("calls.md", query(&format!("print {}", "not(".repeat(50_000)))),
        ("sum.md", query(&format!("print {}1", "1 + ".repeat(100_000)))),
        ("nul.md", query("DeviceEvents | where Nothing == \"\0\"")),
        ("flow.md", format!("---\nseverity: {}\n---\n# Deep\n", "{a: ".repeat(5_000))),
        (
            "bomb.md",
            "---\na: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n---\n# Bomb\n"
                .to_owned(),
        ),
    ];
    for (name, text) in &broken {
        fs::write(rules.join(name), text).unwrap();
        fails(folder.path(), &["check"], 2, &format!("rules/{name}:"));
        fs::remove_file(rules.join(name)).unwrap();
    }
    let harmless = [
        ("quote.md", format!("# Deep\n\n{} x\n", ">".repeat(100_000))),
        ("bracket.md", format!("# Deep\n\n{} x\n", "[".repeat(100_000))),
        ("emphasis.md", format!("# Deep\n\n{}\n", "*a **b ".repeat(20_000))),
    ];
    for (name, text) in &harmless {
        fs::write(rules.join(name), text).unwrap();
        let output = rulec(folder.path(), &["check"]);
        assert!(code(&output) <= 2, "{name}: {}", err(&output));
        fs::remove_file(rules.join(name)).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn links_in_the_output_are_not_followed() {
    let folder = repository();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("dist")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("dist/sentinel")).unwrap();
    fails(folder.path(), &["build"], 3, "is a symbolic link");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    // The other targets are written all the same.
    assert!(folder.path().join("dist/defender/T-0001.json").is_file());
    fs::create_dir(folder.path().join("golden")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("golden/sentinel")).unwrap();
    fails(folder.path(), &["golden", "update"], 3, "is a symbolic link");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn folders_that_are_files() {
    let folder = repository();
    for name in ["dist", "golden"] {
        fs::write(folder.path().join(name), "a file").unwrap();
    }
    fails(folder.path(), &["build"], 3, "dist cannot be written to");
    fails(folder.path(), &["golden"], 3, "golden cannot be used");
    fails(folder.path(), &["golden", "update"], 3, "golden cannot be used");
    assert_eq!(
        fs::read_to_string(folder.path().join("golden")).unwrap(),
        "a file"
    );
}

#[test]
fn comparing_creates_nothing() {
    let folder = repository();
    let output = rulec(folder.path(), &["golden", "check"]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("+++ produced/"));
    assert!(!folder.path().join("golden").exists());
}

#[test]
fn broken_templates_break_their_target_only() {
    let folder = repository();
    let again = rulec(folder.path(), &["new", "T-0002", "Another"]);
    assert_eq!(code(&again), 0);
    let templates = folder.path().join("templates/sentinel");
    fs::create_dir_all(&templates).unwrap();
    let cases = [
        (
            "rule.yaml.j2",
            "id: 1\n{% if %}\n",
            "templates/sentinel/rule.yaml.j2:2",
        ),
        (
            "rule.yaml.j2",
            "id: {{ nothing.of.this }}\n",
            "templates/sentinel/rule.yaml.j2:1",
        ),
        (
            "target.toml",
            "a = 1\nname = \"x\n",
            "templates/sentinel/target.toml",
        ),
    ];
    for (name, text, place) in cases {
        fs::write(templates.join(name), text).unwrap();
        let said = fails(folder.path(), &["build"], 2, place);
        assert_eq!(
            said.matches("error[").count(),
            1,
            "said once for each rule: {said}"
        );
        assert!(folder.path().join("dist/defender/T-0001.json").is_file());
        assert!(!folder.path().join("dist/sentinel/Detections").exists());
        fs::remove_file(templates.join(name)).unwrap();
    }
    assert_eq!(code(&rulec(folder.path(), &["build"])), 0);
}

#[test]
fn broken_data_of_the_repository() {
    let folder = repository();
    let cases: [(&str, &[u8], &str); 5] = [
        ("entities.yaml", b"}{", "schema/entities.yaml:1"),
        ("attack/18.1.json", b"{\n}", "schema/attack/18.1.json:"),
        ("events/mine.yaml", b"- x", "schema/events/mine.yaml:1"),
        ("tables/mine.yaml", b"tables: 1\n", "schema/tables/mine.yaml:1"),
        ("read/rules.yaml", b"\xff\xfe", "schema/read/rules.yaml"),
    ];
    for (name, bytes, place) in cases {
        let path = folder.path().join("schema").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let said = fails(folder.path(), &["check"], 3, place);
        assert!(said.contains("RC005"), "{said}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn broken_configuration() {
    let folder = repository();
    let path = folder.path().join("rulec.toml");
    let cases: [(&[u8], &str); 9] = [
        (b"[check\n", "rulec.toml:1:7"),
        (b"[check]\nfail-on = \"sometimes\"\n", "rulec.toml:2:11"),
        (b"[check]\nattack = \"99\"\n", "rulec.toml:2:11"),
        (b"[check]\nenvironment = \"mars\"\n", "rulec.toml:2:16"),
        (
            b"[lints]\nmapped-colum-missing = \"off\"\n",
            "did you mean `mapped-column-missing`",
        ),
        (b"[lints]\nmapped-column-missing = \"loud\"\n", "rulec.toml:2:25"),
        (b"[defaults]\nseverity = \"urgent\"\n", "rulec.toml:2:12"),
        (b"[defaults]\nowner = \"me\"\n", "rulec.toml:2:1"),
        (b"\xff\xfe", "rulec.toml"),
    ];
    for (text, place) in cases {
        fs::write(&path, text).unwrap();
        let said = fails(folder.path(), &["check"], 3, place);
        assert!(said.contains("RC004"), "{said}");
    }
    fs::remove_file(&path).unwrap();
    fails(
        folder.path(),
        &["check", "--config", "nowhere.toml"],
        3,
        "nowhere.toml",
    );
}

#[test]
fn defaults_of_the_repository_are_checked_too() {
    let folder = repository();
    let text = "[defaults]\ncustom_details = { Command = \"Nowhere\" }\nentities = [{ type = \"Hst\", fields = { HostName = \"DeviceName\" } }]\n";
    fs::write(folder.path().join("rulec.toml"), text).unwrap();
    let said = fails(folder.path(), &["check"], 1, "RL001");
    assert!(said.contains("RL002"), "{said}");
    assert_eq!(said.matches("[defaults] in rulec.toml").count(), 2, "{said}");
}

#[test]
fn events_that_cannot_be_read() {
    let folder = repository();
    let run = |data: &str, expected, named: &str| {
        fails(
            folder.path(),
            &["run", "--data", data, "--rule", "T-0001"],
            expected,
            named,
        )
    };
    run(
        "DeviceProcessEvents=nowhere.ndjson",
        3,
        "nowhere.ndjson cannot be opened",
    );
    fs::create_dir(folder.path().join("empty")).unwrap();
    run("DeviceProcessEvents=empty", 3, "empty holds no files");
    fs::write(folder.path().join("some.ndjson"), "{}\n").unwrap();
    run("some.ndjson", 3, "is not named after a table");
    fs::write(
        folder.path().join("bad.ndjson"),
        "{\"FileName\":\"a\"}\n{\"FileName\":\n",
    )
    .unwrap();
    run("DeviceProcessEvents=bad.ndjson", 2, "bad.ndjson:2");
    fs::write(folder.path().join("bytes.ndjson"), b"{\"FileName\":\"\xff\"}\n").unwrap();
    let text = "DeviceProcessEvents | project FileName";
    let data = "DeviceProcessEvents=bytes.ndjson";
    fails(
        folder.path(),
        &["query", text, "--data", data],
        2,
        "bytes.ndjson:1: ",
    );
}

#[test]
fn readers_that_stop_listening() {
    use std::process::{Command, Stdio};
    let folder = repository();
    fs::write(folder.path().join("rules/half.md"), "# Half\n\n## Detection\n").unwrap();
    for arguments in [
        &["list", "functions"][..],
        &["check"],
        &["check", "--format", "json"],
        &["explain", "T-0001"],
        &["frobnicate"],
    ] {
        for both in [false, true] {
            let mut child = Command::new(env!("CARGO_BIN_EXE_rulec"))
                .args(arguments)
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            drop(child.stdout.take());
            if both {
                drop(child.stderr.take());
            }
            let output = child.wait_with_output().unwrap();
            // 101 is a panic's.
            let code = output.status.code().unwrap_or(101);
            assert!(
                code <= 3,
                "{arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}
