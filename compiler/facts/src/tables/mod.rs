//! Tables, their columns, and the functions that come with an environment.
//!
//! In: `schema/tables/{m365,sentinel,docs}.txt` (one line a table, see
//! the module `compact`) and `schema/tables/*.yaml` (functions and a repository's own
//! tables, see the module `added`). Out: the schema of one table at a time. A table is
//! found by binary search in the text and parsed when it is asked for, so a
//! thousand tables cost nothing to those who use three.
//!
//! Deliberately absent: what to do about an unknown table. That is the
//! binder's business; it gets None and may ask for [`Tables::close_matches`].

mod added;
mod compact;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rulec_functions::Type;

use crate::{FactsError, Pack, near};
use added::Added;
use compact::Compact;

/// A set of tables that a query is read against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Microsoft Defender XDR advanced hunting.
    M365,
    /// Microsoft Sentinel and Log Analytics.
    Sentinel,
    /// Both; a table of both has the columns of both. The order is Sentinel's,
    /// then what only Defender has; where types differ, Defender's holds.
    MergedColumns,
    /// Both; a table of both is Defender's.
    Merged,
    /// The sample tables of the KQL documentation.
    Docs,
    /// No tables at all.
    None,
}

impl Environment {
    /// Every environment, in the order of the declaration.
    pub const ALL: [Environment; 6] = [
        Environment::M365,
        Environment::Sentinel,
        Environment::MergedColumns,
        Environment::Merged,
        Environment::Docs,
        Environment::None,
    ];

    /// The name that users write: `m365`, `sentinel`, `merged-columns`, `merged`, `docs`, `none`.
    pub fn name(self) -> &'static str {
        match self {
            Environment::M365 => "m365",
            Environment::Sentinel => "sentinel",
            Environment::MergedColumns => "merged-columns",
            Environment::Merged => "merged",
            Environment::Docs => "docs",
            Environment::None => "none",
        }
    }

    /// The environment called `name`; exact spelling.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.name() == name)
    }

    /// The single environments this one is made of.
    fn parts(self) -> &'static [Environment] {
        match self {
            Environment::M365 => &[Environment::M365],
            Environment::Sentinel => &[Environment::Sentinel],
            Environment::MergedColumns | Environment::Merged => &[Environment::M365, Environment::Sentinel],
            Environment::Docs => &[Environment::Docs],
            Environment::None => &[],
        }
    }
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The columns of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSchema {
    /// The table's name, as the environment spells it.
    pub name: String,
    /// Column names and types, in the order the environment shows them.
    pub columns: Vec<(String, Type)>,
    /// Whether the table may have columns beyond these (only a repository's own tables say so).
    pub open: bool,
}

impl TableSchema {
    /// The type of a column; column names are case-sensitive.
    pub fn column(&self, name: &str) -> Option<Type> {
        self.columns
            .iter()
            .find(|(column, _)| column == name)
            .map(|(_, kind)| *kind)
    }

    /// Adds columns: a known name takes the given type and keeps its place, others go to the end.
    fn merge(&mut self, columns: &[(String, Type)]) {
        let mut places: BTreeMap<String, usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(place, (name, _))| (name.clone(), place))
            .collect();
        for (name, kind) in columns {
            if let Some(place) = places.get(name) {
                self.columns[*place].1 = *kind;
            } else {
                places.insert(name.clone(), self.columns.len());
                self.columns.push((name.clone(), *kind));
            }
        }
    }
}

/// One parameter of a [`Function`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The parameter's name.
    pub name: String,
    /// Its type; `Unknown` takes anything.
    pub kind: Type,
    /// The KQL literal it has when it is left out; None when it has to be given.
    pub default: Option<String>,
    /// Whether the argument names a column of the input (`invoke FileProfile(SHA1)`).
    pub column: bool,
}

/// What a [`Function`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionResult {
    /// A scalar.
    Scalar(Type),
    /// A table of its own.
    Table(TableSchema),
    /// The input table with columns added at its end; used through `invoke`.
    /// A name that is taken gets a number, as in a join: `SHA1` becomes `SHA11`.
    Appends(Vec<(String, Type)>),
    /// The watchlist that the first argument names: see [`Tables::watchlist`].
    Watchlist,
    /// Whatever this KQL gives, with the parameters in scope.
    Body(String),
}

