//! The less common operators and plugins: what the binder found for each goes
//! to the function of the runtime that does it.

use rulec_functions::{Type, Value, aggregate};
use rulec_ir::{AggregateCall, BindingId, Conflict, Expr, Operator, Rel, ScanOutput};
use rulec_runtime::ops::{self, Aggregation};
use rulec_runtime::{Batch, Column, RuntimeError, Schema};

use crate::error::EvalError;
use crate::expr::{Compiled, Scope};
use crate::plan::{Plan, Planner, Result, Step, at, schema_of};

impl<'c> Planner<'_, 'c> {
    /// Adds such an operator to the rows of its first input.
    pub(crate) fn special(
        &self,
        plan: Plan<'c>,
        rel: &Rel,
        inputs: &[Rel],
        operator: &Operator,
    ) -> Result<Plan<'c>> {
        let span = rel.span;
        let width = inputs.first().map_or(0, |input| input.columns.len());
        let schema = schema_of(rel);
        // Values that became columns are laid out as the binder declared them.
        let laid_out = {
            let schema = schema.clone();
            move |made: std::result::Result<Batch, RuntimeError>| {
                made.and_then(|batch| batch.conform(&schema)).map_err(at(span))
            }
        };
        let step: Step<'c> = match operator {
            Operator::Consume => Box::new(move |t| {
                let nothing = Batch::empty(schema.clone(), t.memory());
                Ok(nothing)
            }),
            Operator::Fork => match inputs.get(1) {
                Some(branch) => self.within(branch)?,
                None => Box::new(|t| Ok(t.clone())),
            },
            Operator::Facet { columns } => {
                let first = columns.first().copied();
                let name = first
                    .and_then(|place| inputs.first()?.columns.get(place))
                    .map_or_else(
                        || Column::new("", Type::Dynamic),
                        |c| Column::new(c.name.clone(), c.ty),
                    );
                Box::new(move |t| {
                    let Some(place) = first else { return Ok(t.clone()) };
                    let key = ops::out(name.name.clone(), name.ty, ops::column(place));
                    let Some(new) = aggregate("count").and_then(|row| row.new) else {
                        return Ok(t.clone());
                    };
                    let count = ops::agg(new, [], &[("count_", Type::Long)]);
                    ops::summarize(t, &[key], &[count]).map_err(at(span))
                })
            }
            Operator::Partition { key } => {
                let key = self.expr(key, &mut Scope::new(width))?;
                let Some(query) = inputs.get(1) else {
                    return Ok(plan);
                };
                let query = self.within(query)?;
                Box::new(move |t| {
                    let parts = ops::partition(t, &key, |rows| Ok(query(rows)?));
                    parts.map_err(at(span))
                })
            }
            Operator::PartitionEach { key, variable } => {
                return self.partition_each(&plan, rel, inputs, key, *variable);
            }
            Operator::ParseKv { text, pairs, columns } => {
                let text = self.expr(text, &mut Scope::new(width))?;
                let pairs = ops::Pairs {
                    pair: pairs.pair.clone(),
                    between: pairs.between.clone(),
                    quote: pairs.quote,
                    escape: pairs.escape,
                    greedy: pairs.greedy,
                    regex: pairs.regex.clone(),
                };
                let columns = columns
                    .iter()
                    .filter_map(|place| rel.columns.get(*place))
                    .map(|column| Column::new(column.name.clone(), column.ty))
                    .collect::<Vec<_>>();
                Box::new(move |t| ops::parse_kv(t, width, &text, &pairs, &columns).map_err(at(span)))
            }
            Operator::BagUnpack {
                column,
                prefix,
                conflict,
                ignored,
            } => {
                let conflict = match conflict {
                    Conflict::Error => ops::Conflict::Error,
                    Conflict::ReplaceSource => ops::Conflict::ReplaceSource,
                    Conflict::KeepSource => ops::Conflict::KeepSource,
                };
                let (column, prefix, ignored) = (*column, prefix.clone(), ignored.clone());
                Box::new(move |t| laid_out(ops::bag_unpack(t, column, &prefix, conflict, &ignored)))
            }
            Operator::Pivot {
                column,
                aggregate,
                kept,
            } => {
                let (column, kept) = (*column, kept.clone());
                let call = aggregate.clone();
                let args = self.exprs(&call.args, &mut Scope::new(width))?;
                let new = accumulator(&call)?;
                let args = std::sync::Arc::new(args);
                let ty = aggregate_type(&call);
                Box::new(move |t| {
                    let calls = Aggregation::new(new, shared(&args), vec![Column::new("", ty)]);
                    laid_out(ops::pivot(t, column, calls, &kept))
                })
            }
            Operator::Narrow => Box::new(move |t| ops::narrow(t).map_err(at(span))),
            Operator::SchemaMerge { preserve_order } => {
                let preserve_order = *preserve_order;
                Box::new(move |t| ops::schema_merge(t, preserve_order).map_err(at(span)))
            }
            Operator::AddressLookup {
                v6,
                address,
                network,
                keys,
                return_unmatched,
            } => {
                let Some(table) = inputs.get(1) else {
                    return Ok(plan);
                };
                let right = table.columns.len();
                let mut pairs = Vec::with_capacity(keys.len());
                for (left, key) in keys {
                    pairs.push((
                        self.expr(left, &mut Scope::new(width))?,
                        self.expr(key, &mut Scope::new(right))?,
                    ));
                }
                let by = ops::AddressKeys {
                    v6: *v6,
                    address: self.expr(address, &mut Scope::new(width))?,
                    network: self.expr(network, &mut Scope::new(right))?,
                    keys: pairs,
                    return_unmatched: *return_unmatched,
                };
                let table = self.whole(table)?;
                Box::new(move |t| ops::address_lookup(t, width, &table, &by, &schema).map_err(at(span)))
            }
            Operator::DcountIntersect { states } => {
                let states = self.exprs(states, &mut Scope::new(width))?;
                Box::new(move |t| ops::dcount_intersect(t, width, &states, &schema).map_err(at(span)))
            }
            Operator::TopNested { levels } => {
                let mut nested = Vec::with_capacity(levels.len());
                for level in levels {
                    nested.push(ops::Level {
                        of: self.expr(&level.of, &mut Scope::new(width))?,
                        count: level.count.as_ref().map(|count| self.count(count)).transpose()?,
                        others: level
                            .others
                            .as_ref()
                            .map(|others| self.constant(others))
                            .transpose()?,
                        aggregates: self.aggregations(&level.aggregates, width)?,
                        by: self.expr(&level.by, &mut Scope::new(outputs_of(&level.aggregates)))?,
                        ascending: level.ascending,
                    });
                }
                Box::new(move |t| ops::top_nested(t, &nested, &schema).map_err(at(span)))
            }
            Operator::MakeSeries { .. } => return self.make_series(plan, rel, width, operator),
            Operator::Scan { .. } => return self.scan(plan, rel, operator),
            Operator::Plugin { name, args } => return self.plugin(plan, rel, inputs, name, args),
            Operator::WideUnion { .. } => {
                return Err(EvalError::at(
                    span,
                    RuntimeError::internal("a union stands where an operator should"),
                ));
            }
        };
        self.then(plan, false, rel, step)
    }

    /// A subquery over the rows at hand; its errors keep their own places.
    fn within(&self, query: &Rel) -> Result<Step<'c>> {
        let query = self.plan(query, None)?;
        let ctx = self.ctx.clone();
        Ok(Box::new(move |t| query.run(&ctx, Some(t))))
    }

    /// A query of its own for each key. It may have any source, so its plan
    /// depends on the key, and the rows that have the keys are read first.
    fn partition_each(
        &self,
        plan: &Plan<'c>,
        rel: &Rel,
        inputs: &[Rel],
        key: &Expr,
        variable: BindingId,
    ) -> Result<Plan<'c>> {
        let (span, schema) = (rel.span, schema_of(rel));
        let width = inputs.first().map_or(0, |input| input.columns.len());
        let key = ops::out("", key.ty, self.expr(key, &mut Scope::new(width))?);
        let keys = ops::distinct(&plan.run(&self.ctx, None)?, &[key]).map_err(at(span))?;
        let mut parts = Vec::with_capacity(keys.rows());
        for row in &keys {
            let known = self.assume(variable, row.get(0));
            parts.push(inputs.get(1).map(|query| self.whole(query)).transpose()?);
            self.recall(variable, known);
        }
        let parts = parts
            .into_iter()
            .flatten()
            .map(|part| part.conform(&schema))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(at(span))?;
        let all = Batch::concat(&parts, "partition").map_err(at(span))?;
        let all = all.unwrap_or_else(|| Batch::empty(schema, self.ctx.memory()));
        Ok(Plan::rows(all))
    }

    fn make_series(&self, plan: Plan<'c>, rel: &Rel, width: usize, operator: &Operator) -> Result<Plan<'c>> {
        let Operator::MakeSeries {
            keys,
            series,
            axis,
            from,
            to,
            step,
            closed,
            nonempty,
        } = operator
        else {
            return Ok(plan);
        };
        let span = rel.span;
        let keys = crate::plan::outputs(rel, self.exprs(keys, &mut Scope::new(width))?);
        let bound = |expr: &Option<Expr>| match expr {
            Some(expr) => self.constant(expr),
            None => Ok(Value::Null),
        };
        let axis = ops::Axis {
            of: self.expr(axis, &mut Scope::new(width))?,
            from: bound(from)?,
            to: bound(to)?,
            step: self.constant(step)?,
            closed: *closed,
        };
        let mut made = Vec::with_capacity(series.len());
        for one in series {
            let value = self.expr(&one.value, &mut Scope::new(outputs_of(&one.aggregates)))?;
            let default = match &one.default {
                Some(default) => self.constant(default)?,
                None => match one.value.ty {
                    Type::Real => Value::Real(0.0),
                    _ => Value::Long(0),
                },
            };
            made.push((
                std::sync::Arc::new(self.aggregations(&one.aggregates, width)?),
                value,
                default,
            ));
        }
        let (schema, nonempty) = (schema_of(rel), *nonempty);
        self.then(
            plan,
            false,
            rel,
            Box::new(move |t| {
                let series = made.iter().map(|(aggregates, value, default)| ops::SeriesOf {
                    aggregates: aggregates
                        .iter()
                        .map(|call| {
                            let args = call.args.iter().map(again).collect();
                            Aggregation::new(call.new, args, call.outputs.clone())
                        })
                        .collect(),
                    value: again(value),
                    default: default.clone(),
                });
                ops::make_series(t, &keys, series.collect(), &axis, nonempty, &schema).map_err(at(span))
            }),
        )
    }

    fn scan(&self, plan: Plan<'c>, rel: &Rel, operator: &Operator) -> Result<Plan<'c>> {
        let Operator::Scan {
            width,
            declared,
            steps,
            partition,
            match_id,
        } = operator
        else {
            return Ok(plan);
        };
        let span = rel.span;
        let whole = width * (steps.len() + 1);
        let mut defaults = Vec::with_capacity(declared.len());
        for (place, default) in declared {
            let value = default
                .as_ref()
                .map_or(Ok(Value::Null), |default| self.constant(default))?;
            let is_text = rel.columns.get(*place).is_some_and(|c| c.ty == Type::String);
            let value = if value.is_null() && is_text {
                Value::string("")
            } else {
                value
            };
            defaults.push((*place, value));
        }
        let mut made = Vec::with_capacity(steps.len());
        for step in steps {
            let mut assignments = Vec::with_capacity(step.assignments.len());
            for (place, value) in &step.assignments {
                assignments.push((*place, self.expr(value, &mut Scope::new(whole))?));
            }
            made.push(ops::ScanStep {
                condition: self.expr(&step.condition, &mut Scope::new(whole))?,
                assignments,
                output: match step.output {
                    ScanOutput::All => ops::ScanOutput::All,
                    ScanOutput::Last => ops::ScanOutput::Last,
                    ScanOutput::None => ops::ScanOutput::None,
                },
            });
        }
        let columns = rel.columns.iter().take(*width);
        let scan = ops::Scan {
            columns: columns.map(|c| Column::new(c.name.clone(), c.ty)).collect(),
            declared: defaults,
            steps: made,
            partition: self.exprs(partition, &mut Scope::new(*width))?,
            match_id: *match_id,
        };
        let schema = Schema::new(schema_of(rel).columns().to_vec());
        self.then(
            plan,
            false,
            rel,
            Box::new(move |t| ops::scan(t, &scan, &schema).map_err(at(span))),
        )
    }

    fn plugin(
        &self,
        plan: Plan<'c>,
        rel: &Rel,
        inputs: &[Rel],
        name: &'static str,
        args: &[Expr],
    ) -> Result<Plan<'c>> {
        let (span, schema) = (rel.span, schema_of(rel));
        let width = inputs.first().map_or(0, |input| input.columns.len());
        let row = |index: usize| match args.get(index) {
            Some(arg) => self.expr(arg, &mut Scope::new(width)),
            None => Ok(ops::constant(Value::Null)),
        };
        let value = |index: usize| match args.get(index) {
            Some(arg) => self.constant(arg),
            None => Ok(Value::Null),
        };
        let rest = |from: usize| self.exprs(args.get(from..).unwrap_or_default(), &mut Scope::new(width));
        let activity = |fixed: usize| -> Result<ops::Activity<'static>> {
            Ok(ops::Activity {
                id: row(0)?,
                time: row(1)?,
                dimensions: rest(fixed)?,
            })
        };
        let step: Step<'c> = match name {
            "sliding_window_counts" => {
                let (of, from, to) = (activity(6)?, value(2)?, value(3)?);
                let (window, bin) = (value(4)?, value(5)?);
                Box::new(move |t| {
                    ops::sliding_window_counts(t, &of, &from, &to, &window, &bin, &schema).map_err(at(span))
                })
            }
            "activity_counts_metrics" => {
                let (of, from, to, window) = (activity(5)?, value(2)?, value(3)?, value(4)?);
                Box::new(move |t| {
                    ops::activity_counts_metrics(t, &of, &from, &to, &window, &schema).map_err(at(span))
                })
            }
            "activity_metrics" => {
                let (of, from, to, window) = (activity(5)?, value(2)?, value(3)?, value(4)?);
                Box::new(move |t| {
                    ops::activity_metrics(t, &of, &from, &to, &window, &schema).map_err(at(span))
                })
            }
            "new_activity_metrics" => {
                let newcomers = ops::Newcomers {
                    of: activity(6)?,
                    from: value(2)?,
                    to: value(3)?,
                    window: value(4)?,
                    cohort: value(5)?,
                    known: inputs.get(1).map(|known| self.whole(known)).transpose()?,
                };
                Box::new(move |t| ops::new_activity_metrics(t, &newcomers, &schema).map_err(at(span)))
            }
            "active_users_count" => {
                let active = ops::Active {
                    of: activity(8)?,
                    from: value(2)?,
                    to: value(3)?,
                    lookback: value(4)?,
                    period: value(5)?,
                    least: self.count_at(args, 6)?,
                    bin: value(7)?,
                };
                Box::new(move |t| ops::active_users_count(t, &active, &schema).map_err(at(span)))
            }
            "session_count" => {
                let (of, from, to) = (activity(6)?, value(2)?, value(3)?);
                let (bin, lookback) = (value(4)?, value(5)?);
                Box::new(move |t| {
                    ops::session_count(t, &of, &from, &to, &bin, &lookback, &schema).map_err(at(span))
                })
            }
            "activity_engagement" => {
                let (of, from, to) = (activity(6)?, value(2)?, value(3)?);
                let (inner, outer) = (value(4)?, value(5)?);
                Box::new(move |t| {
                    ops::activity_engagement(t, &of, &from, &to, &inner, &outer, &schema).map_err(at(span))
                })
            }
            "rolling_percentile" => {
                let (of, percentile, index) = (row(0)?, value(1)?, row(2)?);
                let (bin, window, by) = (value(3)?, value(4)?, rest(5)?);
                Box::new(move |t| {
                    ops::rolling_percentile(t, &of, &percentile, &index, &bin, &window, &by, &schema)
                        .map_err(at(span))
                })
            }
            "rows_near" => {
                let (condition, before) = (row(0)?, self.count_at(args, 1)?);
                let after = if args.len() > 2 {
                    self.count_at(args, 2)?
                } else {
                    before
                };
                Box::new(move |t| ops::rows_near(t, &condition, before, after).map_err(at(span)))
            }
            _ => return Err(EvalError::unsupported(span, &format!("the plugin `{name}`"))),
        };
        self.then(plan, false, rel, step)
    }

    fn count_at(&self, args: &[Expr], index: usize) -> Result<i64> {
        args.get(index).map_or(Ok(0), |arg| self.count(arg))
    }

    fn count(&self, expr: &Expr) -> Result<i64> {
        Ok(rulec_functions::convert::to_long(&self.constant(expr)?).unwrap_or(0))
    }

    /// The states of aggregates whose columns have no names of their own.
    fn aggregations(&self, calls: &[AggregateCall], width: usize) -> Result<Vec<Aggregation<'static>>> {
        calls
            .iter()
            .map(|call| {
                let args = self.exprs(&call.args, &mut Scope::new(width))?;
                let outputs = vec![Column::new("", Type::Unknown); call.outputs];
                Ok(Aggregation::new(accumulator(call)?, args, outputs))
            })
            .collect()
    }
}

