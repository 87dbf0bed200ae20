//! Which Sigma log source stands for a table, and which field for a column.
//!
//! In: every `schema/sigma/*.yaml`, whose head describes the shape. Out: the
//! log sources of a table, the one for an action type or event id, and the
//! field of a column with the form a value takes there. Deliberately absent:
//! predicates; how `==` becomes `endswith` is the emitter's business, the
//! [`Form`] only says that it does.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{FactsError, Pack, yaml};

/// How a column's value stands in a Sigma field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    #[default]
    Plain,
    /// The last part of a path: equality becomes `endswith '\name'`.
    FileName,
    /// The account in `DOMAIN\name`: equality becomes `endswith '\name'`.
    AccountName,
    /// A registry key; the field goes on with the value's name, and writes
    /// `HKLM` for `HKEY_LOCAL_MACHINE`. Equality becomes `startswith`.
    RegistryKey,
    /// The name of a registry value: equality becomes `endswith '\name'`.
    RegistryValue,
    /// Registry data; a number reads `DWORD (0x00000001)`.
    RegistryData,
    /// In `Hashes`, as `MD5=…`: equality becomes `contains`.
    Md5,
    /// In `Hashes`, as `SHA1=…`: equality becomes `contains`.
    Sha1,
    /// In `Hashes`, as `SHA256=…`: equality becomes `contains`.
    Sha256,
    /// Each value has another one: [`Field::values`].
    Values,
    /// A JSON document; a path into the column is a path into the field.
    Json,
}

/// The Sigma field of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// The form values take.
    pub form: Form,
    /// The table's value -> the field's value, for [`Form::Values`].
    pub values: BTreeMap<String, String>,
    /// Whether the pair is ours rather than from a public map.
    pub own: bool,
    /// Whether no known sensor of the log source writes the field.
    pub beyond: bool,
}

/// A log source that stands for a table, or for some of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSource {
    /// The table.
    pub table: String,
    /// The column whose values are [`LogSource::events`].
    pub event_column: String,
    /// The events it stands for; empty for the whole table.
    pub events: Vec<String>,
    /// `process_creation`
    pub category: Option<String>,
    /// `windows`, unless [`LogSource::products`] leaves the choice.
    pub product: Option<String>,
    /// `security`
    pub service: Option<String>,
    /// Operating system -> beginning of `SigmaHQ`'s file names, where the log
    /// source exists for several; `windows` is the default.
    pub products: BTreeMap<String, String>,
    /// Beginning of `SigmaHQ`'s file names, where there is one product.
    pub prefix: Option<String>,
    /// Predicates it needs: field -> value.
    pub adds: BTreeMap<String, String>,
    /// Whether it is the one to take when a rule names no event.
    pub fallback: bool,
    /// Whether it sees what the table sees, no more and no less.
    pub exact: bool,
    /// Column -> field. A column may be a path: `AdditionalFields.PipeName`.
    pub fields: BTreeMap<String, Field>,
}

impl LogSource {
    /// The field of a column, or of a path into a column.
    pub fn field(&self, column: &str) -> Option<&Field> {
        self.fields.get(column)
    }

    /// The product to write for an operating system (`windows`, `linux`,
    /// `macos`); None when the log source has no product, or none for it.
    pub fn product_for(&self, system: &str) -> Option<&str> {
        match self.products.get_key_value(system) {
            Some((product, _)) => Some(product),
            None => self.product.as_deref(),
        }
    }

    /// The beginning of a file name for an operating system.
    pub fn prefix_for(&self, system: &str) -> Option<&str> {
        self.products
            .get(system)
            .or(self.prefix.as_ref())
            .map(String::as_str)
    }
}

