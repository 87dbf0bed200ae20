//! What holds of every algebra the binder gives.

use rulec_ir::walk::{self, Node};
use rulec_ir::{BindingKind, Expr, ExprKind, Origin, ParseStep, Query, Rel, RelKind};

/// Columns exist in the row they are taken from, lists that belong together
/// are as long as each other, and bindings refer to earlier ones.
pub(crate) fn well_formed(text: &str, query: &Query) {
    for (number, binding) in query.bindings.iter().enumerate() {
        match &binding.kind {
            BindingKind::Scalar(value) => expression(text, value, 0),
            BindingKind::Table { rel, .. } => relation(text, query, rel, number),
            BindingKind::Function => {}
        }
    }
    if let Some(root) = &query.root {
        relation(text, query, root, query.bindings.len());
    }
}

/// `limit`: bindings a reference may mean, those before it.
fn relation(text: &str, query: &Query, start: &Rel, limit: usize) {
    walk::rel(start, &mut |node| {
        let Node::Rel(rel) = node else { return };
        let width = |rel: &Rel| rel.columns.len();
        let mut inputs = Vec::new();
        walk::inputs(rel, &mut |input| inputs.push(input));
        let over = inputs.first().map_or(0, |input| width(input));
        match &rel.kind {
            RelKind::Ref(id) => {
                assert!(id.0 < limit, "{text:?}: a binding refers to a later one");
                let BindingKind::Table { rel: bound, .. } = &query.bindings[id.0].kind else {
                    panic!("{text:?}: a reference to something that is no table")
                };
                assert_eq!(bound.columns, rel.columns, "{text:?}");
            }
            RelKind::Rows(rows) => {
                for row in rows {
                    assert_eq!(row.len(), width(rel), "{text:?}");
                    all(text, row, 0);
                }
            }
            RelKind::Project { exprs, .. } | RelKind::Distinct { exprs, .. } => {
                assert_eq!(exprs.len(), width(rel), "{text:?}");
                all(text, exprs, over);
            }
            RelKind::Summarize { keys, aggregates, .. } => {
                let outputs: usize = aggregates.iter().map(|a| a.outputs).sum();
                assert_eq!(keys.len() + outputs, width(rel), "{text:?}");
                all(text, keys, over);
                for call in aggregates {
                    all(text, &call.args, over);
                }
            }
            RelKind::Filter { .. } | RelKind::Sort { .. } | RelKind::Take { .. } | RelKind::Top { .. } => {
                assert_eq!(inputs[0].columns, rel.columns, "{text:?}");
                walk::expressions(rel, &mut |e| expression(text, e, over));
            }
            RelKind::Join {
                left,
                right,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                assert_eq!(output.len(), width(rel), "{text:?}");
                assert_eq!(left_keys.len(), right_keys.len(), "{text:?}");
                all(text, left_keys, width(left));
                all(text, right_keys, width(right));
                origins(text, output, width(left), width(right));
            }
            RelKind::Union { inputs, with_source } => {
                for input in inputs {
                    assert_eq!(
                        input.columns.len() + usize::from(*with_source),
                        width(rel),
                        "{text:?}"
                    );
                    for index in input.columns.iter().flatten() {
                        assert!(*index < width(&input.rel), "{text:?}");
                    }
                }
            }
            RelKind::MvExpand { items, passed, .. } => {
                assert_eq!(passed.len(), width(rel), "{text:?}");
                for item in items {
                    expression(text, &item.expr, over);
                    assert!(item.output < width(rel), "{text:?}");
                    assert_eq!(passed[item.output], None, "{text:?}");
                }
            }
            RelKind::MvApply {
                input,
                items,
                passed,
                subquery,
                output,
                ..
            } => {
                assert_eq!(output.len(), width(rel), "{text:?}");
                for item in items {
                    expression(text, &item.expr, over);
                    assert!(item.output < passed.len(), "{text:?}");
                }
                origins(text, output, width(input), width(subquery));
            }
            RelKind::Parse { expr, steps, .. } => {
                expression(text, expr, over);
                for step in steps {
                    if let ParseStep::Column { output, .. } = step {
                        assert!(*output < width(rel), "{text:?}");
                    }
                }
            }
            RelKind::Invoke { args, .. } => all(text, args, over),
            _ => {}
        }
    });
}

fn origins(text: &str, output: &[Origin], left: usize, right: usize) {
    for origin in output {
        match origin {
            Origin::Left(index) => assert!(*index < left, "{text:?}"),
            Origin::Right(index) => assert!(*index < right, "{text:?}"),
        }
    }
}

fn all(text: &str, exprs: &[Expr], width: usize) {
    for expr in exprs {
        expression(text, expr, width);
    }
}

/// Columns of an expression exist in the row it is over.
fn expression(text: &str, start: &Expr, width: usize) {
    let mut todo = vec![start];
    while let Some(next) = todo.pop() {
        if let ExprKind::Column(index) = next.kind {
            assert!(index < width, "{text:?}: column {index} of {width}");
        }
        walk::parts(next, &mut |part| {
            if let Node::Expr(part) = part {
                todo.push(part);
            }
        });
    }
}
