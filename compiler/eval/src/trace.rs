//! What went through each operator of a query: which stage dropped an event,
//! and which conjunct was false.

use std::sync::{Arc, Mutex};

use rulec_ir::{Query, Rel, RelKind};
use rulec_runtime::{Batch, Context, ops};
use rulec_source::Span;

use crate::error::EvalError;
use crate::expr::Compiled;
use crate::plan;

/// One operator of a query and the rows that went through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The operator in the query text.
    pub span: Span,
    /// Its name in the language.
    pub operator: &'static str,
    /// Rows that came in. Sources and joins count their own output.
    pub rows_in: usize,
    /// Rows that went out.
    pub rows_out: usize,
    /// For `where`: its conjuncts, in order.
    pub conjuncts: Vec<Conjunct>,
}

/// One conjunct of a `where` and what it said of the rows that came in. Each is
/// asked for every row, also when one before it has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conjunct {
    /// Where it stands.
    pub span: Span,
    /// Rows for which it was true.
    pub held: usize,
    /// Rows for which it was false or null.
    pub failed: usize,
}

/// Runs a query and says what went through each operator that ran, in the
/// order in which they stand along the pipeline; a binding's operators come
/// before the operator that reads it. With a context that holds one event,
/// the first stage with rows in and none out is where the event was dropped.
pub fn trace(query: &Query, ctx: &Context<'_>) -> Result<(Batch, Vec<Stage>), EvalError> {
    let recorder = Arc::new(Recorder::default());
    let batch = plan::run(query, ctx, Some(Arc::clone(&recorder)))?;
    let stages = recorder
        .stages
        .lock()
        .map(|mut stages| std::mem::take(&mut *stages))
        .unwrap_or_default();
    Ok((batch, stages))
}

/// Collects [`Stage`]s while a query runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    stages: Mutex<Vec<Stage>>,
}

impl Recorder {
    /// A new stage, and its number.
    pub(crate) fn stage(&self, rel: &Rel, conjuncts: impl Iterator<Item = Span>) -> usize {
        let Ok(mut stages) = self.stages.lock() else {
            return usize::MAX;
        };
        stages.push(Stage {
            span: rel.span,
            operator: operator(rel),
            rows_in: 0,
            rows_out: 0,
            conjuncts: conjuncts
                .map(|span| Conjunct {
                    span,
                    held: 0,
                    failed: 0,
                })
                .collect(),
        });
        stages.len() - 1
    }

    pub(crate) fn record(&self, stage: usize, input: &Batch, output: &Batch, conjuncts: &[(Span, Compiled)]) {
        let held = conjuncts
            .iter()
            .map(|(_, conjunct)| input.iter().filter(|row| ops::holds(&conjunct.of(*row))).count())
            .collect::<Vec<_>>();
        let Ok(mut stages) = self.stages.lock() else {
            return;
        };
        let Some(stage) = stages.get_mut(stage) else {
            return;
        };
        stage.rows_in += input.rows();
        stage.rows_out += output.rows();
        for (conjunct, held) in stage.conjuncts.iter_mut().zip(held) {
            conjunct.held += held;
            conjunct.failed += input.rows() - held;
        }
    }
}

fn operator(rel: &Rel) -> &'static str {
    use rulec_ir::ProjectKind;
    match &rel.kind {
        RelKind::Table { .. } | RelKind::Ref(_) | RelKind::Input => "table",
        RelKind::Rows(_) => "datatable",
        RelKind::Range { .. } => "range",
        RelKind::External { .. } => "externaldata",
        RelKind::Filter { .. } => "where",
        RelKind::Project { kind, .. } => match kind {
            ProjectKind::Project => "project",
            ProjectKind::Extend => "extend",
            ProjectKind::Away => "project-away",
            ProjectKind::Keep => "project-keep",
            ProjectKind::Rename => "project-rename",
            ProjectKind::Reorder => "project-reorder",
            ProjectKind::Serialize => "serialize",
        },
        RelKind::Summarize { .. } => "summarize",
        RelKind::Distinct { .. } => "distinct",
        RelKind::Count { .. } => "count",
        RelKind::Sort { .. } => "sort",
        RelKind::Take { .. } => "take",
        RelKind::Top { .. } => "top",
        RelKind::Join { lookup: true, .. } => "lookup",
        RelKind::Join { .. } => "join",
        RelKind::Union { .. } => "union",
        RelKind::MvExpand { .. } => "mv-expand",
        RelKind::MvApply { .. } => "mv-apply",
        RelKind::Parse { filter: true, .. } => "parse-where",
        RelKind::Parse { .. } => "parse",
        RelKind::Invoke { .. } => "invoke",
        RelKind::GetSchema { .. } => "getschema",
        RelKind::Special { operator, .. } => operator.name(),
        RelKind::Unsupported { .. } => "unsupported",
    }
}
