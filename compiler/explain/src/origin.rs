//! Where the columns of a result come from: the column of a table they hold
//! unchanged, a text that is the same in every row, or neither.
//!
//! In: a bound query. Out: [`Held`] of a column, and the columns as inference
//! of entities takes them. Deliberately absent: which stage built a column
//! (`output`).

use rulec_facts::entities::OutputColumn;
use rulec_functions::Value;
use rulec_ir::{AggregateCall, BindingKind, Expr, ExprKind, Origin, Query, Rel, RelKind};

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Held<'a> {
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

/// What the result's column of that name holds; none when there is no such column.
pub fn held<'a>(query: &'a Query, name: &str) -> Option<Held<'a>> {
    let root = query.root.as_ref()?;
    let index = root.columns.iter().position(|column| &*column.name == name)?;
    Some(column_of(query, root, index))
}

/// What a column of a relation holds, by its index.
pub fn column_of<'a>(query: &'a Query, rel: &'a Rel, index: usize) -> Held<'a> {
    trace(query, rel, index, DEPTH)
}

/// The result's columns as inference of entities takes them.
pub fn outputs(query: &Query) -> Vec<OutputColumn<'_>> {
    let Some(root) = &query.root else {
        return Vec::new();
    };
    root.columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let name = &*column.name;
            let (source, table, text) = match trace(query, root, index, DEPTH) {
                Held::Table { table, column } => ((column != name).then_some(column), Some(table), None),
                Held::Text(text) => (None, None, Some(text)),
                Held::Computed => (None, None, None),
            };
            OutputColumn {
                name,
                ty: column.ty,
                source,
                table,
                text,
            }
        })
        .collect()
}

fn trace<'a>(query: &'a Query, rel: &'a Rel, index: usize, depth: usize) -> Held<'a> {
    let Some(depth) = depth.checked_sub(1) else {
        return Held::Computed;
    };
    let through = |input: &'a Rel, expr: Option<&'a Expr>| match expr.map(|expr| &expr.kind) {
        Some(ExprKind::Column(index)) => trace(query, input, *index, depth),
        Some(ExprKind::Literal(Value::String(text))) => Held::Text(text),
        _ => Held::Computed,
    };
    match &rel.kind {
        RelKind::Table { name } => match rel.columns.get(index) {
            Some(column) => Held::Table {
                table: name,
                column: &column.name,
            },
            None => Held::Computed,
        },
        RelKind::Ref(id) => match query.bindings.get(id.0).map(|binding| &binding.kind) {
            Some(BindingKind::Table { rel, .. }) => trace(query, rel, index, depth),
            _ => Held::Computed,
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
            None => Held::Computed,
        },
        RelKind::MvExpand { input, passed, .. } => match passed.get(index) {
            Some(Some(index)) => trace(query, input, *index, depth),
            _ => Held::Computed,
        },
        RelKind::MvApply { input, output, .. } => match output.get(index) {
            Some(Origin::Left(index)) => trace(query, input, *index, depth),
            _ => Held::Computed,
        },
        RelKind::Parse { input, .. } | RelKind::Invoke { input, .. } if index < input.columns.len() => {
            trace(query, input, index, depth)
        }
        RelKind::Union { inputs, with_source } => {
            let Some(index) = index.checked_sub(usize::from(*with_source)) else {
                return Held::Computed;
            };
            let mut sources = inputs
                .iter()
                .filter_map(|input| Some(trace(query, &input.rel, (*input.columns.get(index)?)?, depth)));
            let first = sources.next().unwrap_or(Held::Computed);
            // Different tables may still agree on the column.
            sources.fold(first, |one, other| match (&one, &other) {
                _ if one == other => one,
                (Held::Table { column: a, .. }, Held::Table { column: b, .. }) if a == b => one,
                _ => Held::Computed,
            })
        }
        _ => Held::Computed,
    }
}

/// What an aggregate that picks rows (`arg_max`, `take_any`) passes on in its
/// output number `index`.
fn passed_by_aggregate(aggregates: &[AggregateCall], mut index: usize) -> Option<&Expr> {
    for call in aggregates {
        if index < call.outputs {
            let picks = matches!(call.function, "arg_max" | "arg_min" | "take_any" | "any");
            return if picks { call.args.get(index) } else { None };
        }
        index -= call.outputs;
    }
    None
}
