//! What the parts of a predicate say of a row.

use rulec_functions::{Value, convert};
use rulec_ir::{BindingKind, Expr, ExprKind, Rel};
use rulec_runtime::{Batch, Row, ops};
use rulec_source::Span;

use crate::expr::{Compiled, Scope, Window, with_windows};
use crate::plan::{Planner, Result};

/// How a condition is made of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All of its operands.
    And,
    /// One of its operands.
    Or,
    /// Not its operand.
    Not,
    /// It has none.
    Leaf,
}

/// A condition and what it said of a row. Each is asked, also when one before
/// it has decided.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Where it stands; empty for what the binder added.
    pub span: Span,
    /// How it is made.
    pub shape: Shape,
    /// What it said; none is null, which lets no row through.
    pub value: Option<bool>,
    /// What it is made of.
    pub operands: Vec<Verdict>,
    /// For a leaf: the values that it looked at.
    pub parts: Vec<Part>,
}

/// A value that an expression looked at.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name, for a column or a let binding; none for what was computed.
    pub name: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// A condition that is ready to be asked.
pub(crate) struct Node {
    predicate: Condition,
    width: usize,
    windows: Vec<Window>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

struct Condition {
    span: Span,
    shape: Shape,
    /// For a leaf.
    leaf: Option<Compiled>,
    operands: Vec<Condition>,
    parts: Vec<Looked>,
}

/// An expression whose value says something about a leaf.
pub(super) struct Looked {
    name: Option<String>,
    span: Span,
    expr: Compiled,
}

impl Looked {
    pub(super) fn of(&self, row: Row<'_>) -> Part {
        Part {
            name: self.name.clone(),
            span: self.span,
            value: self.expr.of(row),
        }
    }
}

impl Node {
    /// What the predicate said of the first of the event's rows that it drops.
    pub(super) fn why(&self, input: &Batch) -> Result<Option<Verdict>> {
        let wide = with_windows(input, self.width, &self.windows)?;
        let marked = wide.iter().filter(|row| input.is_marked(row.index()));
        Ok(marked
            .map(|row| self.predicate.ask(row))
            .find(|verdict| verdict.value != Some(true)))
    }
}

impl Condition {
    fn ask(&self, row: Row<'_>) -> Verdict {
        let operands = self
            .operands
            .iter()
            .map(|operand| operand.ask(row))
            .collect::<Vec<_>>();
        let all = |wanted: bool| {
            if operands.iter().any(|operand| operand.value == Some(!wanted)) {
                Some(!wanted)
            } else if operands.iter().any(|operand| operand.value.is_none()) {
                None
            } else {
                Some(wanted)
            }
        };
        let value = match self.shape {
            Shape::And => all(true),
            Shape::Or => all(false),
            Shape::Not => operands
                .first()
                .and_then(|operand| operand.value)
                .map(|value| !value),
            Shape::Leaf => self
                .leaf
                .as_ref()
                .and_then(|leaf| convert::to_bool(&leaf.of(row))),
        };
        Verdict {
            span: self.span,
            shape: self.shape,
            value,
            operands,
            parts: self.parts.iter().map(|part| part.of(row)).collect(),
        }
    }
}

impl Planner<'_, '_> {
    /// A predicate taken apart.
    pub(super) fn predicate(&self, input: &Rel, predicate: &Expr) -> Result<Node> {
        let mut scope = Scope::new(input.columns.len());
        let predicate = self.condition(input, predicate, &mut scope)?;
        Ok(Node {
            predicate,
            width: input.columns.len(),
            windows: scope.windows,
        })
    }

    fn condition(&self, input: &Rel, expr: &Expr, scope: &mut Scope) -> Result<Condition> {
        let (shape, operands) = match &expr.kind {
            ExprKind::And(operands) => (Shape::And, &operands[..]),
            ExprKind::Or(operands) => (Shape::Or, &operands[..]),
            ExprKind::Call { function, args } if function.name == "not" => (Shape::Not, &args[..]),
            _ => {
                return Ok(Condition {
                    span: expr.span,
                    shape: Shape::Leaf,
                    leaf: Some(self.expr(expr, scope)?),
                    operands: Vec::new(),
                    parts: self.parts(input, expr, scope)?,
                });
            }
        };
        Ok(Condition {
            span: expr.span,
            shape,
            leaf: None,
            operands: operands
                .iter()
                .map(|operand| self.condition(input, operand, scope))
                .collect::<Result<_>>()?,
            parts: Vec::new(),
        })
    }

