//! How rows flow through a plan: piece by piece as far as its steps allow.
//!
//! In: plans. Out: their rows, whole or in pieces. Pieces are worked on in any
//! order and perhaps on several threads; what is left to do with each is done
//! in the order of the table that it comes from, so that a plan gives the same
//! however many threads there are.

use std::sync::{Mutex, OnceLock, PoisonError};

use rulec_functions::Necessary;
use rulec_runtime::ops::{self, Expr, Matching, Pick, Probe};
use rulec_runtime::{Batch, Code, Context, RuntimeError, Schema};
use rulec_source::Span;

use crate::demand::Demand;
use crate::error::EvalError;
use crate::gather::Gather;
use crate::plan::{Plan, Result, Source, Step, at};

/// A table of the context.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) schema: Schema,
    pub(crate) needed: Demand,
    /// What rows must meet to get through the first steps.
    pub(crate) necessary: Necessary,
    /// Without data it is empty.
    pub(crate) optional: bool,
    pub(crate) span: Span,
}

/// A join whose left side comes in pieces.
pub(crate) struct Join<'c> {
    /// `join` or `lookup`.
    pub(crate) name: &'static str,
    pub(crate) lhs: Plan<'c>,
    pub(crate) rhs: Plan<'c>,
    pub(crate) kind: ops::JoinKind,
    pub(crate) left_keys: Vec<Expr<'static>>,
    pub(crate) right_keys: Vec<Expr<'static>>,
    pub(crate) output: Vec<Pick>,
    pub(crate) span: Span,
}

/// What is left to do with a piece in its turn; false when no more are wanted.
type Turn<'w> = Box<dyn FnOnce() -> Result<bool> + Send + 'w>;

/// Work on pieces, in any order.
type Work<'f, 'w> = &'f (dyn Fn(Batch) -> Result<Turn<'w>> + Sync + 'f);

/// Left rows up to which a join holds the left side and asks the right side
/// only for rows with its keys.
const FEW: usize = 1 << 18;

impl Plan<'_> {
    /// All rows.
    pub(crate) fn run(&self, ctx: &Context<'_>, input: Option<&Batch>) -> Result<Batch> {
        let batch = match &self.gather {
            Some(gather) => self.gather(gather, ctx, input),
            None => self.collect(ctx, input),
        };
        let mut batch = batch.map_err(|error| match (&self.source, self.holder) {
            // What made them holds them.
            (Source::Made(_), _) | (_, None) => error,
            (_, Some((operator, span))) => held_by(operator, span, error),
        })?;
        for step in &self.rest {
            ctx.progress().check().map_err(at(Span::default()))?;
            batch = step(&batch)?;
        }
        Ok(batch)
    }

    /// Work on all rows, in pieces if that is how they come.
    fn pieces(&self, ctx: &Context<'_>, input: Option<&Batch>, work: Work<'_, '_>) -> Result<()> {
        if self.is_flowing() {
            return self.feed(ctx, input, work);
        }
        work(self.run(ctx, input)?)?().map(|_| ())
    }

    /// Whether rows come in pieces.
    fn is_flowing(&self) -> bool {
        let flows = match &self.source {
            Source::Table(_) => true,
            Source::Join(join) => join.lhs.is_flowing(),
            Source::Input | Source::Made(_) => false,
        };
        flows && self.gather.is_none() && self.rest.is_empty()
    }

    /// What a step makes of the rows after the first steps.
    fn gather(&self, gather: &Gather, ctx: &Context<'_>, input: Option<&Batch>) -> Result<Batch> {
        let own = at(gather.span);
        match &self.source {
            Source::Input | Source::Made(_) => gather.whole(&self.collect(ctx, input)?).map_err(own),
            Source::Table(_) | Source::Join(_) => {
                let pieces = gather.pieces(ctx.memory());
                self.feed(ctx, input, &|piece| {
                    let turn = pieces.piece(&piece).map_err(at(gather.span))?;
                    Ok(Box::new(move || turn().map_err(at(gather.span))))
                })?;
                gather.finish(pieces).map_err(own)
            }
        }
    }

    /// The rows after the first steps.
    fn collect(&self, ctx: &Context<'_>, input: Option<&Batch>) -> Result<Batch> {
        match &self.source {
            Source::Input => match input {
                Some(input) => pass(&self.scan, input),
                None => Err(EvalError::at(
                    Span::default(),
                    RuntimeError::internal("a subquery has no input"),
                )),
            },
            Source::Made(make) => pass(&self.scan, &make(input)?),
            Source::Table(table) => table.scan(ctx, &self.scan),
            Source::Join(join) => {
                let parts = Parts::default();
                self.feed(ctx, input, &|piece| Ok(parts.later(piece)))?;
                parts.whole().map_err(at(join.span))
            }
        }
    }

    /// Work on the rows after the first steps, in pieces; there is at least one.
    fn feed(&self, ctx: &Context<'_>, input: Option<&Batch>, work: Work<'_, '_>) -> Result<()> {
        match &self.source {
            Source::Table(table) => table.fold(ctx, &|piece| work(pass(&self.scan, &piece)?)),
            Source::Join(join) => join.feed(ctx, input, &|piece| work(pass(&self.scan, &piece)?)),
            Source::Input | Source::Made(_) => work(self.collect(ctx, input)?)?().map(|_| ()),
        }
    }
}

