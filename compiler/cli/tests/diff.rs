//! What changed since a revision, in a repository made for the purpose. Where
//! there is no git, these tests say so and try nothing.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{fs, path::Path};

use common::{code, err, git, out, rulec};

fn document(id: &str, condition: &str, history: &str) -> String {
    format!(
        "# Rule {id}\n\n## Metadata\n**ID:** {id}\n\n## Detection description\nFinds it.\n\n## Queries\n```KQL\n\
         DeviceProcessEvents\n| where Timestamp >= ago(1h)\n| where {condition}\n\
         | project Timestamp, DeviceId, ReportId, DeviceName, FileName\n```\n\n## Version History\n\n\
         | Version | Date | Impact | Notes |\n| --- | --- | --- | --- |\n{history}\
         | 1.0 | 2026-01-10 | major | Initial version. |\n"
    )
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Five rules, committed; none without git.
fn repository() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    // Below the root of the work tree, as many have it.
    let home = folder.path().join("content");
    write(&home, "rulec.toml", "[repository]\nrules = [\"rules\"]\n");
    for id in ["A-1", "A-2", "A-3", "A-4", "A-5"] {
        write(
            &home,
            &format!("rules/{id}.md"),
            &document(id, "FileName == \"a.exe\"", ""),
        );
    }
    let made = git(folder.path(), &["init", "-q"])
        && git(folder.path(), &["add", "."])
        && git(folder.path(), &["commit", "-q", "-m", "one"]);
    if !made {
        eprintln!("skipped: git cannot be run here");
        return None;
    }
    Some(folder)
}

/// One rule widened, one moved, one removed, one new, one left.
fn edit(home: &Path) {
    write(
        home,
        "rules/A-1.md",
        &document("A-1", "FileName in (\"a.exe\", \"b.exe\")", ""),
    );
    fs::create_dir_all(home.join("rules/deep")).unwrap();
    fs::rename(home.join("rules/A-2.md"), home.join("rules/deep/A-2.md")).unwrap();
    fs::remove_file(home.join("rules/A-3.md")).unwrap();
    write(
        home,
        "rules/A-9.md",
        &document("A-9", "FileName == \"c.exe\"", ""),
    );
}

#[test]
fn what_changed_since_a_revision() {
    let Some(folder) = repository() else { return };
    let home = folder.path().join("content");
    let none = rulec(&home, &["diff", "HEAD", "--exit-code"]);
    assert_eq!(
        (code(&none), out(&none).as_str()),
        (0, "no rule differs from HEAD\n"),
        "{}",
        err(&none)
    );
    edit(&home);
    let json = rulec(&home, &["diff", "HEAD", "--format", "json", "--exit-code"]);
    assert_eq!(code(&json), 1, "{}", err(&json));
    let value: serde_json::Value = serde_json::from_str(&out(&json)).unwrap();
    let told: Vec<String> = value["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            format!(
                "{} {} {} {}",
                rule["rule"], rule["status"], rule["class"], rule["bump"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "A-1 changed widens minor",
            "A-2 changed cosmetic none",
            "A-3 removed narrows none",
            "A-9 added widens none"
        ]
    );
    assert_eq!(value["rules"][1]["old_file"], "rules/A-2.md");
    assert_eq!(value["rules"][1]["new_file"], "rules/deep/A-2.md");
    let one = rulec(&home, &["diff", "HEAD", "rules/A-1.md"]);
    assert!(out(&one).starts_with("A-1  Rule A-1\n"), "{}", out(&one));
    assert!(out(&one).ends_with("against HEAD: 1 changed\n"), "{}", out(&one));
}

#[test]
fn a_folder_is_a_state_as_well() {
    let Some(folder) = repository() else { return };
    let home = folder.path().join("content");
    let former = tempfile::tempdir().unwrap();
    for id in ["A-1", "A-2", "A-3", "A-4", "A-5"] {
        let path = format!("rules/{id}.md");
        write(
            former.path(),
            &path,
            &fs::read_to_string(home.join(&path)).unwrap(),
        );
    }
    edit(&home);
    let whole = rulec(&home, &["diff", former.path().join("rules").to_str().unwrap()]);
    assert!(
        out(&whole).ends_with(": 1 added, 1 changed, 1 removed\n"),
        "{}{}",
        out(&whole),
        err(&whole)
    );
}

#[test]
fn a_revision_is_never_an_option() {
    let Some(folder) = repository() else { return };
    let home = folder.path().join("content");
    for name in [
        "--output=stolen",
        "-x",
        "no-such-branch",
        "HEAD:content",
        "a\nb",
        "",
    ] {
        let refused = rulec(&home, &["diff", "--", name]);
        assert_eq!(code(&refused), 3, "{name}: {}", out(&refused));
        assert!(err(&refused).starts_with("error: `"), "{name}: {}", err(&refused));
    }
    assert!(!home.join("stolen").exists());
    let nowhere = tempfile::tempdir().unwrap();
    let refused = rulec(nowhere.path(), &["diff", "HEAD"]);
    assert_eq!(code(&refused), 3);
    assert!(
        err(&refused).contains("is in no git repository"),
        "{}",
        err(&refused)
    );
}

