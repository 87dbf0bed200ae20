//! Where events come from: the arguments of `--data` and `--now`.
//!
//! In: what the command line says. Out: tables by name, as the runtime reads
//! them, and the time that `now()` gives.

use std::sync::LazyLock;

use rulec_ir::{
    Catalog, ExprKind, Query,
    walk::{self, Node},
};
use rulec_runtime::{Progress, files::Files};

/// Where events come from, as the command line says it.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// `TABLE=PATH`, or a path named after its table.
    pub data: Vec<String>,
    /// What `now()` gives.
    pub now: Option<String>,
    /// Skip lines that cannot be read.
    pub lenient: bool,
    /// Check every byte, also where no rule looks.
    pub strict: bool,
    /// Memory for operators, in megabytes.
    pub memory: u64,
}

/// Tables that no catalog lists: what functions of the platform know.
const OUTSIDE: [&str; 2] = ["FileProfile", "DeviceFromIP"];

/// The tables that the command line gives. A path without a table is named
/// after its table: one of the catalog, in any case, or one that is `asked` for.
pub fn files(input: &Input, catalog: &Catalog, asked: impl Fn(&str) -> bool) -> Result<Files, String> {
    let names = LazyLock::new(|| catalog.matching("*"));
    let known = |name: &str| {
        if asked(name) || catalog.table(name).is_some() {
            return Some(name.to_owned());
        }
        let outside = OUTSIDE.iter().copied();
        let mut all = outside.chain(names.iter().map(String::as_str));
        all.find(|table| table.eq_ignore_ascii_case(name))
            .map(str::to_owned)
    };
    let mut files = Files::new().lenient(input.lenient).strict(input.strict);
    #[cfg(feature = "parquet")]
    {
        files = files.columnar(rulec_columnar::Reader);
    }
    for given in &input.data {
        files.add(given, &known).map_err(|error| error.message)?;
    }
    Ok(files)
}

/// Tables that were given, and that neither a rule asks for nor the catalog
/// knows: a misspelt name, most likely.
pub fn unasked(files: &Files, catalog: &Catalog, asked: impl Fn(&str) -> bool) -> Vec<String> {
    let strange = files.names().filter(|name| {
        let watchlist = format!("watchlist:{name}");
        let known = catalog.table(name).is_some() || OUTSIDE.contains(name);
        !known && !asked(name) && !asked(&watchlist) && !name.contains(':')
    });
    strange
        .map(|name| {
            let close = catalog.close_tables(name);
            let meant = close
                .first()
                .map_or_else(String::new, |table| format!("; did you mean `{table}`?"));
            format!("warning: data was given for `{name}`, which no rule reads{meant}")
        })
        .collect()
}

/// `--now`, if it was given.
pub fn given_now(input: &Input) -> Result<Option<i64>, String> {
    input.now.as_deref().map(time).transpose()
}

/// `--now` of a command that looks at no events: that time, else the clock.
pub fn now_or_clock(given: Option<&str>) -> Result<i64, String> {
    given.map_or_else(|| Ok(rulec_runtime::cli::clock()), time)
}

/// A time as people write it, in ticks.
fn time(text: &str) -> Result<i64, String> {
    rulec_functions::text::parse_datetime(text)
        .ok_or_else(|| format!("`{text}` is not a time such as 2026-01-31T12:00:00Z"))
}

/// `--now`; else the newest event of the data, whichever tables the queries
/// read; else, where no event has a time, the clock. None when nobody said and
/// no query asks: then looking through the data would be for nothing.
pub fn now<'q>(
    input: &Input,
    files: &Files,
    queries: impl IntoIterator<Item = &'q Query>,
    progress: &Progress,
) -> Result<Option<i64>, String> {
    let given = given_now(input)?;
    if given.is_some() || !queries.into_iter().any(asks_for_now) {
        return Ok(given);
    }
    let newest = newest(files, progress);
    Ok(Some(newest.unwrap_or_else(rulec_runtime::cli::clock)))
}

/// The newest event of the data. What functions of the platform, watchlists
/// and external data say is no event.
pub fn newest(files: &Files, progress: &Progress) -> Option<i64> {
    let events = files
        .names()
        .filter(|name| rulec_runtime::cli::is_event_table(name));
    rulec_runtime::newest(files, events, progress)
}

/// Whether a query's result may depend on `now()`.
pub fn asks_for_now(query: &Query) -> bool {
    let mut asks = false;
    walk::query(query, &mut |node| {
        asks |= matches!(node, Node::Expr(expr) if matches!(expr.kind, ExprKind::Now));
    });
    asks
}
