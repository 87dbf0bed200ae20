//! What pipelines start with, and relations that are read beside them.

use rulec_functions::{Type, Value, convert};
use rulec_ir::{Column, Expr, Rel, RelKind};

use super::code::{Code, Statement};
use super::emitter::{Bound, Emitter, Function, Scope};
use super::layout::LayoutId;
use super::pipe::Pipe;
use super::prune::main_input;
use super::relations::is_flowing;

impl Emitter<'_> {
    /// What a pipeline starts with when it is no table from outside.
    pub(super) fn source(&mut self, scope: &mut Scope, rel: &Rel) -> Pipe {
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
                let layout = self.layout(
                    &format!("{name}_columns"),
                    format!("The columns of `{}`.", tick(&name)),
                    &rel.columns,
                );
                Pipe::over(name, layout, rel.open)
            }
            RelKind::Input => {
                if !scope.has_items {
                    self.fail(rel.span, "the input of a subquery in a let binding");
                }
                scope.needs.items = true;
                Pipe::over("items", layout(self, "items_columns"), false)
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
                for input in inputs {
                    let rows = self.relation(scope, &input.rel, "union");
                    let rows = part_of(&mut lets, rows);
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
                pipe.steps = below_comment(lets, pipe.steps);
                pipe.extra = rel.open;
                pipe
            }
            RelKind::Special { inputs, operator } => self.wide_union(scope, rel, inputs, operator),
            _ => {
                self.fail(rel.span, "an operator that cannot be run");
                self.nothing()
            }
        }
    }

    pub(super) fn started(&mut self, rel: &Rel, layout: LayoutId, code: Code) -> Pipe {
        let mut pipe = Pipe::over("", layout, false);
        pipe.comment(self.quote(rel.span));
        pipe.step(code);
        pipe
    }

    /// A cell of a constant table, in the type of its column.
    pub(super) fn cell(&mut self, scope: &mut Scope, cell: &Expr, ty: Type) -> Code {
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
    pub(super) fn relation(&mut self, scope: &mut Scope, rel: &Rel, wish: &str) -> Code {
        if let RelKind::Ref(id) = &rel.kind
            && let Some(Bound::Function(function)) = self.bound(*id)
        {
            scope.needs.bindings.insert(*id);
            return Code::atom(function.name);
        }
        let function = self.separate(scope, rel, wish, false);
        self.call(scope, &function).by_ref()
    }

    /// The right side of a join whose left side flows: a closure that gives
    /// those of its rows that match, and maybe more.
    pub(super) fn matching(&mut self, scope: &mut Scope, rel: &Rel) -> Code {
        if let RelKind::Ref(id) = &rel.kind
            && let Some(Bound::Function(function)) = self.bound(*id)
        {
            scope.needs.bindings.insert(*id);
            let rows = Code::Atom(format!("{}.clone()", function.name));
            return Code::closure("|_|", Code::call("Ok", [rows]));
        }
        let function = self.separate(scope, rel, "join", true);
        let params = if function.needs.keys { "|keys|" } else { "|_|" };
        let had_keys = scope.needs.keys;
        let call = Code::call(function.name.clone(), self.arguments(scope, &function));
        scope.needs.keys = had_keys;
        Code::closure(params, call)
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

    /// A function of its own for a relation. With `keys` it leaves out rows
    /// that have no key of the left side of a join, if its rows flow.
    fn separate(&mut self, scope: &Scope, rel: &Rel, wish: &str, keys: bool) -> Function {
        let mut start = rel;
        while let Some(input) = main_input(start) {
            start = input;
        }
        let name = match &start.kind {
            RelKind::Table { name } => self.names.item(&format!("{wish}_{name}")),
            _ => self.names.item(&format!("{wish}_rows")),
        };
        let mut inner = Scope::new(scope.has_items);
        let body = self.pipeline(&mut inner, rel, keys && is_flowing(rel)).finish();
        self.function(name, rel.span, inner, body, true)
    }
}

/// `Some(3)`, `None`.
pub(super) fn places(places: &[Option<usize>]) -> Vec<Code> {
    let place = |place: &Option<usize>| match place {
        Some(place) => Code::call("Some", [Code::Atom(place.to_string())]),
        None => Code::atom("None"),
    };
    places.iter().map(place).collect()
}

/// The rows of a part of a union as an argument; what has to be made stands before.
pub(super) fn part_of(lets: &mut Vec<Statement>, rows: Code) -> Code {
    match rows {
        Code::Prefix(_, made) => {
            let name = format!("part_{}", lets.len() + 1);
            lets.push(Statement::Let {
                name: name.clone(),
                value: *made,
            });
            Code::atom(format!("&{name}"))
        }
        rows => rows,
    }
}

/// What is made first, then the steps; their comment stands above everything
/// that belongs to it.
pub(super) fn below_comment(mut first: Vec<Statement>, mut steps: Vec<Statement>) -> Vec<Statement> {
    first.append(&mut steps);
    if let Some(at) = first
        .iter()
        .position(|step| matches!(step, Statement::Comment(_)))
    {
        let comment = first.remove(at);
        first.insert(0, comment);
    }
    first
}

/// A name between backticks.
pub(super) fn tick(name: &str) -> String {
    crate::template::one_line(name).replace('`', "'")
}
