//! Plans on the runtime's flows of rows, which may come in pieces.
//!
//! In: plans. Out: their rows. Errors go through the runtime with their places.

use std::sync::Arc;

use rulec_functions::Necessary;
use rulec_runtime::flow::Flow;
use rulec_runtime::ops::{self, Expr, Matching, Picks};
use rulec_runtime::{Batch, Context, Named, RuntimeError, Schema};
use rulec_source::Span;

use crate::demand::Demand;
use crate::error::{EvalError, place};
use crate::plan::{Plan, Result, Source, at};

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

/// A join whose left side may come in pieces.
pub(crate) struct Join<'c> {
    /// `join` or `lookup`.
    pub(crate) name: &'static str,
    pub(crate) lhs: Plan<'c>,
    pub(crate) rhs: Plan<'c>,
    pub(crate) kind: ops::JoinKind,
    pub(crate) left_keys: Arc<[Expr<'static>]>,
    pub(crate) right_keys: Arc<[Expr<'static>]>,
    pub(crate) output: Picks,
    pub(crate) span: Span,
}

impl Plan<'_> {
    /// All rows.
    pub(crate) fn run(&self, ctx: &Context<'_>, input: Option<&Batch>) -> Result<Batch> {
        let batch = self.flow(ctx, input).and_then(|flow| match &self.gather {
            Some(gather) => gather.of(&flow),
            None => flow.rows().map_err(at(Span::default())),
        });
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

    /// The rows after the first steps, which may come in pieces.
    fn flow<'r>(&'r self, ctx: &'r Context<'_>, input: Option<&'r Batch>) -> Result<Flow<'r>> {
        let pass = |piece: &Batch| Ok(self.pass(piece)?);
        Ok(match &self.source {
            Source::Input => match input {
                Some(input) => Flow::of(input).then(pass),
                None => return Err(RuntimeError::internal("a subquery has no input").into()),
            },
            Source::Made(make) => Flow::of(&make(input)?).then(pass),
            Source::Table(table) => table.flow(ctx, pass),
            Source::Join(join) => join.flow(ctx, input)?.then(pass),
        })
    }

    fn pass(&self, piece: &Batch) -> Result<Batch> {
        let mut batch = piece.clone();
        for step in &self.scan {
            batch = step(&batch)?;
        }
        Ok(batch)
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

    /// All rows, in pieces if that is how they come.
    fn rows_or_flow<'r>(&'r self, ctx: &'r Context<'_>, input: Option<&'r Batch>) -> Result<Flow<'r>> {
        if self.is_flowing() {
            return self.flow(ctx, input);
        }
        Ok(Flow::of(&self.run(ctx, input)?))
    }
}

/// An error of memory, said of the operator that holds rows.
pub(crate) fn held_by(operator: &'static str, span: Span, error: EvalError) -> EvalError {
    let holder = Named {
        operator,
        place: Some(place(span)),
    };
    RuntimeError::from(error).held_by(holder).into()
}

impl Table {
    fn flow<'r>(
        &'r self,
        ctx: &'r Context<'_>,
        stage: impl Fn(&Batch) -> std::result::Result<Batch, RuntimeError> + Sync + 'r,
    ) -> Flow<'r> {
        let flow = ctx.flow(&self.name, self.schema.clone(), self.necessary.clone(), stage);
        let flow = flow.reading(self.needed.as_deref()).called(Named {
            operator: "read",
            place: Some(place(self.span)),
        });
        if self.optional { flow.optional() } else { flow }
    }
}

impl Join<'_> {
    fn flow<'r>(&'r self, ctx: &'r Context<'_>, input: Option<&'r Batch>) -> Result<Flow<'r>> {
        let right = move |matching: &Matching<'_>| {
            if !self.rhs.is_flowing() {
                return Ok(self.rhs.run(ctx, input)?);
            }
            let own = Some(place(self.span));
            let flow = self.rhs.flow(ctx, input)?;
            let flow = flow.then(|piece| matching.rows(piece).map_err(|error| error.at(own)));
            flow.rows()
        };
        let flow = self.lhs.rows_or_flow(ctx, input)?;
        let keys = [Arc::clone(&self.left_keys), Arc::clone(&self.right_keys)];
        let [left_keys, right_keys] = keys;
        let flow = flow.join(right, self.kind, left_keys, right_keys, self.output.clone());
        Ok(flow.called(Named {
            operator: self.name,
            place: Some(place(self.span)),
        }))
    }
}
