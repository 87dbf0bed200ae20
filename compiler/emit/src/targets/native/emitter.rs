//! What is known while one rule's module is emitted.
//!
//! In: a bound query. Out: the items of the module as they come up: constants,
//! functions, modules of columns, imports. The parts that know relations and
//! expressions are in `relations` and `scalars`; here is what they share.

use std::collections::{BTreeMap, BTreeSet};

use rulec_functions::{Type, Value};
use rulec_ir::{BindingId, BindingKind, Column, Conditions, Expr, ExprKind, Query};
use rulec_kql::TokenKind;
use rulec_source::Span;

use super::code::{Code, Statement, assignment, statements};
use super::layout::{Layout, LayoutId};
use super::names::Names;
use super::prune;
use crate::template::one_line;

/// Names that code uses for other things than bindings and tables.
const RESERVED: &[&str] = &[
    "aggregate",
    "agg",
    "asc",
    "column",
    "constant",
    "context",
    "convert",
    "desc",
    "each",
    "emitted",
    "evaluate",
    "fold",
    "holds",
    "fails",
    "info",
    "item",
    "items",
    "json",
    "keys",
    "one_of",
    "one_of_fold",
    "ops",
    "out",
    "right",
    "row",
    "rule",
    "rulec_functions",
    "rulec_runtime",
    "schema",
    "session",
    "std",
    "t",
    "text",
    "columns",
    "picks",
    "activity",
    "axis",
    "by",
    "levels",
    "networks",
    "described",
    "known",
    "pairs",
    "scan",
    "series",
    "tables",
    "expand",
    "hash",
    "pattern",
    "core",
    "alloc",
    "main",
    "test",
    "clippy",
    "rustfmt",
    "bool",
    "char",
    "str",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
];

/// Characters of a query's line that a comment quotes at most.
const QUOTED: usize = 120;

/// What a let binding has become.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    /// A constant of the module.
    Constant {
        /// Its name.
        name: String,
        value: Value,
    },
    /// A function that is called once per run; what it gives is handed on.
    Function(Function),
}

/// A function that has been printed.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) needs: Needs,
    /// Whether it gives a `Result`.
    pub(super) fallible: bool,
    /// Whether it gives a table, not a value.
    pub(super) table: bool,
}

/// What a function takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    pub(super) context: bool,
    /// The rows that the enclosing operator hands in.
    pub(super) items: bool,
    /// The keys of the left side of a join.
    pub(super) keys: bool,
    pub(super) bindings: BTreeSet<BindingId>,
}

/// The function that is being emitted.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Statements before the pipeline: what is computed once.
    pub(super) prelude: Vec<Statement>,
    pub(super) needs: Needs,
    pub(super) fallible: bool,
    /// Whether there is an input to hand on.
    pub(super) has_items: bool,
    known: BTreeMap<String, String>,
    names: Names,
}

impl Scope {
    pub(super) fn new(has_items: bool) -> Self {
        let mut names = Names::default();
        names.reserve(RESERVED.iter().copied());
        Self {
            has_items,
            names,
            ..Self::default()
        }
    }

    /// A variable that is computed once, before the pipeline.
    pub(super) fn once(&mut self, wish: &str, value: Code) -> String {
        let key = format!("{value:?}");
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.names.item(wish);
        if matches!(value, Code::Try(_)) {
            self.fallible = true;
        }
        self.prelude.push(Statement::Let {
            name: name.clone(),
            value,
        });
        self.known.insert(key, name.clone());
        name
    }
}

