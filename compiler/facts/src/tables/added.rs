//! `schema/tables/*.yaml`: functions of the environments, and what a
//! repository adds: custom tables, watchlists, saved functions.
//!
//! Every key is optional; an unknown one is an error. The shape, also in
//! `schema/tables/tables.schema.json`:
//!
//! ```yaml
//! tables:
//!   - name: MyApp_CL
//!     environments: [sentinel]      # default: m365 and sentinel
//!     extend: false                 # true adds these columns to a known table
//!     open: false                   # true: the table has further columns
//!     columns: {TimeGenerated: datetime, Message: string}
//! watchlists:
//!   - alias: HighValueAssets
//!     columns: {Hostname: string}
//! functions:
//!   - name: TierOf
//!     environments: [sentinel]
//!     parameters: [{name: host, type: string, default: "''"}]
//!     # one of these says what it gives:
//!     scalar: long
//!     columns: {Host: string}       # a table of its own; `open: true` as above
//!     appends: {Tier: long}         # the piped table and these; `invoke TierOf(Host)`
//!     body: "Assets | where Hostname == host"
//! ```

use std::collections::BTreeMap;

use rulec_functions::Type;
use serde::Deserialize;

use super::{Environment, Function, FunctionResult, Parameter, TableSchema};
use crate::yaml::{self, Ordered};
use crate::{FactsError, Pack};

/// A repository's own table.
#[derive(Clone, Debug)]
pub(super) struct OwnTable {
    pub(super) schema: TableSchema,
    pub(super) extend: bool,
}

/// What all the files add to one environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Added {
    pub(super) tables: Vec<OwnTable>,
    pub(super) functions: BTreeMap<String, Function>,
    pub(super) watchlists: BTreeMap<String, Vec<(String, Type)>>,
    /// The columns that every watchlist has.
    pub(super) watchlist_columns: Vec<(String, Type)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tables: Vec<TableEntry>,
    #[serde(default)]
    watchlists: Vec<WatchlistEntry>,
    #[serde(default)]
    functions: Vec<FunctionEntry>,
    #[serde(default)]
    watchlist_columns: Ordered<ColumnType>,
    /// Where the facts come from; for readers only.
    #[serde(default, rename = "source")]
    _source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEntry {
    name: String,
    #[serde(default = "both")]
    environments: Vec<EnvironmentName>,
    #[serde(default)]
    extend: bool,
    #[serde(default)]
    open: bool,
    columns: Ordered<ColumnType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchlistEntry {
    alias: String,
    #[serde(default)]
    columns: Ordered<ColumnType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionEntry {
    name: String,
    #[serde(default = "both")]
    environments: Vec<EnvironmentName>,
    #[serde(default)]
    parameters: Vec<ParameterEntry>,
    scalar: Option<ColumnType>,
    columns: Option<Ordered<ColumnType>>,
    appends: Option<Ordered<ColumnType>>,
    body: Option<String>,
    #[serde(default)]
    watchlist: bool,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterEntry {
    name: String,
    #[serde(rename = "type")]
    kind: ColumnType,
    default: Option<String>,
    #[serde(default)]
    column: bool,
}

/// A type, in any spelling the language takes.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct ColumnType(Type);

impl TryFrom<String> for ColumnType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Type::parse(&name).map(ColumnType).ok_or_else(|| {
            let names: Vec<_> = Type::NAMED.iter().map(|kind| kind.name()).collect();
            format!("unknown type '{name}', expected one of {}", names.join(", "))
        })
    }
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum EnvironmentName {
    M365,
    Sentinel,
    Docs,
}

fn both() -> Vec<EnvironmentName> {
    vec![EnvironmentName::M365, EnvironmentName::Sentinel]
}

fn listed(names: &[EnvironmentName], parts: &[Environment]) -> bool {
    names.iter().any(|name| {
        parts.contains(&match name {
            EnvironmentName::M365 => Environment::M365,
            EnvironmentName::Sentinel => Environment::Sentinel,
            EnvironmentName::Docs => Environment::Docs,
        })
    })
}

fn plain(columns: Ordered<ColumnType>) -> Vec<(String, Type)> {
    columns.0.into_iter().map(|(name, kind)| (name, kind.0)).collect()
}

impl Added {
    /// Reads all files, the embedded ones first, then by path; a later
    /// function or watchlist of the same name replaces an earlier one.
    pub(super) fn load(pack: &Pack, parts: &[Environment]) -> Result<Added, FactsError> {
        let mut added = Added::default();
        for path in pack.yaml_in("schema/tables/") {
            let file: File = yaml::file(pack, path)?;
            added.add(path, file, parts)?;
        }
        Ok(added)
    }

    fn add(&mut self, path: &str, file: File, parts: &[Environment]) -> Result<(), FactsError> {
        for entry in file
            .tables
            .into_iter()
            .filter(|entry| listed(&entry.environments, parts))
        {
            let schema = TableSchema {
                name: entry.name,
                columns: plain(entry.columns),
                open: entry.open,
            };
            self.tables.push(OwnTable {
                schema,
                extend: entry.extend,
            });
        }
        for entry in file.watchlists {
            self.watchlists.insert(entry.alias, plain(entry.columns));
        }
        if !file.watchlist_columns.0.is_empty() {
            self.watchlist_columns = plain(file.watchlist_columns);
        }
        for entry in file.functions {
            let used = listed(&entry.environments, parts);
            let function = function(path, entry)?;
            if used {
                self.functions.insert(function.name.clone(), function);
            }
        }
        Ok(())
    }
}

fn function(path: &str, entry: FunctionEntry) -> Result<Function, FactsError> {
    let name = entry.name;
    let mut results = Vec::new();
    results.extend(entry.scalar.map(|kind| FunctionResult::Scalar(kind.0)));
    results.extend(entry.columns.map(|columns| {
        FunctionResult::Table(TableSchema {
            name: name.clone(),
            columns: plain(columns),
            open: entry.open,
        })
    }));
    results.extend(
        entry
            .appends
            .map(|columns| FunctionResult::Appends(plain(columns))),
    );
    results.extend(entry.body.map(FunctionResult::Body));
    results.extend(entry.watchlist.then_some(FunctionResult::Watchlist));
    let (Some(result), true) = (results.pop(), results.is_empty()) else {
        let message = format!("function '{name}' needs exactly one of scalar, columns, appends, body");
        return Err(FactsError::new(path, message));
    };
    let parameters = entry
        .parameters
        .into_iter()
        .map(|parameter| Parameter {
            name: parameter.name,
            kind: parameter.kind.0,
            default: parameter.default,
            column: parameter.column,
        })
        .collect();
    Ok(Function {
        name,
        parameters,
        result,
        doc: entry.doc,
    })
}
