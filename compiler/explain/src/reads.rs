//! How a query reads its tables: which times of each it lets through.
//!
//! In: a bound query. Out: a [`Read`] for each place at which the result's
//! rows come from a table, with the bounds on when an event happened and on
//! when it came in, relative to `now()`. Deliberately absent: subqueries that
//! give one value or a list, and what a schedule makes of the bounds (`check`,
//! the driver).

use rulec_ir::{
    BindingKind, Expr, ExprKind, JoinKind, Operator, Origin, Query, Rel, RelKind,
    walk::{self, Node},
};
use rulec_source::Span;

use crate::{constant::ago, settings::is_runs, walk::source_table};

/// The columns that say when an event happened.
pub const EVENT_TIMES: [&str; 2] = ["Timestamp", "TimeGenerated"];

/// The tables that hold what rules have alerted on.
const ALERTS: [&str; 4] = ["SecurityAlert", "SecurityIncident", "AlertInfo", "AlertEvidence"];

/// A query may name a binding often, and that one another: where it is read in
/// more places than this, no more is said of it.
const MOST_READS: usize = 128;

/// Relations that are gone through at most.
const MOST_STEPS: usize = 20_000;

/// Which time of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// When it happened: `Timestamp`, `TimeGenerated`.
    Event,
    /// When it came in: `ingestion_time()`.
    Ingestion,
}

/// What rows of a table are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// They are what the rule looks for.
    Sought,
    /// They have to be there for the sought ones to count: the other side of
    /// an inner join.
    Partner,
    /// They say what is known already, or add to a result: a baseline, names.
    Known,
}

/// A bound on a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Of which time.
    pub clock: Clock,
    /// Whether it is the earliest time that passes, or the latest.
    pub earliest: bool,
    /// How long before `now()`, in ticks of 100 ns.
    pub ago: i64,
    /// It is written as a number of runs, `2*1h`: that they overlap is meant.
    pub runs: bool,
    /// Where `ago(…)` stands in the query.
    pub span: Span,
}

/// A place at which a query reads a table.
#[derive(Clone, Debug)]
pub struct Read<'q> {
    /// The table.
    pub table: &'q str,
    /// Its place.
    pub span: Span,
    /// What its rows are for.
    pub part: Part,
    /// The bounds that every row meets which comes to the result.
    pub bounds: Vec<Bound>,
    /// There are conditions on time besides, which are not understood.
    pub unclear: bool,
}

impl Read<'_> {
    /// The bound that says how far back rows of this clock reach.
    pub fn from(&self, clock: Clock) -> Option<Bound> {
        let own = self.bounds.iter().filter(|b| b.clock == clock && b.earliest);
        own.copied().min_by_key(|b| b.ago)
    }

    /// How long ago rows of this clock end; 0 where nothing keeps new ones out.
    pub fn until(&self, clock: Clock) -> i64 {
        let own = self.bounds.iter().filter(|b| b.clock == clock && !b.earliest);
        own.map(|b| b.ago).max().unwrap_or_default()
    }
}

/// A bound on its way down to the table it is about.
#[derive(Clone, Copy)]
struct Falling {
    /// The column; none for when the row came in.
    column: Option<usize>,
    earliest: bool,
    ago: i64,
    runs: bool,
    span: Span,
}

struct Way<'q> {
    rel: &'q Rel,
    part: Part,
    falling: Vec<Falling>,
    unclear: bool,
}

/// The places at which the rows of the result come from tables, in the order
/// of the text.
pub fn reads(query: &Query) -> Vec<Read<'_>> {
    let mut found: Vec<Read<'_>> = Vec::new();
    let Some(root) = &query.root else {
        return found;
    };
    let mut steps = 0;
    let mut todo = vec![Way {
        rel: root,
        part: Part::Sought,
        falling: Vec::new(),
        unclear: false,
    }];
    while let Some(way) = todo.pop() {
        steps += 1;
        if found.len() >= MOST_READS || steps >= MOST_STEPS {
            // What is left unsaid may be what matters.
            for read in &mut found {
                read.unclear = true;
            }
            break;
        }
        match &way.rel.kind {
            RelKind::Table { name } => found.push(arrived(name, way)),
            _ => step(query, way, &mut todo),
        }
    }
    found.sort_by_key(|read| (read.span.start, read.span.end));
    found
}

