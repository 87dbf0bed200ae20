//! `summarize`, and aggregates wherever they may stand.
//!
//! What `summarize` computes and what it shows can differ: `sum(a) / count()`
//! is two aggregates and a division. The algebra then has a summarize that
//! gives keys and aggregates, and a projection behind it.

use foldhash::{HashSet, HashSetExt as _};
use rulec_functions::{Aggregate, Form, Naming, Type, Value, aggregate};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, column};
use super::names::{NameTable, Suggested, percentile_name, suggested};
use super::operators::unsupported;
use super::projections::Given;
use super::statements::strip;
use super::{Binder, Ctx};
use crate::{AggregateCall, Column, Expr, ExprKind, ProjectKind, RelKind, codes};

/// Aggregates met while an item of `summarize` is bound.
#[derive(Default)]
pub(super) struct Collected {
    /// Columns before the first aggregate's: the keys.
    base: usize,
    calls: Vec<AggregateCall>,
    /// Types of what they give, one a column.
    types: Vec<Type>,
    /// Indices of input columns that `*` does not stand for.
    keys: HashSet<usize>,
}

/// What an argument of an aggregate says about the column it may fill: the
/// name it suggests, the one the query writes, whether it is hidden, and which
/// argument it is.
type Label = (Suggested, Option<(String, Span)>, bool, usize);

/// One output of an aggregate.
struct Output {
    name: Suggested,
    explicit: Option<(String, Span)>,
    ty: Type,
    /// Of a column nobody has mentioned yet.
    hidden: bool,
}

