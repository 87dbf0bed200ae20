//! Walking the algebra: every relation and expression of a query, the parts
//! of a predicate, and what a name stands for.

use crate::{Binding, BindingId, BindingKind, Expr, ExprKind, Operator, Query, Rel, RelKind};

/// What a visitor is shown.
#[derive(Clone, Copy, Debug)]
pub enum Node<'q> {
    /// A tabular expression.
    Rel(&'q Rel),
    /// A scalar expression.
    Expr(&'q Expr),
}

/// Shows every node of a query: bindings in order, then the result, each
/// before what it consists of.
pub fn query<'q>(query: &'q Query, visit: &mut dyn FnMut(Node<'q>)) {
    for binding in &query.bindings {
        match &binding.kind {
            BindingKind::Scalar(value) => expr(value, visit),
            BindingKind::Table { rel: table, .. } => rel(table, visit),
            BindingKind::Function => {}
        }
    }
    if let Some(root) = &query.root {
        rel(root, visit);
    }
}

/// Shows a relation, then its expressions and inputs, and so on.
pub fn rel<'q>(start: &'q Rel, visit: &mut dyn FnMut(Node<'q>)) {
    run(Part::Rel(start), visit);
}

/// Shows an expression and all it consists of, subqueries included.
pub fn expr<'q>(start: &'q Expr, visit: &mut dyn FnMut(Node<'q>)) {
    run(Part::Exprs(std::slice::from_ref(start)), visit);
}

/// What is still to be shown: lists of thousands of columns or literals are
/// one part.
enum Part<'q> {
    Rel(&'q Rel),
    Exprs(&'q [Expr]),
}

fn run<'q>(start: Part<'q>, visit: &mut dyn FnMut(Node<'q>)) {
    // A list of what is left instead of recursion: pipelines are long.
    let mut todo = vec![start];
    while let Some(part) = todo.pop() {
        match part {
            Part::Rel(rel) => {
                visit(Node::Rel(rel));
                // The list is taken from its end.
                let from = todo.len();
                inputs(rel, &mut |input| todo.push(Part::Rel(input)));
                match &rel.kind {
                    RelKind::Project { exprs, .. } | RelKind::Distinct { exprs, .. } => {
                        todo.push(Part::Exprs(exprs));
                    }
                    _ => expressions(rel, &mut |expr| {
                        todo.push(Part::Exprs(std::slice::from_ref(expr)));
                    }),
                }
                todo[from..].reverse();
            }
            Part::Exprs(exprs) => {
                for (at, expr) in exprs.iter().enumerate() {
                    visit(Node::Expr(expr));
                    let inner = match &expr.kind {
                        ExprKind::Call { args, .. }
                        | ExprKind::Window { args, .. }
                        | ExprKind::And(args)
                        | ExprKind::Or(args) => Part::Exprs(args),
                        ExprKind::ToScalar(rel) | ExprKind::List(rel) => Part::Rel(rel),
                        ExprKind::Literal(_)
                        | ExprKind::Column(_)
                        | ExprKind::Binding(_)
                        | ExprKind::Now
                        | ExprKind::IngestionTime => continue,
                    };
                    todo.push(Part::Exprs(&exprs[at + 1..]));
                    todo.push(inner);
                    break;
                }
            }
        }
    }
}

/// The relations a relation reads, in the order they are written; subqueries
/// within expressions are not among them.
pub fn inputs<'q>(rel: &'q Rel, visit: &mut dyn FnMut(&'q Rel)) {
    match &rel.kind {
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::Rows(_)
        | RelKind::Range { .. }
        | RelKind::External { .. } => {}
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
        | RelKind::GetSchema { input } => visit(input),
        RelKind::Join { left, right, .. } => {
            visit(left);
            visit(right);
        }
        RelKind::MvApply { input, subquery, .. } => {
            visit(input);
            visit(subquery);
        }
        RelKind::Union { inputs, .. } => {
            for input in inputs {
                visit(&input.rel);
            }
        }
        RelKind::Special { inputs, .. } | RelKind::Unsupported { inputs, .. } => {
            for input in inputs {
                visit(input);
            }
        }
    }
}

/// The relation before an operator in its pipeline, if it is an operator with
/// just one.
pub fn input(rel: &Rel) -> Option<&Rel> {
    match &rel.kind {
        RelKind::Join { .. } | RelKind::Union { .. } | RelKind::Unsupported { .. } => None,
        RelKind::Special { operator, .. } if matches!(**operator, Operator::WideUnion { .. }) => None,
        _ => {
            let mut first = None;
            inputs(rel, &mut |input| {
                first.get_or_insert(input);
            });
            first
        }
    }
}

/// The expressions a relation itself evaluates, in the order they are written.
pub fn expressions<'q>(rel: &'q Rel, visit: &mut dyn FnMut(&'q Expr)) {
    match &rel.kind {
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::External { .. }
        | RelKind::Count { .. }
        | RelKind::Union { .. }
        | RelKind::GetSchema { .. }
        | RelKind::Unsupported { .. } => {}
        RelKind::Rows(rows) => rows.iter().flatten().for_each(visit),
        RelKind::Range { from, to, step } => [from, to, step].into_iter().for_each(visit),
        RelKind::Filter { predicate, .. } => visit(predicate),
        RelKind::Project { exprs, .. } | RelKind::Distinct { exprs, .. } => exprs.iter().for_each(visit),
        RelKind::Summarize { keys, aggregates, .. } => {
            for key in keys {
                visit(key);
            }
            for call in aggregates {
                for arg in &call.args {
                    visit(arg);
                }
            }
        }
        RelKind::Sort { keys, .. } => keys.iter().map(|k| &k.expr).for_each(visit),
        RelKind::Take { count, .. } => visit(count),
        RelKind::Top { count, keys, .. } => {
            visit(count);
            keys.iter().map(|k| &k.expr).for_each(visit);
        }
        RelKind::Join {
            left_keys,
            right_keys,
            ..
        } => left_keys.iter().chain(right_keys).for_each(visit),
        RelKind::MvExpand { items, limit, .. } | RelKind::MvApply { items, limit, .. } => {
            for item in items {
                visit(&item.expr);
            }
            if let Some(limit) = limit {
                visit(limit);
            }
        }
        RelKind::Parse { expr, .. } => visit(expr),
        RelKind::Invoke { args, .. } => args.iter().for_each(visit),
        RelKind::Special { operator, .. } => operator.expressions().into_iter().for_each(visit),
    }
}

/// What an expression consists of: operands, arguments, subqueries.
pub fn parts<'q>(expr: &'q Expr, visit: &mut dyn FnMut(Node<'q>)) {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Binding(_)
        | ExprKind::Now
        | ExprKind::IngestionTime => {}
        ExprKind::Call { args, .. }
        | ExprKind::Window { args, .. }
        | ExprKind::And(args)
        | ExprKind::Or(args) => {
            for arg in args {
                visit(Node::Expr(arg));
            }
        }
        ExprKind::ToScalar(rel) | ExprKind::List(rel) => visit(Node::Rel(rel)),
    }
}

/// The conditions that all have to hold for a predicate to hold.
pub fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    flat(predicate, |kind| match kind {
        ExprKind::And(parts) => Some(parts),
        _ => None,
    })
}

