//! What targets ask of the columns of a result, the same for all of them.
//!
//! In: `schema/targets/` and `schema/entities.yaml`. Out: [`Contracts`], by
//! which a query can be held to every target without knowing any. Deliberately
//! absent: limits, and all that is not about columns.

use rulec_functions::Type;

use crate::tables::{Environment, Tables};
use crate::targets::Defender;
use crate::{FactsError, Pack, entities::Entities};

/// What every target that asks something of columns asks.
#[derive(Clone, Debug, Default)]
pub struct Contracts(Vec<Contract>);

/// What one target asks of the columns of a result.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The target's name, as rules list it: `defender`.
    pub target: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Whose queries it runs.
    pub environment: Environment,
    /// Of these the result needs one: the time of the event.
    pub times: Vec<String>,
    /// The lists of entities of which an alert needs one: `hosts`.
    pub assets: Vec<String>,
    facts: Defender,
}

impl Contracts {
    /// Reads the files of all targets.
    pub fn load(pack: &Pack) -> Result<Self, FactsError> {
        let facts = Defender::load(pack)?;
        let entities = Entities::load(pack)?;
        let assets = entities.defender_lists().filter(|(_, list)| list.asset);
        Ok(Self(vec![Contract {
            target: "defender",
            title: "Defender",
            environment: Environment::M365,
            times: facts.time_columns.clone(),
            assets: assets.map(|(name, _)| name.to_owned()).collect(),
            facts,
        }]))
    }

    /// One per target that asks something.
    pub fn all(&self) -> &[Contract] {
        &self.0
    }
}

impl Contract {
    /// The columns by which the target finds the event of a result again, beside
    /// its time, of a rule about `table`; those that the table has.
    pub fn event_columns<'a>(&'a self, table: &str, tables: &Tables) -> Vec<&'a str> {
        let Some(schema) = tables.get(table) else {
            return Vec::new();
        };
        let needed = self.facts.columns_needed(table).iter();
        needed
            .filter(|name| schema.column(name).is_some())
            .map(String::as_str)
            .collect()
    }

    /// Whether the target takes a column of that type as the time of an event.
    pub fn takes_time(ty: Type) -> bool {
        matches!(ty, Type::DateTime | Type::Unknown)
    }

    /// Whether the target takes a column of that type as part of what an event is found by.
    pub fn takes_key(ty: Type) -> bool {
        matches!(
            ty,
            Type::String | Type::Long | Type::Int | Type::Guid | Type::Unknown
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_by_what_their_tables_have() {
        let pack = Pack::embedded();
        let contracts = Contracts::load(&pack).unwrap();
        let tables = Tables::new(&pack, Environment::Merged).unwrap();
        let of = |table| contracts.all()[0].event_columns(table, &tables);
        assert_eq!(of("DeviceProcessEvents"), ["DeviceId", "ReportId"]);
        assert_eq!(of("EmailEvents"), ["ReportId"]);
        assert_eq!(of("SigninLogs"), [""; 0]);
        assert_eq!(of("NoTable"), [""; 0]);
        assert!(contracts.all()[0].assets.contains(&"hosts".to_owned()));
    }
}
