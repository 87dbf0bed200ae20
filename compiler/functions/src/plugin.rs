//! The plugins of `evaluate`: one row each.
//!
//! A row says what comes out as far as a table can; plugins whose columns
//! follow from their arguments in a way of their own are read by the binder.
//! Names and columns are those of the KQL reference.

use crate::signature::{self, Signature, sigs};
use crate::{Arg, Mismatch, Type};

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    /// As `evaluate` calls it.
    pub name: &'static str,
    signatures: &'static [Signature],
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What comes out.
    pub output: Output,
    /// Whether it runs here. The others are bound, and running them is a located error.
    pub evaluates: bool,
}

impl Plugin {
    /// Checks the arguments of a call. That an argument is the name of a column
    /// is checked, not of which table it is one.
    ///
    /// # Errors
    ///
    /// If the plugin does not take the arguments.
    pub fn check(&self, args: &[Arg<'_>]) -> Result<(), Mismatch> {
        signature::check(self.signatures, args).map(|_| ())
    }
}

/// Columns with their types.
pub type Columns = &'static [(&'static str, Type)];

/// What comes out of a plugin.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// These columns.
    Fixed(Columns),
    /// These columns, then the input's.
    Before(Columns),
    /// The input's columns.
    Input,
    /// What is counted over time: the column of the second argument, that of
    /// `state`, those of the arguments behind the first `fixed`, then these.
    Counts {
        /// Arguments before the dimensions.
        fixed: usize,
        /// One of them that also comes out.
        state: Option<usize>,
        /// The counts.
        columns: Columns,
    },
    /// The input's columns, then the first argument's name, an underscore and
    /// this; and another with `_error` behind it if the fourth argument is true.
    Answer(&'static str, Type),
    /// What the binder works out from the arguments.
    Arguments,
    /// What only the service knows: any columns, unless the query states them.
    Open,
}

/// The plugin called `name`; case matters.
pub fn plugin(name: &str) -> Option<&'static Plugin> {
    PLUGINS
        .binary_search_by(|row| row.name.cmp(name))
        .ok()
        .map(|at| &PLUGINS[at])
}

/// All plugins, sorted by name.
pub fn plugins() -> impl Iterator<Item = &'static Plugin> {
    PLUGINS.iter()
}

const fn row(
    name: &'static str,
    signatures: &'static [Signature],
    doc: &'static str,
    output: Output,
) -> Plugin {
    Plugin {
        name,
        signatures,
        doc,
        output,
        evaluates: false,
    }
}

const fn runs(
    name: &'static str,
    signatures: &'static [Signature],
    doc: &'static str,
    output: Output,
) -> Plugin {
    Plugin {
        name,
        signatures,
        doc,
        output,
        evaluates: true,
    }
}

const fn counts(fixed: usize, columns: Columns) -> Output {
    Output::Counts {
        fixed,
        state: None,
        columns,
    }
}

const RESPONSE: Output = Output::Fixed(&[
    ("ResponseHeaders", Type::Dynamic),
    ("ResponseBody", Type::Dynamic),
]);

const SEGMENTS: Output = Output::Before(&[
    ("SegmentId", Type::Long),
    ("Count", Type::Long),
    ("Percent", Type::Real),
]);

const STORAGE: Output = Output::Fixed(&[("CslSchema", Type::String)]);

