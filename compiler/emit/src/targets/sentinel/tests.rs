//! Tests of the Sentinel target.

use rulec_facts::Pack;
use rulec_model::{Grouping, GroupingMatch, Origin, ScheduleKind, Sourced, Trigger, TriggerOperator};
use serde_json::{Value, json};

use super::rule::{Deployment, SentinelRule};
use super::*;
use crate::targets::testing::*;
use crate::{Effect, emit};

fn build(rule: &rulec_model::Rule, resolved: &rulec_model::Resolved, ir: &rulec_ir::Query) -> Emitted {
    with_input(rule, resolved, ir, |input| emit(&Sentinel, context(), input))
}

fn artifact<'a>(emitted: &'a Emitted, path: &str) -> &'a [u8] {
    let found = emitted.artifacts.iter().find(|artifact| artifact.path == path);
    &found.unwrap_or_else(|| panic!("{:?}", emitted.diagnostics)).bytes
}

fn yaml(emitted: &Emitted) -> Value {
    serde_yaml::from_slice(artifact(
        emitted,
        "sentinel/Detections/DeviceProcessEvents/RL-0001.yaml",
    ))
    .unwrap()
}

fn arm(emitted: &Emitted) -> Value {
    serde_json::from_slice(artifact(emitted, "sentinel/arm/RL-0001.arm.json")).unwrap()
}

fn codes(emitted: &Emitted) -> Vec<&'static str> {
    emitted.diagnostics.iter().map(|d| d.code.name).collect()
}

/// The messages of a rule that has to be refused.
fn refused(rule: &rulec_model::Rule, resolved: &rulec_model::Resolved, ir: &rulec_ir::Query) -> Vec<String> {
    let emitted = build(rule, resolved, ir);
    assert!(emitted.artifacts.is_empty());
    assert!(emitted.is_rejected());
    assert!(emitted.losses.iter().all(|loss| loss.why.ends_with('.')));
    emitted.diagnostics.iter().map(|d| d.message.clone()).collect()
}

#[test]
fn a_scheduled_rule_in_both_forms() {
    let rule = rule(vec![tag("TA0112", "T1685.001"), tag("TA0003", "T1053.005")]);
    let emitted = build(&rule, &resolved(), &device_query());
    assert_eq!(codes(&emitted), Vec::<&str>::new());
    let paths: Vec<_> = emitted.artifacts.iter().map(|a| a.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "sentinel/Detections/DeviceProcessEvents/RL-0001.yaml",
            "sentinel/arm/RL-0001.arm.json"
        ]
    );

    let yaml = yaml(&emitted);
    assert_eq!(yaml["queryFrequency"], "1h");
    assert_eq!(yaml["queryPeriod"], "4h");
    assert_eq!(yaml["version"], "1.4.0");
    assert_eq!(yaml["status"], "Available");
    assert_eq!(yaml["kind"], "Scheduled");
    assert_eq!(yaml["triggerOperator"], "gt");
    assert_eq!(
        yaml["tactics"],
        json!([
            "DefenseEvasion",
            "Persistence",
            "Execution",
            "PrivilegeEscalation"
        ])
    );
    assert_eq!(yaml["relevantTechniques"], json!(["T1562.002", "T1053.005"]));
    assert_eq!(
        yaml["requiredDataConnectors"],
        json!([{"connectorId": "MicrosoftThreatProtection", "dataTypes": ["DeviceProcessEvents"]}])
    );
    assert_eq!(yaml["query"], "DeviceProcessEvents\n| where FileName == 'a'\n");
    assert_eq!(
        yaml["entityMappings"][0]["fieldMappings"],
        json!([
            {"identifier": "HostName", "columnName": "DeviceName"},
            {"identifier": "AzureID", "columnName": "DeviceId"}
        ])
    );

    let arm = arm(&emitted);
    let resource = &arm["resources"][0];
    let properties = &resource["properties"];
    assert_eq!(resource["apiVersion"], "2025-07-01-preview");
    assert_eq!(resource["kind"], "Scheduled");
    assert_eq!(properties["triggerOperator"], "GreaterThan");
    assert_eq!(properties["queryPeriod"], "PT4H");
    assert_eq!(properties["techniques"], json!(["T1562", "T1053"]));
    assert_eq!(properties["subTechniques"], json!(["T1562.002", "T1053.005"]));
    assert_eq!(properties["tactics"], json!(["DefenseEvasion", "Persistence"]));
    assert_eq!(properties["alertRuleTemplateName"], yaml["id"]);
    assert!(
        resource["name"]
            .as_str()
            .unwrap()
            .contains(yaml["id"].as_str().unwrap())
    );
    assert_eq!(
        arm["metadata"]["rulec"],
        json!({"version": "0.1.0", "document": "rules/execution/RL-0001.md", "sha256": "ab".repeat(32)})
    );
    let text = String::from_utf8(emitted.artifacts[0].bytes.clone()).unwrap();
    assert!(text.starts_with("# Made by rulec 0.1.0 from rules/execution/RL-0001.md\n# sha256 abab"));
}

