//! The less common operators and plugins: what each needs to run.
//!
//! In the algebra they are one kind, [`RelKind::Special`](crate::RelKind),
//! whose inputs and expressions anybody can walk without knowing which
//! operator it is. The first input is the one a pipeline goes on from.

use std::sync::Arc;

use crate::{AggregateCall, BindingId, Expr};

/// An operator or plugin.
#[derive(Clone, Debug)]
pub enum Operator {
    /// `consume`: no rows, no columns.
    Consume,
    /// `fork`: the inputs behind the first are the branches, rooted in
    /// [`RelKind::Input`](crate::RelKind); the first branch is the result.
    Fork,
    /// `facet by a, b`: per column a table of its values and how often each
    /// occurs. The first table is the result.
    Facet {
        /// The columns.
        columns: Vec<usize>,
    },
    /// `partition by key (…)`: the second input, rooted in
    /// [`RelKind::Input`](crate::RelKind), over the rows of each key.
    Partition {
        /// The key.
        key: Expr,
    },
    /// `partition by key { … }`: the second input, which does not read the
    /// first one's rows, once for each key.
    PartitionEach {
        /// The key.
        key: Expr,
        /// What stands for the key in the second input.
        variable: BindingId,
    },
    /// `parse-kv`: the input's columns, then the keys'.
    ParseKv {
        /// The text.
        text: Expr,
        /// How its pairs are told apart.
        pairs: KeyValues,
        /// For each key its output column.
        columns: Vec<usize>,
    },
    /// `top-nested`: per level its value and what it is ranked by.
    TopNested {
        /// Outermost first.
        levels: Vec<NestedLevel>,
    },
    /// `make-series`: keys, series, then the axis.
    MakeSeries {
        /// Group-by expressions.
        keys: Vec<Expr>,
        /// The series.
        series: Vec<Series>,
        /// The axis.
        axis: Expr,
        /// The first bin; the lowest with data when absent.
        from: Option<Expr>,
        /// The end, excluded; behind the highest bin with data when absent.
        to: Option<Expr>,
        /// The width of a bin.
        step: Expr,
        /// The older `in range(…)`: the end is included.
        closed: bool,
        /// `kind=nonempty`: one row of defaults even over no input.
        nonempty: bool,
    },
    /// `scan`: the input's columns, those declared, and the match's number.
    ///
    /// The expressions of steps are over a row of `1 + steps.len()` times
    /// `width` columns: the row at hand, extended by the declared columns, and
    /// for each step the last row that matched it.
    Scan {
        /// Columns of a row, declared ones included.
        width: usize,
        /// Declared columns and what they are before anything is assigned.
        declared: Vec<(usize, Option<Expr>)>,
        /// The steps.
        steps: Vec<ScanStep>,
        /// Rows of different keys are scanned apart.
        partition: Vec<Expr>,
        /// Whether the last output column is the number of the match.
        match_id: bool,
    },
    /// `evaluate bag_unpack(…)`: the input without the column, then a column
    /// for each key, by name.
    BagUnpack {
        /// The column.
        column: usize,
        /// Before each name.
        prefix: String,
        /// What happens to a key that is also a column.
        conflict: Conflict,
        /// Keys left out.
        ignored: Vec<String>,
    },
    /// `evaluate pivot(…)`: the kept columns, then a column for each value.
    Pivot {
        /// Whose values become columns.
        column: usize,
        /// What fills them.
        aggregate: AggregateCall,
        /// The columns kept, which group the rows.
        kept: Vec<usize>,
    },
    /// `evaluate narrow()`.
    Narrow,
    /// `evaluate schema_merge(…)`.
    SchemaMerge {
        /// Whether tables have to agree on the order of their columns.
        preserve_order: bool,
    },
    /// `evaluate ipv4_lookup(…)` and `ipv6_lookup`: the second input has the
    /// networks. The input's columns, then the table's.
    AddressLookup {
        /// Addresses of 128 bits.
        v6: bool,
        /// The address, over the first input.
        address: Expr,
        /// The network, over the second input.
        network: Expr,
        /// More keys that must be equal: over the first, over the second.
        keys: Vec<(Expr, Expr)>,
        /// Whether rows without a network stay.
        return_unmatched: bool,
    },
    /// `evaluate dcount_intersect(…)`: the input's columns, then the sizes of
    /// the intersections.
    DcountIntersect {
        /// States of distinct counts.
        states: Vec<Expr>,
    },
    /// A plugin that is told columns and constants in a fixed order.
    Plugin {
        /// `rows_near`, `sliding_window_counts`, …
        name: &'static str,
        /// Its arguments over the input.
        args: Vec<Expr>,
    },
    /// A union of so many tables that most columns of most of them are null:
    /// `search`, `find` and `union *` over a whole catalog.
    WideUnion {
        /// Whether the first output column is the source's name.
        with_source: bool,
        /// What `withsource` says, one for each input.
        labels: Vec<String>,
        /// For each input the pairs of an output column (after the source
        /// column) and the input's column that fills it.
        columns: Vec<Arc<[(usize, usize)]>>,
    },
}

/// How `parse-kv` tells pairs apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValues {
    /// Between pairs; with `between` empty, anything but letters and digits
    /// delimits.
    pub pair: String,
    /// Between a key and its value.
    pub between: String,
    /// What opens a quoted key or value, and what closes it.
    pub quote: Option<(char, char)>,
    /// What takes a quote's meaning away.
    pub escape: Option<char>,
    /// Whether a value goes on to the next delimiter that a key follows.
    pub greedy: bool,
    /// A pattern with groups for key and value, instead of delimiters.
    pub regex: Option<String>,
}

