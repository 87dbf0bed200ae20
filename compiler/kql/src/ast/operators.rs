//! The tabular operators and what only they are made of.

use rulec_source::Span;

use super::{Body, Call, ColumnDecl, Expr, Name, Parameter, TypeName};

/// A column of `project`, `extend`, `summarize`, …: an expression with or
/// without names.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// `name = value`, `(a, b) = value`, or nothing.
    pub names: ColumnNames,
    /// The value.
    pub value: Expr,
    /// Both.
    pub span: Span,
}

/// What the result of a [`Column`] is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnNames {
    /// Nothing was said: the language derives a name.
    Derived,
    /// `name = …`.
    One(Name),
    /// `(a, b) = …`.
    Many(Vec<Name>),
}

/// `name = value` before or behind an operator: `kind=leftouter`,
/// `hint.strategy=broadcast`, `with_itemindex=i`, properties in `with (…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// With its dots: `hint.strategy`.
    pub name: Name,
    /// A literal, or an [`ExprKind::Name`] for a keyword or a new column's name.
    pub value: Expr,
    /// `ycolumns = a, b` has more than one value: those after the first.
    pub more: Vec<Expr>,
    /// The whole parameter.
    pub span: Span,
}

/// An expression to sort by.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    /// The expression; `top-nested` may name it.
    pub value: Column,
    /// `asc`, `desc`, or nothing (which means descending, but for `scan`,
    /// `project-reorder` and `partition`).
    pub order: Option<SortOrder>,
    /// `nulls first`, `nulls last`, or nothing.
    pub nulls: Option<NullsOrder>,
    /// All of it.
    pub span: Span,
}

/// A direction. The last two are for `project-reorder` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortOrder {
    /// `asc`
    Ascending,
    /// `desc`
    Descending,
    /// `granny-asc`: numbers inside names count as numbers.
    GrannyAscending,
    /// `granny-desc`
    GrannyDescending,
}

impl SortOrder {
    /// The keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
            Self::GrannyAscending => "granny-asc",
            Self::GrannyDescending => "granny-desc",
        }
    }
}

/// Where nulls go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullsOrder {
    /// `nulls first`
    First,
    /// `nulls last`
    Last,
}

/// A tabular operator with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// Which operator and what it was given.
    pub kind: OperatorKind,
    /// The keyword as written (`filter`, `order`, `mvexpand`), and where.
    pub keyword: Name,
    /// Parameters right behind the keyword: `kind=…`, `hint.x=…`, `withsource=…`.
    pub params: Vec<Param>,
    /// From the keyword to the end, without the `|`.
    pub span: Span,
}

impl Operator {
    /// The parameter of that name; names of parameters fold case.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params
            .iter()
            .find(|p| p.name.text.eq_ignore_ascii_case(name))
    }
}

