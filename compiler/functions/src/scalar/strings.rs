//! Functions over strings.

use super::rows;
use crate::Value;

rows! { ROWS: Function in strings {
    tolower "tolower", [(Scalar) -> String], "Folds text to lower case.",
        "tolower('KusTO')" => "kusto";
    toupper "toupper", [(Scalar) -> String], "Folds text to upper case.",
        "toupper('KusTO')" => "KUSTO";
}}

/// `tolower`.
pub fn tolower(args: &[Value]) -> Value {
    Value::string(crate::text::of(args, 0).to_lowercase())
}

/// `toupper`.
pub fn toupper(args: &[Value]) -> Value {
    Value::string(crate::text::of(args, 0).to_uppercase())
}
