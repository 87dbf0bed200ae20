//! Tests of the Defender target.

use std::sync::Arc;

use rulec_functions::{Type, Value as Kql};
use rulec_ir::{Column, Expr, ExprKind, ProjectKind, Query, Rel, RelKind};
use rulec_model::{
    AlertText, Duration, Grouping, GroupingMatch, Origin, Resolved, Rule, ScheduleKind, Sourced, Trigger,
    TriggerOperator,
};
use rulec_source::Span;
use serde_json::{Value, json};

use super::*;
use crate::targets::testing::*;
use crate::{Effect, emit};

fn build(rule: &Rule, resolved: &Resolved, ir: &Query) -> Emitted {
    with_input(rule, resolved, ir, |input| emit(&Defender, context(), input))
}

fn body(emitted: &Emitted) -> Value {
    assert_eq!(emitted.artifacts.len(), 1, "{:?}", emitted.diagnostics);
    serde_json::from_slice(&emitted.artifacts[0].bytes).unwrap()
}

fn lost(emitted: &Emitted) -> Vec<(&str, Effect)> {
    emitted
        .losses
        .iter()
        .map(|loss| (loss.construct.as_str(), loss.effect))
        .collect()
}

/// The messages of a rule that has to be refused.
fn refused(rule: &Rule, resolved: &Resolved, ir: &Query) -> Vec<String> {
    let emitted = build(rule, resolved, ir);
    assert!(emitted.artifacts.is_empty() && emitted.is_rejected());
    emitted.diagnostics.iter().map(|d| d.message.clone()).collect()
}

#[test]
fn a_detection() {
    let mut rule = rule(vec![
        tag("TA0112", "T1685.001"),
        tag("TA0005", "T1055.002"),
        tag("TA0004", "T1055"),
        tag("TA0003", "T1136"),
    ]);
    rule.queries[0].text = "DeviceProcessEvents\n| where FileName has 'a\\\\b<>&'\n".to_owned();
    let emitted = build(&rule, &resolved(), &device_query());
    assert_eq!(emitted.artifacts[0].path, "defender/RL-0001.json");
    let body = body(&emitted);
    assert_eq!(body["id"], "RL-0001");
    assert_eq!(body["status"], "enabled");
    assert_eq!(body["schedule"], json!({"frequency": "PT1H"}));
    assert_eq!(body["queryCondition"]["queryText"], rule.queries[0].text);
    assert_eq!(
        body["description"],
        format!(
            "What it finds.\n\nMade by rulec 0.1.0 from rules/execution/RL-0001.md (sha256 {})",
            "ab".repeat(32)
        )
    );
    let template = &body["detectionAction"]["alertTemplate"];
    assert_eq!(template["description"], "What it finds.");
    assert_eq!(template["severity"], "high");
    assert_eq!(template["recommendedActions"], "Look at it.");
    assert_eq!(
        template["tactics"],
        json!([{"tactic": "DefenseEvasion", "techniques": [
            {"technique": "T1562", "subTechniques": ["T1562.002"]},
            {"technique": "T1055", "subTechniques": ["T1055.002"]}
        ]}])
    );
    assert_eq!(
        template["entityMappings"],
        json!({
            "accounts": [{"nameColumn": "AccountName", "ntDomainColumn": "AccountDomain"}],
            "hosts": [{"deviceIdColumn": "DeviceId", "nameColumn": "DeviceName"}]
        })
    );
    assert_eq!(
        template["customDetails"],
        json!({"Command": "ProcessCommandLine"})
    );
    assert_eq!(
        lost(&emitted),
        [
            ("tactic PrivilegeEscalation", Effect::Dropped),
            ("tactic Persistence", Effect::Dropped),
            ("technique T1136", Effect::Dropped),
        ]
    );
    assert!(emitted.losses.iter().all(|loss| loss.why.ends_with('.')));
    let text = String::from_utf8(emitted.artifacts[0].bytes.clone()).unwrap();
    assert!(text.contains("a\\\\\\\\b<>&'"), "nothing is escaped for HTML");
}

