//! A report for people: the stages with their rows, and the conditions that
//! dropped the event underlined in the document.

use std::fmt::Write as _;

use rulec_source::{Diagnostic, SourceFile, render};

use super::{Fate, Group, Named, Outcome, Partners, Report, Stage, short};
use crate::codes;

/// Conditions underlined at one stage at most.
const MOST_LABELS: usize = 16;
/// Characters of a value that are shown.
const MOST_VALUE: usize = 80;

/// The report as text, ending with a line break.
pub fn text(report: &Report, file: &SourceFile, style: render::Style) -> String {
    let mut text = format!("{}\n", headline(report));
    if report.verdict == Outcome::NotRead && report.stages.iter().all(|stage| stage.event_in == 0) {
        return text;
    }
    text.push('\n');
    stages(&mut text, &report.stages);
    for table in &report.empty_tables {
        let _ = writeln!(text, "\nno data was given for {table}: it was empty");
    }
    for stage in report.ended() {
        let finding = finding(stage, group_of(report, stage));
        let rendered = render::text(
            &render::Finding {
                file,
                rule: None,
                diagnostic: &finding,
            },
            style,
        );
        let _ = writeln!(text, "\n{rendered}");
    }
    text
}

fn headline(report: &Report) -> String {
    let subject = format!("{} on this event of {}", report.rule, report.table);
    match report.verdict {
        Outcome::Fires => format!(
            "{subject}: fires, {} of {} descend from it",
            report.alerts_of_event,
            count(report.alerts, "alert")
        ),
        Outcome::NotRead => format!("{subject}: the rule does not read {}", report.table),
        Outcome::Combined => format!(
            "{subject}: it was combined with other rows and cannot be followed to the end; the rule gives {}",
            count(report.alerts, "alert")
        ),
        Outcome::Dropped => {
            let places: Vec<String> = report
                .ended()
                .map(|stage| format!("`{}` (line {})", stage.operator, stage.place.line))
                .collect();
            format!("{subject}: does not fire, dropped by {}", places.join(" and "))
        }
    }
}

