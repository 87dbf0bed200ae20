//! A rule as the native target prints it: what these functions are made for.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use rulec_functions::{aggregate, arithmetic, compare, matching};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::read::{Source, read};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, InMemory, Memory, Necessary, RuntimeError, Schema, TextSet, Type, Value,
};

/// The columns of `DeviceProcessEvents` that the rule reads.
mod device_process_events {
    use super::{Schema, Type};

    pub(super) const TIMESTAMP: usize = 0;
    pub(super) const DEVICE_NAME: usize = 1;
    pub(super) const FILE_NAME: usize = 2;
    pub(super) const PROCESS_COMMAND_LINE: usize = 3;

    pub(super) fn schema() -> Schema {
        Schema::of(&[
            ("Timestamp", Type::DateTime),
            ("DeviceName", Type::String),
            ("FileName", Type::String),
            ("ProcessCommandLine", Type::String),
        ])
    }
}

fn rule() -> Rule {
    Rule {
        info: RuleInfo::new("0xFF-0001", "Downloads with certutil", "medium")
            .entity("Host", &[("HostName", "DeviceName")]),
        schedule: Schedule::seconds(3_600, 7_200),
        tables: || vec![Table::new("DeviceProcessEvents", device_process_events::schema())],
        evaluate,
    }
}

fn evaluate(ctx: &Context<'_>) -> Result<Batch, RuntimeError> {
    use device_process_events::{DEVICE_NAME, FILE_NAME, PROCESS_COMMAND_LINE, TIMESTAMP, schema};

    // let timeframe = 2*1h;
    let timeframe = arithmetic::multiply(&[Value::Long(2), Value::TimeSpan(36_000_000_000)]);
    // let switches = dynamic([…]);
    let switches = TextSet::folded(["-urlcache", "-verifyctl"]);

    let start = arithmetic::subtract(&[ctx.now(), timeframe]);
    let t = ctx.flow("DeviceProcessEvents", schema(), Necessary::ANYTHING, |t| {
        // | where ingestion_time() >= ago(timeframe)
        let t = ops::filter(t, |r| holds(&compare::ge(&[r.ingestion_time(), start.clone()])))?;
        // | where FileName =~ "certutil.exe" and ProcessCommandLine has "http" and …
        ops::filter(&t, |r| {
            holds(&compare::eq_tilde(&[
                r.get(FILE_NAME),
                Value::string("certutil.exe"),
            ])) && holds(&matching::has(&[
                r.get(PROCESS_COMMAND_LINE),
                Value::string("http"),
            ])) && r
                .str(PROCESS_COMMAND_LINE)
                .split(' ')
                .any(|word| switches.contains(word))
        })
    });
    // | summarize count(), Last = max(Timestamp) by DeviceName
    let count = aggregate("count").and_then(|row| row.new).unwrap();
    let max = aggregate("max").and_then(|row| row.new).unwrap();
    let t = ops::summarize(
        &t,
        &[out("DeviceName", Type::String, column(DEVICE_NAME))],
        &[
            agg(count, [], &[("count_", Type::Long)]),
            agg(max, [column(TIMESTAMP)], &[("Last", Type::DateTime)]),
        ],
    )?;
    // | extend Many = count_ > 1, Source = "certutil"
    ops::extend(
        &t,
        &[
            out(
                "Many",
                Type::Bool,
                each(|r| compare::gt(&[r.get(1), Value::Long(1)])),
            ),
            out("Source", Type::String, constant(Value::string("certutil"))),
        ],
    )
}

#[test]
fn runs() {
    let events = concat!(
        r#"{"Timestamp":"2026-01-01T11:00:00Z","DeviceName":"h1","FileName":"CERTUTIL.EXE","ProcessCommandLine":"certutil -URLCACHE http://x"}"#,
        "\n",
        r#"{"Timestamp":"2026-01-01T11:30:00Z","DeviceName":"h1","FileName":"certutil.exe","ProcessCommandLine":"certutil -verifyctl http://x"}"#,
        "\n",
        r#"{"Timestamp":"2026-01-01T01:30:00Z","DeviceName":"h2","FileName":"certutil.exe","ProcessCommandLine":"certutil -verifyctl http://x"}"#,
        "\n",
    );
    let memory = Memory::default();
    let schema = device_process_events::schema();
    let (rows, _) = read(events.as_bytes(), &Source::new("events", &schema, &memory)).unwrap();
    let mut tables = InMemory::new();
    tables.insert("DeviceProcessEvents", rows);
    let now = rulec_functions::text::parse_datetime("2026-01-01T12:00:00Z").unwrap();
    let found = rule().rows(&Context::new(now, &tables)).unwrap();
    assert_eq!(
        rulec_runtime::write::batch_to_json(&found),
        concat!(
            r#"{"columns":[{"name":"DeviceName","type":"string"},{"name":"count_","type":"long"},{"name":"Last","type":"datetime"},"#,
            r#"{"name":"Many","type":"bool"},{"name":"Source","type":"string"}],"#,
            r#""rows":[["h1",2,"2026-01-01T11:30:00.0000000Z",true,"certutil"]]}"#
        )
    );
}