#[test]
fn hard_text_survives() {
    for text in [HARD, "yes", "1.0", "[x]", "{{", "\u{7f}\0\r\n x"] {
        let mut rule = rule(vec![]);
        rule.title = text.to_owned();
        rule.sections[0].text = format!("a{text}z");
        rule.sections[1].text = format!("b{text}z");
        rule.queries[0].text = format!("print x = 1 // {text}");
        let mut ir = device_query();
        if let Some(root) = &mut ir.root {
            root.open = true;
        }
        let body = body(&build(&rule, &resolved(), &ir));
        let template = &body["detectionAction"]["alertTemplate"];
        assert_eq!(body["displayName"], text);
        assert_eq!(template["title"], text);
        assert_eq!(template["description"], format!("a{text}z"));
        assert_eq!(template["recommendedActions"], format!("b{text}z"));
        assert_eq!(
            body["queryCondition"]["queryText"],
            format!("print x = 1 // {text}")
        );
    }
}

#[test]
fn ids() {
    let prepared = Prepared::load(&Pack::embedded()).unwrap();
    let id = |id: &str, slug| build::id(&prepared, id, slug);
    assert_eq!(id("RL-0001", None), "RL-0001");
    assert_eq!(id("RL-0001", Some("m365")), "RL-0001-m365");
    assert_eq!(id("0xFF-0086", None), "rule-0xFF-0086");
    assert_eq!(
        id("4a4364e4-bd26-46f6-a040-ab14860275f8", None),
        "rule-4a4364e4-bd26-46f6-a040-ab14860275f8"
    );
    assert_ne!(id("a.b", None), id("a b", None));
    for odd in ["", "é", &"x".repeat(300), "../..", "a\nb"] {
        assert!(prepared.id.is_match(&id(odd, None)), "{odd}");
    }
}

#[test]
fn columns_defender_needs() {
    let rule = rule(vec![]);
    let mut resolved = resolved();
    resolved.custom_details = said(pairs(&[]));
    let ir = query(
        "DeviceProcessEvents",
        &["DeviceName", "DeviceId", "AccountName", "AccountDomain"],
    );
    let emitted = build(&rule, &resolved, &ir);
    let messages: Vec<_> = emitted.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "The query does not return Timestamp or TimeGenerated, and Defender needs one of them",
            "The query does not return ReportId, by which Defender finds the event of a result"
        ]
    );
    assert!(
        emitted
            .diagnostics
            .iter()
            .all(|d| d.span().is_some() && d.help.is_some() && d.is_error())
    );

    // A table without ReportId is not asked for it.
    resolved.entities = said(vec![entity("Account", &[("FullName", "User")])]);
    let ir = query("AuditLogs", &["TimeGenerated", "User"]);
    assert_eq!(
        body(&build(&rule, &resolved, &ir))["detectionAction"]["alertTemplate"]["entityMappings"],
        json!({"accounts": [{"upnColumn": "User"}]})
    );
    // An open result may have anything.
    let mut ir = query("Nobody_CL", &[]);
    if let Some(root) = &mut ir.root {
        root.open = true;
    }
    assert_eq!(build(&rule, &resolved, &ir).artifacts.len(), 1);
}

#[test]
fn refused_functions_have_a_place() {
    let mut rule = rule(vec![]);
    let text = "let w = _GetWatchlist('x');\nunion workspace('a').DeviceEvents, DeviceProcessEvents";
    rule.queries[0].text = text.to_owned();
    let emitted = build(&rule, &resolved(), &device_query());
    let found: Vec<_> = emitted
        .losses
        .iter()
        .map(|loss| (loss.construct.as_str(), loss.effect, loss.span.unwrap().of(text)))
        .collect();
    assert_eq!(
        found,
        [
            ("`_GetWatchlist()`", Effect::Rejected, "_GetWatchlist"),
            ("`workspace()`", Effect::Rejected, "workspace")
        ]
    );
}

