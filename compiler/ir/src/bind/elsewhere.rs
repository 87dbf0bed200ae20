//! Names that the query defines, but not where they are used: further down,
//! in the same operator, or by what uses them. Looked for only when a name is
//! unknown.

use rulec_kql::ast::{self, ColumnNames, OperatorKind as Op, Statement};
use rulec_kql::walk::{self, Visitor};
use rulec_source::{Diagnostic, Span};

/// Where a name is defined instead.
pub(super) struct Elsewhere {
    place: Span,
    label: String,
    help: String,
}

impl Elsewhere {
    /// Says so.
    pub(super) fn tell(self, diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.label(self.place, self.label).help(self.help)
    }
}

/// Where `name`, used at `at`, is defined.
pub(super) fn find(query: &ast::Query, name: &str, at: Span) -> Option<Elsewhere> {
    let mut search = Search {
        name,
        at,
        found: None,
    };
    walk::walk_query(&mut search, query);
    search.found
}

struct Search<'n> {
    name: &'n str,
    at: Span,
    found: Option<Elsewhere>,
}

impl Search<'_> {
    fn found(&mut self, place: Span, label: String, help: &str) {
        self.found = Some(Elsewhere {
            place,
            label,
            help: help.to_owned(),
        });
    }

    /// A column that the operator around the place makes.
    fn made(&mut self, columns: &[ast::Column]) {
        let name = self.name;
        let made = columns.iter().find_map(|column| match &column.names {
            ColumnNames::One(own) if own.text == name => Some(own.span),
            ColumnNames::Many(own) => own.iter().find(|n| n.text == name).map(|n| n.span),
            _ => None,
        });
        if let Some(place) = made {
            self.found(
                place,
                format!("`{name}` is made here, by the same operator"),
                "columns of one operator do not see each other: make it in an `extend` before",
            );
        }
    }
}

impl Visitor for Search<'_> {
    fn statement(&mut self, statement: &Statement) {
        let inside = statement.span().contains(self.at);
        if let Statement::Let(own) = statement
            && own.name.text == self.name
        {
            if inside {
                self.found(
                    own.name.span,
                    format!("this is the definition of `{}`", self.name),
                    "a definition cannot use itself",
                );
            } else if own.span.start >= self.at.end {
                self.found(
                    own.name.span,
                    format!("`{}` is defined here, further down", self.name),
                    "move the `let` in front of what uses it",
                );
            }
        }
        if inside {
            walk::walk_statement(self, statement);
        }
    }

    fn expr(&mut self, expr: &ast::Expr) {
        if expr.span.contains(self.at) {
            walk::walk_expr(self, expr);
        }
    }

    fn operator(&mut self, operator: &ast::Operator) {
        if !operator.span.contains(self.at) {
            return;
        }
        match &operator.kind {
            Op::Extend { columns } | Op::Project { columns } | Op::Serialize { columns } => {
                self.made(columns);
            }
            Op::Print { columns } => self.made(columns),
            Op::Summarize { aggregates, .. } => self.made(aggregates),
            _ => {}
        }
        walk::walk_operator(self, operator);
    }
}
