//! What names can stand for beyond the query itself: tables, watchlists and
//! functions of an environment, and what a request or a repository adds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use rulec_facts::tables::{Function, TableSchema, Tables};
use rulec_functions::Type;
use rulec_functions::matching::wildcard;

use crate::Column;
use crate::bind::Index;

/// The names a query is bound against. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    base: Arc<Tables>,
    /// What was read of `base` so far; shared by all clones.
    read: Arc<Mutex<Read>>,
    tables: BTreeMap<String, Arc<TableSchema>>,
    functions: BTreeMap<String, Arc<Function>>,
    watchlists: BTreeMap<String, Vec<(String, Type)>>,
    open: bool,
}

/// A table as the binder takes it.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) columns: Arc<[Column]>,
    /// It may have more columns than these.
    pub(crate) open: bool,
}

impl Schema {
    fn of(table: &TableSchema, mut name: impl FnMut(&str) -> Arc<str>) -> Self {
        let column = |(n, ty): &(String, Type)| Column {
            name: name(n),
            ty: *ty,
        };
        Self {
            columns: table.columns.iter().map(column).collect(),
            open: table.open,
        }
    }
}

/// Tables of the environment in the binder's form, made when first asked for:
/// thousands of queries are bound against one catalog.
#[derive(Debug)]
struct Read {
    schemas: HashMap<Arc<str>, Schema>,
    /// Column names; most occur in many tables.
    names: HashSet<Arc<str>>,
    /// Unions of many tables, by the tables' columns, the name of the column
    /// that says which table it is, and whether each name gets one column.
    unions: HashMap<(Vec<usize>, Option<String>, bool), Sweep>,
}

/// Tables, which are kept so that nothing else comes to lie where they do, and
/// what they have together.
type Sweep = (Vec<Arc<[Column]>>, Arc<Unified>);

/// The columns that tables have together.
#[derive(Debug)]
pub(crate) struct Unified {
    /// What comes out; the one that says which table it is first.
    pub(crate) columns: Arc<[Column]>,
    /// Where to find them.
    pub(crate) index: Index,
    /// How many a reader is shown, that one left out.
    pub(crate) shown: usize,
    /// For each table, by output column, its own; that one left out.
    pub(crate) filled: Vec<Filled>,
    /// For each table, whether columns of it get another type.
    pub(crate) converts: Vec<bool>,
}

/// Pairs of a column of a union and the column of a table that fills it.
pub(crate) type Filled = Arc<[(usize, usize)]>;

/// Unions that are remembered at most.
const MAX_UNIONS: usize = 32;

impl Catalog {
    /// The tables, watchlists and functions of an environment.
    pub fn new(base: Arc<Tables>) -> Self {
        Self {
            base,
            read: Arc::new(Mutex::new(Read {
                schemas: HashMap::new(),
                names: HashSet::new(),
                unions: HashMap::new(),
            })),
            tables: BTreeMap::new(),
            functions: BTreeMap::new(),
            watchlists: BTreeMap::new(),
            open: false,
        }
    }

    /// Whether unknown tables are expected: they then behave as open tables
    /// without a warning.
    #[must_use]
    pub fn open(mut self, open: bool) -> Self {
        self.open = open;
        self
    }

    /// Adds a table, replacing one of the same name.
    #[must_use]
    pub fn with_table(mut self, table: TableSchema) -> Self {
        self.tables.insert(table.name.clone(), Arc::new(table));
        self
    }

    /// Adds a function, replacing one of the same name.
    #[must_use]
    pub fn with_function(mut self, function: Function) -> Self {
        self.functions.insert(function.name.clone(), Arc::new(function));
        self
    }

    /// Adds what is known of a watchlist's own columns.
    #[must_use]
    pub fn with_watchlist(mut self, alias: impl Into<String>, columns: Vec<(String, Type)>) -> Self {
        self.watchlists.insert(alias.into(), columns);
        self
    }

    /// Whether unknown tables are expected.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether a query may name other databases than its own: in the samples
    /// of the documentation it may, in a workspace or tenant there are none.
    pub(crate) fn has_databases(&self) -> bool {
        use rulec_facts::tables::Environment;
        matches!(self.base.environment(), Environment::Docs | Environment::None)
    }

    /// The environment's facts.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.base
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<Arc<TableSchema>> {
        self.tables.get(name).cloned().or_else(|| self.base.get(name))
    }

    /// The table of that name, as the binder takes it.
    pub(crate) fn schema(&self, name: &str) -> Option<Schema> {
        if let Some(table) = self.tables.get(name) {
            return Some(Schema::of(table, |name| name.into()));
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.schemas.get(name) {
            return Some(known.clone());
        }
        let Some(table) = self.base.get(name) else {
            // Not remembered: the names of tables that do not exist have no end.
            return None;
        };
        let Read { schemas, names, .. } = &mut *read;
        let schema = Schema::of(&table, |name| match names.get(name) {
            Some(known) => known.clone(),
            None => {
                let name: Arc<str> = name.into();
                names.insert(name.clone());
                name
            }
        });
        schemas.insert(name.into(), schema.clone());
        Some(schema)
    }

    /// The columns that tables have together: worked out once for the same
    /// tables, because a sweep over a whole environment has tens of thousands.
    pub(crate) fn unified(
        &self,
        tables: Vec<Arc<[Column]>>,
        with_source: Option<&str>,
        by_name: bool,
        unify: impl FnOnce() -> Unified,
    ) -> Arc<Unified> {
        let key: Vec<usize> = tables.iter().map(|columns| columns.as_ptr().addr()).collect();
        let key = (key, with_source.map(str::to_owned), by_name);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = read.unions.get(&key) {
            return known.clone();
        }
        if read.unions.len() >= MAX_UNIONS {
            // Patterns have no end.
            read.unions.clear();
        }
        let unified = Arc::new(unify());
        read.unions.insert(key, (tables, unified.clone()));
        unified
    }

    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions
            .get(name)
            .map(Arc::as_ref)
            .or_else(|| self.base.function(name))
    }

    /// The columns `_GetWatchlist` gives for an alias; `None` when the alias is not known.
    pub fn watchlist(&self, alias: Option<&str>) -> TableSchema {
        let mut schema = self.base.watchlist(alias.unwrap_or_default());
        if let Some(own) = alias.and_then(|alias| self.watchlists.get(alias)) {
            schema
                .columns
                .retain(|(name, _)| own.iter().all(|(n, _)| n != name));
            schema.columns.extend(own.iter().cloned());
            schema.open = false;
        }
        schema
    }

    /// All table names that match a wildcard pattern such as `Device*`, in
    /// the order a union lists them: the environment's, then what was added,
    /// each sorted.
    pub fn matching(&self, pattern: &str) -> Vec<String> {
        let base = self.base.names();
        let added = self.tables.keys().map(String::as_str);
        let added = added.filter(|name| base.binary_search(name).is_err());
        base.iter()
            .copied()
            .chain(added)
            .filter(|name| wildcard(name, pattern))
            .map(str::to_owned)
            .collect()
    }

    /// The tables that somebody who wrote `name` may have meant.
    pub fn close_tables(&self, name: &str) -> Vec<String> {
        let names = self.base.names();
        rulec_facts::close_matches(
            name,
            names.into_iter().chain(self.tables.keys().map(String::as_str)),
            3,
        )
        .into_iter()
        .map(str::to_owned)
        .collect()
    }
}
