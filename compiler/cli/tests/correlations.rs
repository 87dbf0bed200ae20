//! Sigma correlations as KQL, held against what they mean: over made events
//! the imported query names the same groups as a plain reading of the rule.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{collections::BTreeSet, fmt::Write as _, fs};

use common::{code, err, out, rulec, rulec_with};
use serde_json::{Value, json};

/// Minutes of a window.
const SPAN: u64 = 10;

/// What happened: minute, computer, program.
type Event = (u64, String, &'static str);

/// Numbers that are the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn events(seed: u64) -> Vec<Event> {
    let mut chance = Chance(seed);
    let programs = ["one.exe", "two.exe", "three.exe", "other.exe"];
    (0..60)
        .map(|_| {
            (
                chance.below(100),
                format!("pc{}", chance.below(12)),
                programs[usize::try_from(chance.below(4)).unwrap()],
            )
        })
        .collect()
}

fn base(name: &str, program: &str) -> String {
    format!(
        "---\ntitle: Base {name}\nname: {name}\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    selection:\n        Image|endswith: '\\{program}'\n    condition: selection\n"
    )
}

fn correlation(body: &str) -> String {
    let mut text = format!(
        "title: A correlation\nid: 0e95725d-7320-415d-80f7-004da920fc11\nstatus: test\ncorrelation:\n{body}level: high\n"
    );
    for (name, program) in [("one", "one.exe"), ("two", "two.exe"), ("three", "three.exe")] {
        text += &base(name, program);
    }
    text += "---\ntitle: Any\nname: any\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    filter:\n        Image|endswith: '\\other.exe'\n    condition: not filter\n";
    text
}

/// Computers that a query names.
fn named(text: &str, events: &[Event]) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rulec.toml"), "[check]\nattack = \"18.1\"\n").unwrap();
    let run = rulec_with(folder.path(), &["import", "sigma", "-"], text.as_bytes());
    assert_eq!(code(&run), 0, "{}\n{text}", err(&run));
    // The others are rules of the file that this correlation does not refer to.
    let paths = out(&run);
    let path = paths.lines().next().unwrap();
    let document = fs::read_to_string(folder.path().join(path)).unwrap();
    let query = document
        .split("```C#\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let mut lines = String::new();
    for (minute, computer, program) in events {
        let event = json!({
            "Timestamp": format!("2026-01-01T{:02}:{:02}:00Z", minute / 60, minute % 60),
            "ActionType": "ProcessCreated",
            "DeviceName": computer,
            "FileName": program,
            "FolderPath": format!("C:\\{program}"),
            "AccountName": "kim",
        });
        writeln!(lines, "{event}").unwrap();
    }
    fs::write(folder.path().join("events.ndjson"), lines).unwrap();
    let data = "DeviceProcessEvents=events.ndjson";
    let run = rulec(
        folder.path(),
        &[
            "query",
            query,
            "--data",
            data,
            "--now",
            "2026-01-01T01:50:00Z",
            "--format",
            "json",
        ],
    );
    let result: Value = serde_json::from_str(&out(&run)).unwrap_or_else(|_| panic!("{}\n{query}", err(&run)));
    let columns = result["columns"].as_array().unwrap();
    let place = columns
        .iter()
        .position(|column| column["name"] == "DeviceName" || column["name"] == "Computer")
        .unwrap_or_else(|| panic!("{columns:?}\n{query}"));
    let rows = result["rows"].as_array().unwrap().iter();
    rows.map(|row| row[place].as_str().unwrap().to_owned()).collect()
}

/// Computers for whose events something holds.
fn meant(events: &[Event], holds: impl Fn(&[(u64, &str)]) -> bool) -> BTreeSet<String> {
    let computers: BTreeSet<&String> = events.iter().map(|(_, computer, _)| computer).collect();
    computers
        .into_iter()
        .filter(|computer| {
            let own: Vec<(u64, &str)> = events
                .iter()
                .filter(|(_, other, _)| other == *computer)
                .map(|(minute, _, program)| (*minute, *program))
                .collect();
            holds(&own)
        })
        .cloned()
        .collect()
}

/// Whether something holds of the events of a window that begins at a fixed time.
fn in_window(events: &[(u64, &str)], holds: impl Fn(&[&str]) -> bool) -> bool {
    (0..12).any(|window| {
        let inside = events.iter().filter(|(minute, _)| minute / SPAN == window);
        let programs: Vec<&str> = inside.map(|(_, program)| *program).collect();
        !programs.is_empty() && holds(&programs)
    })
}

