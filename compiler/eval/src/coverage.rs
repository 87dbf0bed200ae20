//! Which conditions of a query's `where`s have been true and false: what a
//! rule's fixtures leave untried.
//!
//! A condition is a leaf of a predicate: `and`, `or` and `not` are taken
//! apart. Each is asked for every row that comes into its `where`, also when
//! another has decided. Deliberately absent: what the counts are good for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rulec_ir::walk::{self, Node};
use rulec_ir::{BindingId, BindingKind, Expr, ExprKind, Query, Rel, RelKind};
use rulec_runtime::{Batch, Context, ops};
use rulec_source::Span;

use crate::error::EvalError;
use crate::expr::{Compiled, Scope, with_windows};
use crate::plan::{self, Planner};

/// One condition and what it said of the rows that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Where it stands in the query text. A condition within a function that
    /// is called more than once is one condition.
    pub span: Span,
    /// It reads no row: nothing but another value of `now()` or of a `let`
    /// can change what it says.
    pub constant: bool,
    /// It was true for some row.
    pub held: bool,
    /// It was false or null for some row.
    pub failed: bool,
}

/// The conditions of all `where`s that the result depends on, in the order in
/// which they stand; nothing has been seen yet.
pub fn conditions(query: &Query) -> Vec<Condition> {
    let mut search = Search {
        query,
        seen: BTreeSet::new(),
        found: BTreeMap::new(),
    };
    if let Some(root) = &query.root {
        search.node(Node::Rel(root));
    }
    search.found.into_values().collect()
}

/// Runs a query and says what each of its conditions said, the ones that no
/// row came to included.
pub fn coverage(query: &Query, ctx: &Context<'_>) -> Result<(Batch, Vec<Condition>), EvalError> {
    let recorder = Arc::new(Recorder::default());
    let batch = plan::run_covered(query, ctx, Arc::clone(&recorder))?;
    let seen = recorder
        .seen
        .lock()
        .map(|mut seen| std::mem::take(&mut *seen))
        .unwrap_or_default();
    let mut conditions = conditions(query);
    for condition in &mut conditions {
        if let Some((held, failed)) = seen.get(&condition.span) {
            condition.held = *held;
            condition.failed = *failed;
        }
    }
    Ok((batch, conditions))
}

struct Search<'q> {
    query: &'q Query,
    seen: BTreeSet<BindingId>,
    found: BTreeMap<Span, Condition>,
}

impl<'q> Search<'q> {
    fn node(&mut self, start: Node<'q>) {
        let mut todo = vec![start];
        while let Some(start) = todo.pop() {
            let mut named = Vec::new();
            let mut visit = |node: Node<'q>| match node {
                Node::Rel(rel) => {
                    if let RelKind::Filter { predicate, .. } = &rel.kind {
                        for leaf in leaves(predicate) {
                            let span = place(rel, leaf);
                            let constant = is_constant(self.query, leaf);
                            self.found.entry(span).or_insert(Condition {
                                span,
                                constant,
                                held: false,
                                failed: false,
                            });
                        }
                    }
                    if let RelKind::Ref(id) = &rel.kind {
                        named.push(*id);
                    }
                }
                Node::Expr(expr) => {
                    if let ExprKind::Binding(id) = &expr.kind {
                        named.push(*id);
                    }
                }
            };
            match start {
                Node::Rel(rel) => walk::rel(rel, &mut visit),
                Node::Expr(expr) => walk::expr(expr, &mut visit),
            }
            for id in named {
                if !self.seen.insert(id) {
                    continue;
                }
                match self.query.binding(id).map(|binding| &binding.kind) {
                    Some(BindingKind::Scalar(expr)) => todo.push(Node::Expr(expr)),
                    Some(BindingKind::Table { rel, .. }) => todo.push(Node::Rel(rel)),
                    Some(BindingKind::Function) | None => {}
                }
            }
        }
    }
}

/// The leaves of a predicate, in order.
fn leaves(predicate: &Expr) -> Vec<&Expr> {
    let mut found = Vec::new();
    let mut todo = vec![predicate];
    while let Some(expr) = todo.pop() {
        match &expr.kind {
            ExprKind::And(parts) | ExprKind::Or(parts) => todo.extend(parts.iter().rev()),
            ExprKind::Call { function, args } if function.name == "not" => todo.extend(args.first()),
            _ => found.push(expr),
        }
    }
    found
}

/// A leaf's place; the operator's for what the binder added.
fn place(rel: &Rel, leaf: &Expr) -> Span {
    if leaf.span.is_empty() { rel.span } else { leaf.span }
}

/// Whether an expression gives the same for every row of every input.
fn is_constant(query: &Query, start: &Expr) -> bool {
    let mut constant = true;
    let mut todo = vec![start];
    while let Some(start) = todo.pop() {
        walk::expr(start, &mut |node| match node {
            Node::Rel(_) => constant = false,
            Node::Expr(expr) => match &expr.kind {
                ExprKind::Column(_) | ExprKind::IngestionTime | ExprKind::Window { .. } => constant = false,
                ExprKind::Binding(id) => match query.binding(*id).map(|binding| &binding.kind) {
                    // Bindings refer to earlier ones only, so this ends.
                    Some(BindingKind::Scalar(expr)) => todo.push(expr),
                    _ => constant = false,
                },
                _ => {}
            },
        });
    }
    constant
}

/// Collects what conditions say while a query runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    seen: Mutex<BTreeMap<Span, (bool, bool)>>,
}

impl Recorder {
    fn record(&self, input: &Batch, conditions: &[(Span, Compiled)]) {
        for (span, condition) in conditions {
            let (mut held, mut failed) = (false, false);
            for row in input {
                let holds = ops::holds(&condition.of(row));
                held |= holds;
                failed |= !holds;
                if held && failed {
                    break;
                }
            }
            if let Ok(mut seen) = self.seen.lock() {
                let both = seen.entry(*span).or_default();
                both.0 |= held;
                both.1 |= failed;
            }
        }
    }
}

impl<'c> Planner<'_, 'c> {
    /// What looks at the rows that come into a `where` and asks each of its
    /// conditions; none if nobody wants to know.
    pub(crate) fn covering(
        &self,
        rel: &Rel,
        input: &Rel,
        predicate: &Expr,
    ) -> plan::Result<Option<plan::Step<'c>>> {
        let Some(recorder) = &self.coverage else {
            return Ok(None);
        };
        let (recorder, width) = (Arc::clone(recorder), input.columns.len());
        let mut scope = Scope::new(width);
        let conditions = leaves(predicate)
            .into_iter()
            .map(|leaf| Ok((place(rel, leaf), self.expr(leaf, &mut scope)?)))
            .collect::<plan::Result<Vec<_>>>()?;
        let windows = scope.windows;
        Ok(Some(Box::new(move |rows| {
            recorder.record(&with_windows(rows, width, &windows)?, &conditions);
            Ok(rows.clone())
        })))
    }
}
