//! Going through a tree.
//!
//! In: a tree and a [`Visitor`]. Out: its methods are called for every
//! statement, expression, operator and call, parents before children and in
//! the order of the text. Deliberately absent: changing the tree.

use crate::ast::{
    Body, Call, Column, Expr, ExprKind, FindOutput, GraphMatch, GraphPartKind, JoinCondition, Literal,
    MvColumn, Operator, OperatorKind, Ordered, Param, Parameter, ParsePart, Query, SeriesRange, Statement,
    StepKind,
};

/// Called for the nodes of a tree. A method that is overridden goes on to the
/// children by calling the function of the same name in this module.
pub trait Visitor {
    /// A statement of the query or of a function.
    fn statement(&mut self, statement: &Statement) {
        walk_statement(self, statement);
    }

    /// An expression, scalar or tabular.
    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }

    /// A tabular operator.
    fn operator(&mut self, operator: &Operator) {
        walk_operator(self, operator);
    }

    /// A call, wherever it stands.
    fn call(&mut self, call: &Call) {
        walk_call(self, call);
    }
}

/// All statements of a query.
pub fn walk_query<V: Visitor + ?Sized>(visitor: &mut V, query: &Query) {
    query.statements.iter().for_each(|s| visitor.statement(s));
}

/// What is in a statement.
pub fn walk_statement<V: Visitor + ?Sized>(visitor: &mut V, statement: &Statement) {
    match statement {
        Statement::Let(s) => visitor.expr(&s.value),
        Statement::Set(s) => s.value.iter().for_each(|e| visitor.expr(e)),
        Statement::Alias(s) => visitor.expr(&s.value),
        Statement::DeclareQueryParameters(s) => parameters(visitor, &s.parameters),
        Statement::DeclarePattern(s) => {
            for case in s.definition.iter().flat_map(|d| &d.matches) {
                exprs(visitor, &case.values);
                case.path.iter().for_each(|e| visitor.expr(e));
                body(visitor, &case.body);
            }
        }
        Statement::Restrict(s) => {
            exprs(visitor, &s.entities);
            params(visitor, &s.properties);
        }
        Statement::Expression(e) => visitor.expr(e),
    }
}

/// What is in a call: parameters and arguments.
pub fn walk_call<V: Visitor + ?Sized>(visitor: &mut V, call: &Call) {
    params(visitor, &call.params);
    call.args.iter().for_each(|a| visitor.expr(&a.value));
}

/// What is in an expression.
pub fn walk_expr<V: Visitor + ?Sized>(visitor: &mut V, expr: &Expr) {
    match &expr.kind {
        ExprKind::Missing
        | ExprKind::Literal(_)
        | ExprKind::Name(_)
        | ExprKind::Wildcard(_)
        | ExprKind::Star
        | ExprKind::TypeOf(_) => {}
        ExprKind::Pipeline(pipeline) => {
            pipeline.source.iter().for_each(|e| visitor.expr(e));
            pipeline.operators.iter().for_each(|o| visitor.operator(o));
        }
        ExprKind::Call(call) => visitor.call(call),
        ExprKind::Path(path) => {
            visitor.expr(&path.base);
            for step in &path.steps {
                match &step.kind {
                    StepKind::Member(_) | StepKind::Wildcard(_) => {}
                    StepKind::Call(call) => visitor.call(call),
                    StepKind::Index(index) => visitor.expr(index),
                }
            }
        }
        ExprKind::Unary(unary) => visitor.expr(&unary.operand),
        ExprKind::Arithmetic(sum) => {
            visitor.expr(&sum.first);
            sum.rest.iter().for_each(|l| visitor.expr(&l.operand));
        }
        ExprKind::Binary(binary) => {
            visitor.expr(&binary.lhs);
            visitor.expr(&binary.rhs);
        }
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::EntityGroup(parts) => exprs(visitor, parts),
        ExprKind::InList(list) => {
            visitor.expr(&list.lhs);
            exprs(visitor, &list.list);
        }
        ExprKind::Between(between) => {
            visitor.expr(&between.operand);
            visitor.expr(&between.from);
            visitor.expr(&between.to);
        }
        ExprKind::Parenthesised(inner) | ExprKind::Bracketed(inner) => visitor.expr(inner),
        ExprKind::Named(named) => column(visitor, named),
        ExprKind::Function(function) => {
            parameters(visitor, &function.parameters);
            body(visitor, &function.body);
        }
        ExprKind::Datatable(table) => {
            params(visitor, &table.params);
            exprs(visitor, &table.values);
        }
        ExprKind::ExternalData(data) => {
            params(visitor, &data.params);
            exprs(visitor, &data.uris);
            params(visitor, &data.properties);
        }
        ExprKind::ContextualDatatable(table) => visitor.expr(&table.id),
    }
}