/// One level of `top-nested`.
#[derive(Clone, Debug)]
pub struct NestedLevel {
    /// The value.
    pub of: Expr,
    /// How many; all when absent.
    pub count: Option<Expr>,
    /// What stands for the rest.
    pub others: Option<Expr>,
    /// Aggregates over the rows of a value.
    pub aggregates: Vec<AggregateCall>,
    /// What ranks it: an expression over the aggregates' columns.
    pub by: Expr,
    /// Smallest first.
    pub ascending: bool,
}

/// One series of `make-series`.
#[derive(Clone, Debug)]
pub struct Series {
    /// Aggregates over the rows of a bin.
    pub aggregates: Vec<AggregateCall>,
    /// The value of a bin: an expression over the aggregates' columns.
    pub value: Expr,
    /// The value of an empty bin; zero when absent.
    pub default: Option<Expr>,
}

/// One step of `scan`.
#[derive(Clone, Debug)]
pub struct ScanStep {
    /// When a row matches.
    pub condition: Expr,
    /// Columns and what is assigned to them then.
    pub assignments: Vec<(usize, Expr)>,
    /// Which matching rows come out.
    pub output: ScanOutput,
}

/// Which rows of a step come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanOutput {
    /// Every row that matches.
    All,
    /// The last of those that match one after the other.
    Last,
    /// None.
    None,
}

/// What `bag_unpack` does with a key that is also a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// It is an error.
    Error,
    /// The key wins.
    ReplaceSource,
    /// The column wins.
    KeepSource,
}

impl Operator {
    /// How the user knows it: "`parse-kv`", "the plugin `narrow`".
    pub fn construct(&self) -> String {
        match self {
            Self::WideUnion { labels, .. } => format!("a union of {} tables", labels.len()),
            Self::Consume
            | Self::Fork
            | Self::Facet { .. }
            | Self::Partition { .. }
            | Self::PartitionEach { .. }
            | Self::ParseKv { .. }
            | Self::TopNested { .. }
            | Self::MakeSeries { .. }
            | Self::Scan { .. } => format!("`{}`", self.name()),
            _ => format!("the plugin `{}`", self.name()),
        }
    }

    /// Its name in the language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Consume => "consume",
            Self::Fork => "fork",
            Self::Facet { .. } => "facet",
            Self::Partition { .. } | Self::PartitionEach { .. } => "partition",
            Self::ParseKv { .. } => "parse-kv",
            Self::TopNested { .. } => "top-nested",
            Self::MakeSeries { .. } => "make-series",
            Self::Scan { .. } => "scan",
            Self::BagUnpack { .. } => "bag_unpack",
            Self::Pivot { .. } => "pivot",
            Self::Narrow => "narrow",
            Self::SchemaMerge { .. } => "schema_merge",
            Self::AddressLookup { v6: false, .. } => "ipv4_lookup",
            Self::AddressLookup { v6: true, .. } => "ipv6_lookup",
            Self::DcountIntersect { .. } => "dcount_intersect",
            Self::Plugin { name, .. } => name,
            Self::WideUnion { .. } => "union",
        }
    }

    /// Whether it gives one table, as most do.
    pub fn gives_table(&self) -> bool {
        !matches!(self, Self::Consume | Self::Fork | Self::Facet { .. })
    }

    /// The aggregates it computes.
    pub fn aggregates(&self) -> Vec<&AggregateCall> {
        match self {
            Self::TopNested { levels } => levels.iter().flat_map(|level| &level.aggregates).collect(),
            Self::MakeSeries { series, .. } => series.iter().flat_map(|s| &s.aggregates).collect(),
            Self::Pivot { aggregate, .. } => vec![aggregate],
            _ => Vec::new(),
        }
    }

    /// Its own expressions, in the order they are written.
    pub fn expressions(&self) -> Vec<&Expr> {
        let mut found: Vec<&Expr> = Vec::new();
        match self {
            Self::Consume
            | Self::Fork
            | Self::Facet { .. }
            | Self::BagUnpack { .. }
            | Self::Narrow
            | Self::SchemaMerge { .. }
            | Self::WideUnion { .. } => {}
            Self::Partition { key } | Self::PartitionEach { key, .. } => found.push(key),
            Self::ParseKv { text, .. } => found.push(text),
            Self::TopNested { levels } => {
                for level in levels {
                    found.extend(&level.count);
                    found.push(&level.of);
                    found.extend(&level.others);
                    found.extend(level.aggregates.iter().flat_map(|call| &call.args));
                    found.push(&level.by);
                }
            }
            Self::MakeSeries {
                keys,
                series,
                axis,
                from,
                to,
                step,
                ..
            } => {
                for one in series {
                    found.extend(one.aggregates.iter().flat_map(|call| &call.args));
                    found.push(&one.value);
                    found.extend(&one.default);
                }
                found.push(axis);
                found.extend(from.iter().chain(to));
                found.push(step);
                found.extend(keys);
            }
            Self::Scan {
                declared,
                steps,
                partition,
                ..
            } => {
                found.extend(partition);
                found.extend(declared.iter().filter_map(|(_, default)| default.as_ref()));
                for step in steps {
                    found.push(&step.condition);
                    found.extend(step.assignments.iter().map(|(_, value)| value));
                }
            }
            Self::Pivot { aggregate, .. } => found.extend(&aggregate.args),
            Self::AddressLookup {
                address,
                network,
                keys,
                ..
            } => {
                found.extend([address, network]);
                found.extend(keys.iter().flat_map(|(left, right)| [left, right]));
            }
            Self::DcountIntersect { states } => found.extend(states),
            Self::Plugin { args, .. } => found.extend(args),
        }
        found
    }
}
