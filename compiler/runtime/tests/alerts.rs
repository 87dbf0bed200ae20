//! Alerts as they are written, and the command line of rule packages.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::ffi::OsString;
use std::process::ExitCode;

use rulec_runtime::alert::{self, Format, RuleInfo};
use rulec_runtime::cli;
use rulec_runtime::ops;
use rulec_runtime::rule::{Rule, Schedule};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type};

fn info() -> RuleInfo {
    RuleInfo::new("0xFF-0001", "Certutil, again", "medium")
        .at("rules/execution/0xFF-0001.md", 43)
        .entity("Host", &[("HostName", "DeviceName")])
        .entity("Account", &[("FullName", "AccountName"), ("Sid", "AccountSid")])
}

fn certutil(ctx: &Context<'_>) -> Result<Batch, RuntimeError> {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceName", Type::String),
        ("AccountName", Type::String),
        ("FileName", Type::String),
        ("Size", Type::Long),
    ]);
    ctx.scan("DeviceProcessEvents", &schema, None, |t| {
        ops::filter(t, |r| {
            r.str(3) == "certutil.exe" && r.ticks(0).is_some_and(|t| t > 0)
        })
    })
}

const EVENTS: &str = concat!(
    r#"{"Timestamp":"2026-01-02T03:04:05Z","DeviceName":"h1","AccountName":"a, \"b\"","FileName":"certutil.exe","Size":3}"#,
    "\n",
    r#"{"Timestamp":"2026-01-02T03:04:06Z","DeviceName":"h2","AccountName":"","FileName":"certutil.exe"}"#,
    "\n",
    r#"{"Timestamp":"2026-01-02T03:04:06Z","DeviceName":"h3","FileName":"other.exe"}"#,
    "\n",
);

