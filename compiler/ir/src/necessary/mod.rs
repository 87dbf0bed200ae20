//! What rows of a table must meet to have a part in a query's result.
//!
//! In: a bound query. Out: for each place where it reads a table, a
//! [`Necessary`] condition on the table's own columns, so that a reader of
//! large files need not decode what the query drops at once. Conditions are
//! carried from the predicates down to the table through operators that look
//! at one row at a time, and through unions and those sides of joins whose
//! rows do not depend on each other. Deliberately absent: anything that is
//! only likely. What is not understood is met by every row.

mod patterns;
mod predicates;

use rulec_functions::Necessary;

use crate::{ExprKind, JoinKind, Origin, Query, Rel, RelKind, walk};

use predicates::{Known, Knows, Scope};

/// The conditions of a query or relation, one for each place where it reads a
/// table.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Where the relation of the table is in memory, the table, its condition.
    places: Vec<(usize, String, Necessary)>,
}

impl Conditions {
    /// Those of a query.
    pub fn of(query: &Query) -> Self {
        Self::find(query, |visit| walk::query(query, visit))
    }

    /// Those of a relation that belongs to a query.
    pub fn of_rel(query: &Query, rel: &Rel) -> Self {
        Self::find(query, |visit| walk::rel(rel, visit))
    }

    fn find<'q>(query: &'q Query, walk: impl FnOnce(&mut dyn FnMut(walk::Node<'q>))) -> Self {
        let mut finder = Finder {
            knows: Knows { query },
            places: Vec::new(),
        };
        // Roots of relations: the result, the bindings, and every subquery. A
        // relation that is the input of another is reached through it.
        let mut roots: Vec<&'q Rel> = Vec::new();
        let mut inner: Vec<usize> = Vec::new();
        walk(&mut |node| {
            if let walk::Node::Rel(rel) = node {
                walk::inputs(rel, &mut |input| inner.push(place(input)));
                roots.push(rel);
            }
        });
        inner.sort_unstable();
        for root in roots {
            if inner.binary_search(&place(root)).is_err() {
                finder.lineages(root);
            }
        }
        let places = finder.places.into_iter();
        Self {
            places: places
                .filter_map(|(rel, conditions)| match &rel.kind {
                    RelKind::Table { name } => Some((place(rel), name.clone(), Necessary::all(conditions))),
                    _ => None,
                })
                .collect(),
        }
    }

    /// The condition for a table's relation. It must be the very relation that
    /// was looked at, where it was then: another in its place would get its
    /// condition.
    pub fn at(&self, table: &Rel) -> Necessary {
        let found = self.places.iter().find(|(at, _, _)| *at == place(table));
        found.map_or(Necessary::ANYTHING, |(_, _, condition)| condition.clone())
    }

    /// The tables that are read and their conditions, one for each place.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Necessary)> {
        self.places
            .iter()
            .map(|(_, table, condition)| (table.as_str(), condition))
    }
}

/// Where a relation is in memory.
fn place(rel: &Rel) -> usize {
    std::ptr::from_ref(rel).addr()
}

/// Rows of a relation that come from rows of one table, one from one, and what
/// is known of each column.
struct Lineage {
    /// Of [`Finder::places`].
    place: usize,
    columns: Vec<Option<Known>>,
    /// Whether each row came in when the table's row did.
    ingested: bool,
}

struct Finder<'q> {
    knows: Knows<'q>,
    places: Vec<(&'q Rel, Vec<Necessary>)>,
}

impl<'q> Finder<'q> {
    /// The lineages of a relation's rows. Pipelines are long, so they are gone
    /// along, not into.
    fn lineages(&mut self, rel: &'q Rel) -> Vec<Lineage> {
        let mut pipeline = Vec::new();
        let mut rel = rel;
        while let Some(input) = walk::input(rel) {
            pipeline.push(rel);
            rel = input;
        }
        let mut lineages = self.source(rel);
        for rel in pipeline.into_iter().rev() {
            lineages = self.step(rel, lineages);
        }
        lineages
    }

