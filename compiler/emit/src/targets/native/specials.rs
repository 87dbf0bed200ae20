//! The less common operators and plugins: calls of the function of the runtime
//! that does each, with what the binder found for it.
//!
//! In: an operator over the rows at hand. Out: the statements that run it.
//! Whatever the interpreter runs is said here, too.

use rulec_functions::{Type, Value, aggregate};
use rulec_ir::{
    AggregateCall, Column, Conflict, Expr, KeyValues, NestedLevel, Operator, Rel, ScanOutput, ScanStep,
    Series,
};

use super::code::Code;
use super::emitter::{Emitter, Function, Scope};
use super::layout::LayoutId;
use super::pipe::Pipe;
use super::sources::{below_comment, part_of};

impl Emitter<'_> {
    /// Adds such an operator to a pipeline.
    pub(super) fn special(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        rel: &Rel,
        inputs: &[Rel],
        operator: &Operator,
    ) {
        let width = Code::Atom(inputs.first().map_or(0, |input| input.columns.len()).to_string());
        let row = pipe.layout;
        match operator {
            Operator::Consume => {
                let layout = self.after(rel, "consumed");
                let schema = self.schema(layout, &rel.columns, rel.open);
                let memory = Code::atom(format!("{}.memory()", pipe.rows.trim_start_matches('&')));
                let nothing = Code::call(format!("{}::empty", self.root("Batch")), [schema, memory]);
                pipe.let_("t", nothing);
                "&t".clone_into(&mut pipe.rows);
                pipe.layout = layout;
            }
            Operator::Fork => {
                if let Some(branch) = inputs.get(1) {
                    let function = self.within(branch, "branch");
                    let rows = pipe.rows();
                    let call = self.call_over(scope, &function, rows);
                    pipe.step(call);
                }
                self.laid(pipe, rel, "forked");
            }
            Operator::Facet { columns } => self.facet(pipe, rel, inputs, columns),
            Operator::Partition { key } => {
                if let Some(query) = inputs.get(1) {
                    let key = self.operand(scope, row, key).by_ref();
                    let function = self.within(query, "partition");
                    let each = self.over_items(scope, &function);
                    pipe.step(Code::call(self.op("partition"), [pipe.rows(), key, each]));
                }
                self.laid(pipe, rel, "partitioned");
            }
            Operator::ParseKv { text, pairs, columns } => {
                let text = self.operand(scope, row, text).by_ref();
                let pairs = self.key_values(pairs);
                pipe.let_("pairs", pairs);
                let columns = columns.iter().filter_map(|place| rel.columns.get(*place));
                let columns = columns.map(|column| self.column(column)).collect::<Vec<_>>();
                let args = [
                    pipe.rows(),
                    width,
                    text,
                    Code::atom("&pairs"),
                    Code::slice(columns),
                ];
                pipe.step(Code::call(self.op("parse_kv"), args));
                self.passed(pipe, rel, "parsed");
            }
            Operator::BagUnpack {
                column,
                prefix,
                conflict,
                ignored,
            } => {
                let conflict = match conflict {
                    Conflict::Error => "Error",
                    Conflict::ReplaceSource => "ReplaceSource",
                    Conflict::KeepSource => "KeepSource",
                };
                let conflict = Code::Atom(format!("{}::{conflict}", self.op("Conflict")));
                let ignored = ignored.iter().map(|key| owned(key)).collect::<Vec<_>>();
                let column = Code::Atom(self.place(row, *column));
                let args = [
                    pipe.rows(),
                    column,
                    Code::string(prefix),
                    conflict,
                    Code::slice(ignored),
                ];
                pipe.step(Code::call(self.op("bag_unpack"), args));
                self.conformed(pipe, rel, "unpacked");
            }
            Operator::Pivot {
                column,
                aggregate,
                kept,
            } => {
                let ty = aggregate_type(aggregate);
                let call = self.aggregation(scope, row, aggregate, &[("", ty)]);
                let column = Code::Atom(self.place(row, *column));
                let kept = kept.iter().map(|place| Code::Atom(self.place(row, *place)));
                let args = [pipe.rows(), column, call, Code::slice(kept.collect::<Vec<_>>())];
                pipe.step(Code::call(self.op("pivot"), args));
                self.conformed(pipe, rel, "pivoted");
            }
            Operator::Narrow => {
                pipe.step(Code::call(self.op("narrow"), [pipe.rows()]));
                self.laid(pipe, rel, "narrowed");
            }
            Operator::SchemaMerge { preserve_order } => {
                let args = [pipe.rows(), Code::atom(preserve_order.to_string())];
                pipe.step(Code::call(self.op("schema_merge"), args));
                self.laid(pipe, rel, "merged");
            }
            Operator::AddressLookup { .. } => self.address_lookup(scope, pipe, rel, inputs, operator),
            Operator::DcountIntersect { states } => {
                let states = Code::slice(self.operands(scope, row, states));
                let layout = self.after(rel, "intersected");
                let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
                let args = [pipe.rows(), width, states, schema];
                pipe.step(Code::call(self.op("dcount_intersect"), args));
                pipe.laid_out(rel, layout);
            }
            Operator::TopNested { levels } => {
                let levels = levels.iter().map(|level| self.level(scope, row, level));
                let levels = Code::vec(levels.collect::<Vec<_>>());
                pipe.let_("levels", levels);
                let layout = self.after(rel, "nested");
                let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
                let args = [pipe.rows(), Code::atom("&levels"), schema];
                pipe.step(Code::call(self.op("top_nested"), args));
                pipe.laid_out(rel, layout);
            }
            Operator::MakeSeries { .. } => self.make_series(scope, pipe, rel, operator),
            Operator::Scan { .. } => self.scan(scope, pipe, rel, operator),
            Operator::Plugin { name, args } => self.plugin(scope, pipe, rel, inputs, name, args),
            Operator::PartitionEach { .. } | Operator::WideUnion { .. } => {
                self.fail(rel.span, operator.construct());
            }
        }
    }

    pub(super) fn after(&mut self, rel: &Rel, wish: &str) -> LayoutId {
        let about = self.about(rel);
        self.layout(wish, about, &rel.columns)
    }

    fn laid(&mut self, pipe: &mut Pipe, rel: &Rel, wish: &str) {
        let layout = self.after(rel, wish);
        pipe.laid_out(rel, layout);
    }

    /// Values became columns: they are laid out as the query declared them.
    fn conformed(&mut self, pipe: &mut Pipe, rel: &Rel, wish: &str) {
        let layout = self.after(rel, wish);
        let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
        pipe.step(Code::call("t.conform", [schema]));
        pipe.laid_out(rel, layout);
        pipe.extra = rel.open;
    }

    /// A function for a subquery over the rows that an operator hands in.
    pub(super) fn within(&mut self, query: &Rel, wish: &str) -> Function {
        let mut inner = Scope::new(true);
        let name = self.names.item(&format!("{wish}_items"));
        let body = self.body(&mut inner, query);
        self.function(name, query.span, inner, body, true)
    }

    /// Such a function as an argument.
    pub(super) fn over_items(&mut self, scope: &mut Scope, function: &Function) -> Code {
        let had_items = scope.needs.items;
        let args = self.arguments(scope, function);
        scope.needs.items = had_items;
        match &args[..] {
            // A closure around a call of one argument would be the function itself.
            [Code::Atom(only)] if only == "items" => Code::atom(function.name.clone()),
            _ if function.needs.items => Code::closure("|items|", Code::call(function.name.clone(), args)),
            _ => Code::closure("|_|", Code::call(function.name.clone(), args)),
        }
    }

    /// The call of such a function over rows; gives a `Result`.
    fn call_over(&mut self, scope: &mut Scope, function: &Function, rows: Code) -> Code {
        let had_items = scope.needs.items;
        let mut args = self.arguments(scope, function);
        scope.needs.items = had_items;
        if function.needs.items
            && let Some(items) = args
                .iter_mut()
                .find(|arg| matches!(arg, Code::Atom(name) if name == "items"))
        {
            *items = rows;
        }
        Code::call(function.name.clone(), args)
    }

    fn facet(&mut self, pipe: &mut Pipe, rel: &Rel, inputs: &[Rel], columns: &[usize]) {
        let place = columns.first().copied();
        let known = place.and_then(|place| Some((place, inputs.first()?.columns.get(place)?)));
        if let Some((place, column)) = known {
            let ty = self.ty(column.ty);
            let of = Code::call(
                self.short("ops", "column"),
                [Code::Atom(self.place(pipe.layout, place))],
            );
            let key = Code::call(self.short("ops", "out"), [Code::string(&column.name), ty, of]);
            let new = Code::Atom(self.kernel(aggregate("count").map_or("", |row| row.path)));
            let filled = self.pairs(&[Column {
                name: "count_".into(),
                ty: Type::Long,
            }]);
            let count = Code::call(self.short("ops", "agg"), [new, Code::array([]), filled]);
            let args = [pipe.rows(), Code::slice([key]), Code::slice([count])];
            pipe.step(Code::call(self.op("summarize"), args));
        }
        self.relaid(pipe, rel, "facets");
    }

    fn key_values(&mut self, pairs: &KeyValues) -> Code {
        self.import("rulec_runtime::ops", "");
        let option =
            |code: Option<Code>| code.map_or_else(|| Code::atom("None"), |code| Code::call("Some", [code]));
        let quote = pairs
            .quote
            .map(|(open, close)| Code::tuple([character(open), character(close)]));
        Code::Struct {
            name: "ops::Pairs",
            fields: vec![
                ("pair", owned(&pairs.pair)),
                ("between", owned(&pairs.between)),
                ("quote", option(quote)),
                ("escape", option(pairs.escape.map(character))),
                ("greedy", Code::atom(pairs.greedy.to_string())),
                ("regex", option(pairs.regex.as_deref().map(owned))),
            ],
        }
    }

    fn address_lookup(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        rel: &Rel,
        inputs: &[Rel],
        operator: &Operator,
    ) {
        let (
            Operator::AddressLookup {
                v6,
                address,
                network,
                keys,
                return_unmatched,
            },
            Some(table),
        ) = (operator, inputs.get(1))
        else {
            return;
        };
        let rows = match self.relation(scope, table, "networks") {
            Code::Prefix(_, made) => {
                pipe.let_("networks", *made);
                Code::atom("&networks")
            }
            rows => rows,
        };
        let right = self.after(table, "networks");
        let address = self.operand(scope, pipe.layout, address);
        let network = self.operand(scope, right, network);
        let keys = keys.iter().map(|(own, other)| {
            let own = self.operand(scope, pipe.layout, own);
            Code::tuple([own, self.operand(scope, right, other)])
        });
        let keys = keys.collect::<Vec<_>>();
        self.import("rulec_runtime::ops", "");
        let by = Code::Struct {
            name: "ops::AddressKeys",
            fields: vec![
                ("v6", Code::atom(v6.to_string())),
                ("address", address),
                ("network", network),
                ("keys", Code::vec(keys)),
                ("return_unmatched", Code::atom(return_unmatched.to_string())),
            ],
        };
        pipe.let_("by", by);
        let width = inputs.first().map_or(0, |input| input.columns.len());
        let layout = self.after(rel, "looked_up");
        let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
        let args = [
            pipe.rows(),
            Code::Atom(width.to_string()),
            rows,
            Code::atom("&by"),
            schema,
        ];
        pipe.step(Code::call(self.op("address_lookup"), args));
        pipe.laid_out(rel, layout);
    }

    /// `agg(aggregate::statistics::count, [], &[("", Type::Unknown)])`.
    fn aggregation(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        call: &AggregateCall,
        outputs: &[(&str, Type)],
    ) -> Code {
        let new = Code::Atom(self.kernel(aggregate(call.function).map_or("", |row| row.path)));
        let args = self.operands(scope, row, &call.args);
        let outputs = outputs.iter().map(|(name, ty)| Column {
            name: (*name).into(),
            ty: *ty,
        });
        let filled = self.pairs(&outputs.collect::<Vec<_>>());
        Code::call(self.short("ops", "agg"), [new, Code::array(args), filled])
    }

    /// Aggregates whose columns only the operator itself sees, and the layout
    /// of those columns.
    fn aggregations(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        calls: &[AggregateCall],
    ) -> (Code, LayoutId) {
        let mut columns = Vec::new();
        let made = calls.iter().map(|call| {
            let own = Column {
                name: call.function.into(),
                ty: Type::Unknown,
            };
            columns.extend(std::iter::repeat_n(own, call.outputs));
            self.aggregation(scope, row, call, &vec![("", Type::Unknown); call.outputs])
        });
        let made = Code::vec(made.collect::<Vec<_>>());
        let layout = self.layout("aggregated", "What the aggregates give.".to_owned(), &columns);
        (made, layout)
    }

    fn level(&mut self, scope: &mut Scope, row: LayoutId, level: &NestedLevel) -> Code {
        let of = self.operand(scope, row, &level.of);
        let count = match &level.count {
            Some(count) => Code::call("Some", [self.long(scope, count, 0)]),
            None => Code::atom("None"),
        };
        let others = match &level.others {
            Some(others) => Code::call("Some", [self.inline(scope, others)]),
            None => Code::atom("None"),
        };
        let (aggregates, given) = self.aggregations(scope, row, &level.aggregates);
        let by = self.operand(scope, given, &level.by);
        self.import("rulec_runtime::ops", "");
        Code::Struct {
            name: "ops::Level",
            fields: vec![
                ("of", of),
                ("count", count),
                ("others", others),
                ("aggregates", aggregates),
                ("by", by),
                ("ascending", Code::atom(level.ascending.to_string())),
            ],
        }
    }

    fn make_series(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel, operator: &Operator) {
        let Operator::MakeSeries {
            keys,
            series,
            axis,
            from,
            to,
            step,
            closed,
            nonempty,
        } = operator
        else {
            return;
        };
        let row = pipe.layout;
        let keys = Code::slice(self.outputs(scope, row, &rel.columns, keys));
        let mut bound = |emitter: &mut Self, expr: &Option<Expr>| match expr {
            Some(expr) => emitter.inline(scope, expr),
            None => emitter.literal(&Value::Null),
        };
        let (from, to) = (bound(self, from), bound(self, to));
        let of = self.operand(scope, row, axis);
        let step = self.inline(scope, step);
        self.import("rulec_runtime::ops", "");
        pipe.let_(
            "axis",
            Code::Struct {
                name: "ops::Axis",
                fields: vec![
                    ("of", of),
                    ("from", from),
                    ("to", to),
                    ("step", step),
                    ("closed", Code::atom(closed.to_string())),
                ],
            },
        );
        let series = series.iter().map(|one| self.series(scope, row, one));
        let series = Code::vec(series.collect::<Vec<_>>());
        pipe.let_("series", series);
        let layout = self.after(rel, "series_columns");
        let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
        let args = [
            pipe.rows(),
            keys,
            Code::atom("series"),
            Code::atom("&axis"),
            Code::atom(nonempty.to_string()),
            schema,
        ];
        pipe.step(Code::call(self.op("make_series"), args));
        pipe.laid_out(rel, layout);
    }

    fn series(&mut self, scope: &mut Scope, row: LayoutId, one: &Series) -> Code {
        let (aggregates, given) = self.aggregations(scope, row, &one.aggregates);
        let value = self.operand(scope, given, &one.value);
        let default = match &one.default {
            Some(default) => self.inline(scope, default),
            None if one.value.ty == Type::Real => self.literal(&Value::Real(0.0)),
            None => self.literal(&Value::Long(0)),
        };
        self.import("rulec_runtime::ops", "");
        Code::Struct {
            name: "ops::SeriesOf",
            fields: vec![("aggregates", aggregates), ("value", value), ("default", default)],
        }
    }

    fn scan(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel, operator: &Operator) {
        let Operator::Scan {
            width,
            declared,
            steps,
            partition,
            match_id,
        } = operator
        else {
            return;
        };
        // The row at hand, then for each step the last row that matched it.
        let own = &rel.columns[..(*width).min(rel.columns.len())];
        let mut columns = own.to_vec();
        for step in 1..=steps.len() {
            columns.extend(own.iter().map(|column| Column {
                name: format!("step {step} {}", column.name).into(),
                ty: column.ty,
            }));
        }
        let row = self.layout(
            "scanned_rows",
            "The row at hand, and for each step the last row that matched it.".to_owned(),
            &columns,
        );
        let declared = declared.iter().map(|(place, default)| {
            let is_text = rel
                .columns
                .get(*place)
                .is_some_and(|column| column.ty == Type::String);
            let value = self.default_of(scope, default.as_ref(), is_text);
            Code::tuple([Code::Atom(self.place(row, *place)), value])
        });
        let declared = Code::vec(declared.collect::<Vec<_>>());
        let steps = steps.iter().map(|step| self.scan_step(scope, row, step));
        let steps = Code::vec(steps.collect::<Vec<_>>());
        let partition = Code::vec(self.operands(scope, row, partition));
        let layout = self.after(rel, "scanned");
        let schema = self.schema(layout, &rel.columns, false);
        pipe.let_("schema", schema);
        let columns = if rel.columns.len() == *width {
            Code::atom("schema.columns().to_vec()")
        } else {
            Code::atom(format!("schema.columns()[..{width}].to_vec()"))
        };
        self.import("rulec_runtime::ops", "");
        pipe.let_(
            "scan",
            Code::Struct {
                name: "ops::Scan",
                fields: vec![
                    ("columns", columns),
                    ("declared", declared),
                    ("steps", steps),
                    ("partition", partition),
                    ("match_id", Code::atom(match_id.to_string())),
                ],
            },
        );
        let args = [pipe.rows(), Code::atom("&scan"), Code::atom("&schema")];
        pipe.step(Code::call(self.op("scan"), args));
        pipe.laid_out(rel, layout);
    }

    /// What a declared column is before anything is assigned; a text is never null.
    fn default_of(&mut self, scope: &mut Scope, default: Option<&Expr>, is_text: bool) -> Code {
        let known = match default {
            None => Some(Value::Null),
            Some(expr) => self.folded(expr),
        };
        match (known, default) {
            (Some(Value::Null), _) if is_text => self.literal(&Value::string("")),
            (Some(value), _) => self.literal(&value),
            (None, Some(expr)) => {
                let value = self.inline(scope, expr);
                if is_text {
                    Code::call(self.helper("or_empty"), [value])
                } else {
                    value
                }
            }
            (None, None) => Code::atom("()"),
        }
    }

    fn scan_step(&mut self, scope: &mut Scope, row: LayoutId, step: &ScanStep) -> Code {
        let condition = self.operand(scope, row, &step.condition);
        let assignments = step.assignments.iter().map(|(place, value)| {
            let value = self.operand(scope, row, value);
            Code::tuple([Code::Atom(self.place(row, *place)), value])
        });
        let assignments = Code::vec(assignments.collect::<Vec<_>>());
        let output = match step.output {
            ScanOutput::All => "All",
            ScanOutput::Last => "Last",
            ScanOutput::None => "None",
        };
        let output = Code::Atom(format!("{}::{output}", self.op("ScanOutput")));
        Code::Struct {
            name: "ops::ScanStep",
            fields: vec![
                ("condition", condition),
                ("assignments", assignments),
                ("output", output),
            ],
        }
    }

    /// A union of so many tables that most columns of most of them are null.
    pub(super) fn wide_union(
        &mut self,
        scope: &mut Scope,
        rel: &Rel,
        inputs: &[Rel],
        operator: &Operator,
    ) -> Pipe {
        let Operator::WideUnion {
            with_source,
            labels,
            columns,
        } = operator
        else {
            return self.nothing();
        };
        let mut lets = Vec::new();
        let mut parts = Vec::new();
        for ((input, label), columns) in inputs.iter().zip(labels).zip(columns) {
            let rows = self.relation(scope, input, "union");
            let rows = part_of(&mut lets, rows);
            let pairs = columns
                .iter()
                .map(|(output, own)| Code::tuple([output, own].map(|place| Code::Atom(place.to_string()))));
            let args = [Code::string(label), rows, Code::slice(pairs.collect::<Vec<_>>())];
            parts.push(Code::call(self.op("wide_part"), args));
        }
        let layout = self.after(rel, "united");
        let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
        scope.needs.context = true;
        let args = [
            Code::atom("context"),
            schema,
            Code::atom(with_source.to_string()),
            Code::slice(parts),
        ];
        let code = Code::call(self.op("wide_union"), args);
        let mut pipe = self.started(rel, layout, code);
        pipe.steps = below_comment(lets, pipe.steps);
        pipe.extra = rel.open;
        pipe
    }
}

/// `String::from("x")`.
fn owned(text: &str) -> Code {
    Code::call("String::from", [Code::string(text)])
}

/// A character of Rust, in ASCII.
fn character(c: char) -> Code {
    Code::Atom(format!("'{}'", c.escape_default()))
}

/// The type of an aggregate's column, for those that may be names of columns.
fn aggregate_type(call: &AggregateCall) -> Type {
    match call.function {
        "count" | "countif" | "dcount" | "dcountif" => Type::Long,
        _ => call
            .args
            .first()
            .map_or(Type::Unknown, |arg| match (call.function, arg.ty) {
                ("sum" | "sumif", Type::Int) => Type::Long,
                ("sum" | "sumif" | "min" | "max" | "minif" | "maxif" | "take_any", ty) => ty,
                ("avg" | "avgif", Type::Int | Type::Long) => Type::Real,
                _ => Type::Unknown,
            }),
    }
}
