//! Streams: what comes in any order gives what evaluating everything again at
//! every tick would give.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::collections::{BTreeMap, BTreeSet};

use rulec_functions::{Type, Value, aggregate, text};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, JoinKind, agg, column, left, out, right};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::stream::{Fired, Missed, Stream};
use rulec_runtime::{Batch, Context, InMemory, Memory, RuntimeError, Schema};

const MINUTE: i64 = 600_000_000;

fn logons() -> Schema {
    Schema::of(&[("Timestamp", Type::DateTime), ("Account", Type::String)])
}

fn changes() -> Schema {
    Schema::of(&[("TimeGenerated", Type::DateTime), ("Who", Type::String)])
}

/// Accounts with more than two logons and a change, every ten minutes over an hour.
fn windowed() -> Rule {
    Rule {
        info: RuleInfo::new("R-1", "Logons and a change", "low"),
        schedule: Schedule::seconds(600, 3_600),
        tables: || vec![Table::new("Logons", logons()), Table::new("Changes", changes())],
        evaluate: |context| {
            let t = context.table("Logons", &logons())?;
            let t = ops::summarize(
                &t,
                &[out("Account", Type::String, column(1))],
                &[agg(aggregate::statistics::count, [], &[("Count", Type::Long)])],
            )?;
            let t = ops::filter(&t, |row| row.long(1) > Some(2))?;
            let changes = context.table("Changes", &changes())?;
            ops::join(
                &t,
                &changes,
                JoinKind::Inner,
                &[column(0)],
                &[column(1)],
                &[left("Account", 0), left("Count", 1), right("TimeGenerated", 0)],
            )
        },
    }
}

/// Logons of one account.
fn stateless() -> Rule {
    Rule {
        info: RuleInfo::new("R-2", "A logon of kim", "low"),
        schedule: Schedule::seconds(600, 3_600).stateless(),
        tables: || vec![Table::new("Logons", logons())],
        evaluate: |context| {
            context.scan("Logons", &logons(), None, |t| {
                ops::filter(t, |row| row.str(1) == "kim")
            })
        },
    }
}

fn start() -> i64 {
    text::parse_datetime("2026-01-15T00:00:00Z").unwrap()
}

/// An event: minutes since the start, whether it is a logon, whose.
type Event = (i64, bool, u8);

fn batch(events: &[Event], logon: bool) -> Batch {
    let rows = events.iter().filter(|(_, kind, _)| *kind == logon);
    let rows = rows.map(|(minute, _, who)| {
        vec![
            Value::DateTime(start() + minute * MINUTE),
            Value::string(format!("a{who}")),
        ]
    });
    let schema = if logon { logons() } else { changes() };
    Batch::from_rows(schema, rows, &Memory::default()).unwrap()
}

fn feed(stream: &mut Stream<'_>, event: Event) -> Vec<Fired> {
    let table = if event.1 { "Logons" } else { "Changes" };
    stream.feed(table, &batch(&[event], event.1)).unwrap()
}

fn shown(at: i64, row: &[(String, Value)]) -> String {
    let row = row
        .iter()
        .map(|(_, value)| text::print(value))
        .collect::<Vec<_>>();
    format!("{} {}", (at - start()) / MINUTE, row.join("|"))
}

/// All rows that evaluating everything again at every tick gives, without
/// those that the ticks of an overlapping window gave.
fn by_batches(events: &[Event]) -> Vec<String> {
    let rule = windowed();
    let mut found = Vec::new();
    let mut seen: BTreeMap<String, i64> = BTreeMap::new();
    // Up to the first tick that sees the newest event.
    let newest = events.iter().map(|event| event.0).max().unwrap_or(-10);
    for tick in (10..=newest / 10 * 10 + 10).step_by(10) {
        let within = |event: &&Event| event.0 < tick && event.0 >= tick - 60;
        let within = events.iter().filter(within).copied().collect::<Vec<_>>();
        let mut tables = InMemory::new();
        tables.insert("Logons", batch(&within, true));
        tables.insert("Changes", batch(&within, false));
        let now = start() + tick * MINUTE;
        let result = rule.rows(&Context::new(now, &tables)).unwrap();
        let rows = result.iter().map(|row| {
            let names = result
                .schema()
                .columns()
                .iter()
                .map(|column| column.name.to_string());
            names.zip(row.values()).collect::<Vec<_>>()
        });
        let mut now_seen = BTreeMap::new();
        for row in rows {
            let key = shown(start(), &row);
            if seen.get(&key).is_none_or(|at| *at <= tick - 60) {
                found.push(shown(now, &row));
            }
            now_seen.insert(key, tick);
        }
        seen.append(&mut now_seen);
    }
    found.sort();
    found
}

