//! Statements: lets and the rest of what may stand before the query.

use std::sync::Arc;

use rulec_functions::{Type, Value};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Diagnostic;

use super::expressions::scalar_type;
use super::scope::Entity;
use super::{Any, Binder, Ctx};
use crate::{Binding, BindingId, BindingKind, Expr, ExprKind, Rel, RelKind, codes};

/// Expressions up to this size stand in place of their name in inlined bodies.
const SMALL: usize = 8;

impl Binder<'_> {
    /// A whole query.
    pub(super) fn query(&mut self, query: &ast::Query) {
        for directive in &query.directives {
            self.directive(directive);
        }
        for statement in &query.statements {
            self.statement(statement, Ctx::NONE);
        }
    }

    /// `#connect …` is for a client and means nothing here; other lines that
    /// begin with `#` are mostly meant as comments.
    fn directive(&mut self, directive: &ast::Name) {
        let line = directive.text.trim_start_matches('#');
        let end = line
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(line.len());
        if DIRECTIVES.contains(&&line[..end]) {
            return;
        }
        self.report(
            Diagnostic::new(
                codes::UNKNOWN_DIRECTIVE,
                format!("there is no directive `#{}`", &line[..end]),
            )
            .at(directive.span)
            .help("comments begin with `//`"),
        );
    }

    /// One statement, of a query or of a function's body.
    pub(super) fn statement(&mut self, statement: &ast::Statement, ctx: Ctx<'_>) {
        match statement {
            ast::Statement::Let(binding) => self.bind_let(binding, ctx),
            ast::Statement::Expression(expr) => match self.any(expr, ctx) {
                Any::Table(table) => {
                    self.root = Some(table);
                    self.scalar_result = None;
                }
                Any::Scalar(value) => {
                    self.root = None;
                    self.scalar_result = Some(value.ty);
                }
            },
            ast::Statement::DeclareQueryParameters(declared) => {
                for parameter in &declared.parameters {
                    self.query_parameter(parameter);
                }
            }
            ast::Statement::Alias(alias) => {
                self.any(&alias.value, Ctx::NONE);
                self.declare(&alias.name, Entity::Opaque);
            }
            ast::Statement::DeclarePattern(pattern) => {
                let entity = match &pattern.definition {
                    Some(definition) => Entity::Pattern(Arc::new(definition.clone())),
                    None => Entity::Opaque,
                };
                self.declare(&pattern.name, entity);
            }
            ast::Statement::Set(option) => {
                // Only this one changes what rows come out.
                if option.name.text.starts_with("query_bin_auto_")
                    && let Some(value) = &option.value
                {
                    let value = self.constant(value);
                    self.options.insert(option.name.text.clone(), value);
                }
            }
            ast::Statement::Restrict(_) => {}
        }
    }

    fn declare(&mut self, name: &ast::Name, entity: Entity) {
        if name.text.is_empty() {
            return;
        }
        let earlier = self.scopes.find(&name.text).map(|v| v.span);
        if !self.scopes.declare(&name.text, name.span, entity) {
            let mut diagnostic = rulec_source::Diagnostic::new(
                codes::DUPLICATE_NAME,
                format!("`{}` was declared before", name.text),
            )
            .at(name.span);
            if let Some(earlier) = earlier {
                diagnostic = diagnostic.label(earlier, "first declared here");
            }
            self.report(diagnostic);
        }
    }

    fn query_parameter(&mut self, parameter: &ast::Parameter) {
        let ty = match &parameter.ty {
            ast::ParameterType::Scalar(ty) => scalar_type(ty.ty),
            ast::ParameterType::Tabular(_) => Type::Unknown,
        };
        let value = match &parameter.default {
            Some(default) => Self::converted(self.constant(default), ty),
            None => Self::literal(Value::Null, ty, self.at(parameter.span)),
        };
        let id = self.push(
            &parameter.name,
            parameter.span,
            Vec::new(),
            BindingKind::Scalar(value),
        );
        let expr = Expr {
            kind: ExprKind::Binding(id),
            ty,
            span: self.at(parameter.name.span),
        };
        self.declare(&parameter.name, Entity::Scalar { expr, row: None });
    }

    fn push(
        &mut self,
        name: &ast::Name,
        span: rulec_source::Span,
        derived_from: Vec<String>,
        kind: BindingKind,
    ) -> BindingId {
        // Parameters of functions are mentioned, too, but are no bindings.
        let mut derived_from = derived_from;
        derived_from.retain(|name| self.bindings.iter().rev().any(|b| b.name == *name));
        self.bindings.push(Binding {
            name: name.text.clone(),
            name_span: self.at(name.span),
            span: self.at(span),
            derived_from,
            kind,
        });
        BindingId(self.bindings.len() - 1)
    }

    fn bind_let(&mut self, binding: &ast::Let, ctx: Ctx<'_>) {
        let outer = std::mem::take(&mut self.mentions);
        let entity = match &strip(&binding.value).kind {
            Ast::Function(definition) => {
                let entity = self.define(&binding.name.text, definition);
                let derived = std::mem::take(&mut self.mentions);
                self.push(&binding.name, binding.span, derived, BindingKind::Function);
                entity
            }
            Ast::EntityGroup(_) => Entity::Opaque,
            Ast::Missing => Entity::Broken,
            _ => match self.any(&binding.value, ctx) {
                Any::Scalar(value) => self.let_scalar(binding, value, ctx),
                Any::Table(table) => self.let_table(binding, table),
            },
        };
        self.mentions = outer;
        self.declare(&binding.name, entity);
    }

    fn let_scalar(&mut self, binding: &ast::Let, value: Expr, ctx: Ctx<'_>) -> Entity {
        let of_row = crate::walk::uses_columns(&value);
        if of_row || (self.quiet > 0 && crate::walk::expr_size(&value) <= SMALL) {
            return Entity::Scalar {
                expr: value,
                row: of_row.then_some(ctx.target).flatten(),
            };
        }
        let ty = value.ty;
        let derived = std::mem::take(&mut self.mentions);
        let id = self.push(&binding.name, binding.span, derived, BindingKind::Scalar(value));
        Entity::Scalar {
            expr: Expr {
                kind: ExprKind::Binding(id),
                ty,
                span: self.at(binding.name.span),
            },
            row: None,
        }
    }

    fn let_table(&mut self, binding: &ast::Let, mut table: super::bound::Bound) -> Entity {
        if table.meta.inner {
            // Its rows depend on those of an enclosing operator, so it cannot
            // be computed once for the query.
            return Entity::Table(Arc::new(table));
        }
        let materialized =
            matches!(&strip(&binding.value).kind, Ast::Call(call) if call.name.text == "materialize");
        let reference = Rel {
            kind: RelKind::Ref(BindingId(self.bindings.len())),
            columns: table.rel.columns.clone(),
            open: table.rel.open,
            span: self.at(binding.name.span),
        };
        let rel = std::mem::replace(&mut table.rel, reference);
        table.meta.depth = 1;
        let derived = std::mem::take(&mut self.mentions);
        self.push(
            &binding.name,
            binding.span,
            derived,
            BindingKind::Table { rel, materialized },
        );
        Entity::Table(Arc::new(table))
    }
}

/// An expression without the parentheses around it.
pub(super) fn strip(expr: &ast::Expr) -> &ast::Expr {
    let mut inner = expr;
    while let Ast::Parenthesised(next) = &inner.kind {
        inner = next;
    }
    inner
}

/// Instructions that Microsoft's clients know.
const DIRECTIVES: [&str; 14] = [
    "automate",
    "browse",
    "connect",
    "crp",
    "database",
    "download",
    "qp",
    "query",
    "run",
    "save",
    "sqr",
    "truesight",
    "upload",
    "welcome",
];
