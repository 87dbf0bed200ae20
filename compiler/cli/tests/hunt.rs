//! Hunts as people run them: alerts as they come, a page, a stop, a miss explained.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{fs, path::Path};

use common::{code, err, out, rulec};

/// A repository with rules, each a query under an id.
fn repository(rules: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rulec.toml"), "").unwrap();
    fs::create_dir_all(folder.path().join("rules")).unwrap();
    for (id, query) in rules {
        let text = format!(
            "---\nseverity: high\nentities:\n  - type: Host\n    fields: {{ HostName: DeviceName }}\n---\n# The rule {id}\n\n\
             ## Metadata\n**ID:** {id}\n\n## ATT&CK Tags\n\n\
             | Tactic | Technique | Subtechnique | Technique Name |\n|---|---|---|---|\n\
             | TA0002 - Execution | T1059 | | Command and Scripting Interpreter |\n\n\
             ## Detection\n\n**Language:** Kusto\n\n**Query:**\n```kql\n{query}\n```\n"
        );
        fs::write(folder.path().join(format!("rules/{id}.md")), text).unwrap();
    }
    folder
}

fn write(folder: &Path, name: &str, lines: &[String]) {
    fs::write(folder.join(name), lines.join("\n") + "\n").unwrap();
}

fn event(minute: u32, file: &str) -> String {
    format!(
        r#"{{"Timestamp":"2020-05-01T10:{minute:02}:00Z","DeviceName":"ws-{minute}","FileName":"{file}"}}"#
    )
}

#[test]
fn without_now_the_newest_event_is_now() {
    let folder = repository(&[(
        "A",
        "DeviceEvents\n| where Timestamp > ago(10m)\n| project Timestamp, DeviceName",
    )]);
    let events: Vec<String> = [1, 25, 30].map(|minute| event(minute, "a.exe")).into();
    write(folder.path(), "DeviceEvents.ndjson", &events);
    let found = rulec(folder.path(), &["run", "--data", "DeviceEvents.ndjson"]);
    assert_eq!(code(&found), 1, "{}", err(&found));
    assert_eq!(out(&found).lines().count(), 2);
    assert!(
        err(&found).contains("now() being 2020-05-01T10:30:00.0000000Z"),
        "{}",
        err(&found)
    );
    let query = [
        "query",
        "print now()",
        "--data",
        "DeviceEvents.ndjson",
        "--format",
        "csv",
    ];
    assert!(out(&rulec(folder.path(), &query)).contains("2020-05-01T10:30:00.0000000Z"));
    let later = [
        "run",
        "--data",
        "DeviceEvents.ndjson",
        "--now",
        "2020-05-02T00:00:00Z",
    ];
    assert_eq!(code(&rulec(folder.path(), &later)), 0);
}

