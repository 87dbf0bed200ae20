//! Tokens and trees as text, for people and for golden files.
//!
//! In: [`Parsed`]. Out: stable text, one token or one node a line. The tree
//! shows what was understood, not how it was written. Places are line and
//! column from 1, as editors count: `@3:5..12` lies on line 3, `@3:5..4:2`
//! ends on line 4; the end is excluded.
//! Deliberately absent: a way back from the text.

mod places;
mod values;

use std::fmt::Write;

use rulec_source::Span;

use self::{places::Places, values::literal};
use crate::ast::{
    Alias, Body, Call, Column, ColumnDecl, ColumnNames, DeclarePattern, DeclareQueryParameters, Expr,
    ExprKind, FindOutput, GraphMatch, GraphPartKind, JoinCondition, Json, JsonKind, Let, Literal, Name,
    Operator, OperatorKind, Ordered, Param, Parameter, ParameterType, ParsePart, Query, Restrict,
    SeriesRange, SetOption, Statement, StepKind, TableType, TypeOf,
};
use crate::{Parsed, TokenKind};

/// Every token on a line: its kind, where it is, and its text.
pub fn dump_tokens(parsed: &Parsed) -> String {
    let places = Places::new(&parsed.text);
    let mut out = String::new();
    for token in &parsed.tokens {
        let kind = match token.kind {
            TokenKind::Keyword(keyword) => format!("Keyword({})", keyword.as_str()),
            TokenKind::Typed(ty) => format!("Typed({})", ty.as_str()),
            other => format!("{other:?}"),
        };
        let text = token.span.of(&parsed.text);
        let place = places.span(token.span);
        let _ = writeln!(out, "{place:<10} {kind:<19} {text:?}");
    }
    out
}

/// The tree, one node a line, children indented, each with its place.
pub fn dump_ast(parsed: &Parsed) -> String {
    let mut dump = Dump {
        out: String::new(),
        level: 0,
        places: Some(Places::new(&parsed.text)),
    };
    dump.query(&parsed.query);
    dump.out
}

/// The tree without places: equal for two texts that say the same.
pub fn dump_shape(parsed: &Parsed) -> String {
    let mut dump = Dump {
        out: String::new(),
        level: 0,
        places: None,
    };
    dump.query(&parsed.query);
    dump.out
}

struct Dump {
    out: String,
    level: usize,
    places: Option<Places>,
}

impl Dump {
    fn line(&mut self, text: &str, span: Option<Span>) {
        for _ in 0..self.level {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        if let (Some(places), Some(span)) = (&self.places, span) {
            let _ = write!(self.out, " @{}", places.span(span));
        }
        self.out.push('\n');
    }

    /// A line and what belongs to it.
    fn node(&mut self, text: &str, span: Option<Span>, children: impl FnOnce(&mut Self)) {
        self.line(text, span);
        self.level += 1;
        children(self);
        self.level -= 1;
    }

    /// A labelled group, left out when there is nothing in it.
    fn group<X>(&mut self, label: &str, items: &[X], mut item: impl FnMut(&mut Self, &X)) {
        if items.is_empty() {
            return;
        }
        self.node(label, None, |d| items.iter().for_each(|x| item(d, x)));
    }

    fn exprs(&mut self, label: &str, items: &[Expr]) {
        self.group(label, items, Self::expr);
    }

    fn labelled(&mut self, label: &str, expr: &Expr) {
        self.node(label, None, |d| d.expr(expr));
    }

    fn optional(&mut self, label: &str, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.labelled(label, expr);
        }
    }

    fn query(&mut self, query: &Query) {
        let span = query.span;
        self.node("Query", Some(span), |d| {
            query.statements.iter().for_each(|s| d.statement(s));
        });
    }

