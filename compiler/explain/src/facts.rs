//! The data that explaining and checking rest on, loaded once.

use rulec_facts::{FactsError, Pack, attack::Attack, entities::Entities, events::Events};

/// Data under schema/, as far as explaining and checking need it.
#[derive(Debug)]
pub struct Facts {
    /// The version of ATT&CK rules are written against.
    pub attack: Attack,
    /// The newest version there is data for.
    pub newest: Attack,
    /// Which native events stand behind a table's events.
    pub events: Events,
    /// What entities are made of.
    pub entities: Entities,
}

impl Facts {
    /// Loads them; `attack` is a version such as `18.1`.
    pub fn load(pack: &Pack, attack: &str) -> Result<Self, FactsError> {
        let newest = Attack::versions(pack).pop().unwrap_or_else(|| attack.to_owned());
        Ok(Self {
            attack: Attack::load(pack, attack)?,
            newest: Attack::load(pack, &newest)?,
            events: Events::load(pack)?,
            entities: Entities::load(pack)?,
        })
    }
}
