//! String operators: `has`, `contains`, `startswith`, `matches regex` and the
//! rest of them.
//!
//! Both sides are read as text, so null is the empty string. Without `_cs`
//! they fold case.

use crate::args::flatten;
use crate::fold::{Ends, contains_fold, ends_fold, fold, has_term, has_term_fold, starts_fold};
use crate::{Value, regexes, text};

rows! { ROWS: Operator in matching {
    has "has", [(TextOrDynamic, Text) -> Bool], "Whether a string has another as a whole term.",
        "'North America' has 'america'" => "true", "'NorthAmerica' has 'america'" => "false";
    not_has "!has", [(TextOrDynamic, Text) -> Bool], "Whether a string lacks another as a whole term.",
        "'NorthAmerica' !has 'america'" => "true";
    has_cs "has_cs", [(TextOrDynamic, Text) -> Bool], "`has` with case.",
        "'North America' has_cs 'america'" => "false";
    not_has_cs "!has_cs", [(TextOrDynamic, Text) -> Bool], "`!has` with case.",
        "'North America' !has_cs 'america'" => "true";
    has_any "has_any", [(TextOrDynamic .. Scalar) -> Bool], "Whether a string has at least one of a list as a whole term.",
        "'North America' has_any ('south', 'north')" => "true";
    has_all "has_all", [(TextOrDynamic .. Scalar) -> Bool], "Whether a string has all of a list as whole terms.",
        "'North America' has_all ('south', 'north')" => "false";
    hasprefix "hasprefix", [(TextOrDynamic, Text) -> Bool], "Whether a term of a string starts with another.",
        "'North America' hasprefix 'ame'" => "true";
    not_hasprefix "!hasprefix", [(TextOrDynamic, Text) -> Bool], "Whether no term of a string starts with another.",
        "'North America' !hasprefix 'ame'" => "false";
    hasprefix_cs "hasprefix_cs", [(TextOrDynamic, Text) -> Bool], "`hasprefix` with case.",
        "'North America' hasprefix_cs 'Ca'" => "false";
    not_hasprefix_cs "!hasprefix_cs", [(TextOrDynamic, Text) -> Bool], "`!hasprefix` with case.",
        "'North America' !hasprefix_cs 'CA'" => "true";
    hassuffix "hassuffix", [(TextOrDynamic, Text) -> Bool], "Whether a term of a string ends with another.",
        "'North America' hassuffix 'ica'" => "true";
    not_hassuffix "!hassuffix", [(TextOrDynamic, Text) -> Bool], "Whether no term of a string ends with another.",
        "'North America' !hassuffix 'ica'" => "false";
    hassuffix_cs "hassuffix_cs", [(TextOrDynamic, Text) -> Bool], "`hassuffix` with case.",
        "'North America' hassuffix_cs 'ICA'" => "false";
    not_hassuffix_cs "!hassuffix_cs", [(TextOrDynamic, Text) -> Bool], "`!hassuffix` with case.",
        "'North America' !hassuffix_cs 'ICA'" => "true";
    contains "contains" = "contains_ci", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string has another anywhere.",
        "'FabriKam' contains 'BRik'" => "true";
    not_contains "!contains" = "notcontains", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string has another nowhere.",
        "'Fabrikam' !contains 'xyz'" => "true";
    contains_cs "contains_cs" = "containscs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`contains` with case.",
        "'FabriKam' contains_cs 'Kam'" => "true";
    not_contains_cs "!contains_cs" = "notcontainscs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`!contains` with case.",
        "'Fabrikam' !contains_cs 'Kam'" => "true";
    startswith "startswith", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string starts with another.",
        "'Fabrikam' startswith 'fab'" => "true";
    not_startswith "!startswith", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string does not start with another.",
        "'Fabrikam' !startswith 'kam'" => "true";
    startswith_cs "startswith_cs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`startswith` with case.",
        "'Fabrikam' startswith_cs 'fab'" => "false";
    not_startswith_cs "!startswith_cs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`!startswith` with case.",
        "'Fabrikam' !startswith_cs 'fab'" => "true";
    endswith "endswith", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string ends with another.",
        "'Fabrikam' endswith 'Kam'" => "true";
    not_endswith "!endswith", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string does not end with another.",
        "'Fabrikam' !endswith 'brik'" => "true";
    endswith_cs "endswith_cs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`endswith` with case.",
        "'Fabrikam' endswith_cs 'Kam'" => "false";
    not_endswith_cs "!endswith_cs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`!endswith` with case.",
        "'Fabrikam' !endswith_cs 'Kam'" => "true";
    matches_regex "matches regex", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a regular expression occurs in a string.",
        "'Fabrikam' matches regex 'b.*k'" => "true";
    like "like", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string fits a pattern in which `*` stands for anything.",
        "'Fabrikam' like 'FAB*m'" => "true";
    not_like "!like" = "notlike", [(TextOrDynamic, TextOrDynamic) -> Bool], "Whether a string does not fit a pattern.",
        "'Fabrikam' !like 'x*'" => "true";
    like_cs "like_cs" = "likecs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`like` with case.",
        "'Fabrikam' like_cs 'FAB*'" => "false";
    not_like_cs "!like_cs" = "notlikecs", [(TextOrDynamic, TextOrDynamic) -> Bool], "`!like` with case.",
        "'Fabrikam' !like_cs 'FAB*'" => "true";
}}

