//! Tables from files, for the command line of rulec and of emitted packages.
//!
//! In: which file, or which bytes, hold the rows of which table. Out: rows, as
//! queries ask for them. This module and [`crate::cli`] alone open files.

mod arguments;
mod content;
mod external;
mod mapped;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rulec_functions::Necessary;

use crate::batch::Batch;
use crate::context::{InTurn, Stage, TableRequest, Tables, Take, Wanted, Work};
use crate::error::{Code, RuntimeError};
use crate::progress::Progress;
use crate::read;
use crate::scan;

pub use arguments::Known;
pub use content::{ColumnFormat, Data};
use content::{Content, Streams};
use external::External;
pub use mapped::Map;
use mapped::{Index, Mapped};

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
    strict: bool,
    missing_empty: bool,
    columnar: Option<Box<dyn Columnar>>,
    streams: Streams,
    index: Index,
    reports: Mutex<BTreeMap<String, read::Report>>,
}

/// Reads files of columns. What does that is large, and no part of this crate.
pub trait Columnar: std::fmt::Debug + Send + Sync {
    /// Reads a file in pieces, which are worked on in any order and taken in
    /// that of the file. Rows that do not meet what is wanted may be left out.
    fn batches(
        &self,
        format: ColumnFormat,
        data: Data<'_>,
        source: &read::Source<'_>,
        wanted: Option<Wanted<'_>>,
        work: &Work<'_>,
        take: &mut Take<'_>,
    ) -> Result<read::Report, RuntimeError>;
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

    /// Whether every byte is checked, also where no rule looks.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Whether a table that was not given is empty instead of an error.
    #[must_use]
    pub fn missing_empty(mut self, missing_empty: bool) -> Self {
        self.missing_empty = missing_empty;
        self
    }

    /// What reads files of columns; without it they are an error.
    #[must_use]
    pub fn columnar(mut self, reader: impl Columnar + 'static) -> Self {
        self.columnar = Some(Box::new(reader));
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

    /// What people should know of the files that were read, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let Ok(reports) = self.reports.lock() else {
            return Vec::new();
        };
        reports
            .iter()
            .flat_map(|(path, report)| report.sentences(path))
            .collect()
    }

    /// What became of each file that was read so far, in order of its name.
    pub fn reports(&self) -> Vec<(String, read::Report)> {
        let reports = self.reports.lock().map(|reports| reports.clone());
        reports.unwrap_or_default().into_iter().collect()
    }

    /// The names of all tables that were given, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// How large the files of a table are together; streams count for nothing.
    pub fn bytes(&self, name: &str) -> u64 {
        let sizes = self.rows(name).into_iter().flatten().map(|rows| match rows {
            Rows::Memory(bytes) => bytes.len() as u64,
            Rows::Path(path) => content::size(path),
        });
        sizes.sum()
    }

    /// Whether data was given for a table.
    pub fn has(&self, name: &str) -> bool {
        self.rows(name).is_ok()
    }

    /// Where the rows of a table are; outside data may be at several addresses,
    /// each given by itself.
    fn rows(&self, name: &str) -> Result<Vec<&Rows>, RuntimeError> {
        let given = |name: &str| {
            let alias = name.strip_prefix("watchlist:");
            let found = self.tables.get(name).or_else(|| self.tables.get(alias?));
            found.ok_or_else(|| RuntimeError::missing_table(name))
        };
        match External::parse(name) {
            None => given(name).map(|rows| rows.iter().collect()),
            Some(external) => {
                let found = external.names().map(|name| given(&name));
                let found = found.collect::<Result<Vec<_>, _>>()?;
                Ok(found.into_iter().flatten().collect())
            }
        }
    }

    /// Looks through the files of tables once for the conditions of several
    /// rules, so that each rule is then given its own rows only. Saying less
    /// or nothing changes the time a run takes, not what it gives.
    pub fn prepare<'n>(
        &self,
        wanted: impl IntoIterator<Item = (&'n str, &'n Necessary)>,
        now: i64,
        progress: &Progress,
    ) -> Result<(), RuntimeError> {
        // Where every byte is to be checked, every rule reads every line anyway.
        if self.strict {
            return Ok(());
        }
        let mut tables: BTreeMap<&str, (Vec<&Necessary>, HashSet<&Necessary>)> = BTreeMap::new();
        for (table, condition) in wanted {
            let (conditions, known) = tables.entry(table).or_default();
            if !condition.is_anything() && known.insert(condition) {
                conditions.push(condition);
            }
        }
        for (table, (conditions, _)) in tables {
            // One rule is as quick without.
            if conditions.len() < 2 {
                continue;
            }
            for rows in self.rows(table).into_iter().flatten() {
                if let Rows::Path(path) = rows
                    && !content::is_stream(path)
                    && let Content::Plain(file) = content::file(path)?
                    && let Some(file) = Mapped::of(file.get_ref(), file.buffer(), path)
                {
                    let watch = |part: &[u8]| {
                        progress.add_bytes(part.len() as u64);
                        progress.check()
                    };
                    self.index.add(path, file, &conditions, now, &watch)?;
                }
            }
        }
        Ok(())
    }

    /// Works on the pieces of a table; how many there were.
    fn pieces(&self, request: &TableRequest<'_>, work: &Work<'_>) -> Result<usize, RuntimeError> {
        let mut turns = Turns::default();
        let found = match self.rows(request.name) {
            Err(_) if self.missing_empty => return Ok(0),
            found => found?,
        };
        let external = External::parse(request.name);
        for rows in found {
            let label = match rows {
                Rows::Path(path) if path == "-" => "standard input",
                Rows::Path(path) => path,
                Rows::Memory(_) => request.name,
            };
            let source = read::Source {
                table: Some(request.name),
                needed: request.needed,
                lenient: self.lenient,
                strict: self.strict,
                ..read::Source::new(label, request.schema, request.memory)
            };
            let source = match (&external, rows) {
                // A JSON file stands for whatever is at the address.
                (Some(external), Rows::Path(_)) if !read::is_named_json(label) => read::Source {
                    format: external.format,
                    header: external.header,
                    ..source
                },
                _ => source,
            };
            let report = self.read(rows, &source, request.wanted, work, &mut turns)?;
            if let Ok(mut reports) = self.reports.lock() {
                reports.entry(label.to_owned()).or_default().merge(report);
            }
            // Where every byte is to be checked, what comes later is as well.
            if turns.enough && !self.strict {
                break;
            }
        }
        Ok(turns.pieces)
    }

    fn read(
        &self,
        rows: &Rows,
        source: &read::Source<'_>,
        wanted: Option<Wanted<'_>>,
        work: &Work<'_>,
        turns: &mut Turns,
    ) -> Result<read::Report, RuntimeError> {
        // What columns an open table has shows only at its end.
        let mappable = wanted.filter(|_| !source.schema.is_open() && source.format.is_none());
        if let (Some(wanted), Rows::Path(path)) = (mappable, rows)
            && let Some(file) = self.index.file(path)
        {
            return self.scan_mapped(&file, source, wanted, work, turns);
        }
        let stream;
        let content = match rows {
            Rows::Path(path) if content::is_stream(path) => {
                stream = self.streams.get(path, source.memory)?;
                content::bytes(source.label, &stream.bytes)?
            }
            Rows::Path(path) => content::file(path)?,
            Rows::Memory(bytes) => content::bytes(source.label, bytes)?,
        };
        match content {
            Content::Plain(file) => {
                if let Some(wanted) = mappable
                    && let Some(file) = Mapped::of(file.get_ref(), file.buffer(), source.label)
                {
                    return self.scan_mapped(&Arc::new(file), source, wanted, work, turns);
                }
                read::batches(file, source, &mut |batch| turns.work(work, batch))
            }
            Content::Text(text) => read::batches(text, source, &mut |batch| turns.work(work, batch)),
            Content::Columns(format, data) => match &self.columnar {
                Some(reader) => {
                    reader.batches(format, data, source, wanted, work, &mut |turn| turns.take(turn))
                }
                None => Err(RuntimeError::new(
                    Code::INPUT_UNREADABLE,
                    format!(
                        "`{}` is a file in the format {}, which this program was built without",
                        source.label,
                        format.name()
                    ),
                )),
            },
        }
    }

    fn scan_mapped(
        &self,
        file: &Arc<Mapped>,
        source: &read::Source<'_>,
        wanted: Wanted<'_>,
        work: &Work<'_>,
        turns: &mut Turns,
    ) -> Result<read::Report, RuntimeError> {
        let take: &mut Take<'_> = &mut |turn| Ok(turns.take(turn)? || self.strict);
        let watch = |part: &[u8]| {
            // A file that other rules read too stays mapped.
            if self.index.file(source.label).is_none() {
                file.forget(part);
            }
            wanted.progress.add_bytes(part.len() as u64);
            wanted.progress.check()
        };
        let shared: scan::Shared = file.clone();
        // Where every byte is to be checked, every line is looked at.
        if !source.strict
            && let Some(places) = self.index.get(source.label, wanted.necessary)
        {
            return scan::rows_at(&shared, &places, source, wanted.necessary, work, take, &watch);
        }
        let screened = (wanted.necessary, wanted.now);
        scan::rows(&shared, source, screened, work, take, &watch)
    }
}

