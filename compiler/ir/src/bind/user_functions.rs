//! Functions that are written in KQL: checked where they are defined,
//! inlined where they are called.

use std::sync::Arc;

use rulec_facts::tables::Function;
use rulec_functions::{Type, TypeError, Value};
use rulec_kql::ast;
use rulec_source::Span;

use super::bound::{Bound, column};
use super::expressions::scalar_type;
use super::scope::{Entity, UserFunction};
use super::{Any, Binder, Ctx, MAX_EXPR_DEPTH};
use crate::{Expr, RelKind, codes};

/// What a call counts toward the size of the query.
const CALL: usize = 100;

impl Binder<'_> {
    /// `let f = (…) { … }`: the body is checked with parameters of the
    /// declared types, whether the function is called or not.
    pub(super) fn define(&mut self, name: &str, definition: &ast::Function) -> Entity {
        let function = Arc::new(UserFunction {
            name: name.to_owned(),
            definition: definition.clone(),
            scope: self.scopes.here(),
            foreign: self.foreign.is_some(),
        });
        if self.quiet == 0 {
            let (bindings, anonymous) = (self.bindings.len(), self.anonymous);
            let before = self.scopes.enter(function.scope);
            for parameter in &definition.parameters {
                let entity = match &parameter.ty {
                    ast::ParameterType::Scalar(ty) => {
                        if let Some(default) = &parameter.default {
                            self.constant(default);
                        }
                        Entity::Scalar {
                            expr: Self::literal(Value::Null, scalar_type(ty.ty), self.at(parameter.span)),
                            row: None,
                        }
                    }
                    ast::ParameterType::Tabular(ty) => {
                        let columns = ty
                            .columns
                            .iter()
                            .map(|c| column(c.name.text.as_str(), scalar_type(c.ty.ty)))
                            .collect();
                        let table = self.source(
                            RelKind::Table {
                                name: parameter.name.text.clone(),
                            },
                            columns,
                            self.at(parameter.span),
                        );
                        Entity::Table(Arc::new(table))
                    }
                };
                if !self
                    .scopes
                    .declare(&parameter.name.text, parameter.name.span, entity)
                {
                    self.error(
                        codes::DUPLICATE_NAME,
                        parameter.name.span,
                        format!("the parameter `{}` is declared twice", parameter.name.text),
                    );
                }
            }
            let tables = self.tables.len();
            self.body(&definition.body, Ctx::NONE);
            self.scopes.leave(before);
            // A function that nobody calls reads nothing.
            for table in self.tables.split_off(tables) {
                self.noted_tables.remove(&table.name);
                if table.known && !self.mentioned_tables.contains(&table.name) {
                    self.mentioned_tables.push(table.name);
                }
            }
            // What the check bound is not part of the query.
            self.bindings.truncate(bindings);
            self.anonymous = anonymous;
        }
        Entity::Function(function)
    }

    /// A function's statements, then its result.
    pub(super) fn body(&mut self, body: &ast::Body, ctx: Ctx<'_>) -> Any {
        let (root, scalar) = (self.root.take(), self.scalar_result);
        for statement in &body.statements {
            self.statement(statement, ctx);
        }
        (self.root, self.scalar_result) = (root, scalar);
        match &body.result {
            Some(result) => self.any(result, ctx),
            None => Any::Scalar(Self::broken(self.at(body.span))),
        }
    }

    /// Inlines a call. `piped` is the first tabular argument of `invoke`.
    pub(super) fn call_user(
        &mut self,
        function: &Arc<UserFunction>,
        given: &[ast::Arg],
        at: Span,
        ctx: Ctx<'_>,
        piped: Option<Bound>,
    ) -> Any {
        let parameters = &function.definition.parameters;
        let span = self.at(at);
        let mut slots: Vec<Option<Any>> = parameters.iter().map(|_| None).collect();
        let mut next = 0;
        if let Some(piped) = piped {
            match parameters.first().map(|p| &p.ty) {
                Some(ast::ParameterType::Tabular(_)) => {
                    slots[0] = Some(Any::Table(piped));
                    next = 1;
                }
                _ => self.error(
                    codes::NOT_A_TABLE,
                    at,
                    format!(
                        "`{}` takes no table, so `invoke` has nowhere to put the rows",
                        function.name
                    ),
                ),
            }
        }
        let mut surplus = 0;
        let first = next;
        for (place, arg) in given.iter().enumerate() {
            let slot = if let Some(name) = &arg.name {
                parameters.iter().position(|p| p.name.text == name.text)
            } else {
                // Its own place, or the next that no name has filled.
                (first + place..parameters.len()).find(|i| slots[*i].is_none())
            };
            let Some(slot) = slot else {
                surplus += 1;
                continue;
            };
            let value = match &parameters[slot].ty {
                ast::ParameterType::Scalar(_) => Any::Scalar(self.scalar(&arg.value, ctx)),
                ast::ParameterType::Tabular(_) => Any::Table(self.table(&arg.value)),
            };
            slots[slot] = Some(value);
        }
        let min = parameters.iter().filter(|p| p.default.is_none()).count();
        let missing = parameters
            .iter()
            .zip(&slots)
            .any(|(p, slot)| slot.is_none() && p.default.is_none());
        if surplus > 0 || missing {
            let error = TypeError::Count {
                min,
                max: Some(parameters.len()),
                given: given.len(),
            };
            self.type_error(&function.name, false, &error, &[], &[], at);
        }
        if self.depth >= MAX_EXPR_DEPTH || !self.spend(CALL) {
            self.too_large(at);
            return Any::Scalar(Self::broken(span));
        }
        self.depth += 1;
        let result = self.inline(function, slots, at, ctx);
        self.depth -= 1;
        result
    }

    fn inline(
        &mut self,
        function: &Arc<UserFunction>,
        slots: Vec<Option<Any>>,
        at: Span,
        ctx: Ctx<'_>,
    ) -> Any {
        let span = self.at(at);
        let before = self.scopes.enter(function.scope);
        let mentions = std::mem::take(&mut self.mentions);
        // The text of the body was checked at its definition.
        self.quiet += 1;
        let foreign = self.foreign;
        if function.foreign && foreign.is_none() {
            self.foreign = Some(span);
        }
        let mut checks: Vec<(Span, String)> = Vec::new();
        for (parameter, slot) in function.definition.parameters.iter().zip(slots) {
            let entity = match (&parameter.ty, slot) {
                (ast::ParameterType::Scalar(ty), Some(Any::Scalar(value))) => {
                    let value = Self::converted(value, scalar_type(ty.ty));
                    let value = self.bounded(value, at);
                    let row = crate::walk::uses_columns(&value).then_some(ctx.target).flatten();
                    Entity::Scalar { expr: value, row }
                }
                (ast::ParameterType::Scalar(ty), _) => {
                    let ty = scalar_type(ty.ty);
                    let expr = match &parameter.default {
                        Some(default) => Self::converted(self.constant(default), ty),
                        None => Self::literal(Value::Null, ty, span),
                    };
                    Entity::Scalar { expr, row: None }
                }
                (ast::ParameterType::Tabular(ty), Some(Any::Table(table))) => {
                    if let Some(problem) = lacking(&function.name, ty, &table) {
                        checks.push((at, problem));
                    }
                    Entity::Table(Arc::new(table))
                }
                (ast::ParameterType::Tabular(ty), _) => {
                    let columns = ty
                        .columns
                        .iter()
                        .map(|c| column(c.name.text.as_str(), scalar_type(c.ty.ty)))
                        .collect();
                    Entity::Table(Arc::new(self.source(RelKind::Rows(Vec::new()), columns, span)))
                }
            };
            self.scopes
                .declare(&parameter.name.text, parameter.name.span, entity);
        }
        let inner = Ctx {
            row: None,
            sides: None,
            aggregates: None,
            target: ctx.target,
        };
        let result = self.body(&function.definition.body, inner);
        self.quiet -= 1;
        self.foreign = foreign;
        self.scopes.leave(before);
        self.mentions = mentions;
        for (at, problem) in checks {
            self.error(codes::MISSING_COLUMNS, at, problem);
        }
        match result {
            Any::Scalar(value) => Any::Scalar(self.bounded(value, at)),
            table @ Any::Table(_) => table,
        }
    }

    /// Keeps expressions from nesting without bound when functions call functions.
    fn bounded(&mut self, value: Expr, at: Span) -> Expr {
        if crate::walk::expr_depth(&value) > MAX_EXPR_DEPTH {
            self.too_large(at);
            return Self::broken(self.at(at));
        }
        value
    }

    /// A call of a pattern: the case whose values are the arguments', whose
    /// path is the member behind the call. Which case it is decides nothing
    /// but the rows, so where none fits the first one stands for all.
    pub(super) fn pattern(
        &mut self,
        pattern: &ast::PatternDefinition,
        call: &ast::Call,
        member: Option<&str>,
    ) -> Any {
        let text = |binder: &mut Self, expr: &ast::Expr| {
            let value = binder.constant(expr);
            binder
                .literal_of(&value)
                .map(|v| rulec_functions::text::print(&v))
        };
        let given: Vec<Option<String>> = call.args.iter().map(|arg| text(self, &arg.value)).collect();
        let mut found = None;
        for case in &pattern.matches {
            let values: Vec<Option<String>> = case.values.iter().map(|value| text(self, value)).collect();
            let path = case.path.as_ref().and_then(|path| text(self, path));
            if found.is_none() && values == given && path.as_deref() == member {
                found = Some(case);
            }
        }
        let span = self.at(call.span);
        let Some(case) = found.or(pattern.matches.first()) else {
            return Any::Table(self.nothing(span));
        };
        let before = self.scopes.enter(self.scopes.here());
        let parameters = pattern.parameters.iter().chain(&pattern.path);
        for (place, parameter) in parameters.enumerate() {
            let ty = scalar_type(parameter.ty.ty);
            let value = match call.args.get(place) {
                Some(arg) => Self::converted(self.constant(&arg.value), ty),
                None => Self::literal(member.map_or(Value::Null, Value::string), ty, span),
            };
            let expr = Expr { span, ..value };
            self.scopes.declare(
                &parameter.name.text,
                parameter.name.span,
                Entity::Scalar { expr, row: None },
            );
        }
        let result = self.body(&case.body, Ctx::NONE);
        self.scopes.leave(before);
        result
    }

    /// A function whose body the catalog gives as text.
    pub(super) fn call_body(
        &mut self,
        function: &Function,
        text: &str,
        call: &ast::Call,
        ctx: Ctx<'_>,
    ) -> Any {
        if self.active.contains(&function.name) {
            self.error(
                codes::UNKNOWN_FUNCTION,
                call.name.span,
                format!(
                    "`{}` calls itself, which the language does not allow",
                    function.name
                ),
            );
            return Any::Scalar(Self::broken(self.at(call.span)));
        }
        let parsed = rulec_kql::parse(text);
        let mut statements = parsed.query.statements.clone();
        let result = match statements.pop() {
            Some(ast::Statement::Expression(expr)) => Some(Box::new(expr)),
            _ => None,
        };
        let parameters = function
            .parameters
            .iter()
            .map(|parameter| {
                let default = parameter.default.as_deref().and_then(|text| {
                    rulec_kql::parse(&format!("print {text}"))
                        .query
                        .statements
                        .into_iter()
                        .next()
                        .and_then(first_printed)
                });
                ast::Parameter {
                    name: ast::Name {
                        text: parameter.name.clone(),
                        span: Span::default(),
                        bracketed: false,
                    },
                    ty: ast::ParameterType::Scalar(ast::TypeName {
                        ty: declared_type(parameter.kind),
                        span: Span::default(),
                    }),
                    default,
                    span: Span::default(),
                }
            })
            .collect();
        let function = Arc::new(UserFunction {
            name: function.name.clone(),
            definition: ast::Function {
                view: false,
                parameters,
                body: ast::Body {
                    statements,
                    result,
                    span: Span::default(),
                },
            },
            scope: super::scope::Scope::OUTSIDE,
            foreign: true,
        });
        self.active.push(function.name.clone());
        let result = self.call_user(&function, &call.args, call.name.span, ctx, None);
        self.active.pop();
        result
    }
}

