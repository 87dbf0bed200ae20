//! The syntax tree: what a query says, before any name is looked up.
//!
//! In: nothing; these are plain data types that [`crate::parse`] fills. Every
//! node carries the [`Span`] of the bytes it was read from. Deliberately
//! absent: types of expressions, resolved names, and anything that depends on
//! a table's columns; trivia (blanks and comments) lives in the tokens.
//!
//! Shapes worth knowing:
//! - Scalar and tabular expressions are one type, [`Expr`], because the
//!   language mixes them freely (`x in (T | project y)`, `toscalar(T | count)`).
//! - What can be long in practice is a flat list, so that neither a walk nor
//!   `Drop` recurses with the length of the query: operators of a pipeline,
//!   operands of `and` and `or`, links of `a + b - c`, steps of `a.b[0].c`.
//! - What could not be read is [`ExprKind::Missing`]; then the parse has at
//!   least one error.

/// A function that names the kinds of a type, and the list of those names:
/// one source for both, so that a kind cannot be missing from the list.
macro_rules! named {
    (
        $(#[$of:meta])* $name:ident,
        $(#[$all:meta])* $names:ident,
        $($kind:pat => $text:literal,)*
    ) => {
        $(#[$of])*
        pub fn $name(&self) -> &'static str {
            match self {
                $($kind => $text,)*
            }
        }

        $(#[$all])*
        pub const $names: &'static [&'static str] = &[$($text),*];
    };
}

mod operators;

pub use operators::*;
use rulec_source::Span;

/// A whole query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Instructions to a client in front of the statements: `#connect …`, the
    /// whole line.
    pub directives: Vec<Name>,
    /// The statements in order. Usually lets, then one expression.
    pub statements: Vec<Statement>,
    /// From the first to the last statement.
    pub span: Span,
}

/// One statement of a query or of a function body.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `let name = value`.
    Let(Let),
    /// `set name = value`.
    Set(SetOption),
    /// `alias database name = database("…")`.
    Alias(Alias),
    /// `declare query_parameters (a: string = "x", …)`.
    DeclareQueryParameters(DeclareQueryParameters),
    /// `declare pattern name = (…) { … }`.
    DeclarePattern(DeclarePattern),
    /// `restrict access to (…)`.
    Restrict(Restrict),
    /// A query, or in a function body possibly a scalar.
    Expression(Expr),
}

impl Statement {
    named! {
        /// The kind of statement.
        kind,
        /// Every kind [`Statement::kind`] gives.
        KINDS,
        Self::Let(_) => "let",
        Self::Set(_) => "set",
        Self::Alias(_) => "alias",
        Self::DeclareQueryParameters(_) => "declare query_parameters",
        Self::DeclarePattern(_) => "declare pattern",
        Self::Restrict(_) => "restrict",
        Self::Expression(_) => "expression",
    }

    /// Where the statement stands, without its semicolon.
    pub fn span(&self) -> Span {
        match self {
            Self::Let(s) => s.span,
            Self::Set(s) => s.span,
            Self::Alias(s) => s.span,
            Self::DeclareQueryParameters(s) => s.span,
            Self::DeclarePattern(s) => s.span,
            Self::Restrict(s) => s.span,
            Self::Expression(e) => e.span,
        }
    }
}

/// `let name = value`. The value may be any expression, an
/// [`ExprKind::Function`] or an [`ExprKind::EntityGroup`].
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// What is defined.
    pub name: Name,
    /// What it stands for.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `set name` or `set name = value`: a request option.
#[derive(Clone, Debug, PartialEq)]
pub struct SetOption {
    /// The option.
    pub name: Name,
    /// A literal or a name; `None` switches the option on.
    pub value: Option<Expr>,
    /// The whole statement.
    pub span: Span,
}

/// `alias database name = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The new name.
    pub name: Name,
    /// The database it stands for.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `declare query_parameters (…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclareQueryParameters {
    /// The parameters, all scalar.
    pub parameters: Vec<Parameter>,
    /// The whole statement.
    pub span: Span,
}

/// `declare pattern name` with or without its definition.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclarePattern {
    /// The pattern's name.
    pub name: Name,
    /// What stands behind `=`; `None` for a mere declaration.
    pub definition: Option<PatternDefinition>,
    /// The whole statement.
    pub span: Span,
}

