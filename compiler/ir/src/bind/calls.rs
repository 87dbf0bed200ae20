//! Calls: built-in functions, those that need a context, and those of the catalog.

use std::sync::{Mutex, OnceLock, PoisonError};

use foldhash::HashMap;
use rulec_facts::tables::{Function, FunctionResult};
use rulec_functions::{
    Arg, Form, Kind, Mismatch, Naming, ScalarFunction, Shape, Type, TypeError, Value, aggregate, scalar,
};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::column;
use super::names::{suggested, takes};
use super::paths::is_place;
use super::scope::Entity;
use super::{Any, Binder, Ctx};
use crate::{Expr, ExprKind, RelKind, codes};

impl Binder<'_> {
    /// A call, whatever is called.
    pub(super) fn call(&mut self, call: &ast::Call, ctx: Ctx<'_>) -> Any {
        let name = call.name.text.as_str();
        let at = self.at(call.span);
        if let Some(variable) = self.scopes.find(name) {
            match variable.entity.clone() {
                Entity::Function(function) => {
                    self.mention(name);
                    self.note_call(name, call.name.span, false);
                    return self.call_user(&function, &call.args, call.name.span, ctx, None);
                }
                // `T()` of a table or value that was bound by let is taken as the name.
                Entity::Scalar { .. } | Entity::Table(_) if call.args.is_empty() => {
                    return self
                        .variable(name, call.name.span, ctx)
                        .unwrap_or_else(|| Any::Scalar(Self::broken(at)));
                }
                Entity::Pattern(pattern) => return self.pattern(&pattern, call, None),
                Entity::Opaque => return Any::Table(self.open_source(name, at)),
                Entity::Broken | Entity::Step { .. } => return Any::Scalar(Self::broken(at)),
                Entity::Scalar { .. } | Entity::Table(_) => {}
            }
        }
        if let Some(found) = self.special(call, ctx) {
            return found;
        }
        // What is both is told apart by where it stands.
        if let Some(row) = aggregate(name)
            && (callable(name).is_none() || (ctx.aggregates.is_some() && takes(row, call.args.len())))
        {
            self.note_call(name, call.name.span, true);
            return Any::Scalar(self.aggregate_value(row, call, ctx));
        }
        if let Some(function) = callable(name) {
            self.note_call(name, call.name.span, true);
            return Any::Scalar(self.built_in(function, call, ctx));
        }
        if let Some(function) = self.catalog.function(name) {
            self.note_call(name, call.name.span, false);
            return self.catalog_call(function, call, ctx);
        }
        self.note_call(name, call.name.span, false);
        self.unknown_function(name, call.name.span);
        // The arguments may hold further mistakes. That columns have to stand in
        // an aggregate is none: this may have been meant as one.
        let ctx = match ctx.aggregates {
            Some(rows) => Ctx::over(rows),
            None => ctx,
        };
        for arg in &call.args {
            if !matches!(arg.value.kind, Ast::Star) {
                self.any(&arg.value, ctx);
            }
        }
        Any::Scalar(Self::broken(at))
    }

    pub(super) fn note_call(&mut self, name: &str, at: Span, built_in: bool) {
        if self.foreign.is_none() {
            self.called
                .entry(at.start)
                .or_insert_with(|| (name.to_owned(), built_in));
        }
    }

    /// Calls that are part of the grammar rather than functions.
    fn special(&mut self, call: &ast::Call, ctx: Ctx<'_>) -> Option<Any> {
        let at = self.at(call.span);
        let first = call.args.first().map(|a| &a.value);
        let name = call.name.text.as_str();
        Some(match name {
            "toscalar" => {
                self.note_call(name, call.name.span, true);
                let Some(first) = first else {
                    self.missing_argument(call);
                    return Some(Any::Scalar(Self::broken(at)));
                };
                match self.any(
                    first,
                    Ctx {
                        row: None,
                        sides: None,
                        aggregates: None,
                        ..ctx
                    },
                ) {
                    Any::Scalar(value) => Any::Scalar(value),
                    Any::Table(table) => {
                        let ty = table
                            .meta
                            .listed
                            .as_ref()
                            .map_or(Some(0), |listed| listed.first().copied())
                            .and_then(|i| table.rel.columns.get(i))
                            .map_or(Type::Unknown, |c| c.ty);
                        Any::Scalar(Expr {
                            kind: ExprKind::ToScalar(Box::new(table.rel)),
                            ty,
                            span: at,
                        })
                    }
                }
            }
            "materialize" | "totable" | "materialized-view-combine" => {
                self.note_call(name, call.name.span, true);
                let Some(first) = first else {
                    self.missing_argument(call);
                    return Some(Any::Table(self.nothing(at)));
                };
                Any::Table(self.table(first))
            }
            "column_names_of" => {
                self.note_call(name, call.name.span, true);
                if call.args.len() != 1 {
                    let error = TypeError::Count {
                        min: 1,
                        max: Some(1),
                        given: call.args.len(),
                    };
                    self.type_error(name, false, &error, &[], &[], call.name.span);
                }
                let table = first.map(|first| self.table(first));
                let names: Vec<Value> = table
                    .iter()
                    .flat_map(|t| t.columns().iter())
                    .map(|c| Value::String(c.name.clone()))
                    .collect();
                Any::Scalar(Self::literal(Value::array(names), Type::Dynamic, at))
            }
            "table" | "external_table" | "materialized_view" | "stored_query_result" => {
                self.note_call(name, call.name.span, true);
                let given = self.place_arguments(call);
                let (Some(first), Some(given)) = (first, given.first()) else {
                    return Some(Any::Table(self.nothing(at)));
                };
                Any::Table(match self.literal_of(given) {
                    Some(Value::String(table)) if name == "table" => {
                        self.table_named(&table, first.span, ctx)
                    }
                    Some(Value::String(table)) => self.open_source(&format!("{name}:{table}"), at),
                    _ => self.open_source("", at),
                })
            }
            _ if is_place(name) => {
                self.note_call(name, call.name.span, true);
                self.place_arguments(call);
                Any::Table(self.open_source("", at))
            }
            _ => return None,
        })
    }

    /// The arguments of what names a table or a place, checked by its row.
    pub(super) fn place_arguments(&mut self, call: &ast::Call) -> Vec<Expr> {
        let given: Vec<Expr> = call.args.iter().map(|arg| self.constant(&arg.value)).collect();
        if let Some(row) = scalar(&call.name.text) {
            let places: Vec<Span> = call.args.iter().map(|arg| arg.value.span).collect();
            let name = call.name.text.as_str();
            self.result_type(row.result, name, false, &given, &[], &places, call.name.span);
        }
        given
    }

    fn missing_argument(&mut self, call: &ast::Call) {
        self.error(
            codes::ARGUMENT_COUNT,
            call.name.span,
            format!("`{}` needs an argument", call.name.text),
        );
    }

    /// A call of a row of the functions crate. Calls nest through here, so the
    /// frame is kept small.
    fn built_in(&mut self, function: &'static ScalarFunction, call: &ast::Call, ctx: Ctx<'_>) -> Expr {
        let mut given = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            given.push(match arg.value.kind {
                Ast::Star => Self::broken(self.at(arg.value.span)),
                _ => self.scalar(&arg.value, ctx),
            });
        }
        self.built_in_of(function, call, given, ctx)
    }

    fn built_in_of(
        &mut self,
        function: &'static ScalarFunction,
        call: &ast::Call,
        given: Vec<Expr>,
        ctx: Ctx<'_>,
    ) -> Expr {
        let at = self.at(call.span);
        let places: Vec<Span> = call.args.iter().map(|arg| arg.value.span).collect();
        let forms: Vec<Form> = call
            .args
            .iter()
            .zip(&given)
            .map(|(arg, value)| self.form(&arg.value, value, ctx))
            .collect();
        let name = call.name.text.as_str();
        let ty = self.result_type(
            function.result,
            name,
            false,
            &given,
            &forms,
            &places,
            call.name.span,
        );
        let mut args = Vec::with_capacity(given.len());
        for (value, form) in given.into_iter().zip(&forms) {
            match (form, ctx.row) {
                // `pack_array(*)` and its like: every column.
                (Form::Star, Some(row)) => {
                    args.extend((0..row.columns().len()).map(|index| row.column(index, value.span)));
                }
                _ => args.push(value),
            }
        }
        self.spend(args.len());
        if let Some(value) = self.in_context(function, ty, &args, call, ctx) {
            return value;
        }
        let kind = match function.kind {
            Kind::Window => ExprKind::Window { function, args },
            _ => ExprKind::Call { function, args },
        };
        Expr { kind, ty, span: at }
    }

    /// Functions that depend on more than their arguments.
    fn in_context(
        &mut self,
        function: &'static ScalarFunction,
        ty: Type,
        args: &[Expr],
        call: &ast::Call,
        ctx: Ctx<'_>,
    ) -> Option<Expr> {
        let at = self.at(call.span);
        let now = Expr {
            kind: ExprKind::Now,
            ty: Type::DateTime,
            span: at,
        };
        match function.name {
            "now" => {
                let [offset, ..] = args else {
                    return Some(Expr { ty, ..now });
                };
                let plus = scalar("+")?;
                Some(Expr {
                    kind: ExprKind::Call {
                        function: plus,
                        args: vec![now, offset.clone()],
                    },
                    ty: Type::DateTime,
                    span: at,
                })
            }
            "ago" => {
                let [offset, ..] = args else { return Some(now) };
                let minus = scalar("-")?;
                Some(Expr {
                    kind: ExprKind::Call {
                        function: minus,
                        args: vec![now, offset.clone()],
                    },
                    ty: Type::DateTime,
                    span: at,
                })
            }
            "bin_auto" => {
                let [value] = args else { return None };
                let size = self.options.get("query_bin_auto_size")?.clone();
                let mut args = vec![value.clone(), size];
                let name = match self.options.get("query_bin_auto_at") {
                    Some(origin) => {
                        args.push(origin.clone());
                        "bin_at"
                    }
                    None => "bin",
                };
                let kind = ExprKind::Call {
                    function: scalar(name)?,
                    args,
                };
                Some(Expr { kind, ty, span: at })
            }
            // What a dynamic value holds is seen when it is there.
            "gettype" => match args {
                [value] if !matches!(value.ty, Type::Dynamic | Type::Unknown) => Some(Expr {
                    kind: ExprKind::Literal(Value::string(value.ty.to_string())),
                    ty,
                    span: at,
                }),
                _ => None,
            },
            "ingestion_time" => Some(Expr {
                kind: ExprKind::IngestionTime,
                ty: Type::DateTime,
                span: at,
            }),
            "column_ifexists" | "columnifexists" => {
                let [name, fallback, ..] = args else { return None };
                let Some(Value::String(wanted)) = self.literal_of(name) else {
                    // In a function's body it may be a parameter, known at each call.
                    return Some(Expr {
                        span: at,
                        ..fallback.clone()
                    });
                };
                if let Some(row) = ctx.row {
                    if let Some(column) = self.column_of(row, &wanted, at) {
                        return Some(Self::converted(column, fallback.ty));
                    }
                    if row.is_from_open() && row.rel.open {
                        return Some(Expr {
                            span: at,
                            ..self.ask(row, &wanted, call.span)
                        });
                    }
                }
                Some(fallback.clone())
            }
            "pack_all" => {
                let row = ctx.row?;
                let span = Span::at(at.start as usize);
                let flag = args
                    .first()
                    .cloned()
                    .unwrap_or_else(|| Self::literal(Value::Bool(false), Type::Bool, span));
                let mut pairs = vec![flag];
                for index in 0..row.columns().len() {
                    if row.is_hidden(index) {
                        continue;
                    }
                    let name = row.columns()[index].name.clone();
                    let empty = Span::at(at.start as usize);
                    pairs.push(Self::literal(Value::String(name), Type::String, empty));
                    pairs.push(row.column(index, empty));
                }
                self.spend(pairs.len());
                let kind = ExprKind::Call {
                    function,
                    args: pairs,
                };
                Some(Expr {
                    kind,
                    ty: Type::Dynamic,
                    span: at,
                })
            }
            "bag_pack_columns" => {
                let mut pairs = Vec::new();
                for (arg, value) in call.args.iter().zip(args) {
                    let name = suggested(&arg.value);
                    let span = Span::at(at.start as usize);
                    pairs.push(Self::literal(
                        Value::string(name.text().unwrap_or_default()),
                        Type::String,
                        span,
                    ));
                    pairs.push(value.clone());
                }
                Some(Expr {
                    kind: ExprKind::Call {
                        function,
                        args: pairs,
                    },
                    ty: Type::Dynamic,
                    span: at,
                })
            }
            _ => None,
        }
    }

    /// A function that the catalog brings.
    fn catalog_call(&mut self, function: &Function, call: &ast::Call, ctx: Ctx<'_>) -> Any {
        let at = self.at(call.span);
        let min = function.parameters.iter().filter(|p| p.default.is_none()).count();
        let max = function.parameters.len();
        if let FunctionResult::Body(text) = &function.result {
            return self.call_body(function, text, call, ctx);
        }
        if !(min..=max).contains(&call.args.len()) {
            let error = TypeError::Count {
                min,
                max: Some(max),
                given: call.args.len(),
            };
            self.type_error(&function.name, false, &error, &[], &[], call.name.span);
        }
        let args: Vec<Expr> = call.args.iter().map(|arg| self.scalar(&arg.value, ctx)).collect();
        match &function.result {
            FunctionResult::Scalar(ty) => Any::Scalar(Expr {
                kind: ExprKind::Call {
                    function: outside(&function.name, *ty),
                    args,
                },
                ty: *ty,
                span: at,
            }),
            FunctionResult::Watchlist => {
                let alias = args.first().and_then(|a| self.constant_text(a));
                let schema = self.catalog.watchlist(alias.as_deref());
                let key = format!("watchlist:{}", alias.as_deref().unwrap_or_default());
                let columns = schema
                    .columns
                    .iter()
                    .map(|(n, ty)| column(n.as_str(), *ty))
                    .collect();
                Any::Table(self.outside_table(&key, columns, schema.open, at))
            }
            FunctionResult::Table(schema) => {
                let columns = schema
                    .columns
                    .iter()
                    .map(|(n, ty)| column(n.as_str(), *ty))
                    .collect();
                Any::Table(self.outside_table(
                    &format!("function:{}", function.name),
                    columns,
                    schema.open,
                    at,
                ))
            }
            FunctionResult::Appends(_) => {
                self.error(
                    codes::NOT_A_SCALAR,
                    call.name.span,
                    format!(
                        "`{}` works on rows: write `| invoke {}(…)`",
                        function.name, function.name
                    ),
                );
                Any::Table(self.nothing(at))
            }
            FunctionResult::Body(_) => Any::Scalar(Self::broken(at)),
        }
    }

    /// The text of a constant: literals, and `strcat` of such, as people
    /// build the names of watchlists.
    fn constant_text(&self, expr: &Expr) -> Option<String> {
        if let Some(value) = self.literal_of(expr) {
            return value.as_str().map(str::to_owned);
        }
        match &expr.kind {
            ExprKind::Call { function, args } if function.name == "strcat" => {
                args.iter().map(|a| self.constant_text(a)).collect()
            }
            _ => None,
        }
    }

    /// Rows that only a file given by the user can supply.
    pub(super) fn outside_table(
        &mut self,
        key: &str,
        columns: Vec<crate::Column>,
        open: bool,
        at: Span,
    ) -> super::bound::Bound {
        let bound = self.source(RelKind::External { key: key.to_owned() }, columns, at);
        if open { self.opened(bound, key) } else { bound }
    }
}

