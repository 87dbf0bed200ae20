//! `rulec list` and `rulec lint`: what the compiler knows.

use std::fmt::Write as _;

use rulec_facts::tables::Environment;
use rulec_source::Code;
use serde_json::{Value, json};

use crate::{codes, pipeline::Pipeline};

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum What {
    Targets,
    Lints,
    Functions,
    Tables,
}

/// All findings that any stage can report, in order of code.
pub fn codes() -> Vec<Code> {
    let mut all: Vec<Code> = [
        rulec_read::CODES,
        rulec_kql::CODES,
        rulec_ir::CODES,
        rulec_check::CODES,
        rulec_emit::CODES,
        codes::CODES,
    ]
    .concat();
    all.sort_by_key(|code| code.id);
    all
}

/// The list as text or JSON.
pub fn run(pipeline: &Pipeline, what: What, as_json: bool) -> Result<String, String> {
    let rows: Vec<(String, String, Value)> = match what {
        What::Targets => rulec_emit::targets::all()
            .iter()
            .map(|t| {
                (
                    t.name().to_owned(),
                    t.about().to_owned(),
                    json!({ "name": t.name(), "about": t.about() }),
                )
            })
            .collect(),
        What::Lints => codes()
            .iter()
            .map(|c| {
                let row =
                    json!({ "code": c.id, "name": c.name, "severity": c.severity, "summary": c.summary });
                (
                    format!("{} {}", c.id, c.name),
                    format!("{:<8} {}", c.severity.as_str(), c.summary),
                    row,
                )
            })
            .collect(),
        What::Functions => functions(),
        What::Tables => tables(pipeline)?,
    };
    if as_json {
        let rows: Vec<Value> = rows.into_iter().map(|(_, _, row)| row).collect();
        let mut text = serde_json::to_string_pretty(&rows).unwrap_or_default();
        text.push('\n');
        return Ok(text);
    }
    let width = rows
        .iter()
        .map(|(name, ..)| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for (name, about, _) in rows {
        let _ = writeln!(text, "{name:<width$}  {about}");
    }
    Ok(text)
}

fn functions() -> Vec<(String, String, Value)> {
    let scalars = rulec_functions::scalars().map(|f| {
        (
            "scalar",
            f.name,
            f.aliases,
            f.deprecated,
            f.kernel.is_some(),
            f.doc,
        )
    });
    let aggregates = rulec_functions::aggregates().map(|f| {
        (
            "aggregate",
            f.name,
            f.aliases,
            f.deprecated,
            f.new.is_some(),
            f.doc,
        )
    });
    let mut rows: Vec<_> = scalars
        .chain(aggregates)
        .map(|(kind, name, aliases, deprecated, evaluates, doc)| {
            let can = if evaluates {
                "parses, types, evaluates"
            } else {
                "parses, types"
            };
            let row = json!({
                "name": name, "kind": kind, "aliases": aliases, "deprecated": deprecated,
                "parses": true, "types": true, "evaluates": evaluates, "doc": doc,
            });
            (name.to_owned(), format!("{kind:<9} {can:<24} {doc}"), row)
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

fn tables(pipeline: &Pipeline) -> Result<Vec<(String, String, Value)>, String> {
    let mut rows = Vec::new();
    for environment in [Environment::M365, Environment::Sentinel] {
        let catalog = pipeline.catalog(environment).map_err(|e| e.to_string())?;
        for name in catalog.tables().names() {
            let columns = catalog.table(name).map_or(0, |t| t.columns.len());
            let about = format!("{:<9} {columns} columns", environment.name());
            let row = json!({ "name": name, "environment": environment.name(), "columns": columns });
            rows.push((name.to_owned(), about, row));
        }
    }
    Ok(rows)
}

/// The page of one finding, by name or code.
pub fn lint(name: &str) -> Result<String, String> {
    let all = codes();
    let Some(code) = all
        .iter()
        .find(|c| c.name == name || c.id.eq_ignore_ascii_case(name))
    else {
        let close = rulec_facts::close_matches(name, all.iter().map(|c| c.name), 1);
        return Err(match close.first() {
            Some(close) => format!("there is no lint `{name}`; did you mean `{close}`?"),
            None => format!("there is no lint `{name}`; `rulec list lints` shows all"),
        });
    };
    let mut text = format!(
        "{} {} ({})\n\n{}\n",
        code.id,
        code.name,
        code.severity.as_str(),
        code.summary
    );
    if let Some(page) = rulec_check::page(code.name) {
        text.push('\n');
        text.push_str(page);
        if !page.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}
