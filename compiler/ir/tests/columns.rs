//! Names, types and verdicts for small queries, each with the answer the
//! language gives: `columns.txt` holds a query, then on a line of its own the
//! environment, whether there is an error, and the columns of the result.
//! Where we mean to answer otherwise, a third line says how, and a fourth why.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, TableSchema, Tables};
use rulec_functions::Type;
use rulec_ir::Catalog;
use rulec_ir::analyze::analyze;

const CASES: &str = include_str!("columns.txt");

/// The columns of the table `T`, written `T...` in the answers.
const T: &str = "a:string, b:long, c:datetime, d:dynamic, i:int, r:real, s:string, ts:timespan, g:guid, bo:bool, de:decimal";

fn table(name: &str, columns: &str) -> TableSchema {
    TableSchema {
        name: name.to_owned(),
        columns: columns
            .split(", ")
            .map(|column| {
                let (name, ty) = column.split_once(':').unwrap();
                (name.to_owned(), Type::parse(ty).unwrap())
            })
            .collect(),
        open: false,
    }
}

fn catalog(environment: Environment) -> Catalog {
    Catalog::new(Arc::new(Tables::new(&Pack::embedded(), environment).unwrap()))
        .open(true)
        .with_table(table("T", T))
        .with_table(table("U", "a:string, b:int, x:real, y:string"))
        .with_table(table("V", "a:long, b:long, z:string"))
}

#[test]
fn small_queries_have_the_columns_of_the_language() {
    let catalogs: BTreeMap<&str, Catalog> = [("docs", Environment::Docs), ("m365", Environment::M365)]
        .into_iter()
        .map(|(name, environment)| (name, catalog(environment)))
        .collect();
    let mut lines = CASES.lines().filter(|l| !l.starts_with('#')).peekable();
    let mut wrong = Vec::new();
    let mut count = 0;
    while let (Some(query), Some(answer)) = (lines.next(), lines.next()) {
        count += 1;
        let ours = lines.next_if(|l| l.starts_with("  ours "));
        if ours.is_some() {
            let reason = lines.next().unwrap_or_default();
            assert!(
                reason.starts_with("  because "),
                "{query}: no reason for another answer"
            );
        }
        let (head, columns) = answer
            .trim()
            .split_once(": ")
            .unwrap_or((answer.trim().trim_end_matches(':'), ""));
        let (environment, verdict) = head.split_once(' ').unwrap();
        let theirs = format!("{verdict}: {columns}");
        let expected = ours.map_or(theirs.as_str(), |ours| ours.trim_start_matches("  ours "));
        let query = query.replace("\\n", "\n");
        let analysis = analyze(&query, &catalogs[environment]);
        let verdict = if analysis.semantic_errors.is_empty() {
            "fine"
        } else {
            "error"
        };
        let columns = match &analysis.result_columns {
            None => "none".to_owned(),
            Some(columns) => {
                let columns: Vec<String> = columns.iter().map(|c| format!("{}:{}", c.name, c.kind)).collect();
                columns.join(", ").replace(T, "T...")
            }
        };
        let found = format!("{verdict}: {columns}");
        if found != expected {
            let messages: Vec<&str> = analysis
                .syntax_errors
                .iter()
                .chain(&analysis.semantic_errors)
                .map(|e| e.message.as_str())
                .collect();
            wrong.push(format!(
                "{query}\n  expected {expected}\n  found    {found}\n  {messages:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
