//! What of a query cannot run, found before any data is read.

use std::collections::BTreeSet;

use rulec_functions::{ScalarFunction, aggregate};
use rulec_ir::{AggregateCall, BindingId, BindingKind, Expr, ExprKind, Operator, Query, Rel, RelKind};
use rulec_source::Span;

use crate::expr::kernel;

/// The places of constructs that cannot run, and how the user knows each:
/// "The function `x`", "The plugin `y`". Bindings that the result does not
/// need are not looked at.
pub fn unsupported(query: &Query) -> Vec<(Span, String)> {
    let mut search = Search {
        query,
        seen: BTreeSet::new(),
        found: Vec::new(),
    };
    if let Some(root) = &query.root {
        search.rel(root);
    }
    search.found
}

/// Window functions that the plan knows.
pub(crate) const WINDOWS: [&str; 8] = [
    "prev",
    "next",
    "row_number",
    "row_cumsum",
    "row_rank",
    "row_rank_dense",
    "row_rank_min",
    "row_window_session",
];

/// Platform functions that `invoke` can answer.
pub(crate) const INVOKED: &str = "FileProfile";

struct Search<'q> {
    query: &'q Query,
    seen: BTreeSet<BindingId>,
    found: Vec<(Span, String)>,
}

impl Search<'_> {
    fn rel(&mut self, rel: &Rel) {
        match &rel.kind {
            RelKind::Unsupported { construct, inputs } => {
                self.found.push((rel.span, construct.clone()));
                self.rels(inputs);
                return;
            }
            RelKind::Invoke { function, .. } if function != INVOKED => {
                self.found.push((rel.span, format!("the function `{function}`")));
            }
            RelKind::Ref(binding) => self.binding(*binding),
            RelKind::Special { operator, .. } => self.aggregates(operator.aggregates()),
            RelKind::Summarize { aggregates, .. } => self.aggregates(aggregates),
            _ => {}
        }
        self.rels(inputs(rel));
        self.exprs(exprs(rel));
    }

    fn aggregates<'r>(&mut self, calls: impl IntoIterator<Item = &'r AggregateCall>) {
        for call in calls {
            if aggregate(call.function).is_none_or(|row| row.new.is_none()) {
                self.found
                    .push((call.span, format!("The aggregate `{}`", call.function)));
            }
        }
    }

    fn rels<'r>(&mut self, rels: impl IntoIterator<Item = &'r Rel>) {
        for rel in rels {
            self.rel(rel);
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn binding(&mut self, id: BindingId) {
        if !self.seen.insert(id) {
            return;
        }
        match self.query.bindings.get(id.0).map(|binding| &binding.kind) {
            Some(BindingKind::Scalar(expr)) => self.expr(expr),
            Some(BindingKind::Table { rel, .. }) => self.rel(rel),
            Some(BindingKind::Function) | None => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call { function, args } => {
                if kernel(function).is_none() {
                    self.found.push((expr.span, name(function)));
                }
                self.exprs(args);
            }
            ExprKind::Window { function, args } => {
                if !WINDOWS.contains(&function.name) {
                    self.found.push((expr.span, name(function)));
                }
                self.exprs(args);
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => self.exprs(operands),
            ExprKind::Binding(id) => self.binding(*id),
            ExprKind::ToScalar(rel) | ExprKind::List(rel) => {
                if reads_input(rel) {
                    let construct = "a value computed from all rows of a subquery".to_owned();
                    self.found.push((expr.span, construct));
                }
                self.rel(rel);
            }
            ExprKind::Literal(_) | ExprKind::Column(_) | ExprKind::Now | ExprKind::IngestionTime => {}
        }
    }
}

/// Whether a relation reads the rows that an enclosing operator hands in, which
/// are not there yet when values are computed.
fn reads_input(rel: &Rel) -> bool {
    match &rel.kind {
        RelKind::Input => true,
        RelKind::MvApply { input, .. } => reads_input(input),
        RelKind::Special { inputs, operator }
            if matches!(**operator, Operator::Fork | Operator::Partition { .. }) =>
        {
            inputs.first().is_some_and(reads_input)
        }
        _ => inputs(rel).into_iter().any(reads_input),
    }
}

fn name(function: &ScalarFunction) -> String {
    format!("the function `{}`", function.name)
}

/// The relation before an operator in its pipeline, if it is an operator.
pub(crate) fn input(rel: &Rel) -> Option<&Rel> {
    match &rel.kind {
        RelKind::Join { .. } | RelKind::Union { .. } | RelKind::Unsupported { .. } => None,
        RelKind::Special { operator, .. } if matches!(**operator, Operator::WideUnion { .. }) => None,
        _ => inputs(rel).into_iter().next(),
    }
}

/// The relations that a relation reads directly.
pub(crate) fn inputs(rel: &Rel) -> Vec<&Rel> {
    match &rel.kind {
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::Rows(_)
        | RelKind::Range { .. }
        | RelKind::External { .. } => Vec::new(),
        RelKind::Filter { input, .. }
        | RelKind::Project { input, .. }
        | RelKind::Summarize { input, .. }
        | RelKind::Distinct { input, .. }
        | RelKind::Count { input }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Top { input, .. }
        | RelKind::MvExpand { input, .. }
        | RelKind::Parse { input, .. }
        | RelKind::Invoke { input, .. }
        | RelKind::GetSchema { input } => vec![input],
        RelKind::MvApply { input, subquery, .. } => vec![input, subquery],
        RelKind::Join { left, right, .. } => vec![left, right],
        RelKind::Union { inputs, .. } => inputs.iter().map(|input| &input.rel).collect(),
        RelKind::Special { inputs, .. } | RelKind::Unsupported { inputs, .. } => inputs.iter().collect(),
    }
}

/// The expressions that stand in a relation itself.
pub(crate) fn exprs(rel: &Rel) -> Vec<&Expr> {
    match &rel.kind {
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::External { .. }
        | RelKind::Count { .. }
        | RelKind::Union { .. }
        | RelKind::GetSchema { .. }
        | RelKind::Unsupported { .. } => Vec::new(),
        RelKind::Rows(rows) => rows.iter().flatten().collect(),
        RelKind::Range { from, to, step } => vec![from, to, step],
        RelKind::Filter { predicate, .. } => vec![predicate],
        RelKind::Project { exprs, .. } | RelKind::Distinct { exprs, .. } => exprs.iter().collect(),
        RelKind::Summarize { keys, aggregates, .. } => keys
            .iter()
            .chain(aggregates.iter().flat_map(|call| &call.args))
            .collect(),
        RelKind::Sort { keys, .. } => keys.iter().map(|key| &key.expr).collect(),
        RelKind::Take { count, .. } => vec![count],
        RelKind::Top { count, keys, .. } => [count]
            .into_iter()
            .chain(keys.iter().map(|key| &key.expr))
            .collect(),
        RelKind::Join {
            left_keys,
            right_keys,
            ..
        } => left_keys.iter().chain(right_keys).collect(),
        RelKind::MvExpand { items, limit, .. } | RelKind::MvApply { items, limit, .. } => {
            items.iter().map(|item| &item.expr).chain(limit).collect()
        }
        RelKind::Parse { expr, .. } => vec![expr],
        RelKind::Invoke { args, .. } => args.iter().collect(),
        RelKind::Special { operator, .. } => operator.expressions(),
    }
}
