//! A rule as its page shows it.
//!
//! In: a document with its explanations. Out: plain data for the template,
//! in which fields that end in `_html` are HTML already, all others text.

use rulec_explain::{
    Explanation, Kind,
    explanation::{Deduplication, Grouping, Indicator, Join, Lookback, Predicate, Threshold, TimeBound},
};
use serde::Serialize;

use crate::{
    Document, Query, draw, html,
    indicators::{Indicators, Related},
    overview::Overview,
};

#[derive(Debug, Serialize)]
pub(crate) struct RulePage<'a> {
    id: &'a str,
    title: &'a str,
    path: &'a str,
    severity: &'static str,
    status: &'static str,
    kind: &'static str,
    author: Option<&'a str>,
    platforms: &'a [String],
    fp_rate: Option<&'a str>,
    version: &'a str,
    changed: Option<&'a str>,
    summary: &'a str,
    /// What the rule finds; first of all.
    description_html: Option<String>,
    /// The other prose.
    sections: Vec<Section<'a>>,
    attack: Vec<Tactic<'a>>,
    queries: Vec<QueryView<'a>>,
    settings: Vec<Vec<String>>,
    problems: Vec<Problem<'a>>,
    artifacts: Vec<Artifact<'a>>,
    losses: Vec<Loss<'a>>,
    references: Vec<Reference<'a>>,
    versions: Vec<Version<'a>>,
    related: Vec<Related<'a>>,
}

#[derive(Debug, Serialize)]
struct Section<'a> {
    anchor: String,
    heading: &'a str,
    html: String,
}

#[derive(Debug, Serialize)]
struct Tactic<'a> {
    name: &'a str,
    techniques: Vec<Technique<'a>>,
}

#[derive(Debug, Serialize)]
struct Technique<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct QueryView<'a> {
    /// Begins the ids of the query on the page; empty for an only query.
    prefix: String,
    name: Option<&'a str>,
    platform: Option<&'a str>,
    query_html: String,
    tables: &'a [String],
    by_pattern: usize,
    drawing_html: String,
    schedule: ScheduleView<'a>,
    events: Vec<Event<'a>>,
    parameters: Vec<Parameter<'a>>,
    stages: Vec<StageView<'a>>,
    bindings: Vec<BindingView<'a>>,
    exclusions: Vec<PredicateView<'a>>,
    indicators: Vec<IndicatorView<'a>>,
    thresholds: &'a [Threshold],
    time_window: &'a [TimeBound],
    lookback: Option<&'a Lookback>,
    group_by: &'a [Grouping],
    joins: &'a [Join],
    deduplication: &'a [Deduplication],
    output: Vec<Output<'a>>,
    /// Columns of the result that pass through without being named.
    passed: usize,
}

#[derive(Debug, Serialize)]
struct ScheduleView<'a> {
    kind: &'a str,
    frequency: &'a str,
    period: &'a str,
}

#[derive(Debug, Serialize)]
struct Event<'a> {
    provider: &'a str,
    name: &'a str,
    title: &'a str,
}

#[derive(Debug, Serialize)]
struct Parameter<'a> {
    name: &'a str,
    ty: &'a str,
    value_html: String,
}

#[derive(Debug, Serialize)]
struct StageView<'a> {
    number: usize,
    kind: &'a str,
    /// What is said in front of it: which let binding begins here.
    note_html: Option<String>,
    line: usize,
    /// What it does, in a sentence.
    does_html: String,
    text_html: String,
    /// What it changes among the columns, in words; empty when nothing.
    change: String,
}

#[derive(Debug, Serialize)]
struct BindingView<'a> {
    number: usize,
    name: &'a str,
    derived_from: &'a [String],
    text_html: String,
}

#[derive(Debug, Serialize)]
struct PredicateView<'a> {
    field: &'a str,
    kind: String,
    values: &'a [String],
    stage: usize,
    /// Exclusions with the same number suppress a row only together.
    together: Option<usize>,
}

#[derive(Debug, Serialize)]
struct IndicatorView<'a> {
    field: &'a str,
    kind: String,
    values: Vec<ValueView<'a>>,
    stage: usize,
    /// Indicators with the same number are alternatives.
    alternatives: Option<usize>,
}

#[derive(Debug, Serialize)]
struct ValueView<'a> {
    value: &'a str,
    /// Other rules that look for it.
    others: usize,
}

