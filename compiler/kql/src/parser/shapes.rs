//! Operators that make, expand, order and condense columns.

use rulec_source::Diagnostic;

use super::words::is_operator;
use super::{Parser, T};
use crate::ast::{
    Column, ColumnNames, MvColumn, Name, OperatorKind as O, Ordered, Param, Parse, ParsePart, TopNestedLevel,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};

impl Parser<'_> {
    pub(super) fn mv_column(&mut self) -> MvColumn {
        if self.at_word(K::Limit) && self.peek(1) != T::Equal {
            self.expected_expression();
        }
        let column = self.column();
        let ty = if self.eat_word(K::To) {
            if self.at_word(K::Typeof) {
                self.bump();
                let open = self.span();
                let mut ty = None;
                if self.expect(T::OpenParen, "`(`") {
                    if self.peek(1) == T::Colon || self.at(T::CloseParen) {
                        self.column_decls(false);
                    } else {
                        ty = Some(self.type_name_of_typeof());
                    }
                    self.close(open, T::CloseParen);
                }
                ty
            } else {
                self.expect(T::Keyword(K::Typeof), "`typeof(…)`");
                if matches!(self.kind(), T::Keyword(_)) {
                    self.bump();
                }
                None
            }
        } else {
            None
        };
        MvColumn { column, ty }
    }

    pub(super) fn mv_expand(&mut self) -> O {
        let columns = self.list(Parser::mv_column);
        let limit = self.eat_word(K::Limit).then(|| self.boxed());
        O::MvExpand { columns, limit }
    }

    pub(super) fn mv_apply(&mut self) -> O {
        let columns = if self.at_word(K::On) {
            self.expected_expression();
            Vec::new()
        } else {
            self.list(Parser::mv_column)
        };
        let limit = self.eat_word(K::Limit).then(|| self.boxed());
        let id = self.eat_word(K::Id).then(|| Box::new(self.value()));
        self.expect_word(K::On);
        O::MvApply {
            columns,
            limit,
            id,
            query: Box::new(self.sub_query(false)),
        }
    }

    pub(super) fn parse_pattern(&mut self) -> Parse {
        let value = self.boxed();
        self.expect_word(K::With);
        let mut pattern = Vec::new();
        loop {
            match self.kind() {
                T::Star => {
                    pattern.push(ParsePart::Star(self.span()));
                    self.bump();
                }
                T::String => pattern.push(ParsePart::Text(self.string())),
                T::Keyword(keyword) if is_operator(keyword) && self.first_of_line() => break,
                _ if self.is_name(0, Class::Declared) => {
                    let name = self.take_name();
                    let ty = self.eat(T::Colon).then(|| self.type_name());
                    pattern.push(ParsePart::Column { name, ty });
                }
                _ => break,
            }
        }
        Parse { value, pattern }
    }

    pub(super) fn parse_kv(&mut self) -> O {
        let value = self.boxed();
        self.expect_word(K::As);
        let columns = if self.at(T::OpenParen) {
            let open = self.span();
            self.bump();
            self.eat(T::Comma);
            let columns = self.column_decls(true);
            self.close(open, T::CloseParen);
            columns
        } else {
            self.expect(T::OpenParen, "`(`");
            Vec::new()
        };
        let properties = self.properties();
        for property in &properties {
            let known = [
                "pair_delimiter",
                "kv_delimiter",
                "quote",
                "escape",
                "greedy",
                "regex",
            ];
            if !known.contains(&property.name.text.as_str()) {
                self.diagnostics.push(
                    Diagnostic::new(
                        codes::EXPECTED_NAME,
                        format!("`parse-kv` has no property `{}`", property.name.text),
                    )
                    .at(property.name.span)
                    .help(format!("it has {}", known.join(", "))),
                );
            }
        }
        O::ParseKv {
            value,
            columns,
            properties,
        }
    }

    pub(super) fn reordered(&mut self) -> Ordered {
        let start = self.span();
        let value = self.name_or_wildcard();
        let column = Column {
            names: ColumnNames::Derived,
            span: value.span,
            value,
        };
        let mut ordered = self.ordering(start, column);
        if ordered.nulls.take().is_some() {
            self.error(
                codes::UNEXPECTED_TEXT,
                ordered.span,
                "`project-reorder` does not order nulls",
            );
        }
        ordered
    }

    pub(super) fn range(&mut self) -> O {
        let column: Name = self.name(Class::Name, "a column name");
        self.expect_word(K::From);
        let from = self.boxed();
        self.expect_word(K::To);
        let to = self.boxed();
        self.expect_word(K::Step);
        O::Range {
            column,
            from,
            to,
            step: self.boxed(),
        }
    }

    pub(super) fn reduce(&mut self) -> O {
        self.expect_word(K::By);
        let by = Box::new(self.column());
        let mut properties = Vec::new();
        if self.eat_word(K::With) && self.at(T::Ident) {
            properties = self.list(Parser::reduce_property);
        }
        O::Reduce { by, properties }
    }

    pub(super) fn reduce_property(&mut self) -> Param {
        if !matches!(self.token_text(), "threshold" | "characters") {
            self.expect(T::Eof, "`threshold` or `characters`");
        }
        self.param()
    }

    pub(super) fn summarize(&mut self) -> O {
        let aggregates = if self.at_operator_end() || self.at_word(K::By) {
            Vec::new()
        } else {
            self.columns()
        };
        let has_by = self.eat_word(K::By);
        let by = if has_by {
            self.list(Parser::summarize_key)
        } else {
            Vec::new()
        };
        let bin = (has_by && self.at_word(K::Bin) && self.peek(1) == T::Equal).then(|| {
            self.bump();
            self.bump();
            self.boxed()
        });
        O::Summarize {
            aggregates,
            has_by,
            by,
            bin,
        }
    }

    pub(super) fn summarize_key(&mut self) -> Column {
        if self.at_word(K::Bin) && self.peek(1) == T::Equal {
            self.expected_expression();
        }
        self.column()
    }

    pub(super) fn top_hitters(&mut self) -> O {
        let count = self.named_boxed();
        self.expect_word(K::Of);
        let of = Box::new(self.named_expr());
        let by = self.eat_word(K::By).then(|| Box::new(self.named_expr()));
        O::TopHitters { count, of, by }
    }

    pub(super) fn top_nested(&mut self) -> O {
        let mut levels = vec![self.top_nested_level()];
        while self.at(T::Comma) || self.at_word(K::TopNested) {
            let comma = self.eat(T::Comma);
            if !comma {
                self.expect(T::Comma, "`,`");
            }
            if !self.eat_word(K::TopNested) {
                self.expect(T::Keyword(K::TopNested), "`top-nested`");
                break;
            }
            levels.push(self.top_nested_level());
        }
        O::TopNested { levels }
    }

    pub(super) fn top_nested_level(&mut self) -> TopNestedLevel {
        let start = self.span();
        let count = (!self.at_word(K::Of)).then(|| self.named_expr());
        self.expect_word(K::Of);
        let of = self.column();
        let others = self.eat_word(K::With).then(|| {
            self.expect_word(K::Others);
            self.expect(T::Equal, "`=`");
            self.expr()
        });
        self.expect_word(K::By);
        let by = self.ordered();
        TopNestedLevel {
            count,
            of,
            others,
            by,
            span: self.since(start),
        }
    }
}
