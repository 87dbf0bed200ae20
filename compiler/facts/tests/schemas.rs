//! The JSON schemas of what is emitted: they are schemas, they say what the
//! data files say, they take a good document and refuse each kind of bad one.

// Tests may read the facts that the data is from; helpers of tests may unwrap.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::path::Path;

use rulec_facts::{Pack, entities::Entities, targets};
use serde_json::{Value, json};

const SCHEMAS: [&str; 5] = [
    "sentinel-rule",
    "sentinel-arm",
    "defender-detection",
    "sigma-rule",
    "sigma-correlation",
];

fn schema(name: &str) -> Value {
    targets::schema(&Pack::embedded(), name).unwrap()
}

/// The places in a document that a schema objects to; none when it is fine.
fn objections(name: &str, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema(name)).unwrap();
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Asserts that a good document passes and that each change to it is refused.
fn refuses(name: &str, good: &Value, changes: &[(&str, Value)]) {
    assert_eq!(objections(name, good), [""; 0], "{name}");
    for (place, value) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value.clone();
        assert!(
            !objections(name, &bad).is_empty(),
            "{name} takes {value} at {place}"
        );
    }
}

fn sentinel_rule() -> Value {
    json!({
        "id": "6bb8e22c-4a5f-4d27-8a26-b60a7952d5af",
        "kind": "Scheduled",
        "name": "Name",
        "description": "Text",
        "severity": "High",
        "requiredDataConnectors": [{"connectorId": "AWS", "dataTypes": ["AWSCloudTrail"]}],
        "queryFrequency": "1h",
        "queryPeriod": "2h",
        "triggerOperator": "gt",
        "triggerThreshold": 0,
        "tactics": ["DefenseEvasion"],
        "relevantTechniques": ["T1562.007"],
        "query": "AWSCloudTrail",
        "entityMappings": [
            {"entityType": "IP", "fieldMappings": [{"identifier": "Address", "columnName": "SourceIpAddress"}]},
        ],
        "customDetails": {"Event": "EventName"},
        "alertDetailsOverride": {"alertDisplayNameFormat": "{{A}} {{B}} {{C}}"},
        "version": "1.3.0"
    })
}

