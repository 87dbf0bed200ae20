//! Tables in which the rows of one event are marked.
//!
//! The event is looked for among the rows that the data has: rows that agree
//! in every column that the query reads are one event to it. If the data does
//! not have it, it is added.

use std::sync::atomic::{AtomicBool, Ordering};

use rulec_runtime::{
    Batch, Code, KeyBuffer, Row, RuntimeError, Stage, TableRequest, Tables,
    read::{self, Source},
};

/// Tables, one of which holds the event.
pub(super) struct Following<'a> {
    pub(super) tables: &'a dyn Tables,
    /// The event's table.
    pub(super) table: &'a str,
    /// The event as a line of NDJSON.
    pub(super) line: &'a [u8],
}

impl Following<'_> {
    /// The event under the schema of a request.
    fn event(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        let source = Source {
            needed: request.needed,
            format: Some(read::Format::Ndjson),
            ..Source::new("the event", request.schema, request.memory)
        };
        let (event, _) = read::read(self.line, &source)?;
        let rows = event.rows();
        Ok(event.with_marks(vec![true; rows]))
    }
}

impl Tables for Following<'_> {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        self.scan(request, &|batch| Ok(batch.clone()))
    }

    fn scan(&self, request: &TableRequest<'_>, stage: &Stage<'_>) -> Result<Batch, RuntimeError> {
        if request.name != self.table {
            return self.tables.scan(request, stage);
        }
        let event = self.event(request)?;
        if request.schema.is_open() {
            return stage(&self.whole(request, event)?);
        }
        let wanted = key(event.row(0), request.needed);
        let found = AtomicBool::new(false);
        let scanned = self.tables.scan(request, &|piece| {
            let same = |row: &Row<'_>| key(*row, request.needed).bytes() == wanted.bytes();
            if found.load(Ordering::Relaxed) {
                return stage(piece);
            }
            match piece.iter().find(same) {
                // Pieces may come from several threads at once.
                Some(row) if !found.swap(true, Ordering::Relaxed) => stage(&marked(piece, row.index())),
                _ => stage(piece),
            }
        });
        let scanned = match scanned {
            Err(error) if error.code == Code::MISSING_TABLE => None,
            scanned => Some(scanned?),
        };
        if found.into_inner() {
            return scanned.map_or_else(|| stage(&event), Ok);
        }
        let parts = scanned.into_iter().chain([stage(&event)?]).collect::<Vec<_>>();
        Ok(Batch::concat(&parts, "read")?.unwrap_or(event))
    }
}

impl Following<'_> {
    /// A table that is not wholly known: its columns and the event's.
    fn whole(&self, request: &TableRequest<'_>, event: Batch) -> Result<Batch, RuntimeError> {
        let rows = match self.tables.table(request) {
            Err(error) if error.code == Code::MISSING_TABLE => return Ok(event),
            rows => rows?,
        };
        let event = event.conform(&rows.schema().clone().open())?;
        let rows = rows.conform(&event.schema().clone().open())?;
        let wanted = key(event.row(0), None);
        let found = rows.iter().find(|row| key(*row, None).bytes() == wanted.bytes());
        if let Some(row) = found {
            return Ok(marked(&rows, row.index()));
        }
        Ok(Batch::concat(&[rows, event.clone()], "read")?.unwrap_or(event))
    }
}

fn marked(rows: &Batch, row: usize) -> Batch {
    let marks = (0..rows.rows()).map(|index| index == row);
    rows.clone().with_marks(marks.collect::<Vec<_>>())
}

/// What the query sees of a row.
fn key(row: Row<'_>, needed: Option<&[usize]>) -> KeyBuffer {
    let mut key = KeyBuffer::new();
    match needed {
        Some(needed) => needed.iter().for_each(|column| key.push(&row.get(*column))),
        None => key.extend(&row.values()),
    }
    key.push(&row.ingestion_time());
    key
}
