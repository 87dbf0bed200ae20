//! The save-time rules of Sentinel, one after the other.

use rulec_model::{ScheduleKind, Sourced};
use serde_json::{Value, json};

use super::rule::SentinelRule;
use super::*;
use crate::targets::saving::{Case, Row, Setup, alert, base, cases, placeholders, rows, same, schedule};
use crate::targets::testing::*;

fn facts() -> targets::Sentinel {
    targets::Sentinel::load(&Pack::embedded()).unwrap()
}

/// A query that returns `columns`, and custom details of all of them.
fn details(setup: &mut Setup, columns: &[String]) {
    let list: Vec<String> = columns
        .iter()
        .map(|name| format!("['{name}'] = DeviceName"))
        .collect();
    setup.query(&format!(
        "DeviceProcessEvents | where FileName == 'a.exe' | project DeviceName, DeviceId, AccountName, AccountDomain, {}",
        list.join(", ")
    ));
    let pairs: Vec<(String, &str)> = columns
        .iter()
        .enumerate()
        .map(|(index, name)| (format!("Key{index}"), name.as_str()))
        .collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, name)| (key.as_str(), *name)).collect();
    setup.resolved.custom_details = said(self::pairs(&pairs));
    setup.resolved.grouping = None;
}

fn one_detail(setup: &mut Setup, key: &str) {
    setup.resolved.custom_details = said(pairs(&[(key, "DeviceName")]));
    setup.resolved.grouping = None;
}

fn hosts(setup: &mut Setup, count: usize) {
    setup.resolved.entities = said(vec![entity("Host", &[("HostName", "DeviceName")]); count]);
}

fn sized(setup: &mut Setup, length: usize) {
    let text = setup.rule.queries[0].text.clone();
    let fill = length - text.len() - 4;
    setup.query(&format!("{text}// {}\n", "x".repeat(fill)));
}

