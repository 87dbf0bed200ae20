//! Long, wide and growing texts against real tables: bound in time that grows
//! with the length and no faster, or refused with one finding.
//!
//! The lengths are such that a step that looks at everything once for each of
//! its parts takes minutes; the time allowed is many times what is needed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, which say what they did"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::analyze::{Analysis, analyze};
use rulec_ir::{Catalog, codes};

/// What one text may take in a debug build on a busy machine.
const ALLOWED: Duration = Duration::from_secs(30);

/// A text of a head, a part for each number, and a tail; `#` stands for the
/// number, `%` for the one before it.
type Text = (&'static str, &'static str, usize, &'static str);

fn write((head, part, count, tail): Text) -> String {
    let mut text = head.to_owned();
    for number in 1..=count {
        let part = part.replace('#', &number.to_string());
        text.push_str(&part.replace('%', &(number - 1).to_string()));
    }
    text + tail
}

/// Analyses on a stack as small as that of a worker thread.
#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn timed(environment: Environment, texts: Vec<String>) -> Vec<Analysis> {
    let work = move || {
        let tables = Tables::new(&Pack::embedded(), environment).unwrap();
        let catalog = Catalog::new(Arc::new(tables));
        let mut answers = Vec::new();
        for text in texts {
            let start = Instant::now();
            answers.push(analyze(&text, &catalog));
            let shown: String = text.chars().take(60).collect();
            println!(
                "{:>8} bytes {:>8.3} s  {shown:?}",
                text.len(),
                start.elapsed().as_secs_f64()
            );
            assert!(start.elapsed() < ALLOWED, "{shown:?} takes {:?}", start.elapsed());
        }
        answers
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work);
    thread.unwrap().join().unwrap()
}

fn all_of(environment: Environment, texts: &[Text]) -> Vec<Analysis> {
    timed(environment, texts.iter().copied().map(write).collect())
}

#[test]
fn long_texts_are_bound() {
    let answers = all_of(
        Environment::M365,
        &[
            (
                "DeviceEvents | where FileName == 'x'",
                " or FileName == 'x#'",
                20_000,
                "",
            ),
            ("DeviceEvents | where FileName in ('x'", ", 'x#'", 100_000, ")"),
            ("DeviceEvents | extend x = 0", ", a# = #", 20_000, ""),
            (
                "DeviceEvents | extend x = 0",
                ", a# = strlen(FileName)",
                10_000,
                "",
            ),
            ("print 0", ", #", 20_000, ""),
            ("DeviceEvents | summarize count()", ", count()", 10_000, ""),
            ("DeviceEvents | project FileName", ", a# = FileName", 20_000, ""),
            ("let a0 = 1;", "let a# = a% + 1;", 5_000, "print a5000"),
            (
                "let a0 = DeviceEvents;",
                "let a# = a% | where FileName != '#';",
                5_000,
                "a5000",
            ),
            ("let f0 = () { 1 };", "let f# = () { 1 };", 5_000, "print f1()"),
            ("let f = (a: long", ", a#: long", 5_000, ") { 1 }; print 1"),
            ("datatable (a: long", ", a#: long", 20_000, ") []"),
            ("datatable (a: long) [1", ", #", 100_000, "]"),
            ("print dynamic([1", ", #", 100_000, "])"),
            (
                "DeviceEvents | parse FileName with * 'x' a",
                " 'x#' a#",
                5_000,
                "",
            ),
            ("print case(true, 1", ", true, #", 10_000, ", 2)"),
            (
                "DeviceEvents | where true",
                " and strlen(FileName) > #",
                10_000,
                "",
            ),
            ("union DeviceInfo", ", DeviceInfo", 3_000, ""),
            ("union (print a = 1)", ", (print a# = #)", 500, ""),
            ("DeviceInfo", "| where DeviceId != '#'", 400, ""),
            ("DeviceInfo", "| join DeviceInfo on DeviceId", 60, ""),
            ("print k = 1, v = 1", "| join (print k = 1, v = 1) on k", 300, ""),
            ("DeviceEvents", "| invoke FileProfile(SHA1)", 60, ""),
        ],
    );
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.semantic_errors, [], "{number}");
        assert!(answer.syntax_errors.is_empty(), "{number}");
        assert!(answer.result_columns.is_some(), "{number}");
    }
}

