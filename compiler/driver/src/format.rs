//! `rulec fmt`: canonical layout of documents and of queries.
//!
//! In: paths. Out: the files laid out, or what would change. A query with
//! errors stays as it is and is reported; the rest of its file is laid out. A
//! file that cannot be written is reported, and the others are.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use rulec_read::{format_document, format_queries, order_sections};
use rulec_source::{Diagnostic, SourceFile};
use similar::TextDiff;

use crate::{
    codes,
    load::{Loaded, Want, is_document, is_query_file, load},
    pipeline::Pipeline,
};

/// What becomes of what was laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Files are replaced, standard input is answered.
    Write,
    /// Nothing is changed.
    Check,
    /// Nothing is changed, and the differences are shown.
    Diff,
}

/// What formatting did.
#[derive(Debug, Default)]
pub struct Report {
    /// The formatted text of standard input, or the differences.
    pub output: String,
    /// Files that changed, or would.
    pub changed: Vec<String>,
    /// Files that could not be read or written, and errors in queries.
    pub problems: Vec<(SourceFile, Diagnostic)>,
}

/// One file, laid out.
struct Formatted {
    file: SourceFile,
    text: String,
    problems: Vec<Diagnostic>,
}

/// Formats files in place, or only says which would change. With `kql`,
/// queries as well: those in documents, query files, and standard input when
/// it is no document.
pub fn run(pipeline: &Pipeline, paths: &[PathBuf], kql: bool, mode: Mode) -> Report {
    let want = if kql { Want::Queries } else { Want::Documents };
    let loaded = load(&pipeline.repository.root, &pipeline.paths(paths), want);
    let formatted: Vec<Formatted> = loaded
        .into_par_iter()
        .map(|loaded| format(pipeline, loaded, kql))
        .collect();
    let mut report = Report::default();
    for Formatted {
        file,
        text,
        mut problems,
    } in formatted
    {
        let mut changed = file.text != text;
        match mode {
            Mode::Write if file.path == "<stdin>" => {
                report.output.push_str(&text);
                changed = false;
            }
            Mode::Write if changed => {
                let path = pipeline.repository.root.join(&file.path);
                if let Err(error) = replace(&path, text.as_bytes()) {
                    let message = format!("{} cannot be written: {error}", file.path);
                    problems.push(Diagnostic::new(codes::NOT_WRITTEN, message));
                    changed = false;
                }
            }
            Mode::Write | Mode::Check => {}
            Mode::Diff => report.output.push_str(&difference(&file, &text)),
        }
        if changed {
            report.changed.push(file.path.clone());
        }
        report
            .problems
            .extend(problems.into_iter().map(|problem| (file.clone(), problem)));
    }
    report
}

fn format(pipeline: &Pipeline, loaded: Loaded, kql: bool) -> Formatted {
    let Loaded { file, problem } = loaded;
    if let Some(problem) = problem {
        return Formatted {
            text: file.text.clone(),
            file,
            problems: vec![problem],
        };
    }
    let (text, problems) = lay_out(pipeline, &file, kql);
    Formatted { file, text, problems }
}

/// The text of a file in canonical layout, and the errors of queries in it.
pub fn lay_out(pipeline: &Pipeline, file: &SourceFile, kql: bool) -> (String, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let text = if is_query_file(&file.path) || kql && !is_document(file) {
        query(&file.text, &mut problems).unwrap_or_else(|| file.text.clone())
    } else {
        document(pipeline, file, kql, &mut problems)
    };
    (text, problems)
}

/// A query laid out; none when it has errors.
fn query(text: &str, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let parsed = rulec_kql::parse(text);
    if parsed.has_errors() {
        problems.extend(parsed.diagnostics.into_iter().filter(Diagnostic::is_error));
        return None;
    }
    // A byte order mark is a blank to the language, and a mark to editors.
    let mark = if text.starts_with('\u{feff}') {
        "\u{feff}"
    } else {
        ""
    };
    Some(format!("{mark}{}", rulec_kql::print(&parsed)))
}

fn document(pipeline: &Pipeline, file: &SourceFile, kql: bool, problems: &mut Vec<Diagnostic>) -> String {
    let read = rulec_read::Options {
        aliases: &pipeline.aliases,
        defaults: pipeline.repository.config.defaults.clone(),
    };
    let with = |text: String| SourceFile::new(file.path.as_str(), text);
    let mut document = file.clone();
    if kql {
        document = with(format_queries(&document, &read, |fragment| {
            let mut found = Vec::new();
            let text = query(&fragment.text, &mut found);
            problems.extend(found.into_iter().map(|d| fragment.map_diagnostic(d)));
            text
        }));
    }
    // The layout decides where empty lines go, so it comes last.
    format_document(&with(order_sections(&document, &read)))
}

/// A unified difference; nothing when there is none.
pub(crate) fn difference(file: &SourceFile, text: &str) -> String {
    if file.text == text {
        return String::new();
    }
    TextDiff::from_lines(file.text.as_str(), text)
        .unified_diff()
        .context_radius(3)
        .header(&file.path, &file.path)
        .to_string()
}

/// Replaces what a file says, whole or not at all. What a link leads to is
/// replaced and not the link; a file keeps its permissions, and one that may
/// not be written is not.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".rulec-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(permissions)?;
    file.persist(&path).map_err(|e| e.error)?;
    Ok(())
}
