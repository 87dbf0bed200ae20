//! Scalar expressions, compiled once into closures over rows.

use rulec_functions::{Kernel, ScalarFunction, Type, Value, convert, text};
use rulec_ir::{Expr, ExprKind};
use rulec_runtime::ops::{self, column, constant, each};
use rulec_runtime::{Batch, Column, Memory, Row, Schema, TextSet, emitted, session};
use rulec_source::Span;

use crate::error::EvalError;
use crate::plan::Planner;

/// An expression that is ready to run.
pub(crate) type Compiled = ops::Expr<'static>;

/// A window function of an operator's expressions: a column that is computed
/// over the whole input before the operator runs.
pub(crate) struct Window {
    pub(crate) function: &'static str,
    pub(crate) args: Vec<Compiled>,
    pub(crate) ty: Type,
    pub(crate) span: Span,
}

/// Where expressions of one operator stand.
pub(crate) struct Scope {
    /// Columns of the input.
    width: usize,
    /// Window functions met so far; the n-th is the column `width + n`.
    pub(crate) windows: Vec<Window>,
}

impl Scope {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            windows: Vec::new(),
        }
    }
}

/// From how many strings on a list is looked up by hash.
const LONG_LIST: usize = 8;

impl Planner<'_, '_> {
    pub(crate) fn expr(&self, expr: &Expr, scope: &mut Scope) -> Result<Compiled, EvalError> {
        Ok(match &expr.kind {
            ExprKind::Literal(value) => constant(value.clone()),
            ExprKind::Column(index) => column(*index),
            ExprKind::Binding(id) => constant(self.scalar(*id, expr.span)?),
            ExprKind::Now => constant(self.ctx.now()),
            ExprKind::IngestionTime => ops::ingestion_time(),
            ExprKind::ToScalar(rel) => {
                let rows = self.whole(rel)?;
                self.became_value(expr.span, "toscalar", &rows);
                constant(rows.value(0, 0))
            }
            ExprKind::List(rel) => {
                let rows = self.whole(rel)?;
                self.became_value(expr.span, "list", &rows);
                constant(Value::array(
                    rows.iter().map(|row| row.get(0)).collect::<Vec<_>>(),
                ))
            }
            ExprKind::And(operands) => junction(self.exprs(operands, scope)?, false),
            ExprKind::Or(operands) => junction(self.exprs(operands, scope)?, true),
            ExprKind::Call { function, args } => {
                let Some(kernel) = kernel(function) else {
                    return Err(EvalError::unsupported(
                        expr.span,
                        &format!("the function `{}`", function.name),
                    ));
                };
                call(function, kernel, self.exprs(args, scope)?)
            }
            ExprKind::Window { function, args } => {
                let args = self.exprs(args, scope)?;
                scope.windows.push(Window {
                    function: function.name,
                    args,
                    ty: expr.ty,
                    span: expr.span,
                });
                column(scope.width + scope.windows.len() - 1)
            }
        })
    }

    pub(crate) fn exprs(&self, exprs: &[Expr], scope: &mut Scope) -> Result<Vec<Compiled>, EvalError> {
        exprs.iter().map(|expr| self.expr(expr, scope)).collect()
    }

    /// The value of an expression that reads no row.
    pub(crate) fn constant(&self, expr: &Expr) -> Result<Value, EvalError> {
        Ok(without_row(&self.expr(expr, &mut Scope::new(0))?))
    }
}

/// The value of an expression where there is no row.
fn without_row(expr: &Compiled) -> Value {
    let nothing = Batch::empty(Schema::of(&[]), &Memory::unlimited());
    expr.of(nothing.row(0))
}

fn call(function: &'static ScalarFunction, kernel: Kernel, args: Vec<Compiled>) -> Compiled {
    if is_pure(function) && args.iter().all(|arg| matches!(arg, ops::Expr::Constant(_))) {
        let values = args.iter().map(without_row).collect::<Vec<_>>();
        return constant(kernel(&values));
    }
    let args = match list(function.name, kernel, args) {
        Ok(found) => return found,
        Err(args) => args,
    };
    match <[Compiled; 1]>::try_from(args) {
        Ok([a]) => each(move |row| kernel(&[a.of(row)])),
        Err(args) => match <[Compiled; 2]>::try_from(args) {
            Ok([a, b]) => each(move |row| kernel(&[a.of(row), b.of(row)])),
            Err(args) => match <[Compiled; 3]>::try_from(args) {
                Ok([a, b, c]) => each(move |row| kernel(&[a.of(row), b.of(row), c.of(row)])),
                Err(args) => each(move |row| kernel(&args.iter().map(|arg| arg.of(row)).collect::<Vec<_>>())),
            },
        },
    }
}

/// The kernel of a function, which the runtime has for those that depend on
/// who runs a query.
pub(crate) fn kernel(function: &ScalarFunction) -> Option<Kernel> {
    function.kernel.or_else(|| session::kernel(function.name))
}