    fn statement(&mut self, statement: &Statement) {
        let span = Some(statement.span());
        match statement {
            Statement::Let(Let { name, value, .. }) => {
                self.node(&format!("Let {}", show(name)), span, |d| d.expr(value));
            }
            Statement::Set(SetOption { name, value, .. }) => {
                self.node(&format!("Set {}", show(name)), span, |d| {
                    if let Some(v) = value {
                        d.expr(v);
                    }
                });
            }
            Statement::Alias(Alias { name, value, .. }) => {
                self.node(&format!("Alias {}", show(name)), span, |d| d.expr(value));
            }
            Statement::DeclareQueryParameters(DeclareQueryParameters { parameters, .. }) => {
                self.node("DeclareQueryParameters", span, |d| {
                    for p in parameters {
                        d.parameter(p);
                    }
                });
            }
            Statement::DeclarePattern(pattern) => self.pattern(pattern),
            Statement::Restrict(Restrict {
                entities, properties, ..
            }) => {
                self.node("Restrict", span, |d| {
                    for e in entities {
                        d.expr(e);
                    }
                    d.group("with", properties, Self::param);
                });
            }
            Statement::Expression(expr) => self.node("Expression", span, |d| d.expr(expr)),
        }
    }

    fn pattern(&mut self, pattern: &DeclarePattern) {
        self.node(
            &format!("DeclarePattern {}", show(&pattern.name)),
            Some(pattern.span),
            |d| {
                let Some(definition) = &pattern.definition else {
                    return;
                };
                d.group("parameters", &definition.parameters, Self::column_decl);
                if let Some(path) = &definition.path {
                    d.node("path", None, |d| d.column_decl(path));
                }
                for case in &definition.matches {
                    d.node("Case", Some(case.span), |d| {
                        d.exprs("values", &case.values);
                        d.optional("path", case.path.as_ref());
                        d.body(&case.body);
                    });
                }
            },
        );
    }

    fn parameter(&mut self, parameter: &Parameter) {
        let span = Some(parameter.span);
        let head = format!("Parameter {}", show(&parameter.name));
        match &parameter.ty {
            ParameterType::Scalar(ty) => {
                self.node(&format!("{head}: {}", ty.ty.as_str()), span, |d| {
                    parameter.default.iter().for_each(|v| d.expr(v));
                });
            }
            ParameterType::Tabular(table) => {
                self.node(&head, span, |d| {
                    d.table_type(table);
                    parameter.default.iter().for_each(|v| d.expr(v));
                });
            }
        }
    }

    fn table_type(&mut self, table: &TableType) {
        let head = if table.open { "Table (*)" } else { "Table" };
        if table.columns.is_empty() && table.open {
            return self.line(head, Some(table.span));
        }
        self.node(head, Some(table.span), |d| {
            table.columns.iter().for_each(|c| d.column_decl(c));
        });
    }

    fn column_decl(&mut self, column: &ColumnDecl) {
        self.line(
            &format!("{}: {}", show(&column.name), column.ty.ty.as_str()),
            Some(column.span),
        );
    }

    fn body(&mut self, body: &Body) {
        self.node("Body", Some(body.span), |d| {
            body.statements.iter().for_each(|s| d.statement(s));
            if let Some(result) = &body.result {
                d.labelled("result", result);
            }
        });
    }

    fn param(&mut self, param: &Param) {
        self.node(&format!("Param {}", param.name.text), Some(param.span), |d| {
            d.expr(&param.value);
            param.more.iter().for_each(|v| d.expr(v));
        });
    }

    fn call(&mut self, call: &Call) {
        self.node(&format!("Call {}", show(&call.name)), Some(call.span), |d| {
            call.params.iter().for_each(|p| d.param(p));
            for arg in &call.args {
                match &arg.name {
                    Some(name) => d.node(&format!("Argument {}", show(name)), Some(arg.span), |d| {
                        d.expr(&arg.value);
                    }),
                    None => d.expr(&arg.value),
                }
            }
        });
    }

    fn column(&mut self, column: &Column) {
        let names = match &column.names {
            ColumnNames::Derived => return self.expr(&column.value),
            ColumnNames::One(name) => show(name),
            ColumnNames::Many(names) => {
                format!("({})", names.iter().map(show).collect::<Vec<_>>().join(", "))
            }
        };
        self.node(&format!("Column {names}"), Some(column.span), |d| {
            d.expr(&column.value);
        });
    }