#[test]
fn each_finding_begins_beyond_its_limit() {
    let fine = same;
    let all = [
        Case {
            code: "sentinel-id",
            at: |setup| ids(setup, "44145816-06fe-595f-b0b3-96274736f7a2"),
            beyond: |setup| ids(setup, "44145816-06fe-595f-b0b3"),
        },
        Case {
            code: "sentinel-name",
            at: |setup| setup.rule.title = "\u{e9}".repeat(facts().name_max),
            beyond: |setup| setup.rule.title = "\u{e9}".repeat(facts().name_max + 1),
        },
        Case {
            code: "sentinel-name",
            at: |setup| setup.rule.title = "x".to_owned(),
            beyond: |setup| setup.rule.title = String::new(),
        },
        Case {
            code: "sentinel-description",
            at: |setup| setup.rule.sections[0].text = "x".repeat(facts().description_max),
            beyond: |setup| setup.rule.sections[0].text = "x".repeat(facts().description_max + 1),
        },
        Case {
            code: "sentinel-query-length",
            at: |setup| sized(setup, facts().query_max),
            beyond: |setup| sized(setup, facts().query_max + 1),
        },
        Case {
            code: "sentinel-query",
            at: |setup| setup.query("search in (DeviceEvents, DeviceInfo) 'x' | project DeviceName"),
            beyond: |setup| setup.query("search *\n| project DeviceName"),
        },
        Case {
            code: "sentinel-query",
            at: |setup| setup.query("union DeviceE*, DeviceInfo | project DeviceName"),
            beyond: |setup| setup.query("union  isfuzzy=true // all\n * | project DeviceName"),
        },
        Case {
            code: "sentinel-table",
            at: |setup| setup.query("DeviceInfo | project DeviceName"),
            beyond: |setup| setup.query("DeviceTvmBrowserExtensions | project DeviceName"),
        },
        Case {
            code: "sentinel-frequency",
            at: |setup| schedule(setup, "5m", "1d"),
            beyond: |setup| schedule(setup, "4m", "1d"),
        },
        Case {
            code: "sentinel-frequency",
            at: |setup| schedule(setup, "14d", "14d"),
            beyond: |setup| schedule(setup, "15d", "15d"),
        },
        Case {
            code: "sentinel-frequency",
            at: |setup| schedule(setup, "6m", "1d"),
            beyond: |setup| schedule(setup, "330s", "1d"),
        },
        Case {
            code: "sentinel-period",
            at: |setup| schedule(setup, "5m", "5m"),
            beyond: |setup| schedule(setup, "5m", "4m"),
        },
        Case {
            code: "sentinel-period",
            at: |setup| schedule(setup, "1d", "14d"),
            beyond: |setup| schedule(setup, "1d", "15d"),
        },
        Case {
            code: "sentinel-period-below-frequency",
            at: |setup| schedule(setup, "2h", "2h"),
            beyond: |setup| schedule(setup, "2h", "119m"),
        },
        Case {
            code: "sentinel-long-period",
            at: |setup| schedule(setup, "1h", "2d"),
            beyond: |setup| schedule(setup, "59m", "2d"),
        },
        Case {
            code: "sentinel-long-period",
            at: |setup| schedule(setup, "5m", "47h"),
            beyond: |setup| schedule(setup, "5m", "48h"),
        },
        Case {
            code: "sentinel-trigger-threshold",
            at: |setup| setup.resolved.trigger.value.threshold = 10_000,
            beyond: |setup| setup.resolved.trigger.value.threshold = 10_001,
        },
        Case {
            code: "sentinel-suppression",
            at: |setup| setup.resolved.suppression.value.duration = duration("24h"),
            beyond: |setup| setup.resolved.suppression.value.duration = duration("1441m"),
        },
        Case {
            code: "sentinel-nrt",
            at: |setup| {
                setup.resolved.kind = said(ScheduleKind::Nrt);
                setup.resolved.trigger.value.threshold = 0;
            },
            beyond: |setup| setup.resolved.kind = said(ScheduleKind::Nrt),
        },
        Case {
            code: "sentinel-nrt",
            at: |setup| {
                setup.resolved.kind = said(ScheduleKind::Nrt);
                setup.resolved.trigger.value.threshold = 0;
            },
            beyond: |setup| {
                setup.resolved.kind = said(ScheduleKind::Nrt);
                setup.resolved.trigger.value.threshold = 0;
                setup.rule.settings.schedule = Some(said(rulec_model::Schedule {
                    kind: ScheduleKind::Nrt,
                    frequency: Some(duration("5m")),
                    period: None,
                }));
            },
        },
        Case {
            code: "sentinel-version",
            at: |setup| setup.rule.versions[0].version = "1.2.3".to_owned(),
            beyond: |setup| setup.rule.versions[0].version = "1.2.3.4".to_owned(),
        },
        Case {
            code: "sentinel-version",
            at: |setup| setup.rule.versions[0].version = "1234567890.12345.12".to_owned(),
            beyond: |setup| setup.rule.versions[0].version = "1234567890.12345.1234".to_owned(),
        },
        Case {
            code: "sentinel-attack",
            at: |setup| setup.rule.attack = vec![tag("TA0112", "T1685.001")],
            beyond: |setup| setup.rule.attack = vec![tag("TA0002", "T9999")],
        },
        Case {
            code: "sentinel-entity-count",
            at: |setup| hosts(setup, facts().entity_mappings_max),
            beyond: |setup| hosts(setup, facts().entity_mappings_max + 1),
        },
        Case {
            code: "sentinel-entity-type",
            at: |setup| hosts(setup, 1),
            beyond: |setup| {
                setup.resolved.entities = said(vec![entity("IoTDevice", &[("DeviceId", "DeviceId")])]);
            },
        },
        Case {
            code: "sentinel-identifier-count",
            at: |setup| host(setup, &["HostName", "FullName", "NTDomain"]),
            beyond: |setup| host(setup, &["HostName", "FullName", "NTDomain", "DnsDomain"]),
        },
        Case {
            code: "sentinel-identifier-count",
            at: |setup| host(setup, &["HostName"]),
            beyond: |setup| host(setup, &[]),
        },
        Case {
            code: "sentinel-identifier",
            at: |setup| host(setup, &["HostName"]),
            beyond: |setup| host(setup, &["HostName", "Hostname"]),
        },
        Case {
            code: "sentinel-identifier-missing",
            at: |setup| host(setup, &["NetBiosName", "NTDomain"]),
            beyond: |setup| host(setup, &["NTDomain", "DnsDomain"]),
        },
        Case {
            code: "sentinel-entity-column",
            at: |setup| {
                setup.query("DeviceInfo | project DeviceName, HostCustomEntity = DeviceName");
                setup.resolved.entities = said(vec![entity("Host", &[("FullName", "HostCustomEntity")])]);
            },
            beyond: |setup| setup.query("DeviceInfo | project DeviceName, HostCustomEntity = DeviceName"),
        },
        Case {
            code: "sentinel-column",
            at: fine,
            beyond: |setup| alert(setup, "{{devicename}}", "x"),
        },
        Case {
            code: "sentinel-column-name",
            at: |setup| details(setup, &["x".repeat(facts().custom_details.value_max)]),
            beyond: |setup| details(setup, &["x".repeat(facts().custom_details.value_max + 1)]),
        },
        Case {
            code: "sentinel-column-name",
            at: |setup| details(setup, &["_x1".to_owned()]),
            beyond: |setup| details(setup, &["x-1".to_owned()]),
        },
        Case {
            code: "sentinel-detail-count",
            at: |setup| details(setup, &columns(facts().custom_details.max)),
            beyond: |setup| details(setup, &columns(facts().custom_details.max + 1)),
        },
        Case {
            code: "sentinel-detail-key",
            at: |setup| one_detail(setup, &"k".repeat(facts().custom_details.key_max)),
            beyond: |setup| one_detail(setup, &"k".repeat(facts().custom_details.key_max + 1)),
        },
        Case {
            code: "sentinel-detail-key",
            at: |setup| one_detail(setup, "A_1"),
            beyond: |setup| one_detail(setup, "_A1"),
        },
        Case {
            code: "sentinel-alert-title",
            at: |setup| alert(setup, &"x".repeat(facts().alert_name_format.max), "x"),
            beyond: |setup| alert(setup, &"x".repeat(facts().alert_name_format.max + 1), "x"),
        },
        Case {
            code: "sentinel-alert-description",
            at: |setup| alert(setup, "x", &"x".repeat(facts().alert_description_format.max)),
            beyond: |setup| alert(setup, "x", &"x".repeat(facts().alert_description_format.max + 1)),
        },
        Case {
            code: "sentinel-placeholders",
            at: |setup| alert(setup, &placeholders(3), &placeholders(3)),
            beyond: |setup| alert(setup, &placeholders(4), "x"),
        },
        Case {
            code: "sentinel-placeholders",
            at: |setup| alert(setup, &placeholders(3), &placeholders(3)),
            beyond: |setup| alert(setup, "x", &placeholders(4)),
        },
        Case {
            code: "sentinel-grouping",
            at: |setup| {
                setup
                    .resolved
                    .grouping
                    .as_mut()
                    .unwrap()
                    .value
                    .by_entities
                    .clear();
            },
            beyond: |setup| {
                let grouping = &mut setup.resolved.grouping.as_mut().unwrap().value;
                grouping.by_entities.clear();
                grouping.by_custom_details.clear();
            },
        },
        Case {
            code: "sentinel-grouping-entity",
            at: fine,
            beyond: |setup| group(setup, "IP", "Command"),
        },
        Case {
            code: "sentinel-grouping-detail",
            at: fine,
            beyond: |setup| group(setup, "Host", "command"),
        },
    ];
    // A document cannot say other words than these; the rows below narrow the lists.
    let words = ["sentinel-kind", "sentinel-severity", "sentinel-trigger-operator"];
    cases(&Sentinel, &all, &words);
}