/// Sorted by name.
static PLUGINS: &[Plugin] = &[
    runs(
        "active_users_count",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable .. ColumnNotDynamic) -> Unknown],
        "Counts values that were active often enough in a window before each period.",
        counts(8, &[("dcount", Type::Long)]),
    ),
    runs(
        "activity_counts_metrics",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable .. ColumnNotDynamic) -> Unknown],
        "Counts values in total, distinct, new and so far, for each period.",
        counts(
            5,
            &[
                ("count", Type::Long),
                ("dcount", Type::Long),
                ("new_dcount", Type::Long),
                ("aggregated_dcount", Type::Long),
            ],
        ),
    ),
    runs(
        "activity_engagement",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable) -> Unknown, (ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable .. ColumnNotDynamic) -> Unknown],
        "Compares the distinct values of a short window with those of a long one.",
        counts(
            6,
            &[
                ("dcount_activities_inner", Type::Long),
                ("dcount_activities_outer", Type::Long),
                ("activity_ratio", Type::Real),
            ],
        ),
    ),
    runs(
        "activity_metrics",
        sigs![(Column, ColumnSummable, ConstSummable, ConstSummable, ConstSummable .. ColumnNotDynamic) -> Unknown, (Column, ColumnSummable; ConstSummable, ConstSummable) -> Unknown],
        "Says how many values of one period come back in the next.",
        counts(
            5,
            &[
                ("dcount_values", Type::Long),
                ("dcount_newvalues", Type::Long),
                ("retention_rate", Type::Real),
                ("churn_rate", Type::Real),
            ],
        ),
    ),
    row(
        "ai_chat_completion",
        sigs![(Array, Text; Bag, Bool) -> Unknown],
        "Asks a language model about each row.",
        Output::Answer("completion", Type::String),
    ),
    row(
        "ai_chat_completion_prompt",
        sigs![(Text, Text; Bag, Bool) -> Unknown],
        "Asks a language model with one prompt for each row.",
        Output::Answer("completion", Type::String),
    ),
    row(
        "ai_embed_text",
        sigs![(Scalar, Text; Bag, Bool) -> Unknown],
        "Adds the embedding of a text by a language model.",
        Output::Answer("embedding", Type::Dynamic),
    ),
    row(
        "ai_embeddings",
        sigs![(Scalar, Text; Bag, Bool) -> Unknown],
        "Adds the embedding of a text by a language model.",
        Output::Answer("embeddings", Type::Dynamic),
    ),
    row(
        "autocluster",
        sigs![(; RealOrTilde, ColumnOrTilde, IntegerOrTilde .. Scalar) -> Unknown],
        "Finds the patterns that describe most rows.",
        SEGMENTS,
    ),
    row(
        "azure_digital_twins_query_request",
        sigs![(Text, Text) -> Unknown],
        "Asks an Azure Digital Twins service.",
        Output::Open,
    ),
    runs(
        "bag_unpack",
        sigs![(Column; FormatText) -> Unknown, (Column, FormatText, FormatText; Array) -> Unknown],
        "Makes a column of every key of a property bag.",
        Output::Arguments,
    ),
    row(
        "basket",
        sigs![(; RealOrTilde, ColumnOrTilde, IntegerOrTilde .. Scalar) -> Unknown],
        "Finds the patterns that more than a share of the rows have.",
        SEGMENTS,
    ),
    row(
        "cosmosdb_sql_request",
        sigs![(Text, Text; Bag, Bag) -> Unknown],
        "Asks a Cosmos DB service.",
        Output::Open,
    ),
    row(
        "csharp",
        sigs![(TypeOf, Text; Bag) -> Unknown],
        "Runs C# code over the rows.",
        Output::Arguments,
    ),
    row(
        "dax_request",
        sigs![(Text, Text; Bag, Bag) -> Unknown],
        "Asks a service by DAX.",
        Output::Open,
    ),
    runs(
        "dcount_intersect",
        sigs![(Array, Array .. Array) -> Unknown],
        "Says how many values sets that are kept as `hll` states have in common.",
        Output::Arguments,
    ),
    row(
        "diffpatterns",
        sigs![(Column, Text, Text; ColumnOrTilde, RealOrTilde, IntegerOrTilde .. Scalar) -> Unknown],
        "Finds the patterns by which two sets of rows differ.",
        Output::Before(&[
            ("SegmentId", Type::Long),
            ("CountA", Type::Long),
            ("CountB", Type::Long),
            ("PercentA", Type::Real),
            ("PercentB", Type::Real),
            ("PercentDiffAB", Type::Real),
        ]),
    ),
    row(
        "estimate_rows_count",
        sigs![() -> Unknown],
        "Estimates the number of rows.",
        Output::Fixed(&[("EstimatedRowsCount", Type::Long)]),
    ),
    row(
        "execute_query",
        sigs![(Text, Text) -> Unknown],
        "Asks another service by a query.",
        Output::Open,
    ),
    row(
        "execute_show_command",
        sigs![(Text, Text) -> Unknown],
        "Asks another service by a command.",
        Output::Open,
    ),
    row(
        "external_datatable",
        sigs![() -> Unknown],
        "Gives rows that lie elsewhere.",
        Output::Open,
    ),
    row(
        "funnel_sequence",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable, ColumnNotDynamic, ConstArray) -> Unknown],
        "Counts what comes in front of and behind a state in sequences of states.",
        Output::Arguments,
    ),
    row(
        "funnel_sequence_completion",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable, ColumnNotDynamic, ConstArray, ConstArray) -> Unknown],
        "Counts how many complete a sequence of states within periods.",
        Output::Counts {
            fixed: 8,
            state: Some(5),
            columns: &[("Period", Type::TimeSpan), ("dcount", Type::Long)],
        },
    ),
    row(
        "geo_line_lookup",
        sigs![(Table, ColumnBag, Column, Column, LiteralReal; LiteralBool, LiteralReal, LiteralBool) -> Unknown],
        "Finds the lines near a point in a table.",
        Output::Arguments,
    ),
    row(
        "geo_polygon_lookup",
        sigs![(Table, ColumnBag, Column, Column; LiteralReal, LiteralBool, LiteralReal, LiteralBool) -> Unknown],
        "Finds the areas around a point in a table.",
        Output::Arguments,
    ),
    row(
        "http_request",
        sigs![(ConstText; Bag, Bag) -> Unknown],
        "Asks a web service by GET.",
        RESPONSE,
    ),
    row(
        "http_request_post",
        sigs![(ConstText; Bag, Bag, ConstText) -> Unknown],
        "Asks a web service by POST.",
        RESPONSE,
    ),
    row(
        "identity",
        sigs![() -> Unknown],
        "Gives the rows as they are.",
        Output::Input,
    ),
    row(
        "identity_v3",
        sigs![(ConstText, ConstText) -> Unknown],
        "Gives the rows as they are.",
        Output::Input,
    ),
    row(
        "infer_storage_schema",
        sigs![(Bag) -> Unknown],
        "Reads the schema of files in a storage.",
        STORAGE,
    ),
    row(
        "infer_storage_schema_with_suggestions",
        sigs![(Bag) -> Unknown],
        "Reads the schema of files in a storage and suggests types.",
        Output::Fixed(&[("SuggestedTableSchema", Type::String)]),
    ),
    runs(
        "ipv4_lookup",
        sigs![(Table, Column, Column .. Column) -> Unknown, (Table, Column, Column .. Column => LiteralBool) -> Unknown],
        "Finds the networks of a table that hold an IPv4 address.",
        Output::Arguments,
    ),
    runs(
        "ipv6_lookup",
        sigs![(Table, Column, Column; LiteralBool) -> Unknown],
        "Finds the networks of a table that hold an IPv6 address.",
        Output::Arguments,
    ),
    row(
        "mysql_request",
        sigs![(Text, Text; Bag, Bag) -> Unknown],
        "Asks a MySQL server.",
        Output::Open,
    ),
    runs(
        "narrow",
        sigs![() -> Unknown],
        "Makes a row of every cell.",
        Output::Fixed(&[
            ("Row", Type::Long),
            ("Column", Type::String),
            ("Value", Type::String),
        ]),
    ),
    runs(
        "new_activity_metrics",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, Scalar; Scalar .. ColumnNotDynamic) -> Unknown, (ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, Scalar; Scalar .. ColumnNotDynamic => Table) -> Unknown],
        "Follows those who are new in a period through the next ones.",
        Output::Arguments,
    ),
    runs(
        "pivot",
        sigs![(ColumnNotDynamic; Anything .. Column) -> Unknown],
        "Makes a column of every value of a column.",
        Output::Arguments,
    ),
    row(
        "postgresql_request",
        sigs![(Text, Text; Bag, Bag) -> Unknown],
        "Asks a PostgreSQL server.",
        Output::Open,
    ),
    row(
        "preview",
        sigs![(Integer) -> Unknown],
        "Gives some rows and their number.",
        Output::Open,
    ),
    row(
        "python",
        sigs![(TypeOf, Text; Bag, Bag) -> Unknown],
        "Runs Python code over the rows.",
        Output::Arguments,
    ),
    row(
        "r",
        sigs![(TypeOf, Text; Bag) -> Unknown],
        "Runs R code over the rows.",
        Output::Arguments,
    ),
    runs(
        "rolling_percentile",
        sigs![(ColumnSummable, ConstNumber, ColumnSummable, Summable, ConstInteger .. ColumnNotDynamic) -> Unknown],
        "Gives a percentile of the last periods for each period.",
        Output::Arguments,
    ),
    runs(
        "rows_near",
        sigs![(Bool, ConstInteger; ConstInteger) -> Unknown],
        "Gives the rows around those that a condition picks.",
        Output::Input,
    ),
    runs(
        "schema_merge",
        sigs![(; Bool) -> Unknown],
        "Brings the columns of two schemas into one.",
        Output::Arguments,
    ),
    row(
        "sequence_detect",
        sigs![(ColumnSummable, ConstSummable, ConstSummable, Bool .. Step) -> Unknown],
        "Finds sequences of states within a time.",
        Output::Arguments,
    ),
    runs(
        "session_count",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable .. ColumnNotDynamic) -> Unknown],
        "Counts sessions, which end when nothing happens for a while.",
        counts(6, &[("count_sessions", Type::Long)]),
    ),
    runs(
        "sliding_window_counts",
        sigs![(ColumnNotDynamic, ColumnSummable, ConstSummable, ConstSummable, ConstSummable, ConstSummable .. ColumnNotDynamic) -> Unknown],
        "Counts values and distinct values in a window that ends with each period.",
        counts(6, &[("Count", Type::Long), ("Dcount", Type::Long)]),
    ),
    row(
        "sql_request",
        sigs![(Text, Text; Bag, Bag) -> Unknown],
        "Asks an SQL server.",
        Output::Open,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_found() {
        assert!(PLUGINS.is_sorted_by_key(|row| row.name));
        assert!(plugins().all(|row| plugin(row.name).is_some_and(|found| std::ptr::eq(found, row))));
        assert!(plugin("bag_unpak").is_none());
    }
}