impl Binder<'_> {
    pub(super) fn summarize(
        &mut self,
        op: &ast::Operator,
        items: &[ast::Column],
        by: &[ast::Column],
        bin: Option<&ast::Expr>,
        input: Bound,
    ) -> Bound {
        let bin = bin.map(|bin| self.constant(bin));
        let mut names = NameTable::default();
        let mut columns: Vec<Column> = Vec::new();
        let mut keys: Vec<Expr> = Vec::new();
        let mut plain: HashSet<usize> = HashSet::new();
        for item in by {
            for given in self.given(item, Ctx::over(&input)) {
                if given.expr.ty == Type::Dynamic {
                    self.dynamic_key(item.value.span, "grouped by");
                }
                if let ExprKind::Column(index) = given.expr.kind {
                    plain.insert(index);
                }
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    columns.push(column(name, given.expr.ty));
                    keys.push(given.expr);
                }
            }
        }
        let several = bin.is_some() && keys.len() > 1;
        if let (Some(bin), [key], Some(function)) = (bin, keys.as_mut_slice(), rulec_functions::scalar("bin"))
        {
            let (ty, span) = (key.ty, key.span);
            let args = vec![std::mem::replace(key, Self::broken(span)), bin];
            let kind = ExprKind::Call { function, args };
            *key = Expr { kind, ty, span };
        }
        let outer = self.aggregates.replace(Collected {
            base: keys.len(),
            keys: plain,
            ..Collected::default()
        });
        let mut shown: Vec<Expr> = Vec::new();
        let mut hidden: Vec<usize> = Vec::new();
        let mut starred = false;
        for item in items {
            let outputs = self.item(item, &input);
            for (output, expr) in outputs {
                let given = Given {
                    name: output.name,
                    explicit: output.explicit,
                    expr,
                };
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    if output.hidden {
                        hidden.push(columns.len());
                    }
                    columns.push(column(name, output.ty));
                    shown.push(given.expr);
                }
            }
            starred |= has_star(&item.value);
        }
        let collected = std::mem::replace(&mut self.aggregates, outer).unwrap_or_default();
        let mut bound = self.summarized(op, input, keys, columns, shown, collected, &hidden, starred);
        if several {
            // The reference does not say which of the keys is rounded.
            let inputs = vec![bound.rel.clone()];
            bound.rel.kind = unsupported(inputs, "`summarize` with `bin =` and several keys");
        }
        bound
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one operator, put together once"
    )]
    fn summarized(
        &mut self,
        op: &ast::Operator,
        input: Bound,
        keys: Vec<Expr>,
        columns: Vec<Column>,
        shown: Vec<Expr>,
        collected: Collected,
        hidden: &[usize],
        starred: bool,
    ) -> Bound {
        let key_count = keys.len();
        let direct = shown.len() == collected.types.len()
            && shown
                .iter()
                .enumerate()
                .all(|(i, e)| matches!(e.kind, ExprKind::Column(index) if index == key_count + i));
        let open = input.rel.open && starred;
        let count = columns.len();
        let aggregates = collected.calls;
        let mut bound = if direct {
            self.shaped(op, input, columns, |input| RelKind::Summarize {
                input,
                keys,
                aggregates,
            })
        } else {
            let inner: Vec<Column> = columns
                .iter()
                .take(key_count)
                .cloned()
                .chain(
                    collected
                        .types
                        .iter()
                        .enumerate()
                        .map(|(i, ty)| column(format!("${i}"), *ty)),
                )
                .collect();
            let span = Span::at(self.at(op.span).start as usize);
            let summary = self.shaped(op, input, inner, |input| RelKind::Summarize {
                input,
                keys,
                aggregates,
            });
            let mut exprs: Vec<Expr> = (0..key_count).map(|i| summary.column(i, span)).collect();
            exprs.extend(shown);
            self.shaped(op, summary, columns, |input| RelKind::Project {
                input,
                kind: ProjectKind::Project,
                exprs,
            })
        };
        if open {
            bound.rel.open = true;
            bound.meta.listed = Some((0..count).filter(|i| !hidden.contains(i)).collect());
        }
        bound
    }

    /// One item of `summarize`: what it shows, over keys and aggregates.
    fn item(&mut self, item: &ast::Column, input: &Bound) -> Vec<(Output, Expr)> {
        let value = strip(&item.value);
        if let Ast::Call(call) = &value.kind
            && self.scopes.find(&call.name.text).is_none()
            && let Some(row) = aggregate(&call.name.text)
        {
            self.note_call(&call.name.text, call.name.span, true);
            return self.direct(row, call, item, input);
        }
        let ctx = Ctx {
            row: None,
            sides: None,
            target: None,
            aggregates: Some(input),
        };
        self.given(item, ctx)
            .into_iter()
            .map(|given| {
                let ty = given.expr.ty;
                (
                    Output {
                        name: given.name,
                        explicit: given.explicit,
                        ty,
                        hidden: false,
                    },
                    given.expr,
                )
            })
            .collect()
    }

    /// An item that is an aggregate itself.
    fn direct(
        &mut self,
        row: &'static Aggregate,
        call: &ast::Call,
        item: &ast::Column,
        input: &Bound,
    ) -> Vec<(Output, Expr)> {
        let names: Vec<&ast::Name> = match &item.names {
            ast::ColumnNames::Derived => Vec::new(),
            ast::ColumnNames::One(name) => vec![name],
            ast::ColumnNames::Many(names) => names.iter().collect(),
        };
        let first = self.next_output();
        let mut outputs = self.collect(row, call, input);
        for (i, output) in outputs.iter_mut().enumerate() {
            if let Some(name) = names.get(i) {
                output.explicit = Some((name.text.clone(), name.span));
            }
        }
        if let (Some(extra), false) = (names.get(outputs.len()), outputs.is_empty()) {
            self.error(
                codes::BAD_PARAMETER,
                extra.span,
                "there is no column left for this name",
            );
            if !gives_several(row.naming, call.args.len()) {
                // Then none of the names is the column's.
                outputs.clear();
            }
        }
        outputs
            .into_iter()
            .enumerate()
            .map(|(i, output)| {
                let expr = Expr {
                    kind: ExprKind::Column(first + i),
                    ty: output.ty,
                    span: self.at(call.span),
                };
                (output, expr)
            })
            .collect()
    }

    fn next_output(&self) -> usize {
        self.aggregates.as_ref().map_or(0, |c| c.base + c.types.len())
    }

    /// An aggregate within an expression: its first column.
    pub(super) fn aggregate_value(
        &mut self,
        row: &'static Aggregate,
        call: &ast::Call,
        ctx: Ctx<'_>,
    ) -> Expr {
        let at = self.at(call.span);
        let Some(input) = ctx.aggregates.filter(|_| self.aggregates.is_some()) else {
            self.report(
                rulec_source::Diagnostic::new(
                    codes::AGGREGATE_PLACE,
                    format!(
                        "`{}` is an aggregate; it can only stand in `summarize` and its like",
                        call.name.text
                    ),
                )
                .at(call.name.span),
            );
            return Self::broken(at);
        };
        let index = self.next_output();
        let ty = self
            .collect(row, call, input)
            .first()
            .map_or(Type::Unknown, |o| o.ty);
        Expr {
            kind: ExprKind::Column(index),
            ty,
            span: at,
        }
    }

    /// Binds an aggregate's arguments and adds it to those of the operator.
    fn collect(&mut self, row: &'static Aggregate, call: &ast::Call, input: &Bound) -> Vec<Output> {
        let ctx = Ctx::over(input);
        // An aggregate cannot hold another one.
        let outer = self.aggregates.take();
        let keys = outer.as_ref().map(|c| c.keys.clone()).unwrap_or_default();
        let mut args: Vec<Expr> = Vec::new();
        // What the row checks: the arguments as they are written.
        let mut given: Vec<Expr> = Vec::new();
        let mut forms: Vec<Form> = Vec::new();
        let mut places: Vec<Span> = Vec::new();
        let mut suggestions: Vec<Label> = Vec::new();
        let mut starred = false;
        for (place, arg) in call.args.iter().enumerate() {
            places.push(arg.value.span);
            if matches!(strip(&arg.value).kind, Ast::Star) {
                given.push(Self::broken(self.at(arg.value.span)));
                forms.push(Form::Star);
                if !row.star {
                    continue;
                }
                starred = true;
                // The columns named before `*` are there already; a compared
                // expression that is no column is not one of them.
                let present: HashSet<usize> = args
                    .iter()
                    .filter_map(|a| match a.kind {
                        ExprKind::Column(index) => Some(index),
                        _ => None,
                    })
                    .collect();
                for index in 0..input.columns().len() {
                    if present.contains(&index) || keys.contains(&index) {
                        continue;
                    }
                    let hidden = input.is_hidden(index) && !self.noted.contains(index);
                    args.push(input.column(index, self.at(arg.value.span)));
                    suggestions.push((
                        Suggested::Derived(input.columns()[index].name.to_string()),
                        None,
                        hidden,
                        place,
                    ));
                }
                continue;
            }
            let value = self.scalar(&arg.value, ctx);
            forms.push(self.form(&arg.value, &value, ctx));
            given.push(value.clone());
            // What `*` stood for is there already.
            let repeated = |a: &Expr| match (&a.kind, &value.kind) {
                (ExprKind::Column(a), ExprKind::Column(b)) => a == b,
                _ => false,
            };
            if starred && args.iter().any(repeated) {
                continue;
            }
            let explicit = arg.name.as_ref().map(|n| (n.text.clone(), n.span));
            suggestions.push((suggested(&arg.value), explicit, false, place));
            args.push(value);
        }
        self.spend(args.len());
        let ty = self.result_type(
            row.result,
            &call.name.text,
            false,
            &given,
            &forms,
            &places,
            call.name.span,
        );
        let ty = match forms.first() {
            // The first of all columns.
            Some(Form::Star) if row.star => args.first().map_or(ty, |first| first.ty),
            _ => ty,
        };
        let constants: Vec<Option<Value>> = match row.naming {
            Naming::Percentiles { .. } => args.iter().map(|arg| self.literal_of(arg)).collect(),
            _ => Vec::new(),
        };
        let outputs = outputs(row, ty, &args, &constants, &suggestions);
        self.aggregates = outer;
        if let Some(collected) = &mut self.aggregates {
            collected.types.extend(outputs.iter().map(|o| o.ty));
            collected.calls.push(AggregateCall {
                function: row.name,
                args,
                outputs: outputs.len(),
                span: self.foreign.unwrap_or(call.span),
            });
        }
        outputs
    }

    /// The aggregate that ranks (`top-nested`) or fills a series.
    pub(super) fn ranked(&mut self, item: &ast::Column, input: &Bound) -> Ranked {
        let outer = self.aggregates.replace(Collected::default());
        let outputs = self.item(item, input);
        let collected = std::mem::replace(&mut self.aggregates, outer).unwrap_or_default();
        let (name, explicit, ty, value) = match outputs.into_iter().next() {
            Some((output, value)) => (
                output.name,
                output.explicit.map(|(name, _)| name),
                output.ty,
                value,
            ),
            None => (
                Suggested::Nothing,
                None,
                Type::Unknown,
                Self::broken(self.at(item.span)),
            ),
        };
        Ranked {
            name,
            explicit,
            ty,
            calls: collected.calls,
            value,
        }
    }
}

