//! An explanation for people: the same content as plain text and as markdown.

use std::fmt::Write as _;

use rulec_model::{Resolved, Sourced, TriggerOperator};

use crate::{
    entities::{entity_rows, passed_over_rows},
    explain::origin,
    explanation::{Explanation, Indicator, Predicate},
    kind::Kind,
    stages::{changes, notes},
    written::{LONG, shortened},
};

/// How headings, code and tables are written.
trait Style {
    fn heading(&self, out: &mut String, text: &str, level: usize);
    fn code(&self, out: &mut String, text: &str);
    fn table(&self, out: &mut String, header: &[&str], rows: &[Vec<String>]);
    /// Text between headings; what stands between backticks is code.
    fn prose(&self, text: &str) -> String;
}

/// For a terminal.
pub fn text(explanation: &Explanation) -> String {
    render(explanation, &Plain)
}

/// For a page.
pub fn markdown(explanation: &Explanation) -> String {
    render(explanation, &Markdown)
}

fn render(e: &Explanation, style: &dyn Style) -> String {
    let mut out = String::new();
    style.heading(&mut out, &format!("{} ({})", e.title, e.rule), 1);
    if e.query.of > 1 {
        let name = e
            .query
            .name
            .as_ref()
            .map(|n| format!(": {n}"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "Query {} of {}{name} (line {}).\n",
            e.query.number, e.query.of, e.query.line
        );
    }
    if !e.attack.is_empty() {
        style.heading(&mut out, "MITRE ATT&CK", 2);
        let rows: Vec<Vec<String>> = e
            .attack
            .iter()
            .map(|tactic| {
                let techniques: Vec<String> = tactic
                    .techniques
                    .iter()
                    .map(|t| format!("{} {}", t.id, t.name))
                    .collect();
                vec![tactic.tactic.clone(), techniques.join(", ")]
            })
            .collect();
        style.table(&mut out, &["Tactic", "Techniques"], &rows);
    }
    if !e.event_coverage.is_empty() {
        style.heading(&mut out, "Event coverage", 2);
        let rows: Vec<Vec<String>> = e
            .event_coverage
            .iter()
            .map(|event| vec![event.provider.clone(), event.event.clone(), event.title.clone()])
            .collect();
        style.table(&mut out, &["Provider", "Event", "Title"], &rows);
    }
    if !e.parameters.is_empty() {
        style.heading(&mut out, "Parameters", 2);
        let rows: Vec<Vec<String>> = e
            .parameters
            .iter()
            .map(|p| {
                vec![
                    p.name.clone(),
                    p.ty.clone(),
                    p.value.split_whitespace().collect::<Vec<_>>().join(" "),
                ]
            })
            .collect();
        style.table(&mut out, &["Name", "Type", "Value"], &rows);
    }
    for binding in &e.bindings {
        style.heading(&mut out, &format!("Let binding: {}", binding.name), 2);
        style.code(&mut out, &binding.text);
        if !binding.derived_from.is_empty() {
            let _ = writeln!(out, "Derived from {}.\n", binding.derived_from.join(", "));
        }
    }
    stages(&mut out, e, style);
    predicates(&mut out, e, style);
    particulars(&mut out, e, style);
    if !e.output_fields.is_empty() {
        style.heading(&mut out, "Output fields", 2);
        let explicit = e.output_fields.iter().filter(|f| f.explicit);
        let rows: Vec<Vec<String>> = explicit
            .map(|f| vec![f.name.clone(), f.ty.clone(), f.source.clone()])
            .collect();
        if !rows.is_empty() {
            style.table(&mut out, &["Field", "Type", "Built by"], &rows);
        }
        let passed = e.output_fields.iter().filter(|f| !f.explicit).count();
        if passed > 0 {
            let _ = writeln!(
                out,
                "{passed} {}{} through without being named.\n",
                if rows.is_empty() { "" } else { "other " },
                if passed == 1 {
                    "column passes"
                } else {
                    "columns pass"
                }
            );
        }
    }
    settings(&mut out, e, style);
    entities(&mut out, e, style);
    let length = out.trim_end().len();
    out.truncate(length);
    out.push('\n');
    out
}

fn stages(out: &mut String, e: &Explanation, style: &dyn Style) {
    style.heading(out, "Stages", 2);
    for ((stage, note), change) in e.stages.iter().zip(notes(e)).zip(changes(e)) {
        if let Some(note) = note {
            let _ = writeln!(out, "{note}\n");
        }
        style.heading(
            out,
            &format!("Stage {}: {} (line {})", stage.number, stage.kind, stage.line),
            3,
        );
        style.code(out, &stage.text);
        let _ = writeln!(out, "{}.\n", style.prose(&capital(&stage.does)));
        if let Some(from) = &stage.from {
            let comment = from.comment.iter().map(|comment| format!(": {comment}"));
            let said = format!(
                "Put in by {}:{}{}",
                from.file,
                from.line,
                comment.collect::<String>()
            );
            let _ = writeln!(out, "{}.\n", style.prose(&said));
        }
        let said = change.said();
        if !said.is_empty() {
            let _ = writeln!(out, "{}.\n", style.prose(&said));
        }
    }
}

/// A sentence's first letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn predicates(out: &mut String, e: &Explanation, style: &dyn Style) {
    if !e.exclusions.is_empty() {
        style.heading(out, "Exclusions", 2);
        let rows: Vec<Vec<String>> = e.exclusions.iter().map(|p| exclusion(e, p)).collect();
        style.table(out, &["Field", "Kind", "Stage", "Excluded values"], &rows);
    }
    if !e.indicators.is_empty() {
        style.heading(out, "Indicators", 2);
        let counted = e
            .indicators
            .iter()
            .flat_map(|i| &i.values)
            .any(|v| v.corpus.is_some());
        if counted {
            out.push_str(
                "A number behind a value counts the other rules that look for the same; a value without one is \
                 specific to this rule.\n\n",
            );
        }
        let mut rows: Vec<Vec<String>> = e.indicators.iter().map(indicator).collect();
        let mut header = vec!["Field", "Kind", "Stage", "One of", "Values"];
        if e.indicators.iter().all(|i| i.alternatives.is_none()) {
            header.remove(3);
            for row in &mut rows {
                row.remove(3);
            }
        } else {
            out.push_str("Of rows with the same number under \"one of\" one will do.\n\n");
        }
        style.table(out, &header, &rows);
    }
}

