//! The tabular operators.

use super::{Parser, T};
use crate::ast::{
    Body, Column, ColumnNames, Expr, ExprKind, Find, FindColumn, FindOutput, ForkBranch, JoinCondition,
    MvColumn, Name, Operator, OperatorKind as O, Param, Parse, ParsePart, Partition, Path, Pipeline,
    RowSchema, Step, StepKind, TopNestedLevel,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};
use rulec_source::Diagnostic;

/// Whether the keyword is the name of an operator.
pub(super) fn is_operator(keyword: K) -> bool {
    is_operator_only(keyword) || is_operator_and_name(keyword)
}

/// Operators whose keyword cannot be the name of a table: a query may begin
/// with them without further ado.
fn is_operator_only(keyword: K) -> bool {
    matches!(
        keyword,
        K::As
            | K::AssertSchema
            | K::ExecuteAndCache
            | K::Find
            | K::GraphMarkComponents
            | K::GraphMatch
            | K::GraphShortestPaths
            | K::GraphToTable
            | K::GraphWhereEdges
            | K::GraphWhereNodes
            | K::Invoke
            | K::MacroExpand
            | K::MakeGraph
            | K::MakeSeries
            | K::MvApply
            | K::MvExpand
            | K::ParseKv
            | K::ParseWhere
            | K::Print
            | K::Project
            | K::ProjectAway
            | K::ProjectByNames
            | K::ProjectKeep
            | K::ProjectRename
            | K::ProjectReorder
            | K::Sample
            | K::SampleDistinct
            | K::Search
            | K::TopHitters
            | K::TopNested
            | K::Union
            | K::Where
    )
}

