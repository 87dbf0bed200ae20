//! The graph operators.

use super::{Parser, T};
use crate::ast::{
    EdgeDirection, Expr, ExprKind, GraphMatch, GraphOutput, GraphPart, GraphPartKind, GraphPattern,
    MakeGraph, OperatorKind as O,
};
use crate::codes;
use crate::keyword::{Class, Keyword as K};

impl Parser<'_> {
    /// How many tokens of those kinds, written without blanks, stand here; 0 or all.
    fn at_run(&self, kinds: &[T]) -> bool {
        kinds.iter().enumerate().all(|(i, kind)| {
            self.peek(i) == *kind
                && (i == 0 || self.tokens[self.at + i - 1].span.end == self.tokens[self.at + i].span.start)
        })
    }

    fn eat_run(&mut self, kinds: &[T]) -> bool {
        let found = self.at_run(kinds);
        if found {
            for _ in kinds {
                self.bump();
            }
        }
        found
    }

    pub(super) fn graph_match(&mut self) -> GraphMatch {
        let patterns = self.list(Parser::graph_pattern);
        let predicate = self.eat_word(K::Where).then(|| Box::new(self.expr()));
        let project = self.eat_word(K::Project).then(|| self.columns());
        GraphMatch {
            patterns,
            predicate,
            project,
        }
    }

    fn graph_pattern(&mut self) -> GraphPattern {
        let start = self.span();
        let mut parts = Vec::new();
        while let Some(part) = self.graph_part() {
            parts.push(part);
        }
        if parts.is_empty() {
            let message = format!(
                "expected a pattern such as `(a)-[e]->(b)`, found {}",
                self.found()
            );
            let place = self.place_of_missing();
            self.error(codes::EXPECTED_EXPRESSION, place, message);
        }
        GraphPattern {
            parts,
            span: self.since(start),
        }
    }

    fn graph_part(&mut self) -> Option<GraphPart> {
        let start = self.span();
        if self.at(T::OpenParen) {
            self.bump();
            let name = self.is_name(0, Class::Name).then(|| self.take_name());
            self.close(start, T::CloseParen);
            return Some(GraphPart {
                kind: GraphPartKind::Node,
                name,
                span: self.since(start),
            });
        }
        let edge = |direction| GraphPartKind::Edge {
            direction,
            range: None,
        };
        let kind = if self.eat_run(&[T::Less, T::Minus, T::OpenBracket]) {
            return Some(self.named_edge(start, true));
        } else if self.eat_run(&[T::Minus, T::OpenBracket]) {
            return Some(self.named_edge(start, false));
        } else if self.eat_run(&[T::Less, T::Minus, T::Minus]) {
            edge(EdgeDirection::Left)
        } else if self.eat_run(&[T::Minus, T::Minus, T::Greater]) {
            edge(EdgeDirection::Right)
        } else if self.eat_run(&[T::Minus, T::Minus]) {
            edge(EdgeDirection::Any)
        } else {
            return None;
        };
        Some(GraphPart {
            kind,
            name: None,
            span: self.since(start),
        })
    }

    /// An edge whose bracket has been opened.
    fn named_edge(&mut self, start: rulec_source::Span, left: bool) -> GraphPart {
        let name = self.is_name(0, Class::Name).then(|| self.take_name());
        let range = self.eat(T::Star).then(|| {
            let from = Box::new(self.value());
            self.expect(T::DotDot, "`..`");
            let to = Box::new(self.value());
            (from, to)
        });
        let right = self.eat_run(&[T::CloseBracket, T::Minus, T::Greater]);
        if !right && !self.eat_run(&[T::CloseBracket, T::Minus]) {
            self.expect(T::CloseBracket, "`]-` or `]->`");
        }
        let direction = match (left, right) {
            (true, false) => EdgeDirection::Left,
            (false, true) => EdgeDirection::Right,
            _ => EdgeDirection::Any,
        };
        GraphPart {
            kind: GraphPartKind::Edge { direction, range },
            name,
            span: self.since(start),
        }
    }

    pub(super) fn graph_to_table(&mut self) -> O {
        let outputs = self.list(|p| {
            let start = p.span();
            let what = if p.at_word(K::Nodes) || p.at_word(K::Edges) {
                p.take_name()
            } else {
                let message = format!("expected `nodes` or `edges`, found {}", p.found());
                let place = p.place_of_missing();
                p.error(codes::EXPECTED_NAME, place, message);
                p.missing_name()
            };
            let name = p.eat_word(K::As).then(|| p.name(Class::Name, "a name"));
            let mut params = Vec::new();
            p.trailing_params(&mut params, &[K::WithNodeId]);
            GraphOutput {
                what,
                name,
                params,
                span: p.since(start),
            }
        });
        O::GraphToTable { outputs }
    }

    pub(super) fn make_graph(&mut self) -> O {
        let source = Box::new(self.plain_name());
        let direction = if self.eat_run(&[T::Minus, T::Minus, T::Greater]) {
            EdgeDirection::Right
        } else {
            if !self.eat_run(&[T::Minus, T::Minus]) {
                let message = format!("expected `-->` or `--`, found {}", self.found());
                let place = self.place_of_missing();
                self.error(codes::EXPECTED_TOKEN, place, message);
                while matches!(self.kind(), T::Minus | T::Greater | T::Less) {
                    self.bump();
                }
            }
            EdgeDirection::Any
        };
        let target = Box::new(self.plain_name());
        let mut nodes = Vec::new();
        let mut node_id = None;
        if self.eat_word(K::With) {
            nodes = self.list(|p| {
                let table = p.table();
                p.expect_word(K::On);
                (table, p.plain_name())
            });
        } else if self.eat_word(K::WithNodeId) {
            self.expect(T::Equal, "`=`");
            node_id = Some(self.name(Class::Name, "a name"));
        }
        let partitioned_by = self.eat_word(K::PartitionedBy).then(|| {
            let start = self.span();
            let name = self.name(Class::Name, "a column");
            let key: Expr = self.expr_from(start, ExprKind::Name(name));
            (Box::new(key), Box::new(self.sub_query(false)))
        });
        O::MakeGraph(MakeGraph {
            source,
            direction,
            target,
            nodes,
            node_id,
            partitioned_by,
        })
    }
}
