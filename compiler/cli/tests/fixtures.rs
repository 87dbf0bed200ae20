//! `rulec test`: what fixtures can say, what a failing case shows, and what
//! the machine formats hold.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test writes the files it is about.

mod common;

use std::{fs, path::Path, process::Output};

use common::{code, err, out, rulec};
use serde_json::Value;

const QUERY: &str = r#"let threshold = 2;
let lookback = 1h;
let Noisy = _GetWatchlist('noisy') | project SearchKey;
DeviceProcessEvents
| where Timestamp > ago(lookback)
| where FileName =~ "certutil.exe" and (ProcessCommandLine has "urlcache" or ProcessCommandLine has "verifyctl")
| where DeviceName !in (Noisy)
| summarize Times = count(), Last = max(Timestamp), Lines = make_set(ProcessCommandLine) by DeviceId
| where Times >= threshold"#;

const EVENTS: &str = "now: 2026-01-15T12:00:00Z
defaults:
  DeviceProcessEvents: { Timestamp: now-10m, DeviceId: d-1, DeviceName: a.test, FileName: certutil.exe }
background: [noisy]
events:
  fetch: { table: DeviceProcessEvents, row: { ProcessCommandLine: certutil -urlcache } }
  verify: { table: DeviceProcessEvents, row: { ProcessCommandLine: certutil -verifyctl } }
  other: { table: DeviceProcessEvents, like: fetch, row: { FileName: cmd.exe } }
  old: { table: DeviceProcessEvents, like: fetch, row: { Timestamp: now-2h } }
  loud: { table: DeviceProcessEvents, like: fetch, row: { DeviceName: loud.test } }
  plain: { table: DeviceProcessEvents, row: { ProcessCommandLine: certutil -dump } }
  noisy: { table: 'watchlist:noisy', row: { SearchKey: loud.test } }
";

/// A repository with one rule and its fixture; what `rulec test` says.
fn test(fixture: &str, arguments: &[&str]) -> Output {
    test_of(QUERY, fixture, arguments)
}

