//! What a running rule needs: values in columns, the relational operators of
//! KQL, readers of exported logs, and writers of alerts.
//!
//! In: bytes of exported events and closures over rows. Out: batches and
//! alerts. The interpreter and the emitted Rust packages call the same
//! functions of [`ops`], so both give the same answers.
//!
//! Deliberately absent: query text, the IR, rule documents, YAML, and the
//! clock. Files are opened in [`files`] alone; everything else takes bytes or a
//! `BufRead`.

pub mod alert;
mod batch;
mod cell;
pub mod cli;
mod context;
pub mod emitted;
mod error;
pub mod files;
pub mod flow;
mod key;
mod late;
mod memory;
mod newest;
pub mod ops;
mod progress;
pub mod read;
pub mod rule;
mod scan;
mod schema;
pub mod session;
pub mod stream;
mod text_set;
mod turns;
mod vector;
pub mod write;

pub use batch::{Batch, BatchBuilder, Row, Rows};
pub use context::{Context, InMemory, InTurn, Stage, TableRequest, Tables, Take, Wanted, Work};
pub use error::{CODES, Code, Named, Place, RuntimeError};
pub use key::KeyBuffer;
pub use late::{Late, Later};
pub use memory::{DEFAULT_MEMORY_LIMIT, Growing, Memory, Reservation};
pub use newest::newest;
pub use progress::Progress;
pub use scan::condition;
pub use schema::{Column, Schema};
pub use text_set::TextSet;
pub use vector::{Builder, Vector};

/// Types, values and kernels: what closures over rows are made of.
pub use rulec_functions as functions;
pub use rulec_functions::{Bag, Moment, Necessary, TextTest, Type, Value};