#[test]
fn stable_api_without_sub_techniques_and_the_guid_is_fixed() {
    let emitted = build(&rule(vec![tag("TA0002", "T1059")]), &resolved(), &device_query());
    let arm = arm(&emitted);
    assert_eq!(arm["resources"][0]["apiVersion"], "2025-09-01");
    assert_eq!(arm["resources"][0]["properties"].get("subTechniques"), None);
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"https://rulec.dev/sentinel");
    let config: Config<Own> = Config::load(&Pack::embedded(), NAME).unwrap();
    assert_eq!(config.own.choices.namespace, namespace);
    assert_eq!(
        yaml(&emitted)["id"],
        Uuid::new_v5(&namespace, b"RL-0001").to_string()
    );
    // One truth in two places: the choice and the fact.
    let facts = targets::Sentinel::load(&Pack::embedded()).unwrap();
    assert_eq!(config.own.arm.api_version, facts.arm.api_version);
    assert_eq!(config.own.arm.api_version_preview, facts.arm.api_version_preview);
}

#[test]
fn near_real_time_has_no_schedule() {
    let mut resolved = resolved();
    resolved.kind = said(ScheduleKind::Nrt);
    resolved.trigger = said(Trigger {
        operator: TriggerOperator::Gt,
        threshold: 5,
    });
    let emitted = build(&rule(vec![]), &resolved, &device_query());
    let (yaml, arm) = (yaml(&emitted), arm(&emitted));
    for key in [
        "queryFrequency",
        "queryPeriod",
        "triggerOperator",
        "triggerThreshold",
    ] {
        assert_eq!(yaml.get(key), None);
        assert_eq!(arm["resources"][0]["properties"].get(key), None);
    }
    assert_eq!(arm["resources"][0]["kind"], "NRT");
    assert_eq!(arm["resources"][0]["apiVersion"], "2025-07-01-preview");
    assert_eq!(emitted.losses.len(), 1);
    assert_eq!(emitted.losses[0].effect, Effect::Widened);
    assert_eq!(codes(&emitted), ["sentinel-nrt"]);
}

#[test]
fn hard_text_survives_everywhere() {
    for text in [
        HARD,
        "yes",
        "1.0",
        "- a",
        "#x",
        "@x",
        "a: b ",
        "  lead\nrest\n",
        "[x]",
        "{{x}}",
        "\u{7f}\0\r\n",
    ] {
        let mut rule = rule(vec![]);
        rule.title = text.to_owned();
        rule.author = Some(text.to_owned());
        rule.sections[0].text = format!("a{text}z");
        rule.queries[0].text = format!("print x = 1\n// {text}");
        let mut ir = device_query();
        if let Some(root) = &mut ir.root {
            root.open = true;
        }
        let emitted = build(&rule, &resolved(), &ir);
        assert!(!emitted.is_rejected(), "{:?}", emitted.diagnostics);
        let (yaml, arm) = (yaml(&emitted), arm(&emitted));
        let properties = &arm["resources"][0]["properties"];
        assert_eq!(yaml["name"], text);
        assert_eq!(yaml["metadata"]["author"]["name"], text);
        assert_eq!(yaml["description"], format!("a{text}z"));
        assert_eq!(yaml["query"], format!("print x = 1\n// {text}"));
        assert_eq!(properties["query"], yaml["query"]);
        if text == "[x]" {
            assert_eq!(properties["displayName"], "[[x]");
        } else {
            assert_eq!(properties["displayName"], text);
        }
    }
}