/// The tabular operators, each with what it takes.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    /// Something behind a `|` that is no operator; an error was reported.
    Bad,
    /// `as Name`
    As {
        /// What the input is called from here on.
        name: Name,
    },
    /// `assert-schema (a: long)`
    AssertSchema {
        /// What the input must have.
        columns: Vec<ColumnDecl>,
    },
    /// `consume`
    Consume,
    /// `count`, `count as n`
    Count {
        /// The name of the one column.
        name: Option<Name>,
    },
    /// `distinct a, b`
    Distinct {
        /// Columns; [`ExprKind::Star`] stands for all.
        columns: Vec<Expr>,
    },
    /// `evaluate plugin(…) : (schema)`
    Evaluate {
        /// The plugin and its arguments.
        call: Call,
        /// What it promises to return.
        schema: Option<RowSchema>,
    },
    /// `execute-and-cache`
    ExecuteAndCache,
    /// `extend a = x, b = y`
    Extend {
        /// What is computed.
        columns: Vec<Column>,
    },
    /// `facet by a, b with (…)`
    Facet {
        /// The columns.
        by: Vec<Expr>,
        /// The query applied to each, or one operator.
        with: Option<Box<Expr>>,
    },
    /// `find in (T, U) where predicate project a, b`
    Find(Find),
    /// `fork name=(…) (…)`
    Fork {
        /// The queries.
        branches: Vec<ForkBranch>,
    },
    /// `getschema`
    GetSchema,
    /// `graph-mark-components`
    GraphMarkComponents,
    /// `graph-match (a)-[e]->(b) where … project …`
    GraphMatch(GraphMatch),
    /// `graph-shortest-paths (a)-[e*1..5]->(b) where … project …`
    GraphShortestPaths(GraphMatch),
    /// `graph-to-table nodes as N, edges as E`
    GraphToTable {
        /// The tables.
        outputs: Vec<GraphOutput>,
    },
    /// `graph-where-nodes predicate`
    GraphWhereNodes {
        /// Which stay.
        predicate: Box<Expr>,
    },
    /// `graph-where-edges predicate`
    GraphWhereEdges {
        /// Which stay.
        predicate: Box<Expr>,
    },
    /// `invoke f(…)`
    Invoke {
        /// The function: a call, or a path that ends in one.
        function: Box<Expr>,
    },
    /// `join kind=… (T) on a, $left.b == $right.c`
    Join {
        /// The right side.
        right: Box<Expr>,
        /// How rows are matched; may be absent for some kinds.
        condition: Option<JoinCondition>,
    },
    /// `lookup kind=… (T) on a`
    Lookup {
        /// The right side.
        right: Box<Expr>,
        /// How rows are matched.
        condition: Option<JoinCondition>,
    },
    /// `macro-expand entity_group […] as X ( … )`
    MacroExpand {
        /// The group: a name, a call or [`ExprKind::EntityGroup`].
        group: Box<Expr>,
        /// What an entity of it is called within.
        scope: Name,
        /// Evaluated for each; always with a result when error-free.
        body: Body,
    },
    /// `make-graph source --> target with nodes on id`
    MakeGraph(MakeGraph),
    /// `make-series a = count() default = 0 on t from x to y step z by k`
    MakeSeries(MakeSeries),
    /// `mv-apply a = x to typeof(long) limit 3 on ( … )`
    MvApply {
        /// What is expanded.
        columns: Vec<MvColumn>,
        /// The most rows for one input row.
        limit: Option<Box<Expr>>,
        /// `id guid`, which tools generate.
        id: Option<Box<Expr>>,
        /// Applied to the rows of each input row.
        query: Box<Expr>,
    },
    /// `mv-expand a = x to typeof(long), b limit 3`
    MvExpand {
        /// What is expanded.
        columns: Vec<MvColumn>,
        /// The most rows for one input row.
        limit: Option<Box<Expr>>,
    },
    /// `parse x with "a" b: long *`
    Parse(Parse),
    /// `parse-kv x as (a: string) with (pair_delimiter = ";")`
    ParseKv {
        /// What is parsed.
        value: Box<Expr>,
        /// The keys and their types.
        columns: Vec<ColumnDecl>,
        /// The delimiters.
        properties: Vec<Param>,
    },
    /// `parse-where x with …`
    ParseWhere(Parse),
    /// `partition by a ( … )` or `{ … }`
    Partition(Partition),
    /// `__partitionby a ( … )`
    PartitionBy(Partition),
    /// `print a = 1, 2`
    Print {
        /// What is computed.
        columns: Vec<Column>,
    },
    /// `project a, b = x`
    Project {
        /// What is computed.
        columns: Vec<Column>,
    },
    /// `project-away a, b*`
    ProjectAway {
        /// Names and wildcards.
        columns: Vec<Expr>,
    },
    /// `project-by-names …`
    ProjectByNames {
        /// Names, wildcards and expressions that yield names.
        columns: Vec<Expr>,
    },
    /// `project-keep a, b*`
    ProjectKeep {
        /// Names and wildcards.
        columns: Vec<Expr>,
    },
    /// `project-rename new = old`
    ProjectRename {
        /// Each with a name.
        columns: Vec<Column>,
    },
    /// `project-reorder a, b* asc`
    ProjectReorder {
        /// Names and wildcards with an order.
        columns: Vec<Ordered>,
    },
    /// `range x from a to b step c`
    Range {
        /// The column made.
        column: Name,
        /// The first value.
        from: Box<Expr>,
        /// The last possible value.
        to: Box<Expr>,
        /// The difference.
        step: Box<Expr>,
    },
    /// `reduce by x with threshold = 0.1`
    Reduce {
        /// What is reduced.
        by: Box<Column>,
        /// How.
        properties: Vec<Param>,
    },
    /// `render timechart with (title = "…")`
    Render {
        /// The chart.
        visualization: Name,
        /// Properties, in `with (…)` or in the older form without.
        properties: Vec<Param>,
        /// Whether they stand in `with (…)`.
        with: bool,
    },
    /// `sample n`
    Sample {
        /// How many rows.
        count: Box<Expr>,
    },
    /// `sample-distinct n of x`
    SampleDistinct {
        /// How many values.
        count: Box<Expr>,
        /// Of which expression.
        of: Box<Expr>,
    },
    /// `scan … with ( step … )`
    Scan(Scan),
    /// `search in (T, U) predicate`
    Search {
        /// Where; empty means everywhere (or the input).
        tables: Vec<Expr>,
        /// What.
        predicate: Box<Expr>,
    },
    /// `serialize a = x`
    Serialize {
        /// What is computed; often nothing.
        columns: Vec<Column>,
    },
    /// `sort by a desc nulls last, b`
    Sort {
        /// The keys.
        by: Vec<Ordered>,
    },
    /// `summarize a = count() by b, bin(c, 1h)`
    Summarize {
        /// The aggregates.
        aggregates: Vec<Column>,
        /// Whether there was a `by` at all.
        has_by: bool,
        /// The keys.
        by: Vec<Column>,
        /// The old `by x bin = 1h`.
        bin: Option<Box<Expr>>,
    },
    /// `take n`
    Take {
        /// How many rows.
        count: Box<Expr>,
    },
    /// `top n by x`
    Top {
        /// How many rows.
        count: Box<Expr>,
        /// The key.
        by: Box<Ordered>,
    },
    /// `top-hitters n of x by y`
    TopHitters {
        /// How many values.
        count: Box<Expr>,
        /// Of which expression.
        of: Box<Expr>,
        /// What is summed.
        by: Option<Box<Expr>>,
    },
    /// `top-nested 2 of a by count(), top-nested …`
    TopNested {
        /// From the outermost.
        levels: Vec<TopNestedLevel>,
    },
    /// `union T, U*`
    Union {
        /// The tables.
        tables: Vec<Expr>,
    },
    /// `where predicate`
    Where {
        /// Which rows stay.
        predicate: Box<Expr>,
    },
}