/// `= (a: string) [path: string] { ("x").["y"] = { … }; … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternDefinition {
    /// The arguments matched on.
    pub parameters: Vec<ColumnDecl>,
    /// The path parameter in brackets.
    pub path: Option<ColumnDecl>,
    /// The cases.
    pub matches: Vec<PatternMatch>,
}

/// One case of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatch {
    /// The values the arguments must have.
    pub values: Vec<Expr>,
    /// The value the path must have.
    pub path: Option<Expr>,
    /// What the pattern then stands for.
    pub body: Body,
    /// The whole case, without its semicolon.
    pub span: Span,
}

/// `restrict access to (…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Restrict {
    /// What stays visible: names, wildcards, paths.
    pub entities: Vec<Expr>,
    /// The properties in `with (…)`.
    pub properties: Vec<Param>,
    /// The whole statement.
    pub span: Span,
}

/// An identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name itself, without brackets and quotes and with escapes decoded.
    /// Empty where the source lacks one.
    pub text: String,
    /// The name as written, brackets included.
    pub span: Span,
    /// Whether it was written `['a name']`.
    pub bracketed: bool,
}

/// A parameter of a function, of the query, or a column declared by `scan`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// What it takes.
    pub ty: ParameterType,
    /// What it is when no argument is given.
    pub default: Option<Expr>,
    /// The whole parameter.
    pub span: Span,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterType {
    /// A scalar of this type.
    Scalar(TypeName),
    /// A table with at least these columns: `(a: long)`, or any: `(*)`.
    Tabular(TableType),
}

/// The type of a tabular parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct TableType {
    /// The columns required.
    pub columns: Vec<ColumnDecl>,
    /// Whether it begins with `*`: a table with whatever columns, or (in
    /// `typeof`) those of the input before the others.
    pub open: bool,
    /// The parentheses and what they hold.
    pub span: Span,
}

/// A scalar type as written in a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// The type meant.
    pub ty: ScalarType,
    /// The keyword.
    pub span: Span,
}

/// The scalar types of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalarType {
    /// `bool`, `boolean`.
    Bool,
    /// `datetime`, `date`.
    DateTime,
    /// `decimal`.
    Decimal,
    /// `dynamic`.
    Dynamic,
    /// `guid`, `uuid`, `uniqueid`.
    Guid,
    /// `int` and its relatives of 32 bits or fewer.
    Int,
    /// `long` and its relatives.
    Long,
    /// `real`, `double`, `float`.
    Real,
    /// `string`.
    String,
    /// `timespan`, `time`.
    TimeSpan,
    /// `type`, or a name that is no type (then the parse has an error).
    Unknown,
}

impl ScalarType {
    /// The canonical keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::DateTime => "datetime",
            Self::Decimal => "decimal",
            Self::Dynamic => "dynamic",
            Self::Guid => "guid",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::String => "string",
            Self::TimeSpan => "timespan",
            Self::Unknown => "unknown",
        }
    }
}

/// `name: type` in a schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDecl {
    /// The column.
    pub name: Name,
    /// Its type.
    pub ty: TypeName,
    /// Both.
    pub span: Span,
}

/// What stands between the braces of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// Statements before the result (lets, and rarely others).
    pub statements: Vec<Statement>,
    /// The value of the function; a pipeline or a scalar.
    pub result: Option<Box<Expr>>,
    /// With the braces.
    pub span: Span,
}

