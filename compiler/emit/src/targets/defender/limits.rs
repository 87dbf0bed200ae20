//! What Defender refuses when a detection is saved: frequencies, constructs of
//! the query, columns it needs to find the event again, and what the body may
//! say.
//!
//! In: a rule, its settings and its bound query; then the finished body. Out:
//! the schedule as Defender can keep it, and findings. Every number, name and
//! pattern comes from `schema/targets/defender.yaml`.

use rulec_model::{Duration, ScheduleKind, Sourced, TriggerOperator};
use rulec_source::{Code, Span};

use serde_json::Value;

use super::Prepared;
use crate::codes::{
    DEFENDER_ALERT_TEXT, DEFENDER_ATTACK, DEFENDER_COLUMN, DEFENDER_COLUMNS, DEFENDER_DETAILS,
    DEFENDER_EMPTY_QUERY, DEFENDER_FREQUENCY, DEFENDER_ID, DEFENDER_LOOKBACK, DEFENDER_NAME,
    DEFENDER_NRT_OPERATOR, DEFENDER_NRT_TABLE, DEFENDER_NRT_TABLES, DEFENDER_PLACEHOLDERS, DEFENDER_QUERY,
    DEFENDER_SEVERITY, DEFENDER_STATUS, DEFENDER_TABLE, DEFENDER_TIME, DEFENDER_TRIGGER,
};
use crate::findings::{
    Findings, Problem, Spot, described, foreign_columns, is_assumed, missing_column, placeholders,
    result_span,
};
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
        let hindrances = hindrances(prepared, input);
        if hindrances.is_empty() {
            return continuously(prepared, input, findings);
        }
        for hindrance in hindrances {
            let why = format!(
                "{}, so the detection runs on a schedule and alerts later.",
                hindrance.why
            );
            let problem = Problem::new(hindrance.code, "near real time", why).at(Some(hindrance.span));
            let help = format!(
                "take {} out of the query, or make the rule a scheduled one",
                hindrance.construct
            );
            findings.differ(problem.help(help), Effect::Dropped);
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
        _ => {
            let why = "A custom detection alerts on results; it cannot alert when there are few or none.";
            let problem = Problem::new(DEFENDER_TRIGGER, construct, why).on(
                input,
                Spot::Key("/settings/trigger", "operator"),
                &input.resolved.trigger.origin,
            );
            findings.refuse(problem.help("count inside the query, so that a result means an alert"));
        }
    }
}

/// Something that keeps a rule from running continuously.
struct Hindrance {
    code: Code,
    /// `` `join` ``, the table T.
    construct: String,
    /// The beginning of a sentence.
    why: String,
    span: Span,
}

