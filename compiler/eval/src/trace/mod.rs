//! What went through each operator of a query, and what became of one event:
//! which stage dropped it, and why.
//!
//! In: a bound query and a context whose tables mark the event's row
//! ([`rulec_runtime::Batch::with_marks`]). Out: a [`Stage`] an operator. Deliberately absent:
//! the query's text, which only callers have, and words.

mod predicate;
mod relation;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rulec_functions::Value;
use rulec_ir::{Conditions, Query, Rel, RelKind};
use rulec_runtime::{Batch, Context};
use rulec_source::Span;

use crate::error::EvalError;
use crate::plan::{self, Planner};

pub use predicate::{Part, Shape, Verdict};
pub(crate) use relation::join_keys;
pub use relation::{Group, JoinKey, Partners};

use predicate::Node;
use relation::{Grouping, Watched};

/// One operator of a query, the rows that went through it, and how many of
/// them the event had become.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The operator in the query text.
    pub span: Span,
    /// Its name in the language.
    pub operator: &'static str,
    /// Rows that came in, by input: two for a join, none for a table.
    pub rows_in: Vec<usize>,
    /// Rows that went out.
    pub rows_out: usize,
    /// Rows that came in and descend from the event; for a table, those that it has.
    pub event_in: usize,
    /// Rows that went out and descend from it.
    pub event_out: usize,
    /// The rows that went out are made from many at once, and none can be said
    /// to be the event's.
    pub lost: bool,
    /// What can be said of the event here.
    pub why: Option<Why>,
}

impl Stage {
    /// Whether the event came in, and nothing of it went out.
    pub fn dropped(&self) -> bool {
        self.event_in > 0 && self.event_out == 0 && !self.lost
    }
}

/// Why an operator did with the event what it did.
#[derive(Clone, Debug)]
pub enum Why {
    /// `where`: what it said of the first of the event's rows that it dropped.
    Predicate(Verdict),
    /// `join` and `lookup`: the event's keys and who has the same on the other side.
    Partners(Partners),
    /// `summarize`, `distinct`, `count`: the group that the event went into.
    Group(Group),
    /// Others: what their expressions gave for the event.
    Values(Vec<Part>),
}

/// Runs a query and says what went through each operator that ran, in the
/// order in which they stand along the pipeline; the operators of a binding
/// come before the operator that reads it first.
pub fn trace(query: &Query, ctx: &Context<'_>) -> Result<(Batch, Vec<Stage>), EvalError> {
    let recorder = Arc::new(Recorder::default());
    let batch = plan::run(query, Conditions::default(), ctx, Some(Arc::clone(&recorder)))?;
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
    /// An expression is compiled once more to be looked at; what its
    /// subqueries do has been recorded already.
    muted: AtomicBool,
}

/// What to look at when rows go through an operator.
#[derive(Debug)]
pub(crate) enum Watch {
    Predicate(Node),
    Group(Grouping),
    Values(Watched),
    Nothing,
}

impl Recorder {
    /// A new stage, and its number.
    fn stage(&self, span: Span, operator: &'static str, inputs: usize) -> usize {
        let Ok(mut stages) = self.stages.lock() else {
            return usize::MAX;
        };
        if self.muted.load(Ordering::Relaxed) {
            return usize::MAX;
        }
        stages.push(Stage {
            span,
            operator,
            rows_in: vec![0; inputs],
            rows_out: 0,
            event_in: 0,
            event_out: 0,
            lost: false,
            why: None,
        });
        stages.len() - 1
    }

    /// What went through a stage; a stage may be told in pieces.
    fn record(&self, stage: usize, inputs: &[&Batch], output: &Batch, why: Option<Why>) {
        let Ok(mut stages) = self.stages.lock() else {
            return;
        };
        let Some(stage) = stages.get_mut(stage) else {
            return;
        };
        for (sum, input) in stage.rows_in.iter_mut().zip(inputs) {
            *sum += input.rows();
        }
        let marked = inputs.iter().map(|input| input.marked()).sum::<usize>();
        stage.rows_out += output.rows();
        stage.event_in += marked;
        stage.event_out += output.marked();
        stage.lost |= marked > 0 && output.marks().is_none();
        if stage.why.is_none() {
            stage.why = why;
        }
    }

    /// Does something that makes no stages.
    fn muted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.muted.swap(true, Ordering::Relaxed);
        let done = work();
        self.muted.store(before, Ordering::Relaxed);
        done
    }
}

/// A stage under way.
pub(crate) struct Place {
    recorder: Arc<Recorder>,
    stage: usize,
}

