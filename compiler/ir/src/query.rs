//! The algebra. Columns are referred to by their index in the input of the
//! operator at hand, so an evaluator never looks up a name.

use std::sync::Arc;

use rulec_functions::{ScalarFunction, Type, Value};
use rulec_source::Span;

/// A query whose names are resolved.
#[derive(Clone, Debug)]
pub struct Query {
    /// Let bindings in the order they were written. User-defined functions are
    /// inlined where they are called and stand here only by name.
    pub bindings: Vec<Binding>,
    /// The tabular expression that gives the result; none when the text has none.
    pub root: Option<Rel>,
    /// Tables read, in order of first mention.
    pub tables: Vec<TableUse>,
    /// Built-in functions called, sorted.
    pub functions: Vec<String>,
    /// Tabular operators used, by canonical name, in order of first mention.
    pub operators: Vec<String>,
}

/// A table of the catalog (or outside it) that a query reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableUse {
    /// Its name.
    pub name: String,
    /// First mention.
    pub span: Span,
    /// Whether the catalog has it; otherwise it is open and takes any column.
    pub known: bool,
    /// Nobody asked for it by name: a wildcard, `search`, `find` or a fuzzy
    /// union did. Without data it is empty.
    pub optional: bool,
}

/// Index into [`Query::bindings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingId(pub usize);

/// `let name = …;`
#[derive(Clone, Debug)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// The name's place.
    pub name_span: Span,
    /// The whole statement's place.
    pub span: Span,
    /// Other bindings that its text mentions, in order of mention.
    pub derived_from: Vec<String>,
    /// What it stands for.
    pub kind: BindingKind,
}

/// What a let binding stands for.
#[derive(Clone, Debug)]
pub enum BindingKind {
    /// One value, computed once per run.
    Scalar(Expr),
    /// A table; `materialized` when the text asks for it. Evaluators may
    /// compute any of them once: the queries have no side effects.
    Table {
        /// The rows.
        rel: Rel,
        /// Whether `materialize()` was written.
        materialized: bool,
    },
    /// A user-defined function; its calls are inlined.
    Function,
}

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, exact.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
}

/// A tabular expression.
#[derive(Clone, Debug)]
pub struct Rel {
    /// What it does.
    pub kind: RelKind,
    /// What comes out, in order.
    pub columns: Arc<[Column]>,
    /// More columns than the listed may come out (unknown table, `bag_unpack`).
    pub open: bool,
    /// The operator in the query text: from its keyword to its end, without the pipe.
    pub span: Span,
}

/// Which spelling a projection had; evaluation is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ProjectKind {
    Project,
    Extend,
    Away,
    Keep,
    Rename,
    Reorder,
    Serialize,
}