    fn columns(&mut self, columns: &[Column]) {
        for c in columns {
            self.column(c);
        }
    }

    fn ordered(&mut self, ordered: &Ordered) {
        let order = ordered
            .order
            .map_or(String::new(), |o| format!(" {}", o.as_str()));
        let nulls = ordered
            .nulls
            .map_or(String::new(), |n| format!(" nulls {}", lower(&n)));
        self.node(&format!("Ordered{order}{nulls}"), Some(ordered.span), |d| {
            d.column(&ordered.value);
        });
    }

    fn expr(&mut self, expr: &Expr) {
        let span = Some(expr.span);
        match &expr.kind {
            ExprKind::Missing => self.line("Missing", span),
            ExprKind::Literal(Literal::Dynamic(json)) => self.node("Dynamic", span, |d| d.json(None, json)),
            ExprKind::Literal(value) => self.line(&literal(value), span),
            ExprKind::Name(name) => self.line(&format!("Name {}", show(name)), span),
            ExprKind::Wildcard(name) => self.line(&format!("Wildcard {}", name.text), span),
            ExprKind::Star => self.line("Star", span),
            ExprKind::Pipeline(pipeline) => self.node("Pipeline", span, |d| {
                pipeline.source.iter().for_each(|s| d.expr(s));
                pipeline.operators.iter().for_each(|o| d.operator(o));
            }),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Path(path) => self.node("Path", span, |d| {
                d.expr(&path.base);
                for step in &path.steps {
                    let span = Some(step.span);
                    match &step.kind {
                        StepKind::Member(name) => d.line(&format!("Member {}", show(name)), span),
                        StepKind::Wildcard(name) => d.line(&format!("Wildcard {}", name.text), span),
                        StepKind::Call(call) => d.call(call),
                        StepKind::Index(index) => d.node("Index", span, |d| d.expr(index)),
                    }
                }
            }),
            ExprKind::Unary(unary) => self.node(&format!("{:?}", unary.op), span, |d| d.expr(&unary.operand)),
            ExprKind::Arithmetic(sum) => self.node("Arithmetic", span, |d| {
                d.expr(&sum.first);
                for link in &sum.rest {
                    d.node(link.op.as_str(), Some(link.op_span), |d| d.expr(&link.operand));
                }
            }),
            ExprKind::Binary(binary) => self.node(&format!("Binary {}", binary.op.as_str()), span, |d| {
                d.expr(&binary.lhs);
                d.expr(&binary.rhs);
            }),
            ExprKind::And(parts) => self.node("And", span, |d| parts.iter().for_each(|p| d.expr(p))),
            ExprKind::Or(parts) => self.node("Or", span, |d| parts.iter().for_each(|p| d.expr(p))),
            ExprKind::InList(list) => self.node(&format!("InList {}", list.op.as_str()), span, |d| {
                d.expr(&list.lhs);
                d.exprs("list", &list.list);
            }),
            ExprKind::Between(between) => {
                let op = if between.negated { "!between" } else { "between" };
                self.node(op, span, |d| {
                    d.expr(&between.operand);
                    d.expr(&between.from);
                    d.expr(&between.to);
                });
            }
            ExprKind::Parenthesised(inner) => self.node("Parenthesised", span, |d| d.expr(inner)),
            ExprKind::Bracketed(inner) => self.node("Bracketed", span, |d| d.expr(inner)),
            ExprKind::Named(column) => self.node("Named", span, |d| d.column(column)),
            ExprKind::Function(function) => {
                let head = if function.view { "View" } else { "Function" };
                self.node(head, span, |d| {
                    function.parameters.iter().for_each(|p| d.parameter(p));
                    d.body(&function.body);
                });
            }
            ExprKind::Datatable(table) => self.node("Datatable", span, |d| {
                table.params.iter().for_each(|p| d.param(p));
                d.group("columns", &table.columns, Self::column_decl);
                d.exprs("values", &table.values);
            }),
            ExprKind::ExternalData(data) => self.node("ExternalData", span, |d| {
                data.params.iter().for_each(|p| d.param(p));
                d.group("columns", &data.columns, Self::column_decl);
                d.exprs("uris", &data.uris);
                d.group("with", &data.properties, Self::param);
            }),
            ExprKind::ContextualDatatable(table) => self.node("ContextualDatatable", span, |d| {
                d.expr(&table.id);
                d.group("columns", &table.columns, Self::column_decl);
            }),
            ExprKind::EntityGroup(entities) => {
                self.node("EntityGroup", span, |d| entities.iter().for_each(|e| d.expr(e)));
            }
            ExprKind::TypeOf(TypeOf::Scalar(ty)) => self.line(&format!("TypeOf {}", ty.ty.as_str()), span),
            ExprKind::TypeOf(TypeOf::Tabular(table)) => self.node("TypeOf", span, |d| d.table_type(table)),
        }
    }