#[test]
fn limits_are_findings_with_codes() {
    let (rule, resolved) = (rule(vec![]), resolved());
    let ir = device_query();
    let mut long = rule.clone();
    long.title = "x".repeat(257);
    long.queries[0].text = "x".repeat(10_001);
    assert_eq!(
        refused(&long, &resolved, &ir),
        [
            "The name has 257 characters; Sentinel takes 256",
            "The query has 10001 characters; Sentinel takes 10000"
        ]
    );
    let mut wide = rule.clone();
    wide.queries[0].text = "search *".to_owned();
    let emitted = build(&wide, &resolved, &ir);
    assert_eq!(codes(&emitted), ["sentinel-query"]);
    assert_eq!(emitted.losses[0].span.unwrap().of("search *"), "search *");

    let mut often = resolved.clone();
    often.frequency = said(duration("4m"));
    often.period = said(duration("15d"));
    assert_eq!(
        refused(&rule, &often, &ir),
        [
            "The frequency is 4m; Sentinel takes 5m to 14d",
            "The period is 15d; Sentinel takes 5m to 14d",
            "A period of 2d or more runs at most every 1h; this rule runs every 4m"
        ]
    );
    let mut short = resolved.clone();
    short.period = said(duration("30m"));
    assert!(refused(&rule, &short, &ir)[0].contains("shorter than the frequency"));
}

#[test]
fn mappings_are_held_against_the_columns() {
    let (rule, mut resolved) = (rule(vec![]), resolved());
    resolved.entities = said(vec![
        entity("Host", &[("HostName", "devicename")]),
        entity("Hosts", &[("HostName", "DeviceName")]),
        entity("FileHash", &[("Value", "SHA1")]),
        entity("IP", &[("Addres", "DeviceName")]),
    ]);
    resolved.custom_details = said(pairs(&[("1x", "DeviceName"), ("ok", "Nope")]));
    let messages = refused(&rule, &resolved, &device_query());
    assert_eq!(
        messages,
        [
            "The entity Host (HostName) names the column `devicename`, which the query does not return",
            "Sentinel has no entity type Hosts",
            "The FileHash mapping needs Algorithm and Value",
            "The entity IP has no identifier Addres",
            "The IP mapping needs Address",
            "The custom detail `1x` is no name Sentinel takes: a letter, then letters, digits and `_`, at most 20 \
             characters",
            "The custom detail ok names the column `Nope`, which the query does not return",
        ]
    );
}

#[test]
fn derived_mappings_are_cut_and_not_refused() {
    let mut resolved = resolved();
    let mut many = vec![entity("IP", &[("Address", "DeviceName")]); 12];
    many.push(entity("FileHash", &[("Value", "SHA1")]));
    resolved.entities = Sourced::new(many, Origin::Derived("from columns".to_owned()));
    let emitted = build(&rule(vec![]), &resolved, &device_query());
    assert_eq!(yaml(&emitted)["entityMappings"].as_array().unwrap().len(), 10);
    // The IP mappings beyond the tenth are one loss, the hash without algorithm another.
    assert_eq!(emitted.losses.len(), 2);
    assert!(emitted.losses.iter().all(|loss| loss.effect == Effect::Dropped));
}

#[test]
fn a_rule_nobody_sent_here_gives_warnings() {
    let (mut rule, mut resolved) = (rule(vec![]), resolved());
    rule.title = "x".repeat(300);
    resolved.targets.origin = Origin::Default("all".to_owned());
    let emitted = build(&rule, &resolved, &device_query());
    assert!(emitted.is_rejected());
    assert!(emitted.diagnostics.iter().all(|d| !d.is_error()));
}

