//! The tabular operators of KQL, one function each.
//!
//! In: batches, and expressions as closures over rows. Out: batches. An
//! emitted rule reads like its query:
//!
//! ```
//! use rulec_runtime::ops::{self, column, desc, each, out};
//! use rulec_runtime::{Batch, Memory, RuntimeError, Schema, Type, Value};
//!
//! # fn main() -> Result<(), RuntimeError> {
//! let schema = Schema::of(&[("FileName", Type::String), ("Size", Type::Long)]);
//! let rows = [("a.exe", 3), ("b.txt", 5), ("c.exe", 9)];
//! let t = Batch::from_rows(
//!     schema,
//!     rows.map(|(name, size)| vec![Value::string(name), Value::Long(size)]),
//!     &Memory::default(),
//! )?;
//! // | where FileName endswith ".exe"
//! let t = ops::filter(&t, |r| r.str(0).ends_with(".exe"))?;
//! // | project FileName, Kilobytes = Size * 1000
//! let t = ops::project(&t, &[
//!     out("FileName", Type::String, column(0)),
//!     out("Kilobytes", Type::Long, each(|r| Value::Long(r.long(1).unwrap_or(0) * 1000))),
//! ])?;
//! // | sort by Kilobytes desc
//! let t = ops::sort(&t, &[desc(column(1))])?;
//! assert_eq!(t.row(0).str(0), "c.exe");
//! # Ok(())
//! # }
//! ```
//!
//! Closures are `Fn` and may be called from several threads.

mod activity;
mod bags;
mod bins;
mod cohorts;
mod columns;
mod expand;
mod group;
mod invoke;
mod join;
mod lookup;
mod nested;
mod order;
mod pairs;
mod parse;
mod pieces;
mod rows;
mod scan;
mod union;
pub mod window;

use std::sync::Arc;

use rulec_functions::{NewAccumulator, Type, Value};

use crate::batch::{Batch, Row};
use crate::error::RuntimeError;
use crate::schema::Column;
use crate::vector::{Builder, Vector};

pub use activity::{
    Activity, activity_counts_metrics, activity_engagement, rolling_percentile, rows_near,
    sliding_window_counts,
};
pub use bags::{Conflict, bag_unpack, narrow, pivot, schema_merge};
pub use bins::{Axis, SeriesOf, make_series};
pub use cohorts::{
    Active, Newcomers, active_users_count, activity_metrics, new_activity_metrics, session_count,
};
pub use columns::{
    agg_all, extend_last, left_all, passed, project_away, project_keep, project_rename, project_reorder,
};
pub use expand::{Expand, Item, item, mv_apply, mv_expand};
pub use group::{distinct, distinct_pieces, summarize, summarize_pieces};
pub use invoke::{FILE_PROFILE_COLUMNS, file_profile};
pub use join::{Found, JoinKind, Matching, Pick, Picks, Probe, join, left, right};
pub use lookup::{AddressKeys, address_lookup, dcount_intersect, partition};
pub use nested::{Level, top_nested};
pub use order::{sort, take, take_pieces, top, top_pieces};
pub use pairs::{Pairs, parse_kv};
pub use parse::{ParseKind, Pattern, Step, parse, parse_where};
pub use pieces::{Pieces, whole};
pub use rows::{count, count_pieces, extend, filter, getschema, project, range, rows};
pub use scan::{Scan, ScanOutput, ScanStep, scan};
pub use union::{Part, WidePart, part, union, wide_part, wide_union};

/// A scalar expression over the rows of one batch.
pub enum Expr<'a> {
    /// A column as it is.
    Column(usize),
    /// The same value for every row.
    Constant(Value),
    /// Computed from the row.
    Each(Box<dyn Fn(Row<'_>) -> Value + Send + Sync + 'a>),
}

impl Expr<'_> {
    /// The value for a row.
    pub fn of(&self, row: Row<'_>) -> Value {
        match self {
            Expr::Column(index) => row.get(*index),
            Expr::Constant(value) => value.clone(),
            Expr::Each(compute) => compute(row),
        }
    }

    /// The values for all rows of a batch, as a column of a type.
    pub fn vector(&self, input: &Batch, ty: Type) -> Vector {
        if let Expr::Constant(value) = self {
            let mut one = Builder::new(ty, 1);
            one.push(value.clone());
            return Vector::constant(one.finish().get(0), input.rows());
        }
        let mut builder = Builder::new(ty, input.rows());
        for row in input {
            builder.push(self.of(row));
        }
        builder.finish()
    }
}

