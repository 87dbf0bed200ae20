//! The diagnostics of this stage.
//!
//! Codes `RK1xx`: the text is not KQL. A code never changes its meaning.

use rulec_source::{Code, Severity};

macro_rules! codes {
    ($($const:ident = $id:literal, $name:literal, $summary:literal;)*) => {
        $(#[doc = $summary] pub const $const: Code = Code {
            id: $id,
            name: $name,
            severity: Severity::Error,
            summary: $summary,
        };)*

        /// Every code this crate reports.
        pub const CODES: &[Code] = &[$($const,)*];
    };
}

codes! {
    UNEXPECTED_CHARACTER = "RK101", "unexpected-character",
        "A character that has no meaning in KQL outside of strings and comments.";
    UNTERMINATED_STRING = "RK102", "unterminated-string",
        "A string that is not closed, on its line unless it is a multi-line string.";
    INVALID_ESCAPE = "RK103", "invalid-escape",
        "A backslash sequence in a string that KQL does not know.";
    UNTERMINATED_LITERAL = "RK104", "unterminated-literal",
        "A literal such as `datetime(…)` without its closing parenthesis.";
    EXPECTED_TOKEN = "RK105", "expected-token",
        "A symbol or keyword that the construct requires is missing.";
    EXPECTED_EXPRESSION = "RK106", "expected-expression",
        "An expression is missing.";
    EXPECTED_NAME = "RK107", "expected-name",
        "A name is missing.";
    EXPECTED_OPERATOR = "RK108", "expected-operator",
        "What follows a `|` is not a tabular operator.";
    UNEXPECTED_TEXT = "RK109", "unexpected-text",
        "Text that belongs to nothing before it.";
    TOO_DEEP = "RK110", "nesting-too-deep",
        "The query is nested more deeply than rulec reads.";
    RESERVED_NAME = "RK111", "reserved-name",
        "A keyword used as a name must be written in brackets and quotes.";
    EXPECTED_TYPE = "RK112", "expected-type",
        "A scalar type is missing or unknown.";
    MISSING_PIPE = "RK113", "missing-pipe",
        "A tabular operator without a `|` before it.";
    MISSING_COMMA = "RK114", "missing-comma",
        "Two items of a list without a comma between them.";
    UNCLOSED = "RK115", "unclosed-bracket",
        "A bracket, brace or parenthesis that is not closed.";
    MISSING_SEMICOLON = "RK116", "missing-semicolon",
        "Two statements without a semicolon between them.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(CODES.windows(2).all(|w| w[0].id < w[1].id));
        assert!(
            CODES
                .iter()
                .all(|c| c.id.starts_with("RK1") && c.summary.ends_with('.'))
        );
    }
}
