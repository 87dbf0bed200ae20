//! Tests of the Sigma target.

use std::sync::{Arc, LazyLock};

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::Sigma;
use crate::targets::testing::*;
use crate::{Effect, Emitted, emit};

#[test]
fn the_layout_of_a_rule() {
    let rule = json!({
        "title": "A Title", "id": "6e92e923-a4b3-5390-9031-b01088561ba6", "status": "stable",
        "description": "One\nTwo", "references": ["https://example.org/?a=1"], "date": "2026-11-21",
        "tags": ["attack.t1055"],
        "logsource": {"category": "process_creation", "product": "windows"},
        "detection": {
            "selection": {"Image|endswith": r"\it's.exe", "CommandLine|contains|all": ["a", "b"], "Num": 1},
            "selection_x": [{"A": "a", "B": ["", null]}, {"C": "c"}],
            "condition": "all of selection_*"
        },
        "falsepositives": ["Unknown"], "level": "high"
    });
    let variables = json!({ "id": "RL-1", "provenance": provenance(), "rule": rule });
    let text = context()
        .templates
        .render("sigma/rule.yml.j2", &variables)
        .unwrap();
    assert_eq!(
        text,
        r#"# Made by rulec 0.1.0 from rules/execution/RL-0001.md
# sha256 abababababababababababababababababababababababababababababababab
title: A Title
id: 6e92e923-a4b3-5390-9031-b01088561ba6
status: stable
description: |-
    One
    Two
references:
    - "https://example.org/?a=1"
date: 2026-11-21
tags:
    - attack.t1055
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        Image|endswith: '\it''s.exe'
        CommandLine|contains|all:
            - 'a'
            - 'b'
        Num: 1
    selection_x:
        - A: 'a'
          B:
              - ''
              - null
        - C: 'c'
    condition: all of selection_*
falsepositives:
    - Unknown
level: high
"#
    );
}

pub(super) fn bound(text: &str) -> rulec_ir::Query {
    static CATALOG: LazyLock<rulec_ir::Catalog> = LazyLock::new(|| {
        let tables = Tables::new(&Pack::embedded(), Environment::Merged).unwrap();
        rulec_ir::Catalog::new(Arc::new(tables))
    });
    rulec_ir::lower(&rulec_kql::parse(text), &CATALOG).query
}

/// The Sigma form of a query, of a rule for Windows.
pub(super) fn sigma(text: &str) -> Emitted {
    let mut rule = rule(vec![tag("TA0005", "T1562.001")]);
    rule.queries[0].text = text.to_owned();
    let mut resolved = resolved();
    resolved.period = said(duration("2h"));
    let ir = bound(text);
    with_input(&rule, &resolved, &ir, |input| emit(&Sigma, context(), input))
}

