//! How often a rule runs and how far it looks back, from its own time bounds.

use rulec_functions::Value;
use rulec_ir::{BindingKind, Expr, ExprKind, Query, walk};
use rulec_model::{Duration, Origin, Sourced};

use crate::constant::{ago, constant};

/// What the query's time bounds ask for.
pub(super) struct Timing {
    pub(super) frequency: Sourced<Duration>,
    pub(super) period: Sourced<Duration>,
}

const TICKS: i64 = 10_000_000;
const HOUR: Duration = Duration::from_seconds(3_600);
const DAY: Duration = Duration::from_seconds(86_400);

/// A window of time written in the query.
pub(crate) struct Window {
    pub(crate) length: Duration,
    /// `2*1h`: the window is so many runs long.
    runs: Option<(i64, Duration)>,
    /// Name of the let binding, when it has one.
    pub(crate) name: Option<String>,
    /// The end of a stretch of time, as in `Timestamp < ago(5m)`: it says how
    /// far back there has to be data, not how much a run covers.
    is_late: bool,
}

/// `let timeframe = 2*1h` with `ago(timeframe)` means: every hour, looking back
/// two. Without that form, a run every window, at most a day apart. A longer
/// `ago()` anywhere lengthens the period.
pub(super) fn derive(query: &Query) -> Timing {
    let windows = windows(query);
    let Some(longest) = windows.iter().max_by_key(|w| w.length) else {
        let why = "the query has no time bounds of its own".to_owned();
        return Timing {
            frequency: Sourced::new(HOUR, Origin::Default(why.clone())),
            period: Sourced::new(HOUR, Origin::Default(why)),
        };
    };
    let period = Sourced::new(
        longest.length,
        Origin::Derived(format!("the query looks back {}", said(longest))),
    );
    let frequency = match windows.iter().find_map(|w| Some((w, w.runs?))) {
        Some((window, (times, every))) => Sourced::new(
            every,
            Origin::Derived(format!("{} is {times} runs long", said(window))),
        ),
        None => {
            let covered = windows.iter().filter(|w| !w.is_late).map(|w| w.length).min();
            let shortest = covered.unwrap_or(longest.length);
            Sourced::new(
                shortest.min(DAY),
                Origin::Derived(format!("the query covers {shortest} at a time")),
            )
        }
    };
    Timing { frequency, period }
}

/// How far back the query looks, if it says.
pub(crate) fn longest_window(query: &Query) -> Option<Window> {
    windows(query).into_iter().max_by_key(|w| w.length)
}

fn said(window: &Window) -> String {
    match &window.name {
        Some(name) => format!("`{name}` ({})", window.length),
        None => window.length.to_string(),
    }
}

/// Every constant `ago(…)` of the query, in order of appearance.
fn windows(query: &Query) -> Vec<Window> {
    let mut late: Vec<&Expr> = Vec::new();
    let mut found: Vec<(&Expr, Window)> = Vec::new();
    walk::query(query, &mut |node| {
        if let walk::Node::Expr(expr) = node {
            late.extend(late_end(query, expr));
            found.extend(window(query, expr).map(|window| (expr, window)));
        }
    });
    found.sort_by_key(|(expr, _)| (expr.span.start, expr.span.end));
    let marked = found.into_iter().map(|(expr, window)| Window {
        is_late: late.iter().any(|end| std::ptr::eq(*end, expr)),
        ..window
    });
    marked.collect()
}

/// What a comparison says a time is before.
fn late_end<'q>(query: &'q Query, expr: &'q Expr) -> Option<&'q Expr> {
    let ExprKind::Call { function, args } = &expr.kind else {
        return None;
    };
    match (function.name, args.as_slice()) {
        ("<" | "<=", [_, end]) | (">" | ">=", [end, _]) | ("between", [_, _, end]) => {
            Some(query.resolve(end))
        }
        _ => None,
    }
}

fn window(query: &Query, expr: &Expr) -> Option<Window> {
    let ExprKind::Call { args, .. } = &expr.kind else {
        return None;
    };
    let length = duration(ago(query, expr).filter(|ticks| *ticks > 0)?);
    let by = args.get(1)?;
    let binding = match &by.kind {
        ExprKind::Binding(id) => query.bindings.get(id.0),
        _ => None,
    };
    let (name, written) = match binding.map(|b| (&b.name, &b.kind)) {
        Some((name, BindingKind::Scalar(value))) => (Some(name.clone()), value),
        _ => (None, by),
    };
    Some(Window {
        length,
        runs: runs(query, written),
        name,
        is_late: false,
    })
}

/// Whether the `now() - x` of a bound is written as a number of runs, `2*1h`:
/// that windows overlap is meant.
pub(crate) fn is_runs(query: &Query, expr: &Expr) -> bool {
    window(query, query.resolve(expr)).is_some_and(|window| window.runs.is_some())
}

/// `2*1h` or `1h*2` as (2, 1h).
fn runs(query: &Query, expr: &Expr) -> Option<(i64, Duration)> {
    let ExprKind::Call { function, args } = &expr.kind else {
        return None;
    };
    if function.name != "*" {
        return None;
    }
    let values: Vec<Value> = args.iter().map(|a| constant(query, a)).collect::<Option<_>>()?;
    let (times, every) = match values.as_slice() {
        [Value::TimeSpan(every), times] | [times, Value::TimeSpan(every)] => (times, *every),
        _ => return None,
    };
    let times = match times {
        Value::Long(n) => *n,
        Value::Int(n) => i64::from(*n),
        _ => return None,
    };
    (times > 0 && every > 0).then(|| (times, duration(every)))
}

/// Whole seconds, rounded up: a window is never shortened.
pub(crate) fn duration(ticks: i64) -> Duration {
    Duration::from_seconds(ticks.unsigned_abs().div_ceil(TICKS.unsigned_abs()))
}
