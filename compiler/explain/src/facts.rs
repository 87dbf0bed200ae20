//! The data that explaining and checking rest on, loaded once, and when it is asked for.

use rulec_facts::attack::{Attack, Versions};
use rulec_facts::{
    FactsError, Lazy, Pack, contract::Contracts, entities::Entities, events::Events, runs::Runs,
};

/// Data under schema/, as far as explaining and checking need it.
#[derive(Debug)]
pub struct Facts {
    /// The version of ATT&CK rules are written against.
    pub attack: Lazy<Attack>,
    /// The newest version there is data for.
    pub newest: Lazy<Attack>,
    /// All versions side by side.
    pub versions: Lazy<Versions>,
    /// Which native events stand behind a table's events.
    pub events: Lazy<Events>,
    /// What entities are made of.
    pub entities: Lazy<Entities>,
    /// What targets ask of the columns of a result.
    pub contracts: Lazy<Contracts>,
    /// How the services run rules.
    pub runs: Lazy<Runs>,
}

impl Facts {
    /// `attack` is a version such as `18.1`. Fails on files of a repository's own.
    pub fn load(pack: &Pack, attack: &str) -> Result<Self, FactsError> {
        let newest = Attack::versions(pack).pop().unwrap_or_else(|| attack.to_owned());
        let version = |version: String| {
            if !Attack::versions(pack).contains(&version) {
                Attack::load(pack, &version)?;
            }
            Lazy::new(pack, &["schema/attack/"], move |pack| {
                Attack::load(pack, &version)
            })
        };
        Ok(Self {
            attack: version(attack.to_owned())?,
            newest: version(newest)?,
            versions: Lazy::new(pack, &["schema/attack/"], Versions::load)?,
            events: Lazy::new(pack, &["schema/events/", "schema/tables/m365.txt"], Events::load)?,
            contracts: Lazy::new(
                pack,
                &["schema/entities.yaml", "schema/targets/"],
                Contracts::load,
            )?,
            entities: Lazy::new(
                pack,
                &["schema/entities.yaml", "schema/targets/sentinel.yaml"],
                Entities::load,
            )?,
            runs: Lazy::new(pack, &["schema/targets/runs.yaml"], Runs::load)?,
        })
    }
}