/// The conditions of which one has to hold for a predicate to hold.
pub fn disjuncts(predicate: &Expr) -> Vec<&Expr> {
    flat(predicate, |kind| match kind {
        ExprKind::Or(parts) => Some(parts),
        _ => None,
    })
}

fn flat(predicate: &Expr, split: fn(&ExprKind) -> Option<&Vec<Expr>>) -> Vec<&Expr> {
    let mut found = Vec::new();
    let mut todo = vec![predicate];
    while let Some(next) = todo.pop() {
        match split(&next.kind) {
            Some(parts) => todo.extend(parts.iter().rev()),
            None => found.push(next),
        }
    }
    found
}

impl Query {
    /// A let binding.
    pub fn binding(&self, id: BindingId) -> Option<&Binding> {
        self.bindings.get(id.0)
    }

    /// What an expression is when names of other expressions are followed.
    pub fn resolve<'q>(&'q self, expr: &'q Expr) -> &'q Expr {
        let mut found = expr;
        // Bindings refer to earlier ones only, so this ends.
        while let ExprKind::Binding(id) = &found.kind {
            match self.binding(*id).map(|b| &b.kind) {
                Some(BindingKind::Scalar(next)) => found = next,
                _ => break,
            }
        }
        found
    }

    /// What a relation is when names of other relations are followed.
    pub fn resolve_rel<'q>(&'q self, rel: &'q Rel) -> &'q Rel {
        let mut found = rel;
        while let RelKind::Ref(id) = &found.kind {
            match self.binding(*id).map(|b| &b.kind) {
                Some(BindingKind::Table { rel: next, .. }) => found = next,
                _ => break,
            }
        }
        found
    }

