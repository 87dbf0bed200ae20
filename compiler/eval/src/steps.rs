//! Operators over the rows that come before them in a pipeline.

use rulec_functions::{Value, aggregate, convert};
use rulec_ir::{Expr, ExprKind, MvItem, ParseKind, ParseStep, ProjectKind, Rel, RelKind, SortKey};
use rulec_runtime::ops::{self, Aggregation};
use rulec_runtime::{Batch, Column, RuntimeError, Schema, emitted};

use crate::error::EvalError;
use crate::expr::{Scope, with_windows};
use crate::gather::Kind;
use crate::plan::{Plan, Planner, Result, at, outputs, picks, schema_of};
use crate::support;

impl<'c> Planner<'_, 'c> {
    /// Adds the operator that a relation is to the rows that it reads.
    pub(crate) fn step(&self, plan: Plan<'c>, rel: &Rel) -> Result<Plan<'c>> {
        let span = rel.span;
        Ok(match &rel.kind {
            RelKind::Filter { input, predicate } => self.filter(plan, rel, input, predicate)?,
            RelKind::Project { input, kind, exprs } => self.project(plan, rel, input, *kind, exprs)?,
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => self.summarize(plan, rel, input, keys, aggregates)?,
            RelKind::Distinct { input, exprs } => {
                let outputs = outputs(rel, self.exprs(exprs, &mut Scope::new(input.columns.len()))?);
                self.gathered(plan, rel, Kind::Distinct(outputs))?
            }
            RelKind::Count { .. } => self.gathered(plan, rel, Kind::Count(schema_of(rel)))?,
            RelKind::Sort { input, keys } => {
                let keys = self.sort_keys(input, keys)?;
                self.then(
                    plan,
                    false,
                    rel,
                    Box::new(move |t| ops::sort(t, &keys).map_err(at(span))),
                )?
            }
            RelKind::Take { count, .. } => {
                let count = self.long(count)?.unwrap_or(0);
                self.gathered(plan, rel, Kind::Take(count))?
            }
            RelKind::Top { input, count, keys } => {
                let count = self.long(count)?.unwrap_or(0);
                let keys = self.sort_keys(input, keys)?;
                self.gathered(plan, rel, Kind::Top(count, keys))?
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
                    plan,
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
                    plan,
                    true,
                    rel,
                    Box::new(move |t| {
                        let applied =
                            ops::mv_apply(t, &expand, &output, |items| Ok(subquery.run(&ctx, Some(items))?));
                        applied.map_err(at(span))
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
                    plan,
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
                        &format!("the function `{function}`"),
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
                    plan,
                    true,
                    rel,
                    Box::new(move |t| ops::file_profile(&ctx, t, &hash, &added).map_err(at(span))),
                )?
            }
            RelKind::GetSchema { input } => {
                let schema = schema_of(input);
                let known = move |t: &Batch| emitted::getschema(t, &schema).map_err(at(span));
                self.then(plan, false, rel, Box::new(known))?
            }
            RelKind::Special { inputs, operator } => self.special(plan, rel, inputs, operator)?,
            _ => {
                return Err(EvalError::at(
                    span,
                    RuntimeError::internal("rows stand where an operator should"),
                ));
            }
        })
    }

    fn filter(&self, plan: Plan<'c>, rel: &Rel, input: &Rel, predicate: &Expr) -> Result<Plan<'c>> {
        let (span, width) = (rel.span, input.columns.len());
        let covering = self.covering(rel, input, predicate)?;
        let mut scope = Scope::new(width);
        let predicate = self.expr(predicate, &mut scope)?;
        let windows = scope.windows;
        let rowwise = windows.is_empty();
        let plan = match covering {
            Some(step) => plan.then(rowwise, step),
            None => plan,
        };
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
                emitted::without(&kept, width, windows.len()).map_err(at(span))
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
                let projected = if open {
                    emitted::project_open(t, &outputs, width + windows.len())
                } else {
                    ops::project(t, &outputs)
                };
                projected.map_err(at(span))
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
            let args = self.exprs(&call.args, &mut Scope::new(width))?;
            let outputs = columns.by_ref().take(call.outputs).collect();
            calls.push(Aggregation::new(new, args, outputs));
        }
        self.gathered(plan, rel, Kind::Summarize(keys, calls))
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
