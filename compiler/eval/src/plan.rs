//! Relations, compiled once into a chain of steps over batches.
//!
//! The steps right after a table that look at one row at a time go to the
//! table's provider, which may apply them piece by piece.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rulec_functions::{Necessary, Type, Value, convert};
use rulec_ir::{BindingId, BindingKind, Conditions, JoinKind, Operator, Origin, Query, Rel, RelKind};
use rulec_runtime::ops::{self, Output};
use rulec_runtime::{Batch, Column, Context, RuntimeError, Schema};
use rulec_source::Span;

use crate::coverage;
use crate::demand::{self, Demand};
use crate::error::EvalError;
use crate::expr::{Compiled, Scope};
use crate::flow::{Join, Table, held_by};
use crate::gather::{Gather, Kind};
use crate::support;
use crate::trace::{self, Recorder};

pub(crate) type Result<T> = std::result::Result<T, EvalError>;

/// One operator over the batch before it.
pub(crate) type Step<'c> = Box<dyn Fn(&Batch) -> Result<Batch> + Send + Sync + 'c>;

/// Makes the rows that a chain starts with.
pub(crate) type Make<'c> = Box<dyn Fn(Option<&Batch>) -> Result<Batch> + Send + Sync + 'c>;

/// A relation that is ready to run; see [`flow`](crate::flow).
pub(crate) struct Plan<'c> {
    pub(crate) source: Source<'c>,
    /// Steps that look at one row at a time.
    pub(crate) scan: Vec<Step<'c>>,
    /// The step after those, if it takes its input in pieces.
    pub(crate) gather: Option<Gather>,
    /// The steps after that.
    pub(crate) rest: Vec<Step<'c>>,
    /// The first step that does not look at one row at a time, and its place:
    /// it is what rows are held for.
    pub(crate) holder: Option<(&'static str, Span)>,
}