    /// The literal an expression is, directly or by name.
    pub fn literal<'q>(&'q self, expr: &'q Expr) -> Option<&'q rulec_functions::Value> {
        match &self.resolve(expr).kind {
            ExprKind::Literal(value) => Some(value),
            _ => None,
        }
    }
}

impl Query {
    /// The value of an expression that depends on nothing but literals:
    /// `2 * 1h`, `strcat(prefix, "x")`. The query keeps what was written.
    pub fn constant(&self, expr: &Expr) -> Option<rulec_functions::Value> {
        self.constant_within(expr, 0)
    }

    fn constant_within(&self, expr: &Expr, depth: usize) -> Option<rulec_functions::Value> {
        use rulec_functions::Value;
        if depth > MAX_CONSTANT_DEPTH {
            return None;
        }
        let all = |parts: &[Expr]| -> Option<Vec<Value>> {
            parts
                .iter()
                .map(|part| self.constant_within(part, depth + 1))
                .collect()
        };
        match &self.resolve(expr).kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Call { function, args } => Some(function.kernel?(&all(args)?)),
            ExprKind::And(parts) => Some(Value::Bool(all(parts)?.iter().all(Value::is_true))),
            ExprKind::Or(parts) => Some(Value::Bool(all(parts)?.iter().any(Value::is_true))),
            _ => None,
        }
    }
}

/// Nesting at which constants are no longer worked out.
const MAX_CONSTANT_DEPTH: usize = 64;

/// The number of nodes of an expression.
pub(crate) fn expr_size(start: &Expr) -> usize {
    let mut size = 0;
    expr(start, &mut |_| size += 1);
    size
}

/// The number of nodes of a relation. Columns are shared, so they do not count.
pub(crate) fn rel_size(start: &Rel) -> usize {
    let mut size = 0;
    rel(start, &mut |_| size += 1);
    size
}

/// How deeply an expression nests; relations within it are not looked into.
pub(crate) fn expr_depth(start: &Expr) -> usize {
    let mut deepest = 0;
    let mut todo = vec![(start, 1)];
    while let Some((next, depth)) = todo.pop() {
        deepest = deepest.max(depth);
        parts(next, &mut |part| {
            if let Node::Expr(part) = part {
                todo.push((part, depth + 1));
            }
        });
    }
    deepest
}

/// Whether an expression refers to columns of the row it is evaluated over.
pub(crate) fn uses_columns(start: &Expr) -> bool {
    let mut todo = vec![start];
    while let Some(next) = todo.pop() {
        if matches!(next.kind, ExprKind::Column(_) | ExprKind::IngestionTime) {
            return true;
        }
        // Relations within have rows of their own.
        parts(next, &mut |part| {
            if let Node::Expr(part) = part {
                todo.push(part);
            }
        });
    }
    false
}
