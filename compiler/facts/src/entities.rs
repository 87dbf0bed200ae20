//! Entities: Sentinel's types and identifiers, Defender's lists and
//! properties, the way from one to the other, and which columns hold them.
//!
//! In: `schema/entities.yaml`. Out: look-ups, and [`Entities::infer_sentinel`]
//! and [`Entities::infer_defender`], which propose mappings for the output
//! columns of a query. Deliberately absent: what a document says itself about
//! entities; that always comes first, and is the emitter's business.

use std::collections::BTreeMap;

use rulec_functions::Type;
use serde::Deserialize;

use crate::yaml::Ordered;
use crate::{FactsError, Pack, targets, yaml};

mod infer;

pub use infer::{Inferred, OutputColumn, PassedOver, Proposal, Why};

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
    /// Types of columns, by identifier, where they differ from [`Entities::types`].
    #[serde(default)]
    types: BTreeMap<String, Vec<String>>,
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
    needs: Vec<String>,
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
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

/// Everything about entities.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entities {
    #[serde(rename = "source")]
    _source: String,
    types: Vec<String>,
    sentinel: BTreeMap<String, SentinelEntity>,
    #[serde(rename = "custom_entities")]
    custom: BTreeMap<String, CustomEntity>,
    defender: BTreeMap<String, DefenderList>,
    sentinel_to_defender: BTreeMap<String, DefenderPlace>,
    made_columns: Vec<String>,
    inference: Vec<Inference>,
    #[serde(skip)]
    limits: Limits,
    /// The rows of `inference` that speak of a column, by its name.
    #[serde(skip)]
    speaking: BTreeMap<String, Vec<usize>>,
}

/// How many mappings a rule takes, and identifiers a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    mappings: usize,
    identifiers: usize,
}

const PATH: &str = "schema/entities.yaml";

fn yes() -> bool {
    true
}

impl Entities {
    /// Reads `schema/entities.yaml` and checks that its parts know each other.
    pub fn load(pack: &Pack) -> Result<Entities, FactsError> {
        let mut entities: Entities = yaml::file(pack, PATH)?;
        entities.verify()?;
        let sentinel = targets::Sentinel::load(pack)?;
        entities.limits = Limits {
            mappings: sentinel.entity_mappings_max,
            identifiers: sentinel.identifiers_max,
        };
        for (index, row) in entities.inference.iter().enumerate() {
            let sentinel = row.sentinel.0.iter().flat_map(|(_, names)| names);
            let defender = row.defender.iter().flat_map(|defender| &defender.properties.0);
            let defender = defender.flat_map(|(_, names)| names);
            for name in sentinel.chain(defender) {
                let rows = entities.speaking.entry(name.clone()).or_default();
                if rows.last() != Some(&index) {
                    rows.push(index);
                }
            }
        }
        Ok(entities)
    }

    fn verify(&self) -> Result<(), FactsError> {
        let wrong = |what: String| Err(FactsError::new(PATH, what));
        for (name, entity) in &self.sentinel {
            let named = entity.required.iter().chain(&entity.strong).flatten();
            for identifier in named.chain(entity.types.keys()) {
                if !entity.identifiers.contains(identifier) {
                    return wrong(format!("'{name}' has no identifier '{identifier}'"));
                }
            }
        }
        let types = self.sentinel.values().flat_map(|entity| entity.types.values());
        for name in types.flatten().chain(&self.types) {
            if Type::parse(name).is_none() {
                return wrong(format!("there is no type '{name}'"));
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
        let named: Vec<&String> = self
            .inference
            .iter()
            .flat_map(|row| &row.sentinel.0)
            .flat_map(|(_, names)| names)
            .collect();
        if let Some(unknown) = self.made_columns.iter().find(|made| !named.contains(made)) {
            return wrong(format!("nothing is inferred from the column '{unknown}'"));
        }
        for row in &self.inference {
            let entity = self.known(&row.entity)?;
            let named = row
                .sentinel
                .0
                .iter()
                .map(|(identifier, _)| identifier)
                .chain(row.constants.keys())
                .chain(&row.needs);
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

    /// The types of columns that an identifier of a Sentinel entity type takes.
    pub fn types(&self, entity: &str, identifier: &str) -> &[String] {
        let own = self.sentinel.get(entity).and_then(|e| e.types.get(identifier));
        own.unwrap_or(&self.types)
    }

    /// Whether an identifier takes a column of that type. One whose type is not
    /// known may have any.
    pub fn takes(&self, entity: &str, identifier: &str, ty: Type) -> bool {
        ty == Type::Unknown
            || self
                .types(entity, identifier)
                .iter()
                .any(|name| name == ty.name())
    }

    /// How many identifiers a Sentinel mapping takes.
    pub fn identifiers_max(&self) -> usize {
        self.limits.identifiers
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
}

fn one_is_there(sets: &[Vec<String>], names: &[&str]) -> bool {
    sets.iter()
        .any(|set| set.iter().all(|name| names.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn entities() -> Entities {
        Entities::load(&Pack::embedded()).unwrap()
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
                    // What queries make is listed, and nothing else is.
                    let made = entities().made_columns.contains(&column);
                    assert!(known.contains(&column) != made, "{column}");
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
