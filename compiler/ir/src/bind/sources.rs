//! Where rows come from: tables of the catalog and beyond it, literal tables,
//! and pipelines over them.

use std::sync::Arc;

use foldhash::HashSet;
use rulec_functions::matching::wildcard;
use rulec_functions::{Type, Value, convert};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, column};
use super::expressions::scalar_type;
use super::operators::word;
use super::scope::Entity;
use super::{Any, Binder, Ctx, MAX_EXPR_DEPTH};
use crate::catalog::Schema;
use crate::{Column, Expr, ExprKind, RelKind, TableUse, codes};

/// What a pipeline counts in the nesting of expressions.
const PIPELINE_DEPTH: usize = 3;

impl Binder<'_> {
    /// A tabular expression.
    pub(super) fn table(&mut self, expr: &ast::Expr) -> Bound {
        if self.depth >= MAX_EXPR_DEPTH {
            self.too_large(expr.span);
            return self.nothing(self.at(expr.span));
        }
        self.depth += 1;
        let table = match &expr.kind {
            Ast::Name(name) => self.table_named(&name.text, name.span, Ctx::NONE),
            Ast::Wildcard(name) => self.wildcard_union(name, expr.span),
            Ast::Star => self.wildcard_union(&super::unions::every_table(expr.span), expr.span),
            Ast::Parenthesised(inner) => self.table(inner),
            _ => {
                let any = self.any(expr, Ctx::NONE);
                self.as_table(any, expr.span)
            }
        };
        self.depth -= 1;
        table
    }

    /// Insists on a table.
    pub(super) fn as_table(&mut self, any: Any, at: Span) -> Bound {
        match any {
            Any::Table(table) => table,
            Any::Scalar(value) => {
                if value.ty != Type::Unknown {
                    self.error(
                        codes::NOT_A_TABLE,
                        at,
                        format!(
                            "a table is needed here, but this is a value of type `{}`",
                            value.ty
                        ),
                    );
                }
                self.nothing(self.at(at))
            }
        }
    }

    /// What a name means where a table is needed.
    pub(super) fn table_named(&mut self, name: &str, at: Span, ctx: Ctx<'_>) -> Bound {
        if name.is_empty() {
            return self.nothing(self.at(at));
        }
        if let Some(found) = self.variable(name, at, ctx) {
            return self.as_table(found, at);
        }
        if let Some(schema) = self.catalog.schema(name) {
            return self.database_table(name, schema, at);
        }
        if self
            .catalog
            .function(name)
            .is_some_and(|f| f.parameters.iter().all(|p| p.default.is_some()))
        {
            let call = ast::Call {
                name: ast::Name {
                    text: name.to_owned(),
                    span: at,
                    bracketed: false,
                },
                params: Vec::new(),
                args: Vec::new(),
                span: at,
            };
            let any = self.call(&call, ctx);
            return self.as_table(any, at);
        }
        self.note_table(name, at, false);
        self.unknown_table(name, at);
        self.open_source(name, self.at(at))
    }

    /// A table of the catalog.
    pub(super) fn database_table(&mut self, name: &str, schema: Schema, at: Span) -> Bound {
        self.note_table(name, at, true);
        let bound = self.source_shared(
            RelKind::Table {
                name: name.to_owned(),
            },
            schema.columns,
            self.at(at),
        );
        if schema.open {
            self.opened(bound, name)
        } else {
            bound
        }
    }

    /// Records that a table is read.
    pub(super) fn note_table(&mut self, name: &str, at: Span, known: bool) {
        let optional = self.sweeping || self.fuzzy;
        if let Some(seen) = self.noted_tables.get(name).and_then(|i| self.tables.get_mut(*i)) {
            seen.optional &= optional;
            return;
        }
        self.noted_tables.insert(name.to_owned(), self.tables.len());
        self.tables.push(TableUse {
            name: name.to_owned(),
            span: self.at(at),
            known,
            optional,
        });
    }

    /// A table of which nothing is known.
    pub(super) fn open_source(&mut self, name: &str, span: Span) -> Bound {
        let bound = self.source(
            RelKind::Table {
                name: name.to_owned(),
            },
            Vec::new(),
            span,
        );
        self.opened(bound, if name.is_empty() { "?" } else { name })
    }

    /// Opens a source: the columns the first round asked for are declared,
    /// and more may be asked for.
    pub(super) fn opened(&mut self, mut bound: Bound, key: &str) -> Bound {
        let key: Arc<str> = key.into();
        let mut columns = bound.rel.columns.to_vec();
        bound.meta.listed = Some((0..columns.len()).collect());
        let known: HashSet<Arc<str>> = columns.iter().map(|c| c.name.clone()).collect();
        // What was asked for has no name twice.
        let asked = self.declared.get(&key).into_iter().flatten();
        columns.extend(
            asked
                .filter(|name| !known.contains(*name))
                .map(|name| column(name.clone(), Type::Unknown)),
        );
        bound.rel.columns = columns.into();
        bound.rel.open = true;
        bound.meta.sources = Arc::from(vec![key]);
        bound
    }

    /// `union Device*`, `database("d").Device*`.
    pub(super) fn wildcard_union(&mut self, pattern: &ast::Name, at: Span) -> Bound {
        let inputs = self.matching_tables(pattern, at);
        if inputs.is_empty() {
            return self.open_source(&pattern.text, self.at(at));
        }
        self.union_of(inputs, None, false, self.at(at), "union")
    }

    /// Whether a name is that of a view of the query.
    pub(super) fn is_view(&self, name: &str) -> bool {
        matches!(self.scopes.find(name).map(|v| &v.entity), Some(Entity::Function(f))
            if f.definition.view && f.definition.parameters.iter().all(|p| p.default.is_some()))
    }

    /// The tables a wildcard stands for: those of the catalog, and views that
    /// the query defines.
    pub(super) fn matching_tables(&mut self, pattern: &ast::Name, at: Span) -> Vec<(String, Bound)> {
        let names = self.catalog.matching(&pattern.text);
        let views: Vec<String> = self
            .scopes
            .names()
            .into_iter()
            .filter(|name| wildcard(name, &pattern.text))
            .filter(|name| self.is_view(name))
            .map(str::to_owned)
            .collect();
        if names.is_empty() && views.is_empty() && !self.catalog.is_open() && !self.fuzzy {
            self.error(
                codes::UNKNOWN_NAME,
                at,
                format!("no table matches `{}`", pattern.text),
            );
        }
        let mut tables = Vec::with_capacity(names.len() + views.len());
        let sweeping = std::mem::replace(&mut self.sweeping, true);
        for name in names {
            if let Some(schema) = self.catalog.schema(&name) {
                let table = self.database_table(&name, schema, at);
                tables.push((name, table));
            }
        }
        self.sweeping = sweeping;
        for name in views {
            let table = self.table_named(&name, at, Ctx::NONE);
            tables.push((name, table));
        }
        tables
    }

    /// Operators on a source, or on the rows an enclosing operator hands in.
    pub(super) fn pipeline(&mut self, pipeline: &ast::Pipeline, at: Span, input: Option<Bound>) -> Bound {
        // A query within a query takes more of the stack than an expression.
        self.depth += PIPELINE_DEPTH;
        let mut rows = match &pipeline.source {
            Some(source) => Some(self.table(source)),
            None => input,
        };
        for operator in &pipeline.operators {
            let outer = std::mem::take(&mut self.noted);
            rows = Some(self.apply_operator(operator, rows));
            self.noted = outer;
            if self.exhausted && rows.as_ref().is_some_and(|r| r.meta.depth <= 1) {
                // What is too long is not worth reading to its end.
                break;
            }
        }
        self.depth -= PIPELINE_DEPTH;
        match rows {
            Some(rows) => rows,
            None => self.nothing(self.at(at)),
        }
    }

    pub(super) fn datatable(&mut self, table: &ast::Datatable, at: Span) -> Bound {
        let columns = self.declared_columns(&table.columns);
        let width = columns.len();
        let mut rows: Vec<Vec<Expr>> = Vec::new();
        let mut row: Vec<Expr> = Vec::new();
        for value in &table.values {
            let bound = self.constant(value);
            let ty = columns.get(row.len()).map_or(Type::Unknown, |c: &Column| c.ty);
            // Values of a table without columns are read and stand nowhere.
            if width == 0 {
                continue;
            }
            row.push(Self::cell(bound, ty));
            if row.len() == width {
                rows.push(std::mem::take(&mut row));
            }
        }
        if !row.is_empty() {
            self.error(
                codes::ARGUMENT_COUNT,
                at,
                format!("the number of values is no multiple of the number of columns, {width}"),
            );
        }
        self.source(RelKind::Rows(rows), columns, self.at(at))
    }

    /// A value of a literal table, read as its column's type.
    fn cell(value: Expr, ty: Type) -> Expr {
        match &value.kind {
            ExprKind::Literal(Value::Null) if ty == Type::String => Expr {
                kind: ExprKind::Literal(Value::string("")),
                ty,
                span: value.span,
            },
            ExprKind::Literal(constant) if ty != Type::Unknown && value.ty != ty => Expr {
                kind: ExprKind::Literal(convert(constant, ty)),
                ty,
                span: value.span,
            },
            _ => Self::converted(value, ty),
        }
    }

    /// Columns of a written schema; a name that occurs twice is an error.
    pub(super) fn declared_columns(&mut self, decls: &[ast::ColumnDecl]) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::with_capacity(decls.len());
        let mut names: HashSet<&str> = HashSet::default();
        for decl in decls {
            if !names.insert(decl.name.text.as_str()) {
                self.error(
                    codes::DUPLICATE_NAME,
                    decl.name.span,
                    format!("the column `{}` is declared twice", decl.name.text),
                );
                continue;
            }
            columns.push(column(decl.name.text.as_str(), scalar_type(decl.ty.ty)));
        }
        columns
    }

    /// The key holds what reading the data takes: all addresses, then the format
    /// and whether there is a header. `rulec_runtime::files` takes it apart.
    pub(super) fn external_data(&mut self, data: &ast::ExternalData, at: Span) -> Bound {
        let columns = self.declared_columns(&data.columns);
        let mut addresses = Vec::new();
        for uri in &data.uris {
            let value = self.constant(uri);
            let literal = self.literal_of(&value);
            if let Some(address) = literal.as_ref().and_then(Value::as_str) {
                addresses.push(address.replace(' ', "%20"));
            }
        }
        let said = |name: &str| {
            let mut properties = data.properties.iter();
            let property = properties.find(|p| p.name.text.eq_ignore_ascii_case(name))?;
            word(property).map(|word| word.to_lowercase())
        };
        let mut options = Vec::new();
        options.extend(said("format").map(|format| format!("format={format}")));
        if said("ignoreFirstRecord").as_deref() == Some("true") {
            options.push("ignoreFirstRecord=true".to_owned());
        }
        let options = if options.is_empty() {
            String::new()
        } else {
            format!(" ({})", options.join(", "))
        };
        let key = format!("externaldata:{}{options}", addresses.join(" "));
        self.source(RelKind::External { key }, columns, self.at(at))
    }

    pub(super) fn contextual_datatable(&mut self, table: &ast::ContextualDatatable, at: Span) -> Bound {
        let columns = self.declared_columns(&table.columns);
        self.source(
            RelKind::External {
                key: "contextual".to_owned(),
            },
            columns,
            self.at(at),
        )
    }
}