/// A module under construction.
pub(super) struct Emitter<'q> {
    pub(super) query: &'q Query,
    pub(super) text: &'q str,
    pub(super) names: Names,
    layouts: Vec<Layout>,
    /// Constants of columns: for each name the places that have one.
    columns: BTreeMap<String, Vec<(usize, String)>>,
    /// `rulec_runtime::ops::out`, `std::sync::LazyLock`.
    imports: BTreeSet<String>,
    bound: BTreeMap<BindingId, Bound>,
    /// Constants by what they are, and their items.
    constants: BTreeMap<String, String>,
    items: Vec<String>,
    named: BTreeSet<BindingId>,
    pub(super) functions: Vec<String>,
    /// Tables of events, each with the calls that give its columns and its condition.
    pub(super) tables: Vec<(String, Code, Option<Code>)>,
    /// Those of the relation that is being printed.
    pub(super) conditions: Conditions,
    /// The first construct that turned out not to be sayable.
    pub(super) failure: Option<(Span, String)>,
}

impl<'q> Emitter<'q> {
    pub(super) fn new(query: &'q Query, text: &'q str, module: &str) -> Self {
        let mut names = Names::default();
        names.reserve(RESERVED.iter().copied());
        names.reserve([module]);
        let families = rulec_functions::scalar::scalars().filter_map(|row| row.path.split("::").next());
        names.reserve(families.filter(|family| !family.is_empty()));
        Self {
            query,
            text,
            names,
            layouts: Vec::new(),
            columns: BTreeMap::new(),
            imports: BTreeSet::new(),
            bound: BTreeMap::new(),
            constants: BTreeMap::new(),
            items: Vec::new(),
            named: BTreeSet::new(),
            functions: Vec::new(),
            tables: Vec::new(),
            conditions: Conditions::default(),
            failure: None,
        }
    }