/// What keeps a rule from running continuously: the first of each kind.
fn hindrances(prepared: &Prepared, input: &Input<'_>) -> Vec<Hindrance> {
    let nrt = &prepared.facts.nrt;
    let mut found = Vec::new();
    if let Some(table) = input.ir.tables.get(nrt.tables_max) {
        let several = if nrt.tables_max == 1 { "" } else { "s" };
        found.push(Hindrance {
            code: DEFENDER_NRT_TABLES,
            construct: format!("the table {}", table.name),
            why: format!("A continuous detection reads {} table{several}", nrt.tables_max),
            span: table.span,
        });
    }
    let refused = |name: &String| !nrt.tables.contains(name) && !nrt.sentinel_tables.contains(name);
    if let Some(table) = input.ir.tables.iter().find(|table| refused(&table.name)) {
        found.push(Hindrance {
            code: DEFENDER_NRT_TABLE,
            construct: format!("the table {}", table.name),
            why: format!("A continuous detection cannot read {}", table.name),
            span: table.span,
        });
    }
    // A lookup is a join under another name.
    let refused = |name: &str| {
        let name = if name == "lookup" { "join" } else { name };
        nrt.operators_refused.iter().any(|refused| refused == name)
    };
    if let Some(name) = input.ir.operators.iter().find(|name| refused(name)) {
        found.push(Hindrance {
            code: DEFENDER_NRT_OPERATOR,
            construct: format!("`{name}`"),
            why: format!("A continuous detection does not take `{name}`"),
            span: scan::word(input.parsed, name).unwrap_or_default(),
        });
    }
    found
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
        findings.refuse(Problem::new(DEFENDER_FREQUENCY, "frequency", why));
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
        let problem = Problem::new(DEFENDER_FREQUENCY, format!("every {wanted}"), why);
        let problem = placed(input, problem, "frequency", &input.resolved.frequency);
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
        let problem = Problem::new(DEFENDER_LOOKBACK, format!("period {period}"), why);
        let problem = placed(input, problem, "period", &input.resolved.period);
        let longest = facts.lookbacks.iter().map(|row| row.lookback).max();
        let longest = longest.unwrap_or_default();
        let help = if longest >= length(period) {
            "run the rule less often, for example once a day".to_owned()
        } else {
            let longest = Duration::from_seconds(longest.as_secs());
            format!("look back {longest} or less, with one run a day")
        };
        findings.differ(problem.help(help), Effect::Narrowed);
    }
    Schedule {
        frequency: offered.iso.clone(),
        query,
    }
}

/// Places a finding about `key` of the schedule: where the document says it,
/// else at the time bounds it was worked out from.
fn placed(input: &Input<'_>, problem: Problem, key: &str, said: &Sourced<Duration>) -> Problem {
    match scan::call(input.parsed, "ago").filter(|_| is_assumed(&said.origin)) {
        Some(span) => problem.at(Some(span)),
        None => problem.on(input, Spot::Key("/settings/schedule", key), &said.origin),
    }
}

