//! `make-series`, `scan`, `render`, and tables written out.

use super::words::is_chart;
use super::{Parser, T};
use crate::ast::{
    Arg, Body, Call, Column, ColumnNames, ContextualDatatable, Datatable, Expr, ExprKind, ExternalData,
    MakeSeries, Name, OperatorKind as O, Param, Scan, ScanStep, SeriesColumn, SeriesRange, Statement,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};

impl Parser<'_> {
    pub(super) fn make_series(&mut self) -> O {
        let aggregates = self.list(Parser::series_column);
        self.expect_word(K::On);
        let on = Box::new(self.column());
        let range = if self.eat_word(K::In) {
            self.expect_word(K::Range);
            let open = self.span();
            let mut ends = Vec::new();
            if self.expect(T::OpenParen, "`(`") {
                ends = self.list(Parser::argument).into_iter().map(|a| a.value).collect();
                self.close(open, T::CloseParen);
            }
            SeriesRange::InRange(ends)
        } else {
            let from = self.eat_word(K::From).then(|| Box::new(self.expr()));
            let to = self.eat_word(K::To).then(|| Box::new(self.expr()));
            let step = if self.expect_word(K::Step) {
                Box::new(self.expr())
            } else {
                Box::new(self.missing())
            };
            SeriesRange::Steps { from, to, step }
        };
        let by = if self.eat_word(K::By) {
            self.columns()
        } else {
            Vec::new()
        };
        O::MakeSeries(MakeSeries {
            aggregates,
            on,
            range,
            by,
        })
    }

    fn series_column(&mut self) -> SeriesColumn {
        if self.at_word(K::On) {
            let value = self.expected_expression();
            return SeriesColumn {
                column: Column {
                    names: ColumnNames::Derived,
                    span: value.span,
                    value,
                },
                default: None,
            };
        }
        let column = self.column();
        let default = self.eat_word(K::Default).then(|| {
            self.expect(T::Equal, "`=`");
            self.expr()
        });
        SeriesColumn { column, default }
    }

    // ---- scan

    pub(super) fn scan(&mut self) -> O {
        let mut order_by = Vec::new();
        if self.eat_word(K::Order) {
            self.expect_word(K::By);
            order_by = self.list(Parser::ordered);
        }
        let mut partition_by = Vec::new();
        if self.eat_word(K::Partition) {
            self.expect_word(K::By);
            partition_by = self.list(Parser::expr);
        }
        let declare = if self.eat_word(K::Declare) {
            self.parameters(true)
        } else {
            Vec::new()
        };
        self.expect_word(K::With);
        let open = self.span();
        let mut steps = Vec::new();
        if self.expect(T::OpenParen, "`(`") {
            while self.at_word(K::Step) {
                steps.push(self.scan_step());
                if !self.eat(T::Semicolon) {
                    self.expect(T::Semicolon, "`;`");
                    if !self.at_word(K::Step) {
                        break;
                    }
                }
            }
            self.close(open, T::CloseParen);
        }
        O::Scan(Scan {
            order_by,
            partition_by,
            declare,
            steps,
        })
    }

    fn scan_step(&mut self) -> ScanStep {
        let start = self.span();
        self.bump();
        let name = self.name(Class::Name, "the name of the step");
        let optional = self.eat_word(K::Optional);
        let output = if self.eat_word(K::Output) {
            self.expect(T::Equal, "`=`");
            if !matches!(self.token_text(), "all" | "last" | "none") {
                self.expect(T::Keyword(K::Last), "`all`, `last` or `none`");
            }
            matches!(self.kind(), T::Ident | T::Keyword(_)).then(|| self.take_name())
        } else {
            None
        };
        self.expect(T::Colon, "`:`");
        let condition = self.expr();
        let assignments = if self.eat(T::Arrow) {
            self.list(Parser::assignment)
        } else {
            Vec::new()
        };
        ScanStep {
            name,
            optional,
            output,
            condition,
            assignments,
            span: self.since(start),
        }
    }

    fn assignment(&mut self) -> Column {
        let start = self.span();
        let name = self.name(Class::Name, "a name");
        self.expect(T::Equal, "`=`");
        let value = self.expr();
        Column {
            names: ColumnNames::One(name),
            value,
            span: self.since(start),
        }
    }

    // ---- render

    pub(super) fn render(&mut self) -> O {
        let chart = match self.kind() {
            T::Ident => true,
            T::Keyword(keyword) => is_chart(keyword),
            _ => false,
        };
        let visualization = if chart {
            self.take_name()
        } else {
            let message = format!("expected the name of a chart, found {}", self.found());
            let place = self.place_of_missing();
            self.error(codes::EXPECTED_NAME, place, message);
            self.missing_name()
        };
        let mut properties = Vec::new();
        let with = self.at_word(K::With) && self.peek(1) == T::OpenParen;
        if with {
            self.bump();
            let open = self.span();
            self.bump();
            self.eat(T::Comma);
            if !self.at(T::CloseParen) {
                properties = self.list(Parser::chart_property);
            }
            self.close(open, T::CloseParen);
        } else {
            while matches!(
                self.kind(),
                T::Keyword(K::Kind | K::Title | K::Accumulate | K::By | K::With)
            ) {
                properties.push(self.old_chart_property());
            }
        }
        O::Render {
            visualization,
            properties,
            with,
        }
    }

    fn old_chart_property(&mut self) -> Param {
        let start = self.span();
        let by = self.at_word(K::By);
        let string = self.at_word(K::With);
        let title = self.at_word(K::Title);
        let name = self.take_name();
        if by {
            return self.names_property(start, name);
        }
        if string {
            if !self.at(T::String) {
                self.expect(T::String, "a string");
            }
        } else {
            self.expect(T::Equal, "`=`");
        }
        let value = if title { self.path() } else { self.param_value() };
        Param {
            name,
            value,
            more: Vec::new(),
            span: self.since(start),
        }
    }

    fn chart_property(&mut self) -> Param {
        const KNOWN: &[&str] = &[
            "accumulate",
            "anomalycolumns",
            "kind",
            "legend",
            "series",
            "title",
            "xaxis",
            "xcolumn",
            "xmax",
            "xmin",
            "xtitle",
            "yaxis",
            "ycolumns",
            "ymax",
            "ymin",
            "ysplit",
            "ytitle",
        ];
        let start = self.span();
        let word = self.token_text();
        if !KNOWN.contains(&word) {
            let message = format!("expected a property of a chart, found {}", self.found());
            let place = self.place_of_missing();
            self.error(codes::EXPECTED_NAME, place, message);
        }
        if !matches!(self.kind(), T::Ident | T::Keyword(_)) {
            return Param {
                name: self.missing_name(),
                value: self.missing(),
                more: Vec::new(),
                span: self.gap(),
            };
        }
        let name = self.take_name();
        self.expect(T::Equal, "`=`");
        if matches!(word, "ycolumns" | "series" | "anomalycolumns") {
            return self.names_property(start, name);
        }
        let value = if matches!(word, "title" | "xtitle" | "ytitle") {
            self.path()
        } else {
            self.param_value()
        };
        Param {
            name,
            value,
            more: Vec::new(),
            span: self.since(start),
        }
    }

    /// A property whose value is one or more columns.
    fn names_property(&mut self, start: rulec_source::Span, name: Name) -> Param {
        let value = self.plain_name();
        let mut more = Vec::new();
        while self.at(T::Comma) {
            let next = 1 + self.name_len(1);
            if !self.is_name(1, Class::Name) || self.peek(next) == T::Equal {
                break;
            }
            self.bump();
            more.push(self.plain_name());
        }
        Param {
            name,
            value,
            more,
            span: self.since(start),
        }
    }

    // ---- tables written out

    pub(super) fn datatable(&mut self) -> Expr {
        let start = self.span();
        self.bump();
        let params = self.params(&[]);
        let columns = self.schema();
        let open = self.span();
        let mut values = Vec::new();
        if self.expect(T::OpenBracket, "`[` and the values") {
            self.eat(T::Comma);
            while !self.at(T::CloseBracket) {
                let before = self.at;
                values.push(self.datum());
                if self.eat(T::Comma) {
                    continue;
                }
                if self.at(T::CloseBracket) || self.at == before || !self.starts_datum() {
                    break;
                }
                self.expect(T::Comma, "`,`");
            }
            self.close(open, T::CloseBracket);
        }
        self.expr_from(
            start,
            ExprKind::Datatable(Datatable {
                params,
                columns,
                values,
            }),
        )
    }

    fn starts_datum(&self) -> bool {
        matches!(
            self.kind(),
            T::Bool
                | T::Long
                | T::Real
                | T::TimeSpan
                | T::Typed(_)
                | T::String
                | T::Minus
                | T::Plus
                | T::Keyword(K::Dynamic)
        )
    }

    /// A value of a `datatable`: a literal, possibly with a sign.
    fn datum(&mut self) -> Expr {
        if !self.starts_datum() {
            return self.datum_error();
        }
        match self.kind() {
            T::Minus | T::Plus => {
                if self.peek(1) == T::Eof || self.tokens[self.at + 1].span.start != self.span().end {
                    self.bump();
                    return self.datum_error();
                }
                self.signed()
            }
            T::String => self.string(),
            T::Keyword(_) => self.dynamic(),
            _ => self.simple_literal(),
        }
    }

    fn datum_error(&mut self) -> Expr {
        let message = format!("expected a literal, found {}", self.found());
        let place = self.place_of_missing();
        self.error(codes::EXPECTED_EXPRESSION, place, message);
        self.missing()
    }

    pub(super) fn external_data(&mut self) -> Expr {
        let start = self.span();
        self.bump();
        let params = self.params(&[]);
        let columns = self.schema();
        let open = self.span();
        let mut uris = Vec::new();
        if self.expect(T::OpenBracket, "`[` and the addresses") {
            while !self.at(T::CloseBracket) {
                uris.push(self.expr());
                if !self.eat(T::Comma) {
                    break;
                }
            }
            self.close(open, T::CloseBracket);
        }
        let properties = self.plain_properties();
        self.expr_from(
            start,
            ExprKind::ExternalData(ExternalData {
                params,
                columns,
                uris,
                properties,
            }),
        )
    }

    pub(super) fn contextual_datatable(&mut self) -> Expr {
        let start = self.span();
        self.bump();
        let id = Box::new(self.literal());
        let columns = self.schema();
        self.expr_from(
            start,
            ExprKind::ContextualDatatable(ContextualDatatable { id, columns }),
        )
    }

    pub(super) fn entity_group(&mut self) -> Expr {
        let start = self.span();
        self.bump();
        let open = self.span();
        let mut entities = Vec::new();
        if self.expect(T::OpenBracket, "`[`") {
            entities = self.list(Parser::expr);
            self.close(open, T::CloseBracket);
        }
        self.expr_from(start, ExprKind::EntityGroup(entities))
    }

    /// `materialized-view-combine (name) base (…) delta (…) aggregations (summarize …)`.
    pub(super) fn view_combine(&mut self) -> Expr {
        let start = self.span();
        let name = self.take_name();
        let mut args = self.query_argument();
        for word in ["base", "delta", "aggregations"] {
            if self.token_text() == word {
                let from = self.span();
                let label = self.take_name();
                if word == "aggregations" {
                    if self.peek(1) != T::Keyword(K::Summarize) {
                        self.bump();
                        self.expect(T::Keyword(K::Summarize), "`summarize`");
                        break;
                    }
                    let value = self.sub_query(false);
                    args.push(Arg {
                        name: Some(label),
                        value,
                        span: self.since(from),
                    });
                } else {
                    for mut arg in self.query_argument() {
                        arg.name = Some(label.clone());
                        arg.span = self.since(from);
                        args.push(arg);
                    }
                }
            } else {
                self.expect(T::Ident, &format!("`{word} (…)`"));
                break;
            }
        }
        let span = self.since(start);
        self.expr_from(
            start,
            ExprKind::Call(Call {
                name,
                params: Vec::new(),
                args,
                span,
            }),
        )
    }

    /// `inline_external_table (schema) kind=storage dataformat=csv ("address")`.
    pub(super) fn inline_external_table(&mut self) -> Expr {
        let start = self.span();
        self.bump();
        let columns = self.schema();
        let mut params = Vec::new();
        while matches!(self.kind(), T::Ident | T::Keyword(_)) && self.peek(1) == T::Equal {
            params.push(self.param());
        }
        for needed in ["kind", "dataformat"] {
            if !params.iter().any(|p| p.name.text == needed) {
                self.expect(T::Eof, &format!("`{needed} = …`"));
            }
        }
        let open = self.span();
        let mut uris = Vec::new();
        if self.expect(T::OpenParen, "`(` and the addresses") {
            uris = self.list(Parser::expr);
            self.close(open, T::CloseParen);
        }
        let properties = self.plain_properties();
        self.expr_from(
            start,
            ExprKind::ExternalData(ExternalData {
                params,
                columns,
                uris,
                properties,
            }),
        )
    }

    /// Statements up to the parenthesis that closes `macro-expand`.
    pub(super) fn statements_until_paren(&mut self) -> Body {
        let mut body = Body::default();
        while !matches!(self.kind(), T::CloseParen | T::Eof) {
            let before = self.at;
            if self.at(T::Keyword(K::Let)) {
                body.statements.push(self.statement());
            } else {
                if let Some(earlier) = body.result.take() {
                    body.statements.push(Statement::Expression(*earlier));
                }
                body.result = Some(Box::new(self.pipeline()));
            }
            if !self.eat(T::Semicolon) || self.at == before {
                break;
            }
        }
        body
    }
}
