//! Operators that rank and that fill series: `make-series`, the `top-` family,
//! `sample-distinct`, `reduce`.

use rulec_functions::Type;
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, column};
use super::names::{NameTable, Suggested, suggested};
use super::operators::{keyword, special, unsupported};
use super::{Binder, Ctx};
use crate::{AggregateCall, Column, NestedLevel, Operator, RelKind, Series, SortKey, codes};

/// Levels of `top-nested` at most.
const MAX_LEVELS: usize = 100;

impl Binder<'_> {
    /// The ends of a series are values of its axis, and its step is a distance
    /// between such. Types and places are those of both ends and the step.
    fn series_range(&mut self, axis: Type, types: [Option<Type>; 3], places: [Option<Span>; 3]) {
        for (n, (ty, at)) in types.into_iter().zip(places).enumerate() {
            let (Some(ty), Some(at)) = (ty, at) else { continue };
            let open = matches!(ty, Type::Unknown | Type::Dynamic) || axis == Type::Unknown;
            let fits = match (n, axis) {
                _ if open => true,
                (0 | 1, _) => widens(ty, axis),
                // Texts are read when the query runs.
                _ if ty == Type::String => true,
                (_, Type::DateTime | Type::TimeSpan) => ty == Type::TimeSpan,
                _ => axis.is_numeric() && widens(ty, axis),
            };
            if !fits {
                let what = if n < 2 { "an end" } else { "a step" };
                self.error(
                    codes::WRONG_TYPE,
                    at,
                    format!("{what} of a series along `{axis}` cannot be of type `{ty}`"),
                );
            }
        }
    }

    pub(super) fn make_series(
        &mut self,
        op: &ast::Operator,
        series: &ast::MakeSeries,
        input: Bound,
    ) -> Bound {
        let mut names = NameTable::default();
        let mut columns: Vec<Column> = Vec::new();
        let mut keys = Vec::new();
        for item in &series.by {
            for given in self.given(item, Ctx::over(&input)) {
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    columns.push(column(name, given.expr.ty));
                    keys.push(given.expr);
                }
            }
        }
        let mut made = Vec::new();
        for item in &series.aggregates {
            let default = item.default.as_ref().map(|default| self.constant(default));
            let ranked = self.ranked(&item.column, &input);
            let name = match (&ranked.explicit, ranked.name.text()) {
                (Some(explicit), _) => names
                    .declared(explicit)
                    .unwrap_or_else(|| names.derived(explicit)),
                (None, Some(text)) => names.derived(text),
                (None, None) => names.anonymous(&mut self.anonymous),
            };
            columns.push(column(name, Type::Dynamic));
            made.push(Series {
                aggregates: ranked.calls,
                value: ranked.value,
                default,
            });
        }
        let mut axis = None;
        for given in self.given(&series.on, Ctx::over(&input)) {
            let name = match (&given.explicit, &given.name) {
                (Some((name, _)), _) | (None, Suggested::Name(name) | Suggested::Derived(name)) => {
                    names.derived(name)
                }
                (None, Suggested::Nothing) => names.anonymous(&mut self.anonymous),
            };
            columns.push(column(name, Type::Dynamic));
            axis.get_or_insert(given.expr);
        }
        let (from, to, step, closed) = match &series.range {
            ast::SeriesRange::Steps { from, to, step } => {
                let from = from.as_deref().map(|from| self.constant(from));
                let to = to.as_deref().map(|to| self.constant(to));
                (from, to, Some(self.constant(step)), false)
            }
            ast::SeriesRange::InRange(bounds) => {
                if bounds.len() != 3 {
                    self.error(
                        codes::ARGUMENT_COUNT,
                        series.on.span,
                        format!(
                            "`range` takes a beginning, an end and a step, not {} values",
                            bounds.len()
                        ),
                    );
                }
                let mut bounds = bounds
                    .iter()
                    .map(|bound| self.constant(bound))
                    .collect::<Vec<_>>();
                let step = (bounds.len() > 2).then(|| bounds.swap_remove(2));
                let to = (bounds.len() > 1).then(|| bounds.swap_remove(1));
                (bounds.pop(), to, step, true)
            }
        };
        if let Some(axis) = &axis {
            let places = match &series.range {
                ast::SeriesRange::Steps { from, to, step } => {
                    [from.as_deref(), to.as_deref(), Some(&**step)].map(|e| e.map(|e| e.span))
                }
                ast::SeriesRange::InRange(bounds) => [0, 1, 2].map(|n| bounds.get(n).map(|e| e.span)),
            };
            let types = [&from, &to, &step].map(|value| value.as_ref().map(|value| value.ty));
            self.series_range(axis.ty, types, places);
        }
        let nonempty = keyword(op, "kind").as_deref() == Some("nonempty");
        let missing = Self::broken(self.at(op.span));
        self.shaped(op, input, columns, |input| {
            special(
                vec![*input],
                Operator::MakeSeries {
                    keys,
                    series: made,
                    axis: axis.unwrap_or_else(|| missing.clone()),
                    from,
                    to,
                    step: step.unwrap_or(missing),
                    closed,
                    nonempty,
                },
            )
        })
    }

    pub(super) fn top_nested(
        &mut self,
        op: &ast::Operator,
        levels: &[ast::TopNestedLevel],
        input: Bound,
    ) -> Bound {
        let mut names = NameTable::default();
        let mut columns: Vec<Column> = Vec::new();
        let mut nested = Vec::new();
        for level in levels {
            let count = level.count.as_ref().map(|count| self.row_count(count));
            let others = level.others.as_ref().map(|others| self.constant(others));
            let mut of_name = String::new();
            let mut of = None;
            for mut given in self.given(&level.of, Ctx::over(&input)) {
                // Here a column that nothing names has an empty name, and one that
                // comes again gets a number.
                given.name = match given.name {
                    Suggested::Nothing => Suggested::Derived(String::new()),
                    Suggested::Name(name) | Suggested::Derived(name) => Suggested::Derived(name),
                };
                if let Some(name) = self.take_name(&mut names, &given, level.of.span) {
                    of_name = name.to_string();
                    columns.push(column(name, given.expr.ty));
                    of.get_or_insert(given.expr);
                }
            }
            let ranked = self.ranked(&level.by.value, &input);
            let name = ranked.explicit.unwrap_or_else(|| format!("aggregated_{of_name}"));
            columns.push(column(names.derived(&name), ranked.ty));
            let Some(of) = of else { continue };
            nested.push(NestedLevel {
                others: others.map(|others| Self::converted(others, of.ty)),
                of,
                count,
                aggregates: ranked.calls,
                by: ranked.value,
                ascending: matches!(
                    level.by.order,
                    Some(ast::SortOrder::Ascending | ast::SortOrder::GrannyAscending)
                ),
            });
        }
        if nested.len() > MAX_LEVELS {
            self.too_large(op.span);
            nested.clear();
        }
        self.shaped(op, input, columns, |input| {
            special(vec![*input], Operator::TopNested { levels: nested })
        })
    }

    /// `top-hitters n of x by y`: counts or sums, and the greatest of them.
    pub(super) fn top_hitters(
        &mut self,
        op: &ast::Operator,
        count: &ast::Expr,
        of: &ast::Expr,
        by: Option<&ast::Expr>,
        input: Bound,
    ) -> Bound {
        let span = self.at(op.span);
        let count = self.row_count(count);
        let value = self.scalar(of, Ctx::over(&input));
        if !matches!(of.kind, Ast::Name(_)) {
            self.error(
                codes::COLUMN_EXPECTED,
                of.span,
                "the name of a column is needed here",
            );
        }
        let of_name = suggested(of);
        let mut columns = vec![column(of_name.text().unwrap_or("Column1"), value.ty)];
        let of_name = of_name.text().unwrap_or_default();
        let (function, args) = match by {
            Some(by) => {
                let weight = self.scalar(by, Ctx::over(&input));
                let by_name = suggested(by);
                if !weight.ty.is_numeric() && weight.ty != Type::Unknown {
                    self.error(
                        codes::WRONG_TYPE,
                        by.span,
                        format!("a number is needed here, but this is of type `{}`", weight.ty),
                    );
                }
                columns.push(column(
                    format!("approximate_sum_{}", by_name.text().unwrap_or_default()),
                    weight.ty,
                ));
                ("sum", vec![weight])
            }
            None => {
                columns.push(column(format!("approximate_count_{of_name}"), Type::Long));
                ("count", Vec::new())
            }
        };
        let aggregates = vec![AggregateCall {
            function,
            args,
            outputs: 1,
            span,
        }];
        let counted = self.shaped(op, input, columns, |input| RelKind::Summarize {
            input,
            keys: vec![value],
            aggregates,
        });
        let keys = vec![SortKey {
            expr: counted.column(1, Span::at(span.start as usize)),
            descending: true,
            nulls_first: false,
        }];
        self.passed(op, counted, |input| RelKind::Top { input, count, keys })
    }

    /// `sample-distinct n of x`: any values are a sample; the first ones are
    /// the same in every run.
    pub(super) fn sample_distinct(
        &mut self,
        op: &ast::Operator,
        count: &ast::Expr,
        of: &ast::Expr,
        input: Bound,
    ) -> Bound {
        let count = self.row_count(count);
        let value = self.scalar(of, Ctx::over(&input));
        if !matches!(of.kind, Ast::Name(_)) {
            self.error(
                codes::COLUMN_EXPECTED,
                of.span,
                "the name of a column is needed here",
            );
        }
        let name = suggested(of);
        let columns = vec![column(name.text().unwrap_or("Column1"), value.ty)];
        let exprs = vec![value];
        let distinct = self.shaped(op, input, columns, |input| RelKind::Distinct { input, exprs });
        self.passed(op, distinct, |input| RelKind::Take { input, count })
    }

    pub(super) fn reduce(&mut self, op: &ast::Operator, by: &ast::Column, input: Bound) -> Bound {
        self.scalar(&by.value, Ctx::over(&input));
        let mut columns = if keyword(op, "kind").as_deref() == Some("source") {
            input.columns().to_vec()
        } else {
            Vec::new()
        };
        columns.extend([
            column("Pattern", Type::String),
            column("Count", Type::Long),
            column("Representative", Type::String),
        ]);
        self.shaped(op, input, columns, |input| unsupported(vec![*input], "`reduce`"))
    }
}

/// Whether a value of one type can stand where one of the other is needed.
fn widens(from: Type, to: Type) -> bool {
    from == to
        || match to {
            Type::Long => from == Type::Int,
            Type::Real | Type::Decimal => matches!(from, Type::Int | Type::Long | Type::Real),
            _ => false,
        }
}
