//! Other values for a query's `let` constants: what a fixture's case, or an
//! environment, says in place of what the rule says.
//!
//! In: the query's text, its tree and algebra, and values by name. Out: the
//! text with those values, which still leads back to the document. The text is
//! changed and not the algebra, because binding itself depends on constants.

use std::collections::BTreeMap;

use rulec_functions::{Type, text};
use rulec_ir::BindingKind;
use rulec_kql::ast::{Expr, ExprKind, Statement};
use rulec_model::Duration;
use rulec_source::{Fragment, Piece, Span};
use serde_json::Value;

use crate::pipeline::Bound;

/// The query with other values; a sentence about the first that does not fit.
pub fn with(bound: &Bound, values: &BTreeMap<String, Value>) -> Result<Fragment, String> {
    let mut places: Vec<(Span, String)> = Vec::new();
    for (name, value) in values {
        let written = bound
            .parsed
            .query
            .statements
            .iter()
            .find_map(|statement| match statement {
                Statement::Let(written) if written.name.text == *name => Some(written),
                _ => None,
            });
        let Some(written) = written else {
            let close = rulec_facts::close_matches(name, names(bound), 1);
            return Err(match close.first() {
                Some(close) => format!("the query has no `let {name}`; did you mean `{close}`?"),
                None => format!("the query has no `let {name}`"),
            });
        };
        let ty = bound
            .ir
            .bindings
            .iter()
            .find(|binding| binding.name_span == written.name.span)
            .and_then(|binding| match &binding.kind {
                BindingKind::Scalar(expr) => Some(expr.ty),
                BindingKind::Table { .. } | BindingKind::Function => None,
            });
        let Some(ty) = ty.filter(|_| !is_table(&written.value)) else {
            return Err(format!(
                "`let {name}` is no constant, so it cannot have another value"
            ));
        };
        let literal =
            literal(value, ty).ok_or_else(|| format!("`let {name}` is a {ty}, and {value} is not"))?;
        places.push((written.value.span, literal));
    }
    places.sort();
    Ok(replaced(&bound.fragment, &places))
}

/// The constants that may have another value.
fn names(bound: &Bound) -> impl Iterator<Item = &str> {
    let scalar = |binding: &&rulec_ir::Binding| matches!(binding.kind, BindingKind::Scalar(_));
    bound.ir.bindings.iter().filter(scalar).map(|b| b.name.as_str())
}

/// Whether a value is computed from rows.
fn is_table(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Call(call) if call.name.text == "toscalar")
}

/// A value as KQL writes it; none when it is not of the type.
fn literal(value: &Value, ty: Type) -> Option<String> {
    Some(match (ty, value) {
        (Type::Bool, Value::Bool(value)) => value.to_string(),
        (Type::Long, Value::Number(n)) if n.is_i64() => n.to_string(),
        (Type::Int, Value::Number(n)) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
            format!("int({n})")
        }
        (Type::Real, Value::Number(n)) => format!("real({n})"),
        (Type::Decimal, Value::Number(n)) => format!("decimal({n})"),
        (Type::String, Value::String(text)) => Value::String(text.clone()).to_string(),
        (Type::TimeSpan, Value::String(written)) => {
            let ticks = match written.parse::<Duration>() {
                Ok(length) => i64::try_from(length.seconds()).ok()?.checked_mul(10_000_000)?,
                Err(_) => text::parse_timespan(written)?,
            };
            format!("timespan({})", text::print_timespan(ticks))
        }
        (Type::DateTime, Value::String(written)) => {
            format!(
                "datetime({})",
                text::print_datetime(text::parse_datetime(written)?)
            )
        }
        (Type::Dynamic, Value::Array(_) | Value::Object(_)) => format!("dynamic({value})"),
        _ => return None,
    })
}

/// The text with some places, which stand in order, written anew. What is new
/// leads to the beginning of what it replaces.
fn replaced(fragment: &Fragment, places: &[(Span, String)]) -> Fragment {
    let mut out = Fragment::default();
    let mut at = 0;
    for (span, text) in places {
        copy(fragment, Span::new(at, span.start as usize), &mut out);
        let outer = fragment.map(*span);
        let inner = Span::at(out.text.len()).start;
        let len = Span::new(0, text.len().min(outer.len())).end;
        out.text.push_str(text);
        out.pieces.push(Piece {
            inner,
            outer: outer.start,
            len,
        });
        at = span.end as usize;
    }
    copy(fragment, Span::new(at, fragment.text.len()), &mut out);
    out
}

/// Appends a part of a text, piece by piece.
fn copy(from: &Fragment, part: Span, to: &mut Fragment) {
    for piece in &from.pieces {
        let (start, end) = (
            piece.inner.max(part.start),
            (piece.inner + piece.len).min(part.end),
        );
        if start < end {
            let span = Span { start, end };
            let outer = (piece.outer + (start - piece.inner)) as usize;
            to.push(span.of(&from.text), outer);
        }
    }
}