#[test]
fn schedules() {
    let build_with = |frequency: &str, period: &str| {
        let mut resolved = resolved();
        resolved.frequency = said(duration(frequency));
        resolved.period = said(duration(period));
        let emitted = build(&rule(vec![]), &resolved, &device_query());
        let iso = body(&emitted)["schedule"]["frequency"]
            .as_str()
            .unwrap()
            .to_owned();
        let effects: Vec<Effect> = emitted.losses.iter().map(|loss| loss.effect).collect();
        (iso, effects, emitted.diagnostics.len())
    };
    assert_eq!(build_with("1h", "4h"), ("PT1H".to_owned(), vec![], 0));
    assert_eq!(
        build_with("2h", "4h"),
        ("PT1H".to_owned(), vec![Effect::Dropped], 0)
    );
    assert_eq!(build_with("1d", "30d"), ("P1D".to_owned(), vec![], 0));
    assert_eq!(
        build_with("14d", "14d"),
        ("P1D".to_owned(), vec![Effect::Dropped], 0)
    );
    // Hourly runs of a query over five minutes miss the rest.
    assert_eq!(
        build_with("5m", "5m"),
        ("PT1H".to_owned(), vec![Effect::Narrowed], 1)
    );
    assert_eq!(
        build_with("5m", "1h"),
        ("PT1H".to_owned(), vec![Effect::Dropped], 0)
    );
    assert_eq!(
        build_with("1h", "5h"),
        ("PT1H".to_owned(), vec![Effect::Narrowed], 1)
    );
}

#[test]
fn near_real_time() {
    let mut resolved = resolved();
    resolved.kind = said(ScheduleKind::Nrt);
    let mut rule = rule(vec![]);
    rule.queries[0].text = "// what\nDeviceProcessEvents // all\n| where A == '//'\n".to_owned();
    let emitted = build(&rule, &resolved, &device_query());
    let found = body(&emitted);
    assert_eq!(found["schedule"]["frequency"], "PT0S");
    assert_eq!(
        found["queryCondition"]["queryText"],
        "DeviceProcessEvents\n| where A == '//'\n"
    );
    assert_eq!(lost(&emitted), [("comments", Effect::Dropped)]);

    let mut two = device_query();
    two.tables.push(rulec_ir::TableUse {
        name: "DeviceEvents".to_owned(),
        span: Span::new(8, 27),
        known: true,
        optional: false,
    });
    let emitted = build(&rule, &resolved, &two);
    let found = body(&emitted);
    assert_eq!(found["schedule"]["frequency"], "PT1H");
    assert_eq!(found["queryCondition"]["queryText"], rule.queries[0].text);
    assert_eq!(lost(&emitted), [("near real time", Effect::Dropped)]);
    assert_eq!(emitted.diagnostics[0].code.name, "defender-nrt-several-tables");
    assert!(!emitted.diagnostics[0].is_error());
    assert_eq!(emitted.diagnostics[0].span().unwrap(), Span::new(8, 27));
}

#[test]
fn what_defender_has_no_place_for() {
    let mut resolved = resolved();
    resolved.suppression.value.enabled = true;
    resolved.grouping = Some(said(Grouping {
        matching: GroupingMatch::AllEntities,
        lookback: Duration::from_seconds(3600),
        by_entities: vec![],
        by_custom_details: vec![],
    }));
    resolved.trigger = said(Trigger {
        operator: TriggerOperator::Gt,
        threshold: 9,
    });
    let emitted = build(&rule(vec![]), &resolved, &device_query());
    assert_eq!(
        lost(&emitted),
        [
            ("trigger gt 9", Effect::Widened),
            ("suppression", Effect::Dropped),
            ("grouping", Effect::Dropped)
        ]
    );
    resolved.trigger = said(Trigger {
        operator: TriggerOperator::Lt,
        threshold: 1,
    });
    assert_eq!(refused(&rule(vec![]), &resolved, &device_query()).len(), 1);
}

