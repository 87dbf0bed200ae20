//! Facts of their own: group-by keys, join keys, de-duplication, lookback.

use rulec_ir::{Expr, ExprKind, Operator, ProjectKind, RelKind};

use crate::{
    Input,
    condition::Reader,
    explanation::{Deduplication, Grouping, Join, Lookback},
    mainline::Step,
    predicates::{DEDUP_FIELDS, joined_with},
    settings::{dedup_fields, longest_window},
    written::Written,
};

/// What [`particulars`] finds.
#[derive(Debug, Default)]
pub(crate) struct Particulars {
    pub(crate) group_by: Vec<Grouping>,
    pub(crate) joins: Vec<Join>,
    pub(crate) deduplication: Vec<Deduplication>,
    pub(crate) lookback: Option<Lookback>,
}

/// Facts about the main pipeline.
pub(crate) fn particulars(input: &Input<'_>, steps: &[Step<'_>]) -> Particulars {
    let written = Written { input };
    let mut found = Particulars::default();
    for step in steps {
        let rel = step.rel;
        match &rel.kind {
            RelKind::Summarize {
                input: rows,
                keys,
                aggregates,
            } => {
                let reader = Reader {
                    query: input.ir,
                    rows,
                    written,
                };
                if let Some(first) = aggregates.iter().find(|call| keeps_row(call)) {
                    found.deduplication.push(Deduplication {
                        how: first.function.to_owned(),
                        fields: fields(&reader, keys),
                        stage: step.stage,
                    });
                }
                if !keys.is_empty() {
                    found.group_by.push(Grouping {
                        keys: fields(&reader, keys),
                        stage: step.stage,
                    });
                }
            }
            RelKind::Distinct { input: rows, exprs } => {
                let reader = Reader {
                    query: input.ir,
                    rows,
                    written,
                };
                found.deduplication.push(Deduplication {
                    how: "distinct".to_owned(),
                    fields: fields(&reader, exprs),
                    stage: step.stage,
                });
            }
            RelKind::Special { inputs, operator } => {
                let (Operator::MakeSeries { keys, .. }, Some(rows)) = (&**operator, inputs.first()) else {
                    continue;
                };
                let reader = Reader {
                    query: input.ir,
                    rows,
                    written,
                };
                if !keys.is_empty() {
                    found.group_by.push(Grouping {
                        keys: fields(&reader, keys),
                        stage: step.stage,
                    });
                }
            }
            RelKind::Join {
                left,
                right,
                kind,
                lookup,
                left_keys,
                right_keys,
                ..
            } => {
                let side = |rows, keys: &[Expr]| {
                    let reader = Reader {
                        query: input.ir,
                        rows,
                        written,
                    };
                    fields(&reader, keys)
                };
                found.joins.push(Join {
                    operator: if *lookup { "lookup" } else { "join" }.to_owned(),
                    kind: kind.name().to_owned(),
                    with: joined_with(input.ir, rel, right, written),
                    left: side(left, left_keys),
                    right: side(right, right_keys),
                    stage: step.stage,
                });
            }
            // The fields that earlier alerts are compared by stand in a let binding.
            RelKind::Project {
                kind: ProjectKind::Extend,
                ..
            } if rel.columns.last().is_some_and(|c| &*c.name == "DedupEntity") => {
                if let Some(fields) = dedup_fields(input.ir) {
                    found.deduplication.push(Deduplication {
                        how: DEDUP_FIELDS.to_owned(),
                        fields,
                        stage: step.stage,
                    });
                }
            }
            _ => {}
        }
    }
    found.lookback = longest_window(input.ir).map(|window| Lookback {
        duration: window.length.to_string(),
        parameter: window.name,
    });
    found
}

/// Whether an aggregate picks a whole row: `arg_min(Timestamp, *)`.
fn keeps_row(call: &rulec_ir::AggregateCall) -> bool {
    matches!(call.function, "arg_min" | "arg_max" | "take_any" | "any") && call.outputs > 1
}

/// Columns by name; what is computed as written.
fn fields(reader: &Reader<'_, '_>, keys: &[Expr]) -> Vec<String> {
    keys.iter()
        .map(|key| match &key.kind {
            ExprKind::Column(_) => reader.field(key),
            _ => match reader.written.line(key.span) {
                text if text.is_empty() => reader.field(key),
                text => text,
            },
        })
        .collect()
}
