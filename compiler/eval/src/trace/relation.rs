//! What operators that relate rows did with the event's: joins, groups.

use rulec_functions::Value;
use rulec_ir::{Expr, ExprKind, JoinKind, Rel};
use rulec_runtime::{Batch, KeyBuffer};
use rulec_source::Span;

use super::predicate::{Looked, Part};
use super::{first_marked, named};
use crate::expr::{Compiled, Scope};
use crate::plan::{Planner, Result};
use crate::support;

/// The keys of the event in a join, and who has the same on the other side.
#[derive(Clone, Debug)]
pub struct Partners {
    /// `innerunique`, `leftanti`, …
    pub kind: &'static str,
    /// Whether the event is on the right side.
    pub right: bool,
    /// Its keys.
    pub keys: Vec<JoinKey>,
    /// Rows on the other side.
    pub others: usize,
    /// Those of them that have all its keys.
    pub partners: usize,
    /// A row of the event's own side that has its keys and comes before it:
    /// `innerunique` takes that one.
    pub twin: bool,
}

/// One key of a join.
#[derive(Clone, Debug)]
pub struct JoinKey {
    /// The column on the event's side; none for what is computed.
    pub name: Option<String>,
    /// Where the event's side of it stands.
    pub span: Span,
    /// The column on the other side.
    pub other: Option<String>,
    /// Where that stands.
    pub other_span: Span,
    /// What the event has there.
    pub value: Value,
    /// Rows on the other side that have the same.
    pub partners: usize,
}

/// The group that the event went into.
#[derive(Clone, Debug)]
pub struct Group {
    /// What makes the group, by the name of its column.
    pub keys: Vec<(String, Value)>,
    /// Rows in it.
    pub rows: usize,
    /// What it became.
    pub row: Vec<(String, Value)>,
}

/// Key expressions of a grouping.
#[derive(Debug)]
pub(crate) struct Grouping {
    keys: Vec<Compiled>,
}

impl Grouping {
    pub(super) fn of(&self, input: &Batch, output: &Batch) -> Option<Group> {
        let first = first_marked(input)?;
        let wanted = key(&self.keys, input, first);
        let rows = (0..input.rows())
            .filter(|row| key(&self.keys, input, *row).bytes() == wanted.bytes())
            .count();
        // The first of the event's rows opened the first of its groups.
        let mut keys = named(output, first_marked(output)?);
        let row = keys.split_off(self.keys.len().min(keys.len()));
        Some(Group { keys, rows, row })
    }
}

fn key(keys: &[Compiled], rows: &Batch, row: usize) -> KeyBuffer {
    let mut buffer = KeyBuffer::new();
    for key in keys {
        buffer.push(&key.of(rows.row(row)));
    }
    buffer
}

/// Expressions to look at.
pub(crate) struct Watched(Vec<Looked>);

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Watched").field(&self.0.len()).finish()
    }
}

impl Watched {
    pub(super) fn of(&self, input: &Batch) -> Option<Vec<Part>> {
        let row = input.row(first_marked(input)?);
        Some(self.0.iter().map(|looked| looked.of(row)).collect())
    }
}

impl Planner<'_, '_> {
    pub(super) fn grouping(&self, input: &Rel, keys: &[Expr]) -> Result<Grouping> {
        Ok(Grouping {
            keys: self.exprs(keys, &mut Scope::new(input.columns.len()))?,
        })
    }

    pub(super) fn watched(&self, rel: &Rel) -> Result<Watched> {
        let mut looked = Vec::new();
        if let Some(input) = rulec_ir::walk::input(rel) {
            for expr in support::exprs(rel) {
                looked.extend(self.value_of(input, expr)?);
            }
        }
        Ok(Watched(looked))
    }
}

/// The names of a join's keys; values come with the rows.
pub(crate) fn join_keys(left: &Rel, left_keys: &[Expr], right: &Rel, right_keys: &[Expr]) -> Vec<JoinKey> {
    let name = |rel: &Rel, key: &Expr| match key.kind {
        ExprKind::Column(index) => rel.columns.get(index).map(|column| column.name.to_string()),
        _ => None,
    };
    left_keys
        .iter()
        .zip(right_keys)
        .map(|(own, other)| JoinKey {
            name: name(left, own),
            span: own.span,
            other: name(right, other),
            other_span: other.span,
            value: Value::Null,
            partners: 0,
        })
        .collect()
}

/// What a join made of the event's first row, which is on the left side if
/// there is one.
pub(super) fn partners(
    kind: JoinKind,
    sides: [&Batch; 2],
    keys: [&[Compiled]; 2],
    names: &[JoinKey],
) -> Option<Partners> {
    let right = sides[0].marked() == 0;
    let (own, other) = if right { (1, 0) } else { (0, 1) };
    let first = first_marked(sides[own])?;
    let row = sides[own].row(first);
    let mut found = names
        .iter()
        .zip(keys[own])
        .map(|(name, key)| {
            let mut name = name.clone();
            if right {
                std::mem::swap(&mut name.name, &mut name.other);
                std::mem::swap(&mut name.span, &mut name.other_span);
            }
            name.value = key.of(row);
            name
        })
        .collect::<Vec<_>>();
    let same = |value: &Value, with: &Value| {
        let (mut a, mut b) = (KeyBuffer::new(), KeyBuffer::new());
        a.push(value);
        b.push(with);
        a.bytes() == b.bytes()
    };
    let mut partners = 0;
    for candidate in sides[other] {
        let mut all = true;
        for (key, expr) in found.iter_mut().zip(keys[other]) {
            let equal = same(&key.value, &expr.of(candidate));
            key.partners += usize::from(equal);
            all &= equal;
        }
        partners += usize::from(all);
    }
    let twin = kind == JoinKind::InnerUnique && !right && {
        let wanted = key(keys[0], sides[0], first);
        (0..first).any(|row| key(keys[0], sides[0], row).bytes() == wanted.bytes())
    };
    Some(Partners {
        kind: kind.name(),
        right,
        keys: found,
        others: sides[other].rows(),
        partners,
        twin,
    })
}