fn exclusion(e: &Explanation, p: &Predicate) -> Vec<String> {
    let mut values = some(&p.values);
    // What suppresses a row only together is told once, with the first of them.
    let with: Vec<String> = e
        .exclusions
        .iter()
        .filter(|other| p.together.is_some() && other.together == p.together && *other != p)
        .map(|other| format!("{} {} {}", other.field, other.kind, some(&other.values)))
        .collect();
    if !with.is_empty() {
        let _ = write!(values, " (only where {})", with.join(" and ").trim_end());
    }
    vec![
        p.field.clone(),
        kind(p.kind, p.ignore_case),
        p.stage.to_string(),
        values,
    ]
}

fn indicator(i: &Indicator) -> Vec<String> {
    let values: Vec<String> = i
        .values
        .iter()
        .map(|v| match v.corpus {
            Some(n) if n > 0 => format!("{} ({n})", v.value),
            _ => v.value.clone(),
        })
        .collect();
    vec![
        i.field.clone(),
        kind(i.kind, i.ignore_case),
        i.stage.to_string(),
        i.alternatives.map(|group| group.to_string()).unwrap_or_default(),
        some(&values),
    ]
}

/// Values of a list that are shown; JSON has all.
const SHOWN: usize = 60;

/// Values behind each other; of very many the first.
fn some(values: &[String]) -> String {
    match values.len() {
        n if n > SHOWN => format!(
            "{} and {} more (all in JSON)",
            values[..SHOWN].join(", "),
            n - SHOWN
        ),
        _ => values.join(", "),
    }
}

/// The kind, and whether it ignores case.
fn kind(kind: Kind, ignore_case: bool) -> String {
    if ignore_case {
        format!("{kind} (any case)")
    } else {
        kind.to_string()
    }
}