#[test]
fn texts_are_held_against_limits_and_columns() {
    let mut resolved = resolved();
    resolved.alert = Some(said(AlertText {
        title: Some("{{DeviceName}}{{DeviceId}}{{AccountName}}{{Timestamp}}".to_owned()),
        description: Some("{{devicename}}".to_owned()),
    }));
    resolved.custom_details = said(pairs(&[("A", "Nope")]));
    assert_eq!(
        refused(&rule(vec![]), &resolved, &device_query()),
        [
            "The custom detail A names the column `Nope`, which the query does not return",
            "The alert title has 4 placeholders; Defender takes 3",
            "The alert description names the column `devicename`, which the query does not return",
        ]
    );
}

fn mappings(
    entities: Sourced<Vec<rulec_model::Entity>>,
    ir: &Query,
) -> (Value, Value, Vec<(String, Effect)>) {
    let mut resolved = resolved();
    resolved.entities = entities;
    resolved.custom_details = said(pairs(&[]));
    let emitted = build(&rule(vec![]), &resolved, ir);
    let template = body(&emitted)["detectionAction"]["alertTemplate"].clone();
    let lost = lost(&emitted)
        .into_iter()
        .map(|(what, effect)| (what.to_owned(), effect))
        .collect();
    (
        template["entityMappings"].clone(),
        template["customDetails"].clone(),
        lost,
    )
}

#[test]
fn entities_are_translated_joined_and_completed() {
    let columns = [
        "Timestamp",
        "DeviceId",
        "ReportId",
        "DeviceName",
        "FileName",
        "SHA1",
        "MD5",
        "RegistryKey",
        "RegistryValueName",
        "ProcessCommandLine",
        "AccountSid",
    ];
    let (mapped, details, lost) = mappings(
        said(vec![
            entity("Host", &[("FullName", "DeviceName")]),
            entity("File", &[("Name", "FileName")]),
            entity("FileHash", &[("Algorithm", "FileName"), ("Value", "SHA1")]),
            entity("FileHash", &[("Algorithm", "FileName"), ("Value", "MD5")]),
            entity("RegistryKey", &[("Key", "RegistryKey"), ("Hive", "RegistryKey")]),
            entity("RegistryValue", &[("Name", "RegistryValueName")]),
            entity("Process", &[("CommandLine", "ProcessCommandLine")]),
            entity("Malware", &[("Name", "FileName")]),
            entity("Account", &[("Sid", "AccountSid"), ("PUID", "AccountSid")]),
            entity("MailMessage", &[("Recipient", "DeviceName")]),
        ]),
        &query("DeviceRegistryEvents", &columns),
    );
    assert_eq!(
        mapped,
        json!({
            "accounts": [{"sidColumn": "AccountSid"}],
            "files": [{"nameColumn": "FileName", "sha1Column": "SHA1"}],
            "hosts": [{"deviceIdColumn": "DeviceId", "nameColumn": "DeviceName"}],
            "registryValues": [{"keyColumn": "RegistryKey", "valueNameColumn": "RegistryValueName"}]
        })
    );
    assert_eq!(details, json!({"CommandLine": "ProcessCommandLine"}));
    let names: Vec<&str> = lost.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(
        names,
        [
            "entity FileHash (MD5)",
            "entity RegistryKey (Hive)",
            "entity Process (CommandLine)",
            "entity Malware",
            "entity Account (PUID)",
            "mailMessages (DeviceName)"
        ]
    );
    assert!(lost.iter().all(|(_, effect)| *effect == Effect::Dropped));
}