    fn json(&mut self, key: Option<&str>, json: &Json) {
        let key = key.map_or(String::new(), |k| format!("{k:?}: "));
        let span = Some(json.span);
        match &json.kind {
            JsonKind::Null => self.line(&format!("{key}null"), span),
            JsonKind::Bool(value) => self.line(&format!("{key}{value}"), span),
            JsonKind::Long(value) => self.line(&format!("{key}{value}"), span),
            JsonKind::Real(value) => self.line(&format!("{key}{value:?}"), span),
            JsonKind::String(value) => self.line(&format!("{key}{value:?}"), span),
            JsonKind::Literal(value) => self.line(&format!("{key}{}", literal(value)), span),
            JsonKind::Array(items) => {
                self.node(&format!("{key}Array"), span, |d| {
                    for i in items {
                        d.json(None, i);
                    }
                });
            }
            JsonKind::Object(pairs) => self.node(&format!("{key}Object"), span, |d| {
                for p in pairs {
                    d.json(Some(&p.key), &p.value);
                }
            }),
        }
    }

    fn operator(&mut self, operator: &Operator) {
        self.node(operator.kind.name(), Some(operator.span), |d| {
            operator.params.iter().for_each(|p| d.param(p));
            d.operator_kind(&operator.kind);
        });
    }

    fn condition(&mut self, condition: Option<&JoinCondition>) {
        match condition {
            Some(JoinCondition::On(exprs)) => self.exprs("on", exprs),
            Some(JoinCondition::Where(expr)) => self.labelled("where", expr),
            None => {}
        }
    }

    fn mv_columns(&mut self, columns: &[crate::ast::MvColumn]) {
        for column in columns {
            match &column.ty {
                Some(ty) => self.node(&format!("to {}", ty.ty.as_str()), None, |d| {
                    d.column(&column.column);
                }),
                None => self.column(&column.column),
            }
        }
    }

