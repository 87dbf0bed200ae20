//! `rulec check --fix`: safe repairs, made in the documents or only shown.

use std::path::PathBuf;

use rulec_source::SourceFile;

use crate::{
    format::difference,
    list,
    load::{Want, load},
    output::Folder,
    pipeline::Pipeline,
    scaffold::day,
    suppress,
};

/// What was repaired.
#[derive(Debug, Default)]
pub struct Report {
    /// Documents that changed, or would, with the number of repairs.
    pub changed: Vec<(String, usize)>,
    /// What would change, as unified diffs; empty when it was written.
    pub diff: String,
}

/// What becomes of the repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Documents are replaced.
    Write,
    /// Nothing is changed, and the differences are shown.
    Diff,
}

/// Rounds of repairs: one may bring up another, but not without end.
const ROUNDS: usize = 10;

/// Makes the safe repairs of all findings that documents do not suppress at
/// `now`, in ticks, in place, or shows them. Fails when a document cannot be
/// written, and on standard input, which has no place.
pub fn run(pipeline: &Pipeline, paths: &[PathBuf], mode: Mode, now: i64) -> Result<Report, String> {
    if mode == Mode::Write && paths.iter().any(|p| p.as_os_str() == "-") {
        return Err("standard input cannot be repaired in place; name the file".to_owned());
    }
    let mut report = Report::default();
    for loaded in load(&pipeline.repository.root, &pipeline.paths(paths), Want::Documents) {
        if loaded.problem.is_some() {
            continue;
        }
        let (text, made) = repaired(pipeline, &loaded.file, now);
        if made == 0 {
            continue;
        }
        let path = loaded.file.path.clone();
        match mode {
            Mode::Diff => report.diff.push_str(&difference(&loaded.file, &text)),
            Mode::Write => {
                let place = pipeline.repository.root.join(&path);
                let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
                    continue;
                };
                Folder::create(parent)
                    .and_then(|folder| folder.write(&name.to_string_lossy(), text.as_bytes()))
                    .map_err(|e| format!("{} cannot be written: {e}", place.display()))?;
            }
        }
        report.changed.push((path, made));
    }
    Ok(report)
}

/// A document with the safe repairs of all its findings but those it
/// suppresses at `now`, and how many those were.
pub fn repaired(pipeline: &Pipeline, file: &SourceFile, now: i64) -> (String, usize) {
    let (today, codes) = (day(now), list::codes());
    let mut text = file.text.clone();
    let mut made = 0;
    for _ in 0..ROUNDS {
        let mut document = pipeline.document(SourceFile::new(file.path.clone(), text.as_str()));
        suppress::apply(
            &document.file,
            &mut document.diagnostics,
            &codes,
            &pipeline.aliases,
            &today,
        );
        let (better, count) = rulec_source::repaired(&text, &document.diagnostics);
        if better == text {
            break;
        }
        text = better;
        made += count;
    }
    (text, made)
}
