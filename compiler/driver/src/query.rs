//! `rulec query`: one query over data files.

use std::{
    io::{BufRead, Write},
    sync::OnceLock,
};

use rulec_facts::tables::Environment;
use rulec_ir::Catalog;
use rulec_runtime::{Batch, Context, Memory, Progress, files::Files};
use rulec_source::{Diagnostic, SourceFile};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    hunt,
    inputs::{self, Input},
    pipeline::{Pipeline, meaningful},
};

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Table,
    Json,
    Csv,
}

/// A query's result.
pub struct Answer {
    /// The query, for findings about it.
    pub file: SourceFile,
    /// The result in the format asked for; empty when there is none.
    pub output: String,
    /// What is wrong with the query, or went wrong running it.
    pub diagnostics: Vec<Diagnostic>,
    /// What a person should know of the data.
    pub notes: Vec<String>,
}

/// Runs one query.
pub fn run(pipeline: &Pipeline, text: &str, input: &Input, format: Format) -> Result<Answer, String> {
    let setting = Setting::new(pipeline, input)?;
    let (result, diagnostics) = setting.evaluate(text);
    let mut output = Vec::new();
    if let Some(batch) = result {
        let written = match format {
            Format::Json => writeln!(output, "{}", rulec_eval::batch_to_json(&batch)),
            Format::Table => rulec_runtime::write::batch_to_table(&mut output, &batch),
            Format::Csv => rulec_runtime::write::batch_to_csv(&mut output, &batch),
        };
        written.map_err(|e| e.to_string())?;
    }
    let output = String::from_utf8_lossy(&output).into_owned();
    Ok(Answer {
        file: SourceFile::new("<query>", text),
        output,
        diagnostics,
        notes: setting.source.warnings(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    id: Value,
    query: String,
}

/// Answers `{"id","query"}` a line, in order.
pub fn ndjson(
    pipeline: &Pipeline,
    options: &Input,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<(), String> {
    let setting = Setting::new(pipeline, options)?;
    for line in input.split(b'\n') {
        let line = line.map_err(|e| format!("standard input cannot be read: {e}"))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => setting.answer(&request),
            Err(error) => json!({
                "id": null,
                "error": { "code": "RC011", "message": format!("the request cannot be read: {error}") },
            })
            .to_string(),
        };
        if let Err(error) = writeln!(output, "{answer}") {
            return if error.kind() == std::io::ErrorKind::BrokenPipe {
                Ok(())
            } else {
                Err(error.to_string())
            };
        }
    }
    Ok(())
}

/// What all queries of a run share.
struct Setting<'a> {
    catalog: &'a Catalog,
    source: Files,
    given: Option<i64>,
    newest: OnceLock<i64>,
    memory: u64,
}

impl<'a> Setting<'a> {
    fn new(pipeline: &'a Pipeline, input: &Input) -> Result<Self, String> {
        let catalog = pipeline
            .catalog(Environment::MergedColumns)
            .map_err(|e| e.to_string())?;
        let source = inputs::files(input, catalog, |_| false)?;
        Ok(Self {
            catalog,
            source,
            given: inputs::given_now(input)?,
            newest: OnceLock::new(),
            memory: input.memory,
        })
    }

    /// What `now()` gives a query: see [`inputs::now`]. The data is looked
    /// through once, not for each query.
    fn now(&self, query: &rulec_ir::Query) -> i64 {
        let clock = rulec_runtime::cli::clock;
        self.given.unwrap_or_else(|| {
            if !inputs::asks_for_now(query) {
                return clock();
            }
            *self
                .newest
                .get_or_init(|| inputs::newest(&self.source, &Progress::new()).unwrap_or_else(clock))
        })
    }

    /// The result, if there is one, and all findings.
    fn evaluate(&self, text: &str) -> (Option<Batch>, Vec<Diagnostic>) {
        let parsed = rulec_kql::parse(text);
        let mut diagnostics = parsed.diagnostics.clone();
        let lowered = rulec_ir::lower(&parsed, self.catalog);
        diagnostics.extend(meaningful(&parsed, lowered.diagnostics));
        if diagnostics.iter().any(Diagnostic::is_error) {
            return (None, diagnostics);
        }
        let memory =
            Memory::with_limit(usize::try_from(self.memory.saturating_mul(1 << 20)).unwrap_or(usize::MAX));
        let context = Context::new(self.now(&lowered.query), &self.source).with_memory(memory);
        match rulec_eval::run(&lowered.query, &context) {
            Ok(batch) => (Some(batch), diagnostics),
            Err(error) => {
                diagnostics.push(hunt::diagnostic(&error));
                (None, diagnostics)
            }
        }
    }

    fn answer(&self, request: &Request) -> String {
        let (result, diagnostics) = self.evaluate(&request.query);
        if let Some(batch) = result {
            // Spliced as text: the printer of values decides how numbers look.
            let body = rulec_eval::batch_to_json(&batch);
            let rest = body.strip_prefix('{').unwrap_or(&body);
            return format!("{{\"id\":{},{rest}", request.id);
        }
        let error = diagnostics.iter().find(|d| d.is_error());
        json!({
            "id": request.id,
            "error": {
                "code": error.map(|d| d.code.id),
                "message": error.map(|d| d.message.as_str()),
            },
        })
        .to_string()
    }
}
