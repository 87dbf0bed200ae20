//! A hunt as one page: `--format html`.
//!
//! In: alerts, and what became of each rule. Out: HTML that stands alone, with
//! no script and nothing to fetch. What events say is data: it is escaped by
//! the template engine, shortened here, and shown without characters that
//! turn text around or that nobody sees.

use std::{collections::BTreeMap, fmt::Write as _};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig};
use rulec_functions::{Value, text};
use rulec_runtime::{alert::Alert, files::Files};
use serde::Serialize;
use serde_json::json;

use super::{Job, Report, timeline};
use crate::Pipeline;

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

/// The page. A template that fails gives a page that says so.
pub(super) fn render(pipeline: &Pipeline, facts: &Facts<'_>, alerts: &[Alert]) -> String {
    match try_render(pipeline, facts, alerts) {
        Ok(page) => page,
        Err(error) => format!(
            "<!doctype html>\n<title>rulec</title>\n<pre>{TEMPLATE} cannot be used: {}</pre>\n",
            minijinja::HtmlEscape(&error.to_string())
        ),
    }
}

fn try_render(
    pipeline: &Pipeline,
    facts: &Facts<'_>,
    alerts: &[Alert],
) -> Result<String, Box<dyn std::error::Error>> {
    let source = pipeline.repository.pack.require(TEMPLATE)?.replace("\r\n", "\n");
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.add_template("hunt.html", &source)?;

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
    let said = minijinja::Value::from(minijinja::value::Serde(json!({
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
    })));
    Ok(environment.get_template("hunt.html")?.render(said)?)
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

/// The beginning of a text, and how many characters are missing. Characters
/// that are not seen, or turn the text around them, are written as their
/// numbers; line breaks and tabs stay.
fn visible(text: &str, most: usize) -> (String, usize) {
    let mut out = String::new();
    let mut characters = text.chars();
    for c in characters.by_ref().take(most) {
        let hidden = match c {
            '\n' | '\t' => false,
            // Soft hyphen, marks of direction, joiners, isolates, byte order mark, tags.
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => true,
            _ => c.is_control(),
        };
        if hidden {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    (out, characters.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_written_out() {
        assert_eq!(
            visible("a\u{202e}b\u{0}\r\nc\té", 99).0,
            "a\\u{202e}b\\u{0}\\u{d}\nc\té"
        );
        let long = "x".repeat(1 << 20);
        let (shown, cut) = visible(&long, MOST_VALUE);
        assert_eq!((shown.len(), cut), (MOST_VALUE, (1 << 20) - MOST_VALUE));
    }
}