impl OperatorKind {
    named! {
        /// The canonical name, whatever spelling was used: `where` for `filter`,
        /// `sort` for `order`, `take` for `limit`.
        name,
        /// Every name [`OperatorKind::name`] gives.
        NAMES,
        Self::Bad => "bad",
        Self::As { .. } => "as",
        Self::AssertSchema { .. } => "assert-schema",
        Self::Consume => "consume",
        Self::Count { .. } => "count",
        Self::Distinct { .. } => "distinct",
        Self::Evaluate { .. } => "evaluate",
        Self::ExecuteAndCache => "execute-and-cache",
        Self::Extend { .. } => "extend",
        Self::Facet { .. } => "facet",
        Self::Find(_) => "find",
        Self::Fork { .. } => "fork",
        Self::GetSchema => "getschema",
        Self::GraphMarkComponents => "graph-mark-components",
        Self::GraphMatch(_) => "graph-match",
        Self::GraphShortestPaths(_) => "graph-shortest-paths",
        Self::GraphToTable { .. } => "graph-to-table",
        Self::GraphWhereNodes { .. } => "graph-where-nodes",
        Self::GraphWhereEdges { .. } => "graph-where-edges",
        Self::Invoke { .. } => "invoke",
        Self::Join { .. } => "join",
        Self::Lookup { .. } => "lookup",
        Self::MacroExpand { .. } => "macro-expand",
        Self::MakeGraph(_) => "make-graph",
        Self::MakeSeries(_) => "make-series",
        Self::MvApply { .. } => "mv-apply",
        Self::MvExpand { .. } => "mv-expand",
        Self::Parse(_) => "parse",
        Self::ParseKv { .. } => "parse-kv",
        Self::ParseWhere(_) => "parse-where",
        Self::Partition(_) => "partition",
        Self::PartitionBy(_) => "__partitionby",
        Self::Print { .. } => "print",
        Self::Project { .. } => "project",
        Self::ProjectAway { .. } => "project-away",
        Self::ProjectByNames { .. } => "project-by-names",
        Self::ProjectKeep { .. } => "project-keep",
        Self::ProjectRename { .. } => "project-rename",
        Self::ProjectReorder { .. } => "project-reorder",
        Self::Range { .. } => "range",
        Self::Reduce { .. } => "reduce",
        Self::Render { .. } => "render",
        Self::Sample { .. } => "sample",
        Self::SampleDistinct { .. } => "sample-distinct",
        Self::Scan(_) => "scan",
        Self::Search { .. } => "search",
        Self::Serialize { .. } => "serialize",
        Self::Sort { .. } => "sort",
        Self::Summarize { .. } => "summarize",
        Self::Take { .. } => "take",
        Self::Top { .. } => "top",
        Self::TopHitters { .. } => "top-hitters",
        Self::TopNested { .. } => "top-nested",
        Self::Union { .. } => "union",
        Self::Where { .. } => "where",
    }
}

