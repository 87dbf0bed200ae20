//! The budget of bytes that a run may hold.
//!
//! Every column of every batch, and the state of every operator that keeps
//! some, reserves what it holds and gives it back when dropped. What is counted
//! is content; allocator overhead and code are not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::{Code, RuntimeError};

/// What a run may hold unless it says otherwise: 4 GiB.
pub const DEFAULT_MEMORY_LIMIT: usize = 4 << 30;

/// A shared budget. Clones count against the same limit.
#[derive(Clone, Debug)]
pub struct Memory {
    budget: Arc<Budget>,
    /// Why a run has failed where nobody could be told at once.
    failure: Arc<OnceLock<RuntimeError>>,
}

#[derive(Debug)]
struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::with_limit(DEFAULT_MEMORY_LIMIT)
    }
}

impl Memory {
    /// A budget of so many bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            budget: Arc::new(Budget {
                limit,
                held: AtomicUsize::new(0),
            }),
            failure: Arc::default(),
        }
    }

    /// The same budget for another run, which fails by itself.
    #[must_use]
    pub(crate) fn of_another_run(&self) -> Self {
        Self {
            budget: Arc::clone(&self.budget),
            failure: Arc::default(),
        }
    }

    /// The run has failed, and whoever asks next is told.
    pub(crate) fn fail(&self, error: RuntimeError) {
        // The first failure counts.
        let _ = self.failure.set(error);
    }

    /// Whether the run has failed.
    pub(crate) fn check(&self) -> Result<(), RuntimeError> {
        self.failure.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// A budget that never ends, for constants of a query.
    pub fn unlimited() -> Self {
        Self::with_limit(usize::MAX)
    }

    /// Bytes held now.
    pub fn held(&self) -> usize {
        self.budget.held.load(Ordering::Relaxed)
    }

    /// Reserves bytes for an operator, which the error names.
    pub fn reserve(&self, operator: &str, bytes: usize) -> Result<Reservation, RuntimeError> {
        self.check()?;
        let before = self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        // Made before the check, so that a refusal gives the bytes back too.
        let reservation = Reservation {
            memory: self.clone(),
            bytes,
        };
        if before.saturating_add(bytes) > self.budget.limit {
            return Err(RuntimeError::new(
                Code::MEMORY_LIMIT,
                format!(
                    "`{operator}` needs {} more, which passes the memory limit of {}; raise it with --memory or filter earlier",
                    human(bytes),
                    human(self.budget.limit)
                ),
            ));
        }
        Ok(reservation)
    }

    /// A reservation for an operator that grows while it works.
    pub fn growing<'a>(&self, operator: &'a str) -> Growing<'a> {
        Growing {
            memory: self.clone(),
            operator,
            pending: 0,
            reserved: Vec::new(),
        }
    }
}

/// Bytes that are given back when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    memory: Memory,
    bytes: usize,
}

impl Reservation {
    /// How many bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A reservation that grows in steps, so that counting a byte stays cheap.
#[derive(Debug)]
pub struct Growing<'a> {
    memory: Memory,
    operator: &'a str,
    pending: usize,
    reserved: Vec<Reservation>,
}

impl Growing<'_> {
    const STEP: usize = 1 << 20;

    /// Counts bytes; fails when the limit is passed.
    pub fn add(&mut self, bytes: usize) -> Result<(), RuntimeError> {
        self.pending = self.pending.saturating_add(bytes);
        if self.pending >= Self::STEP {
            let reservation = self.memory.reserve(self.operator, self.pending)?;
            self.pending = 0;
            self.reserved.push(reservation);
        }
        Ok(())
    }
}

fn human(bytes: usize) -> String {
    const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, size) in UNITS {
        if bytes >= size {
            return format!("{:.1} {unit}", bytes as f64 / size as f64);
        }
    }
    format!("{bytes} bytes")
}
