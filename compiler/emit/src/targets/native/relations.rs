//! Tabular operators as Rust: one statement each, in the order of the query.
//!
//! In: a pruned relation. Out: the statements of a function that gives its
//! rows. What looks at one row at a time right after a table goes into the
//! closure that the table's provider applies to pieces of it, as in the
//! interpreter. What is read besides the pipeline (the other side of a join,
//! the parts of a union, subqueries) becomes a function of its own.

use rulec_functions::{Type, Value, aggregate, convert};
use rulec_ir::{
    Column, Expr, ExprKind, JoinKind, MvItem, Origin, ParseKind, ParseStep, ProjectKind, Rel, RelKind,
    SortKey,
};

use super::code::{Code, Statement, grouped};
use super::emitter::{Bound, Emitter, Function, Scope};
use super::layout::LayoutId;
use super::prune::{self, main_input};
use super::scalars::row_of;

/// The pipeline so far.
struct Pipe {
    steps: Vec<Statement>,
    /// The rows as an argument: `&t`.
    rows: String,
    layout: LayoutId,
    /// Whether there may be columns behind those that the query knows.
    extra: bool,
}

impl Pipe {
    fn comment(&mut self, text: String) {
        if !text.is_empty() {
            self.steps.push(Statement::Comment(text));
        }
    }

    fn let_(&mut self, name: &str, value: Code) {
        self.steps.push(Statement::Let {
            name: name.to_owned(),
            value,
        });
    }

    /// The next table; `value` gives a `Result`.
    fn step(&mut self, value: Code) {
        self.let_("t", value.tried());
        "&t".clone_into(&mut self.rows);
    }

    fn rows(&self) -> Code {
        Code::atom(self.rows.clone())
    }

    /// The statements, the last of them the result.
    fn finish(mut self) -> Vec<Statement> {
        let tail = match self.steps.pop() {
            Some(Statement::Let {
                name,
                value: Code::Try(value),
            }) if name == "t" => *value,
            Some(last) => {
                self.steps.push(last);
                self.whole()
            }
            None => self.whole(),
        };
        self.steps.push(Statement::Tail(tail));
        self.steps
    }

    fn whole(&self) -> Code {
        let rows = match self.rows.strip_prefix('&') {
            Some(owned) => owned.to_owned(),
            None => format!("{}.clone()", self.rows),
        };
        Code::call("Ok", [Code::Atom(rows)])
    }
}

/// A window function and the column that takes its value.
struct Window {
    expr: Expr,
    column: Column,
}

