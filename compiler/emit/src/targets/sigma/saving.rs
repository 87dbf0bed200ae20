//! The save-time rules of Sigma and `SigmaHQ`, one after the other.

use serde_json::{Value, json};

use super::documents::File;
use super::*;
use crate::targets::saving::{Case, Row, Setup, base, cases, rows, same};
use crate::targets::testing::*;

fn facts() -> SigmaRules {
    SigmaRules::load(&Pack::embedded()).unwrap()
}

fn ids(setup: &mut Setup, id: &str) {
    setup.rule.settings.ids = Some(said(pairs(&[(NAME, id)])));
}

fn dated(setup: &mut Setup, date: &str) {
    setup.rule.versions[0].date = Some(date.to_owned());
}

/// A rule that is a correlation.
fn counted(setup: &mut Setup) {
    setup.query(
        "DeviceProcessEvents | where FileName == 'a.exe' \
         | summarize Count = dcount(ProcessCommandLine) by DeviceName | where Count > 5",
    );
    setup.resolved.entities = said(vec![]);
    setup.resolved.custom_details = said(pairs(&[]));
    setup.resolved.alert = None;
}

#[test]
fn each_finding_begins_beyond_its_limit() {
    let all = [
        Case {
            code: "sigma-id",
            at: |setup| ids(setup, "6e92e923-a4b3-5390-9031-b01088561ba6"),
            beyond: |setup| ids(setup, "6e92e923"),
        },
        Case {
            code: "sigma-title",
            at: |setup| setup.rule.title = "X".repeat(facts().sigmahq.title_max),
            beyond: |setup| setup.rule.title = "X".repeat(facts().sigmahq.title_max + 1),
        },
        Case {
            code: "sigma-description",
            at: |setup| setup.rule.sections[0].text = "x".repeat(facts().description_max),
            beyond: |setup| setup.rule.sections[0].text = "x".repeat(facts().description_max + 1),
        },
        Case {
            code: "sigma-date",
            at: |setup| dated(setup, "2024-02-29"),
            beyond: |setup| dated(setup, "2025-02-29"),
        },
        Case {
            code: "sigma-date",
            at: |setup| dated(setup, ""),
            beyond: |setup| dated(setup, "22.11.2026"),
        },
        Case {
            code: "sigma-attack",
            at: |setup| setup.rule.attack = vec![tag("TA0112", "T1685.001")],
            beyond: |setup| setup.rule.attack = vec![tag("TA0002", "T9999")],
        },
        Case {
            code: "sigma-construct",
            at: counted,
            beyond: |setup| setup.query("DeviceProcessEvents | where strlen(FileName) > 3"),
        },
        Case {
            code: "sigma-field",
            at: same,
            beyond: |setup| setup.query("DeviceProcessEvents | where AppGuardContainerId == 'x'"),
        },
        Case {
            code: "sigma-logsource",
            at: same,
            beyond: |setup| setup.query("DeviceTvmSoftwareInventory | where DeviceName == 'x'"),
        },
    ];
    // A document cannot say other words than these, and what we make of a query
    // keeps to the form; the rows below narrow the lists and forms.
    let made = [
        "sigma-status",
        "sigma-level",
        "sigma-tag",
        "sigma-modifier",
        "sigma-correlation",
        "sigma-file-name",
    ];
    cases(&Sigma, &all, &made);
}

#[test]
fn each_row_of_the_data_has_an_effect() {
    // A count of events looks at no field.
    let events: fn(&mut Setup) = |setup| {
        counted(setup);
        setup.query(
            &setup.rule.queries[0]
                .text
                .replace("dcount(ProcessCommandLine)", "count()"),
        );
    };
    let all = [
        Row("statuses", "[test]", same, "sigma-status"),
        Row("levels", "[low]", same, "sigma-level"),
        Row("title_max", "3", same, "sigma-title"),
        Row("sigmahq.title_max", "3", same, "sigma-title"),
        Row("description_max", "3", same, "sigma-description"),
        Row("tag_pattern", "'^x$'", same, "sigma-tag"),
        Row("modifiers", "[contains]", same, "sigma-modifier"),
        Row("correlation_types", "[temporal]", counted, "sigma-correlation"),
        Row(
            "correlation_types_with_field",
            "[event_count]",
            events,
            "sigma-correlation",
        ),
        Row("correlation_conditions", "[lt]", counted, "sigma-correlation"),
        Row("timespan_units", "[s]", counted, "sigma-correlation"),
        Row("timespan_max", "1", counted, "sigma-correlation"),
        Row("sigmahq.file_max", "12", same, "sigma-file-name"),
        Row("sigmahq.file_pattern", "'^x$'", same, "sigma-file-name"),
    ];
    let outside = [
        ("source", "where the data comes from"),
        ("specification", "which specification the data is of"),
        ("name_max", "names are cut to it, see names_are_cut"),
        ("date_format", "told to who wrote another one"),
        ("sigmahq.title_refused", "taken off titles"),
        ("sigmahq.description_start", "put before descriptions"),
        ("sigmahq.status_of_new", "a convention for who contributes"),
        ("sigmahq.indentation", "of the template"),
        ("sigmahq.filter_prefix", "names that we give"),
        ("sigmahq.optional_filter_prefix", "names that we give"),
        ("sigmahq.selection_prefix", "names that we give"),
    ];
    rows(&Sigma, &all, &outside);
}