impl Place {
    /// What went through an operator of one input.
    pub(crate) fn step(&self, input: &Batch, output: &Batch, watch: &Watch) -> plan::Result<()> {
        let why = if input.marked() == 0 {
            None
        } else {
            match watch {
                Watch::Predicate(node) => node.why(input)?.map(Why::Predicate),
                Watch::Group(grouping) => grouping.of(input, output).map(Why::Group),
                Watch::Values(watched) => watched.of(input).map(Why::Values),
                Watch::Nothing => None,
            }
        };
        self.recorder.record(self.stage, &[input], output, why);
        Ok(())
    }

    /// What a union put together.
    pub(crate) fn union(&self, inputs: &[&Batch], output: &Batch) {
        self.recorder.record(self.stage, inputs, output, None);
    }

    /// What a join put together; `keys` are those of both sides.
    pub(crate) fn join(
        &self,
        kind: rulec_ir::JoinKind,
        sides: [&Batch; 2],
        output: &Batch,
        keys: [&[crate::expr::Compiled]; 2],
        names: &[JoinKey],
    ) {
        let why = relation::partners(kind, sides, keys, names).map(Why::Partners);
        self.recorder.record(self.stage, &sides, output, why);
    }

    /// The rows that a table gave.
    pub(crate) fn table(&self, rows: &Batch) {
        if let Ok(mut stages) = self.recorder.stages.lock()
            && let Some(stage) = stages.get_mut(self.stage)
        {
            stage.rows_out += rows.rows();
            stage.event_in += rows.marked();
            stage.event_out += rows.marked();
        }
    }
}

impl<'c> Planner<'_, 'c> {
    /// A new stage, if somebody asked for them.
    pub(crate) fn place(&self, rel: &Rel, inputs: usize) -> Option<Place> {
        let recorder = self.recorder.as_ref()?;
        Some(Place {
            stage: recorder.stage(rel.span, operator(rel), inputs),
            recorder: Arc::clone(recorder),
        })
    }

    /// What to look at in an operator.
    pub(crate) fn watch(&self, rel: &Rel) -> plan::Result<Watch> {
        let Some(recorder) = &self.recorder else {
            return Ok(Watch::Nothing);
        };
        recorder.muted(|| match &rel.kind {
            RelKind::Filter { input, predicate } => self.predicate(input, predicate).map(Watch::Predicate),
            RelKind::Summarize { input, keys, .. } => self.grouping(input, keys).map(Watch::Group),
            RelKind::Distinct { input, exprs } => self.grouping(input, exprs).map(Watch::Group),
            RelKind::Count { input } => self.grouping(input, &[]).map(Watch::Group),
            RelKind::Sort { .. }
            | RelKind::Project { .. }
            | RelKind::Special { .. }
            | RelKind::Invoke { .. }
            | RelKind::GetSchema { .. } => Ok(Watch::Nothing),
            _ => self.watched(rel).map(Watch::Values),
        })
    }

    /// Adds a look at the rows that a table or a binding gives.
    pub(crate) fn looked_at(&self, plan: plan::Plan<'c>, rel: &Rel) -> plan::Plan<'c> {
        match self.place(rel, 0) {
            Some(place) => plan.then(
                true,
                Box::new(move |rows| {
                    place.table(rows);
                    Ok(rows.clone())
                }),
            ),
            None => plan,
        }
    }

    /// Rows have become a value: who reads it does not see which.
    pub(crate) fn became_value(&self, span: Span, operator: &'static str, rows: &Batch) {
        if let Some(recorder) = &self.recorder
            && rows.marked() > 0
        {
            let stage = recorder.stage(span, operator, 1);
            let value = Batch::empty(rows.schema().clone(), rows.memory());
            recorder.record(stage, &[rows], &value, None);
        }
    }
}

/// Values by the name of their column.
fn named(rows: &Batch, row: usize) -> Vec<(String, Value)> {
    let names = rows
        .schema()
        .columns()
        .iter()
        .map(|column| column.name.to_string());
    names.zip(rows.row(row).values()).collect()
}

/// The first row that descends from the event.
fn first_marked(rows: &Batch) -> Option<usize> {
    rows.marks()?.iter().position(|mark| *mark)
}

pub(crate) fn operator(rel: &Rel) -> &'static str {
    use rulec_ir::ProjectKind;
    match &rel.kind {
        RelKind::Table { .. } | RelKind::Input => "table",
        RelKind::Ref(_) => "let",
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
