//! What the main pipeline looks for and what it suppresses, from the algebra.

use rulec_functions::{Value, text};
use rulec_ir::{Expr, ExprKind, Query, Rel, RelKind, walk::conjuncts};
use rulec_source::Span;

use crate::{
    constant::constant,
    explanation::{Indicator, Predicate, Value as Shown},
    walk,
};

/// Kinds of comparison by operator: name, name when negated.
const KINDS: [(&str, &str, &str); 16] = [
    ("==", "eq", "ne"),
    ("=~", "eq", "ne"),
    ("in", "in", "not_in"),
    ("in~", "in", "not_in"),
    ("has", "has", "not_has"),
    ("has_cs", "has", "not_has"),
    ("has_any", "has_any", "not_has_any"),
    ("has_all", "has_all", "not_has_all"),
    ("contains", "contains", "not_contains"),
    ("contains_cs", "contains", "not_contains"),
    ("startswith", "starts_with", "not_starts_with"),
    ("startswith_cs", "starts_with", "not_starts_with"),
    ("endswith", "ends_with", "not_ends_with"),
    ("endswith_cs", "ends_with", "not_ends_with"),
    ("matches regex", "regex_match", "not_regex_match"),
    ("between", "between", "not_between"),
];

/// Comparisons and what they become when negated.
const ORDER: [(&str, &str, &str); 4] = [
    ("<", "lt", "ge"),
    ("<=", "le", "gt"),
    (">", "gt", "le"),
    (">=", "ge", "lt"),
];

/// Exclusions: top-level negated conjuncts of the main pipeline. Indicators:
/// its other comparisons of a column.
pub(crate) fn predicates(query: &Query, main: &[Span]) -> (Vec<Predicate>, Vec<Indicator>) {
    let mut exclusions = Vec::new();
    let mut found: Vec<Predicate> = Vec::new();
    for rel in walk::relations(query) {
        if let RelKind::Filter { input, predicate } = &rel.kind
            && main.contains(&rel.span)
        {
            for conjunct in conjuncts(predicate) {
                match negated(conjunct) {
                    Some(inner) => leaves(query, input, inner, false, &mut exclusions),
                    None => leaves(query, input, conjunct, false, &mut found),
                }
            }
        }
    }
    let mut indicators: Vec<Indicator> = Vec::new();
    for predicate in found {
        let same = indicators.iter().any(|i| {
            i.field == predicate.field
                && i.kind == predicate.kind
                && i.values.iter().map(|v| &v.value).eq(predicate.values.iter())
        });
        if !same {
            let values = predicate
                .values
                .into_iter()
                .map(|value| Shown { value, corpus: None })
                .collect();
            indicators.push(Indicator {
                field: predicate.field,
                kind: predicate.kind,
                values,
            });
        }
    }
    let mut distinct: Vec<Predicate> = Vec::new();
    for exclusion in exclusions {
        if !distinct.contains(&exclusion) {
            distinct.push(exclusion);
        }
    }
    (distinct, indicators)
}

/// The inside of `not(…)`.
fn negated(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Call { function, args } if function.name == "not" => args.first(),
        _ => None,
    }
}

/// The comparisons within an expression, negations pushed inwards.
fn leaves(query: &Query, input: &Rel, expr: &Expr, negate: bool, found: &mut Vec<Predicate>) {
    if let Some(inner) = negated(expr) {
        return leaves(query, input, inner, !negate, found);
    }
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            for part in parts {
                leaves(query, input, part, negate, found);
            }
        }
        ExprKind::Call { function, args } => {
            let (name, negate) = positive(function.name, negate);
            let Some((field, rest)) = args.split_first() else {
                return;
            };
            let Some(field) = column(input, field) else { return };
            let pick = |table: &[(&str, &'static str, &'static str)]| {
                table
                    .iter()
                    .find(|(op, ..)| *op == name)
                    .map(|(_, yes, no)| if negate { *no } else { *yes })
            };
            let kind = match name {
                "isempty" if negate => "is_not_empty",
                "isempty" => "is_empty",
                "isnull" if negate => "is_not_null",
                "isnull" => "is_null",
                _ => match pick(&KINDS).or_else(|| pick(&ORDER)) {
                    Some(kind) => kind,
                    None => return,
                },
            };
            let values: Vec<String> = rest.iter().flat_map(|value| shown(query, input, value)).collect();
            // What is worked out as the rule runs, such as `ago(1h)`, tells nothing.
            if values.is_empty() && !rest.is_empty() {
                return;
            }
            found.push(Predicate {
                field,
                kind: kind.to_owned(),
                values,
            });
        }
        _ => {}
    }
}

/// `!has` is `has`, negated; `isnotempty` is `isempty`, negated.
pub(crate) fn positive(name: &'static str, negate: bool) -> (&'static str, bool) {
    match name {
        "!=" => ("==", !negate),
        "!~" => ("=~", !negate),
        "isnotempty" => ("isempty", !negate),
        "isnotnull" => ("isnull", !negate),
        _ => match name.strip_prefix('!') {
            Some(rest) => (rest, !negate),
            None => (name, negate),
        },
    }
}

/// The column an expression reads, through `tostring`, `tolower` and members.
fn column(input: &Rel, expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(index) => Some(input.columns.get(*index)?.name.to_string()),
        ExprKind::Call { function, args } => match function.name {
            "tostring" | "tolower" | "toupper" | "trim" | "parse_json" | "coalesce" => {
                column(input, args.first()?)
            }
            "member" => {
                let base = column(input, args.first()?)?;
                match &args.get(1)?.kind {
                    ExprKind::Literal(Value::String(name)) => Some(format!("{base}.{name}")),
                    _ => Some(base),
                }
            }
            _ => None,
        },
        _ => None,
    }
}

fn shown(query: &Query, input: &Rel, expr: &Expr) -> Vec<String> {
    if let Some(name) = column(input, expr) {
        return vec![name];
    }
    match constant(query, expr) {
        Some(Value::Array(items)) => items.iter().map(text::print).collect(),
        Some(value) => vec![text::print(&value)],
        None => Vec::new(),
    }
}
