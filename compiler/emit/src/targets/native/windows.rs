//! Window functions: columns that are computed over all rows before the
//! operator whose expressions name them.

use rulec_functions::{Value, convert};
use rulec_ir::{Column, Expr, ExprKind, Rel};

use super::code::{Code, grouped};
use super::emitter::{Emitter, Scope};
use super::layout::LayoutId;
use super::pipe::Pipe;

/// A window function and the column that takes its value.
pub(super) struct Window {
    pub(super) expr: Expr,
    pub(super) column: Column,
}

impl Emitter<'_> {
    /// Window functions: a column each, computed before the operator.
    pub(super) fn windows(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        input: &Rel,
        windows: &[Window],
    ) -> LayoutId {
        if windows.is_empty() {
            return pipe.layout;
        }
        let width = input.columns.len();
        let mut columns = input.columns.to_vec();
        columns.extend(windows.iter().map(|window| window.column.clone()));
        let row = self.layout(
            "ordered",
            "The columns with those of window functions.".to_owned(),
            &columns,
        );
        for (index, window) in windows.iter().enumerate() {
            let ExprKind::Window { function, args } = &window.expr.kind else {
                continue;
            };
            let mut given = self.operands(scope, row, args).into_iter();
            let term = given.next();
            let null = |emitter: &mut Self| {
                let null = emitter.literal(&Value::Null);
                Code::call(emitter.short("ops", "constant"), [null])
            };
            let made = Column {
                name: "".into(),
                ty: window.column.ty,
            };
            let made = |emitter: &mut Self| emitter.column(&made);
            let option = |arg: Option<Code>| {
                arg.map_or_else(|| Code::atom("None"), |arg| Code::call("Some", [arg.by_ref()]))
            };
            let number =
                |emitter: &mut Self, scope: &mut Scope, index: usize, otherwise: i64| match args.get(index) {
                    Some(arg) => emitter.long(scope, arg, otherwise),
                    None => Code::Atom(grouped(otherwise)),
                };
            let name = match function.name {
                "row_rank" => "row_rank_dense",
                name => name,
            };
            let callee = format!("{}::{name}", self.op("window"));
            let rows = pipe.rows();
            let args = match name {
                "prev" | "next" => {
                    let term = term.unwrap_or_else(|| null(self));
                    let default = given.nth(1).unwrap_or_else(|| null(self));
                    let offset = number(self, scope, 1, 1);
                    vec![rows, made(self), term.by_ref(), offset, default.by_ref()]
                }
                "row_number" => {
                    let start = number(self, scope, 0, 1);
                    vec![rows, Code::string(""), start, option(given.next())]
                }
                "row_cumsum" => {
                    let term = term.unwrap_or_else(|| null(self));
                    vec![rows, made(self), term.by_ref(), option(given.next())]
                }
                "row_window_session" => {
                    let term = term.unwrap_or_else(|| null(self));
                    let restart = option(given.nth(2));
                    let ticks = [1, 2].map(|index| self.ticks(scope, args.get(index)));
                    let [first, previous] = ticks;
                    vec![rows, made(self), term.by_ref(), first, previous, restart]
                }
                _ => {
                    let term = term.unwrap_or_else(|| null(self));
                    vec![rows, Code::string(""), term.by_ref(), option(given.next())]
                }
            };
            pipe.step(Code::call(callee, args));
            if pipe.extra {
                let args = [pipe.rows(), Code::Atom((width + index).to_string())];
                pipe.step(Code::call(self.helper("move_last"), args));
            }
        }
        row
    }

    /// A whole number that is known before the rows are.
    pub(super) fn long(&mut self, scope: &mut Scope, expr: &Expr, otherwise: i64) -> Code {
        if let Some(value) = self.folded(expr) {
            return Code::Atom(grouped(convert::to_long(&value).unwrap_or(otherwise)));
        }
        let value = self.inline(scope, expr).by_ref();
        let number = Code::call(self.kernel("convert::to_long"), [value]);
        let name = scope.once("number", number);
        Code::atom(format!("{name}.unwrap_or({})", grouped(otherwise)))
    }

    /// The distances of `row_window_session`.
    pub(super) fn ticks(&mut self, scope: &mut Scope, expr: Option<&Expr>) -> Code {
        let value = expr.map(|expr| (self.folded(expr), expr));
        match value {
            Some((Some(Value::TimeSpan(ticks) | Value::Long(ticks)), _)) => Code::Atom(grouped(ticks)),
            Some((Some(Value::Int(ticks)), _)) => Code::Atom(grouped(i64::from(ticks))),
            Some((None, expr)) => {
                let value = self.inline(scope, expr).by_ref();
                let number = Code::call(self.helper("ticks"), [value]);
                Code::Atom(scope.once("distance", number))
            }
            _ => Code::atom("i64::MAX"),
        }
    }
}

/// The expression with window functions replaced by the columns that take
/// their values, behind the `width` of the input.
pub(super) fn extract(expr: &Expr, width: usize, windows: &mut Vec<Window>) -> Expr {
    let mut all = |exprs: &[Expr]| {
        exprs
            .iter()
            .map(|expr| extract(expr, width, windows))
            .collect::<Vec<_>>()
    };
    let kind = match &expr.kind {
        ExprKind::Call { function, args } => ExprKind::Call {
            function,
            args: all(args),
        },
        ExprKind::And(operands) => ExprKind::And(all(operands)),
        ExprKind::Or(operands) => ExprKind::Or(all(operands)),
        ExprKind::Window { function, args } => {
            let args = all(args);
            windows.push(Window {
                expr: Expr {
                    kind: ExprKind::Window { function, args },
                    ..expr.clone()
                },
                column: Column {
                    name: function.name.into(),
                    ty: expr.ty,
                },
            });
            ExprKind::Column(width + windows.len() - 1)
        }
        _ => return expr.clone(),
    };
    Expr { kind, ..expr.clone() }
}
