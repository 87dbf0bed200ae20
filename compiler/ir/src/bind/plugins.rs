//! `evaluate plugin(…)`: what comes out depends on the plugin, and for some on
//! the data. Plugins that nobody runs here are bound all the same, so that
//! what follows them is checked.

use rulec_functions::{Arg, Columns, Form, Output, Plugin, Shape, Type, Value, plugin};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, column};
use super::expressions::scalar_type;
use super::names::{NameTable, suggested};
use super::operators::{special, unsupported};
use super::statements::strip;
use super::{Any, Binder, Ctx};
use crate::{AggregateCall, Column, Conflict, Expr, Operator, RelKind, codes};

impl Binder<'_> {
    /// `evaluate plugin(…)`: what comes out depends on the plugin, and for
    /// some on the data.
    pub(super) fn evaluate(
        &mut self,
        op: &ast::Operator,
        call: &ast::Call,
        schema: Option<&ast::RowSchema>,
        input: Option<Bound>,
    ) -> Bound {
        let at = self.at(op.span);
        let input = match input {
            Some(input) => input,
            None => self.source(RelKind::Rows(Vec::new()), Vec::new(), at),
        };
        let name = call.name.text.as_str();
        let Some(row) = plugin(name) else {
            self.unknown_plugin(name, call.name.span);
            return self.nothing(at);
        };
        self.note_call(name, call.name.span, true);
        self.check_plugin(row, call, &input);
        let mut columns: Vec<Column> = Vec::new();
        let mut open = false;
        let arg = |i: usize| call.args.get(i).map(|a| &a.value);
        let mut other = None;
        let mut operator = None;
        match name {
            "bag_unpack" => {
                let unpacked = arg(0).map(|a| self.plugin_column(a, &input)).unwrap_or_default();
                operator = self.unpacking(call, &unpacked);
                columns = without(&input, &unpacked);
                open = true;
            }
            "pivot" => {
                let mut calls = Vec::new();
                let pivoted = arg(0);
                let mut gone = pivoted.map(|a| self.plugin_column(a, &input)).unwrap_or_default();
                if let Some(aggregate) = call.args.get(1) {
                    let item = ast::Column {
                        names: ast::ColumnNames::Derived,
                        value: aggregate.value.clone(),
                        span: aggregate.span,
                    };
                    let ranked = self.ranked(&item, &input);
                    names_in(&aggregate.value, &input, &mut gone);
                    if let crate::ExprKind::Column(0) = ranked.value.kind {
                        calls = ranked.calls;
                    }
                } else {
                    calls.push(AggregateCall {
                        function: "count",
                        args: Vec::new(),
                        outputs: 1,
                        span: at,
                    });
                }
                let mut kept = Vec::new();
                if call.args.len() > 2 {
                    for arg in call.args.iter().skip(2) {
                        for index in self.plugin_column(&arg.value, &input) {
                            kept.push(index);
                        }
                    }
                } else {
                    kept = input
                        .listed()
                        .into_iter()
                        .filter(|index| !gone.contains(index))
                        .collect();
                }
                columns = kept.iter().map(|index| input.columns()[*index].clone()).collect();
                if let (Some(aggregate), Some(column)) = (calls.pop(), gone.first()) {
                    operator = Some(Operator::Pivot {
                        column: *column,
                        aggregate,
                        kept,
                    });
                }
                open = true;
            }
            "ipv4_lookup" | "ipv6_lookup" | "geo_polygon_lookup" | "geo_line_lookup" => {
                if let Some(table) = arg(0) {
                    let table = self.table(table);
                    // Addresses are looked up by the input's column, shapes by
                    // the table's.
                    let shapes = name.starts_with("geo_");
                    let rows = if shapes {
                        [&table, &input]
                    } else {
                        [&input, &table]
                    };
                    let mut sides = Vec::new();
                    for (key, row) in [arg(1), arg(2)].into_iter().zip(rows) {
                        if let Some(key) = key {
                            sides.push(self.scalar(key, Ctx::over(row)));
                        }
                    }
                    if !shapes {
                        operator = self.looking_up(call, sides, &input, &table);
                    }
                    let mut names = NameTable::default();
                    columns = input.columns().to_vec();
                    for c in &columns {
                        names.derived(&c.name);
                    }
                    let keys = Self::lookup_keys(call, shapes, &input, &table);
                    for (index, c) in table.columns().iter().enumerate() {
                        if !keys.contains(&index) {
                            columns.push(column(names.derived(&c.name), c.ty));
                        }
                    }
                    open = table.rel.open || input.rel.open;
                    other = Some(table);
                }
            }
            "dcount_intersect" => {
                columns = input.columns().to_vec();
                let mut states = Vec::new();
                for (i, arg) in call.args.iter().enumerate() {
                    states.push(self.scalar(&arg.value, Ctx::over(&input)));
                    columns.push(column(format!("s{i}"), Type::Long));
                }
                operator = Some(Operator::DcountIntersect { states });
            }
            "schema_merge" => {
                columns = input.columns().to_vec();
                let preserve = call.args.first().map(|arg| self.constant(&arg.value));
                let preserve = preserve.and_then(|value| self.literal_of(&value));
                operator = Some(Operator::SchemaMerge {
                    preserve_order: !matches!(preserve, Some(Value::Bool(false))),
                });
            }
            "new_activity_metrics" => {
                (operator, other) = self.newcomers(row, call, &input);
                columns = self.plugin_columns(row, call, &input);
            }
            _ => {
                let args: Vec<Option<Expr>> = call
                    .args
                    .iter()
                    .map(|arg| self.plugin_argument(&arg.value, &input))
                    .collect();
                if name == "narrow" {
                    operator = Some(Operator::Narrow);
                } else if row.evaluates
                    && (name != "activity_metrics" || args.len() > 4)
                    && let Some(args) = args.into_iter().collect::<Option<Vec<_>>>()
                {
                    operator = Some(Operator::Plugin { name: row.name, args });
                }
                columns = self.plugin_columns(row, call, &input);
                open = columns.is_empty();
            }
        }
        if let Some(schema) = schema {
            let mut stated = if schema.star { columns } else { Vec::new() };
            let declared = self.declared_columns(&schema.columns);
            stated.retain(|c| declared.iter().all(|d| d.name != c.name));
            stated.extend(declared);
            columns = stated;
            open = false;
        }
        let construct = format!("the plugin `{name}`");
        let key = format!("{name}@{}", call.name.span.start);
        let sources = input.meta.sources.clone();
        let mut bound = self.shaped(op, input, columns, |input| {
            let inputs: Vec<crate::Rel> = std::iter::once(*input).chain(other.map(|o| o.rel)).collect();
            match operator {
                Some(operator) => special(inputs, operator),
                None => unsupported(inputs, &construct),
            }
        });
        if open {
            bound = self.opened(bound, &key);
            let mut all = sources.to_vec();
            all.extend(bound.meta.sources.iter().cloned());
            bound.meta.sources = all.into();
        }
        bound
    }

    /// Checks the arguments by the plugin's row. What is wrong in them is
    /// reported once, whoever binds them again.
    fn check_plugin(&mut self, row: &Plugin, call: &ast::Call, input: &Bound) {
        let lookup = row.name.ends_with("_lookup");
        let mut table = None;
        let mut given: Vec<Arg<'_>> = Vec::with_capacity(call.args.len());
        let mut bound: Vec<(Type, Form, Option<Value>)> = Vec::with_capacity(call.args.len());
        for (i, arg) in call.args.iter().enumerate() {
            let written = strip(&arg.value);
            // The key of the table that is looked up, not of the input.
            let theirs = lookup && i == if row.name.starts_with("geo_") { 1 } else { 2 };
            let aggregate = row.name == "pivot" && i == 1;
            bound.push(match &written.kind {
                Ast::Star => (Type::Unknown, Form::Star, None),
                Ast::TypeOf(_) => (Type::String, Form::TypeOf, None),
                // Which parameter a name means is not looked up.
                _ if arg.name.is_some() || aggregate => (Type::Unknown, Form::Broken, None),
                _ => {
                    let rows = if theirs {
                        table.as_ref().unwrap_or(input)
                    } else {
                        input
                    };
                    let ctx = Ctx::over(rows);
                    match self.any(written, ctx) {
                        Any::Scalar(value) => {
                            let form = self.form(&arg.value, &value, ctx);
                            (value.ty, form, self.literal_of(&value))
                        }
                        Any::Table(found) => {
                            if lookup && i == 0 {
                                table = Some(found);
                            }
                            (Type::Unknown, Form::Table, None)
                        }
                    }
                }
            });
        }
        for (ty, form, literal) in &bound {
            given.push(Arg {
                ty: *ty,
                literal: literal.as_ref(),
                form: *form,
                shape: match literal {
                    Some(Value::Array(_)) => Shape::Array,
                    Some(Value::Bag(_)) => Shape::Bag,
                    Some(Value::Null) | None => Shape::Any,
                    Some(_) => Shape::Plain,
                },
            });
        }
        let places: Vec<Span> = call.args.iter().map(|arg| arg.value.span).collect();
        if let Err(mismatch) = row.check(&given) {
            for error in &mismatch.errors {
                self.type_error(row.name, false, error, &[], &places, call.name.span);
            }
        }
    }

    /// The columns of a table that is looked up which are not shown: further
    /// keys, which are the same on both sides, and shapes unless asked for.
    fn lookup_keys(call: &ast::Call, shapes: bool, input: &Bound, table: &Bound) -> Vec<usize> {
        let named = |arg: &ast::Arg| match &strip(&arg.value).kind {
            Ast::Name(name) if arg.name.is_none() => Some(name.text.clone()),
            _ => None,
        };
        if shapes {
            let wanted = call.args.iter().enumerate().any(|(i, arg)| {
                let place = match &arg.name {
                    Some(name) => name.text == "return_lookup_key",
                    None => i == 7,
                };
                place && matches!(arg.value.kind, Ast::Literal(ast::Literal::Bool(true)))
            });
            let key = call.args.get(1).filter(|_| !wanted).and_then(named);
            return key.and_then(|key| table.find(&key)).into_iter().collect();
        }
        call.args
            .iter()
            .skip(3)
            .filter_map(named)
            .filter(|name| input.find(name).is_some())
            .filter_map(|name| table.find(&name))
            .collect()
    }

    /// `bag_unpack(column, prefix, conflict, ignored)`.
    fn unpacking(&mut self, call: &ast::Call, unpacked: &[usize]) -> Option<Operator> {
        let mut given: [Option<Value>; 3] = [None, None, None];
        for (place, extra) in call.args.iter().skip(1).enumerate() {
            let value = self.constant(&extra.value);
            let place = match extra
                .name
                .as_ref()
                .map(|name| name.text.to_ascii_lowercase())
                .as_deref()
            {
                Some("columnsconflict") => 1,
                Some("ignoredproperties") => 2,
                Some(_) => 0,
                None => place,
            };
            if let Some(slot) = given.get_mut(place) {
                *slot = self.literal_of(&value);
            }
        }
        let [prefix, conflict, ignored] = given;
        let text = |value: Option<Value>| {
            value
                .as_ref()
                .map(rulec_functions::text::print)
                .unwrap_or_default()
        };
        let conflict = match text(conflict).as_str() {
            "replace_source" => Conflict::ReplaceSource,
            "keep_source" => Conflict::KeepSource,
            _ => Conflict::Error,
        };
        let ignored = match ignored {
            Some(Value::Array(names)) => names.iter().map(rulec_functions::text::print).collect(),
            _ => Vec::new(),
        };
        Some(Operator::BagUnpack {
            column: *unpacked.first()?,
            prefix: text(prefix),
            conflict,
            ignored,
        })
    }

    /// `ipv4_lookup(table, address, network, keys…, return_unmatched)`.
    fn looking_up(
        &mut self,
        call: &ast::Call,
        sides: Vec<Expr>,
        input: &Bound,
        table: &Bound,
    ) -> Option<Operator> {
        let mut keys = Vec::new();
        let mut return_unmatched = false;
        for extra in call.args.iter().skip(3) {
            match &strip(&extra.value).kind {
                Ast::Name(name) if extra.name.is_none() && input.find(&name.text).is_some() => {
                    keys.push((
                        self.scalar(&extra.value, Ctx::over(input)),
                        self.scalar(&extra.value, Ctx::over(table)),
                    ));
                }
                _ => {
                    let value = self.constant(&extra.value);
                    return_unmatched |= matches!(self.literal_of(&value), Some(Value::Bool(true)));
                }
            }
        }
        let [address, network] = <[Expr; 2]>::try_from(sides).ok()?;
        Some(Operator::AddressLookup {
            v6: call.name.text == "ipv6_lookup",
            address,
            network,
            keys,
            return_unmatched,
        })
    }

    /// An argument of a plugin that names a column of the input.
    fn plugin_column(&mut self, arg: &ast::Expr, input: &Bound) -> Vec<usize> {
        let value = self.scalar(arg, Ctx::over(input));
        if let crate::ExprKind::Column(index) = value.kind {
            return vec![index];
        }
        if value.ty != Type::Unknown {
            self.error(
                codes::COLUMN_EXPECTED,
                arg.span,
                "the name of a column is needed here",
            );
        }
        Vec::new()
    }

    /// An argument of a plugin, if it is a value.
    fn plugin_argument(&mut self, arg: &ast::Expr, input: &Bound) -> Option<Expr> {
        match &strip(arg).kind {
            Ast::TypeOf(_) | Ast::Star => None,
            _ => match self.any(arg, Ctx::over(input)) {
                Any::Scalar(value) => Some(value),
                Any::Table(_) => None,
            },
        }
    }

    /// `new_activity_metrics(id, time, start, end, window, cohort, dimensions…,
    /// known)`: a constant behind the window is the cohort, a table who is no
    /// newcomer. The operator's arguments have a cohort in any case.
    fn newcomers(
        &mut self,
        row: &'static Plugin,
        call: &ast::Call,
        input: &Bound,
    ) -> (Option<Operator>, Option<Bound>) {
        let mut args = Vec::with_capacity(call.args.len() + 1);
        let mut known = None;
        for (place, arg) in call.args.iter().enumerate() {
            match self.any(&arg.value, Ctx::over(input)) {
                Any::Scalar(value) => {
                    let is_column = matches!(value.kind, crate::ExprKind::Column(_));
                    if place == 5 && is_column {
                        args.push(Self::literal(Value::Null, Type::Unknown, value.span));
                    }
                    args.push(value);
                }
                Any::Table(table) => known = Some(table),
            }
        }
        if args.len() == 5 {
            args.push(Self::literal(Value::Null, Type::Unknown, self.at(call.name.span)));
        }
        (Some(Operator::Plugin { name: row.name, args }), known)
    }

    /// `sequence_detect`: the dimensions, when each state was met, and how
    /// long it took.
    fn detected(&mut self, call: &ast::Call, input: &Bound) -> Vec<Column> {
        let time = call.args.first().map(|a| suggested(strip(&a.value)));
        let time = time.as_ref().and_then(|s| s.text()).unwrap_or_default();
        let mut columns = Vec::new();
        let mut states = Vec::new();
        for arg in call.args.iter().skip(3) {
            if let Some(name) = &arg.name {
                states.push(column(format!("{}_{time}", name.text), Type::DateTime));
                continue;
            }
            let value = self.scalar(&arg.value, Ctx::over(input));
            if value.ty == Type::Bool && !matches!(value.kind, crate::ExprKind::Column(_)) {
                states.push(column(format!("_{time}"), Type::DateTime));
            } else {
                columns.push(column(suggested(&arg.value).text().unwrap_or_default(), value.ty));
            }
        }
        columns.extend(states);
        columns.push(column("Duration", Type::TimeSpan));
        columns
    }

    /// What comes out of a plugin that takes values.
    fn plugin_columns(&mut self, row: &Plugin, call: &ast::Call, input: &Bound) -> Vec<Column> {
        let given = |columns: Columns| columns.iter().map(|(name, ty)| column(*name, *ty));
        match row.output {
            Output::Fixed(columns) => given(columns).collect(),
            Output::Before(columns) => given(columns).chain(input.columns().iter().cloned()).collect(),
            Output::Input => input.columns().to_vec(),
            Output::Counts {
                fixed,
                state,
                columns,
            } => {
                let mut found = Vec::new();
                found.extend(self.argument_column(call, 1, input));
                // A state comes out as text, whatever it is.
                let state = state.and_then(|place| self.argument_column(call, place, input));
                found.extend(state.map(|state| column(state.name, Type::String)));
                for place in fixed..call.args.len() {
                    found.extend(self.argument_column(call, place, input));
                }
                found.extend(given(columns));
                found
            }
            Output::Answer(word, ty) => {
                let mut found = input.columns().to_vec();
                let asked = self.argument_column(call, 0, input);
                let name = asked.map_or_else(|| format!("_{word}"), |asked| format!("{}_{word}", asked.name));
                let errors = call.args.get(3).map(|arg| &arg.value.kind);
                found.push(column(name.as_str(), ty));
                if let Some(Ast::Literal(ast::Literal::Bool(true))) = errors {
                    found.push(column(format!("{name}_error"), Type::String));
                }
                found
            }
            Output::Arguments => self.columns_by_arguments(row.name, call, input),
            Output::Open => Vec::new(),
        }
    }

    /// The columns of plugins that name them after their arguments, and of
    /// those that run code and state what it returns.
    fn columns_by_arguments(&mut self, name: &str, call: &ast::Call, input: &Bound) -> Vec<Column> {
        let counts = |names: Columns| names.iter().map(|(n, ty)| column(*n, *ty)).collect::<Vec<_>>();
        let mut columns = Vec::new();
        match name {
            "new_activity_metrics" => {
                if let Some(time) = self.argument_column(call, 1, input) {
                    columns.push(column(format!("from_{}", time.name), time.ty));
                    columns.push(column(format!("to_{}", time.name), time.ty));
                }
                for arg in call.args.iter().skip(5) {
                    if let Some(Expr {
                        kind: crate::ExprKind::Column(_),
                        ty,
                        ..
                    }) = self.plugin_argument(&arg.value, input)
                    {
                        columns.extend(suggested(strip(&arg.value)).text().map(|name| column(name, ty)));
                    }
                }
                columns.extend(counts(&[
                    ("dcount_new_values", Type::Long),
                    ("dcount_retained_values", Type::Long),
                    ("dcount_churn_values", Type::Long),
                    ("retention_rate", Type::Real),
                    ("churn_rate", Type::Real),
                ]));
            }
            "rolling_percentile" => {
                let value = self.argument_column(call, 0, input);
                columns.extend(self.argument_column(call, 2, input));
                for i in 5..call.args.len() {
                    columns.extend(self.argument_column(call, i, input));
                }
                if let Some(value) = value {
                    let number = |i: usize| {
                        call.args
                            .get(i)
                            .map(|a| strip(&a.value))
                            .map_or(String::new(), |e| match &e.kind {
                                Ast::Literal(ast::Literal::Long(n)) => n.to_string(),
                                Ast::Literal(ast::Literal::Real(n)) => n.to_string(),
                                _ => String::new(),
                            })
                    };
                    let name = format!("rolling_{}_percentile_{}_{}", number(4), value.name, number(1));
                    columns.push(column(name, value.ty));
                }
            }
            "sequence_detect" => columns.extend(self.detected(call, input)),
            "funnel_sequence" => {
                columns.extend(self.argument_column(call, 1, input));
                let state = self.argument_column(call, 6, input);
                let state = state.map_or(Type::Unknown, |state| state.ty);
                columns.push(column("prev", state));
                columns.push(column("next", state));
                columns.extend(counts(&[("dcount", Type::Long), ("samples", Type::Dynamic)]));
            }
            "csharp" | "python" | "r" => {
                if let Some(Ast::TypeOf(ast::TypeOf::Tabular(table))) =
                    call.args.first().map(|a| &strip(&a.value).kind)
                {
                    if table.open {
                        columns.extend(input.columns().iter().cloned());
                    }
                    columns.extend(
                        table
                            .columns
                            .iter()
                            .map(|c| column(c.name.text.as_str(), scalar_type(c.ty.ty))),
                    );
                }
            }
            _ => {}
        }
        columns
    }

    /// An argument as a column of the output.
    fn argument_column(&mut self, call: &ast::Call, index: usize, input: &Bound) -> Option<Column> {
        let arg = call.args.get(index).map(|a| strip(&a.value))?;
        let value = self.plugin_argument(arg, input)?;
        suggested(arg).text().map(|n| column(n, value.ty))
    }
}

/// The input's columns but some.
fn without(input: &Bound, gone: &[usize]) -> Vec<Column> {
    input
        .listed()
        .into_iter()
        .filter(|i| !gone.contains(i))
        .filter_map(|i| input.columns().get(i).cloned())
        .collect()
}

/// Adds the columns that the arguments of an aggregate name.
fn names_in(expr: &ast::Expr, input: &Bound, found: &mut Vec<usize>) {
    if let Ast::Call(call) = &strip(expr).kind {
        for arg in &call.args {
            if let Ast::Name(name) = &strip(&arg.value).kind
                && let Some(index) = input.find(&name.text)
            {
                found.push(index);
            }
        }
    }
}