/// What is in an operator.
pub fn walk_operator<V: Visitor + ?Sized>(visitor: &mut V, operator: &Operator) {
    use OperatorKind as O;
    params(visitor, &operator.params);
    match &operator.kind {
        O::Bad
        | O::As { .. }
        | O::AssertSchema { .. }
        | O::Consume
        | O::Count { .. }
        | O::ExecuteAndCache
        | O::GetSchema
        | O::GraphMarkComponents => {}
        O::Distinct { columns }
        | O::ProjectAway { columns }
        | O::ProjectByNames { columns }
        | O::ProjectKeep { columns } => exprs(visitor, columns),
        O::Evaluate { call, .. } => visitor.call(call),
        O::Extend { columns: list }
        | O::Print { columns: list }
        | O::Project { columns: list }
        | O::ProjectRename { columns: list }
        | O::Serialize { columns: list } => columns(visitor, list),
        O::Facet { by, with } => {
            exprs(visitor, by);
            if let Some(e) = with {
                visitor.expr(e);
            }
        }
        O::Find(find) => {
            exprs(visitor, &find.tables);
            visitor.expr(&find.predicate);
            if let FindOutput::Project(list) = &find.output {
                for c in list {
                    visitor.expr(&c.column);
                }
            }
            exprs(visitor, &find.project_away);
        }
        O::Fork { branches } => branches.iter().for_each(|b| visitor.expr(&b.query)),
        O::GraphMatch(graph) | O::GraphShortestPaths(graph) => graph_match(visitor, graph),
        O::GraphToTable { outputs } => outputs.iter().for_each(|o| params(visitor, &o.params)),
        O::GraphWhereNodes { predicate } | O::GraphWhereEdges { predicate } | O::Where { predicate } => {
            visitor.expr(predicate);
        }
        O::Invoke { function } => visitor.expr(function),
        O::Join { right, condition } | O::Lookup { right, condition } => {
            visitor.expr(right);
            match condition {
                Some(JoinCondition::On(list)) => exprs(visitor, list),
                Some(JoinCondition::Where(expr)) => visitor.expr(expr),
                None => {}
            }
        }
        O::MacroExpand {
            group, body: inner, ..
        } => {
            visitor.expr(group);
            body(visitor, inner);
        }
        O::MakeGraph(graph) => {
            visitor.expr(&graph.source);
            visitor.expr(&graph.target);
            for (table, key) in &graph.nodes {
                visitor.expr(table);
                visitor.expr(key);
            }
            if let Some((key, query)) = &graph.partitioned_by {
                visitor.expr(key);
                visitor.expr(query);
            }
        }
        O::MakeSeries(series) => {
            for aggregate in &series.aggregates {
                column(visitor, &aggregate.column);
                aggregate.default.iter().for_each(|e| visitor.expr(e));
            }
            column(visitor, &series.on);
            match &series.range {
                SeriesRange::Steps { from, to, step } => {
                    from.iter().chain(to).for_each(|e| visitor.expr(e));
                    visitor.expr(step);
                }
                SeriesRange::InRange(ends) => exprs(visitor, ends),
            }
            columns(visitor, &series.by);
        }
        O::MvApply {
            columns: list,
            limit,
            id,
            query,
        } => {
            mv_columns(visitor, list);
            limit.iter().chain(id).for_each(|e| visitor.expr(e));
            visitor.expr(query);
        }
        O::MvExpand { columns: list, limit } => {
            mv_columns(visitor, list);
            if let Some(e) = limit {
                visitor.expr(e);
            }
        }
        O::Parse(parse) | O::ParseWhere(parse) => {
            visitor.expr(&parse.value);
            for part in &parse.pattern {
                if let ParsePart::Text(text) = part {
                    visitor.expr(text);
                }
            }
        }
        O::ParseKv {
            value, properties, ..
        } => {
            visitor.expr(value);
            params(visitor, properties);
        }
        O::Partition(partition) | O::PartitionBy(partition) => {
            visitor.expr(&partition.by);
            partition.scope.iter().for_each(|e| visitor.expr(e));
            visitor.expr(&partition.query);
        }
        O::ProjectReorder { columns: by } | O::Sort { by } => by.iter().for_each(|o| ordered(visitor, o)),
        O::Range { from, to, step, .. } => {
            visitor.expr(from);
            visitor.expr(to);
            visitor.expr(step);
        }
        O::Reduce { by, properties } => {
            column(visitor, by);
            params(visitor, properties);
        }
        O::Render { properties, .. } => params(visitor, properties),
        O::Sample { count } | O::Take { count } => visitor.expr(count),
        O::SampleDistinct { count, of } => {
            visitor.expr(count);
            visitor.expr(of);
        }
        O::Scan(scan) => {
            scan.order_by.iter().for_each(|o| ordered(visitor, o));
            exprs(visitor, &scan.partition_by);
            parameters(visitor, &scan.declare);
            for step in &scan.steps {
                visitor.expr(&step.condition);
                columns(visitor, &step.assignments);
            }
        }
        O::Search { tables, predicate } => {
            exprs(visitor, tables);
            visitor.expr(predicate);
        }
        O::Summarize {
            aggregates, by, bin, ..
        } => {
            columns(visitor, aggregates);
            columns(visitor, by);
            if let Some(e) = bin {
                visitor.expr(e);
            }
        }
        O::Top { count, by } => {
            visitor.expr(count);
            ordered(visitor, by);
        }
        O::TopHitters { count, of, by } => {
            visitor.expr(count);
            visitor.expr(of);
            if let Some(e) = by {
                visitor.expr(e);
            }
        }
        O::TopNested { levels } => {
            for level in levels {
                level.count.iter().for_each(|e| visitor.expr(e));
                column(visitor, &level.of);
                level.others.iter().for_each(|e| visitor.expr(e));
                ordered(visitor, &level.by);
            }
        }
        O::Union { tables } => exprs(visitor, tables),
    }
}