fn pass(steps: &[Step<'_>], batch: &Batch) -> Result<Batch> {
    let mut batch = batch.clone();
    for step in steps {
        batch = step(&batch)?;
    }
    Ok(batch)
}

/// Operators that hold one piece at a time.
const PASSING: [&str; 8] = [
    "read",
    "where",
    "project",
    "extend",
    "conform",
    "mv-expand",
    "mv-apply",
    "parse",
];

/// An error of memory, said of the operator that holds rows or groups and not of
/// the one that had a piece in hand when there was no more room.
pub(crate) fn held_by(operator: &str, span: Span, error: EvalError) -> EvalError {
    let named = error.message.split('`').nth(1).unwrap_or_default();
    if error.code != Code::MEMORY_LIMIT || !error.message.starts_with('`') {
        return error;
    }
    // `lookup` is a join by another name.
    if operator == "lookup" && named == "join" {
        return EvalError {
            message: error.message.replacen("join", operator, 1),
            ..error
        };
    }
    if !PASSING.contains(&named) {
        return error;
    }
    EvalError {
        message: format!("`{operator}` holds what came so far, and {}", error.message),
        span,
        ..error
    }
}

/// Pieces that are put together.
#[derive(Default)]
struct Parts(Mutex<Vec<Batch>>);

impl Parts {
    /// Keeps a piece in its turn.
    fn later(&self, piece: Batch) -> Turn<'_> {
        Box::new(move || {
            self.add(piece);
            Ok(true)
        })
    }

    /// Keeps a piece; how many rows there are.
    fn add(&self, piece: Batch) -> usize {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One piece at least says what the columns are.
        if !piece.is_empty() || parts.is_empty() {
            parts.push(piece);
        }
        parts.iter().map(Batch::rows).sum()
    }

    /// The pieces, which are forgotten.
    fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All of them as one.
    fn whole(&self) -> std::result::Result<Batch, RuntimeError> {
        let whole = Batch::concat(&self.take(), "join")?;
        whole.ok_or_else(|| RuntimeError::internal("a table came without a piece"))
    }
}

impl Table {
    /// The rows after some steps.
    fn scan(&self, ctx: &Context<'_>, steps: &[Step<'_>]) -> Result<Batch> {
        let places = Places::default();
        let needed = self.needed.as_deref();
        let scanned = ctx.scan_where(&self.name, &self.schema, needed, &self.necessary, |piece| {
            pass(steps, piece).map_err(|error| places.keep(error))
        });
        match scanned {
            Err(error) if self.may_miss(&error) => pass(steps, &self.nothing(ctx)),
            scanned => scanned.map_err(|error| places.find(error, self.span)),
        }
    }

    /// Work on the rows in pieces.
    fn fold(&self, ctx: &Context<'_>, work: Work<'_, '_>) -> Result<()> {
        let places = Places::default();
        let needed = self.needed.as_deref();
        let folded = ctx.fold_where(&self.name, &self.schema, needed, &self.necessary, |piece| {
            let turn = work(piece).map_err(|error| places.keep(error))?;
            let places = &places;
            Ok(Box::new(move || turn().map_err(|error| places.keep(error))))
        });
        match folded {
            Err(error) if self.may_miss(&error) => work(self.nothing(ctx))?().map(|_| ()),
            folded => folded.map_err(|error| places.find(error, self.span)),
        }
    }

    fn nothing(&self, ctx: &Context<'_>) -> Batch {
        Batch::empty(self.schema.clone(), ctx.memory())
    }

    /// Whether an error only says that there is no data where none is needed.
    fn may_miss(&self, error: &RuntimeError) -> bool {
        self.optional && error.code == Code::MISSING_TABLE
    }
}