#[test]
fn out_of_order_is_as_in_batches() {
    let mut alerts = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut events = (0..random.usize(0..80))
            .map(|_| (random.i64(0..400), true, random.u8(0..3)))
            .collect::<Vec<_>>();
        // A change of an account at a minute is there once, so that equal rows are one.
        let changes = (0..random.usize(0..12)).map(|_| (random.i64(0..400), false, random.u8(0..3)));
        events.extend(changes.collect::<BTreeSet<_>>());
        // An event arrives up to half an hour after its time.
        events.sort_by_cached_key(|event| event.0 + random.i64(0..30));
        let rule = windowed();
        let mut stream = Stream::new(&rule).lateness_seconds(30 * 60);
        let fed = events.iter().flat_map(|event| feed(&mut stream, *event));
        let mut fired = fed.collect::<Vec<_>>();
        fired.extend(stream.finish().unwrap());
        assert_eq!(stream.missed(), Missed::default(), "{seed}");
        assert!(fired.is_sorted_by_key(|fired| fired.at), "{seed}");
        alerts += fired.len();
        let shown = fired.iter().map(|fired| shown(fired.at, &fired.alert.row));
        let mut shown = shown.collect::<Vec<_>>();
        shown.sort();
        assert_eq!(shown, by_batches(&events), "{seed}");
    }
    assert!(alerts > 100, "only {alerts} alerts");
}

#[test]
fn overlapping_windows_give_an_alert_once() {
    let rule = windowed();
    let mut stream = Stream::new(&rule);
    let events = [
        (1, false, 1),
        (2, true, 1),
        (3, true, 1),
        (4, true, 1),
        (55, true, 2),
    ];
    let mut fired = events
        .iter()
        .flat_map(|event| feed(&mut stream, *event))
        .collect::<Vec<_>>();
    fired.extend(stream.finish().unwrap());
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].at, start() + 10 * MINUTE);
    assert_eq!(fired[0].alert.rule, "R-1");
}

#[test]
fn late_events_are_counted_and_seen_by_later_ticks() {
    let rule = windowed();
    let mut stream = Stream::new(&rule);
    let mut fired = Vec::new();
    for event in [
        (1, true, 1),
        (2, true, 1),
        (31, false, 1),
        (3, true, 1),
        (45, true, 2),
        (500, true, 2),
    ] {
        fired.extend(feed(&mut stream, event));
    }
    assert_eq!(
        stream.missed(),
        Missed {
            late: 1,
            ..Missed::default()
        }
    );
    // The ticks at 10, 20 and 30 could not see it; the one at 40 does.
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].at, start() + 40 * MINUTE);
    // Too old for any tick to come.
    assert!(feed(&mut stream, (4, true, 1)).is_empty());
    assert_eq!(
        stream.missed(),
        Missed {
            late: 2,
            dropped: 1,
            ..Missed::default()
        }
    );
    // A time that nobody says.
    assert!(
        stream
            .feed_ndjson("Logons", br#"{"Account":"a1"}"#)
            .unwrap()
            .is_empty()
    );
    assert_eq!(stream.missed().timeless, 1);
}