pub(super) fn documents(emitted: &Emitted) -> Vec<Value> {
    emitted
        .artifacts
        .iter()
        .flat_map(|artifact| {
            serde_yaml::Deserializer::from_slice(&artifact.bytes)
                .map(|document| Value::deserialize(document).unwrap())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The detection of a query that comes to one rule.
fn detection(text: &str) -> Value {
    let emitted = sigma(text);
    let documents = documents(&emitted);
    assert_eq!(
        documents.len(),
        1,
        "{:?} {:?}",
        emitted.losses,
        emitted.diagnostics
    );
    documents[0]["detection"].clone()
}

/// The detection of conditions on process starts.
fn processes(conditions: &str) -> Value {
    detection(&format!("DeviceProcessEvents | where {conditions}"))
}

/// What keeps a query from Sigma: the construct and where it stands.
fn refused(text: &str) -> (String, String) {
    let emitted = sigma(text);
    assert!(emitted.artifacts.is_empty(), "{text}");
    let losses: Vec<_> = emitted
        .losses
        .iter()
        .filter(|loss| loss.effect == Effect::Rejected)
        .collect();
    assert_eq!(losses.len(), 1, "{text}: {:?}", emitted.losses);
    (
        losses[0].construct.clone(),
        losses[0].span.unwrap().of(text).to_owned(),
    )
}

fn effects(text: &str) -> Vec<(String, Effect)> {
    let emitted = sigma(text);
    emitted
        .losses
        .iter()
        .map(|loss| (loss.construct.clone(), loss.effect))
        .collect()
}

#[test]
fn operators() {
    for (condition, key, value) in [
        ("ProcessCommandLine == 'aB'", "CommandLine|cased", json!("aB")),
        ("ProcessCommandLine =~ 'aB'", "CommandLine", json!("aB")),
        (
            "ProcessCommandLine in~ ('a', 'b')",
            "CommandLine",
            json!(["a", "b"]),
        ),
        ("ProcessCommandLine in ('1', '2')", "CommandLine", json!([1, 2])),
        (
            "ProcessCommandLine contains 'a*b'",
            "CommandLine|contains",
            json!(r"a\*b"),
        ),
        (
            "ProcessCommandLine startswith_cs 'a'",
            "CommandLine|startswith|cased",
            json!("a"),
        ),
        (
            "ProcessCommandLine endswith @'\\'",
            "CommandLine|endswith",
            json!(r"\"),
        ),
        (
            "ProcessCommandLine has 'enc'",
            "CommandLine|re|i",
            json!("(^|[^0-9a-z])enc([^0-9a-z]|$)"),
        ),
        (
            "ProcessCommandLine has_cs '-enc'",
            "CommandLine|re",
            json!("-enc([^0-9A-Za-z]|$)"),
        ),
        (
            "ProcessCommandLine has_any ('a', 'b')",
            "CommandLine|re|i",
            json!("(^|[^0-9a-z])(a|b)([^0-9a-z]|$)"),
        ),
        (
            "ProcessCommandLine matches regex '(?i)a\\\\d'",
            "CommandLine|re|i",
            json!("a[0-9]"),
        ),
        ("isempty(ProcessCommandLine)", "CommandLine", json!(["", null])),
        ("isnull(ProcessId)", "ProcessId", json!(null)),
        ("ProcessId > 5", "ProcessId|gt", json!(5)),
        ("5 > ProcessId", "ProcessId|lt", json!(5)),
        ("not(ProcessId > 5)", "ProcessId|lte", json!(5)),
        ("ProcessId in (4, 8)", "ProcessId", json!([4, 8])),
        ("tolower(ProcessCommandLine) == 'a'", "CommandLine", json!("a")),
        (
            "ProcessCommandLine == strcat('a', 'b')",
            "CommandLine|cased",
            json!("ab"),
        ),
        ("FileName =~ 'a.exe'", "Image|endswith", json!(r"\a.exe")),
        ("FileName endswith '.exe'", "Image|endswith", json!(".exe")),
        ("FileName startswith 'a.'", "Image|re|i", json!(r"\\a\.[^\\]*$")),
        (
            "FileName has 'a'",
            "Image|re|i",
            json!(r"(^|[^0-9a-z])a([^0-9a-z\\][^\\]*)?$"),
        ),
        ("AccountName =~ 'system'", "User|endswith", json!(r"\system")),
        ("SHA256 == 'ABC'", "Hashes|contains", json!("SHA256=ABC")),
        (
            "FolderPath =~ InitiatingProcessFolderPath",
            "Image|fieldref",
            json!("ParentImage"),
        ),
    ] {
        assert_eq!(
            processes(condition),
            json!({"selection": {key: value}, "condition": "selection"}),
            "{condition}"
        );
    }
    assert_eq!(
        detection(
            "DeviceNetworkEvents | where ActionType == 'ConnectionSuccess' | where ipv4_is_in_range(RemoteIP, '10.1.2.3/8')"
        ),
        json!({"selection": {"Initiated": "true", "DestinationIp|cidr": "10.0.0.0/8"}, "condition": "selection"})
    );
    assert_eq!(
        processes("ProcessCommandLine has_all ('a', 'b')")["condition"],
        "all of selection_*"
    );
}

#[test]
fn what_has_no_influence_is_left_out() {
    let plain = processes("ProcessCommandLine contains 'x'");
    for text in [
        "DeviceProcessEvents | where ingestion_time() >= ago(2*1h) | where Timestamp > ago(1h) | where ProcessCommandLine contains 'x'",
        "let w = 'x'; DeviceProcessEvents | extend C = ProcessCommandLine | where C contains w | project C, Timestamp | sort by Timestamp",
        "let T = DeviceProcessEvents | where ActionType == 'ProcessCreated'; T | where ProcessCommandLine contains 'x'",
        "DeviceProcessEvents | where ProcessCommandLine contains 'x' | lookup kind=leftouter (DeviceInfo) on DeviceId",
        "DeviceProcessEvents | where ProcessCommandLine contains 'x' | invoke FileProfile(SHA1, 1000)",
        "DeviceProcessEvents | where ProcessCommandLine contains 'x' | summarize arg_max(Timestamp, *) by DeviceId",
        "DeviceProcessEvents | where ProcessCommandLine contains 'x' and 1 == 1 and isnotnull(FileName)",
    ] {
        assert_eq!(detection(text), plain, "{text}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_with_its_place() {
    for (text, construct, place) in [
        ("T | where a == 1", "`T`", "T"),
        (
            "DeviceProcessEvents | where FileName == 'a' | mv-expand x = parse_json(AdditionalFields)",
            "`mv-expand`",
            "mv-expand x = parse_json(AdditionalFields)",
        ),
        (
            "DeviceProcessEvents | where strlen(ProcessCommandLine) > 5",
            "`strlen`",
            "strlen(ProcessCommandLine)",
        ),
        (
            "DeviceProcessEvents | where LogonId == 5 and AccountDomain == 'x'",
            "`AccountDomain`",
            "AccountDomain",
        ),
        (
            "DeviceProcessEvents | top 5 by Timestamp",
            "`top`",
            "top 5 by Timestamp",
        ),
        (
            "DeviceProcessEvents | invoke FileProfile(SHA1) | where GlobalPrevalence < 5",
            "a column that `FileProfile` adds",
            "GlobalPrevalence",
        ),
        (
            "DeviceProcessEvents | where FileName == 'a' | join kind=leftanti (DeviceFileEvents) on DeviceId",
            "`join kind=leftanti`",
            "join kind=leftanti (DeviceFileEvents) on DeviceId",
        ),
        (
            "DeviceProcessEvents",
            "`DeviceProcessEvents`",
            "DeviceProcessEvents",
        ),
        (
            "union (DeviceProcessEvents | where FileName == 'a'), (DeviceInfo | where DeviceName == 'b')",
            "`DeviceInfo`",
            "DeviceInfo",
        ),
        (
            "DeviceProcessEvents | where FileName == 'a' | summarize n = count() by DeviceName | summarize dcount(DeviceName) by n",
            "a second `summarize`",
            "summarize dcount(DeviceName) by n",
        ),
        (
            "DeviceProcessEvents | where FileName == 'a' | summarize n = count() by DeviceName | where n < 5",
            "a condition on groups",
            "n < 5",
        ),
        (
            "DeviceProcessEvents | where ProcessCommandLine matches regex 'a.*\\\\bb'",
            "`matches regex`",
            "ProcessCommandLine matches regex 'a.*\\\\bb'",
        ),
        (
            "DeviceEvents | where ActionType == 'NoSuchEvent'",
            "`NoSuchEvent`",
            "ActionType == 'NoSuchEvent'",
        ),
        (
            "DeviceProcessEvents | where FileName == toscalar(DeviceInfo | project DeviceName)",
            "`toscalar`",
            "toscalar(DeviceInfo | project DeviceName)",
        ),
        (
            "AuditLogs | where tostring(TargetResources[0].displayName) == 'x'",
            "an index into a list",
            "tostring(TargetResources[0].displayName)",
        ),
    ] {
        let (found, at) = refused(text);
        assert_eq!((found.as_str(), at.as_str()), (construct, place), "{text}");
    }
}

#[test]
fn log_sources_by_event() {
    let sources = |text: &str| -> Vec<String> {
        documents(&sigma(text))
            .iter()
            .map(|document| {
                let name = document["logsource"]["category"].as_str();
                name.or(document["logsource"]["service"].as_str())
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let text =
        "DeviceFileEvents | where ActionType in ('FileCreated', 'FileRenamed') | where FileName == 'a'";
    assert_eq!(sources(text), ["file_event", "file_rename"]);
    assert_eq!(effects(text), []);
    let text = "SecurityEvent | where EventID in (4688, 4624) | where Computer == 'a'";
    assert_eq!(sources(text), ["process_creation", "security"]);
    assert_eq!(
        documents(&sigma(text))[1]["detection"]["selection"],
        json!({"EventID": 4624, "Computer|cased": "a"})
    );
    let text = "DeviceFileEvents | where ActionType == 'FileCreated' and FileName == 'a' or ActionType == 'FileDeleted' and FileName == 'b'";
    let found = documents(&sigma(text));
    assert_eq!(
        found[0]["detection"]["selection"],
        json!({"TargetFilename|endswith|cased": r"\a"})
    );
    assert_eq!(
        found[1]["detection"]["selection"],
        json!({"TargetFilename|endswith|cased": r"\b"})
    );
    assert_eq!(
        found[0]["related"],
        json!([{"id": found[1]["id"], "type": "similar"}])
    );
    assert_ne!(found[0]["title"], found[1]["title"]);
    let text = "DeviceNetworkEvents | where ActionType == 'ConnectionSuccess' | where RemotePort == 4444";
    assert_eq!(effects(text), [("`ActionType`".to_owned(), Effect::Widened)]);
}

#[test]
fn registry_paths() {
    let of = |condition: &str| {
        let text =
            format!("DeviceRegistryEvents | where ActionType == 'RegistryValueSet' | where {condition}");
        detection(&text)["selection"].clone()
    };
    assert_eq!(
        of(r"RegistryKey endswith @'\Run'"),
        json!({"TargetObject|re|i": r"\\Run\\[^\\]*$"})
    );
    assert_eq!(
        of(r"RegistryKey =~ @'HKEY_LOCAL_MACHINE\Software'"),
        json!({"TargetObject|re|i": r"^HKLM\\Software\\[^\\]*$"})
    );
    assert_eq!(
        of("RegistryValueName =~ 'x'"),
        json!({"TargetObject|endswith": r"\x"})
    );
    assert_eq!(
        of("RegistryValueData == '1'"),
        json!({"Details": "DWORD (0x00000001)"})
            .as_object()
            .map(|_| json!({"Details|cased": "DWORD (0x00000001)"}))
            .unwrap()
    );
}

#[test]
fn counts_become_correlations() {
    let text = "SigninLogs | where ResultType == '50126' | summarize n = dcount(UserPrincipalName), count() by IPAddress, bin(TimeGenerated, 30m) | where n >= 10 and IPAddress != '10.0.0.1'";
    let emitted = sigma(text);
    assert_eq!(
        emitted.artifacts[0].path,
        "sigma/rules/cloud/azure/signin_logs/mr_azure_ad_a_title.yml"
    );
    let found = documents(&emitted);
    assert_eq!(
        found[0]["correlation"],
        json!({
            "type": "value_count", "rules": ["rl_0001_base"], "group-by": ["IpAddress"], "timespan": "30m",
            "condition": {"field": "User", "gte": 10}
        })
    );
    assert_eq!(found[1]["name"], "rl_0001_base");
    assert_eq!(
        found[1]["detection"],
        json!({
            "selection": {"ResultType": 50126},
            "filter_main_ip_address": {"IpAddress": "10.0.0.1"},
            "condition": "selection and not 1 of filter_main_*"
        })
    );
    let text = "union (DeviceFileEvents | where ActionType == 'FileDeleted' | where FileName == 'a'), (DeviceProcessEvents | where FileName == 'b') | summarize n = countif(FileName != 'c') by DeviceId | where 5 < n";
    let found = documents(&sigma(text));
    assert_eq!(found.len(), 3);
    assert_eq!(found[0]["correlation"]["type"], "event_count");
    assert_eq!(found[0]["correlation"]["timespan"], "2h");
    assert_eq!(found[0]["correlation"]["condition"], json!({"gt": 5}));
    assert_eq!(found[0]["correlation"]["group-by"], json!(["Computer"]));
    assert_eq!(
        effects(text),
        [
            ("`summarize`".to_owned(), Effect::Widened),
            ("`DeviceId`".to_owned(), Effect::Widened)
        ]
    );
}

#[test]
fn tags_texts_and_settings() {
    let mut rule = rule(vec![tag("TA0005", "T1562.001"), tag("TA0011", "T9999")]);
    rule.title = "Detects a user's shell".to_owned();
    rule.sections[0].text = "Finds shells.".to_owned();
    rule.sections[1] = rulec_model::Section {
        key: Some("false_positives".to_owned()),
        text: "* Some\n  administrators\n* None.\n- Others".to_owned(),
        ..rule.sections[1].clone()
    };
    rule.references = vec![
        "https://attack.mitre.org/x".to_owned(),
        "https://a.example/".to_owned(),
    ];
    for (version, date) in [("1.1", "2026-02-03"), ("1.0", "2026-01-02"), ("0.9", "last year")] {
        rule.versions.push(rulec_model::VersionEntry {
            version: version.to_owned(),
            date: Some(date.to_owned()),
            ..rulec_model::VersionEntry::default()
        });
    }
    let mut resolved = resolved();
    resolved.suppression.value.enabled = true;
    resolved.trigger.value.threshold = 5;
    let ir = bound("DeviceProcessEvents | where FileName == 'a'");
    let emitted = with_input(&rule, &resolved, &ir, |input| emit(&Sigma, context(), input));
    let found = &documents(&emitted)[0];
    assert_eq!(
        emitted.artifacts[0].path,
        "sigma/rules/windows/process_creation/proc_creation_win_a_users_shell.yml"
    );
    assert_eq!(found["title"], "A User's Shell");
    assert_eq!(found["description"], "Detects shells.");
    assert_eq!(
        found["tags"],
        json!(["attack.defense-impairment", "attack.t1685"])
    );
    assert_eq!(found["falsepositives"], json!(["Some administrators", "Others"]));
    assert_eq!(found["references"], json!(["https://a.example/"]));
    assert_eq!(
        (&found["date"], &found["modified"]),
        (&json!("2026-01-02"), &json!("2026-02-03"))
    );
    let effects: Vec<_> = emitted
        .losses
        .iter()
        .map(|loss| (loss.construct.as_str(), loss.effect))
        .collect();
    assert_eq!(
        effects,
        [
            ("date last year", Effect::Dropped),
            ("technique T9999", Effect::Dropped),
            ("suppression", Effect::Dropped),
            ("trigger", Effect::Widened)
        ]
    );
}