#[test]
fn a_pull_request_says_what_changed() {
    let Some(folder) = repository() else { return };
    let home = folder.path().join("content");
    let clean = rulec(&home, &["check", "--since", "HEAD"]);
    assert_eq!(code(&clean), 0, "{}", err(&clean));
    let wide = "FileName in (\"a.exe\", \"b.exe\")";
    let says = |history: &str| {
        write(&home, "rules/A-1.md", &document("A-1", wide, history));
        let output = rulec(&home, &["check", "--since", "HEAD", "--format", "json"]);
        let value: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
        assert_eq!(value["summary"]["files"], 1, "only what changed is reported");
        let codes: Vec<String> = value["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|found| found["code"].as_str())
            .filter(|code| code.starts_with("RV"))
            .map(str::to_owned)
            .collect();
        (code(&output), codes.join(" "))
    };
    assert_eq!(says(""), (1, "RV001".to_owned()));
    assert_eq!(
        says("| 1.0.1 | 2026-02-01 | patch | More. |\n"),
        (1, "RV002".to_owned())
    );
    assert_eq!(
        says("| 0.9 | 2026-02-01 | minor | More. |\n"),
        (1, "RV003".to_owned())
    );
    assert_eq!(says("| 1.1 | | minor | |\n"), (0, "RV004 RV005".to_owned()));
    assert_eq!(says("| 1.1 | 2026-02-01 | minor | More. |\n"), (0, String::new()));
    // What was told stays told.
    let text = document("A-1", wide, "| 1.1 | 2026-02-01 | minor | More. |\n").replace("Initial", "First");
    write(&home, "rules/A-1.md", &text);
    let edited = rulec(&home, &["check", "--since", "HEAD"]);
    assert!(err(&edited).contains("RV006"), "{}", err(&edited));
}

#[test]
fn a_released_version_keeps_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    write(home, "rulec.toml", "");
    write(
        home,
        "rules/A-1.md",
        &document("A-1", "FileName == \"a.exe\"", ""),
    );
    assert_eq!(code(&rulec(home, &["lock", "--check"])), 1, "there is no file");
    assert_eq!(code(&rulec(home, &["lock"])), 0);
    let first = fs::read_to_string(home.join("rulec.lock")).unwrap();
    assert_eq!(code(&rulec(home, &["lock", "--check"])), 0);
    // Layout is no content.
    write(
        home,
        "rules/A-1.md",
        &document("A-1", "(FileName   == 'a.exe') // a tool", ""),
    );
    let same = rulec(home, &["check"]);
    assert!(!err(&same).contains("RV007"), "{}", err(&same));
    write(
        home,
        "rules/A-1.md",
        &document("A-1", "FileName == \"b.exe\"", ""),
    );
    let other = rulec(home, &["check"]);
    assert!(
        err(&other).contains("RV007") && code(&other) == 1,
        "{}",
        err(&other)
    );
    assert_eq!(code(&rulec(home, &["lock"])), 1, "it is not taken over");
    assert_eq!(fs::read_to_string(home.join("rulec.lock")).unwrap(), first);
    let text = document(
        "A-1",
        "FileName == \"b.exe\"",
        "| 1.1 | 2026-02-01 | minor | Another. |\n",
    );
    write(home, "rules/A-1.md", &text);
    assert_eq!(code(&rulec(home, &["lock"])), 0);
    assert_eq!(code(&rulec(home, &["check"])), 0);
    let log = out(&rulec(home, &["changelog"]));
    assert_eq!(
        log,
        "# Changelog\n\n## 2026-02-01\n\n- `A-1` 1.1 (minor), Rule A-1: Another.\n\n## 2026-01-10\n\n\
         - `A-1` 1.0 (major), Rule A-1: Initial version.\n"
    );
}

/// A document with a front matter.
fn with_front(front: &str, text: &str) -> String {
    format!("---\n{front}---\n\n{text}")
}

