//! What comes out of a query: its columns, where they come from, and every
//! relation inside it.
//!
//! In: a bound query. Out: answers for targets that need columns. Deliberately
//! absent: types beyond what the binder says.

use std::collections::BTreeSet;

use rulec_explain::origin::column_of;
pub(crate) use rulec_explain::origin::{Held as Source, held as source, outputs};
use rulec_ir::walk::Node;
use rulec_ir::{Expr, ExprKind, Query, Rel, RelKind};
use rulec_source::Span;

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

/// Calls `visit` on every relation of the query, bindings and subqueries included.
pub(crate) fn walk<'a>(query: &'a Query, visit: &mut dyn FnMut(&'a Rel)) {
    rulec_ir::walk::query(query, &mut |node| {
        if let Node::Rel(rel) = node {
            visit(rel);
        }
    });
}

/// A column of a table that the text of a query names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Used<'a> {
    /// Where it is named first.
    pub(crate) span: Span,
    /// The table.
    pub(crate) table: &'a str,
    /// Its name there.
    pub(crate) column: &'a str,
}

/// The columns of tables that the text names, each once, in order. Columns
/// that are only passed on, or that a `*` stands for, are not among them.
pub(crate) fn used<'a>(query: &'a Query, text: &str) -> Vec<Used<'a>> {
    let mut found: Vec<Used<'a>> = Vec::new();
    walk(query, &mut |rel| {
        let mut see = |input: &'a Rel, expr: &'a Expr| {
            let mut todo = vec![expr];
            while let Some(expr) = todo.pop() {
                if let ExprKind::Column(index) = &expr.kind
                    && let Some(column) = input.columns.get(*index)
                    && names_it(expr.span.of(text), &column.name)
                    && let Source::Table { table, column } = column_of(query, input, *index)
                {
                    found.push(Used {
                        span: expr.span,
                        table,
                        column,
                    });
                }
                rulec_ir::walk::parts(expr, &mut |part| {
                    if let Node::Expr(part) = part {
                        todo.push(part);
                    }
                });
            }
        };
        if let RelKind::Join {
            left,
            right,
            left_keys,
            right_keys,
            ..
        } = &rel.kind
        {
            for key in left_keys {
                see(left, key);
            }
            for key in right_keys {
                see(right, key);
            }
            return;
        }
        let mut only = None;
        rulec_ir::walk::inputs(rel, &mut |input| {
            only.get_or_insert(input);
        });
        if let Some(input) = only {
            rulec_ir::walk::expressions(rel, &mut |expr| see(input, expr));
        }
    });
    found.sort_unstable();
    let mut seen = BTreeSet::new();
    found.retain(|used| seen.insert((used.table, used.column)));
    found
}

/// Whether the text is the column's name, bare or in brackets.
fn names_it(text: &str, column: &str) -> bool {
    let bare = text.trim_matches(['[', ']', '"', '\'']);
    // `$left.Name` names it as well.
    !text.is_empty() && (bare == column || bare.rsplit('.').next() == Some(column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::testing::query;
    use rulec_functions::{Type, Value};

    #[test]
    fn columns_are_followed_to_their_tables() {
        // DeviceEvents | where SHA1 == X | project Hash = SHA1, Sum = "a"
        let text = "DeviceEvents | where SHA1 | project Hash = SHA1, Sum = 'a'";
        let mut ir = query("DeviceEvents", &["SHA1", "MD5"]);
        let expr = |kind, from: usize, to: usize| Expr {
            kind,
            ty: Type::String,
            span: Span::new(from, to),
        };
        let filter = Rel {
            columns: ir.root.as_ref().unwrap().columns.clone(),
            open: false,
            span: Span::new(15, 25),
            kind: RelKind::Filter {
                input: Box::new(ir.root.take().unwrap()),
                predicate: expr(ExprKind::Column(0), 21, 25),
            },
        };
        ir.root = Some(Rel {
            columns: query("", &["Hash", "Sum", "MD5"]).root.unwrap().columns,
            open: false,
            span: Span::new(28, 58),
            kind: RelKind::Project {
                input: Box::new(filter),
                kind: rulec_ir::ProjectKind::Project,
                exprs: vec![
                    expr(ExprKind::Column(0), 43, 47),
                    expr(ExprKind::Literal(Value::String("a".into())), 55, 58),
                    // Passed on without being named.
                    expr(ExprKind::Column(1), 0, 0),
                ],
            },
        });
        let used = used(&ir, text);
        assert_eq!(used.len(), 1);
        assert_eq!(
            (used[0].table, used[0].column, used[0].span.start),
            ("DeviceEvents", "SHA1", 21)
        );
        assert_eq!(source(&ir, "Sum"), Some(Source::Text("a")));
        let outputs = outputs(&ir);
        assert_eq!(
            (outputs[0].name, outputs[0].source, outputs[0].table),
            ("Hash", Some("SHA1"), Some("DeviceEvents"))
        );
        assert_eq!((outputs[1].source, outputs[1].table), (None, None));
        assert_eq!(close(&ir, "hash"), Some("Hash"));
        assert!(has(&ir, "Sum") && !has(&ir, "sum"));
    }
}
