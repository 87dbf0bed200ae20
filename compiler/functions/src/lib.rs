//! KQL types and values; one row and one kernel per scalar function, operator
//! and aggregate.
//!
//! In: values. Out: values, exactly as Kusto gives them. The crate is linked
//! by emitted rules, so it knows nothing of documents, syntax trees or files,
//! and it never reads a clock: `now()` and `ingestion_time()` are resolved by
//! whoever runs the rule.

mod types;
mod value;

pub use types::Type;
pub use value::{Bag, Value};
