//! The shape of a row: what is known about one function, operator or
//! aggregate of the language.
//!
//! In: nothing. Out: the row types and what a binder passes to and gets from
//! them. The rows themselves are in [`scalar`](mod@crate::scalar) and
//! [`aggregate`](mod@crate::aggregate); how argument types are checked is in
//! `signature`.

use std::cmp::Ordering;

use crate::{Type, Value};

/// A scalar function or operator at work. Total: it never panics, and an
/// argument that makes no sense gives null (the empty string where the result
/// is a string), as Kusto does.
///
/// A `typeof(T)` argument arrives as the string naming the type; a string
/// argument may arrive as a dynamic value and is read by its text.
pub type Kernel = fn(&[Value]) -> Value;

/// What the binder knows of an argument.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a> {
    /// The static type of the expression.
    pub ty: Type,
    /// Its value, where it is a literal or folds to one. `typeof(T)` is a
    /// string literal holding the name of the type.
    pub literal: Option<&'a Value>,
    /// How it is written.
    pub form: Form,
    /// What a dynamic value is known to hold.
    pub shape: Shape,
}

impl Arg<'_> {
    /// An argument of which only the type is known.
    pub fn of(ty: Type) -> Self {
        Arg {
            ty,
            literal: None,
            form: Form::Other,
            shape: Shape::Any,
        }
    }

    /// Whether nothing is known of its type, be it after a mistake.
    pub(crate) fn is_unknown(&self) -> bool {
        self.form == Form::Broken
            || (self.ty == Type::Unknown && !matches!(self.form, Form::Star | Form::Table | Form::TypeOf))
    }
}

/// How an argument is written, as far as functions care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A literal as such: without a sign or parentheses.
    Literal,
    /// A value that no row has a part in.
    Constant,
    /// The name of a column.
    Column,
    /// `typeof(T)`.
    TypeOf,
    /// `*`.
    Star,
    /// A table.
    Table,
    /// Something wrong that was reported.
    Broken,
    /// Anything else.
    Other,
}

/// What a dynamic value is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// That is not known.
    Any,
    /// An array.
    Array,
    /// A property bag.
    Bag,
    /// A number, a string or another plain value.
    Plain,
    /// Of a function's result: what the first argument holds.
    AsFirst,
}

/// Why arguments do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeError {
    /// Too few or too many arguments.
    Count {
        /// The fewest allowed.
        min: usize,
        /// The most allowed; none means any number.
        max: Option<usize>,
        /// How many there were.
        given: usize,
    },
    /// One argument has a type the function does not take.
    Argument {
        /// Which, from zero.
        index: usize,
        /// What would have been right, as words for a message.
        expected: &'static str,
        /// What it is.
        found: Type,
    },
    /// One argument is of a right type, but written in a way that the function
    /// does not take: no literal, no constant, no column.
    Form {
        /// Which, from zero.
        index: usize,
        /// What would have been right, as words for a message.
        expected: &'static str,
    },
    /// Anything else, as a sentence.
    Other(String),
}

/// A call that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What is wrong; at least one thing.
    pub errors: Vec<TypeError>,
    /// The type the call counts as all the same.
    pub ty: Type,
}

