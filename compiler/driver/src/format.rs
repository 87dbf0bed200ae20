//! `rulec fmt`: canonical layout of documents.

use std::path::PathBuf;

use rulec_source::{Diagnostic, SourceFile};

use crate::{
    load::{Want, load},
    output::Folder,
    pipeline::Pipeline,
};

/// What formatting did.
#[derive(Debug, Default)]
pub struct Report {
    /// The formatted text of standard input.
    pub output: String,
    /// Documents that changed, or would.
    pub changed: Vec<String>,
    /// Documents that could not be read.
    pub problems: Vec<(SourceFile, Diagnostic)>,
}

/// Formats documents in place, or only says which would change.
pub fn run(pipeline: &Pipeline, paths: &[PathBuf], check: bool) -> Result<Report, String> {
    let mut report = Report::default();
    for loaded in load(&pipeline.repository.root, &pipeline.paths(paths), Want::Documents) {
        if let Some(problem) = loaded.problem {
            report.problems.push((loaded.file, problem));
            continue;
        }
        let file = loaded.file;
        let formatted = rulec_read::format_document(&file);
        if file.path == "<stdin>" {
            if check && formatted != file.text {
                report.changed.push(file.path);
            } else if !check {
                report.output.push_str(&formatted);
            }
            continue;
        }
        if formatted == file.text {
            continue;
        }
        if !check {
            let path = pipeline.repository.root.join(&file.path);
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            Folder::create(parent)
                .and_then(|folder| folder.write(&name.to_string_lossy(), formatted.as_bytes()))
                .map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
        }
        report.changed.push(file.path);
    }
    Ok(report)
}
