//! A hunt as one page: `--format html`.
//!
//! In: alerts, and what became of each rule. Out: HTML that stands alone, with
//! no script and nothing to fetch. What events say is data: it is escaped by
//! the template engine, and shortened here.

use std::collections::BTreeMap;

use rulec_functions::{Value, text};
use rulec_runtime::{alert::Alert, files::Files};
use serde::Serialize;
use serde_json::json;

use super::{Job, Report, timeline};
use crate::{
    Pipeline,
    report::{self, visible},
};

/// The template, which a repository may replace.
const TEMPLATE: &str = "templates/report/hunt.html.j2";
/// Alerts of a rule that are shown; other formats have all.
const MOST_ALERTS: usize = 200;
/// Characters of a value that are shown.
const MOST_VALUE: usize = 4_000;
/// Characters of an entity's value that are shown.
const MOST_ENTITY: usize = 200;

/// What a page says besides alerts.
pub(super) struct Facts<'a> {
    pub(super) jobs: &'a [Job<'a>],
    pub(super) source: &'a Files,
    pub(super) now: Option<i64>,
    pub(super) ran: usize,
    pub(super) report: &'a Report,
    pub(super) skipped: &'a BTreeMap<String, Vec<String>>,
    pub(super) unfinished: &'a [String],
}

/// A rule that fired.
#[derive(Debug, Serialize)]
struct Fired {
    /// Where the page has it.
    anchor: String,
    id: String,
    title: String,
    severity: String,
    document: Option<String>,
    line: Option<u32>,
    tactics: Vec<String>,
    techniques: Vec<String>,
    count: usize,
    first: Option<String>,
    last: Option<String>,
    alerts: Vec<Shown>,
    /// Alerts that are not shown.
    hidden: usize,
}

/// An alert.
#[derive(Debug, Serialize)]
struct Shown {
    time: Option<String>,
    entities: Vec<Entity>,
    /// Columns that have a value.
    row: Vec<Field>,
    /// Columns that have none.
    empty: usize,
}

#[derive(Debug, Serialize)]
struct Entity {
    kind: String,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    value: String,
    /// Characters that are not shown.
    cut: usize,
}

/// How often something occurs among alerts and rules.
#[derive(Debug, Serialize)]
struct Tally {
    name: String,
    alerts: usize,
    rules: usize,
}

/// The page.
pub(super) fn render(pipeline: &Pipeline, facts: &Facts<'_>, alerts: &[Alert]) -> String {
    let fired = fired(facts, alerts);
    let times = alerts
        .iter()
        .filter_map(|alert| Some((alert.time?, alert.severity.as_str())))
        .collect::<Vec<_>>();
    let severities = timeline::SEVERITIES
        .iter()
        .map(|severity| {
            let rules = fired.iter().filter(|rule| rule.severity == *severity);
            Tally {
                name: (*severity).to_owned(),
                alerts: rules.clone().map(|rule| rule.count).sum(),
                rules: rules.count(),
            }
        })
        .collect::<Vec<_>>();
    let failed = facts
        .report
        .problems
        .iter()
        .map(|(file, rule, diagnostic)| {
            let place = diagnostic.span().unwrap_or_default();
            json!({
                "rule": rule,
                "message": visible(&diagnostic.message, MOST_VALUE).0,
                "place": format!("{}:{}", file.path, file.position(place.start as usize).line),
            })
        })
        .collect::<Vec<_>>();
    let skipped = facts
        .skipped
        .iter()
        .map(|(message, rules)| json!({ "message": message, "rules": rules }))
        .collect::<Vec<_>>();
    let inputs = facts
        .source
        .reports()
        .into_iter()
        .map(|(label, report)| {
            json!({
                "label": visible(&label, MOST_ENTITY).0,
                "events": report.rows,
                "malformed": report.malformed,
                "first": report.first.map(|first| visible(&first, MOST_VALUE).0),
            })
        })
        .collect::<Vec<_>>();
    let said = json!({
        "rulec": crate::VERSION,
        "now": facts.now.map(text::print_datetime),
        "alerts": alerts.len(),
        "ran": facts.ran,
        "first": times.iter().map(|(time, _)| *time).min().map(short_time),
        "last": times.iter().map(|(time, _)| *time).max().map(short_time),
        "untimed": alerts.len() - times.len(),
        "interrupted": facts.report.interrupted,
        "unfinished": facts.unfinished,
        "severities": severities,
        "tactics": tactics(&fired),
        "timeline": timeline::timeline(&times),
        "fired": fired,
        "failed": failed,
        "skipped": skipped,
        "inputs": inputs,
    });
    report::render(pipeline, TEMPLATE, said)
}

