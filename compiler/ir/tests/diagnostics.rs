//! What the binder says about mistakes, and that one mistake gives one finding.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::{Catalog, Lowered, lower};
use rulec_source::Severity;

fn bound(query: &str) -> Lowered {
    let tables = Tables::new(&Pack::embedded(), Environment::M365).unwrap();
    let parsed = rulec_kql::parse(query);
    assert_eq!(parsed.diagnostics, []);
    lower(&parsed, &Catalog::new(Arc::new(tables)))
}

/// Code, message and underlined text of every finding.
fn findings(query: &str) -> Vec<(&'static str, String, String)> {
    bound(query)
        .diagnostics
        .iter()
        .map(|d| {
            (
                d.code.id,
                d.message.clone(),
                d.span().unwrap().of(query).to_owned(),
            )
        })
        .collect()
}

#[test]
fn an_unknown_column_is_named_with_its_neighbours() {
    let lowered = bound("DeviceEvents | where ActionTyp == 'x'");
    let [finding] = lowered.diagnostics.as_slice() else {
        panic!("{:?}", lowered.diagnostics)
    };
    assert_eq!(finding.code.id, "RK201");
    assert_eq!(finding.help.as_deref(), Some("did you mean `ActionType`?"));
    assert_eq!(finding.fix.as_ref().unwrap().edits[0].text, "ActionType");
}

#[test]
fn a_dropped_column_is_traced_to_what_dropped_it() {
    let query = "DeviceEvents | project FileName, SHA1 | where FileName != '' | where DeviceId == 'x'";
    let lowered = bound(query);
    let [finding] = lowered.diagnostics.as_slice() else {
        panic!("{:?}", lowered.diagnostics)
    };
    assert_eq!(finding.labels[0].span.of(query), "DeviceId");
    assert_eq!(finding.labels[1].span.of(query), "project FileName, SHA1");
    assert_eq!(finding.labels[1].text, "`project` does not pass `DeviceId` on");
}

#[test]
fn what_dropped_a_column_says_how_to_keep_it() {
    let help = |query: &str| {
        let lowered = bound(query);
        let [finding] = lowered.diagnostics.as_slice() else {
            panic!("{query}: {:?}", lowered.diagnostics)
        };
        finding.help.clone().unwrap()
    };
    assert_eq!(
        help("DeviceEvents | summarize count() by DeviceId | where SHA1 == ''"),
        "add `SHA1` behind `by`, or keep a value of it with `take_any(SHA1)`"
    );
    assert_eq!(
        help("DeviceEvents | project-rename Host = DeviceName | where DeviceName == ''"),
        "it is called `Host` behind the `project-rename`"
    );
    assert_eq!(
        help("DeviceEvents | project-away SHA1 | where SHA1 == ''"),
        "take `SHA1` out of the `project-away`, or use it in front of it"
    );
    assert_eq!(
        help("DeviceProcessEvents | project FileName | where ProcesCommandLine == ''"),
        "did you mean `ProcessCommandLine`? add `ProcessCommandLine` to the `project`, or use it in front of it"
    );
}

#[test]
fn an_assignment_in_a_condition_is_meant_as_a_comparison() {
    let query = "DeviceEvents | where ProcessId= 4";
    let lowered = bound(query);
    let [finding] = lowered.diagnostics.as_slice() else {
        panic!("{:?}", lowered.diagnostics)
    };
    let edit = &finding.fix.as_ref().unwrap().edits[0];
    let mut fixed = query.to_owned();
    fixed.replace_range(edit.span.range(), &edit.text);
    assert_eq!(fixed, "DeviceEvents | where ProcessId == 4");
}

#[test]
fn behind_a_table_in_a_list_nothing_more_is_reported() {
    // Two queries with no semicolon between them: the list reads on.
    let query =
        "DeviceEvents\n| project FileName\n\nDeviceInfo\n| where OSPlatform == ''\n| project OSPlatform";
    let parsed = rulec_kql::parse(query);
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
    assert_eq!(codes, ["RK116"]);
    let tables = Tables::new(&Pack::embedded(), Environment::M365).unwrap();
    let lowered = lower(&parsed, &Catalog::new(Arc::new(tables)));
    let codes: Vec<&str> = lowered.diagnostics.iter().map(|d| d.code.id).collect();
    assert_eq!(codes, ["RK206"]);
    // In an indented line a comma is missing.
    let parsed = rulec_kql::parse("DeviceEvents\n| project FileName\n    SHA1\n| where SHA1 == ''");
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
    assert_eq!(codes, ["RK114"]);
}