/// An expression, scalar or tabular.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The bytes it was read from.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Nothing readable where an expression belongs; an error was reported.
    Missing,
    /// A constant.
    Literal(Literal),
    /// A name: column, table, let binding, parameter, `$left`, `$right`, `$command_results`.
    Name(Name),
    /// A name with `*` in it, as `project-away` and `union` take: `Device*`.
    /// The text is the pattern with nothing unescaped; `bracketed` is false.
    Wildcard(Name),
    /// A lone `*`: all columns, or in `search` and `find` any column.
    Star,
    /// Operators with `|` between them.
    Pipeline(Pipeline),
    /// `name(arguments)`. `toscalar`, `totable`, `materialize`,
    /// `materialized-view-combine`, `database`, `cluster`, `table`,
    /// `external_table` … are calls as well.
    Call(Call),
    /// `a.b`, `a["b"]`, `database("d").T`.
    Path(Path),
    /// `-x` or `+x`.
    Unary(Unary),
    /// `a + b - c`, `a * b / c % d`: operators of one rank, left to right.
    Arithmetic(Arithmetic),
    /// A comparison or string operator, which never chains: `a == b`, `a has b`.
    Binary(Binary),
    /// `a and b and c`, at least two.
    And(Vec<Expr>),
    /// `a or b or c`, at least two.
    Or(Vec<Expr>),
    /// `a in (…)`, `a !in~ (…)`, `a has_any (…)`, `a has_all (…)`.
    InList(InList),
    /// `a between (x .. y)`, `a !between (x .. y)`.
    Between(Between),
    /// `(inner)`.
    Parenthesised(Box<Expr>),
    /// `[inner]`, which the language accepts as an expression; `['name']` is
    /// [`ExprKind::Name`] instead.
    Bracketed(Box<Expr>),
    /// `name = value` where a plain value is usual: the syntax allows it in
    /// `distinct`, which then renames the column, and in `where`, `take`,
    /// `sample`, `top` and their relatives, where the name has no effect
    /// (mostly `==` was meant).
    Named(Box<Column>),
    /// `(parameters) { body }` or `view (…) { body }`, the value of a let.
    Function(Box<Function>),
    /// `datatable (a: long) [1, 2]`.
    Datatable(Datatable),
    /// `externaldata (a: string) [ "https://…" ] with (format = "csv")`.
    ExternalData(ExternalData),
    /// `__contextual_datatable guid (schema)`, which tools generate.
    ContextualDatatable(ContextualDatatable),
    /// `entity_group [ cluster("c").database("d"), … ]`.
    EntityGroup(Vec<Expr>),
    /// `typeof(long)` or `typeof(a: long, b: string)` or `typeof(*)`.
    TypeOf(TypeOf),
}

impl ExprKind {
    named! {
        /// The kind of expression.
        kind,
        /// Every kind [`ExprKind::kind`] gives.
        KINDS,
        Self::Missing => "missing",
        Self::Literal(_) => "literal",
        Self::Name(_) => "name",
        Self::Wildcard(_) => "wildcard",
        Self::Star => "star",
        Self::Pipeline(_) => "pipeline",
        Self::Call(_) => "call",
        Self::Path(_) => "path",
        Self::Unary(_) => "unary",
        Self::Arithmetic(_) => "arithmetic",
        Self::Binary(_) => "binary",
        Self::And(_) => "and",
        Self::Or(_) => "or",
        Self::InList(_) => "in list",
        Self::Between(_) => "between",
        Self::Parenthesised(_) => "parenthesised",
        Self::Bracketed(_) => "bracketed",
        Self::Named(_) => "named",
        Self::Function(_) => "function",
        Self::Datatable(_) => "datatable",
        Self::ExternalData(_) => "external data",
        Self::ContextualDatatable(_) => "contextual datatable",
        Self::EntityGroup(_) => "entity group",
        Self::TypeOf(_) => "type of",
    }
}

/// A chain of operators on a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// What the first operator reads. `None` where the first operator makes
    /// its own rows (`print`, `range`, `union`, `search`, `find`,
    /// `macro-expand`, `evaluate`) and in the sub-queries of `mv-apply`,
    /// `fork`, `facet` and `partition`, which read what the operator hands them.
    pub source: Option<Box<Expr>>,
    /// The operators, in order. Never empty.
    pub operators: Vec<Operator>,
}

/// `name(arguments)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub name: Name,
    /// `kind=nooptimization` of `toscalar` and `totable`; else empty.
    pub params: Vec<Param>,
    /// The arguments.
    pub args: Vec<Arg>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `name = value`, as in `pack_all(ignore_null_empty = true)` or a call of
    /// a user's function.
    pub name: Option<Name>,
    /// The value; may be [`ExprKind::Star`] or a pipeline.
    pub value: Expr,
    /// Both.
    pub span: Span,
}

