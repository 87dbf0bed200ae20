//! The shipped rules as Sigma rules: which can be said, that they are valid
//! against the public schemas, and that `sigma check` finds nothing in them.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)] // these are tests

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

use rulec_emit::targets::Sigma;
use rulec_emit::{Context, Effect, Emitted, Input, Places, Provenance, emit};
use rulec_facts::Pack;
use rulec_facts::aliases::Aliases;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::Catalog;
use rulec_model::{FrontMatter, Origin, Resolved, Rule, ScheduleKind, Settings, Sourced, Suppression};
use rulec_model::{Severity, Status, Trigger, TriggerOperator};
use rulec_read::Options;
use rulec_source::SourceFile;
use serde::Deserialize as _;
use serde_json::Value;

/// What the rule says of how it is run, with plain defaults for the rest.
fn resolved(settings: &Settings) -> Resolved {
    fn or<T: Clone>(said: Option<&Sourced<T>>, default: T) -> Sourced<T> {
        said.cloned()
            .unwrap_or_else(|| Sourced::new(default, Origin::Default("a test".to_owned())))
    }
    let schedule = settings.schedule.as_ref().map(|schedule| schedule.value);
    let origin = || Origin::Default("a test".to_owned());
    let hours = |hours: u64| rulec_model::Duration::from_seconds(3600 * hours);
    Resolved {
        status: or(settings.status.as_ref(), Status::Stable),
        severity: or(settings.severity.as_ref(), Severity::Medium),
        targets: or(settings.targets.as_ref(), Vec::new()),
        kind: Sourced::new(schedule.map_or(ScheduleKind::Scheduled, |s| s.kind), origin()),
        frequency: Sourced::new(schedule.and_then(|s| s.frequency).unwrap_or(hours(1)), origin()),
        period: Sourced::new(schedule.and_then(|s| s.period).unwrap_or(hours(2)), origin()),
        trigger: or(
            settings.trigger.as_ref(),
            Trigger {
                operator: TriggerOperator::Gt,
                threshold: 0,
            },
        ),
        entities: or(settings.entities.as_ref(), Vec::new()),
        custom_details: or(settings.custom_details.as_ref(), BTreeMap::new()),
        alert: settings.alert.clone(),
        grouping: settings.grouping.clone(),
        suppression: or(
            settings.suppression.as_ref(),
            Suppression {
                enabled: false,
                duration: hours(1),
            },
        ),
    }
}

/// All documents under rules/, in order of their paths.
fn rules() -> Vec<(String, Rule)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let aliases = Aliases::load(&Pack::embedded()).unwrap();
    let options = Options {
        aliases: &aliases,
        defaults: FrontMatter::default(),
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .flat_map(|tactic| fs::read_dir(tactic.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let file = SourceFile::new(&*name, fs::read_to_string(&path).unwrap());
            (name, rulec_read::read(&file, &options).rule().unwrap().clone())
        })
        .collect()
}

/// Every rule as Sigma.
fn emitted() -> Vec<(String, Rule, Emitted)> {
    let context = Context::load(&Pack::embedded()).unwrap();
    let tables = Arc::new(Tables::new(&Pack::embedded(), Environment::Merged).unwrap());
    let catalog = Catalog::new(tables);
    rules()
        .into_iter()
        .map(|(name, rule)| {
            let parsed = rulec_kql::parse(&rule.queries[0].text);
            let lowered = rulec_ir::lower(&parsed, &catalog);
            let emitted = emit(
                &Sigma,
                &context,
                &Input {
                    rule: &rule,
                    resolved: &resolved(&rule.settings),
                    query: 0,
                    several: false,
                    parsed: &parsed,
                    ir: &lowered.query,
                    provenance: &Provenance {
                        rulec: "0.1.0".to_owned(),
                        document: format!("rules/{name}"),
                        sha256: "00".repeat(32),
                    },
                    places: Places {
                        text: "",
                        spans: &BTreeMap::new(),
                    },
                    line: 1,
                },
            );
            (name, rule, emitted)
        })
        .collect()
}

/// Writes all artifacts below a folder.
fn write(folder: &Path, all: &[(String, Rule, Emitted)]) {
    for artifact in all.iter().flat_map(|(_, _, emitted)| &emitted.artifacts) {
        let path = folder.join(&artifact.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &artifact.bytes).unwrap();
    }
}

fn documents(bytes: &[u8]) -> Vec<Value> {
    serde_yaml::Deserializer::from_slice(bytes)
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

#[test]
fn rules_made_for_sigma_go_there_and_no_half_rules() {
    for (name, rule, emitted) in emitted() {
        let wanted = rule
            .settings
            .targets
            .as_ref()
            .is_some_and(|targets| targets.value.iter().any(|target| target == "sigma"));
        for loss in &emitted.losses {
            println!(
                "{name}: {} {}: {}",
                loss.effect.as_str(),
                loss.construct,
                loss.why
            );
        }
        assert_eq!(
            emitted.is_rejected(),
            emitted.artifacts.is_empty(),
            "{name}: {:?}",
            emitted.diagnostics
        );
        if wanted {
            assert!(!emitted.is_rejected(), "{name}: {:?}", emitted.losses);
        }
        for loss in &emitted.losses {
            assert!(loss.why.ends_with('.'), "{name}: {}", loss.why);
            assert!(loss.effect != Effect::Rejected || loss.span.is_some(), "{name}");
        }
    }
}

#[test]
fn artifacts_are_valid_against_the_public_schemas() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts/sigma");
    let schema = |name: &str| -> Option<jsonschema::Validator> {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        Some(jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap())
    };
    let (Some(rule), Some(correlation)) = (
        schema("sigma-detection-rule-schema.json"),
        schema("sigma-correlation-rules-schema.json"),
    ) else {
        println!("skipped: {} has no schemas", folder.display());
        return;
    };
    let mut checked = 0;
    for (name, _, emitted) in emitted() {
        for artifact in &emitted.artifacts {
            for document in documents(&artifact.bytes) {
                let validator = if document.get("correlation").is_some() {
                    &correlation
                } else {
                    &rule
                };
                let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
                assert!(errors.is_empty(), "{name} {}: {errors:?}", artifact.path);
                checked += 1;
            }
        }
    }
    assert!(checked > 10);
}

#[test]
fn sigma_check_finds_nothing() {
    let program = env::var_os("RULEC_SIGMA").unwrap_or_else(|| "sigma".into());
    if Command::new(&program).arg("version").output().is_err() {
        println!("skipped: sigma-cli is not installed (pip install sigma-cli)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &emitted());
    // Those two download data before they look at a tag.
    let config = folder.path().join("check.yaml");
    fs::write(&config, "validators: [all, -attacktag, -d3_fendtag]\n").unwrap();
    let output = Command::new(&program)
        .args([
            "check",
            "--fail-on-error",
            "--fail-on-issues",
            "--validation-config",
        ])
        .arg(&config)
        .arg(folder.path().join("sigma"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// For whoever wants to look at them: `RULEC_SIGMA_OUT=folder cargo test`.
#[test]
fn artifacts_for_reading() {
    let Some(folder) = env::var_os("RULEC_SIGMA_OUT") else {
        return;
    };
    write(Path::new(&folder), &emitted());
}
