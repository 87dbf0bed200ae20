//! What targets refuse when a rule is saved, told at the line of the document
//! that causes it; the other targets and the other rules go on.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{fs, path::Path};

use common::{code, err, out, rulec};
use serde_json::Value;

const RULE: &str = "---
targets: [sentinel, defender]
schedule: {frequency: 1h, period: 4h}
suppression:
  enabled: true
  duration: 5h
entities:
- type: Host
  fields: {HostName: DeviceName}
- type: Host
  fields:
    AzureID: DeviceId
custom_details:
  Command: ProcessCommandLine
alert:
  title: 'On {{DeviceName}}'
---
# T-0001: A rule to try

**Author:** Somebody

## ATT&CK Tags

| Tactic | Technique | Subtechnique | Technique Name |
|---|---|---|---|
| TA0002 - Execution | T1059 | 001 | PowerShell |

## Detection description

It finds something.

## Detection

```kql
DeviceProcessEvents
| where Timestamp > ago(4h)
| where FileName == 'a.exe'
| project Timestamp, DeviceId, ReportId, DeviceName, ProcessCommandLine
```
";

fn repository(rules: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rulec.toml"), "").unwrap();
    for (name, text) in rules {
        fs::write(folder.path().join("rules").join(name), text).unwrap();
    }
    folder
}

/// Code and line of the findings about what targets refuse.
fn refusals(text: &str) -> Vec<(String, u64)> {
    let folder = repository(&[("T-0001.md", text)]);
    let checked = rulec(
        folder.path(),
        &["check", "--format", "json", "--fail-on", "never"],
    );
    let json: Value = serde_json::from_str(&out(&checked)).unwrap_or_else(|_| panic!("{}", err(&checked)));
    let found = json["diagnostics"].as_array().unwrap().iter();
    found
        .filter(|found| found["code"].as_str().unwrap().starts_with("RE"))
        .map(|found| {
            (
                found["name"].as_str().unwrap().to_owned(),
                found["line"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// The line of `text`, from 1, that begins with `start`.
fn line(text: &str, start: &str) -> u64 {
    let at = text.lines().position(|line| line.trim_start().starts_with(start));
    at.unwrap() as u64 + 1
}

#[test]
fn each_is_told_at_its_line() {
    assert_eq!(refusals(RULE), []);
    let long = format!("# T-0001: {}", "x".repeat(257));
    let about = "y".repeat(5001);
    let cases: &[(&str, &str, &str, &str)] = &[
        ("period: 4h", "period: 15d", "sentinel-period", "schedule:"),
        (
            "frequency: 1h",
            "frequency: 4m",
            "sentinel-frequency",
            "schedule:",
        ),
        (
            "duration: 5h",
            "duration: 25h",
            "sentinel-suppression",
            "duration:",
        ),
        (
            "AzureID: DeviceId",
            "{AzureID: DeviceId, HostName: DeviceName, FullName: DeviceName, NTDomain: DeviceName}",
            "sentinel-identifier-count",
            "- type: Host\n  fields:\n",
        ),
        (
            "  Command:",
            "  TheWholeCommandLineOfIt:",
            "sentinel-detail-key",
            "TheWhole",
        ),
        (
            "'On {{DeviceName}}'",
            "'{{DeviceName}}{{DeviceName}}{{DeviceName}}{{DeviceName}}'",
            "sentinel-placeholders",
            "title:",
        ),
        ("# T-0001: A rule to try", &long, "sentinel-name", "# T-0001"),
        (
            "It finds something.",
            &about,
            "sentinel-description",
            "## Detection description",
        ),
        (
            "custom_details:",
            "ids: {defender: 1x}\ncustom_details:",
            "defender-id",
            "ids:",
        ),
        (
            "custom_details:",
            "ids: {sentinel: x}\ncustom_details:",
            "sentinel-id",
            "ids:",
        ),
        (
            "DeviceProcessEvents\n|",
            "let x = _GetWatchlist('x');\nDeviceProcessEvents\n|",
            "defender-query",
            "let x",
        ),
    ];
    let mut wrong = Vec::new();
    for (from, to, name, at) in cases {
        let text = RULE.replacen(from, to, 1);
        assert_ne!(text, RULE, "{from}");
        let found = refusals(&text);
        // The second of two mappings of one type, not the first.
        let expected = match at.split_once('\n') {
            Some(_) => text[..text.find(at).unwrap()].lines().count() as u64 + 1,
            None => line(&text, at),
        };
        // Where the section begins, or in its text below.
        let near = |line: u64| line == expected || (*name == "sentinel-description" && line <= expected + 2);
        if !found.iter().any(|(code, line)| code == name && near(*line)) {
            wrong.push(format!("{name}: expected at {expected}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How many files below a folder are named by a rule.
fn made(folder: &Path, rule: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            if path.is_dir() {
                made(&path, rule)
            } else {
                usize::from(path.file_name().unwrap().to_string_lossy().starts_with(rule))
            }
        })
        .sum()
}

#[test]
fn a_rule_that_one_target_refuses_goes_to_the_others() {
    let refused = RULE.replace("frequency: 1h", "frequency: 4m");
    let other = RULE.replace("T-0001", "T-0002");
    let folder = repository(&[("T-0001.md", &refused), ("T-0002.md", &other)]);
    let built = rulec(folder.path(), &["build", "--out", "dist"]);
    assert!(err(&built).contains("RE106"), "{}", err(&built));
    assert_ne!(code(&built), 0, "{}", err(&built));
    let made = |target: &str, rule: &str| made(&folder.path().join("dist").join(target), rule);
    assert_eq!(made("sentinel", "T-0001"), 0);
    assert_eq!(made("defender", "T-0001"), 1);
    // The template and what deploys it.
    assert_eq!((made("sentinel", "T-0002"), made("defender", "T-0002")), (2, 1));
}

#[test]
fn a_target_that_nobody_chose_is_no_mistake() {
    let text = RULE
        .replace("targets: [sentinel, defender]\n", "")
        .replace("period: 4h", "period: 15d");
    assert_eq!(refusals(&text), []);
}

#[test]
fn what_rulec_toml_says_is_named() {
    let text = RULE.replace("suppression:\n  enabled: true\n  duration: 5h\n", "");
    let folder = repository(&[("T-0001.md", &text)]);
    fs::write(
        folder.path().join("rulec.toml"),
        "[defaults]\nsuppression = { enabled = true, duration = \"30h\" }\n",
    )
    .unwrap();
    let checked = rulec(folder.path(), &["check"]);
    let said = err(&checked) + &out(&checked);
    assert!(
        said.contains("RE112") && said.contains("[defaults] in rulec.toml"),
        "{said}"
    );
}

#[test]
fn each_has_a_page() {
    let folder = repository(&[]);
    for name in ["RE100", "sentinel-long-period", "defender-nrt-table", "RE188"] {
        let page = rulec(folder.path(), &["lint", name]);
        assert_eq!(code(&page), 0, "{}", err(&page));
        assert!(out(&page).lines().count() > 4, "{}", out(&page));
    }
}
