//! Relations, compiled once into a chain of steps over batches.
//!
//! The steps right after a table that look at one row at a time go to the
//! table's provider, which may apply them piece by piece.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use rulec_functions::{Type, Value, aggregate, convert};
use rulec_ir::{
    BindingId, BindingKind, Expr, ExprKind, JoinKind, MvItem, Origin, ParseKind, ParseStep, ProjectKind,
    Query, Rel, RelKind, SortKey,
};
use rulec_runtime::ops::{self, Aggregation, Output};
use rulec_runtime::{Batch, Column, Context, RuntimeError, Schema};
use rulec_source::Span;

use crate::demand::{self, Demand};
use crate::error::EvalError;
use crate::expr::{Compiled, Scope, with_windows};
use crate::support;
use crate::trace::Recorder;

type Result<T> = std::result::Result<T, EvalError>;

/// One operator over the batch before it.
pub(crate) type Step<'c> = Box<dyn Fn(&Batch) -> Result<Batch> + Send + Sync + 'c>;

/// Makes the rows that a chain starts with.
type Make<'c> = Box<dyn Fn(Option<&Batch>) -> Result<Batch> + Send + Sync + 'c>;

/// A relation that is ready to run.
pub(crate) struct Plan<'c> {
    source: Source<'c>,
    /// Steps that look at one row at a time.
    scan: Vec<Step<'c>>,
    /// The steps after the first that does not.
    rest: Vec<Step<'c>>,
}

enum Source<'c> {
    Table {
        name: String,
        schema: Schema,
        needed: Demand,
        span: Span,
    },
    /// What the enclosing operator hands in.
    Input,
    Made(Make<'c>),
}

impl<'c> Plan<'c> {
    fn of(source: Source<'c>) -> Self {
        Self {
            source,
            scan: Vec::new(),
            rest: Vec::new(),
        }
    }

    fn made(make: impl Fn(Option<&Batch>) -> Result<Batch> + Send + Sync + 'c) -> Self {
        Self::of(Source::Made(Box::new(make)))
    }

    /// Adds a step; `rowwise` when pieces of the input may go through one by one.
    fn then(mut self, rowwise: bool, step: Step<'c>) -> Self {
        if rowwise && self.rest.is_empty() {
            self.scan.push(step);
        } else {
            self.rest.push(step);
        }
        self
    }

    pub(crate) fn run(&self, ctx: &Context<'_>, input: Option<&Batch>) -> Result<Batch> {
        let mut batch = match &self.source {
            Source::Table {
                name,
                schema,
                needed,
                span,
            } => {
                // The stage can only fail with a runtime error; its place is kept aside.
                let place = Mutex::new(*span);
                let scanned = ctx.scan(name, schema, needed.as_deref(), |piece| {
                    pass(&self.scan, piece).map_err(|error| {
                        if let Ok(mut place) = place.lock() {
                            *place = error.span;
                        }
                        RuntimeError::new(error.code, error.message)
                    })
                });
                let place = place.into_inner().unwrap_or(*span);
                scanned.map_err(|error| EvalError::at(place, error))?
            }
            Source::Input => match input {
                Some(input) => pass(&self.scan, input)?,
                None => {
                    return Err(EvalError::at(
                        Span::default(),
                        RuntimeError::internal("A subquery has no input."),
                    ));
                }
            },
            Source::Made(make) => pass(&self.scan, &make(input)?)?,
        };
        for step in &self.rest {
            batch = step(&batch)?;
        }
        Ok(batch)
    }
}

