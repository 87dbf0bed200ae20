//! `toscalar` over more than one value.

use rulec_functions::Value;
use rulec_ir::walk::{Node, query as walk};
use rulec_ir::{ExprKind, Operator, Query as Ir, Rel, RelKind};
use rulec_kql::ast;
use rulec_source::{Diagnostic, Severity, Span};

use super::code;
use crate::{Input, Lint, Query};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL010",
        "toscalar-drops-values",
        Severity::Warning,
        "`toscalar` is given more than one value; it keeps the first column of the first row.",
    ),
    page: include_str!("../../pages/toscalar-drops-values.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound && q.says("toscalar")) {
        let mut seen: Vec<Span> = Vec::new();
        walk(query.ir, &mut |node| {
            if let Node::Expr(expr) = node
                && let ExprKind::ToScalar(rel) = &expr.kind
                // Functions of the query are bound once a call.
                && !seen.contains(&expr.span)
            {
                seen.push(expr.span);
                found.extend(columns(query, rel, expr.span));
                found.extend(rows(query, rel, expr.span));
            }
        });
    }
}

/// Only the first of several columns is kept.
fn columns(query: &Query<'_>, rel: &Rel, call: Span) -> Option<Diagnostic> {
    let (first, others) = rel.columns.split_first()?;
    if others.is_empty() || rel.open {
        return None;
    }
    let kept = rulec_kql::name(&first.name);
    let span = query.fragment.map(call);
    let mut diagnostic = Diagnostic::new(
        LINT.code,
        format!(
            "`toscalar` keeps only `{}`, the first of {} columns",
            first.name,
            rel.columns.len()
        ),
    )
    .at(span)
    .help("end the query in brackets with `project` of the column that is meant");
    // In front of the closing bracket.
    if query
        .parsed
        .text
        .get(call.range())
        .is_some_and(|t| t.ends_with(')'))
        && call.end > 0
    {
        let end = query.fragment.map(Span::at(call.end as usize - 1));
        diagnostic = diagnostic.fix(
            format!("keep `{}` alone", first.name),
            end,
            format!(" | project {kept}"),
        );
    }
    Some(diagnostic)
}

/// Only the first of several rows is kept.
fn rows(query: &Query<'_>, rel: &Rel, call: Span) -> Option<Diagnostic> {
    if one_row(query.ir, rel, MAX_BINDINGS) {
        return None;
    }
    let diagnostic = Diagnostic::new(
        LINT.code,
        "`toscalar` keeps only the first row, and nothing says that this query gives just one",
    )
    .at(query.fragment.map(call));
    let Some(argument) = only_of_list(query.parsed, call) else {
        return Some(diagnostic.help(
            "end the query in brackets with `summarize`, `count`, `top 1 by` or `take 1`; for a list of values leave `toscalar` out, or use `summarize make_set()`",
        ));
    };
    // The list takes a table as it is: the call goes, its argument stays.
    Some(
        diagnostic
            .help("leave `toscalar` out: `in` takes all rows of a query")
            .suggest_all(
                "leave `toscalar` out",
                vec![
                    (
                        query
                            .fragment
                            .map(Span::new(call.start as usize, argument.start as usize)),
                        String::new(),
                    ),
                    (
                        query
                            .fragment
                            .map(Span::new(argument.end as usize, call.end as usize)),
                        String::new(),
                    ),
                ],
            ),
    )
}

/// Let bindings that are followed; they refer to earlier ones, so there is an end anyway.
const MAX_BINDINGS: usize = 64;

/// Whether a relation gives one row at most, whatever the data.
fn one_row(query: &Ir, rel: &Rel, fuel: usize) -> bool {
    let mut rel = rel;
    loop {
        rel = match &rel.kind {
            RelKind::Rows(rows) => return rows.len() <= 1,
            RelKind::Count { .. } => return true,
            RelKind::Summarize { keys, .. } if keys.is_empty() => return true,
            RelKind::Take { count, .. } | RelKind::Top { count, .. }
                if matches!(query.literal(count), Some(Value::Long(1) | Value::Int(1))) =>
            {
                return true;
            }
            RelKind::Filter { input, .. }
            | RelKind::Project { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Top { input, .. }
            | RelKind::Summarize { input, .. }
            | RelKind::Distinct { input, .. }
            | RelKind::Parse { input, .. }
            | RelKind::Invoke { input, .. } => input,
            RelKind::Special { inputs, operator } => match (&**operator, inputs.as_slice()) {
                (Operator::MakeSeries { keys, .. }, _) if keys.is_empty() => return true,
                (Operator::ParseKv { .. }, [input]) => input,
                _ => return false,
            },
            RelKind::Ref(_) if fuel > 0 => return one_row(query, query.resolve_rel(rel), fuel - 1),
            // Said elsewhere: it does not run.
            RelKind::Unsupported { .. } => return true,
            _ => return false,
        }
    }
}

/// The argument of the call if it stands alone behind `in`.
fn only_of_list(parsed: &rulec_kql::Parsed, call: Span) -> Option<Span> {
    struct Find {
        call: Span,
        argument: Option<Span>,
    }
    impl rulec_kql::walk::Visitor for Find {
        fn expr(&mut self, expr: &ast::Expr) {
            if let ast::ExprKind::InList(list) = &expr.kind
                && let [only] = list.list.as_slice()
                && only.span == self.call
                && let ast::ExprKind::Call(call) = &only.kind
                && let [argument] = call.args.as_slice()
            {
                self.argument = Some(argument.value.span);
            }
            rulec_kql::walk::walk_expr(self, expr);
        }
    }
    let mut find = Find { call, argument: None };
    rulec_kql::walk::walk_query(&mut find, &parsed.query);
    find.argument
}