    fn operator_kind(&mut self, kind: &OperatorKind) {
        use OperatorKind as O;
        match kind {
            O::Bad | O::Consume | O::ExecuteAndCache | O::GetSchema | O::GraphMarkComponents => {}
            O::As { name } => self.line(&show(name), Some(name.span)),
            O::AssertSchema { columns } => columns.iter().for_each(|c| self.column_decl(c)),
            O::Count { name } => name
                .iter()
                .for_each(|n| self.line(&format!("as {}", show(n)), Some(n.span))),
            O::Distinct { columns } | O::ProjectAway { columns } | O::ProjectKeep { columns } => {
                for c in columns {
                    self.expr(c);
                }
            }
            O::ProjectByNames { columns } => columns.iter().for_each(|c| self.expr(c)),
            O::Evaluate { call, schema } => {
                self.call(call);
                if let Some(schema) = schema {
                    let head = if schema.star { "schema *" } else { "schema" };
                    self.node(head, Some(schema.span), |d| {
                        schema.columns.iter().for_each(|c| d.column_decl(c));
                    });
                }
            }
            O::Extend { columns }
            | O::Print { columns }
            | O::Project { columns }
            | O::ProjectRename { columns }
            | O::Serialize { columns } => self.columns(columns),
            O::Facet { by, with } => {
                self.exprs("by", by);
                self.optional("with", with.as_deref());
            }
            O::Find(find) => {
                self.exprs("in", &find.tables);
                self.labelled("where", &find.predicate);
                match &find.output {
                    FindOutput::Default => {}
                    FindOutput::Smart => self.line("project-smart", None),
                    FindOutput::Project(columns) => self.group("project", columns, |d, c| match &c.ty {
                        Some(ty) => d.node(&format!("as {}", ty.ty.as_str()), None, |d| d.expr(&c.column)),
                        None => d.expr(&c.column),
                    }),
                }
                self.exprs("project-away", &find.project_away);
            }
            O::Fork { branches } => {
                for branch in branches {
                    let name = branch
                        .name
                        .as_ref()
                        .map_or(String::new(), |n| format!(" {}", show(n)));
                    self.node(&format!("Branch{name}"), Some(branch.span), |d| {
                        d.expr(&branch.query);
                    });
                }
            }
            O::GraphMatch(graph) | O::GraphShortestPaths(graph) => self.graph_match(graph),
            O::GraphToTable { outputs } => {
                for output in outputs {
                    let name = output
                        .name
                        .as_ref()
                        .map_or(String::new(), |n| format!(" as {}", show(n)));
                    self.node(&format!("{}{name}", output.what.text), Some(output.span), |d| {
                        output.params.iter().for_each(|p| d.param(p));
                    });
                }
            }
            O::GraphWhereNodes { predicate } | O::GraphWhereEdges { predicate } | O::Where { predicate } => {
                self.expr(predicate);
            }
            O::Invoke { function } => self.expr(function),
            O::Join { right, condition } | O::Lookup { right, condition } => {
                self.expr(right);
                self.condition(condition.as_ref());
            }
            O::MacroExpand { group, scope, body } => {
                self.expr(group);
                self.line(&format!("as {}", show(scope)), None);
                self.body(body);
            }
            O::MakeGraph(graph) => {
                self.expr(&graph.source);
                self.line(&format!("direction {}", lower(&graph.direction)), None);
                self.expr(&graph.target);
                for (table, key) in &graph.nodes {
                    self.node("nodes", None, |d| {
                        d.expr(table);
                        d.expr(key);
                    });
                }
                if let Some(name) = &graph.node_id {
                    self.line(&format!("with_node_id {}", show(name)), Some(name.span));
                }
                if let Some((key, query)) = &graph.partitioned_by {
                    self.node("partitioned-by", None, |d| {
                        d.expr(key);
                        d.expr(query);
                    });
                }
            }
            O::MakeSeries(series) => {
                for aggregate in &series.aggregates {
                    self.column(&aggregate.column);
                    self.optional("default", aggregate.default.as_ref());
                }
                self.node("on", None, |d| d.column(&series.on));
                match &series.range {
                    SeriesRange::Steps { from, to, step } => {
                        self.optional("from", from.as_deref());
                        self.optional("to", to.as_deref());
                        self.labelled("step", step);
                    }
                    SeriesRange::InRange(ends) => self.exprs("in range", ends),
                }
                self.group("by", &series.by, Self::column);
            }
            O::MvApply {
                columns,
                limit,
                id,
                query,
            } => {
                self.mv_columns(columns);
                self.optional("limit", limit.as_deref());
                self.optional("id", id.as_deref());
                self.labelled("on", query);
            }
            O::MvExpand { columns, limit } => {
                self.mv_columns(columns);
                self.optional("limit", limit.as_deref());
            }
            O::Parse(parse) | O::ParseWhere(parse) => {
                self.expr(&parse.value);
                self.group("with", &parse.pattern, |d, part| match part {
                    ParsePart::Star(span) => d.line("*", Some(*span)),
                    ParsePart::Text(text) => d.expr(text),
                    ParsePart::Column { name, ty } => {
                        let ty = ty
                            .as_ref()
                            .map_or(String::new(), |t| format!(": {}", t.ty.as_str()));
                        d.line(&format!("{}{ty}", show(name)), Some(name.span));
                    }
                });
            }
            O::ParseKv {
                value,
                columns,
                properties,
            } => {
                self.expr(value);
                self.group("as", columns, Self::column_decl);
                self.group("with", properties, Self::param);
            }
            O::Partition(partition) | O::PartitionBy(partition) => {
                self.labelled("by", &partition.by);
                self.optional("scope", partition.scope.as_deref());
                let label = if partition.braces { "query {}" } else { "query ()" };
                self.labelled(label, &partition.query);
            }
            O::ProjectReorder { columns } => columns.iter().for_each(|c| self.ordered(c)),
            O::Sort { by } => by.iter().for_each(|c| self.ordered(c)),
            O::Range {
                column,
                from,
                to,
                step,
            } => {
                self.line(&show(column), Some(column.span));
                self.labelled("from", from);
                self.labelled("to", to);
                self.labelled("step", step);
            }
            O::Reduce { by, properties } => {
                self.column(by);
                self.group("with", properties, Self::param);
            }
            O::Render {
                visualization,
                properties,
                with,
            } => {
                self.line(&visualization.text, Some(visualization.span));
                self.group(if *with { "with" } else { "properties" }, properties, Self::param);
            }
            O::Sample { count } | O::Take { count } => self.expr(count),
            O::SampleDistinct { count, of } => {
                self.expr(count);
                self.labelled("of", of);
            }
            O::Scan(scan) => {
                self.group("order by", &scan.order_by, Self::ordered);
                self.exprs("partition by", &scan.partition_by);
                self.group("declare", &scan.declare, Self::parameter);
                for step in &scan.steps {
                    let optional = if step.optional { " optional" } else { "" };
                    let output = step
                        .output
                        .as_ref()
                        .map_or(String::new(), |o| format!(" output={}", o.text));
                    let head = format!("Step {}{optional}{output}", show(&step.name));
                    self.node(&head, Some(step.span), |d| {
                        d.expr(&step.condition);
                        d.columns(&step.assignments);
                    });
                }
            }
            O::Search { tables, predicate } => {
                self.exprs("in", tables);
                self.expr(predicate);
            }
            O::Summarize {
                aggregates,
                has_by,
                by,
                bin,
            } => {
                self.columns(aggregates);
                if *has_by {
                    self.node("by", None, |d| d.columns(by));
                }
                self.optional("bin", bin.as_deref());
            }
            O::Top { count, by } => {
                self.expr(count);
                self.node("by", None, |d| d.ordered(by));
            }
            O::TopHitters { count, of, by } => {
                self.expr(count);
                self.labelled("of", of);
                self.optional("by", by.as_deref());
            }
            O::TopNested { levels } => {
                for level in levels {
                    self.node("Level", Some(level.span), |d| {
                        d.optional("count", level.count.as_ref());
                        d.node("of", None, |d| d.column(&level.of));
                        d.optional("others", level.others.as_ref());
                        d.node("by", None, |d| d.ordered(&level.by));
                    });
                }
            }
            O::Union { tables } => tables.iter().for_each(|t| self.expr(t)),
        }
    }

    fn graph_match(&mut self, graph: &GraphMatch) {
        for pattern in &graph.patterns {
            self.node("Pattern", Some(pattern.span), |d| {
                for part in &pattern.parts {
                    let name = part
                        .name
                        .as_ref()
                        .map_or(String::new(), |n| format!(" {}", show(n)));
                    match &part.kind {
                        GraphPartKind::Node => d.line(&format!("Node{name}"), Some(part.span)),
                        GraphPartKind::Edge { direction, range } => {
                            d.node(
                                &format!("Edge{name} {}", lower(direction)),
                                Some(part.span),
                                |d| {
                                    if let Some((from, to)) = range {
                                        d.expr(from);
                                        d.expr(to);
                                    }
                                },
                            );
                        }
                    }
                }
            });
        }
        self.optional("where", graph.predicate.as_deref());
        if let Some(project) = &graph.project {
            self.group("project", project, Self::column);
        }
    }
}

/// A name as it must be written when it is no plain word.
fn show(name: &Name) -> String {
    if name.bracketed {
        format!("[{:?}]", name.text)
    } else {
        name.text.clone()
    }
}

/// A variant's name as a word.
fn lower(variant: &impl std::fmt::Debug) -> String {
    format!("{variant:?}").to_lowercase()
}