/// An aggregate outside `summarize`.
pub(super) struct Ranked {
    /// The name it suggests.
    pub(super) name: Suggested,
    /// The name the query writes.
    pub(super) explicit: Option<String>,
    /// Its type.
    pub(super) ty: Type,
    /// The aggregates in it.
    pub(super) calls: Vec<AggregateCall>,
    /// Its value over their columns.
    pub(super) value: Expr,
}

/// Whether an aggregate may fill several columns.
fn gives_several(naming: Naming, args: usize) -> bool {
    match naming {
        Naming::Columns(_) | Naming::PrefixedColumns(_) | Naming::AnyColumns(_) => true,
        Naming::PrefixedAnyColumns(_) => args > 1,
        Naming::Percentiles { .. } => true,
        _ => false,
    }
}

/// The columns an aggregate fills and what they are called; `constants` are
/// the values of arguments that are part of a name.
fn outputs(
    row: &Aggregate,
    ty: Type,
    args: &[Expr],
    constants: &[Option<Value>],
    suggestions: &[Label],
) -> Vec<Output> {
    let first = suggestions
        .first()
        .and_then(|(name, explicit, ..)| match explicit {
            Some((explicit, _)) => Some(explicit.as_str()),
            None => name.text(),
        })
        .unwrap_or_default();
    let single = |name: Suggested| {
        vec![Output {
            name,
            explicit: None,
            ty,
            hidden: false,
        }]
    };
    match row.naming {
        Naming::Columns(_)
        | Naming::PrefixedColumns(_)
        | Naming::AnyColumns(_)
        | Naming::PrefixedAnyColumns(_) => suggestions
            .iter()
            .enumerate()
            .map(|(i, (name, explicit, hidden, place))| Output {
                name: Suggested::Derived(column_name(
                    row.naming,
                    *place,
                    name.text(),
                    first,
                    suggestions.len(),
                )),
                explicit: explicit.clone(),
                ty: if i == 0 {
                    ty
                } else {
                    args.get(i).map_or(Type::Unknown, |a| a.ty)
                },
                hidden: *hidden,
            })
            .collect(),
        Naming::Percentiles { prefix, weighted } => constants
            .iter()
            .skip(if weighted { 2 } else { 1 })
            .map(|percentile| Output {
                name: Suggested::Derived(percentile_name(prefix, first, percentile.as_ref())),
                explicit: None,
                ty,
                hidden: false,
            })
            .collect(),
        Naming::Prefix(prefix) | Naming::PrefixAlone(prefix) => {
            single(Suggested::Derived(format!("{prefix}_{first}")))
        }
        Naming::PrefixBoth(prefix) => {
            let second = suggestions.get(1).and_then(|(name, ..)| name.text());
            let second = second.unwrap_or_default();
            single(Suggested::Derived(format!("{prefix}_{first}_{second}")))
        }
        Naming::Exactly(name) => single(Suggested::Derived(name.to_owned())),
        Naming::FirstArgument | Naming::FirstArgumentValue => single(
            suggestions
                .first()
                .and_then(|(s, ..)| s.text())
                .map_or(Suggested::Nothing, |s| Suggested::Derived(s.to_owned())),
        ),
        Naming::OnlyArgument if suggestions.len() == 1 => single(Suggested::Derived(first.to_owned())),
        Naming::OnlyArgument | Naming::Default => single(Suggested::Nothing),
    }
}

