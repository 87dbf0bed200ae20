//! The reference as a process, played by a shell.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::time::Duration;

use rulec_smith::oracle::Oracle;
use serde_json::{Value, json};

/// Answers every line with its `id`, which comes last in a request, and says
/// the operator `query` gave.
const ECHO: &str = r#"sh -c 'while read -r line; do
    id=${line##*\"id\":}; id=${id%\}}
    query=${line#*\"query\":}; query=${query%%,*}
    case $query in *crash*) exit 1;; *sleep*) sleep 60;; esac
    echo "{\"id\":$id,\"operators\":[$query]}"
done'"#;

fn requests(queries: &[&str]) -> Vec<Value> {
    queries.iter().map(|q| json!({ "query": q })).collect()
}

fn operators(oracle: &mut Oracle, queries: &[&str]) -> Vec<String> {
    let answers = oracle.ask(&requests(queries)).unwrap();
    answers
        .iter()
        .map(|a| a.failed.clone().unwrap_or_else(|| a.operators.join(",")))
        .collect()
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let mut oracle = Oracle::new(ECHO, Duration::from_secs(20));
    let names: Vec<String> = (0..50).map(|n| format!("q{n}")).collect();
    let queries: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(operators(&mut oracle, &queries), names);
    assert_eq!(oracle.restarts, 0);
}

#[test]
fn one_that_dies_or_hangs_is_started_anew_and_the_others_are_answered() {
    let mut oracle = Oracle::new(ECHO, Duration::from_secs(2));
    let none = "no answer in time";
    assert_eq!(
        operators(&mut oracle, &["a", "crash", "b", "sleep", "c"]),
        ["a", none, "b", none, "c"]
    );
    assert_eq!(oracle.restarts, 2);
    let mut gone = Oracle::new("false", Duration::from_secs(2));
    assert!(gone.ask(&requests(&["a", "b", "c", "d", "e"])).is_err());
}

#[test]
fn kept_answers_are_not_asked_for_again() {
    let folder = std::env::temp_dir().join(format!("rulec-smith-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("answers");
    let mut oracle = Oracle::new(ECHO, Duration::from_secs(20));
    oracle.keep(&file).unwrap();
    assert_eq!(operators(&mut oracle, &["a", "b"]), ["a", "b"]);
    // Nothing answers any more, but nothing new is asked.
    let mut second = Oracle::new("false", Duration::from_secs(2));
    second.keep(&file).unwrap();
    assert_eq!(operators(&mut second, &["b", "a"]), ["b", "a"]);
    assert_eq!(operators(&mut second, &["c"]), ["no answer in time"]);
    std::fs::remove_dir_all(&folder).unwrap();
}