/// The row of a function that is called by name; `not` alone is both that
/// and an operator.
pub(super) fn callable(name: &str) -> Option<&'static ScalarFunction> {
    scalar(name).filter(|f| match f.kind {
        Kind::Operator => f.name == "not",
        // What is in a graph operator is not bound, and tables are no values.
        Kind::Graph | Kind::Tabular => false,
        Kind::Function | Kind::Window | Kind::Context => true,
    })
}

/// A row for a scalar function that is not part of the language: it types
/// but does not evaluate. Rows are static, so each is made once and kept.
fn outside(name: &str, ty: Type) -> &'static ScalarFunction {
    static ROWS: OnceLock<Mutex<HashMap<(String, Type), &'static ScalarFunction>>> = OnceLock::new();
    let mut rows = ROWS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(row) = rows.get(&(name.to_owned(), ty)) {
        return row;
    }
    let row: &'static ScalarFunction = Box::leak(Box::new(ScalarFunction {
        name: Box::leak(name.to_owned().into_boxed_str()),
        aliases: &[],
        deprecated: None,
        kind: Kind::Context,
        min: 0,
        max: None,
        naming: Naming::Default,
        result: rule_for(ty),
        shape: Shape::Any,
        folds: false,
        kernel: None,
        path: "",
        columns: &[],
        doc: "A function of the environment or the repository.",
        examples: &[],
    }));
    rows.insert((name.to_owned(), ty), row);
    row
}

/// A rule that always gives the one type.
fn rule_for(ty: Type) -> fn(&[Arg<'_>]) -> Result<Type, Mismatch> {
    match ty {
        Type::Bool => |_| Ok(Type::Bool),
        Type::Int => |_| Ok(Type::Int),
        Type::Long => |_| Ok(Type::Long),
        Type::Real => |_| Ok(Type::Real),
        Type::Decimal => |_| Ok(Type::Decimal),
        Type::String => |_| Ok(Type::String),
        Type::DateTime => |_| Ok(Type::DateTime),
        Type::TimeSpan => |_| Ok(Type::TimeSpan),
        Type::Guid => |_| Ok(Type::Guid),
        Type::Dynamic => |_| Ok(Type::Dynamic),
        Type::Unknown => |_| Ok(Type::Unknown),
    }
}
