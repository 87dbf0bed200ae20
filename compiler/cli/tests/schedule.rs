//! `rulec test --schedule`: rules with gaps, with alerts that repeat, and
//! right ones, run after run.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test writes the files it is about.

mod common;

use std::{fs, process::Output};

use common::{code, err, out, rulec};
use serde_json::Value;

const FIXTURE: &str = "now: 2026-01-15T12:00:00Z
defaults:
  DeviceProcessEvents: { Timestamp: now-10m, DeviceId: d-1, DeviceName: a.test, FileName: certutil.exe }
events:
  fetch: { table: DeviceProcessEvents, row: { ProcessCommandLine: certutil -urlcache } }
cases:
  - name: one fires
    events: [fetch]
    count: 1
";

/// `rulec test --schedule` of a rule with this front matter and query.
fn test(front: &str, query: &str, fixture: &str, arguments: &[&str]) -> Output {
    let folder = common::repository();
    let path = folder.path().join("rules/T-0001.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once("```").unwrap();
    let (fence, rest) = rest.split_once('\n').unwrap();
    let (_, after) = rest.split_once("\n```").unwrap();
    // What the scaffold says in its front matter is not what this is about.
    let before = match before.strip_prefix("---\n") {
        Some(rest) => rest.split_once("\n---\n").unwrap().1,
        None => before,
    };
    let text = format!("---\n{front}\n---\n{before}```{fence}\n{query}\n```{after}");
    fs::write(&path, text).unwrap();
    fs::create_dir_all(folder.path().join("tests/rules")).unwrap();
    fs::write(folder.path().join("tests/rules/T-0001.yaml"), fixture).unwrap();
    rulec(folder.path(), &[&["test", "--schedule"], arguments].concat())
}

const HOURLY: &str = "targets: [sentinel]\nschedule: { frequency: 1h, period: 1h }";

#[test]
fn a_rule_that_looks_at_each_event_once_passes() {
    let front = "targets: [sentinel, defender]\nschedule: { frequency: 1h, period: 1d }";
    let query = "DeviceProcessEvents\n| where Timestamp >= ago(1d)\n| where ingestion_time() >= ago(1h)\n| where FileName =~ \"certutil.exe\"";
    let output = test(front, query, FIXTURE, &[]);
    assert_eq!(err(&output), "");
    assert_eq!(code(&output), 0, "{}", out(&output));
    let out = out(&output);
    assert!(out.contains("schedule: 2 of 2\n"), "{out}");
    assert!(out.contains("3 passed, 0 failed"), "{out}");
}

#[test]
fn a_gap_is_found_and_its_bound_named() {
    let front = "targets: [sentinel]\nschedule: { frequency: 4h, period: 4h }";
    let query = "DeviceProcessEvents\n| where Timestamp >= ago(1h)\n| where FileName =~ \"certutil.exe\"";
    let output = test(front, query, FIXTURE, &[]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    let said = err(&output);
    assert!(
        said.contains("no run on Sentinel finds what the case expects"),
        "{said}"
    );
    assert!(
        said.contains("every 4h, looking back 4h, 5m after its time"),
        "{said}"
    );
    assert!(said.contains("`fetch` happens and comes in"), "{said}");
    assert!(said.contains("Timestamp >= ago(1h)"), "{said}");
}

#[test]
fn late_events_are_lost_where_the_service_cuts_the_data() {
    // The bound on ingestion time is of no use in so short a period.
    let query =
        "DeviceProcessEvents\n| where ingestion_time() >= ago(1h)\n| where FileName =~ \"certutil.exe\"";
    let output = test(HOURLY, query, FIXTURE, &[]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    let said = err(&output);
    assert!(said.contains("no run on Sentinel is given the events"), "{said}");
    assert!(said.contains("`fetch` comes in, 10m late"), "{said}");
    // Nothing is lost as long as nothing is late.
    let prompt = FIXTURE.replace("events:\n  fetch", "schedule: { delays: [0s] }\nevents:\n  fetch");
    let output = test(HOURLY, query, &prompt, &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
}

/// Looks at two hours every hour, and leaves out what is known.
const DEDUPLICATED: &str = r#"let timeframe = 2*1h;
DeviceProcessEvents
| where ingestion_time() >= ago(timeframe)
| where FileName =~ "certutil.exe"
| extend DedupEntity = DeviceId
| join kind=leftanti (
    SecurityAlert
    | where TimeGenerated >= ago(timeframe)
    | where AlertName has "T-0001"
    | extend Details = parse_json(tostring(parse_json(ExtendedProperties)["Custom Details"]))
    | project DedupEntity = tostring(Details.DedupEntity[0])
) on DedupEntity"#;

const TWO_HOURS: &str = "targets: [sentinel]\nschedule: { frequency: 1h, period: 3h }\ncustom_details: { DedupEntity: DedupEntity }";

#[test]
fn de_duplication_has_to_find_the_alerts() {
    let titled = format!("{TWO_HOURS}\nalert: {{ title: 'T-0001 on {{{{DeviceName}}}}' }}");
    let output = test(&titled, DEDUPLICATED, FIXTURE, &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    assert!(out(&output).contains("schedule: 1 of 1\n"), "{}", out(&output));
    // The alert has another name than the query looks for.
    let output = test(TWO_HOURS, DEDUPLICATED, FIXTURE, &[]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    let said = err(&output);
    assert!(
        said.contains("the de-duplication leaves 2 alerts on Sentinel of what is 1 alert"),
        "{said}"
    );
    // Without columns in the title, the results of a run are one alert, and only the first is remembered.
    let plain = format!("{TWO_HOURS}\nalert: {{ title: 'T-0001' }}");
    let two = FIXTURE.replace(
        "events: [fetch]\n    count: 1",
        "events: [fetch, { event: fetch, row: { DeviceId: d-2 } }]\n    count: 2",
    );
    let output = test(&plain, DEDUPLICATED, &two, &[]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    let said = err(&output);
    assert!(
        said.contains("leaves 3 alerts on Sentinel of what is 2 alerts"),
        "{said}"
    );
}

#[test]
fn alerts_that_repeat_are_told_and_fail_where_the_case_states_a_number() {
    let query = "let timeframe = 2*1h;\nDeviceProcessEvents\n| where ingestion_time() >= ago(timeframe)\n| where FileName =~ \"certutil.exe\"";
    let front = "targets: [sentinel]\nschedule: { frequency: 1h, period: 3h }";
    let output = test(front, query, FIXTURE, &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    assert!(
        out(&output).contains("schedule: 1 of 1; an alert comes up to "),
        "{}",
        out(&output)
    );
    let stated = FIXTURE.replace("    count: 1\n", "    count: 1\n    schedule: { alerts: 1 }\n");
    let output = test(front, query, &stated, &["--format", "json"]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    let report: Value = serde_json::from_str(&out(&output)).unwrap();
    let case = &report["rules"][0]["cases"][1];
    assert_eq!(case["schedule"]["service"], "sentinel");
    assert!(case["schedule"]["repeated"].as_u64().unwrap() > 0);
    let message = case["failure"]["message"].as_str().unwrap();
    assert!(message.contains("and the case states 1"), "{message}");
    assert!(case["failure"]["timeline"].as_array().unwrap().len() > 3);
    let output = test(front, query, &stated, &["--format", "junit"]);
    assert!(
        out(&output).contains("name=\"one fires [schedule, sentinel]\""),
        "{}",
        out(&output)
    );
}

#[test]
fn events_that_belong_together_may_come_in_apart() {
    // Two within the hour; a run sees the last hour only.
    let query = "DeviceProcessEvents\n| where Timestamp >= ago(1h)\n| summarize Times = count() by DeviceId\n| where Times >= 2";
    let two = FIXTURE.replace(
        "events: [fetch]",
        "events: [fetch, { event: fetch, row: { Timestamp: now-40m } }]",
    );
    let prompt = two.replace("events:\n  fetch", "schedule: { delays: [0s] }\nevents:\n  fetch");
    let output = test(HOURLY, query, &prompt, &[]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    assert!(
        err(&output).contains("is given 1 of 2 events"),
        "{}",
        err(&output)
    );
    // With two hours, every hour, some run has both.
    let wide = query.replace("ago(1h)", "ago(2h)");
    let front = "targets: [sentinel]\nschedule: { frequency: 1h, period: 2h }";
    let output = test(front, &wide, &prompt, &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
}

#[test]
fn what_has_no_schedule_is_said_to_be_skipped() {
    let query = "DeviceProcessEvents\n| where FileName =~ \"certutil.exe\"";
    let output = test("schedule: { kind: nrt }", query, FIXTURE, &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    assert!(
        out(&output).contains("T-0001 is not run under a schedule: it runs near real time"),
        "{}",
        out(&output)
    );
    let skipped = FIXTURE.replace(
        "    count: 1\n",
        "    count: 1\n    schedule: { skip: it is about the edge }\n",
    );
    let output = test(HOURLY, query, &skipped, &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    assert!(
        out(&output).contains("1 cases say that they are not run"),
        "{}",
        out(&output)
    );
}

#[test]
fn a_schedule_that_a_fixture_cannot_mean_is_refused() {
    let query = "DeviceProcessEvents\n| where FileName =~ \"certutil.exe\"";
    for (said, told) in [
        ("{ delay: [1h] }", "did you mean `delays`?"),
        ("{ delays: [soon] }", "`soon` is not a length of time"),
    ] {
        let wrong = FIXTURE.replace("events:\n  fetch", &format!("schedule: {said}\nevents:\n  fetch"));
        let output = test(HOURLY, query, &wrong, &[]);
        assert_eq!(code(&output), 1, "{}", out(&output));
        assert!(err(&output).contains(told), "{}", err(&output));
    }
}
