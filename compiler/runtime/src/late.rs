//! Columns that are not read before somebody looks at them.
//!
//! Most columns of a table are only passed on: a rule compares a few, and of the
//! rows that are left in the end it shows all of them. A reader may therefore
//! leave columns where they are and only say where their rows lie. Whoever looks
//! at such a column has it read; so does [`Batch::settled`](crate::Batch::settled)
//! for the rows of a result.
//!
//! Which columns are looked at shows while a table is read, and what was looked
//! at in one piece is read at once in the next. What comes out does not depend
//! on it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::batch::Batch;
use crate::error::RuntimeError;
use crate::memory::{Memory, Reservation};
use crate::schema::Schema;
use crate::turns::try_in_order;

/// Rows that one thread reads before it takes more: few enough that all
/// processors have some.
const ROWS: Range<usize> = 1 << 6..1 << 12;
const PIECES: usize = 8;

/// Reads columns of rows it has given before.
pub trait Later: std::fmt::Debug + Send + Sync {
    /// Some columns, by their places in the table's schema and in that order, of
    /// the rows that lie at `rows`: ascending, each once.
    fn columns(&self, rows: &[u64], columns: &[usize]) -> Result<Batch, RuntimeError>;

    /// How rows are divided among processors.
    fn pieces<'r>(&self, rows: &'r [u64]) -> Vec<&'r [u64]> {
        rows.chunks((rows.len() / PIECES).clamp(ROWS.start, ROWS.end))
            .collect()
    }
}

/// A table of which not all columns are read at once.
#[derive(Debug)]
pub struct Late {
    reader: Box<dyn Later>,
    /// Per column of the table's schema, whether it is read at once.
    early: Box<[AtomicBool]>,
    changes: AtomicUsize,
}

impl Late {
    /// A table of so many columns, of which `early` are read at once.
    pub fn new(reader: impl Later + 'static, columns: usize, early: impl Fn(usize) -> bool) -> Arc<Self> {
        Arc::new(Self {
            reader: Box::new(reader),
            early: (0..columns)
                .map(|column| AtomicBool::new(early(column)))
                .collect(),
            changes: AtomicUsize::new(0),
        })
    }

    /// Grows when another column is read at once from now on.
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::Acquire)
    }

    /// The columns that are read at once.
    pub fn early(&self) -> Vec<usize> {
        let early = self.early.iter().enumerate();
        early
            .filter(|(_, early)| early.load(Ordering::Relaxed))
            .map(|(column, _)| column)
            .collect()
    }

    /// Somebody looks at a column.
    fn look(&self, column: usize) {
        if let Some(early) = self.early.get(column)
            && !early.swap(true, Ordering::Relaxed)
        {
            self.changes.fetch_add(1, Ordering::Release);
        }
    }
}

/// Where the rows of a batch lie.
#[derive(Debug)]
pub(crate) struct Places {
    tables: Vec<Arc<Late>>,
    /// Per row its table and where it is there.
    rows: Vec<(u32, u64)>,
    /// The columns that were not read at once, ascending.
    columns: Arc<[usize]>,
    ahead: Mutex<Ahead>,
    memory: Memory,
    _held: Reservation,
}

/// Columns that were read because others were looked at.
#[derive(Debug, Default)]
struct Ahead {
    read: BTreeMap<usize, Batch>,
    /// How often somebody looked.
    looks: u32,
}

impl Places {
    /// Rows of one table, of which some columns were not read.
    pub(crate) fn of(
        table: &Arc<Late>,
        rows: &[u64],
        columns: &[usize],
        memory: &Memory,
    ) -> Result<Arc<Self>, RuntimeError> {
        let rows = rows.iter().map(|row| (0, *row)).collect();
        Self::new(vec![Arc::clone(table)], rows, columns.into(), memory, "read")
    }

    fn new(
        tables: Vec<Arc<Late>>,
        rows: Vec<(u32, u64)>,
        columns: Arc<[usize]>,
        memory: &Memory,
        operator: &str,
    ) -> Result<Arc<Self>, RuntimeError> {
        let held = memory.reserve(operator, rows.len() * size_of::<(u32, u64)>())?;
        Ok(Arc::new(Self {
            tables,
            rows,
            columns,
            ahead: Mutex::default(),
            memory: memory.clone(),
            _held: held,
        }))
    }

