//! How the services run a rule.
//!
//! In: `schema/targets/runs.yaml`. Out: a [`Service`] a target. Deliberately
//! absent: what a service takes when a rule is saved ([`crate::targets`]).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::{FactsError, Pack, targets::duration, yaml};

/// How the services run rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    #[serde(rename = "source")]
    _source: String,
    services: BTreeMap<String, Service>,
}

/// How one service runs a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How people call it.
    pub title: String,
    /// How long after its time a run starts. What has come in until then is
    /// there; `now()` is the run's time.
    #[serde(deserialize_with = "duration")]
    pub late: Duration,
    /// The column by which the data is cut to the period, both ends included.
    pub cut: Option<String>,
    /// Whether a result alerts again in every run that finds it.
    pub repeats: bool,
    /// The table in which alerts are written down.
    pub alerts: Option<String>,
}

impl Service {
    /// Somebody's own clock that starts a rule: it waits for nothing, cuts
    /// nothing, and remembers nothing.
    pub fn by_hand() -> Self {
        Self {
            title: "a clock of your own".to_owned(),
            late: Duration::ZERO,
            cut: None,
            repeats: true,
            alerts: None,
        }
    }
}

impl Runs {
    /// Reads `schema/targets/runs.yaml`.
    pub fn load(pack: &Pack) -> Result<Self, FactsError> {
        yaml::file(pack, "schema/targets/runs.yaml")
    }

    /// The services that run a rule which goes to these targets, in their order.
    pub fn of<'r>(&'r self, targets: &'r [String]) -> impl Iterator<Item = (&'r str, &'r Service)> {
        targets
            .iter()
            .filter_map(|target| Some((target.as_str(), self.services.get(target)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_can_be_read() {
        let runs = Runs::load(&Pack::embedded()).unwrap();
        let targets = ["native", "sentinel", "defender"].map(str::to_owned);
        let found: Vec<_> = runs.of(&targets).collect();
        assert_eq!(found.len(), 2);
        let (name, sentinel) = found[0];
        assert_eq!(
            (name, sentinel.late.as_secs(), sentinel.repeats),
            ("sentinel", 300, true)
        );
        assert_eq!(sentinel.cut.as_deref(), Some("TimeGenerated"));
        assert!(!found[1].1.repeats && found[1].1.cut.is_none());
    }
}
