//! Scalar expressions: literals, operators, lists and ranges.

use rulec_functions::{ScalarFunction, Type, Value, convert, scalar};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::{Diagnostic, Span};

use super::{Any, Binder, Ctx, MAX_EXPR_DEPTH};
use crate::{BindingKind, Expr, ExprKind, codes};

impl Binder<'_> {
    /// An expression of either kind.
    pub(super) fn any(&mut self, expr: &ast::Expr, ctx: Ctx<'_>) -> Any {
        if self.depth >= MAX_EXPR_DEPTH {
            self.too_large(expr.span);
            return Any::Scalar(Self::broken(self.at(expr.span)));
        }
        self.depth += 1;
        let bound = self.any_inner(expr, ctx);
        self.depth -= 1;
        bound
    }

    fn any_inner(&mut self, expr: &ast::Expr, ctx: Ctx<'_>) -> Any {
        match &expr.kind {
            Ast::Pipeline(pipeline) => Any::Table(self.pipeline(pipeline, expr.span, None)),
            Ast::Parenthesised(inner) => self.any(inner, ctx),
            Ast::Name(name) => self.name(name, ctx),
            Ast::Call(call) => self.call(call, ctx),
            Ast::Path(path) => self.path(path, expr.span, ctx),
            Ast::Datatable(table) => Any::Table(self.datatable(table, expr.span)),
            Ast::ExternalData(data) => Any::Table(self.external_data(data, expr.span)),
            Ast::ContextualDatatable(table) => Any::Table(self.contextual_datatable(table, expr.span)),
            Ast::Wildcard(_) => Any::Table(self.table(expr)),
            _ => Any::Scalar(self.plain(expr, ctx)),
        }
    }

    /// `[x]` reads like a name in brackets, so what is in them has to be text.
    fn bracketed(&mut self, inner: &ast::Expr, ctx: Ctx<'_>) -> Expr {
        let value = self.scalar(inner, ctx);
        if !matches!(value.ty, Type::String | Type::Unknown) {
            self.error(
                codes::WRONG_TYPE,
                inner.span,
                format!(
                    "a name in quotes is needed here, but this is of type `{}`",
                    value.ty
                ),
            );
        }
        Self::broken(value.span)
    }

    /// A scalar; a table here is an error.
    pub(super) fn scalar(&mut self, expr: &ast::Expr, ctx: Ctx<'_>) -> Expr {
        match self.any(expr, ctx) {
            Any::Scalar(scalar) => scalar,
            Any::Table(table) => {
                if !is_broken(&table) {
                    self.in_doubt |= matches!(expr.kind, Ast::Name(_));
                    self.error(
                        codes::NOT_A_SCALAR,
                        expr.span,
                        "a single value is needed here, but this is a table",
                    );
                }
                Self::broken(self.at(expr.span))
            }
        }
    }

    /// A scalar that must not depend on a row.
    pub(super) fn constant(&mut self, expr: &ast::Expr) -> Expr {
        self.scalar(expr, Ctx::NONE)
    }

    /// What can be nothing but a scalar.
    fn plain(&mut self, expr: &ast::Expr, ctx: Ctx<'_>) -> Expr {
        let span = self.at(expr.span);
        match &expr.kind {
            Ast::Literal(literal) => self.literal_value(literal, expr.span),
            Ast::Unary(unary) => self.unary(unary, expr.span, ctx),
            Ast::Arithmetic(sum) => self.arithmetic(sum, ctx),
            Ast::Binary(binary) => self.binary(binary, expr.span, ctx),
            Ast::And(parts) => self.logic(parts, "and", span, ctx),
            Ast::Or(parts) => self.logic(parts, "or", span, ctx),
            Ast::InList(list) => self.in_list(list, span, ctx),
            Ast::Between(between) => self.between(between, span, ctx),
            Ast::TypeOf(ast::TypeOf::Scalar(ty)) => {
                Self::literal(Value::string(scalar_type(ty.ty).name()), Type::String, span)
            }
            Ast::TypeOf(ast::TypeOf::Tabular(_)) => Self::literal(Value::string("table"), Type::String, span),
            Ast::Star => {
                self.error(codes::COLUMN_EXPECTED, expr.span, "`*` cannot stand here");
                Self::broken(span)
            }
            Ast::EntityGroup(_) | Ast::Function(_) => {
                self.error(codes::NOT_A_SCALAR, expr.span, "a single value is needed here");
                Self::broken(span)
            }
            Ast::Bracketed(inner) => self.bracketed(inner, ctx),
            // The name has no effect; a condition written with `=` is no bool and says so.
            Ast::Named(column) => self.scalar(&column.value, ctx),
            // The parser reported it.
            _ => Self::broken(span),
        }
    }

    pub(super) fn literal_value(&mut self, literal: &ast::Literal, at: Span) -> Expr {
        let span = self.at(at);
        let ty = scalar_type(literal.ty());
        let value = match literal {
            ast::Literal::Null(ast::ScalarType::String) => Value::string(""),
            ast::Literal::Null(_) => Value::Null,
            ast::Literal::Bool(b) => Value::Bool(*b),
            ast::Literal::Int(n) => Value::Int(*n),
            ast::Literal::Long(n) => Value::Long(*n),
            ast::Literal::Real(r) => Value::Real(*r),
            ast::Literal::Decimal(digits) => rulec_functions::convert::parse(digits, Type::Decimal),
            ast::Literal::String(s) => Value::string(s.value.as_str()),
            ast::Literal::DateTime(ticks) => Value::DateTime(*ticks),
            ast::Literal::TimeSpan(ticks) => Value::TimeSpan(*ticks),
            ast::Literal::Guid(guid) => Value::Guid(*guid),
            ast::Literal::Dynamic(json) => json_value(json, 0),
            ast::Literal::Invalid(ty, text) => {
                self.error(
                    codes::BAD_LITERAL,
                    at,
                    format!("`{text}` is no value of type `{}`", ty.as_str()),
                );
                Value::Null
            }
        };
        Self::literal(value, ty, span)
    }

    fn unary(&mut self, unary: &ast::Unary, at: Span, ctx: Ctx<'_>) -> Expr {
        let operand = self.scalar(&unary.operand, ctx);
        let Some(function) = scalar("negate") else {
            return Self::broken(self.at(at));
        };
        // A negative number is a literal, so that it can be one where literals are asked for.
        if let ExprKind::Literal(value) = &operand.kind
            && unary.op == ast::UnaryOp::Minus
        {
            let negative = match value {
                Value::Int(n) => n.checked_neg().map(Value::Int),
                Value::Long(n) => n.checked_neg().map(Value::Long),
                Value::Real(r) => Some(Value::Real(-r)),
                Value::TimeSpan(t) => t.checked_neg().map(Value::TimeSpan),
                _ => None,
            };
            if let Some(negative) = negative {
                return Self::literal(negative, operand.ty, self.at(at));
            }
        }
        // What has no sign cannot be given one, not even `+`.
        let args = std::slice::from_ref(&operand);
        let word = match unary.op {
            ast::UnaryOp::Plus => "+",
            ast::UnaryOp::Minus => "-",
        };
        let wide = self.result_type(function.result, word, true, args, &[], &[], at);
        let ty = match operand.kind {
            ExprKind::Literal(_) if wide != Type::Unknown => operand.ty,
            _ => wide,
        };
        if unary.op == ast::UnaryOp::Plus {
            return Self::converted(operand, ty);
        }
        let span = self.at(at);
        Expr {
            kind: ExprKind::Call {
                function,
                args: vec![operand],
            },
            ty,
            span,
        }
    }

    fn arithmetic(&mut self, sum: &ast::Arithmetic, ctx: Ctx<'_>) -> Expr {
        let mut left = self.scalar(&sum.first, ctx);
        for (links, link) in sum.rest.iter().enumerate() {
            let right = self.scalar(&link.operand, ctx);
            if links >= MAX_EXPR_DEPTH {
                // Chains nest to the left in the algebra, so they count as depth.
                self.too_large(link.op_span);
                return Self::broken(self.at(link.op_span));
            }
            let span = left.span.to(right.span);
            left = self.operator(link.op.as_str(), vec![left, right], link.op_span, span);
        }
        left
    }

    fn binary(&mut self, binary: &ast::Binary, at: Span, ctx: Ctx<'_>) -> Expr {
        let name = match binary.op {
            ast::BinaryOp::Search => "has",
            op => op.as_str(),
        };
        if matches!(binary.lhs.kind, Ast::Star) {
            return self.any_column(name, &binary.rhs, binary.op_span, at, ctx);
        }
        let left = self.scalar(&binary.lhs, ctx);
        let right = self.scalar(&binary.rhs, ctx);
        self.operator(name, vec![left, right], binary.op_span, at)
    }

    /// `* has "x"`: one of the columns that have text.
    pub(super) fn any_column(
        &mut self,
        name: &str,
        rhs: &ast::Expr,
        op: Span,
        at: Span,
        ctx: Ctx<'_>,
    ) -> Expr {
        let right = self.scalar(rhs, ctx);
        let span = self.at(at);
        let Some(row) = ctx.row else {
            self.error(
                codes::COLUMN_EXPECTED,
                at,
                "`*` stands for all columns, but there are none here",
            );
            return Self::broken(span);
        };
        // An expression, its column and what it is compared with for every column.
        if !self.spend(3 * row.columns().len()) {
            self.too_large(at);
            return Self::broken(span);
        }
        let mut parts: Vec<Expr> = Vec::new();
        for (index, column) in row.columns().iter().enumerate() {
            let text = row.column(index, Span::at(at.start as usize));
            let left = match column.ty {
                Type::String | Type::Dynamic | Type::Unknown => text,
                ty if ty == right.ty && matches!(name, "==" | "!=" | "<" | "<=" | ">" | ">=") => text,
                _ => match scalar("tostring") {
                    Some(function) => Expr {
                        span: text.span,
                        kind: ExprKind::Call {
                            function,
                            args: vec![text],
                        },
                        ty: Type::String,
                    },
                    None => text,
                },
            };
            let part = self.operator(name, vec![left, right.clone()], op, at);
            parts.push(part);
        }
        match parts.len() {
            0 => Self::literal(Value::Bool(false), Type::Bool, span),
            1 => parts.remove(0),
            _ => Expr {
                kind: ExprKind::Or(parts),
                ty: Type::Bool,
                span,
            },
        }
    }

    /// `and` and `or` take what is, or may be, a bool.
    fn logic(&mut self, parts: &[ast::Expr], word: &str, span: Span, ctx: Ctx<'_>) -> Expr {
        let mut bound = Vec::with_capacity(parts.len());
        for part in parts {
            let value = self.scalar(part, ctx);
            if !may_be_bool(value.ty) {
                self.error(
                    codes::WRONG_TYPE,
                    part.span,
                    format!("`{word}` joins conditions, but this is of type `{}`", value.ty),
                );
            }
            bound.push(value);
        }
        let kind = if word == "and" {
            ExprKind::And(bound)
        } else {
            ExprKind::Or(bound)
        };
        Expr {
            kind,
            ty: Type::Bool,
            span,
        }
    }

    fn in_list(&mut self, list: &ast::InList, span: Span, ctx: Ctx<'_>) -> Expr {
        let mut args = vec![self.scalar(&list.lhs, ctx)];
        for item in &list.list {
            let bound = match self.any(item, ctx) {
                Any::Scalar(value) => value,
                Any::Table(table) => Self::as_list(table),
            };
            args.push(bound);
        }
        self.operator(list.op.as_str(), args, list.op_span, span)
    }

    /// A table where a list is expected: its first column.
    pub(super) fn as_list(table: super::bound::Bound) -> Expr {
        let span = table.rel.span;
        Expr {
            kind: ExprKind::List(Box::new(table.rel)),
            ty: Type::Dynamic,
            span,
        }
    }

    fn between(&mut self, between: &ast::Between, span: Span, ctx: Ctx<'_>) -> Expr {
        let operand = self.scalar(&between.operand, ctx);
        let from = self.scalar(&between.from, ctx);
        let mut to = self.scalar(&between.to, ctx);
        if from.ty == Type::DateTime && to.ty == Type::TimeSpan {
            self.spend(4);
            let at = to.span;
            to = self.operator("+", vec![from.clone(), to], between.op_span, at);
        }
        let name = if between.negated { "!between" } else { "between" };
        self.operator(name, vec![operand, from, to], between.op_span, span)
    }

    /// Applies an operator; `op` is where it stands, `whole` with its operands.
    pub(super) fn operator(&mut self, name: &str, args: Vec<Expr>, op: Span, whole: Span) -> Expr {
        let whole = self.at(whole);
        match scalar(name) {
            Some(function) => self.apply(function, name, true, args, &[], op, whole),
            None => {
                // A row that is missing is a gap of the functions crate, not a
                // mistake of the query.
                Expr {
                    kind: ExprKind::Literal(Value::Null),
                    ty: Type::Unknown,
                    span: whole,
                }
            }
        }
    }

    /// Applies a row to arguments, checking them.
    #[allow(
        clippy::too_many_arguments,
        reason = "all of it goes into one finding or one call"
    )]
    pub(super) fn apply(
        &mut self,
        function: &'static ScalarFunction,
        name: &str,
        operator: bool,
        args: Vec<Expr>,
        places: &[Span],
        at: Span,
        whole: Span,
    ) -> Expr {
        let ty = self.result_type(function.result, name, operator, &args, &[], places, at);
        Expr {
            kind: ExprKind::Call { function, args },
            ty,
            span: whole,
        }
    }

    /// The value of a literal, or of a let binding that is one.
    pub(super) fn literal_of(&self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Binding(id) => match &self.bindings.get(id.0)?.kind {
                BindingKind::Scalar(Expr {
                    kind: ExprKind::Literal(value),
                    ..
                }) => Some(value.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The predicate of `where` and its like.
    pub(super) fn predicate(&mut self, expr: &ast::Expr, ctx: Ctx<'_>) -> Expr {
        let value = self.scalar(expr, ctx);
        if !matches!(value.ty, Type::Bool | Type::Unknown) {
            let mut diagnostic = Diagnostic::new(
                codes::WRONG_TYPE,
                format!("a condition is needed here, but this is of type `{}`", value.ty),
            )
            .at(expr.span);
            if let Ast::Named(named) = &super::statements::strip(expr).kind
                && let ast::ColumnNames::One(name) = &named.names
            {
                let equals = Span::new(name.span.end as usize, named.value.span.start as usize);
                diagnostic = diagnostic.help("`=` gives a name; write `==` to compare").fix(
                    "write `==`",
                    equals,
                    " == ",
                );
            }
            self.report(diagnostic);
        }
        value
    }

    /// A number of rows.
    pub(super) fn row_count(&mut self, expr: &ast::Expr) -> Expr {
        let value = self.constant(expr);
        if !matches!(value.ty, Type::Int | Type::Long | Type::Unknown | Type::Dynamic) {
            self.error(
                codes::WRONG_TYPE,
                expr.span,
                format!(
                    "a whole number is needed here, but this is of type `{}`",
                    value.ty
                ),
            );
        }
        value
    }

    /// Makes a value the type that a parameter declares.
    pub(super) fn converted(value: Expr, ty: Type) -> Expr {
        if value.ty == ty || value.ty == Type::Unknown || matches!(ty, Type::Dynamic | Type::Unknown) {
            return Expr {
                ty: if ty == Type::Unknown { value.ty } else { ty },
                ..value
            };
        }
        if let ExprKind::Literal(constant) = &value.kind {
            return Expr {
                kind: ExprKind::Literal(convert(constant, ty)),
                ty,
                span: value.span,
            };
        }
        let name = match ty {
            Type::Bool => "tobool",
            Type::Int => "toint",
            Type::Long => "tolong",
            Type::Real => "toreal",
            Type::Decimal => "todecimal",
            Type::String => "tostring",
            Type::DateTime => "todatetime",
            Type::TimeSpan => "totimespan",
            Type::Guid => "toguid",
            Type::Dynamic | Type::Unknown => return value,
        };
        match scalar(name) {
            Some(function) => {
                let span = value.span;
                Expr {
                    kind: ExprKind::Call {
                        function,
                        args: vec![value],
                    },
                    ty,
                    span,
                }
            }
            None => Expr { ty, ..value },
        }
    }
}

/// Whether a relation stands for an error that was reported.
pub(super) fn is_broken(table: &super::bound::Bound) -> bool {
    table.meta.sources.iter().any(|s| &**s == super::BROKEN)
}

/// Whether `and`, `or` and `not` may take it.
pub(super) fn may_be_bool(ty: Type) -> bool {
    matches!(ty, Type::Bool | Type::Dynamic | Type::Unknown)
}

/// The type that a declaration names.
pub(super) fn scalar_type(ty: ast::ScalarType) -> Type {
    match ty {
        ast::ScalarType::Bool => Type::Bool,
        ast::ScalarType::DateTime => Type::DateTime,
        ast::ScalarType::Decimal => Type::Decimal,
        ast::ScalarType::Dynamic => Type::Dynamic,
        ast::ScalarType::Guid => Type::Guid,
        ast::ScalarType::Int => Type::Int,
        ast::ScalarType::Long => Type::Long,
        ast::ScalarType::Real => Type::Real,
        ast::ScalarType::String => Type::String,
        ast::ScalarType::TimeSpan => Type::TimeSpan,
        ast::ScalarType::Unknown => Type::Unknown,
    }
}

/// The value of what stands inside `dynamic(…)`.
fn json_value(json: &ast::Json, depth: usize) -> Value {
    if depth > MAX_EXPR_DEPTH {
        return Value::Null;
    }
    match &json.kind {
        ast::JsonKind::Null => Value::Null,
        ast::JsonKind::Bool(b) => Value::Bool(*b),
        ast::JsonKind::Long(n) => Value::Long(*n),
        ast::JsonKind::Real(r) => Value::Real(*r),
        ast::JsonKind::String(s) => Value::string(s.as_str()),
        ast::JsonKind::Array(items) => {
            let items: Vec<Value> = items.iter().map(|item| json_value(item, depth + 1)).collect();
            Value::array(items)
        }
        ast::JsonKind::Object(pairs) => Value::Bag(std::sync::Arc::new(
            pairs
                .iter()
                .map(|pair| {
                    (
                        std::sync::Arc::from(pair.key.as_str()),
                        json_value(&pair.value, depth + 1),
                    )
                })
                .collect(),
        )),
        ast::JsonKind::Literal(literal) => match &**literal {
            ast::Literal::Bool(b) => Value::Bool(*b),
            ast::Literal::Int(n) => Value::Int(*n),
            ast::Literal::Long(n) => Value::Long(*n),
            ast::Literal::Real(r) => Value::Real(*r),
            ast::Literal::Decimal(digits) => rulec_functions::convert::parse(digits, Type::Decimal),
            ast::Literal::String(s) => Value::string(s.value.as_str()),
            ast::Literal::DateTime(ticks) => Value::DateTime(*ticks),
            ast::Literal::TimeSpan(ticks) => Value::TimeSpan(*ticks),
            ast::Literal::Guid(guid) => Value::Guid(*guid),
            ast::Literal::Dynamic(inner) => json_value(inner, depth + 1),
            ast::Literal::Null(_) | ast::Literal::Invalid(..) => Value::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_of_the_syntax_has_a_row() {
        let binary = ast::BinaryOp::ALL
            .iter()
            .filter(|op| **op != ast::BinaryOp::Search)
            .map(|op| op.as_str());
        let others = [
            "+", "-", "*", "/", "%", "negate", "member", "index", "between", "!between",
        ];
        let lists = ["in", "!in", "in~", "!in~", "has_any", "has_all"];
        let missing: Vec<&str> = binary
            .chain(others)
            .chain(lists)
            .filter(|name| scalar(name).is_none())
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