/// Operators whose keyword may also be a name.
fn is_operator_and_name(keyword: K) -> bool {
    matches!(
        keyword,
        K::Consume
            | K::Count
            | K::Distinct
            | K::Evaluate
            | K::Extend
            | K::Facet
            | K::Filter
            | K::Fork
            | K::Getschema
            | K::Join
            | K::Limit
            | K::Lookup
            | K::Mvapply
            | K::Mvexpand
            | K::Order
            | K::Parse
            | K::Partition
            | K::PartitionBy
            | K::Range
            | K::Reduce
            | K::Render
            | K::Scan
            | K::Serialize
            | K::Sort
            | K::Summarize
            | K::Take
            | K::Top
    )
}

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
            K::Consume | K::Getschema => next_is_param,
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

    fn bad_operator(&mut self) -> Operator {
        let start = self.span();
        let message = format!("expected a tabular operator, found {}", self.found());
        let place = self.place_of_missing();
        let mut finding = Diagnostic::new(codes::EXPECTED_OPERATOR, message).at(place);
        if let Some(word) = self.similar_operator() {
            finding = finding.help(format!("did you mean `{word}`?"));
        }
        self.report(finding);
        let keyword = if matches!(self.kind(), T::Ident | T::Keyword(_)) {
            self.take_name()
        } else {
            self.missing_name()
        };
        self.skip(|k| matches!(k, T::Bar | T::Semicolon));
        Operator {
            kind: O::Bad,
            keyword,
            params: Vec::new(),
            span: self.since(start),
        }
    }

    /// An operator spelled almost like the current word.
    fn similar_operator(&self) -> Option<&'static str> {
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

    fn operator_kind(&mut self, keyword: K, params: &mut Vec<Param>) -> O {
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

    fn boxed(&mut self) -> Box<Expr> {
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

    fn names_or_none(&mut self) -> Vec<Expr> {
        if self.at_operator_end() {
            Vec::new()
        } else {
            self.list(Parser::name_or_wildcard)
        }
    }

    /// An expression that may have a name, whether or not that means anything.
    fn named_expr(&mut self) -> Expr {
        let column = self.column();
        if column.names == ColumnNames::Derived {
            return column.value;
        }
        Expr {
            span: column.span,
            kind: ExprKind::Named(Box::new(column)),
        }
    }

    fn named_boxed(&mut self) -> Box<Expr> {
        Box::new(self.named_expr())
    }

    fn count(&mut self) -> O {
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

    fn distinct_column(&mut self) -> Expr {
        if self.at(T::Star) && (self.peek(1) == T::Comma || self.ends_operator(1)) {
            return self.star();
        }
        self.named_expr()
    }

    fn ends_operator(&self, ahead: usize) -> bool {
        matches!(
            self.peek(ahead),
            T::Bar | T::Semicolon | T::Eof | T::CloseParen | T::CloseBrace | T::CloseBracket
        )
    }

    fn evaluate(&mut self) -> O {
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

    fn facet(&mut self) -> O {
        self.expect_word(K::By);
        let by = self.list(Parser::plain_name);
        let with = self.eat_word(K::With).then(|| {
            if self.at(T::OpenParen) {
                Box::new(self.sub_query(false))
            } else {
                let start = self.span();
                let operators = vec![self.operator()];
                Box::new(self.expr_from(
                    start,
                    ExprKind::Pipeline(Pipeline {
                        source: None,
                        operators,
                    }),
                ))
            }
        });
        O::Facet { by, with }
    }

    /// `( operators )`; with `source`, they may read another table.
    pub(super) fn sub_query(&mut self, source: bool) -> Expr {
        let open = self.span();
        if !self.expect(T::OpenParen, "`(`") {
            return self.missing();
        }
        let start = self.span();
        let operator = matches!(self.kind(), T::Keyword(k) if is_operator(k));
        let query = if source && !operator {
            self.pipeline()
        } else if self.enter() {
            let operators = self.operators(true);
            self.leave();
            self.expr_from(
                start,
                ExprKind::Pipeline(Pipeline {
                    source: None,
                    operators,
                }),
            )
        } else {
            self.missing()
        };
        self.close(open, T::CloseParen);
        query
    }

    fn find(&mut self, mut needs_where: bool) -> O {
        if self.at_word(K::Datascope) && self.peek(1) == T::Equal {
            // Accepted and without meaning.
            let scope = self.param();
            if !matches!(&scope.value.kind, ExprKind::Name(n) if n.text == "all" || n.text == "hotcache") {
                self.error(
                    codes::EXPECTED_NAME,
                    scope.span,
                    "`datascope` is `all` or `hotcache`",
                );
            }
            needs_where = true;
        }
        let mut tables = Vec::new();
        if self.eat_word(K::In) {
            tables = self.tables_in_parentheses();
            needs_where = true;
        }
        if !self.eat_word(K::Where) && needs_where {
            self.expect(T::Keyword(K::Where), "`where`");
        }
        let predicate = self.boxed();
        let output = if self.eat_word(K::ProjectSmart) {
            FindOutput::Smart
        } else if self.eat_word(K::Project) {
            FindOutput::Project(self.list(Parser::find_column))
        } else {
            FindOutput::Default
        };
        let project_away = if self.eat_word(K::InternalProjectAway) {
            self.list(Parser::name_or_wildcard)
        } else {
            Vec::new()
        };
        O::Find(Find {
            tables,
            predicate,
            output,
            project_away,
        })
    }

    fn find_column(&mut self) -> FindColumn {
        let column = if self.at_word(K::Pack) && self.peek(1) == T::OpenParen {
            let start = self.span();
            if self.peek(2) != T::Star {
                let span = self.span();
                self.error(codes::EXPECTED_TOKEN, span, "`find` takes `pack(*)` only");
            }
            let call = self.call();
            self.expr_from(start, ExprKind::Call(call))
        } else if self.at(T::Star) {
            self.star()
        } else {
            self.plain_name()
        };
        let ty = self.eat(T::Colon).then(|| self.type_name());
        FindColumn { column, ty }
    }

    fn fork(&mut self) -> O {
        let mut branches = Vec::new();
        loop {
            let start = self.span();
            let next = self.name_len(0);
            let named = self.is_name(0, Class::Name) && self.peek(next) == T::Equal;
            if !branches.is_empty() && !named && !self.at(T::OpenParen) {
                return O::Fork { branches };
            }
            let name = named.then(|| {
                let name = self.take_name();
                self.bump();
                name
            });
            let before = self.at;
            let query = self.sub_query(true);
            branches.push(ForkBranch {
                name,
                query,
                span: self.since(start),
            });
            if self.at == before {
                return O::Fork { branches };
            }
        }
    }

    fn invoke(&mut self) -> O {
        let start = self.span();
        let next = self.name_len(0);
        if !self.is_name(0, Class::Name) || self.peek(next) != T::OpenParen {
            let function = if self.is_name(0, Class::Name) {
                let name = self.take_name();
                self.expect(T::OpenParen, "`(`");
                self.expr_from(start, ExprKind::Name(name))
            } else {
                self.expected_expression()
            };
            return O::Invoke {
                function: Box::new(function),
            };
        }
        let call = self.call();
        let base = self.expr_from(start, ExprKind::Call(call));
        O::Invoke {
            function: Box::new(self.steps(start, base, false)),
        }
    }

    /// The right side and the condition of `join` and `lookup`.
    fn joined(&mut self, required: bool) -> (Box<Expr>, Option<JoinCondition>) {
        let right = match self.kind() {
            T::Keyword(K::Datatable) => self.datatable(),
            T::Keyword(K::Externaldata | K::ExternalDataOld) => self.external_data(),
            T::OpenParen => self.expr(),
            _ => self.table(),
        };
        let condition = self.join_condition();
        if required && condition.is_none() {
            self.expect(T::Keyword(K::On), "`on` and the columns to match");
        }
        (Box::new(right), condition)
    }

    fn join_condition(&mut self) -> Option<JoinCondition> {
        if self.eat_word(K::On) {
            return Some(JoinCondition::On(self.list(Parser::expr)));
        }
        // On a line of its own, `where` is rather an operator without its pipe.
        if self.at_word(K::Where) && !self.first_of_line() {
            self.bump();
            return Some(JoinCondition::Where(self.boxed()));
        }
        None
    }

    fn macro_expand(&mut self) -> O {
        let group = if self.at_word(K::EntityGroup) && self.peek(1) == T::OpenBracket {
            self.entity_group()
        } else if self.at(T::OpenParen) {
            self.expected_expression()
        } else if self.is_name(0, Class::Name)
            && self.peek(1) == T::OpenParen
            && !(self.partners[self.at + 1] != 0
                && self.tokens[self.partners[self.at + 1] as usize + 1].kind == T::Dot)
        {
            // `E (…)`: a group and its body, and no call.
            self.plain_name()
        } else {
            self.path()
        };
        let scope = if self.eat_word(K::As) {
            self.name(Class::Name, "a name")
        } else {
            self.missing_name()
        };
        let open = self.span();
        let mut body = Body::default();
        if self.expect(T::OpenParen, "`(`") {
            if self.enter() {
                let query = self.statements_until_paren();
                body = query;
                self.leave();
            }
            self.close(open, T::CloseParen);
        }
        body.span = self.since(open);
        O::MacroExpand {
            group: Box::new(group),
            scope,
            body,
        }
    }

    fn mv_column(&mut self) -> MvColumn {
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

    fn mv_expand(&mut self) -> O {
        let columns = self.list(Parser::mv_column);
        let limit = self.eat_word(K::Limit).then(|| self.boxed());
        O::MvExpand { columns, limit }
    }

    fn mv_apply(&mut self) -> O {
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

    fn parse_pattern(&mut self) -> Parse {
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

    fn parse_kv(&mut self) -> O {
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

    /// A column and the members of it, without calls.
    fn partition_key(&mut self) -> Box<Expr> {
        let start = self.span();
        let name = self.name(Class::Name, "a column");
        let base = self.expr_from(start, ExprKind::Name(name));
        if self.at(T::OpenParen) && self.partner_is_followed_by(T::OpenParen) {
            let message = "`partition` takes a column and no call";
            let span = self.since(start);
            self.error(codes::UNEXPECTED_TEXT, span, message);
            self.skip_group();
        }
        let mut steps = Vec::new();
        while self.at(T::Dot) {
            let from = self.span();
            self.bump();
            let member = self.name(Class::Name, "a name");
            steps.push(Step {
                kind: StepKind::Member(member),
                span: self.since(from),
            });
        }
        if steps.is_empty() {
            return Box::new(base);
        }
        let path = Path {
            base: Box::new(base),
            steps,
        };
        Box::new(self.expr_from(start, ExprKind::Path(path)))
    }

    /// Skips a bracket and everything up to its partner.
    fn skip_group(&mut self) {
        let partner = self.partners[self.at] as usize;
        if partner > self.at {
            self.at = partner;
        }
        self.bump();
    }

    fn partition(&mut self) -> Partition {
        self.expect_word(K::By);
        let by = self.partition_key();
        let braces = self.at(T::OpenBrace);
        let query = if braces {
            let open = self.span();
            self.bump();
            let query = self.pipeline();
            self.close(open, T::CloseBrace);
            query
        } else {
            self.sub_query(false)
        };
        Partition {
            by,
            scope: None,
            query: Box::new(query),
            braces,
        }
    }

    fn partition_by(&mut self) -> Partition {
        let by = self.partition_key();
        let scope = self.eat_word(K::Id).then(|| Box::new(self.literal()));
        Partition {
            by,
            scope,
            query: Box::new(self.sub_query(false)),
            braces: false,
        }
    }

    fn reordered(&mut self) -> crate::ast::Ordered {
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

    fn range(&mut self) -> O {
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

    fn reduce(&mut self) -> O {
        self.expect_word(K::By);
        let by = Box::new(self.column());
        let mut properties = Vec::new();
        if self.eat_word(K::With) && self.at(T::Ident) {
            properties = self.list(Parser::reduce_property);
        }
        O::Reduce { by, properties }
    }

    fn reduce_property(&mut self) -> Param {
        if !matches!(self.token_text(), "threshold" | "characters") {
            self.expect(T::Eof, "`threshold` or `characters`");
        }
        self.param()
    }

    fn search(&mut self) -> O {
        let tables = if self.eat_word(K::In) {
            self.tables_in_parentheses()
        } else {
            Vec::new()
        };
        let predicate = if self.at(T::Star) && self.ends_operator(1) {
            Box::new(self.star())
        } else {
            self.boxed()
        };
        O::Search { tables, predicate }
    }

    fn summarize(&mut self) -> O {
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

    fn summarize_key(&mut self) -> Column {
        if self.at_word(K::Bin) && self.peek(1) == T::Equal {
            self.expected_expression();
        }
        self.column()
    }

    fn top_hitters(&mut self) -> O {
        let count = self.named_boxed();
        self.expect_word(K::Of);
        let of = Box::new(self.named_expr());
        let by = self.eat_word(K::By).then(|| Box::new(self.named_expr()));
        O::TopHitters { count, of, by }
    }

    fn top_nested(&mut self) -> O {
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

    fn top_nested_level(&mut self) -> TopNestedLevel {
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

/// Operators that are followed by no parameter, so that `kind = x` is something else.
fn takes_no_params(keyword: K) -> bool {
    matches!(
        keyword,
        K::AssertSchema
            | K::Count
            | K::ExecuteAndCache
            | K::Extend
            | K::Facet
            | K::Fork
            | K::GraphToTable
            | K::GraphWhereEdges
            | K::GraphWhereNodes
            | K::Invoke
            | K::ParseKv
            | K::Print
            | K::Project
            | K::ProjectAway
            | K::ProjectByNames
            | K::ProjectKeep
            | K::ProjectRename
            | K::ProjectReorder
            | K::Range
            | K::Render
            | K::TopHitters
            | K::TopNested
    )
}

/// Whether the keyword is the name of a chart.
pub(super) fn is_chart(keyword: K) -> bool {
    matches!(
        keyword,
        K::Anomalychart
            | K::Areachart
            | K::Barchart
            | K::Card
            | K::Chart3D
            | K::Columnchart
            | K::Graph
            | K::Ladderchart
            | K::Linechart
            | K::Piechart
            | K::Pivotchart
            | K::Plotly
            | K::Scatterchart
            | K::Stackedareachart
            | K::Timechart
            | K::Timeline
            | K::Timepivot
            | K::Treemap
    )
}

/// How many letters must be changed, added, removed or swapped to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (row[j] + usize::from(x != y))
                .min(row[j + 1] + 1)
                .min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}
