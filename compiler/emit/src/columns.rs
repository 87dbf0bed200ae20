//! What comes out of a query: its columns, where they come from, and every
//! relation inside it.
//!
//! In: a bound query. Out: answers for targets that need columns. Deliberately
//! absent: types beyond what the binder says.

use rulec_facts::entities::OutputColumn;
use rulec_functions::Value;
use rulec_ir::walk::Node;
use rulec_ir::{BindingKind, Expr, ExprKind, Origin, Query, Rel, RelKind};

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source<'a> {
    /// A column of a table, passed on unchanged.
    Table {
        /// The table.
        table: &'a str,
        /// Its name there.
        column: &'a str,
    },
    /// The same text in every row.
    Text(&'a str),
    /// Worked out.
    Computed,
}

/// How far a column is followed; queries nest far less, broken data may not.
const DEPTH: usize = 500;

/// Whether the query gives a column of that name; an open result may.
pub(crate) fn has(query: &Query, name: &str) -> bool {
    query
        .root
        .as_ref()
        .is_none_or(|root| root.open || root.columns.iter().any(|column| &*column.name == name))
}

/// The names of the result's columns.
pub(crate) fn names(query: &Query) -> Vec<&str> {
    let columns = query.root.iter().flat_map(|root| root.columns.iter());
    columns.map(|column| &*column.name).collect()
}

/// A column meant by `name`, when it differs only in case or separators.
pub(crate) fn close<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    rulec_facts::close_matches(name, names(query), 1).first().copied()
}

/// Where the result's column of that name comes from.
pub(crate) fn source<'a>(query: &'a Query, name: &str) -> Option<Source<'a>> {
    let root = query.root.as_ref()?;
    let index = root.columns.iter().position(|column| &*column.name == name)?;
    Some(trace(query, root, index, DEPTH))
}

/// The result's columns as inference of entities takes them.
pub(crate) fn outputs(query: &Query) -> Vec<OutputColumn<'_>> {
    let Some(root) = &query.root else {
        return Vec::new();
    };
    root.columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let name = &*column.name;
            let (source, table) = match trace(query, root, index, DEPTH) {
                Source::Table { table, column } => ((column != name).then_some(column), Some(table)),
                _ => (None, None),
            };
            OutputColumn { name, source, table }
        })
        .collect()
}

fn trace<'a>(query: &'a Query, rel: &'a Rel, index: usize, depth: usize) -> Source<'a> {
    let Some(depth) = depth.checked_sub(1) else {
        return Source::Computed;
    };
    let through = |input: &'a Rel, expr: Option<&'a Expr>| match expr.map(|expr| &expr.kind) {
        Some(ExprKind::Column(index)) => trace(query, input, *index, depth),
        Some(ExprKind::Literal(Value::String(text))) => Source::Text(text),
        _ => Source::Computed,
    };
    match &rel.kind {
        RelKind::Table { name } => match rel.columns.get(index) {
            Some(column) => Source::Table {
                table: name,
                column: &column.name,
            },
            None => Source::Computed,
        },
        RelKind::Ref(id) => match query.bindings.get(id.0).map(|binding| &binding.kind) {
            Some(BindingKind::Table { rel, .. }) => trace(query, rel, index, depth),
            _ => Source::Computed,
        },
        RelKind::Filter { input, .. }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Top { input, .. } => trace(query, input, index, depth),
        RelKind::Project { input, exprs, .. } | RelKind::Distinct { input, exprs } => {
            through(input, exprs.get(index))
        }
        RelKind::Summarize {
            input,
            keys,
            aggregates,
        } => match keys.get(index) {
            Some(key) => through(input, Some(key)),
            None => through(input, passed_by_aggregate(aggregates, index - keys.len())),
        },
        RelKind::Join {
            left, right, output, ..
        } => match output.get(index) {
            Some(Origin::Left(index)) => trace(query, left, *index, depth),
            Some(Origin::Right(index)) => trace(query, right, *index, depth),
            None => Source::Computed,
        },
        RelKind::MvExpand { input, passed, .. } => match passed.get(index) {
            Some(Some(index)) => trace(query, input, *index, depth),
            _ => Source::Computed,
        },
        RelKind::MvApply { input, output, .. } => match output.get(index) {
            Some(Origin::Left(index)) => trace(query, input, *index, depth),
            _ => Source::Computed,
        },
        RelKind::Parse { input, .. } | RelKind::Invoke { input, .. } if index < input.columns.len() => {
            trace(query, input, index, depth)
        }
        RelKind::Union { inputs, with_source } => {
            let Some(index) = index.checked_sub(usize::from(*with_source)) else {
                return Source::Computed;
            };
            let mut sources = inputs
                .iter()
                .filter_map(|input| Some(trace(query, &input.rel, (*input.columns.get(index)?)?, depth)));
            let first = sources.next().unwrap_or(Source::Computed);
            // Different tables may still agree on the column.
            sources.fold(first, |one, other| match (&one, &other) {
                _ if one == other => one,
                (Source::Table { column: a, .. }, Source::Table { column: b, .. }) if a == b => one,
                _ => Source::Computed,
            })
        }
        _ => Source::Computed,
    }
}

/// What an aggregate that picks rows (`arg_max`, `take_any`) passes on in its
/// output number `index`.
fn passed_by_aggregate(aggregates: &[rulec_ir::AggregateCall], mut index: usize) -> Option<&Expr> {
    for call in aggregates {
        if index < call.outputs {
            let picks = matches!(call.function, "arg_max" | "arg_min" | "take_any" | "any");
            return if picks { call.args.get(index) } else { None };
        }
        index -= call.outputs;
    }
    None
}

/// Calls `visit` on every relation of the query, bindings and subqueries included.
pub(crate) fn walk<'a>(query: &'a Query, visit: &mut dyn FnMut(&'a Rel)) {
    rulec_ir::walk::query(query, &mut |node| {
        if let Node::Rel(rel) = node {
            visit(rel);
        }
    });
}
