//! Rules, settings and bound queries for the tests of the targets.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use rulec_facts::Pack;
use rulec_functions::Type;
use rulec_ir::{Column, Query, Rel, RelKind, TableUse};
use rulec_model::{
    AttackTag, Duration, Entity, Origin, Resolved, Rule, RuleKind, RuleQuery, ScheduleKind, Section,
    Severity, Sourced, Status, Suppression, Trigger, TriggerOperator, VersionEntry,
};
use rulec_source::Span;

use crate::{Context, Emitted, Input, Member, Places, Provenance, Target};

/// Text with everything in it that a notation could stumble over.
pub(crate) const HARD: &str =
    "\"quoted\": it's \\ back {{x}} {% y %} #1 \u{1f600} é\n- item\n\tyes\n\u{85}\u{2028}|";

/// The shipped data; loaded once for all tests.
pub(crate) fn context() -> &'static Context {
    static CONTEXT: LazyLock<Context> = LazyLock::new(|| Context::load(&Pack::embedded()).unwrap());
    &CONTEXT
}

/// A context with files of a repository laid over.
pub(crate) fn context_with(files: &[(&str, &str)]) -> Context {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    Context::load(&Pack::embedded().overlay(files)).unwrap()
}

pub(crate) fn tag(tactic: &str, technique: &str) -> AttackTag {
    let (technique, subtechnique) = match technique.split_once('.') {
        Some((technique, sub)) => (technique, Some(sub.to_owned())),
        None => (technique, None),
    };
    AttackTag {
        tactic_id: Some(tactic.to_owned()),
        technique: (!technique.is_empty()).then(|| technique.to_owned()),
        subtechnique,
        ..AttackTag::default()
    }
}

pub(crate) fn rule(attack: Vec<AttackTag>) -> Rule {
    Rule {
        id: "RL-0001".to_owned(),
        title: "A Title".to_owned(),
        kind: RuleKind::Detection,
        os: Vec::new(),
        fp_rate: None,
        author: None,
        attack,
        data_sources: Vec::new(),
        sections: vec![
            Section {
                key: Some("detection_description".to_owned()),
                heading: "Detection description".to_owned(),
                level: 2,
                text: "What it finds.".to_owned(),
            },
            Section {
                key: Some("response_actions".to_owned()),
                heading: "Response".to_owned(),
                level: 2,
                text: "Look at it.".to_owned(),
            },
        ],
        references: Vec::new(),
        queries: vec![RuleQuery {
            name: None,
            language: None,
            platform: None,
            environment: None,
            text: "DeviceProcessEvents\n| where FileName == 'a'\n".to_owned(),
        }],
        versions: vec![VersionEntry {
            version: "1.4".to_owned(),
            ..VersionEntry::default()
        }],
        settings: rulec_model::Settings::default(),
    }
}

pub(crate) fn said<T>(value: T) -> Sourced<T> {
    Sourced::new(value, Origin::FrontMatter)
}

pub(crate) fn duration(text: &str) -> Duration {
    text.parse().unwrap()
}

pub(crate) fn entity(kind: &str, fields: &[(&str, &str)]) -> Entity {
    Entity {
        kind: kind.to_owned(),
        fields: pairs(fields),
    }
}

pub(crate) fn pairs(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn resolved() -> Resolved {
    Resolved {
        status: said(Status::Stable),
        severity: said(Severity::High),
        targets: said(vec!["sentinel".to_owned(), "defender".to_owned()]),
        kind: said(ScheduleKind::Scheduled),
        frequency: said(duration("1h")),
        period: said(duration("4h")),
        trigger: said(Trigger {
            operator: TriggerOperator::Gt,
            threshold: 0,
        }),
        entities: said(vec![
            entity("Host", &[("HostName", "DeviceName"), ("AzureID", "DeviceId")]),
            entity(
                "Account",
                &[("Name", "AccountName"), ("NTDomain", "AccountDomain")],
            ),
        ]),
        custom_details: said(pairs(&[("Command", "ProcessCommandLine")])),
        alert: None,
        grouping: None,
        suppression: said(Suppression {
            enabled: false,
            duration: duration("1h"),
        }),
    }
}

/// A query over one table with these columns, all of them strings.
pub(crate) fn query(table: &str, columns: &[&str]) -> Query {
    let columns: Arc<[Column]> = columns
        .iter()
        .map(|name| Column {
            name: (*name).into(),
            ty: Type::String,
        })
        .collect();
    Query {
        bindings: Vec::new(),
        root: Some(Rel {
            kind: RelKind::Table {
                name: table.to_owned(),
            },
            columns,
            open: false,
            span: Span::new(0, table.len()),
        }),
        tables: vec![TableUse {
            name: table.to_owned(),
            span: Span::new(0, table.len()),
            known: true,
            optional: false,
        }],
        functions: Vec::new(),
        operators: vec!["where".to_owned()],
    }
}

pub(crate) fn device_query() -> Query {
    query(
        "DeviceProcessEvents",
        &[
            "Timestamp",
            "DeviceId",
            "ReportId",
            "DeviceName",
            "AccountName",
            "AccountDomain",
            "ProcessCommandLine",
            "SHA1",
        ],
    )
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        rulec: "0.1.0".to_owned(),
        document: "rules/execution/RL-0001.md".to_owned(),
        sha256: "ab".repeat(32),
    }
}

/// The places of a rule that is in no document.
pub(crate) const NOWHERE: Places<'static> = Places {
    text: "",
    spans: &BTreeMap::new(),
};

/// Calls `f` with an input made of the parts.
pub(crate) fn with_input<R>(
    rule: &Rule,
    resolved: &Resolved,
    ir: &Query,
    f: impl FnOnce(&Input<'_>) -> R,
) -> R {
    let parsed = rulec_kql::parse(&rule.queries[0].text);
    f(&Input {
        rule,
        resolved,
        query: 0,
        several: rule.queries.len() > 1,
        parsed: &parsed,
        ir,
        provenance: &provenance(),
        places: NOWHERE,
        line: 1,
    })
}

/// The bundles of rules `R-0`, `R-1` and so on, each emitted as one file.
pub(crate) fn bundle_of(target: &dyn Target, kind: &str, files: &[Vec<u8>], wanted: &[&str]) -> Emitted {
    let ids: Vec<String> = (0..files.len()).map(|i| format!("R-{i}")).collect();
    let artifacts: Vec<_> = files
        .iter()
        .map(|bytes| [(kind, "rule.json", bytes.as_slice())])
        .collect();
    let members: Vec<Member<'_>> = ids
        .iter()
        .zip(&artifacts)
        .map(|(rule, artifacts)| Member {
            rule,
            slug: None,
            rulec: "1",
            artifacts,
        })
        .collect();
    target.bundle(context(), &members, wanted)
}
