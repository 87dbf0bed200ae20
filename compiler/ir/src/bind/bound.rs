//! A relation while it is being built: the algebra plus what only the binder
//! needs to know of it.

use std::sync::{Arc, OnceLock};

use foldhash::{HashMap, HashSet};
use rulec_functions::Type;
use rulec_source::Span;

use crate::{Column, Expr, ExprKind, Rel};

/// A bound tabular expression.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) rel: Rel,
    pub(super) meta: Meta,
}

/// What the binder remembers of a relation beside its algebra.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    /// For relations that come from an open table: which columns a reader is
    /// shown, in the order they came up. The others were asked for elsewhere.
    /// None: all columns, in their order.
    pub(super) listed: Option<Vec<usize>>,
    /// The open tables whose columns these are.
    pub(super) sources: Arc<[Arc<str>]>,
    /// The operator that made the columns: an index into the history.
    pub(super) step: usize,
    /// Operators on the longest way down.
    pub(super) depth: usize,
    /// Whether the rows depend on those an enclosing operator hands in.
    pub(super) inner: bool,
    /// Where to find a column of a wide row.
    pub(super) index: Index,
}

/// Columns by name, for rows too wide to be searched; made when first asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(Arc<OnceLock<Named>>);

/// The columns an index is of, and where each name is.
type Named = (Arc<[Column]>, HashMap<Arc<str>, usize>);

/// Columns up to which a row is searched from its end.
const NARROW: usize = 256;

impl Bound {
    pub(super) fn columns(&self) -> &Arc<[Column]> {
        &self.rel.columns
    }

    /// Whether this stems from a table that is not in the catalog.
    pub(super) fn is_from_open(&self) -> bool {
        !self.meta.sources.is_empty()
    }

    /// The column of that name; where `parse` added a second one, that.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let columns = &self.rel.columns;
        if columns.len() > NARROW {
            let (of, names) = self.meta.index.0.get_or_init(|| {
                let names = columns
                    .iter()
                    .enumerate()
                    .map(|(i, c)| (c.name.clone(), i))
                    .collect();
                (columns.clone(), names)
            });
            if Arc::ptr_eq(of, columns) {
                return names.get(name).copied();
            }
        }
        columns.iter().rposition(|c| &*c.name == name)
    }

    /// Whether the column is one that nobody has mentioned yet on the way here.
    pub(super) fn is_hidden(&self, index: usize) -> bool {
        self.meta
            .listed
            .as_ref()
            .is_some_and(|listed| !listed.contains(&index))
    }

    /// The columns as a reader is shown them: indices in order.
    pub(super) fn listed(&self) -> Vec<usize> {
        self.meta
            .listed
            .clone()
            .unwrap_or_else(|| (0..self.rel.columns.len()).collect())
    }

    /// A reference to one of the columns.
    pub(super) fn column(&self, index: usize, span: Span) -> Expr {
        let ty = self.rel.columns.get(index).map_or(Type::Unknown, |c| c.ty);
        Expr {
            kind: ExprKind::Column(index),
            ty,
            span,
        }
    }
}

/// Columns of a row, each once, in the order they came up.
#[derive(Debug, Default)]
pub(super) struct Noted {
    order: Vec<usize>,
    known: HashSet<usize>,
}

impl Noted {
    pub(super) fn of(order: Vec<usize>) -> Self {
        let known = order.iter().copied().collect();
        Self { order, known }
    }

    pub(super) fn add(&mut self, index: usize) {
        if self.known.insert(index) {
            self.order.push(index);
        }
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.known.contains(&index)
    }

    pub(super) fn into_order(self) -> Vec<usize> {
        self.order
    }
}

/// A column list under construction.
pub(super) fn column(name: impl Into<Arc<str>>, ty: Type) -> Column {
    Column {
        name: name.into(),
        ty,
    }
}