/// Valid documents, changed in one place.
#[test]
fn documents_are_held_to_the_data() {
    let document = |setup: Setup| -> Value {
        let emitted = setup.emit(&Sigma, context());
        let text = std::str::from_utf8(&emitted.artifacts[0].bytes).unwrap();
        let format = crate::check::Format::YamlStream;
        crate::check::load(format, text).unwrap().unwrap()[0].clone()
    };
    let rule = document(base());
    let mut correlated = base();
    counted(&mut correlated);
    let correlation = document(correlated);
    let changes = [
        (&rule, "/status", json!("final"), "sigma-status"),
        (&rule, "/level", json!("severe"), "sigma-level"),
        (&rule, "/tags/0", json!("attack"), "sigma-tag"),
        (&rule, "/tags/0", json!("Attack.execution"), "sigma-tag"),
        (
            &correlation,
            "/correlation/type",
            json!("count"),
            "sigma-correlation",
        ),
        (
            &correlation,
            "/correlation/timespan",
            json!("1w"),
            "sigma-correlation",
        ),
        (
            &correlation,
            "/correlation/timespan",
            json!("h"),
            "sigma-correlation",
        ),
        (
            &correlation,
            "/correlation/timespan",
            json!("12345678901h"),
            "sigma-correlation",
        ),
        (
            &correlation,
            "/correlation/condition",
            json!({"gt": 5}),
            "sigma-correlation",
        ),
        (
            &correlation,
            "/correlation/condition",
            json!({"field": "CommandLine", "above": 5}),
            "sigma-correlation",
        ),
        (
            &rule,
            "/detection/selection",
            json!({"Image|endwith": "x"}),
            "sigma-modifier",
        ),
    ];
    let found = |document: &Value, name: &str| -> Vec<&'static str> {
        let prepared = Prepared::load(&Pack::embedded()).unwrap();
        let setup = base();
        let file = File {
            folder: String::new(),
            name: name.to_owned(),
            documents: vec![document.clone()],
        };
        with_input(&setup.rule, &setup.resolved, &device_query(), |input| {
            let mut findings = Findings::new(input);
            limits::check(&prepared, input, &[file], &mut findings);
            findings.emitted.findings().map(|found| found.code.name).collect()
        })
    };
    let name = "proc_creation_win_a_title";
    let mut wrong = Vec::new();
    for (document, pointer, value, code) in changes {
        let schema = match document.get("correlation") {
            Some(_) => "schema/targets/sigma-correlation.schema.json",
            None => "schema/targets/sigma-rule.schema.json",
        };
        context().validate(schema, document).unwrap();
        assert_eq!(found(document, name), Vec::<&str>::new());
        let mut changed = document.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        // The schema knows nothing of modifiers.
        if context().validate(schema, &changed).is_ok() && code != "sigma-modifier" {
            wrong.push(format!("{pointer}: the schema takes it"));
        }
        if !found(&changed, name).contains(&code) {
            wrong.push(format!("{pointer}: no {code}"));
        }
    }
    for other in ["Proc_creation", "short", &"x".repeat(90), "a-b_c_d_e_f"] {
        if !found(&rule, other).contains(&"sigma-file-name") {
            wrong.push(format!("the file {other} is taken"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_are_cut() {
    let mut setup = base();
    counted(&mut setup);
    setup.rule.id = "x".repeat(200);
    let name = |context: &Context| -> usize {
        let emitted = setup.emit(&Sigma, context);
        let text = std::str::from_utf8(&emitted.artifacts[0].bytes)
            .unwrap()
            .to_owned();
        let all = crate::check::load(crate::check::Format::YamlStream, &text)
            .unwrap()
            .unwrap();
        all[1]["name"].as_str().unwrap().chars().count()
    };
    assert!(name(context()) <= facts().name_max);
    let path = "schema/targets/sigma.yaml";
    let text = Pack::embedded()
        .text(path)
        .unwrap()
        .replace("\nname_max: 256", "\nname_max: 20");
    assert!(name(&context_with(&[(path, &text)])) <= 20);
}