#[test]
fn what_nobody_looks_back_to_is_let_go() {
    let rule = windowed();
    let mut stream = Stream::new(&rule).lateness_seconds(600);
    let mut most = 0;
    for minute in 0..5_000 {
        feed(&mut stream, (minute, true, u8::try_from(minute % 200).unwrap()));
        most = most.max(stream.held());
    }
    // An hour's look-back, ten minutes' lateness and a tick's frequency.
    assert!(most <= 81, "{most}");
    // A year later: the ticks between are not evaluated one by one.
    feed(&mut stream, (600_000, true, 1));
    assert_eq!(stream.watermark(), Some(start() + 599_990 * MINUTE));
    assert_eq!(stream.held(), 1);
}

#[test]
fn a_stateless_rule_answers_at_once() {
    let rule = stateless();
    let mut stream = Stream::new(&rule);
    let event =
        |time: &str, who: &str| format!(r#"{{"Timestamp":"2026-01-15T{time}:00Z","Account":"{who}"}}"#);
    let lines = [
        event("10:00", "kim"),
        event("10:01", "ann"),
        event("09:30", "kim"),
    ]
    .join("\n");
    let fired = stream.feed_ndjson("Logons", lines.as_bytes()).unwrap();
    assert_eq!(fired.len(), 2);
    assert_eq!(stream.held(), 0);
    // Nobody asked for this table.
    assert!(stream.feed_ndjson("Others", b"{}").unwrap().is_empty());
    // Before the look-back of the newest event.
    stream
        .feed_ndjson("Logons", event("08:00", "ann").as_bytes())
        .unwrap();
    assert_eq!(stream.missed().late, 1);
    assert!(stream.finish().unwrap().is_empty());
}

#[test]
fn an_iterator_of_events_is_an_iterator_of_alerts() {
    let rule = windowed();
    let events = [(2, true, 1), (3, true, 1), (1, false, 1), (4, true, 1)];
    let events = events.map(|event| {
        let table = if event.1 { "Logons" } else { "Changes" };
        (table.to_owned(), batch(&[event], event.1))
    });
    let mut alerts = Stream::new(&rule).lateness_seconds(60).over(events);
    let fired = alerts.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(fired.len(), 1);
    assert_eq!(alerts.stream().missed(), Missed::default());
}

#[test]
fn what_is_given_once_comes_from_elsewhere() {
    let rule = Rule {
        info: RuleInfo::new("R-3", "Watched", "low"),
        schedule: Schedule::seconds(60, 60).stateless(),
        tables: || vec![Table::new("Logons", logons())],
        evaluate: |context| {
            let watched = context.table("watchlist:Watched", &Schema::of(&[("Name", Type::String)]))?;
            let names = watched
                .iter()
                .map(|row| row.str(0).to_owned())
                .collect::<Vec<_>>();
            let t = context.table("Logons", &logons())?;
            ops::filter(&t, |row| names.iter().any(|name| name == row.str(1)))
        },
    };
    let mut missing = Stream::new(&rule);
    let error: RuntimeError = missing.feed("Logons", &batch(&[(1, true, 1)], true)).unwrap_err();
    assert!(error.message.contains("Watched"), "{error}");
    let mut facts = InMemory::new();
    let rows = [vec![Value::string("a1")]];
    let names = Schema::of(&[("Name", Type::String)]);
    facts.insert(
        "watchlist:Watched",
        Batch::from_rows(names, rows, &Memory::default()).unwrap(),
    );
    let mut stream = Stream::new(&rule).facts(&facts);
    let fired = stream
        .feed("Logons", &batch(&[(1, true, 1), (2, true, 2)], true))
        .unwrap();
    assert_eq!(fired.len(), 1);
}

#[test]
fn a_rule_runs_over_batches() {
    let rule = windowed();
    let names = rule.tables().iter().map(|table| table.name).collect::<Vec<_>>();
    assert_eq!(names, ["Changes", "Logons"]);
    let events = [(1, true, 1), (2, true, 1), (3, true, 1), (4, false, 1)];
    let tables = [
        ("Logons", batch(&events, true)),
        ("Changes", batch(&events, false)),
    ];
    assert_eq!(rule.run(start(), tables).unwrap().rows(), 1);
    assert!(rule.run(start(), [("Logons", batch(&events, true))]).is_err());
}
