//! Expressions: chains, calls, brackets, literals of several values.

use super::WIDTH;
use super::build::{Bars, Builder, bars};
use super::layout::{Edge, LineKind};
use crate::ast::{
    Arithmetic, Call, Column, ColumnDecl, ColumnNames, Datatable, Expr, ExprKind, ExternalData, Function,
    InList, Json, JsonKind, Literal, Param, Path, Pipeline, StepKind,
};
use crate::lexer::TokenKind as T;

/// Functions whose arguments come in pairs: conditions and values, keys and
/// values. `case` has one more at the end.
const PAIRS: &[&str] = &["case", "bag_pack", "pack", "pack_dictionary"];

impl Builder<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) {
        // What has been passed over is not laid out again.
        if self.source.index(expr.span.start) < self.next {
            return;
        }
        self.until(expr.span.start);
        match &expr.kind {
            ExprKind::And(_) | ExprKind::Or(_) => self.chain(expr),
            ExprKind::Parenthesised(inner) => {
                self.token();
                self.inside(inner);
            }
            ExprKind::Pipeline(pipeline) => self.nested(expr, pipeline),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Unary(unary) => {
                self.token();
                self.tight();
                self.expr(&unary.operand);
            }
            ExprKind::Arithmetic(arithmetic) => self.arithmetic(arithmetic),
            ExprKind::Binary(binary) => {
                self.expr(&binary.lhs);
                self.until(binary.op_span.start);
                let colon = self.kind() == T::Colon;
                let spaced = !colon || self.source.gaps[self.next].blank;
                if spaced {
                    self.space();
                }
                self.until(binary.op_span.end);
                if spaced {
                    self.space();
                } else {
                    self.tight();
                }
                self.expr(&binary.rhs);
            }
            ExprKind::InList(list) => self.in_list(list),
            ExprKind::Between(between) => {
                self.expr(&between.operand);
                self.until(between.op_span.start);
                self.space();
                self.until(between.op_span.end);
                self.space();
                self.until(between.from.span.start);
                self.expr(&between.from);
                self.until(between.from.span.end);
                self.space();
                self.until(between.to.span.start);
                self.space();
                self.expr(&between.to);
            }
            ExprKind::Bracketed(inner) => self.expr(inner),
            ExprKind::Named(column) => self.column(column),
            ExprKind::Function(function) => self.function(function),
            ExprKind::Datatable(table) => self.datatable(table),
            ExprKind::ExternalData(data) => self.external_data(data),
            ExprKind::EntityGroup(entities) => {
                if let Some(first) = entities.first() {
                    self.until(first.span.start);
                    self.bracketed(entities, false, |e| e.span, Self::expr);
                }
            }
            ExprKind::Literal(Literal::Dynamic(json)) => {
                self.token();
                self.tight_call();
                self.json(json);
            }
            ExprKind::Missing
            | ExprKind::Literal(_)
            | ExprKind::Name(_)
            | ExprKind::Wildcard(_)
            | ExprKind::Star
            | ExprKind::ContextualDatatable(_)
            | ExprKind::TypeOf(_) => {}
        }
        self.until(expr.span.end);
    }

    // ---- conditions

    /// `a and b`, `a or b`: the connective leads the line.
    fn chain(&mut self, expr: &Expr) {
        let broken = self.chain_breaks(expr);
        self.open(broken);
        self.indent();
        self.operands_of_chain(expr);
        self.dedent();
        self.close();
    }

    fn operands_of_chain(&mut self, expr: &Expr) {
        let (ExprKind::And(operands) | ExprKind::Or(operands)) = &expr.kind else {
            return;
        };
        for (i, operand) in operands.iter().enumerate() {
            if i > 0 {
                self.soft();
                self.until(operand.span.start);
                self.space();
            }
            self.expr(operand);
            self.until(operand.span.end);
        }
    }

    /// Whether the author has broken the line at every connective.
    fn chain_breaks(&self, expr: &Expr) -> bool {
        let (ExprKind::And(operands) | ExprKind::Or(operands)) = &expr.kind else {
            return false;
        };
        operands.iter().skip(1).all(|operand| {
            let index = self.source.index(operand.span.start);
            self.source.gaps[index].breaks() || index > 0 && self.source.gaps[index - 1].breaks()
        })
    }

    // ---- brackets

    /// What stands behind an opening bracket, and the closing one.
    pub(super) fn inside(&mut self, inner: &Expr) {
        match &inner.kind {
            ExprKind::Pipeline(pipeline) => {
                let broken = bars(pipeline) > 1 || self.bars_break(pipeline);
                let padded = self.before() == Some(T::OpenBrace);
                self.begin_bracket(broken, padded);
                self.pipeline(pipeline, Bars::Soft);
                self.end_bracket(padded);
            }
            ExprKind::And(_) | ExprKind::Or(_) => {
                self.begin_bracket(self.chain_breaks(inner), false);
                self.operands_of_chain(inner);
                self.end_bracket(false);
            }
            // A bracket within is broken instead, or there is little to be broken.
            _ if self.has_breaks(inner)
                || self.source.size(inner.span) < WIDTH / 2 && !has_operators(inner) =>
            {
                self.tight();
                self.expr(inner);
                self.until(inner.span.end);
                self.tight();
                self.token();
            }
            _ => {
                self.begin_bracket(false, false);
                self.expr(inner);
                self.until(inner.span.end);
                self.end_bracket(false);
            }
        }
    }

    /// Whether an expression ends in brackets that can be broken.
    fn has_breaks(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Parenthesised(inner) => self.has_breaks(inner) || has_operators(inner),
            ExprKind::Call(call) => match call.args.as_slice() {
                [] => false,
                [one] => self.has_breaks(&one.value) || has_operators(&one.value),
                _ => true,
            },
            ExprKind::InList(list) => list.list.len() > 1 && self.source.size(list.lhs.span) < WIDTH / 2,
            ExprKind::Datatable(_) | ExprKind::ExternalData(_) | ExprKind::Literal(Literal::Dynamic(_)) => {
                true
            }
            _ => false,
        }
    }

    /// A pipeline that is no statement.
    fn nested(&mut self, expr: &Expr, pipeline: &Pipeline) {
        if matches!(self.before(), Some(T::OpenParen | T::OpenBrace)) {
            self.inside(expr);
            return;
        }
        self.open(bars(pipeline) > 1 || self.bars_break(pipeline));
        self.pipeline(pipeline, Bars::Soft);
        self.close();
    }

    // ---- operators of expressions

    fn arithmetic(&mut self, arithmetic: &Arithmetic) {
        // `2*1h` stays as it is when nothing in it has a blank.
        let tight = arithmetic.rest.iter().all(|link| {
            let (sign, operand) = (
                self.source.index(link.op_span.start),
                self.source.index(link.operand.span.start),
            );
            !self.source.gaps[sign].blank && !self.source.gaps[operand].blank
        });
        if tight {
            self.expr(&arithmetic.first);
            for link in &arithmetic.rest {
                self.until(link.op_span.start);
                self.tight();
                self.until(link.op_span.end);
                self.tight();
                self.expr(&link.operand);
            }
            return;
        }
        self.open(false);
        self.indent();
        self.expr(&arithmetic.first);
        for link in &arithmetic.rest {
            self.until(link.op_span.start);
            self.soft();
            self.until(link.op_span.end);
            self.space();
            self.expr(&link.operand);
        }
        self.dedent();
        self.close();
    }

    fn in_list(&mut self, list: &InList) {
        self.expr(&list.lhs);
        self.until(list.op_span.start);
        self.space();
        self.until(list.op_span.end);
        self.space();
        // `in X`, `in dynamic([…])` do without parentheses.
        let behind = self.source.index(list.op_span.end);
        let parenthesised = self.source.kind(behind) == T::OpenParen
            && list
                .list
                .first()
                .is_none_or(|e| e.span.start > self.source.tokens[behind].span.start);
        if !parenthesised {
            for expr in &list.list {
                self.expr(expr);
            }
            return;
        }
        self.token();
        match list.list.as_slice() {
            [] => {
                self.tight();
                self.token();
            }
            [one] if !matches!(one.kind, ExprKind::Literal(Literal::String(_))) => self.inside(one),
            several => self.bracketed(several, true, |e| e.span, Self::expr),
        }
    }

    // ---- calls

    pub(super) fn call(&mut self, call: &Call) {
        self.until(call.name.span.end);
        if call.params.is_empty() {
            self.tight_call();
        }
        for param in &call.params {
            self.space();
            self.param(param);
            self.space();
        }
        let Some(first) = call.args.first() else {
            // `()`, or nothing at all.
            self.until(call.span.end);
            return;
        };
        self.until(first.span.start);
        if self.before() != Some(T::OpenParen) {
            for argument in &call.args {
                self.expr(&argument.value);
            }
        } else if call.args.len() == 1 && first.name.is_none() {
            self.inside(&first.value);
        } else if PAIRS.contains(&call.name.text.as_str()) && call.args.len() > 2 {
            self.pairs(call);
        } else {
            self.bracketed(&call.args, false, |a| a.span, Self::argument);
        }
        self.until(call.span.end);
    }

    fn argument(&mut self, argument: &crate::ast::Arg) {
        if let Some(name) = &argument.name {
            self.until(name.span.end);
            self.space();
            self.until(argument.value.span.start);
            self.space();
        }
        self.expr(&argument.value);
    }

    /// Arguments two by two.
    fn pairs(&mut self, call: &Call) {
        let firsts = call.args.chunks(2).map(|pair| pair[0].span.start);
        let broken = self.one_a_line(firsts);
        self.begin_bracket(broken, false);
        for (i, pair) in call.args.chunks(2).enumerate() {
            self.until(pair[0].span.start);
            if i > 0 {
                self.soft();
            }
            self.open(false);
            self.argument(&pair[0]);
            self.until(pair[0].span.end);
            if let Some(second) = pair.get(1) {
                self.until(second.span.start);
                self.indent();
                self.soft();
                self.argument(second);
                self.dedent();
            }
            self.close();
        }
        self.end_bracket(false);
    }

    fn path(&mut self, path: &Path) {
        self.expr(&path.base);
        for step in &path.steps {
            self.until(step.span.start);
            match &step.kind {
                StepKind::Call(call) => self.call(call),
                StepKind::Index(index) => self.expr(index),
                StepKind::Member(_) | StepKind::Wildcard(_) => {}
            }
            self.until(step.span.end);
        }
    }

    fn function(&mut self, function: &Function) {
        self.parameters(&function.parameters);
        self.until(function.body.span.start);
        self.space();
        self.body(&function.body);
    }

    // ---- columns and parameters

    /// `name = value`, `(a, b) = value`, or a value.
    pub(super) fn column(&mut self, column: &Column) {
        if column.names != ColumnNames::Derived {
            self.until(column.span.start);
            let sign = self.source.index(column.value.span.start).saturating_sub(1);
            if self.source.kind(sign) == T::Equal {
                self.until(self.source.tokens[sign].span.start);
                self.space();
                self.token();
                self.space();
            }
        }
        self.expr(&column.value);
        self.until(column.span.end);
    }

    /// `kind=inner`, `hint.strategy=broadcast`: without blanks.
    pub(super) fn param(&mut self, param: &Param) {
        self.until(param.name.span.end);
        if self.kind() == T::Equal {
            self.tight();
            self.token();
            self.tight();
        }
        self.expr(&param.value);
        self.until(param.span.end);
    }

    // ---- tables and values

    pub(super) fn schema(&mut self, columns: &[ColumnDecl]) {
        if let Some(first) = columns.first() {
            self.until(first.span.start);
            self.bracketed(columns, false, |c| c.span, |_, _| {});
        }
    }

    fn datatable(&mut self, table: &Datatable) {
        self.token();
        if table.params.is_empty() {
            self.tight_call();
        }
        self.schema(&table.columns);
        self.space();
        let Some(first) = table.values.first() else {
            return;
        };
        self.until(first.span.start);
        let columns = table.columns.len().max(1);
        if columns == 1 || !table.values.len().is_multiple_of(columns) {
            self.bracketed(&table.values, true, |v| v.span, Self::expr);
            return;
        }
        let rows: Vec<&[Expr]> = table.values.chunks(columns).collect();
        let broken = self.source.first_of_line(first.span.start)
            || self.one_a_line(rows.iter().map(|row| row[0].span.start));
        self.begin_bracket(broken, false);
        for (i, row) in rows.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                self.until(value.span.start);
                if j > 0 {
                    self.space();
                } else if i > 0 {
                    self.soft();
                }
                self.expr(value);
            }
        }
        self.end_bracket(false);
    }

    fn external_data(&mut self, data: &ExternalData) {
        self.token();
        if data.params.is_empty() {
            self.tight_call();
        }
        self.schema(&data.columns);
        self.space();
        if let Some(first) = data.uris.first() {
            self.until(first.span.start);
            self.bracketed(&data.uris, false, |u| u.span, Self::expr);
        }
        self.properties(&data.properties);
    }

    /// Properties in `with (…)`.
    pub(super) fn properties(&mut self, properties: &[Param]) {
        let Some(first) = properties.first() else {
            return;
        };
        self.until(first.span.start);
        if self.before() == Some(T::OpenParen) {
            self.bracketed(properties, false, |p| p.span, |_, _| {});
        }
    }

    /// A value inside `dynamic(…)`.
    fn json(&mut self, json: &Json) {
        self.until(json.span.start);
        match &json.kind {
            JsonKind::Array(values) if !values.is_empty() => {
                self.token();
                self.bracketed(values, true, |v| v.span, Self::json);
            }
            JsonKind::Object(pairs) if !pairs.is_empty() => {
                self.token();
                let broken = self.one_a_line(pairs.iter().map(|p| p.key_span.start));
                self.begin_bracket(broken, false);
                for (i, pair) in pairs.iter().enumerate() {
                    self.until(pair.key_span.start);
                    if i > 0 {
                        self.line(LineKind::Soft, true, Edge::Inner);
                    }
                    self.until(pair.value.span.start);
                    self.json(&pair.value);
                }
                self.end_bracket(false);
            }
            _ => {}
        }
        self.until(json.span.end);
    }
}

/// Whether an expression has places of its own where it can be broken.
fn has_operators(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Pipeline(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Binary(_)
            | ExprKind::InList(_)
            | ExprKind::Between(_)
    )
}