fn arrived<'q>(name: &'q str, way: Way<'q>) -> Read<'q> {
    let mut unclear = way.unclear;
    let mut bounds = Vec::new();
    for falling in way.falling {
        let clock = match falling.column.map(|index| way.rel.columns.get(index)) {
            None => Clock::Ingestion,
            Some(Some(column)) if EVENT_TIMES.contains(&&*column.name) => Clock::Event,
            Some(_) => {
                // Another time of the same event, such as the start of a process.
                unclear = true;
                continue;
            }
        };
        bounds.push(Bound {
            clock,
            earliest: falling.earliest,
            ago: falling.ago,
            runs: falling.runs,
            span: falling.span,
        });
    }
    Read {
        table: name,
        span: way.rel.span,
        part: way.part,
        bounds,
        unclear,
    }
}

/// Goes from a relation to those it reads.
fn step<'q>(query: &'q Query, way: Way<'q>, todo: &mut Vec<Way<'q>>) {
    let Way {
        rel,
        part,
        mut falling,
        mut unclear,
    } = way;
    // Bounds of the columns that come from an input; the others are lost, and
    // with them how the input is bounded.
    let carry =
        |falling: &[Falling], unclear: bool, ingested: bool, from: &dyn Fn(usize) -> Option<usize>| {
            let mut unclear = unclear;
            let mut kept = Vec::new();
            for bound in falling {
                let column = match bound.column {
                    None if ingested => Some(None),
                    None => None,
                    Some(index) => from(index).map(Some),
                };
                match column {
                    Some(column) => kept.push(Falling { column, ..*bound }),
                    None => unclear = true,
                }
            }
            (kept, unclear)
        };
    let way = |rel: &'q Rel, part: Part, (falling, unclear): (Vec<Falling>, bool)| Way {
        rel,
        part,
        falling,
        unclear,
    };
    match &rel.kind {
        RelKind::Ref(id) => {
            if let Some(BindingKind::Table { rel, .. }) = query.binding(*id).map(|b| &b.kind) {
                todo.push(way(rel, part, (falling, unclear)));
            }
        }
        RelKind::Filter { input, predicate } => {
            for conjunct in walk::conjuncts(predicate) {
                match bounds(query, conjunct) {
                    Some(more) => falling.extend(more),
                    None => unclear |= speaks_of_now(query, conjunct),
                }
            }
            todo.push(way(input, part, (falling, unclear)));
        }
        RelKind::Project { input, exprs, .. } => {
            let from = |index: usize| match exprs.get(index).map(|expr| &expr.kind) {
                Some(ExprKind::Column(column)) => Some(*column),
                _ => None,
            };
            todo.push(way(input, part, carry(&falling, unclear, true, &from)));
        }
        RelKind::Sort { input, .. } | RelKind::Take { input, .. } | RelKind::Top { input, .. } => {
            todo.push(way(input, part, (falling, unclear)));
        }
        RelKind::Summarize { input, keys, .. } | RelKind::Distinct { input, exprs: keys } => {
            let from = |index: usize| match keys.get(index).map(|key| &key.kind) {
                Some(ExprKind::Column(column)) => Some(*column),
                _ => None,
            };
            todo.push(way(input, part, carry(&falling, unclear, false, &from)));
        }
        RelKind::Join {
            left,
            right,
            kind,
            output,
            ..
        } => {
            // A bound of one side is no loss to the other.
            let own = |is_left: bool| {
                let (side, other) = (side(output, is_left), side(output, !is_left));
                let mine: Vec<Falling> = falling
                    .iter()
                    .filter(|bound| bound.column.is_none_or(|column| other(column).is_none()))
                    .copied()
                    .collect();
                carry(&mine, unclear, false, &side)
            };
            let (left_part, right_part) = parts(*kind, part);
            todo.push(way(right, right_part, own(false)));
            todo.push(way(left, left_part, own(true)));
        }
        RelKind::Union { inputs, with_source } => {
            let shift = usize::from(*with_source);
            for input in inputs.iter().rev() {
                let from = |index: usize| {
                    let index = index.checked_sub(shift)?;
                    input.columns.get(index).copied().flatten()
                };
                todo.push(way(&input.rel, part, carry(&falling, unclear, true, &from)));
            }
        }
        RelKind::MvExpand { input, passed, .. } => {
            let from = |index: usize| passed.get(index).copied().flatten();
            todo.push(way(input, part, carry(&falling, unclear, true, &from)));
        }
        RelKind::MvApply { input, output, .. } => {
            let from = |index: usize| match output.get(index) {
                Some(Origin::Left(column)) => Some(*column),
                _ => None,
            };
            todo.push(way(input, part, carry(&falling, unclear, false, &from)));
        }
        // The input's columns come first, as they were.
        RelKind::Parse { input, .. } | RelKind::Invoke { input, .. } => {
            let own = input.columns.len();
            let from = |index: usize| (index < own).then_some(index);
            todo.push(way(input, part, carry(&falling, unclear, true, &from)));
        }
        RelKind::Count { input } | RelKind::GetSchema { input } => {
            let lost = unclear || !falling.is_empty();
            todo.push(way(input, part, (Vec::new(), lost)));
        }
        RelKind::Special { inputs, operator } => {
            let all = matches!(**operator, Operator::WideUnion { .. });
            let lost = unclear || !falling.is_empty();
            for (index, input) in inputs.iter().enumerate() {
                let part = if all || index == 0 { part } else { Part::Known };
                todo.push(way(input, part, (Vec::new(), lost || !all)));
            }
        }
        RelKind::Unsupported { inputs, .. } => {
            for input in inputs {
                todo.push(way(input, part, (Vec::new(), true)));
            }
        }
        RelKind::Table { .. }
        | RelKind::Input
        | RelKind::Rows(_)
        | RelKind::Range { .. }
        | RelKind::External { .. } => {}
    }
}