fn pass(steps: &[Step<'_>], batch: &Batch) -> Result<Batch> {
    let mut batch = batch.clone();
    for step in steps {
        batch = step(&batch)?;
    }
    Ok(batch)
}

/// Compiles a query and keeps what its bindings gave.
pub(crate) struct Planner<'q, 'c> {
    query: &'q Query,
    pub(crate) ctx: Context<'c>,
    scalars: RefCell<Vec<Option<Value>>>,
    tables: RefCell<Vec<Option<Batch>>>,
    recorder: Option<Arc<Recorder>>,
}

/// Runs a query; `recorder` is told what goes through each operator.
pub(crate) fn run(query: &Query, ctx: &Context<'_>, recorder: Option<Arc<Recorder>>) -> Result<Batch> {
    if let Some((span, construct)) = support::unsupported(query).into_iter().next() {
        return Err(EvalError::unsupported(span, &construct));
    }
    let Some(root) = &query.root else {
        return Ok(crate::nothing());
    };
    let planner = Planner {
        query,
        ctx: ctx.clone(),
        scalars: RefCell::new(vec![None; query.bindings.len()]),
        tables: RefCell::new(vec![None; query.bindings.len()]),
        recorder,
    };
    let batch = planner.whole(root)?;
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

fn at(span: Span) -> impl Fn(RuntimeError) -> EvalError {
    move |error| EvalError::at(span, error)
}

fn schema_of(rel: &Rel) -> Schema {
    let columns = rel
        .columns
        .iter()
        .map(|column| Column::new(column.name.clone(), column.ty));
    let schema = Schema::new(columns.collect::<Vec<_>>());
    if rel.open { schema.open() } else { schema }
}

fn outputs(rel: &Rel, exprs: Vec<Compiled>) -> Vec<Output<'static>> {
    rel.columns
        .iter()
        .zip(exprs)
        .map(|(column, expr)| ops::out(column.name.clone(), column.ty, expr))
        .collect()
}

fn picks(rel: &Rel, origins: &[Origin]) -> Vec<ops::Pick> {
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
                RuntimeError::internal("A scalar is expected where a binding is none."),
            )),
        }
    }

    /// The rows of a tabular binding.
    fn table(&self, id: BindingId, span: Span) -> Result<Batch> {
        if let Some(Some(batch)) = self.tables.borrow().get(id.0) {
            return Ok(batch.clone());
        }
        match self.query.bindings.get(id.0).map(|binding| &binding.kind) {
            Some(BindingKind::Table { rel, .. }) => {
                let batch = self.whole(rel)?;
                if let Some(slot) = self.tables.borrow_mut().get_mut(id.0) {
                    *slot = Some(batch.clone());
                }
                Ok(batch)
            }
            _ => Err(EvalError::at(
                span,
                RuntimeError::internal("A table is expected where a binding is none."),
            )),
        }
    }

    /// Adds a step, and a look at what goes through it if somebody asked.
    fn then(&self, plan: Plan<'c>, rowwise: bool, rel: &Rel, step: Step<'c>) -> Result<Plan<'c>> {
        let Some(recorder) = &self.recorder else {
            return Ok(plan.then(rowwise, step));
        };
        let conjuncts = match &rel.kind {
            RelKind::Filter { input, predicate } => {
                let operands = match &predicate.kind {
                    ExprKind::And(operands) => &operands[..],
                    _ => std::slice::from_ref(predicate),
                };
                let mut scope = Scope::new(input.columns.len());
                let conjuncts = self.exprs(operands, &mut scope)?;
                let spans = operands.iter().map(|operand| operand.span);
                // A conjunct over windows cannot be looked at row by row.
                if scope.windows.is_empty() {
                    spans.zip(conjuncts).collect()
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        };
        let stage = recorder.stage(rel, conjuncts.iter().map(|(span, _)| *span));
        let recorder = Arc::clone(recorder);
        Ok(plan.then(
            rowwise,
            Box::new(move |input| {
                let output = step(input)?;
                recorder.record(stage, input, &output, &conjuncts);
                Ok(output)
            }),
        ))
    }

    fn plan(&self, rel: &Rel, wanted: Demand) -> Result<Plan<'c>> {
        let span = rel.span;
        let before = |input: &Rel| self.plan(input, demand::of_input(rel, 0, &wanted));
        Ok(match &rel.kind {
            RelKind::Table { name } => Plan::of(Source::Table {
                name: name.clone(),
                schema: schema_of(rel),
                needed: wanted,
                span,
            }),
            RelKind::External { key } => Plan::of(Source::Table {
                name: key.clone(),
                schema: schema_of(rel),
                needed: wanted,
                span,
            }),
            RelKind::Input => Plan::of(Source::Input),
            RelKind::Ref(id) => {
                let batch = self.table(*id, span)?;
                Plan::made(move |_| Ok(batch.clone()))
            }
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
                let batch = ops::rows(&self.ctx, &schema_of(rel), rows).map_err(at(span))?;
                Plan::made(move |_| Ok(batch.clone()))
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
            RelKind::Filter { input, predicate } => self.filter(before(input)?, rel, input, predicate)?,
            RelKind::Project { input, kind, exprs } => {
                self.project(before(input)?, rel, input, *kind, exprs)?
            }
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => self.summarize(before(input)?, rel, input, keys, aggregates)?,
            RelKind::Distinct { input, exprs } => {
                let outputs = outputs(rel, self.exprs(exprs, &mut Scope::new(input.columns.len()))?);
                self.then(
                    before(input)?,
                    false,
                    rel,
                    Box::new(move |t| ops::distinct(t, &outputs).map_err(at(span))),
                )?
            }
            RelKind::Count { input } => {
                let schema = schema_of(rel);
                self.then(
                    before(input)?,
                    false,
                    rel,
                    Box::new(move |t| {
                        ops::count(t)
                            .and_then(|t| t.renamed(schema.clone()))
                            .map_err(at(span))
                    }),
                )?
            }
            RelKind::Sort { input, keys } => {
                let keys = self.sort_keys(input, keys)?;
                self.then(
                    before(input)?,
                    false,
                    rel,
                    Box::new(move |t| ops::sort(t, &keys).map_err(at(span))),
                )?
            }
            RelKind::Take { input, count } => {
                let count = self.long(count)?.unwrap_or(0);
                self.then(
                    before(input)?,
                    false,
                    rel,
                    Box::new(move |t| ops::take(t, count).map_err(at(span))),
                )?
            }
            RelKind::Top { input, count, keys } => {
                let count = self.long(count)?.unwrap_or(0);
                let keys = self.sort_keys(input, keys)?;
                self.then(
                    before(input)?,
                    false,
                    rel,
                    Box::new(move |t| ops::top(t, count, &keys).map_err(at(span))),
                )?
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
                let lhs = before(left)?;
                let rhs = self.plan(right, demand::of_input(rel, 1, &wanted))?;
                let left_keys = self.exprs(left_keys, &mut Scope::new(left.columns.len()))?;
                let right_keys = self.exprs(right_keys, &mut Scope::new(right.columns.len()))?;
                let (kind, output, ctx) = (join_kind(*kind), picks(rel, output), self.ctx.clone());
                // The other side may read the same input, in a subquery; so both are run here.
                let joined = Plan::made(move |input| {
                    let (lhs, rhs) = (lhs.run(&ctx, input)?, rhs.run(&ctx, input)?);
                    ops::join(&lhs, &rhs, kind, &left_keys, &right_keys, &output).map_err(at(span))
                });
                self.then(joined, false, rel, Box::new(|t| Ok(t.clone())))?
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
                let union = Plan::made(move |input| {
                    let batches = plans
                        .iter()
                        .map(|(plan, ..)| plan.run(&ctx, input))
                        .collect::<Result<Vec<_>>>()?;
                    let parts = plans
                        .iter()
                        .zip(&batches)
                        .map(|((_, label, columns), batch)| ops::part(label, batch, columns.clone()))
                        .collect::<Vec<_>>();
                    ops::union(&schema, with_source, &parts).map_err(at(span))
                });
                self.then(union, false, rel, Box::new(|t| Ok(t.clone())))?
            }
            RelKind::MvExpand {
                input,
                items,
                with_index,
                bags_as_arrays,
                limit,
                passed,
            } => {
                let expand = ops::Expand {
                    schema: schema_of(rel),
                    items: self.items(input, items)?,
                    passed: passed.clone(),
                    with_index: *with_index,
                    bags_as_arrays: *bags_as_arrays,
                    limit: self.limit(limit.as_ref())?,
                };
                self.then(
                    before(input)?,
                    true,
                    rel,
                    Box::new(move |t| ops::mv_expand(t, &expand).map_err(at(span))),
                )?
            }
            RelKind::MvApply {
                input,
                items,
                passed,
                with_index,
                limit,
                subquery,
                output,
            } => {
                let expand = ops::Expand {
                    schema: handed_in(subquery).map_or_else(|| Schema::of(&[]), schema_of),
                    items: self.items(input, items)?,
                    passed: passed.clone(),
                    with_index: *with_index,
                    bags_as_arrays: false,
                    limit: self.limit(limit.as_ref())?,
                };
                let subquery = self.plan(subquery, None)?;
                let (output, ctx) = (picks(rel, output), self.ctx.clone());
                self.then(
                    before(input)?,
                    true,
                    rel,
                    Box::new(move |t| {
                        // An error of the subquery has its own place.
                        let place = Mutex::new(span);
                        let applied = ops::mv_apply(t, &expand, &output, |items| {
                            subquery.run(&ctx, Some(items)).map_err(|error| {
                                if let Ok(mut place) = place.lock() {
                                    *place = error.span;
                                }
                                RuntimeError::new(error.code, error.message)
                            })
                        });
                        applied.map_err(at(place.into_inner().unwrap_or(span)))
                    }),
                )?
            }
            RelKind::Parse {
                input,
                kind,
                flags,
                expr,
                steps,
                filter,
            } => {
                let text = self.expr(expr, &mut Scope::new(input.columns.len()))?;
                let pattern = ops::Pattern::new(parse_kind(*kind), flags, steps.iter().map(step).collect());
                let (pattern, schema, filter) = (pattern.map_err(at(span))?, schema_of(rel), *filter);
                self.then(
                    before(input)?,
                    true,
                    rel,
                    Box::new(move |t| {
                        if filter {
                            ops::parse_where(t, &text, &pattern, &schema).map_err(at(span))
                        } else {
                            ops::parse(t, &text, &pattern, &schema).map_err(at(span))
                        }
                    }),
                )?
            }
            RelKind::Invoke {
                input,
                function,
                args,
            } => {
                if function != support::INVOKED {
                    return Err(EvalError::unsupported(
                        span,
                        &format!("The function `{function}`"),
                    ));
                }
                let hash = match named_column(input, args.first()) {
                    Some(index) => ops::column(index),
                    None => match args.first() {
                        Some(hash) => self.expr(hash, &mut Scope::new(input.columns.len()))?,
                        None => ops::constant(Value::string("")),
                    },
                };
                let added = rel.columns[input.columns.len().min(rel.columns.len())..]
                    .iter()
                    .map(|column| {
                        (
                            Column::new(column.name.clone(), column.ty),
                            profile_column(&column.name),
                        )
                    })
                    .collect::<Vec<_>>();
                let ctx = self.ctx.clone();
                self.then(
                    before(input)?,
                    true,
                    rel,
                    Box::new(move |t| ops::file_profile(&ctx, t, &hash, &added).map_err(at(span))),
                )?
            }
            RelKind::GetSchema { input } => {
                let schema = schema_of(input);
                self.then(
                    before(input)?,
                    false,
                    rel,
                    Box::new(move |t| {
                        let t = if t.schema().len() == schema.len() {
                            t.renamed(schema.clone())
                        } else {
                            Ok(t.clone())
                        };
                        t.and_then(|t| ops::getschema(&t)).map_err(at(span))
                    }),
                )?
            }
            RelKind::Unsupported { construct, .. } => return Err(EvalError::unsupported(span, construct)),
        })
    }

    fn filter(&self, plan: Plan<'c>, rel: &Rel, input: &Rel, predicate: &Expr) -> Result<Plan<'c>> {
        let (span, width) = (rel.span, input.columns.len());
        let mut scope = Scope::new(width);
        let predicate = self.expr(predicate, &mut scope)?;
        let windows = scope.windows;
        let rowwise = windows.is_empty();
        let is_true = move |t: &Batch| ops::filter(t, |row| ops::holds(&predicate.of(row))).map_err(at(span));
        if rowwise {
            return self.then(plan, true, rel, Box::new(is_true));
        }
        self.then(
            plan,
            false,
            rel,
            Box::new(move |t| {
                let kept = is_true(&with_windows(t, width, &windows)?)?;
                let columns = kept.schema().columns().iter().cloned().enumerate();
                let own = columns.filter(|(place, _)| *place < width || *place >= width + windows.len());
                kept.pick(&own.map(|(place, column)| (column, place)).collect::<Vec<_>>())
                    .map_err(at(span))
            }),
        )
    }

    fn project(
        &self,
        plan: Plan<'c>,
        rel: &Rel,
        input: &Rel,
        kind: ProjectKind,
        exprs: &[Expr],
    ) -> Result<Plan<'c>> {
        let (span, width) = (rel.span, input.columns.len());
        let mut scope = Scope::new(width);
        let outputs = outputs(rel, self.exprs(exprs, &mut scope)?);
        let windows = scope.windows;
        // Columns that the query does not name go on, where the operator keeps what it is not told of.
        let open = rel.open && !matches!(kind, ProjectKind::Project | ProjectKind::Keep);
        let rowwise = windows.is_empty() && kind != ProjectKind::Serialize;
        self.then(
            plan,
            rowwise,
            rel,
            Box::new(move |t| {
                let t = &with_windows(t, width, &windows)?;
                let projected = ops::project(t, &outputs).map_err(at(span))?;
                if !open {
                    return Ok(projected);
                }
                let unknown = (width + windows.len()..t.schema().len())
                    .filter(|place| {
                        projected
                            .schema()
                            .index_of(&t.schema().columns()[*place].name)
                            .is_none()
                    })
                    .map(|place| {
                        let column = &t.schema().columns()[place];
                        ops::out(column.name.clone(), column.ty, ops::column(place))
                    })
                    .collect::<Vec<_>>();
                if unknown.is_empty() {
                    return Ok(projected);
                }
                let unknown = ops::project(t, &unknown).map_err(at(span))?;
                projected.beside(&unknown).map_err(at(span))
            }),
        )
    }

    fn summarize(
        &self,
        plan: Plan<'c>,
        rel: &Rel,
        input: &Rel,
        keys: &[Expr],
        aggregates: &[rulec_ir::AggregateCall],
    ) -> Result<Plan<'c>> {
        let span = rel.span;
        let width = input.columns.len();
        let keys = outputs(rel, self.exprs(keys, &mut Scope::new(width))?);
        let mut columns = rel
            .columns
            .iter()
            .skip(keys.len())
            .map(|c| Column::new(c.name.clone(), c.ty));
        let mut calls = Vec::with_capacity(aggregates.len());
        for call in aggregates {
            let Some(new) = aggregate(call.function).and_then(|row| row.new) else {
                return Err(EvalError::unsupported(
                    call.span,
                    &format!("The aggregate `{}`", call.function),
                ));
            };
            calls.push(Aggregation {
                new,
                args: self.exprs(&call.args, &mut Scope::new(width))?,
                outputs: columns.by_ref().take(call.outputs).collect(),
            });
        }
        self.then(
            plan,
            false,
            rel,
            Box::new(move |t| ops::summarize(t, &keys, &calls).map_err(at(span))),
        )
    }

    fn sort_keys(&self, input: &Rel, keys: &[SortKey]) -> Result<Vec<ops::Key<'static>>> {
        keys.iter()
            .map(|key| {
                let expr = self.expr(&key.expr, &mut Scope::new(input.columns.len()))?;
                Ok(ops::Key {
                    expr,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                })
            })
            .collect()
    }

    fn items(&self, input: &Rel, items: &[MvItem]) -> Result<Vec<ops::Item<'static>>> {
        items
            .iter()
            .map(|item| {
                let expr = self.expr(&item.expr, &mut Scope::new(input.columns.len()))?;
                Ok(ops::item(expr, item.output, item.ty))
            })
            .collect()
    }

    fn long(&self, expr: &Expr) -> Result<Option<i64>> {
        Ok(convert::to_long(&self.constant(expr)?))
    }

    fn limit(&self, limit: Option<&Expr>) -> Result<Option<i64>> {
        limit.map_or(Ok(None), |limit| self.long(limit))
    }
}

