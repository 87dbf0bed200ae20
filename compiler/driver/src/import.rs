//! `rulec import`: rules of other formats as documents of the repository.

use std::{
    collections::BTreeSet,
    io::Read as _,
    path::{Path, PathBuf},
};

pub use rulec_import::Format;
use rulec_import::{Context, Imported};
use rulec_source::{Diagnostic, SourceFile};

use crate::{codes, load, output::Folder, pipeline::Pipeline};

/// Endings of the files that are looked at in a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// No export is larger; a file that is may be anything.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the files hold.
    pub format: Format,
    /// The folder to write to; the first rules folder of the repository without it.
    pub out: Option<PathBuf>,
    /// Only says what would be written.
    pub dry_run: bool,
    /// Replaces documents that are there.
    pub force: bool,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Its document was written, or would be.
    Written,
    /// Its document is there already, byte for byte.
    Same,
    /// Another document has its place.
    Exists,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Report {
    /// Each file with its findings.
    pub files: Vec<(SourceFile, Vec<Diagnostic>)>,
    /// Path of each document, and what became of it.
    pub documents: Vec<(String, Done)>,
    /// Documents that say all that their rule did.
    pub exact: usize,
}

/// Reads rules from files and folders; what is wrong is in the findings.
pub fn read(pipeline: &Pipeline, format: Format, paths: &[PathBuf]) -> Result<Read, String> {
    let context = context(pipeline)?;
    let mut read = Read::default();
    for path in files(paths)? {
        let (file, problem) = text(pipeline, &path);
        let mut import = rulec_import::import(&context, format, &file);
        if let Some(problem) = problem {
            import.diagnostics = vec![problem];
        }
        read.rules.append(&mut import.rules);
        read.files.push((file, import.diagnostics));
    }
    rulec_import::tell_apart(&mut read.rules);
    Ok(read)
}

/// Data for importing, with the repository's own laid over.
pub(crate) fn context(pipeline: &Pipeline) -> Result<Context, String> {
    Context::load(
        &pipeline.repository.pack,
        &pipeline.repository.config.check.attack,
    )
    .map_err(|error| error.to_string())
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// Each file with its findings.
    pub files: Vec<(SourceFile, Vec<Diagnostic>)>,
    /// The rules of all files, with ids that differ.
    pub rules: Vec<Imported>,
}

/// Imports and writes one document a rule.
pub fn run(pipeline: &Pipeline, paths: &[PathBuf], options: &Options) -> Result<Report, String> {
    let read = read(pipeline, options.format, paths)?;
    let folder = options.out.clone().unwrap_or_else(|| {
        let rules = &pipeline.repository.config.repository.rules;
        pipeline
            .repository
            .path(rules.first().map_or("rules", String::as_str))
    });
    let mut report = Report {
        exact: read.rules.iter().filter(|rule| rule.losses.is_empty()).count(),
        files: read.files,
        ..Report::default()
    };
    let unusable = |e: std::io::Error| format!("{} cannot be used: {e}", folder.display());
    let place = if options.dry_run {
        Folder::open(&folder).map_err(unusable)?
    } else {
        Some(Folder::create(&folder).map_err(unusable)?)
    };
    for imported in &read.rules {
        let name = format!("{}.md", imported.rule.id);
        let path = load::display(&pipeline.repository.root, &folder.join(&name));
        let there = place.as_ref().and_then(|place| place.read(&name));
        let done = match there {
            Some(bytes) if bytes == imported.document.as_bytes() => Done::Same,
            Some(_) if !options.force => Done::Exists,
            _ => Done::Written,
        };
        if done == Done::Written
            && !options.dry_run
            && let Some(place) = &place
        {
            place
                .write(&name, imported.document.as_bytes())
                .map_err(|e| format!("{path} cannot be written: {e}"))?;
        }
        report.documents.push((path, done));
    }
    Ok(report)
}

/// The files that are meant: those given, and in folders those with a fitting ending.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found: BTreeSet<PathBuf> = BTreeSet::new();
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    let given: BTreeSet<&PathBuf> = paths.iter().collect();
    while let Some(path) = open.pop() {
        if path == Path::new("-") {
            found.insert(path);
            continue;
        }
        let unreadable = |e: std::io::Error| format!("{} cannot be read: {e}", path.display());
        let meta = std::fs::symlink_metadata(&path).map_err(unreadable)?;
        let is_given = given.contains(&path);
        if path.is_dir() && (is_given || !meta.is_symlink()) {
            if !seen.insert(path.clone()) {
                continue;
            }
            for entry in std::fs::read_dir(&path).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                if !hidden {
                    open.push(entry.path());
                }
            }
        } else {
            let fits = path
                .extension()
                .and_then(|end| end.to_str())
                .is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)));
            if is_given || fits {
                found.insert(path);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The text of a file, or what is wrong with it.
pub(crate) fn text(pipeline: &Pipeline, path: &Path) -> (SourceFile, Option<Diagnostic>) {
    let name = load::display(&pipeline.repository.root, path);
    let empty = |code, message: String| {
        (
            SourceFile::new(name.as_str(), ""),
            Some(Diagnostic::new(code, message)),
        )
    };
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    if let Err(error) = result {
        return empty(codes::UNREADABLE, format!("the file cannot be read: {error}"));
    }
    if bytes.len() as u64 > LARGEST {
        return empty(
            codes::TOO_LARGE,
            format!("the file has more than {LARGEST} bytes"),
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => (SourceFile::new(name.as_str(), text), None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            empty(codes::NOT_UTF8, format!("the file is not UTF-8 (byte {at})"))
        }
    }
}