#[derive(Debug, Serialize)]
struct Output<'a> {
    name: &'a str,
    ty: &'a str,
    source: &'a str,
}

#[derive(Debug, Serialize)]
struct Problem<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    line: Option<usize>,
    help: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Artifact<'a> {
    target: &'a str,
    path: &'a str,
    text: &'a str,
    lines: usize,
}

#[derive(Debug, Serialize)]
struct Loss<'a> {
    target: &'a str,
    construct: &'a str,
    effect: &'static str,
    why: &'a str,
    line: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Reference<'a> {
    text: &'a str,
    href: Option<String>,
}

#[derive(Debug, Serialize)]
struct Version<'a> {
    number: &'a str,
    date: Option<&'a str>,
    impact: Option<&'a str>,
    notes_html: String,
}

/// The page of the rule at place `at`.
pub(crate) fn page<'a>(
    at: usize,
    overviews: &'a [Overview<'a>],
    indicators: &'a Indicators<'a>,
) -> RulePage<'a> {
    let overview = &overviews[at];
    let document = overview.document;
    let rule = document.rule;
    let first = document.queries.first();
    let described = rule.section("detection_description");
    RulePage {
        id: &rule.id,
        title: &rule.title,
        path: document.path,
        severity: overview.severity,
        status: overview.status,
        kind: overview.kind,
        author: overview.author,
        platforms: &overview.platforms,
        fp_rate: rule.fp_rate.as_deref(),
        version: rule.version(),
        changed: rule.versions.first().and_then(|v| v.date.as_deref()),
        summary: &overview.summary,
        description_html: described.map(|text| html::markdown(text, 2)),
        sections: sections(document),
        attack: attack(first),
        queries: document
            .queries
            .iter()
            .enumerate()
            .map(|(index, query)| view(document, query, index))
            .collect(),
        settings: first.map_or_else(Vec::new, |q| rulec_explain::setting_rows(&q.explanation.settings)),
        problems: document
            .problems
            .iter()
            .map(|p| Problem {
                code: p.code,
                severity: p.severity.as_str(),
                message: &p.message,
                line: p.line,
                help: p.help.as_deref(),
            })
            .collect(),
        artifacts: document
            .artifacts
            .iter()
            .map(|a| Artifact {
                target: a.target,
                path: a.path,
                text: a.text,
                lines: a.text.lines().count(),
            })
            .collect(),
        losses: document
            .losses
            .iter()
            .map(|l| Loss {
                target: l.target,
                construct: &l.construct,
                effect: l.effect.as_str(),
                why: &l.why,
                line: l.line,
            })
            .collect(),
        references: rule
            .references
            .iter()
            .map(|text| Reference {
                href: html::link(text),
                text,
            })
            .collect(),
        versions: rule
            .versions
            .iter()
            .map(|v| Version {
                number: &v.version,
                date: v.date.as_deref(),
                impact: v.impact.as_deref(),
                notes_html: html::markdown(&v.notes, 3),
            })
            .collect(),
        related: indicators.related(at, overviews),
    }
}

/// The prose below its headings, without what has a place of its own.
fn sections<'a>(document: &Document<'a>) -> Vec<Section<'a>> {
    let elsewhere = ["detection_description", "references", "version_history"];
    document
        .rule
        .sections
        .iter()
        .filter(|s| !s.key.as_deref().is_some_and(|key| elsewhere.contains(&key)))
        .filter(|s| !s.text.trim().is_empty())
        .enumerate()
        .map(|(index, section)| Section {
            anchor: format!("section-{}", index + 1),
            heading: if section.heading.is_empty() {
                "Introduction"
            } else {
                &section.heading
            },
            html: html::markdown(&section.text, 2),
        })
        .collect()
}

fn attack<'a>(query: Option<&'a Query<'a>>) -> Vec<Tactic<'a>> {
    let tactics = query.into_iter().flat_map(|q| &q.explanation.attack);
    tactics
        .map(|tactic| Tactic {
            name: &tactic.tactic,
            techniques: tactic
                .techniques
                .iter()
                .map(|t| Technique {
                    id: &t.id,
                    name: &t.name,
                })
                .collect(),
        })
        .collect()
}