/// Member access and indexing, flat.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Where it begins.
    pub base: Box<Expr>,
    /// What is followed, in order. Never empty.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What the step does.
    pub kind: StepKind,
    /// With its dot or brackets.
    pub span: Span,
}

/// What a step of a path does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// `.name`, and `.["name"]` with `bracketed` set.
    Member(Name),
    /// `.name(arguments)`, as in `cluster("c").database("d")`.
    Call(Call),
    /// `.Device*`, a wildcard over a database's tables.
    Wildcard(Name),
    /// `[index]`, and `.[index]` where the index is not a plain string.
    Index(Expr),
}

/// A sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    /// Which.
    pub op: UnaryOp,
    /// Of what.
    pub operand: Box<Expr>,
}

/// The signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Minus,
    /// `+`
    Plus,
}

/// Operators of one rank, applied left to right.
#[derive(Clone, Debug, PartialEq)]
pub struct Arithmetic {
    /// The first operand.
    pub first: Box<Expr>,
    /// What is done to it. Never empty; either all of `+ -` or all of `* / %`.
    pub rest: Vec<ArithmeticLink>,
}

/// An operator and its right operand.
#[derive(Clone, Debug, PartialEq)]
pub struct ArithmeticLink {
    /// Which.
    pub op: ArithmeticOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// The right operand.
    pub operand: Expr,
}

/// The arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl ArithmeticOp {
    /// The symbol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// Which.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// The left operand; in `search` possibly [`ExprKind::Star`].
    pub lhs: Box<Expr>,
    /// The right operand.
    pub rhs: Box<Expr>,
}

macro_rules! binary_ops {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Comparisons and string operators. Each takes two scalars and none chains.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum BinaryOp { $($(#[$doc])* #[doc = concat!("`", $text, "`")] $variant,)* }

        impl BinaryOp {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The canonical spelling.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

binary_ops! {
    Equal = "==",
    /// Also written `<>`.
    NotEqual = "!=",
    Less = "<",
    LessOrEqual = "<=",
    Greater = ">",
    GreaterOrEqual = ">=",
    EqualTilde = "=~",
    NotEqualTilde = "!~",
    /// `column : "term"`, in `search` and `find`.
    Search = ":",
    Has = "has",
    NotHas = "!has",
    HasCs = "has_cs",
    NotHasCs = "!has_cs",
    HasPrefix = "hasprefix",
    NotHasPrefix = "!hasprefix",
    HasPrefixCs = "hasprefix_cs",
    NotHasPrefixCs = "!hasprefix_cs",
    HasSuffix = "hassuffix",
    NotHasSuffix = "!hassuffix",
    HasSuffixCs = "hassuffix_cs",
    NotHasSuffixCs = "!hassuffix_cs",
    Contains = "contains",
    /// Also written `notcontains`.
    NotContains = "!contains",
    /// Also written `containscs`.
    ContainsCs = "contains_cs",
    /// Also written `notcontainscs`.
    NotContainsCs = "!contains_cs",
    StartsWith = "startswith",
    NotStartsWith = "!startswith",
    StartsWithCs = "startswith_cs",
    NotStartsWithCs = "!startswith_cs",
    EndsWith = "endswith",
    NotEndsWith = "!endswith",
    EndsWithCs = "endswith_cs",
    NotEndsWithCs = "!endswith_cs",
    Like = "like",
    NotLike = "notlike",
    LikeCs = "likecs",
    NotLikeCs = "notlikecs",
    MatchesRegex = "matches regex",
}

/// Membership in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct InList {
    /// Which.
    pub op: InOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// What is looked for.
    pub lhs: Box<Expr>,
    /// What stands in the parentheses: scalars, or one tabular expression.
    pub list: Vec<Expr>,
}

/// The list operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InOp {
    /// `in`
    In,
    /// `!in`
    NotIn,
    /// `in~`
    InTilde,
    /// `!in~`
    NotInTilde,
    /// `has_any`
    HasAny,
    /// `has_all`
    HasAll,
}

impl InOp {
    /// The spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "!in",
            Self::InTilde => "in~",
            Self::NotInTilde => "!in~",
            Self::HasAny => "has_any",
            Self::HasAll => "has_all",
        }
    }
}

/// A range test, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub struct Between {
    /// Whether it was written `!between`.
    pub negated: bool,
    /// Where the operator stands.
    pub op_span: Span,
    /// What is tested.
    pub operand: Box<Expr>,
    /// The lower end.
    pub from: Box<Expr>,
    /// The upper end; a timespan here is relative to the lower end.
    pub to: Box<Expr>,
}