impl Join<'_> {
    /// Work on the joined rows, in pieces.
    ///
    /// The left side is held as long as its rows are few. If they stay few, the
    /// right side is asked only for rows with their keys; once they are many,
    /// the right side is held instead and the left rows pass it piece by piece.
    fn feed(&self, ctx: &Context<'_>, input: Option<&Batch>, work: Work<'_, '_>) -> Result<()> {
        let fed = self.feed_held(ctx, input, work);
        fed.map_err(|error| held_by(self.name, self.span, error))
    }

    fn feed_held(&self, ctx: &Context<'_>, input: Option<&Batch>, work: Work<'_, '_>) -> Result<()> {
        let held = Parts::default();
        let probe: OnceLock<Probe<'_>> = OnceLock::new();
        let join = |probe: &Probe<'_>, piece: &Batch| {
            let found = probe.find(piece);
            found
                .and_then(|found| probe.join(piece, &found))
                .map_err(at(self.span))
        };
        self.lhs.pieces(ctx, input, &|piece| {
            if let Some(probe) = probe.get() {
                if probe.in_any_order() {
                    return work(join(probe, &piece)?);
                }
                let found = probe.find(&piece).map_err(at(self.span))?;
                return Ok(Box::new(move || {
                    work(probe.join(&piece, &found).map_err(at(self.span))?)?()
                }));
            }
            let (held, probe, join) = (&held, &probe, &join);
            Ok(Box::new(move || {
                if let Some(probe) = probe.get() {
                    return work(join(probe, &piece)?)?();
                }
                if held.add(piece) <= FEW {
                    return Ok(true);
                }
                let made = self.probe(&self.rhs.run(ctx, input)?)?;
                let probe = probe.get_or_init(|| made);
                for piece in held.take() {
                    if !work(join(probe, &piece)?)?()? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }))
        })?;
        if probe.get().is_some() {
            return Ok(());
        }
        let lhs = held.whole().map_err(at(self.span))?;
        let rhs = self.matching(ctx, input, &lhs)?;
        work(join(&self.probe(&rhs)?, &lhs)?)?().map(|_| ())
    }

    fn probe(&self, rhs: &Batch) -> Result<Probe<'_>> {
        Probe::new(rhs, self.kind, &self.left_keys, &self.right_keys, &self.output).map_err(at(self.span))
    }

    /// The rows of the right side that have a key of the left side.
    fn matching(&self, ctx: &Context<'_>, input: Option<&Batch>, lhs: &Batch) -> Result<Batch> {
        if !self.rhs.is_flowing() {
            return self.rhs.run(ctx, input);
        }
        let matching = Matching::new(lhs, &self.left_keys, &self.right_keys).map_err(at(self.span))?;
        let parts = Parts::default();
        self.rhs.pieces(ctx, input, &|piece| {
            Ok(parts.later(matching.rows(&piece).map_err(at(self.span))?))
        })?;
        parts.whole().map_err(at(self.span))
    }
}

/// Where errors come from that go through a provider of tables, which knows no
/// places.
#[derive(Default)]
struct Places(Mutex<Vec<EvalError>>);

impl Places {
    /// The error without its place, which is kept.
    fn keep(&self, error: EvalError) -> RuntimeError {
        let plain = RuntimeError::new(error.code, error.message.clone());
        if let Ok(mut known) = self.0.lock() {
            known.push(error);
        }
        plain
    }

    /// The error with its place; one that was not kept is about the table.
    fn find(self, error: RuntimeError, table: Span) -> EvalError {
        let known = self.0.into_inner().unwrap_or_default();
        let found = known
            .into_iter()
            .find(|known| known.code == error.code && known.message == error.message);
        found.unwrap_or_else(|| EvalError::at(table, error))
    }
}
