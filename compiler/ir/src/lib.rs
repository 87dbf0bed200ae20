//! The binder: a KQL syntax tree in, a typed relational algebra out.
//!
//! Every name is resolved against the catalog and every expression and
//! operator has a type. Deliberately absent: evaluating anything, and knowing
//! where the query came from.

pub mod analyze;
mod bind;
mod catalog;
pub mod codes;
mod dump;
mod looked_at;
mod necessary;
mod operator;
mod query;
pub mod walk;

pub use bind::{Lowered, lower};
pub use catalog::Catalog;
pub use codes::CODES;
pub use dump::dump;
pub use looked_at::looked_at;
pub use necessary::Conditions;
pub use operator::{Conflict, KeyValues, NestedLevel, Operator, ScanOutput, ScanStep, Series};
pub use query::{
    AggregateCall, Binding, BindingId, BindingKind, Column, Expr, ExprKind, JoinKind, MvItem, Origin,
    ParseKind, ParseStep, ProjectKind, Query, Rel, RelKind, SortKey, TableUse, UnionInput,
};