/// How the type of a call follows from its arguments.
pub type ResultRule = fn(&[Arg<'_>]) -> Result<Type, Mismatch>;

/// How Kusto names the column of a call that the query gives no name to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// As any other expression: `Column1`, `print_0`.
    Default,
    /// The name of the first argument, if that is a column: `tostring(x)` is `x`.
    FirstArgument,
    /// As [`Naming::FirstArgument`], but only when there is one argument.
    OnlyArgument,
    /// This, an underscore, and the name of the first argument if it has one:
    /// `dcount_x`, `count_`.
    Prefix(&'static str),
    /// As [`Naming::Prefix`] where the aggregate is all of an expression;
    /// nameless within one.
    PrefixAlone(&'static str),
    /// As [`Naming::Prefix`], then an underscore and the name of the second
    /// argument: `covariancep_x_y`.
    PrefixBoth(&'static str),
    /// Exactly this.
    Exactly(&'static str),
    /// The string value of the first argument, if it names a column
    /// (`column_ifexists`).
    FirstArgumentValue,
    /// `percentile_x_95`: this, the first argument, then each percentile asked
    /// for with `_` for its point; the second argument is a weight if
    /// `weighted`. One column each.
    Percentiles {
        /// The first word of the name.
        prefix: &'static str,
        /// Whether the second argument is a weight.
        weighted: bool,
    },
    /// Several columns that keep their own names, `*` standing for all columns
    /// not there yet. A nameless first one is `max_` after this prefix, the
    /// nameless i-th (from zero) `max_x_arg1`, where x is the first.
    Columns(&'static str),
    /// The deprecated `argmax`: as [`Naming::Columns`], but the first is
    /// `max_x` and the others `max_x_s`.
    PrefixedColumns(&'static str),
    /// `take_any`: columns keep their own names; the nameless i-th is
    /// `any_arg0` after this prefix.
    AnyColumns(&'static str),
    /// The deprecated `any`: each is `any_x`; nameless, as
    /// [`Naming::AnyColumns`], but alone just `any_`.
    PrefixedAnyColumns(&'static str),
}

/// What kind of thing a scalar row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Called by name.
    Function,
    /// Written between or before its operands.
    Operator,
    /// Called by name, over serialized rows; the runtime evaluates it.
    Window,
    /// Called by name; depends on more than its arguments (a clock, a column's
    /// name, a table, who asks), so the binder or the runtime resolves it.
    Context,
    /// Called by name, in the operators over graphs only.
    Graph,
    /// Called by name; gives a table, or a place that has tables.
    Tabular,
}

/// A scalar function or operator.
#[derive(Debug)]
pub struct ScalarFunction {
    /// The canonical spelling.
    pub name: &'static str,
    /// Other spellings, equally good.
    pub aliases: &'static [&'static str],
    /// The function to use instead of this one.
    pub deprecated: Option<&'static str>,
    /// Function, operator, window function, or one that needs a context.
    pub kind: Kind,
    /// The fewest arguments.
    pub min: usize,
    /// The most arguments; none means any number.
    pub max: Option<usize>,
    /// The name of an unnamed result.
    pub naming: Naming,
    /// Checks argument types and gives the type of the call.
    pub result: ResultRule,
    /// What a dynamic result always is.
    pub shape: Shape,
    /// Whether a call with constants only is itself a constant.
    pub folds: bool,
    /// The kernel; none parses and types but does not evaluate.
    pub kernel: Option<Kernel>,
    /// Path of the kernel in this crate: emitted Rust calls
    /// `rulec_functions::<path>(&[…])`. Empty where there is no kernel.
    pub path: &'static str,
    /// The columns of a call that makes several (`series_stats`), where the
    /// call is the whole expression; `{}` in a name stands for the name of the
    /// argument, and the type of the call is that of the first. The kernel
    /// gives an array of their values. Empty for the usual single column. The one column of `array_sort_asc` repeats for
    /// each array; with just one array the kernel gives its value itself.
    pub columns: &'static [(&'static str, Type)],
    /// One sentence.
    pub doc: &'static str,
    /// Expressions and what they print.
    pub examples: &'static [(&'static str, &'static str)],
}

/// Functions without a kernel that run all the same: the binder or the runtime
/// puts something in their place.
const RESOLVED: [&str; 22] = [
    "ago",
    "column_ifexists",
    "column_names_of",
    "columnifexists",
    "current_cluster_endpoint",
    "current_database",
    "current_principal",
    "current_principal_details",
    "current_principal_is_member_of",
    "ingestion_time",
    "new_guid",
    "next",
    "now",
    "prev",
    "rand",
    "row_cumsum",
    "row_number",
    "row_rank",
    "row_rank_dense",
    "row_rank_min",
    "row_window_session",
    "toscalar",
];

/// Where the arguments of an old function go: for each argument of its
/// successor, which of its own it is. Those not listed keep their places.
const MOVED: [(&str, &[usize]); 2] = [("replace", &[2, 0, 1]), ("row_rank", &[0])];

impl ScalarFunction {
    /// For a replaced function whose arguments do not all stay where they are:
    /// for each argument of its successor, which of its own it is.
    pub fn moved(&self) -> Option<&'static [usize]> {
        MOVED
            .iter()
            .find(|(name, _)| *name == self.name)
            .map(|(_, places)| *places)
    }

    /// Whether it runs here. The others are bound and typed, and running them
    /// is a located error.
    pub fn evaluates(&self) -> bool {
        self.kernel.is_some() || RESOLVED.contains(&self.name)
    }
}

/// The state of one aggregate over one group. A group's rows all go to one
/// accumulator, in order, so states are never merged.
pub trait Accumulator: Send {
    /// Takes one row's arguments, all of them in the order of the call,
    /// literal ones included.
    fn add(&mut self, args: &[Value]);

    /// The result; for an aggregate that makes several columns, the first.
    /// Not coerced: a sum of no rows is the long zero whatever the type.
    fn finish(self: Box<Self>) -> Value;

    /// The results of an aggregate that makes several columns. For `arg_max`,
    /// `arg_min` and `take_any` the runtime passes the values of all columns
    /// kept (the `*` expanded by the binder, the compared value first) and
    /// gets one value for each argument, in that order. For `percentiles`,
    /// one value for each percentile.
    fn finish_row(self: Box<Self>) -> Vec<Value> {
        vec![self.finish()]
    }

    /// About how many bytes the state holds beyond a fixed few, for limits.
    fn size(&self) -> usize {
        0
    }

    /// What stands for many rows of a group at once, where something does.
    fn reduction(&self) -> Reduction {
        Reduction::Each
    }
}

/// How the rows of a group that come one after the other may be reduced before
/// an [`Accumulator`] sees them, or without it: the result is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Not at all.
    Each,
    /// To their number; with an argument, of those for which it is true.
    Count,
    /// To one row with their sum, where they are whole numbers or times.
    Sum,
    /// To the first row with the value (the first argument) that orders least
    /// or greatest, or the first at all where there are only nulls.
    Extreme(Ordering),
    /// To the first row, or the first whose one argument is not null.
    First,
    /// To a [`crate::aggregate::sketch::Distinct`] of the first argument.
    Distinct {
        /// The precision in bits.
        bits: u32,
        /// Whether the result is the state instead of the count.
        as_state: bool,
    },
    /// To the different values of the first argument that are not null, in the
    /// order in which they were seen, up to so many.
    Set(usize),
    /// To the values of the first argument, in order, up to so many.
    List {
        /// How many at most.
        limit: usize,
        /// Whether nulls count.
        nulls: bool,
    },
    /// As another, of the rows for which the argument at this place is true;
    /// the other does not see that argument.
    Where(usize, Box<Reduction>),
}

/// Makes the state of a new group from the call's literal arguments: one
/// entry for each argument, null where it is not a literal.
pub type NewAccumulator = fn(&[Value]) -> Box<dyn Accumulator>;

/// An aggregate.
#[derive(Debug)]
pub struct Aggregate {
    /// The canonical spelling.
    pub name: &'static str,
    /// Other spellings, equally good.
    pub aliases: &'static [&'static str],
    /// The aggregate to use instead of this one.
    pub deprecated: Option<&'static str>,
    /// The fewest arguments.
    pub min: usize,
    /// The most arguments; none means any number.
    pub max: Option<usize>,
    /// The name of an unnamed result.
    pub naming: Naming,
    /// Whether `*` may stand for all columns.
    pub star: bool,
    /// Checks argument types and gives the type of the result (of the first
    /// column, where there are several: the others keep their arguments').
    pub result: ResultRule,
    /// What a dynamic result always is.
    pub shape: Shape,
    /// Makes the state; none parses and types but does not evaluate.
    pub new: Option<NewAccumulator>,
    /// Path of the function behind `new` in this crate. Empty where none.
    pub path: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Whole queries (they need rows) and what the first cell prints.
    pub examples: &'static [(&'static str, &'static str)],
}