fn run(args: &[&str]) -> (ExitCode, String, String) {
    let rules = [Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 7_200),
        tables: Vec::new,
        evaluate: certutil,
    }];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = cli::run(&rules, args.iter().map(OsString::from), &mut out, &mut err);
    (
        code,
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

struct Dir(std::path::PathBuf);

impl Dir {
    #[allow(clippy::disallowed_methods, reason = "a test makes the files it reads")]
    fn with(name: &str, text: &str) -> (Self, String) {
        let dir = std::env::temp_dir().join(format!("rulec-runtime-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        (Self(dir), path.to_str().unwrap().to_owned())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn memory_has_a_limit() {
    let (_dir, path) = Dir::with("memory.ndjson", EVENTS);
    let data = format!("DeviceProcessEvents={path}");
    let (code, out, err) = run(&["--data", &data, "--memory", "0"]);
    assert_eq!((code, out.as_str()), (ExitCode::from(2), ""));
    assert!(
        err.contains("RR003") && err.contains("raise it with --memory"),
        "{err}"
    );
    assert_eq!(run(&["--data", &data, "--memory=1"]).0, ExitCode::from(1));
    let (code, _, err) = run(&["--data", &data, "--memory", "much"]);
    assert_eq!(
        (code, err.as_str()),
        (ExitCode::from(2), "error: RR008: `much` is not a number of MB\n")
    );
}

#[test]
fn fires() {
    let (_dir, path) = Dir::with("fires.ndjson", EVENTS);
    let data = format!("DeviceProcessEvents={path}");
    let (code, out, err) = run(&["--data", &data, "--now", "2026-01-03"]);
    assert_eq!((code, err.as_str()), (ExitCode::from(1), ""));
    let expected = concat!(
        r#"{"rulec":"0.1.0","rule":"0xFF-0001","title":"Certutil, again","severity":"medium","#,
        r#""time":"2026-01-02T03:04:05.0000000Z","document":"rules/execution/0xFF-0001.md","line":43,"#,
        r#""entities":[{"type":"Host","HostName":"h1"},{"type":"Account","FullName":"a, \"b\""}],"#,
        r#""row":{"Timestamp":"2026-01-02T03:04:05.0000000Z","DeviceName":"h1","AccountName":"a, \"b\"","FileName":"certutil.exe","Size":3}}"#,
        "\n",
        r#"{"rulec":"0.1.0","rule":"0xFF-0001","title":"Certutil, again","severity":"medium","#,
        r#""time":"2026-01-02T03:04:06.0000000Z","document":"rules/execution/0xFF-0001.md","line":43,"#,
        r#""entities":[{"type":"Host","HostName":"h2"}],"#,
        r#""row":{"Timestamp":"2026-01-02T03:04:06.0000000Z","DeviceName":"h2","AccountName":"","FileName":"certutil.exe","Size":null}}"#,
        "\n",
    );
    assert_eq!(out, expected);
    let (_, out, _) = run(&["--data", &data, "--format=csv"]);
    assert_eq!(
        out.lines().next().unwrap(),
        "time,severity,rule,title,entities,document,line,row"
    );
    assert!(
        out.contains("2026-01-02T03:04:06.0000000Z,medium,0xFF-0001,\"Certutil, again\",Host: h2,rules/execution/0xFF-0001.md,43,\"{"),
        "{out}"
    );
    let (_, out, _) = run(&["--data", &data, "--format", "table", "--rule", "0xFF-0001"]);
    let lines = out.lines().collect::<Vec<_>>();
    assert_eq!(
        lines[2],
        "2026-01-02T03:04:05.0000000Z  medium    0xFF-0001  Certutil, again  Host: h1; Account: a, \"b\""
    );
    assert_eq!(lines.len(), 4);
}

#[test]
fn exit_codes() {
    let (_dir, path) = Dir::with("quiet.ndjson", "{\"FileName\":\"x\"}\n{\n");
    let data = format!("DeviceProcessEvents={path}");
    let (code, out, err) = run(&["--data", &data]);
    assert_eq!((code, out.as_str()), (ExitCode::from(2), ""));
    assert!(
        err.starts_with("error: RR001: 0xFF-0001: ") && err.contains("quiet.ndjson:2:"),
        "{err}"
    );
    let (code, _, err) = run(&["--data", &data, "--lenient"]);
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(
        err.starts_with("warning: ") && err.contains("skipped 1 malformed line,"),
        "{err}"
    );
    for (args, message) in [
        (&["--what"][..], "`--what` is not an argument"),
        (&["--data"], "`--data` needs a value"),
        (&["--data", "x"], "should be `--data TABLE=PATH`"),
        (&["--now", "soon"], "`soon` is not a time"),
        (&["--format", "xml"], "`xml` is not a format"),
        (&["--rule", "other"], "there is no rule `other`"),
        (&[], "no data was given for `DeviceProcessEvents`"),
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, ExitCode::from(2));
        assert!(err.contains(message), "{err}");
    }
    assert!(run(&["--help"]).1.contains("Usage:"));
    assert_eq!(run(&["--list"]).1, "0xFF-0001\tCertutil, again\n");
}

#[test]
fn nothing_to_write() {
    for (format, expected) in [
        (Format::Ndjson, ""),
        (
            Format::Csv,
            "time,severity,rule,title,entities,document,line,row\n",
        ),
        (
            Format::Table,
            "time  severity  rule  title  entities\n----  --------  ----  -----  --------\n",
        ),
    ] {
        let mut out = Vec::new();
        alert::write(&mut out, format, &[]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn without_now_the_newest_event_is_now() {
    fn recent(ctx: &Context<'_>) -> Result<Batch, RuntimeError> {
        let now = ctx.now_ticks();
        let schema = Schema::of(&[("Timestamp", Type::DateTime)]);
        ctx.scan("DeviceProcessEvents", &schema, None, |t| {
            ops::filter(t, |r| r.ticks(0) == Some(now))
        })
    }
    let (_dir, path) = Dir::with("newest.ndjson", EVENTS);
    let rules = [Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 7_200),
        tables: Vec::new,
        evaluate: recent,
    }];
    let data = OsString::from(format!("DeviceProcessEvents={path}"));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = cli::run(&rules, [OsString::from("--data"), data], &mut out, &mut err);
    assert_eq!(code, ExitCode::from(1), "{}", String::from_utf8_lossy(&err));
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
}
