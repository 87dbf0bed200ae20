//! The `main` of an emitted rule package.
//!
//! In: the package's rules and the command line. Out: alerts on standard
//! output and errors on standard error, as `rulec run` gives them. Files are opened by
//! [`crate::files`].

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::alert::{self, Alert, Format};
use crate::context::Context;
use crate::error::{Code, RuntimeError};
use crate::files::Files;
use crate::memory::Memory;
use crate::newest::newest;
use crate::progress::Progress;
use crate::rule::Rule;
use crate::turns::try_in_order;

const USAGE: &str = "\
Runs detection rules over exported logs.

Usage: --data TABLE=PATH... [--rule ID]... [--now TIME] [--format ndjson|table|csv] [--lenient]
       [--strict] [--missing-empty] [--memory MB]

  --data TABLE=PATH   rows of a table: NDJSON, JSON or CSV, packed or not; a file, a folder, a
                      pattern, or - for standard input; repeatable
  --rule ID           only this rule; repeatable
  --now TIME          the time that now() gives, such as 2026-11-01T00:00:00Z
                      (default: the newest event; where none has a time, the clock)
  --format FORMAT     ndjson (default), table or csv
  --lenient           skip malformed lines instead of stopping
  --strict            check every byte, also where no rule looks
  --missing-empty     a table that is not given has no rows
  --memory MB         what all rules together may hold at a time (default: 4096)
  --list              list the rules and stop
  --help              print this

Exit code: 0 nothing fired, 1 something fired, 2 an error.
";

/// Runs the rules of a package with the arguments of the process.
pub fn main(rules: &[Rule]) -> ExitCode {
    run(
        rules,
        std::env::args_os().skip(1),
        &mut io::stdout().lock(),
        &mut io::stderr().lock(),
    )
}

/// [`main`] with everything given.
pub fn run(
    rules: &[Rule],
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match try_run(rules, args, out, err) {
        Ok(fired) => ExitCode::from(u8::from(fired)),
        Err(error) => {
            // Nothing is left to say it to when standard error is gone.
            let _ = writeln!(err, "error: {error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Options {
    data: Vec<String>,
    rules: Vec<String>,
    now: Option<i64>,
    format: Format,
    lenient: bool,
    strict: bool,
    missing_empty: bool,
    memory: Option<usize>,
    action: Action,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Action {
    #[default]
    Run,
    List,
    Help,
}

fn usage(message: impl Into<String>) -> RuntimeError {
    RuntimeError::new(Code::USAGE, message)
}

fn parse_args(args: impl IntoIterator<Item = OsString>) -> Result<Options, RuntimeError> {
    let mut options = Options::default();
    let mut args = args.into_iter().map(|arg| {
        arg.into_string()
            .map_err(|arg| usage(format!("the argument {} is not UTF-8", arg.display())))
    });
    while let Some(arg) = args.next().transpose()? {
        let (name, given) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (arg, None),
        };
        let mut value = || match given.clone() {
            Some(value) => Ok(value),
            None => args
                .next()
                .transpose()?
                .ok_or_else(|| usage(format!("`{name}` needs a value"))),
        };
        match name.as_str() {
            "--data" => {
                let value = value()?;
                if !value.contains('=') {
                    return Err(usage(format!("`--data {value}` should be `--data TABLE=PATH`")));
                }
                options.data.push(value);
            }
            "--rule" => options.rules.push(value()?),
            "--now" => {
                let value = value()?;
                let ticks = rulec_functions::text::parse_datetime(&value)
                    .ok_or_else(|| usage(format!("`{value}` is not a time")))?;
                options.now = Some(ticks);
            }
            "--format" => {
                let value = value()?;
                options.format =
                    Format::parse(&value).ok_or_else(|| usage(format!("`{value}` is not a format")))?;
            }
            "--lenient" => options.lenient = true,
            "--strict" => options.strict = true,
            "--missing-empty" => options.missing_empty = true,
            "--memory" => {
                let value = value()?;
                let megabytes = value.parse::<usize>();
                let megabytes = megabytes.map_err(|_| usage(format!("`{value}` is not a number of MB")))?;
                options.memory = Some(megabytes.saturating_mul(1 << 20));
            }
            "--list" => options.action = Action::List,
            "--help" | "-h" => options.action = Action::Help,
            other => return Err(usage(format!("`{other}` is not an argument; see --help"))),
        }
    }
    Ok(options)
}

fn try_run(
    rules: &[Rule],
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, RuntimeError> {
    let unwritable =
        |error: io::Error| RuntimeError::new(Code::OUTPUT_UNWRITABLE, format!("writing failed: {error}"));
    let options = parse_args(args)?;
    if options.action == Action::Help {
        out.write_all(USAGE.as_bytes()).map_err(unwritable)?;
        return Ok(false);
    }
    if options.action == Action::List {
        for rule in rules {
            writeln!(out, "{}\t{}", rule.info.id, rule.info.title).map_err(unwritable)?;
        }
        return Ok(false);
    }
    if let Some(unknown) = options
        .rules
        .iter()
        .find(|id| !rules.iter().any(|rule| rule.info.id == id.as_str()))
    {
        return Err(usage(format!(
            "there is no rule `{unknown}` in this package; see --list"
        )));
    }
    let mut files = Files::new()
        .lenient(options.lenient)
        .strict(options.strict)
        .missing_empty(options.missing_empty);
    // A package knows no catalog that a path could be named after.
    for given in &options.data {
        files.add(given, &|_| None)?;
    }
    let now = options.now.unwrap_or_else(|| {
        let events = files.names().filter(|name| is_event_table(name));
        newest(&files, events, &Progress::new()).unwrap_or_else(clock)
    });
    let chosen = rules
        .iter()
        .filter(|rule| options.rules.is_empty() || options.rules.iter().any(|id| rule.info.id == id.as_str()))
        .collect::<Vec<_>>();
    let tables = chosen.iter().flat_map(|rule| (rule.tables)()).collect::<Vec<_>>();
    let wanted = tables.iter().map(|table| (table.name, &table.necessary));
    files.prepare(wanted, now, &Progress::new())?;
    let memory = options.memory.map_or_else(Memory::default, Memory::with_limit);
    let context = Context::new(now, &files).with_memory(memory);
    let mut fired: Vec<Alert> = Vec::new();
    let evaluate = |number: usize| {
        let rule: &Rule = chosen[number];
        let result = rule
            .rows(&context)
            .map_err(|error| RuntimeError::new(error.code, format!("{}: {}", rule.info.id, error.message)))?;
        Ok(alert::alerts(&rule.info, &result))
    };
    try_in_order(chosen.len(), evaluate, &mut |alerts| {
        fired.extend(alerts);
        Ok(true)
    })?;
    alert::write(out, options.format, &fired)
        .and_then(|()| out.flush())
        .map_err(unwritable)?;
    for warning in files.warnings() {
        writeln!(err, "warning: {warning}").map_err(unwritable)?;
    }
    Ok(!fired.is_empty())
}

/// Whether rows of a table are events: not what functions of the platform,
/// watchlists and external data say.
pub fn is_event_table(name: &str) -> bool {
    !matches!(name, "FileProfile" | "DeviceFromIP") && !name.contains(':')
}

/// The time by the clock, in ticks: what `now()` gives without `--now` when no
/// event has a time.
pub fn clock() -> i64 {
    /// 1970-01-01 in ticks.
    const EPOCH: i64 = 621_355_968_000_000_000;
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the main of a program: without --now it runs now"
    )]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos() / 100).map_or(EPOCH, |ticks| EPOCH.saturating_add(ticks))
}
