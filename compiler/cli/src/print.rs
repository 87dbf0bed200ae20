//! Printing findings, and the exit code they ask for.

use std::{io::Write as _, process::ExitCode};

use rulec_driver::{Cache, Pipeline, config::Level, is_broken};
use rulec_source::{Diagnostic, Severity, SourceFile, render};

use crate::{BROKEN, FINDINGS, Failure, Global};

/// Opens the repository around the working folder, or says why not.
pub(crate) fn pipeline(global: &Global) -> Result<Pipeline, Failure> {
    let opened = Pipeline::open(std::path::Path::new("."), global.config.as_deref());
    let mut pipeline = opened.map_err(|refused| {
        finding(&refused.file, None, &refused.diagnostic);
        Failure
    })?;
    if global.no_cache {
        pipeline.cache = Cache::off();
    }
    Ok(pipeline)
}

/// [`pipeline`] in an environment, as of a time in ticks.
pub(crate) fn pipeline_in(global: &Global, environment: Option<&str>, now: i64) -> Result<Pipeline, Failure> {
    let mut pipeline = pipeline(global)?;
    if let Some(name) = environment {
        enter(&mut pipeline, name, now)?;
    }
    Ok(pipeline)
}

/// Goes on in an environment, or says why not.
pub(crate) fn enter(pipeline: &mut Pipeline, environment: &str, now: i64) -> Result<(), Failure> {
    pipeline.enter(environment, now).map_err(|refused| {
        finding(&refused.file, None, &refused.diagnostic);
        Failure
    })
}

/// One finding as text on standard error.
pub(crate) fn finding(file: &SourceFile, rule: Option<&str>, diagnostic: &Diagnostic) {
    let finding = render::Finding {
        file,
        rule,
        diagnostic,
    };
    anstream::eprintln!("{}\n", render::text(&finding, render::Style::Coloured));
}

/// All findings as text on standard error.
pub(crate) fn findings(global: &Global, findings: &[render::Finding<'_>]) {
    for f in findings {
        if !global.quiet || f.diagnostic.is_error() {
            finding(f.file, f.rule, f.diagnostic);
        }
    }
}

/// Data on standard output. A reader that stopped listening (`| head`) is no error.
pub(crate) fn data(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// [`exit`] as what `main` ends with.
pub(crate) fn code(findings: &[render::Finding<'_>], gate: Level) -> ExitCode {
    ExitCode::from(exit(findings, gate))
}

/// The exit code for findings: 2 when a rule did not compile, 1 when one is
/// at or above the gate.
pub(crate) fn exit(findings: &[render::Finding<'_>], gate: Level) -> u8 {
    let broken = |f: &render::Finding<'_>| is_broken(f.diagnostic);
    let worst = findings.iter().map(|f| f.diagnostic.severity).max();
    if findings.iter().any(broken) {
        BROKEN
    } else if worst.is_some_and(|worst| gate.severity().is_some_and(|gate| worst >= gate)) {
        FINDINGS
    } else {
        0
    }
}

/// "1 error and 2 warnings in 14 documents".
pub(crate) fn summary(summary: &render::Summary) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!(
        "{} and {} in {} ({})",
        count(summary.errors, "error"),
        count(summary.warnings, "warning"),
        count(summary.files, "document"),
        count(summary.rules, "rule"),
    )
}

/// Severity of the worst finding, for commands that only ask whether anything is wrong.
pub(crate) fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}
