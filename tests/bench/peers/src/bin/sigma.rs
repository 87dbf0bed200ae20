//! `sigma ENGINE RULES EVENTS`: Sigma rules over events whose fields have
//! Sigma's names. ENGINE is rsigma or sigma-rust, RULES a folder of `.yml`.
//!
//! A line for each hit: the rule's title and the event's `ReportId`.

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use bench_peers::{lines, map, pieces};
use rsigma_eval::{Engine, JsonEvent, result::EvaluationResult};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [engine, rules, events] => run(engine, rules, events),
        _ => Err("usage: sigma rsigma|sigma-rust RULES EVENTS".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The texts of the rules in a folder and those within it, by path.
fn texts(folder: &str) -> Result<Vec<String>> {
    let mut folders = vec![PathBuf::from(folder)];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yml") {
                paths.push(path);
            }
        }
    }
    if paths.is_empty() {
        return Err(format!("there are no rules in {folder}").into());
    }
    paths.sort();
    Ok(paths.iter().map(fs::read_to_string).collect::<io::Result<_>>()?)
}

fn run(engine: &str, rules: &str, events: &str) -> Result<()> {
    let texts = texts(rules)?;
    let bytes = map(events)?;
    let found = match engine {
        "rsigma" => rsigma(&texts, &bytes)?,
        "sigma-rust" => sigma_rust(&texts, &bytes)?,
        other => return Err(format!("no engine {other}").into()),
    };
    let mut out = io::stdout().lock();
    for hits in found {
        out.write_all(hits?.as_bytes())?;
    }
    Ok(())
}

fn rsigma(texts: &[String], bytes: &[u8]) -> Result<Vec<Result<String>>> {
    let collection = rsigma_parser::parse_sigma_yaml(&texts.join("\n---\n"))?;
    let mut engine = Engine::new();
    engine.add_collection(&collection)?;
    Ok(pieces(bytes, |piece| {
        let mut hits = String::new();
        for line in lines(piece) {
            let value: Value = serde_json::from_slice(line)?;
            for result in engine.evaluate(&JsonEvent::borrow(&value)) {
                let EvaluationResult { header, .. } = &result;
                writeln!(hits, "{}\t{}", header.rule_title, value["ReportId"])?;
            }
        }
        Ok(hits)
    }))
}

/// The rule as sigma-rust takes it: it does not know the modifier `i` of `re`,
/// but its regular expressions know `(?i)`.
fn without_modifier(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        let item = line.trim_start().starts_with("- '");
        let starts = line.contains("|re|i:");
        inside = starts || (inside && item);
        let line = line.replace("|re|i:", "|re:");
        if inside && (starts || item) {
            out.push_str(&line.replacen(" '", " '(?i)", 1));
        } else {
            out.push_str(&line);
        }
        out.push('\n');
    }
    out
}

fn sigma_rust(texts: &[String], bytes: &[u8]) -> Result<Vec<Result<String>>> {
    let rules = texts
        .iter()
        .map(|text| sigma_rust::rule_from_yaml(&without_modifier(text)).map_err(|e| e.to_string().into()))
        .collect::<Result<Vec<_>>>()?;
    Ok(pieces(bytes, |piece| {
        let mut hits = String::new();
        for line in lines(piece) {
            let value: Value = serde_json::from_slice(line)?;
            let report = value["ReportId"].clone();
            let event = sigma_rust::Event::try_from(value).map_err(|e| e.to_string())?;
            for rule in &rules {
                if rule.is_match(&event) {
                    writeln!(hits, "{}\t{report}", rule.title)?;
                }
            }
        }
        Ok(hits)
    }))
}
