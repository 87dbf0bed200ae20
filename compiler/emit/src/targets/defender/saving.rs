//! The save-time rules of Defender, one after the other.

use rulec_model::{ScheduleKind, Severity, TriggerOperator};
use serde_json::{Value, json};

use super::*;
use crate::targets::saving::{
    Case, QUERY, Row, Setup, alert, base, cases, placeholders, rows, same, schedule,
};
use crate::targets::testing::*;

fn facts() -> targets::Defender {
    targets::Defender::load(&Pack::embedded()).unwrap()
}

fn near_real_time(setup: &mut Setup) {
    setup.resolved.kind = said(ScheduleKind::Nrt);
}

fn near_real_time_over(setup: &mut Setup, query: &str) {
    near_real_time(setup);
    setup.query(query);
}

fn ids(setup: &mut Setup, id: &str) {
    setup.rule.settings.ids = Some(said(pairs(&[(NAME, id)])));
}

fn details(setup: &mut Setup, count: usize) {
    let keys: Vec<String> = (0..count).map(|index| format!("Key{index}")).collect();
    let all: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "DeviceName")).collect();
    setup.resolved.custom_details = said(pairs(&all));
}

fn account(setup: &mut Setup, fields: &[(&str, &str)]) {
    // A name that the query gives no domain for.
    setup.query(&QUERY.replace(
        "AccountName, AccountDomain",
        "Who = AccountName, Where = AccountDomain",
    ));
    setup.resolved.alert = None;
    setup.resolved.entities = said(vec![
        entity("Host", &[("AzureID", "DeviceId")]),
        entity("Account", fields),
    ]);
}