/// The definition of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Whether it was declared with `view`.
    pub view: bool,
    /// The parameters, tabular ones first.
    pub parameters: Vec<Parameter>,
    /// What it computes.
    pub body: Body,
}

/// `datatable (schema) [values]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Datatable {
    /// Parameters before the schema.
    pub params: Vec<Param>,
    /// The columns.
    pub columns: Vec<ColumnDecl>,
    /// The values, row by row.
    pub values: Vec<Expr>,
}

/// `externaldata (schema) [uris] with (properties)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalData {
    /// Parameters before the schema.
    pub params: Vec<Param>,
    /// The columns.
    pub columns: Vec<ColumnDecl>,
    /// Where the data is: strings, or names of string bindings.
    pub uris: Vec<Expr>,
    /// `format`, `ignoreFirstRecord`, …
    pub properties: Vec<Param>,
}

/// `__contextual_datatable id (schema)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextualDatatable {
    /// Which data.
    pub id: Box<Expr>,
    /// The columns.
    pub columns: Vec<ColumnDecl>,
}

/// `typeof(…)`.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeOf {
    /// `typeof(long)`.
    Scalar(TypeName),
    /// `typeof(a: long, b: string)`; `typeof(*)` is an open one, `typeof(*, a: long)` has one more.
    Tabular(TableType),
}

/// A constant with its value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A typed null: `int(null)`, `datetime(null)`, `dynamic(null)`.
    Null(ScalarType),
    /// `true`, `false`, `bool(1)`.
    Bool(bool),
    /// `int(5)`.
    Int(i32),
    /// `5`, `0x1f`, `long(5)`.
    Long(i64),
    /// `5.0`, `1e3`, `real(+inf)`.
    Real(f64),
    /// `decimal(1.25)`: the digits as written.
    Decimal(String),
    /// Any kind of string.
    String(StringLiteral),
    /// 100 ns since 0001-01-01T00:00:00 UTC.
    DateTime(i64),
    /// 100 ns.
    TimeSpan(i64),
    /// The sixteen bytes, first digit most significant.
    Guid(u128),
    /// `dynamic(…)` with anything but `null`.
    Dynamic(Json),
    /// A literal of the type whose text is no value of it, as `datetime(x)` or
    /// an integer out of range. It parses; the binder reports it.
    Invalid(ScalarType, String),
}

impl Literal {
    /// The type of the constant.
    pub fn ty(&self) -> ScalarType {
        match self {
            Self::Null(ty) | Self::Invalid(ty, _) => *ty,
            Self::Bool(_) => ScalarType::Bool,
            Self::Int(_) => ScalarType::Int,
            Self::Long(_) => ScalarType::Long,
            Self::Real(_) => ScalarType::Real,
            Self::Decimal(_) => ScalarType::Decimal,
            Self::String(_) => ScalarType::String,
            Self::DateTime(_) => ScalarType::DateTime,
            Self::TimeSpan(_) => ScalarType::TimeSpan,
            Self::Guid(_) => ScalarType::Guid,
            Self::Dynamic(_) => ScalarType::Dynamic,
        }
    }
}

/// A string; several written side by side are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringLiteral {
    /// The content, escapes decoded and parts joined.
    pub value: String,
    /// Whether a part was written `h"…"`: not to be shown in logs.
    pub obfuscated: bool,
}

/// A value inside `dynamic(…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Json {
    /// The value.
    pub kind: JsonKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of value inside `dynamic(…)`.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Long(i64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// A string.
    String(String),
    /// `[…]`.
    Array(Vec<Json>),
    /// `{…}`, in the order written; a key may occur twice.
    Object(Vec<JsonPair>),
    /// A literal of the language, as in `dynamic([1h, datetime(2020-01-01)])`.
    Literal(Box<Literal>),
}

/// `"key": value`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPair {
    /// The key, decoded.
    pub key: String,
    /// Where the key stands, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Json,
}
