//! The newest event of exported logs: what `now()` is when nobody says.
//!
//! A rule that looks back an hour finds nothing in a month-old export by the
//! clock, and everything in the export's last hour by this.

use std::sync::atomic::{AtomicI64, Ordering};

use rulec_functions::Necessary;

use crate::batch::Batch;
use crate::context::{TableRequest, Tables, Wanted};
use crate::error::RuntimeError;
use crate::memory::Memory;
use crate::progress::Progress;
use crate::schema::Schema;

/// The newest time, in ticks, at which an event of these tables was ingested,
/// which is its own time where the data does not say; none when no event has
/// a time. A table without data has none.
///
/// Nothing else of the events is looked at, but the data is read from its
/// beginning to its end.
pub fn newest<'a>(
    tables: &dyn Tables,
    names: impl IntoIterator<Item = &'a str>,
    progress: &Progress,
) -> Option<i64> {
    let (schema, memory) = (Schema::of(&[]), Memory::default());
    let newest = AtomicI64::new(i64::MIN);
    for name in names {
        let request = TableRequest {
            name,
            schema: &schema,
            needed: Some(&[]),
            memory: &memory,
            wanted: Some(Wanted {
                necessary: &Necessary::ANYTHING,
                now: 0,
                progress,
            }),
        };
        let scanned: Result<Batch, RuntimeError> = tables.scan(&request, &|piece| {
            progress.check()?;
            if let Some(times) = piece.ingestion_times() {
                let times = (0..piece.rows()).filter_map(|row| times.ticks(row));
                newest.fetch_max(times.max().unwrap_or(i64::MIN), Ordering::Relaxed);
            }
            Ok(Batch::empty(schema.clone(), &memory))
        });
        // Whoever reads the table for its rows says what is wrong with it.
        drop(scanned);
    }
    Some(newest.into_inner()).filter(|ticks| *ticks > i64::MIN)
}
