//! Entities: Sentinel's types and identifiers, Defender's lists and
//! properties, the way from one to the other, and which columns hold them.
//!
//! In: `schema/entities.yaml`. Out: look-ups, and [`Entities::infer_sentinel`]
//! and [`Entities::infer_defender`], which propose mappings for the output
//! columns of a query. Deliberately absent: what a document says itself about
//! entities; that always comes first, and is the emitter's business.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use crate::yaml::Ordered;
use crate::{FactsError, Pack, yaml};

/// A Sentinel entity type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentinelEntity {
    /// Every identifier it has.
    pub identifiers: Vec<String>,
    /// Sets of identifiers; a mapping is accepted with one of them in full.
    pub required: Vec<Vec<String>>,
    /// Sets of identifiers that name one entity and no other.
    pub strong: Vec<Vec<String>>,
    /// Whether the API's list of entity types has it.
    #[serde(default = "yes")]
    pub arm: bool,
}

/// A list in a Defender custom detection's entityMappings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefenderList {
    /// Its properties, without the suffix `Column` they are written with.
    pub properties: Vec<String>,
    /// Sets of properties of which one has to be there; empty means any one property.
    #[serde(default)]
    pub required: Vec<Vec<String>>,
    /// Whether it is one of the lists of which a detection needs one.
    #[serde(default)]
    pub asset: bool,
}

/// Where a Sentinel entity type goes in Defender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefenderPlace {
    /// The list; None when there is none.
    #[serde(default)]
    pub list: Option<String>,
    /// Identifier -> property.
    #[serde(default)]
    pub identifiers: BTreeMap<String, String>,
    /// Hash algorithm -> property, for `FileHash`.
    #[serde(default)]
    pub algorithms: BTreeMap<String, String>,
    /// Identifiers that go to customDetails.
    #[serde(default)]
    pub detail: Vec<String>,
}

/// An entity that a column carries by its name alone: `AccountCustomEntity`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomEntity {
    /// `Account`
    pub entity: String,
    /// `FullName`
    pub identifier: String,
}

/// Columns that hold one entity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inference {
    entity: String,
    role: String,
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    sentinel: Ordered<Vec<String>>,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    #[serde(default)]
    defender: Option<DefenderInference>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefenderInference {
    list: String,
    properties: Ordered<Vec<String>>,
}

/// One column of a query's output, as far as inference cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputColumn<'a> {
    /// Its name in the output.
    pub name: &'a str,
    /// The column it holds unchanged, when that has another name.
    pub source: Option<&'a str>,
    /// The table that column is of, where it is known.
    pub table: Option<&'a str>,
}

/// A proposed mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inferred {
    /// Sentinel's entity type (`Account`), or Defender's list (`accounts`).
    pub entity: String,
    /// What the entity is in the event: `initiating account`.
    pub role: String,
    /// Identifier or property -> output column, best first.
    pub fields: Vec<(String, String)>,
    /// Identifiers whose value is the same in every row, as `Algorithm` is
    /// `SHA1`: the query needs a column for each.
    pub constants: BTreeMap<String, String>,
}

/// Everything about entities.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entities {
    #[serde(rename = "source")]
    _source: String,
    sentinel: BTreeMap<String, SentinelEntity>,
    #[serde(rename = "custom_entities")]
    custom: BTreeMap<String, CustomEntity>,
    defender: BTreeMap<String, DefenderList>,
    sentinel_to_defender: BTreeMap<String, DefenderPlace>,
    inference: Vec<Inference>,
}

/// Sentinel takes at most this many identifiers a mapping.
const IDENTIFIERS: usize = 3;
const PATH: &str = "schema/entities.yaml";

fn yes() -> bool {
    true
}

impl Entities {
    /// Reads `schema/entities.yaml` and checks that its parts know each other.
    pub fn load(pack: &Pack) -> Result<Entities, FactsError> {
        let entities: Entities = yaml::file(pack, PATH)?;
        entities.verify()?;
        Ok(entities)
    }

