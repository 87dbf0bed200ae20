//! What machines read of `check`: valid, the same everywhere, and about the
//! findings that people see.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{fs, path::Path};

use common::{code, err, out, repository, rulec, rulec_with};
use serde_json::Value;

/// The schema of OASIS; tests/ci/README.md says where it is from.
fn sarif_schema() -> jsonschema::Validator {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/ci/sarif-2.1.0.schema.json"
    );
    // Two patterns have one bracket too many; with it the schema is not valid itself.
    let (bad, good) = ("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(bad));
    let schema: Value = serde_json::from_str(&text.replace(bad, good)).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

/// A log that is valid, and what code scanning asks for besides.
fn sarif(schema: &jsonschema::Validator, text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        let text = |value: &Value| value["text"].as_str().unwrap().chars().count();
        for description in [&rule["shortDescription"], &rule["fullDescription"]] {
            assert!((1..=1024).contains(&text(description)), "{rule}");
        }
        assert!(text(&rule["help"]) > 20, "{rule}");
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 10);
    }
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        let line = result["partialFingerprints"]["primaryLocationLineHash"].as_str();
        assert!(line.is_some_and(|line| line.contains(':')), "{result}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let place = |line: &str, column: &str| (region[line].as_u64(), region[column].as_u64());
        assert!(
            place("startLine", "startColumn") <= place("endLine", "endColumn"),
            "{region}"
        );
    }
    log
}

/// A document with a path, a title and a query that try to be something else.
const HOSTILE: &str = "# A ]]> & \"title\" ::error::x%0A [y](http://e.test)\n\n## Detection\n**Query:**\n\
    ```kql\nlet x = 'é\u{1f600}'; DeviceEvents | where ActionType == '\u{1f600}' and ActionTyp == \"](a)\" or Nope == ']]>'\n```\n";

fn log_of(folder: &Path, more: &[&str]) -> String {
    let arguments = [&["check", "--format", "sarif"][..], more].concat();
    out(&rulec(folder, &arguments))
}

