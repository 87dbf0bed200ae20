//! What a running query may ask the world for: the time, tables, memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use rulec_functions::{Necessary, Value};

use crate::batch::Batch;
use crate::error::{Code, RuntimeError};
use crate::memory::Memory;
use crate::progress::Progress;
use crate::schema::Schema;

/// What a query asks of a provider of tables.
#[derive(Clone, Copy, Debug)]
pub struct TableRequest<'a> {
    /// The table, or `watchlist:<alias>`, `externaldata:<uri>`, `FileProfile`.
    pub name: &'a str,
    /// The columns to fill, in this order. Data without a column gives nulls;
    /// when the schema is open, further columns of the data follow.
    pub schema: &'a Schema,
    /// Places in `schema` that are read; others may be left null. None: all.
    pub needed: Option<&'a [usize]>,
    /// The budget that the rows count against.
    pub memory: &'a Memory,
    /// What the rows must meet to matter. A provider may leave out rows that
    /// do not.
    pub wanted: Option<Wanted<'a>>,
}

/// What rows must meet to matter, in a run.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The condition.
    pub necessary: &'a Necessary,
    /// The time of the run, in ticks.
    pub now: i64,
    /// Who is told how far reading is.
    pub progress: &'a Progress,
}

/// The part of a query that works row by row right after a table. It is given
/// pieces of the table, perhaps from several threads at once.
pub type Stage<'a> = dyn Fn(&Batch) -> Result<Batch, RuntimeError> + Sync + 'a;

/// What is left to do with a piece of a table when its turn comes; false when no
/// more pieces are wanted.
pub type InTurn<'a> = Box<dyn FnOnce() -> Result<bool, RuntimeError> + Send + 'a>;

/// Work on the pieces of a table: perhaps on several threads at once, and in any
/// order. What it gives is called in the order of the table, one at a time.
pub type Work<'a> = dyn Fn(Batch) -> Result<InTurn<'a>, RuntimeError> + Sync + 'a;

/// Who is given what is left to do with pieces, in the order of the table; false
/// when no more are wanted.
pub type Take<'a> = dyn FnMut(InTurn<'_>) -> Result<bool, RuntimeError> + Send + 'a;

/// Where tables come from.
pub trait Tables: Sync {
    /// The rows of a table. A table nobody gave is an error that names it;
    /// see [`missing_table`](RuntimeError::missing_table).
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError>;

    /// The rows of a table after a first stage. A provider of large inputs
    /// overrides this to apply the stage to pieces, in the order of the input,
    /// so that only what survives is held.
    fn scan(&self, request: &TableRequest<'_>, stage: &Stage<'_>) -> Result<Batch, RuntimeError> {
        stage(&self.table(request)?)
    }

    /// The rows of a table for work on pieces of them, of which there is always
    /// at least one, if only an empty one. A provider of large inputs overrides
    /// this so that no more than a few pieces are held.
    fn fold(&self, request: &TableRequest<'_>, work: &Work<'_>) -> Result<(), RuntimeError> {
        let whole = self.scan(request, &|rows| Ok(rows.clone()))?;
        work(whole)?().map(|_| ())
    }
}

impl RuntimeError {
    /// No data was given for a table.
    pub fn missing_table(name: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.:/=-@%+,".contains(c);
        let quote = if name.chars().all(plain) { "" } else { "'" };
        Self::new(
            Code::MISSING_TABLE,
            format!("no data was given for `{name}`; add --data {quote}{name}=PATH{quote}"),
        )
    }
}

/// Where and when a query runs.
#[derive(Clone)]
pub struct Context<'a> {
    now: i64,
    tables: &'a dyn Tables,
    memory: Memory,
    progress: Arc<Progress>,
}

impl<'a> Context<'a> {
    /// A run at a time (100 ns ticks since 0001-01-01T00:00:00Z) over tables.
    pub fn new(now: i64, tables: &'a dyn Tables) -> Self {
        Self {
            now,
            tables,
            memory: Memory::default(),
            progress: Arc::default(),
        }
    }