/// The rules that fired, the most urgent first.
fn fired(facts: &Facts<'_>, alerts: &[Alert]) -> Vec<Fired> {
    let mut rules: BTreeMap<&str, Vec<&Alert>> = BTreeMap::new();
    for alert in alerts {
        rules.entry(&alert.rule).or_default().push(alert);
    }
    for alerts in rules.values_mut() {
        alerts.sort_by_key(|alert| alert.time);
    }
    let urgency = |severity: &str| {
        timeline::SEVERITIES
            .iter()
            .position(|s| *s == severity)
            .unwrap_or(timeline::SEVERITIES.len())
    };
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(id, alerts)| {
        let severity = alerts.first().map_or("", |alert| &alert.severity);
        (urgency(severity), std::cmp::Reverse(alerts.len()), *id)
    });
    rules
        .into_iter()
        .enumerate()
        .map(|(index, (id, alerts))| {
            let rule = facts.jobs.iter().find(|(_, rule, _)| rule.id == id);
            let tags = rule.map_or(&[][..], |(_, rule, _)| &rule.attack);
            let mut tactics: Vec<String> = tags.iter().filter_map(|tag| tag.tactic.clone()).collect();
            tactics.dedup();
            let mut techniques: Vec<String> = tags
                .iter()
                .filter_map(rulec_model::AttackTag::technique_id)
                .collect();
            techniques.dedup();
            let times = || alerts.iter().filter_map(|alert| alert.time);
            let first = alerts.first();
            Fired {
                anchor: format!("rule-{}", index + 1),
                id: id.to_owned(),
                title: first
                    .map(|alert| visible(&alert.title, MOST_ENTITY).0)
                    .unwrap_or_default(),
                severity: first.map(|alert| alert.severity.clone()).unwrap_or_default(),
                document: first.and_then(|alert| Some(alert.place.as_ref()?.0.clone())),
                line: first.and_then(|alert| Some(alert.place.as_ref()?.1)),
                tactics,
                techniques,
                count: alerts.len(),
                first: times().min().map(short_time),
                last: times().max().map(short_time),
                alerts: alerts
                    .iter()
                    .take(MOST_ALERTS)
                    .map(|alert| shown(alert))
                    .collect(),
                hidden: alerts.len().saturating_sub(MOST_ALERTS),
            }
        })
        .collect()
}

/// Alerts by tactic, in the order of the alphabet; a rule may have several.
fn tactics(fired: &[Fired]) -> Vec<Tally> {
    let mut tactics: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for rule in fired {
        for tactic in &rule.tactics {
            let counts = tactics.entry(tactic).or_default();
            counts.0 += rule.count;
            counts.1 += 1;
        }
    }
    tactics
        .into_iter()
        .map(|(name, (alerts, rules))| Tally {
            name: name.to_owned(),
            alerts,
            rules,
        })
        .collect()
}

fn shown(alert: &Alert) -> Shown {
    let entities = alert.entities.iter().map(|(kind, fields)| Entity {
        kind: kind.clone(),
        fields: fields
            .iter()
            .map(|(name, value)| field(name, value, MOST_ENTITY))
            .collect(),
    });
    let row = alert
        .row
        .iter()
        .filter(|(_, value)| !value.is_null() && value.as_str() != Some(""))
        .map(|(name, value)| field(name, value, MOST_VALUE))
        .collect::<Vec<_>>();
    Shown {
        time: alert.time.map(short_time),
        entities: entities.collect(),
        empty: alert.row.len() - row.len(),
        row,
    }
}

fn field(name: &str, value: &Value, most: usize) -> Field {
    let (value, cut) = visible(&text::print(value), most);
    Field {
        name: visible(name, MOST_ENTITY).0,
        value,
        cut,
    }
}

/// A time to the second, for people; rows have it exactly.
fn short_time(ticks: i64) -> String {
    let text = text::print_datetime(ticks);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}