fn stages(text: &mut String, stages: &[Stage]) {
    let header = ["line", "rows in", "out", "event", "stage"].map(str::to_owned);
    let mut rows = vec![header];
    for stage in stages {
        let into: Vec<String> = stage.rows_in.iter().map(usize::to_string).collect();
        let event = match stage.fate {
            Fate::Absent => "",
            Fate::Passed if stage.rows_in.is_empty() => "here",
            Fate::Passed => "passes",
            Fate::Dropped => "dropped",
            Fate::Combined => "combined",
        };
        rows.push([
            stage.place.line.to_string(),
            into.join(" + "),
            stage.rows_out.to_string(),
            event.to_owned(),
            short(&stage.text, 72),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths = [0, 1, 2, 3].map(width);
    for [line, into, out, event, stage] in &rows {
        let _ = writeln!(
            text,
            "  {line:>a$}  {into:>b$}  {out:>c$}  {event:<d$}  {stage}",
            a = widths[0],
            b = widths[1],
            c = widths[2],
            d = widths[3],
        );
    }
}

/// The group that the event was part of when it came to a stage.
fn group_of<'r>(report: &'r Report, stage: &Stage) -> Option<&'r Group> {
    let before = report
        .stages
        .iter()
        .take_while(|other| other.number < stage.number);
    let last = before
        .filter(|other| other.fate == Fate::Passed && other.group.is_some())
        .last()?;
    // Where the event came a second time, it may not have been grouped.
    let same = stage.event_in <= last.event_out && stage.place.line >= last.place.line;
    last.group.as_ref().filter(|_| same)
}

/// What a stage did with the event, underlined.
fn finding(stage: &Stage, group: Option<&Group>) -> Diagnostic {
    let operator = &stage.operator;
    let message = match (stage.fate, stage.operator.as_str()) {
        (Fate::Combined, "toscalar" | "list") => {
            "the event goes into a value that the query computes".to_owned()
        }
        (Fate::Combined, _) => format!("`{operator}` makes its rows from many at once"),
        _ => format!("`{operator}` drops the event"),
    };
    let mut finding = Diagnostic::new(codes::EVENT_DROPPED, message);
    if let Some(condition) = &stage.condition {
        let mut leaves = condition.leaves();
        // The first label is the primary one.
        leaves.sort_by_key(|leaf| !leaf.decisive);
        let more = leaves.len().saturating_sub(MOST_LABELS);
        for leaf in leaves.into_iter().take(MOST_LABELS) {
            let verdict = match leaf.value {
                Some(true) => "true",
                Some(false) => "false",
                None => "null",
            };
            let span = if leaf.place.span.is_empty() {
                stage.place.span
            } else {
                leaf.place.span
            };
            let label = if leaf.decisive && !leaf.values.is_empty() {
                format!("{verdict}: {}", values(&leaf.values))
            } else {
                verdict.to_owned()
            };
            finding = finding.label(span, label);
        }
        if more > 0 {
            finding = finding.note(format!("{more} more conditions are not shown"));
        }
        return grouped(finding, group);
    }
    finding = finding.at(stage.place.span);
    if let Some(partners) = &stage.partners {
        return grouped(related(finding, partners), group);
    }
    if !stage.values.is_empty() {
        finding = finding.note(values(&stage.values));
    }
    if matches!(operator.as_str(), "take" | "top") {
        finding = finding.note(format!(
            "{} came in, {} went on",
            count(stage.rows_in.iter().sum(), "row"),
            stage.rows_out
        ));
    }
    grouped(finding, group)
}

/// Says that the event came as part of a group.
fn grouped(finding: Diagnostic, group: Option<&Group>) -> Diagnostic {
    let Some(group) = group else { return finding };
    let rows = count(group.rows, "row");
    finding.note(if group.keys.is_empty() {
        format!("the event came here as part of a group of {rows}, all there are")
    } else {
        format!(
            "the event came here as part of a group of {rows} with {}",
            values(&group.keys)
        )
    })
}

/// What a join did with the event.
fn related(mut finding: Diagnostic, partners: &Partners) -> Diagnostic {
    let other = if partners.side == "left" { "right" } else { "left" };
    if partners.others == 0 {
        return finding.note(format!("the {other} side has no rows"));
    }
    let keys: Vec<String> = partners
        .keys
        .iter()
        .map(|key| format!("{} = {}", key.name, shown(&key.value)))
        .collect();
    let keys = keys.join(", ");
    if partners.partners == 0 {
        finding = finding.note(format!(
            "none of the {} of the {other} side has {keys}",
            count(partners.others, "row")
        ));
        if partners.keys.len() > 1 {
            for key in &partners.keys {
                finding = finding.note(format!(
                    "{} = {}: {}",
                    key.other,
                    shown(&key.value),
                    match key.partners {
                        0 => format!("no row of the {other} side"),
                        n => format!("{} of the {other} side", count(n, "row")),
                    }
                ));
            }
        }
        return finding;
    }
    if partners.twin {
        return finding.note(format!(
            "another row with {keys} comes first, and `innerunique`, the default, takes one row for each key: say `kind=inner` to keep all"
        ));
    }
    if partners.kind.ends_with("anti") {
        let said = format!(
            "{} of the {other} side {} {keys}",
            count(partners.partners, "row"),
            if partners.partners == 1 { "has" } else { "have" }
        );
        return finding.note(if partners.kind.starts_with(&partners.side) {
            format!("it is excluded: {said}")
        } else {
            format!("it excludes rows of the other side: {said}")
        });
    }
    finding.note(format!(
        "{} of the {other} side have {keys}",
        count(partners.partners, "row")
    ))
}

fn values(values: &[Named]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|named| format!("{} = {}", short(&named.name, MOST_VALUE), shown(&named.value)))
        .collect();
    values.join(", ")
}

/// A value, shortened; what a terminal would act on is escaped.
fn shown(value: &serde_json::Value) -> String {
    let text = short(&value.to_string(), MOST_VALUE);
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
