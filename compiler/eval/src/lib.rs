//! The interpreter: a bound query in, rows out.
//!
//! Expressions become closures once, bindings are computed when first needed
//! and only once, and every operator is a call into [`rulec_runtime::ops`],
//! the same that emitted Rust makes. Deliberately absent: parsing, names,
//! files, and operators of its own.

mod coverage;
mod demand;
mod error;
mod expr;
mod flow;
mod gather;
mod plan;
mod special;
mod steps;
mod support;
mod trace;

use rulec_ir::{Conditions, Query};
use rulec_runtime::{Batch, Context, Memory, Schema};

pub use coverage::{Condition, conditions, coverage};
pub use error::EvalError;
pub use rulec_runtime::write::batch_to_json;
pub use support::unsupported;
pub use trace::{Group, JoinKey, Part, Partners, Shape, Stage, Verdict, Why, trace};

/// Runs a query. A construct that cannot run is an error before any data is
/// read. A query without a tabular expression gives a table without columns.
pub fn run(query: &Query, ctx: &Context<'_>) -> Result<Batch, EvalError> {
    run_where(query, Conditions::of(query), ctx)
}

/// [`run`] for who knows already what rows of tables must meet to matter.
pub fn run_where(query: &Query, conditions: Conditions, ctx: &Context<'_>) -> Result<Batch, EvalError> {
    plan::run(query, conditions, ctx, None)
}

/// What a query without a tabular expression gives.
fn nothing() -> Batch {
    Batch::empty(Schema::of(&[]), &Memory::unlimited())
}
