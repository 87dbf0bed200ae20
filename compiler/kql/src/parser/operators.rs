//! The tabular operators.

use rulec_source::{Diagnostic, Span};

use super::words::{distance, is_chart, is_operator, is_operator_only, takes_no_params};
use super::{Parser, T};
use crate::ast::{ColumnNames, Expr, ExprKind, Operator, OperatorKind as O, Param, RowSchema};
use crate::codes;
use crate::keyword::{Class, Keyword as K};

impl Parser<'_> {
    /// Whether a query begins here with an operator and not with a source.
    pub(super) fn begins_with_operator(&self) -> bool {
        let T::Keyword(keyword) = self.kind() else {
            return false;
        };
        if is_operator_only(keyword) {
            return true;
        }
        let next_is_param = matches!(self.peek(1), T::Keyword(_)) && self.peek(2) == T::Equal;
        match keyword {
            K::Range => {
                self.is_name(1, Class::Name) && self.peek(1 + self.name_len(1)) == T::Keyword(K::From)
            }
            K::Facet | K::Partition | K::Reduce => self.peek(1) == T::Keyword(K::By) || next_is_param,
            K::Evaluate => {
                self.is_name(1, Class::Name) && matches!(self.peek(2), T::OpenParen) || next_is_param
            }
            K::Render => match self.peek(1) {
                T::Ident => true,
                T::Keyword(next) => is_chart(next),
                _ => false,
            },
            K::Serialize => self.is_name(1, Class::Name) && self.peek(1) != T::OpenBracket || next_is_param,
            K::Consume => next_is_param,
            _ => false,
        }
    }

    /// The operator at the current token, or [`O::Bad`].
    pub(super) fn operator(&mut self) -> Operator {
        let start = self.span();
        let keyword = match self.kind() {
            T::Keyword(keyword) if is_operator(keyword) => keyword,
            _ => return self.bad_operator(),
        };
        let name = self.take_name();
        let extra: &[K] = match keyword {
            K::Parse | K::ParseWhere => &[K::Flags],
            K::Union | K::MacroExpand => &[K::BestEffort],
            K::GraphShortestPaths => &[K::Output],
            _ => &[],
        };
        let mut params = if takes_no_params(keyword) {
            Vec::new()
        } else {
            self.params(extra)
        };
        let kind = self.operator_kind(keyword, &mut params);
        Operator {
            kind,
            keyword: name,
            params,
            span: self.since(start),
        }
    }

    pub(super) fn bad_operator(&mut self) -> Operator {
        let start = self.span();
        // Two bars in a row, as other languages write it.
        let double = self.at(T::Bar) && self.gap() == Span::at(start.start as usize);
        let finding = if double {
            let both = Span::new(start.start as usize - 1, start.end as usize);
            Diagnostic::new(codes::UNEXPECTED_CHARACTER, "`||` has no meaning here")
                .at(both)
                .help("write `or`")
                .fix("write `or`", both, "or")
        } else {
            let message = format!("expected a tabular operator, found {}", self.found());
            let finding = Diagnostic::new(codes::EXPECTED_OPERATOR, message).at(self.place_of_missing());
            match self.similar_operator() {
                Some(word) => finding.help(format!("did you mean `{word}`?")),
                None => finding,
            }
        };
        self.report(finding);
        let keyword = if matches!(self.kind(), T::Ident | T::Keyword(_)) {
            self.take_name()
        } else {
            self.missing_name()
        };
        if double {
            self.bump();
        }
        self.skip(|k| matches!(k, T::Bar | T::Semicolon));
        Operator {
            kind: O::Bad,
            keyword,
            params: Vec::new(),
            span: self.since(start),
        }
    }

    /// An operator spelled almost like the current word.
    pub(super) fn similar_operator(&self) -> Option<&'static str> {
        const COMMON: &[&str] = &[
            "where",
            "extend",
            "project",
            "summarize",
            "join",
            "sort",
            "order",
            "take",
            "limit",
            "top",
            "distinct",
            "union",
            "count",
            "render",
            "parse",
            "evaluate",
            "invoke",
            "lookup",
            "serialize",
            "mv-expand",
            "mv-apply",
            "make-series",
            "project-away",
            "project-rename",
            "project-reorder",
            "search",
            "filter",
        ];
        let word = self.token_text().to_ascii_lowercase();
        if !matches!(self.kind(), T::Ident | T::Keyword(_)) || word.len() > 20 {
            return None;
        }
        COMMON
            .iter()
            .map(|candidate| (distance(&word, candidate), *candidate))
            .filter(|(d, candidate)| *d <= 1 + candidate.len() / 5)
            .min()
            .map(|(_, candidate)| candidate)
    }

    pub(super) fn operator_kind(&mut self, keyword: K, params: &mut Vec<Param>) -> O {
        match keyword {
            K::As => O::As {
                name: self.name(Class::Name, "a name"),
            },
            K::AssertSchema => O::AssertSchema {
                columns: self.schema(),
            },
            K::Consume => O::Consume,
            K::Count => self.count(),
            K::Distinct => O::Distinct {
                columns: self.list(Parser::distinct_column),
            },
            K::Evaluate => self.evaluate(),
            K::ExecuteAndCache => O::ExecuteAndCache,
            K::Extend => O::Extend {
                columns: self.columns(),
            },
            K::Facet => self.facet(),
            K::Find => self.find(!params.is_empty()),
            K::Fork => self.fork(),
            K::Getschema => O::GetSchema,
            K::GraphMarkComponents => {
                self.trailing_params(params, &[]);
                O::GraphMarkComponents
            }
            K::GraphMatch => O::GraphMatch(self.graph_match()),
            K::GraphShortestPaths => O::GraphShortestPaths(self.graph_match()),
            K::GraphToTable => self.graph_to_table(),
            K::GraphWhereNodes => O::GraphWhereNodes {
                predicate: self.boxed(),
            },
            K::GraphWhereEdges => O::GraphWhereEdges {
                predicate: self.boxed(),
            },
            K::Invoke => self.invoke(),
            K::Join => {
                let (right, condition) = self.joined(false);
                O::Join { right, condition }
            }
            K::Lookup => {
                let (right, condition) = self.joined(true);
                O::Lookup { right, condition }
            }
            K::MacroExpand => self.macro_expand(),
            K::MakeGraph => self.make_graph(),
            K::MakeSeries => self.make_series(),
            K::MvApply | K::Mvapply => self.mv_apply(),
            K::MvExpand | K::Mvexpand => self.mv_expand(),
            K::Parse => O::Parse(self.parse_pattern()),
            K::ParseWhere => O::ParseWhere(self.parse_pattern()),
            K::ParseKv => self.parse_kv(),
            K::Partition => O::Partition(self.partition()),
            K::PartitionBy => O::PartitionBy(self.partition_by()),
            K::Print => O::Print {
                columns: self.columns(),
            },
            K::Project => O::Project {
                columns: self.columns_or_none(),
            },
            K::ProjectAway => O::ProjectAway {
                columns: self.names_or_none(),
            },
            K::ProjectKeep => O::ProjectKeep {
                columns: self.names_or_none(),
            },
            K::ProjectByNames => O::ProjectByNames {
                columns: if self.at_operator_end() {
                    Vec::new()
                } else {
                    self.list(Parser::expr)
                },
            },
            K::ProjectRename => O::ProjectRename {
                columns: self.columns_or_none(),
            },
            K::ProjectReorder => O::ProjectReorder {
                columns: if self.at_operator_end() {
                    Vec::new()
                } else {
                    self.list(Parser::reordered)
                },
            },
            K::Range => self.range(),
            K::Reduce => self.reduce(),
            K::Render => self.render(),
            K::Sample => O::Sample {
                count: self.named_boxed(),
            },
            K::SampleDistinct => {
                let count = self.named_boxed();
                self.expect_word(K::Of);
                O::SampleDistinct {
                    count,
                    of: Box::new(self.named_expr()),
                }
            }
            K::Scan => self.scan(),
            K::Search => self.search(),
            K::Serialize => O::Serialize {
                columns: self.columns_or_none(),
            },
            K::Sort | K::Order => {
                self.expect_word(K::By);
                O::Sort {
                    by: self.list(Parser::ordered),
                }
            }
            K::Summarize => self.summarize(),
            K::Take | K::Limit => O::Take {
                count: self.named_boxed(),
            },
            K::Top => {
                let count = self.named_boxed();
                self.expect_word(K::By);
                O::Top {
                    count,
                    by: Box::new(self.ordered()),
                }
            }
            K::TopHitters => self.top_hitters(),
            K::TopNested => self.top_nested(),
            K::Union => O::Union {
                tables: self.list(Parser::table),
            },
            // `where` and `filter`; anything else is held off by `is_operator`.
            _ => O::Where {
                predicate: self.named_boxed(),
            },
        }
    }

    pub(super) fn boxed(&mut self) -> Box<Expr> {
        Box::new(self.expr())
    }

    /// Parameters behind what they belong to.
    pub(super) fn trailing_params(&mut self, params: &mut Vec<Param>, extra: &[K]) {
        params.extend(self.params(extra));
        while matches!(
            self.token_text(),
            "with_component_id" | "with_source_id" | "with_target_id"
        ) && self.peek(1) == T::Equal
        {
            params.push(self.param());
            params.extend(self.params(extra));
        }
    }

    pub(super) fn names_or_none(&mut self) -> Vec<Expr> {
        if self.at_operator_end() {
            Vec::new()
        } else {
            self.list(Parser::name_or_wildcard)
        }
    }

    /// An expression that may have a name, whether or not that means anything.
    pub(super) fn named_expr(&mut self) -> Expr {
        let column = self.column();
        if column.names == ColumnNames::Derived {
            return column.value;
        }
        Expr {
            span: column.span,
            kind: ExprKind::Named(Box::new(column)),
        }
    }

    pub(super) fn named_boxed(&mut self) -> Box<Expr> {
        Box::new(self.named_expr())
    }

    pub(super) fn count(&mut self) -> O {
        let name = self.eat_word(K::As).then(|| {
            if self.at(T::OpenBracket) {
                let message = format!("expected a name without brackets, found {}", self.found());
                let span = self.span();
                self.error(codes::EXPECTED_NAME, span, message);
            }
            self.name(Class::Name, "a name")
        });
        O::Count { name }
    }

    pub(super) fn distinct_column(&mut self) -> Expr {
        if self.at(T::Star) && (self.peek(1) == T::Comma || self.ends_operator(1)) {
            return self.star();
        }
        self.named_expr()
    }

    pub(super) fn ends_operator(&self, ahead: usize) -> bool {
        matches!(
            self.peek(ahead),
            T::Bar | T::Semicolon | T::Eof | T::CloseParen | T::CloseBrace | T::CloseBracket
        )
    }

    pub(super) fn evaluate(&mut self) -> O {
        if !self.is_name(0, Class::Name) {
            let name = self.name(Class::Name, "the name of a plugin");
            let span = name.span;
            return O::Evaluate {
                call: crate::ast::Call {
                    name,
                    params: Vec::new(),
                    args: Vec::new(),
                    span,
                },
                schema: None,
            };
        }
        let call = self.call();
        let schema = self.eat(T::Colon).then(|| {
            let open = self.span();
            let mut star = false;
            let mut columns = Vec::new();
            if self.expect(T::OpenParen, "`(`") {
                star = self.eat(T::Star);
                if self.eat(T::Comma) || !star {
                    columns = self.column_decls(true);
                }
                self.close(open, T::CloseParen);
            }
            RowSchema {
                star,
                columns,
                span: self.since(open),
            }
        });
        O::Evaluate { call, schema }
    }
}
