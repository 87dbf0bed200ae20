//! The plugins of `evaluate`: one row each.
//!
//! A row says what comes out as far as a table can; plugins whose columns
//! follow from their arguments in a way of their own are read by the binder.
//! Names and columns are those of the KQL reference.

use crate::Type;

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    /// As `evaluate` calls it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What comes out.
    pub output: Output,
    /// Whether it runs here. The others are bound, and running them is a located error.
    pub evaluates: bool,
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

const fn row(name: &'static str, doc: &'static str, output: Output) -> Plugin {
    Plugin {
        name,
        doc,
        output,
        evaluates: false,
    }
}

const fn runs(name: &'static str, doc: &'static str, output: Output) -> Plugin {
    Plugin {
        name,
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
    row(
        "active_users_count",
        "Counts values that were active often enough in a window before each period.",
        counts(8, &[("dcount", Type::Long)]),
    ),
    runs(
        "activity_counts_metrics",
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
    row(
        "activity_metrics",
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
        "Asks a language model about each row.",
        Output::Open,
    ),
    row(
        "ai_chat_completion_prompt",
        "Asks a language model with one prompt for each row.",
        Output::Open,
    ),
    row(
        "ai_embed_text",
        "Adds the embedding of a text by a language model.",
        Output::Arguments,
    ),
    row(
        "ai_embeddings",
        "Adds the embedding of a text by a language model.",
        Output::Open,
    ),
    row(
        "autocluster",
        "Finds the patterns that describe most rows.",
        SEGMENTS,
    ),
    row(
        "azure_digital_twins_query_request",
        "Asks an Azure Digital Twins service.",
        Output::Open,
    ),
    runs(
        "bag_unpack",
        "Makes a column of every key of a property bag.",
        Output::Arguments,
    ),
    row(
        "basket",
        "Finds the patterns that more than a share of the rows have.",
        SEGMENTS,
    ),
    row("cosmosdb_sql_request", "Asks a Cosmos DB service.", Output::Open),
    runs(
        "dcount_intersect",
        "Says how many values sets that are kept as `hll` states have in common.",
        Output::Arguments,
    ),
    row(
        "diffpatterns",
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
        "Estimates the number of rows.",
        Output::Fixed(&[("EstimatedRowsCount", Type::Long)]),
    ),
    row(
        "funnel_sequence",
        "Counts what comes in front of and behind a state in sequences of states.",
        counts(
            8,
            &[
                ("prev", Type::String),
                ("next", Type::String),
                ("dcount", Type::Long),
                ("samples", Type::Dynamic),
            ],
        ),
    ),
    row(
        "funnel_sequence_completion",
        "Counts how many complete a sequence of states within periods.",
        Output::Counts {
            fixed: 8,
            state: Some(5),
            columns: &[("Period", Type::TimeSpan), ("dcount", Type::Long)],
        },
    ),
    row(
        "geo_line_lookup",
        "Finds the lines near a point in a table.",
        Output::Arguments,
    ),
    row(
        "geo_polygon_lookup",
        "Finds the areas around a point in a table.",
        Output::Arguments,
    ),
    row("http_request", "Asks a web service by GET.", RESPONSE),
    row("http_request_post", "Asks a web service by POST.", RESPONSE),
    row("identity", "Gives the rows as they are.", Output::Input),
    row("identity_v3", "Gives the rows as they are.", Output::Input),
    row(
        "infer_storage_schema",
        "Reads the schema of files in a storage.",
        STORAGE,
    ),
    row(
        "infer_storage_schema_with_suggestions",
        "Reads the schema of files in a storage and suggests types.",
        STORAGE,
    ),
    runs(
        "ipv4_lookup",
        "Finds the networks of a table that hold an IPv4 address.",
        Output::Arguments,
    ),
    runs(
        "ipv6_lookup",
        "Finds the networks of a table that hold an IPv6 address.",
        Output::Arguments,
    ),
    row("mysql_request", "Asks a MySQL server.", Output::Open),
    runs(
        "narrow",
        "Makes a row of every cell.",
        Output::Fixed(&[
            ("Row", Type::Long),
            ("Column", Type::String),
            ("Value", Type::String),
        ]),
    ),
    row(
        "new_activity_metrics",
        "Follows those who are new in a period through the next ones.",
        Output::Arguments,
    ),
    runs(
        "pivot",
        "Makes a column of every value of a column.",
        Output::Arguments,
    ),
    row("postgresql_request", "Asks a PostgreSQL server.", Output::Open),
    row("preview", "Gives some rows and their number.", Output::Open),
    row("python", "Runs Python code over the rows.", Output::Arguments),
    row("r", "Runs R code over the rows.", Output::Arguments),
    runs(
        "rolling_percentile",
        "Gives a percentile of the last periods for each period.",
        Output::Arguments,
    ),
    runs(
        "rows_near",
        "Gives the rows around those that a condition picks.",
        Output::Input,
    ),
    runs(
        "schema_merge",
        "Brings the columns of two schemas into one.",
        Output::Arguments,
    ),
    row(
        "sequence_detect",
        "Finds sequences of states within a time.",
        Output::Arguments,
    ),
    row(
        "session_count",
        "Counts sessions, which end when nothing happens for a while.",
        counts(6, &[("count_sessions", Type::Long)]),
    ),
    runs(
        "sliding_window_counts",
        "Counts values and distinct values in a window that ends with each period.",
        counts(6, &[("Count", Type::Long), ("Dcount", Type::Long)]),
    ),
    row("sql_request", "Asks an SQL server.", Output::Open),
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