fn test_of(query: &str, fixture: &str, arguments: &[&str]) -> Output {
    let folder = common::repository();
    let path = folder.path().join("rules/T-0001.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once("```").unwrap();
    let (fence, rest) = rest.split_once('\n').unwrap();
    let (_, after) = rest.split_once("\n```").unwrap();
    fs::write(&path, format!("{before}```{fence}\n{query}\n```{after}")).unwrap();
    write(folder.path(), fixture);
    rulec(folder.path(), &[&["test"], arguments].concat())
}

fn write(folder: &Path, fixture: &str) {
    fs::create_dir_all(folder.join("tests/rules")).unwrap();
    fs::write(folder.join("tests/rules/T-0001.yaml"), fixture).unwrap();
}

fn cases(cases: &str) -> String {
    format!("{EVENTS}cases:\n{cases}")
}

/// Cases that try everything the rule asks.
const GOOD: &str = "  - name: two within the hour fire
    events: [fetch, { event: verify, row: { Timestamp: now-5m } }, other, plain]
    count: 1
    alerts:
      - Times: 2
        Last: now-5m
        Lines: { any_order: [certutil -verifyctl, certutil -urlcache] }
        DeviceId: { matches: '^d-[0-9]$', not: d-2 }
        DeviceName: { absent: true }
  - name: one is below the threshold
    events: [fetch, old]
    fires: false
  - name: a noisy device is left out
    events: [loud, loud]
    fires: false
  - name: without the list it is not
    background: false
    events: [loud, loud]
    fires: true
  - name: another threshold and a longer time
    parameters: { threshold: 3, lookback: 1d }
    events: [fetch, verify, old]
    alerts: [ { Times: { at_least: 3, at_most: 3 } } ]
  - name: two devices in any order
    events:
      - { event: fetch, times: 2, step: 1m }
      - { event: fetch, times: 3, step: 1m, row: { DeviceId: d-2 } }
    alerts_any_order: [ { DeviceId: d-2, Times: 3 }, { DeviceId: d-1 } ]
    no_alert: [ { DeviceId: d-3 }, { Times: 1 } ]
  - name: later it is over
    now: now+2h
    events: [{ event: fetch, row: { Timestamp: 2026-01-15T11:50:00Z } }, { event: verify, row: { Timestamp: 2026-01-15T11:50:00Z } }]
    fires: false
  - name: on two sets of tables
    tables: [merged, sentinel]
    events: [fetch, verify]
    count: 1
";

#[test]
fn what_fixtures_can_say() {
    let output = test(&cases(GOOD), &["--coverage", "--coverage-min", "100"]);
    assert_eq!(err(&output), "");
    assert_eq!(code(&output), 0, "{}", out(&output));
    assert_eq!(
        out(&output),
        "T-0001  ok      9 of 9    100%  6 of 6 conditions\n\
         9 passed, 0 failed\n\
         100% of the conditions shown both true and false, 6 of 6\n"
    );
}

/// A failing case, and words that what is said has to contain in this order.
fn fails(case: &str, said: &[&str]) {
    let output = test(&cases(case), &[]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    let text = err(&output);
    let mut at = 0;
    for part in said {
        match text[at..].find(part) {
            Some(found) => at += found + part.len(),
            None => panic!("`{part}` is not said, or not there:\n{text}"),
        }
    }
}

#[test]
fn a_missing_alert_shows_where_each_event_was_lost() {
    fails(
        "  - name: should fire\n    events: [fetch, verify, loud, plain]\n    count: 2\n",
        &[
            "2 alerts expected, 1 came",
            "tests/rules/T-0001.yaml:",
            "- name: should fire",
            "+ {\"DeviceId\":\"d-1\",\"Times\":2",
            "event `loud`",
            "drops the event",
            "| where DeviceName !in (Noisy)",
            "DeviceName = \"loud.test\"",
            "event `plain`",
            "ProcessCommandLine = \"certutil -dump\"",
        ],
    );
    fails(
        "  - name: too few\n    events: [fetch]\n    fires: true\n",
        &[
            "the rule should fire, and does not",
            "where Times >= threshold",
            "Times = 1, threshold = 2",
        ],
    );
}

#[test]
fn an_unwanted_alert_shows_its_row_and_path() {
    fails(
        "  - name: silent\n    events: [fetch, verify, plain]\n    fires: false\n",
        &[
            "the rule should stay silent, and gives 1 alert",
            "+ {\"DeviceId\":\"d-1\"",
            "event `fetch`, and alike `verify`",
            "summarize",
        ],
    );
}

#[test]
fn other_columns_are_a_diff() {
    fails(
        "  - name: columns\n    events: [fetch, verify]\n    alerts: [ { DeviceId: d-1, Times: 3, Tims: 2, Lines: { contains: certutil -dump } } ]\n",
        &[
            "alert 1 is not as expected",
            "  DeviceId: \"d-1\"\n",
            "  - Times: 3\n",
            "  + Times: 2\n",
            "  + there is no column `Tims`; did you mean `Times`?\n",
            "  - Lines: {\"contains\":\"certutil -dump\"}\n",
        ],
    );
    fails(
        "  - name: any order\n    events: [fetch, verify]\n    alerts_any_order: [ { DeviceId: d-1, Times: 3 } ]\n",
        &["the alert is not as expected", "- Times: 3", "+ Times: 2"],
    );
    fails(
        "  - name: none\n    events: [fetch, verify]\n    no_alert: [ { Times: 2 } ]\n",
        &["an alert came that should not", "+ {"],
    );
    fails(
        "  - name: an error\n    events: [fetch, verify]\n    error: RR001\n",
        &["the run should fail with `RR001`, and does not"],
    );
    fails(
        "  - name: elsewhere\n    tables: [docs]\n    events: []\n    count: 1\n",
        &[
            "the query cannot be bound as the case asks",
            "^ docs",
            "there is no function `_GetWatchlist`",
        ],
    );
}

/// A fixture that cannot be used, or is doubtful, says so at the place.
fn refused(fixture: &str, said: &[&str]) {
    let text = err(&test(fixture, &[]));
    for part in said {
        assert!(text.contains(part), "`{part}` is not said:\n{text}");
    }
}

#[test]
fn mistakes_in_fixtures_are_underlined() {
    let with = |case: &str| cases(&format!("  - name: a case\n    events: [fetch]\n    {case}\n"));
    refused(
        &with("fire: true"),
        &[
            "unknown field `fire`",
            "    fire: true\n",
            "^^^^",
            "did you mean `fires`?",
        ],
    );
    refused(
        &with("fires: false\n    count: 1"),
        &["a rule that stays silent has no alerts", "count: 1"],
    );
    refused(
        &with("now: soon\n    count: 1"),
        &["`soon` is not a time", "now+1h"],
    );
    refused(
        &with("tables: [defender]\n    count: 1"),
        &["unknown variant `defender`", "words here are m365"],
    );
    refused(&with(""), &["the case `a case` expects nothing"]);
    refused(
        &with("parameters: { treshold: 1 }\n    count: 1"),
        &["the query has no `let treshold`; did you mean `threshold`?"],
    );
    refused(
        &with("parameters: { threshold: high }\n    count: 1"),
        &["`let threshold` is a long, and \"high\" is not"],
    );
    refused(
        &with("parameters: { Noisy: 1 }\n    count: 1"),
        &["`let Noisy` is no constant"],
    );
    refused(
        &cases("  - name: a case\n    events: [fetsh]\n    count: 1\n"),
        &[
            "there is no event `fetsh`",
            "did you mean `fetch`?",
            "events: [fetsh]",
        ],
    );
    refused(
        &cases("  - name: a case\n    events: [{ event: fetch, time: 2 }]\n    count: 1\n"),
        &["unknown field `time`", "did you mean `times`?"],
    );
    refused(
        &cases(
            "  - name: a case\n    events: [{ event: fetch, row: { Timestamp: yesterday } }]\n    count: 1\n",
        ),
        &["`Timestamp` is a time, and `yesterday` is not"],
    );
    refused(
        &cases("  - name: a case\n    events: [fetch]\n    alerts: [ { DeviceId: { matches: '(' } } ]\n"),
        &["`(` is no regular expression"],
    );
    refused(
        &cases(
            "  - name: a case\n    events: [fetch]\n    no_alert: [ { DeviceId: { not: { any_order: x } } } ]\n",
        ),
        &["`any_order` takes a list, not \"x\""],
    );
    refused(
        &cases("  - name: a case\n    events: [{ event: fetch, times: 1000000000 }]\n    count: 1\n"),
        &["makes more than 100000 events"],
    );
    let twice = EVENTS.replace("  verify:", "  fetch:");
    refused(
        &format!("{twice}cases: []\n"),
        &["`fetch` is there twice", "T-0001.yaml:7:3"],
    );
    let circle = EVENTS.replace(
        "fetch: { table: DeviceProcessEvents,",
        "fetch: { table: DeviceProcessEvents, like: other,",
    );
    refused(
        &format!("{circle}cases:\n  - {{ name: a, events: [fetch], count: 0 }}\n"),
        &["the event `fetch` is like itself"],
    );
}

#[test]
fn what_goes_unused_is_a_warning() {
    let fixture = cases(
        "  - name: a\n    events: [fetch]\n    count: 0\n  - name: a\n    events: [verify]\n    count: 0\n",
    )
    .replace("ProcessCommandLine: certutil -verifyctl", "ProcesCommandLine: x")
    .replace("watchlist:noisy", "watchlist:nosy");
    let output = test(&fixture, &[]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = err(&output);
    for part in [
        "no case uses the event `other`",
        "has no column `ProcesCommandLine`, so no rule sees it",
        "did you mean `ProcessCommandLine`?",
        "the rule does not read `watchlist:nosy`",
        "did you mean `watchlist:noisy`?",
        "two cases are called `a`",
    ] {
        assert!(text.contains(part), "`{part}` is not said:\n{text}");
    }
    // What another event is like is used with it.
    assert!(!text.contains("event `fetch`"), "{text}");
}

#[test]
fn coverage_says_what_is_not_shown() {
    let some = cases(
        "  - name: a\n    events: [fetch, verify]\n    count: 1\n  - name: b\n    events: [other, old, loud, plain]\n    count: 0\n",
    );
    let output = test(&some, &["--coverage"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        out(&output).contains("83%  5 of 6 conditions"),
        "{}",
        out(&output)
    );
    let text = err(&output);
    assert!(text.contains("no case shows this condition false"), "{text}");
    assert!(
        text.contains("| where Times >= threshold\n   |         ^^^^^^^^^^^^^^^^^^"),
        "{text}"
    );
    let gate = test(&some, &["--coverage", "--coverage-min", "84"]);
    assert_eq!(code(&gate), 1);
    assert!(err(&gate).contains("83% is less than the 84%"), "{}", err(&gate));
    let json: Value = serde_json::from_str(&out(&test(&some, &["--coverage", "--format", "json"]))).unwrap();
    let open = &json["rules"][0]["coverage"]["open"];
    assert_eq!(open[0]["text"], "Times >= threshold");
    assert_eq!(
        (&open[0]["held"], &open[0]["failed"]),
        (&true.into(), &false.into())
    );
    assert_eq!(open.as_array().unwrap().len(), 1);
}

#[test]
fn machine_formats_have_the_place_of_each_case() {
    let both = cases(
        "  - name: 'good <&\">'\n    events: [fetch]\n    fires: false\n  - name: bad\n    events: [fetch]\n    fires: true\n  - name: left\n    events: [fetch]\n    fires: false\n",
    );
    let line = both.lines().position(|l| l.contains("name: bad")).unwrap() + 1;
    let output = test(&both, &["--format", "json"]);
    assert_eq!(code(&output), 1);
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    let case = &json["rules"][0]["cases"][1];
    assert_eq!(case["line"], line);
    assert_eq!(case["failure"]["events"][0]["report"]["verdict"], "dropped");
    assert_eq!(json["summary"]["failed"], 1);
    let output = test(&both, &["--format", "junit"]);
    let text = out(&output);
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rulec test\" tests=\"3\" failures=\"1\" errors=\"0\">"));
    assert!(
        text.contains("name=\"good &lt;&amp;&quot;&gt;\" file=\"tests/rules/T-0001.yaml\""),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "name=\"bad\" file=\"tests/rules/T-0001.yaml\" line=\"{line}\">\n"
        )),
        "{text}"
    );
    let none = test(&both, &["--only", "nothing"]);
    assert_eq!(code(&none), 3);
    assert!(
        err(&none).contains("no case and no rule has `nothing` in its name"),
        "{}",
        err(&none)
    );
    let fast = test(&both, &["--fail-fast"]);
    assert!(
        out(&fast).contains("1 passed, 1 failed\n1 not run after"),
        "{}",
        out(&fast)
    );
    // A fixture that cannot be used is an error among the cases.
    let wrong = test("now: 1\n", &["--format", "junit"]);
    assert_eq!(code(&wrong), 1);
    assert!(out(&wrong).contains("errors=\"1\""), "{}", out(&wrong));
    assert!(out(&wrong).contains("<error type=\"RC009\""), "{}", out(&wrong));
}

