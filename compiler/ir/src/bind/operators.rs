//! The tabular operators: which does what, and those that are quickly done.

use rulec_functions::Type;
use rulec_kql::ast::{self, ExprKind as Ast, OperatorKind as Op};
use rulec_source::{Diagnostic, Span};

use super::bound::{Bound, column};
use super::expressions::scalar_type;
use super::{Any, Binder, Ctx};
use crate::{Column, KeyValues, Operator, ParseKind, ParseStep, RelKind, SortKey, codes};

impl Binder<'_> {
    /// One operator of a pipeline.
    pub(super) fn apply_operator(&mut self, op: &ast::Operator, input: Option<Bound>) -> Bound {
        let outer = std::mem::take(&mut self.in_doubt);
        let mut bound = self.applied(op, input);
        if std::mem::replace(&mut self.in_doubt, outer) {
            // The next query may begin within this operator: whatever is asked
            // of the rows behind it is not worth a second finding.
            let key = format!("behind@{}", op.span.start);
            let mut sources = bound.meta.sources.to_vec();
            let Bound { rel, meta } = bound;
            let rel = crate::Rel {
                columns: rel.columns.clone(),
                open: rel.open,
                span: rel.span,
                kind: unsupported(vec![rel], "what stands behind a table among values"),
            };
            bound = self.opened(Bound { rel, meta }, &key);
            sources.extend(bound.meta.sources.iter().cloned());
            bound.meta.sources = sources.into();
        }
        bound
    }

    fn applied(&mut self, op: &ast::Operator, input: Option<Bound>) -> Bound {
        let at = self.at(op.span);
        self.parameters(op);
        match (&op.kind, input) {
            (Op::Print { columns }, _) => self.print(op, columns),
            (
                Op::Range {
                    column,
                    from,
                    to,
                    step,
                },
                _,
            ) => self.range(op, column, from, to, step),
            (Op::Union { tables }, input) => self.union(op, tables, input),
            (Op::Search { tables, predicate }, input) => self.search(op, tables, predicate, input),
            (Op::Find(find), input) => self.find(op, find, input),
            (Op::Evaluate { call, schema }, input) => self.evaluate(op, call, schema.as_ref(), input),
            (Op::MacroExpand { body, scope, .. }, _) => self.macro_expand(op, scope, body),
            (Op::Bad, input) => input.unwrap_or_else(|| self.nothing(at)),
            (_, None) => {
                self.error(
                    codes::NO_INPUT,
                    op.keyword.span,
                    format!("`{}` reads rows, but nothing stands before it", op.kind.name()),
                );
                let empty = self.nothing(at);
                self.over_input(op, empty)
            }
            (_, Some(input)) => self.over_input(op, input),
        }
    }

    // The operators are spread over several functions because each arm of a
    // match has a place on the stack, and queries nest.
    fn over_input(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        match &op.kind {
            Op::Where { predicate } => self.filter(op, predicate, input),
            Op::Count { .. } | Op::Sort { .. } | Op::Top { .. } | Op::Take { .. } | Op::Sample { .. } => {
                self.rows_operator(op, input)
            }
            Op::Extend { .. }
            | Op::Serialize { .. }
            | Op::Project { .. }
            | Op::ProjectAway { .. }
            | Op::ProjectKeep { .. }
            | Op::ProjectByNames { .. }
            | Op::ProjectRename { .. }
            | Op::ProjectReorder { .. }
            | Op::Distinct { .. } => self.columns_operator(op, input),
            Op::Summarize { .. }
            | Op::Join { .. }
            | Op::Lookup { .. }
            | Op::MvExpand { .. }
            | Op::MvApply { .. }
            | Op::Invoke { .. }
            | Op::Partition(_)
            | Op::PartitionBy(_)
            | Op::Fork { .. }
            | Op::Facet { .. } => self.combining_operator(op, input),
            _ => self.other_operator(op, input),
        }
    }

    fn filter(&mut self, op: &ast::Operator, predicate: &ast::Expr, input: Bound) -> Bound {
        let predicate = self.predicate(predicate, Ctx::over(&input));
        self.passed(op, input, |input| RelKind::Filter { input, predicate })
    }

    fn columns_operator(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        match &op.kind {
            Op::Extend { columns } => self.extend(op, columns, input, crate::ProjectKind::Extend),
            Op::Serialize { columns } => self.extend(op, columns, input, crate::ProjectKind::Serialize),
            Op::Project { columns } => self.project(op, columns, input),
            Op::ProjectAway { columns } => self.project_away(op, columns, input),
            Op::ProjectKeep { columns } => self.project_keep(op, columns, input),
            Op::ProjectByNames { columns } => self.project_by_names(op, columns, input),
            Op::ProjectRename { columns } => self.project_rename(op, columns, input),
            Op::ProjectReorder { columns } => self.project_reorder(op, columns, input),
            Op::Distinct { columns } => self.distinct(op, columns, input),
            _ => input,
        }
    }

    fn rows_operator(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        match &op.kind {
            Op::Count { name } => {
                let name = name.as_ref().map_or("Count", |n| n.text.as_str());
                self.shaped(op, input, vec![column(name, Type::Long)], |input| {
                    RelKind::Count { input }
                })
            }
            Op::Sort { by } => {
                let keys = by.iter().map(|key| self.sort_key(key, &input, true)).collect();
                self.passed(op, input, |input| RelKind::Sort { input, keys })
            }
            Op::Top { count, by } => {
                let count = self.row_count(count);
                let keys = vec![self.sort_key(by, &input, false)];
                self.passed(op, input, |input| RelKind::Top { input, count, keys })
            }
            Op::Take { count } => {
                let count = self.row_count(count);
                self.passed(op, input, |input| RelKind::Take { input, count })
            }
            Op::Sample { count } => {
                // Any rows are a sample; the first ones are the same in every run.
                let count = self.row_count(count);
                self.passed(op, input, |input| RelKind::Take { input, count })
            }
            _ => input,
        }
    }

    fn combining_operator(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        match &op.kind {
            Op::Summarize {
                aggregates, by, bin, ..
            } => self.summarize(op, aggregates, by, bin.as_deref(), input),
            Op::Join { right, condition } => self.join(op, right, condition.as_ref(), input, false),
            Op::Lookup { right, condition } => self.join(op, right, condition.as_ref(), input, true),
            Op::MvExpand { columns, limit } => self.mv_expand(op, columns, limit.as_deref(), input),
            Op::MvApply {
                columns,
                limit,
                query,
                ..
            } => self.mv_apply(op, columns, limit.as_deref(), query, input),
            Op::Invoke { function } => self.invoke(op, function, input),
            Op::Partition(partition) | Op::PartitionBy(partition) => self.partition(op, partition, input),
            Op::Fork { branches } => self.fork(op, branches, input),
            Op::Facet { by, with } => self.facet(op, by, with.as_deref(), input),
            _ => input,
        }
    }

    fn other_operator(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        match &op.kind {
            Op::Consume => self.shaped(op, input, Vec::new(), |input| {
                special(vec![*input], Operator::Consume)
            }),
            Op::As { name } => self.name_rows(name, input),
            Op::GetSchema => self.get_schema(op, input),
            Op::Parse(parse) => self.parse(op, parse, input, false),
            Op::ParseWhere(parse) => self.parse(op, parse, input, true),
            Op::ParseKv {
                value,
                columns,
                properties,
            } => self.parse_kv(op, value, columns, properties, input),
            Op::Scan(scan) => self.scan(op, scan, input),
            Op::MakeSeries(series) => self.make_series(op, series, input),
            Op::TopNested { levels } => self.top_nested(op, levels, input),
            Op::TopHitters { count, of, by } => self.top_hitters(op, count, of, by.as_deref(), input),
            Op::SampleDistinct { count, of } => self.sample_distinct(op, count, of, input),
            Op::Reduce { by, .. } => self.reduce(op, by, input),
            Op::Render { properties, .. } => self.render(properties, input),
            Op::GraphMarkComponents
            | Op::GraphMatch(_)
            | Op::GraphShortestPaths(_)
            | Op::GraphToTable { .. }
            | Op::GraphWhereNodes { .. }
            | Op::GraphWhereEdges { .. }
            | Op::MakeGraph(_) => self.graph(op, input),
            // How rows are drawn, and what is asserted of them, does not change them.
            _ => input,
        }
    }

    /// What is written beside a chart is a value like any other.
    fn chart_text(&mut self, value: &ast::Expr, input: &Bound) {
        let text = self.scalar(value, Ctx::over(input));
        if !matches!(text.ty, Type::String | Type::Dynamic | Type::Unknown) {
            self.error(
                codes::WRONG_TYPE,
                value.span,
                format!("a string is needed here, but this is of type `{}`", text.ty),
            );
        }
    }

    /// A chart's properties may name columns.
    fn render(&mut self, properties: &[ast::Param], input: Bound) -> Bound {
        for property in properties {
            let name = property.name.text.to_ascii_lowercase();
            if matches!(name.as_str(), "title" | "xtitle" | "ytitle") {
                self.chart_text(&property.value, &input);
            }
            if !matches!(
                name.as_str(),
                "xcolumn" | "ycolumns" | "series" | "anomalycolumns"
            ) {
                continue;
            }
            for value in std::iter::once(&property.value).chain(&property.more) {
                if let Ast::Name(_) = &value.kind {
                    self.matching_columns(value, &input);
                }
            }
        }
        input
    }

    fn get_schema(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        let columns = vec![
            column("ColumnName", Type::String),
            column("ColumnOrdinal", Type::Long),
            column("DataType", Type::String),
            column("ColumnType", Type::String),
        ];
        self.shaped(op, input, columns, |input| RelKind::GetSchema { input })
    }

    /// Graphs are bound as far as their tables go: what comes out is open.
    fn graph(&mut self, op: &ast::Operator, input: Bound) -> Bound {
        if let Op::MakeGraph(graph) = &op.kind {
            self.scalar(&graph.source, Ctx::over(&input));
            self.scalar(&graph.target, Ctx::over(&input));
            for (nodes, id) in &graph.nodes {
                let nodes = self.table(nodes);
                self.scalar(id, Ctx::over(&nodes));
            }
        }
        let construct = format!("the graph operator `{}`", op.kind.name());
        let key = format!("graph@{}", op.span.start);
        let bound = self.shaped(op, input, Vec::new(), |input| RelKind::Unsupported {
            inputs: vec![*input],
            construct,
        });
        self.opened(bound, &key)
    }

    pub(super) fn sort_key(&mut self, key: &ast::Ordered, input: &Bound, strict: bool) -> SortKey {
        let expr = self.scalar(&key.value.value, Ctx::over(input));
        if strict && expr.ty == Type::Dynamic {
            self.dynamic_key(key.value.value.span, "sorted by");
        }
        let descending = !matches!(
            key.order,
            Some(ast::SortOrder::Ascending | ast::SortOrder::GrannyAscending)
        );
        let nulls_first = match key.nulls {
            Some(ast::NullsOrder::First) => true,
            Some(ast::NullsOrder::Last) => false,
            None => !descending,
        };
        SortKey {
            expr,
            descending,
            nulls_first,
        }
    }

    /// A key that has no order.
    pub(super) fn dynamic_key(&mut self, at: Span, what: &str) {
        self.report(
            rulec_source::Diagnostic::new(codes::DYNAMIC_KEY, format!("a `dynamic` value cannot be {what}"))
                .at(at)
                .help("convert it first: `tostring(…)`, `tolong(…)`"),
        );
    }

    fn range(
        &mut self,
        op: &ast::Operator,
        name: &ast::Name,
        from: &ast::Expr,
        to: &ast::Expr,
        step: &ast::Expr,
    ) -> Bound {
        let from = self.constant(from);
        let to = self.constant(to);
        let step = self.constant(step);
        let ty = [to.ty, step.ty]
            .into_iter()
            .fold(from.ty, |ty, next| match (ty, next) {
                (Type::DateTime | Type::TimeSpan, _) => ty,
                (Type::Unknown, next) => next,
                (ty, Type::Unknown | Type::Dynamic) => ty,
                (ty, next) if ty.is_numeric() && next.is_numeric() && rank(next) > rank(ty) => next,
                (ty, _) => ty,
            });
        let ty = if ty == Type::Int && step.ty == Type::Long {
            Type::Long
        } else {
            ty
        };
        let columns = vec![column(name.text.as_str(), ty)];
        let at = self.at(op.span);
        self.source(RelKind::Range { from, to, step }, columns, at)
    }

    fn parse(&mut self, op: &ast::Operator, parse: &ast::Parse, input: Bound, filter: bool) -> Bound {
        let expr = self.scalar(&parse.value, Ctx::over(&input));
        let kind = match keyword(op, "kind").as_deref() {
            None | Some("simple") => ParseKind::Simple,
            Some("relaxed") => ParseKind::Relaxed,
            Some("regex") => ParseKind::Regex,
            Some(other) => {
                let at = op.param("kind").map_or(op.span, |p| p.value.span);
                self.error(
                    codes::BAD_PARAMETER,
                    at,
                    format!("`{other}` is no kind of parse; there are `simple`, `relaxed` and `regex`"),
                );
                ParseKind::Simple
            }
        };
        let flags = keyword(op, "flags").unwrap_or_default();
        let mut columns = input.columns().to_vec();
        let mut listed = input.meta.listed.clone();
        if let Some(listed) = &mut listed {
            listed.extend(std::mem::take(&mut self.noted).into_order());
        }
        let before = columns.len();
        let mut steps = Vec::new();
        for (place, part) in parse.pattern.iter().enumerate() {
            match part {
                ast::ParsePart::Star(at) => {
                    if matches!(parse.pattern.get(place + 1), Some(ast::ParsePart::Star(_))) {
                        self.error(codes::AMBIGUOUS_PATTERN, *at, "only a text can follow `*`");
                    }
                    let after_text = place.checked_sub(1).and_then(|i| parse.pattern.get(i)).is_some_and(
                        |before| matches!(before, ast::ParsePart::Column { ty, .. } if ty.as_ref().is_none_or(|t| t.ty == ast::ScalarType::String)),
                    );
                    if after_text {
                        self.error(
                            codes::AMBIGUOUS_PATTERN,
                            *at,
                            "behind a string column, `*` does not say where the column ends",
                        );
                    }
                    steps.push(ParseStep::Skip);
                }
                ast::ParsePart::Text(text) => {
                    let value = self.constant(text);
                    if let Some(rulec_functions::Value::String(text)) = self.literal_of(&value) {
                        steps.push(ParseStep::Text(text.to_string()));
                    }
                }
                ast::ParsePart::Column { name, ty } => {
                    let before = place.checked_sub(1).and_then(|i| parse.pattern.get(i));
                    if !matches!(before, None | Some(ast::ParsePart::Text(_))) {
                        let message = format!("nothing says where the column `{}` begins", name.text);
                        self.report(
                            Diagnostic::new(codes::AMBIGUOUS_PATTERN, message)
                                .at(name.span)
                                .help("put the text that stands before it in quotes, in front of the column"),
                        );
                    }
                    let ty = ty.as_ref().map_or(Type::String, |ty| scalar_type(ty.ty));
                    // A column of the input of the same name gives way, as with `extend`;
                    // the new one stands at the end.
                    let output = columns.len();
                    columns.push(column(name.text.as_str(), ty));
                    if let Some(listed) = &mut listed {
                        listed.push(output);
                    }
                    steps.push(ParseStep::Column { output, ty });
                }
            }
        }
        let _ = before;
        let open = input.rel.open;
        let mut bound = self.shaped(op, input, columns, |input| RelKind::Parse {
            input,
            kind,
            flags,
            expr,
            steps,
            filter,
        });
        bound.meta.listed = listed;
        bound.rel.open = open;
        bound
    }

    fn parse_kv(
        &mut self,
        op: &ast::Operator,
        value: &ast::Expr,
        decls: &[ast::ColumnDecl],
        properties: &[ast::Param],
        input: Bound,
    ) -> Bound {
        let text = self.scalar(value, Ctx::over(&input));
        let pairs = self.key_values(properties);
        let mut columns = input.columns().to_vec();
        let width = columns.len();
        columns.extend(self.declared_columns(decls));
        let made: Vec<usize> = (width..columns.len()).collect();
        let filled = made.clone();
        self.listed_after(op, input, columns, made, |input| {
            special(
                vec![*input],
                Operator::ParseKv {
                    text,
                    pairs,
                    columns: filled,
                },
            )
        })
    }

    /// `with (pair_delimiter=' ', kv_delimiter='=', …)`.
    fn key_values(&mut self, properties: &[ast::Param]) -> KeyValues {
        let mut pairs = KeyValues::default();
        for property in properties {
            let value = self.constant(&property.value);
            let wanted = if property.name.text.eq_ignore_ascii_case("greedy") {
                Type::Bool
            } else {
                Type::String
            };
            if value.ty != wanted && value.ty != Type::Unknown {
                self.error(
                    codes::WRONG_TYPE,
                    property.value.span,
                    format!("a `{wanted}` is needed here, but this is of type `{}`", value.ty),
                );
            }
            let given = self.literal_of(&value);
            let text = given
                .as_ref()
                .map(rulec_functions::text::print)
                .unwrap_or_default();
            let mut characters = text.chars();
            match property.name.text.to_ascii_lowercase().as_str() {
                "pair_delimiter" => pairs.pair = text,
                "kv_delimiter" => pairs.between = text,
                "quote" => {
                    let open = characters.next();
                    pairs.quote = open.map(|open| (open, characters.next().unwrap_or(open)));
                }
                "escape" => pairs.escape = characters.next(),
                "greedy" => pairs.greedy = text == "true",
                "regex" => pairs.regex = Some(text),
                _ => {}
            }
        }
        if let Some(regex) = &pairs.regex
            && let Err(why) = rulec_functions::regexes::compile(regex)
        {
            let at = properties
                .iter()
                .find(|p| p.name.text == "regex")
                .map(|p| p.value.span);
            self.error(
                codes::BAD_PARAMETER,
                at.unwrap_or_default(),
                format!("This is no regular expression: {why}"),
            );
            pairs.regex = None;
        }
        pairs
    }

    /// `invoke f(…)`.
    fn invoke(&mut self, op: &ast::Operator, function: &ast::Expr, input: Bound) -> Bound {
        let at = self.at(op.span);
        let call = match &function.kind {
            Ast::Call(call) => call,
            Ast::Path(path) => match path.steps.last().map(|s| &s.kind) {
                Some(ast::StepKind::Call(call)) => call,
                _ => return self.nothing(at),
            },
            _ => return self.nothing(at),
        };
        let name = call.name.text.as_str();
        if let Some(variable) = self.scopes.find(name)
            && let super::scope::Entity::Function(function) = variable.entity.clone()
        {
            self.mention(name);
            self.note_call(name, call.name.span, false);
            let any = self.call_user(&function, &call.args, call.name.span, Ctx::NONE, Some(input));
            return self.as_table(any, op.span);
        }
        let Some(declared) = self.catalog.function(name) else {
            self.note_call(name, call.name.span, false);
            self.unknown_function(name, call.name.span);
            let mut unknown = self.nothing(at);
            // What stands before it is understood, and can be told.
            unknown.rel.kind = RelKind::Unsupported {
                inputs: vec![input.rel],
                construct: format!("the function `{name}`"),
            };
            return unknown;
        };
        self.note_call(name, call.name.span, false);
        let rulec_facts::tables::FunctionResult::Appends(added) = &declared.result else {
            let any = self.call(call, Ctx::NONE);
            return self.as_table(any, op.span);
        };
        let min = declared.parameters.iter().filter(|p| p.default.is_none()).count();
        if !(min..=declared.parameters.len()).contains(&call.args.len()) {
            let error = rulec_functions::TypeError::Count {
                min,
                max: Some(declared.parameters.len()),
                given: call.args.len(),
            };
            self.type_error(name, false, &error, &[], &[], call.name.span);
        }
        let mut args = Vec::new();
        for (i, arg) in call.args.iter().enumerate() {
            let mut value = match self.any(&arg.value, Ctx::over(&input)) {
                Any::Scalar(value) => value,
                Any::Table(_) => Self::broken(self.at(arg.value.span)),
            };
            // `FileProfile("SHA1")` means the column as well.
            if declared.parameters.get(i).is_some_and(|p| p.column)
                && let crate::ExprKind::Literal(rulec_functions::Value::String(name)) = &value.kind
                && let Some(index) = input.find(name)
            {
                value = input.column(index, value.span);
            }
            args.push(value);
        }
        let mut listed = input.meta.listed.clone();
        if let Some(listed) = &mut listed {
            listed.extend(std::mem::take(&mut self.noted).into_order());
        }
        let mut names = super::names::NameTable::default();
        let mut columns: Vec<Column> = input.columns().to_vec();
        for existing in &columns {
            names.derived(&existing.name);
        }
        for (added, ty) in added {
            if let Some(listed) = &mut listed {
                listed.push(columns.len());
            }
            columns.push(column(names.derived(added), *ty));
        }
        let open = input.rel.open;
        let function = name.to_owned();
        let mut bound = self.shaped(op, input, columns, |input| RelKind::Invoke {
            input,
            function,
            args,
        });
        bound.meta.listed = listed;
        bound.rel.open = open;
        bound
    }

    /// `macro-expand`: its tables belong to clusters we do not know.
    fn macro_expand(&mut self, op: &ast::Operator, scope: &ast::Name, body: &ast::Body) -> Bound {
        let before = self.scopes.enter(self.scopes.here());
        self.scopes
            .declare(&scope.text, scope.span, super::scope::Entity::Opaque);
        let any = self.body(body, Ctx::NONE);
        self.scopes.leave(before);
        self.as_table(any, op.span)
    }
}

/// The value of a parameter that takes a word: `kind=leftouter`.
pub(super) fn keyword(op: &ast::Operator, name: &str) -> Option<String> {
    word(op.param(name)?)
}

/// A parameter's value as a word.
pub(super) fn word(param: &ast::Param) -> Option<String> {
    match &param.value.kind {
        Ast::Name(word) => Some(word.text.clone()),
        Ast::Literal(ast::Literal::String(text)) => Some(text.value.clone()),
        Ast::Literal(ast::Literal::Bool(b)) => Some(b.to_string()),
        _ => None,
    }
}

/// Numbers from narrow to wide.
fn rank(ty: Type) -> usize {
    match ty {
        Type::Int => 1,
        Type::Long => 2,
        Type::Real => 3,
        Type::Decimal => 4,
        _ => 0,
    }
}

/// One of the less common operators over its inputs.
pub(super) fn special(inputs: Vec<crate::Rel>, operator: Operator) -> RelKind {
    RelKind::Special {
        inputs,
        operator: Box::new(operator),
    }
}

/// An operator that is bound but not run.
pub(super) fn unsupported(inputs: Vec<crate::Rel>, construct: &str) -> RelKind {
    RelKind::Unsupported {
        inputs,
        construct: construct.to_owned(),
    }
}
