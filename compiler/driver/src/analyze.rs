//! `rulec analyze`: what queries mean, without running them.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::PathBuf,
};

use rulec_facts::tables::{Environment, TableSchema};
use rulec_functions::Type;
use rulec_ir::{Catalog, analyze::Analysis};
use rulec_source::{Diagnostic, SourceFile};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    load::{Want, is_document, load},
    pipeline::Pipeline,
};

/// What is known of queries in files.
#[derive(Debug, Default)]
pub struct Answer {
    /// One JSON object a line.
    pub output: String,
    /// Files that could not be read.
    pub problems: Vec<(SourceFile, Diagnostic)>,
    /// Whether some query has an error.
    pub broken: bool,
}

/// One request of `--ndjson`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    id: Value,
    query: String,
    env: Option<String>,
    #[serde(default)]
    tables: BTreeMap<String, serde_json::Map<String, Value>>,
    #[serde(default)]
    watchlists: BTreeMap<String, serde_json::Map<String, Value>>,
    #[serde(default)]
    open: bool,
}

/// How queries are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The environment of queries that name none.
    pub environment: Option<&'a str>,
    /// Only parse: neither names nor columns.
    pub syntax: bool,
}

/// Bytes taken from the input at most before they are answered.
const CHUNK: usize = 1 << 20;

/// Answers requests, a line each, in their order. Whoever asks one question
/// and waits gets its answer; many at a time are answered on all threads.
pub fn ndjson(
    pipeline: &Pipeline,
    options: Options<'_>,
    input: impl Read,
    output: impl Write,
) -> Result<(), String> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let mut output = BufWriter::new(output);
    let mut lines: Vec<u8> = Vec::new();
    loop {
        let chunk = input
            .fill_buf()
            .map_err(|e| format!("standard input cannot be read: {e}"))?;
        let done = chunk.is_empty();
        let whole = chunk.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
        let taken = whole.unwrap_or(chunk.len());
        lines.extend_from_slice(&chunk[..taken]);
        input.consume(taken);
        if whole.is_none() && !done {
            continue;
        }
        let written = answers(pipeline, options, &lines)
            .iter()
            .try_for_each(|answer| output.write_all(answer.as_bytes()))
            .and_then(|()| output.flush());
        lines.clear();
        match written {
            Ok(()) if !done => {}
            Ok(()) => return Ok(()),
            // The reader has what it wanted.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn answers(pipeline: &Pipeline, options: Options<'_>, lines: &[u8]) -> Vec<String> {
    use rayon::prelude::*;
    let lines: Vec<&[u8]> = lines.split(|b| *b == b'\n').collect();
    lines
        .par_iter()
        .map(|line| answer(pipeline, options, line))
        .collect()
}

/// The answer to one request, a line; nothing for a blank one.
fn answer(pipeline: &Pipeline, options: Options<'_>, line: &[u8]) -> String {
    if line.trim_ascii().is_empty() {
        return String::new();
    }
    let request: Request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => {
            return refusal(&Value::Null, &format!("the request cannot be read: {error}"));
        }
    };
    match catalog(pipeline, options.environment, &request) {
        Ok(catalog) => analysis(&request.id, &request.query, &catalog, options).0,
        Err(message) => refusal(&request.id, &message),
    }
}

fn refusal(id: &Value, error: &str) -> String {
    format!("{}\n", json!({ "id": id, "error": error }))
}

fn catalog(pipeline: &Pipeline, environment: Option<&str>, request: &Request) -> Result<Catalog, String> {
    let name = request.env.as_deref().or(environment).unwrap_or("none");
    let environment = Environment::parse(name).ok_or_else(|| format!("`{name}` is not an environment"))?;
    let mut catalog = pipeline
        .catalog(environment)
        .map_err(|e| e.to_string())?
        .clone()
        .open(request.open);
    for (name, columns) in &request.tables {
        let columns = typed(name, columns)?;
        catalog = catalog.with_table(TableSchema {
            name: name.clone(),
            columns,
            open: false,
        });
    }
    for (alias, columns) in &request.watchlists {
        catalog = catalog.with_watchlist(alias.clone(), typed(alias, columns)?);
    }
    Ok(catalog)
}

fn typed(table: &str, columns: &serde_json::Map<String, Value>) -> Result<Vec<(String, Type)>, String> {
    columns
        .iter()
        .map(|(name, ty)| {
            let parsed = ty.as_str().and_then(Type::parse);
            parsed
                .map(|ty| (name.clone(), ty))
                .ok_or_else(|| format!("unknown type {ty} for {table}.{name}"))
        })
        .collect()
}

/// The answer, a line, and whether the query has an error.
fn analysis(id: &Value, query: &str, catalog: &Catalog, options: Options<'_>) -> (String, bool) {
    #[derive(Serialize)]
    struct Answer<'a> {
        id: &'a Value,
        #[serde(flatten)]
        analysis: &'a Analysis,
    }
    let analysis = if options.syntax {
        rulec_ir::analyze::syntax(query)
    } else {
        rulec_ir::analyze::analyze(query, catalog)
    };
    let broken = !analysis.syntax_errors.is_empty() || !analysis.semantic_errors.is_empty();
    let answer = Answer {
        id,
        analysis: &analysis,
    };
    // Plain data with string keys is always JSON.
    let mut line = serde_json::to_string(&answer).unwrap_or_default();
    line.push('\n');
    (line, broken)
}

/// Analyses the queries in files: KQL files whole, documents query by query.
pub fn files(pipeline: &Pipeline, options: Options<'_>, paths: &[PathBuf]) -> Result<Answer, String> {
    let mut answer = Answer::default();
    let environment = options.environment.unwrap_or("merged-columns");
    let environment =
        Environment::parse(environment).ok_or_else(|| format!("`{environment}` is not an environment"))?;
    let catalog = pipeline.catalog(environment).map_err(|e| e.to_string())?;
    for loaded in load(&pipeline.repository.root, paths, Want::Queries) {
        if let Some(problem) = loaded.problem {
            answer.broken = true;
            answer.problems.push((loaded.file, problem));
            continue;
        }
        let path = loaded.file.path.clone();
        let queries: Vec<String> = if is_document(&loaded.file) {
            pipeline
                .document(loaded.file)
                .queries
                .into_iter()
                .map(|q| q.fragment.text)
                .collect()
        } else {
            vec![loaded.file.text]
        };
        let several = queries.len() > 1;
        for (index, query) in queries.iter().enumerate() {
            let id = if several {
                format!("{path}#{}", index + 1)
            } else {
                path.clone()
            };
            let (line, broken) = analysis(&Value::String(id), query, catalog, options);
            answer.broken |= broken;
            answer.output.push_str(&line);
        }
    }
    Ok(answer)
}
