//! Scalar expressions as text: operators between their operands, everything
//! that is nested in an operator in parentheses.

use rulec_functions::{Kind, ScalarFunction, Type, Value, text};

use super::Dump;
use crate::{AggregateCall, Column, Expr, ExprKind, MvItem, Rel, SortKey};

impl<'q> Dump<'q> {
    pub(super) fn keys(&mut self, keys: &'q [SortKey], input: &[Column]) -> String {
        let keys: Vec<String> = keys
            .iter()
            .map(|key| {
                format!(
                    "{} {} nulls {}",
                    self.expr(&key.expr, input),
                    if key.descending { "desc" } else { "asc" },
                    if key.nulls_first { "first" } else { "last" }
                )
            })
            .collect();
        keys.join(", ")
    }

    /// What `mv-expand` expands, as the columns that come out.
    pub(super) fn items(&mut self, items: &'q [MvItem], input: &[Column], output: &[Column]) -> String {
        let items: Vec<String> = items
            .iter()
            .map(|item| {
                let name = output.get(item.output).map_or("?", |c| &*c.name);
                format!("{}: {} = {}", shown(name), item.ty, self.expr(&item.expr, input))
            })
            .collect();
        items.join(", ")
    }

    pub(super) fn aggregates(&mut self, calls: &'q [AggregateCall], input: &[Column]) -> String {
        let calls: Vec<String> = calls
            .iter()
            .map(|call| format!("{}({})", call.function, self.list(&call.args, input)))
            .collect();
        calls.join(", ")
    }

    pub(super) fn list(&mut self, exprs: &'q [Expr], input: &[Column]) -> String {
        let exprs: Vec<String> = exprs.iter().map(|e| self.expr(e, input)).collect();
        exprs.join(", ")
    }

    pub(super) fn expr(&mut self, expr: &'q Expr, input: &[Column]) -> String {
        match &expr.kind {
            ExprKind::Literal(value) => literal(value, expr.ty),
            ExprKind::Column(index) => indexed(*index, input),
            ExprKind::Binding(id) => format!(
                "${}",
                self.query
                    .binding(*id)
                    .map_or_else(|| "?".to_owned(), |b| shown(&b.name))
            ),
            ExprKind::Call { function, args } => self.call(function, args, input),
            ExprKind::Window { function, args } => format!("{}({})", function.name, self.list(args, input)),
            ExprKind::And(parts) => self.infix("and", parts, input),
            ExprKind::Or(parts) => self.infix("or", parts, input),
            ExprKind::Now => "now()".to_owned(),
            ExprKind::IngestionTime => "ingestion_time()".to_owned(),
            ExprKind::ToScalar(rel) => self.numbered("toscalar", rel),
            ExprKind::List(rel) => self.numbered("list", rel),
        }
    }

    /// A subquery stands below its operator under this number.
    fn numbered(&mut self, word: &str, rel: &'q Rel) -> String {
        self.subqueries.push(rel);
        format!("{word}(subquery {})", self.subqueries.len())
    }

    fn call(&mut self, function: &ScalarFunction, args: &'q [Expr], input: &[Column]) -> String {
        let name = function.name;
        match (function.kind, args) {
            (Kind::Operator, [value, key]) if is_path(name) => {
                format!("{}[{}]", self.operand(value, input), self.expr(key, input))
            }
            (Kind::Operator, [first, rest @ ..]) if is_list(name) => {
                format!(
                    "{} {name} ({})",
                    self.operand(first, input),
                    self.list(rest, input)
                )
            }
            (Kind::Operator, [_, _]) => self.infix(name, args, input),
            (Kind::Operator, [value, from, to]) => {
                let value = self.operand(value, input);
                format!(
                    "{value} {name} ({} .. {})",
                    self.operand(from, input),
                    self.operand(to, input)
                )
            }
            _ => format!("{name}({})", self.list(args, input)),
        }
    }

    fn infix(&mut self, word: &str, parts: &'q [Expr], input: &[Column]) -> String {
        let mut out = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.push(' ');
                out.push_str(word);
                out.push(' ');
            }
            // `a - b - c` is read from the left, so its left part needs no parentheses.
            let same = matches!(&part.kind, ExprKind::Call { function, .. } if function.name == word);
            out.push_str(&if index == 0 && same {
                self.expr(part, input)
            } else {
                self.operand(part, input)
            });
        }
        out
    }

    fn operand(&mut self, expr: &'q Expr, input: &[Column]) -> String {
        let text = self.expr(expr, input);
        let nested = match &expr.kind {
            ExprKind::Call { function, args } => {
                function.kind == Kind::Operator && args.len() > 1 && !is_path(function.name)
            }
            ExprKind::And(_) | ExprKind::Or(_) => true,
            _ => false,
        };
        if nested { format!("({text})") } else { text }
    }
}

/// Operators whose right side is a list in parentheses.
fn is_list(name: &str) -> bool {
    matches!(name, "in" | "!in" | "in~" | "!in~" | "has_any" | "has_all")
}

/// Elements and members of a dynamic value.
fn is_path(name: &str) -> bool {
    matches!(name, "index" | "member")
}

/// A column of the input, with its index.
pub(super) fn indexed(index: usize, input: &[Column]) -> String {
    input
        .get(index)
        .map_or_else(|| format!("?#{index}"), |c| format!("{}#{index}", shown(&c.name)))
}

/// A name as it must be written when it is no plain word.
pub(super) fn shown(name: &str) -> String {
    // `$0` is a column of the binder's own, `step1.x` one of an earlier row.
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("[{name:?}]")
    }
}

fn literal(value: &Value, ty: Type) -> String {
    match value {
        Value::Null => format!("{ty}(null)"),
        Value::String(text) if ty == Type::Dynamic => format!("dynamic({text:?})"),
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) | Value::Bag(_) => format!("dynamic({})", text::print(value)),
        _ if ty == Type::Dynamic => format!("dynamic({})", text::print(value)),
        Value::Bool(_) | Value::Long(_) => text::print(value),
        // The point tells a real from a long.
        Value::Real(real) if real.is_finite() => format!("{real:?}"),
        other => format!("{ty}({})", text::print(other)),
    }
}