pub(crate) enum Source<'c> {
    Table(Table),
    /// What the enclosing operator hands in.
    Input,
    Made(Make<'c>),
    Join(Box<Join<'c>>),
}

impl<'c> Plan<'c> {
    fn of(source: Source<'c>) -> Self {
        Self {
            source,
            scan: Vec::new(),
            gather: None,
            rest: Vec::new(),
            holder: None,
        }
    }

    fn made(make: impl Fn(Option<&Batch>) -> Result<Batch> + Send + Sync + 'c) -> Self {
        Self::of(Source::Made(Box::new(make)))
    }

    /// Rows that are there already.
    pub(crate) fn rows(batch: Batch) -> Self {
        Self::made(move |_| Ok(batch.clone()))
    }

    /// Adds a step; `rowwise` when pieces of the input may go through one by one.
    pub(crate) fn then(mut self, rowwise: bool, step: Step<'c>) -> Self {
        if rowwise && self.gather.is_none() && self.rest.is_empty() {
            self.scan.push(step);
        } else {
            self.rest.push(step);
        }
        self
    }

    /// Adds a step that may take its input in pieces.
    fn gathered(mut self, gather: Gather) -> Self {
        if self.gather.is_none() && self.rest.is_empty() {
            self.gather = Some(gather);
            return self;
        }
        self.rest.push(Box::new(move |rows| gather.whole(rows)));
        self
    }
}

/// Compiles a query and keeps what its bindings gave.
pub(crate) struct Planner<'q, 'c> {
    pub(crate) query: &'q Query,
    pub(crate) ctx: Context<'c>,
    scalars: RefCell<Vec<Option<Value>>>,
    tables: RefCell<Vec<Option<Batch>>>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// Who is told what the conditions of each `where` say.
    pub(crate) coverage: Option<Arc<coverage::Recorder>>,
    conditions: Conditions,
    /// What is read of tabular bindings.
    demands: Vec<Demand>,
    /// The names of the columns that are not only passed on.
    looked_at: BTreeSet<Arc<str>>,
}

/// Runs a query; `recorder` is told what goes through each operator.
pub(crate) fn run(
    query: &Query,
    conditions: Conditions,
    ctx: &Context<'_>,
    recorder: Option<Arc<Recorder>>,
) -> Result<Batch> {
    watched(query, conditions, ctx, recorder, None)
}

/// Runs a query; `coverage` is told what the conditions of each `where` say.
pub(crate) fn run_covered(
    query: &Query,
    ctx: &Context<'_>,
    coverage: Arc<coverage::Recorder>,
) -> Result<Batch> {
    watched(query, Conditions::default(), ctx, None, Some(coverage))
}

fn watched(
    query: &Query,
    conditions: Conditions,
    ctx: &Context<'_>,
    recorder: Option<Arc<Recorder>>,
    coverage: Option<Arc<coverage::Recorder>>,
) -> Result<Batch> {
    if let Some((span, construct)) = support::unsupported(query).into_iter().next() {
        return Err(EvalError::unsupported(span, &construct));
    }
    let Some(root) = &query.root else {
        return Ok(crate::nothing());
    };
    let planner = Planner {
        query,
        ctx: ctx.of_another_run(),
        scalars: RefCell::new(vec![None; query.bindings.len()]),
        tables: RefCell::new(vec![None; query.bindings.len()]),
        recorder,
        coverage,
        conditions,
        demands: demand::of_bindings(query),
        looked_at: rulec_ir::looked_at(query),
    };
    let batch = planner.whole(root)?.settled().map_err(at(root.span))?;
    declared(&batch, root)
}

/// The batch with the types that the binder derived, where it knows them.
fn declared(batch: &Batch, rel: &Rel) -> Result<Batch> {
    let columns =
        batch
            .schema()
            .columns()
            .iter()
            .enumerate()
            .map(|(place, own)| match rel.columns.get(place) {
                Some(column) if column.ty != Type::Unknown => Column::new(column.name.clone(), column.ty),
                _ => own.clone(),
            });
    batch
        .renamed(Schema::new(columns.collect::<Vec<_>>()))
        .map_err(at(rel.span))
}

pub(crate) fn at(span: Span) -> impl Fn(RuntimeError) -> EvalError {
    move |error| EvalError::at(span, error)
}

pub(crate) fn schema_of(rel: &Rel) -> Schema {
    let columns = rel
        .columns
        .iter()
        .map(|column| Column::new(column.name.clone(), column.ty));
    let schema = Schema::new(columns.collect::<Vec<_>>());
    if rel.open { schema.open() } else { schema }
}

pub(crate) fn outputs(rel: &Rel, exprs: Vec<Compiled>) -> Vec<Output<'static>> {
    rel.columns
        .iter()
        .zip(exprs)
        .map(|(column, expr)| ops::out(column.name.clone(), column.ty, expr))
        .collect()
}

pub(crate) fn picks(rel: &Rel, origins: &[Origin]) -> Vec<ops::Pick> {
    rel.columns
        .iter()
        .zip(origins)
        .map(|(column, origin)| match origin {
            Origin::Left(index) => ops::left(column.name.clone(), *index),
            Origin::Right(index) => ops::right(column.name.clone(), *index),
        })
        .collect()
}

