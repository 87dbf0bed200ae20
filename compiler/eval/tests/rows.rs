//! What the rows of functions and plugins say of themselves: that they
//! evaluate, or that running them is an error.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_functions::{Kind, plugins, scalars};
use rulec_ir::{Catalog, lower};

/// Whether a query can be run; it has to bind.
fn runs(query: &str) -> bool {
    let tables = Tables::new(&Pack::embedded(), Environment::None).unwrap();
    let lowered = lower(&rulec_kql::parse(query), &Catalog::new(Arc::new(tables)));
    assert!(
        lowered.diagnostics.iter().all(|d| !d.is_error()),
        "{query}: {:?}",
        lowered.diagnostics
    );
    rulec_eval::unsupported(&lowered.query).is_empty()
}

/// A call of each function that has no kernel.
fn call(name: &str) -> Option<String> {
    let arguments = match name {
        "ago" => "1d",
        "bin_auto" | "next" | "prev" | "row_cumsum" | "row_rank" | "row_rank_dense" | "row_rank_min" => "a",
        "column_ifexists" | "columnifexists" => "'a', 1",
        "column_names_of" => "T",
        "current_principal_is_member_of" | "iscolumnexists" => "'a'",
        "cursor_after" | "cursor_before_or_at" => "''",
        "hash_combine" | "hash_many" => "a, a",
        "row_window_session" => "datetime(2020-01-01), 1h, 1h, true",
        "toscalar" => "print 1",
        "current_cluster_endpoint"
        | "current_cursor"
        | "current_database"
        | "current_node_id"
        | "current_principal"
        | "current_principal_details"
        | "cursor_current"
        | "extent_id"
        | "extent_tags"
        | "extentid"
        | "ingestion_time"
        | "new_guid"
        | "now"
        | "rand"
        | "row_id"
        | "row_number"
        | "rowstore_ordinal_range" => "",
        _ => return None,
    };
    Some(format!("{name}({arguments})"))
}

#[test]
fn functions_without_a_kernel_say_whether_they_run() {
    let mut unknown = Vec::new();
    for row in scalars().filter(|row| row.kernel.is_none()) {
        match call(row.name) {
            Some(call) => {
                let query = format!("let T = print q = 1; print a = 1 | serialize x = {call}");
                assert_eq!(runs(&query), row.evaluates(), "{}", row.name);
            }
            // Not called here: then it must not claim to run.
            None if row.evaluates() => unknown.push(row.name),
            None => assert_ne!(row.kind, Kind::Window, "{}", row.name),
        }
    }
    assert!(
        unknown.is_empty(),
        "{unknown:?} claim to run, and nothing here tries"
    );
}

#[test]
fn plugins_say_whether_they_run() {
    const TABLE: &str = "datatable(t:datetime, u:string, v:long, d:dynamic, a:string) []";
    const SPAN: &str = "datetime(2020-01-01), datetime(2020-01-02), 1h";
    for row in plugins() {
        let arguments = match row.name {
            "active_users_count" => {
                "u, t, datetime(2020-01-01), datetime(2020-01-02), 8h, 1h, 2, 1h".to_owned()
            }
            "activity_counts_metrics" | "activity_metrics" | "new_activity_metrics" => {
                format!("u, t, {SPAN}")
            }
            "activity_engagement" => "u, t, datetime(2020-01-01), datetime(2020-01-02), 1h, 2h".to_owned(),
            "bag_unpack" => "d".to_owned(),
            "dcount_intersect" => "d, d".to_owned(),
            "ipv4_lookup" | "ipv6_lookup" => "(datatable(n:string) []), a, n".to_owned(),
            "narrow" | "schema_merge" => String::new(),
            "pivot" => "u".to_owned(),
            "rolling_percentile" => "v, 95, t, 1h, 2".to_owned(),
            "rows_near" => "v > 1, 1".to_owned(),
            "session_count" | "sliding_window_counts" => {
                "u, t, datetime(2020-01-01), datetime(2020-01-02), 1h, 1h".to_owned()
            }
            _ => {
                assert!(
                    !row.evaluates,
                    "{} claims to run, and nothing here tries",
                    row.name
                );
                continue;
            }
        };
        assert!(
            runs(&format!("{TABLE} | evaluate {}({arguments})", row.name)),
            "{}",
            row.name
        );
        assert!(row.evaluates, "{} runs", row.name);
    }
}