/// `: (*, a: long)` behind an `evaluate`.
#[derive(Clone, Debug, PartialEq)]
pub struct RowSchema {
    /// Whether the input's columns come first: `(*, a: long)`.
    pub star: bool,
    /// The columns.
    pub columns: Vec<ColumnDecl>,
    /// With the parentheses.
    pub span: Span,
}

/// What `find` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// `in (…)`: where; empty means everywhere (or the input).
    pub tables: Vec<Expr>,
    /// What.
    pub predicate: Box<Expr>,
    /// Which columns come out.
    pub output: FindOutput,
    /// `project-away a, b` behind it; holds [`ExprKind::Star`] or names.
    pub project_away: Vec<Expr>,
}

/// The columns `find` returns.
#[derive(Clone, Debug, PartialEq)]
pub enum FindOutput {
    /// Nothing was said.
    Default,
    /// `project-smart`.
    Smart,
    /// `project a, b: string, pack(*)`.
    Project(Vec<FindColumn>),
}

/// A column `find` returns.
#[derive(Clone, Debug, PartialEq)]
pub struct FindColumn {
    /// The column; a [`ExprKind::Call`] for `pack(*)`.
    pub column: Expr,
    /// The type wanted.
    pub ty: Option<TypeName>,
}

/// One query of `fork`.
#[derive(Clone, Debug, PartialEq)]
pub struct ForkBranch {
    /// `name = ( … )`.
    pub name: Option<Name>,
    /// A pipeline without a source.
    pub query: Expr,
    /// All of it.
    pub span: Span,
}

/// How two tables are matched.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition {
    /// `on a, $left.b == $right.c`: all must hold.
    On(Vec<Expr>),
    /// `where predicate`.
    Where(Box<Expr>),
}

/// What `graph-match` and `graph-shortest-paths` take.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphMatch {
    /// The patterns, comma-separated.
    pub patterns: Vec<GraphPattern>,
    /// `where …`
    pub predicate: Option<Box<Expr>>,
    /// `project …`
    pub project: Option<Vec<Column>>,
}

/// `(a)-[e]->(b)`: nodes and edges in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphPattern {
    /// The parts.
    pub parts: Vec<GraphPart>,
    /// All of it.
    pub span: Span,
}

/// A node or an edge of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphPart {
    /// Which.
    pub kind: GraphPartKind,
    /// The name in it; empty for an anonymous one.
    pub name: Option<Name>,
    /// All of it.
    pub span: Span,
}

/// What a part of a pattern is.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphPartKind {
    /// `(a)`
    Node,
    /// `-[e*1..3]->`, `<--`, …
    Edge {
        /// Which way.
        direction: EdgeDirection,
        /// `*from..to`, for paths of several edges.
        range: Option<(Box<Expr>, Box<Expr>)>,
    },
}