/// A constant in the type of its column.
fn fit(value: Value, ty: Type) -> Value {
    match (&value, ty) {
        (Value::Null, _) | (_, Type::Dynamic | Type::Unknown) => value,
        _ => convert::convert(&value, ty),
    }
}

/// The relation in a subquery that the enclosing operator hands in.
fn handed_in(rel: &Rel) -> Option<&Rel> {
    if matches!(rel.kind, RelKind::Input) {
        return Some(rel);
    }
    support::inputs(rel).into_iter().find_map(handed_in)
}

/// The column that `invoke` is told of by its name as a string; by default the
/// one called SHA1.
fn named_column(input: &Rel, arg: Option<&Expr>) -> Option<usize> {
    let name = match arg.map(|arg| &arg.kind) {
        Some(ExprKind::Literal(Value::String(name))) if !name.is_empty() => name,
        Some(ExprKind::Literal(_)) | None => "SHA1",
        Some(_) => return None,
    };
    input.columns.iter().position(|column| &*column.name == name)
}

/// Which column of `FileProfile` a column of the result is: a name that was
/// there already has a number after it.
fn profile_column(name: &str) -> &'static str {
    let known = |name: &str| ops::FILE_PROFILE_COLUMNS.iter().find(|(known, _)| *known == name);
    let mut rest = name;
    loop {
        if let Some((known, _)) = known(rest) {
            return known;
        }
        match rest.strip_suffix(|c: char| c.is_ascii_digit()) {
            Some(shorter) => rest = shorter,
            None => return "ProfileAvailability",
        }
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

fn parse_kind(kind: ParseKind) -> ops::ParseKind {
    match kind {
        ParseKind::Simple => ops::ParseKind::Simple,
        ParseKind::Relaxed => ops::ParseKind::Relaxed,
        ParseKind::Regex => ops::ParseKind::Regex,
    }
}

fn step(step: &ParseStep) -> ops::Step {
    match step {
        ParseStep::Skip => ops::Step::Skip,
        ParseStep::Text(text) => ops::Step::Text(text.clone()),
        ParseStep::Column { output, ty } => ops::Step::Column(*output, *ty),
    }
}
