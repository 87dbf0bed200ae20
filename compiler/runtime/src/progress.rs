//! How far a run is, and whether somebody wants it to end.
//!
//! In: what readers say while they read. Out: counters for whoever looks from
//! another thread. Deliberately absent: the clock, and how progress is shown.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Code, RuntimeError};

/// Counters of a run; shared between its threads.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    rows: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts bytes of input that lie behind a reader.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts rows that a reader has given.
    pub fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Bytes read so far; a file that is read twice counts twice.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Rows read so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Asks whoever runs to stop as soon as it can.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// An error once somebody asked to stop; what long work calls now and then.
    pub fn check(&self) -> Result<(), RuntimeError> {
        if self.is_cancelled() {
            return Err(RuntimeError::new(
                Code::CANCELLED,
                "it was stopped before its end",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_to_stop_stops() {
        let progress = Progress::new();
        progress.add_bytes(3);
        progress.add_rows(2);
        assert_eq!((progress.bytes(), progress.rows()), (3, 2));
        assert!(progress.check().is_ok());
        progress.cancel();
        assert_eq!(progress.check().err().map(|e| e.code), Some(Code::CANCELLED));
    }
}