    fn verify(&self) -> Result<(), FactsError> {
        let wrong = |what: String| Err(FactsError::new(PATH, what));
        for (name, entity) in &self.sentinel {
            for identifier in entity.required.iter().chain(&entity.strong).flatten() {
                if !entity.identifiers.contains(identifier) {
                    return wrong(format!("'{name}' has no identifier '{identifier}'"));
                }
            }
        }
        for (name, list) in &self.defender {
            if let Some(unknown) = list
                .required
                .iter()
                .flatten()
                .find(|property| !list.properties.contains(property))
            {
                return wrong(format!("'{name}' has no property '{unknown}'"));
            }
        }
        for (name, place) in &self.sentinel_to_defender {
            let entity = self.known(name)?;
            for (identifier, property) in &place.identifiers {
                if !entity.identifiers.contains(identifier) {
                    return wrong(format!("'{name}' has no identifier '{identifier}'"));
                }
                self.property(place.list.as_deref().unwrap_or_default(), property)?;
            }
            for property in place.algorithms.values() {
                self.property(place.list.as_deref().unwrap_or_default(), property)?;
            }
        }
        for custom in self.custom.values() {
            if !self
                .known(&custom.entity)?
                .identifiers
                .contains(&custom.identifier)
            {
                return wrong(format!(
                    "'{}' has no identifier '{}'",
                    custom.entity, custom.identifier
                ));
            }
        }
        for row in &self.inference {
            let entity = self.known(&row.entity)?;
            let named = row
                .sentinel
                .0
                .iter()
                .map(|(identifier, _)| identifier)
                .chain(row.constants.keys());
            for identifier in named {
                if !entity.identifiers.contains(identifier) {
                    return wrong(format!("'{}' has no identifier '{identifier}'", row.entity));
                }
            }
            if let Some(defender) = &row.defender {
                for (property, _) in &defender.properties.0 {
                    self.property(&defender.list, property)?;
                }
            }
        }
        Ok(())
    }

    fn known(&self, entity: &str) -> Result<&SentinelEntity, FactsError> {
        let found = self.sentinel.get(entity);
        found.ok_or_else(|| FactsError::new(PATH, format!("there is no Sentinel entity '{entity}'")))
    }

    fn property(&self, list: &str, property: &str) -> Result<(), FactsError> {
        match self.defender.get(list) {
            Some(known) if known.properties.iter().any(|name| name == property) => Ok(()),
            Some(_) => Err(FactsError::new(
                PATH,
                format!("'{list}' has no property '{property}'"),
            )),
            None => Err(FactsError::new(
                PATH,
                format!("there is no Defender list '{list}'"),
            )),
        }
    }

    /// A Sentinel entity type: `Host`.
    pub fn sentinel(&self, entity: &str) -> Option<&SentinelEntity> {
        self.sentinel.get(entity)
    }

    /// All Sentinel entity types, sorted by name.
    pub fn sentinel_types(&self) -> impl Iterator<Item = (&str, &SentinelEntity)> {
        self.sentinel.iter().map(|(name, entity)| (name.as_str(), entity))
    }

    /// A Defender list: `hosts`.
    pub fn defender(&self, list: &str) -> Option<&DefenderList> {
        self.defender.get(list)
    }

    /// All Defender lists, sorted by name.
    pub fn defender_lists(&self) -> impl Iterator<Item = (&str, &DefenderList)> {
        self.defender.iter().map(|(name, list)| (name.as_str(), list))
    }

    /// Where a Sentinel entity type goes in Defender; None when it has no place there.
    pub fn to_defender(&self, entity: &str) -> Option<&DefenderPlace> {
        self.sentinel_to_defender.get(entity)
    }

    /// The entity a column carries by its name: `AccountCustomEntity`.
    pub fn custom_entity(&self, column: &str) -> Option<&CustomEntity> {
        self.custom.get(column)
    }

    /// Whether identifiers of a Sentinel entity type make a mapping that is
    /// accepted. False for an unknown type.
    pub fn is_accepted(&self, entity: &str, identifiers: &[&str]) -> bool {
        self.sentinel
            .get(entity)
            .is_some_and(|entity| one_is_there(&entity.required, identifiers))
    }

    /// Whether identifiers of a Sentinel entity type name one entity and no other.
    pub fn is_strong(&self, entity: &str, identifiers: &[&str]) -> bool {
        self.sentinel
            .get(entity)
            .is_some_and(|entity| one_is_there(&entity.strong, identifiers))
    }

    /// Whether properties of a Defender list make a mapping that is accepted.
    pub fn is_accepted_by_defender(&self, list: &str, properties: &[&str]) -> bool {
        self.defender.get(list).is_some_and(|list| {
            if list.required.is_empty() {
                !properties.is_empty()
            } else {
                one_is_there(&list.required, properties)
            }
        })
    }

