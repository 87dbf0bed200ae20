//! Names and paths: what a name means at its place, and what follows a dot.

use std::sync::Arc;

use rulec_functions::{Type, Value, scalar};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::{Diagnostic, Span};

use super::bound::Bound;
use super::expressions::is_broken;
use super::scope::Entity;
use super::{Any, Binder, Ctx};
use crate::{Expr, ExprKind, codes};

impl Binder<'_> {
    /// A name, in the order the language looks: columns, variables, functions
    /// that need no arguments, tables; then whatever an open table may have.
    pub(super) fn name(&mut self, name: &ast::Name, ctx: Ctx<'_>) -> Any {
        let span = self.at(name.span);
        if name.text.is_empty() {
            return Any::Scalar(Self::broken(span));
        }
        if let Some(row) = ctx.row
            && let Some(column) = self.column_of(row, &name.text, span)
        {
            return Any::Scalar(column);
        }
        if let Some(found) = self.variable(&name.text, name.span, ctx) {
            return found;
        }
        if let Some(row) = ctx.aggregates
            && row.find(&name.text).is_some()
        {
            self.error(
                codes::AGGREGATE_PLACE,
                name.span,
                format!(
                    "`{}` is a column: here it has to be inside an aggregate, or behind `by`",
                    name.text
                ),
            );
            return Any::Scalar(Self::broken(span));
        }
        if self
            .catalog
            .function(&name.text)
            .is_some_and(|f| f.parameters.iter().all(|p| p.default.is_some()))
        {
            let call = ast::Call {
                name: name.clone(),
                params: Vec::new(),
                args: Vec::new(),
                span: name.span,
            };
            return self.call(&call, ctx);
        }
        if let Some(schema) = self.catalog.schema(&name.text) {
            return Any::Table(self.database_table(&name.text, schema, name.span));
        }
        let is_function =
            super::calls::callable(&name.text).is_some() || rulec_functions::aggregate(&name.text).is_some();
        if !is_function
            && let Some(row) = ctx.row.or(ctx.aggregates)
            && row.is_from_open()
        {
            return Any::Scalar(self.ask(row, &name.text, name.span));
        }
        if name.text.starts_with('$') {
            self.error(
                codes::JOIN_CONDITION,
                name.span,
                format!(
                    "`{}` only means something in the condition of a join, before a dot",
                    name.text
                ),
            );
        } else if is_function {
            self.report(
                Diagnostic::new(
                    codes::ARGUMENT_COUNT,
                    format!(
                        "`{}` is a function and needs its arguments in parentheses",
                        name.text
                    ),
                )
                .at(name.span),
            );
        } else {
            self.unknown_name(&name.text, name.span, ctx);
        }
        Any::Scalar(Self::broken(span))
    }

    /// A column of a row, if it has it; a hidden one is hidden no more.
    pub(super) fn column_of(&mut self, row: &Bound, name: &str, span: Span) -> Option<Expr> {
        let index = row.find(name)?;
        if row.is_hidden(index) {
            self.noted.add(index);
        }
        Some(row.column(index, span))
    }

    /// Asks an open table for a column that it does not list.
    pub(super) fn ask(&mut self, row: &Bound, name: &str, span: Span) -> Expr {
        if !is_broken(row) {
            if row.rel.open {
                self.ask_sources(&row.meta.sources, name);
            } else {
                let diagnostic = Diagnostic::new(
                    codes::DROPPED_COLUMN,
                    format!("`{name}` is not among the columns that come this far"),
                )
                .at(span);
                let diagnostic = self.note_drop(diagnostic, name, row);
                self.report(diagnostic);
            }
        }
        Self::broken(self.at(span))
    }

    fn ask_sources(&mut self, sources: &Arc<[Arc<str>]>, name: &str) {
        for source in sources.iter() {
            let asked = self.asked.entry(source.clone()).or_default();
            if !asked.known.contains(name) {
                let name: Arc<str> = name.into();
                asked.known.insert(name.clone());
                asked.order.push(name);
            }
        }
    }

    /// A let binding or parameter.
    pub(super) fn variable(&mut self, name: &str, span: Span, ctx: Ctx<'_>) -> Option<Any> {
        let variable = self.scopes.find(name)?;
        let entity = variable.entity.clone();
        self.mention(name);
        let at = self.at(span);
        Some(match entity {
            Entity::Scalar { expr, row } => {
                if row.is_some() && row != ctx.target {
                    self.error(
                        codes::CONSTANT_EXPECTED,
                        span,
                        format!("`{name}` depends on a row, so it cannot be used inside another query"),
                    );
                    return Some(Any::Scalar(Self::broken(at)));
                }
                if matches!(expr.kind, ExprKind::Binding(_)) {
                    Any::Scalar(Expr { span: at, ..expr })
                } else if self.spend(crate::walk::expr_size(&expr)) {
                    Any::Scalar(expr)
                } else {
                    self.too_large(span);
                    Any::Scalar(Self::broken(at))
                }
            }
            Entity::Table(table) => {
                if !self.spend(crate::walk::rel_size(&table.rel)) {
                    self.too_large(span);
                    return Some(Any::Table(self.nothing(at)));
                }
                let mut table = (*table).clone();
                if matches!(table.rel.kind, crate::RelKind::Ref(_)) {
                    table.rel.span = at;
                }
                Any::Table(table)
            }
            Entity::Function(function) => {
                if function.definition.parameters.iter().all(|p| p.default.is_some()) {
                    self.call_user(&function, &[], span, ctx, None)
                } else {
                    self.error(
                        codes::ARGUMENT_COUNT,
                        span,
                        format!("`{name}` is a function and needs its arguments in parentheses"),
                    );
                    Any::Scalar(Self::broken(at))
                }
            }
            Entity::Pattern(_) | Entity::Opaque => Any::Table(self.open_source(name, at)),
            Entity::Broken | Entity::Step { .. } => Any::Scalar(Self::broken(at)),
        })
    }

    pub(super) fn mention(&mut self, name: &str) {
        if self.mentions.iter().all(|m| m != name) {
            self.mentions.push(name.to_owned());
        }
    }

    /// `a.b["c"][0]`, or `database("d").T`.
    pub(super) fn path(&mut self, path: &ast::Path, at: Span, ctx: Ctx<'_>) -> Any {
        if let Ast::Call(call) = &path.base.kind
            && let Some(Entity::Pattern(pattern)) =
                self.scopes.find(&call.name.text).map(|v| v.entity.clone())
            && let [
                ast::Step {
                    kind: ast::StepKind::Member(member),
                    ..
                },
            ] = path.steps.as_slice()
        {
            return self.pattern(&pattern, call, Some(&member.text));
        }
        if let Some(table) = self.remote(path, at) {
            return Any::Table(table);
        }
        if let Ast::Name(name) = &path.base.kind
            && matches!(name.text.as_str(), "$left" | "$right")
        {
            return Any::Scalar(self.side_path(name, path, at, ctx));
        }
        if let Ast::Name(name) = &path.base.kind
            && let Some(Entity::Step { base, columns }) =
                self.scopes.find(&name.text).map(|v| v.entity.clone())
            && let Some((first, rest)) = path.steps.split_first()
            && let ast::StepKind::Member(member) = &first.kind
        {
            let span = self.at(at);
            let Some(index) = columns.iter().rposition(|c| *c.name == *member.text) else {
                self.unknown_name(&member.text, member.span, ctx);
                return Any::Scalar(Self::broken(span));
            };
            let value = Expr {
                kind: ExprKind::Column(base + index),
                ty: columns[index].ty,
                span,
            };
            return Any::Scalar(self.follow(value, rest, ctx));
        }
        let base = match self.any(&path.base, ctx) {
            Any::Scalar(base) => base,
            Any::Table(table) => {
                if !is_broken(&table) {
                    self.error(
                        codes::NOT_A_SCALAR,
                        path.base.span,
                        "this is a table; its columns are reached by an operator, not by a dot",
                    );
                }
                return Any::Scalar(Self::broken(self.at(at)));
            }
        };
        Any::Scalar(self.follow(base, &path.steps, ctx))
    }

    fn follow(&mut self, base: Expr, steps: &[ast::Step], ctx: Ctx<'_>) -> Expr {
        let mut value = base;
        for (count, step) in steps.iter().enumerate() {
            if count >= super::MAX_EXPR_DEPTH {
                self.too_large(step.span);
                return Self::broken(self.at(step.span));
            }
            if !matches!(value.ty, Type::Dynamic | Type::Unknown) {
                let what = match &step.kind {
                    ast::StepKind::Index(_) => "elements",
                    _ => "members",
                };
                self.report(
                    Diagnostic::new(
                        codes::NO_MEMBERS,
                        format!("a value of type `{}` has no {what}; only `dynamic` has", value.ty),
                    )
                    .at(step.span)
                    .help(if value.ty == Type::String {
                        "if it holds JSON, read it with `parse_json` first"
                    } else {
                        "make it dynamic first"
                    }),
                );
                return Self::broken(self.at(step.span));
            }
            let (row, key) = match &step.kind {
                ast::StepKind::Member(name) => (
                    "member",
                    Self::literal(
                        Value::string(name.text.as_str()),
                        Type::String,
                        self.at(step.span),
                    ),
                ),
                ast::StepKind::Index(index) => {
                    let key = self.scalar(index, ctx);
                    if !self.indexed(&value, &key, step.span, index.span) {
                        return Self::broken(self.at(step.span));
                    }
                    ("index", key)
                }
                ast::StepKind::Call(call) => {
                    // No function of any name can be called here, so none is suggested.
                    let message = format!("a value has no function `{}`", call.name.text);
                    self.error(codes::UNKNOWN_FUNCTION, call.name.span, message);
                    return Self::broken(self.at(step.span));
                }
                ast::StepKind::Wildcard(_) => {
                    self.error(codes::COLUMN_EXPECTED, step.span, "a wildcard cannot stand here");
                    return Self::broken(self.at(step.span));
                }
            };
            // With the bracket behind the key.
            let place = value.span.to(self.at(step.span));
            value = Self::element(row, value, key);
            value.span = place;
        }
        value
    }

    /// A member or element of a dynamic value; `row` says which.
    pub(super) fn element(row: &str, value: Expr, key: Expr) -> Expr {
        let span = value.span.to(key.span);
        // What comes out of an unknown value is as unknown.
        let ty = value.ty;
        match scalar(row) {
            Some(function) => Expr {
                kind: ExprKind::Call {
                    function,
                    args: vec![value, key],
                },
                ty,
                span,
            },
            None => Self::broken(span),
        }
    }

    /// `$left.a` outside of what the binder of joins takes apart itself.
    fn side_path(&mut self, name: &ast::Name, path: &ast::Path, at: Span, ctx: Ctx<'_>) -> Expr {
        let Some((left, right)) = ctx.sides else {
            self.error(
                codes::JOIN_CONDITION,
                at,
                format!("`{}` only means something in the condition of a join", name.text),
            );
            return Self::broken(self.at(at));
        };
        let row = if name.text == "$left" { left } else { right };
        let Some((first, rest)) = path.steps.split_first() else {
            return Self::broken(self.at(at));
        };
        let ast::StepKind::Member(column) = &first.kind else {
            self.error(
                codes::JOIN_CONDITION,
                first.span,
                "the name of a column is needed here",
            );
            return Self::broken(self.at(at));
        };
        let base = self.side_column(row, column, ctx);
        self.follow(base, rest, ctx)
    }

    /// A column of one side of a join.
    pub(super) fn side_column(&mut self, row: &Bound, name: &ast::Name, ctx: Ctx<'_>) -> Expr {
        let span = self.at(name.span);
        if let Some(index) = row.find(&name.text) {
            return row.column(index, span);
        }
        if row.is_from_open() {
            return self.ask(row, &name.text, name.span);
        }
        self.unknown_name(
            &name.text,
            name.span,
            Ctx {
                row: Some(row),
                ..ctx
            },
        );
        Self::broken(span)
    }

    /// `database("d").T`, `cluster("c").database("d").T`, `workspace("w").T`:
    /// the catalog's table of that name, otherwise an open one.
    fn remote(&mut self, path: &ast::Path, at: Span) -> Option<Bound> {
        match &path.base.kind {
            Ast::Call(call) if is_place(&call.name.text) && self.scopes.find(&call.name.text).is_none() => {}
            Ast::Name(name)
                if matches!(
                    self.scopes.find(&name.text).map(|v| &v.entity),
                    Some(Entity::Opaque)
                ) => {}
            _ => return None,
        }
        let last = path.steps.last()?;
        self.unknown_database(&path.base);
        Some(match &last.kind {
            ast::StepKind::Member(name) => self.remote_table(&name.text, at),
            ast::StepKind::Wildcard(name) => self.wildcard_union(name, at),
            ast::StepKind::Call(call) if call.name.text == "table" => {
                let given = self.place_arguments(call);
                match given.first().and_then(|given| self.literal_of(given)) {
                    Some(Value::String(name)) => self.remote_table(&name, at),
                    _ => self.open_source("", at),
                }
            }
            ast::StepKind::Call(call) if is_place(&call.name.text) => {
                self.place_arguments(call);
                self.open_source("", at)
            }
            ast::StepKind::Call(call) => self.open_source(&call.name.text, at),
            ast::StepKind::Index(_) => self.open_source("", at),
        })
    }
}

