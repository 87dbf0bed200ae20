//! Values as Sigma writes them.
//!
//! In: a text as it is. Out: the text with `*`, `?` and backslashes escaped so
//! that it means itself. Deliberately absent: quoting for YAML, which the
//! template does.

use serde_json::{Value, json};

/// One value of a detection item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Int(i64),
    Real(f64),
    Null,
    /// `%name%`, filled in by whoever converts the rule.
    Placeholder(String),
}

impl Scalar {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// As it stands in a rule: `wild` where `*` and `?` have a meaning, `number`
    /// where a text of digits is better written as the number it is.
    pub(super) fn json(&self, wild: bool, number: bool) -> Value {
        match self {
            Self::Text(text) => match as_number(text).filter(|_| number) {
                Some(number) => json!(number),
                None if wild => json!(escape(text)),
                None => json!(text),
            },
            Self::Int(number) => json!(number),
            Self::Real(number) => json!(number),
            Self::Null => Value::Null,
            Self::Placeholder(name) => json!(format!("%{name}%")),
        }
    }
}

/// The number that is written exactly so.
fn as_number(text: &str) -> Option<i64> {
    text.parse::<i64>()
        .ok()
        .filter(|number| number.to_string() == text)
}

/// A text that means itself: a wildcard behind a backslash, and a backslash
/// doubled where it would otherwise be taken for an escape. A single one
/// before any other character means itself, and that is how Sigma rules have
/// their paths.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => {
                let mut run = 1;
                while chars.next_if_eq(&'\\').is_some() {
                    run += 1;
                }
                let escapes = run > 1 || matches!(chars.peek(), Some('*' | '?'));
                out.extend(std::iter::repeat_n('\\', if escapes { 2 * run } else { 1 }));
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether case makes a difference to a text.
pub(super) fn has_case(text: &str) -> bool {
    text.chars().any(|c| c.is_lowercase() || c.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_backslashes() {
        for (text, escaped) in [
            (r"C:\Windows\x.exe", r"C:\Windows\x.exe"),
            (r"\\server\share", r"\\\\server\share"),
            ("a*b?", r"a\*b\?"),
            (r"C:\*", r"C:\\\*"),
            (r"C:\Users\", r"C:\Users\"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }

    #[test]
    fn numbers_that_are_texts() {
        assert_eq!(Scalar::text("50126").json(true, true), json!(50126));
        assert_eq!(Scalar::text("050").json(true, true), json!("050"));
        assert_eq!(Scalar::text("5").json(true, false), json!("5"));
    }
}
