//! `rulec run --explain-miss`: why a rule does not fire on an event.
//!
//! In: a bound rule, the tables it reads, and one event. Out: which stage
//! dropped the event, and what its conditions looked at; as data and as text.

mod event;
mod follow;
mod report;
mod run;
mod text;

use rulec_eval as eval;
use rulec_eval::EvalError;
use rulec_model::Rule;
use rulec_runtime::{Context, Value, write};
use rulec_source::{SourceFile, Span};

use crate::pipeline::Bound;

pub use event::Event;
pub use report::{Condition, Fate, Group, Key, Named, Outcome, Partners, Place, Report, Stage};
pub use run::{Answer, Format, run};
pub use text::text;

/// Follows an event through a rule. The context's tables may have the event
/// already; otherwise it is added to them. Other tables come from the context,
/// so that windows and joins have what they need.
pub fn explain(
    file: &SourceFile,
    rule: &Rule,
    bound: &Bound,
    context: &Context<'_>,
    event: &Event,
) -> Result<Report, EvalError> {
    let writer = Writer { file, bound };
    let mut report = Report {
        rule: rule.id.clone(),
        file: file.path.clone(),
        table: event.table.clone(),
        verdict: Outcome::NotRead,
        alerts: 0,
        alerts_of_event: 0,
        stages: Vec::new(),
        empty_tables: Vec::new(),
    };
    let line = event.line();
    let following = follow::Following {
        tables: context.tables(),
        table: &event.table,
        line: line.as_bytes(),
    };
    let (rows, stages) = eval::trace(&bound.ir, &context.over(&following))?;
    report.alerts = rows.rows();
    report.alerts_of_event = rows.marked();
    report.stages = stages
        .iter()
        .enumerate()
        .map(|(index, stage)| writer.stage(index + 1, stage))
        .collect();
    let any = |fate: Fate| report.stages.iter().any(|stage| stage.fate == fate);
    report.verdict = if report.alerts_of_event > 0 {
        Outcome::Fires
    } else if any(Fate::Combined) {
        Outcome::Combined
    } else if any(Fate::Dropped) {
        Outcome::Dropped
    } else if any(Fate::Passed) {
        // It went into a binding that nothing reads to its end.
        Outcome::Combined
    } else {
        Outcome::NotRead
    };
    Ok(report)
}

/// Puts what the trace says into words that stand in the document.
struct Writer<'a> {
    file: &'a SourceFile,
    bound: &'a Bound,
}

impl Writer<'_> {
    fn place(&self, span: Span) -> Place {
        let span = self.bound.fragment.map(span);
        let (from, to) = self.file.positions(span);
        Place {
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
            span,
        }
    }

    fn text(&self, span: Span) -> String {
        let text = span.of(&self.bound.fragment.text);
        short(&text.split_whitespace().collect::<Vec<_>>().join(" "), 120)
    }

    fn stage(&self, number: usize, stage: &eval::Stage) -> Stage {
        let mut written = Stage {
            number,
            operator: stage.operator.to_owned(),
            text: self.text(stage.span),
            place: self.place(stage.span),
            rows_in: stage.rows_in.clone(),
            rows_out: stage.rows_out,
            event_in: stage.event_in,
            event_out: stage.event_out,
            fate: if stage.event_in == 0 {
                Fate::Absent
            } else if stage.event_out > 0 {
                Fate::Passed
            } else if stage.lost {
                Fate::Combined
            } else {
                Fate::Dropped
            },
            condition: None,
            partners: None,
            group: None,
            values: Vec::new(),
        };
        match &stage.why {
            Some(eval::Why::Predicate(verdict)) if stage.dropped() => {
                let decisive = verdict
                    .decisive()
                    .iter()
                    .map(|verdict| verdict.span)
                    .collect::<Vec<_>>();
                written.condition = Some(self.condition(verdict, &decisive));
            }
            Some(eval::Why::Partners(partners)) => written.partners = Some(self.partners(partners)),
            Some(eval::Why::Group(group)) => written.group = Some(Self::group(group)),
            Some(eval::Why::Values(parts)) if stage.dropped() => written.values = self.parts(parts),
            _ => {}
        }
        written
    }

    fn condition(&self, verdict: &eval::Verdict, decisive: &[Span]) -> Condition {
        Condition {
            shape: match verdict.shape {
                eval::Shape::And => "and",
                eval::Shape::Or => "or",
                eval::Shape::Not => "not",
                eval::Shape::Leaf => "leaf",
            }
            .to_owned(),
            text: self.text(verdict.span),
            place: self.place(verdict.span),
            value: verdict.value,
            decisive: verdict.shape == eval::Shape::Leaf && decisive.contains(&verdict.span),
            operands: verdict
                .operands
                .iter()
                .map(|operand| self.condition(operand, decisive))
                .collect(),
            values: self.parts(&verdict.parts),
        }
    }

    fn parts(&self, parts: &[eval::Part]) -> Vec<Named> {
        parts
            .iter()
            .map(|part| {
                named(
                    &part.name.clone().unwrap_or_else(|| self.text(part.span)),
                    &part.value,
                )
            })
            .collect()
    }

    fn partners(&self, partners: &eval::Partners) -> Partners {
        let name = |name: &Option<String>, span: Span| name.clone().unwrap_or_else(|| self.text(span));
        Partners {
            kind: partners.kind.to_owned(),
            side: if partners.right { "right" } else { "left" }.to_owned(),
            others: partners.others,
            partners: partners.partners,
            twin: partners.twin,
            keys: partners
                .keys
                .iter()
                .map(|key| Key {
                    name: name(&key.name, key.span),
                    other: name(&key.other, key.other_span),
                    value: json(&key.value),
                    partners: key.partners,
                })
                .collect(),
        }
    }

    fn group(group: &eval::Group) -> Group {
        let all = |values: &[(String, Value)]| {
            values
                .iter()
                .map(|(name, value)| named(name, value))
                .collect::<Vec<_>>()
        };
        Group {
            keys: all(&group.keys),
            rows: group.rows,
            row: all(&group.row),
        }
    }
}

fn named(name: &str, value: &Value) -> Named {
    Named {
        name: name.to_owned(),
        value: json(value),
    }
}

/// A value as results show it.
fn json(value: &Value) -> serde_json::Value {
    serde_json::from_str(&write::json(value)).unwrap_or_default()
}

/// The beginning of a text that is longer than so many characters.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}