#[test]
fn a_name_that_is_defined_elsewhere_is_shown_there() {
    let told = |query: &str| {
        let lowered = bound(query);
        let [finding] = lowered.diagnostics.as_slice() else {
            panic!("{query}: {:?}", lowered.diagnostics)
        };
        let label = &finding.labels[1];
        (
            label.span.start as usize,
            label.text.clone(),
            finding.help.clone().unwrap(),
        )
    };
    assert_eq!(
        told("DeviceEvents | extend b = ProcessId, c = b + 1"),
        (
            22,
            "`b` is made here, by the same operator".to_owned(),
            "columns of one operator do not see each other: make it in an `extend` before".to_owned()
        )
    );
    assert_eq!(
        told("let a = b + 1; let b = 2; print a"),
        (
            19,
            "`b` is defined here, further down".to_owned(),
            "move the `let` in front of what uses it".to_owned()
        )
    );
    assert_eq!(
        told("let f = (n: long) { f(n - 1) }; print f(2)"),
        (
            4,
            "this is the definition of `f`".to_owned(),
            "a definition cannot use itself".to_owned()
        )
    );
}

#[test]
fn a_misspelled_aggregate_is_one_mistake() {
    let found = findings("DeviceEvents | summarize dcoun(FileName), make_sett(SHA1) by DeviceId");
    let places: Vec<&str> = found.iter().map(|(.., at)| at.as_str()).collect();
    assert_eq!(places, ["dcoun", "make_sett"]);
}

#[test]
fn errors_do_not_cascade_and_all_are_reported() {
    let found = findings(
        "DeviceEvents | extend x = Nope + 1 | extend y = strcat(x, x.a.b), z = foo(x) | where y has x and Nopes == 1",
    );
    let places: Vec<&str> = found.iter().map(|(.., at)| at.as_str()).collect();
    assert_eq!(places, ["Nope", "foo", "Nopes"]);
}

#[test]
fn an_unknown_table_is_one_warning_and_then_open() {
    let lowered =
        bound("let a = Nowhere_CL | where X == 1; union a, (Nowhere_CL | project Y) | where Z has 'q'");
    let [finding] = lowered.diagnostics.as_slice() else {
        panic!("{:?}", lowered.diagnostics)
    };
    assert_eq!((finding.code.id, finding.severity), ("RK202", Severity::Warning));
    assert!(
        lowered
            .query
            .tables
            .iter()
            .any(|t| t.name == "Nowhere_CL" && !t.known)
    );
}

#[test]
fn types_that_do_not_fit_are_underlined() {
    let found = findings("DeviceEvents | where Timestamp > 5 and strlen(ReportId) > 1");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].0, "RK205");
    assert_eq!(found[0].2, ">");
    assert_eq!(found[1].2, "ReportId");
}

#[test]
fn functions_are_checked_once_and_inlined() {
    let found = findings("let f = (n: long) { DeviceEvents | where Nope == n }; union f(1), f(2)");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].2, "Nope");
    let found = findings("let f = (n: long) { f(n) }; print f(1)");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "RK203");
}

#[test]
fn join_conditions_say_which_side_is_wrong() {
    let found = findings("DeviceEvents | join (DeviceInfo | project DeviceName) on DeviceId");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, "the right side of the join has no column `DeviceId`");
}

#[test]
fn columns_of_open_tables_have_indices() {
    let lowered = bound("Nowhere_CL | where A == 1 | summarize count() by B");
    let dump = rulec_ir::dump(&lowered.query);
    assert!(dump.contains("where A#0 == 1"), "{dump}");
    assert!(dump.contains("by B#1"), "{dump}");
}

#[test]
fn a_column_may_be_named_by_a_string_where_a_function_wants_one() {
    let lowered = bound("DeviceFileEvents | project A = 1, SHA1 | invoke FileProfile('SHA1', 1000)");
    let dump = rulec_ir::dump(&lowered.query);
    assert!(dump.contains("invoke FileProfile(SHA1#1, 1000)"), "{dump}");
}

#[test]
fn what_functions_are_given_stands_in_their_place() {
    let lowered = bound(
        "let limit = 2 * 1h; let recent = (T: (Timestamp: datetime), back: timespan = 1d) { T | where Timestamp > ago(back) }; \
         DeviceEvents | invoke recent(limit) | count",
    );
    assert_eq!(lowered.diagnostics, []);
    let dump = rulec_ir::dump(&lowered.query);
    assert!(dump.contains("Timestamp#0 > (now() - $limit)"), "{dump}");
    let limit = &lowered.query.bindings[0];
    let rulec_ir::BindingKind::Scalar(value) = &limit.kind else {
        panic!("{limit:?}")
    };
    assert!(matches!(
        lowered.query.constant(value),
        Some(rulec_functions::Value::TimeSpan(72_000_000_000))
    ));
}