fn ids(setup: &mut Setup, id: &str) {
    setup.rule.settings.ids = Some(said(pairs(&[(NAME, id)])));
}

fn host(setup: &mut Setup, identifiers: &[&str]) {
    let fields: Vec<(&str, &str)> = identifiers.iter().map(|name| (*name, "DeviceName")).collect();
    setup.resolved.entities = said(vec![entity("Host", &fields)]);
}

fn group(setup: &mut Setup, entity: &str, detail: &str) {
    let grouping = &mut setup.resolved.grouping.as_mut().unwrap().value;
    grouping.by_entities = vec![entity.to_owned()];
    grouping.by_custom_details = vec![detail.to_owned()];
}

fn columns(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("Column{index}")).collect()
}

#[test]
fn each_row_of_the_data_has_an_effect() {
    let run_often: fn(&mut Setup) = |setup| schedule(setup, "30m", "1d");
    let look_far: fn(&mut Setup) = |setup| schedule(setup, "1h", "2d");
    let all = [
        Row("kinds", "[NRT]", same, "sentinel-kind"),
        Row("severities", "[Low]", same, "sentinel-severity"),
        Row("statuses", "[Preview]", same, "target-config"),
        Row("aggregation_kinds", "[AlertPerResult]", same, "target-config"),
        Row(
            "trigger_operators",
            "{lt: LessThan}",
            same,
            "sentinel-trigger-operator",
        ),
        Row("trigger_threshold.min", "4", same, "sentinel-trigger-threshold"),
        Row("trigger_threshold.max", "2", same, "sentinel-trigger-threshold"),
        Row("matching_methods", "[AnyAlert]", same, "sentinel-grouping"),
        Row("tactics", "[Impact]", same, "sentinel-attack"),
        Row("name_max", "3", same, "sentinel-name"),
        Row("description_max", "3", same, "sentinel-description"),
        Row("query_max", "30", same, "sentinel-query-length"),
        Row("query_refused", "['where FileName']", same, "sentinel-query"),
        Row("version_pattern", "'^v'", same, "sentinel-version"),
        Row("version_max", "4", same, "sentinel-version"),
        Row("column_pattern", "'^[a-z]+$'", same, "sentinel-column-name"),
        Row("column_max", "9", same, "sentinel-column-name"),
        Row("frequency.min", "2h", same, "sentinel-frequency"),
        Row("frequency.max", "30m", same, "sentinel-frequency"),
        Row("period.min", "2d", same, "sentinel-period"),
        Row("period.max", "3h", same, "sentinel-period"),
        Row("long_period.from", "1d", run_often, "sentinel-long-period"),
        Row("long_period.frequency", "2h", look_far, "sentinel-long-period"),
        Row("suppression_max", "4h", same, "sentinel-suppression"),
        Row("entity_mappings_max", "1", same, "sentinel-entity-count"),
        Row("identifiers_max", "1", same, "sentinel-identifier-count"),
        Row("custom_details.max", "0", same, "sentinel-detail-count"),
        Row("custom_details.key_max", "6", same, "sentinel-detail-key"),
        Row(
            "custom_details.key_pattern",
            "'^[a-z]+$'",
            same,
            "sentinel-detail-key",
        ),
        Row("custom_details.value_max", "17", same, "sentinel-column-name"),
        Row("alert_name_format.max", "16", same, "sentinel-alert-title"),
        Row(
            "alert_name_format.placeholders",
            "0",
            same,
            "sentinel-placeholders",
        ),
        Row(
            "alert_description_format.max",
            "18",
            same,
            "sentinel-alert-description",
        ),
        Row(
            "alert_description_format.placeholders",
            "0",
            same,
            "sentinel-placeholders",
        ),
    ];
    let outside = [
        ("source", "where the data comes from"),
        ("group_by_alert_details", "a document cannot group by them"),
        ("alert_properties", "a document cannot set them"),
        ("custom_details.bytes_max", "of an alert, when it is made"),
        ("custom_details.values_max", "of an alert, when it is made"),
        ("service", "of a workspace, and of alerts when they are made"),
        ("defaults", "what a rule has that says nothing"),
        ("arm", "names of the format"),
        ("connectors", "what fills a table"),
        ("no_connector", "what fills a table"),
    ];
    rows(&Sentinel, &all, &outside);
}