    /// The Sentinel mappings that the output columns allow, most telling
    /// first. At most three identifiers each; constants count among them. How
    /// many mappings a rule takes is the target's limit, not this function's.
    pub fn infer_sentinel(&self, columns: &[OutputColumn<'_>]) -> Vec<Inferred> {
        let columns = Columns::new(columns);
        let mut taken = BTreeSet::new();
        let mut found = Vec::new();
        for row in &self.inference {
            let room = IDENTIFIERS.saturating_sub(row.constants.len());
            let mut fields = pick(row, &row.sentinel, &columns, &row.entity, &taken);
            fields.truncate(room);
            let names: Vec<&str> = fields
                .iter()
                .map(|field| field.0)
                .chain(row.constants.keys().map(String::as_str))
                .collect();
            if !fields.is_empty() && self.is_accepted(&row.entity, &names) {
                taken.extend(fields.iter().map(|(_, column)| (row.entity.as_str(), *column)));
                let constants = row.constants.clone();
                found.push(Inferred {
                    entity: row.entity.clone(),
                    role: row.role.clone(),
                    fields: owned(fields),
                    constants,
                });
            }
        }
        found
    }

    /// The Defender mappings that the output columns allow, most telling first.
    pub fn infer_defender(&self, columns: &[OutputColumn<'_>]) -> Vec<Inferred> {
        let columns = Columns::new(columns);
        let mut taken = BTreeSet::new();
        let mut found = Vec::new();
        for row in &self.inference {
            let Some(defender) = &row.defender else { continue };
            let fields = pick(row, &defender.properties, &columns, &defender.list, &taken);
            let names: Vec<&str> = fields.iter().map(|field| field.0).collect();
            if self.is_accepted_by_defender(&defender.list, &names) {
                taken.extend(fields.iter().map(|(_, column)| (defender.list.as_str(), *column)));
                let (entity, role, constants) = (defender.list.clone(), row.role.clone(), BTreeMap::new());
                found.push(Inferred {
                    entity,
                    role,
                    fields: owned(fields),
                    constants,
                });
            }
        }
        found
    }
}

fn one_is_there(sets: &[Vec<String>], names: &[&str]) -> bool {
    sets.iter()
        .any(|set| set.iter().all(|name| names.contains(&name.as_str())))
}

fn owned(fields: Vec<(&str, &str)>) -> Vec<(String, String)> {
    fields
        .into_iter()
        .map(|(field, column)| (field.to_owned(), column.to_owned()))
        .collect()
}

/// Output columns by name: a search over all tables gives thousands.
struct Columns<'a> {
    named: HashMap<&'a str, Vec<OutputColumn<'a>>>,
    holding: HashMap<&'a str, Vec<OutputColumn<'a>>>,
}

impl<'a> Columns<'a> {
    fn new(columns: &[OutputColumn<'a>]) -> Self {
        let mut named: HashMap<&str, Vec<_>> = HashMap::with_capacity(columns.len());
        let mut holding: HashMap<&str, Vec<_>> = HashMap::new();
        for column in columns {
            named.entry(column.name).or_default().push(*column);
            if let Some(source) = column.source {
                holding.entry(source).or_default().push(*column);
            }
        }
        Columns { named, holding }
    }

    /// The columns of that very name, then those that hold the same under another.
    fn called(&self, name: &str) -> impl Iterator<Item = &OutputColumn<'a>> {
        let named = self.named.get(name).into_iter().flatten();
        named.chain(self.holding.get(name).into_iter().flatten())
    }
}

/// The first free output column for each identifier of a row.
fn pick<'a>(
    row: &'a Inference,
    identifiers: &'a Ordered<Vec<String>>,
    columns: &Columns<'a>,
    entity: &str,
    taken: &BTreeSet<(&str, &str)>,
) -> Vec<(&'a str, &'a str)> {
    let of_table = |column: &OutputColumn<'_>| {
        row.tables.is_empty()
            || column.table.is_some_and(|table| {
                row.tables.iter().any(|known| match known.strip_suffix('*') {
                    Some(prefix) => table.starts_with(prefix),
                    None => known == table,
                })
            })
    };
    let free = |column: &OutputColumn<'_>| !taken.contains(&(entity, column.name));
    let column = |names: &[String]| {
        let mut called = names.iter().flat_map(|name| columns.called(name));
        called.find(|column| of_table(column) && free(column))
    };
    identifiers
        .0
        .iter()
        .filter_map(|(identifier, names)| Some((identifier.as_str(), column(names)?.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities() -> Entities {
        Entities::load(&Pack::embedded()).unwrap()
    }

    fn columns<'a>(names: &[&'a str], table: &'a str) -> Vec<OutputColumn<'a>> {
        names
            .iter()
            .map(|name| OutputColumn {
                name,
                source: None,
                table: Some(table),
            })
            .collect()
    }

    fn shown(inferred: &[Inferred]) -> Vec<String> {
        let field = |(identifier, column): &(String, String)| format!("{identifier}={column}");
        let fields = |row: &Inferred| row.fields.iter().map(field).collect::<Vec<_>>().join(" ");
        inferred
            .iter()
            .map(|row| format!("{}: {}", row.entity, fields(row)))
            .collect()
    }

    #[test]
    fn sentinel_mappings() {
        let columns = columns(
            &[
                "DeviceId",
                "DeviceName",
                "InitiatingProcessAccountName",
                "InitiatingProcessAccountDomain",
                "SHA1",
            ],
            "DeviceEvents",
        );
        let inferred = entities().infer_sentinel(&columns);
        assert_eq!(
            shown(&inferred),
            [
                "Host: FullName=DeviceName",
                "Account: Name=InitiatingProcessAccountName NTDomain=InitiatingProcessAccountDomain",
                "FileHash: Value=SHA1",
            ]
        );
        assert_eq!(inferred[2].constants["Algorithm"], "SHA1");
        assert!(entities().is_strong("Account", &["Name", "NTDomain"]));
    }

    #[test]
    fn defender_mappings() {
        let columns = columns(&["DeviceId", "FileName", "SHA1", "RemoteIP"], "DeviceEvents");
        assert_eq!(
            shown(&entities().infer_defender(&columns)),
            [
                "hosts: deviceId=DeviceId",
                "ips: address=RemoteIP",
                "files: name=FileName sha1=SHA1"
            ]
        );
    }

    #[test]
    fn tables_tell_columns_apart() {
        let user = |table| shown(&entities().infer_sentinel(&columns(&["UserId"], table)));
        assert_eq!(user("SigninLogs"), ["Account: AadUserId=UserId"]);
        assert_eq!(user("OfficeActivity"), ["Account: FullName=UserId"]);
        assert!(user("Other").is_empty());
    }

    #[test]
    fn renamed_columns_are_followed() {
        let column = OutputColumn {
            name: "Source",
            source: Some("DeviceName"),
            table: None,
        };
        assert_eq!(
            shown(&entities().infer_sentinel(&[column])),
            ["Host: FullName=Source"]
        );
    }

    #[test]
    fn what_targets_accept() {
        let entities = entities();
        assert!(!entities.is_accepted("FileHash", &["Value"]));
        assert!(entities.is_accepted("FileHash", &["Value", "Algorithm"]));
        assert!(!entities.is_accepted("Unknown", &["Name"]));
        assert!(!entities.is_accepted_by_defender("accounts", &["name"]));
        assert!(entities.is_accepted_by_defender("accounts", &["name", "ntDomain"]));
        assert!(entities.is_accepted_by_defender("processes", &["sha1"]));
        assert_eq!(
            entities.to_defender("Host").unwrap().identifiers["FullName"],
            "name"
        );
        assert_eq!(entities.to_defender("Malware"), None);
        assert_eq!(entities.custom_entity("IPCustomEntity").unwrap().entity, "IP");
        let assets: Vec<_> = entities
            .defender_lists()
            .filter(|list| list.1.asset)
            .map(|list| list.0)
            .collect();
        assert_eq!(assets, ["accounts", "hosts", "ips", "mailboxes"]);
    }

    #[test]
    fn every_inferred_column_is_in_some_table() {
        let pack = Pack::embedded();
        let mut known = BTreeSet::new();
        for environment in [
            crate::tables::Environment::M365,
            crate::tables::Environment::Sentinel,
        ] {
            let tables = crate::tables::Tables::new(&pack, environment).unwrap();
            for name in tables.names() {
                known.extend(
                    tables
                        .get(name)
                        .unwrap()
                        .columns
                        .iter()
                        .map(|(column, _)| column.clone()),
                );
            }
        }
        for row in entities().inference {
            let defender = row
                .defender
                .into_iter()
                .flat_map(|defender| defender.properties.0);
            for (_, columns) in row.sentinel.0.into_iter().chain(defender) {
                for column in columns {
                    assert!(known.contains(&column), "{column}");
                }
            }
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_named() {
        let text = Pack::embedded()
            .text(PATH)
            .unwrap()
            .replace("{list: ips, identifiers", "{list: ip, identifiers");
        let files = BTreeMap::from([(PATH.to_owned(), text.into_bytes())]);
        let message = Entities::load(&Pack::embedded().overlay(files))
            .unwrap_err()
            .to_string();
        assert_eq!(message, "schema/entities.yaml: there is no Defender list 'ip'");
    }
}