/// Whether a call gives the same value each time: `rand` and `new_guid` do not.
fn is_pure(function: &ScalarFunction) -> bool {
    !matches!(function.name, "rand" | "new_guid")
}

/// `in` and its relatives over a long list of constant strings; anything else
/// is given back.
fn list(name: &str, kernel: Kernel, mut args: Vec<Compiled>) -> Result<Compiled, Vec<Compiled>> {
    let (folded, negated) = match name {
        "in" => (false, false),
        "!in" => (false, true),
        "in~" => (true, false),
        "!in~" => (true, true),
        _ => return Err(args),
    };
    let Some(values) = constants(args.get(1..).unwrap_or_default()) else {
        return Err(args);
    };
    let Some(texts) = values.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
        return Err(args);
    };
    if texts.len() < LONG_LIST {
        return Err(args);
    }
    let set = if folded {
        TextSet::folded(texts)
    } else {
        TextSet::exact(texts)
    };
    let needle = args.swap_remove(0);
    Ok(each(move |row| {
        let value = needle.of(row);
        let found = match &value {
            Value::String(text) => set.contains(text),
            other if folded => set.contains(&text::borrow(other)),
            // What is no string is compared as the operator compares it.
            _ => return kernel(&[value, Value::array(values.clone())]),
        };
        Value::Bool(found != negated)
    }))
}

/// The values of constants, arrays taken apart; none if one is no constant.
fn constants(args: &[Compiled]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    for arg in args {
        match arg {
            ops::Expr::Constant(Value::Array(items)) => values.extend(items.iter().cloned()),
            ops::Expr::Constant(value) => values.push(value.clone()),
            ops::Expr::Column(_) | ops::Expr::Each(_) => return None,
        }
    }
    Some(values)
}

/// `and` (decided by false) and `or` (decided by true): later operands are not
/// looked at once one decides; null when none does and one is null.
fn junction(operands: Vec<Compiled>, decisive: bool) -> Compiled {
    if operands
        .iter()
        .all(|operand| matches!(operand, ops::Expr::Constant(_)))
    {
        let nothing = Batch::empty(Schema::of(&[]), &Memory::unlimited());
        return constant(decide(&operands, nothing.row(0), decisive));
    }
    each(move |row| decide(&operands, row, decisive))
}

fn decide(operands: &[Compiled], row: Row<'_>, decisive: bool) -> Value {
    let mut unknown = false;
    for operand in operands {
        match convert::to_bool(&operand.of(row)) {
            Some(value) if value == decisive => return Value::Bool(decisive),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown {
        Value::Null
    } else {
        Value::Bool(!decisive)
    }
}

/// The input with the columns of window functions after its `width` own ones.
pub(crate) fn with_windows(input: &Batch, width: usize, windows: &[Window]) -> Result<Batch, EvalError> {
    let mut batch = input.clone();
    for (index, window) in windows.iter().enumerate() {
        batch = with_window(&batch, window)
            .and_then(|wide| emitted::move_last(&wide, width + index))
            .map_err(|error| EvalError::at(window.span, error))?;
    }
    Ok(batch)
}

fn with_window(input: &Batch, window: &Window) -> Result<Batch, rulec_runtime::RuntimeError> {
    let name = "";
    let made = || Column::new(name, window.ty);
    let arg = |index: usize| window.args.get(index);
    let value = |index: usize| arg(index).map(without_row).unwrap_or_default();
    let long = |index: usize, otherwise: i64| convert::to_long(&value(index)).unwrap_or(otherwise);
    let null = constant(Value::Null);
    let term = arg(0).unwrap_or(&null);
    match window.function {
        "prev" => ops::window::prev(input, made(), term, long(1, 1), arg(2).unwrap_or(&null)),
        "next" => ops::window::next(input, made(), term, long(1, 1), arg(2).unwrap_or(&null)),
        "row_number" => ops::window::row_number(input, name, long(0, 1), arg(1)),
        "row_cumsum" => ops::window::row_cumsum(input, made(), term, arg(1)),
        "row_rank_dense" | "row_rank" => ops::window::row_rank_dense(input, name, term, arg(1)),
        "row_rank_min" => ops::window::row_rank_min(input, name, term, arg(1)),
        "row_window_session" => {
            let ticks = |index: usize| match value(index) {
                Value::TimeSpan(ticks) | Value::Long(ticks) => ticks,
                Value::Int(ticks) => i64::from(ticks),
                _ => i64::MAX,
            };
            ops::window::row_window_session(input, made(), term, ticks(1), ticks(2), arg(3))
        }
        other => Err(rulec_runtime::RuntimeError::new(
            rulec_runtime::Code::UNSUPPORTED,
            format!("the function `{other}` cannot be run here"),
        )),
    }
}