/// The type of an aggregate's column, for those that may be names of columns.
fn aggregate_type(call: &AggregateCall) -> Type {
    match call.function {
        "count" | "countif" | "dcount" | "dcountif" => Type::Long,
        _ => call
            .args
            .first()
            .map_or(Type::Unknown, |arg| match (call.function, arg.ty) {
                ("sum" | "sumif", Type::Int) => Type::Long,
                ("sum" | "sumif" | "min" | "max" | "minif" | "maxif" | "take_any", ty) => ty,
                ("avg" | "avgif", Type::Int | Type::Long) => Type::Real,
                _ => Type::Unknown,
            }),
    }
}

fn accumulator(call: &AggregateCall) -> Result<rulec_functions::NewAccumulator> {
    aggregate(call.function)
        .and_then(|row| row.new)
        .ok_or_else(|| EvalError::unsupported(call.span, &format!("The aggregate `{}`", call.function)))
}

fn outputs_of(calls: &[AggregateCall]) -> usize {
    calls.iter().map(|call| call.outputs).sum()
}

/// The same expression once more, for operators that take theirs.
fn again(expr: &Compiled) -> ops::Expr<'_> {
    match expr {
        ops::Expr::Column(index) => ops::column(*index),
        ops::Expr::Constant(value) => ops::constant(value.clone()),
        ops::Expr::Each(_) => ops::each(move |row| expr.of(row)),
    }
}

fn shared(exprs: &[Compiled]) -> Vec<ops::Expr<'_>> {
    exprs.iter().map(again).collect()
}