impl<'c> Planner<'_, 'c> {
    /// All rows of a relation.
    pub(crate) fn whole(&self, rel: &Rel) -> Result<Batch> {
        self.plan(rel, None)?.run(&self.ctx, None)
    }

    /// The value of a scalar binding.
    pub(crate) fn scalar(&self, id: BindingId, span: Span) -> Result<Value> {
        if let Some(Some(value)) = self.scalars.borrow().get(id.0) {
            return Ok(value.clone());
        }
        match self.query.bindings.get(id.0).map(|binding| &binding.kind) {
            Some(BindingKind::Scalar(expr)) => {
                let value = self.constant(expr)?;
                if let Some(slot) = self.scalars.borrow_mut().get_mut(id.0) {
                    *slot = Some(value.clone());
                }
                Ok(value)
            }
            _ => Err(EvalError::at(
                span,
                RuntimeError::internal("a scalar is expected where a binding is none"),
            )),
        }
    }

    /// Gives a variable a value for a while; [`Planner::recall`] ends it with
    /// what this gives.
    pub(crate) fn assume(&self, id: BindingId, value: Value) -> Vec<Option<Batch>> {
        if let Some(slot) = self.scalars.borrow_mut().get_mut(id.0) {
            *slot = Some(value);
        }
        self.tables.borrow().clone()
    }

    /// Forgets the tables that may depend on an assumed value: those that were
    /// not known before it.
    pub(crate) fn recall(&self, id: BindingId, known: Vec<Option<Batch>>) {
        if let Some(slot) = self.scalars.borrow_mut().get_mut(id.0) {
            *slot = None;
        }
        *self.tables.borrow_mut() = known;
    }

    /// The rows of a tabular binding.
    fn table(&self, id: BindingId, span: Span) -> Result<Batch> {
        if let Some(Some(batch)) = self.tables.borrow().get(id.0) {
            return Ok(batch.clone());
        }
        match self.query.bindings.get(id.0).map(|binding| &binding.kind) {
            Some(BindingKind::Table { rel, .. }) => {
                // Who looks at what goes through is shown all there is.
                let watched = self.recorder.is_some() || self.coverage.is_some();
                let wanted = if watched {
                    None
                } else {
                    self.demands.get(id.0).cloned().flatten()
                };
                let batch = self.plan(rel, wanted)?.run(&self.ctx, None)?;
                if let Some(slot) = self.tables.borrow_mut().get_mut(id.0) {
                    *slot = Some(batch.clone());
                }
                Ok(batch)
            }
            _ => Err(EvalError::at(
                span,
                RuntimeError::internal("a table is expected where a binding is none"),
            )),
        }
    }

    /// Adds a step, and a look at what goes through it if somebody asked.
    pub(crate) fn then(
        &self,
        mut plan: Plan<'c>,
        rowwise: bool,
        rel: &Rel,
        step: Step<'c>,
    ) -> Result<Plan<'c>> {
        if !rowwise {
            plan.holder.get_or_insert((trace::operator(rel), rel.span));
        }
        let watch = self.watch(rel)?;
        let Some(place) = self.place(rel, 1) else {
            return Ok(plan.then(rowwise, step));
        };
        Ok(plan.then(
            rowwise,
            Box::new(move |input| {
                let output = step(input)?;
                place.step(input, &output, &watch)?;
                Ok(output)
            }),
        ))
    }

    /// Adds a step that may take its input in pieces. Who looks at what goes
    /// through it, or at all that comes before it, is shown the whole.
    pub(crate) fn gathered(&self, mut plan: Plan<'c>, rel: &Rel, kind: Kind) -> Result<Plan<'c>> {
        plan.holder.get_or_insert((trace::operator(rel), rel.span));
        let gather = Gather {
            kind,
            name: trace::operator(rel),
            span: rel.span,
        };
        if self.recorder.is_none() && self.coverage.is_none() {
            return Ok(plan.gathered(gather));
        }
        let step = move |rows: &Batch| gather.whole(rows);
        self.then(plan, false, rel, Box::new(step))
    }

    /// Compiles a relation of which some columns are wanted. The operators of
    /// a pipeline are compiled one after the other, not one inside the other:
    /// a long pipeline must not exhaust the stack.
    pub(crate) fn plan(&self, rel: &Rel, wanted: Demand) -> Result<Plan<'c>> {
        let (mut rel, mut wanted) = (rel, wanted);
        let mut pipeline = Vec::new();
        while let Some(input) = rulec_ir::walk::input(rel) {
            pipeline.push(rel);
            wanted = demand::of_input(rel, 0, &wanted);
            rel = input;
        }
        let mut plan = self.source(rel, wanted)?;
        if matches!(
            rel.kind,
            RelKind::Table { .. } | RelKind::External { .. } | RelKind::Ref(_)
        ) {
            plan = self.looked_at(plan, rel);
        }
        for rel in pipeline.into_iter().rev() {
            plan = self.step(plan, rel)?;
        }
        Ok(plan)
    }

    /// What a pipeline starts with.
    fn source(&self, rel: &Rel, wanted: Demand) -> Result<Plan<'c>> {
        let span = rel.span;
        Ok(match &rel.kind {
            RelKind::Table { name } => Plan::of(Source::Table(Table {
                optional: self.query.tables.iter().any(|t| t.name == *name && t.optional),
                name: name.clone(),
                schema: schema_of(rel).looking_at(self.looked_at.iter().map(|name| &**name)),
                needed: wanted,
                // Who looks at what is dropped is given all there is.
                necessary: if self.recorder.is_some() || self.coverage.is_some() {
                    Necessary::ANYTHING
                } else {
                    self.conditions.at(rel)
                },
                span,
            })),
            RelKind::External { key } => Plan::of(Source::Table(Table {
                name: key.clone(),
                optional: false,
                schema: schema_of(rel),
                needed: wanted,
                necessary: Necessary::ANYTHING,
                span,
            })),
            RelKind::Input => Plan::of(Source::Input),
            RelKind::Ref(id) => Plan::rows(self.table(*id, span)?),
            RelKind::Rows(rows) => {
                let rows = rows
                    .iter()
                    .map(|row| {
                        let cells = row.iter().zip(rel.columns.iter());
                        cells
                            .map(|(cell, column)| Ok(fit(self.constant(cell)?, column.ty)))
                            .collect()
                    })
                    .collect::<Result<Vec<Vec<Value>>>>()?;
                Plan::rows(ops::rows(&self.ctx, &schema_of(rel), rows).map_err(at(span))?)
            }
            RelKind::Range { from, to, step } => {
                let column = rel
                    .columns
                    .first()
                    .map(|column| Column::new(column.name.clone(), column.ty));
                let column = column.unwrap_or_else(|| Column::new("", Type::Long));
                let (from, to, step) = (self.constant(from)?, self.constant(to)?, self.constant(step)?);
                let ctx = self.ctx.clone();
                Plan::made(move |_| ops::range(&ctx, column.clone(), &from, &to, &step).map_err(at(span)))
            }
            RelKind::Join {
                left,
                right,
                kind,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                let lhs = self.plan(left, demand::of_input(rel, 0, &wanted))?;
                let rhs = self.plan(right, demand::of_input(rel, 1, &wanted))?;
                let names = trace::join_keys(left, left_keys, right, right_keys);
                let left_keys = self.exprs(left_keys, &mut Scope::new(left.columns.len()))?;
                let right_keys = self.exprs(right_keys, &mut Scope::new(right.columns.len()))?;
                let (said, kind, output) = (*kind, join_kind(*kind), picks(rel, output));
                // Who looks at what goes through it is shown both sides.
                if kind.takes_pieces() && self.recorder.is_none() && self.coverage.is_none() {
                    let join = Join {
                        name: trace::operator(rel),
                        lhs,
                        rhs,
                        kind,
                        left_keys: left_keys.into(),
                        right_keys: right_keys.into(),
                        output: output.into(),
                        span,
                    };
                    return Ok(Plan::of(Source::Join(Box::new(join))));
                }
                let (place, ctx, name) = (self.place(rel, 2), self.ctx.clone(), trace::operator(rel));
                // The other side may read the same input, in a subquery; so both are run here.
                Plan::made(move |input| {
                    let side =
                        |plan: &Plan<'_>| plan.run(&ctx, input).map_err(|error| held_by(name, span, error));
                    let (lhs, rhs) = (side(&lhs)?, side(&rhs)?);
                    let joined =
                        ops::join(&lhs, &rhs, kind, &left_keys, &right_keys, &output).map_err(at(span))?;
                    if let Some(place) = &place {
                        place.join(said, [&lhs, &rhs], &joined, [&left_keys, &right_keys], &names);
                    }
                    Ok(joined)
                })
            }
            RelKind::Union { inputs, with_source } => {
                let plans = inputs
                    .iter()
                    .enumerate()
                    .map(|(side, input)| {
                        let plan = self.plan(&input.rel, demand::of_input(rel, side, &wanted))?;
                        Ok((plan, input.label.clone(), input.columns.clone()))
                    })
                    .collect::<Result<Vec<_>>>()?;
                let (schema, with_source, ctx) = (schema_of(rel), *with_source, self.ctx.clone());
                let place = self.place(rel, inputs.len());
                Plan::made(move |input| {
                    let batches = plans
                        .iter()
                        .map(|(plan, ..)| plan.run(&ctx, input))
                        .collect::<Result<Vec<_>>>()
                        .map_err(|error| held_by("union", span, error))?;
                    let parts = plans
                        .iter()
                        .zip(&batches)
                        .map(|((_, label, columns), batch)| ops::part(label, batch, columns.clone()))
                        .collect::<Vec<_>>();
                    let union = ops::union(&schema, with_source, &parts).map_err(at(span))?;
                    if let Some(place) = &place {
                        place.union(&batches.iter().collect::<Vec<_>>(), &union);
                    }
                    Ok(union)
                })
            }
            RelKind::Special { inputs, operator } => {
                let Operator::WideUnion {
                    with_source,
                    labels,
                    columns,
                } = &**operator
                else {
                    return Err(EvalError::at(
                        span,
                        RuntimeError::internal("an operator stands where rows should"),
                    ));
                };
                let plans = inputs
                    .iter()
                    .zip(labels.iter().zip(columns))
                    .map(|(input, (label, columns))| {
                        Ok((self.plan(input, None)?, label.clone(), columns.clone()))
                    })
                    .collect::<Result<Vec<_>>>()?;
                let (schema, with_source, ctx) = (schema_of(rel), *with_source, self.ctx.clone());
                let union = Plan::made(move |input| {
                    let rows = plans
                        .iter()
                        .map(|(plan, ..)| plan.run(&ctx, input))
                        .collect::<Result<Vec<_>>>()
                        .map_err(|error| held_by("union", span, error))?;
                    let parts = plans
                        .iter()
                        .zip(&rows)
                        .map(|((_, label, columns), rows)| ops::wide_part(label, rows, columns))
                        .collect::<Vec<_>>();
                    ops::wide_union(&ctx, &schema, with_source, &parts).map_err(at(span))
                });
                self.then(union, false, rel, Box::new(|t| Ok(t.clone())))?
            }
            RelKind::Unsupported { construct, .. } => return Err(EvalError::unsupported(span, construct)),
            _ => {
                return Err(EvalError::at(
                    span,
                    RuntimeError::internal("an operator stands where rows should"),
                ));
            }
        })
    }
}

/// A constant in the type of its column.
fn fit(value: Value, ty: Type) -> Value {
    match (&value, ty) {
        (Value::Null, _) | (_, Type::Dynamic | Type::Unknown) => value,
        _ => convert::convert(&value, ty),
    }
}

fn join_kind(kind: JoinKind) -> ops::JoinKind {
    match kind {
        JoinKind::InnerUnique => ops::JoinKind::InnerUnique,
        JoinKind::Inner => ops::JoinKind::Inner,
        JoinKind::LeftOuter => ops::JoinKind::LeftOuter,
        JoinKind::RightOuter => ops::JoinKind::RightOuter,
        JoinKind::FullOuter => ops::JoinKind::FullOuter,
        JoinKind::LeftSemi => ops::JoinKind::LeftSemi,
        JoinKind::RightSemi => ops::JoinKind::RightSemi,
        JoinKind::LeftAnti => ops::JoinKind::LeftAnti,
        JoinKind::RightAnti => ops::JoinKind::RightAnti,
    }
}
