//! `rulec list` and `rulec lint`: what the compiler knows.

use std::fmt::Write as _;

use rulec_facts::tables::{Environment, Function, FunctionResult};
use rulec_functions::{Kind, Type};
use rulec_ir::Catalog;
use rulec_source::Code;
use serde_json::{Value, json};

use crate::{codes, pages, pipeline::Pipeline};

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
        rulec_emit::BUNDLE_CODES,
        rulec_import::CODES,
        rulec_environment::CODES,
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
        What::Functions => functions(pipeline)?,
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

/// A row of the list of functions.
struct Row<'a> {
    kind: &'static str,
    name: &'a str,
    aliases: &'a [&'a str],
    deprecated: Option<&'a str>,
    evaluates: bool,
    doc: &'a str,
}

fn functions(pipeline: &Pipeline) -> Result<Vec<(String, String, Value)>, String> {
    let scalars = rulec_functions::scalars().map(|f| Row {
        kind: if f.kind == Kind::Window {
            "window"
        } else {
            "scalar"
        },
        name: f.name,
        aliases: f.aliases,
        deprecated: f.deprecated,
        evaluates: f.evaluates(),
        doc: f.doc,
    });
    let aggregates = rulec_functions::aggregates().map(|f| Row {
        kind: "aggregate",
        name: f.name,
        aliases: f.aliases,
        deprecated: f.deprecated,
        evaluates: f.new.is_some(),
        doc: f.doc,
    });
    let plugins = rulec_functions::plugins().map(|f| Row {
        kind: "plugin",
        name: f.name,
        aliases: &[],
        deprecated: None,
        evaluates: f.evaluates,
        doc: f.doc,
    });
    // Those of the platforms and of the repository.
    let catalog = pipeline
        .catalog(Environment::MergedColumns)
        .map_err(|e| e.to_string())?;
    let provided = catalog.tables().functions().map(|f| Row {
        kind: match f.result {
            FunctionResult::Scalar(_) => "scalar",
            FunctionResult::Body(_) => "saved",
            _ => "tabular",
        },
        name: &f.name,
        aliases: &[],
        deprecated: None,
        evaluates: runs(f, catalog),
        doc: &f.doc,
    });
    let mut rows: Vec<_> = scalars
        .chain(aggregates)
        .chain(plugins)
        .chain(provided)
        .map(|row| {
            let can = if row.evaluates {
                "parses, types, evaluates"
            } else {
                "parses, types"
            };
            let json = json!({
                "name": row.name, "kind": row.kind, "aliases": row.aliases, "deprecated": row.deprecated,
                "parses": true, "types": true, "evaluates": row.evaluates, "doc": row.doc,
            });
            (
                row.name.to_owned(),
                format!("{:<9} {can:<24} {}", row.kind, row.doc),
                json,
            )
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(rows)
}

/// Whether a query that calls the function can be run, given its data.
fn runs(function: &Function, catalog: &Catalog) -> bool {
    let arguments: Vec<String> = function
        .parameters
        .iter()
        .filter(|parameter| parameter.default.is_none())
        .map(|parameter| match parameter.kind {
            Type::String => "''".to_owned(),
            ty => format!("{ty}(null)"),
        })
        .collect();
    let call = format!("{}({})", rulec_kql::name(&function.name), arguments.join(", "));
    let query = match function.result {
        FunctionResult::Appends(_) => format!("print x = '' | invoke {call}"),
        FunctionResult::Scalar(_) => format!("print {call}"),
        _ => call,
    };
    let lowered = rulec_ir::lower(&rulec_kql::parse(&query), catalog);
    rulec_eval::unsupported(&lowered.query).is_empty()
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

/// The names of the lints, in the order of their codes.
pub fn lints() -> impl Iterator<Item = &'static str> {
    rulec_check::names()
}

/// docs/lints.md: the pages of all lints, for people who read before they run anything.
pub fn lints_page() -> String {
    let codes: Vec<_> = rulec_check::CODES.iter().collect();
    let mut text = format!(
        "# Lints\n\n\
         <!-- Written by `cargo dev lints` from compiler/check/pages. -->\n\n\
         What `rulec check` says about rules that compile: {} lints. `rulec lint NAME` shows one of these\n\
         pages, `rulec check --fix` makes the repairs that are certain.\n\n\
         How much a lint matters is set in rulec.toml:\n\n\
         ```toml\n[lints]\njoin-without-kind = \"warning\"  # off, note, warning or error\n```\n\n\
         What one document lives with it says itself, until a day and with a reason; in its prose for the\n\
         whole document, in a comment of the query for that line, or for the next one:\n\n\
         ```markdown\n<!-- rulec: allow(missing-section) until 2027-01-31, the response is being written -->\n```\n\n\
         ```kql\n// rulec: allow(join-without-kind) until 2027-01-31, one row a key is what is meant\n```\n\n\
         A suppression that has ended is an error, and one without effect a warning. `--now 2027-02-01` looks at\n\
         them as of a day. What keeps a rule from compiling cannot be suppressed: see [codes.md](codes.md).\n\n\
         | Code | Name | | |\n|---|---|---|---|\n",
        codes.len()
    );
    for code in &codes {
        let _ = writeln!(text, "{}", row(code));
    }
    for code in &codes {
        let page = rulec_check::page(code.name).unwrap_or_default();
        let _ = write!(
            text,
            "\n## {}\n\n{}, {}. {}\n\n{}\n",
            code.name,
            code.id,
            code.severity.as_str(),
            code.summary,
            page.trim_end()
        );
    }
    text
}

/// docs/codes.md: the pages of all findings that are no lints.
pub fn codes_page() -> String {
    let all = codes();
    let others: Vec<(&Code, String)> = all
        .iter()
        .filter(|code| rulec_check::page(code.name).is_none())
        .filter_map(|code| Some((code, page(code)?)))
        .collect();
    let mut text = format!(
        "# Findings\n\n\
         <!-- Written by `cargo dev lints` from the pages of each crate. -->\n\n\
         What rulec says besides its [lints](lints.md): {} findings about documents, queries, targets,\n\
         versions, configuration and files. `rulec lint CODE` shows one of these pages. An error keeps a rule\n\
         from compiling, or a command from doing its work; how much the others matter is set under\n\
         `[lints]` in rulec.toml, by their names.\n\n\
         | Code | Name | | |\n|---|---|---|---|\n",
        others.len()
    );
    for (code, _) in &others {
        let _ = writeln!(text, "{}", row(code));
    }
    for (code, page) in &others {
        let _ = write!(
            text,
            "\n## {}\n\n{}, {}. {}\n\n{}\n",
            code.name,
            code.id,
            code.severity.as_str(),
            code.summary,
            page.trim()
        );
    }
    text
}

/// The row of a finding in the table of its page.
fn row(code: &Code) -> String {
    // Bars would end the cell.
    let summary = code.summary.replace('|', "\\|");
    format!(
        "| {} | [{name}](#{name}) | {} | {summary} |",
        code.id,
        code.severity.as_str(),
        name = code.name
    )
}

/// Why a finding exists and what to do about it, in markdown.
pub fn page(code: &Code) -> Option<String> {
    let lint = rulec_check::page(code.name).map(str::to_owned);
    lint.or_else(|| pages::page(code.id))
}

/// Where the page of a finding can be read, below the address of docs/.
pub fn address(docs: &str, code: &Code) -> Option<String> {
    // An address that is none would make the log invalid.
    let is_address = docs.starts_with("https://") || docs.starts_with("http://");
    let file = if rulec_check::page(code.name).is_some() {
        "lints"
    } else {
        "codes"
    };
    is_address.then(|| format!("{}/{file}.md#{}", docs.trim_end_matches('/'), code.name))
}

/// What a finding is about, in words for a filter.
pub fn tags(code: &Code) -> Vec<&'static str> {
    let about = match code.id.get(..3).unwrap_or_default() {
        "RK1" => "kql-syntax",
        "RK2" => "kql-names-and-types",
        other => match other.get(..2).unwrap_or_default() {
            "RD" => "document",
            "RL" => "lint",
            "RE" => "targets",
            "RI" => "import",
            "RV" => "versions",
            "RN" => "environments",
            "RM" => "manifest",
            _ => "repository",
        },
    };
    vec!["detection-rules", about]
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
    if let Some(page) = page(code) {
        text.push('\n');
        text.push_str(page.trim_end());
        text.push('\n');
    }
    Ok(text)
}