    /// Rows by their numbers, repeats included.
    pub(crate) fn select(&self, rows: &[u32], operator: &str) -> Result<Arc<Self>, RuntimeError> {
        let rows = rows.iter().map(|row| self.rows[*row as usize]).collect();
        Self::new(
            self.tables.clone(),
            rows,
            Arc::clone(&self.columns),
            &self.memory,
            operator,
        )
    }

    /// The rows of several, one after the other.
    pub(crate) fn concat(parts: &[&Self], operator: &str) -> Result<Arc<Self>, RuntimeError> {
        let first = parts.first();
        let memory = first.map_or_else(Memory::default, |part| part.memory.clone());
        let columns = first.map_or_else(Arc::default, |part| Arc::clone(&part.columns));
        let mut tables: Vec<Arc<Late>> = Vec::new();
        let mut rows = Vec::with_capacity(parts.iter().map(|part| part.rows.len()).sum());
        for part in parts {
            let numbers = part.tables.iter().map(|table| {
                let known = tables.iter().position(|known| Arc::ptr_eq(known, table));
                known.unwrap_or_else(|| {
                    tables.push(Arc::clone(table));
                    tables.len() - 1
                })
            });
            let numbers = numbers.collect::<Vec<_>>();
            rows.extend(
                part.rows
                    .iter()
                    .map(|(table, row)| (numbers[*table as usize] as u32, *row)),
            );
        }
        Self::new(tables, rows, columns, &memory, operator)
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows of a column that somebody looks at. If they cannot be read, the
    /// run fails, and what this gives is never seen.
    pub(crate) fn look(&self, column: usize) -> Batch {
        for table in &self.tables {
            table.look(column);
        }
        self.try_look(column).unwrap_or_else(|error| {
            self.memory.fail(error);
            Batch::empty(Schema::of(&[]), &self.memory)
        })
    }

    fn try_look(&self, column: usize) -> Result<Batch, RuntimeError> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = ahead.read.remove(&column) {
            return Ok(read);
        }
        // Finding rows again takes longer than reading a value: whoever looks at one column after
        // the other is given ever more of them at once.
        let more = (1_usize << ahead.looks.min(16)) - 1;
        ahead.looks += 1;
        let next = self.columns.iter().copied().filter(|next| *next > column);
        let mut columns = vec![column];
        columns.extend(next.filter(|next| !ahead.read.contains_key(next)).take(more));
        let read = self.read(&columns)?;
        for (place, column) in columns.iter().enumerate().skip(1) {
            ahead.read.insert(*column, read.columns_at(&[place])?);
        }
        read.columns_at(&[0])
    }

    /// Columns of all rows.
    pub(crate) fn read(&self, columns: &[usize]) -> Result<Batch, RuntimeError> {
        if let ([], Some(table)) = (&self.rows[..], self.tables.first()) {
            return table.reader.columns(&[], columns);
        }
        // In the order in which they lie, each once.
        let mut wanted = self.rows.clone();
        if !wanted.is_sorted_by(|a, b| a < b) {
            wanted.sort_unstable();
            wanted.dedup();
        }
        let mut tables: Vec<(&Arc<Late>, Vec<u64>)> = Vec::new();
        for own in wanted.chunk_by(|a, b| a.0 == b.0) {
            if let Some(table) = own
                .first()
                .and_then(|(table, _)| self.tables.get(*table as usize))
            {
                tables.push((table, own.iter().map(|(_, row)| *row).collect()));
            }
        }
        let pieces = tables
            .iter()
            .map(|(table, rows)| (table, table.reader.pieces(rows)));
        let jobs = pieces.flat_map(|(table, pieces)| pieces.into_iter().map(move |rows| (table, rows)));
        let jobs = jobs.collect::<Vec<_>>();
        let work = |number: usize| {
            let (table, rows) = jobs[number];
            let read = table.reader.columns(rows, columns)?;
            if read.rows() == rows.len() && read.schema().len() == columns.len() {
                return Ok(read);
            }
            Err(RuntimeError::internal(
                "rows that were there before are not there any more",
            ))
        };
        let mut parts = Vec::with_capacity(jobs.len());
        try_in_order(jobs.len(), work, &mut |part| {
            parts.push(part);
            Ok(true)
        })?;
        let Some(read) = Batch::concat(&parts, "read")? else {
            return Ok(Batch::empty(Schema::of(&[]), &self.memory));
        };
        if wanted == self.rows {
            return Ok(read);
        }
        let number = |row| wanted.binary_search(row).unwrap_or_default() as u32;
        let numbers = self.rows.iter().map(number).collect::<Vec<_>>();
        read.select(&numbers, "read")
    }
}
