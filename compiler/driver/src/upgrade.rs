//! `rulec check --attack`: what another version of ATT&CK would change.
//!
//! In: a repository and a version. Out: the repository as if rulec.toml said
//! that version, so that the lints say what an upgrade would change and their
//! repairs make it. Deliberately absent: changing rulec.toml.

use rulec_facts::attack::Attack;

use crate::Pipeline;

impl Pipeline {
    /// Checks rules against a version of ATT&CK other than rulec.toml's. An
    /// unknown version is an error that lists the known.
    pub fn write_against(&mut self, attack: &str) -> Result<(), String> {
        let pack = &self.repository.pack;
        let versions = Attack::versions(pack);
        if !versions.iter().any(|known| known == attack) {
            return Err(format!(
                "there is no data for ATT&CK {attack}; the versions are {}",
                versions.join(", ")
            ));
        }
        self.facts = rulec_explain::Facts::load(pack, attack).map_err(|e| e.to_string())?;
        attack.clone_into(&mut self.repository.config.check.attack);
        Ok(())
    }
}
