//! JSON Schemas of the pack, compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use rulec_facts::Pack;
use rulec_source::Diagnostic;
use serde_json::Value;

use crate::codes::{ARTIFACT_SCHEMA, TARGET_FACTS};

/// Validators by path; each is compiled when it is first asked for.
#[derive(Default)]
pub(crate) struct Schemas {
    compiled: Mutex<BTreeMap<String, Result<Arc<Validator>, String>>>,
}

impl Schemas {
    pub(crate) fn validate(&self, pack: &Pack, path: &str, value: &Value) -> Result<(), Box<Diagnostic>> {
        let validator = self
            .compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(path.to_owned())
            .or_insert_with(|| compile(pack, path))
            .clone()
            .map_err(|message| Box::new(Diagnostic::new(TARGET_FACTS, message)))?;
        // The first in the order of the document, whatever order the validator has.
        let first = validator
            .iter_errors(value)
            .map(|error| (error.instance_path().to_string(), error.to_string()))
            .min();
        match first {
            None => Ok(()),
            Some((at, message)) => {
                let at = if at.is_empty() {
                    "the whole".to_owned()
                } else {
                    format!("`{at}`")
                };
                Err(Box::new(Diagnostic::new(
                    ARTIFACT_SCHEMA,
                    format!("{at} is not valid against {path}: {message}"),
                )))
            }
        }
    }
}

fn compile(pack: &Pack, path: &str) -> Result<Arc<Validator>, String> {
    let text = pack.require(path).map_err(|e| e.to_string())?;
    let schema: Value = serde_json::from_str(text).map_err(|e| format!("{path}: {e}"))?;
    jsonschema::validator_for(&schema)
        .map(Arc::new)
        .map_err(|e| format!("{path}: {e}"))
}