fn view<'a>(document: &'a Document<'a>, query: &'a Query<'a>, index: usize) -> QueryView<'a> {
    let explanation = &query.explanation;
    let prefix = if document.queries.len() > 1 {
        format!("q{}-", index + 1)
    } else {
        String::new()
    };
    let written = document.rule.queries.get(index);
    let tables = &query.tables;
    QueryView {
        name: written.and_then(|q| q.name.as_deref()),
        platform: written.and_then(|q| q.platform.as_deref()),
        query_html: html::kql(query.text, tables),
        tables,
        by_pattern: query.by_pattern,
        drawing_html: draw::pipeline(explanation, &prefix),
        schedule: ScheduleView {
            kind: &explanation.schedule.kind,
            frequency: &explanation.schedule.frequency,
            period: &explanation.schedule.period,
        },
        events: explanation
            .event_coverage
            .iter()
            .map(|e| Event {
                provider: &e.provider,
                name: &e.event,
                title: &e.title,
            })
            .collect(),
        parameters: explanation
            .parameters
            .iter()
            .map(|p| Parameter {
                name: &p.name,
                ty: &p.ty,
                value_html: html::kql(&p.value, tables),
            })
            .collect(),
        stages: stages(explanation, tables),
        bindings: explanation
            .bindings
            .iter()
            .enumerate()
            .map(|(at, b)| BindingView {
                number: at + 1,
                name: &b.name,
                derived_from: &b.derived_from,
                text_html: html::kql(&b.text, tables),
            })
            .collect(),
        exclusions: explanation.exclusions.iter().map(predicate).collect(),
        indicators: explanation.indicators.iter().map(indicator).collect(),
        thresholds: &explanation.thresholds,
        time_window: &explanation.time_window,
        lookback: explanation.lookback.as_ref(),
        group_by: &explanation.group_by,
        joins: &explanation.joins,
        deduplication: &explanation.deduplication,
        output: explanation
            .output_fields
            .iter()
            .filter(|f| f.explicit)
            .map(|f| Output {
                name: &f.name,
                ty: &f.ty,
                source: &f.source,
            })
            .collect(),
        passed: explanation.output_fields.iter().filter(|f| !f.explicit).count(),
        prefix,
    }
}

fn stages<'a>(explanation: &'a Explanation, tables: &[String]) -> Vec<StageView<'a>> {
    let notes = rulec_explain::notes(explanation);
    let changes = rulec_explain::changes(explanation);
    explanation
        .stages
        .iter()
        .zip(notes.into_iter().zip(changes))
        .map(|(stage, (note, change))| StageView {
            number: stage.number,
            kind: stage.kind.trim_start_matches("kusto:"),
            note_html: note.map(|note| html::ticks(&note)),
            line: stage.line,
            does_html: html::ticks(&html::sentence(&stage.does)),
            text_html: html::kql(&stage.text, tables),
            change: html::sentence(&change.said()),
        })
        .collect()
}

fn predicate(predicate: &Predicate) -> PredicateView<'_> {
    PredicateView {
        field: &predicate.field,
        kind: words(predicate.kind, predicate.ignore_case),
        values: &predicate.values,
        stage: predicate.stage,
        together: predicate.together,
    }
}

fn indicator(indicator: &Indicator) -> IndicatorView<'_> {
    IndicatorView {
        field: &indicator.field,
        kind: words(indicator.kind, indicator.ignore_case),
        values: indicator
            .values
            .iter()
            .map(|v| ValueView {
                value: &v.value,
                others: v.corpus.unwrap_or_default(),
            })
            .collect(),
        stage: indicator.stage,
        alternatives: indicator.alternatives,
    }
}

/// A kind of comparison in words.
fn words(kind: Kind, ignore_case: bool) -> String {
    let name = compared(kind.as_str());
    // Of an exact comparison it is worth saying; of the others it is what one expects.
    if ignore_case && matches!(kind, Kind::Eq | Kind::Ne | Kind::In | Kind::NotIn) {
        format!("{name}, any case")
    } else {
        name
    }
}

/// The name of a kind of comparison as people say it.
pub(crate) fn compared(kind: &str) -> String {
    match kind {
        "eq" => "equals",
        "ne" => "differs from",
        "in" => "one of",
        "not_in" => "none of",
        "lt" => "<",
        "le" => "≤",
        "gt" => ">",
        "ge" => "≥",
        "is_null" => "is empty",
        "is_not_null" => "is not empty",
        other => return other.replace('_', " "),
    }
    .to_owned()
}