#[test]
fn a_page_shows_what_events_say_and_does_nothing_else() {
    let folder = repository(&[
        ("A", "DeviceEvents\n| where FileName has 'a'"),
        ("B", "DeviceInfo"),
    ]);
    let hostile = [
        "a <script>alert(1)</script><img src=x onerror=alert(2)>".to_owned(),
        "a \\u202egnp.exe \\u0000\\u001b[2J".to_owned(),
        "a \\\" onmouseover=\\\"alert(3)".to_owned(),
        format!("a {}", "x".repeat(1 << 20)),
    ];
    let mut events: Vec<String> = hostile.iter().map(|name| event(3, name)).collect();
    events.push("{\"broken".to_owned());
    write(folder.path(), "DeviceEvents.ndjson", &events);
    let run = |threads: &str| {
        let page = rulec(
            folder.path(),
            &[
                "run",
                "--lenient",
                "--threads",
                threads,
                "--format",
                "html",
                "--data",
                "DeviceEvents.ndjson",
            ],
        );
        assert_eq!(code(&page), 1, "{}", err(&page));
        out(&page)
    };
    let page = run("1");
    assert!(page == run("4"), "the same page for any number of threads");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    let text = page.to_lowercase();
    for forbidden in [
        "<script",
        "<img",
        "<iframe",
        "<link",
        "url(",
        "@import",
        "javascript:",
    ] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;&lt;img src=x"));
    assert!(page.contains("\\u{202e}gnp.exe \\u{0}\\u{1b}[2J"));
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
    assert!(page.contains("&quot; onmouseover=&quot;alert(3)"));
    assert!(page.len() < 100_000, "{} bytes", page.len());
    for said in [
        "4 alerts from 1 rule",
        "<td>Execution</td>",
        "1 skipped",
        "rules&#x2f;A.md:",
        "<svg viewBox",
        "more characters",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn nothing_fired_is_a_page_too() {
    let folder = repository(&[("A", "DeviceEvents\n| where FileName has 'a'")]);
    write(folder.path(), "DeviceEvents.ndjson", &[event(3, "b")]);
    let page = rulec(
        folder.path(),
        &["run", "--format", "html", "--data", "DeviceEvents.ndjson"],
    );
    assert_eq!(code(&page), 0, "{}", err(&page));
    assert!(out(&page).contains("<h1>No alerts</h1>"), "{}", out(&page));
}

#[test]
fn a_miss_is_explained() {
    let folder = repository(&[(
        "A",
        "DeviceProcessEvents\n| where ActionType == 'ProcessCreated'\n| where (FileName =~ 'certutil.exe' or \
         FileName =~ 'curl.exe') and not(ProcessCommandLine has 'intern')\n| summarize Runs = count() by DeviceName\n\
         | where Runs > 2\n| join kind=inner (DeviceInfo | project DeviceName, OSPlatform) on DeviceName",
    )]);
    let explain = |event: &str, more: &[&str]| {
        let arguments: Vec<&str> = ["run", "--explain-miss", event]
            .iter()
            .chain(more)
            .copied()
            .collect();
        let said = rulec(folder.path(), &arguments);
        (code(&said), out(&said) + &err(&said))
    };
    let wrong = r#"{"ActionType":"ProcessCreated","FileName":"certutl.exe","DeviceName":"d"}"#;
    let (status, text) = explain(r#"{"DeviceName":"d"}"#, &[]);
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("which table is the event of?"), "{text}");
    let (status, text) = explain(wrong, &[]);
    assert_eq!(status, 0, "{text}");
    for said in [
        "dropped by `where`",
        r#"false: FileName = "certutl.exe""#,
        "no data was given for DeviceInfo",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let right =
        r#"{"ActionType":"ProcessCreated","FileName":"CURL.exe","DeviceName":"d","ProcessCommandLine":"x"}"#;
    let excluded = right.replace("\"x\"", "\"intern x\"");
    let (_, text) = explain(&format!("DeviceProcessEvents={excluded}"), &[]);
    assert!(
        text.contains(r#"true: ProcessCommandLine = "intern x""#),
        "{text}"
    );
    write(
        folder.path(),
        "DeviceProcessEvents.ndjson",
        &vec![right.to_owned(); 2],
    );
    let data = ["--data", "DeviceProcessEvents.ndjson"];
    let (_, text) = explain("DeviceProcessEvents:2", &data);
    assert!(text.contains("false: Runs = 2"), "{text}");
    assert!(
        text.contains("a group of 2 rows with DeviceName = \"d\""),
        "{text}"
    );
    write(
        folder.path(),
        "DeviceProcessEvents.ndjson",
        &vec![right.to_owned(); 3],
    );
    let (_, text) = explain("DeviceProcessEvents:2", &data);
    assert!(text.contains("the right side has no rows"), "{text}");
    write(
        folder.path(),
        "DeviceInfo.ndjson",
        &[r#"{"DeviceName":"e","OSPlatform":"x"}"#.to_owned()],
    );
    let both = [&data[..], &["--data", "DeviceInfo.ndjson"]].concat();
    let (_, text) = explain("DeviceProcessEvents:2", &both);
    assert!(
        text.contains(r#"none of the 1 row of the right side has DeviceName = "d""#),
        "{text}"
    );
    write(
        folder.path(),
        "DeviceInfo.ndjson",
        &[r#"{"DeviceName":"d","OSPlatform":"x"}"#.to_owned()],
    );
    let (status, text) = explain("DeviceProcessEvents:2", &both);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("fires, 1 of 1 alert"), "{text}");
    let (_, text) = explain(
        "DeviceProcessEvents:2",
        &[&both[..], &["--format", "json"]].concat(),
    );
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["verdict"], "fires");
    assert_eq!(report["stages"][2]["rows_in"][0], 3);
    for (event, message) in [
        ("DeviceProcessEvents:9", "has 3 events"),
        ("nothing", "is not an event"),
        ("[1]", "is not an event"),
        ("DeviceProcessEvents={", "is not JSON"),
    ] {
        let (status, text) = explain(event, &data);
        assert!(status == 3 && text.contains(message), "{event}: {text}");
    }
}

/// A hunt that waits for input that does not come is stopped, and what it has
/// found by then is whole.
#[cfg(unix)]
#[test]
fn a_stopped_hunt_gives_what_it_has() {
    use std::{
        io::{BufRead as _, BufReader, Read as _},
        process::{Command, Stdio},
    };
    let folder = repository(&[
        ("A", "DeviceEvents\n| where FileName has 'a'"),
        ("B", "DeviceProcessEvents\n| where FileName has 'a'"),
    ]);
    write(
        folder.path(),
        "DeviceEvents.ndjson",
        &[event(1, "a.exe"), event(2, "a.exe")],
    );
    let pipe = folder.path().join("DeviceProcessEvents.pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut hunt = Command::new(env!("CARGO_BIN_EXE_rulec"))
        .args(["run", "--now", "2020-05-02", "--threads", "2"])
        .args(["--data", "DeviceEvents.ndjson"])
        .args(["--data", "DeviceProcessEvents=DeviceProcessEvents.pipe"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(hunt.stdout.take().unwrap());
    let mut first = String::new();
    // It comes although the other rule is not done.
    output.read_line(&mut first).unwrap();
    let kill = Command::new("kill")
        .args(["-INT", &hunt.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    let ended = hunt.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        said.contains("the output is partial, 1 rule did not finish: B"),
        "{said}"
    );
    let alerts: Vec<serde_json::Value> = (first + &rest)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|alert| alert["rule"] == "A"));
}