impl std::fmt::Debug for Expr<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expr::Column(index) => f.debug_tuple("Column").field(index).finish(),
            Expr::Constant(value) => f.debug_tuple("Constant").field(value).finish(),
            Expr::Each(_) => f.write_str("Each"),
        }
    }
}

/// A column of the input.
pub fn column<'a>(index: usize) -> Expr<'a> {
    Expr::Column(index)
}

/// The same value for every row.
pub fn constant<'a>(value: Value) -> Expr<'a> {
    Expr::Constant(value)
}

/// A value computed from each row.
pub fn each<'a>(compute: impl Fn(Row<'_>) -> Value + Send + Sync + 'a) -> Expr<'a> {
    Expr::Each(Box::new(compute))
}

/// When each row was ingested; null where rows have been combined.
pub fn ingestion_time<'a>() -> Expr<'a> {
    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough in its lifetime"
    )]
    each(|row| row.ingestion_time())
}

/// Whether a predicate's value lets a row through: true, or a dynamic value
/// that means true. Null does not.
pub fn holds(predicate: &Value) -> bool {
    match predicate {
        Value::Bool(b) => *b,
        other => rulec_functions::convert::to_bool(other) == Some(true),
    }
}

/// A column that an operator puts out.
#[derive(Debug)]
pub struct Output<'a> {
    /// Its name and type.
    pub column: Column,
    /// Its values.
    pub expr: Expr<'a>,
}

/// A column to put out: its name, its type, its values.
pub fn out(name: impl Into<Arc<str>>, ty: Type, expr: Expr<'_>) -> Output<'_> {
    Output {
        column: Column::new(name, ty),
        expr,
    }
}

/// One key of a sort.
#[derive(Debug)]
pub struct Key<'a> {
    /// What is compared.
    pub expr: Expr<'a>,
    /// Greatest first.
    pub descending: bool,
    /// Nulls before everything else.
    pub nulls_first: bool,
}

impl Key<'_> {
    /// `nulls first`.
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.nulls_first = true;
        self
    }

    /// `nulls last`.
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.nulls_first = false;
        self
    }
}

/// Smallest first; nulls before all unless said otherwise.
pub fn asc(expr: Expr<'_>) -> Key<'_> {
    Key {
        expr,
        descending: false,
        nulls_first: true,
    }
}

/// Greatest first; nulls after all unless said otherwise.
pub fn desc(expr: Expr<'_>) -> Key<'_> {
    Key {
        expr,
        descending: true,
        nulls_first: false,
    }
}

/// One aggregate of a summarize.
pub struct Aggregation<'a> {
    /// Makes the state of a group: the `new` of a row of
    /// [`rulec_functions::Aggregate`].
    pub new: NewAccumulator,
    /// Its arguments, constant ones included.
    pub args: Vec<Expr<'a>>,
    /// The columns it fills.
    pub outputs: Vec<Column>,
    /// Columns of the input that are arguments besides, and filled too: all but
    /// those in these places.
    others: Option<Vec<usize>>,
}

impl<'a> Aggregation<'a> {
    /// An aggregate: what makes its state, its arguments, the columns it fills.
    pub fn new(new: NewAccumulator, args: Vec<Expr<'a>>, outputs: Vec<Column>) -> Self {
        Self {
            new,
            args,
            outputs,
            others: None,
        }
    }
}

impl std::fmt::Debug for Aggregation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aggregation")
            .field("args", &self.args)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// An aggregate: what makes its state, its arguments, the columns it fills.
pub fn agg<'a>(
    new: NewAccumulator,
    args: impl IntoIterator<Item = Expr<'a>>,
    outputs: &[(&str, Type)],
) -> Aggregation<'a> {
    let outputs = outputs.iter().map(|(name, ty)| Column::new(*name, *ty));
    Aggregation::new(new, args.into_iter().collect(), outputs.collect())
}

/// What operators give.
type Result<T> = std::result::Result<T, RuntimeError>;