/// The tabular operators.
#[derive(Clone, Debug)]
pub enum RelKind {
    /// Rows of a table given from outside.
    Table {
        /// Its name.
        name: String,
    },
    /// The rows of a let binding.
    Ref(BindingId),
    /// The rows that the enclosing `mv-apply`, `partition` or `fork` hands in.
    Input,
    /// `print` and `datatable`: constant rows.
    Rows(Vec<Vec<Expr>>),
    /// `range name from … to … step …`.
    Range {
        /// First value.
        from: Expr,
        /// Limit, included.
        to: Expr,
        /// Distance.
        step: Expr,
    },
    /// `externaldata(…)[uri]`, `_GetWatchlist('alias')`, and other tables that
    /// only a file given by the user can supply.
    External {
        /// How a user names it: `watchlist:<alias>`, or `externaldata:<uri>`,
        /// then further addresses behind blanks, and the format in brackets.
        key: String,
    },
    /// `where`.
    Filter {
        /// Rows in.
        input: Box<Rel>,
        /// A `bool`; rows where it is true stay.
        predicate: Expr,
    },
    /// `project`, `extend` and relatives: one expression per column that comes out.
    Project {
        /// Rows in.
        input: Box<Rel>,
        /// Which spelling.
        kind: ProjectKind,
        /// One per output column; a column passed on is `ExprKind::Column`.
        exprs: Vec<Expr>,
    },
    /// `summarize`: keys first, then what each aggregate gives.
    Summarize {
        /// Rows in.
        input: Box<Rel>,
        /// Group-by expressions.
        keys: Vec<Expr>,
        /// Aggregates in order.
        aggregates: Vec<AggregateCall>,
    },
    /// `distinct`.
    Distinct {
        /// Rows in.
        input: Box<Rel>,
        /// What makes a row distinct; also what comes out.
        exprs: Vec<Expr>,
    },
    /// `count`.
    Count {
        /// Rows in.
        input: Box<Rel>,
    },
    /// `sort by`.
    Sort {
        /// Rows in.
        input: Box<Rel>,
        /// Most significant first.
        keys: Vec<SortKey>,
    },
    /// `take`.
    Take {
        /// Rows in.
        input: Box<Rel>,
        /// How many: a constant.
        count: Expr,
    },
    /// `top n by …`.
    Top {
        /// Rows in.
        input: Box<Rel>,
        /// How many: a constant.
        count: Expr,
        /// Most significant first.
        keys: Vec<SortKey>,
    },
    /// `join` and `lookup`.
    Join {
        /// Left rows.
        left: Box<Rel>,
        /// Right rows.
        right: Box<Rel>,
        /// How.
        kind: JoinKind,
        /// Whether the text said `lookup`.
        lookup: bool,
        /// Key expressions over the left columns.
        left_keys: Vec<Expr>,
        /// Key expressions over the right columns, pairwise with `left_keys`.
        right_keys: Vec<Expr>,
        /// Which column of which side each output column is.
        output: Vec<Origin>,
    },
    /// `union`.
    Union {
        /// The tables.
        inputs: Vec<UnionInput>,
        /// Whether the first output column is `withsource`.
        with_source: bool,
    },
    /// `mv-expand`.
    MvExpand {
        /// Rows in.
        input: Box<Rel>,
        /// What is expanded, in parallel.
        items: Vec<MvItem>,
        /// Whether the last output column is the `with_itemindex` one.
        with_index: bool,
        /// `kind=array`: a property bag becomes `[key, value]` arrays, not single-key bags.
        bags_as_arrays: bool,
        /// `limit n`.
        limit: Option<Expr>,
        /// Output columns that come from the input unchanged (`None` for items
        /// and the index); an item's place is its [`MvItem::output`].
        passed: Vec<Option<usize>>,
    },
    /// `mv-apply`: for each row, the subquery over its expanded items.
    MvApply {
        /// Rows in.
        input: Box<Rel>,
        /// What is expanded, in parallel; `output` counts in the columns of
        /// the subquery's [`RelKind::Input`].
        items: Vec<MvItem>,
        /// For each column of the subquery's `Input`: the input column it
        /// repeats, or none when it is an item or the index.
        passed: Vec<Option<usize>>,
        /// Whether the last column of the subquery's `Input` is the index.
        with_index: bool,
        /// `limit n`.
        limit: Option<Expr>,
        /// The subquery, rooted in `Input`.
        subquery: Box<Rel>,
        /// Which column each output column is: `Left` the input's, `Right` the subquery's.
        output: Vec<Origin>,
    },
    /// `parse` and `parse-where`. Output: the input's columns, extended.
    Parse {
        /// Rows in.
        input: Box<Rel>,
        /// Simple, relaxed or regex.
        kind: ParseKind,
        /// Regex flags (`i`, `s`, `m`, `U`), empty for none.
        flags: String,
        /// The text.
        expr: Expr,
        /// The pattern.
        steps: Vec<ParseStep>,
        /// `parse-where`: rows that do not match are dropped.
        filter: bool,
    },
    /// A table function of the platform applied to rows (`invoke FileProfile(…)`).
    /// Output: the input's columns, then the function's.
    Invoke {
        /// Rows in.
        input: Box<Rel>,
        /// `FileProfile`, `DeviceFromIP`.
        function: String,
        /// Arguments over the input's columns.
        args: Vec<Expr>,
    },
    /// `getschema`.
    GetSchema {
        /// Rows in.
        input: Box<Rel>,
    },
    /// One of the less common operators and plugins.
    Special {
        /// Rows in; the first is the one the pipeline goes on from.
        inputs: Vec<Rel>,
        /// Which, and what it needs.
        operator: Box<crate::Operator>,
    },
    /// Bound and typed, but not runnable yet. Running it is a located error.
    Unsupported {
        /// Rows in, if any.
        inputs: Vec<Rel>,
        /// How the user knows it: "the plugin `autocluster`".
        construct: String,
    },
}

