//! KQL types and values; one row and one kernel per scalar function, operator
//! and aggregate.
//!
//! In: values. Out: values, exactly as Kusto gives them. The crate is linked
//! by emitted rules, so it knows nothing of documents, syntax trees or files,
//! and it never reads a clock: `now()` and `ingestion_time()` are resolved by
//! whoever runs the rule.

mod args;
pub mod calendar;
pub mod convert;
pub mod fold;
mod function;
pub mod json;
mod necessary;
pub mod order;
mod plugin;
pub mod regexes;
#[macro_use]
pub mod scalar;
mod signature;
// After `scalar`, whose macros it uses.
pub mod aggregate;
pub mod text;
mod types;
mod value;
mod xml;
pub mod zones;

pub use aggregate::{aggregate, aggregates};
pub use convert::convert;
pub use function::{
    Accumulator, Aggregate, Arg, Form, Kernel, Kind, Mismatch, Naming, NewAccumulator, Reduction, ResultRule,
    ScalarFunction, Shape, TypeError,
};
pub use necessary::{INGESTED, Moment, Necessary, TextTest, is_plain_inside};
// The families, so that a row's path starts at the crate.
pub use plugin::{Columns, Output, Plugin, plugin, plugins};
pub use scalar::*;
pub use types::Type;
pub use value::{Bag, Value};