/// All log sources.
#[derive(Clone, Debug, Default)]
pub struct Sigma {
    by_table: BTreeMap<String, Vec<LogSource>>,
    /// Product and category or service -> folder of `SigmaHQ`'s tree.
    folders: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "source")]
    _source: String,
    #[serde(default)]
    groups: BTreeMap<String, Group>,
    #[serde(default)]
    folders: BTreeMap<String, String>,
    #[serde(default)]
    logsources: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(default)]
    fields: BTreeMap<String, FieldEntry>,
    #[serde(default)]
    own: BTreeMap<String, FieldEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    table: String,
    #[serde(default = "action_type")]
    event_column: String,
    #[serde(default)]
    events: Vec<String>,
    category: Option<String>,
    product: Option<String>,
    service: Option<String>,
    #[serde(default)]
    products: BTreeMap<String, String>,
    prefix: Option<String>,
    #[serde(default)]
    adds: BTreeMap<String, Scalar>,
    #[serde(default)]
    fallback: bool,
    #[serde(default = "yes")]
    exact: bool,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, FieldEntry>,
    #[serde(default)]
    own: BTreeMap<String, FieldEntry>,
}

/// A field by name, or with a form.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum FieldEntry {
    Name(String),
    Formed(FormedEntry),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormedEntry {
    field: String,
    #[serde(default)]
    form: Form,
    #[serde(default)]
    beyond: bool,
    #[serde(default)]
    values: BTreeMap<String, Scalar>,
}

/// A value, with or without quotes in the file.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(i64),
    Truth(bool),
    Text(String),
}

impl From<Scalar> for String {
    fn from(scalar: Scalar) -> String {
        match scalar {
            Scalar::Number(number) => number.to_string(),
            Scalar::Truth(truth) => truth.to_string(),
            Scalar::Text(text) => text,
        }
    }
}

fn action_type() -> String {
    "ActionType".to_owned()
}

fn yes() -> bool {
    true
}

fn texts(map: BTreeMap<String, Scalar>) -> BTreeMap<String, String> {
    map.into_iter().map(|(key, value)| (key, value.into())).collect()
}

fn fields(entries: BTreeMap<String, FieldEntry>, own: bool) -> impl Iterator<Item = (String, Field)> {
    entries.into_iter().map(move |(column, entry)| {
        let field = match entry {
            FieldEntry::Name(name) => Field {
                name,
                form: Form::Plain,
                values: BTreeMap::new(),
                own,
                beyond: false,
            },
            FieldEntry::Formed(FormedEntry {
                field,
                form,
                beyond,
                values,
            }) => Field {
                name: field,
                form,
                values: texts(values),
                own,
                beyond,
            },
        };
        (column, field)
    })
}

impl Sigma {
    /// Reads all files. The log sources of a later file go before those of an
    /// earlier one, so that a repository's own are found first.
    pub fn load(pack: &Pack) -> Result<Sigma, FactsError> {
        let mut sigma = Sigma::default();
        let mut groups: BTreeMap<String, BTreeMap<String, Field>> = BTreeMap::new();
        for path in pack.yaml_in("schema/sigma/") {
            let file: File = yaml::file(pack, path)?;
            for (key, folder) in file.folders {
                let climbs = folder.split('/').any(|part| matches!(part, "" | "." | ".."));
                if climbs || folder.contains(['\\', ':']) {
                    let message = format!("the folder '{folder}' of '{key}' does not stay below the rules");
                    return Err(FactsError::new(path, message));
                }
                sigma.folders.insert(key, folder);
            }
            for (name, group) in file.groups {
                groups.insert(
                    name,
                    fields(group.fields, false)
                        .chain(fields(group.own, true))
                        .collect(),
                );
            }
            let mut by_table: BTreeMap<String, Vec<LogSource>> = BTreeMap::new();
            for entry in file.logsources {
                let source = log_source(path, entry, &groups)?;
                by_table.entry(source.table.clone()).or_default().push(source);
            }
            for (table, mut sources) in by_table {
                sources.extend(sigma.by_table.remove(&table).unwrap_or_default());
                sigma.by_table.insert(table, sources);
            }
        }
        Ok(sigma)
    }

    /// The log sources of a table, in the order of the files.
    pub fn logsources(&self, table: &str) -> &[LogSource] {
        self.by_table.get(table).map_or(&[], Vec::as_slice)
    }