/// What the i-th column of `arg_max`, `take_any` and their like is called.
fn column_name(naming: Naming, i: usize, own: Option<&str>, first: &str, count: usize) -> String {
    match (naming, i, own) {
        (Naming::Columns(_) | Naming::AnyColumns(_), _, Some(own)) => own.to_owned(),
        (Naming::Columns(prefix), 0, None) => format!("{prefix}_"),
        (Naming::PrefixedColumns(prefix), 0, own) => format!("{prefix}_{}", own.unwrap_or_default()),
        (Naming::PrefixedColumns(prefix), _, Some(own)) => format!("{prefix}_{first}_{own}"),
        (Naming::Columns(prefix) | Naming::PrefixedColumns(prefix), _, None) => {
            format!("{prefix}_{first}_arg{i}")
        }
        (Naming::PrefixedAnyColumns(prefix), _, Some(own)) => format!("{prefix}_{own}"),
        (Naming::PrefixedAnyColumns(prefix), _, None) if count == 1 => format!("{prefix}_"),
        (Naming::AnyColumns(prefix) | Naming::PrefixedAnyColumns(prefix), ..) => format!("{prefix}_arg{i}"),
        _ => String::new(),
    }
}

/// Whether an item holds an aggregate over `*`.
fn has_star(expr: &ast::Expr) -> bool {
    match &strip(expr).kind {
        Ast::Call(call) => call
            .args
            .iter()
            .any(|a| matches!(strip(&a.value).kind, Ast::Star)),
        _ => false,
    }
}