impl Emitter<'_> {
    /// The statements that give the rows of a relation.
    pub(super) fn body(&mut self, scope: &mut Scope, rel: &Rel) -> Vec<Statement> {
        self.pipeline(scope, rel).finish()
    }

    fn pipeline(&mut self, scope: &mut Scope, rel: &Rel) -> Pipe {
        let mut chain = vec![rel];
        while let Some(input) = chain.last().and_then(|rel| main_input(rel)) {
            chain.push(input);
        }
        let mut chain = chain.into_iter().rev().peekable();
        let Some(source) = chain.next() else {
            return self.nothing();
        };
        let mut pipe = match &source.kind {
            RelKind::Table { name } | RelKind::External { key: name } => {
                let layout = self.layout(
                    name,
                    format!("The columns of `{}` that the rule reads.", tick(name)),
                    &source.columns,
                );
                let mut inner = Pipe {
                    steps: Vec::new(),
                    rows: "t".to_owned(),
                    layout,
                    extra: source.open,
                };
                while let Some(rel) = chain.next_if(|rel| is_rowwise(rel)) {
                    self.operator(scope, &mut inner, rel);
                }
                scope.needs.context = true;
                let schema = self.schema(layout, &source.columns, source.open).by_ref();
                let mut pipe = Pipe {
                    steps: Vec::new(),
                    rows: String::new(),
                    layout: inner.layout,
                    extra: inner.extra,
                };
                pipe.comment(self.quote(source.span));
                let name = Code::string(name);
                pipe.step(if inner.steps.is_empty() {
                    Code::call("context.table", [name, schema])
                } else {
                    let stage = Code::Block {
                        params: "|t|",
                        statements: inner.finish(),
                    };
                    Code::call("context.scan", [name, schema, Code::atom("None"), stage])
                });
                pipe
            }
            _ => self.source(scope, source),
        };
        for rel in chain {
            self.operator(scope, &mut pipe, rel);
        }
        pipe
    }

    fn nothing(&mut self) -> Pipe {
        let layout = self.layout("nothing", "No columns.".to_owned(), &[]);
        Pipe {
            steps: Vec::new(),
            rows: "t".to_owned(),
            layout,
            extra: false,
        }
    }

    /// What a pipeline starts with when it is no table from outside.
    fn source(&mut self, scope: &mut Scope, rel: &Rel) -> Pipe {
        let layout = |emitter: &mut Self, wish: &str| {
            let about = emitter.about(rel);
            emitter.layout(wish, about, &rel.columns)
        };
        match &rel.kind {
            RelKind::Ref(id) => {
                let Some(Bound::Function(function)) = self.bound(*id) else {
                    self.fail(rel.span, "a let binding that is no table");
                    return self.nothing();
                };
                scope.needs.bindings.insert(*id);
                let name = function.name;
                Pipe {
                    layout: self.layout(
                        &format!("{name}_columns"),
                        format!("The columns of `{}`.", tick(&name)),
                        &rel.columns,
                    ),
                    steps: Vec::new(),
                    rows: name,
                    extra: rel.open,
                }
            }
            RelKind::Input => {
                if !scope.has_items {
                    self.fail(rel.span, "the input of a subquery in a let binding");
                }
                scope.needs.items = true;
                Pipe {
                    steps: Vec::new(),
                    rows: "items".to_owned(),
                    layout: layout(self, "items_columns"),
                    extra: false,
                }
            }
            RelKind::Rows(rows) => {
                let rows = rows.iter().map(|row| {
                    let cells = row.iter().zip(rel.columns.iter());
                    let cells = cells
                        .map(|(cell, column)| self.cell(scope, cell, column.ty))
                        .collect::<Vec<_>>();
                    Code::vec(cells)
                });
                let rows = Code::array(rows.collect::<Vec<_>>());
                let layout = layout(self, "datatable");
                let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
                scope.needs.context = true;
                let code = Code::call(self.op("rows"), [Code::atom("context"), schema, rows]);
                self.started(rel, layout, code)
            }
            RelKind::Range { from, to, step } => {
                let fallback = Column {
                    name: "".into(),
                    ty: Type::Long,
                };
                let column = self.column(rel.columns.first().unwrap_or(&fallback));
                let bounds = [from, to, step].map(|bound| self.inline(scope, bound).by_ref());
                scope.needs.context = true;
                let args = [Code::atom("context"), column].into_iter().chain(bounds);
                let code = Code::call(self.op("range"), args);
                let layout = layout(self, "range");
                self.started(rel, layout, code)
            }
            RelKind::Union { inputs, with_source } => {
                let mut lets = Vec::new();
                let mut parts = Vec::new();
                for (index, input) in inputs.iter().enumerate() {
                    let rows = self.relation(scope, &input.rel, "union");
                    let rows = match rows {
                        Code::Prefix(_, made) => {
                            let name = format!("part_{}", index + 1);
                            lets.push(Statement::Let {
                                name: name.clone(),
                                value: *made,
                            });
                            Code::atom(format!("&{name}"))
                        }
                        rows => rows,
                    };
                    let columns = Code::array(places(&input.columns));
                    parts.push(Code::call(
                        self.op("part"),
                        [Code::string(&input.label), rows, columns],
                    ));
                }
                let layout = layout(self, "united");
                let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
                let args = [schema, Code::atom(with_source.to_string()), Code::slice(parts)];
                let code = Code::call(self.op("union"), args);
                let mut pipe = self.started(rel, layout, code);
                lets.append(&mut pipe.steps);
                // The comment stands above everything that belongs to it.
                if let Some(at) = lets.iter().position(|step| matches!(step, Statement::Comment(_))) {
                    let comment = lets.remove(at);
                    lets.insert(0, comment);
                }
                pipe.steps = lets;
                pipe.extra = rel.open;
                pipe
            }
            _ => {
                self.fail(rel.span, "an operator that cannot be run");
                self.nothing()
            }
        }
    }

    fn started(&mut self, rel: &Rel, layout: LayoutId, code: Code) -> Pipe {
        let mut pipe = Pipe {
            steps: Vec::new(),
            rows: String::new(),
            layout,
            extra: false,
        };
        pipe.comment(self.quote(rel.span));
        pipe.step(code);
        pipe
    }

    /// A cell of a constant table, in the type of its column.
    fn cell(&mut self, scope: &mut Scope, cell: &Expr, ty: Type) -> Code {
        let fits = |value: &Value| value.is_null() || matches!(ty, Type::Dynamic | Type::Unknown);
        match self.folded(cell) {
            Some(value) if fits(&value) => self.literal(&value),
            Some(value) => self.literal(&convert::convert(&value, ty)),
            None if matches!(ty, Type::Dynamic | Type::Unknown) => self.inline(scope, cell),
            None => {
                let value = self.inline(scope, cell).by_ref();
                let ty = self.ty(ty);
                Code::call(self.kernel("convert::convert"), [value, ty])
            }
        }
    }

    /// The rows of another relation as an argument.
    fn relation(&mut self, scope: &mut Scope, rel: &Rel, wish: &str) -> Code {
        if let RelKind::Ref(id) = &rel.kind
            && let Some(Bound::Function(function)) = self.bound(*id)
        {
            scope.needs.bindings.insert(*id);
            return Code::atom(function.name);
        }
        let function = self.separate(scope, rel, wish);
        self.call(scope, &function).by_ref()
    }

    /// The rows of a subquery within an expression, as an argument.
    pub(super) fn subquery(&mut self, scope: &mut Scope, rel: &Rel, wish: &str) -> Code {
        let rows = self.relation(scope, rel, wish);
        match rows {
            Code::Prefix(_, made) => {
                let name = scope.once(&format!("{wish}_rows"), *made);
                Code::atom(format!("&{name}"))
            }
            rows => rows,
        }
    }

    /// A function of its own for a relation.
    fn separate(&mut self, scope: &Scope, rel: &Rel, wish: &str) -> Function {
        let mut start = rel;
        while let Some(input) = main_input(start) {
            start = input;
        }
        let name = match &start.kind {
            RelKind::Table { name } => self.names.item(&format!("{wish}_{name}")),
            _ => self.names.item(&format!("{wish}_rows")),
        };
        let mut inner = Scope::new(scope.has_items);
        let body = self.body(&mut inner, rel);
        self.function(name, rel.span, inner, body, true)
    }

    fn about(&self, rel: &Rel) -> String {
        let line = self.quote(rel.span);
        if line.contains('`') || line.is_empty() {
            "Columns.".to_owned()
        } else {
            format!("The columns after `{line}`.")
        }
    }

    /// Adds an operator to a pipeline.
    fn operator(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel) {
        let quoted = self.quote(rel.span);
        pipe.comment(if quoted.is_empty() {
            quoted
        } else {
            format!("| {quoted}")
        });
        match &rel.kind {
            RelKind::Filter { input, predicate } => self.filter(scope, pipe, rel, input, predicate),
            RelKind::Project { input, kind, exprs } => self.project(scope, pipe, rel, input, *kind, exprs),
            RelKind::Summarize { keys, aggregates, .. } => {
                let outputs = self.outputs(scope, pipe.layout, &rel.columns, keys);
                let mut columns = &rel.columns[keys.len().min(rel.columns.len())..];
                let mut calls = Vec::new();
                for call in aggregates {
                    let path = aggregate(call.function).map_or("", |row| row.path);
                    let new = Code::Atom(self.kernel(path));
                    let args = self.operands(scope, pipe.layout, &call.args);
                    let (own, rest) = columns.split_at(call.outputs.min(columns.len()));
                    columns = rest;
                    let filled = self.pairs(own);
                    calls.push(Code::call(
                        self.short("ops", "agg"),
                        [new, Code::array(args), filled],
                    ));
                }
                let args = [pipe.rows(), Code::slice(outputs), Code::slice(calls)];
                pipe.step(Code::call(self.op("summarize"), args));
                self.relaid(pipe, rel, "summarized");
            }
            RelKind::Distinct { exprs, .. } => {
                let outputs = self.outputs(scope, pipe.layout, &rel.columns, exprs);
                pipe.step(Code::call(
                    self.op("distinct"),
                    [pipe.rows(), Code::slice(outputs)],
                ));
                self.relaid(pipe, rel, "distinct");
            }
            RelKind::Count { .. } => {
                let count = Code::call(self.op("count"), [pipe.rows()]);
                pipe.step(count);
                if let [Column { name, .. }] = &rel.columns[..]
                    && &**name != "Count"
                {
                    let schema =
                        Code::call(format!("{}::of", self.root("Schema")), [self.pairs(&rel.columns)]);
                    pipe.step(Code::call("t.renamed", [schema]));
                }
                self.relaid(pipe, rel, "counted");
            }
            RelKind::Sort { keys, .. } => {
                let keys = self.sort_keys(scope, pipe.layout, keys);
                pipe.step(Code::call(self.op("sort"), [pipe.rows(), keys]));
                self.passed(pipe, rel, "sorted");
            }
            RelKind::Take { count, .. } => {
                let count = self.count(scope, count);
                pipe.step(Code::call(self.op("take"), [pipe.rows(), count]));
                self.passed(pipe, rel, "taken");
            }
            RelKind::Top { count, keys, .. } => {
                let count = self.count(scope, count);
                let keys = self.sort_keys(scope, pipe.layout, keys);
                pipe.step(Code::call(self.op("top"), [pipe.rows(), count, keys]));
                self.passed(pipe, rel, "top");
            }
            RelKind::Join {
                right,
                kind,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                let other = match self.relation(scope, right, "join") {
                    Code::Prefix(_, made) => {
                        pipe.let_("right", *made);
                        Code::atom("&right")
                    }
                    rows => rows,
                };
                let about = self.about(right);
                let right_layout = self.layout("other", about, &right.columns);
                let kind = Code::Atom(format!("{}::{}", self.op("JoinKind"), join_kind(*kind)));
                let left_keys = Code::slice(self.operands(scope, pipe.layout, left_keys));
                let right_keys = Code::slice(self.operands(scope, right_layout, right_keys));
                let output = self.picks(pipe.layout, right_layout, &rel.columns, output);
                let args = [pipe.rows(), other, kind, left_keys, right_keys, output];
                pipe.step(Code::call(self.op("join"), args));
                self.relaid(pipe, rel, "joined");
            }
            RelKind::MvExpand {
                items,
                with_index,
                bags_as_arrays,
                limit,
                passed,
                ..
            } => {
                let about = self.about(rel);
                let layout = self.layout("expanded", about, &rel.columns);
                let schema = self.schema(layout, &rel.columns, false);
                let expand = self.expand(
                    scope,
                    pipe.layout,
                    schema,
                    items,
                    passed,
                    [*with_index, *bags_as_arrays],
                    limit.as_ref(),
                );
                pipe.let_("expand", expand);
                let args = [pipe.rows(), Code::atom("&expand")];
                pipe.step(Code::call(self.op("mv_expand"), args));
                pipe.layout = layout;
                pipe.extra = false;
            }
            RelKind::MvApply {
                items,
                passed,
                with_index,
                limit,
                subquery,
                output,
                ..
            } => self.mv_apply(
                scope,
                pipe,
                rel,
                items,
                passed,
                *with_index,
                limit.as_ref(),
                subquery,
                output,
            ),
            RelKind::Parse {
                kind,
                flags,
                expr,
                steps,
                filter,
                ..
            } => {
                let text = self.operand(scope, pipe.layout, expr).by_ref();
                let pattern = self.pattern(scope, *kind, flags, steps);
                let about = self.about(rel);
                let layout = self.layout("parsed", about, &rel.columns);
                let schema = self.schema(layout, &rel.columns, false).by_ref();
                let name = self.op(if *filter { "parse_where" } else { "parse" });
                let args = [pipe.rows(), text, Code::atom(format!("&{pattern}")), schema];
                pipe.step(Code::call(name, args));
                pipe.layout = layout;
                pipe.extra = false;
            }
            RelKind::Invoke { input, args, .. } => {
                let hash = match (prune::named(input, args), args.first()) {
                    (Some(place), _) => {
                        let place = self.place(pipe.layout, place);
                        Code::call(self.short("ops", "column"), [Code::atom(place)])
                    }
                    (None, Some(hash)) => self.operand(scope, pipe.layout, hash),
                    (None, None) => {
                        let nothing = self.literal(&Value::string(""));
                        Code::call(self.short("ops", "constant"), [nothing])
                    }
                };
                let added = &rel.columns[input.columns.len().min(rel.columns.len())..];
                let added = added
                    .iter()
                    .map(|column| {
                        let made = self.column(column);
                        Code::tuple([made, Code::string(profile_column(&column.name))])
                    })
                    .collect::<Vec<_>>();
                scope.needs.context = true;
                let args = [
                    Code::atom("context"),
                    pipe.rows(),
                    hash.by_ref(),
                    Code::slice(added),
                ];
                pipe.step(Code::call(self.op("file_profile"), args));
                self.passed(pipe, rel, "profiled");
            }
            RelKind::GetSchema { input } => {
                let schema = Code::call(
                    format!("{}::of", self.root("Schema")),
                    [self.pairs(&input.columns)],
                )
                .by_ref();
                pipe.step(Code::call(self.helper("getschema"), [pipe.rows(), schema]));
                self.relaid(pipe, rel, "described");
            }
            _ => self.fail(rel.span, "an operator that cannot be run"),
        }
    }

    /// The operator leaves the columns of its input where they are.
    fn passed(&mut self, pipe: &mut Pipe, rel: &Rel, wish: &str) {
        let about = self.about(rel);
        pipe.layout = self.extended(pipe.layout, wish, about, &rel.columns);
    }

    /// The operator gives new columns.
    fn relaid(&mut self, pipe: &mut Pipe, rel: &Rel, wish: &str) {
        let about = self.about(rel);
        pipe.layout = self.layout(wish, about, &rel.columns);
        pipe.extra = false;
    }

    fn outputs(&mut self, scope: &mut Scope, row: LayoutId, columns: &[Column], exprs: &[Expr]) -> Vec<Code> {
        let pairs = columns.iter().zip(exprs);
        pairs
            .map(|(column, expr)| self.output(scope, row, column, expr))
            .collect()
    }

    /// `out("FileName", Type::String, column(…))`.
    fn output(&mut self, scope: &mut Scope, row: LayoutId, column: &Column, expr: &Expr) -> Code {
        let ty = self.ty(column.ty);
        let expr = self.operand(scope, row, expr);
        Code::call(self.short("ops", "out"), [Code::string(&column.name), ty, expr])
    }

    fn filter(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel, input: &Rel, predicate: &Expr) {
        let mut windows = Vec::new();
        let width = input.columns.len();
        let predicate = extract(predicate, width, &mut windows);
        let row = self.windows(scope, pipe, input, &windows);
        let condition = self.condition(scope, row, &predicate, true);
        let closure = Code::closure(row_of(&predicate), condition);
        pipe.step(Code::call(self.op("filter"), [pipe.rows(), closure]));
        if !windows.is_empty() {
            let args = [
                pipe.rows(),
                Code::Atom(width.to_string()),
                Code::Atom(windows.len().to_string()),
            ];
            pipe.step(Code::call(self.helper("without"), args));
        }
        self.passed(pipe, rel, "filtered");
    }

    fn project(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        rel: &Rel,
        input: &Rel,
        kind: ProjectKind,
        exprs: &[Expr],
    ) {
        let mut windows = Vec::new();
        let width = input.columns.len();
        let exprs = exprs
            .iter()
            .map(|expr| extract(expr, width, &mut windows))
            .collect::<Vec<_>>();
        let row = self.windows(scope, pipe, input, &windows);
        let open = rel.open && !matches!(kind, ProjectKind::Project | ProjectKind::Keep);
        if !open && !pipe.extra && windows.is_empty() && extends(rel, input, &exprs) {
            let new = rel
                .columns
                .iter()
                .zip(&exprs)
                .enumerate()
                .filter(|(place, (_, expr))| !is_column(expr, *place));
            let new = new
                .map(|(_, (column, expr))| self.output(scope, row, column, expr))
                .collect::<Vec<_>>();
            if !new.is_empty() {
                pipe.step(Code::call(self.op("extend"), [pipe.rows(), Code::slice(new)]));
            }
            self.passed(pipe, rel, "extended");
            return;
        }
        let outputs = Code::slice(self.outputs(scope, row, &rel.columns, &exprs));
        if open {
            let from = Code::Atom((width + windows.len()).to_string());
            pipe.step(Code::call(
                self.helper("project_open"),
                [pipe.rows(), outputs, from],
            ));
        } else {
            pipe.step(Code::call(self.op("project"), [pipe.rows(), outputs]));
        }
        let about = self.about(rel);
        let keeps = exprs
            .iter()
            .take(width)
            .enumerate()
            .all(|(place, expr)| is_column(expr, place));
        pipe.layout = if keeps && exprs.len() >= width && windows.is_empty() {
            self.extended(pipe.layout, "extended", about, &rel.columns)
        } else {
            self.layout("projected", about, &rel.columns)
        };
        pipe.extra = open;
    }

    /// Window functions: a column each, computed before the operator.
    fn windows(&mut self, scope: &mut Scope, pipe: &mut Pipe, input: &Rel, windows: &[Window]) -> LayoutId {
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
    fn long(&mut self, scope: &mut Scope, expr: &Expr, otherwise: i64) -> Code {
        if let Some(value) = self.folded(expr) {
            return Code::Atom(grouped(convert::to_long(&value).unwrap_or(otherwise)));
        }
        let value = self.inline(scope, expr).by_ref();
        let number = Code::call(self.kernel("convert::to_long"), [value]);
        let name = scope.once("number", number);
        Code::atom(format!("{name}.unwrap_or({})", grouped(otherwise)))
    }

    /// The distances of `row_window_session`.
    fn ticks(&mut self, scope: &mut Scope, expr: Option<&Expr>) -> Code {
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

    fn count(&mut self, scope: &mut Scope, expr: &Expr) -> Code {
        self.long(scope, expr, 0)
    }

    fn sort_keys(&mut self, scope: &mut Scope, row: LayoutId, keys: &[SortKey]) -> Code {
        let keys = keys.iter().map(|key| {
            let expr = self.operand(scope, row, &key.expr);
            // Nulls come first when ascending, last when descending.
            if key.nulls_first == key.descending {
                self.import("rulec_runtime::ops", "");
                return Code::Struct {
                    name: "ops::Key",
                    fields: vec![
                        ("expr", expr),
                        ("descending", Code::atom(key.descending.to_string())),
                        ("nulls_first", Code::atom(key.nulls_first.to_string())),
                    ],
                };
            }
            Code::call(
                self.short("ops", if key.descending { "desc" } else { "asc" }),
                [expr],
            )
        });
        Code::slice(keys.collect::<Vec<_>>())
    }

    fn picks(&mut self, left: LayoutId, right: LayoutId, columns: &[Column], output: &[Origin]) -> Code {
        let picks = columns.iter().zip(output).map(|(column, origin)| {
            let (side, layout, place) = match origin {
                Origin::Left(place) => ("left", left, place),
                Origin::Right(place) => ("right", right, place),
            };
            let place = Code::Atom(self.place(layout, *place));
            Code::call(self.op(side), [Code::string(&column.name), place])
        });
        Code::slice(picks.collect::<Vec<_>>())
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of an operator")]
    fn expand(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        schema: Code,
        items: &[MvItem],
        passed: &[Option<usize>],
        [with_index, bags_as_arrays]: [bool; 2],
        limit: Option<&Expr>,
    ) -> Code {
        let items = items
            .iter()
            .map(|item| {
                let expr = self.operand(scope, row, &item.expr);
                let ty = self.ty(item.ty);
                Code::call(self.op("item"), [expr, Code::Atom(item.output.to_string()), ty])
            })
            .collect::<Vec<_>>();
        let limit = match limit {
            None => Code::atom("None"),
            Some(limit) => match self.folded(limit) {
                Some(value) => match convert::to_long(&value) {
                    Some(limit) => Code::call("Some", [Code::Atom(grouped(limit))]),
                    None => Code::atom("None"),
                },
                None => {
                    let value = self.inline(scope, limit).by_ref();
                    Code::call(self.kernel("convert::to_long"), [value])
                }
            },
        };
        self.import("rulec_runtime::ops", "");
        Code::Struct {
            name: "ops::Expand",
            fields: vec![
                ("schema", schema),
                ("items", Code::vec(items)),
                ("passed", Code::vec(places(passed))),
                ("with_index", Code::atom(with_index.to_string())),
                ("bags_as_arrays", Code::atom(bags_as_arrays.to_string())),
                ("limit", limit),
            ],
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of an operator")]
    fn mv_apply(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        rel: &Rel,
        items: &[MvItem],
        passed: &[Option<usize>],
        with_index: bool,
        limit: Option<&Expr>,
        subquery: &Rel,
        output: &[Origin],
    ) {
        let columns = handed_in(subquery).map_or_else(Vec::new, |input| input.columns.to_vec());
        let about = self.about(subquery);
        let item_layout = self.layout("item_columns", about, &columns);
        let schema = self.schema(item_layout, &columns, false);
        let mut inner = Scope::new(true);
        let name = self.names.item("apply_items");
        let body = self.body(&mut inner, subquery);
        let function = self.function(name, subquery.span, inner, body, true);
        let about = self.about(subquery);
        let result = self.layout("applied_columns", about, &subquery.columns);
        let expand = self.expand(
            scope,
            pipe.layout,
            schema,
            items,
            passed,
            [with_index, false],
            limit,
        );
        pipe.let_("expand", expand);
        let picks = self.picks(pipe.layout, result, &rel.columns, output);
        let picks = match picks {
            Code::Prefix(_, picks) => *picks,
            picks => picks,
        };
        pipe.let_("picks", picks);
        let had_items = scope.needs.items;
        let args = self.arguments(scope, &function);
        scope.needs.items = had_items;
        let apply = match &args[..] {
            // A closure around a call of one argument would be the function itself.
            [Code::Atom(only)] if only == "items" => Code::atom(function.name.clone()),
            _ if function.needs.items => Code::closure("|items|", Code::call(function.name.clone(), args)),
            _ => Code::closure("|_|", Code::call(function.name.clone(), args)),
        };
        let args = [pipe.rows(), Code::atom("&expand"), Code::atom("&picks"), apply];
        pipe.step(Code::call(self.op("mv_apply"), args));
        self.relaid(pipe, rel, "applied");
    }

    /// A pattern of `parse`, prepared once; gives its name.
    fn pattern(&mut self, scope: &mut Scope, kind: ParseKind, flags: &str, steps: &[ParseStep]) -> String {
        let kind = Code::Atom(format!(
            "{}::{}",
            self.op("ParseKind"),
            match kind {
                ParseKind::Simple => "Simple",
                ParseKind::Relaxed => "Relaxed",
                ParseKind::Regex => "Regex",
            }
        ));
        let step = self.op("Step");
        let steps = steps
            .iter()
            .map(|part| match part {
                ParseStep::Skip => Code::Atom(format!("{step}::Skip")),
                ParseStep::Text(text) => {
                    let text = Code::call("String::from", [Code::string(text)]);
                    Code::call(format!("{step}::Text"), [text])
                }
                ParseStep::Column { output, ty } => {
                    let ty = self.ty(*ty);
                    Code::call(format!("{step}::Column"), [Code::Atom(output.to_string()), ty])
                }
            })
            .collect::<Vec<_>>();
        let callee = format!("{}::new", self.op("Pattern"));
        let pattern = Code::call(callee, [kind, Code::string(flags), Code::vec(steps)]);
        scope.once("pattern", pattern.tried())
    }
}

/// Whether pieces of the input may go through one by one.
fn is_rowwise(rel: &Rel) -> bool {
    let windowed = |expr: &Expr| {
        let mut windows = Vec::new();
        extract(expr, 0, &mut windows);
        !windows.is_empty()
    };
    match &rel.kind {
        RelKind::Filter { predicate, .. } => !windowed(predicate),
        RelKind::Project { kind, exprs, .. } => {
            *kind != ProjectKind::Serialize && !exprs.iter().any(windowed)
        }
        RelKind::MvExpand { .. }
        | RelKind::MvApply { .. }
        | RelKind::Parse { .. }
        | RelKind::Invoke { .. } => true,
        _ => false,
    }
}

/// The expression with window functions replaced by the columns that take
/// their values, behind the `width` of the input.
fn extract(expr: &Expr, width: usize, windows: &mut Vec<Window>) -> Expr {
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

fn is_column(expr: &Expr, place: usize) -> bool {
    matches!(expr.kind, ExprKind::Column(column) if column == place)
}

/// Whether a projection keeps every column of its input in its place, replaced
/// or not, and adds new ones behind.
fn extends(rel: &Rel, input: &Rel, exprs: &[Expr]) -> bool {
    let width = input.columns.len();
    if rel.columns.len() < width || exprs.len() != rel.columns.len() {
        return false;
    }
    let same = rel
        .columns
        .iter()
        .zip(input.columns.iter())
        .all(|(new, old)| new.name == old.name);
    let mut names = std::collections::BTreeSet::new();
    same && rel.columns.iter().all(|column| names.insert(&column.name))
}

/// The relation in a subquery that the enclosing operator hands in.
fn handed_in(rel: &Rel) -> Option<&Rel> {
    let mut todo = vec![rel];
    while let Some(next) = todo.pop() {
        if matches!(next.kind, RelKind::Input) {
            return Some(next);
        }
        let from = todo.len();
        rulec_ir::walk::inputs(next, &mut |input| todo.push(input));
        todo[from..].reverse();
    }
    None
}

/// `Some(3)`, `None`.
fn places(places: &[Option<usize>]) -> Vec<Code> {
    let place = |place: &Option<usize>| match place {
        Some(place) => Code::call("Some", [Code::Atom(place.to_string())]),
        None => Code::atom("None"),
    };
    places.iter().map(place).collect()
}

fn join_kind(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::InnerUnique => "InnerUnique",
        JoinKind::Inner => "Inner",
        JoinKind::LeftOuter => "LeftOuter",
        JoinKind::RightOuter => "RightOuter",
        JoinKind::FullOuter => "FullOuter",
        JoinKind::LeftSemi => "LeftSemi",
        JoinKind::RightSemi => "RightSemi",
        JoinKind::LeftAnti => "LeftAnti",
        JoinKind::RightAnti => "RightAnti",
    }
}

/// What `FileProfile` adds. Source: as in the runtime, the reference of
/// Defender advanced hunting.
const PROFILE: &[&str] = &[
    "SHA1",
    "SHA256",
    "MD5",
    "FileSize",
    "GlobalPrevalence",
    "GlobalFirstSeen",
    "GlobalLastSeen",
    "Signer",
    "Issuer",
    "SignerHash",
    "IsCertificateValid",
    "IsRootSignerMicrosoft",
    "SignatureState",
    "IsExecutable",
    "ThreatName",
    "Publisher",
    "SoftwareName",
    "ProfileAvailability",
];

/// Which column of `FileProfile` a column of the result is: a name that was
/// there already has a number after it.
fn profile_column(name: &str) -> &'static str {
    let mut rest = name;
    loop {
        if let Some(known) = PROFILE.iter().find(|known| **known == rest) {
            return known;
        }
        match rest.strip_suffix(|c: char| c.is_ascii_digit()) {
            Some(shorter) => rest = shorter,
            None => return "ProfileAvailability",
        }
    }
}

/// A name between backticks.
fn tick(name: &str) -> String {
    crate::template::one_line(name).replace('`', "'")
}