#[test]
fn alert_texts_and_grouping() {
    let mut resolved = resolved();
    resolved.alert = Some(said(rulec_model::AlertText {
        title: Some("{{DeviceName}} {{A}}".to_owned()),
        description: None,
    }));
    resolved.grouping = Some(said(Grouping {
        matching: GroupingMatch::Selected,
        lookback: duration("7h"),
        by_entities: vec!["Host".to_owned()],
        by_custom_details: vec!["Command".to_owned()],
    }));
    assert_eq!(
        refused(&rule(vec![]), &resolved, &device_query()),
        ["The alert title names the column `A`, which the query does not return"]
    );
    if let Some(alert) = &mut resolved.alert {
        alert.value.title = Some("{{DeviceName}}".to_owned());
    }
    let emitted = build(&rule(vec![]), &resolved, &device_query());
    let properties = arm(&emitted)["resources"][0]["properties"].clone();
    assert_eq!(
        properties["alertDetailsOverride"],
        json!({"alertDisplayNameFormat": "{{DeviceName}}"})
    );
    assert_eq!(
        properties["eventGroupingSettings"]["aggregationKind"],
        "AlertPerResult"
    );
    assert_eq!(
        properties["incidentConfiguration"],
        json!({
            "createIncident": true,
            "groupingConfiguration": {
                "enabled": true, "reopenClosedIncident": false, "lookbackDuration": "PT7H",
                "matchingMethod": "Selected", "groupByEntities": ["Host"], "groupByAlertDetails": [],
                "groupByCustomDetails": ["Command"]
            }
        })
    );
}

#[test]
fn what_only_defender_has_is_refused_with_its_place() {
    let mut rule = rule(vec![]);
    rule.queries[0].text = "DeviceTvmBrowserExtensions\n| invoke FileProfile(SHA1)".to_owned();
    let mut ir = query(
        "DeviceTvmBrowserExtensions",
        &["DeviceName", "DeviceId", "AccountName", "AccountDomain"],
    );
    ir.functions.push("FileProfile".to_owned());
    let mut resolved = resolved();
    resolved.custom_details = said(pairs(&[]));
    let emitted = build(&rule, &resolved, &ir);
    let found: Vec<_> = emitted
        .losses
        .iter()
        .map(|loss| {
            (
                loss.construct.as_str(),
                loss.span.map(|s| s.of(&rule.queries[0].text)),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                "table DeviceTvmBrowserExtensions",
                Some("DeviceTvmBrowserExtensions")
            ),
            ("`FileProfile`", Some("FileProfile"))
        ]
    );
}

#[test]
fn versions() {
    for (said, normal) in [
        ("1.4", Some("1.4.0")),
        ("1", Some("1.0.0")),
        ("v2.0.1", Some("2.0.1")),
        ("1.2.3.0", Some("1.2.3")),
        ("1.2.3.4", None),
        ("01.2", Some("1.2.0")),
        ("1.x", None),
        ("", None),
    ] {
        assert_eq!(build::normal_version(said).as_deref(), normal, "{said}");
    }
}

#[test]
fn a_repository_overrides_a_template() {
    let original = Pack::embedded()
        .text("templates/sentinel/rule.yaml.j2")
        .unwrap()
        .to_owned();
    let path = "templates/sentinel/rule.yaml.j2";
    let build = |text: &str, toml: Option<&str>| {
        let mut files = vec![(path, text)];
        files.extend(toml.map(|toml| ("templates/sentinel/target.toml", toml)));
        let context = context_with(&files);
        with_input(&rule(vec![]), &resolved(), &device_query(), |input| {
            emit(&Sentinel, &context, input)
        })
    };
    let more = build(&format!("{original}tags: [blue]\n"), None);
    assert_eq!(yaml(&more)["tags"], json!(["blue"]));
    assert!(more.diagnostics.is_empty());

    let less = original.replace("severity: {{ rule.severity | yaml_string }}\n", "");
    let emitted = build(&less, None);
    assert_eq!(codes(&emitted), ["template-wrong"]);
    assert_eq!(
        emitted.diagnostics[0].message,
        "templates/sentinel/rule.yaml.j2 does not say what was meant: `severity` is missing"
    );
    assert_eq!(emitted.artifacts.len(), 1, "the ARM form is still made");

    let pack = Pack::embedded();
    let toml = pack.text("templates/sentinel/target.toml").unwrap();
    // The service needs a severity, strict or not; a status it does not.
    let strict = format!("strict = false\n{toml}");
    assert_eq!(codes(&build(&less, Some(&strict))), ["artifact-schema"]);
    let less = original.replace("status: {{ rule.status | yaml_string }}\n", "");
    assert_eq!(codes(&build(&less, None)), ["template-wrong"]);
    assert_eq!(build(&less, Some(&strict)).artifacts.len(), 2);

    let wrong = build(&original.replace("rule.name", "rule.nam"), None);
    assert_eq!(codes(&wrong), ["template-failed"]);
    assert!(
        wrong.diagnostics[0]
            .message
            .starts_with("templates/sentinel/rule.yaml.j2:4: undefined")
    );

    let broken = build(&original, Some("files = 1"));
    assert_eq!(codes(&broken), ["target-config"]);
}