/// Thresholds, time, keys and de-duplication.
fn particulars(out: &mut String, e: &Explanation, style: &dyn Style) {
    if !e.thresholds.is_empty() {
        style.heading(out, "Thresholds", 2);
        let rows: Vec<Vec<String>> = e
            .thresholds
            .iter()
            .map(|t| {
                let mut limit = t.values.join(", ");
                if let Some(parameter) = &t.parameter {
                    let _ = write!(limit, " ({parameter})");
                }
                vec![
                    t.field.clone(),
                    t.of.clone(),
                    t.kind.to_string(),
                    limit,
                    t.stage.to_string(),
                ]
            })
            .collect();
        style.table(
            out,
            &["Number", "What it counts", "Kind", "Limit", "Stage"],
            &rows,
        );
    }
    style.heading(out, "Time, keys and de-duplication", 2);
    style.table(out, &["Fact", "Stage", "Value"], &particular_rows(e));
}

/// Time window, lookback, keys, de-duplication and schedule in words: what it
/// is, its stage where it has one, and its value.
pub fn particular_rows(e: &Explanation) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut push = |fact: &str, stage: Option<usize>, value: String| {
        let stage = stage.map(|stage| stage.to_string()).unwrap_or_default();
        rows.push(vec![fact.to_owned(), stage, value]);
    };
    for bound in &e.time_window {
        let value = format!("{} {} {}", bound.field, bound.kind, bound.values.join(", "));
        push("time window", Some(bound.stage), value);
    }
    if let Some(lookback) = &e.lookback {
        let by = lookback.parameter.as_ref().map(|p| format!(" ({p})"));
        let value = format!("{}{}", lookback.duration, by.unwrap_or_default());
        push("lookback", None, value);
    }
    for grouping in &e.group_by {
        push("group by", Some(grouping.stage), grouping.keys.join(", "));
    }
    for join in &e.joins {
        let keys: Vec<String> = join
            .left
            .iter()
            .zip(&join.right)
            .map(|(l, r)| if l == r { l.clone() } else { format!("{l} = {r}") })
            .collect();
        let with = shortened(&join.with, LONG);
        let value = format!("{} ({}, with {with})", keys.join(", "), join.kind);
        push(&format!("{} keys", join.operator), Some(join.stage), value);
    }
    for dedup in &e.deduplication {
        let value = format!("{} ({})", dedup.fields.join(", "), dedup.how);
        push("de-duplication", Some(dedup.stage), value);
    }
    let schedule = &e.schedule;
    let value = format!(
        "{}, every {}, over {}",
        schedule.kind, schedule.frequency, schedule.period
    );
    push("schedule", None, value);
    rows
}

fn settings(out: &mut String, e: &Explanation, style: &dyn Style) {
    style.heading(out, "Settings", 2);
    style.table(out, &["Setting", "Value", "From"], &setting_rows(&e.settings));
}

fn entities(out: &mut String, e: &Explanation, style: &dyn Style) {
    let header = ["Entity", "Identifiers", "", "Why"];
    for (title, header, rows) in [
        ("Entities", &header[..], entity_rows(&e.entities)),
        (
            "Entities passed over",
            &["Entity", "Identifiers", "Why not"][..],
            passed_over_rows(&e.entities),
        ),
    ] {
        if !rows.is_empty() {
            style.heading(out, title, 2);
            style.table(out, header, &rows);
        }
    }
}

/// Every setting in words: its name, its value, and where that came from.
pub fn setting_rows(s: &Resolved) -> Vec<Vec<String>> {
    let lower = |debug: String| debug.to_lowercase();
    let mut rows = vec![
        row("status", &s.status, |v| lower(format!("{v:?}"))),
        row("severity", &s.severity, |v| lower(format!("{v:?}"))),
        row("targets", &s.targets, |v| v.join(", ")),
        row("kind", &s.kind, |v| lower(format!("{v:?}"))),
        row("frequency", &s.frequency, ToString::to_string),
        row("period", &s.period, ToString::to_string),
        row("trigger", &s.trigger, |t| {
            let operator = match t.operator {
                TriggerOperator::Gt => "more than",
                TriggerOperator::Lt => "fewer than",
                TriggerOperator::Eq => "exactly",
                TriggerOperator::Ne => "anything but",
            };
            format!("{operator} {} results", t.threshold)
        }),
        row("suppression", &s.suppression, |s| {
            if s.enabled {
                format!("{} after an alert", s.duration)
            } else {
                "off".to_owned()
            }
        }),
    ];
    rows.push(row("entities", &s.entities, |entities| {
        let shown = entities.iter().map(|e| {
            let fields: Vec<String> = e
                .fields
                .iter()
                .map(|(id, column)| format!("{id}={column}"))
                .collect();
            format!("{} ({})", e.kind, fields.join(", "))
        });
        shown.collect::<Vec<_>>().join("; ")
    }));
    rows.push(row("custom details", &s.custom_details, |details| {
        details
            .iter()
            .map(|(key, column)| format!("{key}={column}"))
            .collect::<Vec<_>>()
            .join(", ")
    }));
    if let Some(alert) = &s.alert {
        let texts = |a: &rulec_model::AlertText| {
            let both = [&a.title, &a.description];
            both.into_iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(" / ")
        };
        rows.push(row("alert", alert, texts));
    }
    rows
}