/// What has become of the pieces of a table.
#[derive(Debug, Default)]
struct Turns {
    pieces: usize,
    /// Whether no more are wanted.
    enough: bool,
}

impl Turns {
    /// Takes a piece whose turn it is; whether more are wanted.
    fn take(&mut self, turn: InTurn<'_>) -> Result<bool, RuntimeError> {
        self.pieces += 1;
        if !self.enough {
            self.enough = !turn()?;
        }
        Ok(!self.enough)
    }

    /// Works on a piece, whose turn it is at once.
    fn work(&mut self, work: &Work<'_>, piece: Batch) -> Result<(), RuntimeError> {
        // Readers of text have no end but that of the text.
        if self.enough {
            return Ok(());
        }
        self.take(work(piece)?).map(|_| ())
    }
}

impl Tables for Files {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        self.scan(request, &|batch| Ok(batch.clone()))
    }

    fn scan(&self, request: &TableRequest<'_>, stage: &Stage<'_>) -> Result<Batch, RuntimeError> {
        let parts = Mutex::new(Vec::new());
        self.pieces(request, &|piece| {
            let part = stage(&piece)?;
            Ok(Box::new(|| {
                parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
                Ok(true)
            }))
        })?;
        let parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        match Batch::concat(&parts, "read")? {
            Some(whole) => Ok(whole),
            // The stage decides the columns even of nothing.
            None => stage(&Batch::empty(request.schema.clone(), request.memory)),
        }
    }

    fn fold(&self, request: &TableRequest<'_>, work: &Work<'_>) -> Result<(), RuntimeError> {
        if self.pieces(request, work)? == 0 {
            let nothing = Batch::empty(request.schema.clone(), request.memory);
            work(nothing)?()?;
        }
        Ok(())
    }
}