/// A function that an environment or a repository provides beyond the language itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The function's name.
    pub name: String,
    /// Its parameters; the piped table of [`FunctionResult::Appends`] is not among them.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub result: FunctionResult,
    /// What it does, in a sentence; empty where nobody said.
    pub doc: String,
}

/// The tables, watchlists and functions of one environment.
#[derive(Debug)]
pub struct Tables {
    environment: Environment,
    /// The shipped tables, in the order they are asked.
    layers: Vec<Compact>,
    added: Added,
    /// The names of all tables, once somebody asked for them.
    names: OnceLock<Vec<String>>,
    /// Tables asked for so far.
    known: Mutex<BTreeMap<String, Option<Arc<TableSchema>>>>,
}

impl Tables {
    /// The tables of `environment`, with the repository's additions. Fails on
    /// additions that cannot be understood, and on a replaced `.txt` file
    /// with an unknown type or out of order.
    pub fn new(pack: &Pack, environment: Environment) -> Result<Tables, FactsError> {
        let layers = environment
            .parts()
            .iter()
            .map(|part| Compact::load(pack, &format!("schema/tables/{part}.txt")))
            .collect::<Result<_, _>>()?;
        let added = Added::load(pack, environment.parts())?;
        Ok(Tables {
            environment,
            layers,
            added,
            names: OnceLock::new(),
            known: Mutex::default(),
        })
    }

    /// The environment these are the tables of.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// The schema of a table; names are case-sensitive, as in Kusto.
    pub fn get(&self, name: &str) -> Option<Arc<TableSchema>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = known.get(name) {
            return table.clone();
        }
        let table = self.find(name).map(Arc::new);
        known.insert(name.to_owned(), table.clone());
        table
    }

    fn find(&self, name: &str) -> Option<TableSchema> {
        let mut shipped = self.layers.iter().filter_map(|layer| layer.get(name));
        let mut table = if self.environment == Environment::MergedColumns {
            // The last layer's order, the first layer's types.
            let mut tables: Vec<TableSchema> = shipped.collect();
            let last = tables.pop();
            last.map(|mut table| {
                for first in tables.iter().rev() {
                    table.merge(&first.columns);
                }
                table
            })
        } else {
            shipped.next()
        };
        for own in self.added.tables.iter().filter(|own| own.schema.name == name) {
            match &mut table {
                Some(table) if own.extend => {
                    table.merge(&own.schema.columns);
                    table.open |= own.schema.open;
                }
                _ => table = Some(own.schema.clone()),
            }
        }
        table
    }

    /// The names of all tables, sorted. The first call reads through the
    /// files, so it is for wildcards, listings and suggestions.
    pub fn names(&self) -> Vec<&str> {
        let read = || {
            let mut names: Vec<&str> = self.layers.iter().flat_map(Compact::names).collect();
            names.extend(self.added.tables.iter().map(|own| own.schema.name.as_str()));
            names.sort_unstable();
            names.dedup();
            names.into_iter().map(str::to_owned).collect()
        };
        self.names.get_or_init(read).iter().map(String::as_str).collect()
    }

    /// The tables somebody who wrote `name` may have meant, nearest first, at most three.
    pub fn close_matches(&self, name: &str) -> Vec<&str> {
        near::close_matches(name, self.names(), 3)
    }

    /// The function called `name` (case-sensitive) that comes with the environment or the repository.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.added.functions.get(name)
    }

    /// All functions, sorted by name.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.added.functions.values()
    }

    /// The columns `_GetWatchlist('alias')` gives: those every watchlist has,
    /// then its own. A watchlist that nobody described is open.
    pub fn watchlist(&self, alias: &str) -> TableSchema {
        let mut table = TableSchema {
            name: alias.to_owned(),
            columns: self.added.watchlist_columns.clone(),
            open: !self.added.watchlists.contains_key(alias),
        };
        if let Some(columns) = self.added.watchlists.get(alias) {
            table.merge(columns);
        }
        table
    }

    /// The aliases of the watchlists the repository describes, sorted.
    pub fn watchlists(&self) -> impl Iterator<Item = &str> {
        self.added.watchlists.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
