//! Which columns a query looks at, as against those that it only passes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::walk::{self, Node};
use crate::{Column, Expr, ExprKind, Origin, Query, Rel, RelKind};

/// The names of all columns of which some expression of the query wants the
/// value. A column that is only shown, renamed or picked by `arg_max` is not
/// among them. They are names, whatever table they are of, so there may be more
/// than need be.
pub fn looked_at(query: &Query) -> BTreeSet<Arc<str>> {
    let mut found = Found::default();
    walk::query(query, &mut |node| {
        if let Node::Rel(rel) = node {
            found.rel(rel);
        }
    });
    // Whoever looks at a column under another name looks at it.
    loop {
        let before = found.names.len();
        for (name, from) in &found.renamed {
            if found.names.contains(name) {
                found.names.insert(Arc::clone(from));
            }
        }
        if found.names.len() == before {
            return found.names;
        }
    }
}

#[derive(Default)]
struct Found {
    names: BTreeSet<Arc<str>>,
    /// New names of columns, and those that they had.
    renamed: Vec<(Arc<str>, Arc<str>)>,
}

impl Found {
    fn rel(&mut self, rel: &Rel) {
        let input = walk::input(rel).map_or(&[][..], |input| &input.columns);
        match &rel.kind {
            RelKind::Project { exprs, .. } => {
                for (expr, column) in exprs.iter().zip(rel.columns.iter()) {
                    match &expr.kind {
                        ExprKind::Column(place) => self.is_renamed(column, input.get(*place)),
                        _ => self.looks([expr], input),
                    }
                }
            }
            RelKind::Summarize { keys, aggregates, .. } => {
                self.looks(keys, input);
                let mut filled = keys.len();
                for call in aggregates {
                    let picks = ["arg_max", "arg_min", "take_any"].contains(&call.function);
                    let of_a_row = picks && call.args.len() > 1;
                    for (number, arg) in call.args.iter().enumerate() {
                        let decides = number == 0 && call.function != "take_any";
                        match &arg.kind {
                            ExprKind::Column(place) if of_a_row && !decides => {
                                if let Some(column) = rel.columns.get(filled + number) {
                                    self.is_renamed(column, input.get(*place));
                                }
                            }
                            _ => self.looks([arg], input),
                        }
                    }
                    filled += call.outputs;
                }
            }
            RelKind::Join {
                left,
                right,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                self.looks(left_keys, &left.columns);
                self.looks(right_keys, &right.columns);
                for (column, origin) in rel.columns.iter().zip(output) {
                    let from = match origin {
                        Origin::Left(place) => left.columns.get(*place),
                        Origin::Right(place) => right.columns.get(*place),
                    };
                    self.is_renamed(column, from);
                }
            }
            _ => {
                let mut exprs = Vec::new();
                walk::expressions(rel, &mut |expr| exprs.push(expr));
                self.looks(exprs, input);
            }
        }
    }

    fn is_renamed(&mut self, column: &Column, from: Option<&Column>) {
        if let Some(from) = from
            && from.name != column.name
        {
            self.renamed
                .push((Arc::clone(&column.name), Arc::clone(&from.name)));
        }
    }

    /// Adds the columns that expressions read. Subqueries have rows of their own,
    /// of which one column is read.
    fn looks<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>, columns: &[Column]) {
        let mut todo: Vec<&Expr> = exprs.into_iter().collect();
        while let Some(expr) = todo.pop() {
            match &expr.kind {
                ExprKind::Column(place) => {
                    if let Some(column) = columns.get(*place) {
                        self.names.insert(Arc::clone(&column.name));
                    }
                }
                ExprKind::Call { args, .. }
                | ExprKind::Window { args, .. }
                | ExprKind::And(args)
                | ExprKind::Or(args) => todo.extend(args),
                ExprKind::ToScalar(rel) | ExprKind::List(rel) => {
                    self.names
                        .extend(rel.columns.first().map(|column| Arc::clone(&column.name)));
                }
                ExprKind::Literal(_) | ExprKind::Binding(_) | ExprKind::Now | ExprKind::IngestionTime => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rulec_facts::Pack;
    use rulec_facts::tables::{Environment, Tables};

    use crate::{Catalog, lower};

    fn looked_at(query: &str) -> String {
        let tables = Tables::new(&Pack::embedded(), Environment::M365).unwrap();
        let lowered = lower(&rulec_kql::parse(query), &Catalog::new(Arc::new(tables)));
        let names = super::looked_at(&lowered.query);
        names.iter().map(|name| &**name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_passed_on_is_not_looked_at() {
        for (query, expected) in [
            ("DeviceEvents", ""),
            (
                "DeviceEvents | where ActionType == 'x' | project DeviceId, SHA1",
                "ActionType",
            ),
            (
                "DeviceEvents | extend N = strlen(SHA1), M = MD5 | sort by DeviceId",
                "DeviceId SHA1",
            ),
            // Under whatever name.
            (
                "DeviceEvents | project-rename X = SHA1 | project Y = X | where Y has 'a'",
                "SHA1 X Y",
            ),
            (
                "DeviceEvents | summarize arg_max(Timestamp, *) by DeviceId",
                "DeviceId Timestamp",
            ),
            (
                "DeviceEvents | summarize arg_min(Timestamp, M = MD5, strlen(SHA1)) by DeviceId | where M == ''",
                "DeviceId M MD5 SHA1 Timestamp",
            ),
            ("DeviceEvents | summarize take_any(*) by DeviceId", "DeviceId"),
            (
                "DeviceEvents | summarize Names = make_set(DeviceName), take_any(MD5)",
                "DeviceName MD5",
            ),
            (
                "DeviceEvents | join kind=inner (DeviceInfo | where OSPlatform == 'x') on DeviceId \
                 | where DeviceName1 == 'a'",
                "DeviceId DeviceName DeviceName1 OSPlatform",
            ),
            (
                "let d = DeviceInfo | where PublicIP in ((DeviceEvents | project SHA1)); d | distinct JoinType",
                "JoinType PublicIP SHA1",
            ),
        ] {
            assert_eq!(looked_at(query), expected, "{query}");
        }
    }
}