#[test]
fn imported_correlations_find_what_they_say() {
    let different = |programs: &[&str]| programs.iter().collect::<BTreeSet<_>>().len();
    let head = |kind: &str, rules: &str| {
        format!("    type: {kind}\n    rules: [{rules}]\n    group-by: [Computer]\n    timespan: {SPAN}m\n")
    };
    let mut some = 0;
    for seed in 0..6 {
        let events = events(seed);
        let ones: Vec<Event> = events
            .iter()
            .filter(|event| event.2 == "one.exe")
            .cloned()
            .collect();
        let known: Vec<Event> = events
            .iter()
            .filter(|event| event.2 != "other.exe")
            .cloned()
            .collect();
        let mut hold = |body: String, expected: BTreeSet<String>| {
            let found = named(&correlation(&body), &events);
            assert_eq!(found, expected, "seed {seed}\n{body}");
            some += found.len();
        };
        hold(
            head("event_count", "one") + "    condition:\n        gte: 2\n",
            meant(&ones, |own| in_window(own, |programs| programs.len() >= 2)),
        );
        hold(
            head("event_count", "any") + "    condition:\n        gt: 1\n        lte: 2\n",
            meant(&known, |own| in_window(own, |programs| programs.len() == 2)),
        );
        hold(
            head("event_count", "one, two") + "    condition:\n        gte: 3\n",
            meant(&known, |own| {
                in_window(own, |programs| {
                    programs.iter().filter(|p| **p != "three.exe").count() >= 3
                })
            }),
        );
        hold(
            head("value_count", "any") + "    condition:\n        field: Image\n        gte: 2\n",
            meant(&known, |own| in_window(own, |programs| different(programs) >= 2)),
        );
        let at = |own: &[(u64, &str)], program: &str| -> Vec<u64> {
            own.iter()
                .filter(|event| event.1 == program)
                .map(|event| event.0)
                .collect()
        };
        hold(
            head("temporal", "one, two, three"),
            meant(&events, |own| {
                let (a, b, c) = (at(own, "one.exe"), at(own, "two.exe"), at(own, "three.exe"));
                a.iter().any(|x| {
                    b.iter()
                        .any(|y| c.iter().any(|z| x.max(y).max(z) - x.min(y).min(z) <= SPAN))
                })
            }),
        );
        hold(
            head("temporal_ordered", "one, two"),
            meant(&events, |own| {
                let (a, b) = (at(own, "one.exe"), at(own, "two.exe"));
                a.iter().any(|x| b.iter().any(|y| x <= y && y - x <= SPAN))
            }),
        );
        hold(
            head("temporal", "one, two, three") + "    condition:\n        gte: 2\n",
            meant(&known, |own| in_window(own, |programs| different(programs) >= 2)),
        );
        // A count, and something behind it; the field has another name in the first rule.
        let nested = format!(
            "    type: temporal_ordered\n    rules: [many, two]\n    group-by: [box]\n    timespan: 20m\n    aliases:\n        box:\n            many: Computer\n            two: Computer\nlevel: high\n---\ntitle: Many\nname: many\ncorrelation:\n{}    condition:\n        gte: 2\n",
            head("event_count", "one")
        );
        let found = named(
            &correlation(&nested).replace("group-by: [box]", "group-by: [Computer]"),
            &events,
        );
        let expected = meant(&events, |own| {
            let b = at(own, "two.exe");
            (0..12).any(|window| {
                let a: Vec<u64> = at(own, "one.exe")
                    .into_iter()
                    .filter(|m| m / SPAN == window)
                    .collect();
                let last = a.iter().max().copied().unwrap_or_default();
                a.len() >= 2 && b.iter().any(|y| last <= *y && y - last <= 20)
            })
        });
        assert_eq!(found, expected, "seed {seed}");
    }
    assert!(some > 60, "{some}");
}

#[test]
fn what_a_correlation_cannot_say_is_told() {
    let cases = [
        (
            "type: value_percentile\n    rules: [one]\n    timespan: 1h\n    condition: {field: Image, lte: 1}\n",
            "value_percentile",
        ),
        (
            "type: event_count\n    rules: [nobody]\n    timespan: 1h\n    condition: {gte: 1}\n",
            "not in the same file",
        ),
        (
            "type: event_count\n    rules: [one]\n    timespan: soon\n    condition: {gte: 1}\n",
            "timespan",
        ),
        (
            "type: event_count\n    rules: [one]\n    timespan: 1h\n",
            "no condition",
        ),
        (
            "type: event_count\n    rules: [one]\n    timespan: 1h\n    condition: {gte: many}\n",
            "no number",
        ),
        (
            "type: value_count\n    rules: [one]\n    timespan: 1h\n    condition: {gte: 1}\n",
            "no field",
        ),
        (
            "type: value_sum\n    rules: [one]\n    timespan: 1h\n    condition: {gte: 1, field: Image}\n",
            "is no number",
        ),
        (
            "type: temporal\n    rules: [one, two]\n    group-by: [Nowhere]\n    timespan: 1h\n",
            "no column for the field Nowhere",
        ),
        (
            "type: temporal_ordered\n    rules: [one, two]\n    timespan: 1h\n    condition: {gte: 1}\n",
            "order",
        ),
    ];
    for (body, said) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rulec.toml"), "[check]\nattack = \"18.1\"\n").unwrap();
        let text = correlation(&format!("    {body}"));
        let run = rulec_with(folder.path(), &["import", "sigma", "-"], text.as_bytes());
        assert!(err(&run).contains(said), "{body}: {}", err(&run));
        assert!(!err(&run).contains("panicked"), "{}", err(&run));
    }
    // In a circle, and a filter.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rulec.toml"), "[check]\nattack = \"18.1\"\n").unwrap();
    let text = "title: A\nname: a\ncorrelation: {type: temporal, rules: [b], timespan: 1h, generate: true}\n---\ntitle: B\nname: b\ncorrelation: {type: temporal, rules: [a], timespan: 1h, generate: true}\n---\ntitle: Filter\nlogsource: {category: process_creation}\nfilter:\n    rules: [a]\n    selection: {User: adm}\n    condition: selection\n";
    let run = rulec_with(folder.path(), &["import", "sigma", "-"], text.as_bytes());
    assert!(err(&run).contains("refers to itself"), "{}", err(&run));
    assert!(err(&run).contains("`Filter` is not imported"), "{}", err(&run));
}