/// The expression of `print x`.
fn first_printed(statement: ast::Statement) -> Option<ast::Expr> {
    let ast::Statement::Expression(ast::Expr {
        kind: ast::ExprKind::Pipeline(pipeline),
        ..
    }) = statement
    else {
        return None;
    };
    match pipeline.operators.into_iter().next()?.kind {
        ast::OperatorKind::Print { columns } => columns.into_iter().next().map(|c| c.value),
        _ => None,
    }
}

fn declared_type(ty: Type) -> ast::ScalarType {
    match ty {
        Type::Bool => ast::ScalarType::Bool,
        Type::Int => ast::ScalarType::Int,
        Type::Long => ast::ScalarType::Long,
        Type::Real => ast::ScalarType::Real,
        Type::Decimal => ast::ScalarType::Decimal,
        Type::String => ast::ScalarType::String,
        Type::DateTime => ast::ScalarType::DateTime,
        Type::TimeSpan => ast::ScalarType::TimeSpan,
        Type::Guid => ast::ScalarType::Guid,
        Type::Dynamic => ast::ScalarType::Dynamic,
        Type::Unknown => ast::ScalarType::Unknown,
    }
}

/// What a table lacks to be an argument.
fn lacking(function: &str, wanted: &ast::TableType, table: &Bound) -> Option<String> {
    if table.rel.open || super::expressions::is_broken(table) {
        return None;
    }
    for decl in &wanted.columns {
        let ty = scalar_type(decl.ty.ty);
        match table.columns().iter().find(|c| *c.name == *decl.name.text) {
            None => {
                return Some(format!(
                    "`{function}` needs a table with a column `{}`; this one has none",
                    decl.name.text
                ));
            }
            Some(found) if found.ty != ty && found.ty != Type::Unknown && ty != Type::Unknown => {
                return Some(format!(
                    "`{function}` needs the column `{}` to be of type `{ty}`, but it is of type `{}`",
                    decl.name.text, found.ty
                ));
            }
            Some(_) => {}
        }
    }
    None
}