    /// What an expression looks at: columns and let bindings by name, the
    /// clock, and what its own arguments come to.
    pub(super) fn parts(&self, input: &Rel, expr: &Expr, scope: &mut Scope) -> Result<Vec<Looked>> {
        let mut parts: Vec<Looked> = Vec::new();
        let mut todo = vec![expr];
        while let Some(found) = todo.pop() {
            match &found.kind {
                ExprKind::Call { args, .. } | ExprKind::Window { args, .. } => todo.extend(args.iter().rev()),
                ExprKind::And(operands) | ExprKind::Or(operands) => todo.extend(operands.iter().rev()),
                // Subqueries read other rows.
                _ => {}
            }
            let name = match &found.kind {
                ExprKind::Column(index) => input.columns.get(*index).map(|column| column.name.to_string()),
                ExprKind::Binding(id) => self
                    .query
                    .binding(*id)
                    .filter(|binding| matches!(binding.kind, BindingKind::Scalar(_)))
                    .map(|binding| binding.name.clone()),
                ExprKind::Now => Some("now()".to_owned()),
                ExprKind::IngestionTime => Some("ingestion_time()".to_owned()),
                _ => None,
            };
            if name.is_some() && !parts.iter().any(|part| part.name == name) {
                parts.push(Looked {
                    name,
                    span: found.span,
                    expr: self.expr(found, scope)?,
                });
            }
        }
        if let ExprKind::Call { args, .. } = &expr.kind {
            for arg in args {
                let computed = matches!(arg.kind, ExprKind::Call { .. } | ExprKind::Window { .. });
                if computed && !arg.span.is_empty() {
                    parts.push(Looked {
                        name: None,
                        span: arg.span,
                        expr: self.expr(arg, scope)?,
                    });
                }
            }
        }
        Ok(parts)
    }

    /// [`Planner::parts`] of an expression that decides nothing by itself: its
    /// own value too.
    pub(super) fn value_of(&self, input: &Rel, expr: &Expr) -> Result<Vec<Looked>> {
        let mut scope = Scope::new(input.columns.len());
        let mut parts = self.parts(input, expr, &mut scope)?;
        if matches!(expr.kind, ExprKind::Call { .. }) && !expr.span.is_empty() && scope.windows.is_empty() {
            parts.push(Looked {
                name: None,
                span: expr.span,
                expr: self.expr(expr, &mut scope)?,
            });
        }
        // What needs windows is not there where other operators look.
        Ok(if scope.windows.is_empty() {
            parts
        } else {
            Vec::new()
        })
    }
}

/// Whether a verdict lets a row through.
impl Verdict {
    /// Whether it said what its condition is for: true.
    pub fn holds(&self) -> bool {
        ops::holds(&self.value.map_or(Value::Null, Value::Bool))
    }

    /// The leaves that made the verdict what it is, in order: of an `and` its
    /// operands that are not true, of an `or` all of them, through `not`.
    pub fn decisive(&self) -> Vec<&Verdict> {
        let mut found = Vec::new();
        self.collect(self.value, &mut found);
        found
    }

    fn collect<'v>(&'v self, value: Option<bool>, found: &mut Vec<&'v Verdict>) {
        match self.shape {
            Shape::Leaf => found.push(self),
            Shape::Not => {
                for operand in &self.operands {
                    operand.collect(operand.value, found);
                }
            }
            Shape::And | Shape::Or => {
                // The value that one operand is enough for.
                let enough = Some(self.shape == Shape::Or);
                let one = value == enough;
                for operand in &self.operands {
                    if operand.value == value || (!one && operand.value.is_none()) {
                        operand.collect(operand.value, found);
                    }
                }
            }
        }
    }
}