/// The codes that `check` finds of a family, with the files.
fn found(home: &Path, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["check", "--format", "json"];
    arguments.extend(more);
    let run = rulec(home, &arguments);
    let report: serde_json::Value =
        serde_json::from_str(&out(&run)).unwrap_or_else(|_| panic!("{}", err(&run)));
    let mut found: Vec<String> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"].as_str().unwrap().starts_with("RV"))
        .map(|finding| {
            format!(
                "{} {}",
                finding["code"].as_str().unwrap(),
                finding["file"].as_str().unwrap()
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn rules_at_their_end_say_what_stands_in_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    write(home, "rulec.toml", "[repository]\nrules = [\"rules\"]\n");
    let document = |id: &str, front: &str| {
        let text = document(id, "FileName == \"a.exe\"", "");
        let text = if front.is_empty() {
            text
        } else {
            with_front(front, &text)
        };
        write(home, &format!("rules/{id}.md"), &text);
    };
    document("A-1", "");
    document("A-2", "status: deprecated\n");
    document("A-3", "deprecated:\n  reason: Nobody uses it.\n");
    document("A-4", "status: deprecated\ndeprecated:\n  replaced_by: A-99\n");
    document("A-5", "status: deprecated\ndeprecated:\n  replaced_by: A-2\n");
    document("A-6", "status: deprecated\ndeprecated:\n  replaced_by: A-7\n");
    document("A-7", "status: deprecated\ndeprecated:\n  replaced_by: A-6\n");
    document("A-8", "status: deprecated\ndeprecated:\n  replaced_by: A-1\n");
    document(
        "A-9",
        "status: deprecated\ndeprecated:\n  reason: The product is gone.\n",
    );
    write(
        home,
        "rules/B-1.md",
        "# Old rule\n\nThis rule was replaced by [A-1](A-1.md).\n",
    );
    write(
        home,
        "rules/B-2.md",
        "# Old rule\n\nThis rule was replaced by [A-98](A-98.md).\n",
    );
    let all = [
        "RV008 rules/A-2.md",
        "RV009 rules/A-3.md",
        "RV010 rules/A-4.md",
        "RV010 rules/B-2.md",
        "RV011 rules/A-5.md",
        "RV012 rules/A-6.md",
        "RV012 rules/A-7.md",
    ];
    assert_eq!(found(home, &[]), all);
    // What stands in its place may lie outside of what was asked for.
    assert_eq!(found(home, &["rules/A-8.md"]), Vec::<String>::new());
    assert_eq!(found(home, &["rules/A-4.md"]), ["RV010 rules/A-4.md"]);
    let run = rulec(home, &["fmt", "--check", "rules/A-8.md"]);
    assert!(!out(&run).contains("replaced_by:\n"), "{}", out(&run));
}

#[test]
fn a_released_rule_is_deprecated_before_it_goes() {
    let Some(folder) = repository() else { return };
    let home = folder.path().join("content");
    let locked = rulec(&home, &["lock"]);
    assert_eq!(code(&locked), 0, "{}", err(&locked));
    let text = document(
        "A-1",
        "FileName == \"a.exe\"",
        "| 1.1 | 2026-02-01 | minor | Again. |\n",
    );
    write(
        &home,
        "rules/A-1.md",
        &with_front("status: experimental\n", &text),
    );
    let text = document(
        "A-2",
        "FileName == \"a.exe\"",
        "| 1.1 | 2026-02-01 | minor | The end. |\n",
    );
    let end = "status: deprecated\ndeprecated:\n  replaced_by: A-4\n";
    write(&home, "rules/A-2.md", &with_front(end, &text));
    fs::remove_file(home.join("rules/A-3.md")).unwrap();
    // By the lock file alone, and by what the revision had.
    assert_eq!(found(&home, &[]), ["RV013 rules/A-1.md"]);
    assert_eq!(
        found(&home, &["--since", "HEAD"]),
        ["RV013 rules/A-1.md", "RV014 rules/A-3.md"]
    );
    let run = rulec(&home, &["lock"]);
    assert_eq!(code(&run), 1, "{}", err(&run));
    for said in ["RV013", "RV014", "A-3 was released, and is gone"] {
        assert!(err(&run).contains(said), "{said}: {}", err(&run));
    }
    let lock = fs::read_to_string(home.join("rulec.lock")).unwrap();
    assert!(lock.contains("id = \"A-3\""), "{lock}");
    assert!(lock.contains("status = \"deprecated\""), "{lock}");
    // Deprecated rules may go, and may come back.
    fs::remove_file(home.join("rules/A-2.md")).unwrap();
    write(
        &home,
        "rules/A-1.md",
        &document(
            "A-1",
            "FileName == \"a.exe\"",
            "| 1.1 | 2026-02-01 | minor | Again. |\n",
        ),
    );
    write(
        &home,
        "rules/A-3.md",
        &document("A-3", "FileName == \"a.exe\"", ""),
    );
    let run = rulec(&home, &["lock"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let lock = fs::read_to_string(home.join("rulec.lock")).unwrap();
    assert!(!lock.contains("id = \"A-2\""), "{lock}");
}

#[test]
fn a_changelog_is_what_its_schema_says() {
    let Some(folder) = repository() else { return };
    let home = folder.path().join("content");
    let run = rulec(&home, &["changelog", "--format", "json"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/changelog.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let log: serde_json::Value = serde_json::from_str(&out(&run)).unwrap();
    assert_eq!(log["entries"].as_array().unwrap().len(), 5);
    let valid = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = valid.iter_errors(&log).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