    /// The same with another budget of bytes.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// The same, telling somebody how far it is and stopping when asked to.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// The same for another run, which fails by itself.
    #[must_use]
    pub fn of_another_run(&self) -> Self {
        let mut context = self.clone();
        context.memory = self.memory.of_another_run();
        context
    }

    /// How far the run is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The same over other tables.
    pub fn over<'b>(&self, tables: &'b dyn Tables) -> Context<'b> {
        Context {
            now: self.now,
            tables,
            memory: self.memory.clone(),
            progress: Arc::clone(&self.progress),
        }
    }

    /// Where its tables come from.
    pub fn tables(&self) -> &'a dyn Tables {
        self.tables
    }

    /// The time of the run, in ticks.
    pub fn now_ticks(&self) -> i64 {
        self.now
    }

    /// `now()`.
    pub fn now(&self) -> Value {
        Value::DateTime(self.now)
    }

    /// `ago(ticks)`.
    pub fn ago(&self, ticks: i64) -> Value {
        self.now.checked_sub(ticks).map_or(Value::Null, Value::DateTime)
    }

    /// The budget of bytes.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The rows of a table under a schema.
    pub fn table(&self, name: &str, schema: &Schema) -> Result<Batch, RuntimeError> {
        self.scan(name, schema, None, |rows| Ok(rows.clone()))
    }

    /// The rows of a table after a stage that works row by row. `needed` are
    /// the columns that the whole query reads.
    pub fn scan(
        &self,
        name: &str,
        schema: &Schema,
        needed: Option<&[usize]>,
        stage: impl Fn(&Batch) -> Result<Batch, RuntimeError> + Sync,
    ) -> Result<Batch, RuntimeError> {
        self.scan_where(name, schema, needed, &Necessary::ANYTHING, stage)
    }

    /// As [`Context::scan`], when rows that do not meet a condition do not get
    /// through the stage and need not be given to it.
    pub fn scan_where(
        &self,
        name: &str,
        schema: &Schema,
        needed: Option<&[usize]>,
        necessary: &Necessary,
        stage: impl Fn(&Batch) -> Result<Batch, RuntimeError> + Sync,
    ) -> Result<Batch, RuntimeError> {
        self.tables
            .scan(&self.request(name, schema, needed, necessary), &|piece| {
                self.progress.check()?;
                self.progress.add_rows(piece.rows() as u64);
                stage(piece)
            })
    }

    /// As [`Context::scan_where`], for work on pieces of the table that are not
    /// put together; see [`Tables::fold`].
    pub fn fold_where<'w>(
        &self,
        name: &str,
        schema: &Schema,
        needed: Option<&[usize]>,
        necessary: &Necessary,
        work: impl Fn(Batch) -> Result<InTurn<'w>, RuntimeError> + Sync + 'w,
    ) -> Result<(), RuntimeError> {
        self.tables
            .fold(&self.request(name, schema, needed, necessary), &|piece| {
                self.progress.check()?;
                self.progress.add_rows(piece.rows() as u64);
                work(piece)
            })
    }

    fn request<'r>(
        &'r self,
        name: &'r str,
        schema: &'r Schema,
        needed: Option<&'r [usize]>,
        necessary: &'r Necessary,
    ) -> TableRequest<'r> {
        TableRequest {
            name,
            schema,
            needed,
            memory: &self.memory,
            wanted: Some(Wanted {
                necessary,
                now: self.now,
                progress: &self.progress,
            }),
        }
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

/// Tables that are in memory already.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    tables: BTreeMap<String, Batch>,
}

impl InMemory {
    /// No tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a table.
    pub fn insert(&mut self, name: impl Into<String>, rows: Batch) {
        self.tables.insert(name.into(), rows);
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}

impl Tables for InMemory {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        let rows = self
            .tables
            .get(request.name)
            .ok_or_else(|| RuntimeError::missing_table(request.name))?;
        rows.conform(request.schema)
    }
}