fn side(output: &[Origin], is_left: bool) -> impl Fn(usize) -> Option<usize> + '_ {
    move |index| match output.get(index) {
        Some(Origin::Left(column)) if is_left => Some(*column),
        Some(Origin::Right(column)) if !is_left => Some(*column),
        _ => None,
    }
}

/// What the rows of the left and of the right side of a join are for.
fn parts(kind: JoinKind, part: Part) -> (Part, Part) {
    let partner = if part == Part::Sought { Part::Partner } else { part };
    match kind {
        JoinKind::InnerUnique | JoinKind::Inner | JoinKind::LeftSemi => (part, partner),
        JoinKind::RightSemi => (partner, part),
        JoinKind::LeftOuter | JoinKind::LeftAnti => (part, Part::Known),
        JoinKind::RightOuter | JoinKind::RightAnti => (Part::Known, part),
        JoinKind::FullOuter => (part, part),
    }
}

/// The bounds that a condition is; none if it is none that is understood.
fn bounds(query: &Query, condition: &Expr) -> Option<Vec<Falling>> {
    let ExprKind::Call { function, args } = &condition.kind else {
        return None;
    };
    let bound = |time: &Expr, limit: &Expr, earliest: bool| {
        let column = match &query.resolve(time).kind {
            ExprKind::Column(column) => Some(*column),
            ExprKind::IngestionTime => None,
            _ => return None,
        };
        let limit = query.resolve(limit);
        let ago = match limit.kind {
            ExprKind::Now => 0,
            _ => ago(query, limit)?,
        };
        Some(Falling {
            column,
            earliest,
            ago,
            runs: is_runs(query, limit),
            span: limit.span,
        })
    };
    match (function.name, args.as_slice()) {
        (">" | ">=", [a, b]) => bound(a, b, true)
            .or_else(|| bound(b, a, false))
            .map(|bound| vec![bound]),
        ("<" | "<=", [a, b]) => bound(a, b, false)
            .or_else(|| bound(b, a, true))
            .map(|bound| vec![bound]),
        ("between", [time, from, to]) => Some(vec![bound(time, from, true)?, bound(time, to, false)?]),
        _ => None,
    }
}

/// Whether what an expression gives depends on when the query runs.
fn speaks_of_now(query: &Query, expr: &Expr) -> bool {
    let mut todo = vec![expr];
    while let Some(next) = todo.pop() {
        let next = query.resolve(next);
        match &next.kind {
            ExprKind::Now | ExprKind::ToScalar(_) | ExprKind::IngestionTime => return true,
            _ => walk::parts(next, &mut |part| {
                if let Node::Expr(part) = part {
                    todo.push(part);
                }
            }),
        }
    }
    false
}

/// Where a query leaves out what has been alerted on before: the anti join, or
/// the condition, that reads the alerts.
pub fn deduplication(query: &Query) -> Option<Span> {
    let is_alerts = |rel: &Rel| source_table(query, rel).is_some_and(|table| ALERTS.contains(&table));
    let mut found = None;
    walk::query(query, &mut |node| match node {
        Node::Rel(Rel {
            kind:
                RelKind::Join {
                    right,
                    kind: JoinKind::LeftAnti,
                    ..
                },
            span,
            ..
        }) if is_alerts(right) => found = found.or(Some(*span)),
        Node::Expr(Expr {
            kind: ExprKind::Call { function, args },
            span,
            ..
        }) if function.name.starts_with('!') || function.name == "not" => {
            for arg in args {
                walk::expr(arg, &mut |part| {
                    if let Node::Expr(Expr {
                        kind: ExprKind::List(rel) | ExprKind::ToScalar(rel),
                        ..
                    }) = part
                        && is_alerts(rel)
                    {
                        found = found.or(Some(*span));
                    }
                });
            }
        }
        _ => {}
    });
    found
}

