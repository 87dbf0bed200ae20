//! The JSON Schemas under schema/ say what the types say, and what rulec
//! prints is valid against them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test reads the files it is about.

use std::{fs, path::Path};

use rulec_driver::{Pipeline, build, explain, fixtures, hunt, inputs, miss};
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
    let text = render::json(&findings, &[], compilation.summary(), rulec_driver::VERSION);
    validate("check.schema.json", &serde_json::from_str(&text).unwrap());
    let corpus = explain::corpus(&pipeline, &compilation);
    let built = pipeline.build(&compilation, &build::Options::default());
    validate(
        "losses.schema.json",
        &serde_json::from_slice(&built.artifacts["losses.json"]).unwrap(),
    );
    let Ok(site) = pipeline.site(&compilation, &built, "Rules") else {
        panic!("there is no site")
    };
    let coverage = site.iter().find(|file| file.path == "coverage.json").unwrap();
    validate(
        "coverage.schema.json",
        &serde_json::from_slice(&coverage.bytes).unwrap(),
    );
    for document in compilation.documents {
        let rule = serde_json::to_value(document.rule().unwrap()).unwrap();
        validate("rule.schema.json", &rule);
        let one = rulec_driver::Compilation {
            documents: vec![document],
        };
        let explained = explain::run(&pipeline, &one, &corpus, explain::Format::Json).unwrap();
        validate("explain.schema.json", &serde_json::from_str(&explained).unwrap());
    }
}

#[test]
fn what_is_explained_is_valid() {
    let Ok(pipeline) = Pipeline::open(&root(), None) else {
        panic!("the repository does not open")
    };
    let mut cases = pipeline.compile(&[root().join("tests/cases/explain")]);
    cases.documents.retain(|d| !d.file.path.ends_with(".explain.md"));
    let corpus = explain::corpus(&pipeline, &cases);
    let mut explained = 0;
    for document in cases.documents {
        let one = rulec_driver::Compilation {
            documents: vec![document],
        };
        let Some(json) = explain::run(&pipeline, &one, &corpus, explain::Format::Json) else {
            continue;
        };
        validate("explain.schema.json", &serde_json::from_str(&json).unwrap());
        explained += 1;
    }
    assert!(explained >= 28, "{explained}");
}

/// Takes what a hunt puts out.
struct Collected(String);

impl hunt::Listener for Collected {
    fn output(&mut self, text: &str) -> std::io::Result<()> {
        self.0.push_str(text);
        Ok(())
    }

    fn tick(&mut self, _: &hunt::State) {}
}

#[test]
fn what_a_hunt_prints_is_valid() {
    let Ok(pipeline) = Pipeline::open(&root(), None) else {
        panic!("the repository does not open")
    };
    let compilation = std::sync::Arc::new(pipeline.compile(&[]));
    let export = root().join("tests/cases/readme/export.ndjson");
    let input = inputs::Input {
        data: vec![format!("DeviceProcessEvents={}", export.display())],
        memory: 1024,
        ..inputs::Input::default()
    };
    let options = hunt::Options {
        only: None,
        format: hunt::Format::Ndjson,
        progress: std::sync::Arc::default(),
    };
    let mut found = Collected(String::new());
    let report = hunt::run(&pipeline, &compilation, &input, &options, &mut found).unwrap();
    assert_eq!((report.alerts, found.0.lines().count()), (2, 2));
    for line in found.0.lines() {
        validate("alert.schema.json", &serde_json::from_str(line).unwrap());
    }
    let mut verdicts = Vec::new();
    for (rule, event) in [
        ("RL-0003", "DeviceProcessEvents:2"),
        ("RL-0003", "DeviceProcessEvents:1"),
        ("RL-0010", "DeviceProcessEvents:1"),
    ] {
        let json = miss::Format::Json;
        let answer = miss::run(&pipeline, &compilation, &input, Some(rule), event, json).unwrap();
        let answer: Value = serde_json::from_str(&answer.output).unwrap();
        validate("explain-miss.schema.json", &answer);
        verdicts.push(answer["verdict"].clone());
    }
    assert_eq!(verdicts, ["fires", "dropped", "dropped"]);
}

#[test]
fn fixtures_and_their_report_are_valid() {
    let mut fixtures = 0;
    for entry in fs::read_dir(root().join("tests/rules")).unwrap().flatten() {
        if entry.path().extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        validate("fixture.schema.json", &serde_yaml::from_str(&text).unwrap());
        fixtures += 1;
    }
    assert!(fixtures >= 30);
    // What the page about fixtures shows is one.
    let page = fs::read_to_string(root().join("tests/rules/README.md")).unwrap();
    let (_, shown) = page.split_once("```yaml\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    validate("fixture.schema.json", &serde_yaml::from_str(shown).unwrap());
    assert!(fixtures::parse(shown).is_ok());
    let Ok(pipeline) = Pipeline::open(&root(), None) else {
        panic!("the repository does not open")
    };
    let options = fixtures::Options {
        coverage: true,
        ..fixtures::Options::default()
    };
    let report = fixtures::run(&pipeline, &pipeline.compile(&[]), &options).unwrap();
    let text = report.print(fixtures::Format::Json, false);
    validate("test.schema.json", &serde_json::from_str(&text).unwrap());
}

#[test]
fn editors_see_what_fixtures_cannot_say() {
    let text = fs::read_to_string(root().join("schema/fixture.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    for (fixture, valid) in [
        ("{ now: '2026-01-15T12:00:00Z', cases: [] }", true),
        (
            "{ now: '2026-01-15T12:00:00Z', cases: [{ name: a, fires: true, events: [x, { event: y, step: 5m }] }] }",
            true,
        ),
        ("{ cases: [] }", false),
        (
            "{ now: '2026-01-15T12:00:00Z', cases: [{ name: a, fire: true }] }",
            false,
        ),
        (
            "{ now: '2026-01-15T12:00:00Z', cases: [{ name: a, count: many }] }",
            false,
        ),
        (
            "{ now: '2026-01-15T12:00:00Z', cases: [{ name: a, events: [{ times: 2 }] }] }",
            false,
        ),
        (
            "{ now: '2026-01-15T12:00:00Z', cases: [], events: { a: { tables: T } } }",
            false,
        ),
    ] {
        let instance: Value = serde_yaml::from_str(fixture).unwrap();
        assert_eq!(validator.is_valid(&instance), valid, "{fixture}");
    }
}

#[test]
fn what_diff_prints_is_valid() {
    let Ok(pipeline) = Pipeline::open(&root(), None) else {
        panic!("the repository does not open")
    };
    for name in ["column-removed", "exclusion-grows", "front-matter", "same"] {
        let read = |end: &str| {
            let path = root().join(format!("tests/cases/diff/{name}.{end}.md"));
            let text = fs::read_to_string(path).unwrap();
            pipeline.document(rulec_source::SourceFile::new("case.md", text))
        };
        let compared = rulec_driver::diff::of_documents(&pipeline, read("old"), read("new"), "before");
        assert_eq!(compared.diff.rules.is_empty(), name == "same");
        validate(
            "diff.schema.json",
            &serde_json::from_str(&compared.diff.json()).unwrap(),
        );
    }
}