#[test]
fn a_hash_goes_by_the_constant_beside_it() {
    // extend Algo = "SHA-256", Hash = Computed
    let table = query("DeviceFileEvents", &["Timestamp", "DeviceId", "ReportId", "SHA1"])
        .root
        .unwrap();
    let expr = |kind, ty| Expr {
        kind,
        ty,
        span: Span::default(),
    };
    let mut exprs: Vec<Expr> = (0..4).map(|i| expr(ExprKind::Column(i), Type::String)).collect();
    exprs.push(expr(
        ExprKind::Literal(Kql::String("SHA-256".into())),
        Type::String,
    ));
    exprs.push(expr(ExprKind::Now, Type::DateTime));
    let mut columns: Vec<Column> = table.columns.to_vec();
    for name in ["Algo", "Hash"] {
        columns.push(Column {
            name: name.into(),
            ty: Type::String,
        });
    }
    let mut ir = query("DeviceFileEvents", &[]);
    ir.root = Some(Rel {
        kind: RelKind::Project {
            input: Box::new(table),
            kind: ProjectKind::Extend,
            exprs,
        },
        columns: Arc::from(columns),
        open: false,
        span: Span::new(0, 4),
    });
    let (mapped, _, lost) = mappings(
        said(vec![
            entity("FileHash", &[("Algorithm", "Algo"), ("Value", "Hash")]),
            entity("Host", &[("AzureID", "DeviceId")]),
        ]),
        &ir,
    );
    assert_eq!(
        mapped,
        json!({"files": [{"sha256Column": "Hash"}], "hosts": [{"deviceIdColumn": "DeviceId"}]})
    );
    assert!(lost.is_empty());
}

#[test]
fn entities_nobody_stated_are_inferred_for_defender() {
    let derived = Sourced::new(
        vec![entity("Host", &[("FullName", "DeviceName")])],
        Origin::Derived("from columns".to_owned()),
    );
    let (mapped, _, lost) = mappings(derived, &device_query());
    assert_eq!(
        mapped["hosts"],
        json!([{"deviceIdColumn": "DeviceId", "nameColumn": "DeviceName"}])
    );
    assert_eq!(
        mapped["accounts"],
        json!([{"nameColumn": "AccountName", "ntDomainColumn": "AccountDomain"}])
    );
    assert!(lost.is_empty());

    // What was stated gives no asset: what the columns give is added.
    let (mapped, _, _) = mappings(
        said(vec![entity("URL", &[("Url", "DeviceName")])]),
        &device_query(),
    );
    assert_eq!(mapped["urls"], json!([{"addressColumn": "DeviceName"}]));
    assert!(mapped["hosts"].is_array());
}

#[test]
fn a_rule_without_an_asset_is_refused() {
    let mut resolved = resolved();
    resolved.entities = said(vec![]);
    resolved.custom_details = said(pairs(&[]));
    let ir = query("CloudAppEvents", &["Timestamp", "ReportId", "Application"]);
    let messages = refused(&rule(vec![]), &resolved, &ir);
    assert_eq!(
        messages,
        ["Defender needs an impacted asset, one of accounts, hosts, ips, mailboxes; the rule maps none"]
    );
}

#[test]
fn a_template_cannot_add_what_the_api_refuses() {
    let path = "templates/defender/detection.json.j2";
    let text = Pack::embedded()
        .text(path)
        .unwrap()
        .replacen('{', "{ \"team\": \"blue\",", 1);
    let context = context_with(&[(path, &text)]);
    let emitted = with_input(&rule(vec![]), &resolved(), &device_query(), |input| {
        emit(&Defender, &context, input)
    });
    assert!(emitted.artifacts.is_empty());
    assert_eq!(emitted.diagnostics[0].code.name, "artifact-schema");
}

/// The body against a reconstruction of the API's schema that was made by others.
#[test]
#[allow(clippy::disallowed_methods)] // It stands beside the repository, not in it.
fn reconstructed_schema() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/facts/defender/detectionRule.current.reconstructed.schema.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the reconstructed schema is not beside this repository");
        return;
    };
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let mut resolved = resolved();
    let rule = rule(vec![tag("TA0005", "T1055.002"), tag("TA0002", "T1059")]);
    for kind in [ScheduleKind::Scheduled, ScheduleKind::Nrt] {
        resolved.kind = said(kind);
        let body = body(&build(&rule, &resolved, &device_query()));
        let errors: Vec<String> = validator.iter_errors(&body).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}
