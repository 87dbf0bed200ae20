//! The command: one rule and one event, over the data that is given.

use rulec_facts::tables::Environment;
use rulec_functions::text::parse_datetime;
use rulec_model::Rule;
use rulec_runtime::{Context, Progress, files::Files};
use rulec_source::{Diagnostic, SourceFile, render};
use serde_json::Value;

use super::{Event, Outcome, explain, text};
use crate::{
    hunt,
    inputs::{self, Input},
    pipeline::{Compilation, Document, Pipeline},
};

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// `schema/explain-miss.schema.json`.
    Json,
}

/// What became of the event.
#[derive(Debug)]
pub struct Answer {
    /// The report of each query of the rule.
    pub output: String,
    /// Whether an alert descends from the event.
    pub fires: bool,
    /// Queries that could not be run to their end.
    pub problems: Vec<(SourceFile, String, Diagnostic)>,
}

/// Follows an event through the only rule that is chosen; `only` as for a hunt.
pub fn run(
    pipeline: &Pipeline,
    compilation: &Compilation,
    input: &Input,
    only: Option<&str>,
    event: &str,
    format: Format,
) -> Result<Answer, String> {
    let (document, rule) = the_rule(compilation, only)?;
    let catalog = pipeline
        .catalog(Environment::MergedColumns)
        .map_err(|e| e.to_string())?;
    let asked = |name: &str| {
        let read = document.queries.iter().flat_map(|q| &q.ir.tables);
        read.map(|table| table.name.as_str()).any(|table| table == name)
    };
    let data = inputs::files(input, catalog, asked)?.missing_empty(true);
    let mut answer = Answer {
        output: String::new(),
        fires: false,
        problems: Vec::new(),
    };
    for bound in &document.queries {
        let event = Event::parse(event, &bound.ir, &data)?;
        let now = match inputs::given_now(input)? {
            Some(now) => now,
            None => newest(&event, &data),
        };
        let memory = rulec_runtime::Memory::with_limit(
            usize::try_from(input.memory.saturating_mul(1 << 20)).unwrap_or(usize::MAX),
        );
        let context = Context::new(now, &data).with_memory(memory);
        match explain(&document.file, rule, bound, &context, &event) {
            Ok(mut report) => {
                let read = bound.ir.tables.iter().filter(|table| !table.optional);
                report.empty_tables = read
                    .map(|table| table.name.clone())
                    .filter(|name| *name != event.table && !data.has(name))
                    .collect();
                answer.fires |= report.verdict == Outcome::Fires;
                answer.output += &match format {
                    Format::Text => text(&report, &document.file, render::Style::Coloured),
                    Format::Json => report.json(),
                };
            }
            Err(error) => {
                let diagnostic = bound.fragment.map_diagnostic(hunt::diagnostic(&error));
                answer
                    .problems
                    .push((document.file.clone(), rule.id.clone(), diagnostic));
            }
        }
    }
    Ok(answer)
}

fn the_rule<'c>(
    compilation: &'c Compilation,
    only: Option<&str>,
) -> Result<(&'c Document, &'c Rule), String> {
    let chosen: Vec<_> = compilation
        .sound()
        .into_iter()
        .filter(|(_, rule)| only.is_none_or(|o| rule.id.contains(o)))
        .collect();
    match (&chosen[..], only) {
        ([one], _) => Ok(*one),
        ([], Some(only)) => Err(format!("no rule that compiles has an id that contains `{only}`")),
        ([], None) => Err("no rule compiles, so there is nothing to explain".to_owned()),
        (many, _) => Err(format!(
            "--explain-miss is about one rule, and {} are chosen: say which with --rule",
            many.len()
        )),
    }
}

/// The newest of the event's own times and those of the data.
fn newest(event: &Event, data: &Files) -> i64 {
    let own = ["_IngestionTime", "IngestionTime", "Timestamp", "TimeGenerated"]
        .iter()
        .filter_map(|column| event.row.get(*column).and_then(Value::as_str))
        .filter_map(parse_datetime)
        .max();
    own.max(inputs::newest(data, &Progress::new()))
        .unwrap_or_else(rulec_runtime::cli::clock)
}
