//! Names and types of columns.

use std::sync::Arc;

use rulec_functions::Type;

/// A column's name, exact, and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<Arc<str>>, ty: Type) -> Self {
        Self {
            name: name.into(),
            ty,
        }
    }
}

/// The columns of a table, in order. Cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    columns: Arc<[Column]>,
    open: bool,
}

impl Schema {
    /// A closed schema.
    pub fn new(columns: impl Into<Arc<[Column]>>) -> Self {
        Self {
            columns: columns.into(),
            open: false,
        }
    }

    /// A closed schema from a table of names and types, as emitted rules write it.
    pub fn of(columns: &[(&str, Type)]) -> Self {
        Self::new(
            columns
                .iter()
                .map(|(name, ty)| Column::new(*name, *ty))
                .collect::<Vec<_>>(),
        )
    }

    /// The same columns, and any others that the data has: readers append them.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// These columns, then those of another schema that have other names; open
    /// if one of them is.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let new = other
            .columns
            .iter()
            .filter(|new| self.index_of(&new.name).is_none());
        Self {
            columns: self.columns.iter().chain(new).cloned().collect(),
            open: self.open || other.open,
        }
    }

    /// Whether the data may bring more columns than are listed.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The place of a column; names are exact.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| &*column.name == name)
    }
}
