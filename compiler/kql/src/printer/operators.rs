//! The tabular operators. Those that are not named here are laid out on one
//! line, with the queries, calls and conditions in them broken where needed.

use super::build::Builder;
use super::layout::{Edge, LineKind};
use crate::ast::{
    Column, Expr, ExprKind, FindOutput, GraphMatch, JoinCondition, MakeSeries, MvColumn, Operator,
    OperatorKind as O, Ordered, Parse, ParsePart, Scan, SeriesRange, TopNestedLevel,
};
use crate::keyword::Keyword as K;
use crate::lexer::TokenKind as T;
use crate::walk::{self, Visitor};

/// Whatever is in an operator.
impl Visitor for Builder<'_> {
    fn expr(&mut self, expr: &Expr) {
        Builder::expr(self, expr);
    }
}

impl Builder<'_> {
    pub(super) fn operator(&mut self, operator: &Operator) {
        self.until(operator.keyword.span.end);
        let end = operator.span.end;
        let first = operator.params.first().map(|p| p.span.start);
        if first.is_some_and(|start| self.source.index(start) == self.next) {
            self.space();
            for param in &operator.params {
                self.param(param);
            }
        }
        if self.source.index(end) > self.next {
            self.space();
            self.taken(operator);
        }
        self.until(end);
    }

    /// What an operator takes, behind its keyword and parameters.
    fn taken(&mut self, operator: &Operator) {
        match &operator.kind {
            O::Extend { columns }
            | O::Print { columns }
            | O::Project { columns }
            | O::ProjectRename { columns }
            | O::Serialize { columns } => self.columns(columns),
            O::Distinct { columns }
            | O::ProjectAway { columns }
            | O::ProjectByNames { columns }
            | O::ProjectKeep { columns } => self.operands(columns, |e| e.span, Self::expr),
            O::ProjectReorder { columns } => self.operands(columns, |o| o.span, Self::ordered),
            O::Sort { by } => {
                self.words(by.first().map(|o| o.span.start));
                self.operands(by, |o| o.span, Self::ordered);
            }
            O::Summarize {
                aggregates, by, bin, ..
            } => self.summarize(aggregates, by, bin.as_deref()),
            O::MakeSeries(series) => self.make_series(series),
            O::Join { right, condition } | O::Lookup { right, condition } => {
                self.expr(right);
                match condition {
                    Some(JoinCondition::On(keys)) => {
                        self.space();
                        self.words(keys.first().map(|k| k.span.start));
                        self.operands(keys, |k| k.span, Self::expr);
                    }
                    // `where` would be an operator of its own at the beginning of a line.
                    Some(JoinCondition::Where(condition)) => self.expr(condition),
                    None => {}
                }
            }
            O::Union { tables } => self.union(tables),
            O::MvExpand { columns, limit } => {
                self.mv_columns(columns);
                self.exprs(limit.iter().map(Box::as_ref));
            }
            O::MvApply {
                columns,
                limit,
                id,
                query,
            } => {
                self.mv_columns(columns);
                self.exprs(limit.iter().chain(id).map(Box::as_ref));
                self.query(query);
            }
            O::Parse(parse) | O::ParseWhere(parse) => self.parse(parse),
            O::Evaluate { call, schema } => {
                self.call(call);
                if let Some(schema) = schema {
                    self.space();
                    self.until(schema.span.end);
                }
            }
            O::Facet { by, with } => {
                self.exprs(by.iter());
                if let Some(query) = with {
                    self.query(query);
                }
            }
            O::Fork { branches } => self.operands(
                branches,
                |b| b.span,
                |b, branch| {
                    if branch.name.is_some() {
                        while !matches!(b.kind(), T::Equal | T::Eof) {
                            b.token();
                        }
                        b.space();
                        b.token();
                        b.space();
                    }
                    b.query(&branch.query);
                },
            ),
            O::Partition(partition) | O::PartitionBy(partition) => {
                self.expr(&partition.by);
                self.exprs(partition.scope.iter().map(Box::as_ref));
                self.query(&partition.query);
            }
            O::Find(find) => {
                self.exprs(find.tables.iter());
                self.expr(&find.predicate);
                if let FindOutput::Project(columns) = &find.output {
                    self.words(columns.first().map(|c| c.column.span.start));
                    self.operands(columns, |c| c.column.span, |b, c| b.expr(&c.column));
                }
            }
            O::MacroExpand { group, body, .. } => {
                self.expr(group);
                self.until(body.span.start);
                self.space();
                self.body(body);
            }
            O::Render { properties, .. } => self.properties(properties),
            O::ParseKv {
                value,
                columns,
                properties,
            } => {
                self.expr(value);
                self.schema(columns);
                self.properties(properties);
            }
            O::AssertSchema { columns } => self.schema(columns),
            O::Scan(scan) => self.scan(scan),
            O::TopNested { levels } => self.top_nested(levels),
            O::GraphMatch(graph) | O::GraphShortestPaths(graph) => self.graph_match(graph),
            _ => walk::walk_operator(self, operator),
        }
    }

    fn exprs<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>) {
        for expr in list {
            self.expr(expr);
        }
    }

    /// The words before an operand, such as `by` and `on`.
    fn words(&mut self, start: Option<u32>) {
        if let Some(start) = start {
            self.until(start);
        }
    }

    /// A query in brackets, or bare.
    fn query(&mut self, query: &Expr) {
        self.words(Some(query.span.start));
        match &query.kind {
            ExprKind::Pipeline(_) | ExprKind::Parenthesised(_) => self.expr(query),
            _ if self.before() == Some(T::OpenParen) => self.inside(query),
            _ => self.expr(query),
        }
    }

    fn columns(&mut self, columns: &[Column]) {
        self.operands(columns, |c| c.span, Self::column);
    }

    fn ordered(&mut self, ordered: &Ordered) {
        self.column(&ordered.value);
        self.until(ordered.span.end);
    }

    fn mv_columns(&mut self, columns: &[MvColumn]) {
        // A type may stand behind each, which is passed over with the comma.
        self.operands(columns, |c| c.column.span, |b, c| b.column(&c.column));
    }

    fn summarize(&mut self, aggregates: &[Column], by: &[Column], bin: Option<&Expr>) {
        if aggregates.is_empty() {
            self.words(by.first().map(|c| c.span.start));
            self.columns(by);
        } else {
            self.open(false);
            self.columns(aggregates);
            self.indent();
            if let Some(first) = by.first() {
                self.soft();
                self.words(Some(first.span.start));
                self.columns(by);
            }
            self.dedent();
            self.close();
        }
        self.exprs(bin);
    }

    fn make_series(&mut self, series: &MakeSeries) {
        self.open(false);
        let start = |c: &crate::ast::SeriesColumn| c.column.span;
        self.operands(&series.aggregates, start, |b, c| {
            b.column(&c.column);
            if let Some(default) = &c.default {
                b.expr(default);
            }
        });
        self.indent();
        self.soft();
        self.column(&series.on);
        match &series.range {
            SeriesRange::Steps { from, to, step } => {
                self.exprs(from.iter().chain(to).map(Box::as_ref));
                self.expr(step);
            }
            SeriesRange::InRange(ends) => self.exprs(ends.iter()),
        }
        if let Some(first) = series.by.first() {
            while !matches!(self.kind(), T::Keyword(K::By) | T::Eof) {
                self.token();
            }
            self.soft();
            self.words(Some(first.span.start));
            self.columns(&series.by);
        }
        self.dedent();
        self.close();
    }

    fn union(&mut self, tables: &[Expr]) {
        let query = |e: &Expr| matches!(&e.kind, ExprKind::Parenthesised(inner) if matches!(inner.kind, ExprKind::Pipeline(_)));
        if !tables.is_empty() && tables.iter().all(query) {
            // `), (`: the brackets are lines enough.
            for (i, table) in tables.iter().enumerate() {
                self.until(table.span.start);
                if i > 0 {
                    self.space();
                }
                self.expr(table);
            }
        } else {
            self.operands(tables, |e| e.span, Self::expr);
        }
    }

    fn parse(&mut self, parse: &Parse) {
        self.expr(&parse.value);
        self.open(false);
        self.indent();
        for part in &parse.pattern {
            // A column's name may be the keyword of an operator, which must
            // not come to stand at the beginning of a line.
            let (start, breaks) = match part {
                ParsePart::Star(span) => (span.start, true),
                ParsePart::Text(text) => (text.span.start, true),
                ParsePart::Column { name, .. } => (name.span.start, false),
            };
            self.until(start);
            if breaks {
                self.line(LineKind::Keep, true, Edge::Inner);
            }
            match part {
                ParsePart::Star(span) => self.until(span.end),
                ParsePart::Text(text) => self.expr(text),
                ParsePart::Column { name, .. } => self.until(name.span.end),
            }
        }
        self.dedent();
        self.close();
    }

    fn top_nested(&mut self, levels: &[TopNestedLevel]) {
        // Each level but the first begins with the word again, behind a comma.
        let word = |level: &TopNestedLevel| {
            let index = self.source.index(level.span.start).saturating_sub(1);
            self.source.tokens[index].span.start
        };
        self.open(self.one_a_line(levels.iter().map(word)));
        self.indent();
        for (i, level) in levels.iter().enumerate() {
            if i > 0 {
                self.until(
                    self.source.tokens[self.source.index(level.span.start) - 1]
                        .span
                        .start,
                );
                self.soft();
            }
            self.exprs(level.count.iter());
            self.column(&level.of);
            self.exprs(level.others.iter());
            self.ordered(&level.by);
        }
        self.dedent();
        self.close();
    }

    fn graph_match(&mut self, graph: &GraphMatch) {
        self.open(false);
        self.indent();
        for pattern in &graph.patterns {
            self.until(pattern.span.end);
        }
        if let Some(predicate) = &graph.predicate {
            self.soft();
            self.expr(predicate);
        }
        if let Some(first) = graph.project.as_ref().and_then(|list| list.first()) {
            self.soft();
            self.words(Some(first.span.start));
            self.columns(graph.project.as_deref().unwrap_or_default());
        }
        self.dedent();
        self.close();
    }

    fn scan(&mut self, scan: &Scan) {
        scan.order_by.iter().for_each(|o| self.ordered(o));
        self.exprs(scan.partition_by.iter());
        self.parameters(&scan.declare);
        let Some(first) = scan.steps.first() else {
            return;
        };
        self.until(first.span.start);
        self.begin_bracket(true, false);
        for (i, step) in scan.steps.iter().enumerate() {
            self.until(step.span.start);
            if i > 0 {
                self.line(LineKind::Hard, true, Edge::Inner);
            }
            self.expr(&step.condition);
            if let Some(first) = step.assignments.first() {
                while !matches!(self.kind(), T::Arrow | T::Eof) {
                    self.token();
                }
                self.words(Some(first.span.start));
                self.columns(&step.assignments);
            }
        }
        self.end_bracket(false);
    }
}