/// Where an output column comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A column of the left (or only) input.
    Left(usize),
    /// A column of the right input or subquery.
    Right(usize),
}

/// The kinds of join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JoinKind {
    /// The default: left rows are made unique by key first.
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    RightSemi,
    LeftAnti,
    RightAnti,
}

impl JoinKind {
    /// As a query names it: `kind=leftouter`.
    pub fn name(self) -> &'static str {
        match self {
            JoinKind::InnerUnique => "innerunique",
            JoinKind::Inner => "inner",
            JoinKind::LeftOuter => "leftouter",
            JoinKind::RightOuter => "rightouter",
            JoinKind::FullOuter => "fullouter",
            JoinKind::LeftSemi => "leftsemi",
            JoinKind::RightSemi => "rightsemi",
            JoinKind::LeftAnti => "leftanti",
            JoinKind::RightAnti => "rightanti",
        }
    }
}

/// One table of a union.
#[derive(Clone, Debug)]
pub struct UnionInput {
    /// The rows.
    pub rel: Rel,
    /// What `withsource` says.
    pub label: String,
    /// For each output column (after the source column) the column of this
    /// input, or none for null.
    pub columns: Vec<Option<usize>>,
}

/// One expression of `mv-expand` or `mv-apply`.
#[derive(Clone, Debug)]
pub struct MvItem {
    /// A dynamic value over the input's columns.
    pub expr: Expr,
    /// Index of the column that takes the items.
    pub output: usize,
    /// Its type: `to typeof(…)`, else dynamic.
    pub ty: Type,
}

/// How `parse` matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ParseKind {
    Simple,
    Relaxed,
    Regex,
}

/// One step of a parse pattern.
#[derive(Clone, Debug)]
pub enum ParseStep {
    /// `*`.
    Skip,
    /// A text, or a regular expression for [`ParseKind::Regex`].
    Text(String),
    /// A column that takes what stands there.
    Column {
        /// Index in the output columns.
        output: usize,
        /// Its type.
        ty: Type,
    },
}

/// One key of a sort.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// What is compared.
    pub expr: Expr,
    /// The default in KQL.
    pub descending: bool,
    /// Default: first when ascending, last when descending.
    pub nulls_first: bool,
}

/// One aggregate of a summarize.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// Canonical name, found by `rulec_functions::aggregate`.
    pub function: &'static str,
    /// Arguments over the input's columns. For `arg_max`, `arg_min` and
    /// `take_any`: the deciding expression (none for `take_any`), then every
    /// returned one, `*` already expanded.
    pub args: Vec<Expr>,
    /// How many output columns it fills.
    pub outputs: usize,
    /// Where it stands.
    pub span: Span,
}

/// A scalar expression over the columns of one relation.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Where it stands in the query text; empty for what the binder adds.
    pub span: Span,
}

/// The kinds of scalar expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant.
    Literal(Value),
    /// A column of the input.
    Column(usize),
    /// The value of a scalar let binding.
    Binding(BindingId),
    /// A function or operator.
    Call {
        /// Its row.
        function: &'static ScalarFunction,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// Conjunction of two or more.
    And(Vec<Expr>),
    /// Disjunction of two or more.
    Or(Vec<Expr>),
    /// The time the query runs at. `ago(x)` is lowered to `Now - x`.
    Now,
    /// When the row was ingested; null where rows have been combined.
    IngestionTime,
    /// A window function (`prev`, `row_number`, …) over ordered rows.
    Window {
        /// Its row.
        function: &'static ScalarFunction,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `toscalar(…)`: first column of the first row.
    ToScalar(Box<Rel>),
    /// A subquery where a list is expected: its first column as an array.
    List(Box<Rel>),
}
