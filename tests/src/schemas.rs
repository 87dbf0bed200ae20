//! The JSON Schemas under schema/ say what the types say, and what rulec
//! prints is valid against them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test reads the files it is about.

use std::{fs, path::Path};

use rulec_driver::{Pipeline, build, explain};
use rulec_source::render;
use serde_json::Value;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn validate(schema: &str, instance: &Value) {
    let text = fs::read_to_string(root().join("schema").join(schema)).unwrap();
    let schema_value: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema_value).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(instance)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{schema}: {errors:#?}");
}

#[test]
fn schemas_are_not_stale() {
    for (path, text) in rulec_driver::schemas::all() {
        let checked_in = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(checked_in == text, "{path} is stale: run `cargo dev schemas`");
    }
}

#[test]
fn what_rulec_prints_is_valid() {
    let Ok(pipeline) = Pipeline::open(&root(), None) else {
        panic!("the repository does not open")
    };
    let compilation = pipeline.compile(&[]);
    assert!(compilation.documents.len() >= 14);
    let findings = compilation.findings();
    let text = render::json(&findings, compilation.summary(), rulec_driver::VERSION);
    validate("check.schema.json", &serde_json::from_str(&text).unwrap());
    let built = pipeline.build(&compilation, &build::Options::default());
    validate(
        "losses.schema.json",
        &serde_json::from_slice(&built.artifacts["losses.json"]).unwrap(),
    );
    for document in compilation.documents {
        let rule = serde_json::to_value(document.rule().unwrap()).unwrap();
        validate("rule.schema.json", &rule);
        let one = rulec_driver::Compilation {
            documents: vec![document],
        };
        let explained = explain::run(&pipeline, &one, explain::Format::Json);
        validate("explain.schema.json", &serde_json::from_str(&explained).unwrap());
    }
}