/// Two kernels from one test of two strings: the operator and its negation.
macro_rules! operators {
    ($($positive:ident $name:literal, $negative:ident $not:literal: $test:expr;)*) => { $(
        #[doc = concat!("`", $name, "`.")]
        pub fn $positive(args: &[Value]) -> Value {
            let test: fn(&str, &str) -> bool = $test;
            Value::Bool(test(&text::of(args, 0), &text::of(args, 1)))
        }

        #[doc = concat!("`", $not, "`.")]
        pub fn $negative(args: &[Value]) -> Value {
            let test: fn(&str, &str) -> bool = $test;
            Value::Bool(!test(&text::of(args, 0), &text::of(args, 1)))
        }
    )* };
}

operators! {
    has "has", not_has "!has": |a, b| has_term_fold(a, b, Ends::TERM);
    has_cs "has_cs", not_has_cs "!has_cs": |a, b| has_term(a, b, Ends::TERM);
    hasprefix "hasprefix", not_hasprefix "!hasprefix": |a, b| has_term_fold(a, b, Ends::PREFIX);
    hasprefix_cs "hasprefix_cs", not_hasprefix_cs "!hasprefix_cs": |a, b| has_term(a, b, Ends::PREFIX);
    hassuffix "hassuffix", not_hassuffix "!hassuffix": |a, b| has_term_fold(a, b, Ends::SUFFIX);
    hassuffix_cs "hassuffix_cs", not_hassuffix_cs "!hassuffix_cs": |a, b| has_term(a, b, Ends::SUFFIX);
    contains "contains", not_contains "!contains": contains_fold;
    contains_cs "contains_cs", not_contains_cs "!contains_cs": |a, b| a.contains(b);
    startswith "startswith", not_startswith "!startswith": starts_fold;
    startswith_cs "startswith_cs", not_startswith_cs "!startswith_cs": |a, b| a.starts_with(b);
    endswith "endswith", not_endswith "!endswith": ends_fold;
    endswith_cs "endswith_cs", not_endswith_cs "!endswith_cs": |a, b| a.ends_with(b);
    like "like", not_like "!like": |a, b| wildcard(&fold(a), &fold(b));
    like_cs "like_cs", not_like_cs "!like_cs": wildcard;
}

/// Whether text fits a pattern in which `*` stands for any text.
pub fn wildcard(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `has_any`.
pub fn has_any(args: &[Value]) -> Value {
    let text = text::of(args, 0);
    let text = fold(&text);
    Value::Bool(flatten(args, 1).any(|term| has_term(&text, &fold(&text::borrow(term)), Ends::TERM)))
}

/// `has_all`.
pub fn has_all(args: &[Value]) -> Value {
    let text = text::of(args, 0);
    let text = fold(&text);
    Value::Bool(flatten(args, 1).all(|term| has_term(&text, &fold(&text::borrow(term)), Ends::TERM)))
}

/// `matches regex`.
pub fn matches_regex(args: &[Value]) -> Value {
    let Some(regex) = regexes::cached(&text::of(args, 1)) else {
        return Value::Null;
    };
    Value::Bool(regex.is_match(&text::of(args, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "a*c", true),
            ("abc", "*", true),
            ("abc", "a*b", false),
            ("aa", "a*a", true),
            ("a", "a*a", false),
            ("abcabc", "*b*b*", true),
            ("b", "*b*b*", false),
            ("ab", "a", false),
            ("abxbc", "a*b*c", true),
            ("acb", "a*c", false),
            ("aba", "ab*ba", false),
            ("", "*", true),
            ("DeviceEvents", "D*i*Ev*s", true),
            ("DeviceEvents", "device*", false),
            ("é", "*é", true),
        ] {
            assert_eq!(wildcard(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn lists_flatten() {
        let list = Value::array(vec![Value::string("x"), Value::string("EXE")]);
        assert!(has_any(&[Value::string("cmd.exe"), list.clone()]).is_true());
        assert!(!has_all(&[Value::string("cmd.exe"), list]).is_true());
    }
}
