//! What conditions say of the rows that come to them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use rulec_facts::tables::Environment;
use rulec_functions::text;
use rulec_runtime::{Context, InMemory};

/// Each condition as its text and what it said, an asterisk behind constants.
fn covered(query: &str) -> Vec<String> {
    let lowered = common::bind(query, Environment::Docs).unwrap();
    let tables = InMemory::new();
    let context = Context::new(text::parse_datetime(common::NOW).unwrap(), &tables);
    let (batch, conditions) = rulec_eval::coverage(&lowered.query, &context).unwrap();
    let plain = rulec_eval::run(&lowered.query, &context).unwrap();
    assert_eq!(common::rows(&batch), common::rows(&plain), "{query}");
    let shown = |c: &rulec_eval::Condition| {
        let star = if c.constant { "*" } else { "" };
        let said = match (c.held, c.failed) {
            (true, true) => "both",
            (true, false) => "true",
            (false, true) => "false",
            (false, false) => "nothing",
        };
        format!("{}: {said}{star}", c.span.of(query))
    };
    conditions.iter().map(shown).collect()
}

#[test]
fn leaves_are_asked_for_every_row_that_comes_in() {
    let query = "datatable(a:long, s:string)[1, 'x', 2, 'y', 3, '']
        | where a > 1 and (s == 'y' or not(a == 2 and isempty(s)))
        | where isnotempty(s)";
    assert_eq!(
        covered(query),
        [
            "a > 1: both",
            "s == 'y': both",
            "a == 2: both",
            "isempty(s): both",
            "isnotempty(s): both"
        ]
    );
}

#[test]
fn every_pipeline_of_the_query_counts() {
    let query = "let unused = range x from 1 to 3 step 1 | where x == 9;
        let f = (n:long) { range x from 1 to 3 step 1 | where x > n };
        let T = f(1) | where x < 3;
        let most = toscalar(range z from 1 to 9 step 1 | where z != 5 | summarize max(z));
        T | join (f(2) | where x != 7) on x
        | where x1 < most or x in ((T | where x > 100 | project x))
        | mv-apply y = dynamic([1, 2]) to typeof(long) on (where y == 2)";
    assert_eq!(
        covered(query),
        [
            // A function called twice has its conditions once.
            "x > n: both",
            "x < 3: both",
            "z != 5: both",
            "x != 7: true",
            "x1 < most: nothing",
            "x in ((T | where x > 100 | project x)): nothing",
            "x > 100: false",
            "y == 2: nothing"
        ]
    );
}

#[test]
fn constants_and_windows_and_nulls() {
    let query = "let on = true; let limit = 2 * 3;
        range x from 1 to 4 step 1 | serialize
        | where on and now() > datetime(2020-01-01) and x < limit and prev(x) < 3 and x > toscalar(print 0)";
    assert_eq!(
        covered(query),
        [
            "on: true*",
            "now() > datetime(2020-01-01): true*",
            "x < limit: true",
            // The first row has no previous one: null is not true.
            "prev(x) < 3: both",
            "x > toscalar(print 0): true"
        ]
    );
}
