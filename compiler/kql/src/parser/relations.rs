//! Operators that bring other tables or queries in.

use super::words::is_operator;
use super::{Parser, T};
use crate::ast::{
    Body, Expr, ExprKind, Find, FindColumn, FindOutput, ForkBranch, JoinCondition, OperatorKind as O,
    Partition, Path, Pipeline, Step, StepKind,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};

impl Parser<'_> {
    pub(super) fn facet(&mut self) -> O {
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

    pub(super) fn find(&mut self, mut needs_where: bool) -> O {
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

    pub(super) fn find_column(&mut self) -> FindColumn {
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

    pub(super) fn fork(&mut self) -> O {
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

    pub(super) fn invoke(&mut self) -> O {
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
    pub(super) fn joined(&mut self, required: bool) -> (Box<Expr>, Option<JoinCondition>) {
        let right = match self.wildcard_expr() {
            Some(wildcard) => wildcard,
            None => self.expr(),
        };
        let condition = self.join_condition();
        if required && condition.is_none() {
            self.expect(T::Keyword(K::On), "`on` and the columns to match");
        }
        (Box::new(right), condition)
    }

    pub(super) fn join_condition(&mut self) -> Option<JoinCondition> {
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

    pub(super) fn macro_expand(&mut self) -> O {
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

    /// A column and the members of it, without calls.
    pub(super) fn partition_key(&mut self) -> Expr {
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
            return base;
        }
        // A missing name stands where the text before it ends.
        let start = start.to(base.span);
        let path = Path {
            base: Box::new(base),
            steps,
        };
        self.expr_from(start, ExprKind::Path(path))
    }

    /// Skips a bracket and everything up to its partner.
    pub(super) fn skip_group(&mut self) {
        let partner = self.partners[self.at] as usize;
        if partner > self.at {
            self.at = partner;
        }
        self.bump();
    }

    pub(super) fn partition(&mut self) -> Partition {
        self.expect_word(K::By);
        let by = Box::new(self.partition_key());
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

    pub(super) fn partition_by(&mut self) -> Partition {
        let by = Box::new(self.partition_key());
        let scope = self.eat_word(K::Id).then(|| Box::new(self.literal()));
        Partition {
            by,
            scope,
            query: Box::new(self.sub_query(false)),
            braces: false,
        }
    }

    pub(super) fn search(&mut self) -> O {
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
}
