//! The findings of the binder, `RK2xx`: KQL names and types.

use rulec_source::{Code, Severity};

const fn error(id: &'static str, name: &'static str, summary: &'static str) -> Code {
    Code {
        id,
        name,
        severity: Severity::Error,
        summary,
    }
}

const fn warning(id: &'static str, name: &'static str, summary: &'static str) -> Code {
    Code {
        id,
        name,
        severity: Severity::Warning,
        summary,
    }
}

/// A name that is no column, binding, table or function here.
pub const UNKNOWN_NAME: Code = error(
    "RK201",
    "unknown-name",
    "A name stands for nothing that can be used at its place.",
);
/// A table the catalog does not have.
pub const UNKNOWN_TABLE: Code = warning(
    "RK202",
    "unknown-table",
    "A table is not in the catalog, so its columns cannot be checked.",
);
/// A function that does not exist.
pub const UNKNOWN_FUNCTION: Code = error(
    "RK203",
    "unknown-function",
    "A function with this name does not exist.",
);
/// Too few or too many arguments.
pub const ARGUMENT_COUNT: Code = error(
    "RK204",
    "argument-count",
    "A function is given too few or too many arguments.",
);
/// A type that does not fit.
pub const WRONG_TYPE: Code = error(
    "RK205",
    "wrong-type",
    "An expression has a type that is not taken at its place.",
);
/// A table where a scalar belongs.
pub const NOT_A_SCALAR: Code = error(
    "RK206",
    "not-a-scalar",
    "A table stands where a single value belongs.",
);
/// A scalar where a table belongs.
pub const NOT_A_TABLE: Code = error(
    "RK207",
    "not-a-table",
    "A single value stands where a table belongs.",
);
/// The same name twice.
pub const DUPLICATE_NAME: Code = error(
    "RK208",
    "duplicate-name",
    "One operator or scope declares the same name twice.",
);
/// An aggregate outside of `summarize`, or no aggregate within.
pub const AGGREGATE_PLACE: Code = error(
    "RK209",
    "aggregate-place",
    "An aggregate stands where none is allowed, or is missing where one is needed.",
);
/// A join condition that is none.
pub const JOIN_CONDITION: Code = error(
    "RK210",
    "join-condition",
    "A join condition does not compare a column of each side.",
);
/// A parameter of an operator with a value it does not take.
pub const BAD_PARAMETER: Code = error(
    "RK211",
    "bad-parameter",
    "A parameter of an operator has a value it does not take.",
);
/// Only the name of a column will do.
pub const COLUMN_EXPECTED: Code = error(
    "RK212",
    "column-expected",
    "Something stands where only the name of a column can.",
);
/// A literal that is no value of its type.
pub const BAD_LITERAL: Code = warning(
    "RK213",
    "bad-literal",
    "A literal is no value of the type it names.",
);
/// A table that lacks columns a function asks for.
pub const MISSING_COLUMNS: Code = error(
    "RK214",
    "missing-columns",
    "A table passed to a function lacks columns that the function declares.",
);
/// Something that has no members.
pub const NO_MEMBERS: Code = error(
    "RK215",
    "no-members",
    "A value that is not dynamic has no members or elements.",
);
/// A dynamic value where the language needs one that has an order.
pub const DYNAMIC_KEY: Code = error(
    "RK216",
    "dynamic-key",
    "A dynamic value is used as a key to group, sort or join by.",
);
/// An operator that needs rows to read stands first.
pub const NO_INPUT: Code = error(
    "RK217",
    "no-input",
    "An operator that reads rows stands where there are none.",
);
/// A plugin that does not exist.
pub const UNKNOWN_PLUGIN: Code = error(
    "RK218",
    "unknown-plugin",
    "A plugin with this name does not exist.",
);
/// Only a constant will do.
pub const CONSTANT_EXPECTED: Code = error(
    "RK219",
    "constant-expected",
    "A value that depends on a row stands where a constant is needed.",
);
/// The query is nested too deeply or grows too large.
pub const TOO_LARGE: Code = error(
    "RK220",
    "too-large",
    "The query is nested too deeply, or too large once its functions are inlined.",
);
/// A column of an open table is used after it was dropped.
pub const DROPPED_COLUMN: Code = warning(
    "RK221",
    "dropped-column",
    "A column of a table that is not in the catalog is used behind an operator that does not pass it on.",
);
/// A pattern of `parse` that cannot be told apart.
pub const AMBIGUOUS_PATTERN: Code = error(
    "RK222",
    "ambiguous-pattern",
    "A pattern of parse does not say where a column ends.",
);
/// An operator that its surroundings do not take.
pub const OPERATOR_PLACE: Code = error(
    "RK223",
    "operator-place",
    "An operator stands in a subquery that does not take it.",
);
/// A line in front of the query that begins with `#`.
pub const UNKNOWN_DIRECTIVE: Code = error(
    "RK224",
    "unknown-directive",
    "A line that begins with # is no instruction to a client that exists.",
);

/// Every finding the binder can report.
pub const CODES: &[Code] = &[
    UNKNOWN_NAME,
    UNKNOWN_TABLE,
    UNKNOWN_FUNCTION,
    ARGUMENT_COUNT,
    WRONG_TYPE,
    NOT_A_SCALAR,
    NOT_A_TABLE,
    DUPLICATE_NAME,
    AGGREGATE_PLACE,
    JOIN_CONDITION,
    BAD_PARAMETER,
    COLUMN_EXPECTED,
    BAD_LITERAL,
    MISSING_COLUMNS,
    NO_MEMBERS,
    DYNAMIC_KEY,
    NO_INPUT,
    UNKNOWN_PLUGIN,
    CONSTANT_EXPECTED,
    TOO_LARGE,
    DROPPED_COLUMN,
    AMBIGUOUS_PATTERN,
    OPERATOR_PLACE,
    UNKNOWN_DIRECTIVE,
];