/// A valid template, changed in one place: the JSON Schema refuses it, and so
/// does a finding of ours.
#[test]
fn what_the_schema_refuses_a_finding_explains() {
    let emitted = base().emit(&Sentinel, context());
    let valid: Value = serde_yaml::from_slice(&emitted.artifacts[0].bytes).unwrap();
    let schema = "schema/targets/sentinel-rule.schema.json";
    context().validate(schema, &valid).unwrap();
    let long = |count: usize| json!("x".repeat(count));
    let mapping = json!({"entityType": "Host", "fieldMappings": [{"identifier": "HostName", "columnName": "DeviceName"}]});
    let many: serde_json::Map<String, Value> = (0..21)
        .map(|index| (format!("K{index}"), json!("DeviceName")))
        .collect();
    let changes = [
        ("/name", long(257), "sentinel-name"),
        ("/description", long(5001), "sentinel-description"),
        ("/severity", json!("Critical"), "sentinel-severity"),
        ("/query", long(10_001), "sentinel-query-length"),
        ("/query", json!(""), "sentinel-query-length"),
        ("/queryFrequency", json!("4m"), "sentinel-frequency"),
        ("/queryPeriod", json!("15d"), "sentinel-period"),
        ("/triggerOperator", json!("ge"), "sentinel-trigger-operator"),
        ("/triggerThreshold", json!(10_001), "sentinel-trigger-threshold"),
        (
            "/entityMappings",
            json!(vec![mapping; 11]),
            "sentinel-entity-count",
        ),
        (
            "/entityMappings/0/entityType",
            json!("Hosts"),
            "sentinel-entity-type",
        ),
        (
            "/entityMappings/0/fieldMappings",
            json!([]),
            "sentinel-identifier-count",
        ),
        (
            "/entityMappings/0/fieldMappings/0/identifier",
            json!("Hostname"),
            "sentinel-identifier",
        ),
        ("/customDetails", json!(many), "sentinel-detail-count"),
        (
            "/customDetails",
            json!({"1x": "DeviceName"}),
            "sentinel-detail-key",
        ),
        (
            "/alertDetailsOverride/alertDisplayNameFormat",
            long(257),
            "sentinel-alert-title",
        ),
        (
            "/alertDetailsOverride/alertDescriptionFormat",
            long(5001),
            "sentinel-alert-description",
        ),
        (
            "/alertDetailsOverride/alertDisplayNameFormat",
            json!(placeholders(4)),
            "sentinel-placeholders",
        ),
        (
            "/incidentConfiguration/groupingConfiguration/matchingMethod",
            json!("Some"),
            "sentinel-grouping",
        ),
    ];
    let prepared = Prepared::load(&Pack::embedded()).unwrap();
    let mut wrong = Vec::new();
    for (pointer, value, code) in changes {
        let mut changed = valid.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        // Durations are no enumeration in the schema, and their limits are not in it.
        let timed = pointer.starts_with("/queryF") || pointer.starts_with("/queryP");
        if context().validate(schema, &changed).is_ok() && !timed {
            wrong.push(format!("{pointer}: the schema takes it"));
        }
        let rule: SentinelRule = serde_json::from_value(changed).unwrap();
        let setup = base();
        let ir = device_query();
        let found: Vec<&str> = with_input(&setup.rule, &setup.resolved, &ir, |input| {
            let mut findings = Findings::new(input);
            limits::check(&prepared, input, &rule, &mut findings);
            findings.emitted.findings().map(|found| found.code.name).collect()
        });
        if !found.contains(&code) {
            wrong.push(format!("{pointer}: no {code} but {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What was worked out is nobody's mistake: it is said where the query causes it.
#[test]
fn a_schedule_that_was_worked_out_is_placed_in_the_query() {
    let mut setup = base();
    schedule(&mut setup, "1d", "30d");
    setup.resolved.period = Sourced::new(
        duration("30d"),
        rulec_model::Origin::Derived("the query".to_owned()),
    );
    let emitted = setup.emit(&Sentinel, context());
    let found: Vec<_> = emitted
        .findings()
        .map(|found| {
            (
                found.code.name,
                found.span().map(|span| span.of(crate::targets::saving::QUERY)),
            )
        })
        .collect();
    assert_eq!(found, [("sentinel-period", Some("ago"))]);
}
