//! The predicate that decides whether a rule fires: what an alert points to.

use rulec_ir::{
    Expr, ExprKind, Query, Rel, RelKind,
    walk::{self, conjuncts},
};
use rulec_source::Span;

use crate::kind::Kind;

/// The last conjunct of the pipeline's `where`s that says what the rule looks
/// for; after a `summarize` that is its threshold. Passed over are exclusions,
/// checks that something is there, and bounds on the time of the run. Where
/// nothing else is left it is the last conjunct of the last `where`; without
/// any, the last operator that relates rows, or the table.
///
/// The pipeline goes on from the left side of a join, from the first table of
/// a union, and through the bindings that it names.
pub fn deciding(query: &Query) -> Option<Span> {
    let (mut last, mut relation) = (None, None);
    let mut at = query.root.as_ref()?;
    loop {
        at = query.resolve_rel(at);
        match &at.kind {
            RelKind::Filter { predicate, .. } => {
                let conjuncts = conjuncts(predicate);
                let deciding = conjuncts.iter().rev().find(|conjunct| decides(query, conjunct));
                if let Some(conjunct) = deciding {
                    return Some(place(at, conjunct));
                }
                last = last.or(conjuncts.last().map(|conjunct| place(at, conjunct)));
            }
            RelKind::Join { .. } | RelKind::Summarize { .. } | RelKind::Distinct { .. } => {
                relation = relation.or(Some(at.span));
            }
            _ => {}
        }
        match first_input(at) {
            Some(input) => at = input,
            None => return last.or(relation).or(Some(at.span)),
        }
    }
}

/// Where a conjunct stands in the pipeline: what a function of the query says
/// stands in the function, and its call is the whole `where`.
fn place(filter: &Rel, conjunct: &Expr) -> Span {
    let (within, whole) = (conjunct.span, filter.span);
    if !within.is_empty() && whole.start <= within.start && within.end <= whole.end {
        within
    } else {
        whole
    }
}

fn first_input(rel: &Rel) -> Option<&Rel> {
    let mut first = None;
    walk::inputs(rel, &mut |input| {
        first.get_or_insert(input);
    });
    first
}

fn decides(query: &Query, conjunct: &Expr) -> bool {
    if let ExprKind::Call { function, .. } = &conjunct.kind
        && (function.name == "not"
            || Kind::of(function.name).is_some_and(|(kind, _)| kind.is_negative() || kind == Kind::IsNotNull))
    {
        return false;
    }
    !is_about_now(query, conjunct)
}

/// Whether an expression asks for the time of the run.
fn is_about_now(query: &Query, expr: &Expr) -> bool {
    let mut todo = vec![expr];
    while let Some(next) = todo.pop() {
        match &next.kind {
            ExprKind::Now | ExprKind::IngestionTime => return true,
            ExprKind::Binding(_) => {
                let meant = query.resolve(next);
                if !std::ptr::eq(meant, next) {
                    todo.push(meant);
                }
            }
            _ => walk::parts(next, &mut |node| {
                if let walk::Node::Expr(part) = node {
                    todo.push(part);
                }
            }),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulec_facts::{Pack, tables};
    use std::sync::Arc;

    fn decides(text: &str) -> String {
        let pack = Pack::embedded();
        let environment = tables::Environment::MergedColumns;
        let tables = tables::Tables::new(&pack, environment).unwrap();
        let catalog = rulec_ir::Catalog::new(Arc::new(tables));
        let parsed = rulec_kql::parse(text);
        let query = rulec_ir::lower(&parsed, &catalog).query;
        deciding(&query).unwrap().of(text).to_owned()
    }

    #[test]
    fn the_last_condition_that_looks_for_something_decides() {
        let cases = [
            (
                "DeviceEvents | where ActionType == 'A' and FileName has 'b' | where FolderPath !has 'c' and not(AccountName == 'd')",
                "FileName has 'b'",
            ),
            (
                "let since = ago(1h); DeviceEvents | where FileName == 'a' | where Timestamp > since and isnotempty(DeviceId)",
                "FileName == 'a'",
            ),
            (
                "DeviceEvents | where FileName == 'a' | summarize Count = count() by DeviceId | where Count > 10 | extend x = 1",
                "Count > 10",
            ),
            (
                "let Rows = DeviceEvents | where FileName == 'a'; Rows | join kind=leftanti (DeviceInfo | where OSPlatform == 'b') on DeviceId",
                "FileName == 'a'",
            ),
            (
                "let Odd = (Name: string) { Name == 'a' }; DeviceEvents | where Odd(FileName)",
                "where Odd(FileName)",
            ),
            ("DeviceEvents | where Timestamp > ago(1h)", "Timestamp > ago(1h)"),
            (
                "DeviceEvents | summarize count() by DeviceId",
                "summarize count() by DeviceId",
            ),
            ("DeviceEvents | take 5", "DeviceEvents"),
        ];
        for (query, expected) in cases {
            assert_eq!(decides(query), expected, "{query}");
        }
    }
}
