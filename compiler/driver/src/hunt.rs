//! `rulec run`: rules over exported events.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rulec_model::Rule;
use rulec_runtime::{
    Context, Memory,
    alert::{self, Alert, EntityMapping, RuleInfo},
    files::Files,
};
use rulec_source::{Diagnostic, Severity, SourceFile};

use crate::{
    inputs::{self, Input},
    pipeline::{Bound, Compilation, Pipeline},
};

pub use rulec_runtime::alert::Format;

/// What a hunt found.
pub struct Report {
    /// The alerts, in the format asked for.
    pub output: String,
    /// How many.
    pub alerts: usize,
    /// Rules that could not be run to their end.
    pub problems: Vec<(SourceFile, String, Diagnostic)>,
    /// What a person wants to know besides.
    pub notes: Vec<String>,
}

/// What an alert says of its rule.
fn info(file: &SourceFile, rule: &Rule, bound: &Bound) -> RuleInfo {
    let line = bound.deciding_line(file);
    let said = rulec_emit::targets::native::Info::of(rule, &bound.resolved, &file.path, line);
    let owned = |(identifier, column): (String, String)| (identifier.into(), column.into());
    let entity = |(kind, fields): (String, Vec<(String, String)>)| EntityMapping {
        kind: kind.into(),
        fields: fields.into_iter().map(owned).collect(),
    };
    RuleInfo {
        entities: said.entities.into_iter().map(entity).collect(),
        ..RuleInfo::new(said.id, said.title, said.severity).at(said.document, said.line)
    }
}

fn evaluate(
    file: &SourceFile,
    rule: &Rule,
    bound: &Bound,
    context: &Context<'_>,
) -> Result<Vec<Alert>, rulec_eval::EvalError> {
    let result = rulec_eval::run(&bound.ir, context)?;
    Ok(alert::alerts(&info(file, rule, bound), &result))
}

fn write(format: Format, alerts: &[Alert]) -> String {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = alert::write(&mut bytes, format, alerts);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The alerts of one rule as NDJSON.
pub fn alerts(
    file: &SourceFile,
    rule: &Rule,
    bound: &Bound,
    now: i64,
    source: &Files,
) -> Result<String, rulec_eval::EvalError> {
    let alerts = evaluate(file, rule, bound, &Context::new(now, source))?;
    Ok(write(Format::Ndjson, &alerts))
}

/// Runs all sound rules, or those whose id contains `only`.
pub fn run(
    pipeline: &Pipeline,
    compilation: &Compilation,
    input: &Input,
    only: Option<&str>,
    format: Format,
) -> Result<Report, String> {
    if input.data.is_empty() {
        return Err("there are no events: give them with --data TABLE=PATH".to_owned());
    }
    let catalog = pipeline
        .catalog(rulec_facts::tables::Environment::MergedColumns)
        .map_err(|e| e.to_string())?;
    let asked: std::collections::BTreeSet<&str> = compilation
        .documents
        .iter()
        .flat_map(|d| &d.queries)
        .flat_map(|q| &q.ir.tables)
        .map(|t| t.name.as_str())
        .chain(["FileProfile", "DeviceFromIP"])
        .collect();
    let source = inputs::files(input, |name| {
        asked.contains(name) || catalog.table(name).is_some()
    })?;
    let now = inputs::now(input)?;
    let memory =
        Memory::with_limit(usize::try_from(input.memory.saturating_mul(1 << 20)).unwrap_or(usize::MAX));
    let context = Context::new(now, &source).with_memory(memory);
    let chosen: Vec<_> = compilation
        .sound()
        .into_iter()
        .filter(|(_, rule)| only.is_none_or(|o| rule.id.contains(o)))
        .collect();
    if chosen.is_empty() {
        return Err(match only {
            Some(only) => format!("no rule that compiles has an id that contains `{only}`"),
            None => "no rule compiles, so there is nothing to run".to_owned(),
        });
    }
    let results: Vec<_> = chosen
        .par_iter()
        .flat_map_iter(|(document, rule)| {
            document
                .queries
                .iter()
                .map(move |bound| (*document, *rule, bound))
        })
        .map(|(document, rule, bound)| {
            (
                document,
                rule,
                bound,
                evaluate(&document.file, rule, bound, &context),
            )
        })
        .collect();
    let mut report = Report {
        output: String::new(),
        alerts: 0,
        problems: Vec::new(),
        notes: Vec::new(),
    };
    let mut fired = Vec::new();
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let ran = results.len();
    for (document, rule, bound, result) in results {
        match result {
            Ok(alerts) => fired.extend(alerts),
            // A hunt is given the tables one has; rules over others are not wrong.
            Err(error) if error.code == rulec_runtime::Code::MISSING_TABLE && only.is_none() => {
                *skipped.entry(error.message.clone()).or_default() += 1;
            }
            Err(error) => {
                let diagnostic = bound.fragment.map_diagnostic(diagnostic(&error));
                report
                    .problems
                    .push((document.file.clone(), rule.id.clone(), diagnostic));
            }
        }
    }
    report.output = write(format, &fired);
    report.alerts = fired.len();
    report.notes = source
        .warnings()
        .into_iter()
        .map(|w| format!("warning: {w}"))
        .collect();
    for (message, rules) in &skipped {
        report.notes.push(format!(
            "skipped {rules} {}: {message}",
            if *rules == 1 { "rule" } else { "rules" }
        ));
    }
    let ran = ran - skipped.values().sum::<usize>() - report.problems.len();
    report.notes.push(format!(
        "{} alerts from {ran} rules, now() being {}",
        report.alerts,
        rulec_functions::text::print_datetime(now)
    ));
    Ok(report)
}

/// An error of a run as a finding about the query.
pub(crate) fn diagnostic(error: &rulec_eval::EvalError) -> Diagnostic {
    let code = rulec_source::Code {
        id: error.code.id,
        name: error.code.name,
        severity: Severity::Error,
        summary: error.code.summary,
    };
    Diagnostic::new(code, error.message.as_str()).at(error.span)
}