    /// Notes an import and gives the path as the code has it.
    pub(super) fn import<'p>(&mut self, import: &str, path: &'p str) -> &'p str {
        self.imports.insert(import.to_owned());
        path
    }

    /// An operator or helper of `rulec_runtime::ops`, called through the module.
    pub(super) fn op(&mut self, name: &str) -> String {
        self.import("rulec_runtime::ops", "");
        format!("ops::{name}")
    }

    /// A function that reads better without its module.
    pub(super) fn short(&mut self, module: &str, name: &str) -> String {
        self.imports.insert(format!("rulec_runtime::{module}::{name}"));
        name.to_owned()
    }

    /// A helper of `rulec_runtime::emitted`.
    pub(super) fn helper(&mut self, name: &str) -> String {
        self.import("rulec_runtime::emitted", "");
        format!("emitted::{name}")
    }

    /// The path of a kernel, its first part imported.
    pub(super) fn kernel(&mut self, path: &str) -> String {
        let family = path.split("::").next().unwrap_or_default();
        let home = if family == "session" {
            "rulec_runtime"
        } else {
            "rulec_functions"
        };
        self.imports.insert(format!("{home}::{family}"));
        path.to_owned()
    }

    pub(super) fn root(&mut self, name: &'static str) -> &'static str {
        self.imports.insert(format!("rulec_runtime::{name}"));
        name
    }

    /// `Type::Long`.
    pub(super) fn ty(&mut self, ty: Type) -> Code {
        self.root("Type");
        super::layout::ty(ty)
    }

    /// `&[("FileName", Type::String)]`.
    pub(super) fn pairs(&mut self, columns: &[Column]) -> Code {
        if !columns.is_empty() {
            self.root("Type");
        }
        super::layout::pairs(columns)
    }

    /// `Column::new("FileName", Type::String)`.
    pub(super) fn column(&mut self, column: &Column) -> Code {
        let ty = self.ty(column.ty);
        Code::call(
            format!("{}::new", self.root("Column")),
            [Code::string(&column.name), ty],
        )
    }

    pub(super) fn layout(&mut self, wish: &str, about: String, columns: &[Column]) -> LayoutId {
        let name = self.names.item(wish);
        self.layouts.push(Layout::new(name, about, columns));
        LayoutId(self.layouts.len() - 1)
    }

    /// The same layout if these columns fit in it, else a new one.
    pub(super) fn extended(
        &mut self,
        layout: LayoutId,
        wish: &str,
        about: String,
        columns: &[Column],
    ) -> LayoutId {
        let fits = self
            .layouts
            .get_mut(layout.0)
            .is_some_and(|layout| layout.extend(columns));
        if fits {
            layout
        } else {
            self.layout(wish, about, columns)
        }
    }

    /// The constant for the place of a column: `FILE_NAME`. Where a column of
    /// that name stood in another place before, the name says where it is now.
    pub(super) fn place(&mut self, layout: LayoutId, place: usize) -> String {
        let Some(layout) = self.layouts.get_mut(layout.0) else {
            return place.to_string();
        };
        let column = layout.column(place).to_owned();
        let known = self.columns.get(&column).into_iter().flatten();
        if let Some((_, name)) = known.clone().find(|(known, _)| *known == place) {
            return name.clone();
        }
        let wish = if known.count() == 0 {
            column.clone()
        } else {
            format!("{} {column}", layout.name)
        };
        let name = self.names.constant(&wish);
        layout.constants.push((place, name.clone()));
        self.columns
            .entry(column)
            .or_default()
            .push((place, name.clone()));
        name
    }

    /// Whether a name stands for a binding's value, which functions are handed
    /// by reference.
    pub(super) fn is_handed_on(&self, name: &str) -> bool {
        let mut bound = self.bound.values();
        bound.any(|bound| matches!(bound, Bound::Function(function) if function.name == name))
    }

    /// The name of the column in a place.
    pub(super) fn column_name(&self, layout: LayoutId, place: usize) -> Option<&str> {
        self.layouts.get(layout.0).map(|layout| layout.column(place))
    }

    /// `device_process_events()`: the schema.
    pub(super) fn schema(&mut self, layout: LayoutId, columns: &[Column], open: bool) -> Code {
        self.root("Schema");
        if !columns.is_empty() {
            self.root("Type");
        }
        self.layouts
            .get_mut(layout.0)
            .map_or_else(|| Code::atom("()"), |layout| layout.schema(columns, open))
    }

    /// Says in the schema of a table which columns the rule looks at.
    pub(super) fn looking(&mut self, layout: LayoutId) {
        let looked_at = rulec_ir::looked_at(self.query);
        if let Some(layout) = self.layouts.get_mut(layout.0) {
            layout.looking_at(|name| looked_at.contains(name));
        }
    }

    pub(super) fn fail(&mut self, span: Span, construct: impl Into<String>) {
        self.failure.get_or_insert((span, construct.into()));
    }

    /// What stands at a place in the query, on one line and without comments,
    /// cut where it gets long.
    pub(super) fn quote(&self, span: Span) -> String {
        let text = span.of(self.text);
        let mut quoted = String::new();
        for token in rulec_kql::lexer::lex(text).0 {
            let token = match token.kind {
                TokenKind::Comment => continue,
                TokenKind::Whitespace => " ",
                _ => token.span.of(text),
            };
            // Lines broken within brackets leave blanks that nobody would write.
            let closes = token.starts_with([')', ']', '}', ',']);
            if closes && quoted.ends_with(' ') {
                quoted.pop();
            }
            if token != " " || !quoted.ends_with([' ', '(', '[']) {
                quoted.push_str(token);
            }
        }
        let line = one_line(&quoted);
        match line.trim().char_indices().nth(QUOTED) {
            Some((end, _)) => format!("{} …", line.trim()[..end].trim_end()),
            None => line.trim().to_owned(),
        }
    }

    /// A constant of the module that is made when it is first used.
    pub(super) fn lazy(&mut self, wish: &str, ty: &str, value: Code) -> String {
        let key = format!("{ty} {value:?}");
        if let Some(name) = self.constants.get(&key) {
            return name.clone();
        }
        self.import("std::sync::LazyLock", "");
        let name = self.names.constant(wish);
        let value = Code::call("LazyLock::new", [Code::closure("||", value)]);
        self.items
            .push(assignment(&format!("static {name}: LazyLock<{ty}>"), &value, 0));
        self.constants.insert(key, name.clone());
        name
    }

    /// What a binding has become; its function is printed on the way.
    pub(super) fn bound(&mut self, id: BindingId) -> Option<Bound> {
        if let Some(bound) = self.bound.get(&id) {
            return Some(bound.clone());
        }
        let query = self.query;
        let binding = query.binding(id)?;
        let bound = match &binding.kind {
            BindingKind::Scalar(expr) => match self.folded(expr) {
                Some(value) => Bound::Constant {
                    name: self.names.constant(&binding.name),
                    value,
                },
                None => {
                    let name = self.names.item(&binding.name);
                    let mut scope = Scope::new(false);
                    let expr = prune::expression(expr);
                    // The relations within are not those whose conditions are known.
                    let outer = std::mem::take(&mut self.conditions);
                    let value = self.inline(&mut scope, &expr);
                    self.conditions = outer;
                    Bound::Function(self.function(
                        name,
                        binding.span,
                        scope,
                        vec![Statement::Tail(value)],
                        false,
                    ))
                }
            },
            BindingKind::Table { rel, .. } => {
                let name = self.names.item(&binding.name);
                let mut scope = Scope::new(false);
                let rel = prune::whole(rel);
                let body = self.knowing(&rel, |emitter| emitter.body(&mut scope, &rel));
                Bound::Function(self.function(name, binding.span, scope, body, true))
            }
            BindingKind::Function => return None,
        };
        self.bound.insert(id, bound.clone());
        Some(bound)
    }

    /// A constant expression's value, if it is worth computing here.
    pub(super) fn folded(&mut self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Binding(id) => match self.bound(*id)? {
                Bound::Constant { value, .. } => Some(value),
                Bound::Function(_) => None,
            },
            ExprKind::Call { function, args } => {
                let kernel = function.kernel?;
                if !["arithmetic::", "conversion::"]
                    .iter()
                    .any(|family| function.path.starts_with(family))
                {
                    return None;
                }
                let args = args
                    .iter()
                    .map(|arg| self.folded(arg))
                    .collect::<Option<Vec<_>>>()?;
                Some(kernel(&args))
            }
            _ => None,
        }
    }

    /// The name of a constant binding; its item is printed when first asked for.
    pub(super) fn constant(&mut self, id: BindingId, name: &str, value: &Value) {
        if !self.named.insert(id) {
            return;
        }
        let about = self
            .query
            .binding(id)
            .map_or(Span::default(), |binding| binding.span);
        let texts = texts(value);
        let (left, right) = match (value, texts) {
            (Value::String(text), _) => (format!("const {name}: &str"), Code::string(text)),
            (_, Some(texts)) => (
                format!("const {name}: [&str; {}]", texts.len()),
                Code::array(texts.into_iter().map(Code::string)),
            ),
            (Value::Array(_) | Value::Bag(_) | Value::Decimal(_), None) => {
                self.import("std::sync::LazyLock", "");
                let made = self.literal(value);
                let value = self.root("Value");
                (
                    format!("static {name}: LazyLock<{value}>"),
                    Code::call("LazyLock::new", [Code::closure("||", made)]),
                )
            }
            (_, None) => {
                let ty = self.root("Value");
                (format!("const {name}: {ty}"), self.literal(value))
            }
        };
        let doc = doc(&self.quote(about));
        self.items.push(format!("{doc}{}", assignment(&left, &right, 0)));
    }

    /// Prints a function and says what it takes.
    pub(super) fn function(
        &mut self,
        name: String,
        about: Span,
        scope: Scope,
        body: Vec<Statement>,
        table: bool,
    ) -> Function {
        let fallible = scope.fallible || table;
        let function = Function {
            name,
            needs: scope.needs,
            fallible,
            table,
        };
        let mut params = Vec::new();
        if function.needs.context {
            params.push(format!("context: &{}<'_>", self.root("Context")));
        }
        if function.needs.items {
            params.push(format!("items: &{}", self.root("Batch")));
        }
        if function.needs.keys {
            params.push(format!("keys: &{}<'_>", self.short("ops", "Matching")));
        }
        for id in &function.needs.bindings {
            if let Some(Bound::Function(other)) = self.bound.get(id).cloned() {
                let ty = self.root(if other.table { "Batch" } else { "Value" });
                params.push(format!("{}: &{ty}", other.name));
            }
        }
        let gives = self.root(if table { "Batch" } else { "Value" });
        let gives = if fallible {
            format!("Result<{gives}, {}>", self.root("RuntimeError"))
        } else {
            gives.to_owned()
        };
        let mut all = scope.prelude;
        all.extend(body);
        if let Some(Statement::Tail(value)) = all.last_mut().filter(|_| fallible && !table) {
            *value = Code::call("Ok", [value.clone()]);
        }
        let doc = doc(&self.quote(about));
        let allow = if params.len() > 7 {
            "#[allow(clippy::too_many_arguments, reason = \"as many as the query has let statements\")]\n"
        } else {
            ""
        };
        let head = signature("fn", &function.name, &params, &gives);
        self.functions
            .push(format!("{doc}{allow}{head}{}}}\n", statements(&all, 4)));
        function
    }

    /// The call of a function of this module from another.
    pub(super) fn call(&mut self, scope: &mut Scope, function: &Function) -> Code {
        let call = Code::call(function.name.clone(), self.arguments(scope, function));
        if function.fallible { call.tried() } else { call }
    }

    pub(super) fn arguments(&mut self, scope: &mut Scope, function: &Function) -> Vec<Code> {
        let mut args = Vec::new();
        if function.needs.context {
            scope.needs.context = true;
            args.push(Code::atom("context"));
        }
        if function.needs.items {
            scope.needs.items = true;
            args.push(Code::atom("items"));
        }
        if function.needs.keys {
            scope.needs.keys = true;
            args.push(Code::atom("keys"));
        }
        for id in &function.needs.bindings {
            if let Some(Bound::Function(other)) = self.bound.get(id) {
                scope.needs.bindings.insert(*id);
                args.push(Code::atom(other.name.clone()));
            }
        }
        args
    }

    /// The bindings that a run needs, in an order in which they can be computed.
    pub(super) fn run_bindings(&self, needs: &Needs) -> Vec<Function> {
        let mut all = BTreeSet::new();
        let mut todo: Vec<BindingId> = needs.bindings.iter().copied().collect();
        while let Some(id) = todo.pop() {
            if let (true, Some(Bound::Function(function))) = (all.insert(id), self.bound.get(&id)) {
                todo.extend(&function.needs.bindings);
            }
        }
        // A binding refers to earlier ones only.
        let functions = all.iter().filter_map(|id| match self.bound.get(id) {
            Some(Bound::Function(function)) => Some(function.clone()),
            _ => None,
        });
        functions.collect()
    }

    /// Constants: of the query, then places of columns.
    pub(super) fn constants(&self) -> Vec<String> {
        let items = self.items.iter().map(|item| format!("{item}\n"));
        items
            .chain(self.layouts.iter().filter_map(Layout::print_constants))
            .collect()
    }

    /// The functions that give schemas.
    pub(super) fn schemas(&self) -> Vec<String> {
        self.layouts.iter().filter_map(Layout::print_schema).collect()
    }

    pub(super) fn imports(&self) -> &BTreeSet<String> {
        &self.imports
    }
}

/// A line of the query above what it has become.
pub(super) fn doc(line: &str) -> String {
    if line.is_empty() {
        String::new()
    } else if line.contains('`') {
        format!("// {line}\n")
    } else {
        format!("/// `{line}`\n")
    }
}

/// The head of a function, up to and with its opening brace.
pub(super) fn signature(keyword: &str, name: &str, params: &[String], gives: &str) -> String {
    let line = format!("{keyword} {name}({}) -> {gives} {{\n", params.join(", "));
    if line.len() <= 101 {
        return line;
    }
    let params = params
        .iter()
        .map(|param| format!("    {param},\n"))
        .collect::<String>();
    format!("{keyword} {name}(\n{params}) -> {gives} {{\n")
}

/// The strings of a list of strings; none for an empty one.
pub(super) fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}