#[test]
fn each_finding_begins_beyond_its_limit() {
    let fine = same;
    let all = [
        Case {
            code: "defender-id",
            at: |setup| ids(setup, &format!("a{}", "-".repeat(99))),
            beyond: |setup| ids(setup, &format!("a{}", "-".repeat(100))),
        },
        Case {
            code: "defender-id",
            at: |setup| ids(setup, "x4a4364e4-bd26-46f6-a040-ab14860275f8"),
            beyond: |setup| ids(setup, "4a4364e4-bd26-46f6-a040-ab14860275f8"),
        },
        Case {
            code: "defender-name",
            at: fine,
            beyond: |setup| setup.rule.title = " ".to_owned(),
        },
        Case {
            code: "defender-empty-query",
            at: fine,
            beyond: |setup| setup.query("\n"),
        },
        Case {
            code: "defender-trigger",
            at: fine,
            beyond: |setup| setup.resolved.trigger.value.operator = TriggerOperator::Lt,
        },
        Case {
            code: "defender-query",
            at: fine,
            beyond: |setup| setup.query(&format!("let w = _GetWatchlist('x');\n{QUERY}")),
        },
        Case {
            code: "defender-query",
            at: fine,
            beyond: |setup| {
                setup.query(&QUERY.replace("DeviceProcessEvents", "workspace('x').DeviceProcessEvents"));
            },
        },
        Case {
            code: "defender-time-column",
            at: |setup| setup.query(&QUERY.replace("Timestamp, D", "TimeGenerated = Timestamp, D")),
            beyond: |setup| setup.query(&QUERY.replace("Timestamp, D", "Time = Timestamp, D")),
        },
        Case {
            code: "defender-columns",
            at: fine,
            beyond: |setup| setup.query(&QUERY.replace("ReportId, ", "")),
        },
        Case {
            code: "defender-columns",
            at: fine,
            beyond: |setup| setup.query(&QUERY.replace("DeviceId, ", "")),
        },
        Case {
            code: "defender-frequency",
            at: |setup| schedule(setup, "5m", "1h"),
            beyond: |setup| schedule(setup, "5m", "59m"),
        },
        Case {
            code: "defender-lookback",
            at: |setup| schedule(setup, "1h", "4h"),
            beyond: |setup| schedule(setup, "1h", "5h"),
        },
        Case {
            code: "defender-lookback",
            at: |setup| schedule(setup, "1d", "30d"),
            beyond: |setup| schedule(setup, "1d", "721h"),
        },
        Case {
            code: "defender-nrt-several-tables",
            at: near_real_time,
            beyond: |setup| {
                near_real_time_over(
                    setup,
                    &QUERY.replace("Timestamp >", "DeviceId in (DeviceInfo) and Timestamp >"),
                );
            },
        },
        Case {
            code: "defender-nrt-table",
            at: near_real_time,
            beyond: |setup| {
                setup.resolved.entities = said(vec![]);
                setup.resolved.alert = None;
                setup.resolved.custom_details = said(pairs(&[]));
                near_real_time_over(
                    setup,
                    "IdentityInfo | project Timestamp, ReportId, AccountName, AccountDomain",
                );
            },
        },
        Case {
            code: "defender-nrt-operator",
            at: near_real_time,
            beyond: |setup| near_real_time_over(setup, &format!("union ({QUERY})")),
        },
        Case {
            code: "defender-nrt-operator",
            at: near_real_time,
            beyond: |setup| {
                near_real_time_over(
                    setup,
                    &QUERY.replace(
                        "| project",
                        "| join kind=leftanti (DeviceProcessEvents) on DeviceId | project",
                    ),
                );
            },
        },
        Case {
            code: "defender-attack",
            at: |setup| setup.rule.attack = vec![tag("TA0112", "T1685.001")],
            beyond: |setup| setup.rule.attack = vec![tag("TA0002", "T9999")],
        },
        Case {
            code: "defender-entity",
            at: fine,
            beyond: |setup| {
                setup.query("DeviceProcessEvents | project Timestamp, DeviceId = 1, ReportId, FileName");
                setup.resolved.entities = said(vec![entity("File", &[("Name", "FileName")])]);
                setup.resolved.custom_details = said(pairs(&[]));
                setup.resolved.alert = None;
            },
        },
        Case {
            code: "defender-identifiers",
            at: |setup| account(setup, &[("Name", "Who"), ("NTDomain", "Where")]),
            beyond: |setup| {
                account(setup, &[("NTDomain", "Where")]);
                setup.query(&setup.rule.queries[0].text.replace("Who = AccountName, ", ""));
            },
        },
        Case {
            code: "defender-column",
            at: fine,
            beyond: |setup| alert(setup, "{{devicename}}", "x"),
        },
        Case {
            code: "defender-table",
            at: fine,
            beyond: |setup| setup.query(&QUERY.replace("| project", "| where SourceSystem == '' | project")),
        },
        Case {
            code: "defender-detail-count",
            at: |setup| details(setup, facts().custom_details_max),
            beyond: |setup| details(setup, facts().custom_details_max + 1),
        },
        Case {
            code: "defender-alert-text",
            at: |setup| alert(setup, "x", "x"),
            beyond: |setup| alert(setup, "x", " "),
        },
        Case {
            code: "defender-placeholders",
            at: |setup| alert(setup, &placeholders(3), &placeholders(3)),
            beyond: |setup| alert(setup, &placeholders(4), "x"),
        },
        Case {
            code: "defender-placeholders",
            at: |setup| alert(setup, &placeholders(3), &placeholders(3)),
            beyond: |setup| alert(setup, "x", &placeholders(4)),
        },
    ];
    // A document cannot say other words than these; the rows below narrow the lists.
    cases(&Defender, &all, &["defender-status", "defender-severity"]);
}