#[test]
fn a_text_may_be_wrong_in_every_place() {
    let answers = all_of(
        Environment::M365,
        &[
            ("DeviceEvents | where 'é' == 'é'", " or zz# == 1", 10_000, ""),
            ("print f()", ", f#()", 10_000, ""),
            ("U | where true", " and a# == 1", 20_000, ""),
            ("U", "| extend a# = b#", 200, ""),
            ("union U", ", U#", 3_000, ""),
            ("union U", ", (U# | where a# == 1)", 500, ""),
            ("DeviceEvents | extend a = 1", ", a = #", 10_000, ""),
            ("DeviceEvents | project-keep FileName", ", a#*", 10_000, ""),
            (
                "print a = 1",
                ", a# = 1",
                2_000,
                "| project-away *1*, *2*, a*a*a*a*a*a*a*b",
            ),
            ("print x = 1 | project-away x", ", x*x*x*#*", 5_000, ""),
            ("print strcat('a'", ", 'b'", 30_000, ")"),
        ],
    );
    assert_eq!(answers[0].semantic_errors.len(), 10_000);
    assert_eq!(
        answers[2].semantic_errors.len(),
        1,
        "an unknown table is one finding"
    );
}

#[test]
fn hostile_characters_are_read_once() {
    let answers = all_of(
        Environment::None,
        &[
            ("", "“", 100_000, ""),
            ("", "“a ", 100_000, ""),
            ("", "„a ", 100_000, ""),
            ("print 1", ", datetime(2020-01-01)", 50_000, ""),
            ("", "datetime(", 100_000, ""),
            ("'", "\\q", 100_000, "'"),
            ("", "!a", 100_000, ""),
            ("print ", ",", 500_000, ""),
            ("", ";", 200_000, ""),
            ("", "'", 200_001, ""),
            ("", "```a", 100_001, ""),
            ("", "\\", 200_000, ""),
            ("print 1 ", "//c\n", 100_000, ""),
            ("print ", "aaaaaaaaaaaaaaaaaaaa", 50_000, ""),
            ("print '", "aaaaaaaaaaaaaaaaaaaa", 50_000, "'"),
            ("print 1 //", "aaaaaaaaaaaaaaaaaaaa", 50_000, ""),
            ("T ", "|", 20_000, ""),
            ("T ", "| where ", 20_000, "true"),
        ],
    );
    for (number, answer) in answers.iter().enumerate() {
        assert!(answer.syntax_errors.len() <= 1_000, "{number}");
    }
}

#[test]
fn what_grows_beyond_measure_is_refused_once() {
    let answers = all_of(
        Environment::M365,
        &[
            (
                "let f0 = (x: long) { x + 1 };",
                "let f# = (x: long) { f%(x) + f%(x) };",
                60,
                "print f60(1)",
            ),
            (
                "let f0 = (x: long) { x + x };",
                "let f# = (x: long) { f%(f%(x)) };",
                60,
                "print f60(1)",
            ),
            (
                "let f0 = () { DeviceInfo };",
                "let f# = () { union f%(), f%() };",
                60,
                "f60()",
            ),
            (
                "let f0 = () { DeviceInfo };",
                "let f# = () { f%() | join f%() on DeviceId };",
                60,
                "f60()",
            ),
            (
                "let t0 = DeviceInfo;",
                "let t# = t% | join t% on DeviceId;",
                60,
                "t60",
            ),
            (
                "DeviceInfo",
                "| as hint.materialized=true t# | join t# on DeviceId",
                60,
                "",
            ),
            ("DeviceInfo", "| join DeviceInfo on DeviceId", 1_000, ""),
            ("search 'x'", " or 'x#'", 5_000, ""),
            ("DeviceInfo", "| where DeviceId != '#'", 5_000, ""),
            ("DeviceInfo", "| where DeviceId != '#'", 20_000, ""),
            ("DeviceInfo", "| extend a# = #", 5_000, ""),
            ("union (union *)", ", (union *)", 2_000, ""),
        ],
    );
    for (number, answer) in answers.iter().enumerate() {
        let codes: Vec<&str> = answer.semantic_errors.iter().map(|e| e.code).collect();
        assert_eq!(codes, [codes::TOO_LARGE.id], "{number}");
    }
}

#[test]
fn every_table_at_once() {
    let answers = all_of(
        Environment::MergedColumns,
        &[
            ("union *", "", 0, ""),
            ("union (union *), (union *)", "", 0, ""),
            ("union (union (union *), (union *)), (union *)", "", 0, ""),
            (
                "union * | where TenantId == '' | join (union *) on TenantId",
                "",
                0,
                "",
            ),
            ("search 'x' | where TenantId == ''", "| search 'y'", 10, ""),
            ("find where FileName == 'x'", " or FileName == 'x#'", 500, ""),
            (
                "union D*e*v*i*c*e*E*v*e*n*t*s*",
                ", D*e*v*i*c*e*E*v*e*n*t*s*",
                300,
                "",
            ),
        ],
    );
    for (number, answer) in answers.iter().enumerate() {
        assert!(
            answer.result_columns.as_ref().is_some_and(|c| c.len() > 1),
            "{number}"
        );
    }
}