impl Binder<'_> {
    fn remote_table(&mut self, name: &str, at: Span) -> Bound {
        if let Some(schema) = self.catalog.schema(name) {
            self.database_table(name, schema, at)
        } else {
            self.note_table(name, at, false);
            self.open_source(name, at)
        }
    }

    /// Nothing is known of databases but the one that the query runs in.
    fn unknown_database(&mut self, place: &ast::Expr) {
        let Ast::Call(call) = &place.kind else { return };
        if self.catalog.has_databases() {
            return;
        }
        let Some(arg) = call.args.first().filter(|_| call.name.text == "database") else {
            return;
        };
        let given = self.place_arguments(call);
        let name = given.first().and_then(|given| self.literal_of(given));
        if let Some(Value::String(name)) = name
            // An `alias` gives a database of another cluster a name here.
            && self.scopes.find(&name).is_none()
        {
            self.report(
                Diagnostic::new(
                    codes::UNKNOWN_TABLE,
                    format!("the database `{name}` is not in the catalog, so its tables cannot be checked"),
                )
                .at(arg.value.span),
            );
        }
    }
}

/// Functions that name a place tables are in.
pub(super) fn is_place(name: &str) -> bool {
    matches!(name, "database" | "cluster" | "workspace" | "app" | "resource")
}
