//! Other values for a query's `let` constants: what a fixture's case, or an
//! environment, says in place of what the rule says.
//!
//! In: the query's text, its tree and algebra, and values by name. Out: the
//! text with those values, which still leads back to the document. The text is
//! changed and not the algebra, because binding itself depends on constants.

use rulec_functions::{Type, text};
use rulec_ir::{BindingKind, Query};
use rulec_kql::{
    Parsed,
    ast::{Expr, ExprKind, Statement},
};
use rulec_model::Duration;
use rulec_source::Fragment;
use serde_json::Value;

use crate::splice::{Edit, Part, splice};

/// A value that a query does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Name of the constant.
    pub name: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Whether the query has no such constant.
    pub unknown: bool,
}

/// The query with other values, each with the place that says it, if that is
/// not the query's own; or the first that does not fit.
pub fn values(
    fragment: &Fragment,
    parsed: &Parsed,
    ir: &Query,
    values: &[(&str, &Value, Option<u32>)],
) -> Result<Fragment, Unfit> {
    let mut edits: Vec<Edit> = Vec::new();
    for (name, value, place) in values {
        let unfit = |message: String, unknown: bool| Unfit {
            name: (*name).to_owned(),
            message,
            unknown,
        };
        let written = parsed
            .query
            .statements
            .iter()
            .find_map(|statement| match statement {
                Statement::Let(written) if written.name.text == *name => Some(written),
                _ => None,
            });
        let Some(written) = written else {
            let close = rulec_facts::close_matches(name, names(ir), 1);
            let message = match close.first() {
                Some(close) => format!("the query has no `let {name}`; did you mean `{close}`?"),
                None => format!("the query has no `let {name}`"),
            };
            return Err(unfit(message, true));
        };
        let ty = ir
            .bindings
            .iter()
            .find(|binding| binding.name_span == written.name.span)
            .and_then(|binding| match &binding.kind {
                BindingKind::Scalar(expr) => Some(expr.ty),
                BindingKind::Table { .. } | BindingKind::Function => None,
            });
        let Some(ty) = ty.filter(|_| !is_table(&written.value)) else {
            let message = format!("`let {name}` is no constant, so it cannot have another value");
            return Err(unfit(message, false));
        };
        let literal = literal(value, ty)
            .ok_or_else(|| unfit(format!("`let {name}` is a {ty}, and {value} is not"), false))?;
        let outer = fragment.map(written.value.span);
        let part = match place {
            Some(place) => Part::new(literal, *place as usize),
            None => Part {
                len: outer.len().min(literal.len()).try_into().unwrap_or_default(),
                text: literal,
                outer: outer.start,
            },
        };
        edits.push(Edit {
            at: written.value.span,
            parts: vec![part],
        });
    }
    edits.sort_by_key(|edit| edit.at);
    Ok(splice(fragment, &edits).0)
}

/// The constants that may have another value.
fn names(ir: &Query) -> impl Iterator<Item = &str> {
    let scalar = |binding: &&rulec_ir::Binding| matches!(binding.kind, BindingKind::Scalar(_));
    ir.bindings.iter().filter(scalar).map(|b| b.name.as_str())
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