/// Functions that are refused when the detection is saved.
pub(super) fn query(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) {
    for function in &prepared.facts.functions_refused {
        if let Some(span) = scan::call(input.parsed, function) {
            let why = format!("Defender refuses `{function}()` in a custom detection.");
            let problem = Problem::new(DEFENDER_QUERY, format!("`{function}()`"), why);
            let help =
                "write what it gives into the query, or send the rule to Sentinel alone with `targets`";
            findings.refuse(problem.at(Some(span)).help(help));
        }
    }
    foreign_columns(DEFENDER_TABLE, &prepared.tables, "Defender", input, findings);
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
        let problem = Problem::new(DEFENDER_TIME, "time column", why).at(result_span(input));
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

/// What the body may say.
pub(super) fn body(prepared: &Prepared, input: &Input<'_>, body: &Value, findings: &mut Findings) {
    let facts = &prepared.facts;
    let template = &body["detectionAction"]["alertTemplate"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let id = text(&body["id"]);
    if !prepared.id.is_match(&id) {
        let why = format!(
            "The rule is said to be `{id}` in Defender, whose ids are a letter, then letters, digits, `_` and `-`."
        );
        let problem = Problem::new(DEFENDER_ID, format!("id {id}"), why);
        let problem = match &input.rule.settings.ids {
            Some(ids) => problem.on(input, Spot::Key("/settings/ids", super::NAME), &ids.origin),
            None => problem.on_document(input, "/id"),
        };
        findings.refuse(
            problem.help(
                "write the id that the detection has in Defender, or take the key out for a derived one",
            ),
        );
    }
    if text(&body["displayName"]).trim().is_empty() {
        let problem = Problem::new(DEFENDER_NAME, "name", "Defender does not take an empty name.");
        findings.refuse(problem.on_document(input, "/title").help("write it"));
    }
    if text(&body["queryCondition"]["queryText"]).trim().is_empty() {
        let why = "Defender does not take an empty query.";
        let problem = Problem::new(DEFENDER_EMPTY_QUERY, "query", why);
        let problem = problem.on_document(input, &format!("/queries/{}", input.query));
        findings.refuse(problem.help("write it"));
    }
    for (code, what, name, known, pointer, origin) in [
        (
            DEFENDER_STATUS,
            "status",
            &body["status"],
            &facts.statuses,
            "/settings/status",
            &input.resolved.status.origin,
        ),
        (
            DEFENDER_SEVERITY,
            "severity",
            &template["severity"],
            &facts.severities,
            "/settings/severity",
            &input.resolved.severity.origin,
        ),
    ] {
        let name = text(name);
        if !known.contains(&name) {
            let why = format!("Defender has no {what} {name}.");
            let problem = Problem::new(code, format!("{what} {name}"), why);
            let problem = problem.on(input, Spot::Value(pointer), origin);
            findings.refuse(problem.help(format!("it has {}", known.join(", "))));
        }
    }
    alert(prepared, input, template, findings);
    attack(prepared, input, template, findings);
    let max = facts.custom_details_max;
    let details = template["customDetails"]
        .as_object()
        .map_or(0, serde_json::Map::len);
    if details > max {
        let why = format!("The rule has {details} custom details; Defender takes {max}.");
        let problem = Problem::new(DEFENDER_DETAILS, "custom details", why).on(
            input,
            Spot::Value("/settings/custom_details"),
            &input.resolved.custom_details.origin,
        );
        findings.refuse(problem.help("leave out the least telling"));
    }
}

/// The alert's title and description: not empty, few placeholders, each a column.
fn alert(prepared: &Prepared, input: &Input<'_>, template: &Value, findings: &mut Findings) {
    let said = input.resolved.alert.as_ref();
    let described = described(input.rule);
    for (what, key, own, otherwise) in [
        (
            "alert title",
            "title",
            said.and_then(|alert| alert.value.title.as_ref()),
            "/title",
        ),
        (
            "alert description",
            "description",
            said.and_then(|alert| alert.value.description.as_ref()),
            described.as_str(),
        ),
    ] {
        let text = template[key].as_str().unwrap_or_default();
        let place = |problem: Problem, spot: Spot<'_>| match said.filter(|_| own.is_some()) {
            Some(said) => problem.on(input, spot, &said.origin),
            None => problem.on_document(input, otherwise),
        };
        let here = Spot::Key("/settings/alert", key);
        if text.trim().is_empty() {
            let why = format!("Defender does not take an empty {what}.");
            let problem = Problem::new(DEFENDER_ALERT_TEXT, what, why);
            findings.refuse(place(problem, here).help("write it"));
        }
        let used = placeholders(text);
        let max = prepared.facts.placeholders_max;
        if used.len() > max {
            let why = format!(
                "The {what} has {} placeholders; Defender takes {max}.",
                used.len()
            );
            let problem = Problem::new(DEFENDER_PLACEHOLDERS, what, why);
            findings
                .refuse(place(problem, here).help("name fewer columns; the others may be custom details"));
        }
        for column in used {
            if !columns::has(input.ir, column) {
                let problem = missing_column(DEFENDER_COLUMN, input, what, column);
                findings.refuse(place(problem, Spot::Placeholder("/settings/alert", column)));
            }
        }
    }
}

/// Tactics: few, and known ones.
fn attack(prepared: &Prepared, input: &Input<'_>, template: &Value, findings: &mut Findings) {
    let facts = &prepared.facts;
    let tactics: Vec<&str> = template["tactics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tactic| tactic["tactic"].as_str())
        .collect();
    let unknown = tactics
        .iter()
        .find(|name| !facts.tactics.iter().any(|known| known == *name));
    let why = if tactics.len() > facts.tactics_max {
        format!(
            "The detection has {} tactics; Defender takes {}.",
            tactics.len(),
            facts.tactics_max
        )
    } else if let Some(name) = unknown {
        format!("Defender has no tactic {name}.")
    } else {
        return;
    };
    let problem = Problem::new(DEFENDER_ATTACK, "tactics", why);
    findings.refuse(problem.on_document(input, "/attack"));
}
