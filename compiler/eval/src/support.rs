//! What of a query cannot run, found before any data is read.

use std::collections::BTreeSet;

use rulec_functions::{ScalarFunction, aggregate};
use rulec_ir::{AggregateCall, BindingId, BindingKind, Expr, ExprKind, Operator, Query, Rel, RelKind, walk};
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

/// The relations that a relation reads directly.
pub(crate) fn inputs(rel: &Rel) -> Vec<&Rel> {
    let mut found = Vec::new();
    walk::inputs(rel, &mut |input| found.push(input));
    found
}

/// The expressions that stand in a relation itself.
pub(crate) fn exprs(rel: &Rel) -> Vec<&Expr> {
    let mut found = Vec::new();
    walk::expressions(rel, &mut |expr| found.push(expr));
    found
}