    fn source(&mut self, rel: &'q Rel) -> Vec<Lineage> {
        match &rel.kind {
            RelKind::Table { .. } => {
                self.places.push((rel, Vec::new()));
                let columns = rel.columns.iter().map(|c| Some(Known::column(c))).collect();
                vec![Lineage {
                    place: self.places.len() - 1,
                    columns,
                    ingested: true,
                }]
            }
            RelKind::Union { inputs, with_source } => {
                let mut all = Vec::new();
                for input in inputs {
                    for lineage in self.lineages(&input.rel) {
                        let source = with_source.then_some(None);
                        let columns = input.columns.iter().map(|from| lineage.column(*from));
                        all.push(Lineage {
                            place: lineage.place,
                            ingested: lineage.ingested,
                            columns: source.into_iter().chain(columns).collect(),
                        });
                    }
                }
                all
            }
            RelKind::Join {
                left,
                right,
                kind,
                output,
                ..
            } => {
                let (lefts, rights) = (self.lineages(left), self.lineages(right));
                let (left, right) = sides(*kind);
                let keep = |lineages: Vec<Lineage>, is_left: bool| {
                    lineages.into_iter().map(move |lineage| Lineage {
                        columns: output
                            .iter()
                            .map(|origin| match origin {
                                Origin::Left(at) if is_left => lineage.column(Some(*at)),
                                Origin::Right(at) if !is_left => lineage.column(Some(*at)),
                                _ => None,
                            })
                            .collect(),
                        place: lineage.place,
                        ingested: false,
                    })
                };
                let lefts = keep(lefts, true).filter(|_| left);
                lefts.chain(keep(rights, false).filter(|_| right)).collect()
            }
            _ => {
                walk::inputs(rel, &mut |input| drop(self.lineages(input)));
                Vec::new()
            }
        }
    }

    fn step(&mut self, rel: &'q Rel, mut lineages: Vec<Lineage>) -> Vec<Lineage> {
        match &rel.kind {
            RelKind::Filter { predicate, .. } => {
                for lineage in &lineages {
                    let condition = self.knows.predicate(predicate, lineage.scope());
                    if !condition.is_anything() {
                        self.places[lineage.place].1.push(condition);
                    }
                }
                lineages
            }
            RelKind::Project { exprs, .. } => {
                let windowed = exprs.iter().any(|expr| {
                    let mut found = false;
                    walk::expr(expr, &mut |node| {
                        found |=
                            matches!(node, walk::Node::Expr(e) if matches!(e.kind, ExprKind::Window { .. }));
                    });
                    found
                });
                // A window looks at other rows: none may be missing.
                if windowed {
                    return Vec::new();
                }
                for lineage in &mut lineages {
                    lineage.columns = exprs
                        .iter()
                        .map(|expr| self.knows.value(expr, lineage.scope()))
                        .collect();
                }
                lineages
            }
            // Rows stay what they are.
            RelKind::Sort { .. } => lineages,
            // A group stands or falls with its keys, and a row is in one group.
            RelKind::Summarize { keys, .. } | RelKind::Distinct { exprs: keys, .. } => {
                for lineage in &mut lineages {
                    let keys = keys.iter().map(|key| self.knows.value(key, lineage.scope()));
                    let mut columns: Vec<_> = keys.collect();
                    columns.resize_with(rel.columns.len(), || None);
                    lineage.columns = columns;
                    lineage.ingested = false;
                }
                lineages
            }
            RelKind::MvExpand { items, passed, .. } => {
                for lineage in &mut lineages {
                    let mut columns: Vec<_> = passed.iter().map(|from| lineage.column(*from)).collect();
                    for item in items {
                        if let Some(column) = columns.get_mut(item.output) {
                            *column = self.knows.element(item, lineage.scope());
                        }
                    }
                    lineage.columns = columns;
                }
                lineages
            }
            RelKind::Parse { steps, .. } => {
                for lineage in &mut lineages {
                    lineage.columns.resize_with(rel.columns.len(), || None);
                    for step in steps {
                        if let crate::ParseStep::Column { output, .. } = step
                            && let Some(column) = lineage.columns.get_mut(*output)
                        {
                            *column = None;
                        }
                    }
                }
                lineages
            }
            RelKind::Invoke { .. } => {
                for lineage in &mut lineages {
                    lineage.columns.resize_with(rel.columns.len(), || None);
                }
                lineages
            }
            // Subqueries of the operator read tables of their own.
            RelKind::MvApply { subquery, .. } => {
                self.lineages(subquery);
                Vec::new()
            }
            RelKind::Special { inputs, .. } => {
                for input in inputs.iter().skip(1) {
                    self.lineages(input);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

impl Lineage {
    fn scope(&self) -> Scope<'_> {
        Scope {
            columns: &self.columns,
            ingested: self.ingested,
        }
    }

    fn column(&self, place: Option<usize>) -> Option<Known> {
        self.columns.get(place?).cloned().flatten()
    }
}

/// Whether each left row, and each right row, goes its own way through a join:
/// what comes of it does not depend on other rows of its side.
fn sides(kind: JoinKind) -> (bool, bool) {
    match kind {
        // Which of several left rows with a key stays depends on the others.
        JoinKind::InnerUnique => (false, true),
        JoinKind::Inner => (true, true),
        JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti => (true, false),
        JoinKind::RightOuter | JoinKind::RightSemi | JoinKind::RightAnti => (false, true),
        JoinKind::FullOuter => (false, false),
    }
}

#[cfg(test)]
mod tests;