/// Uses of `ingestion_time()` where rows have been combined and it is null:
/// its place, and that of the operator that combined them.
pub fn lost_ingestion_times(query: &Query) -> Vec<(Span, Span, &'static str)> {
    let mut found = Vec::new();
    walk::query(query, &mut |node| {
        let Node::Rel(rel) = node else { return };
        let mut asked = Vec::new();
        walk::expressions(rel, &mut |expr| {
            let mut todo = vec![expr];
            while let Some(next) = todo.pop() {
                if matches!(next.kind, ExprKind::IngestionTime) {
                    asked.push(next.span);
                }
                walk::parts(next, &mut |part| {
                    if let Node::Expr(part) = part {
                        todo.push(part);
                    }
                });
            }
        });
        if asked.is_empty() {
            return;
        }
        let input = match &rel.kind {
            RelKind::Join { .. } => None,
            _ => walk::input(rel),
        };
        if let Some((at, name)) = input.and_then(|input| combined(query, input)) {
            found.extend(asked.into_iter().map(|span| (span, at, name)));
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// The operator behind which rows no longer know when they came in.
fn combined<'q>(query: &'q Query, rel: &'q Rel) -> Option<(Span, &'static str)> {
    let mut rel = rel;
    loop {
        rel = match &rel.kind {
            RelKind::Summarize { .. } => return Some((rel.span, "summarize")),
            RelKind::Distinct { .. } => return Some((rel.span, "distinct")),
            RelKind::Count { .. } => return Some((rel.span, "count")),
            RelKind::Join { lookup: false, .. } => return Some((rel.span, "join")),
            RelKind::Filter { input, .. }
            | RelKind::Project { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Top { input, .. }
            | RelKind::Parse { input, .. }
            | RelKind::MvExpand { input, .. } => input,
            RelKind::Ref(id) => match query.binding(*id).map(|b| &b.kind) {
                Some(BindingKind::Table { rel, .. }) => rel,
                _ => return None,
            },
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rulec_facts::{Pack, tables};

    use super::*;

    fn lowered(text: &str) -> Query {
        let pack = Pack::embedded();
        let tables = tables::Tables::new(&pack, tables::Environment::MergedColumns).unwrap();
        let catalog = rulec_ir::Catalog::new(Arc::new(tables));
        rulec_ir::lower(&rulec_kql::parse(text), &catalog).query
    }

    /// Each read in a line: table, part, bounds in minutes, `?` for what is not understood.
    fn said(text: &str) -> Vec<String> {
        let query = lowered(text);
        let line = |read: &Read<'_>| {
            let bounds = read.bounds.iter().map(|bound| {
                let clock = match bound.clock {
                    Clock::Event => "event",
                    Clock::Ingestion => "in",
                };
                let side = if bound.earliest { "from" } else { "to" };
                let runs = if bound.runs { " runs" } else { "" };
                format!(" {clock} {side} {}{runs}", bound.ago / 600_000_000)
            });
            let part = format!("{:?}", read.part).to_lowercase();
            let unclear = if read.unclear { " ?" } else { "" };
            format!("{} {part}{}{unclear}", read.table, bounds.collect::<String>())
        };
        reads(&query).iter().map(line).collect()
    }

    #[test]
    fn bounds_are_carried_to_the_tables() {
        let cases: [(&str, &[&str]); 12] = [
            (
                "let timeframe = 2*1h; DeviceEvents | where ingestion_time() >= ago(timeframe)",
                &["DeviceEvents sought in from 120 runs"],
            ),
            (
                "DeviceEvents | where Timestamp between (ago(14d) .. ago(1h)) and FileName == 'a'",
                &["DeviceEvents sought event from 20160 event to 60"],
            ),
            (
                "DeviceEvents | where ago(1h) < Timestamp | project When = Timestamp | where When < now()",
                &["DeviceEvents sought event to 0 event from 60"],
            ),
            (
                "let Old = DeviceEvents | where Timestamp < ago(1d); DeviceProcessEvents | where Timestamp > ago(1d) | join kind=leftanti Old on SHA1",
                &[
                    "DeviceEvents known event to 1440",
                    "DeviceProcessEvents sought event from 1440",
                ],
            ),
            (
                "DeviceLogonEvents | join kind=inner (DeviceEvents | where ingestion_time() > ago(1h)) on DeviceId | where Timestamp > ago(2h)",
                &[
                    "DeviceLogonEvents sought event from 120",
                    "DeviceEvents partner in from 60",
                ],
            ),
            (
                "union (DeviceEvents | where Timestamp > ago(1h)), DeviceProcessEvents | where Timestamp > ago(2h)",
                &[
                    "DeviceEvents sought event from 120 event from 60",
                    "DeviceProcessEvents sought event from 120",
                ],
            ),
            // The first of a group is new, however far back the query looks.
            (
                "DeviceEvents | where Timestamp > ago(30d) | summarize First = min(Timestamp) by SHA1 | where First > ago(1d)",
                &["DeviceEvents sought event from 43200 ?"],
            ),
            (
                "DeviceEvents | where Timestamp > startofday(ago(1d))",
                &["DeviceEvents sought ?"],
            ),
            (
                "DeviceEvents | where Timestamp > ago(1d) or ingestion_time() > ago(1h)",
                &["DeviceEvents sought ?"],
            ),
            // Another time of the event.
            (
                "DeviceProcessEvents | where ProcessCreationTime > ago(1h) and Timestamp > ago(1d)",
                &["DeviceProcessEvents sought event from 1440 ?"],
            ),
            (
                "let f = (since: timespan) { DeviceEvents | where ingestion_time() > ago(since) }; union f(1h), f(2h)",
                &[
                    "DeviceEvents sought in from 60",
                    "DeviceEvents sought in from 120",
                ],
            ),
            (
                "DeviceEvents | summarize count() by Timestamp, DeviceId | where Timestamp > ago(1h)",
                &["DeviceEvents sought event from 60"],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn bindings_that_name_each_other_end() {
        let mut text = "let a0 = DeviceEvents | where Timestamp > ago(1h);".to_owned();
        for n in 1..40 {
            text += &format!("let a{n} = union a{}, a{};", n - 1, n - 1);
        }
        text += "a39";
        let query = lowered(&text);
        let found = reads(&query);
        assert!(found.len() <= MOST_READS && found.iter().all(|read| read.unclear));
    }

    #[test]
    fn earlier_alerts_are_left_out_in_a_join_or_a_list() {
        let is = |text: &str| deduplication(&lowered(text)).is_some();
        assert!(is(
            "DeviceEvents | join kind=leftanti (SecurityAlert | project SystemAlertId) on $left.DeviceId == $right.SystemAlertId"
        ));
        assert!(is(
            "let Known = SecurityAlert | project SystemAlertId; DeviceEvents | where DeviceId !in (Known)"
        ));
        assert!(is(
            "DeviceEvents | where not(DeviceId in ((AlertEvidence | project DeviceId)))"
        ));
        assert!(!is(
            "SecurityAlert | join kind=leftanti (DeviceEvents | project DeviceId) on $left.SystemAlertId == $right.DeviceId"
        ));
        assert!(!is(
            "DeviceEvents | where DeviceId in ((AlertEvidence | project DeviceId))"
        ));
    }

    #[test]
    fn combined_rows_have_not_come_in() {
        let lost = |text: &str| {
            let found = lost_ingestion_times(&lowered(text));
            found.iter().map(|(_, _, by)| *by).collect::<Vec<_>>()
        };
        assert_eq!(
            lost(
                "DeviceEvents | summarize count() by DeviceId | extend a = 1 | where ingestion_time() > ago(1h)"
            ),
            ["summarize"]
        );
        assert_eq!(
            lost("DeviceEvents | join kind=inner DeviceInfo on DeviceId | where ingestion_time() > ago(1h)"),
            ["join"]
        );
        assert_eq!(
            lost("let A = DeviceEvents | distinct DeviceId; A | extend When = ingestion_time()"),
            ["distinct"]
        );
        let none = [
            "DeviceEvents | where ingestion_time() > ago(1h) | summarize max(ingestion_time()) by DeviceId",
            "DeviceEvents | extend a = 1 | order by a | where ingestion_time() > ago(1h)",
            "DeviceInfo | join kind=inner (DeviceEvents | where ingestion_time() > ago(1h)) on DeviceId",
        ];
        for text in none {
            assert_eq!(lost(text), Vec::<&str>::new(), "{text}");
        }
    }
}