#[test]
fn each_row_of_the_data_has_an_effect() {
    let often: fn(&mut Setup) = |setup| schedule(setup, "1h", "2h");
    let low: fn(&mut Setup) = |setup| setup.resolved.severity = said(Severity::Low);
    let mail: fn(&mut Setup) = |setup| {
        setup.query("EmailEvents | project Timestamp, RecipientEmailAddress, Subject, ReportId");
        setup.resolved.entities = said(vec![]);
        setup.resolved.alert = None;
        setup.resolved.custom_details = said(pairs(&[]));
    };
    let sentinel: fn(&mut Setup) = |setup| {
        near_real_time_over(setup, "SecurityEvent | project TimeGenerated, Computer, Account");
        setup.resolved.entities = said(vec![entity("Host", &[("HostName", "Computer")])]);
        setup.resolved.alert = None;
        setup.resolved.custom_details = said(pairs(&[]));
    };
    // A table with a DeviceId that is none of devices.
    let evidence: fn(&mut Setup) = |setup| {
        setup.query("AlertEvidence | project Timestamp, AccountSid");
        setup.resolved.entities = said(vec![]);
        setup.resolved.alert = None;
        setup.resolved.custom_details = said(pairs(&[]));
    };
    let at_once: fn(&mut Setup) = near_real_time;
    let all = [
        Row("id_pattern", "'^x'", same, "defender-id"),
        Row("statuses", "[disabled]", same, "defender-status"),
        Row("severities", "[low]", same, "defender-severity"),
        Row("severities", "[high]", low, "defender-severity"),
        Row("tactics", "[Impact]", same, "defender-attack"),
        Row("tactics_max", "0", same, "defender-attack"),
        Row("placeholders_max", "0", same, "defender-placeholders"),
        Row("custom_details_max", "0", same, "defender-detail-count"),
        Row(
            "frequencies",
            "[{every: 3h, iso: PT3H}]",
            often,
            "defender-frequency",
        ),
        Row(
            "lookbacks",
            "[{from: 5m, lookback: 1h}]",
            same,
            "defender-lookback",
        ),
        Row("time_columns", "[Zeit]", same, "defender-time-column"),
        Row("event_columns", "[NetworkMessageId]", mail, "defender-columns"),
        Row("device_tables", "[AlertEvidence]", evidence, "defender-columns"),
        Row("device_columns", "[SHA1]", same, "defender-columns"),
        Row("functions_refused", "[ago]", same, "defender-query"),
        Row("nrt.tables_max", "0", at_once, "defender-nrt-several-tables"),
        Row("nrt.tables", "[DeviceInfo]", at_once, "defender-nrt-table"),
        Row(
            "nrt.operators_refused",
            "[where]",
            at_once,
            "defender-nrt-operator",
        ),
        Row(
            "nrt.sentinel_tables",
            "[AuditLogs]",
            sentinel,
            "defender-nrt-table",
        ),
    ];
    let outside = [
        ("source", "where the data comes from"),
        ("url", "where the body is posted"),
        ("odata_type", "a name of the format"),
        ("alerts_per_run", "of a run, not of what is saved"),
        ("continuous", "a name of the format"),
        (
            "nrt.comments_refused",
            "comments are taken out, see near_real_time",
        ),
        ("actions", "a document cannot ask for actions"),
    ];
    rows(&Defender, &all, &outside);
}

/// A valid body, changed in one place: the JSON Schema refuses it, and so does a
/// finding of ours.
#[test]
fn what_the_schema_refuses_a_finding_explains() {
    let emitted = base().emit(&Defender, context());
    let valid: Value = serde_json::from_slice(&emitted.artifacts[0].bytes).unwrap();
    let schema = "schema/targets/defender-detection.schema.json";
    context().validate(schema, &valid).unwrap();
    let template = "/detectionAction/alertTemplate";
    let many: serde_json::Map<String, Value> = (0..21)
        .map(|index| (format!("K{index}"), json!("DeviceName")))
        .collect();
    let changes = [
        ("/id".to_owned(), json!("1x"), "defender-id"),
        ("/displayName".to_owned(), json!(""), "defender-name"),
        ("/status".to_owned(), json!("on"), "defender-status"),
        (
            "/queryCondition/queryText".to_owned(),
            json!(""),
            "defender-empty-query",
        ),
        (
            format!("{template}/severity"),
            json!("critical"),
            "defender-severity",
        ),
        (format!("{template}/title"), json!(""), "defender-alert-text"),
        (
            format!("{template}/title"),
            json!(placeholders(4)),
            "defender-placeholders",
        ),
        (
            format!("{template}/description"),
            json!(placeholders(4)),
            "defender-placeholders",
        ),
        (
            format!("{template}/customDetails"),
            json!(many),
            "defender-detail-count",
        ),
        (
            format!("{template}/tactics"),
            json!([{"tactic": "Stealth"}]),
            "defender-attack",
        ),
        (
            format!("{template}/tactics"),
            json!([{"tactic": "Impact"}, {"tactic": "Execution"}]),
            "defender-attack",
        ),
    ];
    let prepared = Prepared::load(&Pack::embedded()).unwrap();
    let mut wrong = Vec::new();
    for (pointer, value, code) in changes {
        let mut changed = valid.clone();
        *changed.pointer_mut(&pointer).unwrap() = value;
        if context().validate(schema, &changed).is_ok() {
            wrong.push(format!("{pointer}: the schema takes it"));
        }
        let setup = base();
        let found: Vec<&str> = with_input(&setup.rule, &setup.resolved, &device_query(), |input| {
            let mut findings = Findings::new(input);
            limits::body(&prepared, input, &changed, &mut findings);
            findings.emitted.findings().map(|found| found.code.name).collect()
        });
        if !found.contains(&code) {
            wrong.push(format!("{pointer}: no {code} but {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
