//! An explanation for people: the same content as plain text and as markdown.

use std::fmt::Write as _;

use rulec_model::{Sourced, TriggerOperator};

use crate::{explain::origin, explanation::Explanation};

/// How headings, code and tables are written.
trait Style {
    fn heading(&self, out: &mut String, text: &str, level: usize);
    fn code(&self, out: &mut String, text: &str);
    fn table(&self, out: &mut String, header: &[&str], rows: &[Vec<String>]);
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
                "{passed} {} pass through without being named.\n",
                if rows.is_empty() {
                    "columns"
                } else {
                    "other columns"
                }
            );
        }
    }
    settings(&mut out, e, style);
    let length = out.trim_end().len();
    out.truncate(length);
    out.push('\n');
    out
}

fn stages(out: &mut String, e: &Explanation, style: &dyn Style) {
    style.heading(out, "Stages", 2);
    let mut before: Option<Option<&str>> = None;
    for stage in &e.stages {
        let binding = stage.binding.as_deref();
        if before != Some(binding) {
            let said = match (before.flatten(), binding) {
                (None, None) => None,
                (None, Some(name)) => Some(format!(
                    "The stages below define `let {name}`, where the main pipeline begins."
                )),
                (Some(last), Some(name)) => Some(format!(
                    "The stages below run on `{last}` and define `let {name}`."
                )),
                (Some(last), None) => Some(format!("The stages below run on `{last}`: the outer pipeline.")),
            };
            if let Some(said) = said {
                let _ = writeln!(out, "{said}\n");
            }
            before = Some(binding);
        }
        style.heading(
            out,
            &format!("Stage {}: {} (line {})", stage.number, stage.kind, stage.line),
            3,
        );
        style.code(out, &stage.text);
    }
}

fn predicates(out: &mut String, e: &Explanation, style: &dyn Style) {
    if !e.exclusions.is_empty() {
        style.heading(out, "Exclusions", 2);
        let rows: Vec<Vec<String>> = e
            .exclusions
            .iter()
            .map(|p| vec![p.field.clone(), p.kind.clone(), p.values.join(", ")])
            .collect();
        style.table(out, &["Field", "Kind", "Excluded values"], &rows);
    }
    if !e.indicators.is_empty() {
        style.heading(out, "Indicators", 2);
        let rows: Vec<Vec<String>> = e
            .indicators
            .iter()
            .map(|i| {
                let values: Vec<&str> = i.values.iter().map(|v| v.value.as_str()).collect();
                vec![i.field.clone(), i.kind.clone(), values.join(", ")]
            })
            .collect();
        style.table(out, &["Field", "Kind", "Values"], &rows);
    }
}

fn settings(out: &mut String, e: &Explanation, style: &dyn Style) {
    style.heading(out, "Settings", 2);
    let s = &e.settings;
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
    style.table(out, &["Setting", "Value", "From"], &rows);
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
                .map(|c| c.replace('|', "\\|").replace('\n', " "))
                .collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        out.push('\n');
    }
}
