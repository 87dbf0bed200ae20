//! The binder: a KQL syntax tree in, a typed relational algebra out.
//!
//! Every name is resolved against the catalog and every expression and
//! operator has a type. Deliberately absent: evaluating anything, and knowing
//! where the query came from.

mod query;

pub use query::{
    AggregateCall, Binding, BindingId, BindingKind, Column, Expr, ExprKind, JoinKind, MvItem, Origin, ParseKind,
    ParseStep, ProjectKind, Query, Rel, RelKind, SortKey, TableUse, UnionInput,
};