#[test]
fn they_are_schemas() {
    for name in SCHEMAS {
        let schema = schema(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert!(
            schema["$comment"].is_string(),
            "{name} says where its facts are from"
        );
    }
    let tables: Value = serde_json::from_str(
        Pack::embedded()
            .require("schema/tables/tables.schema.json")
            .unwrap(),
    )
    .unwrap();
    assert!(jsonschema::meta::is_valid(&tables));
}

#[test]
fn the_shipped_tables_fit_their_schema() {
    let pack = Pack::embedded();
    let schema: Value =
        serde_json::from_str(pack.require("schema/tables/tables.schema.json").unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let file: Value = serde_yaml::from_str(pack.require("schema/tables/functions.yaml").unwrap()).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&file)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn they_say_what_the_data_files_say() {
    let pack = Pack::embedded();
    let sentinel = targets::Sentinel::load(&pack).unwrap();
    let rule = schema("sentinel-rule");
    assert_eq!(
        rule["properties"]["tactics"]["items"]["enum"],
        json!(sentinel.tactics)
    );
    assert_eq!(rule["properties"]["severity"]["enum"], json!(sentinel.severities));
    assert_eq!(
        rule["properties"]["query"]["maxLength"],
        json!(sentinel.query_max)
    );
    assert_eq!(
        rule["properties"]["query"]["not"]["pattern"],
        json!(sentinel.query_refused.join("|"))
    );
    assert_eq!(
        rule["properties"]["entityMappings"]["maxItems"],
        json!(sentinel.entity_mappings_max)
    );
    let details = &rule["properties"]["customDetails"];
    assert_eq!(details["maxProperties"], json!(sentinel.custom_details.max));
    assert_eq!(
        details["propertyNames"]["maxLength"],
        json!(sentinel.custom_details.key_max)
    );
    let arm = schema("sentinel-arm");
    let versions = [&sentinel.arm.api_version, &sentinel.arm.api_version_preview];
    assert_eq!(arm["properties"]["apiVersion"]["enum"], json!(versions));

    let entities = Entities::load(&pack).unwrap();
    let types: Vec<&str> = entities.sentinel_types().map(|(name, _)| name).collect();
    let mappings = &rule["properties"]["entityMappings"]["items"];
    assert_eq!(mappings["properties"]["entityType"]["enum"], json!(types));
    for (place, (name, entity)) in entities.sentinel_types().enumerate() {
        let branch = &mappings["allOf"][place];
        assert_eq!(branch["if"]["properties"]["entityType"]["const"], json!(name));
        let fields = &branch["then"]["properties"]["fieldMappings"];
        assert_eq!(
            fields["items"]["properties"]["identifier"]["enum"],
            json!(entity.identifiers)
        );
    }

    let defender = targets::Defender::load(&pack).unwrap();
    let detection = schema("defender-detection");
    let template = &detection["properties"]["detectionAction"]["properties"]["alertTemplate"]["properties"];
    assert_eq!(
        template["tactics"]["items"]["properties"]["tactic"]["enum"],
        json!(defender.tactics)
    );
    assert_eq!(
        template["customDetails"]["maxProperties"],
        json!(defender.custom_details_max)
    );
    assert_eq!(
        detection["properties"]["id"]["pattern"],
        json!(defender.id_pattern)
    );
    let lists = template["entityMappings"]["properties"].as_object().unwrap();
    assert_eq!(lists.len(), entities.defender_lists().count());
    for (name, list) in entities.defender_lists() {
        let columns: Vec<String> = list
            .properties
            .iter()
            .map(|property| format!("{property}Column"))
            .collect();
        let known: Vec<&String> = lists[name]["items"]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(json!(known), json!(columns), "{name}");
    }
    let actions = &detection["properties"]["detectionAction"]["properties"]["automatedActions"]["properties"];
    assert_eq!(actions.as_object().unwrap().len(), defender.actions.len());

    let sigma = targets::SigmaRules::load(&pack).unwrap();
    let rule = schema("sigma-rule");
    assert_eq!(rule["properties"]["status"]["enum"], json!(sigma.statuses));
    assert_eq!(rule["properties"]["level"]["enum"], json!(sigma.levels));
    assert_eq!(
        rule["properties"]["tags"]["items"]["pattern"],
        json!(sigma.tag_pattern)
    );
    let correlation = schema("sigma-correlation");
    let kinds = &correlation["properties"]["correlation"]["properties"]["type"]["enum"];
    assert_eq!(*kinds, json!(sigma.correlation_types));
}

#[test]
fn sentinel_rules() {
    let good = sentinel_rule();
    refuses(
        "sentinel-rule",
        &good,
        &[
            ("/severity", json!("high")),
            ("/tactics/0", json!("Stealth")),
            ("/queryFrequency", json!("PT1H")),
            ("/triggerThreshold", json!(10001)),
            ("/query", json!("search * | take 1")),
            ("/query", json!("")),
            ("/entityMappings", json!([])),
            ("/entityMappings/0/entityType", json!("Ip")),
            ("/entityMappings/0/fieldMappings/0/identifier", json!("Value")),
            ("/entityMappings/0/fieldMappings/0/columnName", json!("a b")),
            ("/customDetails", json!({"0Event": "EventName"})),
            (
                "/customDetails",
                json!({"AKeyThatIsLongerThanTwenty": "EventName"}),
            ),
            (
                "/alertDetailsOverride/alertDisplayNameFormat",
                json!("{{A}} {{B}} {{C}} {{D}}"),
            ),
            ("/version", json!("1.3")),
            ("/kind", json!("NRT")),
        ],
    );
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("queryPeriod");
    assert!(!objections("sentinel-rule", &without).is_empty());
    let mut hash = good;
    let half =
        json!([{"entityType": "FileHash", "fieldMappings": [{"identifier": "Value", "columnName": "SHA1"}]}]);
    hash["entityMappings"] = half;
    assert!(!objections("sentinel-rule", &hash).is_empty());
}

#[test]
fn sentinel_resources() {
    let good = json!({
        "type": "Microsoft.SecurityInsights/alertRules",
        "name": "[concat('x')]",
        "apiVersion": "2025-07-01-preview",
        "kind": "Scheduled",
        "properties": {
            "displayName": "Name", "enabled": true, "severity": "High", "query": "T",
            "queryFrequency": "PT1H", "queryPeriod": "P1D", "triggerOperator": "GreaterThan",
            "triggerThreshold": 0, "suppressionEnabled": false, "suppressionDuration": "PT1H",
            "tactics": ["Impact"], "techniques": ["T1485"], "subTechniques": ["T1485.001"]
        }
    });
    refuses(
        "sentinel-arm",
        &good,
        &[
            ("/properties/triggerOperator", json!("Equals")),
            ("/properties/queryFrequency", json!("1h")),
            ("/properties/techniques/0", json!("T1485.001")),
            ("/apiVersion", json!("2025-09-01")),
            ("/kind", json!("NRT")),
            ("/properties/query", json!(null)),
        ],
    );
}

#[test]
fn defender_detections() {
    let good = json!({
        "id": "a-rule", "displayName": "Name", "status": "enabled",
        "queryCondition": {"queryText": "DeviceEvents"},
        "schedule": {"frequency": "PT1H"},
        "detectionAction": {
            "alertTemplate": {
                "title": "Title {{DeviceName}}", "severity": "low",
                "tactics": [{"tactic": "DefenseEvasion", "techniques": [{"technique": "T1055"}]}],
                "entityMappings": {"hosts": [{"deviceIdColumn": "DeviceId"}]},
                "customDetails": {"A": "B"}
            },
            "automatedActions": {"isolateDevices": [{"deviceIdColumn": "DeviceId", "isolationType": "full"}]}
        }
    });
    let template = "/detectionAction/alertTemplate";
    refuses(
        "defender-detection",
        &good,
        &[
            ("/id", json!("0xFF-0081")),
            ("/status", json!("on")),
            ("/schedule/frequency", json!("PT2H")),
            (&format!("{template}/severity"), json!("Low")),
            (&format!("{template}/title"), json!("{{A}}{{B}}{{C}}{{D}}")),
            (&format!("{template}/tactics/0/tactic"), json!("Stealth")),
            (
                &format!("{template}/tactics/0/techniques/0/technique"),
                json!("T1055.001"),
            ),
            (
                &format!("{template}/entityMappings"),
                json!({"files": [{"sha1Column": "SHA1"}]}),
            ),
            (
                &format!("{template}/entityMappings/hosts/0"),
                json!({"ntDomainColumn": "A"}),
            ),
            (&format!("{template}/entityMappings"), json!({"hosts": []})),
        ],
    );
}

#[test]
fn sigma_rules() {
    let good = json!({
        "title": "Title", "id": "6bb8e22c-4a5f-4d27-8a26-b60a7952d5af", "status": "experimental",
        "date": "2025-03-28", "tags": ["attack.t1055.002"],
        "logsource": {"category": "process_creation", "product": "windows"},
        "detection": {"selection": {"Image|endswith": "\\a.exe"}, "keywords": ["a", 1], "condition": "selection"},
        "level": "high"
    });
    refuses(
        "sigma-rule",
        &good,
        &[
            ("/status", json!("new")),
            ("/date", json!("28/03/2025")),
            ("/tags/0", json!("Attack T1055")),
            ("/logsource", json!({})),
            ("/detection", json!({"condition": "selection"})),
            ("/level", json!("High")),
            ("/id", json!("0xFF-0081")),
        ],
    );
    let good = json!({
        "title": "Title",
        "correlation": {
            "type": "value_count", "rules": ["first"], "group-by": ["User"], "timespan": "1h",
            "condition": {"gte": 10, "field": "Computer"}
        }
    });
    refuses(
        "sigma-correlation",
        &good,
        &[
            ("/correlation/type", json!("count")),
            ("/correlation/timespan", json!("1 hour")),
            ("/correlation/condition", json!({"gte": 10})),
            ("/correlation/condition", json!({"field": "A"})),
            ("/correlation/rules", json!([])),
        ],
    );
}

#[test]
fn published_samples_fit() {
    let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts");
    if !facts.is_dir() {
        println!("skipped: there are no facts at ../shared/facts");
        return;
    }
    let text = std::fs::read_to_string(facts.join("defender/detectionRule.sample.json")).unwrap();
    assert_eq!(
        objections("defender-detection", &serde_json::from_str(&text).unwrap()),
        [""; 0]
    );
    let text = std::fs::read_to_string(facts.join("sentinel/NRT.yaml")).unwrap();
    assert_eq!(
        objections("sentinel-rule", &serde_yaml::from_str(&text).unwrap()),
        [""; 0]
    );
}