/// Our own content through both forms: reading the YAML back into the shared
/// value gives the same ARM, but for the tactics that only the template lists.
#[test]
fn the_two_forms_agree() {
    let rule = rule(vec![tag("TA0003", "T1053.005"), tag("TA0002", "T1059")]);
    let emitted = build(&rule, &resolved(), &device_query());
    let read: SentinelRule = serde_json::from_value(yaml(&emitted)).unwrap();
    let prepared = Prepared::load(&Pack::embedded()).unwrap();
    let tactics = ["Persistence".to_owned(), "Execution".to_owned()];
    let again = read.arm(&deployment(&prepared, &tactics));
    assert_eq!(again, arm(&emitted)["resources"][0]);
}

fn deployment<'a>(prepared: &'a Prepared, tactics: &'a [String]) -> Deployment<'a> {
    Deployment {
        facts: &prepared.facts,
        api_version: &prepared.config.own.arm.api_version,
        api_version_preview: &prepared.config.own.arm.api_version_preview,
        attack: &prepared.attack,
        tactics,
        enabled: true,
    }
}

/// Pairs of YAML and ARM that a public converter is tested with.
#[test]
#[allow(clippy::disallowed_methods)] // The pairs stand beside the repository, not in it.
fn converter_pairs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts/sentinel");
    if !folder.is_dir() {
        println!("skipped: the converter pairs are not beside this repository");
        return;
    }
    let prepared = Prepared::load(&Pack::embedded()).unwrap();
    let mut compared = 0;
    for (name, differences) in [
        (
            "NRT",
            vec![
                // The pair's own template is of 2022.
                "apiVersion",
            ],
        ),
        (
            "Scheduled",
            vec![
                "apiVersion",
                // The converter's output names these, its input has neither.
                "properties.techniques",
                "properties.alertRuleTemplateName",
                // Lists that are absent in the input: null there, empty here.
                "properties.incidentConfiguration.groupingConfiguration.groupByAlertDetails",
                "properties.incidentConfiguration.groupingConfiguration.groupByCustomDetails",
                // Not in the input; the default of 1c is 1.0.0.
                "properties.templateVersion",
            ],
        ),
        (
            "TTPWithTacticsNTechniques",
            vec![
                "apiVersion",
                // No properties of the service: the REST specification has neither.
                "properties.status",
                "properties.tags",
            ],
        ),
    ] {
        let read =
            |extension: &str| std::fs::read_to_string(folder.join(format!("{name}.{extension}"))).unwrap();
        let rule: SentinelRule = serde_yaml::from_str(&read("yaml")).unwrap();
        let theirs: Value = serde_json::from_str(&read("json")).unwrap();
        let ours = rule.arm(&deployment(&prepared, &rule.tactics));
        let mut found = Vec::new();
        compare(&theirs["resources"][0], &ours, "", &mut found, &mut compared);
        found.retain(|path| !differences.contains(&path.as_str()));
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
    assert!(compared > 60, "{compared}");
}

/// The paths at which `ours` lacks or changes a value of `theirs`. Null says nothing.
fn compare(theirs: &Value, ours: &Value, path: &str, found: &mut Vec<String>, compared: &mut usize) {
    match (theirs, ours) {
        (Value::Object(map), Value::Object(_)) => {
            for (key, value) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                if !value.is_null() {
                    compare(value, &ours[key], &path, found, compared);
                }
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (i, (item, other)) in items.iter().zip(others).enumerate() {
                compare(item, other, &format!("{path}[{i}]"), found, compared);
            }
        }
        _ => {
            *compared += 1;
            if theirs != ours {
                found.push(path.to_owned());
            }
        }
    }
}
