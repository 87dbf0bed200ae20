//! Tables from files, for the command line of rulec and of emitted packages.
//!
//! In: which file, or which bytes, hold the rows of which table. Out: rows, as
//! queries ask for them. This module and [`crate::cli`] alone open files.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::Mutex;

use crate::batch::Batch;
use crate::context::{Stage, TableRequest, Tables};
use crate::error::{Code, RuntimeError};
use crate::read;

/// Where some rows of a table are.
#[derive(Clone, Debug)]
enum Rows {
    /// A file; `-` is standard input.
    Path(String),
    /// Bytes as a file would have them.
    Memory(Vec<u8>),
}

/// Tables by name. A file is read anew for each query that asks for it, in
/// pieces, so that memory holds only what queries keep.
#[derive(Debug, Default)]
pub struct Files {
    tables: BTreeMap<String, Vec<Rows>>,
    lenient: bool,
    missing_empty: bool,
    reports: Mutex<BTreeMap<String, read::Report>>,
}

impl Files {
    /// No tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether malformed lines are counted and skipped instead of being errors.
    #[must_use]
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// Whether a table that was not given is empty instead of an error.
    #[must_use]
    pub fn missing_empty(mut self, missing_empty: bool) -> Self {
        self.missing_empty = missing_empty;
        self
    }

    /// Adds the rows of a file to a table; `-` is standard input. A watchlist
    /// may be given by its alias alone.
    pub fn add_path(&mut self, table: impl Into<String>, path: impl Into<String>) {
        self.tables
            .entry(table.into())
            .or_default()
            .push(Rows::Path(path.into()));
    }

    /// Adds rows to a table, in any format that files have.
    pub fn add_bytes(&mut self, table: impl Into<String>, bytes: Vec<u8>) {
        self.tables
            .entry(table.into())
            .or_default()
            .push(Rows::Memory(bytes));
    }

    /// What was skipped, a sentence a file.
    pub fn warnings(&self) -> Vec<String> {
        let Ok(reports) = self.reports.lock() else {
            return Vec::new();
        };
        reports
            .iter()
            .filter(|(_, report)| report.malformed > 0)
            .map(|(path, report)| {
                let first = report.first.as_deref().unwrap_or_default();
                format!(
                    "{path}: skipped {} malformed lines, the first: {first}",
                    report.malformed
                )
            })
            .collect()
    }

    fn rows(&self, name: &str) -> Option<&Vec<Rows>> {
        let alias = name.strip_prefix("watchlist:");
        self.tables.get(name).or_else(|| self.tables.get(alias?))
    }

    fn each(
        &self,
        request: &TableRequest<'_>,
        stage: &mut dyn FnMut(Batch) -> Result<(), RuntimeError>,
    ) -> Result<(), RuntimeError> {
        let found = match self.rows(request.name) {
            Some(found) => found,
            None if self.missing_empty => return Ok(()),
            None => return Err(RuntimeError::missing_table(request.name)),
        };
        for rows in found {
            let (label, input): (&str, Box<dyn BufRead + '_>) = match rows {
                Rows::Path(path) => (path, open(path)?),
                Rows::Memory(bytes) => (request.name, Box::new(bytes.as_slice())),
            };
            let source = read::Source {
                needed: request.needed,
                lenient: self.lenient,
                ..read::Source::new(label, request.schema, request.memory)
            };
            let report = read::batches(input, &source, stage)?;
            if let Ok(mut reports) = self.reports.lock() {
                // Every reading of a file finds the same; one report is enough.
                reports.insert(label.to_owned(), report);
            }
        }
        Ok(())
    }
}

fn open(path: &str) -> Result<Box<dyn BufRead>, RuntimeError> {
    if path == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    #[allow(
        clippy::disallowed_methods,
        reason = "this module opens the files that a command line names"
    )]
    let file = std::fs::File::open(path).map_err(|error| {
        RuntimeError::new(
            Code::INPUT_UNREADABLE,
            format!("`{path}` cannot be opened: {error}"),
        )
    })?;
    Ok(Box::new(io::BufReader::with_capacity(1 << 20, file)))
}

impl Tables for Files {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        self.scan(request, &|batch| Ok(batch.clone()))
    }

    fn scan(&self, request: &TableRequest<'_>, stage: &Stage<'_>) -> Result<Batch, RuntimeError> {
        let mut parts = Vec::new();
        self.each(request, &mut |batch| {
            parts.push(stage(&batch)?);
            Ok(())
        })?;
        match Batch::concat(&parts, "read")? {
            Some(whole) => Ok(whole),
            // The stage decides the columns even of nothing.
            None => stage(&Batch::empty(request.schema.clone(), request.memory)),
        }
    }
}
