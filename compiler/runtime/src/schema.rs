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

/// The columns of a table, in order. Cloning shares them. Schemas are equal that
/// have the same columns.
#[derive(Clone, Debug)]
pub struct Schema {
    columns: Arc<[Column]>,
    open: bool,
    /// Places of the columns that are looked at; the others are only passed on.
    looked_at: Arc<[usize]>,
}

impl Schema {
    /// A closed schema.
    pub fn new(columns: impl Into<Arc<[Column]>>) -> Self {
        Self {
            columns: columns.into(),
            open: false,
            looked_at: Arc::default(),
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

    /// The same columns, of which those with these names are looked at. Saying
    /// it changes the time that reading takes, and nothing else.
    #[must_use]
    pub fn looking_at<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.looked_at = names.into_iter().filter_map(|name| self.index_of(name)).collect();
        self
    }

    /// Whether the column in a place is known to be looked at.
    pub fn is_looked_at(&self, place: usize) -> bool {
        self.looked_at.contains(&place)
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
            looked_at: Arc::default(),
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

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns && self.open == other.open
    }
}

impl Eq for Schema {}
