//! `schema/targets/deployment.yaml`: how much one deployment takes.

use serde::Deserialize;

use crate::{FactsError, Pack, yaml};

/// What bundles of rules are cut by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    #[serde(rename = "source")]
    _source: String,
    /// Azure Resource Manager.
    pub arm: ArmTemplate,
    /// Bicep, beyond what holds for the template it becomes.
    pub bicep: Bicep,
    /// Microsoft Graph.
    pub graph: Graph,
}

/// What a deployment template may hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmTemplate {
    /// What `$schema` of a template says.
    pub template_schema: String,
    /// Bytes of a template.
    pub template_bytes: usize,
    /// Bytes of each resource in it.
    pub resource_bytes: usize,
    /// Resources in a template.
    pub resources: usize,
}

/// What Bicep reads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bicep {
    /// Characters of a JSON file.
    pub file_characters: usize,
}

/// What a batch of requests may hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// Requests.
    pub batch_requests: usize,
    /// Where custom detections are, below the version of the API.
    pub detections: String,
}

impl Deployment {
    /// Reads `schema/targets/deployment.yaml`. Every limit is at least 1.
    pub fn load(pack: &Pack) -> Result<Deployment, FactsError> {
        let path = "schema/targets/deployment.yaml";
        let all: Deployment = yaml::file(pack, path)?;
        let arm = &all.arm;
        let limits = [
            arm.template_bytes,
            arm.resource_bytes,
            arm.resources,
            all.bicep.file_characters,
            all.graph.batch_requests,
        ];
        if limits.contains(&0) {
            return Err(FactsError::new(path, "a limit of 0 lets nothing be deployed"));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_never_nothing() {
        let all = Deployment::load(&Pack::embedded()).unwrap();
        assert_eq!((all.arm.resources, all.graph.batch_requests), (800, 20));
        let path = "schema/targets/deployment.yaml";
        let text = Pack::embedded().text(path).unwrap().replace(": 800", ": 0");
        let pack = Pack::embedded().overlay([(path.to_owned(), text.into_bytes())].into());
        assert!(
            Deployment::load(&pack)
                .unwrap_err()
                .to_string()
                .contains("limit of 0")
        );
    }
}