    /// The folder of `SigmaHQ`'s tree, below `rules/`, for rules of a log
    /// source and product: `windows/process_creation`.
    pub fn folder(&self, source: &LogSource, product: Option<&str>) -> String {
        let event = source.category.as_deref().or(source.service.as_deref());
        let key: Vec<&str> = product.into_iter().chain(event).collect();
        let key = key.join("/");
        self.folders.get(&key).cloned().unwrap_or(key)
    }

    /// The tables that have one, sorted.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.by_table.keys().map(String::as_str)
    }

    /// The log source for an event of a table (an action type or event id),
    /// compared without regard to case; without an event, or for one that has
    /// no log source of its own, the one that stands for the whole table.
    /// None when there is neither.
    pub fn logsource(&self, table: &str, event: Option<&str>) -> Option<&LogSource> {
        let sources = self.logsources(table);
        let whole = sources
            .iter()
            .find(|source| source.fallback && (event.is_none() || source.events.is_empty()));
        match event {
            None => whole,
            Some(event) => sources
                .iter()
                .find(|source| {
                    source
                        .events
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(event))
                })
                .or(whole),
        }
    }
}

fn log_source(
    path: &str,
    entry: Entry,
    groups: &BTreeMap<String, BTreeMap<String, Field>>,
) -> Result<LogSource, FactsError> {
    let mut all = BTreeMap::new();
    for name in &entry.include {
        let Some(group) = groups.get(name) else {
            let message = format!(
                "the entry for '{}' includes the unknown group '{name}'",
                entry.table
            );
            return Err(FactsError::new(path, message));
        };
        all.extend(group.clone());
    }
    all.extend(fields(entry.fields, false).chain(fields(entry.own, true)));
    Ok(LogSource {
        table: entry.table,
        event_column: entry.event_column,
        events: entry.events,
        category: entry.category,
        product: entry.product,
        service: entry.service,
        products: entry.products,
        prefix: entry.prefix,
        adds: texts(entry.adds),
        fallback: entry.fallback,
        exact: entry.exact,
        fields: all,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Environment, Tables};

    fn sigma() -> Sigma {
        Sigma::load(&Pack::embedded()).unwrap()
    }

    fn category(table: &str, event: Option<&str>) -> Option<String> {
        let sigma = sigma();
        let source = sigma.logsource(table, event)?;
        source.category.clone().or(source.service.clone())
    }

    #[test]
    fn events_choose_the_log_source() {
        let of = |table, event| category(table, event).unwrap_or_default();
        assert_eq!(of("DeviceProcessEvents", None), "process_creation");
        assert_eq!(
            of("DeviceProcessEvents", Some("processcreated")),
            "process_creation"
        );
        assert_eq!(
            of("DeviceRegistryEvents", Some("RegistryValueSet")),
            "registry_set"
        );
        assert_eq!(of("DeviceRegistryEvents", None), "registry_event");
        assert_eq!(of("SecurityEvent", Some("4688")), "process_creation");
        assert_eq!(of("SecurityEvent", Some("4624")), "security");
        assert_eq!(of("AWSCloudTrail", None), "cloudtrail");
        assert_eq!(of("DeviceEvents", None), "");
        assert_eq!(of("DeviceEvents", Some("QueueUserApcRemoteApiCall")), "");
        assert_eq!(of("NoSuchTable", None), "");
    }

    #[test]
    fn rules_go_where_sigmahq_has_them() {
        let sigma = sigma();
        let of = |table, event, system| {
            let source = sigma.logsource(table, event).unwrap();
            sigma.folder(source, source.product_for(system))
        };
        for (table, event, system, folder) in [
            ("DeviceProcessEvents", None, "windows", "windows/process_creation"),
            ("DeviceProcessEvents", None, "linux", "linux/process_creation"),
            (
                "DeviceFileEvents",
                Some("FileCreated"),
                "windows",
                "windows/file/file_event",
            ),
            (
                "DeviceFileEvents",
                Some("FileCreated"),
                "macos",
                "macos/file_event",
            ),
            (
                "DeviceRegistryEvents",
                Some("RegistryValueSet"),
                "windows",
                "windows/registry/registry_set",
            ),
            ("SecurityEvent", None, "windows", "windows/builtin/security"),
            ("SigninLogs", None, "windows", "cloud/azure/signin_logs"),
            ("CommonSecurityLog", None, "windows", "network/firewall"),
        ] {
            assert_eq!(of(table, event, system), folder);
        }
        let own = |folder: &str| {
            let text = format!("folders: {{windows/security: '{folder}'}}\n");
            Sigma::load(
                &Pack::embedded().overlay([("schema/sigma/x.yaml".to_owned(), text.into_bytes())].into()),
            )
        };
        assert!(own("a/b").is_ok());
        for bad in ["../x", "/x", "a//b", "c:x", ""] {
            assert!(
                own(bad).unwrap_err().to_string().contains("below the rules"),
                "{bad}"
            );
        }
    }

    #[test]
    fn columns_have_fields_and_forms() {
        let sigma = sigma();
        let start = sigma.logsource("DeviceProcessEvents", None).unwrap();
        assert_eq!(start.field("FolderPath").unwrap().name, "Image");
        let name = start.field("FileName").unwrap();
        assert_eq!(
            (name.name.as_str(), name.form, name.own),
            ("Image", Form::FileName, true)
        );
        assert_eq!(start.field("SHA1").unwrap().form, Form::Sha1);
        assert_eq!(
            (start.product_for("linux"), start.prefix_for("linux")),
            (Some("linux"), Some("proc_creation_lnx"))
        );
        let logon = sigma
            .logsource("DeviceLogonEvents", Some("LogonSuccess"))
            .unwrap();
        assert_eq!(logon.adds["EventID"], "4624");
        assert_eq!(
            logon.field("LogonType").unwrap().values["RemoteInteractive"],
            "10"
        );
        let sign_in = sigma.logsource("SigninLogs", None).unwrap();
        assert_eq!(
            (sign_in.product_for("windows"), sign_in.prefix_for("windows")),
            (Some("azure"), Some("azure_ad"))
        );
    }

    #[test]
    fn every_table_and_column_exists() {
        let tables = Tables::new(&Pack::embedded(), Environment::MergedColumns).unwrap();
        let sigma = sigma();
        for table in sigma.tables() {
            let schema = tables.get(table).unwrap();
            for source in sigma.logsources(table) {
                assert!(source.category.is_some() || source.service.is_some(), "{table}");
                assert!(!source.products.is_empty() || source.prefix.is_some(), "{table}");
                for (column, field) in &source.fields {
                    let first = column.split('.').next().unwrap();
                    // The sign-in tables share a group, of which some lack a column.
                    let shared = source.service.as_deref() == Some("signinlogs");
                    assert!(shared || schema.column(first).is_some(), "{table}.{column}");
                    assert_eq!(
                        field.form == Form::Values,
                        !field.values.is_empty(),
                        "{table}.{column}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_repository_adds_log_sources() {
        let text =
            b"logsources: [{table: DeviceProcessEvents, fallback: true, category: mine, prefix: mine}]\n";
        let files = BTreeMap::from([("schema/sigma/mine.yaml".to_owned(), text.to_vec())]);
        let sigma = Sigma::load(&Pack::embedded().overlay(files)).unwrap();
        assert_eq!(
            sigma
                .logsource("DeviceProcessEvents", None)
                .unwrap()
                .category
                .as_deref(),
            Some("mine")
        );

        let text = b"logsources: [{table: T, include: [none]}]\n";
        let files = BTreeMap::from([("schema/sigma/mine.yaml".to_owned(), text.to_vec())]);
        let message = Sigma::load(&Pack::embedded().overlay(files))
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "schema/sigma/mine.yaml: the entry for 'T' includes the unknown group 'none'"
        );
    }
}