#[test]
fn cases_say_which_of_several_queries_runs() {
    let two = "DeviceProcessEvents | where FileName == 'a.exe'\n```\n\n```kusto\nDeviceFileEvents | where FileName == 'b.exe'";
    let fixture = "now: 2026-01-15T12:00:00Z
events:
  a: { table: DeviceProcessEvents, row: { FileName: a.exe } }
  b: { table: DeviceFileEvents, row: { FileName: b.exe } }
  c: { table: DeviceFileEvents, row: { FileName: c.exe } }
cases:
  - { name: first, events: [a, b], count: 1 }
  - { name: second, query: 2, events: [a, b, c], alerts: [ { FileName: b.exe } ], count: 1 }
";
    let output = test_of(two, fixture, &["--coverage"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    // The first query has seen no row of another name.
    assert!(
        out(&output).contains("50%  1 of 2 conditions"),
        "{}",
        out(&output)
    );
    let third = fixture.replace("query: 2", "query: 3");
    let output = test_of(two, &third, &[]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("there is no query 3: the rule has 2"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_fixture_of_no_rule_is_a_warning() {
    let folder = common::repository();
    write(folder.path(), &cases(GOOD));
    for name in ["T-0002.yaml", "T-0001.yml"] {
        fs::write(folder.path().join("tests/rules").join(name), "").unwrap();
    }
    fs::write(folder.path().join("tests/rules/T-0001.yaml"), b"\xff").unwrap();
    let text = err(&rulec(folder.path(), &["test"]));
    for part in [
        "the fixture cannot be read",
        "no rule has the id `T-0002`",
        "did you mean `T-0001`?",
        "the name of a fixture ends with `.yaml`",
    ] {
        assert!(text.contains(part), "`{part}` is not said:\n{text}");
    }
    let text = err(&rulec(folder.path(), &["test", "rules"]));
    assert!(!text.contains("T-0002"), "{text}");
}

#[test]
fn conditions_that_read_no_event_stand_apart() {
    let query = "let enabled = true;\nlet Known = DeviceEvents | where ActionType == 'x' | project DeviceId;\n\
        DeviceProcessEvents | where enabled and now() > datetime(2020-01-01)\n| join kind=leftanti Known on DeviceId";
    let events = "now: 2026-01-15T12:00:00Z
defaults: { DeviceProcessEvents: { DeviceId: d-1 }, DeviceEvents: { DeviceId: d-1 } }
events:
  start: { table: DeviceProcessEvents }
  x: { table: DeviceEvents, row: { ActionType: x } }
  y: { table: DeviceEvents, row: { ActionType: y } }
cases:
  - { name: known, events: [start, x, y], fires: false }
  - { name: unknown, events: [start, y], fires: true }
";
    let output = test_of(query, events, &["--coverage"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    // What the joined side asks counts.
    assert!(
        out(&output).contains("shown both true and false, 1 of 1; 2 more read no event\n"),
        "{}",
        out(&output)
    );
    let text = err(&output);
    assert!(
        text.contains("note[RC018]: this condition reads no event; it was true in every case"),
        "{text}"
    );
    let both = format!(
        "{events}  - {{ name: off, parameters: {{ enabled: false }}, events: [start], fires: false }}\n"
    );
    let output = test_of(query, &both, &["--coverage"]);
    assert!(
        out(&output).contains("shown both true and false, 2 of 2; 1 more read no event\n"),
        "{}",
        out(&output)
    );
}
