//! The fields that alerts are told apart by are columns of the rows.

use rulec_ir::walk::{self, Node};
use rulec_ir::{ExprKind, Rel, RelKind};
use rulec_kql::ast::{ExprKind as AstKind, Statement};
use rulec_source::{Diagnostic, Severity, Span};

use super::{code, mapped::in_other_case, syntax::dynamic_texts};
use crate::{Input, Lint, Query, keep};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL076",
        "dedup-field-missing",
        Severity::Error,
        "A de-duplication field is no column of the rows that are compared with earlier alerts.",
    ),
    page: include_str!("../../pages/dedup-field-missing.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound) {
        let fields = fields(query);
        if fields.is_empty() {
            continue;
        }
        let Some(rows) = compared(query) else { continue };
        if rows.open {
            continue;
        }
        let columns: Vec<&str> = rows.columns.iter().map(|c| &*c.name).collect();
        for (name, span) in fields {
            if columns.contains(&name.as_str()) {
                continue;
            }
            let place = query.fragment.map(span);
            let message = format!(
                "alerts are told apart by `{name}`, which the rows do not have: the field is always empty"
            );
            let mut diagnostic = Diagnostic::new(LINT.code, message).label(place, "no such column");
            if let Some(same) = in_other_case(&name, &columns) {
                let quoted = span.of(&query.parsed.text).replace(&name, same);
                diagnostic = diagnostic
                    .help(format!("column names are case-sensitive: write `{same}`"))
                    .fix(format!("write `{same}`"), place, quoted);
            } else if let Some((keyword, operator)) = keep::dropped_by(query, rows, &name) {
                diagnostic = diagnostic
                    .label(query.fragment.map(keyword), format!("`{operator}` drops it"))
                    .help(format!(
                        "let this `{operator}` keep it, or compare another column"
                    ));
            } else {
                let close = rulec_facts::close_matches(&name, columns.iter().copied(), 1);
                diagnostic = match close.first() {
                    Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                    None => diagnostic.help("name columns that the query has in front of its de-duplication"),
                };
            }
            found.push(diagnostic);
        }
    }
}

/// The fields as they are written, and where.
fn fields(query: &Query<'_>) -> Vec<(String, Span)> {
    let bindings = query
        .parsed
        .query
        .statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Let(binding) if binding.name.text == rulec_explain::DEDUP_FIELDS => {
                Some(&binding.value)
            }
            _ => None,
        });
    let literals = bindings.filter_map(|value| match &value.kind {
        AstKind::Literal(literal) => Some(dynamic_texts(literal)),
        _ => None,
    });
    literals.flatten().collect()
}

/// The rows that the fields are taken of: those that `mv-apply` goes over with
/// them; without one, the result.
fn compared<'q>(query: &Query<'q>) -> Option<&'q Rel> {
    let binding = query
        .ir
        .bindings
        .iter()
        .position(|b| b.name == rulec_explain::DEDUP_FIELDS)?;
    let mut found = None;
    walk::query(query.ir, &mut |node| {
        if let Node::Rel(Rel {
            kind: RelKind::MvApply { input, items, .. },
            ..
        }) = node
        {
            let of_fields = |expr: &rulec_ir::Expr| {
                let mut is = false;
                walk::expr(expr, &mut |node| {
                    if let Node::Expr(part) = node {
                        is |= matches!(part.kind, ExprKind::Binding(id) if id.0 == binding);
                    }
                });
                is
            };
            if items.iter().any(|item| of_fields(&item.expr)) {
                found.get_or_insert(&**input);
            }
        }
    });
    found.or(query.ir.root.as_ref())
}
