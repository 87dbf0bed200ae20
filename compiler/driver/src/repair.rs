//! `rulec check --fix`: safe repairs, made in the documents.

use std::path::PathBuf;

use rulec_source::{SourceFile, repaired};

use crate::{
    load::{Want, load},
    output::Folder,
    pipeline::Pipeline,
};

/// What was repaired.
#[derive(Debug, Default)]
pub struct Report {
    /// Documents that changed, with the number of repairs.
    pub changed: Vec<(String, usize)>,
}

/// Rounds of repairs: one may bring up another, but not without end.
const ROUNDS: usize = 10;

/// Makes the safe repairs of all findings, in place. Fails when a document
/// cannot be written, and on standard input, which has no place.
pub fn run(pipeline: &Pipeline, paths: &[PathBuf]) -> Result<Report, String> {
    if paths.iter().any(|p| p.as_os_str() == "-") {
        return Err("standard input cannot be repaired in place; name the file".to_owned());
    }
    let mut report = Report::default();
    for loaded in load(&pipeline.repository.root, &pipeline.paths(paths), Want::Documents) {
        if loaded.problem.is_some() {
            continue;
        }
        let path = loaded.file.path.clone();
        let mut text = loaded.file.text.clone();
        let mut made = 0;
        for _ in 0..ROUNDS {
            let document = pipeline.document(SourceFile::new(path.clone(), text.as_str()));
            let (better, count) = repaired(&text, &document.diagnostics);
            if better == text {
                break;
            }
            text = better;
            made += count;
        }
        if made == 0 {
            continue;
        }
        let place = pipeline.repository.root.join(&path);
        let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
            continue;
        };
        Folder::create(parent)
            .and_then(|folder| folder.write(&name.to_string_lossy(), text.as_bytes()))
            .map_err(|e| format!("{} cannot be written: {e}", place.display()))?;
        report.changed.push((path, made));
    }
    Ok(report)
}