fn graph_match<V: Visitor + ?Sized>(visitor: &mut V, graph: &GraphMatch) {
    for part in graph.patterns.iter().flat_map(|p| &p.parts) {
        if let GraphPartKind::Edge {
            range: Some((from, to)),
            ..
        } = &part.kind
        {
            visitor.expr(from);
            visitor.expr(to);
        }
    }
    graph.predicate.iter().for_each(|e| visitor.expr(e));
    graph.project.iter().for_each(|list| columns(visitor, list));
}

fn exprs<V: Visitor + ?Sized>(visitor: &mut V, list: &[Expr]) {
    for e in list {
        visitor.expr(e);
    }
}

fn params<V: Visitor + ?Sized>(visitor: &mut V, list: &[Param]) {
    for param in list {
        visitor.expr(&param.value);
        exprs(visitor, &param.more);
    }
}

fn parameters<V: Visitor + ?Sized>(visitor: &mut V, list: &[Parameter]) {
    list.iter().flat_map(|p| &p.default).for_each(|e| visitor.expr(e));
}

fn body<V: Visitor + ?Sized>(visitor: &mut V, body: &Body) {
    body.statements.iter().for_each(|s| visitor.statement(s));
    body.result.iter().for_each(|e| visitor.expr(e));
}

fn column<V: Visitor + ?Sized>(visitor: &mut V, column: &Column) {
    visitor.expr(&column.value);
}

fn columns<V: Visitor + ?Sized>(visitor: &mut V, list: &[Column]) {
    for c in list {
        visitor.expr(&c.value);
    }
}

fn mv_columns<V: Visitor + ?Sized>(visitor: &mut V, list: &[MvColumn]) {
    for c in list {
        visitor.expr(&c.column.value);
    }
}

fn ordered<V: Visitor + ?Sized>(visitor: &mut V, ordered: &Ordered) {
    column(visitor, &ordered.value);
}

/// The canonical names of the tabular operators in a query, in the order of
/// the text and as often as they occur; `datatable` and `externaldata` count
/// as operators.
pub fn operators(query: &Query) -> Vec<&'static str> {
    let mut list = Operators(Vec::new());
    walk_query(&mut list, query);
    let mut found = list.0;
    found.sort_by_key(|(start, _)| *start);
    found.into_iter().map(|(_, name)| name).collect()
}

struct Operators(Vec<(u32, &'static str)>);

impl Visitor for Operators {
    fn operator(&mut self, operator: &Operator) {
        if operator.kind != OperatorKind::Bad {
            self.0.push((operator.span.start, operator.kind.name()));
        }
        walk_operator(self, operator);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Datatable(_) => self.0.push((expr.span.start, "datatable")),
            ExprKind::ExternalData(_) => self.0.push((expr.span.start, "externaldata")),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// The names of the functions called in a query, each once, in the order of
/// their first call. `dynamic` counts as a function when its literal is used.
pub fn functions(query: &Query) -> Vec<String> {
    let mut list = Functions(Vec::new());
    walk_query(&mut list, query);
    list.0
}

struct Functions(Vec<String>);

impl Functions {
    fn add(&mut self, name: &str) {
        if !self.0.iter().any(|n| n == name) {
            self.0.push(name.to_owned());
        }
    }
}

impl Visitor for Functions {
    fn call(&mut self, call: &Call) {
        self.add(&call.name.text);
        walk_call(self, call);
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Literal(Literal::Dynamic(_) | Literal::Null(crate::ast::ScalarType::Dynamic)) =
            &expr.kind
        {
            self.add("dynamic");
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn operators_come_in_the_order_of_the_text() {
        let query = parse(
            "let f = () { U | order by x | limit 3 }; union (T | filter a), f()\n\
             | join (datatable(a: long)[1] | project a) on a | mvexpand b | where c in (V | distinct d)",
        );
        assert!(!query.has_errors(), "{:?}", query.diagnostics);
        assert_eq!(
            operators(&query.query),
            [
                "sort",
                "take",
                "union",
                "where",
                "join",
                "datatable",
                "project",
                "mv-expand",
                "where",
                "distinct"
            ]
        );
    }

    #[test]
    fn functions_are_named_once() {
        let query = parse("T | where f(g(x)) and a.h(1) == f(dynamic([1])) | evaluate p() | invoke i()");
        assert_eq!(functions(&query.query), ["f", "g", "h", "dynamic", "p", "i"]);
    }
}