fn row<T>(name: &str, sourced: &Sourced<T>, show: impl Fn(&T) -> String) -> Vec<String> {
    let shown = show(&sourced.value);
    let shown = if shown.is_empty() {
        "none".to_owned()
    } else {
        shown
    };
    vec![name.to_owned(), shown, origin(&sourced.origin)]
}

struct Plain;

impl Style for Plain {
    fn heading(&self, out: &mut String, text: &str, level: usize) {
        let _ = writeln!(out, "{text}");
        if let Some(rule) = ["=", "-"].get(level - 1) {
            let _ = writeln!(out, "{}", rule.repeat(text.chars().count()));
        }
        if level < 3 {
            out.push('\n');
        }
    }

    fn code(&self, out: &mut String, text: &str) {
        for line in text.lines() {
            let _ = writeln!(out, "    {line}");
        }
        out.push('\n');
    }

    fn table(&self, out: &mut String, header: &[&str], rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let last = widths.len().saturating_sub(1);
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells
                .zip(&widths)
                .enumerate()
                // The last column is as long as it is.
                .map(|(i, (cell, width))| {
                    if i == last {
                        cell.to_owned()
                    } else {
                        format!("{cell:<width$}")
                    }
                })
                .collect();
            let _ = writeln!(out, "  {}", padded.join("  ").trim_end());
        };
        line(&mut header.iter().copied());
        for row in rows {
            line(&mut row.iter().map(String::as_str));
        }
        out.push('\n');
    }

    fn prose(&self, text: &str) -> String {
        text.to_owned()
    }
}

struct Markdown;

impl Style for Markdown {
    fn heading(&self, out: &mut String, text: &str, level: usize) {
        let _ = writeln!(out, "{} {text}\n", "#".repeat(level));
    }

    fn code(&self, out: &mut String, text: &str) {
        // A fence longer than any run of backticks in the text.
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let _ = writeln!(out, "{fence}kql\n{text}\n{fence}\n");
    }

    fn table(&self, out: &mut String, header: &[&str], rows: &[Vec<String>]) {
        let _ = writeln!(out, "| {} |", header.join(" | "));
        let _ = writeln!(out, "|{}", "---|".repeat(header.len()));
        for row in rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| self.prose(cell).replace('|', "\\|").replace('\n', " "))
                .collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        out.push('\n');
    }

    fn prose(&self, text: &str) -> String {
        let parts: Vec<&str> = text.split('`').collect();
        // Without a partner a backtick is only a character.
        if parts.len().is_multiple_of(2) {
            return escaped(text);
        }
        let parts = parts.iter().enumerate().map(|(index, part)| match index % 2 {
            0 => escaped(part),
            _ => format!("`{part}`"),
        });
        parts.collect()
    }
}

/// Text in which markdown finds nothing of its own.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let marks = match c {
            '*' | '<' | '`' | '[' => true,
            // Within a word it is a letter.
            '_' => !before.is_alphanumeric() && before != '_',
            '\\' => letters.peek().is_none_or(char::is_ascii_punctuation),
            _ => false,
        };
        if marks {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_shows_what_rules_say() {
        assert_eq!(
            Markdown.prose(r#"keeps `a_*[0]` where _x is "*<b>\(\d+" or count_ or C:\Temp"#),
            r#"keeps `a_*[0]` where \_x is "\*\<b>\\(\d+" or count_ or C:\Temp"#
        );
        assert_eq!(Markdown.prose("a ` b"), "a \\` b");
    }
}