#[test]
fn every_log_is_valid() {
    let schema = sarif_schema();
    // The shipped rules; all cases, which have findings of nearly every kind.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    sarif(&schema, &log_of(Path::new(root), &[]));
    let mut kinds = 0;
    for cases in ["check", "read", "upgrade", "explain", "diff"] {
        let log = sarif(
            &schema,
            &log_of(Path::new(root), &[&format!("tests/cases/{cases}")]),
        );
        kinds += log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .len();
    }
    assert!(kinds > 60, "{kinds}");
    let folder = repository();
    sarif(&schema, &log_of(folder.path(), &[]));
    sarif(&schema, &log_of(folder.path(), &["nowhere"]));
    let read = rulec_with(
        folder.path(),
        &["check", "--format", "sarif", "-"],
        HOSTILE.as_bytes(),
    );
    sarif(&schema, &out(&read));
    fs::write(folder.path().join("rules/no text.md"), b"# \xff").unwrap();
    let log = sarif(&schema, &log_of(folder.path(), &[]));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn hostile_text_stays_text() {
    let folder = repository();
    let name = "rules/a, b%0A::error:: <&>'\"é.md";
    fs::write(folder.path().join(name), HOSTILE).unwrap();
    let log = sarif(&sarif_schema(), &log_of(folder.path(), &[]));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let column = results
        .iter()
        .find(|result| {
            result["ruleId"] == "RK201" && result["message"]["text"].as_str().unwrap().contains("Nope")
        })
        .unwrap();
    let region = &column["locations"][0]["physicalLocation"]["region"];
    let line = HOSTILE.lines().nth(5).unwrap();
    let before = &line[..line.find("Nope").unwrap()];
    assert_eq!(region["startColumn"], before.encode_utf16().count() + 1);
    assert_eq!(region["endColumn"], before.encode_utf16().count() + 5);
    // Each annotation is one line, and none has a property more.
    let github = out(&rulec(folder.path(), &["check", "--format", "github"]));
    assert!(!github.is_empty());
    for line in github.lines() {
        let (command, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        assert!(command.contains("%3A%3Aerror%3A%3A <&>'\"é.md,line="), "{line}");
        let properties = command.split_once(' ').unwrap().1.split(',');
        let keys: Vec<&str> = properties.map(|p| p.split_once('=').unwrap().0).collect();
        assert!(keys.starts_with(&["file", "line", "endLine"]), "{line}");
        assert!(keys.ends_with(&["title"]), "{line}");
    }
    let json: Value =
        serde_json::from_str(&out(&rulec(folder.path(), &["check", "--format", "json"]))).unwrap();
    let files = json["diagnostics"].as_array().unwrap();
    assert!(files.iter().any(|finding| finding["file"] == name), "{json}");
    let report = out(&rulec(folder.path(), &["check", "--format", "gitlab"]));
    let report: Value = serde_json::from_str(&report).unwrap();
    let mut fingerprints = std::collections::BTreeSet::new();
    for entry in report.as_array().unwrap() {
        assert!(
            fingerprints.insert(entry["fingerprint"].as_str().unwrap().to_owned()),
            "{entry}"
        );
        assert!(["info", "minor", "critical"].contains(&entry["severity"].as_str().unwrap()));
        assert!(entry["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        for key in ["description", "check_name"] {
            assert!(!entry[key].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn findings_are_placed_in_the_checkout() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content/kql");
    fs::create_dir_all(content.join("rules")).unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(
        content.join("rulec.toml"),
        "[check]\npages = \"https://e.test/docs/\"\n",
    )
    .unwrap();
    fs::write(content.join("rules/a.md"), HOSTILE).unwrap();
    let log = sarif(&sarif_schema(), &log_of(&content, &[]));
    let run = &log["runs"][0];
    let place = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "content/kql/rules/a.md");
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        let page = if rule["id"].as_str().unwrap().starts_with("RL") {
            "lints"
        } else {
            "codes"
        };
        let address = format!("https://e.test/docs/{page}.md#{}", rule["name"].as_str().unwrap());
        assert_eq!(rule["helpUri"], address);
    }
    let github = out(&rulec(&content, &["check", "--format", "github"]));
    assert!(github.contains(" file=content/kql/rules/a.md,"), "{github}");
    // People are told where it is from where they stand.
    assert!(err(&rulec(&content, &["check"])).contains("--> rules/a.md:"));
}

/// Ends with `take`, with a suppression for it until a day.
fn suppressed(more: &str) -> String {
    format!(
        "# A rule\n\n## Metadata\n**ID:** T-0002\n\n## Detection\n\n**Platform:** M365 Security\n\n**Query:**\n```kql\n\
         DeviceProcessEvents\n| where FileName =~ \"a.exe\"\n\
         // rulec: allow(deprecated-function) until 2027-01-31, the old name is known there\n\
         | extend A = parsejson(AdditionalFields)\n{more}```\n"
    )
}

#[test]
fn suppressed_findings_are_kept_apart_and_not_repaired() {
    let folder = repository();
    let path = folder.path().join("rules/b.md");
    fs::write(&path, suppressed("")).unwrap();
    let before = ["--now", "2027-01-31"];
    let after = ["--now", "2027-02-01"];
    let check = |more: &[&str]| rulec(folder.path(), &[&["check", "rules/b.md"][..], more].concat());
    let json = |more: &[&str]| -> Value {
        serde_json::from_str(&out(&check(&[&["--format", "json"][..], more].concat()))).unwrap()
    };
    let names = |report: &Value| -> Vec<String> {
        let found = report["diagnostics"].as_array().unwrap();
        found
            .iter()
            .map(|d| d["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let report = json(&before);
    assert!(
        !names(&report).contains(&"deprecated-function".to_owned()),
        "{report}"
    );
    assert!(
        !names(&report).contains(&"expired-suppression".to_owned()),
        "{report}"
    );
    assert_eq!(report["suppressed"][0]["name"], "deprecated-function");
    assert_eq!(report["suppressed"][0]["until"], "2027-01-31");
    assert_eq!(report["suppressed"][0]["reason"], "the old name is known there");
    assert!(names(&json(&after)).contains(&"expired-suppression".to_owned()));
    assert_eq!(code(&check(&["--now", "soon"])), 3);
    // Code scanning would open an alert for each: they are only there for who asks.
    let schema = sarif_schema();
    let marked = |more: &[&str]| {
        let log = sarif(
            &schema,
            &out(&check(&[&["--format", "sarif"][..], &before, more].concat())),
        );
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let marked = results.iter().filter(|result| result["suppressions"].is_array());
        marked
            .map(|r| r["suppressions"][0]["justification"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(marked(&[]).is_empty());
    assert_eq!(
        marked(&["--suppressed"]),
        ["until 2027-01-31: the old name is known there"]
    );
    // What the document lives with is left as it is, whether that has ended or not.
    for now in [before, after] {
        let preview = check(&[&["--fix", "--diff"][..], &now].concat());
        assert_eq!((code(&preview), out(&preview)), (0, String::new()));
        check(&[&["--fix"][..], &now].concat());
        assert_eq!(fs::read_to_string(&path).unwrap(), suppressed(""));
    }
    // What it does not live with is repaired beside it.
    let more = "| extend B = parsejson(AdditionalFields)\n";
    fs::write(&path, suppressed(more)).unwrap();
    let preview = check(&[&["--fix", "--diff"][..], &before].concat());
    assert_eq!(code(&preview), 1);
    assert_eq!(out(&preview).matches("\n-").count(), 1, "{}", out(&preview));
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        suppressed(more),
        "a preview writes nothing"
    );
    check(&[&["--fix"][..], &before].concat());
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        suppressed(&more.replace("parsejson", "parse_json"))
    );
}

#[test]
fn every_opinion_can_be_set_and_no_error_can() {
    let folder = repository();
    let rule = folder.path().join("rules/T-0001.md");
    let text = fs::read_to_string(&rule).unwrap();
    // A warning of the reader, and one of the binder.
    let text = text.replace("DeviceProcessEvents", "NoSuchTable_CL") + "\n\u{7}\n";
    fs::write(&rule, text).unwrap();
    let findings = |lints: &str| {
        fs::write(folder.path().join("rulec.toml"), format!("[lints]\n{lints}")).unwrap();
        let output = rulec(folder.path(), &["check", "--format", "json"]);
        let report: Value = serde_json::from_str(&out(&output)).unwrap_or_default();
        let found = report["diagnostics"].as_array().cloned().unwrap_or_default();
        let named = |name: &str| {
            let finding = found.iter().find(|d| d["name"] == name)?;
            finding["severity"].as_str().map(str::to_owned)
        };
        (code(&output), named("unknown-table"), named("control-character"))
    };
    let warning = Some("warning".to_owned());
    assert_eq!(findings(""), (0, warning.clone(), warning.clone()));
    let lints = "unknown-table = \"error\"\ncontrol-character = \"off\"\n";
    // One, not two: the rule still compiles.
    assert_eq!(findings(lints), (1, Some("error".to_owned()), None));
    let build = rulec(folder.path(), &["build", "--target", "native"]);
    assert_eq!(code(&build), 0, "{}", err(&build));
    for refused in ["unknown-name", "no-such-lint", "failed-case"] {
        assert_eq!(findings(&format!("{refused} = \"off\"\n")).0, 3, "{refused}");
    }
}

#[test]
fn what_is_released_is_tested() {
    let folder = repository();
    assert!(!err(&rulec(folder.path(), &["check"])).contains("RC022"));
    let lock = rulec(folder.path(), &["lock"]);
    assert_eq!(code(&lock), 0, "{}", err(&lock));
    let check = rulec(folder.path(), &["check"]);
    assert!(
        err(&check).contains("warning[RC022]: T-0001 is released and nothing tests it"),
        "{}",
        err(&check)
    );
    fs::create_dir_all(folder.path().join("tests/rules")).unwrap();
    fs::write(
        folder.path().join("tests/rules/T-0001.yaml"),
        "now: 2026-01-01T00:00:00Z\ncases: []\n",
    )
    .unwrap();
    assert!(!err(&rulec(folder.path(), &["check"])).contains("RC022"));
}
