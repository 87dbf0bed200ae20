//! What Defender refuses when a detection is saved: frequencies, constructs of
//! the query, and columns it needs to find the event again.
//!
//! In: a rule, its settings and its bound query. Out: the schedule as Defender
//! can keep it, and findings.

use rulec_ir::RelKind;
use rulec_model::{Duration, ScheduleKind, TriggerOperator};
use rulec_source::Span;

use super::Prepared;
use crate::codes::{DEFENDER_COLUMNS, DEFENDER_LOOKBACK, DEFENDER_NRT, DEFENDER_QUERY, DEFENDER_TABLE};
use crate::findings::{Findings, Problem, foreign_columns, result_span};
use crate::{Effect, Input, columns, scan};

/// When a detection runs, and what query it runs.
pub(super) struct Schedule {
    /// ISO 8601.
    pub(super) frequency: String,
    /// The query, without comments where those are refused.
    pub(super) query: String,
}

/// The schedule that comes nearest to what the rule wants.
pub(super) fn schedule(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Schedule {
    trigger(input, findings);
    let resolved = input.resolved;
    if resolved.suppression.value.enabled {
        findings.lose(
            "suppression",
            Effect::Dropped,
            "A custom detection cannot be silenced for a time after an alert.",
        );
    }
    if resolved.grouping.is_some() {
        findings.lose(
            "grouping",
            Effect::Dropped,
            "Defender groups alerts into incidents by its own rules.",
        );
    }
    if resolved.kind.value == ScheduleKind::Nrt {
        match continuous(prepared, input) {
            None => return continuously(prepared, input, findings),
            Some((construct, why, span)) => {
                let problem = Problem::new(
                    DEFENDER_NRT,
                    "near real time",
                    format!("{why}, so the detection runs on a schedule and alerts later."),
                );
                let help = format!("take {construct} out of the query, or make the rule a scheduled one");
                findings.differ(problem.at(span).help(help), Effect::Dropped);
            }
        }
    }
    scheduled(prepared, input, findings)
}

/// Defender alerts on every result; what else a trigger says is lost or impossible.
fn trigger(input: &Input<'_>, findings: &mut Findings) {
    let trigger = input.resolved.trigger.value;
    let construct = format!("trigger {:?} {}", trigger.operator, trigger.threshold).to_lowercase();
    match (trigger.operator, trigger.threshold) {
        (TriggerOperator::Gt | TriggerOperator::Ne, 0) => {}
        (TriggerOperator::Gt, _) => findings.lose(
            construct,
            Effect::Widened,
            "A custom detection alerts on any result and has no threshold.",
        ),
        _ => findings.refuse(
            Problem::new(
                DEFENDER_QUERY,
                construct,
                "A custom detection alerts on results; it cannot alert when there are few or none.",
            )
            .help("count inside the query, so that a result means an alert"),
        ),
    }
}

/// What keeps a rule from running continuously: the construct, why, and where.
fn continuous(prepared: &Prepared, input: &Input<'_>) -> Option<(String, String, Option<Span>)> {
    let nrt = &prepared.facts.nrt;
    if let Some(table) = input.ir.tables.get(1) {
        let why = "A continuous detection reads one table".to_owned();
        return Some((format!("the table {}", table.name), why, Some(table.span)));
    }
    if let Some(table) = input.ir.tables.first()
        && !nrt.tables.contains(&table.name)
        && !nrt.sentinel_tables.contains(&table.name)
    {
        let why = format!("A continuous detection cannot read {}", table.name);
        return Some((format!("the table {}", table.name), why, Some(table.span)));
    }
    let mut found: Option<(&str, Span)> = None;
    columns::walk(input.ir, &mut |rel| {
        let name = match &rel.kind {
            RelKind::Join { lookup: true, .. } => "lookup",
            RelKind::Join { .. } => "join",
            RelKind::Union { .. } => "union",
            RelKind::External { key } if key.starts_with("externaldata") => "externaldata",
            _ => return,
        };
        // A lookup is a join under another name.
        let refused = if name == "lookup" { "join" } else { name };
        if nrt.operators_refused.iter().any(|operator| operator == refused)
            && found.is_none_or(|(_, span)| rel.span.start < span.start)
        {
            found = Some((name, rel.span));
        }
    });
    found.map(|(name, span)| {
        let why = format!("A continuous detection does not take `{name}`");
        (format!("`{name}`"), why, Some(span))
    })
}

fn continuously(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Schedule {
    let mut query = input.text().to_owned();
    if prepared.facts.nrt.comments_refused && scan::comment(input.parsed).is_some() {
        query = scan::without_comments(input.parsed);
        findings.lose(
            "comments",
            Effect::Dropped,
            "A continuous detection takes no comments in its query.",
        );
    }
    Schedule {
        frequency: prepared.facts.continuous.clone(),
        query,
    }
}

fn scheduled(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Schedule {
    let facts = &prepared.facts;
    let (wanted, period) = (input.resolved.frequency.value, input.resolved.period.value);
    let length = |duration: Duration| std::time::Duration::from_secs(duration.seconds());
    let query = input.text().to_owned();
    let Some(offered) = facts.frequency(length(wanted)) else {
        let why = "Defender's data lists no frequency at all.";
        findings.refuse(Problem::new(DEFENDER_LOOKBACK, "frequency", why));
        return Schedule {
            frequency: facts.continuous.clone(),
            query,
        };
    };
    let every = Duration::from_seconds(offered.every.as_secs());
    if offered.every > length(period) {
        let why = format!(
            "Defender runs the query every {every} at the most, and the rule looks back {period}: events in between are \
             missed."
        );
        let problem = Problem::new(DEFENDER_LOOKBACK, format!("every {wanted}"), why);
        let help = format!("look back {every} or more");
        findings.differ(problem.help(help), Effect::Narrowed);
    } else if every != wanted {
        let why = format!("Defender offers few frequencies; this detection runs every {every}.");
        findings.lose(format!("every {wanted}"), Effect::Dropped, why);
    }
    if let Some(lookback) = facts
        .lookback(offered.every)
        .filter(|lookback| length(period) > *lookback)
    {
        let lookback = Duration::from_seconds(lookback.as_secs());
        let why = format!(
            "The rule looks back {period}; Defender reads {lookback} for a detection that runs every {every}."
        );
        let mut problem = Problem::new(DEFENDER_LOOKBACK, format!("period {period}"), why);
        let longest = facts.lookbacks.iter().map(|row| row.lookback).max();
        if longest.is_some_and(|longest| longest >= length(period)) {
            problem = problem.help("run the rule less often, for example once a day");
        }
        findings.differ(problem, Effect::Narrowed);
    }
    Schedule {
        frequency: offered.iso.clone(),
        query,
    }
}

/// Functions that are refused when the detection is saved.
pub(super) fn query(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) {
    for function in &prepared.facts.functions_refused {
        if let Some(span) = scan::call(input.parsed, function) {
            let why = format!("Defender refuses `{function}()` in a custom detection.");
            let problem = Problem::new(DEFENDER_QUERY, format!("`{function}()`"), why);
            findings.refuse(problem.at(Some(span)));
        }
    }
    foreign_columns(DEFENDER_TABLE, &prepared.tables, "Defender", input, findings);
    if input.text().trim().is_empty() {
        let why = "Defender does not take an empty query.";
        findings.refuse(Problem::new(DEFENDER_QUERY, "query", why));
    }
}

/// Columns by which Defender finds the event of a result again.
pub(super) fn columns(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) {
    let facts = &prepared.facts;
    let has = |name: &String| columns::has(input.ir, name);
    if !facts.time_columns.iter().any(has) {
        let why = format!(
            "The query does not return {}, and Defender needs one of them.",
            facts.time_columns.join(" or ")
        );
        let problem = Problem::new(DEFENDER_COLUMNS, "time column", why).at(result_span(input));
        findings.refuse(problem.help(
            "keep the event's time: `project Timestamp, …`, or `summarize (Timestamp, ReportId) = arg_max(Timestamp, \
             ReportId), … by …`",
        ));
    }
    let mut missing: Vec<&String> = Vec::new();
    for table in &input.ir.tables {
        let schema = prepared.tables.get(&table.name);
        let needed = facts.columns_needed(&table.name).iter();
        // A table without such a column cannot be asked for it.
        let needed = needed.filter(|name| schema.as_ref().is_some_and(|table| table.column(name).is_some()));
        for column in needed {
            if !has(column) && !missing.contains(&column) {
                missing.push(column);
            }
        }
    }
    if !missing.is_empty() {
        let names = missing
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(" and ");
        let why =
            format!("The query does not return {names}, by which Defender finds the event of a result.");
        let problem = Problem::new(DEFENDER_COLUMNS, format!("column {names}"), why).at(result_span(input));
        findings.refuse(problem.help(format!(
            "add {names} to the output; in a summarize, `(Timestamp, ReportId) = arg_max(Timestamp, ReportId)` keeps both \
             of the same event"
        )));
    }
}