/// Which way an edge goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeDirection {
    /// `-->`
    Right,
    /// `<--`
    Left,
    /// `--`
    Any,
}

/// An output of `graph-to-table`.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphOutput {
    /// `nodes` or `edges`.
    pub what: Name,
    /// `as Name`.
    pub name: Option<Name>,
    /// `with_node_id = x`, …
    pub params: Vec<Param>,
    /// All of it.
    pub span: Span,
}

/// What `make-graph` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeGraph {
    /// The column with the source of an edge.
    pub source: Box<Expr>,
    /// Which way.
    pub direction: EdgeDirection,
    /// The column with the target.
    pub target: Box<Expr>,
    /// `with T on id, U on id2`.
    pub nodes: Vec<(Expr, Expr)>,
    /// `with_node_id = name`.
    pub node_id: Option<Name>,
    /// `partitioned-by column ( query )`.
    pub partitioned_by: Option<(Box<Expr>, Box<Expr>)>,
}

/// What `make-series` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeSeries {
    /// The aggregates, each with the value of an empty bin.
    pub aggregates: Vec<SeriesColumn>,
    /// The axis.
    pub on: Box<Column>,
    /// The bins.
    pub range: SeriesRange,
    /// The keys.
    pub by: Vec<Column>,
}

/// An aggregate of `make-series`.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesColumn {
    /// The aggregate.
    pub column: Column,
    /// `default = x`.
    pub default: Option<Expr>,
}

/// The bins of `make-series`.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesRange {
    /// `from a to b step c`, the first two optional.
    Steps {
        /// The start.
        from: Option<Box<Expr>>,
        /// The end, excluded.
        to: Option<Box<Expr>>,
        /// The width.
        step: Box<Expr>,
    },
    /// The older `in range(a, b, c)`: the arguments.
    InRange(Vec<Expr>),
}

/// What `mv-expand` and `mv-apply` expand.
#[derive(Clone, Debug, PartialEq)]
pub struct MvColumn {
    /// The array or bag.
    pub column: Column,
    /// `to typeof(x)`.
    pub ty: Option<TypeName>,
}

/// What `parse` and `parse-where` take. `kind` and `flags` are parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    /// What is parsed.
    pub value: Box<Expr>,
    /// The pattern.
    pub pattern: Vec<ParsePart>,
}

/// A part of a `parse` pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsePart {
    /// `*`: anything, thrown away.
    Star(Span),
    /// A string to be found.
    Text(Expr),
    /// A column to be filled.
    Column {
        /// Its name.
        name: Name,
        /// Its type; a string otherwise.
        ty: Option<TypeName>,
    },
}

/// What `partition` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// The key.
    pub by: Box<Expr>,
    /// `id guid` or `in (…)`, which tools generate.
    pub scope: Option<Box<Expr>>,
    /// The sub-query.
    pub query: Box<Expr>,
    /// Whether it stands in braces: then it has its own source and the key is
    /// a value.
    pub braces: bool,
}

/// What `scan` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// `order by`, which tools generate.
    pub order_by: Vec<Ordered>,
    /// `partition by`.
    pub partition_by: Vec<Expr>,
    /// `declare (…)`.
    pub declare: Vec<Parameter>,
    /// The steps.
    pub steps: Vec<ScanStep>,
}

/// `step name optional output=last: condition => a = x, b = y;`
#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    /// Its name.
    pub name: Name,
    /// Whether it may be left out.
    pub optional: bool,
    /// `output = all | last | none`.
    pub output: Option<Name>,
    /// When a row matches.
    pub condition: Expr,
    /// What is computed then.
    pub assignments: Vec<Column>,
    /// All of it.
    pub span: Span,
}

/// One level of `top-nested`.
#[derive(Clone, Debug, PartialEq)]
pub struct TopNestedLevel {
    /// How many values; all when absent.
    pub count: Option<Expr>,
    /// Of which expression.
    pub of: Column,
    /// `with others = x`.
    pub others: Option<Expr>,
    /// The aggregate that ranks them.
    pub by: Ordered,
    /// All of it.
    pub span: Span,
}
